/* SPDX-License-Identifier: MIT */
/* Listings and directory cursors: caller's memory (about 5 KiB each), nothing to free. */
#pragma once

#include "db/db.h"
#include "library/library.h"
#include "library/lookup.h"
#include "library/object_id.h"

/** A part of a container's children: fixed ones, one group of one index, or those of the groups
 * [group, group_end) that are not empty (months; years are sixteen groups each). */
struct listing_segment {
	bool fixed, dates;
	uint8_t table, index;
	uint8_t media_kind; /* files of this MediaKind only; 0: all */
	enum id_kind child; /* what the children are; ID_HOME: items */
	uint32_t group, group_end;
	uint64_t n;
	uint64_t group_n; /* with a media_kind: files of any */
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
	uint64_t child_at; /* in it; not of dates */
	uint32_t date_at;  /* group in a segment of dates */
	struct row_reader reader;
};

struct directory_cursor {
	struct row_reader reader;
};

/** A number that is another one whenever the page [offset, offset + n) may be another one. Of files
 * alone it follows what this container shows; where containers are on the page, which show counts
 * of their own, whatever changes in the library's files and names. O(segments + runs). */
uint64_t listing_generation(const struct listing *li, uint64_t offset, uint64_t n);
