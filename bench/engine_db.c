/* SPDX-License-Identifier: MIT */
/* src/db alone with the library's tables: media rows only, whose directories, artists and so on
 * have the generator's numbers. The difference to the whole library is what the library costs. */
#include "engine.h"
#include "library/tables.h"
#include "run_files.h"

struct store {
	struct db *db;
	struct db_txn *txn; /* NULL: none is open */
};

static struct store the_store; /* one at a time is enough */

static void must(const char *what, enum err e)
{
	if (e != ERR_OK)
		bench_fail(what, err_name(e));
}

static void *store_open(const struct engine_options *o)
{
	struct db_options options = { .dir = o->dir,
				      .tables = library_tables,
				      .tables_n = TABLES_N };
	struct err_info info = { 0 };
	if (db_open(&options, &the_store.db, &info) != ERR_OK)
		bench_fail("db: open", info.text);
	return &the_store;
}

static void store_close(void *db)
{
	struct store *s = db;
	db_close(TAKE(s->db));
}

static void store_put(void *db, const struct row *row)
{
	struct store *s = db;
	if (!s->txn)
		must("db: begin", db_txn_begin(s->db, &s->txn));
	must("db: put",
	     db_txn_put(s->txn, TABLE_MEDIA, db_txn_new_id(s->txn, TABLE_MEDIA), &row->in));
}

static void store_commit(void *db)
{
	struct store *s = db;
	must("db: commit", db_txn_commit(TAKE(s->txn)));
}

const struct engine engine_db = {
	.name = "db",
	.open = store_open,
	.close = store_close,
	.put = store_put,
	.commit = store_commit,
	.lose_indexes = run_files_remove,
};
