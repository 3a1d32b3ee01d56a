/* SPDX-License-Identifier: MIT */
/* Power loss at every point of a recorded run, failing disks, kill -9: what was acknowledged is
 * there, what was not is there whole or not at all. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace.h"

#define COMMITS_MAX 64

struct history {
	struct fx_model models[COMMITS_MAX]; /* by commit */
	size_t acknowledged_at[COMMITS_MAX]; /* operations when it was */
	uint64_t last;
};

/* A run with small segments: checkpoints, merges, reopenings, one large commit. */
static void run_recorded(const char *dir, struct trace *t, struct history *h)
{
	struct db_options o = fx_options(dir);
	o.io = &t->io;
	o.segment_bytes = 12 << 10; /* commits that span two are common */
	struct fx_model m = { 0 };
	struct db *db = NULL;
	EXPECT_OK(db_open(&o, &db, NULL));
	while (h->last < 40) {
		EXPECT_OK(fx_random_txn(db, &m, test_random() % 8 ? 6 : 120));
		if (m.commit > h->last) {
			h->last = m.commit;
			h->models[h->last] = m;
			h->acknowledged_at[h->last] = t->ops_n;
		}
		uint64_t what = test_random() % 12;
		if (what == 0)
			EXPECT_OK(db_checkpoint(db));
		if (what == 1)
			(void)db_maintain(db);
		if (what == 2) {
			db_close(db);
			EXPECT_OK(db_open(&o, &db, NULL));
		}
	}
	db_close(db);
}

/* The store in `dir` shows commit `k` or the one after it; then it works on. */
static void expect_either(const char *dir, const struct history *h, uint64_t k)
{
	CLEANUP(fx_closep) struct db *db = fx_open(dir);
	struct db_snap *sn = db_snap_begin(db);
	uint64_t shown = db_snap_commit(sn);
	EXPECT(shown == k || shown == k + 1);
	EXPECT(fx_same(sn, &h->models[shown]));
	db_snap_end(sn);
	fx_expect_sound(db);
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT_U64(0, stats.damaged_chunks_n);
	struct fx_model m = h->models[shown];
	EXPECT_OK(fx_random_txn(db, &m, 8));
	db_close(TAKE(db));
	db = fx_open(dir);
	sn = db_snap_begin(db);
	EXPECT(fx_same(sn, &m));
	db_snap_end(sn);
}

TEST_LIMIT(db_crash, power_loss_anywhere_leaves_one_commit_whole, 600)
{
	static struct history h;
	static struct trace t;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	trace_init(&t);
	run_recorded(dir, &t, &h);
	char command[300];
	snprintf(command, sizeof command, "mkdir %s", copy);
	EXPECT(system(command) == 0);
	uint64_t k = 0;
	for (size_t n = 0; n <= t.ops_n; n++) {
		while (k < h.last && h.acknowledged_at[k + 1] <= n)
			k++;
		for (enum trace_loss loss = LOSS_NONE; loss <= LOSS_TORN; loss++) {
			trace_rebuild(&t, n, loss, copy);
			expect_either(copy, &h, k);
		}
	}
	printf("%zu operations, %" PRIu64 " commits\n", t.ops_n, h.last);
	trace_fini(&t);
}

/* ---- failing disks ---- */

/* Until the first error; the store then still serves what was acknowledged. */
static void run_failing(struct db *db, struct fx_model *m)
{
	enum err e = ERR_OK;
	for (int i = 0; i < 12 && e == ERR_OK; i++) {
		e = fx_random_txn(db, m, i % 4 == 3 ? 80 : 8);
		if (e == ERR_OK && i % 4 == 2)
			e = db_checkpoint(db);
		if (e == ERR_OK && i % 5 == 4)
			(void)db_maintain(db);
	}
	struct db_snap *sn = db_snap_begin(db);
	EXPECT(fx_same(sn, m));
	db_snap_end(sn);
	struct db_stats stats;
	db_stats_get(db, &stats);
	struct fx_model before = *m;
	if (e != ERR_OK) /* the next one works, or is refused; never half */
		e = fx_random_txn(db, m, 8);
	if (stats.poisoned) {
		EXPECT_ERR(ERR_IO, e);
		EXPECT_U64(before.commit, m->commit);
	}
}

static bool fault_round(const char *dir, enum fault_kind kind, uint64_t at, bool forever)
{
	char command[300];
	snprintf(command, sizeof command, "rm -rf %s", dir);
	EXPECT(system(command) == 0);
	struct faults f;
	faults_init(&f, kind, at, forever);
	struct db_options o = fx_options(dir);
	o.io = &f.io;
	o.segment_bytes = 32 << 10;
	struct fx_model m = { 0 };
	struct db *db = NULL;
	struct err_info info = { 0 };
	if (db_open(&o, &db, &info) == ERR_OK) {
		run_failing(db, &m);
		db_close(db);
	} else {
		EXPECT(info.text[0] != '\0');
	}
	db = fx_open(dir);
	struct db_snap *sn = db_snap_begin(db);
	/* A disk that fails for ever cannot be told to forget a mark that did reach it. */
	bool same = fx_same(sn, &m);
	EXPECT(same || (forever && db_snap_commit(sn) == m.commit + 1));
	db_snap_end(sn);
	fx_expect_sound(db);
	db_close(db);
	return f.hit;
}

TEST_LIMIT(db_faults, the_nth_operation_fails_and_nothing_is_lost_or_half, 600)
{
	char dir[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	for (unsigned forever = 0; forever < 2; forever++) {
		for (enum fault_kind kind = 0; kind < FAULTS_N; kind++) {
			uint64_t at = 0;
			while (fault_round(dir, kind, at, forever))
				at++;
			printf("fault %u: %" PRIu64 " operations\n", kind, at);
		}
	}
}

TEST(db_faults, a_failed_sync_poisons_until_reopened)
{
	const char *dir = test_tmpdir();
	struct faults f;
	faults_init(&f, FAULT_EIO, UINT64_MAX, false);
	struct db_options o = fx_options(dir);
	o.io = &f.io;
	struct db *db = NULL;
	EXPECT_OK(db_open(&o, &db, NULL));
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	EXPECT_OK(fx_put(txn, FX_MEDIA, 1, 1));
	f.at = f.n + 3; /* grow or write of the chunk, write of the mark, sync */
	enum err e = db_txn_commit(txn);
	if (e == ERR_OK) { /* the file had room: one operation less */
		EXPECT_OK(db_txn_begin(db, &txn));
		EXPECT_OK(fx_put(txn, FX_MEDIA, 2, 1));
		f.at = f.n + 2;
		e = db_txn_commit(txn);
	}
	EXPECT_ERR(ERR_IO, e);
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT(stats.poisoned);
	EXPECT_ERR(ERR_IO, db_txn_begin(db, &txn));
	EXPECT_ERR(ERR_IO, db_checkpoint(db));
	db_close(db);
	db = fx_open(dir);
	db_stats_get(db, &stats);
	EXPECT(!stats.poisoned);
	db_close(db);
}

/* ---- kill -9 ---- */

/* Commits for ever; each acknowledged commit number goes down the pipe. */
NORETURN static void child_run(const char *dir, int pipe_fd, uint64_t seed)
{
	struct db *db = fx_open(dir);
	for (uint64_t i = 0;; i++) {
		struct db_txn *txn;
		if (db_txn_begin(db, &txn) != ERR_OK)
			_exit(1);
		uint64_t commit = db_txn_commit_number(txn);
		/* what a commit holds follows from its number: rows 1..20 get it as their version
		 */
		for (uint64_t id = 1; id <= 20; id++)
			if (fx_put(txn, FX_MEDIA, id, (uint32_t)commit) != ERR_OK)
				_exit(1);
		if (db_txn_commit(txn) != ERR_OK ||
		    write(pipe_fd, &commit, sizeof commit) != sizeof commit)
			_exit(1);
		if ((i + seed) % 7 == 0 && db_checkpoint(db) != ERR_OK)
			_exit(1);
		if ((i + seed) % 5 == 0)
			(void)db_maintain(db);
	}
}

static uint64_t killed_round(const char *dir, uint64_t seed)
{
	int fds[2];
	EXPECT(pipe(fds) == 0);
	pid_t pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0)
		child_run(dir, fds[1], seed);
	close(fds[1]);
	uint64_t acknowledged = 0, commit;
	uint64_t after = test_random() % 30;
	usleep((useconds_t)(test_random() % 3000));
	while (read(fds[0], &commit, sizeof commit) == sizeof commit) {
		acknowledged = commit;
		if (after-- == 0)
			kill(pid, SIGKILL);
	}
	close(fds[0]);
	int status;
	EXPECT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return acknowledged;
}

TEST_LIMIT(db_crash, fifty_kills_lose_nothing_acknowledged, 300)
{
	const char *dir = test_tmpdir();
	uint64_t last = 0;
	for (uint64_t round = 0; round < 50; round++) {
		uint64_t acknowledged = killed_round(dir, round);
		EXPECT(acknowledged > last);
		CLEANUP(fx_closep) struct db *db = fx_open(dir);
		struct db_snap *sn = db_snap_begin(db);
		last = db_snap_commit(sn);
		EXPECT(last == acknowledged || last == acknowledged + 1);
		for (uint64_t id = 1; id <= 20; id++) {
			struct fb_table t;
			char path[32];
			snprintf(path, sizeof path, "/m/%" PRIu64 "/%" PRIu64, id, last);
			EXPECT_OK(db_get(sn, FX_MEDIA, id, &t));
			EXPECT_SPAN(span_str(path), media_file_path(t));
		}
		EXPECT_U64(20, db_rows(sn, FX_MEDIA));
		db_snap_end(sn);
		fx_expect_sound(db);
	}
}
