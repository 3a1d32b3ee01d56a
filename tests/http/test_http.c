/* SPDX-License-Identifier: MIT */
/* A live server on loopback, asked by raw sockets: what clients do right and wrong. */
#include <unistd.h>

#include "harness.h"
#include "server.h"

static void expect_echo(struct http *h, const char *request, const char *want)
{
	struct answer a;
	client_ask(http_port(h), request, &a);
	EXPECT_U64(200, a.status);
	EXPECT_SPAN(span_str(want), span_first(a.body, strlen(want)));
	client_answer_fini(&a);
}

TEST(http, a_request_reaches_its_handler_whole)
{
	struct http *h = server_start(NULL);
	char want[256];
	expect_echo(h, "GET /echo/a%20b%2Fc?x=%20&y HTTP/1.1\r\n" HOST "User-Agent: T\r\n\r\n",
		    "path=/echo/a b/c query=x=%20&y agent=T local=127.0.0.1:");
	expect_echo(h, "GET http://127.0.0.1/echo/z HTTP/1.1\r\n" HOST "\r\n", "path=/echo/z q");
	snprintf(want, sizeof want,
		 "path=/echo/only-post query= agent=- local=127.0.0.1:%u peer=127.0.0.1 body=hello",
		 (unsigned)http_port(h));
	expect_echo(h, "POST /echo/only-post HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
		    want);
	expect_echo(h,
		    "POST /echo/only-post HTTP/1.1\r\n" HOST
		    "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
		    want);
	expect_echo(h, "SUBSCRIBE /event HTTP/1.1\r\n" HOST "\r\n", "path=/event");
	http_free(h);
}

TEST(http, replies_carry_the_house_headers)
{
	struct http *h = server_start(NULL);
	struct answer a;
	client_ask(http_port(h), "GET / HTTP/1.1\r\n" HOST "\r\n", &a);
	EXPECT_U64(200, a.status);
	EXPECT_SPAN(SPAN("<p>hello</p>"), a.body);
	EXPECT(span_starts(span_str(client_header(&a, "Server")), SPAN("Linux/")));
	EXPECT(span_ends(span_str(client_header(&a, "Server")), SPAN(" UPnP/1.0 salver/0.1")));
	EXPECT(client_header(&a, "Date")[0] != '\0');
	EXPECT_STR("nosniff", client_header(&a, "X-Content-Type-Options"));
	EXPECT_STR("no-referrer", client_header(&a, "Referrer-Policy"));
	EXPECT(span_contains(span_str(client_header(&a, "Content-Security-Policy")),
			     SPAN("frame-ancestors 'none'")));
	client_answer_fini(&a);
	http_free(h);
}

TEST(http, a_header_value_cannot_start_another_header)
{
	struct http *h = server_start(NULL);
	struct answer a;
	client_ask(http_port(h), "GET /echo/ HTTP/1.1\r\n" HOST "\r\n", &a);
	EXPECT_STR("one  X-Injected: two", client_header(&a, "X-Test"));
	EXPECT_STR("", client_header(&a, "X-Injected"));
	client_answer_fini(&a);
	http_free(h);
}

TEST(http, head_gives_the_headers_of_get_without_a_body)
{
	struct http *h = server_start(NULL);
	char want[16];
	server_make_file();
	snprintf(want, sizeof want, "%u", FILE_BYTES - 1);
	int fd = client_connect(http_port(h));
	for (int round = 0; round < 2; round++) {
		struct answer a;
		client_say(fd, "HEAD /file HTTP/1.1\r\n" HOST "\r\n");
		EXPECT(client_receive(fd, true, &a));
		EXPECT_U64(206, a.status);
		EXPECT_STR(want, client_header(&a, "Content-Length"));
		client_answer_fini(&a);
	}
	close(fd);
	http_free(h);
}

TEST(http, a_part_of_a_file_arrives_byte_for_byte)
{
	struct http *h = server_start(NULL);
	struct http_stats stats;
	struct answer a;
	server_make_file();
	client_ask(http_port(h), "GET /file HTTP/1.1\r\n" HOST "\r\n", &a);
	EXPECT_U64(206, a.status);
	EXPECT_U64(FILE_BYTES - 1, a.body.n);
	for (size_t i = 0; i < a.body.n; i++)
		if ((uint8_t)a.body.p[i] != server_file_byte(i + 1))
			EXPECT_U64(server_file_byte(i + 1), (uint8_t)a.body.p[i]);
	client_answer_fini(&a);
	http_stop(h, 1000);
	http_stats_get(h, &stats);
	EXPECT_U64(1, stats.requests_n);
	EXPECT_U64(1, stats.connections_n);
	EXPECT(stats.bytes_sent >= FILE_BYTES);
	http_free(h);
}

TEST(http, what_is_not_there_or_not_offered_is_refused)
{
	struct http *h = server_start(NULL);
	struct answer a;
	EXPECT_U64(404, server_status_of(h, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n"));
	EXPECT_U64(404, server_status_of(h, "GET /file/ HTTP/1.1\r\n" HOST "\r\n"));
	EXPECT_U64(500, server_status_of(h, "GET /nothing HTTP/1.1\r\n" HOST "\r\n"));
	client_ask(http_port(h), "DELETE /echo/x HTTP/1.1\r\n" HOST "\r\n", &a);
	EXPECT_U64(405, a.status);
	EXPECT_STR("GET, HEAD, POST", client_header(&a, "Allow"));
	client_answer_fini(&a);
	client_ask(http_port(h), "GET /echo/only-post HTTP/1.1\r\n" HOST "\r\n", &a);
	EXPECT_U64(405, a.status);
	EXPECT_STR("POST", client_header(&a, "Allow"));
	client_answer_fini(&a);
	EXPECT_U64(405, server_status_of(h, "BREW / HTTP/1.1\r\n" HOST "\r\n"));
	http_free(h);
}

TEST(http, malformed_paths_are_refused)
{
	static const char *const paths[] = { "/echo/%00", "/echo/%",  "/echo/%4",
					     "/echo/%zz", "/echo/..", "/echo/../x",
					     "/..%2fetc", "echo/",    "/echo/%2e%2e/secret",
					     "*",	  "",	      "http://127.0.0.1" };
	struct http *h = server_start(NULL);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char request[256];
		snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
		EXPECT_U64(400, server_status_of(h, request));
	}
	EXPECT_U64(200, server_status_of(h, "GET /echo/...a..b HTTP/1.1\r\n" HOST "\r\n"));
	http_free(h);
}

static unsigned status_for_host(struct http *h, const char *host)
{
	char request[512];
	snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	return server_status_of(h, request);
}

TEST(http, only_own_host_names_are_served)
{
	static const char *const mine[] = { "127.0.0.1",     "10.0.0.7:8250", "[::1]",
					    "[fe80::1]:80",  "localhost",     "LocalHost:8250",
					    "media.example", "localhost.",    "media.example.lan" };
	static const char *const others[] = { "evil.example",
					      "127.0.0.1.evil.example",
					      "localhost.evil.example",
					      "media.example.evil.example",
					      "127.0.0.1:port",
					      "[::1",
					      "1.2.3",
					      "xmedia.example",
					      "media.exampl",
					      "" };
	struct http *h = server_start(NULL);
	char own[128] = "";
	EXPECT(gethostname(own, sizeof own - 1) == 0);
	EXPECT_U64(200, status_for_host(h, own));
	for (size_t i = 0; i < ARRAY_LEN(mine); i++)
		EXPECT_U64(200, status_for_host(h, mine[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		EXPECT_U64(421, status_for_host(h, others[i]));
	EXPECT_U64(400, server_status_of(h, "GET / HTTP/1.1\r\n\r\n"));
	EXPECT_U64(400, server_status_of(h, "GET / HTTP/1.1\r\n" HOST "Host: evil\r\n\r\n"));
	EXPECT_U64(200, server_status_of(h, "GET / HTTP/1.0\r\n\r\n"));
	http_free(h);
}

TEST(http, not_modified_says_the_length_but_sends_no_body)
{
	struct http *h = server_start(NULL);
	int fd = client_connect(http_port(h));
	for (int round = 0; round < 3; round++) {
		struct answer a;
		client_say(fd, "GET /unchanged HTTP/1.1\r\n" HOST "\r\n");
		EXPECT(client_receive(fd, false, &a));
		EXPECT_U64(304, a.status);
		EXPECT_STR("5", client_header(&a, "Content-Length"));
		EXPECT_STR("\"x\"", client_header(&a, "ETag"));
		client_answer_fini(&a);
	}
	close(fd);
	http_free(h);
}

TEST(http, pipelined_requests_are_answered_in_order)
{
	struct http *h = server_start(NULL);
	int fd = client_connect(http_port(h));
	client_say(fd, "GET /echo/1 HTTP/1.1\r\n" HOST "\r\nHEAD /echo/2 HTTP/1.1\r\n" HOST
		       "\r\nPOST /echo/3 HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nok"
		       "GET /echo/4 HTTP/1.1\r\n" HOST "\r\n");
	for (int i = 1; i <= 4; i++) {
		struct answer a;
		char want[32];
		EXPECT(client_receive(fd, i == 2, &a));
		EXPECT_U64(200, a.status);
		snprintf(want, sizeof want, "path=/echo/%d ", i);
		if (i != 2)
			EXPECT_SPAN(span_str(want), span_first(a.body, strlen(want)));
		client_answer_fini(&a);
	}
	close(fd);
	http_free(h);
}

TEST(http, a_taken_port_says_what_to_do)
{
	static const char *const interfaces[] = { "lo" };
	struct http *h = server_start(NULL);
	struct http_options options = { .port = http_port(h),
					.interfaces = interfaces,
					.interfaces_n = 1 };
	struct http *second = server_new(&options);
	struct err_info info = { 0 };
	char want[128];
	EXPECT_ERR(ERR_BUSY, http_start(second, &info));
	snprintf(want, sizeof want,
		 "port %u is in use; choose another with --port N (0: any free one)",
		 (unsigned)http_port(h));
	EXPECT_STR(want, info.text);
	http_free(second);
	http_free(h);
}

TEST(http, an_interface_that_was_not_chosen_is_refused)
{
	/* Loopback is always served; so the rule is asked directly. */
	static const char *const interfaces[] = { "salver-none" };
	struct http_options options = { .interfaces = interfaces, .interfaces_n = 1 };
	struct http *h = server_new(&options);
	struct sockaddr_in local = { .sin_family = AF_INET };
	struct sockaddr_storage ss = { 0 };
	local.sin_addr.s_addr = htonl(0x0a4d0001);
	memcpy(&ss, &local, sizeof local);
	EXPECT(!http_interface_allowed(h, &ss));
	local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(&ss, &local, sizeof local);
	EXPECT(http_interface_allowed(h, &ss));
	http_free(h);
}

TEST(http, mapped_addresses_are_shown_as_ipv4)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(5) };
	struct sockaddr_storage ss = { 0 };
	char text[64];
	v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
	v6.sin6_addr.s6_addr[12] = 10;
	v6.sin6_addr.s6_addr[15] = 2;
	memcpy(&ss, &v6, sizeof v6);
	http_address_unmap(&ss);
	http_address_text(&ss, 8250, text, sizeof text);
	EXPECT_STR("10.0.0.2:8250", text);
	v6.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
	memcpy(&ss, &v6, sizeof v6);
	http_address_unmap(&ss);
	http_address_text(&ss, 8250, text, sizeof text);
	EXPECT_STR("[::1]:8250", text);
}

TEST(http, a_body_with_two_lengths_is_refused_and_ends_the_connection)
{
	static const struct {
		unsigned status;
		const char *headers;
	} rows[] = {
		{ 400, "Content-Length: 3\r\nContent-Length: 4\r\n" },
		{ 400, "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n" },
		{ 501, "Transfer-Encoding: gzip\r\n" },
		{ 501, "Transfer-Encoding: gzip, chunked\r\n" },
		{ 501, "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n" },
	};
	struct http *h = server_start(NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct answer a;
		int fd = client_connect(http_port(h));
		client_say(fd, "POST /echo/ HTTP/1.1\r\n" HOST);
		client_say(fd, rows[i].headers);
		client_say(fd, "\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n");
		EXPECT(client_receive(fd, false, &a));
		EXPECT_U64(rows[i].status, a.status);
		client_answer_fini(&a);
		EXPECT(!client_receive(fd, false, &a));
		client_answer_fini(&a);
		close(fd);
	}
	EXPECT_U64(200, server_status_of(h, "POST /echo/ HTTP/1.1\r\n" HOST
					    "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"));
	http_free(h);
}
