/* SPDX-License-Identifier: MIT */
/* Large blocks: whole, zeroed where that is promised, used again, and bounded while nobody has
 * them. */
#include "base/blocks.h"

#include <stdatomic.h>

#include "base/attr.h"
#include "base/thread.h"
#include "harness.h"

static void fill(unsigned char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 31 + seed);
}

static bool is_filled(const unsigned char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != (unsigned char)(i * 31 + seed))
			return false;
	return true;
}

TEST(blocks, what_is_given_back_is_used_again_and_zeroed_where_asked)
{
	const size_t n = 3 * BLOCKS_FROM_BYTES;
	unsigned char *p = blocks_alloc(n);
	EXPECT(p != NULL);
	fill(p, n, 1);
	blocks_free(p, n);
	EXPECT(blocks_kept() >= n);
	unsigned char *again = blocks_alloc_zeroed(n);
	EXPECT(again == p);
	EXPECT_U64(0, blocks_kept());
	for (size_t i = 0; i < n; i++)
		EXPECT(again[i] == 0);
	blocks_free(again, n);
	unsigned char *less = blocks_alloc(BLOCKS_FROM_BYTES); /* a part will do; the rest goes */
	EXPECT(less == p);
	EXPECT_U64(0, blocks_kept());
	blocks_free(less, BLOCKS_FROM_BYTES);
	blocks_trim();
	EXPECT_U64(0, blocks_kept());
	blocks_free(NULL, n);
}

TEST(blocks, no_more_is_kept_than_the_bound)
{
	void *p[64];
	for (unsigned i = 0; i < ARRAY_LEN(p); i++) {
		p[i] = blocks_alloc(BLOCKS_FROM_BYTES);
		EXPECT(p[i] != NULL);
	}
	for (unsigned i = 0; i < ARRAY_LEN(p); i++) {
		blocks_free(p[i], BLOCKS_FROM_BYTES);
		EXPECT(blocks_kept() <= BLOCKS_KEPT_MAX);
	}
	void *large = blocks_alloc(2 * BLOCKS_KEPT_MAX);
	size_t before = blocks_kept();
	blocks_free(large, 2 * BLOCKS_KEPT_MAX);
	EXPECT_U64(before, blocks_kept());
	blocks_trim();
}

TEST(blocks, keep_their_bytes_whatever_the_sizes_on_the_way)
{
	struct {
		unsigned char *p;
		size_t n;
		unsigned seed;
	} held[20] = { 0 };
	for (unsigned round = 0; round < 2000; round++) {
		unsigned i = (unsigned)(test_random() % ARRAY_LEN(held));
		size_t n = 1 + test_random() % (4 * BLOCKS_FROM_BYTES);
		EXPECT(is_filled(held[i].p, held[i].n, held[i].seed));
		if (round % 3 == 0) {
			blocks_free(held[i].p, held[i].n);
			held[i].p = blocks_alloc(n);
		} else {
			held[i].p = blocks_resize(held[i].p, held[i].n, n);
			EXPECT(is_filled(held[i].p, MIN(n, held[i].n), held[i].seed));
		}
		held[i].n = n;
		held[i].seed = round;
		fill(held[i].p, n, round);
	}
	for (unsigned i = 0; i < ARRAY_LEN(held); i++)
		blocks_free(held[i].p, held[i].n);
	blocks_trim();
}

TEST(blocks, too_much_is_refused)
{
	void *p = blocks_alloc(BLOCKS_FROM_BYTES);
	EXPECT(blocks_alloc(SIZE_MAX / 2) == NULL);
	EXPECT(blocks_alloc(SIZE_MAX) == NULL);
	EXPECT(blocks_resize(p, BLOCKS_FROM_BYTES, SIZE_MAX / 2) == NULL);
	blocks_free(p, BLOCKS_FROM_BYTES);
	blocks_trim();
}

static void trim_when_all_are_there(void *ctx)
{
	_Atomic unsigned *missing = ctx;

	for (atomic_fetch_sub(missing, 1); atomic_load(missing) > 0;)
		continue;
	blocks_trim();
}

/* The first trims of the process: each case has its own. */
TEST(blocks, are_trimmed_by_two_threads_at_once)
{
	_Atomic unsigned missing = 2;
	struct thread threads[2] = { 0 };

	for (unsigned i = 0; i < 2; i++)
		EXPECT_OK(thread_start(&threads[i], "trim", trim_when_all_are_there,
				       (void *)&missing));
	for (unsigned i = 0; i < 2; i++)
		thread_join(&threads[i]);
	EXPECT_U64(0, blocks_kept());
}
