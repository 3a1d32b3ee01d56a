/* SPDX-License-Identifier: MIT */
/* SQLite as its best users have it: WAL, one sync per commit, exclusive lock, 256 MiB of cache,
 * prepared statements, eight indexes. Natural order comes from indexes on the sort key, which the
 * table does not store a second time; a path is stored twice only where the canonical one differs.
 * "sqlite-after" loads without indexes, then makes them: faster, but until then nothing can be
 * looked up and no path is known to be unique. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/attr.h"
#include "engine.h"
#include "library/library.h"

enum statement {
	BEGIN,
	COMMIT,
	PUT,
	UPDATE,
	REMOVE,
	GET_PATH,
	GET_ID,
	DIRECTORY,
	TITLES,
	ARTISTS,
	ARTIST_TRACKS,
	STATEMENTS_N
};

struct sqlite {
	sqlite3 *db;
	sqlite3_stmt *st[STATEMENTS_N];
	bool in_txn;
	uint64_t next_id;
};

#define RECORD                                                                                     \
	"id, size, modified, duration_ms, track, year, path, filename, mime_type, title, artist, " \
	"album, genre, album_artist, canonical_path, created_at, updated_at"

static const char *const statements[STATEMENTS_N] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[PUT] = "INSERT INTO media VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[UPDATE] = "UPDATE media SET title=?, year=?, modified=?, updated_at=? WHERE path=?",
	[REMOVE] = "DELETE FROM media WHERE path=?",
	[GET_PATH] = "SELECT " RECORD " FROM media WHERE path=?",
	[GET_ID] = "SELECT " RECORD " FROM media WHERE id=?",
	[DIRECTORY] = "SELECT id, size, filename, title FROM media WHERE directory=?"
		      " ORDER BY natural_key(filename), id",
	[TITLES] = "SELECT m.id, size, filename, title FROM (SELECT id FROM media"
		   " ORDER BY natural_key(title), id LIMIT ? OFFSET ?) AS page"
		   " CROSS JOIN media AS m ON m.id = page.id",
	[ARTISTS] = "SELECT artist, count(*) FROM media GROUP BY artist",
	[ARTIST_TRACKS] = "SELECT id, duration_ms, track, title, album FROM media WHERE artist=?",
};

static const char table[] =
	"CREATE TABLE IF NOT EXISTS media (id INTEGER PRIMARY KEY, path TEXT NOT NULL,"
	" canonical_path TEXT, filename TEXT NOT NULL, size INTEGER, modified INTEGER,"
	" mime_type TEXT, duration_ms INTEGER, title TEXT, artist TEXT, album TEXT, genre TEXT,"
	" track INTEGER, year INTEGER, album_artist TEXT, created_at INTEGER, updated_at INTEGER,"
	" directory INTEGER NOT NULL)";

static const char indexes[] =
	"CREATE UNIQUE INDEX IF NOT EXISTS by_path ON media(path);"
	"CREATE INDEX IF NOT EXISTS by_dir ON media(directory, natural_key(filename));"
	"CREATE INDEX IF NOT EXISTS by_artist ON media(artist);"
	"CREATE INDEX IF NOT EXISTS by_album_artist ON media(album_artist);"
	"CREATE INDEX IF NOT EXISTS by_album ON media(album);"
	"CREATE INDEX IF NOT EXISTS by_genre ON media(genre);"
	"CREATE INDEX IF NOT EXISTS by_year ON media(year);"
	"CREATE INDEX IF NOT EXISTS by_title ON media(natural_key(title))";

static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
			       "PRAGMA synchronous=FULL; PRAGMA cache_size=-262144;"
			       "PRAGMA temp_store=MEMORY";

static void must(struct sqlite *s, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
		bench_fail("sqlite", sqlite3_errmsg(s->db));
}

static void run(struct sqlite *s, const char *sql)
{
	must(s, sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

static void natural_key(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	uint8_t key[COLLATE_KEY_MAX];
	(void)n;
	const void *text = sqlite3_value_text(v[0]);
	size_t key_n = library_collate_key(span_of(text, (size_t)sqlite3_value_bytes(v[0])), key);
	sqlite3_result_blob(ctx, key, (int)key_n, SQLITE_TRANSIENT);
}

static void prepare(struct sqlite *s)
{
	for (unsigned i = 0; i < STATEMENTS_N; i++)
		if (!s->st[i])
			must(s, sqlite3_prepare_v3(s->db, statements[i], -1,
						   SQLITE_PREPARE_PERSISTENT, &s->st[i], NULL));
}

static struct sqlite *open_table(const struct engine_options *o)
{
	char path[512];
	struct sqlite *s = calloc(1, sizeof *s);
	if (!s)
		bench_fail("sqlite", "no memory");
	snprintf(path, sizeof path, "%s/media.sqlite", o->dir);
	must(s, sqlite3_open_v2(path, &s->db,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				NULL));
	must(s, sqlite3_create_function(s->db, "natural_key", 1,
					SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
					natural_key, NULL, NULL));
	run(s, settings);
	run(s, table);
	return s;
}

static void *sqlite_open(const struct engine_options *o)
{
	struct sqlite *s = open_table(o);
	run(s, indexes);
	prepare(s);
	return s;
}

static void *sqlite_after_open(const struct engine_options *o)
{
	struct sqlite *s = open_table(o);
	prepare(s);
	return s;
}

static void make_indexes(void *db)
{
	run(db, indexes);
}

static void sqlite_close(void *db)
{
	struct sqlite *s = db;
	for (unsigned i = 0; i < STATEMENTS_N; i++)
		sqlite3_finalize(s->st[i]);
	if (sqlite3_close(s->db) != SQLITE_OK)
		bench_fail("sqlite", "close");
	free(s);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void bind_text(sqlite3_stmt *st, int at, struct span s)
{
	sqlite3_bind_text(st, at, s.p, (int)s.n, SQLITE_STATIC);
}

static void bind_int(sqlite3_stmt *st, int at, uint64_t v)
{
	sqlite3_bind_int64(st, at, (sqlite3_int64)v);
}

static uint64_t directory_number(struct span path)
{
	return XXH3_64bits(path.p, path.n);
}

static void step(struct sqlite *s, enum statement which)
{
	must(s, sqlite3_step(s->st[which]));
	must(s, sqlite3_reset(s->st[which]));
}

static void begin(struct sqlite *s)
{
	if (!s->in_txn)
		step(s, BEGIN);
	s->in_txn = true;
}

static uint64_t last_id(struct sqlite *s)
{
	sqlite3_stmt *st;
	must(s, sqlite3_prepare_v2(s->db, "SELECT coalesce(max(id), 0) FROM media", -1, &st, NULL));
	must(s, sqlite3_step(st));
	uint64_t id = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return id;
}

static void sqlite_put(void *db, const struct row *row)
{
	struct sqlite *s = db;
	sqlite3_stmt *st = s->st[PUT];
	const struct media_file_in *in = &row->in;
	begin(s);
	if (s->next_id == 0)
		s->next_id = last_id(s) + 1;
	bind_int(st, 1, s->next_id++);
	bind_text(st, 2, in->path);
	if (span_eq(in->canonical_path, in->path))
		sqlite3_bind_null(st, 3);
	else
		bind_text(st, 3, in->canonical_path);
	bind_text(st, 4, in->filename);
	bind_int(st, 5, in->size);
	bind_int(st, 6, (uint64_t)in->modified);
	bind_text(st, 7, in->mime_type);
	bind_int(st, 8, in->duration_ms);
	bind_text(st, 9, in->title);
	bind_text(st, 10, in->artist);
	bind_text(st, 11, in->album);
	bind_text(st, 12, in->genre);
	bind_int(st, 13, in->track);
	bind_int(st, 14, in->year);
	bind_text(st, 15, in->album_artist);
	bind_int(st, 16, (uint64_t)in->created_at);
	bind_int(st, 17, (uint64_t)in->updated_at);
	bind_int(st, 18, directory_number(row->directory));
	step(s, PUT);
}

static void sqlite_update(void *db, const struct row *row)
{
	struct sqlite *s = db;
	sqlite3_stmt *st = s->st[UPDATE];
	begin(s);
	bind_text(st, 1, row->in.title);
	bind_int(st, 2, row->in.year);
	bind_int(st, 3, (uint64_t)row->in.modified);
	bind_int(st, 4, (uint64_t)row->in.updated_at);
	bind_text(st, 5, row->in.path);
	step(s, UPDATE);
}

static void sqlite_remove(void *db, struct span path)
{
	struct sqlite *s = db;
	begin(s);
	bind_text(s->st[REMOVE], 1, path);
	step(s, REMOVE);
}

static void sqlite_commit(void *db)
{
	struct sqlite *s = db;
	step(s, COMMIT);
	s->in_txn = false;
}

/* ---- reading --------------------------------------------------------------------------------- */

static struct span column(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_text(st, i);
	return span_of(p, (size_t)sqlite3_column_bytes(st, i));
}

static uint64_t integer(sqlite3_stmt *st, int i)
{
	return (uint64_t)sqlite3_column_int64(st, i);
}

static void record(struct digest *d, sqlite3_stmt *st)
{
	struct row_view v = {
		.id = integer(st, 0),
		.size = integer(st, 1),
		.modified = (int64_t)integer(st, 2),
		.duration_ms = (uint32_t)integer(st, 3),
		.track = (uint16_t)integer(st, 4),
		.year = (uint16_t)integer(st, 5),
		.path = column(st, 6),
		.filename = column(st, 7),
		.mime_type = column(st, 8),
		.title = column(st, 9),
		.artist = column(st, 10),
		.album = column(st, 11),
		.genre = column(st, 12),
		.album_artist = column(st, 13),
	};
	digest_record(d, &v);
}

static void entry(struct digest *d, sqlite3_stmt *st)
{
	struct row_view v = { .id = integer(st, 0),
			      .size = integer(st, 1),
			      .filename = column(st, 2),
			      .title = column(st, 3) };
	digest_entry(d, &v);
}

static void track(struct digest *d, sqlite3_stmt *st)
{
	struct row_view v = { .id = integer(st, 0),
			      .duration_ms = (uint32_t)integer(st, 1),
			      .track = (uint16_t)integer(st, 2),
			      .title = column(st, 3),
			      .album = column(st, 4) };
	digest_track(d, &v);
}

static void count(struct digest *d, sqlite3_stmt *st)
{
	digest_count(d, column(st, 0), integer(st, 1));
}

static void read_all(struct sqlite *s, enum statement which, struct digest *d,
		     void (*row)(struct digest *d, sqlite3_stmt *st))
{
	int rc;
	while ((rc = sqlite3_step(s->st[which])) == SQLITE_ROW)
		row(d, s->st[which]);
	must(s, rc);
	must(s, sqlite3_reset(s->st[which]));
}

static void sqlite_get_path(void *db, struct span path, struct digest *d)
{
	struct sqlite *s = db;
	bind_text(s->st[GET_PATH], 1, path);
	read_all(s, GET_PATH, d, record);
}

static void sqlite_get_id(void *db, uint64_t id, struct digest *d)
{
	struct sqlite *s = db;
	bind_int(s->st[GET_ID], 1, id);
	read_all(s, GET_ID, d, record);
}

static void sqlite_directory(void *db, struct span path, struct digest *d)
{
	struct sqlite *s = db;
	bind_int(s->st[DIRECTORY], 1, directory_number(path));
	read_all(s, DIRECTORY, d, entry);
}

static void sqlite_titles(void *db, uint64_t offset, uint64_t n, struct digest *d)
{
	struct sqlite *s = db;
	bind_int(s->st[TITLES], 1, n);
	bind_int(s->st[TITLES], 2, offset);
	read_all(s, TITLES, d, entry);
}

static void sqlite_artists(void *db, struct digest *d)
{
	read_all(db, ARTISTS, d, count);
}

static void sqlite_artist_tracks(void *db, struct span artist, struct digest *d)
{
	struct sqlite *s = db;
	bind_text(s->st[ARTIST_TRACKS], 1, artist);
	read_all(s, ARTIST_TRACKS, d, track);
}

#define SQLITE_ENGINE                                                                              \
	.close = sqlite_close, .put = sqlite_put, .commit = sqlite_commit,                         \
	.update = sqlite_update, .remove = sqlite_remove, .get_path = sqlite_get_path,             \
	.get_id = sqlite_get_id, .directory = sqlite_directory, .titles = sqlite_titles,           \
	.artists = sqlite_artists, .artist_tracks = sqlite_artist_tracks

const struct engine engine_sqlite = { .name = "sqlite", .open = sqlite_open, SQLITE_ENGINE };
const struct engine engine_sqlite_after = {
	.name = "sqlite-after", .open = sqlite_after_open, .load_end = make_indexes, SQLITE_ENGINE
};
