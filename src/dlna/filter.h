/* SPDX-License-Identifier: MIT */
/* The Filter argument of Browse: which properties a control point wants to see. */
#pragma once

#include <stdint.h>

#include "base/span.h"

/* Always there, so without a bit: @id, @parentID, @restricted, dc:title, upnp:class, and inside a
 * res its protocolInfo. */
enum filter_bit {
	FILTER_REF_ID = 1u << 0,
	FILTER_CHILD_COUNT = 1u << 1,
	FILTER_SEARCHABLE = 1u << 2,
	FILTER_CREATOR = 1u << 3,
	FILTER_DATE = 1u << 4,
	FILTER_ARTIST = 1u << 5,
	FILTER_ALBUM = 1u << 6,
	FILTER_GENRE = 1u << 7,
	FILTER_TRACK = 1u << 8,
	FILTER_ART = 1u << 9,
	FILTER_STORAGE_USED = 1u << 10,
	FILTER_RES = 1u << 11,
	FILTER_RES_SIZE = 1u << 12,
	FILTER_RES_DURATION = 1u << 13,
	FILTER_RES_BITRATE = 1u << 14,
	FILTER_RES_SAMPLE_RATE = 1u << 15,
	FILTER_RES_BITS = 1u << 16,
	FILTER_RES_CHANNELS = 1u << 17,
	FILTER_RES_RESOLUTION = 1u << 18,
	FILTER_CAPTION = 1u << 19,     /* sec:CaptionInfoEx, pv:subtitleFileUri */
	FILTER_MEDIA_CLASS = 1u << 20, /* av:mediaClass */
	FILTER_DCM_INFO = 1u << 21,    /* sec:dcmInfo */
	FILTER_PLAYBACK_COUNT = 1u << 22,
	FILTER_PLAYBACK_TIME = 1u << 23,
	FILTER_PLAYBACK_POSITION = 1u << 24,
	FILTER_ALL = (1u << 25) - 1
};

/** "*" gives everything, "" only what is always there, else the names in the list; names that we do
 * not have are ignored (section 2.5.7 of ContentDirectory:1). */
uint32_t filter_parse(struct span filter);
