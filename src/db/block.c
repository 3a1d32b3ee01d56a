/* SPDX-License-Identifier: MIT */
/* A block of a transaction's rows becomes a run. */
#include <stdlib.h>

#include "db/db_priv.h"

void block_init(struct block *b, const struct db_table_def *def)
{
	*b = (struct block){ 0 };
	for (unsigned x = 0; x < def->indexes_n; x++)
		for (unsigned l = 0; l < BLOCK_LISTS; l++)
			emit_init(&b->lists[l][x],
				  l == BLOCK_TOUCHED ? 0 : def->indexes[x].key_bytes);
}

size_t block_emit_bytes(const struct block *b)
{
	size_t n = 0;
	for (unsigned x = 0; x < DB_INDEXES_MAX; x++) {
		for (unsigned i = 0; i < BLOCK_LISTS; i++) {
			const struct emit_list *l = &b->lists[i][x];
			n += l->n * sizeof *l->items + l->keys_n;
		}
	}
	return n;
}

void block_reset(struct block *b)
{
	b->n = 0;
	for (unsigned x = 0; x < DB_INDEXES_MAX; x++)
		for (unsigned l = 0; l < BLOCK_LISTS; l++)
			emit_reset(&b->lists[l][x]);
}

void block_fini(struct db_mem *m, struct block *b)
{
	mem_free(m, b->rows, b->cap * sizeof *b->rows);
	for (unsigned x = 0; x < DB_INDEXES_MAX; x++)
		for (unsigned l = 0; l < BLOCK_LISTS; l++)
			emit_fini(m, &b->lists[l][x]);
	mem_free(m, b->scratch, b->scratch_cap * sizeof *b->scratch);
	b->rows = NULL;
	b->scratch = NULL;
	b->n = b->cap = b->scratch_cap = 0;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int row_cmp(const void *a, const void *b)
{
	uint64_t x = ((const struct block_row *)a)->id, y = ((const struct block_row *)b)->id;
	return x < y ? -1 : x > y;
}

/* By id; ERR_INVALID where an id comes twice. */
static enum err rows_sort(struct block *b)
{
	bool sorted = true;
	for (size_t i = 1; i < b->n; i++)
		sorted = sorted && b->rows[i - 1].id < b->rows[i].id;
	if (sorted)
		return ERR_OK;
	qsort(b->rows, b->n, sizeof *b->rows, row_cmp);
	for (size_t i = 1; i < b->n; i++)
		if (b->rows[i - 1].id == b->rows[i].id)
			return ERR_INVALID;
	return ERR_OK;
}

static void rows_write(struct run_out *o, const struct block *b)
{
	bool dense = b->n && b->rows[b->n - 1].id - b->rows[0].id + 1 == b->n;
	o->head.base_id = dense ? b->rows[0].id : 0;
	out_section_begin(o, OUT_POS, dense ? 0 : b->n * 4);
	out_section_begin(o, OUT_NEG, b->n * 8);
	for (size_t i = 0; i < b->n && !dense; i++) {
		uint32_t id32 = (uint32_t)b->rows[i].id;
		memcpy(out_room(o, OUT_POS, 4), &id32, 4);
	}
	for (size_t i = 0, n; i < b->n; i += n) {
		n = b->n - i;
		uint8_t *p = out_room_some(o, OUT_NEG, 8, &n);
		for (size_t k = 0; k < n; k++)
			memcpy(p + 8 * k, &b->rows[i + k].address, 8);
	}
	out_section_end(o, OUT_POS, &o->head.ids, 4);
	out_section_end(o, OUT_NEG, &o->head.addresses, 8);
}

/* ---- indexes --------------------------------------------------------------------------------- */

/* Keys of at most 8 bytes. Inline, so that their length is a constant. */
static inline __attribute__((always_inline)) void short_entries_write(struct run_out *o,
								      enum out_section_name s,
								      const struct emit_item *items,
								      size_t n, uint32_t kb)
{
	for (size_t i = 0, part; i < n; i += part) {
		part = n - i;
		uint8_t *p = out_room_some(o, s, kb + 4, &part);
		for (const struct emit_item *item = items + i; item < items + i + part; item++) {
			uint64_t word = __builtin_bswap64(item->k << 32 | item->ref);
			memcpy(p, &word, kb);
			memcpy(p + kb, &item->id, 4);
			p += kb + 4;
		}
	}
}

/* Returns what the entry says of its tail: where it is. */
static uint32_t tail_write(struct run_out *o, enum out_section_name s, struct span tail)
{
	uint32_t at = (uint32_t)out_used(o, s);
	uint16_t n = (uint16_t)tail.n;
	if (LIKELY(n + 2u <= OUT_ROOM_MAX)) {
		uint8_t *p = out_room(o, s, n + 2u);
		memcpy(p, &n, 2);
		span_copy(p + 2, tail);
	} else {
		memcpy(out_room(o, s, 2), &n, 2);
		out_put(o, s, tail.p, tail.n);
	}
	return at;
}

static inline __attribute__((always_inline)) void
long_entries_write(struct run_out *o, enum out_section_name s, const struct emit_list *list,
		   const struct emit_item *items, size_t n, uint32_t kb)
{
	enum out_section_name tails = s == OUT_NEG ? OUT_NEG_TAILS : OUT_POS_TAILS;
	for (size_t i = 0, part; i < n; i += part) {
		part = n - i;
		uint8_t *p = out_room_some(o, s, kb + 8, &part);
		for (const struct emit_item *item = items + i; item < items + i + part; item++) {
			struct span key = emit_key(list, item);
			uint32_t ref = TAIL_SHORT + (uint32_t)key.n;
			if (key.n >= kb) {
				memcpy(p, key.p, kb);
				if (key.n > kb)
					ref = tail_write(o, tails, span_skip(key, kb));
			} else {
				memset(p, 0, kb);
				span_copy(p, key);
			}
			memcpy(p + kb, &item->id, 4);
			memcpy(p + kb + 4, &ref, 4);
			p += kb + 8;
		}
	}
}

static void entries_write(struct run_out *o, unsigned sign, const struct emit_list *list,
			  const struct emit_item *items, size_t n)
{
	enum out_section_name s = sign ? OUT_NEG : OUT_POS;
	switch (list->key_bytes) {
	case 0:
		short_entries_write(o, s, items, n, 0);
		break;
	case 4:
		short_entries_write(o, s, items, n, 4);
		break;
	case 8:
		short_entries_write(o, s, items, n, 8);
		break;
	case 12:
		long_entries_write(o, s, list, items, n, 12);
		break;
	default:
		long_entries_write(o, s, list, items, n, list->key_bytes);
	}
}

/* Sorted entries of one index, added, removed and touched, and how far they are written. */
struct index_walk {
	const struct emit_list *list[BLOCK_LISTS];
	size_t at[BLOCK_LISTS];
};

static const struct emit_item *walk_item(const struct index_walk *w, unsigned sign)
{
	return &w->list[sign]->items[w->at[sign]];
}

/* The least group that is left; false at the end. */
static bool walk_group(const struct index_walk *w, uint32_t *out)
{
	bool found = false;
	for (unsigned l = 0; l < BLOCK_LISTS; l++) {
		if (w->at[l] == w->list[l]->n)
			continue;
		uint32_t group = emit_group(walk_item(w, l));
		*out = found ? MIN(*out, group) : group;
		found = true;
	}
	return found;
}

/* How many more entries of `group` there are. */
static size_t walk_left(const struct index_walk *w, unsigned sign, uint32_t group)
{
	const struct emit_list *list = w->list[sign];
	size_t i = w->at[sign];
	return i < list->n && emit_group(&list->items[i]) == group ? emit_group_end(list, i) - i
								   : 0;
}

/* What was removed and added again, the same, was never touched. */
static void walk_write(struct run_out *o, struct index_walk *w, uint32_t group)
{
	size_t left[2] = { walk_left(w, 0, group), walk_left(w, 1, group) };
	while (left[0] && left[1]) {
		int c = item_cmp(w->list[0], walk_item(w, 0), w->list[1], walk_item(w, 1));
		if (c < 0)
			entries_write(o, 0, w->list[0], walk_item(w, 0), 1);
		if (c > 0)
			entries_write(o, 1, w->list[1], walk_item(w, 1), 1);
		w->at[0] += c <= 0;
		left[0] -= c <= 0;
		w->at[1] += c >= 0;
		left[1] -= c >= 0;
	}
	for (unsigned sign = 0; sign < 2; sign++) {
		entries_write(o, sign, w->list[sign], w->list[sign]->items + w->at[sign],
			      left[sign]);
		w->at[sign] += left[sign];
	}
	w->at[BLOCK_TOUCHED] += walk_left(w, BLOCK_TOUCHED, group);
}

static void index_write(struct run_out *o, struct block *b, unsigned index)
{
	struct index_walk w = { 0 };
	size_t groups_max = 0;
	for (unsigned l = 0; l < BLOCK_LISTS; l++) {
		w.list[l] = &b->lists[l][index];
		groups_max += b->groups_n[l][index];
	}
	uint32_t kb = w.list[0]->key_bytes, eb = entry_bytes_of(kb), group;
	out_section_begin(o, OUT_GROUPS, groups_max * sizeof(struct disk_group));
	for (unsigned sign = 0; sign < 2; sign++) {
		out_section_begin(o, sign ? OUT_NEG : OUT_POS, w.list[sign]->n * eb);
		out_section_begin(o, sign ? OUT_NEG_TAILS : OUT_POS_TAILS,
				  w.list[sign]->tails_bytes);
	}
	while (walk_group(&w, &group)) {
		struct disk_group row = {
			.group = group,
			.start = { (uint32_t)(out_used(o, OUT_POS) / eb),
				   (uint32_t)(out_used(o, OUT_NEG) / eb) },
			.commit = o->head.commit_last,
		};
		memcpy(out_room(o, OUT_GROUPS, sizeof row), &row, sizeof row);
		walk_write(o, &w, group);
	}
	struct disk_run_index *x = &o->head.index[index];
	x->key_bytes = kb;
	out_section_end(o, OUT_GROUPS, &x->groups, sizeof(struct disk_group));
	out_section_end(o, OUT_POS, &x->entries[0], eb);
	out_section_end(o, OUT_NEG, &x->entries[1], eb);
	out_section_end(o, OUT_POS_TAILS, &x->tails[0], 1);
	out_section_end(o, OUT_NEG_TAILS, &x->tails[1], 1);
}

/* ---- a whole block --------------------------------------------------------------------------- */

/* An upper bound, with 8 for each section's alignment. */
static uint64_t block_bytes_max(const struct db_table_def *def, const struct block *b)
{
	uint64_t bytes = b->n * 12 + 32;
	for (unsigned x = 0; x < def->indexes_n; x++) {
		uint32_t eb = entry_bytes_of(def->indexes[x].key_bytes);
		bytes += (uint64_t)OUT_SECTIONS * 8;
		for (unsigned sign = 0; sign < 2; sign++) {
			const struct emit_list *l = &b->lists[sign][x];
			bytes += l->n * eb + l->tails_bytes;
		}
		for (unsigned l = 0; l < BLOCK_LISTS; l++)
			bytes += b->groups_n[l][x] * sizeof(struct disk_group);
	}
	return bytes;
}

static enum err lists_sort(struct db_mem *m, struct block *b, unsigned indexes_n)
{
	struct emit_list *unsorted[BLOCK_LISTS * DB_INDEXES_MAX];
	size_t unsorted_n = 0, most = 0;
	for (unsigned x = 0; x < indexes_n; x++) {
		for (unsigned l = 0; l < BLOCK_LISTS; l++) {
			struct emit_list *list = &b->lists[l][x];
			if (emit_sorted(list))
				continue;
			unsorted[unsorted_n++] = list;
			most = MAX(most, emit_sort_scratch(list->n));
		}
	}
	void *scratch = b->scratch;
	enum err e = mem_grow(m, &scratch, &b->scratch_cap, most, sizeof *b->scratch);
	b->scratch = scratch;
	for (size_t i = 0; e == ERR_OK && i < unsorted_n; i++)
		emit_sort(unsorted[i], b->scratch);
	for (unsigned x = 0; e == ERR_OK && x < indexes_n; x++)
		for (unsigned l = 0; l < BLOCK_LISTS; l++)
			b->groups_n[l][x] = emit_groups(&b->lists[l][x]);
	return e;
}

enum err block_build(struct db *db, unsigned table, struct block *b, uint64_t commit,
		     struct run **out)
{
	const struct db_table_def *def = &db->tables[table];
	struct run_out o;
	enum err e = rows_sort(b);
	if (e == ERR_OK)
		e = lists_sort(&db->mem, b, def->indexes_n);
	if (e != ERR_OK)
		return e;
	uint64_t bytes = block_bytes_max(def, b);
	bool large = b->n >= db->heap_run_rows || bytes >= HEAP_RUN_BYTES;
	e = out_begin(&o, db, table, bytes, large && !db->read_only);
	if (e != ERR_OK)
		return e;
	o.head.commit_last = commit;
	rows_write(&o, b);
	for (unsigned x = 0; x < def->indexes_n && o.err == ERR_OK; x++)
		index_write(&o, b, x);
	e = out_finish(&o, out);
	if (e == ERR_OK)
		block_reset(b);
	return e;
}
