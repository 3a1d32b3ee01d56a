/* SPDX-License-Identifier: MIT */
/* Large blocks: whole, zeroed where that is promised, used again, and bounded while nobody has
 * them. */
#include "base/blocks.h"

#include "base/attr.h"
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
