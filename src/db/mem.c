/* SPDX-License-Identifier: MIT */
/* The store's private memory, counted. Large blocks are maps of their own: freed pages go back to
 * the system at once and do not stay in a heap that grew for one import. */
#include <stdlib.h>
#include <sys/mman.h>

#include "db/db_priv.h"

#define MAP_FROM_BYTES 65536u

static void take_count(struct db_mem *m, size_t n)
{
	counter_add(&m->now, n);
	if (counter_get(&m->now) > counter_get(&m->peak))
		counter_set(&m->peak, counter_get(&m->now));
}

static void *take(struct db_mem *m, size_t n, bool zeroed)
{
	void *p;
	if (n >= MAP_FROM_BYTES) {
		p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			return NULL;
	} else {
		p = zeroed ? calloc(1, n ? n : 1) : malloc(n ? n : 1);
		if (!p)
			return NULL;
	}
	take_count(m, n);
	return p;
}

void *mem_alloc(struct db_mem *m, size_t n)
{
	return take(m, n, true);
}

void *mem_alloc_aligned(struct db_mem *m, size_t n)
{
	ASSERT(n < MAP_FROM_BYTES && n % MEM_ALIGN == 0);
	void *p = aligned_alloc(MEM_ALIGN, n);
	if (!p)
		return NULL;
	memset(p, 0, n);
	take_count(m, n);
	return p;
}

void *mem_buffer(struct db_mem *m, size_t n)
{
	return take(m, n, false);
}

void mem_free(struct db_mem *m, void *p, size_t n)
{
	if (!p)
		return;
	if (n >= MAP_FROM_BYTES)
		munmap(p, n);
	else
		free(p);
	counter_add(&m->now, (uint64_t)0 - n);
}

enum err mem_grow(struct db_mem *m, void **p, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return ERR_OK;
	size_t cap_new = MAX(MAX(need, *cap * 2), (size_t)16);
	void *fresh = mem_buffer(m, cap_new * size);
	if (!fresh)
		return ERR_NOMEM;
	if (*p)
		memcpy(fresh, *p, *cap * size);
	mem_free(m, *p, *cap * size);
	*p = fresh;
	*cap = cap_new;
	return ERR_OK;
}
