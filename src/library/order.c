/* SPDX-License-Identifier: MIT */
/* Byte by byte, the lowest first; a byte that all have in common is passed over. */
#include "library/order.h"

#include <string.h>

#define DIGITS 256u

static void pass(const uint64_t *from, uint64_t *to, size_t n, unsigned shift,
		 const size_t counts[DIGITS])
{
	size_t at[DIGITS], sum = 0;
	for (unsigned d = 0; d < DIGITS; d++) {
		at[d] = sum;
		sum += counts[d];
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

void order_sort(uint64_t *v, uint64_t *scratch, size_t n)
{
	uint64_t *from = v, *to = scratch;
	for (unsigned shift = 32; shift < 64 && n > 0; shift += 8) {
		size_t counts[DIGITS] = { 0 };
		for (size_t i = 0; i < n; i++)
			counts[from[i] >> shift & (DIGITS - 1)]++;
		if (counts[from[0] >> shift & (DIGITS - 1)] == n)
			continue;
		pass(from, to, n, shift, counts);
		uint64_t *was = from;
		from = to;
		to = was;
	}
	if (from != v)
		memcpy(v, from, n * sizeof *v);
}
