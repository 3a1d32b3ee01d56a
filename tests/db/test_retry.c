/* SPDX-License-Identifier: MIT */
/* Faults that pass: a file operation is repeated after a growing pause, and counted. */
#include <errno.h>

#include "db/io.h"
#include "fixture.h"

static unsigned busy_left; /* so many writes find the disk busy */

static ssize_t busy_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	if (busy_left == 0)
		return io_files.pwrite(ctx, fd, p, n, off);
	busy_left--;
	errno = EAGAIN;
	return -1;
}

static enum err commit_one(struct db *db, struct fx_model *m, uint64_t id)
{
	struct fx_model next = *m;
	struct db_txn *txn = NULL;
	enum err e = db_txn_begin(db, &txn);
	if (e != ERR_OK)
		return e;
	next.commit = db_txn_commit_number(txn);
	e = fx_put(txn, FX_MEDIA, id, 1);
	fx_model_put(&next, FX_MEDIA, id, 1, next.commit);
	if (e != ERR_OK) {
		db_txn_abort(txn);
		return e;
	}
	e = db_txn_commit(txn);
	if (e == ERR_OK)
		*m = next;
	return e;
}

TEST(db_retry, what_passes_is_waited_for_and_what_does_not_is_an_error)
{
	struct db_io io = io_files;
	struct db_options o = fx_options(test_tmpdir());
	struct fx_model m = { 0 };
	struct db_stats stats;
	struct db *db = NULL;
	io.pwrite = busy_pwrite;
	o.io = &io;
	EXPECT_OK(db_open(&o, &db, NULL));
	EXPECT_OK(commit_one(db, &m, 1));
	busy_left = 4;
	EXPECT_OK(commit_one(db, &m, 2));
	db_stats_get(db, &stats);
	EXPECT_U64(4, stats.retries_n);
	EXPECT_U64(2, stats.writes.commits_n);

	busy_left = 100;
	EXPECT_ERR(ERR_BUSY, commit_one(db, &m, 3));
	EXPECT(busy_left > 0); /* it did not try for ever */
	busy_left = 0;
	db_stats_get(db, &stats);
	EXPECT_U64(1, stats.writes.failed_n);
	EXPECT_U64(1, stats.writes.errors_n[ERR_BUSY]);
	if (stats.poisoned) { /* its mark could not be wiped: as after a failed sync */
		db_close(db);
		EXPECT_OK(db_open(&o, &db, NULL));
	}
	EXPECT_OK(commit_one(db, &m, 4));
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	db_close(db);
}
