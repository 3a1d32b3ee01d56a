/* SPDX-License-Identifier: MIT */
/* Power loss at every point of a recorded run, failing disks, kill -9: what was acknowledged is
 * there, what was not is there whole or not at all. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
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
	o.segment_bytes = 12 << 10;		 /* commits that span two are common */
	o.heap_run_rows = 24;			 /* so are merges into files */
	o.index_chunk_bytes = test_random() % 2; /* and index work beside the log */
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
	EXPECT(points[PHASE_COMMIT] > 0 && points[PHASE_CHECKPOINT] > 0);
	for (unsigned i = 0; i < PHASES_N; i++)
		again += points[i];
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

/* Puts `rows` rows; commits, or gives up when all are in the log already. */
static void put_rows(struct db *db, struct fx_model *m, uint64_t first, uint64_t rows, bool commits)
{
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	uint64_t commit = db_txn_commit_number(txn);
	for (uint64_t id = first; id < first + rows; id++) {
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, (uint32_t)commit));
		if (commits)
			fx_model_put(m, FX_MEDIA, id, (uint32_t)commit, commit);
	}
	struct db_snap *view;
	EXPECT_OK(db_txn_view(txn, &view));
	db_txn_view_end(txn, view);
	if (!commits) {
		db_txn_abort(txn);
		return;
	}
	EXPECT_OK(db_txn_commit(txn));
	m->commit = commit;
}

/* A transaction that is given up leaves a chunk at the log's end, and the next one, of the same
 * number, begins in the next segment: the chunk must not be taken for its first. And the other way
 * round: the one that is given up had begun the next segment. */
TEST(db_crash, what_an_aborted_transaction_left_at_a_segments_end_is_not_replayed)
{
	static struct fx_model m;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	uint64_t points = 0;
	for (uint64_t fill = 1; fill < 30; fill++) {
		for (unsigned aborted_first = 0; aborted_first < 2; aborted_first++, points++) {
			struct db_options o = fx_options(dir);
			struct db *db = NULL;
			m = (struct fx_model){ 0 };
			dir_copy(NULL, dir);
			o.io = &io_unsynced;
			o.segment_bytes = 12 << 10;
			EXPECT_OK(db_open(&o, &db, NULL));
			put_rows(db, &m, 1, fill, true);
			put_rows(db, &m, 100, aborted_first ? 1 : 25, false);
			put_rows(db, &m, 200, aborted_first ? 25 : 1, true);
			dir_copy(dir, copy);
			db_close(db);
			db = open_unsynced(copy);
			struct db_snap *sn = db_snap_begin(db);
			EXPECT_U64(2, db_snap_commit(sn));
			EXPECT(fx_same(sn, &m));
			db_snap_end(sn);
			fx_expect_sound(db);
			db_close(db);
		}
	}
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
	o.index_chunk_bytes = test_random() % 2; /* half of them on a thread of its own */
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

#define KILL_OWN 20u	/* rows that every commit stores */
#define KILL_RING 300u	/* one row more per commit, in turn, */
#define KILL_BEHIND 150 /* which ends that many commits later */

/* What the child is doing, where the parent sees it without a system call. */
struct killed {
	_Atomic unsigned phase;
};

/* What commit n does follows from its number, so that the parent knows it without being told. */
static void kill_model(struct fx_model *m, uint64_t commit)
{
	m->commit = commit;
	for (uint64_t id = 1; id <= KILL_OWN; id++)
		fx_model_put(m, FX_MEDIA, id, (uint32_t)commit, commit);
	fx_model_put(m, FX_MEDIA, KILL_OWN + 1 + commit % KILL_RING, (uint32_t)commit, commit);
	if (commit > KILL_BEHIND)
		fx_model_put(m, FX_MEDIA, KILL_OWN + 1 + (commit - KILL_BEHIND) % KILL_RING, 0,
			     commit);
}

static enum err kill_commit(struct db *db, uint64_t *out_commit)
{
	struct db_txn *txn;
	enum err e = db_txn_begin(db, &txn);
	if (e != ERR_OK)
		return e;
	uint64_t commit = db_txn_commit_number(txn);
	for (uint64_t id = 1; id <= KILL_OWN && e == ERR_OK; id++)
		e = fx_put(txn, FX_MEDIA, id, (uint32_t)commit);
	if (e == ERR_OK)
		e = fx_put(txn, FX_MEDIA, KILL_OWN + 1 + commit % KILL_RING, (uint32_t)commit);
	if (e == ERR_OK && commit > KILL_BEHIND)
		e = db_txn_remove(txn, FX_MEDIA, KILL_OWN + 1 + (commit - KILL_BEHIND) % KILL_RING);
	if (e == ERR_NOTFOUND) /* that number was a compaction's */
		e = ERR_OK;
	*out_commit = commit;
	return e == ERR_OK ? db_txn_commit(txn) : e;
}

/* Commits for ever; each acknowledged commit number goes down the pipe. */
NORETURN static void child_run(const char *dir, int pipe_fd, uint64_t seed, struct killed *k)
{
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	uint64_t commit;
	o.segment_bytes = 64 << 10;
	o.heap_run_rows = 32;
	o.compact_from_bytes = 512 << 10; /* in db_maintain(), between our commits */
	atomic_store(&k->phase, PHASE_OPEN);
	if (db_open(&o, &db, NULL) != ERR_OK)
		_exit(1);
	for (uint64_t i = 0;; i++) {
		atomic_store(&k->phase, PHASE_COMMIT);
		if (kill_commit(db, &commit) != ERR_OK ||
		    write(pipe_fd, &commit, sizeof commit) != sizeof commit)
			_exit(1);
		atomic_store(&k->phase, PHASE_CHECKPOINT);
		if ((i + seed) % 5 == 0 && db_checkpoint(db) != ERR_OK)
			_exit(1);
		atomic_store(&k->phase, PHASE_MERGE);
		while (db_maintain(db))
			continue;
	}
}

/* Kills the child while it is in `phase`, or a moment later. */
static unsigned kill_in(pid_t pid, struct killed *k, unsigned phase)
{
	uint64_t spins = test_random() % 30000, looks = 0;
	while (atomic_load(&k->phase) != phase && looks++ < 1u << 22)
		sched_yield();
	while (spins-- > 0)
		(void)atomic_load(&k->phase);
	unsigned met = atomic_load(&k->phase);
	kill(pid, SIGKILL);
	return met;
}

/* Brings the model to what the child had acknowledged when it was killed, which must be something;
 * *out_met: what it was doing then. */
static void killed_round(const char *dir, uint64_t round, struct killed *k, struct fx_model *m,
			 unsigned *out_met)
{
	int fds[2];
	EXPECT(pipe(fds) == 0);
	pid_t pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0)
		child_run(dir, fds[1], round, k);
	close(fds[1]);
	uint64_t before = m->commit, commit;
	uint64_t after = test_random() % 25;
	bool is_killed = false;
	while (read(fds[0], &commit, sizeof commit) == sizeof commit) {
		kill_model(m, commit); /* numbers between are a compaction's */
		if (after-- > 0 || is_killed)
			continue;
		*out_met = kill_in(pid, k, PHASE_COMMIT + (unsigned)(round % 3));
		is_killed = true;
	}
	close(fds[0]);
	int status;
	EXPECT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT(m->commit > before);
}

/* The newest of the child's commits in the store: every one stores row 1. */
static uint64_t killed_shown(const struct db_snap *sn)
{
	struct fb_table row;
	uint64_t commit = 0;
	EXPECT_OK(db_get(sn, FX_MEDIA, 1, &row));
	struct span path = media_file_path(row);
	EXPECT_OK(num_parse_u64(span_skip(path, sizeof "/m/1/" - 1), 1, UINT32_MAX, &commit));
	return commit;
}

TEST_LIMIT(db_crash, kills_lose_nothing_acknowledged, 3000)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	uint64_t rounds = setting("SALVER_KILL_ROUNDS", 25), met[PHASES_N] = { 0 };
	struct killed *k =
		mmap(NULL, sizeof *k, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT(k != MAP_FAILED);
	for (uint64_t round = 0; round < rounds; round++) {
		unsigned phase = PHASE_OPEN;
		killed_round(dir, round, k, &m, &phase);
		met[phase]++;
		CLEANUP(fx_closep) struct db *db = open_unsynced(dir);
		struct db_snap *sn = db_snap_begin(db);
		uint64_t newest = killed_shown(sn);
		EXPECT(newest >= m.commit); /* at most one more: fx_same() would miss another */
		if (newest > m.commit)
			kill_model(&m, newest);
		EXPECT(db_snap_commit(sn) >= newest);
		m.commit = db_snap_commit(sn);
		EXPECT(fx_same(sn, &m));
		db_snap_end(sn);
		fx_expect_sound(db);
	}
	printf("%" PRIu64 " points, 0 failures: kills in commit %" PRIu64 ", checkpoint %" PRIu64
	       ", merge or compaction %" PRIu64 "; %" PRIu64
	       " commits (more: SALVER_KILL_ROUNDS=200)\n",
	       rounds, met[PHASE_COMMIT], met[PHASE_CHECKPOINT], met[PHASE_MERGE], m.commit);
}

/* ---- a full disk ---- */

/* A file system of 24 MiB of our own, in a mount namespace that ends with this process. */
static void small_disk(char dir[256])
{
	char command[700];
	snprintf(dir, 256, "%s/mnt", test_tmpdir());
	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		test_skip("no mount namespace: needs root");
	snprintf(command, sizeof command,
		 "cd '%s' && mkdir mnt && truncate -s 24M disk && mkfs.ext4 -q -m 0 disk && "
		 "mount -o loop disk mnt",
		 test_tmpdir());
	if (system(command) != 0)
		test_skip("no loop mount of an ext4 image");
}

/* Something else takes what room is left, up to `leave` bytes. */
static void room_take(const char *dir, uint64_t leave)
{
	struct statvfs st;
	char path[300];
	snprintf(path, sizeof path, "%s/hog", dir);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	EXPECT(fd >= 0 && fstatvfs(fd, &st) == 0);
	uint64_t bytes = st.f_bavail * st.f_bsize;
	if (bytes > leave)
		EXPECT(fallocate(fd, 0, 0, (off_t)(bytes - leave)) == 0);
	close(fd);
}

static void room_free(const char *dir)
{
	char path[300];
	snprintf(path, sizeof path, "%s/hog", dir);
	EXPECT(unlink(path) == 0);
}

/* Commits, checkpoints and merges until one is refused for want of room. */
static enum err fill(struct db *db, struct fx_model *m)
{
	enum err e = ERR_OK;
	for (unsigned i = 0; i < 100000 && e == ERR_OK; i++) {
		uint64_t commit;
		e = kill_commit(db, &commit);
		if (e == ERR_OK)
			kill_model(m, commit);
		if (e == ERR_OK && i % 8 == 7)
			e = db_checkpoint(db);
		(void)db_maintain(db);
	}
	return e;
}

TEST_LIMIT(db_faults, a_full_disk_refuses_and_room_makes_it_work_again, 600)
{
	static struct fx_model m;
	char disk[256], dir[300];
	small_disk(disk);
	snprintf(dir, sizeof dir, "%s/db", disk);
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	o.heap_run_rows = 64;
	o.segment_bytes = 512 << 10;
	uint64_t rounds = setting("SALVER_FULL_ROUNDS", 8);
	EXPECT_OK(db_open(&o, &db, NULL));
	for (uint64_t round = 0; round < rounds; round++) {
		uint64_t leave = test_random() % (900 << 10);
		room_take(disk, round == 0 ? 0 : leave);
		EXPECT_ERR(ERR_NOSPACE, fill(db, &m));
		expect_shown(db, &m);
		if (round % 2) { /* also one that is opened while the disk is full */
			db_close(db);
			EXPECT_OK(db_open(&o, &db, NULL));
			expect_shown(db, &m);
			fx_expect_sound(db);
		}
		struct db_stats stats;
		db_stats_get(db, &stats);
		EXPECT(!stats.poisoned);
		room_free(disk);
		uint64_t commit;
		EXPECT_OK(kill_commit(db, &commit));
		kill_model(&m, commit);
		EXPECT_OK(db_checkpoint(db));
		expect_shown(db, &m);
		fx_expect_sound(db);
	}
	db_close(db);
	printf("%" PRIu64 " points, 0 failures: disks filled; %" PRIu64 " commits\n", rounds,
	       m.commit);
}
