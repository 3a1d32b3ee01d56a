/* SPDX-License-Identifier: MIT */
/* Random MediaFile rows, and whether a table holds one. */
#pragma once

#include "schema/media_fb.h"

#define ROWS_LIST_MAX 5

/* A row and what it borrows. */
struct random_row {
	struct media_file_in in;
	char text[128][48];
	unsigned text_n;
	struct span artists[ROWS_LIST_MAX], genres[ROWS_LIST_MAX];
	uint32_t artist_ids[ROWS_LIST_MAX], genre_ids[ROWS_LIST_MAX];
	struct subtitle_in subtitles[ROWS_LIST_MAX];
	struct stream_in audio_tracks[ROWS_LIST_MAX];
};

/** A random set of fields with random values; some strings shared. UTF-8 text without NUL. */
void row_random(struct random_row *r);
/** Much of `r` becomes what `before` has, or nearly: another byte, at either end or between.
 * Borrows from `before`. */
void row_repeat(struct random_row *r, const struct random_row *before);
/** Expects every field of `t`, read by the generated accessors, to be what `in` says. */
void row_expect(const struct media_file_in *in, struct fb_table t);
/** Reads everything that accessors can reach: for sanitizers. Returns some sum of it. */
uint64_t batch_walk(struct fb_table root);
