/* SPDX-License-Identifier: MIT */
/* Values as other servers write them. Pure. */
#pragma once

#include "base/arena.h"
#include "base/span.h"

/** `s` where it is valid UTF-8, else a copy with U+FFFD for what is not; empty where there is no
 * memory. Lifetime: of both. */
struct span import_text(struct arena *a, struct span s);
/** The same, with MiniDLNA's escapes undone: it stores tags as they are written in the end, escaped
 * for XML twice ("&amp;lt;" for '<'). */
struct span import_unescape(struct arena *a, struct span s);

/** "1:02:03.456" (hours, minutes, seconds and a fraction): milliseconds; 0 for anything else. */
uint32_t import_duration_ms(struct span s);
/** "1920x1080"; false, and both are 0, for anything else. */
bool import_resolution(struct span s, uint32_t *out_width, uint32_t *out_height);
/** The year at the start of "1999", "1999-12-31", "1999-12-31T23:59:59"; 0 for anything else. */
uint16_t import_year(struct span s);
/** Seconds since 1970 of "1999-12-31T23:59:59", taken as UTC; 0 for anything else. */
int64_t import_time_s(struct span s);
