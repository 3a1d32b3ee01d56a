/* SPDX-License-Identifier: MIT */
/* The bump allocator: blocks that double from 4 KiB to 64 KiB, newest first. */
#include "base/arena.h"

#include "base/blocks.h"
#include "base/num.h"

#define FIRST_BLOCK_BYTES 4096
#define LARGEST_BLOCK_BYTES (BLOCKS_FROM_BYTES - sizeof(struct arena_block))

void arena_init(struct arena *a, size_t max_bytes)
{
	*a = (struct arena){ .max_bytes = max_bytes };
}

static void free_chain(struct arena_block *block)
{
	while (block) {
		struct arena_block *next = block->next;
		blocks_free(block, sizeof *block + block->cap);
		block = next;
	}
}

void arena_fini(struct arena *a)
{
	if (!a)
		return;
	free_chain(a->blocks);
	*a = (struct arena){ .max_bytes = a->max_bytes };
}

void arena_reset(struct arena *a)
{
	if (!a->blocks)
		return;
	free_chain(a->blocks->next);
	a->blocks->next = NULL;
	a->blocks->n = 0;
	a->used_bytes = a->blocks->cap;
}

/* A block that holds n bytes: the usual size where the maximum allows it, else just enough. */
static struct arena_block *add_block(struct arena *a, size_t n)
{
	size_t left = a->max_bytes - a->used_bytes;
	size_t cap = a->blocks ? MIN(a->blocks->cap * 2, LARGEST_BLOCK_BYTES) : FIRST_BLOCK_BYTES;

	cap = MIN(MAX(cap, n), left);
	if (cap < n)
		return NULL;
	struct arena_block *block = blocks_alloc(sizeof *block + cap);
	if (!block)
		return NULL;
	*block = (struct arena_block){ .next = a->blocks, .cap = cap };
	a->blocks = block;
	a->used_bytes += cap;
	return block;
}

void *arena_alloc_slow(struct arena *a, size_t n)
{
	if (n > SIZE_MAX - 7)
		return NULL;
	n = (size_t)num_align_up(n ? n : 1, 8);

	struct arena_block *block = a->blocks;
	if (!block || n > block->cap - block->n)
		block = add_block(a, n);
	if (!block)
		return NULL;
	void *p = block->bytes + block->n;
	block->n += n;
	return p;
}
