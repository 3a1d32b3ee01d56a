/* SPDX-License-Identifier: MIT */
/* Playlists of a commit. Order keys leave gaps of 2^32, so that what is put between two entries
 * writes only itself; where a gap is used up, as many neighbours get new keys as it takes to have
 * room again. */
#include <stdlib.h>

#include "library/apply.h"
#include "library/batch_lists.h"
#include "library/lookup.h"
#include "library/tables.h"

#define ORDER_GAP (1ull << 32)
#define ORDER_FIRST (1ull << 62) /* of the first entry: there is room on both sides */
#define ORDER_LAST (UINT64_MAX - 1)
#define ORDER_ROOM_MIN 256u	 /* between entries that get new keys, on average */
#define RENUMBER_ENTRIES_MIN 32u /* on each side, at first */
#define REPLACE_LOOK_AHEAD 64u	 /* entries that may have gone in one place */

/* One operation at work on one playlist. */
struct work {
	struct apply *a;
	const struct playlist_args *args;
	struct op_result result;
	uint64_t id; /* of the playlist */
	struct fb_table row;
	uint32_t entries_n; /* in the base */
};

static void fail_part(struct work *w, uint32_t i)
{
	if (w->result.failed_n < OP_FAILED_MAX)
		w->result.failed[w->result.failed_n] = i;
	w->result.failed_n++;
}

static void seek_entry(const struct work *w, struct db_cursor *c, uint64_t at)
{
	db_seek(c, w->a->base, TABLE_PLAYLIST_ENTRY, ENTRY_ORDER, (uint32_t)w->id, at);
}

static enum err put_entry(struct apply *a, const struct playlist_entry_in *in)
{
	a->rows_n++;
	return db_txn_put(a->txn, TABLE_PLAYLIST_ENTRY, in->id, in);
}

static struct playlist_entry_in entry_as_stored(struct fb_table t)
{
	return (struct playlist_entry_in){ .id = playlist_entry_id(t),
					   .playlist_id = playlist_entry_playlist_id(t),
					   .order = playlist_entry_order(t),
					   .media_id = playlist_entry_media_id(t),
					   .uri = playlist_entry_uri(t),
					   .title = playlist_entry_title(t),
					   .duration_ms = playlist_entry_duration_ms(t),
					   .added_at = playlist_entry_added_at(t) };
}

/* ---- the playlist itself --------------------------------------------------------------------- */

static struct playlist_source source_as_stored(struct fb_table row)
{
	return (struct playlist_source){ .path = playlist_path(row),
					 .size = playlist_size(row),
					 .device = playlist_device(row),
					 .inode = playlist_inode(row),
					 .modified = playlist_modified(row),
					 .unsettled = playlist_unsettled(row) };
}

static void set_source(struct playlist_in *in, struct playlist_source s)
{
	in->path = s.path;
	in->size = s.size;
	in->device = s.device;
	in->inode = s.inode;
	in->modified = s.modified;
	in->unsettled = s.unsettled;
}

static enum err put_playlist(struct work *w)
{
	const struct playlist_args *args = w->args;
	bool is_new = w->row.pos == 0;
	struct playlist_in in = { .id = w->id,
				  .name = args->name,
				  .description = args->description,
				  .path = args->path,
				  .created_at = w->a->now_s,
				  .updated_at = w->a->now_s };
	if (!is_new) {
		in.created_at = playlist_created_at(w->row);
		set_source(&in, source_as_stored(w->row));
		in.name = args->has_name ? args->name : playlist_name(w->row);
		in.description =
			args->has_description ? args->description : playlist_description(w->row);
	}
	if (args->source.modified)
		set_source(&in, args->source);
	w->a->rows_n++;
	return db_txn_put(w->a->txn, TABLE_PLAYLIST, w->id, &in);
}

/* ---- what entries mean ----------------------------------------------------------------------- */

static void set_media(struct playlist_entry_in *in, struct fb_table media)
{
	in->media_id = media_file_id(media);
	in->uri = media_file_path(media);
	in->title = media_file_title(media);
	in->duration_ms = media_file_duration_ms(media);
}

static bool resolve(const struct work *w, const struct playlist_ref *ref,
		    struct playlist_entry_in *out)
{
	struct fb_table media;
	const struct library_snap *base = (const struct library_snap *)w->a->base;
	*out = (struct playlist_entry_in){ .uri = ref->uri,
					   .title = ref->title,
					   .duration_ms = ref->duration_ms,
					   .playlist_id = w->id,
					   .added_at = w->a->now_s };
	bool known = ref->media_id ? library_media_get(base, ref->media_id, &media) == ERR_OK
				   : library_media_by_path(base, ref->uri, &media) == ERR_OK;
	if (known)
		set_media(out, media);
	else if (out->title.n == 0)
		out->title = path_name(out->uri);
	return known || ref->media_id == 0;
}

/* ---- places ---------------------------------------------------------------------------------- */

struct room { /* keys first, first + step, ... are free */
	uint64_t first, step;
};

/* The order key at a position; ORDER_LAST + 1 behind the end. */
static uint64_t order_at(const struct work *w, uint64_t at)
{
	struct db_cursor c;
	uint64_t id;
	struct fb_table row;
	seek_entry(w, &c, at);
	while (db_next(&c, &id))
		if (db_get(w->a->base, TABLE_PLAYLIST_ENTRY, id, &row) == ERR_OK)
			return playlist_entry_order(row);
	return ORDER_LAST + 1;
}

/* Room for n entries between two keys, none of which may be used: 0 as step where there is none. */
static struct room room_between(uint64_t lo, uint64_t hi, uint32_t n)
{
	uint64_t need = ORDER_GAP * ((uint64_t)n + 1);
	if (lo == 0 && hi > ORDER_LAST)
		return (struct room){ ORDER_FIRST, ORDER_GAP };
	if (hi - lo > need && hi > ORDER_LAST)
		return (struct room){ lo + ORDER_GAP, ORDER_GAP };
	if (hi - lo > need && lo == 0)
		return (struct room){ hi - ORDER_GAP * n, ORDER_GAP };
	uint64_t step = (hi - lo) / ((uint64_t)n + 1);
	return (struct room){ lo + step, step };
}

static bool is_moving(const struct id_map *moving, uint64_t id)
{
	return moving && id_map_get(moving, id) != ID_MAP_NONE;
}

/* Entries from position `from` to `to` get new keys between lo and hi, with room for n before
 * position `at`. Those that move get theirs later. */
static enum err renumber(struct work *w, uint64_t from, uint64_t to, uint64_t lo, uint64_t step,
			 uint32_t at, uint32_t n, const struct id_map *moving, struct room *out)
{
	struct db_cursor c;
	uint64_t id, key = lo;
	struct fb_table row;
	enum err e = ERR_OK;
	seek_entry(w, &c, from);
	for (uint64_t i = from; i <= to && e == ERR_OK; i++) {
		if (i == at) {
			*out = (struct room){ key + step, step };
			key += step * n;
		}
		if (i == to || !db_next(&c, &id))
			continue;
		key += step;
		if (is_moving(moving, id) ||
		    db_get(w->a->base, TABLE_PLAYLIST_ENTRY, id, &row) != ERR_OK)
			continue;
		struct playlist_entry_in in = entry_as_stored(row);
		in.order = key;
		e = put_entry(w->a, &in);
	}
	return e;
}

static enum err make_room(struct work *w, uint32_t at, uint32_t n, const struct id_map *moving,
			  struct room *out)
{
	uint64_t total = w->entries_n;
	at = (uint32_t)MIN((uint64_t)at, total);
	*out = room_between(at ? order_at(w, at - 1) : 0, order_at(w, at), n);
	for (uint64_t side = RENUMBER_ENTRIES_MIN; out->step == 0; side *= 2) {
		uint64_t from = at > side ? at - side : 0;
		uint64_t to = MIN(at + side, total);
		uint64_t lo = from ? order_at(w, from - 1) : 0, hi = order_at(w, to);
		uint64_t step = (hi - lo) / (to - from + n + 1);
		if (step >= ORDER_ROOM_MIN || (from == 0 && to == total))
			return renumber(w, from, to, lo, step, at, n, moving, out);
	}
	return ERR_OK;
}

/* ---- operations on entries ------------------------------------------------------------------- */

static enum err add_refs(struct work *w, uint32_t at)
{
	const struct playlist_args *args = w->args;
	struct room room = { 0 };
	enum err e = make_room(w, at, args->refs_n, NULL, &room);
	for (uint32_t i = 0; i < args->refs_n && e == ERR_OK; i++) {
		struct playlist_entry_in in;
		if (!resolve(w, &args->refs[i], &in)) {
			fail_part(w, i);
			continue;
		}
		in.id = db_txn_new_id(w->a->txn, TABLE_PLAYLIST_ENTRY);
		in.order = room.first + room.step * i;
		e = put_entry(w->a, &in);
		w->result.done_n += e == ERR_OK;
	}
	return e;
}

static enum err remove_all(struct work *w)
{
	struct db_cursor c;
	uint64_t id;
	enum err e = ERR_OK;
	seek_entry(w, &c, 0);
	while (e == ERR_OK && db_next(&c, &id)) {
		e = db_txn_remove(w->a->txn, TABLE_PLAYLIST_ENTRY, id);
		w->a->rows_n++;
	}
	return e;
}

/* The entry, where it is one of this playlist and is not named twice. */
static bool own_entry(const struct work *w, uint64_t id, const struct id_map *seen,
		      struct fb_table *out)
{
	return id_map_get(seen, id) == ID_MAP_NONE &&
	       db_get(w->a->base, TABLE_PLAYLIST_ENTRY, id, out) == ERR_OK &&
	       playlist_entry_playlist_id(*out) == w->id;
}

static enum err remove_entries(struct work *w)
{
	CLEANUP(id_map_fini) struct id_map seen = { 0 };
	const struct playlist_args *args = w->args;
	struct fb_table row;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < args->entry_ids_n && e == ERR_OK; i++) {
		uint64_t id = args->entry_ids[i];
		if (!own_entry(w, id, &seen, &row)) {
			fail_part(w, i);
			continue;
		}
		e = id_map_set(&seen, id, i);
		if (e == ERR_OK)
			e = db_txn_remove(w->a->txn, TABLE_PLAYLIST_ENTRY, id);
		w->a->rows_n++;
		w->result.done_n++;
	}
	return e;
}

static enum err move_entries(struct work *w)
{
	CLEANUP(id_map_fini) struct id_map moving = { 0 };
	const struct playlist_args *args = w->args;
	struct fb_table row;
	struct room room = { 0 };
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < args->entry_ids_n && e == ERR_OK; i++) {
		if (own_entry(w, args->entry_ids[i], &moving, &row))
			e = id_map_set(&moving, args->entry_ids[i], i);
		else
			fail_part(w, i);
	}
	if (e == ERR_OK && moving.n)
		e = make_room(w, args->at, moving.n, &moving, &room);
	for (uint32_t i = 0; i < args->entry_ids_n && e == ERR_OK; i++) {
		uint64_t id = args->entry_ids[i];
		if (id_map_get(&moving, id) != i ||
		    db_get(w->a->base, TABLE_PLAYLIST_ENTRY, id, &row) != ERR_OK)
			continue;
		struct playlist_entry_in in = entry_as_stored(row);
		in.order = room.first + room.step * w->result.done_n++;
		e = put_entry(w->a, &in);
	}
	return e;
}

/* ---- operations ------------------------------------------------------------------------------ */

static enum err do_create(struct work *w)
{
	struct lists *l = &w->a->lists;
	uint64_t n = db_rows(w->a->base, TABLE_PLAYLIST) + l->created_n;
	if (n >= PLAYLISTS_MAX) {
		w->result.err = ERR_LIMIT;
		return ERR_OK;
	}
	l->created_n++;
	w->id = w->result.id = db_txn_new_id(w->a->txn, TABLE_PLAYLIST);
	enum err e = put_playlist(w);
	return e == ERR_OK ? add_refs(w, PLAYLIST_END) : e;
}

/* An entry that was there, by what it means. */
struct old_entry {
	uint64_t id, meaning;
	bool kept;
};

static uint64_t meaning_of(uint64_t media_id, struct span uri)
{
	return media_id ? media_id : entry_uri_hash(uri);
}

/* *out is NULL where there are none, or too many: then all entries are new. */
static enum err load_old(struct work *w, struct old_entry **out, uint32_t *out_n)
{
	struct db_cursor c;
	uint64_t id;
	struct fb_table row;
	uint32_t n = 0;
	*out_n = 0;
	*out = NULL;
	if (w->entries_n == 0 || w->entries_n > PLAYLIST_OP_ENTRIES_MAX)
		return remove_all(w);
	*out = calloc(w->entries_n, sizeof **out);
	if (!*out)
		return ERR_NOMEM;
	seek_entry(w, &c, 0);
	while (n < w->entries_n && db_next(&c, &id)) {
		(*out)[n].id = id;
		if (db_get(w->a->base, TABLE_PLAYLIST_ENTRY, id, &row) == ERR_OK)
			(*out)[n].meaning =
				meaning_of(playlist_entry_media_id(row), playlist_entry_uri(row));
		n++;
	}
	*out_n = n;
	return ERR_OK;
}

static bool entry_same(const struct work *w, const struct playlist_entry_in *in)
{
	struct fb_table row;
	return db_get(w->a->base, TABLE_PLAYLIST_ENTRY, in->id, &row) == ERR_OK &&
	       playlist_entry_media_id(row) == in->media_id &&
	       playlist_entry_order(row) == in->order &&
	       playlist_entry_duration_ms(row) == in->duration_ms &&
	       span_eq(playlist_entry_uri(row), in->uri) &&
	       span_eq(playlist_entry_title(row), in->title);
}

/* The next old entry of that meaning, not far behind the last one kept; NULL: it is a new one. */
static struct old_entry *find_old(struct old_entry *old, uint32_t n, uint32_t *from,
				  uint64_t meaning)
{
	for (uint32_t i = *from; i < n && i < *from + REPLACE_LOOK_AHEAD; i++) {
		if (old[i].meaning != meaning)
			continue;
		*from = i + 1;
		old[i].kept = true;
		return &old[i];
	}
	return NULL;
}

static enum err replace_refs(struct work *w, struct old_entry *old, uint32_t old_n)
{
	const struct playlist_args *args = w->args;
	uint32_t from = 0;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < args->refs_n && e == ERR_OK; i++) {
		struct playlist_entry_in in;
		if (!resolve(w, &args->refs[i], &in)) {
			fail_part(w, i);
			continue;
		}
		struct old_entry *o = find_old(old, old_n, &from, meaning_of(in.media_id, in.uri));
		in.id = o ? o->id : db_txn_new_id(w->a->txn, TABLE_PLAYLIST_ENTRY);
		in.order = ORDER_FIRST + ORDER_GAP * i;
		if (!o || !entry_same(w, &in))
			e = put_entry(w->a, &in);
		w->result.done_n += e == ERR_OK;
	}
	for (uint32_t i = 0; i < old_n && e == ERR_OK; i++) {
		if (old[i].kept)
			continue;
		e = db_txn_remove(w->a->txn, TABLE_PLAYLIST_ENTRY, old[i].id);
		w->a->rows_n++;
	}
	return e;
}

/* An entry that is there before and after keeps its id: clients know it by that. */
static enum err do_replace(struct work *w)
{
	struct old_entry *old;
	uint32_t old_n;
	enum err e = load_old(w, &old, &old_n);
	w->entries_n = 0; /* those of the base are no neighbours */
	if (e == ERR_OK)
		e = replace_refs(w, old, old_n);
	free(old);
	return e;
}

static enum err do_delete(struct work *w)
{
	enum err e = remove_all(w);
	w->a->rows_n++;
	w->result.done_n = w->entries_n;
	return e == ERR_OK ? db_txn_remove(w->a->txn, TABLE_PLAYLIST, w->id) : e;
}

/* What an import is among the other operations. */
static enum op_kind kind_of_import(const struct playlist_args *args)
{
	switch (args->how) {
	case PLAYLIST_IMPORT_MORE:
		return OP_PLAYLIST_ADD;
	case PLAYLIST_IMPORT_FILE:
		return OP_PLAYLIST_EDIT;
	case PLAYLIST_IMPORT_GONE:
		return OP_PLAYLIST_DELETE;
	case PLAYLIST_IMPORT_ALL:
		break;
	}
	return OP_PLAYLIST_REPLACE;
}

static enum err do_known(struct work *w, enum op_kind kind)
{
	enum err e = ERR_OK;
	if (kind == OP_PLAYLIST_ADD && w->entries_n + w->args->refs_n > PLAYLIST_ENTRIES_MAX) {
		w->result.err = ERR_LIMIT;
		return ERR_OK;
	}
	if (kind == OP_PLAYLIST_DELETE)
		return do_delete(w);
	if (kind == OP_PLAYLIST_ADD)
		e = add_refs(w, w->args->at);
	else if (kind == OP_PLAYLIST_REPLACE)
		e = do_replace(w);
	else if (kind == OP_PLAYLIST_REMOVE)
		e = remove_entries(w);
	else if (kind == OP_PLAYLIST_MOVE)
		e = move_entries(w);
	return e == ERR_OK ? put_playlist(w) : e;
}

enum err playlist_op(struct apply *a, const struct op *op)
{
	const struct playlist_args *args = op->args;
	struct work w = { .a = a, .args = args, .id = args->playlist_id };
	bool import = op->kind == OP_PLAYLIST_IMPORT;
	enum op_kind kind = import ? kind_of_import(args) : op->kind;
	enum err e = ERR_OK;
	w.result.id = w.id;
	if (kind == OP_PLAYLIST_CREATE || (import && w.id == 0)) {
		e = do_create(&w);
	} else if (w.id > DB_ID_MAX || db_get(a->base, TABLE_PLAYLIST, w.id, &w.row) != ERR_OK) {
		w.result.err = ERR_NOTFOUND;
	} else if (!import && library_playlist_follows_file(w.row)) {
		w.result.err = ERR_ACCESS;
	} else {
		w.entries_n = (uint32_t)db_count(a->base, TABLE_PLAYLIST_ENTRY, ENTRY_ORDER,
						 (uint32_t)w.id);
		e = do_known(&w, kind);
	}
	if (op->result)
		*op->result = w.result;
	if (e != ERR_OK || w.result.err != ERR_OK)
		return e;
	a->lists.listed = true;
	if (kind != OP_PLAYLIST_DELETE)
		lists_touch(&a->lists, w.id);
	return id_map_set(&a->lists.busy, w.id, 1);
}

/* ---- files that go and come ------------------------------------------------------------------ */

/* The file's entries keep what was known of it, or mean what comes to its path. */
static enum err follow_gone(struct apply *a, const struct file_entry *f)
{
	struct db_cursor c;
	uint64_t id;
	struct fb_table row;
	enum err e = ERR_OK;
	db_seek(&c, a->base, TABLE_PLAYLIST_ENTRY, ENTRY_MEDIA, (uint32_t)f->id, 0);
	while (e == ERR_OK && db_next(&c, &id)) {
		if (db_get(a->base, TABLE_PLAYLIST_ENTRY, id, &row) != ERR_OK)
			continue;
		struct playlist_entry_in in = entry_as_stored(row);
		set_media(&in, f->stored);
		in.media_id = apply_file_at(a, in.uri);
		e = put_entry(a, &in);
		lists_touch(&a->lists, in.playlist_id);
	}
	return e;
}

static enum err follow_come(struct apply *a, const struct file_entry *f)
{
	struct db_cursor c;
	uint64_t id, hash = entry_uri_hash(f->path);
	uint8_t bytes[8], scratch[DB_KEY_BYTES_MAX];
	key_be64(hash, bytes);
	struct span key = span_of(bytes, sizeof bytes), at;
	struct fb_table row;
	enum err e = ERR_OK;
	db_seek_key(&c, a->base, TABLE_PLAYLIST_ENTRY, ENTRY_MISSING, 0, key);
	while (e == ERR_OK && db_next_key(&c, &id, &at, scratch) && span_eq(at, key)) {
		if (db_get(a->base, TABLE_PLAYLIST_ENTRY, id, &row) != ERR_OK ||
		    !span_eq(playlist_entry_uri(row), f->path))
			continue;
		struct playlist_entry_in in = entry_as_stored(row);
		in.media_id = f->id;
		e = put_entry(a, &in);
		lists_touch(&a->lists, in.playlist_id);
	}
	return e;
}

static bool has_come(const struct file_entry *f)
{
	return f->fate == FILE_STORED && f->id &&
	       (f->stored.pos == 0 || !span_eq(f->path, media_file_path(f->stored)));
}

enum err playlists_follow(struct apply *a)
{
	enum err e = ERR_OK;
	if (db_rows(a->base, TABLE_PLAYLIST_ENTRY) == 0)
		return ERR_OK;
	bool missing = db_count(a->base, TABLE_PLAYLIST_ENTRY, ENTRY_MISSING, 0) > 0;
	for (uint32_t i = 0; i < a->entries_n && e == ERR_OK; i++) {
		const struct file_entry *f = &a->entries[i];
		if (f->fate == FILE_GONE && f->stored.pos)
			e = follow_gone(a, f);
		else if (missing && has_come(f))
			e = follow_come(a, f);
	}
	return e;
}
