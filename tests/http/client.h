/* SPDX-License-Identifier: MIT */
/* A bare HTTP client for tests: sends exactly the bytes it is given, on loopback. */
#pragma once

#include "base/buf.h"

struct answer {
	struct buf all; /* status line, headers, body */
	unsigned status;
	struct span headers, body;
};

int client_connect(uint16_t port);
void client_send(int fd, const char *bytes, size_t n);
void client_say(int fd, const char *text);
/** One reply, its body as long as Content-Length says (none after HEAD and 304). False: the
 * connection ended first. `out` needs client_answer_fini() in both cases. */
bool client_receive(int fd, bool head, struct answer *out);
/** Connect, say, receive, close. */
void client_ask(uint16_t port, const char *request, struct answer *out);
/** A header of the answer, or "". Lives in a static buffer until the next call. */
const char *client_header(const struct answer *a, const char *name);
/** True where the server closes within `ms`; what arrives until then is dropped. */
bool client_closed_within(int fd, int ms);
void client_answer_fini(struct answer *a);
