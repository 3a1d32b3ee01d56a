/* SPDX-License-Identifier: MIT */
/* The rows that every engine stores: a music collection made from numbers, the same for ever.
 *
 * 50 files a directory, two directories (discs) an album, ten albums an artist: a thousand artists
 * at a million rows. A path has 106 bytes on average, all strings of a row 351, and every third
 * title has letters beyond ASCII. */
#pragma once

#include "schema/media_fb.h"

#define ROWS_PER_DIRECTORY 50u
#define ROWS_PER_ALBUM 100u
#define ROWS_PER_ARTIST 1000u

enum row_order {
	ROWS_SCAN,  /* as a scan delivers them: directory by directory */
	ROWS_RANDOM /* every row from some other directory */
};

struct row_source {
	uint64_t n;
	enum row_order order;
	unsigned half_bits; /* of the permutation */
};

struct row {
	struct media_file_in in; /* the ids of what it belongs to are the generator's own numbers */
	struct span directory;
	uint32_t artist_id, genre_id;
	char text[448];
};

void row_source_init(struct row_source *s, uint64_t n, enum row_order order);
/** The k-th row to arrive, from 0; behind the last of the source come new ones without end. */
void row_make(const struct row_source *s, uint64_t k, struct row *out);
/** The row as a tagger left it: another title, year and time; path, artist and album stay. */
void row_retag(struct row *r);
