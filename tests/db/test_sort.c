/* SPDX-License-Identifier: MIT */
/* Sorting index entries: every way of it, against the C library's. */
#include <stdlib.h>

#include "db/db_priv.h"
#include "harness.h"

#define ITEMS_MAX 12000u

enum shape { ANY, FEW_GROUPS, STRETCHES, NEARLY, LIKE_KEYS, TURNS, TURNS_AGAIN, SHAPES };

#define TURN 20u /* entries of a group one behind the other */

static const struct emit_list *compared; /* by the C library's sort, which takes no context */

static int by_item(const void *a, const void *b)
{
	return item_cmp(compared, a, compared, b);
}

static uint32_t make_group(enum shape shape, size_t i)
{
	switch (shape) {
	case FEW_GROUPS:
		return (uint32_t)(test_random() % 3 * 1000000 + test_random() % 20);
	case STRETCHES:
		return (uint32_t)(i % 700);
	case NEARLY:
		return (uint32_t)(i / 10 + (test_random() % 100 == 0));
	case LIKE_KEYS:
		return 7;
	case TURNS:
		return (uint32_t)(i / TURN * 7919 % 1009);
	case TURNS_AGAIN:
		return (uint32_t)(i / TURN * 7919 % 83);
	default:
		return (uint32_t)test_random();
	}
}

static size_t make_key(enum shape shape, size_t at, uint32_t key_bytes, uint8_t key[64])
{
	size_t n = key_bytes < 12 ? key_bytes : test_random() % 60;
	uint64_t letters = shape == ANY ? 256 : shape == LIKE_KEYS ? 2 : 5;
	for (size_t i = 0; i < n; i++)
		key[i] = (uint8_t)(test_random() % letters);
	if (shape == LIKE_KEYS && n > 30)
		memset(key, 'k', n - test_random() % 20);
	if (shape >= TURNS && n > 0)
		key[0] = (uint8_t)(at % TURN);
	return n;
}

static void fill(struct db_emit *out, struct emit_list *list, enum shape shape, size_t n)
{
	uint32_t from = UINT32_MAX / 2, id = from;
	for (size_t i = 0; i < n; i++) {
		uint8_t key[64];
		id += 1 + (uint32_t)(test_random() % 2);
		if (test_random() % 500 == 0) /* rows may come in any order */
			id = from -= 3 * ITEMS_MAX;
		db_emit(out, 0, make_group(shape, i), id,
			span_of(key, make_key(shape, i, list->key_bytes, key)));
	}
}

TEST_LIMIT(sort, items_come_in_the_order_of_group_key_and_id, 300)
{
	static const uint32_t key_bytes[] = { 0, 4, 8, 12, 20 };
	static const size_t counts[] = { 0, 1, 2, 24, 25, 100, 512, 513, 4000, ITEMS_MAX };
	struct emit_item *want = malloc(ITEMS_MAX * sizeof *want);
	struct emit_item *scratch = malloc(emit_sort_scratch(ITEMS_MAX) * sizeof *scratch);
	static struct db db;
	const struct db_table_def def = { .indexes_n = 1 };
	EXPECT(want && scratch);
	for (size_t run = 0; run < ARRAY_LEN(counts) * ARRAY_LEN(key_bytes) * SHAPES; run++) {
		struct emit_list list;
		struct db_emit out = { .db = &db, .def = &def, .lists = &list };
		emit_init(&list, key_bytes[run / SHAPES % ARRAY_LEN(key_bytes)]);
		fill(&out, &list, (enum shape)(run % SHAPES),
		     counts[run / SHAPES / ARRAY_LEN(key_bytes)]);
		EXPECT_OK(out.err);
		if (list.n)
			memcpy(want, list.items, list.n * sizeof *want);
		compared = &list;
		qsort(want, list.n, sizeof *want, by_item);
		bool sorted = list.n == 0 || memcmp(want, list.items, list.n * sizeof *want) == 0;
		EXPECT(emit_sorted(&list) == sorted);
		emit_sort(&list, scratch);
		EXPECT(emit_sorted(&list));
		EXPECT(list.n == 0 || memcmp(want, list.items, list.n * sizeof *want) == 0);
		emit_fini(&db.mem, &list);
	}
	free(want);
	free(scratch);
}

/* Each a little shorter than the one before it: none is merged before the last has come. */
TEST(sort, ever_shorter_stretches_stay_within_bounds)
{
	static struct db db;
	const struct db_table_def def = { .indexes_n = 1 };
	struct emit_list list;
	struct db_emit out = { .db = &db, .def = &def, .lists = &list };
	emit_init(&list, 0);
	for (uint32_t length = 400; length > 0; length--)
		for (uint32_t i = 0; i < length; i++)
			db_emit(&out, 0, i * 1000 + length, length * 1000 + i, span_of(NULL, 0));
	EXPECT_OK(out.err);
	struct emit_item *scratch = malloc(emit_sort_scratch(list.n) * sizeof *scratch);
	EXPECT(scratch);
	emit_sort(&list, scratch);
	EXPECT(emit_sorted(&list));
	free(scratch);
	emit_fini(&db.mem, &list);
}
