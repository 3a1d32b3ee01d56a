/* SPDX-License-Identifier: MIT */
/* What the store has at the paths of many operations, looked for in the order of its indexes: in
 * random order one look-up costs a cache miss in every run, and so does the next. */
#include <stdlib.h>

#include "base/arena.h"
#include "library/apply.h"
#include "library/order.h"
#include "library/tables.h"

#define PROBED_FEW 8		    /* not worth it */
#define WINDOW_BYTES_MAX (4u << 20) /* far beyond what it takes */

/* For one window of operations. */
struct window {
	const struct op *ops;
	uint32_t n;
	uint64_t *ids; /* out */

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
	for (uint32_t i = 0; i < w->n; i++) {
		struct span path = path_directory(w->ops[i].path);
		uint32_t last = w->directories_n - 1;
		if (i == 0 || !span_eq(path, w->directories[last].name))
			w->directories[w->directories_n++] = (struct dict_key){ .name = path };
		w->directory_of[i] = w->directories_n - 1;
	}
	return dict_find_many(&a->dicts, DICT_DIRECTORY, w->directories, w->directories_n, w->rows);
}

static enum err find_files(struct apply *a, struct window *w)
{
	const struct dict *d = &a->dicts.d[DICT_DIRECTORY];
	uint8_t bytes[COLLATE_KEY_MAX];
	size_t n = 0;
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t row = w->rows[w->directory_of[i]];
		bool stored = row < d->n && d->rows[row].stored.pos;
		w->ids[i] = row == DICT_UNSURE ? PROBED_NOT : 0;
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
	for (size_t k = 0; k < n; k++)
		w->ids[(uint32_t)w->order[k]] = w->probes[k].unsure ? PROBED_NOT : w->probes[k].id;
	return ERR_OK;
}

enum err apply_probe(struct apply *a, const struct batch *b, uint32_t at)
{
	struct probed *p = a->probed;
	if (p && at - p->from < p->n)
		return ERR_OK;
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
	w.ids = p->ids;
	enum err e = window_init(&w);
	if (e == ERR_OK)
		e = find_directories(a, &w);
	if (e == ERR_OK)
		e = find_files(a, &w);
	p->n = e == ERR_OK ? w.n : 0;
	return e;
}

uint64_t apply_probed(const struct apply *a, const struct batch *b, const struct op *op)
{
	const struct probed *p = a->probed;
	uint32_t at = (uint32_t)(op - b->ops);
	return p && at - p->from < p->n ? p->ids[at - p->from] : PROBED_NOT;
}
