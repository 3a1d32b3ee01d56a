/* SPDX-License-Identifier: MIT */
/* Readers, a writer and single operations from many threads at once: made for ThreadSanitizer, runs
 * anywhere. And what the grouping of single operations promises. */
#include <stdatomic.h>

#include "base/thread.h"
#include "sdb_fixture.h"

#define READERS 8
#define SUBMITTERS 8
#define OPS 60	 /* of each submitter */
#define PAIRS 20 /* the writer moves a sum between them */
#define PAIR_SUM 1000

enum { COUNTS, PAIRED, T_TABLES };

static const struct sdb_table tables[T_TABLES] = {
	[COUNTS] = { .name = "counts", .key = SDB_KEY_STRING },
	[PAIRED] = { .name = "paired", .key = SDB_KEY_U64 },
};

struct shared {
	struct sdb *db;
	_Atomic bool stop;
	_Atomic uint64_t snapshots_n, acked_n;
};

static struct sdb *open_shared(const char *dir, unsigned delay_ms)
{
	struct sdb *db = NULL;
	const struct sdb_options o = { .dir = dir,
				       .tables = tables,
				       .tables_n = T_TABLES,
				       .group_ops_max = 64,
				       .group_delay_ms = delay_ms };
	EXPECT_I64(SDB_OK, sdb_open(&o, &db, NULL));
	return db;
}

static uint32_t number_of(const struct sdb_record *r)
{
	uint32_t v;
	EXPECT_U64(sizeof v, r->value.n);
	memcpy(&v, r->value.p, sizeof v);
	return v;
}

/* Two records that always sum up to the same. */
static enum sdb_err pair_move(struct sdb_txn *txn, void *ctx)
{
	uint64_t pair = test_random() % PAIRS * 2;
	uint32_t a = (uint32_t)(test_random() % PAIR_SUM), b = PAIR_SUM - a;
	(void)ctx;
	enum sdb_err e = sdb_put(txn, PAIRED, sdb_number(pair), sdb_bytes(&a, sizeof a));
	return e == SDB_OK ? sdb_put(txn, PAIRED, sdb_number(pair + 1), sdb_bytes(&b, sizeof b))
			   : e;
}

static enum sdb_err snapshot_expect(struct sdb_txn *txn, void *ctx)
{
	struct shared *s = ctx;
	struct sdb_record a, b;
	struct sdb_cursor *c;
	uint64_t n = 0;
	for (uint64_t pair = 0; pair < PAIRS * 2; pair += 2) {
		if (sdb_get(txn, PAIRED, sdb_number(pair), &a) != SDB_OK)
			continue;
		EXPECT_I64(SDB_OK, sdb_get(txn, PAIRED, sdb_number(pair + 1), &b));
		EXPECT_U64(PAIR_SUM, number_of(&a) + number_of(&b));
	}
	EXPECT_I64(SDB_OK, sdb_all(txn, COUNTS, &c));
	EXPECT_U64(sdb_len(txn, COUNTS), sdb_cursor_count(c));
	while (sdb_cursor_next(c, &a) == SDB_OK)
		n++;
	EXPECT_U64(sdb_len(txn, COUNTS), n);
	sdb_cursor_close(c);
	atomic_fetch_add(&s->snapshots_n, 1);
	return SDB_OK;
}

static void reader_run(void *arg)
{
	struct shared *s = arg;
	struct sdb_stats stats;
	for (unsigned i = 0; !atomic_load(&s->stop); i++) {
		EXPECT_I64(SDB_OK, sdb_read(s->db, snapshot_expect, s));
		sdb_stats_get(s->db, &stats);
		if (i % 200 == 0)
			sx_expect_sound(s->db);
	}
}

static _Atomic unsigned submitter_next;

static struct sdb_key submitter_key(unsigned submitter, unsigned i, char text[32])
{
	snprintf(text, 32, "submitter %u, %u", submitter, i);
	return sdb_text(text);
}

static void submitter_run(void *arg)
{
	struct shared *s = arg;
	unsigned me = atomic_fetch_add(&submitter_next, 1);
	char text[32];
	for (uint32_t i = 0; i < OPS; i++) {
		EXPECT_I64(SDB_OK, sdb_put_now(s->db, COUNTS, submitter_key(me, i, text),
					       sdb_bytes(&i, sizeof i)));
		if (i % 3 == 1) {
			EXPECT_I64(SDB_OK,
				   sdb_remove_now(s->db, COUNTS, submitter_key(me, i, text)));
			EXPECT_I64(SDB_NOTFOUND,
				   sdb_remove_now(s->db, COUNTS, submitter_key(me, i, text)));
		}
		atomic_fetch_add(&s->acked_n, 1);
	}
}

static void counts_expect(struct sdb *db)
{
	struct sdb_txn *txn;
	char text[32];
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	for (unsigned me = 0; me < SUBMITTERS; me++)
		for (unsigned i = 0; i < OPS; i++)
			EXPECT_I64(i % 3 == 1 ? SDB_NOTFOUND : SDB_OK,
				   sdb_contains(txn, COUNTS, submitter_key(me, i, text)));
	EXPECT_U64(SUBMITTERS * (OPS - OPS / 3), sdb_len(txn, COUNTS));
	sdb_end(txn);
}

TEST_LIMIT(sdb_threads, readers_a_writer_and_submitters_at_once, 240)
{
	const char *dir = test_tmpdir();
	struct shared s = { .db = open_shared(dir, 0) };
	struct thread readers[READERS] = { 0 }, submitters[SUBMITTERS] = { 0 };
	for (unsigned i = 0; i < READERS; i++)
		EXPECT_OK(thread_start(&readers[i], "reader", reader_run, &s));
	for (unsigned i = 0; i < SUBMITTERS; i++)
		EXPECT_OK(thread_start(&submitters[i], "submitter", submitter_run, &s));
	for (unsigned i = 0; i < 100 || atomic_load(&s.acked_n) < SUBMITTERS * OPS; i++) {
		EXPECT_I64(SDB_OK, sdb_write(s.db, pair_move, NULL));
		if (i % 30 == 0)
			EXPECT_I64(SDB_OK, sdb_checkpoint(s.db));
	}
	for (unsigned i = 0; i < SUBMITTERS; i++)
		thread_join(&submitters[i]);
	atomic_store(&s.stop, true);
	for (unsigned i = 0; i < READERS; i++)
		thread_join(&readers[i]);
	counts_expect(s.db);
	sx_expect_sound(s.db);
	struct sdb_stats stats;
	sdb_stats_get(s.db, &stats);
	printf("%" PRIu64 " snapshots, %" PRIu64 " operations in %" PRIu64 " groups\n",
	       atomic_load(&s.snapshots_n), stats.group_ops_n, stats.groups_n);
	EXPECT_U64(SUBMITTERS * (OPS + 2 * OPS / 3), stats.group_ops_n);
	sdb_close(s.db);
	s.db = open_shared(dir, 0);
	counts_expect(s.db);
	sdb_close(s.db);
}

struct acks {
	_Atomic uint64_t n[SDB_ERRS_N];
};

static void acked(void *ctx, enum sdb_err e)
{
	struct acks *a = ctx;
	atomic_fetch_add(&a->n[e], 1);
}

TEST(sdb_submit, what_waits_together_is_one_commit_and_each_gets_its_own_answer)
{
	const char *dir = test_tmpdir();
	struct sdb *db = open_shared(dir, 0);
	struct acks a = { 0 };
	struct sdb_txn *txn;
	struct sdb_stats before, after;
	sdb_stats_get(db, &before);
	/* this transaction holds the others up */
	EXPECT_I64(SDB_OK, sdb_begin_write(db, &txn));
	sdb_end(txn);
	for (uint32_t i = 0; i < 500; i++) {
		const struct sdb_op put = { .table = PAIRED,
					    .key = sdb_number(i),
					    .value = sdb_bytes(&i, sizeof i) };
		const struct sdb_op remove = { .table = PAIRED,
					       .remove = true,
					       .key = sdb_number(1000 + i) };
		EXPECT_I64(SDB_OK, sdb_submit(db, i % 5 ? &put : &remove, acked, &a));
	}
	sdb_close(db); /* stores what was submitted */
	EXPECT_U64(400, atomic_load(&a.n[SDB_OK]));
	EXPECT_U64(100, atomic_load(&a.n[SDB_NOTFOUND]));
	db = open_shared(dir, 0);
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	EXPECT_U64(400, sdb_len(txn, PAIRED));
	EXPECT(sdb_txn_number(txn) < before.commit + 400); /* fewer commits than operations */
	sdb_end(txn);
	sdb_stats_get(db, &after);
	sdb_close(db);
}

TEST(sdb_submit, a_time_limit_collects_company)
{
	struct sdb *db = open_shared(test_tmpdir(), 60000);
	struct acks a = { 0 };
	struct sdb_stats s;
	for (uint32_t i = 0; i < 128; i++) { /* twice what one commit takes */
		const struct sdb_op put = { .table = PAIRED,
					    .key = sdb_number(i),
					    .value = sdb_bytes(&i, sizeof i) };
		EXPECT_I64(SDB_OK, sdb_submit(db, &put, acked, &a));
	}
	/* the last of a full commit does not wait for the time limit: the next caller of this kind
	 * would find 64 more */
	while (atomic_load(&a.n[SDB_OK]) < 128)
		sched_yield();
	sdb_stats_get(db, &s);
	EXPECT_U64(2, s.groups_n);
	EXPECT_U64(64, s.group_ops_max);
	sdb_close(db);
}
