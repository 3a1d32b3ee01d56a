/* SPDX-License-Identifier: MIT */
/* Reading playlists. */
#include "library/lookup.h"
#include "library/playlists.h"
#include "library/tables.h"
#include "schema/media_fb.h"

uint64_t library_playlists_n(const struct library_snap *sn)
{
	return db_count(snap_db(sn), TABLE_PLAYLIST, PLAYLIST_NAME, 0);
}

void library_playlists(const struct library_snap *sn, uint64_t offset, struct playlist_cursor *out)
{
	db_seek(&out->cursor, snap_db(sn), TABLE_PLAYLIST, PLAYLIST_NAME, 0, offset);
}

bool playlist_cursor_next(struct playlist_cursor *c, struct fb_table *out)
{
	return row_next(&c->cursor, out);
}

enum err library_playlist_get(const struct library_snap *sn, uint64_t playlist_id,
			      struct fb_table *out)
{
	return db_get(snap_db(sn), TABLE_PLAYLIST, playlist_id, out);
}

enum err library_playlist_by_path(const struct library_snap *sn, struct span path,
				  struct fb_table *out)
{
	struct db_cursor c;
	struct fb_table row;
	db_seek(&c, snap_db(sn), TABLE_PLAYLIST, PLAYLIST_PATH, (uint32_t)directory_hash(path), 0);
	while (row_next(&c, &row)) {
		if (span_eq(playlist_path(row), path)) {
			*out = row;
			return ERR_OK;
		}
	}
	return ERR_NOTFOUND;
}

bool library_playlist_follows_file(struct fb_table playlist)
{
	return playlist_modified(playlist) != 0;
}

/* ---- entries --------------------------------------------------------------------------------- */

uint64_t library_playlist_entries_n(const struct library_snap *sn, uint64_t playlist_id)
{
	return db_count(snap_db(sn), TABLE_PLAYLIST_ENTRY, ENTRY_ORDER, (uint32_t)playlist_id);
}

uint64_t library_playlist_present_n(const struct library_snap *sn, uint64_t playlist_id)
{
	return db_count(snap_db(sn), TABLE_PLAYLIST_ENTRY, ENTRY_PRESENT, (uint32_t)playlist_id);
}

uint64_t library_playlist_duration_ms(const struct library_snap *sn, uint64_t playlist_id)
{
	struct playlist_items items;
	struct playlist_item item;
	uint64_t sum_ms = 0;
	library_playlist_items(sn, playlist_id, 0, &items);
	while (playlist_items_next(&items, &item))
		sum_ms += item.duration_ms;
	return sum_ms;
}

void library_playlist_items(const struct library_snap *sn, uint64_t playlist_id, uint64_t offset,
			    struct playlist_items *out)
{
	out->damaged_n = 0;
	db_seek(&out->cursor, snap_db(sn), TABLE_PLAYLIST_ENTRY, ENTRY_ORDER, (uint32_t)playlist_id,
		offset);
}

bool playlist_items_next(struct playlist_items *items, struct playlist_item *out)
{
	struct db_cursor *c = &items->cursor;
	uint64_t id;
	struct playlist_item item = { 0 };
	item.position = (uint32_t)db_cursor_offset(c);
	while (db_next(c, &id)) {
		if (db_get(c->sn, TABLE_PLAYLIST_ENTRY, id, &item.entry) != ERR_OK) {
			items->damaged_n++;
			item.position = (uint32_t)db_cursor_offset(c);
			continue;
		}
		item.entry_id = id;
		item.title = playlist_entry_title(item.entry);
		item.duration_ms = playlist_entry_duration_ms(item.entry);
		uint64_t media = playlist_entry_media_id(item.entry);
		if (media && db_get(c->sn, TABLE_MEDIA, media, &item.media) == ERR_OK) {
			item.title = media_file_title(item.media);
			item.duration_ms = media_file_duration_ms(item.media);
		}
		*out = item;
		return true;
	}
	return false;
}
