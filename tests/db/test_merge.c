/* SPDX-License-Identifier: MIT */
/* Merging in steps: what is shown never changes by it, whatever comes between the steps. */
#include <dirent.h>
#include <stdlib.h>

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
		for (uint64_t k = test_random() % 30; k > 0 && db_maintain(db); k--)
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
	EXPECT(stats.runs_n < 2 * 2 * 8); /* two tables; runs of two levels */
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
	EXPECT(!"a merge needs more than one step");
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
