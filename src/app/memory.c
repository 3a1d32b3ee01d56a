/* SPDX-License-Identifier: MIT */
/* Three numbers that are set by three threads, one at a time: a share that was worked out from an
 * older number must not be the last to be set. */
#include "app/memory.h"

#include "base/cache.h"
#include "base/err.h"

void memory_init(struct memory *m, uint64_t total)
{
	*m = (struct memory){ .total = total };
	mutex_init(&m->m);
}

void memory_fini(struct memory *m)
{
	mutex_fini(&m->m);
}

static uint64_t pages_bytes(const struct memory *m)
{
	uint64_t left = m->total > m->work ? m->total - m->work : 0;

	return MIN(left, m->total / 5 * 4);
}

/* Under the lock. */
static void share(struct memory *m)
{
	if (m->pages)
		cache_budget_set(m->pages, pages_bytes(m));
}

uint64_t memory_pages_bytes(struct memory *m)
{
	mutex_lock(&m->m);
	uint64_t bytes = pages_bytes(m);
	mutex_unlock(&m->m);
	return bytes;
}

void memory_set_total(struct memory *m, uint64_t total)
{
	mutex_lock(&m->m);
	m->total = total;
	share(m);
	mutex_unlock(&m->m);
}

void memory_set_work(struct memory *m, uint64_t bytes)
{
	mutex_lock(&m->m);
	m->work = bytes;
	share(m);
	mutex_unlock(&m->m);
}

void memory_set_pages(struct memory *m, struct cache *pages)
{
	mutex_lock(&m->m);
	m->pages = pages;
	share(m);
	mutex_unlock(&m->m);
}
