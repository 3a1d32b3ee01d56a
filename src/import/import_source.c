/* SPDX-License-Identifier: MIT */
/* The streams of a source. */
#include "import/import_source.h"

#include <stdlib.h>

#include "base/buf.h"

#define ROW_TEXT_MAX_BYTES (2u << 20) /* texts of one row that had to be changed */

enum err import_source_open(const struct import_source_ops *ops, struct sqlite_file *f,
			    struct import_source **out)
{
	CLEANUP(import_source_closep) struct import_source *s = calloc(1, sizeof *s);

	if (!s)
		return ERR_NOMEM;
	s->ops = ops;
	s->file = f;
	arena_init(&s->arena, ROW_TEXT_MAX_BYTES);
	enum err e = ops->open(s);
	if (e == ERR_OK)
		*out = TAKE(s);
	return e;
}

void import_source_close(struct import_source *s)
{
	if (!s)
		return;
	sqlite_cursor_close(&s->items);
	sqlite_cursor_close(&s->playlists);
	sqlite_cursor_close(&s->entries);
	sqlite_cursor_close(&s->bookmarks);
	arena_fini(&s->arena);
	free(s);
}

void import_source_closep(struct import_source **s)
{
	import_source_close(*s);
}

static enum err next_row(struct import_source *s, struct sqlite_cursor *c)
{
	arena_reset(&s->arena);
	return sqlite_cursor_next(c);
}

enum err import_next_item(struct import_source *s, struct media_file_in *out)
{
	enum err e = next_row(s, &s->items);

	if (e == ERR_OK)
		s->ops->item(s, out);
	return e;
}

enum err import_next_playlist(struct import_source *s, struct import_playlist *out)
{
	enum err e = next_row(s, &s->playlists);

	if (e == ERR_OK)
		s->ops->playlist(s, out);
	return e;
}

/* Both cursors are in order of the playlists' keys: entries of one that was passed over are passed
 * over, and those of a later one wait. */
enum err import_next_entry(struct import_source *s, struct import_entry *out)
{
	for (;;) {
		arena_reset(&s->arena);
		enum err e = s->entry_ahead ? ERR_OK : sqlite_cursor_next(&s->entries);

		if (e != ERR_OK)
			return e;
		int64_t key = sqlite_cursor_number(&s->entries, 0, INT64_MIN, INT64_MAX, INT64_MIN);
		s->entry_ahead = key > s->playlists.key;
		if (s->entry_ahead)
			return ERR_NOTFOUND;
		if (key == s->playlists.key)
			break;
	}
	s->ops->entry(s, out);
	return ERR_OK;
}

enum err import_next_bookmark(struct import_source *s, struct import_bookmark *out)
{
	enum err e = next_row(s, &s->bookmarks);

	if (e == ERR_OK)
		s->ops->bookmark(s, out);
	return e;
}

enum err import_open_cursor(struct import_source *s, struct buf *sql, const char *skip,
			    struct sqlite_cursor *out)
{
	enum err e = buf_err(sql);

	if (e == ERR_OK)
		e = sqlite_cursor_open(out, s->file, buf_cstr(sql), skip);
	buf_fini(sql);
	return e;
}

void import_add_columns(struct import_source *s, const char *table, const char *alias,
			const char *const *columns, size_t columns_n, struct buf *sql)
{
	for (size_t i = 0; i < columns_n; i++) {
		buf_add_str(sql, ", ");
		sqlite_file_add_column(s->file, table, alias, columns[i], sql);
	}
}
