/* SPDX-License-Identifier: MIT */
/* Streams of records, look-ups in bulk, and cleaning up. */
#include "library/records.h"
#include "schema/media_fb.h"
#include "shelf.h"

static void put_many(struct shelf *s, const char *dir, unsigned n)
{
	char path[64];
	struct batch *b = shelf_batch();
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%u.mp3", dir, i);
		shelf_put(b, path);
		if (batch_len(b) == LIBRARY_BATCH_MAX_FILES) {
			shelf_submit(s, b);
			b = shelf_batch();
		}
	}
	shelf_submit(s, b);
}

TEST(records, the_stream_gives_every_file_once_and_goes_on_anywhere)
{
	struct shelf s;
	struct media_cursor c;
	struct fb_table row;
	shelf_init(&s);
	put_many(&s, "/m/a", 300);
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_remove(b, SPAN("/m/a/0.mp3")));
	EXPECT_OK(batch_remove(b, SPAN("/m/a/100.mp3")));
	EXPECT_OK(batch_remove(b, SPAN("/m/a/299.mp3")));
	shelf_submit(&s, b);
	struct library_snap *sn = library_snap_begin(s.lib);
	uint64_t n = 0, last = 0;
	library_media_all(sn, 0, &c);
	while (media_cursor_next(&c, &row)) {
		EXPECT(media_file_id(row) > last);
		last = media_file_id(row);
		n++;
	}
	EXPECT(!media_cursor_next(&c, &row));
	EXPECT_U64(297, n);
	EXPECT_U64(0, c.damaged_n);
	library_media_all(sn, last, &c);
	EXPECT(media_cursor_next(&c, &row));
	EXPECT_U64(last, media_file_id(row));
	library_media_all(sn, UINT64_MAX, &c);
	EXPECT(!media_cursor_next(&c, &row));
	library_snap_end(sn);
	shelf_fini(&s);
}

TEST(records, paths_are_looked_up_in_bulk)
{
	struct shelf s;
	struct fb_table rows[4];
	struct span paths[] = { SPAN("/m/a/2.mp3"), SPAN("/m/none"), SPAN("bad"),
				SPAN("/m/a/0.mp3") };
	shelf_init(&s);
	put_many(&s, "/m/a", 3);
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_U64(2, library_media_by_paths(sn, paths, 4, rows));
	EXPECT_SPAN(paths[0], media_file_path(rows[0]));
	EXPECT_U64(0, rows[1].pos);
	EXPECT_U64(0, rows[2].pos);
	EXPECT_SPAN(paths[3], media_file_path(rows[3]));
	library_snap_end(sn);
	shelf_fini(&s);
}

static bool is_odd(void *ctx, struct fb_table media)
{
	unsigned *asked_n = ctx;
	struct span name = media_file_filename(media);
	(*asked_n)++;
	return (name.p[name.n - 5] - '0') % 2;
}

TEST_LIMIT(records, what_has_gone_below_a_root_is_removed_in_bulk, 120)
{
	struct shelf s;
	unsigned asked_n = 0;
	struct cleanup_result r;
	shelf_init(&s);
	put_many(&s, "/m/a", 3 * LIBRARY_BATCH_MAX_FILES);
	put_many(&s, "/m/ab", 10);
	EXPECT_OK(library_cleanup_missing(s.lib, SPAN("/m/a/"), is_odd, &asked_n, &r));
	EXPECT_U64(3 * LIBRARY_BATCH_MAX_FILES, r.looked_at_n);
	EXPECT_U64(3 * LIBRARY_BATCH_MAX_FILES / 2, r.removed_n);
	EXPECT_U64(3 * LIBRARY_BATCH_MAX_FILES / 2 + 10, shelf_audio_n(&s));
	EXPECT(shelf_media(&s, "/m/a/2.mp3") != 0);
	EXPECT_U64(0, shelf_media(&s, "/m/a/3.mp3"));
	EXPECT(shelf_media(&s, "/m/ab/3.mp3") != 0);
	EXPECT_OK(library_cleanup_missing(s.lib, SPAN("/m"), is_odd, &asked_n, &r));
	EXPECT_U64(5, r.removed_n);
	EXPECT_OK(library_cleanup_missing(s.lib, SPAN("/m/none"), is_odd, &asked_n, &r));
	EXPECT_U64(0, r.looked_at_n);
	EXPECT_ERR(ERR_INVALID, library_cleanup_missing(s.lib, SPAN("m"), is_odd, &asked_n, &r));
	shelf_fini(&s);
}

static void put_ten(struct batch *b, const char *format)
{
	char path[64];
	for (unsigned i = 0; i < 10; i++) {
		snprintf(path, sizeof path, format, i);
		shelf_put(b, path);
	}
}

TEST(records, names_that_sort_alike_are_different_files)
{
	struct shelf s;
	shelf_init(&s);
	static const char *const formats[] = { "/m/d/Song %u.mp3", "/m/d/song %u.mp3",
					       "/m/d/SONG %u.mp3" };
	for (unsigned i = 0; i < ARRAY_LEN(formats); i++) {
		struct batch *b = shelf_batch();
		put_ten(b, formats[i]);
		shelf_submit(&s, b);
		EXPECT_U64(10 * (i + 1), shelf_audio_n(&s));
	}
	uint64_t id = shelf_media(&s, "/m/d/song 7.mp3");
	struct batch *b = shelf_batch();
	put_ten(b, formats[1]);
	put_ten(b, formats[0]);
	EXPECT_U64(0, shelf_submit(&s, b).put_n); /* as they are */
	EXPECT_U64(id, shelf_media(&s, "/m/d/song 7.mp3"));
	b = shelf_batch();
	for (unsigned i = 0; i < 10; i++) {
		char path[64];
		snprintf(path, sizeof path, formats[1], i);
		EXPECT_OK(batch_remove(b, span_str(path)));
	}
	EXPECT_U64(10, shelf_submit(&s, b).removed_n);
	EXPECT_U64(0, shelf_media(&s, "/m/d/song 7.mp3"));
	EXPECT(shelf_media(&s, "/m/d/SONG 7.mp3") != 0);
	EXPECT_U64(20, shelf_audio_n(&s));
	shelf_fini(&s);
}
