/* SPDX-License-Identifier: MIT */
/* One request: target, headers, body, and the checks that come before any route. */
#include <stdlib.h>

#include "base/url.h"
#include "http/http_priv.h"

#define TARGET_MAX_BYTES HTTP_CONNECTION_MEMORY_BYTES

static const struct {
	struct span name;
	enum http_method method;
} methods[] = {
	{ { "GET", 3 }, HTTP_GET },
	{ { "HEAD", 4 }, HTTP_HEAD },
	{ { "POST", 4 }, HTTP_POST },
	{ { "PUT", 3 }, HTTP_PUT },
	{ { "DELETE", 6 }, HTTP_DELETE },
	{ { "SUBSCRIBE", 9 }, HTTP_SUBSCRIBE },
	{ { "UNSUBSCRIBE", 11 }, HTTP_UNSUBSCRIBE },
};

/** `http://host:port/path` (the form that proxies get, RFC 9112 3.2.2) without what precedes the
 * path; the Host header is what counts. */
static struct span without_authority(struct span target)
{
	if (!span_starts_nocase(target, SPAN("http://")))
		return target;
	struct span rest = span_skip(target, 7);
	return span_skip(rest, span_find(rest, '/'));
}

struct http_req *http_req_new(struct http *h, struct MHD_Connection *mhd, const char *uri)
{
	struct http_req *req = calloc(1, sizeof *req);
	if (!req)
		return NULL;
	req->h = h;
	req->mhd = mhd;
	buf_init(&req->target, TARGET_MAX_BYTES);
	buf_init(&req->path, TARGET_MAX_BYTES);
	buf_init(&req->body, HTTP_BODY_MAX_BYTES);
	http_reply_init(&req->reply, req);
	buf_add(&req->target, without_authority(span_str(uri)));
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	req->connection = info ? info->socket_context : NULL;
	return req;
}

void http_req_free(struct http_req *req)
{
	if (!req)
		return;
	buf_fini(&req->target);
	buf_fini(&req->path);
	buf_fini(&req->body);
	http_reply_fini(&req->reply);
	free(req);
}

static void refuse(struct http_req *req, unsigned status, const char *text)
{
	if (req->refuse_status == 0) {
		req->refuse_status = status;
		req->refuse_text = text;
	}
}

static bool has_dot_dot(struct span path)
{
	while (path.n > 0)
		if (span_eq(span_cut(&path, '/'), SPAN("..")))
			return true;
	return false;
}

static void check_target(struct http_req *req)
{
	struct span target = buf_span(&req->target);
	size_t question = span_find(target, '?');
	req->query = span_skip(target, question + 1);
	if (buf_err(&req->target) != ERR_OK ||
	    url_add_decoded(&req->path, span_first(target, question)) != ERR_OK ||
	    buf_err(&req->path) != ERR_OK)
		refuse(req, 400, "The address of the request is malformed.");
	else if (req->path.n == 0 || req->path.p[0] != '/' || has_dot_dot(buf_span(&req->path)))
		refuse(req, 400, "The path must start with / and must not hold \"..\".");
}

struct header_seen {
	struct span name;
	unsigned n;
	struct span value; /* the last */
	bool differ;
};

static enum MHD_Result see_header(void *cls, enum MHD_ValueKind kind, const char *key,
				  const char *text)
{
	struct header_seen *seen = cls;
	struct span value = span_trim(span_str(text ? text : ""));
	(void)kind;
	if (span_eq_nocase(span_str(key), seen->name)) {
		seen->differ = seen->n > 0 && (seen->differ || !span_eq(seen->value, value));
		seen->n++;
		seen->value = value;
	}
	return MHD_YES;
}

static struct header_seen find_header(struct http_req *req, struct span name)
{
	struct header_seen seen = { .name = name };
	MHD_get_connection_values(req->mhd, MHD_HEADER_KIND, see_header, &seen);
	return seen;
}

/** RFC 9112, 6.1 and 6.3: what a proxy before us may have cut elsewhere (request smuggling).
 * libmicrohttpd takes the first Content-Length, and waits for ever behind other codings. */
static void check_framing(struct http_req *req)
{
	struct header_seen length = find_header(req, SPAN("Content-Length"));
	struct header_seen coding = find_header(req, SPAN("Transfer-Encoding"));
	if (length.differ || (length.n > 0 && coding.n > 0))
		refuse(req, 400, "The request gives its body two lengths.");
	else if (coding.n > 1 || (coding.n == 1 && !span_eq_nocase(coding.value, SPAN("chunked"))))
		refuse(req, 501, "Only the transfer coding \"chunked\" is known here.");
	else
		return;
	req->unframed = true;
}

static void check_host(struct http_req *req, const char *version)
{
	struct header_seen seen = find_header(req, SPAN("Host"));
	if (seen.n > 1)
		refuse(req, 400, "The request has several Host headers.");
	else if (seen.n == 0 && strcmp(version, "HTTP/1.1") == 0)
		refuse(req, 400, "HTTP/1.1 needs a Host header.");
	else if (seen.n == 1 && !http_host_allowed(req->h, seen.value))
		/* A page of some web site whose name was pointed at us (DNS rebinding). */
		refuse(req, 421,
		       "This server does not go by the name in the Host header. Use its address, "
		       "or "
		       "add the name to host_names in the configuration.");
}

void http_req_check(struct http_req *req, const char *method, const char *version)
{
	if (!req->connection || req->connection->refused)
		refuse(req, 403, "This interface is not served.");
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		refuse(req, 505, "HTTP/1.0 and HTTP/1.1 are spoken here.");
	check_framing(req);
	check_host(req, version);
	check_target(req);
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (span_eq(methods[i].name, span_str(method)))
			req->method = methods[i].method;
}

enum http_method http_req_method(const struct http_req *req)
{
	return req->method;
}

struct span http_req_path(const struct http_req *req)
{
	return buf_span(&req->path);
}

struct span http_req_query(const struct http_req *req)
{
	return req->query;
}

struct span http_req_body(const struct http_req *req)
{
	return buf_span(&req->body);
}

bool http_req_header(const struct http_req *req, const char *name, struct span *out)
{
	const char *value = MHD_lookup_connection_value(req->mhd, MHD_HEADER_KIND, name);
	if (!value)
		return false;
	*out = span_str(value);
	return true;
}

struct span http_req_local(const struct http_req *req)
{
	return span_str(req->connection->local_text);
}

struct span http_req_peer(const struct http_req *req)
{
	return span_str(req->connection->peer_text);
}

void http_req_addresses(const struct http_req *req, struct sockaddr_storage *out_local,
			struct sockaddr_storage *out_peer)
{
	*out_local = req->connection->local;
	*out_peer = req->connection->peer;
}
