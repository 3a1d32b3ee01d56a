/* SPDX-License-Identifier: MIT */
/* Threads, locks and wake-ups over pthreads. A failing lock is a bug of ours: ASSERT. */
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(__clang__)
#define STACK_BYTES (1024 * 1024) /* sanitizers make frames several times larger */
#else
#define STACK_BYTES (256 * 1024)
#endif

void mutex_init(struct mutex *m)
{
	ASSERT(pthread_mutex_init(&m->m, NULL) == 0);
}

void mutex_fini(struct mutex *m)
{
	ASSERT(pthread_mutex_destroy(&m->m) == 0);
}

THREAD_ANNOTATE(no_thread_safety_analysis)
void mutex_lock(struct mutex *m)
{
	ASSERT(pthread_mutex_lock(&m->m) == 0);
}

THREAD_ANNOTATE(no_thread_safety_analysis)
bool mutex_try_lock(struct mutex *m)
{
	return pthread_mutex_trylock(&m->m) == 0;
}

THREAD_ANNOTATE(no_thread_safety_analysis)
void mutex_unlock(struct mutex *m)
{
	ASSERT(pthread_mutex_unlock(&m->m) == 0);
}

void cond_init(struct cond *c)
{
	pthread_condattr_t attr;

	ASSERT(pthread_condattr_init(&attr) == 0);
	ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	ASSERT(pthread_cond_init(&c->c, &attr) == 0);
	(void)pthread_condattr_destroy(&attr);
}

void cond_fini(struct cond *c)
{
	ASSERT(pthread_cond_destroy(&c->c) == 0);
}

void cond_signal(struct cond *c)
{
	ASSERT(pthread_cond_signal(&c->c) == 0);
}

void cond_broadcast(struct cond *c)
{
	ASSERT(pthread_cond_broadcast(&c->c) == 0);
}

void cond_wait(struct cond *c, struct mutex *m)
{
	ASSERT(pthread_cond_wait(&c->c, &m->m) == 0);
}

bool cond_wait_until(struct cond *c, struct mutex *m, uint64_t deadline_ms)
{
	struct timespec until = { .tv_sec = (time_t)(deadline_ms / 1000),
				  .tv_nsec = (long)(deadline_ms % 1000) * 1000000 };
	int failed = pthread_cond_timedwait(&c->c, &m->m, &until);

	ASSERT(failed == 0 || failed == ETIMEDOUT);
	return failed == 0;
}

struct start {
	void (*fn)(void *);
	void *arg;
	char name[16];
};

static void *thread_main(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	(void)pthread_setname_np(pthread_self(), start.name); /* only a help for people */
	start.fn(start.arg);
	return NULL;
}

/* Signals are the main loop's; a new thread inherits the mask, so it is set around the start. */
static int create_blocked(struct thread *t, struct start *start)
{
	pthread_attr_t attr;
	sigset_t all, kept;

	ASSERT(pthread_attr_init(&attr) == 0);
	ASSERT(pthread_attr_setstacksize(&attr, STACK_BYTES) == 0);
	static const int faults[] = { SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT, SIGTRAP };

	sigfillset(&all);
	/* a fault of the thread's own comes even where it is blocked, but then its handler does not
	 * run (db/guard.c has one) and the process ends */
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		sigdelset(&all, faults[i]);
	ASSERT(pthread_sigmask(SIG_SETMASK, &all, &kept) == 0);
	int failed = pthread_create(&t->t, &attr, thread_main, start);
	ASSERT(pthread_sigmask(SIG_SETMASK, &kept, NULL) == 0);
	(void)pthread_attr_destroy(&attr);
	return failed;
}

enum err thread_start(struct thread *t, const char *name, void (*fn)(void *), void *arg)
{
	struct start *start = malloc(sizeof *start);

	if (!start)
		return ERR_NOMEM;
	*start = (struct start){ .fn = fn, .arg = arg };
	(void)snprintf(start->name, sizeof start->name, "%s", name);
	int failed = create_blocked(t, start);
	if (failed) {
		free(start);
		return failed == EAGAIN ? ERR_LIMIT : err_from_errno(failed);
	}
	t->started = true;
	return ERR_OK;
}

void thread_join(struct thread *t)
{
	if (!t->started)
		return;
	ASSERT(pthread_join(t->t, NULL) == 0);
	t->started = false;
}
