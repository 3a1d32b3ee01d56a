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

static uint64_t setting(const char *name, uint64_t by_default)
{
	const char *text = getenv(name);
	uint64_t n = by_default;
	if (text)
		EXPECT_OK(num_parse_u64(span_str(text), 1, 1u << 30, &n));
	return n;
}

/* ---- power loss ---- */

enum phase { PHASE_OPEN, PHASE_COMMIT, PHASE_CHECKPOINT, PHASE_MERGE, PHASE_CLOSE, PHASES_N };

struct history {
	struct fx_model models[COMMITS_MAX]; /* by commit */
	size_t acknowledged_at[COMMITS_MAX]; /* operations when it was */
	uint64_t first, last;
};

static void recorded_open(struct trace *t, const char *dir, struct db **db)
{
	struct db_options o = fx_options(dir);
	o.io = &t->io;
	o.segment_bytes = 12 << 10; /* commits that span two are common */
	o.heap_run_rows = 24;	    /* so are merges into files */
	t->phase = PHASE_OPEN;
	EXPECT_OK(db_open(&o, db, NULL));
}

static void recorded_close(struct trace *t, struct db *db)
{
	t->phase = PHASE_CLOSE;
	db_close(db);
}

/* Commits up to number `last`, or until a sync fails. */
static void recorded_run(struct trace *t, const char *dir, struct history *h, uint64_t last)
{
	static struct fx_model m;
	struct db *db = NULL;
	m = h->models[h->last];
	recorded_open(t, dir, &db);
	while (h->last < last) {
		t->phase = PHASE_COMMIT;
		if (fx_random_txn(db, &m, test_random() % 8 ? 6 : 120) != ERR_OK)
			break;
		if (m.commit > h->last) {
			h->last = m.commit;
			h->models[h->last] = m;
			h->acknowledged_at[h->last] = t->ops_n;
		}
		uint64_t what = test_random() % 12;
		t->phase = PHASE_CHECKPOINT;
		if (what < 2 && db_checkpoint(db) != ERR_OK)
			break;
		t->phase = PHASE_MERGE;
		if (what < 6)
			(void)db_maintain(db);
		if (what == 11) {
			recorded_close(t, db);
			if (t->sync_n > t->sync_fail_at)
				return;
			recorded_open(t, dir, &db);
		}
	}
	recorded_close(t, db);
}

/* The newest commit that had been acknowledged after `ops_n` operations. */
static uint64_t acknowledged(const struct history *h, size_t ops_n)
{
	uint64_t k = h->first;
	while (k < h->last && h->acknowledged_at[k + 1] <= ops_n)
		k++;
	return k;
}

/* The store in `dir` shows commit `k` or the one after it; then it works on. Where there is none
 * after it in the history, it is one whose sync failed: not known, but sound. */
static uint64_t expect_either(const char *dir, const struct history *h, uint64_t k)
{
	static struct fx_model m;
	CLEANUP(fx_closep) struct db *db = open_unsynced(dir);
	struct db_snap *sn = db_snap_begin(db);
	uint64_t shown = db_snap_commit(sn);
	EXPECT(shown == k || shown == k + 1);
	bool known = shown <= h->last;
	EXPECT(!known || fx_same(sn, &h->models[shown]));
	db_snap_end(sn);
	fx_expect_sound(db);
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT_U64(0, stats.damaged_chunks_n);
	if (!known)
		return shown;
	m = h->models[shown];
	EXPECT_OK(fx_random_txn(db, &m, 8));
	db_close(TAKE(db));
	db = open_unsynced(dir);
	sn = db_snap_begin(db);
	EXPECT(fx_same(sn, &m));
	db_snap_end(sn);
	return shown;
}

/* A second power loss while the store works on after the first, at a few points. */
static uint64_t twice(const struct trace *first, size_t ops_n, enum trace_loss loss,
		      const struct history *h)
{
	static struct history after;
	static struct trace t;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/c", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/d", test_tmpdir());
	trace_rebuild(first, ops_n, loss, dir);
	trace_init(&t);
	trace_adopt(&t, dir);
	size_t begin = t.ops_n;
	struct db *db = NULL;
	struct db_stats stats;
	recorded_open(&t, dir, &db);
	db_stats_get(db, &stats);
	after.first = after.last = stats.commit;
	after.models[stats.commit] = h->models[stats.commit];
	recorded_close(&t, db);
	recorded_run(&t, dir, &after, MIN(stats.commit + 3, COMMITS_MAX - 2));
	uint64_t points = 0;
	for (; points < 6; points++) {
		size_t n = begin + test_random() % (t.ops_n - begin + 1);
		trace_rebuild(&t, n, (enum trace_loss)(test_random() % LOSSES_N), copy);
		(void)expect_either(copy, &after, acknowledged(&after, n));
	}
	trace_fini(&t);
	return points;
}

static void trace_points(const struct trace *t, const struct history *h, unsigned losses_n,
			 uint64_t points[PHASES_N], uint64_t *points_twice)
{
	char copy[256];
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	for (size_t n = 0; n <= t->ops_n; n++) {
		uint64_t k = acknowledged(h, n);
		for (unsigned i = 0; i < losses_n; i++) {
			enum trace_loss loss = (enum trace_loss)((n + i) % LOSSES_N);
			trace_rebuild(t, n, loss, copy);
			(void)expect_either(copy, h, k);
			points[n ? t->ops[n - 1].phase : PHASE_OPEN]++;
		}
		if (n % 16 == 15)
			*points_twice += twice(t, n, (enum trace_loss)(n / 16 % LOSSES_N), h);
	}
}

TEST_LIMIT(db_crash, power_loss_anywhere_leaves_one_commit_whole, 3000)
{
	static struct history h;
	static struct trace t;
	uint64_t seeds = setting("SALVER_CRASH_SEEDS", 1), points[PHASES_N] = { 0 }, again = 0;
	unsigned losses_n = getenv("SALVER_CRASH_SEEDS") ? LOSSES_N : 2;
	char dir[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	for (uint64_t seed = 0; seed < seeds; seed++) {
		dir_copy(NULL, dir);
		memset(&h, 0, sizeof h);
		trace_init(&t);
		recorded_run(&t, dir, &h, 30);
		trace_points(&t, &h, losses_n, points, &again);
		printf("%zu operations, %" PRIu64 " commits\n", t.ops_n, h.last);
		trace_fini(&t);
	}
	printf("in opening %" PRIu64 ", commit %" PRIu64 ", checkpoint %" PRIu64 ", merge %" PRIu64
	       ", closing %" PRIu64 "; a second time %" PRIu64 "\n",
	       points[PHASE_OPEN], points[PHASE_COMMIT], points[PHASE_CHECKPOINT],
	       points[PHASE_MERGE], points[PHASE_CLOSE], again);
	for (unsigned i = 0; i < PHASES_N; i++) {
		EXPECT(points[i] > 0);
		again += points[i];
	}
	printf("%" PRIu64 " points, 0 failures (all kinds of loss at each: SALVER_CRASH_SEEDS=n)\n",
	       again);
}

/* A sync that fails once may have lost what it was to write, and says so only that once: nothing
 * that is acknowledged afterwards may rest on it. */
TEST_LIMIT(db_crash, a_failed_sync_that_lost_its_writes_loses_nothing_acknowledged, 3000)
{
	static struct history h;
	static struct trace t;
	uint64_t step = setting("SALVER_FAULT_STEP", 3), points = 0;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	for (uint64_t at = 2 + test_random() % step;; at += step) { /* 0, 1: creating the store */
		dir_copy(NULL, dir);
		memset(&h, 0, sizeof h);
		trace_init(&t);
		t.sync_fail_at = at;
		recorded_run(&t, dir, &h, 12);
		bool hit = t.sync_n > at;
		for (enum trace_loss loss = 0; hit && loss < LOSSES_N; loss++, points++) {
			trace_rebuild(&t, t.ops_n, loss, copy);
			(void)expect_either(copy, &h, h.last);
		}
		trace_fini(&t);
		if (!hit)
			break;
	}
	EXPECT(points > 0);
	printf("%" PRIu64 " points, 0 failures\n", points);
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
