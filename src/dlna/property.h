/* SPDX-License-Identifier: MIT */
/* The properties of an object as control points name them: what DIDL-Lite shows is what a Search
 * compares, so both get it here. Pure. */
#pragma once

#include <stdint.h>

#include "base/flatbuffer.h"
#include "base/span.h"
#include "library/search.h"

struct object;

/** The longest text of one property, bytes; longer ones are cut. */
#define PROPERTY_TEXT_MAX SEARCH_TEXT_MAX
/** Artists and genres of one object. */
#define PROPERTY_VALUES_MAX SEARCH_VALUES_MAX
#define PROPERTY_SCRATCH 32 /* room for a number, a date, a duration */

enum property {
	PROPERTY_UNKNOWN, /* none of ours: no object has it */
	PROPERTY_ID,
	PROPERTY_PARENT_ID,
	PROPERTY_REF_ID,
	PROPERTY_TITLE,
	PROPERTY_CLASS,
	PROPERTY_CREATOR,
	PROPERTY_DATE,
	PROPERTY_ARTIST,
	PROPERTY_ARTIST_ROLE,
	PROPERTY_ALBUM_ARTIST,
	PROPERTY_ALBUM,
	PROPERTY_GENRE,
	PROPERTY_TRACK,
	PROPERTY_RES_SIZE,
	PROPERTY_RES_DURATION,
	PROPERTY_RES_BITRATE,
	PROPERTY_RES_SAMPLE_RATE,
	PROPERTY_RES_BITS,
	PROPERTY_RES_CHANNELS,
	PROPERTY_RES_RESOLUTION
};

/** By name, in any case. */
enum property property_find(struct span name);
/** The nth name to advertise, NULL at the end. */
const char *property_name(size_t n);

/** Value k of a property, for k = 0, 1, ... until it returns false. */
bool property_value(const struct object *o, enum property p, unsigned k,
		    char scratch[PROPERTY_SCRATCH], struct span *out);

/** upnp:class. */
struct span property_class(const struct object *o);
/** "2026-11-21T10:00:00" for seconds since 1970; empty for 0, and what no date can say. */
struct span property_time(int64_t wall_s, char scratch[PROPERTY_SCRATCH]);
/** dc:date; empty where it is not known. */
struct span property_date(struct fb_table media, char scratch[PROPERTY_SCRATCH]);
/** "0:03:05.120" */
struct span property_duration(uint32_t ms, char scratch[PROPERTY_SCRATCH]);
