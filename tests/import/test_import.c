/* SPDX-License-Identifier: MIT */
/* Tests src/import/: media files, and the source as a file. */
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "harness.h"
#include "import_rig.h"
#include "library/submit.h"
#include "schema/media_fb.h"
#include "schema/probe_fb.h"

static struct import_rig rig;

TEST(import, minidlna_brings_the_facts_of_music)
{
	import_rig_minidlna(&rig);
	import_rig_file(&rig, "a/1.mp3");
	import_rig_file(&rig, "a/2.ogg");
	import_rig_sql(&rig,
		       "INSERT INTO DETAILS (PATH, TITLE, DURATION, BITRATE, SAMPLERATE, CREATOR, "
		       "ARTIST, ALBUM, GENRE, CHANNELS, DISC, TRACK, DATE, MIME) VALUES "
		       "('@/a/1.mp3', 'One &amp;amp; Two', '0:03:25.123', 128000, 44100, 'Solo', "
		       "'Various', 'Album', 'Pop', 2, 3, 4, '1998-01-01', 'audio/mpeg'),"
		       "('@/a/2.ogg', 'Two', '0:00:01', 112, 48000, 'Same', 'Same', NULL, NULL, 1, "
		       "0, 0, NULL, 'audio/ogg')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(2, rig.report.items_n);
	EXPECT_U64(2, rig.report.stored_n);
	EXPECT_STR("MiniDLNA", rig.report.source);
	EXPECT_I64(11, rig.report.version);
	EXPECT(rig.report.version_known);

	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	struct fb_table f = import_rig_record(&rig, sn, "a/1.mp3");
	EXPECT_SPAN(SPAN("One & Two"), media_file_title(f));
	EXPECT_SPAN(SPAN("Solo"), media_file_artist(f));
	EXPECT_SPAN(SPAN("Various"), media_file_album_artist(f));
	EXPECT_SPAN(SPAN("Album"), media_file_album(f));
	EXPECT_SPAN(SPAN("Pop"), media_file_genre(f));
	EXPECT_SPAN(SPAN("audio/mpeg"), media_file_mime_type(f));
	EXPECT_U64(205123, media_file_duration_ms(f));
	EXPECT_U64(128000, media_file_bitrate(f));
	EXPECT_U64(44100, media_file_sample_rate(f));
	EXPECT_U64(2, media_file_channels(f));
	EXPECT_U64(3, media_file_disc(f));
	EXPECT_U64(4, media_file_track(f));
	EXPECT_U64(1998, media_file_year(f));
	EXPECT_U64(MEDIA_KIND_AUDIO, media_file_kind(f));
	f = import_rig_record(&rig, sn, "a/2.ogg");
	EXPECT_SPAN(SPAN("Same"), media_file_artist(f));
	EXPECT_SPAN(SPAN(""), media_file_album_artist(f));
	EXPECT_U64(112000, media_file_bitrate(f)); /* kbit/s there */
	EXPECT_U64(0, media_file_year(f));
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

TEST(import, minidlna_brings_the_facts_of_films_and_pictures)
{
	import_rig_minidlna(&rig);
	import_rig_file(&rig, "film.mkv");
	import_rig_file(&rig, "film.srt");
	import_rig_file(&rig, "photo.jpg");
	import_rig_sql(&rig,
		       "INSERT INTO DETAILS (ID, PATH, TITLE, DURATION, BITRATE, DATE, RESOLUTION, "
		       "ROTATION, CREATOR, MIME) VALUES "
		       "(10, '@/film.mkv', 'Film', '1:00:00.000', 50000, '2026-01-01T00:00:00', "
		       "'1280x720', NULL, NULL, 'video/x-matroska'),"
		       "(11, '@/photo.jpg', 'Photo', NULL, NULL, '1999-12-31T23:59:59', '400x300', "
		       "90, 'Camera', 'image/jpeg');"
		       "INSERT INTO CAPTIONS VALUES (10, '@/film.srt')");
	EXPECT_OK(import_rig_run(&rig));
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	struct fb_table f = import_rig_record(&rig, sn, "film.mkv");
	EXPECT_U64(3600000, media_file_duration_ms(f));
	EXPECT_U64(400000, media_file_bitrate(f)); /* bytes there */
	EXPECT_U64(1280, media_file_width(f));
	EXPECT_U64(720, media_file_height(f));
	EXPECT_U64(0, media_file_year(f)); /* its DATE is that of the file */
	EXPECT_U64(MEDIA_KIND_VIDEO, media_file_kind(f));
	EXPECT_U64(1, media_file_subtitles(f).n);
	f = import_rig_record(&rig, sn, "photo.jpg");
	EXPECT_U64(300, media_file_width(f)); /* as shown */
	EXPECT_U64(400, media_file_height(f));
	EXPECT_U64(6, media_file_orientation(f));
	EXPECT_I64(946684799, media_file_date_taken(f));
	EXPECT_SPAN(SPAN("Camera"), media_file_camera(f));
	EXPECT_SPAN(SPAN(""), media_file_artist(f));
	EXPECT_U64(MEDIA_KIND_IMAGE, media_file_kind(f));
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

TEST(import, vuio_brings_its_facts)
{
	import_rig_vuio(&rig);
	import_rig_file(&rig, "1.flac");
	import_rig_sql(&rig,
		       "INSERT INTO media_files (path, mime_type, duration, title, artist, album, "
		       "genre, track_number, year, album_artist) VALUES ('@/1.flac', 'audio/flac', "
		       "205123, 'A &amp;amp; B', 'Solo', 'Album', 'Pop', 4, 1998, 'Various')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_STR("VuIO", rig.report.source);
	EXPECT_I64(2, rig.report.version);
	EXPECT(rig.report.version_known);
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	struct fb_table f = import_rig_record(&rig, sn, "1.flac");
	EXPECT_SPAN(SPAN("A &amp;amp; B"), media_file_title(f)); /* plain text there */
	EXPECT_SPAN(SPAN("Solo"), media_file_artist(f));
	EXPECT_SPAN(SPAN("Various"), media_file_album_artist(f));
	EXPECT_SPAN(SPAN("Album"), media_file_album(f));
	EXPECT_SPAN(SPAN("Pop"), media_file_genre(f));
	EXPECT_U64(205123, media_file_duration_ms(f));
	EXPECT_U64(4, media_file_track(f));
	EXPECT_U64(1998, media_file_year(f));
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

TEST(import, what_the_disk_shows_comes_from_the_disk)
{
	char path[400];
	struct stat st;

	import_rig_minidlna(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_sql(&rig, "INSERT INTO DETAILS (PATH, SIZE, TIMESTAMP, MIME) VALUES "
			     "('@/1.mp3', 1, 1, 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	snprintf(path, sizeof path, "%s/1.mp3", rig.root);
	EXPECT(stat(path, &st) == 0);
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	struct fb_table f = import_rig_record(&rig, sn, "1.mp3");
	EXPECT_U64((uint64_t)st.st_size, media_file_size(f));
	EXPECT_I64((int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		   media_file_modified(f));
	EXPECT_U64(st.st_ino, media_file_inode(f));
	EXPECT(media_file_device(f) != 0);
	EXPECT_SPAN(SPAN("1"), media_file_title(f)); /* of the name: there was none */
	/* so that the next scan reads it */
	EXPECT_U64(PROBE_STATUS_UNAVAILABLE, media_file_probe_error(f));
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

TEST(import, files_that_cannot_be_served_are_counted_and_left_out)
{
	char empty[400];

	import_rig_minidlna(&rig);
	import_rig_file(&rig, "good.mp3");
	import_rig_file(&rig, "notes.txt");
	import_rig_file(&rig, "cover.jpg");
	snprintf(empty, sizeof empty, "%s/empty.mp3", rig.root);
	CLEANUP(fd_closep) int fd = open(empty, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	EXPECT(fd >= 0);
	import_rig_sql(&rig,
		       "INSERT INTO DETAILS (PATH, MIME) VALUES ('@/good.mp3', 'audio/mpeg'), "
		       "('@/empty.mp3', 'audio/mpeg'), ('@/gone.mp3', 'audio/mpeg'), "
		       "('@/gone/1.mp3', 'audio/mpeg'), ('/elsewhere/1.mp3', 'audio/mpeg'), "
		       "('@beside/1.mp3', 'audio/mpeg'), ('/etc/passwd', 'audio/mpeg'), "
		       "('@/notes.txt', 'audio/mpeg'), ('@/cover.jpg', 'image/jpeg'), "
		       "('good.mp3', 'audio/mpeg'), ('@/../media/good.mp3', 'audio/mpeg'), "
		       "('', 'audio/mpeg'), ('C:\\good.mp3', 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(13, rig.report.items_n);
	EXPECT_U64(1, rig.report.stored_n);
	EXPECT_U64(3, rig.report.skipped_n[IMPORT_MISSING]);
	EXPECT_U64(2, rig.report.skipped_n[IMPORT_OUTSIDE]);
	EXPECT_U64(3, rig.report.skipped_n[IMPORT_OTHER]);
	EXPECT_U64(4, rig.report.skipped_n[IMPORT_FAULTY]);
	EXPECT_STR("\"/elsewhere/1.mp3\"", rig.report.example[IMPORT_OUTSIDE]);
	EXPECT(import_rig_has(&rig, "good.mp3"));
	import_rig_fini(&rig);
}

TEST(import, a_root_under_another_name_is_recognised)
{
	char link[400];

	import_rig_minidlna(&rig);
	import_rig_file(&rig, "a/1.mp3");
	snprintf(link, sizeof link, "%s/other", rig.dir);
	EXPECT(symlink(rig.root, link) == 0);
	char sql[800];
	snprintf(sql, sizeof sql,
		 "INSERT INTO DETAILS (PATH, MIME) VALUES ('%s/a/1.mp3', 'audio/mpeg')", link);
	import_rig_sql(&rig, sql);
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(1, rig.report.stored_n);
	EXPECT(import_rig_has(&rig, "a/1.mp3"));
	import_rig_fini(&rig);
}

TEST(import, a_link_in_a_root_keeps_its_name_and_knows_its_target)
{
	char from[400], to[400];

	import_rig_minidlna(&rig);
	import_rig_file(&rig, "a/1.mp3");
	snprintf(from, sizeof from, "%s/a/1.mp3", rig.root);
	snprintf(to, sizeof to, "%s/b.mp3", rig.root);
	EXPECT(symlink(from, to) == 0);
	import_rig_sql(&rig, "INSERT INTO DETAILS (PATH, MIME) VALUES ('@/b.mp3', 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	EXPECT_SPAN(span_str(from),
		    media_file_canonical_path(import_rig_record(&rig, sn, "b.mp3")));
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

TEST(import, without_roots_those_of_the_library_are_taken)
{
	struct import_options options = { .file = rig.source };

	import_rig_minidlna(&rig);
	options.library = rig.library;
	import_rig_file(&rig, "1.mp3");
	import_rig_sql(&rig, "INSERT INTO DETAILS (PATH, MIME) VALUES ('@/1.mp3', 'audio/mpeg')");
	EXPECT_ERR(ERR_INVALID, import_rig_run_with(&rig, &options));
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_OK(import_rig_run_with(&rig, &options));
	EXPECT_U64(1, rig.report.stored_n);
	import_rig_fini(&rig);
}

static void put_examined(struct import_rig *r, const char *path, const char *title)
{
	char full[400];
	struct batch *b;
	struct batch_result result;

	snprintf(full, sizeof full, "%s/%s", r->root, path);
	struct media_file_in file = { .path = span_str(full),
				      .title = span_str(title),
				      .kind = MEDIA_KIND_AUDIO };
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_root(b, span_str(r->root), SPAN("")));
	EXPECT_OK(batch_put(b, &file));
	EXPECT_OK(library_submit_wait(r->library, b, &result));
	EXPECT_OK(result.err);
}

TEST(import, what_a_scan_has_read_stays_as_it_is)
{
	import_rig_minidlna(&rig);
	import_rig_file(&rig, "1.mp3");
	put_examined(&rig, "1.mp3", "Scanned");
	import_rig_sql(&rig, "INSERT INTO DETAILS (PATH, TITLE, MIME) VALUES ('@/1.mp3', "
			     "'Imported', 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(0, rig.report.stored_n);
	EXPECT_U64(1, rig.report.known_n);
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	EXPECT_SPAN(SPAN("Scanned"), media_file_title(import_rig_record(&rig, sn, "1.mp3")));
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

TEST(import, again_it_changes_nothing_and_takes_what_is_new)
{
	struct library_stats before, after;

	import_rig_minidlna(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_file(&rig, "2.mp3");
	import_rig_sql(&rig, "INSERT INTO DETAILS (PATH, MIME) VALUES ('@/1.mp3', 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	library_stats_get(rig.library, &before);
	EXPECT_OK(import_rig_run(&rig));
	library_stats_get(rig.library, &after);
	EXPECT_U64(before.commit, after.commit);
	import_rig_sql(&rig, "INSERT INTO DETAILS (PATH, MIME) VALUES ('@/2.mp3', 'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT(import_rig_has(&rig, "2.mp3"));
	import_rig_fini(&rig);
}

TEST(import, a_dry_run_stores_nothing)
{
	const char *root = rig.root;
	struct import_options options = {
		.file = rig.source, .dry_run = true, .roots = &root, .roots_n = 1
	};
	struct library_stats before, after;

	import_rig_minidlna(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_sql(&rig,
		       "INSERT INTO DETAILS (ID, PATH, MIME) VALUES (7, '@/1.mp3', 'audio/mpeg');"
		       "INSERT INTO PLAYLISTS (ID, NAME, PATH) VALUES (1, 'List', '@/l.m3u');"
		       "INSERT INTO OBJECTS (OBJECT_ID, PARENT_ID, CLASS, DETAIL_ID) VALUES "
		       "('1$F$1$1', '1$F$1', 'item', 7);"
		       "INSERT INTO BOOKMARKS VALUES (7, 5, 1)");
	library_stats_get(rig.library, &before);
	for (int with_library = 0; with_library < 2; with_library++) {
		options.library = with_library ? rig.library : NULL;
		EXPECT_OK(import_rig_run_with(&rig, &options));
		EXPECT_U64(1, rig.report.stored_n);
		EXPECT_U64(1, rig.report.playlists_n);
		EXPECT_U64(1, rig.report.playlist_entries_n);
		EXPECT_U64(1, rig.report.bookmarks_n);
	}
	library_stats_get(rig.library, &after);
	EXPECT_U64(before.commit, after.commit);
	import_rig_fini(&rig);
}

TEST(import, art_and_subtitles_only_count_where_they_lie_beside_the_file)
{
	import_rig_minidlna(&rig);
	import_rig_file(&rig, "a/1.mp3");
	import_rig_file(&rig, "a/2.mp3");
	import_rig_file(&rig, "a/film.mkv");
	import_rig_file(&rig, "a/front.jpg");
	import_rig_file(&rig, "b/front.jpg");
	import_rig_sql(&rig,
		       "INSERT INTO ALBUM_ART VALUES (1, '@/a/front.jpg'), (2, '@/b/front.jpg'), "
		       "(3, '/etc/passwd');"
		       "INSERT INTO DETAILS (ID, PATH, ALBUM_ART, MIME) VALUES "
		       "(10, '@/a/1.mp3', 1, 'audio/mpeg'), (11, '@/a/2.mp3', 2, 'audio/mpeg'), "
		       "(12, '@/a/film.mkv', 3, 'video/x-matroska');"
		       "INSERT INTO CAPTIONS VALUES (12, '/etc/passwd')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(3, rig.report.stored_n);
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	EXPECT(span_ends(media_file_art_path(import_rig_record(&rig, sn, "a/1.mp3")),
			 SPAN("/media/a/front.jpg")));
	EXPECT_U64(0, media_file_art_path(import_rig_record(&rig, sn, "a/2.mp3")).n);
	EXPECT_U64(0, media_file_art_path(import_rig_record(&rig, sn, "a/film.mkv")).n);
	EXPECT_U64(0, media_file_subtitles(import_rig_record(&rig, sn, "a/film.mkv")).n);
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

TEST(import, of_an_unknown_version_the_columns_that_are_there_are_read)
{
	import_rig_init(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_sql(&rig,
		       "CREATE TABLE OBJECTS (ID INTEGER PRIMARY KEY, OBJECT_ID, PARENT_ID, "
		       "DETAIL_ID);"
		       "CREATE TABLE DETAILS (ID INTEGER PRIMARY KEY, PATH, NEWS, TITLE, MIME);"
		       "PRAGMA user_version = 99;"
		       "INSERT INTO DETAILS VALUES (1, '@/1.mp3', 'x', 'Title', "
		       "'audio/mpeg')");
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_I64(99, rig.report.version);
	EXPECT(!rig.report.version_known);
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	EXPECT_SPAN(SPAN("Title"), media_file_title(import_rig_record(&rig, sn, "1.mp3")));
	library_snap_end(TAKE(sn));
	import_rig_fini(&rig);
}

/* ---- the file -------------------------------------------------------------------------------- */

static void fill(void)
{
	import_rig_minidlna(&rig);
	import_rig_file(&rig, "1.mp3");
	import_rig_sql(&rig, "INSERT INTO DETAILS (PATH, MIME) VALUES ('@/1.mp3', 'audio/mpeg')");
}

static bool is_there(const char *suffix)
{
	char path[400];

	snprintf(path, sizeof path, "%s%s", rig.source, suffix);
	return access(path, F_OK) == 0;
}

TEST(import, the_source_is_not_touched)
{
	CLEANUP(buf_fini) struct buf before, after;
	struct stat a, b;

	fill();
	import_rig_sql(&rig, "PRAGMA journal_mode = WAL");
	sqlite3_close(rig.db); /* cleanly: nothing beside it */
	rig.db = NULL;
	EXPECT(!is_there("-wal") && !is_there("-shm"));
	buf_init(&before, 1u << 20);
	buf_init(&after, 1u << 20);
	EXPECT_OK(fd_read_file(AT_FDCWD, rig.source, 1u << 20, &before));
	EXPECT(chmod(rig.source, 0444) == 0 && stat(rig.source, &a) == 0);
	EXPECT_OK(import_rig_run(&rig));
	EXPECT_U64(1, rig.report.stored_n);
	EXPECT(stat(rig.source, &b) == 0);
	EXPECT_OK(fd_read_file(AT_FDCWD, rig.source, 1u << 20, &after));
	EXPECT_SPAN(buf_span(&before), buf_span(&after));
	EXPECT_I64(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec);
	EXPECT(!is_there("-wal") && !is_there("-shm") && !is_there("-journal"));
	import_rig_fini(&rig);
}

TEST(import, what_its_server_has_in_the_wal_is_read)
{
	sqlite3 *server;

	fill();
	import_rig_sql(&rig, "PRAGMA journal_mode = WAL");
	EXPECT(sqlite3_open(rig.source, &server) == SQLITE_OK);
	EXPECT(sqlite3_exec(server,
			    "PRAGMA wal_autocheckpoint = 0; UPDATE DETAILS SET TITLE = 'New' "
			    "WHERE MIME IS NOT NULL; BEGIN; DELETE FROM DETAILS",
			    NULL, NULL, NULL) == SQLITE_OK);
	EXPECT(is_there("-wal"));
	EXPECT_OK(import_rig_run(&rig));
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	EXPECT_SPAN(SPAN("New"), media_file_title(import_rig_record(&rig, sn, "1.mp3")));
	library_snap_end(TAKE(sn));
	/* and it could go on meanwhile */
	EXPECT(sqlite3_exec(server, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
	EXPECT(sqlite3_close(server) == SQLITE_OK);
	import_rig_fini(&rig);
}

TEST(import, a_database_that_is_neither_is_named)
{
	const char *root = rig.root;
	struct import_options options = {
		.file = rig.source, .roots = &root, .roots_n = 1, .format = IMPORT_VUIO
	};

	import_rig_minidlna(&rig);
	options.library = rig.library;
	EXPECT_ERR(ERR_INVALID, import_rig_run_with(&rig, &options));
	EXPECT(strstr(rig.info.text, "no database of VuIO") != NULL);
	import_rig_sql(&rig, "DROP TABLE OBJECTS");
	EXPECT_ERR(ERR_INVALID, import_rig_run(&rig));
	EXPECT(strstr(rig.info.text, "no database of MiniDLNA or VuIO") != NULL);
	EXPECT_STR("", rig.report.source);
	options.file = rig.dir;
	EXPECT_ERR(ERR_INVALID, import_rig_run_with(&rig, &options));
	options.file = "/nowhere/files.db";
	EXPECT_ERR(ERR_NOTFOUND, import_rig_run_with(&rig, &options));
	options.file = "/dev/zero";
	EXPECT_ERR(ERR_INVALID, import_rig_run_with(&rig, &options));
	import_rig_fini(&rig);
}

static void count_calls(void *ctx, const struct import_report *r)
{
	(void)r;
	++*(unsigned *)ctx;
}

TEST(import, thousands_of_files_come_in_batches)
{
	const char *root = rig.root;
	unsigned calls_n = 0;
	struct import_options options = { .file = rig.source,
					  .roots = &root,
					  .roots_n = 1,
					  .progress = count_calls,
					  .ctx = &calls_n };
	struct library_stats stats;
	char name[64];

	import_rig_minidlna(&rig);
	options.library = rig.library;
	for (unsigned i = 0; i < 2500; i++) {
		snprintf(name, sizeof name, "d%u/%u.mp3", i / 100, i);
		import_rig_file(&rig, name);
	}
	import_rig_sql(&rig,
		       "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < "
		       "2499) INSERT INTO DETAILS (PATH, TITLE, ARTIST, MIME) SELECT '@/d' || (i / "
		       "100) || '/' || i || '.mp3', 'T' || i, 'A' || (i % 7), 'audio/mpeg' FROM n");
	EXPECT_OK(import_rig_run_with(&rig, &options));
	EXPECT_U64(2500, rig.report.stored_n);
	library_stats_get(rig.library, &stats);
	EXPECT_U64(2500, stats.audio_n);
	EXPECT_U64(7, stats.artists_n);
	EXPECT(stats.batches_n > 2500 / SUBMIT_BATCH_FILES);
	import_rig_fini(&rig);
}
