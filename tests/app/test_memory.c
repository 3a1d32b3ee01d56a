/* SPDX-License-Identifier: MIT */
/* One budget, shared by kept answers and the store's work. */
#include <sched.h>
#include <stdatomic.h>

#include "app/memory.h"
#include "base/cache.h"
#include "harness.h"

#define MIB (1u << 20)

TEST(memory, pages_have_four_fifths_and_give_way_to_work)
{
	struct memory m;
	memory_init(&m, 10 * MIB);
	EXPECT_U64(8 * MIB, memory_pages_bytes(&m));
	memory_set_work(&m, 2 * MIB);
	EXPECT_U64(8 * MIB, memory_pages_bytes(&m));
	memory_set_work(&m, 7 * MIB);
	EXPECT_U64(3 * MIB, memory_pages_bytes(&m));
	memory_set_work(&m, 11 * MIB);
	EXPECT_U64(0, memory_pages_bytes(&m));
	memory_set_total(&m, 20 * MIB);
	EXPECT_U64(9 * MIB, memory_pages_bytes(&m));
	memory_fini(&m);
}

TEST(memory, pages_that_have_no_room_any_more_go_at_once)
{
	struct memory m;
	struct cache *pages = NULL;
	struct cache_stats stats;
	static char page[256 << 10];

	memory_init(&m, 10 * MIB);
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
	memory_fini(&m);
}

/* Who worked out a share before another number changed must not be the last to set it. */
struct race {
	struct memory *m;
	_Atomic unsigned round, ready_n;
};

#define RACE_ROUNDS 20000u

/* Spinning, so that both are under way at once; yielding, where there is one processor. */
static void wait_until(_Atomic unsigned *n, unsigned want)
{
	for (unsigned spins = 1; atomic_load(n) != want; spins++)
		if (spins % 1000 == 0)
			sched_yield();
}

static void race_on(struct race *r, void (*set)(struct memory *m, uint64_t bytes), uint64_t odd,
		    uint64_t even)
{
	for (unsigned i = 1; i <= RACE_ROUNDS; i++) {
		wait_until(&r->round, i);
		set(r->m, i % 2 ? odd : even);
		atomic_fetch_add(&r->ready_n, 1);
	}
}

static void set_work(void *race)
{
	race_on(race, memory_set_work, 9 * MIB, 5 * MIB);
}

TEST(memory, two_who_set_at_once_leave_what_both_said)
{
	struct memory m;
	struct race r = { .m = &m };
	struct thread other;
	struct cache *pages = NULL;
	struct cache_stats stats;

	memory_init(&m, 10 * MIB);
	EXPECT_OK(cache_new(memory_pages_bytes(&m), &pages));
	memory_set_pages(&m, pages);
	EXPECT_OK(thread_start(&other, "other", set_work, &r));
	for (unsigned i = 1; i <= RACE_ROUNDS; i++) {
		atomic_store(&r.round, i);
		memory_set_total(&m, i % 2 ? 10 * MIB : 20 * MIB);
		wait_until(&r.ready_n, i);
		cache_stats_get(pages, &stats);
		EXPECT_U64(memory_pages_bytes(&m), stats.bytes_max);
	}
	thread_join(&other);
	cache_free(pages);
	memory_fini(&m);
}
