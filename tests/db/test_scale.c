/* SPDX-License-Identifier: MIT */
/* More rows than a block, more blocks than a merge takes, more commits than anybody waits for. */
#include <dirent.h>
#include <unistd.h>

#include "db/db_priv.h"
#include "fixture.h"

#define MANY_ROWS 170000u /* eleven blocks: a transaction merges its own runs */

static unsigned files_count(const char *dir)
{
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	unsigned n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void many_put(struct db_txn *txn, uint64_t step, uint32_t version)
{
	for (uint64_t id = 1; id <= MANY_ROWS; id += step)
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, version));
}

static void many_expect(struct db *db, uint64_t rows_n)
{
	struct db_snap *sn = db_snap_begin(db);
	EXPECT_U64(rows_n, db_rows(sn, FX_MEDIA));
	uint64_t listed_n = 0;
	for (uint32_t g = 0; g < FX_GROUPS; g++)
		listed_n += db_count(sn, FX_MEDIA, FX_HASH, g);
	EXPECT_U64(rows_n, listed_n);
	db_snap_end(sn);
	fx_expect_sound(db);
}

TEST_LIMIT(db_scale, large_transactions_commit_abort_and_replay, 200)
{
	const char *dir = test_tmpdir();
	struct db *db = fx_open(dir);
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	many_put(txn, 1, 1);
	EXPECT_OK(db_txn_commit(txn));
	many_expect(db, MANY_ROWS);
	unsigned files_n = files_count(dir);

	EXPECT_OK(db_txn_begin(db, &txn)); /* its runs and chunks are left over, and go */
	many_put(txn, 2, 2);
	db_txn_abort(txn);
	EXPECT_U64(files_n, files_count(dir));
	many_expect(db, MANY_ROWS);

	EXPECT_OK(db_txn_begin(db, &txn)); /* shorter than what was aborted there */
	many_put(txn, 10, 3);
	uint64_t removed_n = 0;
	for (uint64_t id = 2; id <= MANY_ROWS; id += 10, removed_n++)
		EXPECT_OK(db_txn_remove(txn, FX_MEDIA, id));
	EXPECT_OK(db_txn_commit(txn));
	many_expect(db, MANY_ROWS - removed_n);

	struct db_options o = fx_options(dir); /* replays all, in memory */
	o.read_only = true;
	struct db *reader;
	EXPECT_OK(db_open(&o, &reader, NULL));
	many_expect(reader, MANY_ROWS - removed_n);
	db_close(reader);

	while (db_maintain(db))
		continue;
	db_close(db);
	db = fx_open(dir);
	many_expect(db, MANY_ROWS - removed_n);
	db_close(db);
}

TEST_LIMIT(db_scale, ten_thousand_aborted_commits_leave_nothing, 100)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct db *db = fx_open(dir);
	EXPECT_OK(fx_random_txn(db, &m, 40));
	struct db_stats before, after;
	for (unsigned i = 0; i <= 10000; i++) {
		if (i == 1) /* what a transaction works with is kept for the next */
			db_stats_get(db, &before);
		struct db_txn *txn;
		EXPECT_OK(db_txn_begin(db, &txn));
		for (uint64_t id = 1; id < 4; id++)
			EXPECT_OK(fx_put(txn, FX_MEDIA, db_txn_new_id(txn, FX_MEDIA), i));
		db_txn_abort(txn);
	}
	db_stats_get(db, &after);
	EXPECT_U64(before.memory_bytes, after.memory_bytes);
	EXPECT_U64(before.commit, after.commit);
	EXPECT_U64(before.log_bytes, after.log_bytes);
	db_close(db);
	db = fx_open(dir);
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	db_close(db);
}

TEST_LIMIT(db_scale, a_snapshot_held_over_ten_thousand_commits_costs_little, 100)
{
	static struct fx_model m, then;
	struct db *db = fx_open(test_tmpdir());
	for (unsigned i = 0; i < 20; i++)
		EXPECT_OK(fx_random_txn(db, &m, 20));
	then = m;
	struct db_snap *held = db_snap_begin(db);
	uint64_t memory_max = 0, runs_max = 0;
	for (unsigned i = 0; i < 10000; i++) {
		EXPECT_OK(fx_random_txn(db, &m, 2));
		if (i % 10 == 0)
			(void)db_maintain(db);
		struct db_stats stats;
		db_stats_get(db, &stats);
		memory_max = MAX(memory_max, stats.memory_bytes);
		runs_max = MAX(runs_max, stats.runs_n);
	}
	printf("at most %" PRIu64 " bytes, %" PRIu64 " runs\n", memory_max, runs_max);
	EXPECT(memory_max < 2u << 20);
	EXPECT(runs_max < 2 * 2 * 16); /* of two tables, now and then */
	fx_expect(held, &then);
	db_snap_end(held);
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	db_close(db);
}

static void indexes_remove(const char *dir)
{
	char path[512];
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	for (struct dirent *e; (e = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (strstr(e->d_name, ".run") || strcmp(e->d_name, "manifest") == 0)
			EXPECT(unlink(path) == 0);
	}
	closedir(d);
}

/* Inserting, changing and removing, merging and recovering, in more rows than a budget holds. */
static uint64_t peak_of(struct db *db)
{
	struct db_stats stats;
	db_stats_get(db, &stats);
	return stats.memory_peak_bytes;
}

TEST_LIMIT(db_scale, no_phase_takes_more_than_the_budget, 250)
{
	static const uint64_t budgets[] = { 2u << 20, 6u << 20, 24u << 20 };
	for (unsigned i = 0; i < ARRAY_LEN(budgets); i++) {
		char dir[64];
		snprintf(dir, sizeof dir, "%s/%u", test_tmpdir(), i);
		struct db_options o = fx_options(dir);
		o.budget_bytes = budgets[i];
		struct db *db;
		struct db_txn *txn;
		EXPECT_OK(db_open(&o, &db, NULL));
		EXPECT_OK(db_txn_begin(db, &txn));
		many_put(txn, 1, 1);
		EXPECT_OK(db_txn_commit(txn));
		EXPECT_OK(db_txn_begin(db, &txn));
		many_put(txn, 3, 2);
		for (uint64_t id = 2; id <= MANY_ROWS; id += 3)
			EXPECT_OK(db_txn_remove(txn, FX_MEDIA, id));
		EXPECT_OK(db_txn_commit(txn));
		while (db_maintain(db))
			continue;
		uint64_t written = peak_of(db);
		db_close(db);

		indexes_remove(dir); /* all is replayed */
		EXPECT_OK(db_open(&o, &db, NULL));
		printf("%u MiB: at most %" PRIu64 " KiB, replaying %" PRIu64 " KiB\n",
		       (unsigned)(budgets[i] >> 20), written >> 10, peak_of(db) >> 10);
		EXPECT(written <= budgets[i]);
		EXPECT(peak_of(db) <= budgets[i]);
		db_close(db);
	}
}

/* What is known of chunks has a small table for each segment, and room elsewhere for what does not
 * fit it. */
TEST_LIMIT(db_scale, more_small_chunks_than_a_table_knows_are_all_readable, 100)
{
	const uint64_t n = 3 * SEGMENT_MARKS / 2;
	struct db_txn *txn;
	struct fb_table row;
	const char *dir = test_tmpdir();
	struct db *db = fx_open(dir);
	for (uint64_t id = 1; id <= n; id++) {
		EXPECT_OK(db_txn_begin(db, &txn));
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, 1));
		EXPECT_OK(db_txn_commit(txn));
		EXPECT_OK(db_txn_begin(db, &txn)); /* the next commit's place: its mark goes */
		EXPECT_OK(fx_put(txn, FX_MEDIA, id + 1, 2));
		db_txn_abort(txn);
	}
	for (unsigned opened = 0; opened < 2; opened++) {
		struct db_snap *sn = db_snap_begin(db);
		for (unsigned times = 0; times < 2; times++)
			for (uint64_t id = 1; id <= n; id++)
				EXPECT_OK(db_get(sn, FX_MEDIA, id, &row));
		EXPECT_ERR(ERR_NOTFOUND, db_get(sn, FX_MEDIA, n + 1, &row));
		db_snap_end(sn);
		db_close(db);
		db = fx_open(dir);
	}
	fx_expect_sound(db);
	db_close(db);
}

TEST(db_scale, an_address_of_another_table_says_nothing_of_the_chunk_there)
{
	const char *dir = test_tmpdir();
	struct db *db = fx_open(dir);
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	uint64_t id = db_txn_new_id(txn, FX_SETTING);
	EXPECT_OK(fx_put(txn, FX_SETTING, id, 1));
	EXPECT_OK(db_txn_commit(txn));
	db_close(db);
	db = fx_open(dir); /* no chunk was touched yet */
	struct db_snap *sn = db_snap_begin(db);
	struct fb_vector rows;
	struct fb_table row;
	EXPECT_ERR(ERR_CORRUPT, chunk_rows(db, FX_MEDIA, snap_address(sn, FX_SETTING, id), &rows));
	EXPECT_OK(db_get(sn, FX_SETTING, id, &row));
	db_snap_end(sn);
	db_close(db);
}
