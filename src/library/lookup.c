/* SPDX-License-Identifier: MIT */
/* Look-ups by name: the index narrows down, the record decides. */
#include "library/batch_priv.h"
#include "library/listing.h"
#include "library/lookup.h"
#include "library/tables.h"

bool row_next(struct db_cursor *c, struct fb_table *out)
{
	uint64_t id;
	while (db_next(c, &id))
		if (db_get(c->sn, c->table, id, out) == ERR_OK)
			return true;
	return false;
}

/* Who takes one row may want no other: what is read ahead doubles. */
#define AHEAD_FIRST 4u

void row_reader_seek(struct row_reader *r, const struct db_snap *sn, unsigned table, unsigned index,
		     uint32_t group, uint64_t offset)
{
	r->at = r->n = 0;
	r->ahead_n = AHEAD_FIRST;
	db_seek(&r->cursor, sn, table, index, group, offset);
}

const struct db_row *row_reader_next(struct row_reader *r, uint64_t rows_max)
{
	if (r->at == r->n) {
		r->at = 0;
		r->n = db_next_rows(&r->cursor, r->rows, MIN(r->ahead_n, rows_max));
		r->ahead_n = MIN(r->ahead_n * 2, (size_t)DB_ROWS_AT_ONCE);
	}
	return r->at < r->n ? &r->rows[r->at++] : NULL;
}

enum err directory_find(const struct db_snap *sn, struct span path, struct fb_table *out)
{
	struct db_cursor c;
	uint64_t id;
	struct fb_table row;
	db_seek(&c, sn, TABLE_DIRECTORY, DIRECTORY_PATH, (uint32_t)directory_hash(path), 0);
	while (db_next(&c, &id)) {
		if (db_get(sn, TABLE_DIRECTORY, id, &row) == ERR_OK &&
		    span_eq(directory_path(row), path)) {
			*out = row;
			return ERR_OK;
		}
	}
	return ERR_NOTFOUND;
}

enum err term_find(const struct db_snap *sn, uint8_t kind, struct span name, struct fb_table *out)
{
	struct db_cursor c;
	uint64_t id;
	struct fb_table row;
	db_seek(&c, sn, TABLE_TERM, TERM_LOOKUP, (uint32_t)term_hash(kind, name), 0);
	while (db_next(&c, &id)) {
		if (db_get(sn, TABLE_TERM, id, &row) == ERR_OK && term_kind(row) == kind &&
		    span_eq(term_name(row), name)) {
			*out = row;
			return ERR_OK;
		}
	}
	return ERR_NOTFOUND;
}

enum err album_find(const struct db_snap *sn, uint32_t artist_id, uint64_t directory_id,
		    struct span title, struct fb_table *out)
{
	struct db_cursor c;
	uint64_t id;
	struct fb_table row;
	uint32_t group = (uint32_t)album_hash(artist_id, directory_id, title);
	db_seek(&c, sn, TABLE_ALBUM, ALBUM_LOOKUP, group, 0);
	while (db_next(&c, &id)) {
		if (db_get(sn, TABLE_ALBUM, id, &row) == ERR_OK &&
		    album_artist_id(row) == artist_id && album_directory_id(row) == directory_id &&
		    span_eq(album_title(row), title)) {
			*out = row;
			return ERR_OK;
		}
	}
	return ERR_NOTFOUND;
}

/* The file of that name in a directory: its name, or where `path` is given, its path is that. */
static enum err file_find(const struct db_snap *sn, uint64_t directory_id, struct span filename,
			  struct span path, struct fb_table *out)
{
	uint8_t bytes[COLLATE_KEY_MAX], scratch[DB_KEY_BYTES_MAX];
	struct span key = span_of(bytes, library_collate_key(filename, bytes));
	struct db_cursor c;
	uint64_t id;
	struct span at;
	struct fb_table row;
	db_seek_key(&c, sn, TABLE_MEDIA, MEDIA_DIR, (uint32_t)directory_id, key);
	while (db_next_key(&c, &id, &at, scratch) && span_eq(at, key)) {
		if (db_get(sn, TABLE_MEDIA, id, &row) == ERR_OK &&
		    (path.n ? span_eq(media_file_path(row), path)
			    : span_eq(media_file_filename(row), filename))) {
			*out = row;
			return ERR_OK;
		}
	}
	return ERR_NOTFOUND;
}

enum err media_find(const struct db_snap *sn, uint64_t directory_id, struct span filename,
		    struct fb_table *out)
{
	return file_find(sn, directory_id, filename, (struct span){ 0 }, out);
}

/* ---- for the scanner ------------------------------------------------------------------------- */

enum err library_media_get(const struct library_snap *sn, uint64_t media_id, struct fb_table *out)
{
	return db_get(snap_db(sn), TABLE_MEDIA, media_id, out);
}

/* Directories of that hash, mostly one: the file's own path says whether it is the right one. */
enum err library_media_by_path(const struct library_snap *sn, struct span path,
			       struct fb_table *out)
{
	struct db_cursor c;
	uint64_t directory_id;
	if (!path_is_sound(path))
		return ERR_NOTFOUND;
	uint32_t group = (uint32_t)directory_hash(path_directory(path));
	db_seek(&c, snap_db(sn), TABLE_DIRECTORY, DIRECTORY_PATH, group, 0);
	while (db_next(&c, &directory_id)) {
		enum err e = file_find(snap_db(sn), directory_id, path_name(path), path, out);
		if (e != ERR_NOTFOUND)
			return e;
	}
	return ERR_NOTFOUND;
}

enum err library_media_by_inode(const struct library_snap *sn, uint64_t device, uint64_t inode,
				struct fb_table *out)
{
	uint8_t bytes[4], scratch[DB_KEY_BYTES_MAX];
	inode_key(inode, bytes);
	struct span key = span_of(bytes, sizeof bytes);
	struct db_cursor c;
	uint64_t id;
	struct span at;
	struct fb_table row;
	db_seek_key(&c, snap_db(sn), TABLE_MEDIA, MEDIA_INODE, inode_group(device, inode), key);
	while (db_next_key(&c, &id, &at, scratch)) {
		if (db_get(snap_db(sn), TABLE_MEDIA, id, &row) != ERR_OK)
			continue;
		if (media_file_device(row) == device && media_file_inode(row) == inode) {
			*out = row;
			return ERR_OK;
		}
		if ((uint32_t)media_file_inode(row) > (uint32_t)inode)
			break;
	}
	return ERR_NOTFOUND;
}

enum err library_directory_find(const struct library_snap *sn, struct span path, uint64_t *out_id)
{
	struct fb_table row;
	enum err e = directory_find(snap_db(sn), path, &row);
	if (e == ERR_OK)
		*out_id = directory_id(row);
	return e;
}

bool library_directory_holds(const struct library_snap *sn, struct span path)
{
	uint64_t id;
	if (library_directory_find(sn, path, &id) != ERR_OK)
		return false;
	return db_count(snap_db(sn), TABLE_MEDIA, MEDIA_DIR, (uint32_t)id) > 0 ||
	       db_count(snap_db(sn), TABLE_DIRECTORY, DIRECTORY_SUB, (uint32_t)id) > 0;
}

void library_directory_files(const struct library_snap *sn, uint64_t directory_id,
			     struct directory_cursor *out)
{
	row_reader_seek(&out->reader, snap_db(sn), TABLE_MEDIA, MEDIA_DIR, (uint32_t)directory_id,
			0);
}

void library_directory_subdirs(const struct library_snap *sn, uint64_t directory_id,
			       struct directory_cursor *out)
{
	row_reader_seek(&out->reader, snap_db(sn), TABLE_DIRECTORY, DIRECTORY_SUB,
			(uint32_t)directory_id, 0);
}

/* What cannot be read is passed over. */
static bool directory_cursor_next(struct directory_cursor *c, struct fb_table *out)
{
	const struct db_row *r;
	while ((r = row_reader_next(&c->reader, UINT64_MAX))) {
		if (r->row.pos) {
			*out = r->row;
			return true;
		}
	}
	return false;
}

bool directory_cursor_file(struct directory_cursor *c, struct fb_table *out)
{
	return directory_cursor_next(c, out);
}

bool directory_cursor_subdir(struct directory_cursor *c, struct fb_table *out)
{
	return directory_cursor_next(c, out);
}
