/* SPDX-License-Identifier: MIT */
/* MiniDLNA's files.db: DETAILS (one row per file, and per container without a MIME), ALBUM_ART,
 * CAPTIONS and BOOKMARKS beside it, PLAYLISTS, and OBJECTS, where entry N of playlist P (both from
 * 1, P in hexadecimal) is the object "1$F$P$N". */
#include "base/buf.h"
#include "import/import_source.h"
#include "import/import_text.h"

/* Below it a BITRATE is in kbit/s, as that of Ogg Vorbis is: no music has so few bits. */
#define KILOBITS_BELOW 4000
#define FIRST_VERSION 9
#define LAST_VERSION 11

enum item_column { /* behind the key */
		   ITEM_PATH = 1,
		   ITEM_TITLE,
		   ITEM_DURATION,
		   ITEM_BITRATE,
		   ITEM_SAMPLERATE,
		   ITEM_CREATOR,
		   ITEM_ARTIST,
		   ITEM_ALBUM,
		   ITEM_GENRE,
		   ITEM_CHANNELS,
		   ITEM_DISC,
		   ITEM_TRACK,
		   ITEM_DATE,
		   ITEM_RESOLUTION,
		   ITEM_ROTATION,
		   ITEM_MIME,
		   ITEM_ART,
		   ITEM_CAPTION
};

static bool fits(struct sqlite_file *f)
{
	return sqlite_file_has_table(f, "DETAILS") && sqlite_file_has_table(f, "OBJECTS");
}

static int64_t version(struct sqlite_file *f, bool *out_known)
{
	int64_t v = sqlite_file_number(f, "PRAGMA user_version", 0);

	*out_known = v >= FIRST_VERSION && v <= LAST_VERSION;
	return v;
}

/* ---- queries --------------------------------------------------------------------------------- */

static enum err open_items(struct import_source *s)
{
	static const char *const columns[] = { "PATH",	     "TITLE",	   "DURATION", "BITRATE",
					       "SAMPLERATE", "CREATOR",	   "ARTIST",   "ALBUM",
					       "GENRE",	     "CHANNELS",   "DISC",     "TRACK",
					       "DATE",	     "RESOLUTION", "ROTATION", "MIME" };
	bool art = sqlite_file_has_table(s->file, "ALBUM_ART");
	bool captions = sqlite_file_has_table(s->file, "CAPTIONS");
	struct buf sql;

	_Static_assert(ARRAY_LEN(columns) == ITEM_ART - ITEM_PATH, "one name per column");
	buf_init(&sql, IMPORT_SQL_MAX_BYTES);
	buf_add_str(&sql, "SELECT d.rowid");
	import_add_columns(s, "DETAILS", "d", columns, ARRAY_LEN(columns), &sql);
	buf_addf(&sql, ", %s, %s FROM DETAILS d", art ? "a.PATH" : "NULL",
		 captions ? "c.PATH" : "NULL");
	if (art) {
		buf_add_str(&sql, " LEFT JOIN ALBUM_ART a ON a.rowid = ");
		sqlite_file_add_column(s->file, "DETAILS", "d", "ALBUM_ART", &sql);
	}
	if (captions)
		buf_add_str(&sql, " LEFT JOIN CAPTIONS c ON c.rowid = d.rowid");
	buf_add_str(&sql, " WHERE d.rowid > ?1 AND d.MIME IS NOT NULL AND d.PATH IS NOT NULL "
			  "ORDER BY d.rowid");
	return import_open_cursor(
		s, &sql,
		"SELECT rowid FROM DETAILS WHERE rowid > ?1 AND MIME IS NOT NULL AND "
		"PATH IS NOT NULL ORDER BY rowid LIMIT 1",
		&s->items);
}

static enum err open_playlists(struct import_source *s)
{
	static const char *const columns[] = { "NAME", "PATH" };
	static const char *const entry_columns[] = { "PATH", "TITLE", "DURATION" };
	struct buf sql;

	if (!sqlite_file_has_table(s->file, "PLAYLISTS"))
		return ERR_OK;
	buf_init(&sql, IMPORT_SQL_MAX_BYTES);
	buf_add_str(&sql, "SELECT p.rowid");
	import_add_columns(s, "PLAYLISTS", "p", columns, ARRAY_LEN(columns), &sql);
	buf_add_str(&sql, " FROM PLAYLISTS p WHERE p.rowid > ?1 ORDER BY p.rowid");
	enum err e = import_open_cursor(
		s, &sql, "SELECT rowid FROM PLAYLISTS WHERE rowid > ?1 ORDER BY rowid LIMIT 1",
		&s->playlists);
	if (e != ERR_OK)
		return e;
	buf_init(&sql, IMPORT_SQL_MAX_BYTES);
	buf_add_str(&sql, "SELECT p.rowid");
	import_add_columns(s, "DETAILS", "d", entry_columns, ARRAY_LEN(entry_columns), &sql);
	/* The number behind an object's last '$' is its place. */
	buf_add_str(&sql, " FROM PLAYLISTS p "
			  "CROSS JOIN OBJECTS o ON o.PARENT_ID = printf('1$F$%X', p.rowid) "
			  "CROSS JOIN DETAILS d ON d.rowid = o.DETAIL_ID WHERE d.PATH IS NOT NULL "
			  "AND d.MIME IS NOT NULL ORDER BY p.rowid, "
			  "CAST(substr(o.OBJECT_ID, length(o.PARENT_ID) + 2) AS INTEGER), o.rowid");
	return import_open_cursor(s, &sql, NULL, &s->entries);
}

/* SEC is where it was left, in seconds. */
static enum err open_bookmarks(struct import_source *s)
{
	static const char *const columns[] = { "SEC", "WATCH_COUNT" };
	struct buf sql;

	if (!sqlite_file_has_table(s->file, "BOOKMARKS"))
		return ERR_OK;
	buf_init(&sql, IMPORT_SQL_MAX_BYTES);
	buf_add_str(&sql, "SELECT b.rowid, d.PATH");
	import_add_columns(s, "BOOKMARKS", "b", columns, ARRAY_LEN(columns), &sql);
	buf_add_str(&sql, " FROM BOOKMARKS b CROSS JOIN DETAILS d ON d.rowid = b.rowid "
			  "WHERE b.rowid > ?1 AND d.PATH IS NOT NULL ORDER BY b.rowid");
	return import_open_cursor(
		s, &sql, "SELECT rowid FROM BOOKMARKS WHERE rowid > ?1 ORDER BY rowid LIMIT 1",
		&s->bookmarks);
}

static enum err open_streams(struct import_source *s)
{
	enum err e = open_items(s);

	if (e == ERR_OK)
		e = open_playlists(s);
	return e == ERR_OK ? open_bookmarks(s) : e;
}

/* ---- items ----------------------------------------------------------------------------------- */

static struct span text(struct import_source *s, int column)
{
	return sqlite_cursor_text(&s->items, column);
}

static struct span tag(struct import_source *s, int column)
{
	return import_unescape(&s->arena, text(s, column));
}

static uint32_t number(struct import_source *s, int column, uint32_t max)
{
	return (uint32_t)sqlite_cursor_number(&s->items, column, 0, max, 0);
}

/* CREATOR is the track's artist; ARTIST is the album's, where the file names one, else the same. */
static void set_artists(struct import_source *s, struct media_file_in *f)
{
	struct span creator = tag(s, ITEM_CREATOR);
	struct span artist = tag(s, ITEM_ARTIST);

	f->artist = creator.n > 0 ? creator : artist;
	if (!span_eq(artist, f->artist))
		f->album_artist = artist;
}

static void set_audio(struct import_source *s, struct media_file_in *f)
{
	set_artists(s, f);
	f->year = import_year(text(s, ITEM_DATE));
	if (f->bitrate < KILOBITS_BELOW)
		f->bitrate *= 1000;
}

/* BITRATE counts bytes. DATE is the file's time where the film has no date: it tells nothing. */
static void set_video(struct import_source *s, struct media_file_in *f)
{
	set_artists(s, f);
	f->bitrate = f->bitrate > UINT32_MAX / 8 ? 0 : f->bitrate * 8;
	if (text(s, ITEM_CAPTION).n > 0) {
		s->subtitle = (struct subtitle_in){ .path = text(s, ITEM_CAPTION) };
		f->subtitles = &s->subtitle;
		f->subtitles_n = 1;
	}
}

/* Width and height are the sensor's; CREATOR is the camera. */
static void set_image(struct import_source *s, struct media_file_in *f)
{
	static const struct {
		uint32_t degrees;
		uint8_t orientation; /* EXIF's */
	} rotations[] = { { 90, 6 }, { 180, 3 }, { 270, 8 } };
	uint32_t degrees = number(s, ITEM_ROTATION, 359);
	uint32_t width = f->width;

	f->date_taken = import_time_s(text(s, ITEM_DATE));
	f->camera = tag(s, ITEM_CREATOR);
	for (size_t i = 0; i < ARRAY_LEN(rotations); i++)
		if (rotations[i].degrees == degrees)
			f->orientation = rotations[i].orientation;
	if (f->orientation == 6 || f->orientation == 8) {
		f->width = f->height;
		f->height = width;
	}
}

static void item(struct import_source *s, struct media_file_in *out)
{
	*out = (struct media_file_in){
		.path = text(s, ITEM_PATH),
		.title = tag(s, ITEM_TITLE),
		.album = tag(s, ITEM_ALBUM),
		.genre = tag(s, ITEM_GENRE),
		.mime_type = text(s, ITEM_MIME),
		.art_path = text(s, ITEM_ART),
		.duration_ms = import_duration_ms(text(s, ITEM_DURATION)),
		.bitrate = number(s, ITEM_BITRATE, UINT32_MAX),
		.sample_rate = number(s, ITEM_SAMPLERATE, UINT32_MAX),
		.channels = (uint16_t)number(s, ITEM_CHANNELS, UINT16_MAX),
		.disc = (uint16_t)number(s, ITEM_DISC, UINT16_MAX),
		.track = (uint16_t)number(s, ITEM_TRACK, UINT16_MAX),
	};
	import_resolution(text(s, ITEM_RESOLUTION), &out->width, &out->height);
	if (span_starts(out->mime_type, SPAN("image/")))
		set_image(s, out);
	else if (span_starts(out->mime_type, SPAN("video/")))
		set_video(s, out);
	else
		set_audio(s, out);
}

/* ---- playlists and bookmarks ----------------------------------------------------------------- */

static void playlist(struct import_source *s, struct import_playlist *out)
{
	*out = (struct import_playlist){
		.name = import_text(&s->arena, sqlite_cursor_text(&s->playlists, 1)),
		.path = sqlite_cursor_text(&s->playlists, 2),
	};
}

static void entry(struct import_source *s, struct import_entry *out)
{
	*out = (struct import_entry){
		.path = sqlite_cursor_text(&s->entries, 1),
		.title = import_unescape(&s->arena, sqlite_cursor_text(&s->entries, 2)),
		.duration_ms = import_duration_ms(sqlite_cursor_text(&s->entries, 3)),
	};
}

static void bookmark(struct import_source *s, struct import_bookmark *out)
{
	struct sqlite_cursor *c = &s->bookmarks;

	*out = (struct import_bookmark){
		.path = sqlite_cursor_text(c, 1),
		.position_ms = (uint32_t)sqlite_cursor_number(c, 2, 0, UINT32_MAX / 1000, 0) * 1000,
		.played_n = (uint32_t)sqlite_cursor_number(c, 3, 0, UINT32_MAX, 0),
	};
}

const struct import_source_ops minidlna_source = {
	.name = "MiniDLNA",
	.fits = fits,
	.version = version,
	.open = open_streams,
	.item = item,
	.playlist = playlist,
	.entry = entry,
	.bookmark = bookmark,
};
