/* SPDX-License-Identifier: MIT */
/* Shards of chained hash tables, each with a list from the entry used last to the one that was not
 * used for longest. The budget is one for all shards: what goes is the oldest of their oldest. */
#include "base/cache.h"

#include <stdlib.h>

#include "base/counter.h"
#include "base/thread.h"

#define SHARDS_N 8u
#define BUCKETS_N 256u /* of a shard */

struct cache_entry {
	struct cache *cache;
	struct cache_entry *chain;	   /* of the bucket */
	struct cache_entry *newer, *older; /* of the shard */
	_Atomic uint32_t refs;		   /* the shard's one, and holders' */
	uint32_t key_n;
	uint64_t hash, generation, value_n;
	uint64_t used; /* the cache's clock when it was; the shard's lock */
	char bytes[];  /* key, value */
};

struct shard {
	struct mutex m;
	struct cache_entry *buckets[BUCKETS_N]; /* m */
	struct cache_entry *newest, *oldest;	/* m */
	_Atomic uint64_t oldest_used;		/* of the oldest; UINT64_MAX: it has none */
};

struct cache {
	_Atomic uint64_t bytes, bytes_max;
	struct counter hits_n, misses_n, stale_n, busy_n, evictions_n;
	_Atomic uint64_t entries_n;
	_Atomic uint64_t clock; /* uses so far */
	uint64_t seed;
	struct shard shards[SHARDS_N];
};

static uint64_t hash_of(const struct cache *c, struct span key)
{
	uint64_t h = c->seed ^ key.n;
	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (uint8_t)key.p[i]) * 0x100000001b3u;
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15u;
}

static struct shard *shard_of(struct cache *c, uint64_t hash)
{
	return &c->shards[hash >> 61];
}

static struct cache_entry **bucket_of(struct shard *s, uint64_t hash)
{
	return &s->buckets[(hash >> 40) % BUCKETS_N];
}

static uint64_t entry_bytes(const struct cache_entry *e)
{
	return sizeof *e + e->key_n + e->value_n + 16; /* malloc's own */
}

enum err cache_new(uint64_t bytes_max, struct cache **out)
{
	_Static_assert(SHARDS_N == 8, "three bits of the hash");
	struct cache *c = calloc(1, sizeof *c);
	if (!c)
		return ERR_NOMEM;
	c->bytes_max = bytes_max;
	c->seed = (uint64_t)(uintptr_t)c * 0x9e3779b97f4a7c15u;
	for (unsigned i = 0; i < SHARDS_N; i++) {
		mutex_init(&c->shards[i].m);
		c->shards[i].oldest_used = UINT64_MAX;
	}
	*out = c;
	return ERR_OK;
}

void cache_release(struct cache_entry *e)
{
	/* acq_rel: whoever frees it comes after everybody's reading */
	if (!e || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) > 1)
		return;
	atomic_fetch_sub_explicit(&e->cache->bytes, entry_bytes(e), memory_order_relaxed);
	atomic_fetch_sub_explicit(&e->cache->entries_n, 1, memory_order_relaxed);
	free(e);
}

/* ---- the lists of a shard: under its lock ---------------------------------------------------- */

/* relaxed, as is reading it: it is a hint where to look */
static void note_oldest(struct shard *s)
{
	atomic_store_explicit(&s->oldest_used, s->oldest ? s->oldest->used : UINT64_MAX,
			      memory_order_relaxed);
}

static void list_remove(struct shard *s, struct cache_entry *e)
{
	*(e->newer ? &e->newer->older : &s->newest) = e->older;
	*(e->older ? &e->older->newer : &s->oldest) = e->newer;
	e->newer = e->older = NULL;
	note_oldest(s);
}

static void list_add(struct shard *s, struct cache_entry *e)
{
	e->used = atomic_fetch_add_explicit(&e->cache->clock, 1, memory_order_relaxed);
	e->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = e;
	s->newest = e;
	note_oldest(s);
}

static struct cache_entry **find(struct shard *s, uint64_t hash, struct span key)
{
	struct cache_entry **at = bucket_of(s, hash);
	while (*at && ((*at)->hash != hash || !span_eq(span_of((*at)->bytes, (*at)->key_n), key)))
		at = &(*at)->chain;
	return at;
}

/** Takes it out of the shard and gives up the shard's hold. */
static void drop(struct shard *s, struct cache_entry **at)
{
	struct cache_entry *e = *at;
	*at = e->chain;
	list_remove(s, e);
	cache_release(e);
}

/** Drop the shard's oldest. */
static void evict(struct cache *c, struct shard *s)
{
	struct cache_entry *e = s->oldest;
	if (!e)
		return;
	drop(s, find(s, e->hash, span_of(e->bytes, e->key_n)));
	counter_add(&c->evictions_n, 1);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct cache_entry *cache_get(struct cache *c, struct span key, uint64_t generation,
			      struct span *out_value)
{
	uint64_t hash = hash_of(c, key);
	struct shard *s = shard_of(c, hash);
	struct cache_entry *e = NULL;
	if (!mutex_try_lock(&s->m)) {
		counter_add(&c->busy_n, 1);
		counter_add(&c->misses_n, 1);
		return NULL;
	}
	struct cache_entry **at = find(s, hash, key);
	if (*at && (*at)->generation == generation) {
		e = *at;
		/* relaxed: the lock orders it behind the shard's own hold */
		atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
		list_remove(s, e);
		list_add(s, e);
	} else if (*at) {
		drop(s, at);
		counter_add(&c->stale_n, 1);
	}
	mutex_unlock(&s->m);
	counter_add(e ? &c->hits_n : &c->misses_n, 1);
	if (e)
		*out_value = span_of(e->bytes + e->key_n, e->value_n);
	return e;
}

/* ---- writing --------------------------------------------------------------------------------- */

/** Take `more` bytes of the budget where they are left. */
static bool reserve(struct cache *c, uint64_t more)
{
	uint64_t max = atomic_load_explicit(&c->bytes_max, memory_order_relaxed);
	uint64_t bytes = atomic_load_explicit(&c->bytes, memory_order_relaxed);
	do
		if (bytes > max || more > max - bytes)
			return false;
	while (!atomic_compare_exchange_weak_explicit(&c->bytes, &bytes, bytes + more,
						      memory_order_relaxed, memory_order_relaxed));
	return true;
}

/** The shard with the oldest entry; NULL: all are empty. Those with a bit in `without` do not
 * count.
 */
static struct shard *oldest_shard(struct cache *c, unsigned without, unsigned *out_bit)
{
	struct shard *oldest = NULL;
	uint64_t least = UINT64_MAX;
	for (unsigned i = 0; i < SHARDS_N; i++) {
		uint64_t used =
			atomic_load_explicit(&c->shards[i].oldest_used, memory_order_relaxed);
		if (used >= least || without >> i & 1)
			continue;
		least = used;
		oldest = &c->shards[i];
		*out_bit = 1u << i;
	}
	return oldest;
}

/** Make room for `more` bytes and take it; shards that are busy are left alone. */
static bool make_room(struct cache *c, uint64_t more)
{
	struct shard *s;
	unsigned busy = 0, bit = 0;
	while (!reserve(c, more)) {
		s = oldest_shard(c, busy, &bit);
		if (!s)
			return false;
		if (!mutex_try_lock(&s->m)) {
			busy |= bit;
			continue;
		}
		evict(c, s);
		mutex_unlock(&s->m);
	}
	return true;
}

static struct cache_entry *entry_new(struct cache *c, struct span key, struct span head,
				     struct span body)
{
	struct cache_entry *e = malloc(sizeof *e + key.n + head.n + body.n);
	if (!e)
		return NULL;
	*e = (struct cache_entry){
		.cache = c, .refs = 1, .key_n = (uint32_t)key.n, .value_n = head.n + body.n
	};
	memcpy(e->bytes, key.p, key.n);
	if (head.n)
		memcpy(e->bytes + key.n, head.p, head.n);
	if (body.n)
		memcpy(e->bytes + key.n + head.n, body.p, body.n);
	atomic_fetch_add_explicit(&c->entries_n, 1, memory_order_relaxed);
	return e;
}

void cache_put(struct cache *c, struct span key, uint64_t generation, struct span head,
	       struct span body)
{
	uint64_t bytes = sizeof(struct cache_entry) + key.n + head.n + body.n + 16;
	uint64_t hash = hash_of(c, key);
	struct shard *s = shard_of(c, hash);
	uint64_t max = atomic_load_explicit(&c->bytes_max, memory_order_relaxed);
	if (key.n > CACHE_KEY_BYTES_MAX || bytes > max / 2 || !make_room(c, bytes))
		return;
	struct cache_entry *e = entry_new(c, key, head, body);
	if (!e) {
		atomic_fetch_sub_explicit(&c->bytes, bytes, memory_order_relaxed);
		return;
	}
	e->hash = hash;
	e->generation = generation;
	if (!mutex_try_lock(&s->m)) {
		cache_release(e);
		return;
	}
	struct cache_entry **at = find(s, hash, key);
	if (*at)
		drop(s, at);
	at = bucket_of(s, hash);
	e->chain = *at;
	*at = e;
	list_add(s, e);
	mutex_unlock(&s->m);
}

/* ---- from outside ---------------------------------------------------------------------------- */

void cache_shrink(struct cache *c, uint64_t bytes)
{
	struct shard *s;
	unsigned bit;
	while (atomic_load_explicit(&c->bytes, memory_order_relaxed) > bytes &&
	       (s = oldest_shard(c, 0, &bit))) {
		mutex_lock(&s->m);
		evict(c, s);
		mutex_unlock(&s->m);
	}
}

void cache_budget_set(struct cache *c, uint64_t bytes_max)
{
	atomic_store_explicit(&c->bytes_max, bytes_max, memory_order_relaxed);
	cache_shrink(c, bytes_max);
}

void cache_stats_get(struct cache *c, struct cache_stats *out)
{
	*out = (struct cache_stats){
		.hits_n = counter_get(&c->hits_n),
		.misses_n = counter_get(&c->misses_n),
		.stale_n = counter_get(&c->stale_n),
		.busy_n = counter_get(&c->busy_n),
		.evictions_n = counter_get(&c->evictions_n),
		.entries_n = atomic_load_explicit(&c->entries_n, memory_order_relaxed),
		.bytes = atomic_load_explicit(&c->bytes, memory_order_relaxed),
		.bytes_max = atomic_load_explicit(&c->bytes_max, memory_order_relaxed),
	};
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	cache_shrink(c, 0);
	ASSERT(atomic_load_explicit(&c->entries_n, memory_order_relaxed) == 0);
	for (unsigned i = 0; i < SHARDS_N; i++)
		mutex_fini(&c->shards[i].m);
	free(c);
}
