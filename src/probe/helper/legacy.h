/* SPDX-License-Identifier: MIT */
/* Tags whose bytes were never what their label says: repaired where the evidence is strong, or as
 * the configuration says. */
#pragma once

#include "base/text_encoding.h"

#define LEGACY_MAX_BYTES 1024 /* longer texts are shown cut anyway */

/** `utf8` was decoded from bytes labelled Latin-1. Write what they mean to `out` (at least 3 *
 * LEGACY_MAX_BYTES) and return its length; 0: leave the text as it is. With TEXT_AUTO the bytes
 * decide; with another encoding that is what they are, but for what is UTF-8 beyond doubt, and for
 * Western words among letters of another script. TEXT_LATIN1: nothing but CP1252's quotes and
 * dashes. */
size_t legacy_repair(struct span utf8, enum text_encoding encoding, char *out, size_t cap);
