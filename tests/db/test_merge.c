/* SPDX-License-Identifier: MIT */
/* Merging in steps: what is shown never changes by it, whatever comes between the steps. */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/format.h"
#include "db/io.h"
#include "fixture.h"

/* Eight rows make a file, and a step is a few entries. */
static struct db *stepping_open(const char *dir)
{
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	o.heap_run_rows = 8;
	o.merge_step_units = 16;
	EXPECT_OK(db_open(&o, &db, NULL));
	return db;
}

static void expect_shown(struct db *db, const struct fx_model *m)
{
	struct db_snap *sn = db_snap_begin(db);
	EXPECT(fx_same(sn, m));
	db_snap_end(sn);
}

static unsigned run_files_count(const char *dir)
{
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	unsigned n = 0;
	const struct dirent *de;
	while ((de = readdir(d)))
		n += strncmp(de->d_name, "index-", 6) == 0;
	closedir(d);
	return n;
}

static uint64_t merges_n(struct db *db)
{
	struct db_stats stats;
	db_stats_get(db, &stats);
	return stats.merges_n;
}

TEST_LIMIT(db_merge, commits_and_checkpoints_between_the_steps_change_nothing, 120)
{
	static struct fx_model m;
	struct db *db = stepping_open(test_tmpdir());
	uint64_t steps_n = 0;
	for (unsigned i = 0; i < 400; i++) {
		EXPECT_OK(fx_random_txn(db, &m, test_random() % 8 ? 30 : 300));
		bool idle = test_random() % 4 == 0;
		for (uint64_t k = test_random() % 30;
		     k > 0 && (idle ? db_maintain_idle(db) : db_maintain(db)); k--)
			steps_n++;
		if (test_random() % 7 == 0)
			EXPECT_OK(db_checkpoint(db));
		expect_shown(db, &m);
	}
	printf("%" PRIu64 " steps, %" PRIu64 " merges\n", steps_n, merges_n(db));
	EXPECT(steps_n > merges_n(db)); /* so they did go on over commits */
	while (db_maintain(db))
		continue;
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT(stats.runs_n < 2 * 3 * 8); /* two tables; runs of three levels */
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	fx_expect_sound(db);
	db_close(db);
}

/* Until a merge is under way that is not finished. */
static struct db *half_merged(const char *dir, struct fx_model *m)
{
	struct db *db = stepping_open(dir);
	for (unsigned i = 0; i < 1000; i++) {
		EXPECT_OK(fx_random_txn(db, m, 300));
		uint64_t before = merges_n(db);
		if (db_maintain(db) && merges_n(db) == before)
			return db;
	}
	test_expect(__FILE__, __LINE__, false, "a merge needs more than one step");
	return NULL;
}

TEST(db_merge, closing_gives_up_an_unfinished_merge_and_leaves_no_file)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	db_close(half_merged(dir, &m));
	struct db *db = stepping_open(dir);
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT_U64(stats.runs_n, run_files_count(dir));
	expect_shown(db, &m);
	db_close(db);
}

TEST(db_merge, what_a_crash_leaves_of_a_merge_goes_at_the_next_opening)
{
	static struct fx_model m;
	char dir[256], copy[256], command[600];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	struct db *db = half_merged(dir, &m);
	snprintf(command, sizeof command, "cp -r '%s' '%s'", dir, copy);
	EXPECT(system(command) == 0);
	db_close(db);
	unsigned left_n = run_files_count(copy);
	db = fx_open(copy);
	expect_shown(db, &m);
	fx_expect_sound(db);
	EXPECT_OK(db_checkpoint(db));
	EXPECT_OK(db_checkpoint(db));
	db_close(db);
	db = fx_open(copy);
	struct db_stats stats;
	db_stats_get(db, &stats);
	printf("%u files after the crash, %" PRIu64 " runs\n", left_n, stats.runs_n);
	EXPECT(run_files_count(copy) <= 2 * stats.runs_n + 2); /* those of the older slot too */
	db_close(db);
}

TEST(db_merge, a_held_snapshot_shows_what_it_did_while_its_runs_are_merged)
{
	static struct fx_model m, then;
	struct db *db = half_merged(test_tmpdir(), &m);
	then = m;
	struct db_snap *held = db_snap_begin(db);
	for (unsigned i = 0; i < 30; i++) {
		EXPECT_OK(fx_random_txn(db, &m, 60));
		while (db_maintain(db))
			continue;
	}
	fx_expect(held, &then);
	db_snap_end(held);
	expect_shown(db, &m);
	db_close(db);
}

/* ---- how often a row is written -------------------------------------------------------------- */

#define COMMITS 1024u
#define COMMIT_ROWS 8u

static uint64_t written_bytes;

static ssize_t counting_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	char link[64], path[512];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof path - 1);
	EXPECT(length > 0);
	path[length] = '\0';
	written_bytes += strstr(path, "/index-") ? n : 0;
	return io_files.pwrite(ctx, fd, p, n, off);
}

static struct db *counting_open(const char *dir)
{
	static struct db_io io;
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	io = io_files;
	io.pwrite = counting_pwrite;
	written_bytes = 0;
	o.io = &io;
	o.heap_run_rows = COMMIT_ROWS;
	EXPECT_OK(db_open(&o, &db, NULL));
	return db;
}

static void expect_rows(struct db *db, uint64_t n)
{
	struct db_snap *sn = db_snap_begin(db);
	struct fb_table row;
	EXPECT_U64(db_rows(sn, FX_MEDIA), n);
	for (uint64_t id = 1; id <= n; id++)
		EXPECT_OK(db_get(sn, FX_MEDIA, id, &row));
	db_snap_end(sn);
}

static void commit_rows(struct db *db)
{
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	for (unsigned k = 0; k < COMMIT_ROWS; k++)
		EXPECT_OK(fx_put(txn, FX_MEDIA, db_txn_new_id(txn, FX_MEDIA), 1));
	EXPECT_OK(db_txn_commit(txn));
	while (db_maintain(db))
		continue;
}

/* In commits of one size, each of which becomes a run: a merge makes of its runs one eight times as
 * large, and does not take a large one along for the sake of a few small ones. */
TEST_LIMIT(db_merge, a_row_is_written_once_for_each_factor_of_eight, 120)
{
	struct db *db = counting_open(test_tmpdir());
	for (unsigned i = 0; i < COMMITS; i++) {
		if (i == COMMITS / 2)
			EXPECT_OK(db_checkpoint(db));
		commit_rows(db);
	}
	uint64_t busy_bytes = written_bytes;
	struct db_stats stats;
	db_stats_get(db, &stats);
	uint64_t runs_n = stats.runs_n;
	EXPECT(runs_n < 4 * 8);
	expect_rows(db, (uint64_t)COMMITS * COMMIT_ROWS);

	while (db_maintain_idle(db))
		continue;
	db_stats_get(db, &stats);
	printf("%" PRIu64 " runs, %" PRIu64 " bytes written of an index of %" PRIu64 "\n", runs_n,
	       busy_bytes, stats.index_bytes);
	EXPECT_U64(stats.runs_n, 1);
	/* as first written, and once each for 64, 512 and 4,096 rows; small files are mostly
	 * header */
	EXPECT(busy_bytes < COMMITS * sizeof(struct disk_run) * 5 / 4 + stats.index_bytes * 5);
	EXPECT(!db_maintain_idle(db)); /* that was all */
	EXPECT_OK(db_checkpoint(db));
	EXPECT(run_files_count(test_tmpdir()) > 1); /* the checkpoint before names them */
	EXPECT_OK(db_checkpoint(db));
	EXPECT_U64(run_files_count(test_tmpdir()), 1);
	expect_rows(db, (uint64_t)COMMITS * COMMIT_ROWS);
	fx_expect_sound(db);
	db_close(db);
}

TEST(db_merge, a_closed_store_has_no_file_that_was_merged_away)
{
	struct db *db = counting_open(test_tmpdir());
	for (unsigned i = 0; i < 6; i++)
		commit_rows(db);
	EXPECT_OK(db_checkpoint(db));
	while (db_maintain_idle(db))
		continue;
	EXPECT(run_files_count(test_tmpdir()) > 1);
	db_close(db);
	EXPECT_U64(run_files_count(test_tmpdir()), 1);
	db = counting_open(test_tmpdir());
	expect_rows(db, 6ull * COMMIT_ROWS);
	fx_expect_sound(db);
	db_close(db);
}

TEST(db_merge, a_large_run_is_not_written_again_for_a_few_rows_however_idle)
{
	struct db *db = counting_open(test_tmpdir());
	for (unsigned i = 0; i < 40; i++) {
		struct db_txn *txn;
		EXPECT_OK(db_txn_begin(db, &txn));
		for (unsigned k = 0; k < (i == 0 ? 2000 : COMMIT_ROWS); k++)
			EXPECT_OK(fx_put(txn, FX_MEDIA, db_txn_new_id(txn, FX_MEDIA), 1));
		EXPECT_OK(db_txn_commit(txn));
		while (db_maintain_idle(db))
			continue;
		struct db_stats stats;
		db_stats_get(db, &stats);
		if (i == 0)
			written_bytes = 0;
		else
			EXPECT(written_bytes < i * stats.index_bytes / 8);
	}
	expect_rows(db, 2000 + 39 * COMMIT_ROWS);
	db_close(db);
}
