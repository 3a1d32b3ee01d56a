/* SPDX-License-Identifier: MIT */
/* The index side of a transaction on a thread of its own, so that a bulk insert uses two
 * processors.
 *
 *   the writer                                        db-index
 *   rows -> chunk, verified, hashed, written          entries -> block -> sorted -> run
 *                 |                                      ^
 *                 +-- where the chunk is in the log -----+
 *
 * A chunk that is handed over is read from the log's map, as any reader would: no buffer waits with
 * it, so the queue costs no memory and may be long enough for the writer to go on while a block is
 * built. Chunks are applied in the order of their handing over, by txn_apply_rows(), which is also
 * what happens where there is no thread: with one processor, and for chunks too small to be worth a
 * switch. Who is to see the index side's state (struct txn_table) joins first. */
#pragma once

#include "base/flatbuffer.h"
#include "base/thread.h"

#define INDEX_JOBS_MAX 16u	      /* of some 256 KiB: more than the rows of a block */
#define INDEX_CHUNK_BYTES (32u << 10) /* by default, a smaller chunk is applied at once */

struct db;

struct index_job {
	struct fb_vector rows; /* in the map */
	uint64_t address;      /* of the first */
	unsigned table;
};

struct index_thread {
	struct db *db;
	/* the writer's */
	uint32_t chunk_bytes; /* a smaller chunk is not handed over */
	bool forced;	      /* also with one processor */
	bool refused;	      /* there is no processor for it, or it could not be started */
	bool used;	      /* since it was joined */
	struct thread thread;

	struct mutex lock; /* of all below */
	struct cond work, done;
	struct index_job jobs[INDEX_JOBS_MAX]; /* a ring */
	unsigned first, jobs_n;		       /* with the one that is being applied */
	unsigned awaited_n;		       /* the writer waits for so few */
	enum err err;			       /* the rest is dropped, until joined */
	bool ending;
};

/** `chunk_bytes` 0: the default; else for chunks from that size on, with any number of processors.
 */
void index_thread_init(struct index_thread *it, struct db *db, uint32_t chunk_bytes);
/** Ends the thread; it is started again where it is needed. Nothing may be handed over. */
void index_thread_end(struct index_thread *it);
void index_thread_fini(struct index_thread *it);

/* Threads: the writer's alone. */
/** Whether a chunk of that size is handed over: it is worth it, or others before it were. Starts
 * the thread. */
bool index_thread_wants(struct index_thread *it, uint32_t bytes);
/** Hand over; waits where too much waits already. Errors: that of an earlier job, as
 * index_thread_join() will give it. */
NODISCARD enum err index_thread_put(struct index_thread *it, const struct index_job *job);
/** All that was handed over has been applied: how that went. O(1) where nothing was. */
NODISCARD enum err index_thread_join(struct index_thread *it);
/** The same for a transaction that is given up: what has not begun is dropped. */
void index_thread_drop(struct index_thread *it);
