/* SPDX-License-Identifier: MIT */
/* Readers beside the writer: each pinned snapshot shows one commit, whole, for as long as it is
 * pinned. Made for ThreadSanitizer; runs anywhere. */
#include <stdatomic.h>

#include "base/thread.h"
#include "fixture.h"

#define READERS 3
#define ROWS 60

struct shared {
	struct db *db;
	_Atomic bool stop;
	_Atomic uint64_t seen_n;
};

/* Row `id` has as its version the commit that wrote it; commit c writes rows c % 7, + 7, ... and
 * removes those of (c + 3) % 7. So what a snapshot must show follows from its number. */
static uint64_t version_at(uint64_t commit, uint64_t id)
{
	for (uint64_t c = commit; c > 0 && c + 7 > commit; c--) {
		if (c % 7 == id % 7)
			return c;
		if ((c + 3) % 7 == id % 7)
			return 0;
	}
	return 0;
}

static enum err commit_one(struct db *db)
{
	struct db_txn *txn;
	enum err e = db_txn_begin(db, &txn);
	if (e != ERR_OK)
		return e;
	uint64_t c = db_txn_commit_number(txn);
	for (uint64_t id = 1; id <= ROWS && e == ERR_OK; id++) {
		if (id % 7 == c % 7)
			e = fx_put(txn, FX_MEDIA, id, (uint32_t)c);
		else if (id % 7 == (c + 3) % 7 && version_at(c - 1, id))
			e = db_txn_remove(txn, FX_MEDIA, id);
	}
	if (e != ERR_OK) {
		db_txn_abort(txn);
		return e;
	}
	return db_txn_commit(txn);
}

static void snapshot_read(const struct db_snap *sn)
{
	uint64_t commit = db_snap_commit(sn), live = 0;
	for (uint64_t id = 1; id <= ROWS; id++) {
		struct fb_table t;
		char path[48];
		uint64_t version = version_at(commit, id);
		live += version != 0;
		enum err e = db_get(sn, FX_MEDIA, id, &t);
		EXPECT_ERR(version ? ERR_OK : ERR_NOTFOUND, e);
		snprintf(path, sizeof path, "/m/%" PRIu64 "/%" PRIu64, id, version);
		if (version)
			EXPECT_SPAN(span_str(path), media_file_path(t));
	}
	EXPECT_U64(live, db_rows(sn, FX_MEDIA));
	uint64_t listed = 0, id;
	for (uint32_t g = 0; g < 2; g++) {
		struct db_cursor c;
		uint64_t n = db_count(sn, FX_MEDIA, FX_TITLE, g);
		db_seek(&c, sn, FX_MEDIA, FX_TITLE, g, n / 2);
		EXPECT_U64(n / 2, db_cursor_offset(&c));
		listed += n / 2;
		while (db_next(&c, &id)) {
			EXPECT(version_at(commit, id) != 0);
			listed++;
		}
	}
	EXPECT_U64(live, listed);
}

static void reader_run(void *arg)
{
	struct shared *s = arg;
	uint64_t newest = 0;
	while (!atomic_load(&s->stop)) {
		struct db_snap *sn = db_snap_begin(s->db), *second = db_snap_begin(s->db);
		EXPECT(db_snap_commit(sn) >= newest);
		EXPECT(db_snap_commit(second) >= db_snap_commit(sn));
		newest = db_snap_commit(sn);
		snapshot_read(sn);
		db_snap_end(second);
		snapshot_read(sn);
		db_snap_end(sn);
		struct db_stats stats;
		db_stats_get(s->db, &stats);
		atomic_fetch_add(&s->seen_n, 1);
	}
}

/* Every row again: the log grows, what is shown stays readable. */
static enum err rewrite_one(struct db *db)
{
	struct db_txn *txn;
	enum err e = db_txn_begin(db, &txn);
	if (e != ERR_OK)
		return e;
	uint32_t version = (uint32_t)db_txn_commit_number(txn);
	for (uint64_t id = 1; id <= ROWS && e == ERR_OK; id++)
		e = fx_put(txn, FX_MEDIA, id, version);
	if (e == ERR_OK)
		return db_txn_commit(txn);
	db_txn_abort(txn);
	return e;
}

/* All rows of a snapshot are of one version, and stay readable as long as it is held. */
static void rows_reader_run(void *arg)
{
	struct shared *s = arg;
	do {
		struct db_snap *sn = db_snap_begin(s->db);
		struct span version = { NULL, 0 };
		for (uint64_t id = 1; id <= ROWS; id++) {
			struct fb_table t;
			EXPECT_OK(db_get(sn, FX_MEDIA, id, &t));
			struct span path = media_file_path(t), mine = path;
			while (mine.n && memchr(mine.p, '/', mine.n))
				mine = span_skip(mine, 1);
			if (id == 1)
				version = mine;
			EXPECT_SPAN(version, mine);
		}
		EXPECT_U64(ROWS, db_rows(sn, FX_MEDIA));
		db_snap_end(sn);
		atomic_fetch_add(&s->seen_n, 1);
	} while (!atomic_load(&s->stop));
}

TEST_LIMIT(db_snap, readers_see_one_whole_commit_while_the_writer_works, 120)
{
	const char *dir = test_tmpdir();
	struct shared s = { .db = fx_open(dir) };
	struct thread threads[READERS] = { 0 };
	for (unsigned i = 0; i < READERS; i++)
		EXPECT_OK(thread_start(&threads[i], "reader", reader_run, &s));
	struct db_snap *old = NULL;
	for (unsigned i = 0; i < 400 || (atomic_load(&s.seen_n) < 20 && i < 100000); i++) {
		EXPECT_OK(commit_one(s.db));
		if (i % 50 == 10) {
			db_snap_end(old);
			old = db_snap_begin(s.db);
		}
		if (i % 40 == 0)
			EXPECT_OK(db_checkpoint(s.db));
		if (i % 9 == 0)
			(void)db_maintain(s.db);
		if (i % 100 == 0)
			fx_expect_sound(s.db);
	}
	snapshot_read(old);
	db_snap_end(old);
	atomic_store(&s.stop, true);
	for (unsigned i = 0; i < READERS; i++)
		thread_join(&threads[i]);
	struct db_stats stats;
	db_stats_get(s.db, &stats);
	printf("%" PRIu64 " snapshots, %" PRIu64 " runs\n", atomic_load(&s.seen_n), stats.runs_n);
	db_close(s.db);
}

TEST_LIMIT(db_snap, readers_go_on_while_segments_are_compacted_away, 120)
{
	struct db_options o = fx_options(test_tmpdir());
	struct shared s = { 0 };
	struct thread threads[READERS] = { 0 };
	o.segment_bytes = 32 << 10;
	o.heap_run_rows = 16;
	o.merge_step_units = 64;
	o.compact_from_bytes = 96 << 10;
	EXPECT_OK(db_open(&o, &s.db, NULL));
	for (unsigned round = 0; round < 30; round++) {
		atomic_store(&s.stop, false);
		for (unsigned i = 0; i < 100; i++)
			EXPECT_OK(rewrite_one(s.db));
		for (unsigned i = 0; i < READERS; i++)
			EXPECT_OK(thread_start(&threads[i], "reader", rows_reader_run, &s));
		EXPECT_OK(db_compact(s.db));
		atomic_store(&s.stop, true);
		for (unsigned i = 0; i < READERS; i++)
			thread_join(&threads[i]);
	}
	struct db_stats stats;
	db_stats_get(s.db, &stats);
	printf("%" PRIu64 " snapshots, %" PRIu64 " bytes of %" PRIu64 "\n", atomic_load(&s.seen_n),
	       stats.log_used_bytes, stats.log_bytes);
	EXPECT(stats.log_used_bytes < stats.log_bytes / 4);
	fx_expect_sound(s.db);
	db_close(s.db);
}

TEST(db_snap, a_pinned_snapshot_keeps_its_files_and_then_they_go)
{
	const char *dir = test_tmpdir();
	struct db *db = fx_open(dir);
	for (int i = 0; i < 5; i++)
		EXPECT_OK(commit_one(db));
	EXPECT_OK(db_checkpoint(db));
	struct db_snap *old = db_snap_begin(db);
	struct db_stats before, after;
	for (int i = 0; i < 60; i++) {
		EXPECT_OK(commit_one(db));
		EXPECT_OK(db_checkpoint(db));
	}
	snapshot_read(old);
	db_snap_end(old);
	EXPECT_OK(commit_one(db));
	db_stats_get(db, &before);
	db_close(db);
	db = fx_open(dir);
	db_stats_get(db, &after);
	EXPECT_U64(before.commit, after.commit);
	EXPECT(after.runs_n <= 20);
	fx_expect_sound(db);
	db_close(db);
}

struct opener {
	const char *dir;
	_Atomic bool stop;
	_Atomic uint64_t opened_n;
};

static void opener_run(void *arg)
{
	struct opener *o = arg;
	while (!atomic_load(&o->stop)) {
		struct db_options options = fx_options(o->dir);
		struct db *db = NULL;
		struct err_info info = { 0 };
		options.read_only = true;
		enum err e = db_open(&options, &db, &info);
		if (e != ERR_OK)
			printf("%s\n", info.text);
		EXPECT_OK(e);
		struct db_stats stats;
		db_stats_get(db, &stats);
		EXPECT_U64(0, stats.damaged_chunks_n);
		struct db_snap *sn = db_snap_begin(db);
		snapshot_read(sn);
		db_snap_end(sn);
		fx_expect_sound(db);
		db_close(db);
		atomic_fetch_add(&o->opened_n, 1);
	}
}

/* What the writer is in the middle of is neither damage nor data. */
TEST_LIMIT(db_open, a_store_that_is_being_written_opens_sound, 120)
{
	const char *dir = test_tmpdir();
	struct opener o = { .dir = dir };
	struct thread thread = { 0 };
	struct db_options options = fx_options(dir);
	struct db *db = NULL;
	options.compact_from_bytes =
		UINT64_MAX; /* rows follow from commit numbers: no other commits */
	EXPECT_OK(db_open(&options, &db, NULL));
	EXPECT_OK(thread_start(&thread, "opener", opener_run, &o));
	for (unsigned i = 0; i < 2000 || (atomic_load(&o.opened_n) < 100 && i < 100000); i++) {
		EXPECT_OK(commit_one(db));
		if (i % 40 == 0)
			EXPECT_OK(db_checkpoint(db));
		if (i % 9 == 0)
			(void)db_maintain(db);
	}
	atomic_store(&o.stop, true);
	thread_join(&thread);
	printf("opened %" PRIu64 " times\n", atomic_load(&o.opened_n));
	db_close(db);
}
