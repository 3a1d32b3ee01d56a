/* SPDX-License-Identifier: MIT */
/* The small hash map and set of a commit. */
#include "harness.h"
#include "library/id_map.h"
#include "library/id_set.h"

TEST(id_map, finds_what_was_set_and_nothing_else)
{
	struct id_map m = { 0 };
	EXPECT_U64(ID_MAP_NONE, id_map_get(&m, 5));
	for (uint32_t i = 0; i < 5000; i++)
		EXPECT_OK(id_map_set(&m, (uint64_t)i * 0x100000001ull, i));
	for (uint32_t i = 0; i < 5000; i++)
		EXPECT_U64(i, id_map_get(&m, (uint64_t)i * 0x100000001ull));
	EXPECT_U64(ID_MAP_NONE, id_map_get(&m, 5001 * 0x100000001ull));
	EXPECT_OK(id_map_set(&m, 0, 9));
	EXPECT_U64(9, id_map_get(&m, 0));
	EXPECT_U64(5000, m.n);
	id_map_clear(&m);
	EXPECT_U64(ID_MAP_NONE, id_map_get(&m, 0));
	EXPECT_OK(id_map_set(&m, 7, 1));
	EXPECT_U64(1, id_map_get(&m, 7));
	EXPECT_U64(1, m.n);
	id_map_fini(&m);
}

TEST(id_map, the_place_of_a_new_key_says_none_and_takes_a_value)
{
	struct id_map m = { 0 };
	for (uint32_t i = 0; i < 5000; i++) {
		uint32_t *at = id_map_place(&m, (uint64_t)(i / 2) * 0x100000001ull);
		EXPECT(at);
		EXPECT_U64(i % 2 ? i - 1 : ID_MAP_NONE, *at);
		*at = i;
	}
	EXPECT_U64(2500, m.n);
	EXPECT_U64(4999, id_map_get(&m, 2499 * 0x100000001ull));
	EXPECT_U64(1, id_map_get(&m, 0));
	id_map_fini(&m);
}

TEST(id_set, has_what_was_added_and_nothing_else)
{
	struct id_set s = { 0 };
	EXPECT(!id_set_has(&s, 0) && !id_set_has(&s, 5));
	for (uint32_t i = 1; i < 5000; i++) {
		EXPECT_OK(id_set_add(&s, (uint64_t)i * 0x100000001ull));
		EXPECT_OK(id_set_add(&s, (uint64_t)i * 0x100000001ull));
	}
	for (uint32_t i = 1; i < 5000; i++)
		EXPECT(id_set_has(&s, (uint64_t)i * 0x100000001ull));
	EXPECT(!id_set_has(&s, 0) && !id_set_has(&s, 5001 * 0x100000001ull));
	EXPECT_OK(id_set_add(&s, 0));
	EXPECT(id_set_has(&s, 0));
	EXPECT_U64(5000, s.n);
	id_set_fini(&s);
}
