/* SPDX-License-Identifier: MIT */
#include "import_rig.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "harness.h"

void import_rig_reopen(struct import_rig *r)
{
	char database[300];
	struct library_options options = { .database_dir = database };
	snprintf(database, sizeof database, "%s/library", r->dir);
	library_close(TAKE(r->library));
	EXPECT_OK(library_open(&options, &r->library, NULL));
}

void import_rig_init(struct import_rig *r)
{
	memset(r, 0, sizeof *r);
	snprintf(r->dir, sizeof r->dir, "%s", test_tmpdir());
	snprintf(r->root, sizeof r->root, "%s/media", r->dir);
	snprintf(r->source, sizeof r->source, "%s/foreign.db", r->dir);
	EXPECT(mkdir(r->root, 0755) == 0);
	import_rig_reopen(r);
	EXPECT(sqlite3_open(r->source, &r->db) == SQLITE_OK);
}

void import_rig_fini(struct import_rig *r)
{
	sqlite3_close(r->db);
	library_close(r->library);
}

void import_rig_sql(struct import_rig *r, const char *sql)
{
	CLEANUP(buf_fini) struct buf b;
	char *wrong = NULL;

	buf_init(&b, 16u << 20);
	for (const char *p = sql; *p; p++) {
		if (*p == '@')
			buf_add_str(&b, r->root);
		else
			buf_add_char(&b, *p);
	}
	sqlite3_exec(r->db, buf_cstr(&b), NULL, NULL, &wrong);
	EXPECT_STR("", wrong ? wrong : "");
}

void import_rig_minidlna(struct import_rig *r)
{
	import_rig_init(r);
	import_rig_sql(
		r,
		"CREATE TABLE OBJECTS (ID INTEGER PRIMARY KEY AUTOINCREMENT, OBJECT_ID TEXT UNIQUE "
		"NOT NULL, PARENT_ID TEXT NOT NULL, REF_ID TEXT DEFAULT NULL, CLASS TEXT NOT NULL, "
		"DETAIL_ID INTEGER DEFAULT NULL, NAME TEXT DEFAULT NULL);"
		"CREATE TABLE DETAILS (ID INTEGER PRIMARY KEY AUTOINCREMENT, PATH TEXT DEFAULT "
		"NULL, SIZE INTEGER, TIMESTAMP INTEGER, TITLE TEXT COLLATE NOCASE, DURATION TEXT, "
		"BITRATE INTEGER, SAMPLERATE INTEGER, CREATOR TEXT COLLATE NOCASE, ARTIST TEXT "
		"COLLATE NOCASE, ALBUM TEXT COLLATE NOCASE, GENRE TEXT COLLATE NOCASE, COMMENT "
		"TEXT, CHANNELS INTEGER, DISC INTEGER, TRACK INTEGER, DATE DATE, RESOLUTION TEXT, "
		"THUMBNAIL BOOL DEFAULT 0, ALBUM_ART INTEGER DEFAULT 0, ROTATION INTEGER, DLNA_PN "
		"TEXT, MIME TEXT);"
		"CREATE TABLE ALBUM_ART (ID INTEGER PRIMARY KEY AUTOINCREMENT, PATH TEXT NOT NULL);"
		"CREATE TABLE CAPTIONS (ID INTEGER PRIMARY KEY, PATH TEXT NOT NULL);"
		"CREATE TABLE BOOKMARKS (ID INTEGER PRIMARY KEY, SEC INTEGER, WATCH_COUNT INTEGER);"
		"CREATE TABLE PLAYLISTS (ID INTEGER PRIMARY KEY AUTOINCREMENT, NAME TEXT NOT NULL, "
		"PATH TEXT NOT NULL, ITEMS INTEGER DEFAULT 0, FOUND INTEGER DEFAULT 0, TIMESTAMP "
		"INTEGER DEFAULT 0);"
		"CREATE TABLE SETTINGS (KEY TEXT NOT NULL, VALUE TEXT);"
		"PRAGMA user_version = 11;"
		"INSERT INTO DETAILS (TITLE) VALUES ('root');"
		"INSERT INTO DETAILS (TITLE, PATH) VALUES ('Music', '@');");
}

void import_rig_vuio(struct import_rig *r)
{
	import_rig_init(r);
	import_rig_sql(
		r,
		"CREATE TABLE media_files (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT UNIQUE "
		"NOT NULL, parent_path TEXT NOT NULL DEFAULT '', canonical_path TEXT, "
		"canonical_parent_path TEXT, filename TEXT NOT NULL DEFAULT '', size INTEGER NOT "
		"NULL DEFAULT 0, modified INTEGER NOT NULL DEFAULT 0, mime_type TEXT NOT NULL, "
		"duration INTEGER, title TEXT, artist TEXT, album TEXT, genre TEXT, track_number "
		"INTEGER, year INTEGER, album_artist TEXT, created_at INTEGER NOT NULL DEFAULT 0, "
		"updated_at INTEGER NOT NULL DEFAULT 0);"
		"CREATE TABLE playlists (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE "
		"NOT NULL, description TEXT, created_at INTEGER NOT NULL DEFAULT 0, updated_at "
		"INTEGER NOT NULL DEFAULT 0);"
		"CREATE TABLE playlist_entries (id INTEGER PRIMARY KEY AUTOINCREMENT, playlist_id "
		"INTEGER NOT NULL, media_file_id INTEGER NOT NULL, position INTEGER NOT NULL, "
		"created_at INTEGER NOT NULL DEFAULT 0, UNIQUE(playlist_id, media_file_id), "
		"UNIQUE(playlist_id, position));"
		"CREATE TABLE database_metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL, "
		"updated_at INTEGER NOT NULL);"
		"INSERT INTO database_metadata VALUES ('schema_version', '2', 0);");
}

void import_rig_file(struct import_rig *r, const char *path)
{
	char full[1024];

	snprintf(full, sizeof full, "%s/%s", r->root, path);
	char *slash = strrchr(full, '/');
	*slash = '\0';
	EXPECT_OK(fd_make_dirs(full));
	*slash = '/';
	CLEANUP(fd_closep) int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	EXPECT(fd >= 0);
	EXPECT_OK(fd_pwrite_all(fd, span_str(path), 0));
}

enum err import_rig_run_with(struct import_rig *r, const struct import_options *options)
{
	sqlite3_close(r->db);
	r->db = NULL;
	r->info.text[0] = '\0';
	enum err e = import_run(options, &r->report, &r->info);
	EXPECT(e == ERR_OK || r->info.text[0] != '\0'); /* an error says what is wrong */
	EXPECT(sqlite3_open(r->source, &r->db) == SQLITE_OK);
	return e;
}

enum err import_rig_run(struct import_rig *r)
{
	const char *root = r->root;
	struct import_options options = {
		.file = r->source, .library = r->library, .roots = &root, .roots_n = 1
	};

	return import_rig_run_with(r, &options);
}

static enum err find(struct import_rig *r, struct library_snap *sn, const char *path,
		     struct fb_table *out)
{
	char full[1024];

	snprintf(full, sizeof full, "%s/%s", r->root, path);
	return library_media_by_path(sn, span_str(full), out);
}

struct fb_table import_rig_record(struct import_rig *r, struct library_snap *sn, const char *path)
{
	struct fb_table row;

	EXPECT_OK(find(r, sn, path, &row));
	return row;
}

bool import_rig_has(struct import_rig *r, const char *path)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(r->library);
	struct fb_table row;

	return find(r, sn, path, &row) == ERR_OK;
}
