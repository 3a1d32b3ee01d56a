/* SPDX-License-Identifier: MIT */
/* Bookmarks and settings of a commit, and what the operations on lists have in common. */
#include <stdlib.h>

#include "library/apply.h"
#include "library/batch_lists.h"
#include "library/lookup.h"
#include "library/tables.h"

void lists_fini(struct lists *l)
{
	id_map_fini(&l->busy);
	free(l->bookmark_ops);
	free(l->bookmarks);
	id_map_fini(&l->bookmark_by_media);
	free(l->settings);
	id_map_fini(&l->setting_by_hash);
}

enum err lists_grow(void **p, uint32_t *cap, uint32_t n, size_t size)
{
	if (n < *cap)
		return ERR_OK;
	uint32_t bigger_cap = *cap ? 2 * *cap : 16;
	void *bigger = realloc(*p, bigger_cap * size);
	if (!bigger)
		return ERR_NOMEM;
	*p = bigger;
	*cap = bigger_cap;
	return ERR_OK;
}

void lists_touch(struct lists *l, uint64_t playlist_id)
{
	for (unsigned i = 0; i < l->touched_n; i++)
		if (l->touched[i] == playlist_id)
			return;
	if (l->touched_n < LISTS_TOUCHED_MAX)
		l->touched[l->touched_n++] = (uint32_t)playlist_id;
	else
		l->touched_overflow = true;
}

static bool is_playlist_op(enum op_kind kind)
{
	return kind >= OP_PLAYLIST_CREATE && kind <= OP_PLAYLIST_IMPORT;
}

bool lists_must_wait(const struct apply *a, const struct op *op)
{
	bool playlists = a->lists.busy.n > 0;
	if (op->kind < OP_PLAYLIST_CREATE)
		return playlists && op->kind != OP_ROOT;
	if (!is_playlist_op(op->kind))
		return false;
	const struct playlist_args *args = op->args;
	return a->entries_n > 0 ||
	       (args->playlist_id && id_map_get(&a->lists.busy, args->playlist_id) != ID_MAP_NONE);
}

static void set_result(struct op_result *r, enum err e, uint64_t id)
{
	if (r)
		*r = (struct op_result){ .err = e, .id = id, .done_n = e == ERR_OK };
}

/* ---- bookmarks ------------------------------------------------------------------------------- */

static enum err note_bookmark_op(struct apply *a, const struct op *op)
{
	struct lists *l = &a->lists;
	void *p = l->bookmark_ops;
	enum err e =
		lists_grow(&p, &l->bookmark_ops_cap, l->bookmark_ops_n, sizeof *l->bookmark_ops);
	l->bookmark_ops = p;
	if (e == ERR_OK)
		l->bookmark_ops[l->bookmark_ops_n++] = op;
	return e;
}

/* Whether the file will be there after this commit. */
static bool media_stays(const struct apply *a, uint64_t media_id)
{
	struct fb_table media;
	uint32_t i = id_map_get(&a->entry_by_id, media_id);
	if (i != DICT_NONE)
		return a->entries[i].fate != FILE_GONE;
	return db_get(a->base, TABLE_MEDIA, media_id, &media) == ERR_OK;
}

/* 0: there is no such file. */
static uint64_t bookmarked_media(const struct apply *a, const struct bookmark_change *c)
{
	struct fb_table media;
	if (c->media_id)
		return media_stays(a, c->media_id) ? c->media_id : 0;
	uint64_t id = apply_file_at(a, c->path); /* its record may be new in this commit */
	if (id ||
	    library_media_by_path((const struct library_snap *)a->base, c->path, &media) != ERR_OK)
		return id;
	return media_stays(a, media_file_id(media)) ? media_file_id(media) : 0;
}

static enum err bookmark_note_of(struct lists *l, uint64_t media_id, struct bookmark_note **out)
{
	uint32_t i = id_map_get(&l->bookmark_by_media, media_id);
	if (i == ID_MAP_NONE) {
		void *p = l->bookmarks;
		i = l->bookmarks_n;
		enum err e = lists_grow(&p, &l->bookmarks_cap, i, sizeof *l->bookmarks);
		l->bookmarks = p;
		if (e == ERR_OK)
			e = id_map_set(&l->bookmark_by_media, media_id, i);
		if (e != ERR_OK)
			return e;
		l->bookmarks[l->bookmarks_n++] = (struct bookmark_note){ .media_id = media_id };
	}
	*out = &l->bookmarks[i];
	return ERR_OK;
}

static enum err do_bookmark_set(struct apply *a, const struct op *op)
{
	const struct bookmark_change *c = op->args;
	struct bookmark_note *note;
	uint64_t id = bookmarked_media(a, c);
	set_result(op->result, id ? ERR_OK : ERR_NOTFOUND, id);
	enum err e = id ? bookmark_note_of(&a->lists, id, &note) : ERR_OK;
	if (id == 0 || e != ERR_OK)
		return e;
	note->set = true;
	note->position_ms = c->position_ms;
	uint64_t played_n = (uint64_t)note->played_n + c->played_n;
	note->played_n = (uint32_t)MIN(played_n, (uint64_t)UINT32_MAX);
	if (c->last_played || c->played_n)
		note->last_played = c->last_played ? c->last_played : a->now_s;
	note->client = c->client;
	return ERR_OK;
}

static enum err do_bookmark_remove(struct apply *a, const struct op *op)
{
	const struct bookmark_change *c = op->args;
	struct fb_table stored;
	uint32_t i = id_map_get(&a->lists.bookmark_by_media, c->media_id);
	bool there = i != ID_MAP_NONE
			     ? a->lists.bookmarks[i].set
			     : db_get(a->base, TABLE_BOOKMARK, c->media_id, &stored) == ERR_OK;
	set_result(op->result, there ? ERR_OK : ERR_NOTFOUND, c->media_id);
	struct bookmark_note *note;
	enum err e = there ? bookmark_note_of(&a->lists, c->media_id, &note) : ERR_OK;
	if (there && e == ERR_OK)
		*note = (struct bookmark_note){ .media_id = c->media_id, .remove = true };
	return e;
}

static enum err write_bookmark(struct apply *a, const struct bookmark_note *note)
{
	struct fb_table stored;
	bool known = db_get(a->base, TABLE_BOOKMARK, note->media_id, &stored) == ERR_OK;
	if (!note->set && !known)
		return ERR_OK; /* made and removed again */
	a->rows_n++;
	if (!note->set)
		return db_txn_remove(a->txn, TABLE_BOOKMARK, note->media_id);
	struct bookmark_in in = { .media_id = note->media_id,
				  .position_ms = note->position_ms,
				  .play_count = note->played_n,
				  .last_played = note->last_played,
				  .client = note->client,
				  .updated_at = a->now_s };
	if (known && !note->remove) {
		uint64_t count = (uint64_t)bookmark_play_count(stored) + note->played_n;
		in.play_count = (uint32_t)MIN(count, (uint64_t)UINT32_MAX);
		if (in.last_played == 0)
			in.last_played = bookmark_last_played(stored);
	}
	return db_txn_put(a->txn, TABLE_BOOKMARK, in.media_id, &in);
}

/* The bookmark goes with the record. */
static enum err drop_bookmarks(struct apply *a)
{
	struct fb_table stored;
	enum err e = ERR_OK;
	if (db_rows(a->base, TABLE_BOOKMARK) == 0)
		return ERR_OK;
	for (uint32_t i = 0; i < a->entries_n && e == ERR_OK; i++) {
		const struct file_entry *f = &a->entries[i];
		if (f->fate != FILE_GONE || f->stored.pos == 0 ||
		    id_map_get(&a->lists.bookmark_by_media, f->id) != ID_MAP_NONE ||
		    db_get(a->base, TABLE_BOOKMARK, f->id, &stored) != ERR_OK)
			continue;
		e = db_txn_remove(a->txn, TABLE_BOOKMARK, f->id);
		a->rows_n++;
	}
	return e;
}

static enum err settle_bookmarks(struct apply *a)
{
	struct lists *l = &a->lists;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < l->bookmark_ops_n && e == ERR_OK; i++) {
		const struct op *op = l->bookmark_ops[i];
		e = op->kind == OP_BOOKMARK_SET ? do_bookmark_set(a, op)
						: do_bookmark_remove(a, op);
	}
	if (e == ERR_OK)
		e = drop_bookmarks(a);
	for (uint32_t i = 0; i < l->bookmarks_n && e == ERR_OK; i++)
		e = write_bookmark(a, &l->bookmarks[i]);
	return e;
}

/* ---- settings -------------------------------------------------------------------------------- */

static struct setting_note *find_setting_note(struct lists *l, struct span name)
{
	uint32_t i = id_map_get(&l->setting_by_hash, entry_uri_hash(name));
	while (i != ID_MAP_NONE && !span_eq(l->settings[i].name, name))
		i = l->settings[i].next;
	return i == ID_MAP_NONE ? NULL : &l->settings[i];
}

static enum err add_setting_note(struct lists *l, struct span name, struct setting_note **out)
{
	void *p = l->settings;
	uint64_t hash = entry_uri_hash(name);
	enum err e = lists_grow(&p, &l->settings_cap, l->settings_n, sizeof *l->settings);
	l->settings = p;
	if (e != ERR_OK)
		return e;
	*out = &l->settings[l->settings_n];
	**out = (struct setting_note){ .name = name,
				       .remove = true, /* nothing yet */
				       .next = id_map_get(&l->setting_by_hash, hash) };
	e = id_map_set(&l->setting_by_hash, hash, l->settings_n);
	l->settings_n += e == ERR_OK;
	return e;
}

static enum err do_setting(struct apply *a, const struct op *op)
{
	const struct setting_args *args = op->args;
	struct setting_note *note = find_setting_note(&a->lists, args->name);
	struct fb_table stored;
	bool there = note ? !note->remove : setting_find(a->base, args->name, &stored) == ERR_OK;
	if (op->kind == OP_SETTING_REMOVE && !there) {
		set_result(op->result, ERR_NOTFOUND, 0);
		return ERR_OK;
	}
	enum err e = note ? ERR_OK : add_setting_note(&a->lists, args->name, &note);
	if (e != ERR_OK)
		return e;
	note->remove = op->kind == OP_SETTING_REMOVE;
	note->value = args->value;
	note->result = op->result;
	set_result(op->result, ERR_OK, 0);
	return ERR_OK;
}

static enum err write_settings(struct apply *a)
{
	struct lists *l = &a->lists;
	uint64_t n = library_settings_n((const struct library_snap *)a->base);
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < l->settings_n && e == ERR_OK; i++) {
		const struct setting_note *note = &l->settings[i];
		struct fb_table stored;
		bool known = setting_find(a->base, note->name, &stored) == ERR_OK;
		if (note->remove && known) {
			e = db_txn_remove(a->txn, TABLE_SETTING, setting_id(stored));
			n--;
		} else if (!note->remove && !known && n >= SETTINGS_MAX) {
			set_result(note->result, ERR_LIMIT, 0);
			continue;
		} else if (!note->remove) {
			struct setting_in in = { .name = note->name, .value = note->value };
			in.id = known ? setting_id(stored) : db_txn_new_id(a->txn, TABLE_SETTING);
			e = db_txn_put(a->txn, TABLE_SETTING, in.id, &in);
			n += !known;
		} else {
			continue; /* made and removed again */
		}
		a->rows_n++;
	}
	return e;
}

/* ---- all ------------------------------------------------------------------------------------- */

enum err lists_op(struct apply *a, const struct op *op)
{
	if (is_playlist_op(op->kind))
		return playlist_op(a, op);
	if (op->kind == OP_BOOKMARK_SET || op->kind == OP_BOOKMARK_REMOVE)
		return note_bookmark_op(a, op);
	return do_setting(a, op);
}

enum err lists_settle(struct apply *a)
{
	enum err e = settle_bookmarks(a);
	if (e == ERR_OK)
		e = write_settings(a);
	return e == ERR_OK ? playlists_follow(a) : e;
}
