/* SPDX-License-Identifier: MIT */
/* The server itself: options, start, stop, routes, and libmicrohttpd's callbacks. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/version.h"
#include "http/http_priv.h"

/* ---- set-up ---- */

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static enum err append(char ***list, size_t *n, const char *text)
{
	char **grown = realloc(*list, (*n + 1) * sizeof *grown);
	if (!grown)
		return ERR_NOMEM;
	*list = grown;
	grown[*n] = strdup(text);
	if (!grown[*n])
		return ERR_NOMEM;
	(*n)++;
	return ERR_OK;
}

static enum err take_names(struct http *h, const struct http_options *options)
{
	char own[256] = "";
	enum err e = append(&h->host_names, &h->host_names_n, "localhost");
	if (e == ERR_OK && gethostname(own, sizeof own - 1) == 0 && own[0] != '\0')
		e = append(&h->host_names, &h->host_names_n, own);
	if (e == ERR_OK && options->server_name && options->server_name[0] != '\0')
		e = append(&h->host_names, &h->host_names_n, options->server_name);
	for (size_t i = 0; i < options->host_names_n && e == ERR_OK; i++)
		e = append(&h->host_names, &h->host_names_n, options->host_names[i]);
	for (size_t i = 0; i < options->interfaces_n && e == ERR_OK; i++)
		e = append(&h->interfaces, &h->interfaces_n, options->interfaces[i]);
	return e;
}

static void http_freep(struct http **h)
{
	http_free(*h);
}

enum err http_new(const struct http_options *options, struct http **out, struct err_info *info)
{
	CLEANUP(http_freep) struct http *h = calloc(1, sizeof *h);
	if (!h)
		return err_set(info, ERR_NOMEM, 0, "no memory for the HTTP server");
	mutex_init(&h->lock);
	cond_init(&h->changed);
	http_workers_init(h);
	h->port = options->port;
	h->limits = (struct http_limits){ .connections_n = HTTP_CONNECTIONS_MAX,
					  .per_address_n = HTTP_CONNECTIONS_PER_ADDRESS_MAX,
					  .idle_timeout_s = HTTP_IDLE_TIMEOUT_S,
					  .header_timeout_ms = HTTP_HEADER_TIMEOUT_S * 1000 };
	h->reply_limits =
		(struct http_reply_limits){ .all_bytes = HTTP_REPLIES_MAX_BYTES,
					    .per_address_bytes = HTTP_REPLIES_PER_ADDRESS_MAX_BYTES,
					    .timeout_ms = HTTP_REPLY_TIMEOUT_S * 1000,
					    .slowest_bytes = HTTP_REPLY_SLOWEST_BYTES };
	struct utsname system = { 0 };
	struct span version = SPAN(SALVER_VERSION);
	uname(&system);
	snprintf(h->server_header, sizeof h->server_header, "Linux/%s UPnP/1.0 salver/%.*s",
		 system.release, (int)span_rfind(version, '.'), version.p);
	if (take_names(h, options) != ERR_OK)
		return err_set(info, ERR_NOMEM, 0, "no memory for the HTTP server");
	*out = TAKE(h);
	return ERR_OK;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	http_stop(h, 0);
	free_list(h->interfaces, h->interfaces_n);
	free_list(h->host_names, h->host_names_n);
	for (size_t i = 0; i < h->routes_n; i++)
		free(h->routes[i].path);
	http_workers_fini(h);
	cond_fini(&h->changed);
	mutex_fini(&h->lock);
	free(h);
}

uint16_t http_port(const struct http *h)
{
	return h->port;
}

/* ---- routes ---- */

enum err http_route(struct http *h, const char *path, unsigned methods, http_handler *handler,
		    void *ctx)
{
	if (h->routes_n == HTTP_ROUTES_MAX)
		return ERR_LIMIT;
	size_t n = strlen(path);
	if (n == 0 || path[0] != '/')
		return ERR_INVALID;
	char *copy = strdup(path);
	if (!copy)
		return ERR_NOMEM;
	h->routes[h->routes_n++] =
		(struct http_route){ .path = copy,
				     .path_n = n,
				     .prefix = n > 1 && path[n - 1] == '/',
				     .methods = methods | (methods & HTTP_GET ? HTTP_HEAD : 0),
				     .handler = handler,
				     .ctx = ctx };
	return ERR_OK;
}

static const struct http_route *find_route(const struct http *h, struct span path)
{
	const struct http_route *best = NULL;
	for (size_t i = 0; i < h->routes_n; i++) {
		const struct http_route *r = &h->routes[i];
		struct span want = span_of(r->path, r->path_n);
		bool hit = r->prefix ? span_starts(path, want) : span_eq(path, want);
		if (hit && (!best || r->path_n > best->path_n))
			best = r;
	}
	return best;
}

static void refuse_method(struct http_reply *reply, unsigned methods)
{
	static const char *const names[] = { "GET",    "HEAD",	    "POST",	  "PUT",
					     "DELETE", "SUBSCRIBE", "UNSUBSCRIBE" };
	char allow[96] = "";
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (methods & (1u << i))
			n += (size_t)snprintf(allow + n, sizeof allow - n, "%s%s", n ? ", " : "",
					      names[i]);
	http_reply_header(reply, "Allow", span_of(allow, n));
	http_reply_error(reply, 405, "This method is not offered here.");
}

static void make_reply(struct http_req *req)
{
	struct http_reply *reply = &req->reply;
	const struct http_route *route =
		req->refuse_status == 0 ? find_route(req->h, buf_span(&req->path)) : NULL;
	if (req->refuse_status != 0) {
		counter_add(&req->h->refused_n, 1);
		http_reply_error(reply, req->refuse_status, req->refuse_text);
	} else if (!route) {
		http_reply_error(reply, 404, "Nothing is here.");
	} else if (!(route->methods & (unsigned)req->method)) {
		refuse_method(reply, route->methods);
	} else {
		route->handler(route->ctx, req, reply);
	}
}

static enum MHD_Result answer(struct http_req *req)
{
	make_reply(req);
	/* Suspended: another thread has it, which may be done by now. We are called again. */
	return req->suspended ? MHD_YES : http_reply_send(&req->reply);
}

/* ---- libmicrohttpd's callbacks ---- */

static void *on_target(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	return http_req_new(cls, mhd, uri);
}

static size_t keep_escaped(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls, (void)mhd;
	return strlen(text); /* request.c decodes, after the query was cut off */
}

static bool announced_too_large(const struct http_req *req)
{
	struct span value;
	uint64_t n;
	return http_req_header(req, "Content-Length", &value) &&
	       num_parse_u64(value, 0, HTTP_BODY_MAX_BYTES, &n) != ERR_OK;
}

/** The request line and headers are there. */
static enum MHD_Result on_headers(struct http_req *req, const char *method, const char *version)
{
	req->started = true;
	counter_add(&req->h->requests_n, 1);
	http_req_check(req, method, version);
	if (!req->unframed && !announced_too_large(req))
		return MHD_YES;
	if (req->refuse_status == 0) {
		req->refuse_status = 413;
		req->refuse_text = "The request's body is too large.";
	}
	return answer(req); /* now: the body is not waited for */
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_n, void **con_cls)
{
	struct http_req *req = *con_cls;
	(void)cls, (void)mhd, (void)url;
	if (!req)
		return MHD_NO;
	if (!req->started)
		return on_headers(req, method, version);
	if (req->suspended) /* and resumed */
		return http_reply_send(&req->reply);
	if (*data_n > 0) {
		/* A chunked body announces no length; what is too much is read and dropped until
		 * the reaper's deadline. */
		buf_add(&req->body, span_of(data, *data_n));
		*data_n = 0;
		return MHD_YES;
	}
	if (buf_err(&req->body) != ERR_OK && req->refuse_status == 0) {
		req->refuse_status = 413;
		req->refuse_text = "The request's body is too large.";
	}
	if (req->connection && !req->busy) {
		req->busy = true;
		http_connection_busy(req->connection);
	}
	return answer(req);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
			 enum MHD_RequestTerminationCode code)
{
	struct http_req *req = *con_cls;
	(void)cls, (void)mhd, (void)code;
	if (req && req->busy)
		http_connection_waiting(req->connection);
	http_req_free(req);
	*con_cls = NULL;
}

static void on_log(void *cls, const char *fmt, va_list args)
{
	char line[256];
	(void)cls;
	vsnprintf(line, sizeof line, fmt, args);
	log_debug(LOG_HTTP, "libmicrohttpd: %s", QUOTE(span_trim(span_str(line))));
}

/* ---- start and stop ---- */

/** Two descriptors for each streaming client, and the rest of the program. */
static void raise_descriptor_limit(const struct http *h)
{
	struct rlimit limit;
	rlim_t want = 2 * (rlim_t)h->limits.connections_n + 512;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = MIN(want, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < want)
		log_warn(LOG_HTTP,
			 "only %llu open files are allowed; many clients at once may fail",
			 (unsigned long long)limit.rlim_cur);
}

struct MHD_Daemon *http_daemon_start(struct http_worker *w)
{
	struct http *h = w->h;
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
			 MHD_ALLOW_SUSPEND_RESUME;
	/* All limits are for all workers together, and so not libmicrohttpd's. */
	return MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, h,
		MHD_OPTION_CONNECTION_LIMIT, h->limits.connections_n + HTTP_GIVEN_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, h->limits.idle_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_MEMORY_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, http_connection_notify, w,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_URI_LOG_CALLBACK,
		on_target, h, MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL, MHD_OPTION_END);
}

enum err http_start(struct http *h, struct err_info *info)
{
	enum err e = http_listen(h, h->port, &h->listen_fd, info);
	if (e != ERR_OK)
		return e;
	raise_descriptor_limit(h);
	e = thread_start(&h->reaper, "http-reaper", http_reaper_run, h);
	if (e == ERR_OK)
		e = http_workers_start(h);
	if (e == ERR_OK)
		return ERR_OK;
	http_stop(h, 0);
	return err_set(info, e, 0, "cannot start the HTTP server on port %u: %s", (unsigned)h->port,
		       err_name(e));
}

void http_stop(struct http *h, unsigned grace_ms)
{
	http_workers_quiesce(h);
	mutex_lock(&h->lock);
	h->stopping = true;
	cond_broadcast(&h->changed);
	mutex_unlock(&h->lock);
	thread_join(&h->reaper);
	http_connections_drain(h, clock_now_ms() + grace_ms);
	http_suspended_drain(h);
	http_workers_end(h);
}

void http_stats_get(struct http *h, struct http_stats *out)
{
	http_connections_count(h);
	*out = (struct http_stats){ .requests_n = counter_get(&h->requests_n),
				    .connections_n = counter_get(&h->connections_n),
				    .bytes_sent = counter_get(&h->bytes_sent),
				    .errors_n = counter_get(&h->errors_n),
				    .refused_n = counter_get(&h->refused_n) };
}
