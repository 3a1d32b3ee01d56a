/* SPDX-License-Identifier: MIT */
/* The cache of pictures: what it keeps, what it forgets. */
#include "harness.h"
#include "web/art_cache.h"

static struct art_cache cache;

static bool has(uint64_t id)
{
	return art_cache_get(&cache, id, 1) != NULL;
}

TEST(art_cache, gives_back_what_was_put)
{
	art_cache_init(&cache, 1000);
	art_cache_put(&cache, 5, 1, SPAN("picture"), SPAN("image/png"));
	const struct art_entry *e = art_cache_get(&cache, 5, 1);
	EXPECT(e != NULL);
	EXPECT_SPAN(SPAN("picture"), span_of(e->bytes, e->n));
	EXPECT_STR("image/png", e->type);
	EXPECT(!has(6));
	art_cache_fini(&cache);
}

TEST(art_cache, a_changed_file_is_asked_again)
{
	art_cache_init(&cache, 1000);
	art_cache_put(&cache, 5, 1, SPAN("old"), SPAN("image/png"));
	EXPECT(art_cache_get(&cache, 5, 2) == NULL);
	art_cache_put(&cache, 5, 2, SPAN("newer"), SPAN("image/png"));
	EXPECT(!has(5));
	EXPECT_U64(5, cache.bytes);
	EXPECT_U64(1, cache.entries_n);
	art_cache_fini(&cache);
}

TEST(art_cache, remembers_that_there_is_no_picture)
{
	art_cache_init(&cache, 1000);
	art_cache_put(&cache, 5, 1, SPAN(""), SPAN(""));
	EXPECT(has(5));
	EXPECT_U64(0, art_cache_get(&cache, 5, 1)->n);
	art_cache_fini(&cache);
}

TEST(art_cache, the_least_recently_used_goes_first)
{
	char bytes[400] = { 0 };
	art_cache_init(&cache, 1000);
	art_cache_put(&cache, 1, 1, span_of(bytes, 400), SPAN("image/png"));
	art_cache_put(&cache, 2, 1, span_of(bytes, 400), SPAN("image/png"));
	EXPECT(has(1));
	art_cache_put(&cache, 3, 1, span_of(bytes, 400), SPAN("image/png"));
	EXPECT(has(1) && !has(2) && has(3));
	art_cache_put(&cache, 4, 1, span_of(bytes, 100), SPAN("image/png"));
	EXPECT(cache.bytes <= 1000);
	art_cache_fini(&cache);
}

TEST(art_cache, stays_within_its_bounds)
{
	static char bytes[3000];
	art_cache_init(&cache, 20000);
	for (int i = 0; i < 20000; i++) {
		size_t n = test_random() % sizeof bytes;
		art_cache_put(&cache, test_random() % 2000, 1, span_of(bytes, i % 3 ? n : 0),
			      SPAN("image/png"));
		EXPECT(cache.bytes <= 20000 && cache.entries_n <= ART_CACHE_ENTRIES_MAX);
	}
	art_cache_put(&cache, 1, 1, span_of(bytes, sizeof bytes), SPAN("image/png"));
	EXPECT(has(1));
	art_cache_fini(&cache);
	EXPECT_U64(0, cache.bytes);
}
