/* SPDX-License-Identifier: MIT */
/* The index entries of rows that cannot be read any more, for when they are replaced or removed:
 * taken from the index itself. That reads all of the table's index, so it is done once for all rows
 * of a damaged chunk and kept for the next of them. */
#include <stdlib.h>

#include "db/db_priv.h"

struct lost_entry {
	uint32_t id, group;
	uint32_t key_at;
	uint16_t key_n;
	uint8_t index, removed;
};

struct lost_chunk {
	uint64_t address; /* of its row 0 */
	unsigned table;
	uint32_t *ids; /* of rows that some run knows there, ascending */
	size_t ids_n, ids_cap;
	struct lost_entry *entries;
	size_t entries_n, entries_cap;
	uint8_t *keys;
	size_t keys_n, keys_cap;
};

static uint64_t chunk_of(uint64_t address)
{
	return address - address_row(address);
}

static int id_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static enum err ids_find(struct db *db, struct lost_chunk *c, const struct snap_table *st)
{
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < st->runs_n; i++) {
		const struct run *r = st->runs[i];
		for (uint64_t k = 0; k < r->rows_n && e == ERR_OK; k++) {
			if (chunk_of(r->addresses[k]) != c->address)
				continue;
			void *p = c->ids;
			e = mem_grow(&db->mem, &p, &c->ids_cap, c->ids_n + 1, sizeof *c->ids);
			c->ids = p;
			if (e == ERR_OK)
				c->ids[c->ids_n++] = (uint32_t)run_id_at(r, k);
		}
	}
	if (e == ERR_OK && c->ids_n)
		qsort(c->ids, c->ids_n, sizeof *c->ids, id_cmp);
	return e;
}

static bool has_id(const struct lost_chunk *c, uint32_t id)
{
	return c->ids_n && id >= c->ids[0] && id <= c->ids[c->ids_n - 1] &&
	       bsearch(&id, c->ids, c->ids_n, sizeof id, id_cmp);
}

static enum err entry_keep(struct db *db, struct lost_chunk *c, struct lost_entry l,
			   const struct entry *e, uint32_t key_bytes)
{
	uint32_t n = MIN(e->key_n, DB_KEY_BYTES_MAX), in_prefix = MIN(n, key_bytes);
	void *p = c->entries, *k = c->keys;
	enum err err = mem_grow(&db->mem, &p, &c->entries_cap, c->entries_n + 1, sizeof l);
	c->entries = p;
	if (err == ERR_OK)
		err = mem_grow(&db->mem, &k, &c->keys_cap, c->keys_n + n + 1, 1);
	c->keys = k;
	if (err != ERR_OK)
		return err;
	l.key_at = (uint32_t)c->keys_n;
	l.key_n = (uint16_t)n;
	memcpy(c->keys + c->keys_n, e->prefix, in_prefix);
	if (n > in_prefix)
		memcpy(c->keys + c->keys_n + in_prefix, e->tail, n - in_prefix);
	c->keys_n += n;
	c->entries[c->entries_n++] = l;
	return ERR_OK;
}

static enum err group_find(struct db *db, struct lost_chunk *c, const struct run_index *ix,
			   unsigned index, uint64_t g)
{
	enum err err = ERR_OK;
	for (unsigned sign = 0; sign < 2; sign++) {
		uint64_t lo, hi;
		run_group_range(ix, g, sign, &lo, &hi);
		for (; lo < hi && err == ERR_OK; lo++) {
			struct entry e;
			entry_at(ix, sign, lo, &e);
			if (!has_id(c, e.id))
				continue;
			struct lost_entry l = { .id = e.id,
						.group = ix->groups[g].group,
						.index = (uint8_t)index,
						.removed = (uint8_t)sign };
			err = entry_keep(db, c, l, &e, ix->key_bytes);
		}
	}
	return err;
}

static enum err entries_find(struct db *db, struct lost_chunk *c, const struct snap_table *st)
{
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < st->runs_n; i++) {
		for (unsigned x = 0; x < db->tables[c->table].indexes_n; x++) {
			const struct run_index *ix = &st->runs[i]->index[x];
			for (uint64_t g = 0; g < ix->groups_n && e == ERR_OK; g++)
				e = group_find(db, c, ix, x, g);
		}
	}
	return e;
}

void lost_chunk_free(struct db *db)
{
	struct lost_chunk *c = db->lost;
	if (!c)
		return;
	mem_free(&db->mem, c->ids, c->ids_cap * sizeof *c->ids);
	mem_free(&db->mem, c->entries, c->entries_cap * sizeof *c->entries);
	mem_free(&db->mem, c->keys, c->keys_cap);
	mem_free(&db->mem, c, sizeof *c);
	db->lost = NULL;
}

/* What it found stays right while its rows stand there: who replaces one changes its address. */
static enum err chunk_find(struct db *db, const struct db_snap *base, unsigned table,
			   uint64_t address)
{
	if (db->lost && db->lost->table == table && db->lost->address == chunk_of(address))
		return ERR_OK;
	lost_chunk_free(db);
	struct lost_chunk *c = mem_alloc(&db->mem, sizeof *c);
	if (!c)
		return ERR_NOMEM;
	db->lost = c;
	c->table = table;
	c->address = chunk_of(address);
	enum err e = ids_find(db, c, &base->tables[table]);
	if (e == ERR_OK)
		e = entries_find(db, c, &base->tables[table]);
	if (e != ERR_OK)
		lost_chunk_free(db);
	return e;
}

static struct span key_of(const struct lost_chunk *c, const struct lost_entry *e)
{
	return span_of((const char *)c->keys + e->key_at, e->key_n);
}

static bool entry_same(const struct lost_chunk *c, const struct lost_entry *a,
		       const struct lost_entry *b)
{
	return a->id == b->id && a->index == b->index && a->group == b->group &&
	       span_eq(key_of(c, a), key_of(c, b));
}

enum err retract_unread(struct db *db, const struct db_snap *base, unsigned table, uint64_t id,
			uint64_t address, struct db_emit *out)
{
	enum err e = chunk_find(db, base, table, address);
	const struct lost_chunk *c = db->lost;
	for (size_t i = 0; e == ERR_OK && i < c->entries_n; i++) {
		const struct lost_entry *l = &c->entries[i];
		int net = 0;
		bool first = l->id == id;
		for (size_t k = 0; first && k < c->entries_n; k++) {
			if (!entry_same(c, l, &c->entries[k]))
				continue;
			first = k >= i;
			net += c->entries[k].removed ? -1 : 1;
		}
		if (first && net > 0)
			db_emit(out, l->index, l->group, id, key_of(c, l));
	}
	return e == ERR_OK ? out->err : e;
}
