/* SPDX-License-Identifier: MIT */
/* The cache of pictures: what it keeps, what it forgets. */
#include "harness.h"
#include "web/art_cache.h"

static struct art_cache cache;

static struct picture_key key(uint64_t id, uint64_t version)
{
	return (struct picture_key){ .media_id = id, .version = version };
}

static const struct art_entry *get(uint64_t id, uint64_t version)
{
	struct picture_key k = key(id, version);

	return art_cache_get(&cache, &k);
}

static void put(uint64_t id, uint64_t version, struct span bytes)
{
	struct picture_key k = key(id, version);

	art_cache_put(&cache, &k, bytes);
}

static bool has(uint64_t id)
{
	return get(id, 1) != NULL;
}

TEST(art_cache, gives_back_what_was_put)
{
	art_cache_init(&cache, 1000);
	put(5, 1, SPAN("picture"));
	const struct art_entry *e = get(5, 1);
	EXPECT(e != NULL);
	EXPECT_SPAN(SPAN("picture"), span_of(e->bytes, e->n));
	EXPECT(!has(6));
	art_cache_fini(&cache);
}

TEST(art_cache, a_changed_file_is_asked_again)
{
	art_cache_init(&cache, 1000);
	put(5, 1, SPAN("old"));
	EXPECT(get(5, 2) == NULL);
	put(5, 2, SPAN("newer"));
	EXPECT(!has(5));
	EXPECT_U64(5, cache.bytes);
	EXPECT_U64(1, cache.entries_n);
	art_cache_fini(&cache);
}

TEST(art_cache, sizes_of_one_picture_live_beside_each_other)
{
	struct picture_key tn = { .media_id = 5, .version = 1, .box = PICTURE_BOX_TN };
	struct picture_key sm = { .media_id = 5, .version = 1, .box = PICTURE_BOX_SM };
	art_cache_init(&cache, 1000);
	art_cache_put(&cache, &tn, SPAN("small"));
	EXPECT(art_cache_get(&cache, &sm) == NULL);
	art_cache_put(&cache, &sm, SPAN("larger"));
	EXPECT_U64(5, art_cache_get(&cache, &tn)->n);
	EXPECT_U64(6, art_cache_get(&cache, &sm)->n);
	art_cache_fini(&cache);
}

TEST(art_cache, remembers_that_there_is_no_picture)
{
	art_cache_init(&cache, 1000);
	put(5, 1, SPAN(""));
	EXPECT(has(5));
	EXPECT_U64(0, get(5, 1)->n);
	art_cache_fini(&cache);
}

TEST(art_cache, the_least_recently_used_goes_first)
{
	char bytes[400] = { 0 };
	art_cache_init(&cache, 1000);
	put(1, 1, span_of(bytes, 400));
	put(2, 1, span_of(bytes, 400));
	EXPECT(has(1));
	put(3, 1, span_of(bytes, 400));
	EXPECT(has(1) && !has(2) && has(3));
	put(4, 1, span_of(bytes, 100));
	EXPECT(cache.bytes <= 1000);
	art_cache_fini(&cache);
}

TEST(art_cache, stays_within_its_bounds)
{
	static char bytes[3000];
	art_cache_init(&cache, 20000);
	for (int i = 0; i < 20000; i++) {
		size_t n = test_random() % sizeof bytes;
		put(test_random() % 2000, 1, span_of(bytes, i % 3 ? n : 0));
		EXPECT(cache.bytes <= 20000 && cache.entries_n <= ART_CACHE_ENTRIES_MAX);
	}
	put(1, 1, span_of(bytes, sizeof bytes));
	EXPECT(has(1));
	art_cache_fini(&cache);
	EXPECT_U64(0, cache.bytes);
}
