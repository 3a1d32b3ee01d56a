/* SPDX-License-Identifier: MIT */
/* A bump allocator: many small allocations that end together (a request, a batch). */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used_bytes;	    /* of all blocks */
	size_t max_bytes;
};

void arena_init(struct arena *a, size_t max_bytes);
void arena_fini(struct arena *a);
/** Everything allocated ends; one block is kept for reuse. */
void arena_reset(struct arena *a);
/** 8-byte aligned, not zeroed; NULL on ERR_NOMEM or beyond the maximum. */
void *arena_alloc(struct arena *a, size_t n);
/** A copy of `s`, NUL-terminated behind its end; {NULL, 0} where there is no memory. */
struct span arena_dup(struct arena *a, struct span s);
