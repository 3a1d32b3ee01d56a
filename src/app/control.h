/* SPDX-License-Identifier: MIT */
/* The control socket in the database directory: `salver stats` and `salver check` beside a running
 * server. A request is one line; the reply is text until the end of the stream. */
#pragma once

#include "base/err.h"

struct buf;
struct control;

#define CONTROL_LINE_MAX 64
#define CONTROL_BACKLOG 16 /* clients that wait their turn */
#define CONTROL_REPLY_MAX_BYTES (1u << 20)

struct control_handlers {
	void (*stats)(void *ctx, struct buf *out);
	enum err (*check)(void *ctx, void (*report)(void *, const char *), void *report_ctx);
	void *ctx;
};

/** Listen on DIR/control, on a thread of its own, one client at a time. Only the user who runs the
 * server (and root) may connect: the socket is 0600. */
NODISCARD enum err control_start(const char *database_dir, const struct control_handlers *handlers,
				 struct control **out, struct err_info *info);
/** At once, whatever a client does; a check under way is finished first. NULL is fine. */
void control_stop(struct control *c);

/** Client: send `command`, append the reply to *out. ERR_NOTFOUND: no server listens there.
 * ERR_BUSY: it has too many clients. ERR_LIMIT: the reply is longer than *out may get. */
NODISCARD enum err control_ask(const char *database_dir, const char *command, struct buf *out);
