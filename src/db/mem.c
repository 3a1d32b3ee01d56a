/* SPDX-License-Identifier: MIT */
/* The store's private memory, counted. */
#include <stdlib.h>

#include "base/blocks.h"
#include "db/db_priv.h"

static void take_count(struct db_mem *m, size_t n)
{
	counter_add(&m->now, n);
	if (counter_get(&m->now) > counter_get(&m->peak))
		counter_set(&m->peak, counter_get(&m->now));
}

void *mem_alloc(struct db_mem *m, size_t n)
{
	void *p = blocks_alloc_zeroed(n);
	if (p)
		take_count(m, n);
	return p;
}

void *mem_alloc_aligned(struct db_mem *m, size_t n)
{
	ASSERT(n < BLOCKS_FROM_BYTES && n % MEM_ALIGN == 0);
	void *p = aligned_alloc(MEM_ALIGN, n);
	if (!p)
		return NULL;
	memset(p, 0, n);
	take_count(m, n);
	return p;
}

void *mem_buffer(struct db_mem *m, size_t n)
{
	void *p = blocks_alloc(n);
	if (p)
		take_count(m, n);
	return p;
}

void mem_free(struct db_mem *m, void *p, size_t n)
{
	if (!p)
		return;
	blocks_free(p, n);
	counter_add(&m->now, (uint64_t)0 - n);
}

enum err mem_grow(struct db_mem *m, void **p, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return ERR_OK;
	size_t cap_new = MAX(MAX(need, *cap * 2), (size_t)16);
	void *fresh = blocks_resize(*p, *cap * size, cap_new * size);
	if (!fresh)
		return ERR_NOMEM;
	take_count(m, (cap_new - *cap) * size);
	*p = fresh;
	*cap = cap_new;
	return ERR_OK;
}
