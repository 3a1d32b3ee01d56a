/* SPDX-License-Identifier: MIT */
#include "db/hash.h"

#include "base/attr.h"

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
#ifdef HASH_AVX2
	if (__builtin_cpu_supports("avx2"))
		return hash_avx2_bytes(p, n, seed);
#endif
	return XXH3_64bits_withSeed(p, n, seed);
}

void hash_begin(XXH3_state_t *state)
{
	ASSERT((uintptr_t)state % _Alignof(XXH3_state_t) == 0);
	XXH3_64bits_reset(state);
}

void hash_add(XXH3_state_t *state, const void *p, size_t n)
{
#ifdef HASH_AVX2
	if (__builtin_cpu_supports("avx2")) {
		hash_avx2_add(state, p, n);
		return;
	}
#endif
	XXH3_64bits_update(state, p, n);
}

uint64_t hash_end(const XXH3_state_t *state)
{
	return XXH3_64bits_digest(state);
}
