/* SPDX-License-Identifier: MIT */
/* Threads, locks and wake-ups, with clang thread-safety annotations. No detached threads.
 * A field names its lock in a comment: in C, clang 14 knows no field of a struct inside it. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#ifdef __clang__
#define THREAD_ANNOTATE(x) __attribute__((x))
#else
#define THREAD_ANNOTATE(x)
#endif
#define REQUIRES(m) THREAD_ANNOTATE(requires_capability(m))

struct THREAD_ANNOTATE(capability("mutex")) mutex {
	pthread_mutex_t m;
};

#define MUTEX_INIT                                                                                 \
	{                                                                                          \
		PTHREAD_MUTEX_INITIALIZER                                                          \
	}
void mutex_init(struct mutex *m);
void mutex_fini(struct mutex *m);
void mutex_lock(struct mutex *m) THREAD_ANNOTATE(acquire_capability(m));
/** False, at once, where somebody has it. */
bool mutex_try_lock(struct mutex *m) THREAD_ANNOTATE(try_acquire_capability(true, m));
void mutex_unlock(struct mutex *m) THREAD_ANNOTATE(release_capability(m));

struct cond {
	pthread_cond_t c; /* CLOCK_MONOTONIC */
};

void cond_init(struct cond *c);
void cond_fini(struct cond *c);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);
void cond_wait(struct cond *c, struct mutex *m) REQUIRES(m);
/** False when `deadline_ms` (clock_now_ms()) passed first. */
bool cond_wait_until(struct cond *c, struct mutex *m, uint64_t deadline_ms) REQUIRES(m);

struct thread {
	pthread_t t;
	bool started;
};

/** Starts a thread with a 256 KiB stack, all signals but its own faults blocked, and the given name
 * (15 bytes). */
NODISCARD enum err thread_start(struct thread *t, const char *name, void (*fn)(void *), void *arg);
/** Waits for its end; harmless where it never started. */
void thread_join(struct thread *t);
