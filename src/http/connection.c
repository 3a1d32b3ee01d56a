/* SPDX-License-Identifier: MIT */
/* Connections: who they are, how long a request may take to arrive, and their end.
 * libmicrohttpd's timeout is one of inactivity: a client that drips a byte now and then would stay
 * for ever. The reaper thread shuts down whatever has not sent a whole request by its deadline, or
 * not read a reply that is kept in memory for it, or waits for bytes of a file that are gone. */
#include <errno.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "http/http_priv.h"

static void read_addresses(struct http_connection *c)
{
	socklen_t n = sizeof c->local;
	if (getsockname(c->fd, (struct sockaddr *)&c->local, &n) != 0)
		memset(&c->local, 0, sizeof c->local);
	n = sizeof c->peer;
	if (getpeername(c->fd, (struct sockaddr *)&c->peer, &n) != 0)
		memset(&c->peer, 0, sizeof c->peer);
	http_address_unmap(&c->local);
	http_address_unmap(&c->peer);
	http_address_text(&c->local, c->worker->h->port, c->local_text, sizeof c->local_text);
	http_address_text(&c->peer, 0, c->peer_text, sizeof c->peer_text);
}

/** The kernel knows what was really sent, of streams that ended early as well. */
static void count_bytes(struct http *h, struct http_connection *c) REQUIRES(h->lock)
{
	struct tcp_info info = { 0 };
	socklen_t n = sizeof info;
	if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0 ||
	    n < offsetof(struct tcp_info, tcpi_bytes_sent) + sizeof info.tcpi_bytes_sent)
		return;
	uint64_t sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
	if (sent > c->bytes_counted)
		counter_add(&h->bytes_sent, sent - c->bytes_counted);
	c->bytes_counted = MAX(sent, c->bytes_counted);
}

void http_connections_count(struct http *h)
{
	mutex_lock(&h->lock);
	for (struct http_connection *c = h->connections; c; c = c->next)
		count_bytes(h, c);
	mutex_unlock(&h->lock);
}

bool http_connection_admitted(struct http *h, const struct sockaddr_storage *peer)
{
	struct sockaddr_storage address = *peer;
	unsigned same_n = 0;
	http_address_unmap(&address);
	mutex_lock(&h->lock);
	bool room = h->open_n < h->limits.connections_n;
	if (room && h->open_n >= h->limits.per_address_n) {
		for (const struct http_connection *c = h->connections; c; c = c->next)
			same_n += http_address_same(&c->peer, &address);
		room = same_n < h->limits.per_address_n;
	}
	mutex_unlock(&h->lock);
	return room;
}

static void wake_reaper(struct http *h) REQUIRES(h->lock)
{
	if (h->reaper_idle)
		cond_broadcast(&h->changed);
}

static void started(struct http_worker *w, struct MHD_Connection *mhd, void **socket_context)
{
	struct http *h = w->h;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http_connection *c = calloc(1, sizeof *c);
	if (!info || !c) {
		/* Requests on it find no context and are refused. */
		free(c);
		return;
	}
	c->worker = w;
	c->fd = info->connect_fd;
	read_addresses(c);
	c->refused = !http_interface_allowed(h, &c->local);
	if (c->refused) {
		counter_add(&h->refused_n, 1);
		shutdown(c->fd, SHUT_RDWR);
	}
	counter_add(&h->connections_n, 1);
	atomic_fetch_add_explicit(&w->connections_n, 1, memory_order_relaxed);
	*socket_context = c;

	mutex_lock(&h->lock);
	c->deadline_ms = clock_now_ms() + h->limits.header_timeout_ms;
	c->next = h->connections;
	if (c->next)
		c->next->prev = c;
	h->connections = c;
	h->open_n++;
	wake_reaper(h);
	mutex_unlock(&h->lock);
}

/** Its reply has gone, or it has. */
static void release(struct http *h, struct http_connection *c) REQUIRES(h->lock)
{
	h->held_bytes -= c->held_bytes;
	c->held_bytes = 0;
	if (c->busy) {
		c->busy = false;
		h->busy_n--;
		if (h->stopping)
			cond_broadcast(&h->changed);
	}
}

static void closed(struct http *h, struct http_connection *c)
{
	atomic_fetch_sub_explicit(&c->worker->connections_n, 1, memory_order_relaxed);
	mutex_lock(&h->lock);
	count_bytes(h, c);
	h->open_n--;
	if (c->prev)
		c->prev->next = c->next;
	else
		h->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	release(h, c);
	mutex_unlock(&h->lock);
	free(c);
}

/* The socket is still open while this runs, so the reaper, which holds the same lock, never touches
 * a descriptor that was closed and is someone else's by now. */
void http_connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
			    enum MHD_ConnectionNotificationCode code)
{
	struct http_worker *w = cls;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		started(w, mhd, socket_context);
	else if (*socket_context)
		closed(w->h, *socket_context);
}

void http_connection_busy(struct http_connection *c)
{
	mutex_lock(&c->worker->h->lock);
	c->deadline_ms = 0;
	c->busy = true;
	c->worker->h->busy_n++;
	mutex_unlock(&c->worker->h->lock);
}

/** What waits for clients at c's address. */
static size_t held_by_peer(const struct http *h, const struct http_connection *c) REQUIRES(h->lock)
{
	size_t n = 0;
	for (const struct http_connection *i = h->connections; i; i = i->next)
		if (i->held_bytes > 0 && strcmp(i->peer_text, c->peer_text) == 0)
			n += i->held_bytes;
	return n;
}

bool http_connection_hold(struct http_connection *c, size_t n)
{
	struct http *h = c->worker->h;
	size_t counted = n > HTTP_REPLY_SMALL_BYTES ? n : 0;
	mutex_lock(&h->lock);
	bool room =
		counted == 0 || (h->held_bytes + counted <= h->reply_limits.all_bytes &&
				 held_by_peer(h, c) + counted <= h->reply_limits.per_address_bytes);
	if (room) {
		c->held_bytes = counted;
		h->held_bytes += counted;
	}
	if (c->busy) {
		c->deadline_ms = clock_now_ms() + h->reply_limits.timeout_ms +
				 (room ? n : 0) / h->reply_limits.slowest_bytes * 1000;
		wake_reaper(h);
	}
	mutex_unlock(&h->lock);
	return room;
}

void http_connection_file(struct http_connection *c, int fd, uint64_t end)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return;
	mutex_lock(&c->worker->h->lock);
	c->file.fd = fd;
	c->file.device = st.st_dev;
	c->file.inode = st.st_ino;
	c->file.end = end;
	wake_reaper(c->worker->h);
	mutex_unlock(&c->worker->h->lock);
}

void http_connection_waiting(struct http_connection *c)
{
	struct http *h = c->worker->h;
	mutex_lock(&h->lock);
	c->file.end = 0;
	/* It may rest for the idle timeout before the next request begins. */
	c->deadline_ms = clock_now_ms() + h->limits.header_timeout_ms +
			 (uint64_t)h->limits.idle_timeout_s * 1000;
	release(h, c);
	wake_reaper(h);
	mutex_unlock(&h->lock);
}

/** Has the file that is being sent become shorter? libmicrohttpd takes sendfile's 0 at its end for
 * "try again later" and would wait for HTTP_STREAM_IDLE_TIMEOUT_S. */
static bool file_was_cut(const struct http_connection *c)
{
	struct stat st;
	return fstat(c->file.fd, &st) == 0 && st.st_dev == c->file.device &&
	       st.st_ino == c->file.inode && (uint64_t)st.st_size < c->file.end;
}

/** Cut what is late; the next time to look, or 0 where nothing is awaited. */
static uint64_t reap(struct http *h) REQUIRES(h->lock)
{
	uint64_t now = clock_now_ms(), next = 0;
	for (struct http_connection *c = h->connections; c; c = c->next) {
		if (c->file.end > 0) {
			if (file_was_cut(c))
				shutdown(c->fd, SHUT_RDWR);
			next = next == 0 ? now + HTTP_FILE_CHECK_MS
					 : MIN(next, now + HTTP_FILE_CHECK_MS);
		}
		if (c->deadline_ms == 0)
			continue;
		if (c->deadline_ms <= now) {
			shutdown(c->fd, SHUT_RDWR);
			counter_add(&h->refused_n, 1);
			c->deadline_ms = now + h->limits.header_timeout_ms;
		}
		next = next == 0 ? c->deadline_ms : MIN(next, c->deadline_ms);
	}
	/* A connection that starts while we sleep has the header timeout, never less. */
	return next == 0 ? 0 : MIN(next, now + h->limits.header_timeout_ms);
}

void http_reaper_run(void *arg)
{
	struct http *h = arg;
	mutex_lock(&h->lock);
	while (!h->stopping) {
		uint64_t next = reap(h);
		if (next > 0) {
			cond_wait_until(&h->changed, &h->lock, next);
			continue;
		}
		h->reaper_idle = true;
		cond_wait(&h->changed, &h->lock);
		h->reaper_idle = false;
	}
	mutex_unlock(&h->lock);
}

void http_connections_drain(struct http *h, uint64_t deadline_ms)
{
	mutex_lock(&h->lock);
	while (h->busy_n > 0 && cond_wait_until(&h->changed, &h->lock, deadline_ms))
		;
	for (struct http_connection *c = h->connections; c; c = c->next)
		shutdown(c->fd, SHUT_RDWR);
	mutex_unlock(&h->lock);
}
