/* SPDX-License-Identifier: MIT */
/* Checks what the library promises about its records: references lead somewhere, live flags say
 * what the indexes say, paths are those of their directories. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "library/batch_priv.h"
#include "library/check.h"
#include "library/dict.h"
#include "library/lookup.h"
#include "library/tables.h"

struct check {
	const struct db *db;
	const struct db_snap *sn;
	void (*report)(void *ctx, const char *line);
	void *ctx;
	bool found;
};

PRINTF_LIKE(2, 3) static void finding(struct check *c, const char *fmt, ...)
{
	char line[512];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	c->found = true;
	if (c->report)
		c->report(c->ctx, line);
}

static void check_media(struct check *c, uint64_t id, struct fb_table m)
{
	struct fb_table row;
	struct span path = media_file_path(m);
	if (db_get(c->sn, TABLE_DIRECTORY, media_file_directory_id(m), &row) != ERR_OK)
		finding(c, "file %" PRIu64 " %s is in directory %" PRIu64 ", which is missing", id,
			QUOTE(path), media_file_directory_id(m));
	else if (!span_eq(directory_path(row), path_directory(path)) || !directory_live(row))
		finding(c, "file %" PRIu64 " %s is in directory %" PRIu64 " %s%s", id, QUOTE(path),
			media_file_directory_id(m), QUOTE(directory_path(row)),
			directory_live(row) ? "" : ", which is marked empty");

	uint32_t terms[MEDIA_TERMS_MAX];
	for (unsigned n = media_term_ids(m, terms); n > 0; n--)
		if (db_get(c->sn, TABLE_TERM, terms[n - 1], &row) != ERR_OK || !term_live(row))
			finding(c, "file %" PRIu64 " names term %u, which is missing or empty", id,
				terms[n - 1]);
	uint32_t album = media_file_album_id(m);
	if (album && (db_get(c->sn, TABLE_ALBUM, album, &row) != ERR_OK || !album_live(row)))
		finding(c, "file %" PRIu64 " names album %u, which is missing or empty", id, album);
}

static void check_live(struct check *c, const char *what, uint64_t id, struct span name, bool live,
		       uint64_t members)
{
	if (live != (members > 0))
		finding(c, "%s %" PRIu64 " %s is marked %s but has %" PRIu64 " members", what, id,
			QUOTE(name), live ? "live" : "empty", members);
}

/* Of every kind; false where some cannot be read, which is not for this check to say. */
static bool count_files(const struct check *c, uint64_t directory, uint64_t n[DICT_KINDS_N])
{
	struct db_cursor files;
	struct fb_table media;
	uint64_t read_n = 0;
	db_seek(&files, c->sn, TABLE_MEDIA, MEDIA_DIR, (uint32_t)directory, 0);
	for (; !db_hurried(c->db) && row_next(&files, &media); read_n++)
		if (media_file_kind(media) - 1u < DICT_KINDS_N)
			n[media_file_kind(media) - 1u]++;
	return read_n == db_count(c->sn, TABLE_MEDIA, MEDIA_DIR, (uint32_t)directory);
}

/* Rows of older versions do not know kinds before they are brought up to date (upgrade.h). */
static void check_kinds(struct check *c, uint64_t id, struct fb_table d)
{
	uint64_t n[DICT_KINDS_N] = { 0 };
	uint8_t kinds = directory_kinds(d);
	if (kinds == 0 || !count_files(c, id, n))
		return;
	uint64_t files_n = n[0] + n[1] + n[2];
	for (unsigned k = 0; k < DICT_KINDS_N; k++) {
		uint8_t kind = (uint8_t)(k + 1);
		uint64_t known_n = directory_files_of_kind(d, kind, files_n);
		uint64_t subs_n =
			db_count(c->sn, TABLE_DIRECTORY, DIRECTORY_AUDIO + k, (uint32_t)id);
		if ((n[k] + subs_n > 0) != (kinds >> k & 1))
			finding(c,
				"directory %" PRIu64 " %s is marked wrongly for media of kind %u",
				id, QUOTE(directory_path(d)), kind);
		if (n[k] != known_n)
			finding(c,
				"directory %" PRIu64 " %s has %" PRIu64
				" files of kind %u but says %" PRIu64,
				id, QUOTE(directory_path(d)), n[k], kind, known_n);
	}
}

static void check_directory(struct check *c, uint64_t id, struct fb_table d)
{
	struct fb_table parent;
	uint64_t up = directory_parent_id(d);
	uint64_t n = db_count(c->sn, TABLE_MEDIA, MEDIA_DIR, (uint32_t)id) +
		     db_count(c->sn, TABLE_DIRECTORY, DIRECTORY_SUB, (uint32_t)id);
	check_live(c, "directory", id, directory_path(d), directory_live(d), n);
	check_kinds(c, id, d);
	if (up && (db_get(c->sn, TABLE_DIRECTORY, up, &parent) != ERR_OK ||
		   !span_eq(directory_path(parent), path_directory(directory_path(d)))))
		finding(c, "directory %" PRIu64 " %s is not below its parent %" PRIu64, id,
			QUOTE(directory_path(d)), up);
}

static void check_term(struct check *c, uint64_t id, struct fb_table t)
{
	uint64_t albums_n = db_count(c->sn, TABLE_ALBUM, ALBUM_ARTIST, (uint32_t)id);
	if (term_albums(t) && albums_n == 0)
		finding(c, "artist %" PRIu64 " %s is marked as having albums", id,
			QUOTE(term_name(t)));

	check_live(c, "term", id, term_name(t), term_live(t),
		   db_count(c->sn, TABLE_MEDIA, MEDIA_TERM, (uint32_t)id));
}

static void check_album(struct check *c, uint64_t id, struct fb_table a)
{
	check_live(c, "album", id, album_title(a), album_live(a),
		   db_count(c->sn, TABLE_MEDIA, MEDIA_ALBUM, (uint32_t)id));
}

static void check_entry(struct check *c, uint64_t id, struct fb_table t)
{
	struct fb_table row;
	uint64_t playlist = playlist_entry_playlist_id(t), media = playlist_entry_media_id(t);
	struct span uri = playlist_entry_uri(t);
	if (db_get(c->sn, TABLE_PLAYLIST, playlist, &row) != ERR_OK)
		finding(c, "entry %" PRIu64 " is of playlist %" PRIu64 ", which is missing", id,
			playlist);
	if (media && db_get(c->sn, TABLE_MEDIA, media, &row) != ERR_OK)
		finding(c, "entry %" PRIu64 " names file %" PRIu64 ", which is missing", id, media);
	if (!media &&
	    library_media_by_path((const struct library_snap *)c->sn, uri, &row) == ERR_OK)
		finding(c, "entry %" PRIu64 " does not know the file at %s", id, QUOTE(uri));
}

static void check_bookmark(struct check *c, uint64_t id, struct fb_table t)
{
	struct fb_table row;
	(void)t;
	if (db_get(c->sn, TABLE_MEDIA, id, &row) != ERR_OK)
		finding(c, "a bookmark is of file %" PRIu64 ", which is missing", id);
}

static void check_table(struct check *c, unsigned table,
			void (*row_check)(struct check *c, uint64_t id, struct fb_table row))
{
	uint64_t id = 0;
	struct fb_table row;
	for (uint64_t from = 0; from <= DB_ID_MAX && !db_hurried(c->db); from = id + 1) {
		enum err e = db_row_from(c->sn, table, from, &id, &row);
		if (e == ERR_NOTFOUND)
			break;
		if (e == ERR_OK)
			row_check(c, id, row);
		/* else db_check() has named it */
	}
}

enum err check_records(const struct db *db, const struct db_snap *sn,
		       void (*report)(void *ctx, const char *line), void *ctx)
{
	struct check c = { .db = db, .sn = sn, .report = report, .ctx = ctx };
	check_table(&c, TABLE_MEDIA, check_media);
	check_table(&c, TABLE_DIRECTORY, check_directory);
	check_table(&c, TABLE_TERM, check_term);
	check_table(&c, TABLE_ALBUM, check_album);
	check_table(&c, TABLE_PLAYLIST_ENTRY, check_entry);
	check_table(&c, TABLE_BOOKMARK, check_bookmark);
	if (db_hurried(db))
		return ERR_CLOSED;
	return c.found ? ERR_CORRUPT : ERR_OK;
}
