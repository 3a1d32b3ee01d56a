/* SPDX-License-Identifier: MIT */
/* Runs the cases of one test program: a process group each, a time limit, its directory removed. */
#include "harness.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"

#define EXIT_SKIPPED 77

static struct test_case *cases;
static struct test_case **cases_end = &cases;
static uint64_t run_seed;
static uint64_t random_state;
static char tmpdir[256];

void test_register(struct test_case *c)
{
	*cases_end = c;
	cases_end = &c->next;
}

/* No exit handlers: a leak report would bury the message. */
NORETURN static void end_case(int status)
{
	fflush(NULL);
	_exit(status);
}

void test_expect(const char *file, int line, bool ok, const char *what)
{
	if (ok)
		return;
	printf("%s:%d: not true: %s\n", file, line, what);
	end_case(1);
}

void test_expect_u64(const char *file, int line, uint64_t want, uint64_t got, const char *what)
{
	if (want == got)
		return;
	printf("%s:%d: %s: want %" PRIu64 " (0x%" PRIx64 "), got %" PRIu64 " (0x%" PRIx64 ")\n",
	       file, line, what, want, want, got, got);
	end_case(1);
}

void test_expect_i64(const char *file, int line, int64_t want, int64_t got, const char *what)
{
	if (want == got)
		return;
	printf("%s:%d: %s: want %" PRId64 ", got %" PRId64 "\n", file, line, what, want, got);
	end_case(1);
}

void test_expect_err(const char *file, int line, enum err want, enum err got, const char *what)
{
	if (want == got)
		return;
	printf("%s:%d: %s: want \"%s\", got \"%s\"\n", file, line, what, err_name(want),
	       err_name(got));
	end_case(1);
}

/* The whole text, unlike QUOTE(): a difference may be far behind. */
static void print_quoted(const char *label, struct span s)
{
	printf("  %s %zu bytes: ", label, s.n);
	while (s.n > 0) {
		struct quoted q;
		printf("%s", span_quote(span_first(s, 48), &q));
		s = span_skip(s, 48);
	}
	printf("\n");
}

void test_expect_span(const char *file, int line, struct span want, struct span got,
		      const char *what)
{
	if (span_eq(want, got))
		return;
	size_t same = 0;
	while (same < want.n && same < got.n && want.p[same] == got.p[same])
		same++;
	printf("%s:%d: %s: differs at byte %zu\n", file, line, what, same);
	print_quoted("want", want);
	print_quoted("got ", got);
	end_case(1);
}

void test_skip(const char *why)
{
	printf("skipped: %s\n", why);
	end_case(EXIT_SKIPPED);
}

uint64_t test_random(void) /* splitmix64 */
{
	uint64_t z = random_state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

const char *test_tmpdir(void)
{
	if (mkdir(tmpdir, 0700) != 0 && errno != EEXIST) {
		printf("cannot make %s\n", tmpdir);
		end_case(1);
	}
	return tmpdir;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	(void)remove(path);
	return 0;
}

/* Each case has random numbers of its own, whichever other cases run. */
static void seed_case(const struct test_case *c)
{
	random_state = run_seed;
	for (const char *p = c->name; *p; p++)
		random_state = (random_state ^ (unsigned char)*p) * 0x100000001B3u;
}

/* Waits up to the limit; kills the whole group of the case afterwards in any case. */
static bool wait_case(pid_t pid, unsigned limit_s, int *out_status)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	uint64_t deadline = clock_now_ms() + (uint64_t)limit_s * 1000;
	int ready = 0;

	while (ready <= 0 && clock_now_ms() < deadline)
		ready = poll(&poll_fd, 1, (int)(deadline - clock_now_ms()));
	if (pidfd >= 0)
		close(pidfd);
	(void)kill(-pid, SIGKILL);
	while (waitpid(pid, out_status, 0) < 0 && errno == EINTR)
		;
	return ready > 0;
}

enum outcome { PASSED, FAILED, SKIPPED };

static enum outcome run_case(const struct test_case *c)
{
	static unsigned number;
	const char *base = getenv("TMPDIR");

	(void)snprintf(tmpdir, sizeof tmpdir, "%s/salver-test-%d-%u", base ? base : "/tmp",
		       (int)getpid(), number++);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		seed_case(c);
		c->run();
		exit(0); /* with exit handlers: leaks are found here */
	}
	int status = 0;
	bool in_time = false;
	if (pid > 0) {
		(void)setpgid(pid, pid); /* whoever is first */
		in_time = wait_case(pid, c->limit_s, &status);
	}
	(void)nftw(tmpdir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);

	if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
		printf("skip %s.%s\n", c->suite, c->name);
		return SKIPPED;
	}
	if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		printf("ok   %s.%s\n", c->suite, c->name);
		return PASSED;
	}
	printf("FAIL %s.%s: ", c->suite, c->name);
	if (pid < 0)
		printf("cannot fork\n");
	else if (!in_time)
		printf("not done after %u s\n", c->limit_s);
	else if (WIFSIGNALED(status))
		printf("killed by %s\n", strsignal(WTERMSIG(status)));
	else
		printf("exit status %d\n", WEXITSTATUS(status));
	return FAILED;
}

static bool wanted(const struct test_case *c, int argc, char **argv)
{
	char whole[256];

	(void)snprintf(whole, sizeof whole, "%s.%s", c->suite, c->name);
	for (int i = 1; i < argc; i++)
		if (strstr(whole, argv[i]))
			return true;
	return argc < 2;
}

static bool choose_seed(void)
{
	const char *text = getenv("SALVER_SEED");

	if (text)
		return num_parse_u64(span_str(text), 0, UINT64_MAX, &run_seed) == ERR_OK;
	run_seed = clock_now_ns() & 0xFFFFFFFF;
	return true;
}

int main(int argc, char **argv)
{
	unsigned count[3] = { 0 };
	bool list = argc > 1 && strcmp(argv[1], "--list") == 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!choose_seed()) {
		fprintf(stderr, "SALVER_SEED is not a number\n");
		return 2;
	}
	if (!list)
		printf("seed %" PRIu64 "\n", run_seed);
	for (const struct test_case *c = cases; c; c = c->next) {
		if (list)
			printf("%s.%s\n", c->suite, c->name);
		else if (wanted(c, argc, argv))
			count[run_case(c)]++;
	}
	if (list)
		return 0;
	printf("%u passed, %u failed, %u skipped\n", count[PASSED], count[FAILED], count[SKIPPED]);
	return count[FAILED] ? 1 : 0;
}
