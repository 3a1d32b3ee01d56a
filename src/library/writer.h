/* SPDX-License-Identifier: MIT */
/* The one thread that writes: two bounded queues of batches in, commits out. */
#pragma once

#include "base/counter.h"
#include "base/thread.h"
#include "db/db.h"
#include "library/apply.h"
#include "library/batch_priv.h"
#include "library/text.h"

struct batch_queue {
	struct batch *first, *last;
	unsigned n;
};

/** Something that only the writer thread may do, on the stack of who waits for it. */
struct errand {
	/** *out_again: call it again, once the changes that wait are committed. */
	enum err (*run)(void *ctx, struct db *db, bool *out_again);
	void *ctx;
	bool over; /* under the writer's m */
	enum err err;
};

/* Merging and compacting wait for a pause, so that a single change finds the writer free; what may
 * take long and write much waits for a long one. */
enum upkeep { UPKEEP_NONE, UPKEEP_IDLE, UPKEEP_DUE };

/** A scan's transaction, which takes one batch after the other. */
struct chain {
	bool open;
	struct apply a;
	struct batch *first, *last; /* in it, and to be told: what they held is gone */
	uint32_t changes_n, changes_max;
	uint64_t begun_ms, taken_ms;
};

struct writer {
	struct db *db;
	struct text *text; /* is told of commits; set before writer_start(), may be NULL */
	void (*on_commit)(void *ctx, const struct library_change *change);
	void (*on_memory)(void *ctx, uint64_t bytes);
	void *ctx;

	struct mutex m;	  /* of the queues and `stopping` */
	struct cond work; /* something was queued, or stopping */
	struct cond room; /* a batch left its queue */
	struct batch_queue urgent, scan;
	bool stopping;
	bool flush;	       /* under m: somebody waits for what was given */
	bool rest;	       /* under m: writer_rest() */
	struct errand *errand; /* under m; waits for the writer */

	struct counter batches_n, batch_files_n;
	struct thread thread;

	/* the writer thread's own */
	struct library_change change;
	struct chain chain;
	uint64_t linger_ms, pause_ms;
	bool resting;		     /* nothing more is coming: what is due now does not wait */
	_Atomic(enum upkeep) upkeep; /* what the store may have to do; figures read it */
	bool upkept;		     /* and did, since the last checkpoint */
	bool dirty;		     /* committed since the last checkpoint */
	uint64_t dirty_rows_n;
	uint64_t dirty_since_ms, last_commit_ms, checkpoint_log_bytes;
};

NODISCARD enum err writer_start(struct writer *w, struct db *db,
				const struct library_options *options);
/** Takes no more batches; what is queued is still committed, large removals in part. */
void writer_hurry(struct writer *w);
/** Commits what is queued, then ends the thread. Harmless where it never started. */
void writer_stop(struct writer *w);
NODISCARD enum err writer_submit(struct writer *w, struct batch *b, enum batch_urgency urgency);
/** Somebody waits for what was submitted: it is committed once it is taken. Threads: any. */
void writer_flush(struct writer *w);
/** Nothing more is coming: merging and the checkpoint need not wait to see whether it does, until
 * the next commit. Threads: any. */
void writer_rest(struct writer *w);
/** Run the errand between two commits and wait until it is done. ERR_CLOSED: stopping.
 * ERR_BUSY: there is another. Threads: any but the writer's. */
NODISCARD enum err writer_run(struct writer *w, struct errand *errand);
unsigned writer_queue_n(struct writer *w);
/** Threads: any. */
bool writer_upkeep_due(const struct writer *w);
