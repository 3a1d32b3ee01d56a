/* SPDX-License-Identifier: MIT */
/* XXH3-64 of much at once: the same values as libxxhash's, by the widest vectors that the processor
 * has. Debian builds the library for SSE2; with AVX2 a chunk is hashed with half the instructions
 * (docs/TUNING.md). For short keys the library's own functions are as good. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define XXH_STATIC_LINKING_ONLY /* the size of its state */
#include <xxhash.h>

/** As XXH3_64bits_withSeed(). Threads: any. */
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);

/** Piece by piece, with seed 0. */
void hash_begin(XXH3_state_t *state);
void hash_add(XXH3_state_t *state, const void *p, size_t n);
uint64_t hash_end(const XXH3_state_t *state);

/* What hash.c chooses where it can: the state is the same whoever fills it. */
#if defined(__x86_64__) && !defined(__clang__) /* whose pragma for one file is another */
#define HASH_AVX2 1
uint64_t hash_avx2_bytes(const void *p, size_t n, uint64_t seed);
void hash_avx2_add(XXH3_state_t *state, const void *p, size_t n);
#endif
