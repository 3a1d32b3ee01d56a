/* SPDX-License-Identifier: MIT */
/* What a client can grow, hold or hang stops at a limit, and the server goes on. */
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"
#include "server.h"

#define GET_PAGE "GET / HTTP/1.1\r\n" HOST "\r\n"
#define GET_LARGE "GET /large HTTP/1.1\r\n" HOST "\r\n"
#define SURELY_MS 20000 /* what happens at all has happened by then, on the slowest machine */

static void expect_page(int fd)
{
	struct answer a;
	client_say(fd, GET_PAGE);
	EXPECT(client_receive(fd, false, &a));
	EXPECT_U64(200, a.status);
	client_answer_fini(&a);
}

/** A client that reads slowly, with little room on the way. */
static int start_stream(struct http *h)
{
	int small = 65536, fd = client_connect(http_port(h));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	client_say(fd, "GET /file HTTP/1.1\r\n" HOST "\r\n");
	return fd;
}

/** Until its reply has begun. */
static void wait_until_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	EXPECT(poll(&p, 1, SURELY_MS) == 1);
}

/** Until the time limit of the case. */
static void wait_for_status(struct http *h, const char *request, unsigned status)
{
	while (server_status_of(h, request) != status)
		usleep(20000);
}

TEST(http_limits, bodies_beyond_the_limit_get_413)
{
	struct http *h = server_start(NULL);
	char chunk[4096 + 16];
	struct answer a;
	EXPECT_U64(413, server_status_of(h, "POST /echo/ HTTP/1.1\r\n" HOST
					    "Content-Length: 9999999999\r\n\r\n"));
	EXPECT_U64(413, server_status_of(h, "POST /echo/ HTTP/1.1\r\n" HOST
					    "Content-Length: 65537\r\n\r\n"));
	int fd = client_connect(http_port(h));
	client_say(fd, "POST /echo/ HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
	memcpy(chunk, "1000\r\n", 6);
	memset(chunk + 6, 'x', 4096);
	memcpy(chunk + 6 + 4096, "\r\n", 2);
	for (int i = 0; i < 40; i++)
		client_send(fd, chunk, 6 + 4096 + 2);
	client_say(fd, "0\r\n\r\n");
	EXPECT(client_receive(fd, false, &a));
	EXPECT_U64(413, a.status);
	client_answer_fini(&a);
	close(fd);
	http_free(h);
}

TEST(http_limits, huge_headers_are_refused)
{
	static char line[40000];
	struct http *h = server_start(NULL);
	memset(line, 'a', sizeof line - 1);
	for (int in_target = 0; in_target < 2; in_target++) {
		struct answer a;
		int fd = client_connect(http_port(h));
		client_say(fd, in_target ? "GET /" : "GET / HTTP/1.1\r\n" HOST "X: ");
		client_say(fd, line);
		client_say(fd, "\r\n\r\n");
		if (client_receive(fd, false, &a))
			EXPECT(a.status == 413 || a.status == 414 || a.status == 431);
		client_answer_fini(&a);
		close(fd);
	}
	EXPECT_U64(200, server_status_of(h, GET_PAGE));
	http_free(h);
}

TEST(http_limits, rubbish_costs_its_connection_only)
{
	static const char *const rubbish[] = {
		"\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"\x16\x03\x01\x02\x01",
		"GET / HTTP/9.9\r\n\r\n",
		"GET / HTTP/1.1\r\nHost\r\n\r\n",
		" / HTTP/1.1\r\n\r\n",
		"POST /echo/ HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
		"POST /echo/ HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc",
		"POST /echo/ HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
	};
	struct http *h = server_start(&(struct http_limits){ 64, 32, 30, 2000 });
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
		int fd = client_connect(http_port(h));
		client_say(fd, rubbish[i]);
		shutdown(fd, SHUT_WR);
		EXPECT(client_closed_within(fd, SURELY_MS));
		close(fd);
	}
	EXPECT_U64(200, server_status_of(h, GET_PAGE));
	http_free(h);
}

TEST(http_limits, a_dripping_client_is_cut_at_the_deadline)
{
	struct http *h = server_start(&(struct http_limits){ 64, 32, 30, 600 });
	uint64_t start = clock_now_ms();
	int silent = client_connect(http_port(h));
	int body = client_connect(http_port(h));
	int fd = client_connect(http_port(h));
	client_say(body, "POST /echo/ HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\nabc");
	client_say(fd, "GET / HTTP/1.1\r\n" HOST "X: ");
	bool gone = false;
	while (!gone && clock_now_ms() < start + SURELY_MS) { /* an idle one would live longer */
		client_say(fd, "a");
		gone = client_closed_within(fd, 50);
	}
	EXPECT(gone);
	EXPECT(clock_now_ms() - start >= 500);
	EXPECT(client_closed_within(silent, SURELY_MS));
	EXPECT(client_closed_within(body, SURELY_MS));
	close(silent);
	close(body);
	close(fd);
	http_free(h);
}

TEST(http_limits, a_drip_on_a_kept_connection_is_cut_as_well)
{
	struct http *h = server_start(&(struct http_limits){ 64, 32, 1, 500 });
	int fd = client_connect(http_port(h));
	bool gone = false;
	expect_page(fd);
	uint64_t start = clock_now_ms();
	client_say(fd, "GET / HTTP/1.1\r\n" HOST "X: ");
	while (!gone && clock_now_ms() < start + SURELY_MS) {
		client_say(fd, "a");
		gone = client_closed_within(fd, 50);
	}
	EXPECT(gone);
	close(fd);
	http_free(h);
}

TEST(http_limits, an_idle_kept_connection_ends_at_the_idle_timeout)
{
	struct http *h = server_start(&(struct http_limits){ 64, 32, 1, 20000 });
	int fd = client_connect(http_port(h));
	uint64_t start = clock_now_ms();
	expect_page(fd);
	EXPECT(client_closed_within(fd, SURELY_MS - 1000)); /* not by the limit of a request */
	EXPECT(clock_now_ms() - start >= 300);
	close(fd);
	http_free(h);
}

TEST(http_limits, a_stream_on_pause_outlives_the_timeouts)
{
	struct http *h = server_start(&(struct http_limits){ 64, 32, 1, 1000 });
	struct answer a;
	server_make_file();
	int fd = start_stream(h);
	usleep(2500000);
	EXPECT(client_receive(fd, false, &a));
	EXPECT_U64(FILE_BYTES - 1, a.body.n);
	client_answer_fini(&a);
	close(fd);
	http_free(h);
}

/** A client that asks for /large and reads nothing of it. */
static int ask_large(struct http *h)
{
	int small = 65536, fd = client_connect(http_port(h));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	client_say(fd, GET_LARGE);
	return fd;
}

static struct http *server_with_reply_limits(struct http_reply_limits limits)
{
	struct http_options options = { 0 };
	struct err_info info = { 0 };
	struct http *h = server_new(&options);
	h->limits = (struct http_limits){ 64, 32, 30, 5000 };
	h->reply_limits = limits;
	EXPECT_OK(http_start(h, &info));
	return h;
}

TEST(http_limits, replies_that_nobody_reads_are_bounded)
{
	struct http *h = server_with_reply_limits((struct http_reply_limits){
		3 * LARGE_BYTES, 2 * LARGE_BYTES, 600000, LARGE_BYTES });
	struct answer a;
	int fds[2] = { ask_large(h), ask_large(h) };
	wait_until_readable(fds[0]);
	wait_until_readable(fds[1]);
	client_ask(http_port(h), GET_LARGE, &a);
	EXPECT_U64(503, a.status);
	EXPECT_STR("5", client_header(&a, "Retry-After"));
	client_answer_fini(&a);
	EXPECT_U64(200, server_status_of(h, GET_PAGE));

	EXPECT(client_receive(fds[0], false, &a)); /* one is read after all: there is room again */
	EXPECT_U64(LARGE_BYTES, a.body.n);
	client_answer_fini(&a);
	wait_for_status(h, GET_LARGE, 200);
	close(fds[1]);
	close(fds[0]);
	for (int i = 0; i < 8; i++) { /* and where a reader goes away */
		int fd = ask_large(h);
		wait_until_readable(fd);
		close(fd);
		wait_for_status(h, GET_LARGE, 200);
	}
	http_free(h);
}

TEST(http_limits, a_reply_in_memory_must_be_read_in_time)
{
	struct http *h = server_with_reply_limits(
		(struct http_reply_limits){ LARGE_BYTES, LARGE_BYTES, 300, LARGE_BYTES });
	uint64_t start = clock_now_ms();
	int fd = ask_large(h);
	wait_until_readable(fd);
	unsigned status = server_status_of(h, GET_LARGE);
	EXPECT(status == 503 || clock_now_ms() - start >= 300);
	do { /* a byte now and then is not reading */
		char byte;
		(void)recv(fd, &byte, 1, MSG_DONTWAIT);
		usleep(50000);
	} while (server_status_of(h, GET_LARGE) != 200);
	close(fd);
	http_free(h);
}

TEST(http_limits, a_file_that_is_cut_short_ends_its_stream)
{
	server_make_file();
	struct http *h = server_start(&(struct http_limits){ 64, 32, 30, 5000 });
	int fd = start_stream(h);
	wait_until_readable(fd);
	server_cut_file(FILE_BYTES / 2);
	EXPECT(client_closed_within(fd, SURELY_MS));
	close(fd);
	http_free(h);
}

TEST(http_limits, one_address_cannot_take_every_connection)
{
	struct http *h = server_start(&(struct http_limits){ 64, 3, 60, 60000 });
	struct answer a = { 0 };
	int fds[3];
	for (int i = 0; i < 3; i++) {
		fds[i] = client_connect(http_port(h));
		expect_page(fds[i]);
	}
	int fourth = client_connect(http_port(h));
	EXPECT(client_closed_within(fourth, SURELY_MS));
	close(fourth);
	close(fds[0]);
	for (bool served = false; !served; close(fourth)) { /* once it is seen to be gone */
		fourth = client_connect(http_port(h));
		client_say(fourth, GET_PAGE);
		served = client_receive(fourth, false, &a);
		client_answer_fini(&a);
	}
	close(fds[1]);
	close(fds[2]);
	http_free(h);
}

TEST(http_limits, kept_connections_are_spread_over_the_threads)
{
	enum { KEPT = 12 * HTTP_THREADS };
	struct http *h = server_start(NULL);
	int fds[KEPT];
	for (int i = 0; i < KEPT; i++) {
		fds[i] = client_connect(http_port(h));
		expect_page(fds[i]);
	}
	for (int i = 0; i < HTTP_THREADS; i++)
		EXPECT(atomic_load(&h->workers[i].connections_n) >= KEPT / HTTP_THREADS / 2);
	for (int i = 0; i < KEPT; i++) {
		expect_page(fds[i]);
		close(fds[i]);
	}
	http_free(h);
}

TEST(http_limits, without_descriptors_connections_are_cut_and_nothing_spins)
{
	struct http *h = server_start(NULL);
	struct rlimit limit;
	struct rusage before, after;
	expect_page(client_connect(http_port(h))); /* all is at work; kept open */
	EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	struct rlimit one = limit;
	int next = dup(0);
	close(next);
	one.rlim_cur = (rlim_t)next + 1; /* for the client; none for the server */
	EXPECT(setrlimit(RLIMIT_NOFILE, &one) == 0);
	int fd = client_connect(http_port(h));
	EXPECT(client_closed_within(fd, SURELY_MS));
	EXPECT(getrusage(RUSAGE_SELF, &before) == 0);
	usleep(300000);
	EXPECT(getrusage(RUSAGE_SELF, &after) == 0);
	EXPECT(after.ru_utime.tv_sec * 1000 + after.ru_utime.tv_usec / 1000 <
	       before.ru_utime.tv_sec * 1000 + before.ru_utime.tv_usec / 1000 + 150);
	close(fd);
	EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	EXPECT_U64(200, server_status_of(h, GET_PAGE));
	http_free(h);
}

TEST(http_limits, stop_is_bounded_by_its_grace)
{
	struct http *h = server_start(NULL);
	server_make_file();
	int fd = start_stream(h), idle = client_connect(http_port(h));
	wait_until_readable(fd);
	uint64_t start = clock_now_ms();
	http_stop(h, 300);
	EXPECT(clock_now_ms() - start >= 250);
	EXPECT(clock_now_ms() - start < SURELY_MS); /* the stream would never end */
	close(fd);
	close(idle);
	http_free(h);
}

TEST(http_limits, stop_does_not_wait_for_idle_connections)
{
	struct http *h = server_start(NULL);
	int fd = client_connect(http_port(h));
	expect_page(fd);
	uint64_t start = clock_now_ms();
	http_stop(h, 2 * SURELY_MS);
	EXPECT(clock_now_ms() - start < SURELY_MS);
	close(fd);
	http_free(h);
}

#define LATER "POST /later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"

TEST(http_limits, a_suspended_reply_holds_up_nobody_and_goes_when_it_is_ready)
{
	struct http *h = server_start(NULL);
	int fds[2 * HTTP_THREADS];
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = client_connect(http_port(h));
		client_say(fds[i], LATER);
	}
	server_wait_suspended(ARRAY_LEN(fds));
	EXPECT_U64(200, server_status_of(h, GET_PAGE));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		server_resume();
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		struct answer a;
		EXPECT(client_receive(fds[i], false, &a));
		EXPECT_U64(200, a.status);
		EXPECT_SPAN(SPAN("done"), a.body);
		client_answer_fini(&a);
		expect_page(fds[i]); /* the connection goes on */
		close(fds[i]);
	}
	http_free(h);
}

TEST(http_limits, so_many_replies_are_suspended_and_no_more)
{
	struct http *h = server_start(NULL);
	int fds[HTTP_SUSPENDED_MAX];
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = client_connect(http_port(h));
		client_say(fds[i], LATER);
	}
	server_wait_suspended(HTTP_SUSPENDED_MAX);
	EXPECT_U64(503, server_status_of(h, LATER));
	for (size_t i = 0; i < ARRAY_LEN(fds) / 2; i++)
		close(fds[i]); /* has gone when its reply comes */
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		server_resume();
	for (size_t i = ARRAY_LEN(fds) / 2; i < ARRAY_LEN(fds); i++) {
		struct answer a;
		EXPECT(client_receive(fds[i], false, &a));
		client_answer_fini(&a);
		close(fds[i]);
	}
	EXPECT_U64(200, server_status_of(h, GET_PAGE));
	http_free(h);
}

static void *resume_soon(void *arg)
{
	(void)arg;
	usleep(200000);
	server_resume();
	return NULL;
}

TEST(http_limits, stop_waits_for_a_suspended_reply_beyond_its_grace)
{
	struct http *h = server_start(NULL);
	pthread_t thread;
	int fd = client_connect(http_port(h));
	client_say(fd, LATER);
	server_wait_suspended(1);
	EXPECT(pthread_create(&thread, NULL, resume_soon, NULL) == 0);
	http_stop(h, 0);
	pthread_join(thread, NULL);
	close(fd);
	http_free(h);
}
