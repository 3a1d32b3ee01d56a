/* SPDX-License-Identifier: MIT */
/* One budget for the library's private memory (database.memory): kept answers have what the store's
 * work leaves, and at most four fifths. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct cache;

struct memory {
	_Atomic uint64_t total;	       /* bytes */
	_Atomic uint64_t work;	       /* of the store, as it said last */
	_Atomic(struct cache *) pages; /* NULL until there is one */
};

/** Share `total` anew. Threads: any, as for the others. */
void memory_set_total(struct memory *m, uint64_t total);
/** The store's work takes so much now. */
void memory_set_work(struct memory *m, uint64_t bytes);
/** From now on these pages have a share. */
void memory_set_pages(struct memory *m, struct cache *pages);
/** What the pages may have. */
uint64_t memory_pages_bytes(const struct memory *m);
