/* SPDX-License-Identifier: MIT */
/* Compiled for AVX2, called only where the processor has it. */
#if defined(__x86_64__) && !defined(__clang__)
#pragma GCC target("avx2")
#define XXH_INLINE_ALL
#include "db/hash.h"

uint64_t hash_avx2_bytes(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

void hash_avx2_add(XXH3_state_t *state, const void *p, size_t n)
{
	XXH3_64bits_update(state, p, n);
}
#endif
