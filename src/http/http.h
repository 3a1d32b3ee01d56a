/* SPDX-License-Identifier: MIT */
/* The HTTP server: routes, requests, replies, limits. The only home of libmicrohttpd; none of its
 * types leaves this folder. Handlers run on the pool's threads and must not wait for a disk commit.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Named limits; what a client can grow stops here. */
#define HTTP_THREADS 4
#define HTTP_CONNECTIONS_MAX 1024
#define HTTP_CONNECTIONS_PER_ADDRESS_MAX 512
#define HTTP_CONNECTION_MEMORY_BYTES (32u << 10) /* request line and headers must fit */
#define HTTP_IDLE_TIMEOUT_S 30
#define HTTP_HEADER_TIMEOUT_S 20	/* a request must be whole by then */
#define HTTP_BODY_MAX_BYTES (64u << 10) /* unless the route asks for less */
#define HTTP_REPLY_MAX_BYTES (16u << 20)
/* Replies in memory that wait for their readers; files are not in memory. Beyond: 503. */
#define HTTP_REPLIES_MAX_BYTES (64u << 20)
#define HTTP_REPLIES_PER_ADDRESS_MAX_BYTES (32u << 20)
#define HTTP_REPLY_SMALL_BYTES (64u << 10) /* up to here not counted: connections are */
#define HTTP_REPLY_TIMEOUT_S 60		   /* to read one, and a second more for each */
#define HTTP_REPLY_SLOWEST_BYTES (64u << 10)
#define HTTP_SUSPENDED_MAX 64 /* requests whose replies another thread makes */

struct http;
struct http_req;
struct http_reply;

struct http_options {
	uint16_t port; /* 0: any free one */
	const char *const
		*interfaces;	 /* listen on any address, but serve only what comes in by these */
	size_t interfaces_n;	 /* 0: every interface */
	const char *server_name; /* friendly host names accepted in Host beside IP literals */
	const char *const *host_names;
	size_t host_names_n;
};

NODISCARD enum err http_new(const struct http_options *options, struct http **out,
			    struct err_info *info);
/** Serve. Routes must have been added before. ERR_BUSY: the port is taken (info names it). */
NODISCARD enum err http_start(struct http *h, struct err_info *info);
/** Stop accepting, end streams within `grace_ms`, wait for suspended replies, join all threads. */
void http_stop(struct http *h, unsigned grace_ms);
void http_free(struct http *h);		  /* NULL is fine */
uint16_t http_port(const struct http *h); /* the real one, after http_start() */

enum http_method {
	HTTP_GET = 1,
	HTTP_HEAD = 2,
	HTTP_POST = 4,
	HTTP_PUT = 8,
	HTTP_DELETE = 16,
	HTTP_SUBSCRIBE = 32,
	HTTP_UNSUBSCRIBE = 64
};

/** Answer one request. Runs once the body is whole. Must fill the reply; where it leaves the status
 * at 0 the client gets 500. */
typedef void http_handler(void *ctx, const struct http_req *req, struct http_reply *reply);

/** A path prefix ("/media/") or, without a trailing slash, an exact path; "/" is exact, too. The
 * longest match wins.
 * Other methods get 405 with Allow; unknown paths 404. `methods` with HTTP_GET implies HTTP_HEAD.
 */
NODISCARD enum err http_route(struct http *h, const char *path, unsigned methods,
			      http_handler *handler, void *ctx);

/* ---- the request ---- */
enum http_method http_req_method(const struct http_req *req);
struct span http_req_path(const struct http_req *req);	/* decoded, no query, starts with '/' */
struct span http_req_query(const struct http_req *req); /* raw, without '?' */
struct span http_req_body(const struct http_req *req);
/** A header's value, name in any case; false where it is missing. */
bool http_req_header(const struct http_req *req, const char *name, struct span *out);
/** "10.0.0.2:8250": the address the request came in by, for absolute URLs. */
struct span http_req_local(const struct http_req *req);
/** Numeric address of the client. */
struct span http_req_peer(const struct http_req *req);
/** The same as sockaddr, for subnet checks. */
struct sockaddr_storage;
void http_req_addresses(const struct http_req *req, struct sockaddr_storage *out_local,
			struct sockaddr_storage *out_peer);

/* ---- the reply: status, headers, then exactly one body. With status 304 give the body that 200
 * would have: as with HEAD, only its length is sent. ---- */
void http_reply_status(struct http_reply *r, unsigned status);
void http_reply_header(struct http_reply *r, const char *name, struct span value);
/** Takes the buffer's bytes. */
void http_reply_body(struct http_reply *r, const char *content_type, struct buf *body);
/** Bytes that outlive the server (embedded assets). */
void http_reply_static(struct http_reply *r, const char *content_type, struct span body);
/** Bytes [first, first + n) of a file, by sendfile. Takes the descriptor, in every case. Its
 * Content-Type is a header like any other; a later http_reply_error() overrides it. */
void http_reply_file(struct http_reply *r, int fd, uint64_t first, uint64_t n);
/** A short text/plain body for a status; the way to refuse. */
void http_reply_error(struct http_reply *r, unsigned status, const char *text);

/* ---- a reply that has to wait, for a commit: no thread of the pool does ---- */

/** For a handler, as the last that it does before it gives `r` to another thread: the request
 * stands still, with all that it lent, until http_reply_resume(). False: too many stand still
 * already; refuse. */
NODISCARD bool http_reply_suspend(struct http_reply *r);
/** The reply is filled and may go. Exactly once for each that was suspended, also while the server
 * stops (http_stop() waits for it), from any thread; `r` is gone then. */
void http_reply_resume(struct http_reply *r);

/** HTTP status of an error: ERR_NOTFOUND 404, ERR_INVALID 400, ... */
unsigned http_status_of(enum err e);

struct http_stats {
	uint64_t requests_n, connections_n; /* since the start */
	uint64_t bytes_sent;		    /* counted when a request ends */
	uint64_t errors_n, refused_n;	    /* status >= 500; cut or turned away */
};
void http_stats_get(struct http *h, struct http_stats *out);
