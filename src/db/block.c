/* SPDX-License-Identifier: MIT */
/* A block of a transaction's rows becomes a run. */
#include <stdlib.h>

#include "db/db_priv.h"
#include "db/merge.h"

size_t block_emit_bytes(const struct block *b)
{
	size_t n = 0;
	for (unsigned x = 0; x < DB_INDEXES_MAX; x++)
		n += b->lists[0][x].n + b->lists[1][x].n;
	return n;
}

static void block_reset(struct block *b)
{
	b->n = 0;
	for (unsigned x = 0; x < DB_INDEXES_MAX; x++) {
		for (unsigned sign = 0; sign < 2; sign++) {
			struct emit_list *l = &b->lists[sign][x];
			l->n = l->id_start = 0;
			l->entries_n = 0;
		}
	}
}

void block_fini(struct db_mem *m, struct block *b)
{
	mem_free(m, b->rows, b->cap * sizeof *b->rows);
	for (unsigned x = 0; x < DB_INDEXES_MAX; x++)
		for (unsigned sign = 0; sign < 2; sign++)
			mem_free(m, b->lists[sign][x].p, b->lists[sign][x].cap);
	*b = (struct block){ 0 };
}

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

/* Groups and tails are counted from the sorted items; entries may still cancel out. */
static void bound_count(struct merge_bound *b, unsigned sign, const struct sort_item *items,
			size_t n, uint32_t key_bytes)
{
	b->entries_n[sign] = n;
	for (size_t i = 0; i < n; i++) {
		b->groups_n += i == 0 || items[i].k >> 32 != items[i - 1].k >> 32;
		if (items[i].e->key_n > key_bytes)
			b->tails[sign] += 2u + items[i].e->key_n - key_bytes;
	}
}

static void items_free(struct db_mem *m, struct sort_item *items[2], const struct block *b,
		       unsigned index)
{
	for (unsigned sign = 0; sign < 2; sign++) {
		mem_free(m, items[sign], b->lists[sign][index].entries_n * sizeof **items);
		items[sign] = NULL;
	}
}

static enum err block_index(struct run_out *o, struct block *b, unsigned index,
			    struct merge_source *src)
{
	struct db_mem *m = &o->db->mem;
	uint32_t kb = o->db->tables[o->head.table].indexes[index].key_bytes;
	struct sort_item *items[2] = { NULL, NULL };
	struct merge_bound bound = { 0 };
	enum err e = ERR_OK;
	for (unsigned sign = 0; sign < 2 && e == ERR_OK; sign++) {
		e = emit_sort(m, &b->lists[sign][index], kb, &items[sign]);
		if (e == ERR_OK)
			bound_count(&bound, sign, items[sign], b->lists[sign][index].entries_n, kb);
		src->item[sign] = items[sign];
		src->item_n[sign] = b->lists[sign][index].entries_n;
	}
	if (e == ERR_OK)
		merge_write_index(o, src, 1, index, &bound);
	items_free(m, items, b, index);
	return e;
}

/* An upper bound without having sorted: an entry's bytes in the block cover those in the run, but
 * for a tail's length (2) and a group row. */
static uint64_t block_bytes_max(const struct db_table_def *def, const struct block *b)
{
	uint64_t bytes = b->n * 12 + 32;
	for (unsigned x = 0; x < def->indexes_n; x++) {
		for (unsigned sign = 0; sign < 2; sign++) {
			const struct emit_list *l = &b->lists[sign][x];
			bytes += l->n + l->entries_n * (sizeof(struct disk_group) + 8) + 40;
		}
	}
	return bytes;
}

/* In memory the bound above would waste half: merge the fresh image once to its real size? A block
 * that stays in memory is small (HEAP_RUN_ROWS), and the next merge sizes it exactly. */
enum err block_build(struct db *db, unsigned table, struct block *b, uint64_t commit,
		     struct run **out)
{
	const struct db_table_def *def = &db->tables[table];
	enum err e = rows_sort(b);
	if (e != ERR_OK)
		return e;
	struct run_out o;
	e = out_begin(&o, db, table, block_bytes_max(def, b),
		      b->n >= HEAP_RUN_ROWS && !db->read_only);
	if (e != ERR_OK)
		return e;
	struct merge_source src = { .rows = b->rows, .rows_n = b->n, .commit = commit };
	o.head.commit_last = commit;
	merge_write_rows(&o, &src, 1, false);
	for (unsigned x = 0; x < def->indexes_n && e == ERR_OK && o.err == ERR_OK; x++)
		e = block_index(&o, b, x, &src);
	if (e != ERR_OK) {
		out_abort(&o);
		return e;
	}
	e = out_finish(&o, out);
	if (e == ERR_OK)
		block_reset(b);
	return e;
}
