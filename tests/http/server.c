/* SPDX-License-Identifier: MIT */
/* The server that the tests of src/http ask. */
#include "server.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "harness.h"

static char file_path[256];

static void serve_echo(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	struct buf b;
	struct span agent = SPAN("-");
	(void)ctx;
	buf_init(&b, 1u << 20);
	http_req_header(req, "user-agent", &agent);
	buf_addf(&b, "path=%.*s query=%.*s agent=%.*s local=%.*s peer=%.*s body=",
		 SPAN_ARG(http_req_path(req)), SPAN_ARG(http_req_query(req)), SPAN_ARG(agent),
		 SPAN_ARG(http_req_local(req)), SPAN_ARG(http_req_peer(req)));
	buf_add(&b, http_req_body(req));
	http_reply_status(reply, 200);
	http_reply_header(reply, "X-Test", SPAN("one\r\nX-Injected: two"));
	http_reply_body(reply, "text/plain", &b);
	buf_fini(&b);
}

static void serve_page(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	(void)ctx, (void)req;
	http_reply_status(reply, 200);
	http_reply_static(reply, "text/html; charset=utf-8", SPAN("<p>hello</p>"));
}

static void serve_file(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	(void)ctx, (void)req;
	http_reply_status(reply, 206);
	http_reply_file(reply, open(file_path, O_RDONLY | O_CLOEXEC), 1, FILE_BYTES - 1);
}

static void serve_nothing(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	(void)ctx, (void)req, (void)reply;
}

static void serve_large(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	struct buf b;
	(void)ctx, (void)req;
	buf_init(&b, LARGE_BYTES);
	char *room = buf_room(&b, LARGE_BYTES);
	EXPECT(room != NULL);
	memset(room, 'x', LARGE_BYTES);
	b.n = LARGE_BYTES;
	http_reply_status(reply, 200);
	http_reply_body(reply, "text/plain", &b);
	buf_fini(&b);
}

static void serve_unchanged(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	(void)ctx, (void)req;
	http_reply_status(reply, 304);
	http_reply_header(reply, "ETag", SPAN("\"x\""));
	http_reply_static(reply, "text/plain", SPAN("hello"));
}

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct http_reply *replies[HTTP_SUSPENDED_MAX];
	unsigned first, n;
} later = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void serve_later(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	(void)ctx, (void)req;
	if (!http_reply_suspend(reply)) {
		http_reply_error(reply, 503, "Too many wait.");
		return;
	}
	pthread_mutex_lock(&later.lock);
	later.replies[(later.first + later.n++) % HTTP_SUSPENDED_MAX] = reply;
	pthread_cond_broadcast(&later.changed);
	pthread_mutex_unlock(&later.lock);
}

void server_wait_suspended(unsigned n)
{
	pthread_mutex_lock(&later.lock);
	while (later.n < n)
		pthread_cond_wait(&later.changed, &later.lock);
	pthread_mutex_unlock(&later.lock);
}

void server_resume(void)
{
	pthread_mutex_lock(&later.lock);
	EXPECT(later.n > 0);
	struct http_reply *reply = later.replies[later.first];
	later.first = (later.first + 1) % HTTP_SUSPENDED_MAX;
	later.n--;
	pthread_mutex_unlock(&later.lock);
	http_reply_status(reply, 200);
	http_reply_static(reply, "text/plain", SPAN("done"));
	http_reply_resume(reply);
}

struct http *server_new(const struct http_options *options)
{
	struct err_info info;
	struct http *h = NULL;
	EXPECT_OK(http_new(options, &h, &info));
	EXPECT_OK(http_route(h, "/echo/", HTTP_GET | HTTP_POST, serve_echo, NULL));
	EXPECT_OK(http_route(h, "/echo/only-post", HTTP_POST, serve_echo, NULL));
	EXPECT_OK(http_route(h, "/event", HTTP_SUBSCRIBE | HTTP_UNSUBSCRIBE, serve_echo, NULL));
	EXPECT_OK(http_route(h, "/", HTTP_GET, serve_page, NULL));
	EXPECT_OK(http_route(h, "/file", HTTP_GET, serve_file, NULL));
	EXPECT_OK(http_route(h, "/large", HTTP_GET, serve_large, NULL));
	EXPECT_OK(http_route(h, "/unchanged", HTTP_GET, serve_unchanged, NULL));
	EXPECT_OK(http_route(h, "/later", HTTP_GET | HTTP_POST, serve_later, NULL));
	EXPECT_OK(http_route(h, "/nothing", HTTP_GET, serve_nothing, NULL));
	return h;
}

struct http *server_start(const struct http_limits *limits)
{
	static const char *const interfaces[] = { "lo" };
	static const char *const names[] = { "media.example" };
	struct http_options options = {
		.interfaces = interfaces, .interfaces_n = 1, .host_names = names, .host_names_n = 1
	};
	struct err_info info = { 0 };
	struct http *h = server_new(&options);
	if (limits)
		h->limits = *limits;
	EXPECT_OK(http_start(h, &info));
	EXPECT(http_port(h) != 0);
	return h;
}

void server_cut_file(uint64_t size)
{
	EXPECT(truncate(file_path, (off_t)size) == 0);
}

uint8_t server_file_byte(uint64_t i)
{
	return (uint8_t)(i * 7 % 251);
}

void server_make_file(void)
{
	snprintf(file_path, sizeof file_path, "%s/stream", test_tmpdir());
	FILE *f = fopen(file_path, "we");
	EXPECT(f != NULL);
	for (unsigned i = 0; i < FILE_BYTES; i++)
		putc(server_file_byte(i), f);
	fclose(f);
}

unsigned server_status_of(struct http *h, const char *request)
{
	struct answer a;
	client_ask(http_port(h), request, &a);
	client_answer_fini(&a);
	return a.status;
}
