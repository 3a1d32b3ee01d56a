/* SPDX-License-Identifier: MIT */
/* Views of an open transaction: rows may change again after each, readers see none of it, and
 * replay makes the same of the log. */
#include "db/io.h"
#include "fixture.h"

/* What a reader that replays the log finds: nothing of the first store's indexes is used. */
static void replay_expect(const char *dir, const struct fx_model *m)
{
	struct db_options o = fx_options(dir);
	struct err_info info = { 0 };
	struct db *db = NULL;
	o.read_only = true;
	EXPECT_OK(db_open(&o, &db, &info));
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, m);
	db_snap_end(sn);
	fx_expect_sound(db);
	db_close(db);
}

/* Some rows put and some removed, each at most once. */
static void step_make(struct db_txn *txn, struct fx_model *m, uint64_t commit)
{
	bool touched[FX_IDS] = { false };
	for (uint64_t n = test_random() % 40; n > 0; n--) {
		unsigned t = test_random() % 3 == 0 ? FX_SETTING : FX_MEDIA;
		uint64_t id = 1 + test_random() % 60;
		if (touched[id])
			continue;
		touched[id] = true;
		uint32_t version = test_random() % 3 ? 1 + (uint32_t)(test_random() % 500) : 0;
		enum err want = version || m->version[t][id] ? ERR_OK : ERR_NOTFOUND;
		EXPECT_ERR(want, version ? fx_put(txn, t, id, version) : db_txn_remove(txn, t, id));
		if (want == ERR_OK)
			fx_model_put(m, t, id, version, commit);
	}
}

TEST_LIMIT(db_txn_view, shows_every_step_and_the_last_word_counts_after_replay, 240)
{
	const char *dir = test_tmpdir();
	struct fx_model m = { 0 };
	CLEANUP(fx_closep) struct db *db = fx_open(dir);
	for (int i = 0; i < 60; i++) {
		struct fx_model next = m;
		struct db_txn *txn = NULL;
		EXPECT_OK(db_txn_begin(db, &txn));
		next.commit = db_txn_commit_number(txn);
		for (uint64_t steps = 1 + test_random() % (i % 10 == 0 ? 30 : 4); steps > 0;
		     steps--) {
			step_make(txn, &next, next.commit);
			struct db_snap *view = NULL, *now = db_snap_begin(db);
			EXPECT_OK(db_txn_view(txn, &view));
			fx_expect(view, &next);
			EXPECT_U64(m.commit, db_snap_commit(now));
			EXPECT(fx_same(now, &m));
			db_snap_end(now);
			db_txn_view_end(txn, view);
		}
		if (test_random() % 4 == 0) {
			db_txn_abort(txn);
		} else {
			EXPECT_OK(db_txn_commit(txn));
			m = next;
		}
		if (i % 10 == 9) {
			replay_expect(dir, &m);
			fx_expect_sound(db);
		}
		if (i % 25 == 24)
			EXPECT_OK(db_checkpoint(db));
	}
	replay_expect(dir, &m);
}

static uint64_t written_n;

static ssize_t counting_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	written_n += n;
	return io_files.pwrite(ctx, fd, p, n, off);
}

/* Each step makes a run; those of a long transaction are merged, but not all of them every time. */
TEST_LIMIT(db_txn_view, a_long_transaction_writes_its_index_a_few_times_only, 120)
{
	struct db_options o = fx_options(test_tmpdir());
	struct db_io io = io_files;
	struct db *db = NULL;
	struct db_txn *txn;
	struct db_snap *view;
	uint64_t id = 1;
	io.pwrite = counting_pwrite;
	o.io = &io;
	o.heap_run_rows = 1;
	EXPECT_OK(db_open(&o, &db, NULL));
	EXPECT_OK(db_txn_begin(db, &txn));
	for (unsigned step = 0; step < 400; step++) {
		for (uint64_t end = id + 50; id < end; id++)
			EXPECT_OK(fx_put(txn, FX_SETTING, id, 1));
		EXPECT_OK(db_txn_view(txn, &view));
		EXPECT_U64(id - 1, db_rows(view, FX_SETTING));
		db_txn_view_end(txn, view);
	}
	EXPECT_OK(db_txn_commit(txn));
	struct db_stats s;
	db_stats_get(db, &s);
	uint64_t index_written = written_n - s.log_bytes;
	printf("%" PRIu64 " bytes of index, %" PRIu64 " written\n", s.index_bytes, index_written);
	EXPECT(index_written < 12 * s.index_bytes);
	fx_expect_sound(db);
	db_close(db);
}

TEST(db_txn_view, an_older_view_stays_as_it_was)
{
	const char *dir = test_tmpdir();
	struct fx_model m = { 0 };
	CLEANUP(fx_closep) struct db *db = fx_open(dir);
	struct db_txn *txn = NULL;
	struct db_snap *views[20] = { NULL };
	static struct fx_model seen[20];
	EXPECT_OK(db_txn_begin(db, &txn));
	m.commit = db_txn_commit_number(txn);
	for (int i = 0; i < 20; i++) { /* more than are kept before they are merged */
		step_make(txn, &m, m.commit);
		EXPECT_OK(db_txn_view(txn, &views[i]));
		seen[i] = m;
	}
	for (int i = 0; i < 20; i++) {
		EXPECT(fx_same(views[i], &seen[i]));
		db_txn_view_end(txn, views[i]);
	}
	EXPECT_OK(db_txn_commit(txn));
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
}

TEST(db_txn, the_same_row_twice_without_a_view_between_is_refused)
{
	const char *dir = test_tmpdir();
	struct fx_model m = { 0 };
	CLEANUP(fx_closep) struct db *db = fx_open(dir);
	struct db_txn *txn = NULL;
	EXPECT_OK(db_txn_begin(db, &txn));
	EXPECT_OK(fx_put(txn, FX_MEDIA, 7, 1));
	EXPECT_OK(fx_put(txn, FX_MEDIA, 7, 2));
	EXPECT_ERR(ERR_INVALID, db_txn_commit(txn));
	replay_expect(dir, &m);
}
