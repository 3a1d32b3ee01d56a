/* SPDX-License-Identifier: MIT */
/* Views: what a transaction would commit, readable while it goes on. A view is a snapshot that is
 * never published: the base's runs and those of the transaction. */
#include "db/db_priv.h"

enum err db_txn_view(struct db_txn *txn, struct db_snap **out)
{
	struct db *db = txn->db;
	if (txn_flush(txn) != ERR_OK)
		return txn->err;
	struct db_snap *view = snap_copy(db, txn->base);
	if (!view)
		return ERR_NOMEM;
	view->commit = txn->log.commit;
	for (unsigned t = 0; t < db->tables_n; t++) {
		const struct txn_table *tt = &txn->tables[t];
		struct snap_table *st = &view->tables[t];
		st->next_id = MAX(st->next_id, tt->next_id);
		st->live += (uint64_t)tt->live_delta;
		ASSERT(st->runs_n + tt->runs_n <= DB_RUNS_MAX);
		for (uint32_t i = 0; i < tt->runs_n; i++) {
			run_ref(tt->runs[i]);
			st->runs[st->runs_n++] = tt->runs[i];
		}
	}
	*out = view;
	return ERR_OK;
}

/* Its runs are the transaction's too, and db-index may be making one of several. */
void db_txn_view_end(struct db_txn *txn, struct db_snap *view)
{
	if (!view)
		return;
	enum err e = index_thread_join(&txn->db->index_thread);
	if (txn->err == ERR_OK)
		txn->err = e;
	snap_free(txn->db, view);
}

uint64_t db_next_id(const struct db_snap *sn, unsigned table)
{
	return sn->tables[table].next_id;
}

const struct db_table_def *db_emit_table(const struct db_emit *out)
{
	return out->def;
}

uint64_t db_id_from(const struct db_snap *sn, unsigned table, uint64_t from)
{
	return snap_row_next(sn, table, from);
}
