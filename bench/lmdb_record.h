/* SPDX-License-Identifier: MIT */
/* Records as the LMDB engines store them. */
#pragma once

#include "digest.h"
#include "schema/media_fb.h"

#define LMDB_RECORD_BYTES_MAX 4096

enum lmdb_want { WANT_RECORD, WANT_ENTRY, WANT_TRACK };

struct lmdb_format {
	/** Writes the record's bytes; returns how many. */
	size_t (*encode)(const struct media_file_in *in, uint8_t out[LMDB_RECORD_BYTES_MAX]);
	/** Fills at least the fields that are wanted, except the id, which is the key. Lifetime:
	 * borrows from `bytes`. */
	void (*decode)(struct span bytes, enum lmdb_want want, struct row_view *out);
};

/** FlatBuffers, as salver's. */
extern const struct lmdb_format lmdb_flatbuffers;
/** Fixed numbers, then the strings, one behind the other: smaller than any general format. */
extern const struct lmdb_format lmdb_packed;
