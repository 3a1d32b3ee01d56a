/* SPDX-License-Identifier: MIT */
/* Searching in runs: whatever the numbers are like, and where they are not in order. */
#include <stdlib.h>

#include "db/db_priv.h"
#include "harness.h"

#define NUMBERS_MAX 3000u

static int order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* Ids in a row, with gaps, in stretches far apart, hashes; at either end of what there is. */
static size_t numbers_make(uint32_t out[NUMBERS_MAX])
{
	size_t n = 1 + test_random() % (test_random() % 2 ? NUMBERS_MAX : 100), kept = 1;
	unsigned kind = test_random() % 4;
	uint32_t at = test_random() % 2 ? (uint32_t)(test_random() % 1000) : UINT32_MAX - 5000;
	for (size_t i = 0; i < n; i++) {
		uint32_t gap = 1;
		if (kind == 1 && test_random() % 20 == 0)
			gap += (uint32_t)(test_random() % 3);
		if (kind == 2 && test_random() % 50 == 0)
			gap += (uint32_t)(test_random() % 30000000);
		out[i] = kind == 3 ? (uint32_t)test_random() : at;
		at += gap;
	}
	qsort(out, n, sizeof *out, order);
	for (size_t i = 1; i < n; i++)
		if (out[i] != out[kept - 1])
			out[kept++] = out[i];
	return kept;
}

static uint32_t number_asked(const uint32_t *numbers, size_t n)
{
	uint32_t some = numbers[test_random() % n];
	switch (test_random() % 5) {
	case 0:
		return (uint32_t)test_random();
	case 1:
		return test_random() % 2 ? 0 : UINT32_MAX;
	case 2:
		return some + 1;
	case 3:
		return some - 1;
	default:
		return some;
	}
}

TEST(run, a_group_is_found_whatever_the_groups_are_like)
{
	static uint32_t numbers[NUMBERS_MAX];
	static struct disk_group groups[NUMBERS_MAX];
	for (unsigned round = 0; round < 300; round++) {
		size_t n = numbers_make(numbers);
		for (size_t i = 0; i < n; i++)
			groups[i] = (struct disk_group){ .group = numbers[i],
							 .start = { (uint32_t)(3 * i), 0 } };
		struct run_index ix = { .groups = groups, .groups_n = n };
		ix.part[0].n = 3 * n;
		struct run r = { .ids = numbers, .rows_n = n };
		uint64_t wanted[32];
		int64_t counts[32] = { 0 };
		for (size_t k = 0; k < 32; k++) {
			uint32_t v = number_asked(numbers, n);
			size_t want = 0;
			while (want < n && numbers[want] < v)
				want++;
			EXPECT_U64(want, run_group_lower_bound(&ix, v));
			EXPECT_U64(want, run_id_lower_bound(&r, v));
			bool known = want < n && numbers[want] == v;
			EXPECT_U64(known ? want : n, run_group_find(&ix, v));
			wanted[k] = (uint64_t)v << 32 | k;
			for (size_t i = k; i > 0 && wanted[i - 1] > wanted[i]; i--) {
				uint64_t x = wanted[i];
				wanted[i] = wanted[i - 1];
				wanted[i - 1] = x;
			}
			counts[k] = known ? -3 : 0;
		}
		run_groups_count(&ix, wanted, 32, counts);
		for (size_t k = 0; k < 32; k++)
			EXPECT(counts[k] == 0);
		EXPECT_U64(n, run_id_lower_bound(&r, (uint64_t)UINT32_MAX + 1));
	}
}

TEST(run, a_search_in_groups_that_are_out_of_order_ends_among_them)
{
	static struct disk_group groups[NUMBERS_MAX];
	for (unsigned round = 0; round < 3000; round++) {
		size_t n = test_random() % 300;
		uint32_t mask = test_random() % 2 ? UINT32_MAX : 511;
		for (size_t i = 0; i < n; i++)
			groups[i].group = (uint32_t)test_random() & mask;
		struct disk_group *exact = malloc((n + !n) * sizeof *exact); /* ASan sees its end */
		memcpy(exact, groups, n * sizeof *exact);
		struct run_index ix = { .groups = exact, .groups_n = n };
		uint64_t wanted[8];
		int64_t counts[8] = { 0 };
		for (size_t k = 0; k < 8; k++) {
			wanted[k] = (test_random() & mask) << 32 | k;
			EXPECT(run_group_lower_bound(&ix, (uint32_t)(wanted[k] >> 32)) <= n);
		}
		run_groups_count(&ix, wanted, 8, counts);
		free(exact);
	}
}
