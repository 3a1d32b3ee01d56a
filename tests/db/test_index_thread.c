/* SPDX-License-Identifier: MIT */
/* Index work beside the writer: the same store comes of it, and the same errors. */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#include "db/db_priv.h"
#include "fixture.h"

#define ROWS 30000u /* of some 3 MiB: many chunks, some blocks with the least budget */

static unsigned entries_n(const char *dir)
{
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	unsigned n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Those of that name: a sanitizer has threads of its own. */
static unsigned threads_n(void)
{
	DIR *d = opendir("/proc/self/task");
	EXPECT(d != NULL);
	unsigned n = 0;
	const struct dirent *de;
	while ((de = readdir(d))) {
		char path[300], name[32] = "";
		snprintf(path, sizeof path, "/proc/self/task/%s/comm", de->d_name);
		FILE *f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof name, f))
			n += strcmp(name, "db-index\n") == 0;
		fclose(f);
	}
	closedir(d);
	return n;
}

/* index_chunk_bytes 1: with any number of processors, for chunks of any size. */
static struct db *opened(const char *dir, uint32_t index_chunk_bytes, const struct db_io *io)
{
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	o.index_chunk_bytes = index_chunk_bytes;
	o.budget_bytes = BUDGET_MIN_BYTES;
	o.heap_run_rows = 24;
	o.io = io;
	EXPECT_OK(db_open(&o, &db, NULL));
	return db;
}

static void rows_put(struct db_txn *txn, uint64_t from, uint64_t step, uint32_t version)
{
	for (uint64_t id = from; id <= ROWS; id += step)
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, version));
}

/* New rows, rows that replace, removals, all in one. */
static void work(struct db *db)
{
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	rows_put(txn, 1, 1, 1);
	EXPECT_OK(db_txn_commit(txn));
	EXPECT_OK(db_txn_begin(db, &txn));
	rows_put(txn, 2, 3, 2);
	for (uint64_t id = 1; id <= ROWS; id += 300)
		EXPECT_OK(db_txn_remove(txn, FX_MEDIA, id));
	rows_put(txn, 3, 3, 3);
	for (uint64_t id = ROWS + 1; id < ROWS + 2000; id++)
		EXPECT_OK(fx_put(txn, FX_SETTING, id, 1));
	EXPECT_OK(db_txn_commit(txn));
}

/* Every group's entries in their order, and what they lead to. */
static uint64_t digest(struct db *db)
{
	struct db_snap *sn = db_snap_begin(db);
	uint64_t hash = db_rows(sn, FX_MEDIA) + db_rows(sn, FX_SETTING) + db_next_id(sn, FX_MEDIA);
	for (unsigned x = 0; x < fx_tables[FX_MEDIA].indexes_n; x++) {
		for (uint32_t g = 0; g < FX_GROUPS; g++) {
			struct db_cursor c;
			uint64_t id;
			db_seek(&c, sn, FX_MEDIA, x, g, 0);
			while (db_next(&c, &id))
				hash = (hash ^ id ^ snap_address(sn, FX_MEDIA, id)) *
				       0x9e3779b97f4a7c15u;
		}
	}
	db_snap_end(sn);
	return hash;
}

TEST_LIMIT(db_index_thread, the_same_store_comes_of_it, 120)
{
	uint64_t found[3];
	for (unsigned i = 0; i < 2; i++) { /* 1: beside the writer */
		char dir[256];
		snprintf(dir, sizeof dir, "%s/%u", test_tmpdir(), i);
		struct db *db = opened(dir, i ? 1 : UINT32_MAX, NULL);
		work(db);
		EXPECT_U64(i, threads_n());
		fx_expect_sound(db);
		found[i] = digest(db);
		db_free(db); /* no checkpoint: all is replayed */
		EXPECT_U64(0, threads_n());
		db = opened(dir, UINT32_MAX, NULL);
		found[2] = digest(db);
		EXPECT_U64(found[i], found[2]);
		db_close(db);
	}
	EXPECT_U64(found[0], found[1]);
}

TEST_LIMIT(db_index_thread, random_transactions_are_what_the_model_says, 120)
{
	static struct fx_model m;
	struct db *db = opened(test_tmpdir(), 1, NULL);
	for (unsigned i = 0; i < 150; i++) {
		EXPECT_OK(fx_random_txn(db, &m, test_random() % 4 ? 12 : 200));
		struct db_snap *sn = db_snap_begin(db);
		EXPECT(fx_same(sn, &m));
		db_snap_end(sn);
		if (test_random() % 8 == 0)
			EXPECT_OK(db_checkpoint(db));
		if (test_random() % 4 == 0)
			(void)db_maintain(db);
	}
	fx_expect_sound(db);
	db_close(db);
}

static _Atomic bool full;

static int full_open(void *ctx, int dir_fd, const char *name, int flags)
{
	if (atomic_load(&full) && span_starts(span_str(name), SPAN("index-"))) {
		errno = ENOSPC;
		return -1;
	}
	return io_files.open(ctx, dir_fd, name, flags);
}

TEST_LIMIT(db_index_thread, its_error_fails_the_transaction_and_no_later_one, 120)
{
	struct db_io io = io_files;
	io.open = full_open;
	struct db *db = opened(test_tmpdir(), 1, &io);
	work(db);
	uint64_t before = digest(db);
	struct db_txn *txn;
	for (unsigned i = 0; i < 20; i++) {
		enum err e = ERR_OK;
		atomic_store(&full, true);
		EXPECT_OK(db_txn_begin(db, &txn));
		for (uint64_t id = 1; id <= ROWS && e == ERR_OK; id++)
			e = fx_put(txn, FX_MEDIA, id, 9);
		EXPECT_ERR(ERR_NOSPACE, e);
		EXPECT_ERR(ERR_NOSPACE, fx_put(txn, FX_MEDIA, ROWS, 9)); /* it sticks */
		if (i % 2)
			EXPECT_ERR(ERR_NOSPACE, db_txn_commit(txn));
		else
			db_txn_abort(txn);
		atomic_store(&full, false);
		EXPECT_U64(before, digest(db));
	}
	EXPECT_OK(db_txn_begin(db, &txn));
	rows_put(txn, 1, 1, 4);
	EXPECT_OK(db_txn_commit(txn));
	fx_expect_sound(db);
	db_close(db);
}

TEST_LIMIT(db_index_thread, what_waits_when_a_transaction_is_given_up_leaves_nothing, 120)
{
	const char *dir = test_tmpdir();
	struct db *db = opened(dir, 1, NULL);
	work(db);
	uint64_t before = digest(db);
	unsigned files_n = entries_n(dir);
	struct db_stats first, last;
	for (unsigned i = 0; i < 20; i++) {
		struct db_txn *txn;
		EXPECT_OK(db_txn_begin(db, &txn));
		rows_put(txn, 1, 1 + i % 3, 5);
		db_txn_abort(txn);
		EXPECT_U64(files_n, entries_n(dir));
		EXPECT_U64(before, digest(db));
	}
	db_stats_get(db, &first);
	EXPECT_OK(db_checkpoint(db)); /* frees what transactions worked with, and its thread */
	EXPECT_U64(0, threads_n());
	db_stats_get(db, &last);
	EXPECT(last.memory_bytes < first.memory_bytes);
	fx_expect_sound(db);
	db_close(db);
}

TEST_LIMIT(db_index_thread, a_view_shows_what_it_has_done, 120)
{
	struct db *db = opened(test_tmpdir(), 1, NULL);
	struct db_txn *txn;
	struct db_snap *view;
	EXPECT_OK(db_txn_begin(db, &txn));
	uint64_t removed_n = 0;
	for (uint64_t id = 1; id <= ROWS; removed_n++) {
		for (uint64_t end = id + ROWS / 4; id < end; id++)
			EXPECT_OK(fx_put(txn, FX_MEDIA, id, 1));
		EXPECT_OK(db_txn_view(txn, &view));
		EXPECT_U64(id - 1 - removed_n, db_rows(view, FX_MEDIA));
		db_txn_view_end(txn, view);
		EXPECT_OK(db_txn_remove(txn, FX_MEDIA, id - 1));
		EXPECT_ERR(ERR_NOTFOUND, db_txn_remove(txn, FX_MEDIA, id));
	}
	EXPECT_OK(db_txn_commit(txn));
	fx_expect_sound(db);
	db_close(db);
}

/* The runs of a view are the transaction's, which become one while the view is still there. */
TEST_LIMIT(db_index_thread, a_view_may_end_while_the_transaction_goes_on, 120)
{
	struct db *db = opened(test_tmpdir(), 1, NULL);
	struct db_txn *txn;
	struct db_snap *views[2 * MERGE_FAN_IN];
	uint64_t id = 1;
	EXPECT_OK(db_txn_begin(db, &txn));
	for (unsigned v = 0; v < ARRAY_LEN(views); v++) {
		for (uint64_t end = id + 40; id < end; id++)
			EXPECT_OK(fx_put(txn, FX_MEDIA, id, 1));
		EXPECT_OK(db_txn_view(txn, &views[v]));
	}
	for (unsigned v = 0; v < ARRAY_LEN(views); v++) {
		for (uint64_t end = id + ROWS / ARRAY_LEN(views); id < end; id++)
			EXPECT_OK(fx_put(txn, FX_MEDIA, id, 1));
		EXPECT_U64(40 * (v + 1), db_rows(views[v], FX_MEDIA));
		db_txn_view_end(txn, views[v]);
	}
	EXPECT_OK(db_txn_commit(txn));
	fx_expect_sound(db);
	db_close(db);
}

TEST_LIMIT(db_index_thread, small_transactions_and_one_processor_have_none, 120)
{
	struct db *db = opened(test_tmpdir(), 0, NULL);
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	for (uint64_t id = 1; id <= 60; id++)
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, 1));
	EXPECT_OK(db_txn_commit(txn));
	EXPECT_U64(0, threads_n());

	cpu_set_t all, one;
	CPU_ZERO(&one);
	EXPECT(sched_getaffinity(0, sizeof all, &all) == 0);
	for (size_t i = 0; CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	EXPECT(sched_setaffinity(0, sizeof one, &one) == 0);
	work(db);
	EXPECT_U64(0, threads_n());
	fx_expect_sound(db);
	db_close(db);
}
