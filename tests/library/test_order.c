/* SPDX-License-Identifier: MIT */
/* Sorting look-ups. */
#include "library/order.h"

#include "harness.h"

#define N_MAX 3000

TEST(order, numbers_are_sorted_by_their_upper_halves_and_stay_in_order)
{
	static uint64_t v[N_MAX], scratch[N_MAX];
	static const uint32_t masks[] = { 0, 1, 0xff00, 0xffff00ff, 0xff000000, UINT32_MAX };
	for (unsigned m = 0; m < ARRAY_LEN(masks); m++) {
		for (size_t n = 0; n < N_MAX; n = n * 3 + 1) {
			uint64_t sum = 0;
			for (size_t i = 0; i < n; i++) {
				v[i] = ((uint64_t)test_random() & masks[m]) << 32 | i;
				sum += v[i];
			}
			order_sort(v, scratch, n);
			for (size_t i = 0; i < n; i++) {
				EXPECT(i == 0 || v[i - 1] < v[i]);
				sum -= v[i];
			}
			EXPECT_U64(0, sum);
		}
	}
}
