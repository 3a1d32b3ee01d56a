/* SPDX-License-Identifier: MIT */
#include "base/cache.h"

#include <stdlib.h>

#include "base/thread.h"
#include "harness.h"

static struct cache *new_cache(uint64_t bytes_max)
{
	struct cache *c = NULL;
	EXPECT_OK(cache_new(bytes_max, &c));
	return c;
}

static struct span key_of(unsigned k)
{
	static _Thread_local char text[16];
	return span_of(text, (size_t)snprintf(text, sizeof text, "key %u", k));
}

static bool has(struct cache *c, unsigned k, uint64_t generation)
{
	struct span value;
	struct cache_entry *e = cache_get(c, key_of(k), generation, &value);
	cache_release(e);
	return e != NULL;
}

static struct cache_stats stats_of(struct cache *c)
{
	struct cache_stats s;
	cache_stats_get(c, &s);
	return s;
}

TEST(cache, gives_back_what_was_put_for_its_generation_only)
{
	struct cache *c = new_cache(1 << 20);
	struct span value;
	EXPECT(!has(c, 1, 7));
	cache_put(c, key_of(1), 7, SPAN("head"), SPAN(" and body"));
	struct cache_entry *e = cache_get(c, key_of(1), 7, &value);
	EXPECT(e != NULL);
	EXPECT_SPAN(SPAN("head and body"), value);
	EXPECT(!has(c, 2, 7));
	EXPECT(!has(c, 1, 8)); /* which drops it */
	EXPECT(!has(c, 1, 7));
	EXPECT_SPAN(SPAN("head and body"), value); /* still held */
	EXPECT_U64(1, stats_of(c).entries_n);
	cache_release(e);
	struct cache_stats s = stats_of(c);
	EXPECT_U64(1, s.hits_n);
	EXPECT_U64(4, s.misses_n);
	EXPECT_U64(1, s.stale_n);
	EXPECT_U64(0, s.entries_n);
	EXPECT_U64(0, s.bytes);
	cache_free(c);
}

TEST(cache, a_later_value_takes_the_place_of_an_earlier_one)
{
	struct cache *c = new_cache(1 << 20);
	struct span value, none = { NULL, 0 };
	cache_put(c, key_of(1), 1, none, SPAN("old"));
	cache_put(c, key_of(1), 1, none, SPAN("new"));
	struct cache_entry *e = cache_get(c, key_of(1), 1, &value);
	EXPECT_SPAN(SPAN("new"), value);
	cache_release(e);
	EXPECT_U64(1, stats_of(c).entries_n);
	cache_free(c);
}

TEST(cache, stays_in_its_budget_and_keeps_what_is_used)
{
	static char body[1000];
	struct cache *c = new_cache(64 << 10);
	for (unsigned k = 0; k < 2000; k++) {
		cache_put(c, key_of(k), 1, span_of(NULL, 0), span_of(body, sizeof body));
		EXPECT(stats_of(c).bytes <= 64 << 10);
		EXPECT(has(c, 0, 1)); /* asked for all the time */
		EXPECT(has(c, k, 1));
	}
	EXPECT(!has(c, 1, 1));
	EXPECT(stats_of(c).evictions_n > 1900);
	EXPECT(stats_of(c).entries_n > 50);
	cache_free(c);
}

TEST(cache, what_is_too_large_is_not_kept)
{
	static char body[40000];
	struct cache *c = new_cache(64 << 10);
	cache_put(c, key_of(1), 1, span_of(NULL, 0), span_of(body, 33000));
	EXPECT(!has(c, 1, 1));
	cache_put(c, key_of(1), 1, span_of(NULL, 0), span_of(body, 32000));
	EXPECT(has(c, 1, 1));
	cache_put(c, span_of(body, CACHE_KEY_BYTES_MAX + 1), 1, SPAN(""), SPAN("x"));
	EXPECT_U64(1, stats_of(c).entries_n);
	cache_free(c);
}

TEST(cache, shrinks_and_takes_another_budget_while_it_runs)
{
	static char body[1000];
	struct cache *c = new_cache(1 << 20);
	for (unsigned k = 0; k < 500; k++)
		cache_put(c, key_of(k), 1, span_of(NULL, 0), span_of(body, sizeof body));
	EXPECT_U64(500, stats_of(c).entries_n);
	cache_shrink(c, 100000);
	EXPECT(stats_of(c).bytes <= 100000 && stats_of(c).bytes > 90000);
	EXPECT(has(c, 499, 1));
	cache_budget_set(c, 50000);
	EXPECT(stats_of(c).bytes <= 50000);
	cache_put(c, key_of(1000), 1, span_of(NULL, 0), span_of(body, sizeof body));
	EXPECT(has(c, 1000, 1) && stats_of(c).bytes <= 50000);
	cache_budget_set(c, 0);
	cache_put(c, key_of(1001), 1, span_of(NULL, 0), SPAN("x"));
	EXPECT_U64(0, stats_of(c).entries_n);
	EXPECT_U64(0, stats_of(c).bytes);
	cache_free(c);
}

/* The value says which key and generation it is of. */
static void use(void *cache)
{
	struct cache *c = cache;
	unsigned seed = (unsigned)(uintptr_t)&c >> 12;
	for (unsigned i = 0; i < 20000; i++) {
		char want[3000];
		struct span value;
		unsigned k = (seed = seed * 1103515245 + 12345) >> 16 & 127;
		uint64_t generation = i / 4000;
		int n = snprintf(want, sizeof want, "%u/%" PRIu64 "%*s", k, generation,
				 (int)(k * 20), "");
		struct cache_entry *e = cache_get(c, key_of(k), generation, &value);
		if (e)
			EXPECT_SPAN(span_of(want, (size_t)n), value);
		else
			cache_put(c, key_of(k), generation, span_of(want, 1),
				  span_of(want + 1, (size_t)n - 1));
		cache_release(e);
		if (i % 1000 == 0)
			cache_shrink(c, 20000);
		EXPECT(stats_of(c).bytes <= 100000);
	}
}

TEST(cache, threads_share_it)
{
	struct cache *c = new_cache(100000);
	struct thread threads[4] = { { .started = false } };
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		EXPECT_OK(thread_start(&threads[i], "cache", use, c));
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		thread_join(&threads[i]);
	struct cache_stats s = stats_of(c);
	EXPECT_U64(80000, s.hits_n + s.misses_n);
	EXPECT(s.hits_n > 1000 && s.evictions_n > 1000);
	cache_free(c);
}
