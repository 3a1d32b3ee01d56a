/* SPDX-License-Identifier: MIT */
/* What the files of the HTTP server share. Its tests use it to shorten the time limits. */
#pragma once

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>

#include "base/counter.h"
#include "base/thread.h"
#include "http/http.h"

#define HTTP_ROUTES_MAX 64
#define HTTP_REPLY_HEADERS_MAX_BYTES (8u << 10)
#define HTTP_ADDRESS_MAX 64 /* "[v6 address]:port" */
/** A paused television reads nothing for minutes and wants its connection back afterwards. */
#define HTTP_STREAM_IDLE_TIMEOUT_S 900
#define HTTP_REPLY_LARGE_BYTES (1u << 20) /* gives its memory back when it has gone */
#define HTTP_FILE_CHECK_MS 2000		  /* between two looks at the sizes of files being sent */
#define HTTP_GIVEN_MAX 16		  /* connections that wait for a thread to take them */
#define HTTP_INTERFACE_CHECK_MS 1000	  /* an address may have come or gone by then */

struct http_route {
	char *path;
	size_t path_n;
	bool prefix;
	unsigned methods;
	http_handler *handler;
	void *ctx;
};

struct http;

/** A thread that serves, and its part of the connections. */
struct http_worker {
	struct http *h;
	struct MHD_Daemon *daemon; /* its thread's alone, once that runs */
	struct thread thread;
	int epoll_fd, bell_fd;
	_Atomic unsigned connections_n;

	struct mutex lock;	    /* of the mailbox: */
	struct http_reply *resumed; /* linked by next */
	struct http_given {
		int fd;
		struct sockaddr_storage peer;
	} given[HTTP_GIVEN_MAX];
	unsigned given_n;
};

/** One TCP connection. Owned by connection.c; libmicrohttpd keeps the pointer as socket context. */
struct http_connection {
	struct http_worker *worker;
	struct http_connection *prev, *next; /* h->lock */
	int fd;
	bool busy;	      /* a reply is under way. h->lock */
	uint64_t deadline_ms; /* when its request must be whole, or its reply read; 0: none. h->lock
			       */
	size_t held_bytes;    /* of its reply, in memory. h->lock */
	struct {	      /* the file under way: it may be cut short meanwhile. h->lock */
		int fd;	      /* libmicrohttpd's; may be someone else's by now, hence: */
		dev_t device;
		ino_t inode;
		uint64_t end; /* what was promised; 0: no file */
	} file;
	uint64_t bytes_counted; /* h->lock */
	bool refused;		/* came in by an interface that is not served */
	struct sockaddr_storage local, peer;
	char local_text[HTTP_ADDRESS_MAX], peer_text[HTTP_ADDRESS_MAX];
};

struct http_limits { /* http.h's numbers; tests make them smaller */
	unsigned connections_n, per_address_n;
	unsigned idle_timeout_s;
	uint64_t header_timeout_ms;
};

struct http_reply_limits { /* these, too */
	size_t all_bytes, per_address_bytes;
	uint64_t timeout_ms;
	size_t slowest_bytes; /* in a second */
};

struct http {
	struct http_worker workers[HTTP_THREADS];
	int listen_fd;
	_Atomic bool ended; /* the threads are to end */
	struct http_limits limits;
	struct http_reply_limits reply_limits;
	uint16_t port;
	char **interfaces;
	size_t interfaces_n;
	char **host_names; /* own, configured and "localhost" */
	size_t host_names_n;
	char server_header[160];
	struct http_route routes[HTTP_ROUTES_MAX];
	size_t routes_n;

	struct mutex lock;
	struct cond changed;
	int spare_fd;			     /* lock; for when there is no other left */
	struct http_connection *connections; /* lock */
	unsigned open_n;		     /* lock; how many these are */
	struct { /* lock; what was found out last of an address that is ours */
		struct sockaddr_storage local;
		uint64_t checked_ms; /* 0: nothing */
		bool allowed;
	} interface;
	size_t busy_n;	      /* lock */
	size_t held_bytes;    /* lock */
	unsigned suspended_n; /* lock */
	bool stopping;	      /* lock */
	bool reaper_idle;     /* lock */
	struct thread reaper;

	struct counter requests_n, connections_n, bytes_sent, errors_n, refused_n;
};

struct http_reply {
	struct http_req *req;
	struct http_reply *next; /* in a worker's mailbox */
	unsigned status;
	struct buf headers; /* name NUL value NUL ... */
	const char *content_type;
	enum { BODY_NONE, BODY_BUF, BODY_STATIC, BODY_FILE } kind;
	struct buf body;
	struct span fixed;
	int fd;
	uint64_t first, n;
};

struct http_req {
	struct http *h;
	struct http_connection *connection;
	struct MHD_Connection *mhd;
	enum http_method method;
	struct buf target; /* as sent, without scheme and authority */
	struct buf path;   /* decoded */
	struct span query;
	struct buf body;
	unsigned refuse_status; /* settled before the route is asked; 0: fine */
	const char *refuse_text;
	bool unframed; /* nobody knows where its body ends: answer and close */
	bool started, busy;
	bool suspended; /* was, and may go on by now. Of libmicrohttpd's thread alone */
	struct http_reply reply;
};

/* request.c */
struct http_req *http_req_new(struct http *h, struct MHD_Connection *mhd, const char *uri);
void http_req_free(struct http_req *req);
/** The checks that need no body: version, host, target, method, interface. Sets refuse_*. */
void http_req_check(struct http_req *req, const char *method, const char *version);

/* reply.c */
void http_reply_init(struct http_reply *r, struct http_req *req);
void http_reply_fini(struct http_reply *r);
/** Hand the reply to libmicrohttpd. Takes the body. */
enum MHD_Result http_reply_send(struct http_reply *r);

/* suspend.c */
/** Wait until no reply is suspended. */
void http_suspended_drain(struct http *h);

/* worker.c */
/** Before and after all else, once each. */
void http_workers_init(struct http *h);
void http_workers_fini(struct http *h);
/** Where it fails, http_workers_end() all the same. */
NODISCARD enum err http_workers_start(struct http *h);
/** No new connections from now on. */
void http_workers_quiesce(struct http *h);
/** Cut all connections, join the threads. */
void http_workers_end(struct http *h);
/** The worker goes on with a suspended request. Threads: any. */
void http_worker_resume(struct http_worker *w, struct http_reply *r);

/* http.c */
struct MHD_Daemon *http_daemon_start(struct http_worker *w);

/* access.c */
/** Is this Host header's value one of ours: an IP literal, or a name we go by? */
bool http_host_allowed(const struct http *h, struct span host);
/** May a client come in by this local address? */
bool http_interface_allowed(struct http *h, const struct sockaddr_storage *local);
/** The same address; ports do not count. */
bool http_address_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
bool http_address_is_loopback(const struct sockaddr_storage *ss);
/** ::ffff:10.0.0.2 becomes 10.0.0.2. */
void http_address_unmap(struct sockaddr_storage *ss);
/** Numeric text; port 0: without port. */
void http_address_text(const struct sockaddr_storage *ss, uint16_t port, char *out, size_t out_n);

/* connection.c */
/** Whether one more connection, from this client, may be. */
bool http_connection_admitted(struct http *h, const struct sockaddr_storage *peer);
void http_connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
			    enum MHD_ConnectionNotificationCode code);
/** A whole request is there: no deadline while it is answered. */
void http_connection_busy(struct http_connection *c);
/** The reply, n bytes in memory, is about to go: it counts until it has gone, and must be read in
 * time. False: too much waits already, for this client or in all. */
bool http_connection_hold(struct http_connection *c, size_t n);
/** The reply is the bytes of `fd` up to `end`. */
void http_connection_file(struct http_connection *c, int fd, uint64_t end);
/** The reply has gone; the next request's clock starts. */
void http_connection_waiting(struct http_connection *c);
void http_reaper_run(void *h);
/** What was sent so far on connections that are open. */
void http_connections_count(struct http *h);
/** Wait until no reply is under way, at most until `deadline_ms`; then cut every connection. */
void http_connections_drain(struct http *h, uint64_t deadline_ms);

/* listen.c */
/** A listening socket for h's options; fills h->port. */
NODISCARD enum err http_listen(struct http *h, uint16_t port, int *out_fd, struct err_info *info);
