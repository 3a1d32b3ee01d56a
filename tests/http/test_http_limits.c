/* SPDX-License-Identifier: MIT */
/* What a client can grow, hold or hang stops at a limit, and the server goes on. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"
#include "server.h"

#define GET_PAGE "GET / HTTP/1.1\r\n" HOST "\r\n"

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
	struct http *h = server_start(&(struct http_limits){ 64, 32, 30, 1000 });
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
		int fd = client_connect(http_port(h));
		client_say(fd, rubbish[i]);
		shutdown(fd, SHUT_WR);
		EXPECT(client_closed_within(fd, 5000));
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
	while (!gone && clock_now_ms() < start + 5000) {
		client_say(fd, "a");
		gone = client_closed_within(fd, 50);
	}
	EXPECT(gone);
	EXPECT(clock_now_ms() - start >= 500 && clock_now_ms() - start < 3000);
	EXPECT(client_closed_within(silent, 2000));
	EXPECT(client_closed_within(body, 2000));
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
	while (!gone && clock_now_ms() < start + 6000) {
		client_say(fd, "a");
		gone = client_closed_within(fd, 50);
	}
	EXPECT(gone);
	EXPECT(clock_now_ms() - start < 4000);
	close(fd);
	http_free(h);
}

TEST(http_limits, an_idle_kept_connection_ends_at_the_idle_timeout)
{
	struct http *h = server_start(&(struct http_limits){ 64, 32, 1, 20000 });
	int fd = client_connect(http_port(h));
	expect_page(fd);
	EXPECT(!client_closed_within(fd, 300));
	EXPECT(client_closed_within(fd, 4000));
	close(fd);
	http_free(h);
}

TEST(http_limits, a_stream_on_pause_outlives_the_timeouts)
{
	struct http *h = server_start(&(struct http_limits){ 64, 32, 1, 300 });
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
	client_say(fd, "GET /large HTTP/1.1\r\n" HOST "\r\n");
	return fd;
}

static struct http *server_with_reply_limits(struct http_reply_limits limits)
{
	struct http_options options = { 0 };
	struct err_info info = { 0 };
	struct http *h = server_new(&options);
	h->limits = (struct http_limits){ 64, 32, 30, 500 };
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
	usleep(300000);
	client_ask(http_port(h), "GET /large HTTP/1.1\r\n" HOST "\r\n", &a);
	EXPECT_U64(503, a.status);
	EXPECT_STR("5", client_header(&a, "Retry-After"));
	client_answer_fini(&a);
	EXPECT_U64(200, server_status_of(h, GET_PAGE));

	EXPECT(client_receive(fds[0], false, &a)); /* one is read after all: there is room again */
	EXPECT_U64(LARGE_BYTES, a.body.n);
	client_answer_fini(&a);
	usleep(100000);
	EXPECT_U64(200, server_status_of(h, "GET /large HTTP/1.1\r\n" HOST "\r\n"));
	close(fds[1]);
	close(fds[0]);
	usleep(200000); /* and where a reader goes away */
	for (int i = 0; i < 8; i++) {
		close(ask_large(h));
		usleep(100000);
	}
	EXPECT_U64(200, server_status_of(h, "GET /large HTTP/1.1\r\n" HOST "\r\n"));
	http_free(h);
}

TEST(http_limits, a_reply_in_memory_must_be_read_in_time)
{
	struct http *h = server_with_reply_limits(
		(struct http_reply_limits){ LARGE_BYTES, LARGE_BYTES, 300, LARGE_BYTES });
	static const char ask[] = "GET /large HTTP/1.1\r\n" HOST "\r\n";
	int fd = ask_large(h);
	usleep(300000);
	EXPECT_U64(503, server_status_of(h, ask));
	char byte; /* a byte now and then is not reading */
	for (int i = 0; i < 40; i++) {
		EXPECT(recv(fd, &byte, 1, 0) == 1);
		usleep(50000);
	}
	EXPECT_U64(200, server_status_of(h, ask));
	close(fd);
	http_free(h);
}

TEST(http_limits, a_file_that_is_cut_short_ends_its_stream)
{
	server_make_file();
	struct http *h = server_start(&(struct http_limits){ 64, 32, 30, 500 });
	int fd = start_stream(h);
	usleep(200000);
	server_cut_file(FILE_BYTES / 2);
	EXPECT(client_closed_within(fd, 5000));
	close(fd);
	http_free(h);
}

TEST(http_limits, one_address_cannot_take_every_connection)
{
	struct http *h = server_start(&(struct http_limits){ 64, 3, 5, 5000 });
	int fds[3];
	for (int i = 0; i < 3; i++) {
		fds[i] = client_connect(http_port(h));
		expect_page(fds[i]);
	}
	int fourth = client_connect(http_port(h));
	EXPECT(client_closed_within(fourth, 2000));
	close(fourth);
	close(fds[0]);
	usleep(200000);
	EXPECT_U64(200, server_status_of(h, GET_PAGE));
	close(fds[1]);
	close(fds[2]);
	http_free(h);
}

TEST(http_limits, stop_is_bounded_by_its_grace)
{
	struct http *h = server_start(NULL);
	server_make_file();
	int fd = start_stream(h), idle = client_connect(http_port(h));
	usleep(200000);
	uint64_t start = clock_now_ms();
	http_stop(h, 300);
	EXPECT(clock_now_ms() - start >= 250);
	EXPECT(clock_now_ms() - start < 2000);
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
	http_stop(h, 5000);
	EXPECT(clock_now_ms() - start < 1000);
	close(fd);
	http_free(h);
}
