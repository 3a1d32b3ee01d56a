/* SPDX-License-Identifier: MIT */
/* I/O back ends for tests: one records everything for replay after a simulated power loss, one
 * fails the n-th operation. */
#pragma once

#include "base/thread.h"
#include "db/io.h"
#include "fixture.h"

/** The real files, but nothing waits for a disk. */
extern const struct db_io io_unsynced;
struct db *open_unsynced(const char *dir);

/** Make `to` (emptied or created first) hold the files of `from`; NULL: none. */
void dir_copy(const char *from, const char *to);

enum trace_kind {
	TRACE_CREATE,
	TRACE_WRITE,
	TRACE_SIZE,
	TRACE_SYNC,
	TRACE_SYNC_LOST, /* a sync that failed: what it was to write may be lost for good */
	TRACE_UNLINK,
	TRACE_SYNC_DIR
};

struct trace_op {
	enum trace_kind kind;
	unsigned phase; /* of struct trace, when it was done */
	int file;
	uint64_t off; /* write; size: bytes */
	size_t n;
	uint8_t *data;
};

#define TRACE_FILES_MAX 256

struct trace {
	struct db_io io;   /* hand this to db_options */
	struct mutex lock; /* of the rest: db-index writes beside the writer */
	struct trace_op *ops;
	size_t ops_n, ops_cap;
	char names[TRACE_FILES_MAX][32];
	int files_n;
	int file_of_fd[1024];
	unsigned phase;	       /* the test's to set */
	uint64_t sync_n;       /* of files and directories, so far */
	uint64_t sync_fail_at; /* that one fails; UINT64_MAX: none */
};

void trace_init(struct trace *t);
void trace_fini(struct trace *t);
/** Begin with the files of `dir`, all of them safe on the disk. */
void trace_adopt(struct trace *t, const char *dir);

/** What becomes of the operations since a file's last sync: all are done, none, some of them, some
 * sectors of 512 bytes, some in any order, or all of that. */
enum trace_loss { LOSS_NONE, LOSS_ALL, LOSS_SOME, LOSS_TORN, LOSS_REORDERED, LOSS_CHAOS, LOSSES_N };
/** Make in `dir` (emptied first) what a disk holds after the first `ops_n` operations and a power
 * loss that treats unsynced writes in this way. What is in the directory is that of its last sync;
 * each creation and removal since then has happened or not. */
void trace_rebuild(const struct trace *t, size_t ops_n, enum trace_loss loss, const char *dir);

enum fault_kind {
	FAULT_ENOSPC,
	FAULT_EIO,
	FAULT_SHORT, /* half a write; what cannot be halved fails as on a full disk */
	FAULT_EINTR,
	FAULT_SYNC, /* only synchronisations count, and fail with EIO */
	FAULTS_N
};

struct faults {
	struct db_io io;
	struct mutex lock; /* of n and hit */
	enum fault_kind kind;
	uint64_t at;  /* this operation fails, from 0 */
	bool forever; /* and all after it */
	uint64_t n;   /* operations so far */
	bool hit;
};

void faults_init(struct faults *f, enum fault_kind kind, uint64_t at, bool forever);
const char *fault_name(enum fault_kind kind);
