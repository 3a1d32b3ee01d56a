/* SPDX-License-Identifier: MIT */
/* One reply: collected by the handler, then handed to libmicrohttpd without copying the body. */
#include <stdio.h>
#include <stdlib.h>

#include "base/blocks.h"
#include "base/fd.h"
#include "http/http_priv.h"

void http_reply_init(struct http_reply *r, struct http_req *req)
{
	*r = (struct http_reply){ .req = req, .fd = -1 };
	buf_init(&r->headers, HTTP_REPLY_HEADERS_MAX_BYTES);
	buf_init(&r->body, HTTP_REPLY_MAX_BYTES);
}

static void drop_body(struct http_reply *r)
{
	fd_closep(&r->fd);
	buf_fini(&r->body);
	buf_init(&r->body, HTTP_REPLY_MAX_BYTES);
	r->kind = BODY_NONE;
	r->content_type = NULL;
}

void http_reply_fini(struct http_reply *r)
{
	drop_body(r);
	buf_fini(&r->headers);
}

void http_reply_status(struct http_reply *r, unsigned status)
{
	r->status = status;
}

void http_reply_header(struct http_reply *r, const char *name, struct span value)
{
	buf_add_str(&r->headers, name);
	buf_add_char(&r->headers, '\0');
	/* A value from outside must not start a header of its own. */
	for (size_t i = 0; i < value.n; i++)
		buf_add_char(&r->headers, (unsigned char)value.p[i] < ' ' || value.p[i] == 127
						  ? ' '
						  : value.p[i]);
	buf_add_char(&r->headers, '\0');
}

void http_reply_body(struct http_reply *r, const char *content_type, struct buf *body)
{
	drop_body(r);
	r->kind = BODY_BUF;
	r->content_type = content_type;
	r->body = *body;
	buf_init(body, body->max);
}

void http_reply_static(struct http_reply *r, const char *content_type, struct span body)
{
	drop_body(r);
	r->kind = BODY_STATIC;
	r->content_type = content_type;
	r->fixed = body;
}

void http_reply_file(struct http_reply *r, int fd, uint64_t first, uint64_t n)
{
	drop_body(r);
	r->kind = BODY_FILE;
	r->fd = fd;
	r->first = first;
	r->n = n;
}

void http_reply_error(struct http_reply *r, unsigned status, const char *text)
{
	drop_body(r);
	r->status = status;
	r->kind = BODY_BUF;
	r->content_type = "text/plain; charset=utf-8";
	buf_add_str(&r->body, text);
	buf_add_char(&r->body, '\n');
}

unsigned http_status_of(enum err e)
{
	switch (e) {
	case ERR_OK:
		return 200;
	case ERR_INVALID:
	case ERR_RANGE:
		return 400;
	case ERR_NOTFOUND:
		return 404;
	case ERR_ACCESS:
		return 403;
	case ERR_EXISTS:
		return 409;
	case ERR_LIMIT:
		return 413;
	case ERR_UNSUPPORTED:
		return 501;
	case ERR_BUSY:
	case ERR_NOMEM:
	case ERR_CLOSED:
		return 503;
	case ERR_TIMEOUT:
		return 504;
	default:
		return 500;
	}
}

static struct MHD_Response *empty_response(void)
{
	return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
}

/** A buffer that grew inside the heap leaves a hole there, of up to all its size, that glibc keeps:
 * idle memory would depend on what was asked for. */
static void free_large(void *bytes)
{
	free(bytes);
	blocks_trim_heap();
}

/** Takes the body out of r, whatever happens. */
static struct MHD_Response *make_response(struct http_reply *r)
{
	struct MHD_Response *response = NULL;
	size_t n = 0;
	void *bytes;
	switch (r->kind) {
	case BODY_BUF:
		bytes = buf_take(&r->body, &n);
		if (!bytes)
			return empty_response();
		response = MHD_create_response_from_buffer_with_free_callback(
			n, bytes, n > HTTP_REPLY_LARGE_BYTES ? free_large : free);
		if (!response)
			free(bytes);
		return response;
	case BODY_STATIC: /* libmicrohttpd does not write to persistent memory */
		return MHD_create_response_from_buffer(r->fixed.n, (void *)(uintptr_t)r->fixed.p,
						       MHD_RESPMEM_PERSISTENT);
	case BODY_FILE:
		if (r->n == 0)
			return empty_response();
		response = MHD_create_response_from_fd_at_offset64(r->n, r->fd, r->first);
		if (response)
			fd_take(&r->fd);
		return response;
	case BODY_NONE:
		break;
	}
	return empty_response();
}

static void add_security_headers(struct MHD_Response *response, const char *content_type)
{
	struct span type = span_str(content_type);
	if (!span_starts(type, SPAN("text/html")) && !span_starts(type, SPAN("application/json")))
		return;
	MHD_add_response_header(response, "Content-Security-Policy",
				"default-src 'self'; object-src 'none'; base-uri 'none'; "
				"form-action 'none'; frame-ancestors 'none'");
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
}

static void add_headers(struct MHD_Response *response, const struct http_reply *r,
			const struct http *h)
{
	MHD_add_response_header(response, "Server", h->server_header);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (r->content_type) {
		MHD_add_response_header(response, "Content-Type", r->content_type);
		add_security_headers(response, r->content_type);
	}
	struct span rest = buf_span(&r->headers);
	while (rest.n > 0) {
		struct span name = span_cut(&rest, '\0');
		struct span value = span_cut(&rest, '\0');
		/* a refusal in place of a file: the body's own type counts */
		if (r->content_type && span_eq_nocase(name, SPAN("Content-Type")))
			continue;
		MHD_add_response_header(response, name.p, value.p);
	}
}

static size_t waiting_bytes(const struct http_reply *r)
{
	return r->kind == BODY_BUF ? r->body.n : 0;
}

enum MHD_Result http_reply_send(struct http_reply *r)
{
	struct http_req *req = r->req;
	if (r->status == 0 || buf_err(&r->headers) != ERR_OK ||
	    (r->kind == BODY_BUF && buf_err(&r->body) != ERR_OK)) {
		buf_clear(&r->headers);
		http_reply_error(r, 500, "The reply could not be made.");
	}
	if (r->kind != BODY_FILE && req->connection &&
	    !http_connection_hold(req->connection, waiting_bytes(r))) {
		buf_clear(&r->headers);
		http_reply_header(r, "Retry-After", SPAN("5"));
		http_reply_error(r, 503, "Too many replies wait for their readers.");
	}
	if (r->status >= 500)
		counter_add(&req->h->errors_n, 1);
	bool stream = r->kind == BODY_FILE;
	if (stream && r->n > 0 && req->busy)
		http_connection_file(req->connection, r->fd, r->first + r->n);
	struct MHD_Response *response = make_response(r);
	if (!response)
		return MHD_NO;
	add_headers(response, r, req->h);
	unsigned timeout_s = stream ? HTTP_STREAM_IDLE_TIMEOUT_S : req->h->limits.idle_timeout_s;
	MHD_set_connection_option(req->mhd, MHD_CONNECTION_OPTION_TIMEOUT, timeout_s);
	enum MHD_Result result = MHD_queue_response(req->mhd, r->status, response);
	MHD_destroy_response(response);
	return result;
}
