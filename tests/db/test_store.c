/* SPDX-License-Identifier: MIT */
/* The store against a naive model: what it is for. */
#include "fixture.h"

#include <sys/stat.h>

TEST(db_open, an_empty_store_is_empty_and_stays_so)
{
	const char *dir = test_tmpdir();
	struct fx_model m = { 0 };
	for (int i = 0; i < 3; i++) {
		CLEANUP(fx_closep) struct db *db = fx_open(dir);
		struct db_snap *sn = db_snap_begin(db);
		fx_expect(sn, &m);
		db_snap_end(sn);
		fx_expect_sound(db);
	}
}

TEST(db_txn, a_row_is_there_after_commit_and_after_reopening)
{
	const char *dir = test_tmpdir();
	struct fx_model m = { .commit = 1 };
	uint8_t uuid[16];
	{
		CLEANUP(fx_closep) struct db *db = fx_open(dir);
		memcpy(uuid, db_uuid(db), sizeof uuid);
		struct db_txn *txn;
		EXPECT_OK(db_txn_begin(db, &txn));
		EXPECT_U64(1, db_txn_commit_number(txn));
		uint64_t id = db_txn_new_id(txn, FX_MEDIA);
		EXPECT_U64(1, id);
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, 7));
		struct fb_table t;
		EXPECT_ERR(ERR_NOTFOUND, db_get(db_txn_base(txn), FX_MEDIA, id, &t));
		EXPECT_OK(db_txn_commit(txn));
		fx_model_put(&m, FX_MEDIA, id, 7, 1);
		struct db_snap *sn = db_snap_begin(db);
		fx_expect(sn, &m);
		db_snap_end(sn);
	}
	CLEANUP(fx_closep) struct db *db = fx_open(dir);
	EXPECT(memcmp(uuid, db_uuid(db), sizeof uuid) == 0);
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	fx_expect_sound(db);
}

TEST_LIMIT(db_model, random_operations_match_a_naive_model, 300)
{
	const char *dir = test_tmpdir();
	struct fx_model m = { 0 };
	struct db *db = fx_open(dir);
	for (int i = 0; i < 400; i++) {
		uint64_t what = test_random() % 40;
		if (what == 0) {
			db_close(db);
			db = fx_open(dir);
		} else if (what == 1) {
			EXPECT_OK(db_checkpoint(db));
		} else if (what == 2) {
			while (db_maintain(db))
				;
		} else {
			EXPECT_OK(fx_random_txn(db, &m, what < 20 ? 3 : 60));
		}
		if (i % 8 == 0) {
			struct db_snap *sn = db_snap_begin(db);
			fx_expect(sn, &m);
			db_snap_end(sn);
		}
		if (i % 50 == 0)
			fx_expect_sound(db);
	}
	db_close(db);
	CLEANUP(fx_closep) struct db *again = fx_open(dir);
	struct db_snap *sn = db_snap_begin(again);
	fx_expect(sn, &m);
	db_snap_end(sn);
	fx_expect_sound(again);
}
