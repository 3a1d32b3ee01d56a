/* SPDX-License-Identifier: MIT */
/* The record as the LMDB engine stores it: fixed numbers, then the strings, one behind the other.
 * Smaller than any general format; a canonical path that is the path takes nothing. */
#pragma once

#include "digest.h"
#include "schema/media_fb.h"

struct lmdb_record {
	struct row_view v; /* borrowed: from a row, or from a page */
	struct span canonical_path;
	int64_t created_at, updated_at;
};

struct lmdb_record lmdb_record_of(const struct media_file_in *in);
size_t lmdb_record_bytes(const struct lmdb_record *r);
void lmdb_record_encode(const struct lmdb_record *r, void *out);
/** Everything but the id, which is the key. */
void lmdb_record_decode(const void *p, struct lmdb_record *out);
