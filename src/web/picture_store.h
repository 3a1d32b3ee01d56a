/* SPDX-License-Identifier: MIT */
/* Thumbnails on disk: a directory of small files, bounded in bytes; those that were not used for
 * the longest time go first. Only a cache: it may be removed at any time, is never synced, and what
 * is damaged counts as missing. Memory does not grow with it. Also remembers that a file has no
 * thumbnail. Threads: one at a time. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define PICTURE_STORE_TOUCH_S 60 /* a use is noted on disk at most so often */

/* Which thumbnail of which version of a file. */
struct picture_key {
	uint64_t media_id;
	uint64_t version; /* changes with what the picture is made of */
	uint8_t box;	  /* enum picture_box */
};

enum picture_box {
	PICTURE_BOX_ORIGINAL, /* the embedded picture as it is; never on disk */
	PICTURE_BOX_TN,
	PICTURE_BOX_SM,
	PICTURE_BOX_N
};

struct picture_store;

struct picture_store_stats {
	uint64_t bytes, bytes_max; /* as the disk counts them */
	uint64_t files_n;
	uint64_t evictions_n, damaged_n, failures_n; /* since the start; failures to write */
};

/** `dir` is made where it is missing and the one above it is there; bytes_max 0: nothing is kept,
 * and what an earlier run kept there is removed. Reads the names and sizes of what is there: some
 * 2 us a file. Errors: ERR_ACCESS, ERR_IO, ... (*out NULL: go on without), ERR_NOMEM. */
NODISCARD enum err picture_store_open(const char *dir, uint64_t bytes_max,
				      struct picture_store **out);
void picture_store_close(struct picture_store *s); /* NULL is fine */

/** Add the picture to `out`; nothing is added where it is known that there is none.
 * Errors: ERR_NOTFOUND (nothing is known of this version). */
NODISCARD enum err picture_store_get(struct picture_store *s, const struct picture_key *key,
				     struct buf *out);
/** Keep a picture, or (empty) that there is none; replaces what was kept of other versions. A
 * failure, as of a full disk, only means that it is not kept. */
void picture_store_put(struct picture_store *s, const struct picture_key *key, struct span bytes);

void picture_store_stats(const struct picture_store *s, struct picture_store_stats *out);
