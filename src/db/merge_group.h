/* SPDX-License-Identifier: MIT */
/* Merging the entries of one group of one index, in steps. */
#pragma once

#include "db/db_priv.h"

/** One sorted input: the added or the removed entries of one run. */
struct merge_lane {
	const uint8_t *at, *end; /* entries */
	uint64_t k0, k1; /* the first words of the entry at `at`: most comparisons end here */
	const struct run_part *part;
	bool removed;
	bool equal_next; /* the next lane in order begins with the same entry */
};

struct group_merge {
	struct run_out *o;
	uint32_t key_bytes;
	size_t n;
	unsigned wins;					/* of the same lane, without a break */
	struct merge_lane *order[2 * MERGE_INPUTS_MAX]; /* by their next entries */
	struct merge_lane lanes[2 * MERGE_INPUTS_MAX];
};

/** For the entries of a group in the sections OUT_POS and OUT_NEG of `o`. */
void group_merge_begin(struct group_merge *g, struct run_out *o, uint32_t key_bytes);
/** Entries [lo, hi) of a run's index take part. */
void group_merge_add(struct group_merge *g, const struct run_index *ix, unsigned sign, uint64_t lo,
		     uint64_t hi);
/** Write at most about *units entries, and take them off; true when nothing is left. */
bool group_merge_step(struct group_merge *g, uint64_t *units);
/** Copy entries [lo, hi) with their tails, as they are. */
void entries_copy(struct run_out *o, const struct run_index *ix, unsigned sign, uint64_t lo,
		  uint64_t hi);
