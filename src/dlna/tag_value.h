/* SPDX-License-Identifier: MIT */
/* The tag values of UpdateObject (ContentDirectory:1 section 2.7.14): comma-separated fragments of
 * XML, "<upnp:playbackCount>3</upnp:playbackCount>,", an empty one for a property that is not
 * there. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct tag_value {
	struct span name;  /* with its prefix; empty: no property */
	struct span value; /* as written; empty where there is none */
};

/** Cut the first fragment off a list, at a comma that no backslash stands before.
 * ERR_INVALID: it is neither empty nor one element with text. */
NODISCARD enum err tag_value_cut(struct span *list, struct tag_value *out);
/** How many fragments a list has: one more than commas. */
unsigned tag_values_n(struct span list);

/** "0:03:05.120" or seconds, "185" or "185.12", as milliseconds. ERR_INVALID, ERR_RANGE. */
NODISCARD enum err tag_duration_parse(struct span text, uint32_t *out_ms);
/** "2026-11-21", "2026-11-21T10:00:00", also with "Z" or "+01:00" behind, in seconds since 1970.
 * ERR_INVALID. */
NODISCARD enum err tag_date_parse(struct span text, int64_t *out_s);
