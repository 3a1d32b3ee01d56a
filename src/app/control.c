/* SPDX-License-Identifier: MIT */
/* Both ends of the control socket. */
#include "app/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/playlist_text.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/thread.h"

#define CONTROL_CLIENT_TIMEOUT_S 5 /* for a client that says or takes nothing */
#define CONTROL_RETRY_MS 100	   /* where a client cannot be accepted: no descriptor, no memory */

struct control {
	struct control_handlers handlers;
	struct thread thread;
	int dir_fd; /* the database directory: sun_path holds 107 bytes, its path may be longer */
	int listen_fd;
	int stop_fd; /* eventfd */
	struct mutex lock;
	int client_fd; /* lock; being served, else -1: control_stop() cuts it off */
	bool stopping; /* lock */
};

struct client {
	int fd;
	bool gone; /* has closed, or takes nothing: the rest is not for it */
};

/* Addresses the socket through /proc/self/fd, whatever the length of the directory's path. */
static void make_address(int dir_fd, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/control", dir_fd);
}

static bool send_all(int fd, struct span s)
{
	while (s.n) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = span_skip(s, (size_t)n);
	}
	return true;
}

static void send_line(void *ctx, const char *line)
{
	struct client *client = ctx;

	if (!client->gone)
		client->gone =
			!send_all(client->fd, span_str(line)) || !send_all(client->fd, SPAN("\n"));
}

static void answer_check(struct control *c, struct client *client)
{
	enum err e = c->handlers.check(c->handlers.ctx, send_line, client);

	send_line(client, e == ERR_OK ? "sound" : err_name(e));
}

static void answer_backup(struct control *c, struct client *client, struct span dir)
{
	char path[CONTROL_LINE_MAX + 1];

	memcpy(path, dir.p, dir.n);
	path[dir.n] = '\0';
	c->handlers.backup(c->handlers.ctx, path, send_line, client);
}

/* Has the client gone, or were we told to stop? Nothing is expected of it any more. */
static bool is_cut_off(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static bool send_report_line(void *ctx, const char *line)
{
	struct client *client = ctx;

	if (line)
		send_line(client, line);
	else if (!client->gone)
		client->gone = is_cut_off(client->fd);
	return !client->gone;
}

static void answer_playlists(struct control *c, struct client *client, struct span what)
{
	struct buf reply;

	buf_init(&reply, PLAYLIST_TEXT_MAX_BYTES);
	c->handlers.playlists(c->handlers.ctx, what, &reply);
	if (!client->gone && reply.n)
		client->gone = !send_all(client->fd, buf_span(&reply));
	buf_fini(&reply);
}

static void answer(struct control *c, struct client *client, struct span line)
{
	struct buf reply;

	if (span_eq(line, SPAN("report")) || span_eq(line, SPAN("report json"))) {
		c->handlers.report(c->handlers.ctx, line.n > 6, send_report_line, client);
		return;
	}

	if (span_starts(line, SPAN("playlists "))) {
		answer_playlists(c, client, span_skip(line, 10));
		return;
	}
	if (span_eq(line, SPAN("check"))) {
		answer_check(c, client);
		return;
	}
	if (span_starts(line, SPAN("backup "))) {
		answer_backup(c, client, span_skip(line, 7));
		return;
	}
	if (span_eq(line, SPAN("compact"))) {
		c->handlers.compact(c->handlers.ctx, send_line, client);
		return;
	}
	if (!span_eq(line, SPAN("stats"))) {
		send_line(client, "unknown command");
		return;
	}
	buf_init(&reply, CONTROL_REPLY_MAX_BYTES);
	c->handlers.stats(c->handlers.ctx, &reply);
	send_line(client, buf_cstr(&reply));
	buf_fini(&reply);
}

/* Up to the line's end, or whatever there is when the client has said all. */
static struct span receive_line(int fd, char line[CONTROL_LINE_MAX])
{
	size_t n = 0;

	while (n < CONTROL_LINE_MAX && span_find(span_of(line, n), '\n') == n) {
		ssize_t got = recv(fd, line + n, CONTROL_LINE_MAX - n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	/* no more is taken off: the name of a directory may begin and end with spaces */
	return span_first(span_of(line, n), span_find(span_of(line, n), '\n'));
}

static void serve_client(struct control *c, int fd)
{
	struct timeval limit = { .tv_sec = CONTROL_CLIENT_TIMEOUT_S };
	struct client client = { .fd = fd };
	char line[CONTROL_LINE_MAX];

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	struct span request = receive_line(fd, line);
	if (request.n)
		answer(c, &client, request);
}

/* False: we are stopping, the client is not served. */
static bool set_client(struct control *c, int fd)
{
	mutex_lock(&c->lock);
	bool stopping = c->stopping;
	c->client_fd = fd;
	mutex_unlock(&c->lock);
	return !stopping;
}

static void control_loop(void *arg)
{
	struct control *c = arg;
	struct pollfd fds[] = { { .fd = c->stop_fd, .events = POLLIN },
				{ .fd = c->listen_fd, .events = POLLIN } };

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return;
		if (fds[0].revents)
			return;
		CLEANUP(fd_closep) int client = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0) {
			/* Where a descriptor is missing, the socket stays ready: do not spin. */
			(void)poll(fds, 1, CONTROL_RETRY_MS);
			continue;
		}
		if (set_client(c, client))
			serve_client(c, client);
		(void)set_client(c, -1); /* before it is closed: its number may be used again */
	}
}

static enum err control_listen(struct control *c, const char *database_dir)
{
	struct sockaddr_un address;

	c->dir_fd = open(database_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->dir_fd < 0)
		return err_from_errno(errno);
	c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->stop_fd < 0 || c->listen_fd < 0)
		return err_from_errno(errno);
	/* The lock on the database is ours: a socket found here is a dead one. */
	(void)unlinkat(c->dir_fd, "control", 0);
	make_address(c->dir_fd, &address);
	/* The mode before bind() is the mode of the name: at no moment may others connect. */
	if (fchmod(c->listen_fd, 0600) < 0 ||
	    bind(c->listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(c->listen_fd, CONTROL_BACKLOG) < 0)
		return err_from_errno(errno);
	return ERR_OK;
}

enum err control_start(const char *database_dir, const struct control_handlers *handlers,
		       struct control **out, struct err_info *info)
{
	struct control *c = malloc(sizeof *c);

	if (!c)
		return ERR_NOMEM;
	*c = (struct control){
		.handlers = *handlers, .dir_fd = -1, .listen_fd = -1, .stop_fd = -1, .client_fd = -1
	};
	mutex_init(&c->lock);

	enum err e = control_listen(c, database_dir);
	if (e != ERR_OK)
		(void)err_set(info, e, errno, "cannot listen on %s/control: %s", database_dir,
			      strerror(errno));
	else if ((e = thread_start(&c->thread, "control", control_loop, c)) != ERR_OK)
		(void)err_set(info, e, 0, "cannot start the thread of %s/control: %s", database_dir,
			      err_name(e));
	if (e != ERR_OK) {
		control_stop(c);
		return e;
	}
	*out = c;
	return ERR_OK;
}

/* Whatever the thread waits for, a client or the next one, ends now. */
static void interrupt(struct control *c)
{
	(void)eventfd_write(c->stop_fd, 1);
	mutex_lock(&c->lock);
	c->stopping = true;
	if (c->client_fd >= 0)
		(void)shutdown(c->client_fd, SHUT_RDWR);
	mutex_unlock(&c->lock);
}

void control_stop(struct control *c)
{
	if (!c)
		return;
	if (c->thread.started) {
		interrupt(c);
		thread_join(&c->thread);
		(void)unlinkat(c->dir_fd, "control", 0);
	}
	fd_closep(&c->listen_fd);
	fd_closep(&c->stop_fd);
	fd_closep(&c->dir_fd);
	mutex_fini(&c->lock);
	free(c);
}

/* Everything up to the end of the stream. */
static enum err receive_all(int fd, struct buf *out)
{
	for (;;) {
		char piece[4096];
		ssize_t n = recv(fd, piece, sizeof piece, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_from_errno(errno);
		if (n == 0)
			return buf_err(out);
		buf_add(out, span_of(piece, (size_t)n));
	}
}

/* Connects and says `command`; *out_fd is the caller's. */
static enum err ask(const char *database_dir, const char *command, int *out_fd)
{
	struct timeval limit = { .tv_sec = CONTROL_CLIENT_TIMEOUT_S };
	struct sockaddr_un address;
	CLEANUP(fd_closep) int dir_fd = open(database_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (dir_fd < 0)
		return errno == ENOTDIR ? ERR_NOTFOUND : err_from_errno(errno);
	if (fd < 0)
		return err_from_errno(errno);
	make_address(dir_fd, &address);
	/* For connect() as well, which waits while others wait for a server that is busy. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return errno == ECONNREFUSED ? ERR_NOTFOUND : err_from_errno(errno);
	if (!send_all(fd, span_str(command)) || !send_all(fd, SPAN("\n")))
		return ERR_CLOSED;
	*out_fd = fd_take(&fd);
	return ERR_OK;
}

enum err control_ask(const char *database_dir, const char *command, struct buf *out)
{
	CLEANUP(fd_closep) int fd = -1;
	enum err e = ask(database_dir, command, &fd);

	return e == ERR_OK ? receive_all(fd, out) : e;
}

void control_progress(uint64_t done, uint64_t all, char line[64])
{
	snprintf(line, 64, CONTROL_PROGRESS "%llu %llu", (unsigned long long)done,
		 (unsigned long long)all);
}

/* The whole lines in `b`, which keeps what is behind them. */
static void lines_take(struct buf *b, void (*on_line)(void *ctx, struct span line), void *ctx)
{
	struct span rest = buf_span(b);

	for (size_t n; (n = span_find(rest, '\n')) < rest.n; rest = span_skip(rest, n + 1))
		on_line(ctx, span_first(rest, n));
	memmove(b->p, rest.p, rest.n);
	b->n = rest.n;
}

enum err control_follow(const char *database_dir, const char *command,
			void (*on_line)(void *ctx, struct span line), void *ctx)
{
	CLEANUP(fd_closep) int fd = -1;
	enum err e = ask(database_dir, command, &fd);
	struct buf lines;

	buf_init(&lines, CONTROL_REPLY_LINE_MAX);
	while (e == ERR_OK) {
		char piece[1024];
		ssize_t n = recv(fd, piece, sizeof piece, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			e = n < 0 ? err_from_errno(errno) : ERR_OK;
			break;
		}
		buf_add(&lines, span_of(piece, (size_t)n));
		e = buf_err(&lines);
		if (e == ERR_OK)
			lines_take(&lines, on_line, ctx);
	}
	buf_fini(&lines);
	return e;
}
