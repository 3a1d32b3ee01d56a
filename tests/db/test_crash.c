/* SPDX-License-Identifier: MIT */
/* Power loss at every point of a recorded run, failing disks, kill -9: what was acknowledged is
 * there, what was not is there whole or not at all. */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
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
	CLEANUP(fx_closep) struct db *db = open_unsynced(dir);
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
	db = open_unsynced(dir);
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

#define FAULT_STEPS 14

/* Inserts, updates, removals, merges and checkpoints, until the first error. */
static enum err steps_run(struct db *db, struct fx_model *m)
{
	enum err e = ERR_OK;
	for (int i = 0; i < FAULT_STEPS && e == ERR_OK; i++) {
		e = fx_random_txn(db, m, i % 4 == 3 ? 80 : 8);
		if (e == ERR_OK && i % 5 == 4)
			e = db_checkpoint(db);
		if (e == ERR_OK)
			(void)db_maintain(db);
	}
	return e;
}

static void expect_shown(struct db *db, const struct fx_model *m)
{
	struct db_snap *sn = db_snap_begin(db);
	EXPECT(fx_same(sn, m));
	db_snap_end(sn);
}

/* Whatever happened, the last commit is there to be read; then the store works on, or says that it
 * is poisoned and takes nothing more. */
static void run_failing(struct db *db, struct fx_model *m, const struct faults *f)
{
	enum err e = steps_run(db, m);
	expect_shown(db, m);
	if (f->kind == FAULT_EINTR)
		EXPECT_OK(e);
	struct db_stats stats;
	db_stats_get(db, &stats);
	uint64_t before = m->commit;
	bool over = f->hit && !f->forever;
	e = fx_random_txn(db, m, 8);
	if (stats.poisoned) {
		EXPECT_ERR(ERR_IO, e);
		EXPECT_U64(before, m->commit);
	} else if (over) {
		EXPECT_OK(e);
	}
	expect_shown(db, m);
}

/* One life of a store under faults: opened, worked with, copied as a crash would leave it, opened
 * again (a replay), worked with, closed. */
static void fault_life(const char *dir, const char *copy, struct faults *f, struct fx_model *m)
{
	struct db_options o = fx_options(dir);
	o.io = &f->io;
	o.segment_bytes = 32 << 10;
	o.heap_run_rows = 64;
	dir_copy(NULL, dir);
	for (unsigned life = 0; life < 2; life++) {
		struct err_info info = { 0 };
		struct db *db = NULL;
		enum err e = db_open(&o, &db, &info);
		if (e != ERR_OK) {
			EXPECT(f->kind != FAULT_EINTR);
			EXPECT(info.text[0] != '\0');
		} else {
			run_failing(db, m, f);
		}
		dir_copy(o.dir, life == 0 ? copy : dir);
		db_close(db);
		o.dir = copy;
	}
}

static bool fault_round(enum fault_kind kind, uint64_t at, bool forever)
{
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	struct faults f;
	static struct fx_model m;
	m = (struct fx_model){ 0 };
	faults_init(&f, kind, at, forever);
	fault_life(dir, copy, &f, &m);
	for (unsigned i = 0; i < 2; i++) { /* as killed, and as closed */
		CLEANUP(fx_closep) struct db *db = open_unsynced(i ? copy : dir);
		struct db_snap *sn = db_snap_begin(db);
		/* A disk that fails for ever cannot be told to forget a mark that did reach it. */
		EXPECT(fx_same(sn, &m) || (forever && db_snap_commit(sn) == m.commit + 1));
		db_snap_end(sn);
		fx_expect_sound(db);
	}
	return f.hit;
}

static uint64_t setting(const char *name, uint64_t by_default)
{
	const char *text = getenv(name);
	uint64_t n = by_default;
	if (text)
		EXPECT_OK(num_parse_u64(span_str(text), 1, 1u << 30, &n));
	return n;
}

TEST_LIMIT(db_faults, the_nth_operation_fails_and_nothing_is_lost_or_half, 3000)
{
	uint64_t step = setting("SALVER_FAULT_STEP", 7), points = 0;
	for (enum fault_kind kind = 0; kind < FAULTS_N; kind++) {
		for (unsigned forever = 0; forever < (kind == FAULT_EINTR ? 1 : 2); forever++) {
			uint64_t at = test_random() % step, n = 0;
			for (; fault_round(kind, at, forever); at += step)
				n++;
			printf("%s%s: %" PRIu64 " points\n", fault_name(kind),
			       forever ? " for ever" : "", n);
			EXPECT(n > 0);
			points += n;
		}
	}
	printf("%" PRIu64 " points, 0 failures (every operation: SALVER_FAULT_STEP=1)\n", points);
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
