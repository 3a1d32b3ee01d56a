/* SPDX-License-Identifier: MIT */
/* What changed since a mark: from the log, however it was cut into segments. */
#include "fixture.h"

struct named {
	unsigned n[FX_TABLES][FX_IDS];
};

static enum err note(void *ctx, unsigned table, uint64_t id)
{
	struct named *named = ctx;
	EXPECT(table < FX_TABLES && id < FX_IDS);
	named->n[table][id]++;
	return ERR_OK;
}

static struct db_mark mark_now(struct db *db)
{
	struct db_mark mark;
	struct db_snap *sn = db_snap_begin(db);
	db_snap_mark(sn, &mark);
	db_snap_end(sn);
	return mark;
}

static enum err changes(struct db *db, const struct db_mark *mark, struct named *out)
{
	memset(out, 0, sizeof *out);
	struct db_snap *sn = db_snap_begin(db);
	enum err e = db_changes_since(sn, mark, note, out);
	db_snap_end(sn);
	return e;
}

TEST(db_changes_since, names_what_was_put_and_removed_and_nothing_else)
{
	CLEANUP(fx_closep) struct db *db = fx_open(test_tmpdir());
	struct named got;
	struct db_mark before = mark_now(db);
	for (unsigned step = 0; step < 3; step++) {
		struct db_txn *txn;
		EXPECT_OK(db_txn_begin(db, &txn));
		uint64_t id = db_txn_new_id(txn, FX_MEDIA);
		EXPECT_U64(step == 2 ? 2 : step + 1, id);
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, 1));
		if (step == 1) { /* never happened: its id is given out again */
			db_txn_abort(txn);
			continue;
		}
		EXPECT_OK(db_txn_commit(txn));
	}
	struct db_mark between = mark_now(db);
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	EXPECT_OK(db_txn_remove(txn, FX_MEDIA, 1));
	EXPECT_OK(fx_put(txn, FX_SETTING, db_txn_new_id(txn, FX_SETTING), 5));
	EXPECT_OK(db_txn_commit(txn));

	EXPECT_OK(changes(db, &before, &got));
	EXPECT_U64(2, got.n[FX_MEDIA][1]);
	EXPECT_U64(1, got.n[FX_MEDIA][2]);
	EXPECT_U64(0, got.n[FX_MEDIA][3]);
	EXPECT_U64(1, got.n[FX_SETTING][1]);
	EXPECT_OK(changes(db, &between, &got));
	EXPECT_U64(1, got.n[FX_MEDIA][1]);
	EXPECT_U64(0, got.n[FX_MEDIA][2]);
	EXPECT_U64(1, got.n[FX_SETTING][1]);
	struct db_mark now = mark_now(db);
	EXPECT_OK(changes(db, &now, &got));
	EXPECT_U64(0, got.n[FX_MEDIA][1]);
}

TEST(db_changes_since, a_mark_that_is_none_of_this_log_is_refused)
{
	CLEANUP(fx_closep) struct db *db = fx_open(test_tmpdir());
	struct fx_model m = { 0 };
	struct named got;
	for (int i = 0; i < 20; i++)
		EXPECT_OK(fx_random_txn(db, &m, 10));
	struct db_mark good = mark_now(db);
	EXPECT_OK(fx_random_txn(db, &m, 10));
	while (m.commit == good.commit) /* until one was not aborted */
		EXPECT_OK(fx_random_txn(db, &m, 10));
	EXPECT_OK(changes(db, &good, &got));
	struct db_mark bad[5] = { good, good, good, good, good };
	bad[0].commit++;
	bad[1].commit--;
	bad[2].offset += 256;
	bad[3].offset = UINT32_MAX;
	bad[4].segment = UINT32_MAX;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		EXPECT_ERR(ERR_NOTFOUND, changes(db, &bad[i], &got));
	struct db_mark first = { 0 };
	EXPECT_OK(changes(db, &first, &got));
}

TEST(db_changes_since, leads_over_segments_aborts_and_reopening)
{
	const char *dir = test_tmpdir();
	struct db_options options = fx_options(dir);
	options.segment_bytes = 64 << 10;
	struct db *db;
	EXPECT_OK(db_open(&options, &db, NULL));
	struct fx_model m = { 0 }, old[8];
	struct db_mark marks[8];
	struct db_stats stats;
	struct named got;
	for (unsigned i = 0; i < 400; i++) {
		if (i % 50 == 0) {
			old[i / 50] = m;
			marks[i / 50] = mark_now(db);
		}
		if (i % 90 == 89) {
			db_close(db);
			EXPECT_OK(db_open(&options, &db, NULL));
		}
		EXPECT_OK(fx_random_txn(db, &m, 60));
	}
	db_stats_get(db, &stats);
	EXPECT(stats.segments_n > 3);
	for (unsigned k = 0; k < ARRAY_LEN(marks); k++) {
		EXPECT_OK(changes(db, &marks[k], &got));
		for (unsigned t = 0; t < FX_TABLES; t++)
			for (unsigned id = 0; id < FX_IDS; id++)
				EXPECT(old[k].version[t][id] == m.version[t][id] || got.n[t][id]);
	}
	db_close(db);
}
