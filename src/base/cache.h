/* SPDX-License-Identifier: MIT */
/* A cache of byte strings, bounded in bytes: what was used last stays. An entry counts only for the
 * generation that it was stored with, so that nothing has to be told when it becomes stale.
 *
 * Split into shards; who finds a shard busy goes without the cache instead of waiting. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#define CACHE_KEY_BYTES_MAX 1024

struct cache;
struct cache_entry;

/** At most bytes_max, with all that is kept about entries; 0: nothing is kept. Errors: ERR_NOMEM.
 */
NODISCARD enum err cache_new(uint64_t bytes_max, struct cache **out);
/** When nobody holds an entry. NULL is fine. */
void cache_free(struct cache *c);

/** The value of `key`, or NULL. Lifetime of *out_value: until cache_release(). Never blocks.
 * Threads: any. */
struct cache_entry *cache_get(struct cache *c, struct span key, uint64_t generation,
			      struct span *out_value);
void cache_release(struct cache_entry *e); /* NULL is fine */
/** Keep a copy of head and body, one behind the other, as the value of `key`. A value larger than
 * half the budget is not kept. Never blocks, may do nothing. Threads: any. */
void cache_put(struct cache *c, struct span key, uint64_t generation, struct span head,
	       struct span body);

/** Under memory pressure: drop what was not used for longest until at most `bytes` are held (what
 * somebody holds goes when it is released). Threads: any. */
void cache_shrink(struct cache *c, uint64_t bytes);
/** From now on at most so much; shrinks at once. Threads: any. */
void cache_budget_set(struct cache *c, uint64_t bytes_max);

struct cache_stats {
	uint64_t hits_n, misses_n;
	uint64_t stale_n;     /* of the misses: another generation was there */
	uint64_t busy_n;      /* of the misses: the shard was locked */
	uint64_t evictions_n; /* dropped to make room */
	uint64_t entries_n, bytes, bytes_max;
};
void cache_stats_get(struct cache *c, struct cache_stats *out);
