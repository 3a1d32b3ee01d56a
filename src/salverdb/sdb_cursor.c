/* SPDX-License-Identifier: MIT */
/* Cursors: a range of one index, counted and sought by position; or the rows of a table by id. */
#include <stdlib.h>

#include "salverdb/sdb_priv.h"

struct sdb_cursor {
	struct sdb_txn *txn;
	struct view *view; /* kept from ending; NULL: the transaction's base, or a read */
	const struct db_snap *snap;
	unsigned table;
	bool by_id;
	uint64_t next_id; /* by_id */
	uint64_t first;	  /* live entries of the index before the range */
	uint64_t n, at;	  /* records in the range, and before the cursor */
	unsigned index;
	struct db_cursor c;
};

/* Where a range of an index begins or ends: live entries before it. */
static uint64_t rank_of(const struct sdb_cursor *c, struct span key)
{
	struct db_cursor at;
	db_seek_key(&at, c->snap, c->table, c->index, 0, key);
	return db_cursor_offset(&at);
}

static enum err cursor_new(struct sdb_txn *txn, unsigned *table, struct sdb_cursor **out)
{
	if (*table >= txn->db->tables_n - 1)
		return ERR_INVALID;
	++*table;
	enum err e = txn->snap ? ERR_OK : txn_settle(txn);
	if (e != ERR_OK)
		return e;
	struct sdb_cursor *c = calloc(1, sizeof *c);
	if (!c)
		return ERR_NOMEM;
	c->txn = txn;
	c->table = *table;
	c->snap = txn_snap(txn);
	c->view = txn->view;
	if (c->view)
		c->view->refs++;
	*out = c;
	return ERR_OK;
}

void sdb_cursor_close(struct sdb_cursor *c)
{
	if (!c)
		return;
	view_unref(c->txn, c->view);
	free(c);
}

/* from <= key < to; to.p NULL: to the end. */
static void range_set(struct sdb_cursor *c, unsigned index, struct span from, struct span to)
{
	c->index = index;
	c->first = rank_of(c, from);
	uint64_t end = to.p ? rank_of(c, to) : db_count(c->snap, c->table, index, 0);
	c->n = end > c->first ? end - c->first : 0;
	db_seek_key(&c->c, c->snap, c->table, index, 0, from);
}

enum sdb_err sdb_all(struct sdb_txn *txn, unsigned table, struct sdb_cursor **out)
{
	struct sdb_cursor *c = NULL;
	enum err e = cursor_new(txn, &table, &c);
	if (e != ERR_OK)
		return report(txn->db, e);
	c->by_id = txn->db->tables[table].def.key == SDB_KEY_ID;
	if (c->by_id)
		c->n = db_rows(c->snap, table);
	else
		range_set(c, 0, span_of("", 0), span_of(NULL, 0));
	*out = c;
	return SDB_OK;
}

static enum sdb_err find(struct sdb_txn *txn, unsigned table, unsigned index, struct span from,
			 struct span to, struct sdb_cursor **out)
{
	struct sdb_cursor *c = NULL;
	enum err e = cursor_new(txn, &table, &c);
	const struct table *t = &txn->db->tables[table];
	if (e == ERR_OK && index >= t->def.indexes_n) {
		sdb_cursor_close(c);
		e = ERR_INVALID;
	}
	if (e != ERR_OK)
		return report(txn->db, e);
	range_set(c, t->key_indexes_n + index, from, to);
	*out = c;
	return SDB_OK;
}

/* Keys that long are in no index. */
static enum sdb_err find_nothing(struct sdb_txn *txn, unsigned table, unsigned index,
				 struct sdb_cursor **out)
{
	return find(txn, table, index, span_of("", 0), span_of("", 0), out);
}

enum sdb_err sdb_find(struct sdb_txn *txn, unsigned table, unsigned index, struct sdb_bytes key,
		      struct sdb_cursor **out)
{
	uint8_t behind[SDB_KEY_MAX +
		       1]; /* the least key greater than this one: with one more zero */
	if (key.n > SDB_KEY_MAX)
		return find_nothing(txn, table, index, out);
	if (key.n)
		memcpy(behind, key.p, key.n);
	behind[key.n] = 0;
	return find(txn, table, index, span_of(behind, key.n), span_of(behind, key.n + 1), out);
}

enum sdb_err sdb_find_prefix(struct sdb_txn *txn, unsigned table, unsigned index,
			     struct sdb_bytes prefix, struct sdb_cursor **out)
{
	uint8_t behind[SDB_KEY_MAX]; /* the least key greater than all that begin so */
	size_t n = prefix.n;
	if (n > SDB_KEY_MAX)
		return find_nothing(txn, table, index, out);
	if (n)
		memcpy(behind, prefix.p, n);
	while (n && behind[n - 1] == 0xff)
		n--;
	if (n)
		behind[n - 1]++;
	return find(txn, table, index, span_in(prefix), n ? span_of(behind, n) : span_of(NULL, 0),
		    out);
}

enum sdb_err sdb_find_range(struct sdb_txn *txn, unsigned table, unsigned index,
			    struct sdb_bytes from, struct sdb_bytes to, struct sdb_cursor **out)
{
	return find(txn, table, index, span_in(from), span_in(to), out);
}

uint64_t sdb_cursor_count(const struct sdb_cursor *c)
{
	return c->n;
}

void sdb_cursor_seek(struct sdb_cursor *c, uint64_t offset)
{
	c->at = MIN(offset, c->n);
	if (!c->by_id) {
		db_seek(&c->c, c->snap, c->table, c->index, 0, c->first + c->at);
		return;
	}
	c->next_id = 0;
	for (uint64_t i = 0; i < c->at; i++) {
		uint64_t id = db_id_from(c->snap, c->table, c->next_id);
		if (id == UINT64_MAX) { /* a damaged table has fewer than its count says */
			c->at = c->n;
			return;
		}
		c->next_id = id + 1;
	}
}

static bool next_id(struct sdb_cursor *c, uint64_t *out)
{
	if (c->at >= c->n)
		return false;
	if (!c->by_id)
		return db_next(&c->c, out);
	*out = db_id_from(c->snap, c->table, c->next_id);
	if (*out == UINT64_MAX)
		return false;
	c->next_id = *out + 1;
	return true;
}

enum sdb_err sdb_cursor_next(struct sdb_cursor *c, struct sdb_record *out)
{
	struct fb_table row;
	uint64_t id;
	if (!next_id(c, &id)) {
		c->at = c->n;
		return SDB_NOTFOUND;
	}
	c->at++;
	enum err e = db_get(c->snap, c->table, id, &row);
	/* the index knows it, so that it is missing is damage, not the end */
	if (e == ERR_NOTFOUND)
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		record_of_row(&c->txn->db->tables[c->table], row, out);
	return report(c->txn->db, e);
}
