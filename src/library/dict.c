/* SPDX-License-Identifier: MIT */
/* Directories, terms and albums of one commit. */
#include <stdlib.h>

#include "base/blocks.h"
#include "library/batch_priv.h"
#include "library/dict.h"
#include "library/lookup.h"
#include "library/order.h"
#include "library/tables.h"

static const uint8_t tables[DICTS_N] = {
	[DICT_DIRECTORY] = TABLE_DIRECTORY,
	[DICT_TERM] = TABLE_TERM,
	[DICT_ALBUM] = TABLE_ALBUM,
};

void dicts_init(struct dicts *ds, struct db_txn *txn)
{
	memset(ds, 0, sizeof *ds);
	ds->txn = txn;
	ds->base = db_txn_base(txn);
	ds->last_directory = DICT_NONE;
	arena_init(&ds->names, DICT_NAMES_MAX);
}

void dicts_fini(struct dicts *ds)
{
	for (unsigned i = 0; i < DICTS_N; i++) {
		blocks_free(ds->d[i].rows, ds->d[i].cap * sizeof *ds->d[i].rows);
		id_map_fini(&ds->d[i].by_hash);
		id_map_fini(&ds->d[i].by_id);
	}
	arena_fini(&ds->names);
	memset(ds, 0, sizeof *ds);
}

void dicts_forget_batch(struct dicts *ds)
{
	ds->missing_directory = span_of(NULL, 0);
}

size_t dicts_bytes(const struct dicts *ds)
{
	size_t bytes = ds->names.used_bytes;
	for (unsigned i = 0; i < DICTS_N; i++)
		bytes += ds->d[i].n * sizeof *ds->d[i].rows;
	return bytes;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static uint64_t key_hash(enum dict_number which, const struct dict_key *k)
{
	switch (which) {
	case DICT_DIRECTORY:
		return directory_hash(k->name);
	case DICT_TERM:
		return term_hash(k->kind, k->name);
	default:
		return album_hash(k->artist_id, k->directory_id, k->name);
	}
}

static bool key_eq(const struct dict_key *a, const struct dict_key *b)
{
	return a->kind == b->kind && a->artist_id == b->artist_id &&
	       a->directory_id == b->directory_id && span_eq(a->name, b->name);
}

static uint32_t find_known(const struct dict *d, uint64_t hash, const struct dict_key *key)
{
	uint32_t i = id_map_get(&d->by_hash, hash);
	while (i != DICT_NONE && !key_eq(&d->rows[i].key, key))
		i = d->rows[i].next;
	return i;
}

static enum err add_row(struct dicts *ds, enum dict_number which, const struct dict_row *row,
			uint32_t *out)
{
	struct dict *d = &ds->d[which];
	if (d->n == d->cap) {
		uint32_t cap = d->cap ? 2 * d->cap : 32;
		struct dict_row *rows =
			blocks_resize(d->rows, d->cap * sizeof *rows, cap * sizeof *rows);
		if (!rows)
			return ERR_NOMEM;
		d->rows = rows;
		d->cap = cap;
	}
	uint64_t hash = key_hash(which, &row->key);
	uint32_t i = d->n;
	d->rows[i] = *row;
	d->rows[i].next = id_map_get(&d->by_hash, hash);
	enum err e = id_map_set(&d->by_hash, hash, i);
	if (e == ERR_OK)
		e = id_map_set(&d->by_id, row->id, i);
	if (e != ERR_OK)
		return e; /* ends the commit: a half-known row does no harm */
	d->n++;
	*out = i;
	return ERR_OK;
}

static const uint8_t file_indexes[DICTS_N] = {
	[DICT_DIRECTORY] = MEDIA_DIR,
	[DICT_TERM] = MEDIA_TERM,
	[DICT_ALBUM] = MEDIA_ALBUM,
};

/* Files before this commit. */
static uint64_t base_files(const struct dicts *ds, enum dict_number which, struct dict_row *row)
{
	if (!row->counted && row->stored.pos)
		row->base_n = (uint32_t)db_count(ds->base, TABLE_MEDIA, file_indexes[which],
						 (uint32_t)row->id);
	row->counted = true;
	return row->base_n;
}

/* Live sub-directories before this commit, by one of the indexes of those. */
static uint64_t base_subs(const struct dicts *ds, struct dict_row *row, unsigned index)
{
	unsigned at = index - DIRECTORY_SUB;
	if (!(row->subs_counted & 1u << at) && row->stored.pos)
		row->subs_n[at] =
			(uint32_t)db_count(ds->base, TABLE_DIRECTORY, index, (uint32_t)row->id);
	row->subs_counted |= (uint8_t)(1u << at);
	return row->subs_n[at];
}

/* Versions before the second did not count kinds, and after a repair files are missing: the rows
 * are counted now. */
static void count_files(const struct db_snap *sn, uint64_t directory, uint32_t n[DICT_KINDS_N])
{
	struct db_cursor c;
	struct fb_table media;
	memset(n, 0, DICT_KINDS_N * sizeof *n);
	db_seek(&c, sn, TABLE_MEDIA, MEDIA_DIR, (uint32_t)directory, 0);
	while (row_next(&c, &media)) {
		unsigned k = media_file_kind(media) - 1u;
		if (k < DICT_KINDS_N)
			n[k]++;
	}
}

static void load_kinds(const struct dicts *ds, struct fb_table t, struct dict_row *row)
{
	row->kinds = row->was_kinds = directory_kinds(t);
	row->recount |= row->kinds == 0 && row->was_live;
	row->most_kind = row->recount ? 0 : directory_most_kind(t);
	row->files_n[0] = directory_audio_n(t);
	row->files_n[1] = directory_videos_n(t);
	row->files_n[2] = directory_images_n(t);
	if (row->recount)
		count_files(ds->base, row->id, row->files_n);
}

static struct dict_key stored_key(enum dict_number which, struct fb_table t)
{
	switch (which) {
	case DICT_DIRECTORY:
		return (struct dict_key){ .name = directory_path(t) };
	case DICT_TERM:
		return (struct dict_key){ .name = term_name(t), .kind = term_kind(t) };
	default:
		return (struct dict_key){ .name = album_title(t),
					  .artist_id = album_artist_id(t),
					  .directory_id = album_directory_id(t) };
	}
}

static enum err add_stored(struct dicts *ds, enum dict_number which, struct fb_table t,
			   uint32_t *out)
{
	struct dict_row row = { .stored = t,
				.key = stored_key(which, t),
				.recount = ds->upgrading };
	switch (which) {
	case DICT_DIRECTORY:
		row.id = directory_id(t);
		row.label = directory_name(t);
		row.parent_id = directory_parent_id(t);
		row.was_live = directory_live(t);
		load_kinds(ds, t, &row);
		break;
	case DICT_TERM:
		row.id = term_id(t);
		row.was_live = term_live(t);
		row.owner = row.was_owner = term_albums(t);
		break;
	default:
		row.id = album_id(t);
		row.label = album_artist(t);
		row.was_live = album_live(t);
		break;
	}
	row.live = row.was_live;
	return add_row(ds, which, &row, out);
}

enum err dict_keep(struct dicts *ds, struct span *name)
{
	struct span copy = arena_dup(&ds->names, *name);
	if (!copy.p)
		return ERR_NOMEM;
	*name = copy;
	return ERR_OK;
}

/* The name is kept as it is: dict_keep() comes first. */
static enum err add_new(struct dicts *ds, enum dict_number which, const struct dict_key *key,
			uint32_t *out)
{
	struct dict_row row = { .key = *key };
	if (which == DICT_DIRECTORY)
		ds->missing_directory = span_of(NULL, 0);
	row.id = db_txn_new_id(ds->txn, tables[which]);
	return add_row(ds, which, &row, out);
}

static enum err add_named(struct dicts *ds, enum dict_number which, struct dict_key key,
			  uint32_t *out)
{
	enum err e = dict_keep(ds, &key.name);
	return e == ERR_OK ? add_new(ds, which, &key, out) : e;
}

static enum err find_stored(struct dicts *ds, enum dict_number which, const struct dict_key *k,
			    struct fb_table *out)
{
	switch (which) {
	case DICT_DIRECTORY:
		return directory_find(ds->base, k->name, out);
	case DICT_TERM:
		return term_find(ds->base, k->kind, k->name, out);
	default:
		return album_find(ds->base, k->artist_id, k->directory_id, k->name, out);
	}
}

enum err dict_find(struct dicts *ds, enum dict_number which, const struct dict_key *key,
		   bool create, uint32_t *out)
{
	struct dict *d = &ds->d[which];
	uint32_t *recent = &d->recent[key->kind % DICT_RECENT];
	enum err e = ERR_OK;
	if (*recent < d->n && key_eq(&d->rows[*recent].key, key)) {
		*out = *recent;
		return ERR_OK;
	}
	*out = find_known(d, key_hash(which, key), key);
	if (*out == DICT_NONE) {
		struct fb_table stored;
		e = find_stored(ds, which, key, &stored);
		if (e == ERR_OK)
			e = add_stored(ds, which, stored, out);
		else if (create)
			e = add_named(ds, which, *key, out);
	}
	if (e == ERR_OK)
		*recent = *out;
	return e;
}

/* What the store has by the hash of a name is mostly one row. */
static enum err take_probed(struct dicts *ds, enum dict_number which, const struct dict_key *key,
			    const struct db_probe *probe, struct fb_table stored, uint32_t *out)
{
	*out = probe->unsure ? DICT_UNSURE : DICT_NONE;
	if (probe->id == 0)
		return ERR_OK;
	*out = DICT_UNSURE;
	if (stored.pos == 0)
		return ERR_OK;
	*out = find_known(&ds->d[which], key_hash(which, key), key);
	struct dict_key found = stored_key(which, stored);
	return *out == DICT_NONE && key_eq(&found, key) ? add_stored(ds, which, stored, out)
							: ERR_OK;
}

/* order: hash << 32 | place in keys and out. */
static enum err find_in_order(struct dicts *ds, enum dict_number which, const struct dict_key *keys,
			      const uint64_t *order, struct db_probe *probes, size_t n,
			      uint32_t *out)
{
	static const uint8_t indexes[DICTS_N] = {
		[DICT_DIRECTORY] = DIRECTORY_PATH,
		[DICT_TERM] = TERM_LOOKUP,
		[DICT_ALBUM] = ALBUM_LOOKUP,
	};
	struct db_row rows[DB_ROWS_AT_ONCE];
	enum err e = ERR_OK;
	for (size_t k = 0; k < n; k++)
		probes[k] = (struct db_probe){ .group = (uint32_t)(order[k] >> 32) };
	db_probe(ds->base, tables[which], indexes[which], probes, n);
	for (size_t k = 0; k < n; k++) {
		size_t at = k % DB_ROWS_AT_ONCE, left = MIN(n - k, (size_t)DB_ROWS_AT_ONCE);
		for (size_t i = 0; at == 0 && i < left; i++)
			rows[i].id = probes[k + i].id;
		if (at == 0)
			db_get_rows(ds->base, tables[which], rows, left);
		uint32_t i = (uint32_t)order[k];
		e = take_probed(ds, which, &keys[i], &probes[k], rows[at].row, &out[i]);
		if (e != ERR_OK)
			return e;
	}
	return e;
}

enum err dict_find_many(struct dicts *ds, enum dict_number which, const struct dict_key *keys,
			size_t n, uint32_t *out)
{
	size_t unknown_n = 0;
	enum err e = ERR_OK;
	uint64_t *order = malloc(2 * n * sizeof *order);
	struct db_probe *probes = malloc(n * sizeof *probes);
	if (!order || !probes)
		e = ERR_NOMEM;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		uint64_t hash = key_hash(which, &keys[i]);
		out[i] = find_known(&ds->d[which], hash, &keys[i]);
		if (out[i] == DICT_NONE)
			order[unknown_n++] = hash << 32 | i;
	}
	if (e == ERR_OK && unknown_n) {
		order_sort(order, order + n, unknown_n);
		e = find_in_order(ds, which, keys, order, probes, unknown_n, out);
	}
	free(order);
	free(probes);
	return e;
}

enum err dict_load(struct dicts *ds, enum dict_number which, uint64_t id, uint32_t *out)
{
	uint32_t i = id_map_get(&ds->d[which].by_id, id);
	if (i != DICT_NONE) {
		*out = i;
		return ERR_OK;
	}
	struct fb_table stored;
	enum err e = db_get(ds->base, tables[which], id, &stored);
	return e == ERR_OK ? add_stored(ds, which, stored, out) : e;
}

/* ---- directories ----------------------------------------------------------------------------- */

/* Make the directories between `known` (a prefix of `path`) and `path` itself. */
static enum err make_below(struct dicts *ds, uint32_t known, struct span path, uint32_t *out)
{
	struct dict *d = &ds->d[DICT_DIRECTORY];
	uint32_t i = known;
	size_t n = d->rows[i].key.name.n;
	enum err kept = dict_keep(ds, &path); /* all of them are its beginnings */
	if (kept != ERR_OK)
		return kept;
	while (n < path.n) {
		size_t start = n > 1 ? n + 1 : 1; /* behind "/" there is no second one */
		n = start + span_find(span_skip(path, start), '/');
		struct dict_key key = { .name = span_first(path, n) };
		uint64_t parent_id = d->rows[i].id;
		enum err e = add_new(ds, DICT_DIRECTORY, &key, &i);
		if (e != ERR_OK)
			return e;
		d->rows[i].parent_id = parent_id;
		d->rows[i].label = span_skip(key.name, start);
	}
	*out = i;
	return ERR_OK;
}

enum err dict_directory(struct dicts *ds, struct span path, bool create, uint32_t *out)
{
	struct dict *d = &ds->d[DICT_DIRECTORY];
	uint32_t i = ds->last_directory;
	if (i != DICT_NONE && span_eq(d->rows[i].key.name, path)) {
		*out = i;
		return ERR_OK;
	}
	if (!create && span_eq(ds->missing_directory, path))
		return ERR_NOTFOUND;
	struct dict_key key = { .name = path };
	enum err e = dict_find(ds, DICT_DIRECTORY, &key, false, &i);
	while (e == ERR_NOTFOUND && create && key.name.n > 1) {
		key.name = path_directory(key.name);
		e = dict_find(ds, DICT_DIRECTORY, &key, false, &i);
	}
	if (e == ERR_OK && key.name.n < path.n)
		e = make_below(ds, i, path, &i);
	if (e == ERR_OK)
		ds->last_directory = *out = i;
	else if (e == ERR_NOTFOUND)
		ds->missing_directory = path;
	return e;
}

/* A root inside a tree that holds media is an ordinary directory of that tree. */
static bool inside_live_tree(struct dicts *ds, struct span path)
{
	while (path.n > 1) {
		path = path_directory(path);
		struct dict_key key = { .name = path };
		uint32_t i;
		if (dict_find(ds, DICT_DIRECTORY, &key, false, &i) == ERR_OK)
			return ds->d[DICT_DIRECTORY].rows[i].live;
	}
	return false;
}

enum err dict_root(struct dicts *ds, struct span path, struct span name)
{
	struct dict *d = &ds->d[DICT_DIRECTORY];
	struct dict_key key = { .name = path };
	uint32_t i;
	enum err e = dict_find(ds, DICT_DIRECTORY, &key, false, &i);
	if (e == ERR_NOTFOUND && inside_live_tree(ds, path))
		return dict_directory(ds, path, true, &i);
	bool is_new = e == ERR_NOTFOUND;
	if (is_new)
		e = add_named(ds, DICT_DIRECTORY, key, &i);
	if (e == ERR_OK)
		e = dict_keep(ds, &name);
	if (e != ERR_OK)
		return e;
	struct dict_row *row = &d->rows[i];
	if (row->parent_id == 0 && (is_new || !span_eq(row->label, name))) {
		row->label = name;
		row->must_store = true;
	}
	return ERR_OK;
}

/* ---- live flags ------------------------------------------------------------------------------ */

void dict_count_row(struct dicts *ds, enum dict_number which, uint32_t i, int change)
{
	ds->d[which].rows[i].change_n += change;
	ds->d[which].rows[i].touched = true;
}

enum err dict_count(struct dicts *ds, enum dict_number which, uint64_t id, int change)
{
	uint32_t i;
	if (id == 0)
		return ERR_OK;
	enum err e = dict_load(ds, which, id, &i);
	if (e == ERR_OK)
		dict_count_row(ds, which, i, change);
	/* damaged or lost: there is no flag to keep */
	return e == ERR_NOTFOUND || e == ERR_CORRUPT ? ERR_OK : e;
}

void dict_count_file_row(struct dicts *ds, uint32_t i, uint8_t kind, int change)
{
	unsigned k = kind - 1u;
	if (k < DICT_KINDS_N)
		ds->d[DICT_DIRECTORY].rows[i].files_change_n[k] += change;
	dict_count_row(ds, DICT_DIRECTORY, i, change);
}

enum err dict_count_file(struct dicts *ds, uint64_t directory, uint8_t kind, int change)
{
	uint32_t i;
	enum err e = dict_load(ds, DICT_DIRECTORY, directory, &i);
	if (e == ERR_OK)
		dict_count_file_row(ds, i, kind, change);
	return e == ERR_NOTFOUND || e == ERR_CORRUPT ? ERR_OK : e;
}

/* Counting looks into every run of an index. Where nothing goes away, the flags tell as much. */
static bool must_count(const struct dict_row *row, int64_t change)
{
	return row->stored.pos && (change < 0 || row->recount);
}

static size_t rows_to_count(const struct dict *d, uint64_t *order)
{
	size_t n = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		if (!must_count(&d->rows[i], d->rows[i].change_n) || d->rows[i].counted)
			continue;
		if (order)
			order[n] = d->rows[i].id << 32 | i;
		n++;
	}
	return n;
}

/* What lost files is counted together, in the order of the index. */
static enum err count_together(struct dicts *ds, enum dict_number which)
{
	struct dict *d = &ds->d[which];
	size_t n = rows_to_count(d, NULL);
	if (n < 2)
		return ERR_OK;
	uint64_t *order = malloc(2 * n * sizeof *order);
	if (!order)
		return ERR_NOMEM;
	rows_to_count(d, order);
	order_sort(order, order + n, n);
	for (size_t at = 0; at < n; at += DB_ROWS_AT_ONCE) {
		uint32_t groups[DB_ROWS_AT_ONCE];
		uint64_t counts[DB_ROWS_AT_ONCE];
		size_t part = MIN(n - at, (size_t)DB_ROWS_AT_ONCE);
		for (size_t i = 0; i < part; i++)
			groups[i] = (uint32_t)(order[at + i] >> 32);
		db_counts(ds->base, TABLE_MEDIA, file_indexes[which], groups, part, counts);
		for (size_t i = 0; i < part; i++) {
			struct dict_row *row = &d->rows[(uint32_t)order[at + i]];
			row->base_n = (uint32_t)counts[i];
			row->counted = true;
		}
	}
	free(order);
	return ERR_OK;
}

static bool is_live(const struct dicts *ds, enum dict_number which, struct dict_row *row)
{
	if (!must_count(row, row->change_n))
		return row->was_live || row->change_n > 0;
	int64_t n = (int64_t)base_files(ds, which, row) + row->change_n;
	return n > 0 ||
	       (which == DICT_DIRECTORY && n + (int64_t)base_subs(ds, row, DIRECTORY_SUB) > 0);
}

/* A directory that becomes live or empty counts in its parent. Every step works on the totals so
 * far; when all directories have been seen, all flags agree with all totals. */
static enum err settle_directory(struct dicts *ds, uint32_t i)
{
	struct dict *d = &ds->d[DICT_DIRECTORY];
	while (is_live(ds, DICT_DIRECTORY, &d->rows[i]) != d->rows[i].live) {
		bool live = d->rows[i].live = !d->rows[i].live;
		uint64_t parent_id = d->rows[i].parent_id;
		if (parent_id == 0)
			return ERR_OK;
		enum err e = dict_load(ds, DICT_DIRECTORY, parent_id, &i);
		if (e == ERR_NOTFOUND || e == ERR_CORRUPT)
			return ERR_OK;
		if (e != ERR_OK)
			return e;
		d->rows[i].change_n += live ? 1 : -1;
	}
	return ERR_OK;
}

/* Files of kind k in the directory before this commit. */
static uint64_t base_files_of_kind(const struct dicts *ds, struct dict_row *row, unsigned k)
{
	if (k + 1 != row->most_kind)
		return row->files_n[k];
	return directory_files_of_kind(row->stored, row->most_kind,
				       base_files(ds, DICT_DIRECTORY, row));
}

static bool has_kind(const struct dicts *ds, struct dict_row *row, unsigned k)
{
	int64_t n = (int64_t)row->files_change_n[k] + row->subs_change_n[k];
	if (!must_count(row, n))
		return row->was_kinds & 1u << k || n > 0;
	n += (int64_t)base_files_of_kind(ds, row, k);
	return n > 0 || n + (int64_t)base_subs(ds, row, DIRECTORY_AUDIO + k) > 0;
}

static uint8_t kinds_of(const struct dicts *ds, struct dict_row *row)
{
	uint8_t kinds = 0;
	for (unsigned k = 0; k < DICT_KINDS_N; k++)
		if (has_kind(ds, row, k))
			kinds |= (uint8_t)(1u << k);
	return kinds;
}

/* The same for each kind. */
static enum err settle_kinds(struct dicts *ds, uint32_t i)
{
	struct dict *d = &ds->d[DICT_DIRECTORY];
	for (;;) {
		struct dict_row *row = &d->rows[i];
		uint8_t kinds = kinds_of(ds, row), changed = kinds ^ row->kinds;
		uint64_t parent_id = row->parent_id;
		row->kinds = kinds;
		if (!changed || parent_id == 0)
			return ERR_OK;
		enum err e = dict_load(ds, DICT_DIRECTORY, parent_id, &i);
		if (e == ERR_NOTFOUND || e == ERR_CORRUPT)
			return ERR_OK;
		if (e != ERR_OK)
			return e;
		for (unsigned k = 0; k < DICT_KINDS_N; k++)
			if (changed & 1u << k)
				d->rows[i].subs_change_n[k] += kinds & 1u << k ? 1 : -1;
	}
}

/* More files of the only kind there is change nothing that the row says. */
static bool counts_stay(const struct dict_row *row)
{
	bool alone = row->most_kind && !row->recount;
	bool same = !row->recount;
	for (unsigned k = 0; k < DICT_KINDS_N; k++) {
		same &= row->files_change_n[k] == 0;
		alone &= row->files_n[k] == 0 &&
			 (k + 1 == row->most_kind ? row->files_change_n[k] >= 0
						  : row->files_change_n[k] == 0);
	}
	return same || alone;
}

/* Which kind is not counted follows from the files alone, not from how they came. */
static void settle_counts(const struct dicts *ds, struct dict_row *row)
{
	int64_t n[DICT_KINDS_N];
	uint8_t most = 0;
	if (counts_stay(row))
		return;
	for (unsigned k = 0; k < DICT_KINDS_N; k++) {
		n[k] = (int64_t)base_files_of_kind(ds, row, k) + row->files_change_n[k];
		if (n[k] > (most ? n[most - 1] : 0))
			most = (uint8_t)(k + 1);
	}
	row->most_kind = most;
	for (unsigned k = 0; k < DICT_KINDS_N; k++)
		row->files_n[k] = k + 1 == most ? 0 : (uint32_t)MAX(n[k], 0);
}

static bool counts_changed(const struct dict_row *row)
{
	struct fb_table t = row->stored;
	return t.pos && (row->files_n[0] != directory_audio_n(t) ||
			 row->files_n[1] != directory_videos_n(t) ||
			 row->files_n[2] != directory_images_n(t) ||
			 row->most_kind != directory_most_kind(t));
}

/* What was made for a file that then failed stays unborn. */
static bool will_store(enum dict_number which, const struct dict_row *row)
{
	return row->live != row->was_live || row->must_store || row->kinds != row->was_kinds ||
	       row->owner != row->was_owner || (which == DICT_DIRECTORY && counts_changed(row));
}

/* A row that is stored changes the listing it is in. Only now: on the way a flag may have changed
 * and changed back. */
static enum err touch_parents(struct dicts *ds)
{
	struct dict *d = &ds->d[DICT_DIRECTORY];
	for (uint32_t i = 0; i < d->n; i++) {
		uint32_t parent;
		if (!will_store(DICT_DIRECTORY, &d->rows[i]) || d->rows[i].parent_id == 0)
			continue;
		enum err e = dict_load(ds, DICT_DIRECTORY, d->rows[i].parent_id, &parent);
		if (e == ERR_OK)
			d->rows[parent].touched = true;
		else if (e != ERR_NOTFOUND && e != ERR_CORRUPT)
			return e;
	}
	return ERR_OK;
}

/* Albums that come or go count in the artist they are by. */
static enum err settle_owners(struct dicts *ds)
{
	const struct dict *albums = &ds->d[DICT_ALBUM];
	for (uint32_t i = 0; i < albums->n; i++) {
		const struct dict_row *al = &albums->rows[i];
		uint32_t artist;
		if (al->live == al->was_live || al->key.artist_id == 0)
			continue;
		enum err e = dict_load(ds, DICT_TERM, al->key.artist_id, &artist);
		if (e == ERR_OK)
			ds->d[DICT_TERM].rows[artist].albums_change_n += al->live ? 1 : -1;
		else if (e != ERR_NOTFOUND && e != ERR_CORRUPT)
			return e;
	}
	const struct dict *terms = &ds->d[DICT_TERM];
	for (uint32_t i = 0; i < terms->n; i++) {
		struct dict_row *t = &terms->rows[i];
		uint64_t n = t->was_owner;
		if (t->key.kind != TERM_KIND_ARTIST)
			continue;
		if (must_count(t, t->albums_change_n))
			n = db_count(ds->base, TABLE_ALBUM, ALBUM_ARTIST, (uint32_t)t->id);
		t->owner = (int64_t)n + t->albums_change_n > 0;
	}
	return ERR_OK;
}

enum err dicts_settle(struct dicts *ds)
{
	enum err e = ERR_OK;
	for (unsigned which = 0; which < DICTS_N && e == ERR_OK; which++)
		e = count_together(ds, which);
	for (uint32_t i = 0; i < ds->d[DICT_DIRECTORY].n && e == ERR_OK; i++)
		e = settle_directory(ds, i);
	for (uint32_t i = 0; i < ds->d[DICT_DIRECTORY].n && e == ERR_OK; i++)
		e = settle_kinds(ds, i);
	for (uint32_t i = 0; i < ds->d[DICT_DIRECTORY].n && e == ERR_OK; i++)
		settle_counts(ds, &ds->d[DICT_DIRECTORY].rows[i]);
	if (e == ERR_OK)
		e = touch_parents(ds);
	for (unsigned which = DICT_TERM; which < DICTS_N; which++)
		for (uint32_t i = 0; i < ds->d[which].n; i++)
			ds->d[which].rows[i].live = is_live(ds, which, &ds->d[which].rows[i]);
	return e == ERR_OK ? settle_owners(ds) : e;
}

static enum err store_row(struct dicts *ds, enum dict_number which, const struct dict_row *row)
{
	struct directory_in directory;
	struct term_in term;
	struct album_in album;
	const void *in;
	switch (which) {
	case DICT_DIRECTORY:
		directory = (struct directory_in){ .id = row->id,
						   .parent_id = row->parent_id,
						   .path = row->key.name,
						   .name = row->label,
						   .live = row->live,
						   .audio_n = row->files_n[0],
						   .videos_n = row->files_n[1],
						   .images_n = row->files_n[2],
						   .kinds = row->kinds,
						   .most_kind = row->most_kind };
		in = &directory;
		break;
	case DICT_TERM:
		term = (struct term_in){ .id = row->id,
					 .kind = row->key.kind,
					 .name = row->key.name,
					 .live = row->live,
					 .albums = row->owner };
		in = &term;
		break;
	default:
		album = (struct album_in){ .id = row->id,
					   .artist_id = row->key.artist_id,
					   .directory_id = row->key.directory_id,
					   .title = row->key.name,
					   .artist = row->label,
					   .live = row->live };
		in = &album;
		break;
	}
	return db_txn_put(ds->txn, tables[which], row->id, in);
}

enum err dicts_store(struct dicts *ds, uint32_t *out_n)
{
	for (unsigned which = 0; which < DICTS_N; which++) {
		for (uint32_t i = 0; i < ds->d[which].n; i++) {
			const struct dict_row *row = &ds->d[which].rows[i];
			if (!will_store(which, row))
				continue;
			enum err e = store_row(ds, which, row);
			if (e != ERR_OK)
				return e;
			(*out_n)++;
		}
	}
	return ERR_OK;
}
