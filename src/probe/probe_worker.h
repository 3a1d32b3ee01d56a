/* SPDX-License-Identifier: MIT */
/* One worker process as the client sees it: start, talk, watch, end. Private to src/probe. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "base/span.h"
#include "base/text_encoding.h"
#include "probe/protocol.h"

#define PROBE_DEPTH 4 /* files under way in one worker, so that it never waits for the client */
#define PROBE_BACKOFF_MIN_MS 10
#define PROBE_BACKOFF_MAX_MS 1000
#define PROBE_COLLECT_MS 1000 /* how long a killed worker may take to be gone */
#define PROBE_ORPHANS_MAX 8   /* killed workers of one place that the kernel does not let go */
#define PROBE_START_TRIES 3   /* starts in a row without a hello: salver-probe does not work */
#define PROBE_RETRY_MS 5000   /* ... and is not tried again before that */

/* A file that was sent, until its result is collected. */
struct probe_job {
	void *tag;
	int fd; /* our own duplicate: a crash of the worker means sending it again */
	uint32_t kind;
	uint32_t sequence;
	uint16_t name_n;
	char name[PROBE_NAME_MAX];
	struct probe_job *next;
};

struct probe_worker {
	pid_t pid; /* 0: not running */
	int sock;
	bool ready;	      /* has said hello */
	bool deaf;	      /* has closed its socket: nothing more is sent */
	unsigned failures_n;  /* ends in a row without one answer */
	uint64_t start_at_ms; /* not before (back-off) */
	uint64_t deadline_ms; /* of the first job; 0: none */
	uint64_t idle_since_ms;
	unsigned jobs_n;
	pid_t orphans[PROBE_ORPHANS_MAX]; /* killed, not collected yet; 0: free */
	struct probe_job *first;	  /* oldest first: replies come in this order */
	struct probe_job *last;
};

struct probe_program {
	char *path;
	enum text_encoding tag_encoding;
};

/** Start the program and put its socket into *w; it has timeout_ms to say hello. On failure errno
 * says why. */
NODISCARD enum err probe_worker_start(struct probe_worker *w, const struct probe_program *program,
				      unsigned timeout_ms);
/** Kill and collect it; its jobs stay in the list. Harmless where it does not run. */
void probe_worker_end(struct probe_worker *w);
/** Collect what probe_worker_end() could not wait for. */
void probe_worker_collect(struct probe_worker *w);
/** Send one job and append it to the worker's list. ERR_BUSY: its socket is full. */
NODISCARD enum err probe_worker_send(struct probe_worker *w, struct probe_job *job,
				     unsigned timeout_ms);
/** Take the oldest job off the list; NULL where there is none. */
struct probe_job *probe_worker_pop(struct probe_worker *w);
