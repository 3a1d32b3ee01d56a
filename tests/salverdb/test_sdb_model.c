/* SPDX-License-Identifier: MIT */
/* Random transactions against the naive model: the same keys again and again, refusals, clearing,
 * dropping, reopening. */
#include "sdb_fixture.h"

static void put_some(struct sdb_txn *txn, struct sx_model *m, unsigned t)
{
	struct sdb_record records[5];
	unsigned at[5], n = 1 + (unsigned)(test_random() % 5), want_done = 0;
	struct sx_value v[5];
	bool refused = false;
	for (unsigned i = 0; i < n; i++) {
		at[i] = (unsigned)(test_random() % SX_KEYS);
		v[i] = sx_value_random();
		records[i] = (struct sdb_record){ sx_key(t, at[i]), sx_value_make(v[i]) };
	}
	for (unsigned i = 0; i < n && !refused; i++) {
		refused = sx_model_conflict(m, t, at[i], v[i]);
		if (refused)
			break;
		m->at[t][at[i]] = v[i];
		want_done++;
	}
	size_t done = 99;
	EXPECT_I64(refused ? SDB_EXISTS : SDB_OK, sdb_put_many(txn, t, records, n, &done));
	EXPECT_U64(want_done, done);
	EXPECT(!refused || strstr(sdb_txn_why(txn), "\"unique\""));
}

static void remove_some(struct sdb_txn *txn, struct sx_model *m, unsigned t)
{
	struct sdb_key keys[4];
	size_t want = 0, removed = 99;
	for (unsigned i = 0; i < 4; i++) {
		unsigned at = (unsigned)(test_random() % SX_KEYS);
		keys[i] = sx_key(t, at);
		want += m->at[t][at].v != 0;
		m->at[t][at] = (struct sx_value){ 0 };
	}
	EXPECT_I64(SDB_OK, sdb_remove_many(txn, t, keys, 4, &removed));
	EXPECT_U64(want, removed);
}

static void change_one(struct sdb_txn *txn, struct sx_model *m)
{
	unsigned t = (unsigned)(test_random() % SX_TABLES);
	unsigned i = (unsigned)(test_random() % SX_KEYS);
	struct sx_value v = sx_value_random();
	struct sdb_record r;
	bool was = m->at[t][i].v != 0;
	switch (test_random() % 16) {
	case 0:
		put_some(txn, m, t);
		break;
	case 1:
		remove_some(txn, m, t);
		break;
	case 2:
		if (test_random() % 8)
			break;
		EXPECT_I64(SDB_OK, sdb_clear(txn, t));
		memset(m->at[t], 0, sizeof m->at[t]);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		EXPECT_I64(was ? SDB_OK : SDB_NOTFOUND, sdb_remove(txn, t, sx_key(t, i)));
		m->at[t][i] = (struct sx_value){ 0 };
		break;
	case 7:
		EXPECT_I64(was ? SDB_OK : SDB_NOTFOUND, sdb_get(txn, t, sx_key(t, i), &r));
		break;
	default:
		if (sx_model_conflict(m, t, i, v)) {
			EXPECT_I64(SDB_EXISTS, sdb_put(txn, t, sx_key(t, i), sx_value_make(v)));
		} else {
			EXPECT_I64(SDB_OK, sdb_put(txn, t, sx_key(t, i), sx_value_make(v)));
			m->at[t][i] = v;
		}
	}
}

static void random_txn(struct sdb *db, struct sx_model *m)
{
	struct sx_model next = *m;
	struct sdb_txn *txn = NULL;
	EXPECT_I64(SDB_OK, sdb_begin_write(db, &txn));
	for (uint64_t n = test_random() % (test_random() % 8 ? 12 : 400); n > 0; n--) {
		change_one(txn, &next);
		if (test_random() % 50 == 0)
			sx_expect(txn, &next);
	}
	if (test_random() % 5 == 0) {
		sdb_end(txn);
		return;
	}
	EXPECT_I64(SDB_OK, sdb_commit(txn));
	*m = next;
}

TEST_LIMIT(sdb_model, random_transactions_match_a_naive_model, 300)
{
	const char *dir = test_tmpdir();
	struct sx_model m = { 0 };
	struct sdb *db = sx_open(dir);
	for (int i = 0; i < 200; i++) {
		uint64_t what = test_random() % 30;
		if (what == 0) {
			sdb_close(db);
			db = sx_open(dir);
		} else if (what == 1) {
			EXPECT_I64(SDB_OK, sdb_checkpoint(db));
		} else {
			random_txn(db, &m);
		}
		if (i % 8 == 0)
			sx_expect_now(db, &m);
		if (i % 40 == 0)
			sx_expect_sound(db);
	}
	/* a reader that comes without the writer's indexes: what the log alone says */
	struct sdb_options o = sx_options(dir);
	struct sdb *reader = NULL;
	o.read_only = true;
	EXPECT_I64(SDB_OK, sdb_open(&o, &reader, NULL));
	sx_expect_now(reader, &m);
	sdb_close(reader);
	sdb_close(db);
	CLEANUP(sx_closep) struct sdb *again = sx_open(dir);
	sx_expect_now(again, &m);
	sx_expect_sound(again);
}
