/* SPDX-License-Identifier: MIT */
/* VuIO's media.db, as its versions with SQLite keep it: media_files, playlists, playlist_entries.
 * Times are seconds, durations milliseconds, tags are plain text. It has no bookmarks. */
#include "base/buf.h"
#include "import/import_source.h"
#include "import/import_text.h"

#define FIRST_VERSION 1
#define LAST_VERSION 2

enum item_column { /* behind the key */
		   ITEM_PATH = 1,
		   ITEM_MIME,
		   ITEM_DURATION,
		   ITEM_TITLE,
		   ITEM_ARTIST,
		   ITEM_ALBUM,
		   ITEM_GENRE,
		   ITEM_TRACK,
		   ITEM_YEAR,
		   ITEM_ALBUM_ARTIST,
		   ITEM_COLUMNS_END
};

static bool fits(struct sqlite_file *f)
{
	return sqlite_file_has_table(f, "media_files") &&
	       sqlite_file_has_table(f, "database_metadata");
}

static int64_t version(struct sqlite_file *f, bool *out_known)
{
	int64_t v = sqlite_file_number(
		f, "SELECT value FROM database_metadata WHERE key = 'schema_version'",
		FIRST_VERSION);

	*out_known = v >= FIRST_VERSION && v <= LAST_VERSION;
	return v;
}

static enum err open_items(struct import_source *s)
{
	static const char *const columns[] = { "path",	 "mime_type",	"duration", "title",
					       "artist", "album",	"genre",    "track_number",
					       "year",	 "album_artist" };
	struct buf sql;

	_Static_assert(ARRAY_LEN(columns) == ITEM_COLUMNS_END - ITEM_PATH, "one name per column");
	buf_init(&sql, IMPORT_SQL_MAX_BYTES);
	buf_add_str(&sql, "SELECT m.rowid");
	import_add_columns(s, "media_files", "m", columns, ARRAY_LEN(columns), &sql);
	buf_add_str(&sql, " FROM media_files m WHERE m.rowid > ?1 ORDER BY m.rowid");
	return import_open_cursor(
		s, &sql, "SELECT rowid FROM media_files WHERE rowid > ?1 ORDER BY rowid LIMIT 1",
		&s->items);
}

static enum err open_playlists(struct import_source *s)
{
	static const char *const columns[] = { "name", "description" };
	static const char *const entry_columns[] = { "path", "title", "duration" };
	struct buf sql;

	buf_init(&sql, IMPORT_SQL_MAX_BYTES);
	buf_add_str(&sql, "SELECT p.rowid");
	import_add_columns(s, "playlists", "p", columns, ARRAY_LEN(columns), &sql);
	buf_add_str(&sql, " FROM playlists p WHERE p.rowid > ?1 ORDER BY p.rowid");
	enum err e = import_open_cursor(
		s, &sql, "SELECT rowid FROM playlists WHERE rowid > ?1 ORDER BY rowid LIMIT 1",
		&s->playlists);
	if (e != ERR_OK)
		return e;
	buf_init(&sql, IMPORT_SQL_MAX_BYTES);
	buf_add_str(&sql, "SELECT p.rowid");
	import_add_columns(s, "media_files", "m", entry_columns, ARRAY_LEN(entry_columns), &sql);
	buf_add_str(&sql, " FROM playlists p "
			  "CROSS JOIN playlist_entries e ON e.playlist_id = p.rowid "
			  "CROSS JOIN media_files m ON m.rowid = e.media_file_id "
			  "ORDER BY p.rowid, e.position, e.rowid");
	return import_open_cursor(s, &sql, NULL, &s->entries);
}

static enum err open_streams(struct import_source *s)
{
	enum err e = open_items(s);

	if (e == ERR_OK && sqlite_file_has_table(s->file, "playlists") &&
	    sqlite_file_has_table(s->file, "playlist_entries"))
		e = open_playlists(s);
	return e;
}

static struct span text(struct import_source *s, int column)
{
	return import_text(&s->arena, sqlite_cursor_text(&s->items, column));
}

static uint32_t number(struct import_source *s, int column, uint32_t max)
{
	return (uint32_t)sqlite_cursor_number(&s->items, column, 0, max, 0);
}

static void item(struct import_source *s, struct media_file_in *out)
{
	*out = (struct media_file_in){
		.path = sqlite_cursor_text(&s->items, ITEM_PATH),
		.mime_type = text(s, ITEM_MIME),
		.duration_ms = number(s, ITEM_DURATION, UINT32_MAX),
		.title = text(s, ITEM_TITLE),
		.artist = text(s, ITEM_ARTIST),
		.album = text(s, ITEM_ALBUM),
		.genre = text(s, ITEM_GENRE),
		.track = (uint16_t)number(s, ITEM_TRACK, UINT16_MAX),
		.year = (uint16_t)number(s, ITEM_YEAR, 9999),
		.album_artist = text(s, ITEM_ALBUM_ARTIST),
	};
}

static void playlist(struct import_source *s, struct import_playlist *out)
{
	*out = (struct import_playlist){
		.name = import_text(&s->arena, sqlite_cursor_text(&s->playlists, 1)),
		.description = import_text(&s->arena, sqlite_cursor_text(&s->playlists, 2)),
	};
}

static void entry(struct import_source *s, struct import_entry *out)
{
	*out = (struct import_entry){
		.path = sqlite_cursor_text(&s->entries, 1),
		.title = import_text(&s->arena, sqlite_cursor_text(&s->entries, 2)),
		.duration_ms = (uint32_t)sqlite_cursor_number(&s->entries, 3, 0, UINT32_MAX, 0),
	};
}

const struct import_source_ops vuio_source = {
	.name = "VuIO",
	.fits = fits,
	.version = version,
	.open = open_streams,
	.item = item,
	.playlist = playlist,
	.entry = entry,
};
