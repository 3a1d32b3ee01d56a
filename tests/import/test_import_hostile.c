/* SPDX-License-Identifier: MIT */
/* Tests src/import/ with sources that mean harm, or are broken. */
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "harness.h"
#include "import_rig.h"
#include "schema/media_fb.h"

static struct import_rig rig;

TEST(import_hostile, values_of_the_wrong_type_say_nothing)
{
	import_rig_init(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_file(&rig, "2.mp3");
	import_rig_sql(
		&rig,
		"CREATE TABLE OBJECTS (ID INTEGER PRIMARY KEY, OBJECT_ID, PARENT_ID, DETAIL_ID);"
		"CREATE TABLE ALBUM_ART (ID, PATH);"
		"CREATE TABLE CAPTIONS (ID, PATH);"
		"CREATE TABLE BOOKMARKS (ID, SEC, WATCH_COUNT);"
		"CREATE TABLE PLAYLISTS (ID, NAME, PATH);"
		"CREATE TABLE DETAILS (ID, PATH, TITLE, DURATION, BITRATE, SAMPLERATE, CREATOR, "
		"ARTIST, CHANNELS, DISC, TRACK, DATE, RESOLUTION, ROTATION, ALBUM_ART, MIME);"
		"INSERT INTO DETAILS VALUES ('x', '@/1.mp3', x'ff00ff', 1.5, 'many', -1, 17, NULL, "
		"65536, 1e300, x'00', 12, 'axb', 'c', 'd', 'audio/mpeg'),"
		"(NULL, x'2f61', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),"
		"(NULL, 3.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, x'00'),"
		"(1, '@/2.mp3', NULL, NULL, NULL, '44100', NULL, NULL, ' 2 ', NULL, NULL, NULL, "
		"NULL, NULL, NULL, 5);"
		"INSERT INTO PLAYLISTS VALUES (NULL, x'00', 5), ('a', NULL, NULL), (1, 7, x'ff');"
		"INSERT INTO OBJECTS VALUES (1, x'00', '1$F$3', 'x'), (2, NULL, '1$F$3', 1);"
		"INSERT INTO BOOKMARKS VALUES (1, 'x', x'00'), (NULL, 1.5, NULL)");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(4, rig.report.items_n);
	EXPECT_U64(2, rig.report.stored_n);
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	struct fb_table f = import_rig_record(&rig, sn, "1.mp3");
	EXPECT_SPAN(SPAN("1"), media_file_title(f));
	EXPECT_SPAN(SPAN("17"), media_file_artist(f)); /* a number may well be a name */
	EXPECT_U64(0, media_file_duration_ms(f) + media_file_bitrate(f) +
			      media_file_sample_rate(f) + media_file_channels(f) +
			      media_file_disc(f) + media_file_track(f) + media_file_year(f) +
			      media_file_width(f));
	f = import_rig_record(&rig, sn, "2.mp3");
	EXPECT_U64(44100, media_file_sample_rate(f));
	EXPECT_U64(2, media_file_channels(f));
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

TEST(import_hostile, rows_that_are_too_large_are_left_out_one_by_one)
{
	import_rig_minidlna(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_file(&rig, "2.mp3");
	import_rig_file(&rig, "3.mp3");
	import_rig_sql(&rig, "INSERT INTO DETAILS (PATH, TITLE, COMMENT, MIME) VALUES "
			     "('@/1.mp3', 'One', NULL, 'audio/mpeg'),"
			     "('@/2.mp3', hex(zeroblob(1000000)), NULL, 'audio/mpeg'),"
			     "(hex(zeroblob(1000000)), 'x', NULL, 'audio/mpeg'),"
			     "('@/3.mp3', 'Three', hex(zeroblob(1000000)), 'audio/mpeg'),"
			     "('@/2.mp3', hex(zeroblob(5000000)), NULL, 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(5, rig.report.items_n);
	EXPECT_U64(2, rig.report.stored_n);
	EXPECT_U64(3, rig.report.skipped_n[IMPORT_FAULTY]);
	EXPECT(import_rig_has(&rig, "1.mp3"));
	EXPECT(import_rig_has(&rig, "3.mp3")); /* what is not read may be as long as it likes */
	import_rig_fini(&rig);
}

TEST(import_hostile, long_texts_are_cut_and_long_paths_left_out)
{
	import_rig_minidlna(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_sql(&rig,
		       "INSERT INTO DETAILS (PATH, TITLE, MIME) VALUES "
		       "('@/1.mp3', replace(hex(zeroblob(10000)), '0', char(228)), 'audio/mpeg'),"
		       "('@/' || hex(zeroblob(2000)) || '.mp3', 'x', 'audio/mpeg'),"
		       "('@/' || hex(zeroblob(2500)) || '.mp3', 'x', 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(1, rig.report.stored_n);
	EXPECT_U64(1, rig.report.skipped_n[IMPORT_MISSING]);
	EXPECT_U64(1, rig.report.skipped_n[IMPORT_FAULTY]);
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	EXPECT_U64(1024, media_file_title(import_rig_record(&rig, sn, "1.mp3")).n);
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

/* The tables must be plain ones: a view may never end, a virtual table runs code. */
TEST(import_hostile, views_and_virtual_tables_are_no_tables)
{
	import_rig_minidlna(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_sql(&rig,
		       "ALTER TABLE DETAILS RENAME TO D;"
		       "CREATE VIEW DETAILS AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i "
		       "+ 1 FROM n) SELECT i AS ID, '/x.mp3' AS PATH, 'audio/mpeg' AS MIME FROM n");
	EXPECT_ERR(ERR_INVALID, import_rig_run(&rig));
	import_rig_sql(&rig, "DROP VIEW DETAILS; CREATE VIRTUAL TABLE DETAILS USING fts5(PATH, "
			     "MIME)");
	EXPECT_ERR(ERR_INVALID, import_rig_run(&rig));
	import_rig_sql(&rig, "DROP TABLE DETAILS; CREATE TABLE DETAILS (PATH PRIMARY KEY, MIME) "
			     "WITHOUT ROWID");
	EXPECT_ERR(ERR_INVALID, import_rig_run(&rig));
	import_rig_sql(&rig, "DROP TABLE DETAILS; ALTER TABLE D RENAME TO DETAILS;"
			     "DROP TABLE PLAYLISTS;"
			     "CREATE VIEW PLAYLISTS AS SELECT 1 AS ID, 'x' AS NAME;"
			     "DROP TABLE ALBUM_ART; CREATE VIEW ALBUM_ART AS SELECT 1 AS ID;"
			     "INSERT INTO DETAILS (PATH, MIME) VALUES ('@/1.mp3', 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig)); /* what is not needed is passed over */
	EXPECT_U64(1, rig.report.stored_n);
	EXPECT_U64(0, rig.report.playlists_n);
	import_rig_fini(&rig);
}

TEST(import_hostile, computed_columns_are_not_read)
{
	import_rig_init(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_sql(&rig,
		       "CREATE TABLE OBJECTS (ID);"
		       "CREATE TABLE DETAILS (ID INTEGER PRIMARY KEY, PATH, MIME, TITLE AS "
		       "(hex(zeroblob(30000000))), DURATION AS (hex(zeroblob(30000000))) STORED);"
		       "INSERT INTO DETAILS (PATH, MIME) VALUES ('@/1.mp3', 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(1, rig.report.stored_n);
	import_rig_fini(&rig);
}

TEST(import_hostile, too_many_columns_or_tables_end_it_cleanly)
{
	CLEANUP(buf_fini) struct buf sql;

	import_rig_minidlna(&rig);
	buf_init(&sql, 1u << 20);
	for (int i = 0; i < 3000; i++)
		buf_addf(&sql, "CREATE TABLE t%d (a, b, c, d, e UNIQUE, f);", i);
	import_rig_sql(&rig, "BEGIN");
	import_rig_sql(&rig, buf_cstr(&sql));
	import_rig_sql(&rig, "COMMIT");
	EXPECT_OK(import_rig_run(&rig));
	buf_clear(&sql);
	buf_add_str(&sql, "CREATE TABLE wide (a");
	for (int i = 0; i < 1000; i++)
		buf_addf(&sql, ", c%d", i);
	buf_add_str(&sql, ")");
	import_rig_sql(&rig, buf_cstr(&sql));
	enum err e = import_rig_run(&rig);
	EXPECT(e == ERR_OK || e == ERR_CORRUPT);
	import_rig_fini(&rig);
}

/* Quadratic in either of the two, this would take minutes: no index helps, and most playlists come
 * after the last entry. */
TEST(import_hostile, many_playlists_and_objects_take_no_time_squared)
{
	const char *root = rig.root;
	struct import_options options = {
		.file = rig.source, .dry_run = true, .roots = &root, .roots_n = 1
	};

	import_rig_init(&rig);
	import_rig_sql(&rig,
		       "CREATE TABLE DETAILS (ID INTEGER PRIMARY KEY, PATH, MIME);"
		       "CREATE TABLE OBJECTS (ID INTEGER PRIMARY KEY, OBJECT_ID, PARENT_ID, "
		       "DETAIL_ID);"
		       "CREATE TABLE PLAYLISTS (ID INTEGER PRIMARY KEY, NAME, PATH);"
		       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
		       "20000) INSERT INTO OBJECTS SELECT i, '1$F$1$' || i, '1$F$' || printf('%X', "
		       "i % 9 + 1), i FROM n;"
		       "INSERT INTO DETAILS SELECT ID, '/x/' || ID || '.mp3', 'audio/mpeg' FROM "
		       "OBJECTS;"
		       "INSERT INTO PLAYLISTS SELECT ID, 'P' || ID, '' FROM OBJECTS");
	EXPECT_OK(import_rig_run_with(&rig, &options));
	EXPECT_U64(20000, rig.report.playlists_n);
	EXPECT_U64(20000, rig.report.playlist_entries_n);
	import_rig_fini(&rig);
}

/* ---- broken files ---------------------------------------------------------------------------- */

static void fill(void)
{
	char name[16];

	import_rig_minidlna(&rig);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "%d.mp3", i);
		import_rig_file(&rig, name);
	}
	import_rig_sql(
		&rig,
		"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < "
		"39) INSERT INTO DETAILS (PATH, TITLE, ARTIST, COMMENT, MIME) SELECT '@/' || "
		"i || '.mp3', 'T' || i, 'A' || (i % 7), hex(randomblob(i * 40)), 'audio/mpeg' "
		"FROM n;"
		"INSERT INTO PLAYLISTS (NAME, PATH) VALUES ('One', '@/a.m3u'), ('Two', 'b');"
		"INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) SELECT '1$F$1$' "
		"|| ID, '1$F$1', 'item', ID FROM DETAILS;"
		"INSERT INTO BOOKMARKS SELECT ID, ID, ID FROM DETAILS");
}

static bool is_clean(enum err e)
{
	return e == ERR_OK || e == ERR_CORRUPT || e == ERR_INVALID || e == ERR_LIMIT ||
	       e == ERR_ACCESS || e == ERR_IO || e == ERR_BUSY;
}

static enum err dry_run(void)
{
	const char *root = rig.root;
	struct import_options options = {
		.file = rig.source, .dry_run = true, .roots = &root, .roots_n = 1
	};
	struct import_report report;
	struct err_info info = { 0 };
	enum err e = import_run(&options, &report, &info);

	EXPECT(is_clean(e));
	EXPECT(e == ERR_OK || info.text[0] != '\0');
	return e;
}

static void write_source(struct span s)
{
	CLEANUP(fd_closep) int fd = open(rig.source, O_WRONLY | O_TRUNC | O_CLOEXEC);

	EXPECT(fd >= 0);
	EXPECT_OK(fd_pwrite_all(fd, s, 0));
}

TEST_LIMIT(import_hostile, mutated_bytes_do_no_harm, 300)
{
	CLEANUP(buf_fini) struct buf whole;
	unsigned failed_n = 0;

	fill();
	buf_init(&whole, 4u << 20);
	sqlite3_close(rig.db);
	rig.db = NULL;
	EXPECT_OK(fd_read_file(AT_FDCWD, rig.source, 4u << 20, &whole));
	for (unsigned round = 0; round < 1500; round++) {
		char kept[32];
		size_t at[32];
		unsigned n = 1 + (unsigned)(test_random() % 32);

		for (unsigned i = 0; i < n; i++) {
			/* half of them where the structure is: the starts of pages */
			size_t page = test_random() % (whole.n / 4096) * 4096;
			at[i] = test_random() % 2 ? page + test_random() % 120
						  : test_random() % whole.n;
			kept[i] = whole.p[at[i]];
			whole.p[at[i]] = (char)test_random();
		}
		write_source(buf_span(&whole));
		failed_n += dry_run() != ERR_OK;
		for (unsigned i = n; i-- > 0;)
			whole.p[at[i]] = kept[i];
	}
	EXPECT(failed_n > 100); /* it does bite */
	write_source(buf_span(&whole));
	EXPECT_OK(dry_run());
	import_rig_fini(&rig);
}

TEST(import_hostile, a_file_cut_short_does_no_harm)
{
	CLEANUP(buf_fini) struct buf whole;

	fill();
	buf_init(&whole, 4u << 20);
	sqlite3_close(rig.db);
	rig.db = NULL;
	EXPECT_OK(fd_read_file(AT_FDCWD, rig.source, 4u << 20, &whole));
	for (size_t n = 0; n < whole.n; n += n < 200 ? 9 : 1021) {
		write_source(span_of(whole.p, n));
		(void)dry_run();
	}
	import_rig_fini(&rig);
}

TEST(import_hostile, what_was_read_before_the_damage_is_stored)
{
	CLEANUP(buf_fini) struct buf whole;

	fill();
	/* after it nothing of DETAILS can be read: its pages are zeroes */
	import_rig_sql(&rig, "PRAGMA secure_delete = 1");
	sqlite3_close(rig.db);
	rig.db = NULL;
	buf_init(&whole, 4u << 20);
	EXPECT_OK(fd_read_file(AT_FDCWD, rig.source, 4u << 20, &whole));
	for (size_t i = 0; i + 7 < whole.n; i++)
		if (memcmp(whole.p + i, "39.mp3T", 7) == 0)
			memset(whole.p + i / 4096 * 4096, 0, 4096);
	write_source(buf_span(&whole));
	EXPECT_ERR(ERR_CORRUPT, import_rig_run(&rig));
	EXPECT(strstr(rig.info.text, "cannot be read any further") != NULL);
	EXPECT(import_rig_has(&rig, "0.mp3"));
	EXPECT(!import_rig_has(&rig, "39.mp3"));
	import_rig_fini(&rig);
}
