/* SPDX-License-Identifier: MIT */
/* Three numbers that are set by three threads: whoever changes one shares out what it sees. */
#include "app/memory.h"

#include "base/cache.h"
#include "base/err.h"

uint64_t memory_pages_bytes(const struct memory *m)
{
	uint64_t total = atomic_load(&m->total), work = atomic_load(&m->work);
	uint64_t left = total > work ? total - work : 0;

	return MIN(left, total / 5 * 4);
}

static void share(struct memory *m)
{
	struct cache *pages = atomic_load(&m->pages);

	if (pages)
		cache_budget_set(pages, memory_pages_bytes(m));
}

void memory_set_total(struct memory *m, uint64_t total)
{
	atomic_store(&m->total, total);
	share(m);
}

void memory_set_work(struct memory *m, uint64_t bytes)
{
	atomic_store(&m->work, bytes);
	share(m);
}

void memory_set_pages(struct memory *m, struct cache *pages)
{
	atomic_store(&m->pages, pages);
	share(m);
}
