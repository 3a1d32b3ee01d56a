/* SPDX-License-Identifier: MIT */
/* What the store has at the paths of many operations, and the albums of their files, looked for in
 * the order of its indexes: in random order one look-up costs a cache miss in every run, and so
 * does the next. */
#include <stdlib.h>

#include "base/arena.h"
#include "library/apply.h"
#include "library/order.h"
#include "library/tables.h"
#include "schema/media_fb.h"

#define PROBED_FEW 8		    /* not worth it */
#define WINDOW_BYTES_MAX (4u << 20) /* far beyond what it takes */

/* For one window of operations. */
struct window {
	const struct op *ops;
	uint32_t n;
	struct db_row *at;   /* out */
	uint32_t *directory; /* out */

	struct dict_key *directories; /* each once, where they come one after the other */
	uint32_t directories_n;
	uint32_t *directory_of; /* of an operation */
	uint32_t *rows;		/* of a directory */
	uint64_t *order, *scratch;
	struct db_probe *probes;
	struct arena arena;
};

static void window_fini(struct window *w)
{
	arena_fini(&w->arena);
}

static enum err window_init(struct window *w)
{
	size_t n = w->n;
	arena_init(&w->arena, WINDOW_BYTES_MAX);
	w->directories = arena_alloc(&w->arena, n * sizeof *w->directories);
	w->directory_of = arena_alloc(&w->arena, n * sizeof *w->directory_of);
	w->rows = arena_alloc(&w->arena, n * sizeof *w->rows);
	w->order = arena_alloc(&w->arena, n * sizeof *w->order);
	w->scratch = arena_alloc(&w->arena, n * sizeof *w->scratch);
	w->probes = arena_alloc(&w->arena, n * sizeof *w->probes);
	return w->directories && w->directory_of && w->rows && w->order && w->scratch && w->probes
		       ? ERR_OK
		       : ERR_NOMEM;
}

static enum err find_directories(struct apply *a, struct window *w)
{
	const struct batch_text *last = NULL;
	for (uint32_t i = 0; i < w->n; i++) {
		const struct op *op = &w->ops[i];
		const struct batch_text *in = op->kind == OP_REMOVE ? NULL : op->file->directory;
		if (!in || in != last) {
			struct dict_key key = { .name = path_directory(op->path) };
			if (i == 0 || !span_eq(key.name, w->directories[w->directories_n - 1].name))
				w->directories[w->directories_n++] = key;
		}
		w->directory_of[i] = w->directories_n - 1;
		last = in;
	}
	return dict_find_many(&a->dicts, DICT_DIRECTORY, w->directories, w->directories_n, w->rows);
}

/* Of n probes from `from` on. */
static void take_rows(const struct apply *a, struct window *w, size_t from, size_t n)
{
	struct db_row rows[DB_ROWS_AT_ONCE];
	uint64_t any = 0;
	for (size_t i = 0; i < n; i++) {
		rows[i] = (struct db_row){ .id = w->probes[from + i].id };
		any |= rows[i].id;
	}
	if (any)
		db_get_rows(a->base, TABLE_MEDIA, rows, n);
	for (size_t i = 0; i < n; i++) {
		bool lost = rows[i].id && rows[i].row.pos == 0;
		if (w->probes[from + i].unsure || lost)
			rows[i].id = PROBED_NOT;
		w->at[(uint32_t)w->order[from + i]] = rows[i];
	}
}

static enum err find_files(struct apply *a, struct window *w)
{
	const struct dict *d = &a->dicts.d[DICT_DIRECTORY];
	uint8_t bytes[COLLATE_KEY_MAX];
	size_t n = 0;
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t row = w->rows[w->directory_of[i]];
		bool stored = row < d->n && d->rows[row].stored.pos;
		w->at[i] = (struct db_row){ .id = row == DICT_UNSURE ? PROBED_NOT : 0 };
		w->directory[i] = row == DICT_UNSURE ? DICT_NONE : row;
		if (stored) /* what is not holds nothing that is stored */
			w->order[n++] = d->rows[row].id << 32 | i;
	}
	order_sort(w->order, w->scratch, n);
	for (size_t k = 0; k < n; k++) {
		struct span path = w->ops[(uint32_t)w->order[k]].path;
		struct span key = span_of(bytes, library_collate_key(path_name(path), bytes));
		key = arena_dup(&w->arena, key);
		if (!key.p)
			return ERR_NOMEM;
		w->probes[k] =
			(struct db_probe){ .group = (uint32_t)(w->order[k] >> 32), .key = key };
	}
	db_probe(a->base, TABLE_MEDIA, MEDIA_DIR, w->probes, n);
	for (size_t k = 0; k < n; k += DB_ROWS_AT_ONCE)
		take_rows(a, w, k, MIN(n - k, (size_t)DB_ROWS_AT_ONCE));
	return ERR_OK;
}

enum err apply_probe(struct apply *a, const struct batch *b, uint32_t at)
{
	struct probed *p = a->probed;
	CLEANUP(window_fini) struct window w = { .ops = &b->ops[at] };
	uint32_t left = MIN(b->ops_n - at, (uint32_t)PROBED_MAX);
	while (w.n < left && op_is_single(&w.ops[w.n]))
		w.n++;
	if (w.n < PROBED_FEW)
		return ERR_OK;
	if (!p)
		p = a->probed = malloc(sizeof *p);
	if (!p)
		return ERR_NOMEM;
	p->from = at;
	p->n = 0;
	w.at = p->at;
	w.directory = p->directory;
	enum err e = window_init(&w);
	if (e == ERR_OK)
		e = find_directories(a, &w);
	if (e == ERR_OK)
		e = find_files(a, &w);
	p->n = e == ERR_OK ? w.n : 0;
	return e;
}

const struct db_row *apply_probed(const struct apply *a, const struct batch *b, const struct op *op)
{
	const struct probed *p = a->probed;
	uint32_t at = (uint32_t)(op - b->ops);
	if (!apply_is_probed(a, at) || p->at[at - p->from].id == PROBED_NOT)
		return NULL;
	return &p->at[at - p->from];
}

uint32_t apply_probed_directory(const struct apply *a, const struct batch *b, const struct op *op)
{
	const struct probed *p = a->probed;
	uint32_t at = (uint32_t)(op - b->ops);
	return apply_is_probed(a, at) ? p->directory[at - p->from] : DICT_NONE;
}

/* ---- albums ---------------------------------------------------------------------------------- */

/* The artist whom a file's album is by (apply_rows.c); empty: it is a folder's. */
static struct span album_artist_of(const struct batch_file *f)
{
	const struct span *artists = f->more && f->more->artists_n ? f->more->artists : NULL;
	struct span album_artist = batch_text_span(f->texts->text[SHARED_album_artist]);
	if (f->compilation)
		return span_of(NULL, 0);
	if (album_artist.n)
		return album_artist;
	return artists ? artists[0] : batch_text_span(f->texts->text[SHARED_artist]);
}

/* The key that an album would be stored under; *out_any: false where there can be none, because
 * what it belongs to is new. */
static enum err album_key(struct apply *a, const struct file_entry *f, struct dict_key *out,
			  bool *out_any)
{
	struct dict_key artist = { .name = album_artist_of(f->in), .kind = TERM_KIND_ARTIST };
	uint32_t i;
	enum err e = ERR_OK;
	*out_any = false;
	*out = (struct dict_key){ .name = batch_text_span(f->in->texts->text[SHARED_album]) };
	if (f->in->kind != MEDIA_KIND_AUDIO || out->name.n == 0)
		return ERR_OK;
	if (artist.name.n)
		e = dict_find(&a->dicts, DICT_TERM, &artist, false, &i);
	else if (f->directory != DICT_NONE)
		i = f->directory;
	else
		e = dict_directory(&a->dicts, path_directory(f->path), false, &i);
	if (e != ERR_OK)
		return e == ERR_NOMEM ? e : ERR_OK;
	const struct dict_row *row =
		&a->dicts.d[artist.name.n ? DICT_TERM : DICT_DIRECTORY].rows[i];
	*out_any = row->stored.pos != 0;
	if (artist.name.n)
		out->artist_id = (uint32_t)row->id;
	else
		out->directory_id = row->id;
	return ERR_OK;
}

/* Of up to n files from `at` on; in their order, those of one album have the same texts. */
static enum err find_albums(struct apply *a, uint32_t at, uint32_t n)
{
	CLEANUP(arena_fini) struct arena arena;
	arena_init(&arena, WINDOW_BYTES_MAX);
	struct dict_key *keys = arena_alloc(&arena, n * sizeof *keys);
	uint32_t *rows = arena_alloc(&arena, n * sizeof *rows);
	enum err e = keys && rows ? ERR_OK : ERR_NOMEM;
	const struct batch_texts *last = NULL;
	uint32_t keys_n = 0;
	bool any;
	for (uint32_t i = at; i < at + n && e == ERR_OK; i++) {
		const struct file_entry *f = &a->entries[i];
		if (f->fate != FILE_STORED || f->in->texts == last)
			continue;
		last = f->in->texts;
		e = album_key(a, f, &keys[keys_n], &any);
		keys_n += any;
	}
	if (e != ERR_OK || keys_n < PROBED_FEW)
		return e;
	return dict_find_many(&a->dicts, DICT_ALBUM, keys, keys_n, rows);
}

enum err apply_probe_albums(struct apply *a)
{
	enum err e = ERR_OK;
	for (uint32_t at = 0; at < a->entries_n && e == ERR_OK; at += PROBED_MAX) {
		uint32_t n = MIN(a->entries_n - at, (uint32_t)PROBED_MAX);
		if (n >= PROBED_FEW)
			e = find_albums(a, at, n);
	}
	return e;
}
