/* SPDX-License-Identifier: MIT */
/* A bump allocator: many small allocations that end together (a request, a batch). */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct arena_block {
	struct arena_block *next;
	size_t cap, n;
	_Alignas(8) char bytes[];
};

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used_bytes;	    /* of all blocks */
	size_t max_bytes;
};

void arena_init(struct arena *a, size_t max_bytes);
void arena_fini(struct arena *a);
/** Everything allocated ends; one block is kept for reuse. */
void arena_reset(struct arena *a);
/** In a new block. */
void *arena_alloc_slow(struct arena *a, size_t n);
/** 8-byte aligned, not zeroed; NULL on ERR_NOMEM or beyond the maximum. */
static inline void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_block *block = a->blocks;
	size_t bytes = (n + 7) & ~(size_t)7;
	if (UNLIKELY(!block || bytes < n || bytes > block->cap - block->n))
		return arena_alloc_slow(a, n);
	void *p = block->bytes + block->n;
	block->n += bytes;
	return p;
}
/** A copy of `s`, NUL-terminated behind its end; {NULL, 0} where there is no memory. */
static inline struct span arena_dup(struct arena *a, struct span s)
{
	char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
	if (!p)
		return (struct span){ NULL, 0 };
	span_copy(p, s);
	p[s.n] = '\0';
	return span_of(p, s.n);
}
