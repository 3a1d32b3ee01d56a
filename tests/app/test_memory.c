/* SPDX-License-Identifier: MIT */
/* One budget, shared by kept answers and the store's work. */
#include "app/memory.h"
#include "base/cache.h"
#include "harness.h"

#define MIB (1u << 20)

TEST(memory, pages_have_four_fifths_and_give_way_to_work)
{
	struct memory m = { 0 };
	memory_set_total(&m, 10 * MIB);
	EXPECT_U64(8 * MIB, memory_pages_bytes(&m));
	memory_set_work(&m, 2 * MIB);
	EXPECT_U64(8 * MIB, memory_pages_bytes(&m));
	memory_set_work(&m, 7 * MIB);
	EXPECT_U64(3 * MIB, memory_pages_bytes(&m));
	memory_set_work(&m, 11 * MIB);
	EXPECT_U64(0, memory_pages_bytes(&m));
	memory_set_total(&m, 20 * MIB);
	EXPECT_U64(9 * MIB, memory_pages_bytes(&m));
}

TEST(memory, pages_that_have_no_room_any_more_go_at_once)
{
	struct memory m = { 0 };
	struct cache *pages = NULL;
	struct cache_stats stats;
	static char page[256 << 10];

	memory_set_total(&m, 10 * MIB);
	EXPECT_OK(cache_new(memory_pages_bytes(&m), &pages));
	memory_set_pages(&m, pages);
	for (char key = 'a'; key < 'a' + 20; key++)
		cache_put(pages, span_of(&key, 1), 1, span_of(page, sizeof page), SPAN(""));
	cache_stats_get(pages, &stats);
	EXPECT(stats.bytes > 4 * MIB);
	memory_set_work(&m, 9 * MIB);
	cache_stats_get(pages, &stats);
	EXPECT(stats.bytes <= MIB);
	EXPECT(stats.evictions_n > 0);
	memory_set_work(&m, 0);
	cache_stats_get(pages, &stats);
	EXPECT_U64(8 * MIB, stats.bytes_max);
	cache_free(pages);
}
