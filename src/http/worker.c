/* SPDX-License-Identifier: MIT */
/* The threads that serve. Each has a libmicrohttpd of its own, and waits for that, for the
 * listening socket and for its bell. A new connection wakes one thread only, which waits for work
 * (EPOLLEXCLUSIVE); libmicrohttpd's own pool would wake all of them for each. What another thread
 * has for a worker goes through its mailbox, so that one thread only ever calls a libmicrohttpd. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "http/http_priv.h"

/* A worker gives a connection away where another has so many less. */
#define CONNECTIONS_AHEAD_MAX 4

enum wake { WAKE_LISTEN, WAKE_BELL, WAKE_DAEMON };

/* ---- the mailbox ----------------------------------------------------------------------------- */

static void ring(struct http_worker *w)
{
	uint64_t one = 1;
	ssize_t n = write(w->bell_fd, &one, sizeof one);
	(void)n; /* it cannot be full but of rings that nobody has heard yet */
}

void http_worker_resume(struct http_worker *w, struct http_reply *r)
{
	mutex_lock(&w->lock);
	r->next = w->resumed;
	w->resumed = r;
	mutex_unlock(&w->lock);
	ring(w);
}

static void connection_add(struct http_worker *w, int fd, const struct sockaddr_storage *peer)
{
	/* takes the descriptor in any case */
	if (MHD_add_connection(w->daemon, fd, (const struct sockaddr *)peer, sizeof *peer) !=
	    MHD_YES)
		counter_add(&w->h->refused_n, 1);
}

/** False: its mailbox is full. */
static bool connection_give(struct http_worker *w, int fd, const struct sockaddr_storage *peer)
{
	mutex_lock(&w->lock);
	bool room = w->given_n < ARRAY_LEN(w->given);
	if (room)
		w->given[w->given_n++] = (struct http_given){ fd, *peer };
	mutex_unlock(&w->lock);
	if (room)
		ring(w);
	return room;
}

static void mail_take(struct http_worker *w)
{
	struct http_given given[HTTP_GIVEN_MAX];
	uint64_t rings;
	ssize_t n = read(w->bell_fd, &rings, sizeof rings);
	(void)n;
	mutex_lock(&w->lock);
	struct http_reply *r = w->resumed;
	unsigned given_n = w->given_n;
	memcpy(given, w->given, given_n * sizeof *given);
	w->resumed = NULL;
	w->given_n = 0;
	mutex_unlock(&w->lock);
	while (r) {
		struct http_reply *next = r->next;
		MHD_resume_connection(r->req->mhd);
		r = next;
	}
	for (unsigned i = 0; i < given_n; i++)
		connection_add(w, given[i].fd, &given[i].peer);
}

/* ---- new connections ------------------------------------------------------------------------- */

static struct http_worker *least_busy(struct http *h)
{
	struct http_worker *least = &h->workers[0];
	for (unsigned i = 1; i < HTTP_THREADS; i++)
		if (atomic_load_explicit(&h->workers[i].connections_n, memory_order_relaxed) <
		    atomic_load_explicit(&least->connections_n, memory_order_relaxed))
			least = &h->workers[i];
	return least;
}

static void connection_place(struct http_worker *w, int fd, const struct sockaddr_storage *peer)
{
	struct http_worker *least = least_busy(w->h);
	unsigned own = atomic_load_explicit(&w->connections_n, memory_order_relaxed);
	unsigned its = atomic_load_explicit(&least->connections_n, memory_order_relaxed);
	if (own <= its + CONNECTIONS_AHEAD_MAX || !connection_give(least, fd, peer))
		connection_add(w, fd, peer);
}

/** No descriptors are left: with the one that is kept for this the connection is taken and closed,
 * because one that waits would wake us again and again. */
static void accept_and_close(struct http *h)
{
	mutex_lock(&h->lock);
	fd_closep(&h->spare_fd);
	CLEANUP(fd_closep) int fd = accept4(h->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	fd_closep(&fd);
	h->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	mutex_unlock(&h->lock);
	counter_add(&h->refused_n, 1);
}

static void accept_one(struct http_worker *w)
{
	struct http *h = w->h;
	struct sockaddr_storage peer = { 0 };
	socklen_t n = sizeof peer;
	CLEANUP(fd_closep)
	int fd = accept4(h->listen_fd, (struct sockaddr *)&peer, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		accept_and_close(h);
	if (fd < 0)
		return;
	if (http_connection_admitted(h, &peer))
		connection_place(w, fd_take(&fd), &peer);
	else
		counter_add(&h->refused_n, 1);
}

/* ---- the threads ----------------------------------------------------------------------------- */

static int wait_ms(struct http_worker *w)
{
	MHD_UNSIGNED_LONG_LONG ms;
	if (MHD_get_timeout(w->daemon, &ms) != MHD_YES)
		return -1;
	return (int)MIN(ms, (MHD_UNSIGNED_LONG_LONG)INT_MAX);
}

static void worker_main(void *arg)
{
	struct http_worker *w = arg;
	while (!atomic_load_explicit(&w->h->ended, memory_order_acquire)) {
		struct epoll_event events[3];
		int n = epoll_wait(w->epoll_fd, events, ARRAY_LEN(events), wait_ms(w));
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == WAKE_BELL)
				mail_take(w);
			else if (events[i].data.u32 == WAKE_LISTEN)
				accept_one(w);
		}
		MHD_run(w->daemon);
	}
}

static bool wait_for(const struct http_worker *w, int fd, uint32_t events, enum wake wake)
{
	struct epoll_event e = { .events = events, .data.u32 = wake };
	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0;
}

static enum err worker_start(struct http *h, struct http_worker *w)
{
	w->h = h;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->daemon = http_daemon_start(w);
	if (w->epoll_fd < 0 || w->bell_fd < 0)
		return err_from_errno(errno);
	const union MHD_DaemonInfo *info =
		w->daemon ? MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info || !wait_for(w, info->epoll_fd, EPOLLIN, WAKE_DAEMON) ||
	    !wait_for(w, w->bell_fd, EPOLLIN, WAKE_BELL) ||
	    !wait_for(w, h->listen_fd, EPOLLIN | EPOLLEXCLUSIVE, WAKE_LISTEN))
		return ERR_IO;
	return thread_start(&w->thread, "http", worker_main, w);
}

void http_workers_init(struct http *h)
{
	h->listen_fd = h->spare_fd = -1;
	for (unsigned i = 0; i < HTTP_THREADS; i++) {
		struct http_worker *w = &h->workers[i];
		w->epoll_fd = w->bell_fd = -1;
		mutex_init(&w->lock);
	}
}

enum err http_workers_start(struct http *h)
{
	enum err e = ERR_OK;
	h->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (unsigned i = 0; i < HTTP_THREADS && e == ERR_OK; i++)
		e = worker_start(h, &h->workers[i]);
	return e;
}

void http_workers_quiesce(struct http *h)
{
	for (unsigned i = 0; i < HTTP_THREADS; i++)
		if (h->workers[i].epoll_fd >= 0 && h->listen_fd >= 0)
			(void)epoll_ctl(h->workers[i].epoll_fd, EPOLL_CTL_DEL, h->listen_fd, NULL);
}

static void worker_fini(struct http_worker *w)
{
	for (unsigned i = 0; i < w->given_n; i++)
		fd_closep(&w->given[i].fd);
	w->given_n = 0;
	if (w->daemon)
		MHD_stop_daemon(w->daemon);
	w->daemon = NULL;
	fd_closep(&w->epoll_fd);
	fd_closep(&w->bell_fd);
}

void http_workers_end(struct http *h)
{
	atomic_store_explicit(&h->ended, true, memory_order_release);
	for (unsigned i = 0; i < HTTP_THREADS; i++)
		if (h->workers[i].thread.started)
			ring(&h->workers[i]);
	for (unsigned i = 0; i < HTTP_THREADS; i++)
		thread_join(&h->workers[i].thread);
	for (unsigned i = 0; i < HTTP_THREADS; i++) {
		/* what was resumed meanwhile goes on, to its end */
		if (h->workers[i].daemon)
			mail_take(&h->workers[i]);
		worker_fini(&h->workers[i]);
	}
	fd_closep(&h->listen_fd);
	fd_closep(&h->spare_fd);
}

void http_workers_fini(struct http *h)
{
	for (unsigned i = 0; i < HTTP_THREADS; i++)
		mutex_fini(&h->workers[i].lock);
}
