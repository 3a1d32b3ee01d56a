/* SPDX-License-Identifier: MIT */
/* Tests of src/base/arena.c. */
#include "base/arena.h"
#include "harness.h"

TEST(arena, allocations_are_aligned_and_do_not_overlap)
{
	CLEANUP(arena_fini) struct arena a;
	unsigned char *parts[2000];
	size_t sizes[2000];
	arena_init(&a, 16 << 20);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		sizes[i] = test_random() % 300;
		parts[i] = arena_alloc(&a, sizes[i]);
		EXPECT(parts[i] != NULL);
		EXPECT_U64(0, (uintptr_t)parts[i] % 8);
		memset(parts[i], (int)(i % 251), sizes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (size_t k = 0; k < sizes[i]; k++)
			EXPECT_U64(i % 251, parts[i][k]);
}

TEST(arena, maximum_holds_and_can_be_used_up)
{
	CLEANUP(arena_fini) struct arena a;
	arena_init(&a, 10000);

	size_t n = 0;
	while (arena_alloc(&a, 8))
		n += 8;
	EXPECT_U64(10000, n);
	EXPECT_U64(10000, a.used_bytes);
	EXPECT(arena_alloc(&a, SIZE_MAX) == NULL);
	EXPECT(arena_alloc(&a, SIZE_MAX - 8) == NULL);
}

TEST(arena, reset_keeps_one_block_and_all_can_be_used_again)
{
	CLEANUP(arena_fini) struct arena a;
	arena_init(&a, 1 << 20);

	arena_reset(&a);
	for (int round = 0; round < 50; round++) {
		EXPECT(arena_alloc(&a, 200000) != NULL);
		EXPECT(arena_alloc(&a, 200000) != NULL);
		arena_reset(&a);
		EXPECT(a.used_bytes <= 300000);
	}
}

TEST(arena, dup_ends_with_nul)
{
	CLEANUP(arena_fini) struct arena a;
	arena_init(&a, 4096);

	struct span s = arena_dup(&a, SPAN("hello"));
	EXPECT_SPAN(SPAN("hello"), s);
	EXPECT_U64(0, (unsigned char)s.p[5]);
	EXPECT(arena_dup(&a, (struct span){ NULL, 0 }).p != NULL);
	EXPECT(arena_dup(&a, span_of("x", SIZE_MAX)).p == NULL);
}
