/* SPDX-License-Identifier: MIT */
/* A bare HTTP client for tests. */
#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "harness.h"

#define ANSWER_MAX_BYTES (64u << 20)
#define PATIENCE_MS 15000

int client_connect(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(fd >= 0);
	EXPECT(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

void client_send(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t done = send(fd, bytes, n, MSG_NOSIGNAL);
		if (done <= 0)
			return; /* the server may refuse before all is said */
		bytes += done;
		n -= (size_t)done;
	}
}

void client_say(int fd, const char *text)
{
	client_send(fd, text, strlen(text));
}

/** Up to n bytes behind the buffer's end; false where none come. */
static bool read_some(int fd, struct buf *b, size_t n, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	if (poll(&p, 1, ms) != 1)
		return false;
	char *room = buf_room(b, n);
	EXPECT(room != NULL);
	ssize_t got = recv(fd, room, n, 0);
	if (got <= 0)
		return false;
	b->n += (size_t)got;
	return true;
}

const char *client_header(const struct answer *a, const char *name)
{
	static char value[512];
	struct span rest = a->headers, want = span_str(name);
	while (rest.n > 0) {
		struct span line = span_trim(span_cut(&rest, '\n'));
		if (!span_eq_nocase(span_cut(&line, ':'), want))
			continue;
		line = span_first(span_trim(line), sizeof value - 1);
		memcpy(value, line.p, line.n);
		value[line.n] = '\0';
		return value;
	}
	return "";
}

bool client_receive(int fd, bool head, struct answer *out)
{
	uint64_t status = 0, n = 0;
	*out = (struct answer){ 0 };
	buf_init(&out->all, ANSWER_MAX_BYTES);
	/* byte by byte: what follows the headers may belong to the next reply */
	while (!span_ends(buf_span(&out->all), SPAN("\r\n\r\n")))
		if (!read_some(fd, &out->all, 1, PATIENCE_MS))
			return false;
	size_t at = out->all.n;
	out->headers = buf_span(&out->all);
	EXPECT(span_starts(out->headers, SPAN("HTTP/1.")));
	EXPECT_OK(num_parse_u64(span_first(span_skip(out->headers, 9), 3), 100, 599, &status));
	const char *length = client_header(out, "Content-Length");
	if (!head && status != 304 && length[0] != '\0')
		EXPECT_OK(num_parse_u64(span_str(length), 0, ANSWER_MAX_BYTES, &n));
	while (out->all.n < at + n)
		if (!read_some(fd, &out->all, at + n - out->all.n, PATIENCE_MS))
			return false;
	out->status = (unsigned)status;
	out->headers = span_of(out->all.p, at);
	out->body = span_of(out->all.p + at, n);
	return true;
}

void client_ask(uint16_t port, const char *request, struct answer *out)
{
	int fd = client_connect(port);
	client_say(fd, request);
	bool head = span_starts(span_str(request), SPAN("HEAD"));
	EXPECT(client_receive(fd, head, out));
	close(fd);
}

bool client_closed_within(int fd, int ms)
{
	uint64_t end = clock_now_ms() + (uint64_t)ms;
	for (;;) {
		uint64_t now = clock_now_ms();
		char dropped[4096];
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (now >= end || poll(&p, 1, (int)(end - now)) != 1)
			return false;
		if (recv(fd, dropped, sizeof dropped, 0) <= 0)
			return true;
	}
}

void client_answer_fini(struct answer *a)
{
	buf_fini(&a->all);
}
