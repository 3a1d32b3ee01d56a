/* SPDX-License-Identifier: MIT */
/* Months of pictures, beside the C library's calendar; changes of rows, beside rows. */
#include <stdlib.h>
#include <time.h>

#include "db/db_priv.h"
#include "harness.h"
#include "library/tables.h"
#include "schema/media_fb.h"

static void compare(int64_t s)
{
	uint32_t group = 0, second = 0, year, month;
	time_t t = (time_t)s;
	struct tm tm;
	EXPECT(gmtime_r(&t, &tm) != NULL);
	bool in_range = tm.tm_year + 1900 >= (int)MONTH_YEAR_MIN &&
			tm.tm_year + 1900 <= (int)MONTH_YEAR_MAX;
	EXPECT(in_range == image_month(s, 0, &group, &second));
	if (!in_range)
		return;
	month_of_group(group, &year, &month);
	EXPECT_U64((uint64_t)tm.tm_year + 1900, year);
	EXPECT_U64((uint64_t)tm.tm_mon + 1, month);
	EXPECT_U64(((uint64_t)tm.tm_mday - 1) * 86400 + (uint64_t)tm.tm_hour * 3600 +
			   (uint64_t)tm.tm_min * 60 + (uint64_t)tm.tm_sec,
		   second);
	EXPECT_U64(group, month_group(year, month));
}

TEST(image_month, agrees_with_the_calendar)
{
	setenv("TZ", "UTC", 1);
	for (int64_t day = -62200; day <= 84100; day++) { /* 1799 to 2200 */
		if (day)
			compare(day * 86400);
		compare(day * 86400 - 1);
		compare(day * 86400 + (int64_t)(test_random() % 86399) + 1);
	}
}

TEST(image_month, takes_what_the_camera_says_else_when_the_file_changed)
{
	uint32_t group, second;
	EXPECT(image_month(0, 1577836800000000000, &group, &second));
	EXPECT_U64(month_group(2020, 1), group);
	EXPECT(image_month(951782400, 1577836800000000000, &group, &second));
	EXPECT_U64(month_group(2000, 2), group);
	EXPECT_U64(28 * 86400, second);
	EXPECT(!image_month(INT64_MAX, 0, &group, &second));
	EXPECT(!image_month(INT64_MIN, 0, &group, &second));
}

/* ---- a row that replaces another ------------------------------------------------------------- */

static const struct db_table_def *const media = &library_tables[TABLE_MEDIA];

static uint32_t few(uint32_t n)
{
	return (uint32_t)(test_random() % n);
}

/* Every field of which an index entry is made, from so few values that much stays. */
static void random_fields(struct media_file_in *in, uint32_t ids[4])
{
	static const char *const names[] = { "", "a.flac", "A.FLAC", "b", "A rather long name 07" };
	bool all = few(4) == 0;
	if (all || few(3) == 0)
		in->filename = span_str(names[few(ARRAY_LEN(names))]);
	if (all || few(3) == 0)
		in->title = span_str(names[few(ARRAY_LEN(names))]);
	if (all || few(4) == 0)
		in->directory_id = 1 + few(3);
	if (all || few(4) == 0)
		in->kind = (uint8_t)few(4);
	if (all || few(4) == 0)
		in->album_id = few(3);
	if (all || few(4) == 0)
		in->disc = (uint16_t)few(3);
	if (all || few(4) == 0)
		in->track = (uint16_t)few(3);
	if (all || few(4) == 0) {
		for (unsigned i = 0; i < 4; i++)
			ids[i] = few(5);
		in->artist_ids = ids;
		in->artist_ids_n = few(3);
		in->genre_ids = ids + 2;
		in->genre_ids_n = few(3);
	}
	if (all || few(4) == 0)
		in->year_id = few(4);
	if (all || few(4) == 0)
		in->album_artist_id = few(4);
	if (all || few(4) == 0)
		in->composer_id = few(4);
	if (all || few(4) == 0)
		in->inode = few(3) * 5000;
	if (all || few(4) == 0)
		in->device = few(2);
	if (all || few(4) == 0)
		in->created_at = few(3);
	if (all || few(4) == 0)
		in->date_taken = few(3) * 40000000;
	if (all || few(4) == 0)
		in->modified = few(3) * 4000000000000000000;
}

/* The index lists of a block, and a table's definition to emit into them. */
struct lists {
	struct db db;
	struct emit_list list[BLOCK_LISTS][DB_INDEXES_MAX];
};

static struct db_emit lists_emit(struct lists *l, enum block_list list)
{
	return (struct db_emit){
		.db = &l->db,
		.def = media,
		.lists = l->list[list],
		.touched = l->list[BLOCK_TOUCHED],
	};
}

static void lists_init(struct lists *l)
{
	*l = (struct lists){ 0 };
	for (unsigned i = 0; i < BLOCK_LISTS; i++)
		for (unsigned x = 0; x < media->indexes_n; x++)
			emit_init(&l->list[i][x],
				  i == BLOCK_TOUCHED ? 0 : media->indexes[x].key_bytes);
}

static void lists_fini(struct lists *l)
{
	for (unsigned i = 0; i < BLOCK_LISTS; i++)
		for (unsigned x = 0; x < media->indexes_n; x++)
			emit_fini(&l->db.mem, &l->list[i][x]);
}

/* How often a list has an item of another one. */
static unsigned times(const struct emit_list *list, const struct emit_list *of,
		      const struct emit_item *item)
{
	unsigned n = 0;
	for (size_t i = 0; i < list->n; i++)
		n += item_cmp(list, &list->items[i], of, item) == 0;
	return n;
}

static bool names_group(const struct lists *l, unsigned x, uint32_t group)
{
	for (unsigned i = 0; i < BLOCK_LISTS; i++)
		for (size_t k = 0; k < l->list[i][x].n; k++)
			if (emit_group(&l->list[i][x].items[k]) == group)
				return true;
	return false;
}

/* Everything that one says is said by the other, when what is removed and added is left out. */
static void expect_says(const struct lists *says, const struct lists *other)
{
	for (unsigned i = 0; i < BLOCK_LISTS; i++) {
		for (unsigned x = 0; x < media->indexes_n; x++) {
			const struct emit_list *list = &says->list[i][x];
			for (size_t k = 0; k < list->n; k++) {
				const struct emit_item *item = &list->items[k];
				EXPECT(names_group(other, x, emit_group(item)));
				if (i == BLOCK_TOUCHED)
					continue;
				EXPECT_U64(1, times(list, list, item));
				if (times(&says->list[!i][x], list, item) == 0)
					EXPECT_U64(1, times(&other->list[i][x], list, item));
			}
		}
	}
}

TEST(change, emits_what_extracting_both_rows_would)
{
	static _Alignas(8) uint8_t bytes[2][8192];
	struct media_file_in in = { .id = 7 };
	uint32_t ids[4];
	size_t less = 0;
	for (int round = 0; round < 20000; round++) {
		struct db_row rows[2];
		for (unsigned i = 0; i < 2; i++) {
			struct fb_writer w;
			struct fb_vector vector;
			random_fields(&in, ids);
			media->batch_begin(&w, bytes[i], sizeof bytes[i], 1, 1);
			media->write_row(&w, 7, &in);
			EXPECT_OK(w.err);
			EXPECT_OK(media->verify(fb_batch_finish(&w), &vector));
			rows[i] = (struct db_row){ 7, fb_vector_table(vector, 0) };
		}
		static struct lists whole, change;
		lists_init(&whole);
		lists_init(&change);
		struct db_emit removed = lists_emit(&whole, BLOCK_REMOVED);
		struct db_emit added = lists_emit(&whole, BLOCK_ADDED);
		media->extract(&rows[0], 1, &removed);
		media->extract(&rows[1], 1, &added);
		removed = lists_emit(&change, BLOCK_REMOVED);
		added = lists_emit(&change, BLOCK_ADDED);
		media->extract_change(&rows[0], &rows[1], &removed, &added);
		expect_says(&whole, &change);
		expect_says(&change, &whole);
		less += change.list[BLOCK_ADDED][MEDIA_DIR].n == 0;
		lists_fini(&whole);
		lists_fini(&change);
	}
	EXPECT(less > 1000);
}
