/* SPDX-License-Identifier: MIT */
/* Tests src/import/import_lists.c: playlists and bookmarks. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <stdlib.h>

#include "harness.h"
#include "import_rig.h"
#include "library/bookmarks.h"
#include "library/playlists.h"
#include "schema/media_fb.h"

static struct import_rig rig;

/* Files 1.mp3 ... 9.mp3, in DETAILS as 101 ... 109. */
static void fill(void)
{
	char name[16], sql[200];

	import_rig_minidlna(&rig);
	for (int i = 1; i <= 9; i++) {
		snprintf(name, sizeof name, "%d.mp3", i);
		import_rig_file(&rig, name);
		snprintf(sql, sizeof sql,
			 "INSERT INTO DETAILS (ID, PATH, TITLE, MIME) VALUES (%d, '@/%s', 'T%d', "
			 "'audio/mpeg')",
			 100 + i, name, i);
		import_rig_sql(&rig, sql);
	}
}

/* The titles of a playlist's entries, one after the other. */
static const char *titles(const char *name)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	static char out[8192];
	struct playlist_cursor c;
	struct playlist_items items;
	struct playlist_item item;
	struct fb_table row;

	library_playlists(sn, 0, &c);
	do
		EXPECT(playlist_cursor_next(&c, &row));
	while (!span_eq(playlist_name(row), span_str(name)));
	library_playlist_items(sn, playlist_id(row), 0, &items);
	out[0] = '\0';
	while (playlist_items_next(&items, &item))
		snprintf(out + strlen(out), sizeof out - strlen(out), "%s%.*s", out[0] ? " " : "",
			 SPAN_ARG(item.title));
	return out;
}

static uint64_t playlists_n(void)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);

	return library_playlists_n(sn);
}

TEST(import_lists, playlists_of_minidlna_come_in_their_order)
{
	fill();
	import_rig_sql(&rig,
		       "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (2, 'Two', '@/two.m3u'), "
		       "(10, 'Ten', '@/ten.m3u'), (11, 'Empty', '@/empty.m3u');"
		       "INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) VALUES "
		       "('1$F$A$10', '1$F$A', 'item', 101), ('1$F$A$9', '1$F$A', 'item', 102),"
		       "('1$F$2$2', '1$F$2', 'item', 104), ('1$F$2$1', '1$F$2', 'item', 103),"
		       "('1$F$2$3', '1$F$2', 'item', 103), ('1$F$2$4', '1$F$2', 'item', 1),"
		       "('1$F$10$1', '1$F$10', 'item', 105)");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(3, rig.report.playlists_n);
	EXPECT_U64(5, rig.report.playlist_entries_n);
	EXPECT_STR("T3 T4 T3", titles("Two"));
	EXPECT_STR("T2 T1", titles("Ten")); /* 10 is A there, and 9 before 10 */
	EXPECT_STR("", titles("Empty"));
	import_rig_fini(&rig);
}

TEST(import_lists, playlists_of_vuio_come_in_their_order)
{
	import_rig_vuio(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_file(&rig, "2.mp3");
	import_rig_sql(&rig,
		       "INSERT INTO media_files (id, path, mime_type, title) VALUES "
		       "(1, '@/1.mp3', 'audio/mpeg', 'T1'), (2, '@/2.mp3', 'audio/mpeg', 'T2');"
		       "INSERT INTO playlists (id, name, description) VALUES (5, 'Five', 'Words');"
		       "INSERT INTO playlist_entries (playlist_id, media_file_id, position) VALUES "
		       "(5, 1, 11), (5, 2, 3)");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_STR("T2 T1", titles("Five"));
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	struct playlist_cursor c;
	struct fb_table row;
	library_playlists(sn, 0, &c);
	EXPECT(playlist_cursor_next(&c, &row));
	EXPECT_SPAN(SPAN("Words"), playlist_description(row));
	library_snap_end(TAKE(sn));
	EXPECT_OK(import_rig_run(&rig)); /* again: known by its name */
	EXPECT_U64(1, playlists_n());
	EXPECT_U64(1, rig.report.playlists_known_n);
	import_rig_fini(&rig);
}

TEST(import_lists, a_playlist_that_is_there_already_is_left_alone)
{
	fill();
	import_rig_sql(&rig, "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (1, 'One', "
			     "'@/one.m3u');"
			     "INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) VALUES "
			     "('1$F$1$1', '1$F$1', 'item', 101)");
	EXPECT_OK(import_rig_run(&rig));
	import_rig_sql(&rig,
		       "UPDATE PLAYLISTS SET NAME = 'Uno';"
		       "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (2, 'New', '/x/n.m3u')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(1, rig.report.playlists_n);
	EXPECT_U64(1, rig.report.playlists_known_n);
	EXPECT_U64(2, playlists_n());
	EXPECT_STR("T1", titles("One"));
	import_rig_fini(&rig);
}

TEST(import_lists, an_entry_whose_file_is_missing_waits_for_it)
{
	fill();
	import_rig_sql(&rig,
		       "INSERT INTO DETAILS (ID, PATH, TITLE, MIME) VALUES (200, '@/late.mp3', "
		       "'Late &amp;amp; here', 'audio/mpeg'), (201, 'no path', 'x', 'audio/mpeg');"
		       "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (1, 'One', '@/one.m3u');"
		       "INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) VALUES "
		       "('1$F$1$1', '1$F$1', 'item', 101), ('1$F$1$2', '1$F$1', 'item', 200), "
		       "('1$F$1$3', '1$F$1', 'item', 201)");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_STR("T1 Late & here", titles("One"));
	import_rig_file(&rig, "late.mp3");
	import_rig_sql(&rig, "UPDATE DETAILS SET TITLE = 'Come' WHERE ID = 200");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_STR("T1 Come", titles("One"));
	import_rig_fini(&rig);
}

TEST(import_lists, long_playlists_come_in_pieces)
{
	char want[8192] = "";

	fill();
	import_rig_sql(&rig,
		       "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (1, 'Long', '@/long.m3u'), "
		       "(2, 'Next', '@/next.m3u');"
		       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
		       "1234) INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) SELECT "
		       "'1$F$1$' || i, '1$F$1', 'item', 101 + i * i % 9 FROM n;"
		       "INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) VALUES "
		       "('1$F$2$1', '1$F$2', 'item', 109)");
	for (int i = 1; i <= 1234; i++)
		snprintf(want + strlen(want), sizeof want - strlen(want), "%sT%d", i > 1 ? " " : "",
			 1 + i * i % 9);
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(1235, rig.report.playlist_entries_n);
	EXPECT_STR(want, titles("Long"));
	EXPECT_STR("T9", titles("Next"));
	import_rig_fini(&rig);
}

static uint64_t entries_n(void)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	struct playlist_cursor c;
	struct fb_table row;

	library_playlists(sn, 0, &c);
	EXPECT(playlist_cursor_next(&c, &row));
	return library_playlist_entries_n(sn, playlist_id(row));
}

static const char *first_name(void)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	static char out[300];
	struct playlist_cursor c;
	struct fb_table row;

	library_playlists(sn, 0, &c);
	EXPECT(playlist_cursor_next(&c, &row));
	snprintf(out, sizeof out, "%.*s", SPAN_ARG(playlist_name(row)));
	return out;
}

static void delete_first(void)
{
	struct batch_result result;
	struct op_result op;
	struct batch *b = NULL;
	struct playlist_cursor c;
	struct fb_table row;
	struct library_snap *sn = library_snap_begin(rig.library);

	library_playlists(sn, 0, &c);
	EXPECT(playlist_cursor_next(&c, &row));
	uint64_t id = playlist_id(row);
	library_snap_end(sn);
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_playlist_delete(b, id, &op));
	EXPECT_OK(library_submit_wait(rig.library, b, &result));
	EXPECT_OK(op.err);
}

/* The log may grow by so much. */
static enum err run_with_room(rlim_t bytes)
{
	struct rlimit old, low;
	struct stat st;
	char log[320];

	snprintf(log, sizeof log, "%s/library/media-00001.fb", rig.dir);
	EXPECT(stat(log, &st) == 0);
	signal(SIGXFSZ, SIG_IGN);
	EXPECT(getrlimit(RLIMIT_FSIZE, &old) == 0);
	low = old;
	low.rlim_cur = (rlim_t)st.st_size + bytes;
	EXPECT(setrlimit(RLIMIT_FSIZE, &low) == 0);
	enum err e = import_rig_run(&rig);
	EXPECT(setrlimit(RLIMIT_FSIZE, &old) == 0);
	return e;
}

TEST(import_lists, a_playlist_that_was_cut_short_is_made_anew)
{
	static const char *const paths[] = { "@/long.m3u", "/outside/long.m3u" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char sql[600];

		if (i == 0)
			fill();
		EXPECT_OK(import_rig_run(&rig)); /* the files */
		snprintf(sql, sizeof sql,
			 "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (1, 'Long', '%s');"
			 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
			 "20000) INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) "
			 "SELECT '1$F$1$' || i, '1$F$1', 'item', 101 + i %% 9 FROM n",
			 paths[i]);
		import_rig_sql(&rig, sql);
		EXPECT(run_with_room(600u << 10) != ERR_OK);
		import_rig_reopen(&rig);
		EXPECT_U64(1, playlists_n());
		printf("%u of 20000\n", (unsigned)entries_n());
		EXPECT(entries_n() > 0 && entries_n() < 20000);
		EXPECT_OK(import_rig_run(&rig));
		EXPECT_U64(1, rig.report.playlists_n);
		EXPECT_U64(0, rig.report.playlists_known_n);
		EXPECT_U64(1, playlists_n());
		EXPECT_U64(20000, entries_n());
		EXPECT_STR("Long", first_name());
		EXPECT_OK(import_rig_run(&rig));
		EXPECT_U64(1, rig.report.playlists_known_n);
		EXPECT_U64(1, playlists_n());
		import_rig_sql(&rig, "DELETE FROM PLAYLISTS; DELETE FROM OBJECTS");
		delete_first();
	}
	import_rig_fini(&rig);
}

TEST(import_lists, playlists_of_the_same_name_come_all_and_once)
{
	fill();
	import_rig_sql(&rig,
		       "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (1, 'Mix', '/x/a.m3u'), "
		       "(2, 'Mix', '/x/b.m3u'), (3, 'Other', '/x/c.m3u');"
		       "INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) VALUES "
		       "('1$F$1$1', '1$F$1', 'item', 101), ('1$F$2$1', '1$F$2', 'item', 102)");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(3, rig.report.playlists_n);
	EXPECT_U64(0, rig.report.playlists_known_n);
	EXPECT_U64(3, playlists_n());
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(0, rig.report.playlists_n);
	EXPECT_U64(3, rig.report.playlists_known_n);
	import_rig_sql(&rig,
		       "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (4, 'Mix', '/x/d.m3u')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(1, rig.report.playlists_n);
	EXPECT_U64(4, playlists_n());
	import_rig_fini(&rig);
}

TEST(import_lists, a_playlist_without_a_name_is_left_out)
{
	fill();
	import_rig_sql(&rig,
		       "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (1, ' ', '@/a.m3u'), "
		       "(2, 'Two', '@/b.m3u');"
		       "INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) VALUES "
		       "('1$F$1$1', '1$F$1', 'item', 101), ('1$F$2$1', '1$F$2', 'item', 102)");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(1, rig.report.playlists_failed_n);
	EXPECT_U64(1, rig.report.playlists_n);
	EXPECT_STR("T2", titles("Two"));
	import_rig_fini(&rig);
}

TEST(import_lists, containers_in_a_playlist_are_no_entries)
{
	fill();
	/* it holds itself, and the folder that holds everything */
	import_rig_sql(
		&rig, "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (1, 'One', '@/one.m3u');"
		      "INSERT INTO DETAILS (ID, TITLE) VALUES (300, 'One');"
		      "INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) VALUES "
		      "('1$F$1', '1$F$1', 'container', 300), ('1$F$1$2', '1$F$1', 'container', 2), "
		      "('1$F$1$3', '1$F$1', 'item', 101)");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_STR("T1", titles("One"));
	import_rig_fini(&rig);
}

static struct fb_table bookmark(struct library_snap *sn, const char *path)
{
	struct fb_table row;

	EXPECT_OK(library_bookmark_get(sn, media_file_id(import_rig_record(&rig, sn, path)), &row));
	return row;
}

TEST(import_lists, bookmarks_come_once)
{
	fill();
	import_rig_sql(&rig, "INSERT INTO BOOKMARKS VALUES (101, 61, 3), (102, NULL, 2), "
			     "(103, 5, NULL), (104, 0, 0), (105, -7, 'x'), (106, 99999999999, 1), "
			     "(1, 5, 5), (999, 5, 5)");
	for (int round = 0; round < 2; round++) {
		EXPECT_OK(import_rig_run(&rig));
		EXPECT_U64(round == 0 ? 4 : 0, rig.report.bookmarks_n);
		EXPECT_U64(round == 0 ? 0 : 4, rig.report.bookmarks_known_n);
		CLEANUP(library_snap_endp)
		struct library_snap *sn = library_snap_begin(rig.library);
		EXPECT_U64(61000, bookmark_position_ms(bookmark(sn, "1.mp3")));
		EXPECT_U64(3, bookmark_play_count(bookmark(sn, "1.mp3")));
		EXPECT_U64(0, bookmark_position_ms(bookmark(sn, "2.mp3")));
		EXPECT_U64(2, bookmark_play_count(bookmark(sn, "2.mp3")));
		EXPECT_U64(5000, bookmark_position_ms(bookmark(sn, "3.mp3")));
		EXPECT_U64(0, bookmark_play_count(bookmark(sn, "3.mp3")));
		EXPECT_U64(0, bookmark_position_ms(bookmark(sn, "6.mp3")));
	}
	import_rig_fini(&rig);
}

TEST(import_lists, bookmarks_of_files_that_are_not_stored_are_counted)
{
	fill();
	import_rig_sql(&rig, "INSERT INTO DETAILS (ID, PATH, MIME) VALUES (200, '@/gone.mp3', "
			     "'audio/mpeg');"
			     "INSERT INTO BOOKMARKS VALUES (200, 5, 5), (101, 5, 5)");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(1, rig.report.bookmarks_n);
	EXPECT_U64(1, rig.report.bookmarks_skipped_n);
	import_rig_fini(&rig);
}

TEST(import_lists, a_commit_that_fails_ends_the_import_with_its_error)
{
	struct rlimit old, low;
	fill();
	EXPECT_OK(import_rig_run(&rig));
	import_rig_sql(&rig,
		       "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (2, 'Two', '@/two.m3u');"
		       "INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) VALUES "
		       "('1$F$2$1', '1$F$2', 'item', 103)");
	signal(SIGXFSZ, SIG_IGN);
	EXPECT(getrlimit(RLIMIT_FSIZE, &old) == 0);
	low = old;
	low.rlim_cur = 1; /* no file grows */
	EXPECT(setrlimit(RLIMIT_FSIZE, &low) == 0);
	enum err e = import_rig_run(&rig);
	EXPECT(setrlimit(RLIMIT_FSIZE, &old) == 0);
	EXPECT(e != ERR_OK);
	import_rig_fini(&rig);
}
