/* SPDX-License-Identifier: MIT */
/* Listings and directory cursors: caller's memory (about 3 KiB each), nothing to free. */
#pragma once

#include "db/db.h"
#include "library/library.h"
#include "library/object_id.h"

/** A part of a container's children: fixed ones, or one group of one index. */
struct listing_segment {
	bool fixed;
	uint8_t table, index;
	enum id_kind child; /* what the children are; ID_HOME: items */
	uint32_t group;
	uint64_t n;
};

struct listing {
	uint64_t total;	    /* children */
	uint32_t update_id; /* the container's */
	uint64_t damaged_n; /* skipped so far because their records cannot be read */

	/* the rest is listing.c's own */
	const struct db_snap *sn;
	struct object_id id;
	char container_id[LIBRARY_ID_MAX];
	unsigned segments_n;
	struct listing_segment segments[LISTING_SEGMENTS_MAX];
	unsigned at;	   /* segment */
	uint64_t fixed_at; /* child in a fixed segment */
	struct db_cursor cursor;
};

struct directory_cursor {
	struct db_cursor cursor;
};

/** A number that is another one whenever the page [offset, offset + n) may be another one. Of files
 * alone it follows what this container shows; where containers are on the page, which show counts
 * of their own, whatever changes in the library's files and names. O(segments + runs). */
uint64_t listing_generation(const struct listing *li, uint64_t offset, uint64_t n);
