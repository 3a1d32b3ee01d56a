/* SPDX-License-Identifier: MIT */
/* Step 1 of a commit: from operations to the fate of every file they name. */
#include <stdlib.h>

#include "base/blocks.h"
#include "base/clock.h"
#include "library/apply.h"
#include "library/lookup.h"
#include "library/tables.h"

enum err apply_begin(struct apply *a, struct db *db)
{
	memset(a, 0, sizeof *a);
	enum err e = db_txn_begin(db, &a->txn);
	if (e != ERR_OK)
		return e;
	a->base = db_snap_begin(db); /* this thread commits, so this is the transaction's base */
	a->now_s = clock_wall_s();
	dicts_init(&a->dicts, a->txn);
	return ERR_OK;
}

void apply_end(struct apply *a)
{
	db_txn_abort(a->txn);
	db_snap_end(a->base);
	dicts_fini(&a->dicts);
	lists_fini(&a->lists);
	blocks_free(a->entries, a->entries_cap * sizeof *a->entries);
	blocks_free(a->places, a->places_cap * sizeof *a->places);
	free(a->probed);
	id_map_fini(&a->entry_by_id);
	id_map_fini(&a->place_by_hash);
	id_set_fini(&a->touched);
	memset(a, 0, sizeof *a);
}

/* ---- entries and places ---------------------------------------------------------------------- */

/* A new one, without an id; NULL: no memory. */
static struct file_entry *add_entry(struct apply *a)
{
	if (a->entries_n == a->entries_cap) {
		uint32_t cap = a->entries_cap ? 2 * a->entries_cap : 16;
		struct file_entry *entries = blocks_resize(
			a->entries, a->entries_cap * sizeof *entries, cap * sizeof *entries);
		if (!entries)
			return NULL;
		a->entries = entries;
		a->entries_cap = cap;
	}
	struct file_entry *f = &a->entries[a->entries_n++];
	memset(f, 0, sizeof *f);
	return f;
}

static enum err add_stored_entry(struct apply *a, struct fb_table stored, uint32_t *out)
{
	uint64_t id = media_file_id(stored);
	uint32_t *at = id_map_place(&a->entry_by_id, id);
	if (!at)
		return ERR_NOMEM;
	if (*at == ID_MAP_NONE) {
		struct file_entry *f = add_entry(a);
		if (!f)
			return ERR_NOMEM;
		f->id = id;
		f->stored = stored;
		f->path = media_file_path(stored);
		*at = a->entries_n - 1;
	}
	*out = *at;
	return ERR_OK;
}

static uint64_t path_hash(struct span path)
{
	return file_hash(directory_hash(path_directory(path)), path_name(path));
}

/* The same; operations mostly come directory by directory. */
static uint64_t op_hash(struct apply *a, const struct op *op)
{
	if (op->kind == OP_REMOVE)
		return path_hash(op->path);
	const struct batch_file *file = op->file;
	if (a->hashed_directory != file->directory) {
		a->hashed_directory = file->directory;
		a->directory_hash = directory_hash(path_directory(op->path));
	}
	return file_hash(a->directory_hash, span_skip(op->path, file->name_at));
}

/* The place of a path among those of its hash, the newest first. */
static struct place *find_place(const struct apply *a, struct span path, uint32_t newest)
{
	uint32_t i = newest;
	while (i != ID_MAP_NONE && !span_eq(a->places[i].path, path))
		i = a->places[i].next;
	return i == ID_MAP_NONE ? NULL : &a->places[i];
}

uint64_t apply_file_at(const struct apply *a, struct span path)
{
	uint32_t newest = id_map_get(&a->place_by_hash, path_hash(path));
	const struct place *at = find_place(a, path, newest);
	const struct file_entry *f = at && at->entry != DICT_NONE ? &a->entries[at->entry] : NULL;
	return f && f->fate == FILE_STORED ? f->id : 0;
}

/* newest: of its hash, in a->place_by_hash. */
static enum err add_place(struct apply *a, struct place place, uint32_t *newest)
{
	if (a->places_n == a->places_cap) {
		uint32_t cap = a->places_cap ? 2 * a->places_cap : 16;
		struct place *places = blocks_resize(a->places, a->places_cap * sizeof *places,
						     cap * sizeof *places);
		if (!places)
			return ERR_NOMEM;
		a->places = places;
		a->places_cap = cap;
	}
	place.next = *newest;
	*newest = a->places_n;
	a->places[a->places_n++] = place;
	return ERR_OK;
}

/* The record that the store has at an operation's path; DICT_NONE: none. */
static enum err stored_at(struct apply *a, const struct batch *b, const struct op *op,
			  uint32_t *out)
{
	struct span path = op->path;
	const struct db_row *probed = apply_probed(a, b, op);
	struct fb_table stored;
	uint32_t dir;
	*out = DICT_NONE;
	if (probed && probed->id == 0)
		return ERR_OK;
	if (probed)
		return span_eq(media_file_filename(probed->row), path_name(path))
			       ? add_stored_entry(a, probed->row, out)
			       : ERR_OK;
	enum err e = dict_directory(&a->dicts, path_directory(path), false, &dir);
	if (e != ERR_OK)
		return e == ERR_NOTFOUND ? ERR_OK : e;
	const struct dict_row *d = &a->dicts.d[DICT_DIRECTORY].rows[dir];
	if (d->stored.pos == 0 || media_find(a->base, d->id, path_name(path), &stored) != ERR_OK)
		return ERR_OK; /* what is new in this commit holds nothing that is stored */
	return add_stored_entry(a, stored, out);
}

/* What an operation gets that has to wait for the commit. */
#define OP_WAITS ERR_BUSY

/* A file that has a record is known by its id, a new one by its path. */
static bool is_touched(const struct apply *a, uint64_t hash, uint32_t entry)
{
	return id_set_has(&a->touched, entry == DICT_NONE ? hash : a->entries[entry].id);
}

/* The place of an operation's path, whose entry is the file there as things stand after the
 * operations so far, or the one that they removed from there. Valid until the next place. */
static enum err place_of(struct apply *a, const struct batch *b, const struct op *op,
			 struct place **out)
{
	struct place place = { .path = op->path, .hash = op_hash(a, op) };
	uint32_t *newest = id_map_place(&a->place_by_hash, place.hash);
	if (!newest)
		return ERR_NOMEM;
	*out = find_place(a, op->path, *newest);
	if (*out)
		return ERR_OK;
	enum err e = stored_at(a, b, op, &place.entry);
	if (e == ERR_OK && is_touched(a, place.hash, place.entry))
		e = OP_WAITS;
	if (e == ERR_OK)
		e = add_place(a, place, newest);
	if (e == ERR_OK)
		*out = &a->places[a->places_n - 1];
	return e;
}

/* The place that file `i` had is free, unless an operation before gave it to another file. */
static enum err leave_place(struct apply *a, uint32_t i)
{
	struct place place = { .path = a->entries[i].path, .entry = DICT_NONE };
	place.hash = path_hash(place.path);
	uint32_t *newest = id_map_place(&a->place_by_hash, place.hash);
	if (!newest)
		return ERR_NOMEM;
	struct place *known = find_place(a, place.path, *newest);
	if (!known)
		return add_place(a, place, newest);
	if (known->entry == i)
		known->entry = DICT_NONE;
	return ERR_OK;
}

/* ---- operations ------------------------------------------------------------------------------ */

static void set_gone(struct apply *a, uint32_t i, struct batch *owner)
{
	a->entries[i].fate = FILE_GONE;
	a->entries[i].in = NULL;
	a->entries[i].owner = owner;
}

static void set_stored(struct apply *a, uint32_t i, const struct op *op, struct batch *owner)
{
	struct file_entry *f = &a->entries[i];
	f->fate = FILE_STORED;
	f->in = op->file;
	f->path = op->path;
	f->directory = apply_probed_directory(a, owner, op);
	f->owner = owner;
}

static enum err do_put(struct apply *a, struct batch *b, const struct op *op)
{
	struct place *place;
	enum err e = place_of(a, b, op, &place);
	if (e != ERR_OK)
		return e;
	if (place->entry == DICT_NONE) {
		if (!add_entry(a))
			return ERR_NOMEM;
		place->entry = a->entries_n - 1;
	}
	set_stored(a, place->entry, op, b);
	return ERR_OK;
}

static enum err do_remove(struct apply *a, struct batch *b, const struct op *op)
{
	struct place *place;
	enum err e = place_of(a, b, op, &place);
	if (e == ERR_OK && place->entry != DICT_NONE)
		set_gone(a, place->entry, b);
	return e;
}

static enum err do_move(struct apply *a, struct batch *b, const struct op *op)
{
	uint32_t i = id_map_get(&a->entry_by_id, op->media_id);
	struct place *place;
	struct fb_table stored;
	enum err e = ERR_OK;
	if (id_set_has(&a->touched, op->media_id) ||
	    (a->touched.n && op->media_id >= db_next_id(a->base, TABLE_MEDIA)))
		return OP_WAITS; /* the second: it may be a new one's */
	if (i == DICT_NONE) {
		if (db_get(a->base, TABLE_MEDIA, op->media_id, &stored) != ERR_OK)
			return do_put(a, b, op); /* it went before its move was told */
		e = add_stored_entry(a, stored, &i);
	}
	if (e == ERR_OK)
		e = place_of(a, b, op, &place); /* before anything is done: it may have to wait */
	if (e == ERR_OK && !span_eq(a->entries[i].path, op->path))
		e = leave_place(a, i);
	if (e == ERR_OK)
		e = place_of(a, b, op, &place); /* leaving may have moved it */
	if (e != ERR_OK)
		return e;
	if (place->entry != DICT_NONE && place->entry != i)
		set_gone(a, place->entry, b);
	place->entry = i;
	set_stored(a, i, op, b);
	return ERR_OK;
}

/* ---- trees ----------------------------------------------------------------------------------- */

static bool is_below(struct span path, struct span dir)
{
	if (span_eq(dir, SPAN("/")))
		return true;
	return path.n > dir.n && path.p[dir.n] == '/' && span_starts(path, dir);
}

static enum err remove_files_of(struct apply *a, struct batch *b, uint64_t dir, bool *out_full)
{
	struct db_cursor c;
	uint64_t id;
	struct fb_table stored;
	db_seek(&c, a->base, TABLE_MEDIA, MEDIA_DIR, (uint32_t)dir, 0);
	while (db_next(&c, &id)) {
		/* moved away or already settled by an earlier operation; its path tells, below */
		if (id_map_get(&a->entry_by_id, id) != DICT_NONE ||
		    db_get(a->base, TABLE_MEDIA, id, &stored) != ERR_OK)
			continue;
		if (a->entries_n >= COMMIT_FILES_MAX) {
			*out_full = true;
			return ERR_OK;
		}
		uint32_t i;
		enum err e = add_stored_entry(a, stored, &i);
		if (e != ERR_OK)
			return e;
		set_gone(a, i, b);
	}
	return ERR_OK;
}

/* A walk over live directories below a path in the base snapshot, with a stack of its own: a path
 * may have 2,000 components and the writer's stack is small. */
struct tree_level {
	uint64_t dir, next; /* offset of the next sub-directory */
};

struct tree_walk {
	struct tree_level *levels;
	uint32_t n, cap;
};

static enum err tree_push(struct tree_walk *w, uint64_t dir)
{
	if (w->n == w->cap) {
		uint32_t cap = w->cap ? 2 * w->cap : 16;
		struct tree_level *levels = realloc(w->levels, cap * sizeof *levels);
		if (!levels)
			return ERR_NOMEM;
		w->levels = levels;
		w->cap = cap;
	}
	w->levels[w->n++] = (struct tree_level){ .dir = dir };
	return ERR_OK;
}

static void tree_walk_fini(struct tree_walk *w)
{
	free(w->levels);
}

static enum err remove_stored_tree(struct apply *a, struct batch *b, uint64_t top, bool *out_full)
{
	CLEANUP(tree_walk_fini) struct tree_walk w = { 0 };
	enum err e = tree_push(&w, top);
	if (e == ERR_OK)
		e = remove_files_of(a, b, top, out_full);
	while (e == ERR_OK && !*out_full && w.n) {
		struct tree_level *l = &w.levels[w.n - 1];
		struct db_cursor c;
		uint64_t sub;
		db_seek(&c, a->base, TABLE_DIRECTORY, DIRECTORY_SUB, (uint32_t)l->dir, l->next++);
		if (!db_next(&c, &sub)) {
			w.n--;
			continue;
		}
		e = tree_push(&w, sub);
		if (e == ERR_OK)
			e = remove_files_of(a, b, sub, out_full);
	}
	return e;
}

static enum err do_remove_tree(struct apply *a, struct batch *b, const struct op *op,
			       bool *out_full)
{
	for (uint32_t i = 0; i < a->entries_n; i++)
		if (a->entries[i].fate == FILE_STORED && is_below(a->entries[i].path, op->path))
			set_gone(a, i, b);
	struct fb_table top;
	if (directory_find(a->base, op->path, &top) != ERR_OK)
		return ERR_OK;
	return remove_stored_tree(a, b, directory_id(top), out_full);
}

enum err apply_ops(struct apply *a, struct batch *b, uint32_t *at)
{
	enum err e = ERR_OK;
	bool full = false;
	if (a->probed)
		a->probed->n = 0; /* that was another batch, or its beginning */
	while (e == ERR_OK && *at < b->ops_n) {
		const struct op *op = &b->ops[*at];
		full = a->entries_n >= COMMIT_FILES_MAX || lists_must_wait(a, op) ||
		       (a->touched.n && !op_is_single(op));
		if (full)
			break;
		if (op_is_single(op) && !apply_is_probed(a, *at))
			e = apply_probe(a, b, *at);
		if (e != ERR_OK)
			break;
		switch (op->kind) {
		case OP_ROOT:
			e = dict_root(&a->dicts, op->path, op->name);
			break;
		case OP_PUT:
			e = do_put(a, b, op);
			break;
		case OP_MOVE:
			e = do_move(a, b, op);
			break;
		case OP_REMOVE:
			e = do_remove(a, b, op);
			break;
		case OP_REMOVE_TREE:
			e = do_remove_tree(a, b, op, &full);
			break;
		default:
			e = lists_op(a, op);
			break;
		}
		if (e == OP_WAITS)
			return ERR_OK;
		if (full)
			break; /* the rest of the tree goes with the next commit */
		*at += e == ERR_OK;
	}
	return e;
}

/* ---- several batches ------------------------------------------------------------------------- */

bool apply_can_seal(const struct batch *b)
{
	for (uint32_t i = 0; i < b->ops_n; i++)
		if (!op_is_single(&b->ops[i]))
			return false;
	return true;
}

void apply_forget(struct apply *a)
{
	a->entries_n = a->places_n = 0;
	id_map_clear(&a->entry_by_id);
	id_map_clear(&a->place_by_hash);
	a->row.unpacked = a->row.counted = NULL;
	a->hashed_directory = NULL;
	dicts_forget_batch(&a->dicts);
}

/* Files that were stored before are known by their ids wherever they are or were. */
static enum err touch(struct apply *a)
{
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < a->entries_n && e == ERR_OK; i++)
		if (a->entries[i].stored.pos && a->entries[i].fate != FILE_KEPT)
			e = id_set_add(&a->touched, a->entries[i].id);
	for (uint32_t i = 0; i < a->places_n && e == ERR_OK; i++) {
		const struct place *p = &a->places[i];
		const struct file_entry *f = p->entry == DICT_NONE ? NULL : &a->entries[p->entry];
		if (f && f->fate == FILE_STORED &&
		    (f->stored.pos == 0 || !span_eq(p->path, media_file_path(f->stored))))
			e = id_set_add(&a->touched, p->hash);
	}
	return e;
}

enum err apply_seal(struct apply *a)
{
	enum err e = apply_files(a);
	if (e == ERR_OK)
		e = lists_settle(a);
	if (e == ERR_OK)
		e = touch(a);
	apply_forget(a);
	return e;
}
