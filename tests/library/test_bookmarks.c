/* SPDX-License-Identifier: MIT */
/* Bookmarks: they belong to the file, wherever it goes. */
#include "library/bookmarks.h"
#include "shelf.h"

static struct op_result set(struct shelf *s, struct bookmark_change c)
{
	struct op_result r;
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_bookmark_set(b, &c, &r));
	shelf_submit(s, b);
	return r;
}

static void put_files(struct shelf *s, unsigned n)
{
	char path[64];
	struct batch *b = shelf_batch();
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof path, "/m/%u.mp3", i);
		shelf_put(b, path);
	}
	shelf_submit(s, b);
}

/* "position/plays" of a file's bookmark, or "". */
static const char *bookmark(struct shelf *s, uint64_t media_id)
{
	static char text[64];
	struct fb_table row;
	struct library_snap *sn = library_snap_begin(s->lib);
	text[0] = '\0';
	if (library_bookmark_get(sn, media_id, &row) == ERR_OK)
		snprintf(text, sizeof text, "%u/%u", bookmark_position_ms(row),
			 bookmark_play_count(row));
	library_snap_end(sn);
	return text;
}

TEST(bookmarks, keep_position_and_count_plays_also_over_a_restart)
{
	struct shelf s;
	shelf_init(&s);
	put_files(&s, 2);
	uint64_t id = shelf_media(&s, "/m/0.mp3");
	EXPECT_STR("", bookmark(&s, id));
	EXPECT_OK(set(&s, (struct bookmark_change){ .media_id = id, .position_ms = 500 }).err);
	EXPECT_STR("500/0", bookmark(&s, id));
	set(&s, (struct bookmark_change){ .media_id = id, .position_ms = 700, .played_n = 1 });
	struct op_result r =
		set(&s, (struct bookmark_change){ .path = SPAN("/m/0.mp3"), .played_n = 2 });
	EXPECT_OK(r.err);
	EXPECT_U64(id, r.id);
	shelf_reopen(&s);
	EXPECT_STR("0/3", bookmark(&s, id));
	shelf_fini(&s);
}

TEST(bookmarks, stay_with_a_moved_file_and_go_with_a_removed_one)
{
	struct shelf s;
	shelf_init(&s);
	put_files(&s, 2);
	uint64_t a = shelf_media(&s, "/m/0.mp3"), c = shelf_media(&s, "/m/1.mp3");
	set(&s, (struct bookmark_change){ .media_id = a, .position_ms = 1 });
	set(&s, (struct bookmark_change){ .media_id = c, .position_ms = 2 });
	struct batch *b = shelf_batch();
	shelf_move(b, a, "/m/x/moved.mp3");
	EXPECT_OK(batch_remove(b, SPAN("/m/1.mp3")));
	shelf_submit(&s, b);
	EXPECT_STR("1/0", bookmark(&s, a));
	EXPECT_STR("", bookmark(&s, c));
	shelf_reopen(&s);
	EXPECT_STR("", bookmark(&s, c));
	put_files(&s, 2);
	EXPECT_STR("", bookmark(&s, shelf_media(&s, "/m/1.mp3")));
	shelf_fini(&s);
}

TEST(bookmarks, of_what_is_not_there_are_refused)
{
	struct shelf s;
	struct op_result r[5];
	shelf_init(&s);
	put_files(&s, 2);
	uint64_t id = shelf_media(&s, "/m/0.mp3");
	EXPECT_ERR(ERR_NOTFOUND, set(&s, (struct bookmark_change){ .media_id = 999 }).err);
	EXPECT_ERR(ERR_NOTFOUND, set(&s, (struct bookmark_change){ .path = SPAN("/m/9") }).err);
	struct bookmark_change gone = { .media_id = id, .position_ms = 3 };
	struct bookmark_change fresh = { .path = SPAN("/m/new.mp3"), .position_ms = 4 };
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_bookmark_set(b, &gone, &r[0]));
	EXPECT_OK(batch_remove(b, SPAN("/m/0.mp3")));
	EXPECT_OK(batch_bookmark_set(b, &fresh, &r[1]));
	shelf_put(b, "/m/new.mp3");
	EXPECT_OK(batch_bookmark_remove(b, 999, &r[2]));
	shelf_submit(&s, b);
	EXPECT_ERR(ERR_NOTFOUND, r[0].err);
	EXPECT_OK(r[1].err);
	EXPECT_ERR(ERR_NOTFOUND, r[2].err);
	EXPECT_STR("", bookmark(&s, id));
	EXPECT_STR("4/0", bookmark(&s, shelf_media(&s, "/m/new.mp3")));
	shelf_fini(&s);
}

TEST(bookmarks, removed_and_set_in_one_batch_begin_anew)
{
	struct shelf s;
	struct op_result r;
	shelf_init(&s);
	put_files(&s, 1);
	uint64_t id = shelf_media(&s, "/m/0.mp3");
	set(&s, (struct bookmark_change){ .media_id = id, .position_ms = 1, .played_n = 5 });
	struct bookmark_change one = { .media_id = id, .position_ms = 9, .played_n = 1 };
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_bookmark_remove(b, id, NULL));
	EXPECT_OK(batch_bookmark_set(b, &one, NULL));
	EXPECT_OK(batch_bookmark_set(b, &one, NULL));
	shelf_submit(&s, b);
	EXPECT_STR("9/2", bookmark(&s, id));
	b = shelf_batch();
	EXPECT_OK(batch_bookmark_set(b, &one, NULL));
	EXPECT_OK(batch_bookmark_remove(b, id, &r));
	shelf_submit(&s, b);
	EXPECT_OK(r.err);
	EXPECT_STR("", bookmark(&s, id));
	shelf_fini(&s);
}

TEST(bookmarks, lists_have_the_newest_first)
{
	struct shelf s;
	struct bookmark_cursor c;
	struct fb_table row;
	shelf_init(&s);
	put_files(&s, 4);
	uint64_t ids[4];
	char path[32];
	for (unsigned i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "/m/%u.mp3", i);
		ids[i] = shelf_media(&s, path);
		set(&s, (struct bookmark_change){ .media_id = ids[i],
						  .position_ms = i == 2,
						  .played_n = 1,
						  .last_played = 1000 + (i * 7) % 4 });
	}
	/* last played: 1000, 1003, 1002, 1001 */
	static const unsigned order[] = { 1, 2, 3, 0 };
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_U64(4, library_bookmarks_n(sn, BOOKMARKS_PLAYED));
	library_bookmarks(sn, BOOKMARKS_PLAYED, 1, &c);
	for (unsigned i = 1; i < 4; i++) {
		EXPECT(bookmark_cursor_next(&c, &row));
		EXPECT_U64(ids[order[i]], bookmark_media_id(row));
	}
	EXPECT(!bookmark_cursor_next(&c, &row));
	EXPECT_U64(1, library_bookmarks_n(sn, BOOKMARKS_RESUME));
	library_bookmarks(sn, BOOKMARKS_RESUME, 0, &c);
	EXPECT(bookmark_cursor_next(&c, &row));
	EXPECT_U64(ids[2], bookmark_media_id(row));
	library_snap_end(sn);
	shelf_fini(&s);
}
