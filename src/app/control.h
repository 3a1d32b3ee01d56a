/* SPDX-License-Identifier: MIT */
/* The control socket in the database directory: `salver stats`, `check`, `backup`, `compact` and
 * `scan --report` beside a running server. A request is one line; the reply is text until the end
 * of the stream. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct buf;
struct control;

#define CONTROL_LINE_MAX 4160 /* a command and a path */
#define CONTROL_REPLY_LINE_MAX (1u << 20)
#define CONTROL_BACKLOG 16 /* clients that wait their turn */
#define CONTROL_REPLY_MAX_BYTES (1u << 20)

struct control_handlers {
	void (*stats)(void *ctx, struct buf *out);
	enum err (*check)(void *ctx, void (*report)(void *, const char *), void *report_ctx);
	/** Reports findings, then in a last line what came of it; progress by control_progress().
	 */
	void (*backup)(void *ctx, const char *dir, void (*report)(void *, const char *),
		       void *report_ctx);
	void (*compact)(void *ctx, void (*report)(void *, const char *), void *report_ctx);
	/** Writes its lines, the last of them "failed: ..." where it is not whole. `line` is false
	 * where nobody takes them any more; NULL asks only that. */
	void (*report)(void *ctx, bool json, bool (*line)(void *, const char *), void *line_ctx);
	/** playlist_text(). */
	void (*playlists)(void *ctx, struct span what, struct buf *out);
	void *ctx;
};

/** Listen on DIR/control, on a thread of its own, one client at a time. Only the user who runs the
 * server (and root) may connect: the socket is 0600. */
NODISCARD enum err control_start(const char *database_dir, const struct control_handlers *handlers,
				 struct control **out, struct err_info *info);
/** At once, whatever a client does; a check under way is finished first. NULL is fine. */
void control_stop(struct control *c);

/** A line that says how far a command is; the reader knows it by what it begins with. */
#define CONTROL_PROGRESS "progress "
void control_progress(uint64_t done, uint64_t all, char line[64]);

/** Client: send `command`, hand out each line of the reply as it comes. ERR_NOTFOUND: no server
 * listens there. ERR_BUSY: it has too many clients. ERR_LIMIT: a line is too long. */
NODISCARD enum err control_follow(const char *database_dir, const char *command,
				  void (*on_line)(void *ctx, struct span line), void *ctx);

/** Client: send `command`, append the reply to *out. ERR_NOTFOUND: no server listens there.
 * ERR_BUSY: it has too many clients. ERR_LIMIT: the reply is longer than *out may get. */
NODISCARD enum err control_ask(const char *database_dir, const char *command, struct buf *out);
