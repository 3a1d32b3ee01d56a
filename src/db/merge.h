/* SPDX-License-Identifier: MIT */
/* What merge.c and block.c share: writing one run from sorted sources. */
#pragma once

#include "db/db_priv.h"

/** Upper bounds of one index of the run to be written. */
struct merge_bound {
	uint64_t groups_n, entries_n[2], tails[2];
};

uint64_t merge_bound_bytes(const struct merge_bound *b, uint32_t key_bytes);
/** The rows' addresses, then each index in order. Errors stick in o->err. */
void merge_write_rows(struct run_out *o, struct merge_source *src, size_t n, bool oldest);
void merge_write_index(struct run_out *o, struct merge_source *src, size_t n, unsigned index,
		       const struct merge_bound *bound);
