/* SPDX-License-Identifier: MIT */
/* Compaction: what is live moves, what is dead goes, and nothing that anybody can see changes. */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "db/format.h"
#include "trace.h"

#define SEGMENT_BYTES (64u << 10)
#define SEGMENT_SMALL_BYTES (12u << 10) /* steps and commits often span two */

static struct db_options small_options(const char *dir)
{
	struct db_options o = fx_options(dir);
	o.segment_bytes = SEGMENT_BYTES;
	o.heap_run_rows = 24;
	o.compact_from_bytes = UINT64_MAX; /* only when a case says so */
	return o;
}

static struct db *small_open(const char *dir)
{
	struct db_options o = small_options(dir);
	struct db *db = NULL;
	o.io = &io_unsynced;
	EXPECT_OK(db_open(&o, &db, NULL));
	return db;
}

static void changes_make(struct db *db, struct fx_model *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		EXPECT_OK(fx_random_txn(db, m, 20));
}

static void expect_shown(struct db *db, struct fx_model *m)
{
	struct db_snap *sn = db_snap_begin(db);
	m->commit = db_snap_commit(sn); /* compaction made some of its own */
	fx_expect(sn, m);
	db_snap_end(sn);
	fx_expect_sound(db);
}

static unsigned files_count(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	unsigned n = 0;
	const struct dirent *de;
	while ((de = readdir(d)))
		n += strncmp(de->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static void files_remove(const char *dir, const char *prefix)
{
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	const struct dirent *de;
	while ((de = readdir(d)))
		if (strncmp(de->d_name, prefix, strlen(prefix)) == 0)
			EXPECT(unlinkat(dirfd(d), de->d_name, 0) == 0);
	closedir(d);
}

TEST(db_compact, what_is_shown_stays_and_the_dead_part_of_the_log_goes)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct db *db = small_open(dir);
	changes_make(db, &m, 500);
	struct db_stats before, after;
	db_stats_get(db, &before);
	unsigned segments_n = files_count(dir, "media-");
	EXPECT_OK(db_compact(db));
	db_stats_get(db, &after);
	printf("%u segments, %" PRIu64 " bytes, %" PRIu64 " live; then %u, %" PRIu64 "\n",
	       segments_n, before.log_used_bytes, before.log_live_bytes, files_count(dir, "media-"),
	       after.log_used_bytes);
	EXPECT(before.log_used_bytes > 2 * before.log_live_bytes);
	EXPECT(after.log_used_bytes < before.log_used_bytes * 3 / 4);
	EXPECT(files_count(dir, "media-") < segments_n);
	EXPECT_U64(files_count(dir, "media-"), after.segments_n);
	expect_shown(db, &m);
	changes_make(db, &m, 20);
	expect_shown(db, &m);
	db_close(db);
	db = small_open(dir);
	expect_shown(db, &m);
	db_close(db);
}

/* Rows that were removed, and versions that were replaced, in segments that are gone. */
TEST(db_compact, the_log_alone_still_says_everything)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	for (unsigned round = 0; round < 6; round++) {
		struct db *db = small_open(dir);
		changes_make(db, &m, 60);
		EXPECT_OK(db_compact(db));
		if (round % 2)
			changes_make(db, &m, 10);
		db_close(db);
		files_remove(dir, "manifest");
		files_remove(dir, "index-");
		db = small_open(dir);
		struct db_stats stats;
		db_stats_get(db, &stats);
		EXPECT_U64(0, stats.damaged_chunks_n);
		struct db_snap *sn = db_snap_begin(db);
		/* a group's last change may have been in what is gone */
		for (unsigned t = 0; t < FX_TABLES; t++)
			for (unsigned x = 0; x < fx_tables[t].indexes_n; x++)
				for (uint32_t g = 0; g < FX_GROUPS; g++)
					m.group_commit[t][x][g] = db_group_commit(sn, t, x, g);
		db_snap_end(sn);
		expect_shown(db, &m);
		db_close(db);
	}
}

TEST(db_compact, maintenance_keeps_the_log_within_bounds)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct db_options o = small_options(dir);
	struct db *db = NULL;
	struct db_stats stats;
	o.compact_from_bytes = 4 * SEGMENT_BYTES;
	EXPECT_OK(db_open(&o, &db, NULL));
	uint64_t used_max = 0, live_max = 0;
	for (unsigned i = 0; i < 600; i++) {
		EXPECT_OK(fx_random_txn(db, &m, 20));
		for (unsigned k = 0; k < 3 && db_maintain(db); k++)
			continue;
		db_stats_get(db, &stats);
		used_max = MAX(used_max, stats.log_used_bytes);
		live_max = MAX(live_max, stats.log_live_bytes);
	}
	printf("at most %" PRIu64 " bytes of %" PRIu64 " written, %" PRIu64 " live\n", used_max,
	       stats.log_bytes, stats.log_live_bytes);
	EXPECT(used_max < 3 * live_max + 6 * SEGMENT_BYTES);
	EXPECT(stats.log_bytes > 2 * used_max);
	expect_shown(db, &m);
	db_close(db);
	db = small_open(dir);
	expect_shown(db, &m);
	db_close(db);
}

TEST(db_compact, a_held_snapshot_keeps_its_segments_and_then_they_go)
{
	static struct fx_model m, then;
	const char *dir = test_tmpdir();
	struct db *db = small_open(dir);
	changes_make(db, &m, 100);
	then = m;
	struct db_snap *held = db_snap_begin(db);
	unsigned segments_n = files_count(dir, "media-");
	EXPECT_OK(db_compact(db));
	EXPECT(files_count(dir, "media-") >= segments_n);
	fx_expect(held, &then);
	expect_shown(db, &m);
	db_snap_end(held);
	changes_make(db, &m, 1);
	while (db_maintain(db))
		continue;
	EXPECT(files_count(dir, "media-00001.fb") == 0);
	expect_shown(db, &m);
	db_close(db);
}

/* A byte of every batch of rows: what is live is somewhere among them. */
static void rows_flip(const char *dir, const char *name)
{
	char path[300];
	struct disk_chunk c;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_RDWR);
	EXPECT(fd >= 0);
	for (off_t at = SEGMENT_HEADER_BYTES; pread(fd, &c, sizeof c, at) == sizeof c;) {
		off_t byte = at + (off_t)sizeof c + (off_t)c.payload_bytes / 2;
		uint8_t b;
		if (c.magic != CHUNK_MAGIC)
			break;
		EXPECT(pread(fd, &b, 1, byte) == 1);
		b ^= 1;
		if (c.kind == CHUNK_ROWS)
			EXPECT(pwrite(fd, &b, 1, byte) == 1);
		at += (off_t)num_align_up(sizeof c + c.payload_bytes, CHUNK_ALIGN);
	}
	close(fd);
}

TEST(db_compact, a_damaged_segment_stays_for_whoever_can_mend_it)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct db *db = small_open(dir);
	changes_make(db, &m, 100);
	db_close(db);
	unsigned segments_n = files_count(dir, "media-");
	rows_flip(dir, "media-00002.fb");
	db = small_open(dir);
	EXPECT_ERR(ERR_CORRUPT, db_compact(db));
	EXPECT(!db_maintain(db)); /* nor over and over */
	EXPECT(files_count(dir, "media-") >= segments_n - 1);
	EXPECT(files_count(dir, "media-00002.fb") == 1);
	EXPECT_OK(fx_random_txn(db, &m, 20));
	db_close(db);
	rows_flip(dir, "media-00002.fb");
	db = small_open(dir);
	EXPECT_OK(db_compact(db));
	EXPECT(files_count(dir, "media-00002.fb") == 0);
	expect_shown(db, &m);
	db_close(db);
}

TEST(db_compact, a_log_that_is_all_dead_shrinks_to_nothing)
{
	const char *dir = test_tmpdir();
	struct db *db = small_open(dir);
	struct db_txn *txn;
	for (uint32_t round = 0; round < 3; round++) {
		EXPECT_OK(db_txn_begin(db, &txn));
		for (uint64_t id = 1; id < 200; id++)
			EXPECT_OK(fx_put(txn, FX_MEDIA, id, round + 1));
		EXPECT_OK(db_txn_commit(txn));
	}
	EXPECT_OK(db_txn_begin(db, &txn));
	for (uint64_t id = 1; id < 200; id++)
		EXPECT_OK(db_txn_remove(txn, FX_MEDIA, id));
	EXPECT_OK(db_txn_commit(txn));
	EXPECT_OK(db_compact(db));
	EXPECT_U64(1, files_count(dir, "media-"));
	EXPECT_OK(db_compact(db));
	EXPECT_U64(1, files_count(dir, "media-"));
	EXPECT_OK(db_txn_begin(db, &txn));
	EXPECT_U64(200, db_txn_new_id(txn, FX_MEDIA)); /* never one of those that were */
	db_txn_abort(txn);
	db_close(db);
	files_remove(dir, "manifest");
	files_remove(dir, "index-");
	db = small_open(dir);
	struct db_snap *sn = db_snap_begin(db);
	EXPECT_U64(0, db_rows(sn, FX_MEDIA));
	EXPECT_U64(200, db_next_id(sn, FX_MEDIA));
	db_snap_end(sn);
	db_close(db);
}

/* The largest setting there can be; its bytes are `value`. */
static enum err largest_put(struct db_txn *txn, uint64_t id, const char *value, uint32_t *out_n)
{
	enum err e = ERR_LIMIT;
	for (uint32_t n = 1u << 20; e == ERR_LIMIT && n > 0; n--) {
		struct setting_in in = { .id = id,
					 .name = span_str("large"),
					 .value = span_of(value, n) };
		e = db_txn_put(txn, FX_SETTING, id, &in);
		*out_n = n;
	}
	return e;
}

/* A chunk made for many rows has no room for the largest one. */
TEST(db_compact, the_largest_rows_there_can_be_are_moved_too)
{
	const char *dir = test_tmpdir();
	struct db *db = small_open(dir);
	struct db_txn *txn;
	uint32_t n = 0;
	char *value = malloc(1u << 20);
	EXPECT(value != NULL);
	memset(value, 'v', 1u << 20);
	EXPECT_OK(db_txn_begin(db, &txn));
	for (uint64_t id = 1; id <= 3000; id++)
		EXPECT_OK(fx_put(txn, FX_SETTING, id, 1));
	EXPECT_OK(largest_put(txn, 3001, value, &n));
	EXPECT_OK(fx_put(txn, FX_SETTING, 3002, 1));
	EXPECT_OK(db_txn_commit(txn));
	EXPECT_OK(db_compact(db));
	fx_expect_sound(db);
	struct fb_table row;
	struct db_snap *sn = db_snap_begin(db);
	EXPECT_U64(3002, db_rows(sn, FX_SETTING));
	EXPECT_OK(db_get(sn, FX_SETTING, 3001, &row));
	EXPECT_SPAN(span_of(value, n), setting_value(row));
	db_snap_end(sn);
	EXPECT(files_count(dir, "media-00001.fb") == 0);
	db_close(db);
	free(value);
}

/* ---- power loss ---- */

#define COMMITS_MAX 400

struct history {
	struct fx_model models[COMMITS_MAX]; /* by commit */
	size_t acknowledged_at[COMMITS_MAX]; /* operations when it was */
	uint64_t last;
};

static void history_add(struct history *h, struct db *db, const struct fx_model *m, size_t ops_n)
{
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT(stats.commit < COMMITS_MAX);
	while (h->last < stats.commit) { /* those of a compaction show the same */
		h->models[++h->last] = *m;
		h->models[h->last].commit = h->last;
		h->acknowledged_at[h->last] = ops_n;
	}
}

/* Merges in steps, checkpoints and compaction among the commits. */
static void run_recorded(const char *dir, struct trace *t, struct history *h)
{
	struct db_options o = small_options(dir);
	struct db *db = NULL;
	struct fx_model m = { 0 };
	o.io = &t->io;
	o.segment_bytes = SEGMENT_SMALL_BYTES;
	o.heap_run_rows = 8;
	o.merge_step_units = 64;
	o.compact_from_bytes = 3 * SEGMENT_SMALL_BYTES;
	EXPECT_OK(db_open(&o, &db, NULL));
	for (unsigned i = 0; i < 40; i++) {
		EXPECT_OK(fx_random_txn(db, &m, test_random() % 6 ? 8 : 60));
		history_add(h, db, &m, t->ops_n);
		for (uint64_t k = test_random() % 4; k > 0; k--) {
			(void)db_maintain(db);
			history_add(h, db, &m, t->ops_n);
		}
		if (test_random() % 10 == 0)
			EXPECT_OK(db_checkpoint(db));
		if (i == 30) {
			EXPECT_OK(db_compact(db));
			history_add(h, db, &m, t->ops_n);
		}
	}
	db_close(db);
	struct stat st;
	char path[300];
	snprintf(path, sizeof path, "%s/media-00001.fb", dir);
	EXPECT(stat(path, &st) != 0); /* it did compact */
}

static void expect_survived(const char *dir, const struct history *h, uint64_t k)
{
	CLEANUP(fx_closep) struct db *db = small_open(dir);
	struct db_snap *sn = db_snap_begin(db);
	uint64_t shown = db_snap_commit(sn);
	/* one step may be several commits, all acknowledged at its end */
	EXPECT(shown >= k && shown <= h->last);
	EXPECT(shown <= k + 1 || h->acknowledged_at[shown] == h->acknowledged_at[k + 1]);
	EXPECT(fx_same(sn, &h->models[shown]));
	db_snap_end(sn);
	fx_expect_sound(db);
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT_U64(0, stats.damaged_chunks_n);
	struct fx_model m = h->models[shown];
	EXPECT_OK(fx_random_txn(db, &m, 8));
	EXPECT_OK(db_compact(db));
	db_close(TAKE(db));
	db = small_open(dir);
	sn = db_snap_begin(db);
	m.commit = db_snap_commit(sn);
	EXPECT(fx_same(sn, &m));
	db_snap_end(sn);
}

TEST_LIMIT(db_compact, power_loss_anywhere_leaves_one_commit_whole, 600)
{
	static struct history h;
	static struct trace t;
	char dir[256], copy[256], command[300];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	trace_init(&t);
	run_recorded(dir, &t, &h);
	snprintf(command, sizeof command, "mkdir %s", copy);
	EXPECT(system(command) == 0);
	uint64_t k = 0, points_n = 0;
	for (size_t n = 0; n <= t.ops_n; n++) {
		while (k < h.last && h.acknowledged_at[k + 1] <= n)
			k++;
		for (enum trace_loss loss = LOSS_NONE; loss < LOSSES_N; loss++) {
			if (loss != LOSS_NONE && n % 3 != loss % 3)
				continue; /* each on a third of the points */
			points_n++;
			trace_rebuild(&t, n, loss, copy);
			expect_survived(copy, &h, k);
		}
	}
	printf("%" PRIu64 " points, %zu operations, %" PRIu64 " commits\n", points_n, t.ops_n,
	       h.last);
	trace_fini(&t);
}

/* ---- kill -9 ---- */

#define KILL_ROWS 20u
#define KILL_ROUNDS 25u

static struct db *killed_open(const char *dir)
{
	struct db_options o = small_options(dir);
	struct db *db = NULL;
	o.io = &io_unsynced;
	o.merge_step_units = 64;
	o.compact_from_bytes = 2 * SEGMENT_BYTES;
	EXPECT_OK(db_open(&o, &db, NULL));
	return db;
}

/* All rows in one version, which goes down the pipe when it is acknowledged; maintenance between.
 */
NORETURN static void child_run(const char *dir, int pipe_fd, uint32_t version)
{
	struct db *db = killed_open(dir);
	for (;; version++) {
		struct db_txn *txn;
		if (db_txn_begin(db, &txn) != ERR_OK)
			_exit(1);
		for (uint64_t id = 1; id <= KILL_ROWS; id++)
			if (fx_put(txn, FX_MEDIA, id, version) != ERR_OK)
				_exit(1);
		if (db_txn_commit(txn) != ERR_OK ||
		    write(pipe_fd, &version, sizeof version) != sizeof version)
			_exit(1);
		for (unsigned k = 0; k < 4 && db_maintain(db); k++)
			continue;
	}
}

/* Until it has acknowledged some more; the last one that it did. */
static uint32_t child_kill(const char *dir, uint32_t version)
{
	int fds[2], status;
	EXPECT(pipe(fds) == 0);
	pid_t pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0)
		child_run(dir, fds[1], version + 1);
	close(fds[1]);
	uint32_t acknowledged = version;
	uint64_t after = 20 + test_random() % 200;
	while (read(fds[0], &version, sizeof version) == sizeof version) {
		acknowledged = version;
		if (after-- == 0)
			kill(pid, SIGKILL);
	}
	close(fds[0]);
	EXPECT(waitpid(pid, &status, 0) == pid);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return acknowledged;
}

static uint32_t version_shown(struct db *db)
{
	struct fb_table t;
	struct db_snap *sn = db_snap_begin(db);
	EXPECT_U64(KILL_ROWS, db_rows(sn, FX_MEDIA));
	uint64_t version = 0;
	for (uint64_t id = 1; id <= KILL_ROWS; id++) {
		char path[48];
		EXPECT_OK(db_get(sn, FX_MEDIA, id, &t));
		struct span s = media_file_path(t); /* "/m/ID/VERSION" */
		if (id == 1)
			EXPECT_OK(num_parse_u64(span_skip(s, 5), 1, UINT32_MAX, &version));
		snprintf(path, sizeof path, "/m/%" PRIu64 "/%" PRIu64, id, version);
		EXPECT_SPAN(span_str(path), s);
	}
	db_snap_end(sn);
	return (uint32_t)version;
}

TEST_LIMIT(db_compact, kills_lose_nothing_acknowledged, 200)
{
	const char *dir = test_tmpdir();
	uint32_t version = 0;
	for (unsigned round = 0; round < KILL_ROUNDS; round++) {
		uint32_t acknowledged = child_kill(dir, version);
		EXPECT(acknowledged > version);
		struct db *db = killed_open(dir);
		version = version_shown(db);
		EXPECT(version == acknowledged || version == acknowledged + 1);
		fx_expect_sound(db);
		struct db_stats stats;
		db_stats_get(db, &stats);
		EXPECT_U64(0, stats.damaged_chunks_n);
		if (round == KILL_ROUNDS - 1)
			EXPECT(stats.log_used_bytes < stats.log_bytes / 2);
		db_close(db);
	}
	printf("%u kills, 0 failures; %u commits\n", KILL_ROUNDS, version);
}

/* ---- what must stop it ---- */

static bool segments_fail; /* a new one finds no room */

static int failing_open(void *ctx, int dir_fd, const char *name, int flags)
{
	if (segments_fail && (flags & O_CREAT) && strncmp(name, "media-", 6) == 0) {
		errno = ENOSPC;
		return -1;
	}
	return io_files.open(ctx, dir_fd, name, flags);
}

static void rows_put(struct db *db, uint64_t from, uint64_t to, uint32_t version)
{
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	for (uint64_t id = from; id <= to; id++)
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, version));
	EXPECT_OK(db_txn_commit(txn));
}

static unsigned rows_lost(struct db *db, uint64_t from, uint64_t to)
{
	struct db_snap *sn = db_snap_begin(db);
	struct fb_table row;
	unsigned lost_n = 0;
	for (uint64_t id = from; id <= to; id++)
		lost_n += db_get(sn, FX_MEDIA, id, &row) != ERR_OK;
	db_snap_end(sn);
	return lost_n;
}

TEST(db_compact, a_release_that_fails_costs_no_later_commit)
{
	const char *dir = test_tmpdir();
	struct db_options o = small_options(dir);
	struct db_io io = io_files;
	struct db *db = NULL;
	struct db_txn *txn;
	io.open = failing_open;
	o.io = &io;
	EXPECT_OK(db_open(&o, &db, NULL));
	rows_put(db, 1, 20, 1);
	EXPECT_OK(db_txn_begin(db, &txn));
	for (uint64_t id = 1; id <= 20; id++)
		EXPECT_OK(db_txn_remove(txn, FX_MEDIA, id));
	EXPECT_OK(db_txn_commit(txn));
	segments_fail = true;
	EXPECT(db_compact(db) != ERR_OK);
	segments_fail = false;
	rows_put(db, 21, 40, 1);
	for (uint32_t i = 1; i <= 60; i++) {
		rows_put(db, 100, 140, i);
		if (i % 10 == 0)
			EXPECT_OK(db_checkpoint(db));
	}
	EXPECT_U64(0, rows_lost(db, 21, 40));
	db_close(db);
	files_remove(dir, "manifest");
	files_remove(dir, "index-");
	EXPECT_OK(db_open(&o, &db, NULL));
	EXPECT_U64(0, rows_lost(db, 21, 40));
	db_close(db);
}

/* Where the segment behind it says nothing, nobody knows where one ends. */
TEST(db_compact, a_segment_without_header_keeps_the_one_before_it)
{
	const char *dir = test_tmpdir();
	struct db_options o = small_options(dir);
	struct db *db = NULL;
	static const char zeros[4096 + 64]; /* with the first chunk's: it cannot be made anew */
	char path[300];
	EXPECT_OK(db_open(&o, &db, NULL));
	for (uint64_t i = 0; i < 300; i++)
		rows_put(db, 1 + i * 10, 10 + i * 10, 1);
	db_close(db);
	snprintf(path, sizeof path, "%s/media-00003.fb", dir);
	int fd = open(path, O_RDWR);
	EXPECT(fd >= 0 && pwrite(fd, zeros, sizeof zeros, 0) == sizeof zeros);
	close(fd);
	EXPECT_OK(db_open(&o, &db, NULL));
	unsigned lost_n = rows_lost(db, 1, 3000);
	EXPECT(db_compact(db) != ERR_CLOSED);
	EXPECT_U64(lost_n, rows_lost(db, 1, 3000));
	db_close(db);
}
