/* SPDX-License-Identifier: MIT */
/* A block of a transaction's rows becomes a run. */
#include <stdlib.h>

#include "db/db_priv.h"

void block_init(struct block *b, const struct db_table_def *def)
{
	*b = (struct block){ 0 };
	for (unsigned x = 0; x < def->indexes_n; x++)
		for (unsigned sign = 0; sign < 2; sign++)
			emit_init(&b->lists[sign][x], def->indexes[x].key_bytes);
}

size_t block_emit_bytes(const struct block *b)
{
	size_t n = 0;
	for (unsigned x = 0; x < DB_INDEXES_MAX; x++) {
		for (unsigned sign = 0; sign < 2; sign++) {
			const struct emit_list *l = &b->lists[sign][x];
			n += l->n * sizeof *l->items + l->keys_n;
		}
	}
	return n;
}

void block_reset(struct block *b)
{
	b->n = 0;
	for (unsigned x = 0; x < DB_INDEXES_MAX; x++)
		for (unsigned sign = 0; sign < 2; sign++)
			emit_reset(&b->lists[sign][x]);
}

void block_fini(struct db_mem *m, struct block *b)
{
	mem_free(m, b->rows, b->cap * sizeof *b->rows);
	for (unsigned x = 0; x < DB_INDEXES_MAX; x++)
		for (unsigned sign = 0; sign < 2; sign++)
			emit_fini(m, &b->lists[sign][x]);
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
	for (size_t i = 0; i < b->n; i++) {
		uint32_t id32 = (uint32_t)b->rows[i].id;
		if (!dense)
			memcpy(out_room(o, OUT_POS, 4), &id32, 4);
		memcpy(out_room(o, OUT_NEG, 8), &b->rows[i].address, 8);
	}
	out_section_end(o, OUT_POS, &o->head.ids, 4);
	out_section_end(o, OUT_NEG, &o->head.addresses, 8);
}

/* ---- indexes --------------------------------------------------------------------------------- */

static void long_entry_write(struct run_out *o, unsigned sign, const struct emit_list *list,
			     const struct emit_item *item)
{
	enum out_section_name tails = sign ? OUT_NEG_TAILS : OUT_POS_TAILS;
	uint32_t kb = list->key_bytes, ref;
	struct span key = emit_key(list, item);
	uint8_t *p = out_room(o, sign ? OUT_NEG : OUT_POS, kb + 8);
	if (key.n > kb) {
		uint16_t n = (uint16_t)(key.n - kb);
		ref = (uint32_t)out_used(o, tails);
		memcpy(p, key.p, kb);
		memcpy(out_room(o, tails, 2), &n, 2);
		if (LIKELY(n <= OUT_ROOM_MAX))
			memcpy(out_room(o, tails, n), key.p + kb, n);
		else
			out_put(o, tails, key.p + kb, n);
	} else {
		ref = TAIL_SHORT + (uint32_t)key.n;
		memset(p, 0, kb);
		memcpy(p, key.p, key.n);
	}
	memcpy(p + kb, &item->id, 4);
	memcpy(p + kb + 4, &ref, 4);
}

static void entry_write(struct run_out *o, unsigned sign, const struct emit_list *list,
			const struct emit_item *item)
{
	uint32_t kb = list->key_bytes;
	if (kb >= 12) {
		long_entry_write(o, sign, list, item);
		return;
	}
	uint32_t words[2] = { __builtin_bswap32((uint32_t)item->k), __builtin_bswap32(item->ref) };
	uint8_t *p = out_room(o, sign ? OUT_NEG : OUT_POS, kb + 4);
	memcpy(p, words, kb);
	memcpy(p + kb, &item->id, 4);
}

/* Sorted entries of one index, added and removed, and how far they are written. */
struct index_walk {
	const struct emit_list *list[2];
	size_t at[2];
};

static bool walk_has(const struct index_walk *w, unsigned sign)
{
	return w->at[sign] < w->list[sign]->n;
}

static const struct emit_item *walk_item(const struct index_walk *w, unsigned sign)
{
	return &w->list[sign]->items[w->at[sign]];
}

/* What was removed and added again, the same, was never touched. */
static void walk_write(struct run_out *o, struct index_walk *w, uint32_t group)
{
	for (;;) {
		bool has[2];
		for (unsigned sign = 0; sign < 2; sign++)
			has[sign] = walk_has(w, sign) && emit_group(walk_item(w, sign)) == group;
		if (!has[0] && !has[1])
			return;
		int c = !has[1]	  ? -1
			: !has[0] ? 1
				  : item_cmp(w->list[0], walk_item(w, 0), w->list[1],
					     walk_item(w, 1));
		if (c == 0) {
			w->at[0]++;
			w->at[1]++;
			continue;
		}
		unsigned sign = c > 0;
		entry_write(o, sign, w->list[sign], walk_item(w, sign));
		w->at[sign]++;
	}
}

static size_t groups_count(const struct emit_list *list)
{
	size_t n = list->n > 0;
	for (size_t i = 1; i < list->n; i++)
		n += emit_group(&list->items[i]) != emit_group(&list->items[i - 1]);
	return n;
}

static void index_write(struct run_out *o, struct block *b, unsigned index)
{
	struct index_walk w = { { &b->lists[0][index], &b->lists[1][index] }, { 0, 0 } };
	uint32_t kb = w.list[0]->key_bytes, eb = entry_bytes_of(kb);
	out_section_begin(o, OUT_GROUPS,
			  (groups_count(w.list[0]) + groups_count(w.list[1])) *
				  sizeof(struct disk_group));
	for (unsigned sign = 0; sign < 2; sign++) {
		out_section_begin(o, sign ? OUT_NEG : OUT_POS, w.list[sign]->n * eb);
		out_section_begin(o, sign ? OUT_NEG_TAILS : OUT_POS_TAILS,
				  w.list[sign]->tails_bytes);
	}
	while (walk_has(&w, 0) || walk_has(&w, 1)) {
		uint32_t group = UINT32_MAX;
		for (unsigned sign = 0; sign < 2; sign++)
			if (walk_has(&w, sign))
				group = MIN(group, emit_group(walk_item(&w, sign)));
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
			bytes += groups_count(l) * sizeof(struct disk_group) + l->n * eb +
				 l->tails_bytes;
		}
	}
	return bytes;
}

static enum err lists_sort(struct db_mem *m, struct block *b, unsigned indexes_n)
{
	size_t most = 0;
	for (unsigned x = 0; x < indexes_n; x++)
		for (unsigned sign = 0; sign < 2; sign++)
			if (!b->lists[sign][x].sorted)
				most = MAX(most, b->lists[sign][x].n);
	void *scratch = b->scratch;
	enum err e = mem_grow(m, &scratch, &b->scratch_cap, most, sizeof *b->scratch);
	b->scratch = scratch;
	if (e != ERR_OK)
		return e;
	for (unsigned x = 0; x < indexes_n; x++)
		for (unsigned sign = 0; sign < 2; sign++)
			emit_sort(&b->lists[sign][x], b->scratch);
	return ERR_OK;
}

enum err block_build(struct db *db, unsigned table, struct block *b, uint64_t commit,
		     struct run **out)
{
	const struct db_table_def *def = &db->tables[table];
	struct run_out o;
	enum err e = rows_sort(b);
	if (e == ERR_OK)
		e = lists_sort(&db->mem, b, def->indexes_n);
	uint64_t bytes = block_bytes_max(def, b);
	bool large = b->n >= db->heap_run_rows || bytes >= HEAP_RUN_BYTES;
	if (e == ERR_OK)
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
