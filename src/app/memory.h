/* SPDX-License-Identifier: MIT */
/* One budget for the library's private memory (database.memory): kept answers have what the store's
 * work leaves, and at most four fifths. */
#pragma once

#include "base/thread.h"

struct cache;

struct memory {
	struct mutex m;
	uint64_t total;	     /* m; bytes */
	uint64_t work;	     /* m; of the store, as it said last */
	struct cache *pages; /* m; NULL until there is one */
};

void memory_init(struct memory *m, uint64_t total);
void memory_fini(struct memory *m);

/** Share `total` anew. Threads: any, as for the others; waits for pages to be freed. */
void memory_set_total(struct memory *m, uint64_t total);
/** The store's work takes so much now. */
void memory_set_work(struct memory *m, uint64_t bytes);
/** From now on these pages have a share. */
void memory_set_pages(struct memory *m, struct cache *pages);
/** What the pages may have. */
uint64_t memory_pages_bytes(struct memory *m);
