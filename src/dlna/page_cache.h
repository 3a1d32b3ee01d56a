/* SPDX-License-Identifier: MIT */
/* Pages that were written before: the objects' text of an answer, with its figures. */
#pragma once

#include "base/cache.h"
#include "dlna/page.h"

/** What makes one page another: the action, the container, the arguments, and for whom it was
 * written. */
struct page_key {
	char action; /* 'B' Browse, 'S' Search */
	uint32_t filter;
	uint64_t start, count;
	uint32_t client; /* client_number() */
	struct span host, container;
	struct span criteria; /* of a Search */
};

/** Append the page and fill *page but for its update_id, which only the snapshot knows; false: it
 * is not there (or `cache` is NULL), or too long for what is left of `out`. */
bool page_cache_get(struct cache *cache, const struct page_key *key, uint64_t generation,
		    struct buf *out, struct page *page);
/** Keep the page that was appended to `out` from byte `from` on. */
void page_cache_put(struct cache *cache, const struct page_key *key, uint64_t generation,
		    const struct buf *out, size_t from, const struct page *page);
