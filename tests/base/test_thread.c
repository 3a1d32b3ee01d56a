/* SPDX-License-Identifier: MIT */
/* Tests of src/base/thread.c. */
#include <signal.h>

#include "base/clock.h"
#include "base/thread.h"
#include "harness.h"

struct shared {
	struct mutex m;
	struct cond c;
	int turn; /* m */
	sigset_t mask;
	char name[16];
};

static void player(void *arg)
{
	struct shared *s = arg;

	pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
	pthread_getname_np(pthread_self(), s->name, sizeof s->name);
	mutex_lock(&s->m);
	while (s->turn < 1000) {
		if (s->turn % 2 == 0) {
			cond_wait(&s->c, &s->m);
			continue;
		}
		s->turn++;
		cond_broadcast(&s->c);
	}
	mutex_unlock(&s->m);
}

TEST(thread, two_play_ping_pong)
{
	struct shared s = { .m = MUTEX_INIT };
	struct thread t = { 0 };
	sigset_t before, after;

	cond_init(&s.c);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	EXPECT_OK(thread_start(&t, "a-name-that-is-too-long", player, &s));
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	mutex_lock(&s.m);
	while (s.turn < 1000) {
		if (s.turn % 2 == 1) {
			cond_wait(&s.c, &s.m);
			continue;
		}
		s.turn++;
		cond_signal(&s.c);
	}
	mutex_unlock(&s.m);
	thread_join(&t);
	EXPECT(!t.started);
	thread_join(&t);
	cond_fini(&s.c);
	mutex_fini(&s.m);

	EXPECT(sigismember(&s.mask, SIGTERM) == 1);
	EXPECT(sigismember(&before, SIGTERM) == sigismember(&after, SIGTERM));
	EXPECT_STR("a-name-that-is-", s.name);
}

TEST(thread, waiting_ends_at_the_deadline)
{
	struct mutex m;
	struct cond c;

	mutex_init(&m);
	cond_init(&c);
	mutex_lock(&m);
	uint64_t start = clock_now_ms();
	while (cond_wait_until(&c, &m, start + 50))
		;
	EXPECT(clock_now_ms() >= start + 50);
	EXPECT(!cond_wait_until(&c, &m, start));
	mutex_unlock(&m);
	cond_fini(&c);
	mutex_fini(&m);
}
