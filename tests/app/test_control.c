/* SPDX-License-Identifier: MIT */
/* The control socket: clients that are slow, silent, rude, many. */
#include "app/control.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "harness.h"

static void stats(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_add_str(out, "{\"ok\":true}");
}

/* Says more than a socket holds, so that a client that does not read stops it. */
static enum err check(void *ctx, void (*report)(void *, const char *), void *report_ctx)
{
	char line[128];

	(void)ctx;
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	for (unsigned i = 0; i < 8000; i++)
		report(report_ctx, line);
	return ERR_CORRUPT;
}

static void stop(struct control **c)
{
	control_stop(*c);
}

static struct control *start(void)
{
	struct control_handlers handlers = { .stats = stats, .check = check };
	struct err_info info = { 0 };
	struct control *c = NULL;

	EXPECT_OK(control_start(test_tmpdir(), &handlers, &c, &info));
	return c;
}

static int connect_client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	EXPECT(fd >= 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/control", test_tmpdir());
	EXPECT(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
	return fd;
}

static void say(int fd, const char *text)
{
	EXPECT(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

static void expect_reply(int fd, const char *want)
{
	char got[256];
	size_t n = 0;
	ssize_t more;

	while ((more = recv(fd, got + n, sizeof got - n, 0)) > 0)
		n += (size_t)more;
	EXPECT_SPAN(span_str(want), span_of(got, n));
}

static void pause_ms(long ms)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

TEST(control, a_question_is_answered)
{
	CLEANUP(stop) struct control *c = start();
	struct buf reply;

	EXPECT(c != NULL);
	buf_init(&reply, 1000);
	EXPECT_OK(control_ask(test_tmpdir(), "stats", &reply));
	EXPECT_SPAN(SPAN("{\"ok\":true}\n"), buf_span(&reply));
	buf_fini(&reply);
}

static void backup(void *ctx, const char *dir, void (*report)(void *, const char *),
		   void *report_ctx)
{
	char line[128];

	(void)ctx;
	snprintf(line, sizeof line, "to <%s>", dir);
	report(report_ctx, line);
}

TEST(control, a_directory_keeps_the_spaces_of_its_name)
{
	struct control_handlers handlers = { .backup = backup };
	struct err_info info = { 0 };
	CLEANUP(stop) struct control *c = NULL;
	struct buf reply;

	EXPECT_OK(control_start(test_tmpdir(), &handlers, &c, &info));
	buf_init(&reply, 1000);
	EXPECT_OK(control_ask(test_tmpdir(), "backup /a b /c\t ", &reply));
	EXPECT_SPAN(SPAN("to </a b /c\t >\n"), buf_span(&reply));
	buf_fini(&reply);
}

TEST(control, without_a_server_nothing_is_found)
{
	struct buf reply;

	buf_init(&reply, 1000);
	EXPECT_ERR(ERR_NOTFOUND, control_ask(test_tmpdir(), "stats", &reply));
	EXPECT_ERR(ERR_NOTFOUND, control_ask("/nowhere/at/all", "stats", &reply));
	control_stop(start()); /* leaves no socket behind */
	EXPECT_ERR(ERR_NOTFOUND, control_ask(test_tmpdir(), "stats", &reply));
	buf_fini(&reply);
}

TEST(control, only_its_user_may_connect)
{
	CLEANUP(stop) struct control *c = start();
	struct stat st;
	char path[512];

	EXPECT(c != NULL);
	snprintf(path, sizeof path, "%s/control", test_tmpdir());
	EXPECT(stat(path, &st) == 0);
	EXPECT_U64(0600, st.st_mode & 0777);
}

TEST(control, a_line_may_come_in_pieces)
{
	CLEANUP(stop) struct control *c = start();
	CLEANUP(fd_closep) int fd = connect_client();

	EXPECT(c != NULL);
	say(fd, "sta");
	pause_ms(50);
	say(fd, "ts\n");
	expect_reply(fd, "{\"ok\":true}\n");
}

TEST(control, junk_is_refused_and_the_next_client_served)
{
	CLEANUP(stop) struct control *c = start();
	char junk[CONTROL_LINE_MAX + 1]; /* as much as is read; with less it would wait for more */

	EXPECT(c != NULL);
	memset(junk, 'A', sizeof junk - 1);
	junk[sizeof junk - 1] = '\0';
	for (unsigned i = 0; i < 20; i++) {
		CLEANUP(fd_closep) int fd = connect_client();
		CLEANUP(fd_closep) int other = connect_client();

		say(fd, i % 2 ? junk : "stop\n");
		say(other, "stats\n");
		if (i % 2 == 0)
			expect_reply(fd, "unknown command\n");
		expect_reply(other, "{\"ok\":true}\n");
	}
}

TEST(control, a_silent_client_does_not_delay_the_end)
{
	struct control *c = start();
	CLEANUP(fd_closep) int fd = connect_client();

	EXPECT(fd >= 0);
	pause_ms(100); /* it is being served */
	uint64_t begin_ms = clock_now_ms();
	control_stop(c);
	EXPECT(clock_now_ms() - begin_ms < 4000); /* a client is given up after 5 s */
}

TEST(control, a_client_that_reads_nothing_does_not_delay_the_end)
{
	struct control *c = start();
	CLEANUP(fd_closep) int fd = connect_client();

	say(fd, "check\n");
	pause_ms(200); /* the socket is full */
	uint64_t begin_ms = clock_now_ms();
	control_stop(c);
	EXPECT(clock_now_ms() - begin_ms < 4000); /* a client is given up after 5 s */
}

TEST(control, a_client_that_leaves_early_stops_no_one)
{
	CLEANUP(stop) struct control *c = start();

	EXPECT(c != NULL);
	for (unsigned i = 0; i < 50; i++) {
		CLEANUP(fd_closep) int fd = connect_client();

		if (i % 2)
			say(fd, i % 4 == 1 ? "check\n" : "stats\n");
	}
	CLEANUP(fd_closep) int fd = connect_client();
	say(fd, "stats\n");
	expect_reply(fd, "{\"ok\":true}\n");
}

/* A descriptor is missing for the client: the thread must not spin until one is there. */
TEST(control, without_descriptors_it_waits_and_recovers)
{
	CLEANUP(stop) struct control *c = start();
	CLEANUP(fd_closep) int fd = connect_client();
	CLEANUP(fd_closep) int waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct rlimit kept, none = { 0 };
	struct timespec before, after;

	EXPECT(c != NULL);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/control", test_tmpdir());
	say(fd, "stats\n");
	expect_reply(fd, "{\"ok\":true}\n");
	EXPECT(getrlimit(RLIMIT_NOFILE, &kept) == 0);
	none = kept;
	none.rlim_cur = 3;
	EXPECT(setrlimit(RLIMIT_NOFILE, &none) == 0);
	EXPECT(connect(waiting, (struct sockaddr *)&address, sizeof address) == 0);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	pause_ms(500);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	EXPECT(setrlimit(RLIMIT_NOFILE, &kept) == 0);
	int64_t cpu_ms =
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	EXPECT(cpu_ms < 100);
	say(waiting, "stats\n");
	expect_reply(waiting, "{\"ok\":true}\n");
}
