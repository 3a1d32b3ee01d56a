/* SPDX-License-Identifier: MIT */
/* Transactions. Changes wait in memory (sdb_pending.c) and reach the engine in steps, each row once
 * a step; after a step the engine gives a view of what it has. Rows with fresh ascending ids in
 * tables without unique indexes go straight to the engine: a bulk load pays for none of this. */
#include "base/log.h"
#include "salverdb/sdb_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SCRATCH_BYTES_MAX (KEYS_MAX * (SDB_KEY_MAX + 16u) + 65536u)

/* ---- errors ---------------------------------------------------------------------------------- */

enum sdb_err report(struct sdb *db, enum err e)
{
	if (e != ERR_OK && (unsigned)e < SDB_ERRS_N)
		counter_add(&db->errors_n[e], 1);
	return err_out(e);
}

/* A refusal: the transaction stays as it was. Several threads may share a read transaction: nothing
 * is written there. */
PRINTF_LIKE(3, 4)
static enum err refuse(struct sdb_txn *txn, enum err e, const char *fmt, ...)
{
	va_list args;
	if (txn->snap)
		return e;
	va_start(args, fmt);
	vsnprintf(txn->why, sizeof txn->why, fmt, args);
	va_end(args);
	return e;
}

/* A fault: the transaction can only end. */
static enum err fault(struct sdb_txn *txn, enum err e)
{
	if (e != ERR_OK && txn->err == ERR_OK) {
		txn->err = e;
		snprintf(txn->why, sizeof txn->why, "the transaction cannot go on: %s",
			 err_name(e));
	}
	return e;
}

const char *sdb_txn_why(const struct sdb_txn *txn)
{
	return txn->why;
}

/* ---- beginning and ending -------------------------------------------------------------------- */

enum sdb_err sdb_begin_read(struct sdb *db, struct sdb_txn **out)
{
	/* what only a write transaction needs is not even cleared */
	struct sdb_txn *txn = malloc(sizeof *txn);
	if (!txn)
		return report(db, ERR_NOMEM);
	memset(txn, 0, offsetof(struct sdb_txn, pending));
	txn->db = db;
	txn->snap = db_snap_begin(db->db);
	*out = txn;
	return SDB_OK;
}

enum err txn_begin_write(struct sdb *db, struct sdb_txn **out)
{
	if (db->read_only)
		return ERR_ACCESS;
	struct sdb_txn *txn = calloc(1, sizeof *txn);
	if (!txn)
		return ERR_NOMEM;
	enum err e = writer_take(db);
	if (e == ERR_OK) {
		e = db_txn_begin(db->db, &txn->txn);
		if (e != ERR_OK)
			writer_give(db);
	}
	if (e != ERR_OK) {
		free(txn);
		return e;
	}
	txn->db = db;
	arena_init(&txn->arena, PENDING_BYTES_MAX);
	arena_init(&txn->scratch, SCRATCH_BYTES_MAX);
	for (unsigned t = 0; t < db->tables_n; t++)
		txn->pending[t].next_id = db_next_id(db_txn_base(txn->txn), t);
	*out = txn;
	return ERR_OK;
}

enum sdb_err sdb_begin_write(struct sdb *db, struct sdb_txn **out)
{
	return report(db, txn_begin_write(db, out));
}

void view_unref(struct sdb_txn *txn, struct view *v)
{
	if (!v || --v->refs > 0)
		return;
	db_txn_view_end(txn->txn, v->snap);
	free(v);
}

/* Everything but the engine's transaction. */
static void txn_free(struct sdb_txn *txn)
{
	if (!txn->snap) {
		for (unsigned t = 0; t < txn->db->tables_n; t++)
			pending_fini(&txn->pending[t]);
		arena_fini(&txn->arena);
		arena_fini(&txn->kept);
		arena_fini(&txn->scratch);
		writer_give(txn->db);
	}
	free(txn);
}

void sdb_end(struct sdb_txn *txn)
{
	if (!txn)
		return;
	if (txn->snap) {
		db_snap_end(txn->snap);
	} else {
		view_unref(txn, txn->view);
		db_txn_abort(txn->txn);
	}
	txn_free(txn);
}

const struct db_snap *txn_snap(const struct sdb_txn *txn)
{
	if (txn->snap)
		return txn->snap;
	return txn->view ? txn->view->snap : db_txn_base(txn->txn);
}

uint64_t sdb_txn_number(const struct sdb_txn *txn)
{
	return txn->snap ? db_snap_commit(txn->snap) : db_txn_commit_number(txn->txn);
}

/* ---- to the engine --------------------------------------------------------------------------- */

static enum err op_hand_over(struct sdb_txn *txn, unsigned table, const struct pending_op *op)
{
	if (op->remove)
		return op->stored ? db_txn_remove(txn->txn, table, op->id) : ERR_OK;
	struct kv_record_in in = record_row(&txn->db->tables[table], &op->record);
	return db_txn_put(txn->txn, table, op->id, &in);
}

static enum err pending_hand_over(struct sdb_txn *txn)
{
	for (unsigned t = 0; t < txn->db->tables_n; t++) {
		struct pending *p = &txn->pending[t];
		for (size_t i = 0; i < p->ops_n && txn->err == ERR_OK; i++)
			fault(txn, op_hand_over(txn, t, &p->ops[i]));
		pending_clear(p);
	}
	if (txn->arena.used_bytes) { /* what was read of it is good until the next change */
		arena_fini(&txn->kept);
		txn->kept = txn->arena;
		arena_init(&txn->arena, PENDING_BYTES_MAX);
	}
	return txn->err;
}

static enum err view_renew(struct sdb_txn *txn)
{
	struct view *v = malloc(sizeof *v);
	if (!v)
		return fault(txn, ERR_NOMEM);
	v->refs = 1;
	if (fault(txn, db_txn_view(txn->txn, &v->snap)) != ERR_OK) {
		free(v);
		return txn->err;
	}
	view_unref(txn, txn->view);
	txn->view = v;
	for (unsigned t = 0; t < txn->db->tables_n; t++)
		txn->pending[t].direct_first = 0;
	return ERR_OK;
}

enum err txn_settle(struct sdb_txn *txn)
{
	bool due = false;
	for (unsigned t = 0; t < txn->db->tables_n; t++)
		due |= txn->pending[t].ops_n || txn->pending[t].direct_first;
	if (!due || txn->err != ERR_OK)
		return txn->err;
	enum err e = pending_hand_over(txn);
	return e == ERR_OK ? view_renew(txn) : e;
}

/* Rows that went straight to the engine are wanted back: the transaction does not do that again
 * with this table, or writing and reading in turn would make a step of each row. */
static enum err direct_settle(struct sdb_txn *txn, unsigned table, uint64_t id)
{
	struct pending *p = &txn->pending[table];
	if (!p->direct_first || id < p->direct_first || id >= p->next_id)
		return ERR_OK;
	p->wait_all = true;
	return txn_settle(txn);
}

static bool pending_full(const struct sdb_txn *txn, const struct pending *p)
{
	return p->ops_n >= PENDING_OPS_MAX || p->keys_n >= PENDING_KEYS_MAX ||
	       txn->arena.used_bytes >= PENDING_BYTES;
}

enum sdb_err sdb_commit(struct sdb_txn *txn)
{
	struct sdb *db = txn->db;
	if (txn->snap) {
		sdb_end(txn);
		return SDB_OK;
	}
	enum err e = txn->err == ERR_OK ? pending_hand_over(txn) : txn->err;
	view_unref(txn, txn->view);
	if (e == ERR_OK && txn->changes_n)
		e = db_txn_commit(txn->txn);
	else
		db_txn_abort(txn->txn);
	if (e == ERR_OK && txn->changes_n)
		group_committed(db);
	txn_free(txn);
	return report(db, e);
}

/* ---- finding --------------------------------------------------------------------------------- */

bool index_find(const struct db_snap *sn, unsigned table, unsigned index, struct span key,
		uint64_t *out_id)
{
	struct db_cursor c;
	struct span found;
	uint8_t scratch[DB_KEY_BYTES_MAX];
	db_seek_key(&c, sn, table, index, 0, key);
	return db_next_key(&c, out_id, &found, scratch) && span_eq(found, key);
}

static struct pending_op *op_of_key(const struct sdb_txn *txn, unsigned table, struct sdb_key key)
{
	const struct pending *p = &txn->pending[table];
	if (txn->db->tables[table].def.key == SDB_KEY_ID)
		return pending_find(p, BY_ID, key.number, span_of(NULL, 0));
	return pending_find(p, BY_KEY, key.number, span_in(key.text));
}

/* The id of the row that the engine has for a key. */
static bool stored_id(const struct sdb_txn *txn, unsigned table, struct sdb_key key, uint64_t *out)
{
	const struct table *t = &txn->db->tables[table];
	const struct db_snap *sn = txn_snap(txn);
	uint8_t scratch[8];
	if (t->def.key != SDB_KEY_ID)
		return index_find(sn, table, 0, key_bytes(t, key, scratch), out);
	*out = key.number;
	return db_id_from(sn, table, key.number) == key.number;
}

/* The key made uniform: what is not used is zero, so that equal keys are equal. ERR_INVALID. */
static enum err key_clean(struct sdb_txn *txn, unsigned table, struct sdb_key *key)
{
	const struct table *t = &txn->db->tables[table];
	if (t->def.key == SDB_KEY_STRING) {
		key->number = 0;
		if (key->text.n > SDB_KEY_MAX)
			return refuse(txn, ERR_LIMIT, "table \"%s\": a key of %zu bytes",
				      t->def.name, key->text.n);
		return ERR_OK;
	}
	key->text = (struct sdb_bytes){ NULL, 0 };
	if (t->def.key == SDB_KEY_ID && (key->number == 0 || key->number > SDB_RECORDS_MAX))
		return refuse(txn, ERR_LIMIT, "table \"%s\": key %llu is not 1 to 2^32 - 1",
			      t->def.name, (unsigned long long)key->number);
	return ERR_OK;
}

/* Checks that every call with a table makes; turns its number into the engine's. */
static enum err table_enter(const struct sdb_txn *txn, unsigned *table)
{
	if (*table >= txn->db->tables_n - 1)
		return ERR_INVALID;
	++*table;
	return txn->err;
}

static enum err table_change(struct sdb_txn *txn, unsigned *table)
{
	if (txn->snap)
		return ERR_ACCESS;
	txn->why[0] = '\0';
	return table_enter(txn, table);
}

/* ---- putting --------------------------------------------------------------------------------- */

static enum err record_check(struct sdb_txn *txn, unsigned table, const struct sdb_record *record,
			     struct index_key *keys, unsigned *keys_n)
{
	const struct table *t = &txn->db->tables[table];
	unsigned over = 0;
	if (record->value.n > SDB_VALUE_MAX)
		return refuse(txn, ERR_LIMIT, "table \"%s\": a value of %zu bytes", t->def.name,
			      record->value.n);
	if (!record_valid(t, record->value))
		return refuse(txn, ERR_INVALID, "table \"%s\": the value is not sound %s",
			      t->def.name, t->def.codec == SDB_JSON ? "JSON" : "FlatBuffers");
	*keys_n = 0;
	if (t->def.indexes_n == 0)
		return ERR_OK;
	arena_reset(&txn->scratch);
	enum err e = record_keys(t, record, &txn->scratch, keys, keys_n, &over);
	if (e == ERR_LIMIT)
		return refuse(txn, e, "index \"%s\" of table \"%s\": too many or too long keys",
			      t->def.indexes[over].name, t->def.name);
	return e;
}

static bool key_taken(const struct sdb_txn *txn, unsigned table, const struct index_key *k,
		      uint64_t own_id)
{
	const struct table *t = &txn->db->tables[table];
	const struct pending *p = &txn->pending[table];
	uint64_t id;
	const struct pending_op *op = pending_find(p, BY_INDEX + k->index, 0, k->key);
	if (op)
		return op->id != own_id && !op->remove;
	if (!index_find(txn_snap(txn), table, t->key_indexes_n + k->index, k->key, &id))
		return false;
	/* the row is changed by this transaction: what it has now was asked for above */
	return id != own_id && !pending_find(p, BY_ID, id, span_of(NULL, 0));
}

static enum err keys_check(struct sdb_txn *txn, unsigned table, const struct index_key *keys,
			   unsigned n, uint64_t own_id)
{
	const struct table *t = &txn->db->tables[table];
	for (unsigned i = 0; i < n; i++) {
		const struct sdb_index *index = &t->def.indexes[keys[i].index];
		if (index->unique && key_taken(txn, table, &keys[i], own_id))
			return refuse(txn, ERR_EXISTS,
				      "index \"%s\" of table \"%s\" has the key %s already",
				      index->name, t->def.name, QUOTE(keys[i].key));
	}
	return ERR_OK;
}

/* A copy in the transaction's own memory. */
static enum err bytes_keep(struct sdb_txn *txn, struct sdb_bytes *b)
{
	struct span kept = arena_dup(&txn->arena, span_of(b->n ? b->p : "", b->n));
	*b = sdb_bytes(kept.p, kept.n);
	return kept.p ? ERR_OK : ERR_NOMEM;
}

static enum err op_keep(struct sdb_txn *txn, unsigned table, struct pending_op *op,
			struct sdb_bytes value, const struct index_key *keys, unsigned keys_n)
{
	const struct table *t = &txn->db->tables[table];
	struct pending *p = &txn->pending[table];
	op->remove = false;
	op->version++;
	op->record.value = value;
	enum err e = bytes_keep(txn, &op->record.value);
	for (unsigned i = 0; i < keys_n && e == ERR_OK; i++) {
		if (!t->def.indexes[keys[i].index].unique)
			continue;
		struct sdb_bytes kept = sdb_bytes(keys[i].key.p, keys[i].key.n);
		e = bytes_keep(txn, &kept);
		if (e == ERR_OK)
			e = pending_add_key(p, op, keys[i].index, span_in(kept));
	}
	return e;
}

static enum err op_make(struct sdb_txn *txn, unsigned table, struct sdb_key key, uint64_t id,
			bool stored, struct pending_op **out)
{
	struct pending_op op = { .id = id, .record.key = key, .stored = stored };
	enum err e = bytes_keep(txn, &op.record.key.text);
	if (e != ERR_OK)
		return e;
	return pending_add(&txn->pending[table], &txn->db->tables[table], &op, out);
}

/* A fresh row, greater than all before it, that no unique index has to know. */
static enum err put_direct(struct sdb_txn *txn, unsigned table, const struct sdb_record *record)
{
	struct pending *p = &txn->pending[table];
	struct kv_record_in in = record_row(&txn->db->tables[table], record);
	enum err e = db_txn_put(txn->txn, table, record->key.number, &in);
	if (e != ERR_OK)
		return fault(txn, e);
	if (!p->direct_first)
		p->direct_first = record->key.number;
	p->next_id = record->key.number + 1;
	p->len_delta++;
	return ERR_OK;
}

static enum err put_waiting(struct sdb_txn *txn, unsigned table, const struct sdb_record *record,
			    const struct index_key *keys, unsigned keys_n)
{
	struct pending *p = &txn->pending[table];
	bool by_id = txn->db->tables[table].def.key == SDB_KEY_ID;
	struct pending_op *op = op_of_key(txn, table, record->key);
	uint64_t id = op ? op->id : 0;
	bool stored = !op && stored_id(txn, table, record->key, &id);
	bool live = op ? !op->remove : stored;
	if (!op && !stored)
		id = by_id ? record->key.number : p->next_id;
	if (id > SDB_RECORDS_MAX)
		return refuse(txn, ERR_LIMIT, "table \"%s\" has given out all its ids",
			      txn->db->tables[table].def.name);
	enum err e = keys_check(txn, table, keys, keys_n, id);
	if (e != ERR_OK)
		return e;
	if (!op)
		e = op_make(txn, table, record->key, id, stored, &op);
	if (e == ERR_OK)
		e = op_keep(txn, table, op, record->value, keys, keys_n);
	p->next_id = MAX(p->next_id, id + 1);
	p->len_delta += !live;
	if (e == ERR_OK && pending_full(txn, p))
		e = txn_settle(txn);
	return fault(txn, e);
}

/* `table` is the engine's. */
static enum err put(struct sdb_txn *txn, unsigned table, const struct sdb_record *record)
{
	const struct table *t = &txn->db->tables[table];
	struct pending *p = &txn->pending[table];
	struct sdb_record r = *record;
	struct index_key keys[KEYS_MAX];
	unsigned keys_n;
	enum err e = key_clean(txn, table, &r.key);
	if (e == ERR_OK)
		e = record_check(txn, table, &r, keys, &keys_n);
	if (e != ERR_OK)
		return e;
	txn->changes_n++;
	if (t->def.key == SDB_KEY_ID && !t->has_unique && !p->wait_all &&
	    r.key.number >= p->next_id)
		return put_direct(txn, table, &r);
	if (t->def.key == SDB_KEY_ID)
		e = direct_settle(txn, table, r.key.number);
	return e == ERR_OK ? put_waiting(txn, table, &r, keys, keys_n) : e;
}

enum sdb_err sdb_put(struct sdb_txn *txn, unsigned table, struct sdb_key key,
		     struct sdb_bytes value)
{
	struct sdb_record record = { key, value };
	enum err e = table_change(txn, &table);
	return report(txn->db, e == ERR_OK ? put(txn, table, &record) : e);
}

enum sdb_err sdb_add(struct sdb_txn *txn, unsigned table, struct sdb_bytes value, uint64_t *out_key)
{
	enum err e = table_change(txn, &table);
	if (e == ERR_OK && txn->db->tables[table].def.key != SDB_KEY_ID)
		e = refuse(txn, ERR_INVALID, "table \"%s\" does not give out keys",
			   txn->db->tables[table].def.name);
	if (e != ERR_OK)
		return report(txn->db, e);
	struct sdb_record record = { sdb_number(txn->pending[table].next_id), value };
	e = put(txn, table, &record);
	if (e == ERR_OK && out_key)
		*out_key = record.key.number;
	return report(txn->db, e);
}

enum sdb_err sdb_put_many(struct sdb_txn *txn, unsigned table, const struct sdb_record *records,
			  size_t n, size_t *out_done)
{
	size_t done = 0;
	enum err e = table_change(txn, &table);
	while (e == ERR_OK && done < n) {
		e = put(txn, table, &records[done]);
		done += e == ERR_OK;
	}
	if (out_done)
		*out_done = done;
	return report(txn->db, e);
}

/* ---- removing -------------------------------------------------------------------------------- */

static enum err remove_one(struct sdb_txn *txn, unsigned table, struct sdb_key key)
{
	struct pending *p = &txn->pending[table];
	uint64_t id = 0;
	enum err e = key_clean(txn, table, &key);
	if (e == ERR_OK && txn->db->tables[table].def.key == SDB_KEY_ID)
		e = direct_settle(txn, table, key.number);
	if (e != ERR_OK)
		return e;
	struct pending_op *op = op_of_key(txn, table, key);
	bool stored = !op && stored_id(txn, table, key, &id);
	if (op ? op->remove : !stored)
		return ERR_NOTFOUND;
	if (!op)
		e = op_make(txn, table, key, id, true, &op);
	if (e == ERR_OK) {
		op->remove = true;
		op->version++; /* its unique keys are free */
		p->len_delta--;
		txn->changes_n++;
	}
	if (e == ERR_OK && pending_full(txn, p))
		e = txn_settle(txn);
	return fault(txn, e);
}

enum sdb_err sdb_remove(struct sdb_txn *txn, unsigned table, struct sdb_key key)
{
	enum err e = table_change(txn, &table);
	if (e == ERR_OK)
		e = remove_one(txn, table, key);
	return e == ERR_NOTFOUND ? SDB_NOTFOUND : report(txn->db, e);
}

enum sdb_err sdb_remove_many(struct sdb_txn *txn, unsigned table, const struct sdb_key *keys,
			     size_t n, size_t *out_removed)
{
	size_t removed = 0;
	enum err e = table_change(txn, &table);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		e = remove_one(txn, table, keys[i]);
		removed += e == ERR_OK;
		e = e == ERR_NOTFOUND ? ERR_OK : e;
	}
	if (out_removed)
		*out_removed = removed;
	return report(txn->db, e);
}

enum sdb_err sdb_clear(struct sdb_txn *txn, unsigned table)
{
	enum err e = table_change(txn, &table);
	if (e == ERR_OK)
		e = txn_settle(txn);
	if (e != ERR_OK)
		return report(txn->db, e);
	struct pending *p = &txn->pending[table];
	const struct db_snap *sn = txn_snap(txn);
	uint64_t id = db_id_from(sn, table, 0);
	bool any = id != UINT64_MAX;
	for (; id != UINT64_MAX && e == ERR_OK; id = db_id_from(sn, table, id + 1))
		e = fault(txn, db_txn_remove(txn->txn, table, id));
	p->len_delta = -(int64_t)db_rows(db_txn_base(txn->txn), table);
	txn->changes_n += any;
	if (e == ERR_OK && any)
		e = view_renew(txn);
	return report(txn->db, e);
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum err get(struct sdb_txn *txn, unsigned table, struct sdb_key key, struct sdb_record *out)
{
	const struct table *t = &txn->db->tables[table];
	struct fb_table row;
	uint64_t id;
	if (key_clean(txn, table, &key) != ERR_OK)
		return ERR_NOTFOUND;
	if (!txn->snap) {
		enum err e =
			t->def.key == SDB_KEY_ID ? direct_settle(txn, table, key.number) : ERR_OK;
		const struct pending_op *op = op_of_key(txn, table, key);
		if (e == ERR_OK && op && !op->remove)
			*out = op->record;
		if (e != ERR_OK || op)
			return e != ERR_OK ? e : op->remove ? ERR_NOTFOUND : ERR_OK;
	}
	id = key.number;
	if (t->def.key != SDB_KEY_ID && !stored_id(txn, table, key, &id))
		return ERR_NOTFOUND;
	enum err e = db_get(txn_snap(txn), table, id, &row);
	if (e == ERR_OK)
		record_of_row(t, row, out);
	return e;
}

enum sdb_err sdb_get(struct sdb_txn *txn, unsigned table, struct sdb_key key,
		     struct sdb_record *out)
{
	enum err e = table_enter(txn, &table);
	if (e == ERR_OK)
		e = get(txn, table, key, out);
	return e == ERR_NOTFOUND ? SDB_NOTFOUND : report(txn->db, e);
}

enum sdb_err sdb_get_many(struct sdb_txn *txn, unsigned table, const struct sdb_key *keys, size_t n,
			  struct sdb_record *out_records)
{
	enum err e = table_enter(txn, &table);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		e = get(txn, table, keys[i], &out_records[i]);
		if (e == ERR_NOTFOUND) {
			out_records[i] = (struct sdb_record){ .key = keys[i] };
			e = ERR_OK;
		}
	}
	return report(txn->db, e);
}

enum sdb_err sdb_contains(struct sdb_txn *txn, unsigned table, struct sdb_key key)
{
	struct sdb_record record;
	return sdb_get(txn, table, key, &record);
}

uint64_t sdb_len(const struct sdb_txn *txn, unsigned table)
{
	if (table_enter(txn, &table) != ERR_OK)
		return 0;
	if (txn->snap)
		return db_rows(txn->snap, table);
	return db_rows(db_txn_base(txn->txn), table) + (uint64_t)txn->pending[table].len_delta;
}

/* ---- running a function ---------------------------------------------------------------------- */

enum sdb_err sdb_read(struct sdb *db, enum sdb_err (*fn)(struct sdb_txn *, void *ctx), void *ctx)
{
	struct sdb_txn *txn;
	enum sdb_err e = sdb_begin_read(db, &txn);
	if (e != SDB_OK)
		return e;
	e = fn(txn, ctx);
	sdb_end(txn);
	return e;
}

static enum sdb_err write_once(struct sdb *db, enum sdb_err (*fn)(struct sdb_txn *, void *ctx),
			       void *ctx)
{
	struct sdb_txn *txn;
	enum sdb_err e = sdb_begin_write(db, &txn);
	if (e != SDB_OK)
		return e;
	e = fn(txn, ctx);
	if (e == SDB_OK)
		return sdb_commit(txn);
	sdb_end(txn);
	return e;
}

enum sdb_err sdb_write(struct sdb *db, enum sdb_err (*fn)(struct sdb_txn *, void *ctx), void *ctx)
{
	enum sdb_err e;
	unsigned n = 0;
	do
		e = write_once(db, fn, ctx);
	while (retry_pause(db, err_in(e), n++));
	return e;
}
