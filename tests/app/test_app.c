/* SPDX-License-Identifier: MIT */
/* The server as a whole: asked from all sides while it starts and while it ends. */
#include "app/app.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/control.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/thread.h"
#include "conf/conf.h"
#include "harness.h"

struct asker {
	struct thread thread;
	_Atomic bool end;
	_Atomic unsigned answers_n;
	struct sockaddr_in address;
	const char *database_dir;
};

static uint16_t free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	EXPECT(bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
	EXPECT(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	return ntohs(a.sin_port);
}

static void ask_http(struct asker *a)
{
	static const char request[] = "GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n"
				      "Connection: close\r\n\r\n";
	struct timeval limit = { .tv_sec = 5 };
	CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char got[4096];

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&a->address, sizeof a->address) != 0 ||
	    send(fd, request, sizeof request - 1, MSG_NOSIGNAL) <= 0)
		return;
	ssize_t n = recv(fd, got, sizeof got, 0);
	if (n > 12 && span_starts(span_of(got, (size_t)n), SPAN("HTTP/1.1 200")))
		atomic_fetch_add(&a->answers_n, 1);
}

static void ask_socket(struct asker *a)
{
	struct buf reply;

	buf_init(&reply, CONTROL_REPLY_MAX_BYTES);
	if (control_ask(a->database_dir, "stats", &reply) == ERR_OK)
		atomic_fetch_add(&a->answers_n, 1);
	buf_fini(&reply);
}

static void http_asker(void *arg)
{
	struct asker *a = arg;

	while (!atomic_load(&a->end))
		ask_http(a);
}

static void socket_asker(void *arg)
{
	struct asker *a = arg;

	while (!atomic_load(&a->end))
		ask_socket(a);
}

TEST_LIMIT(app, questions_while_it_starts_and_ends_do_no_harm, 120)
{
	char database[512], media[512];
	const char *interfaces[] = { "lo" }, *roots[] = { media };
	struct conf conf = { .name = "test",
			     .port = free_port(),
			     .interfaces = { interfaces, 1 },
			     .roots = { roots, 1 },
			     .database_dir = database,
			     .probe_workers = 1,
			     .watch = true,
			     .log_level = LOG_WARN };
	struct asker askers[4] = { 0 };
	unsigned answers_n = 0;

	snprintf(database, sizeof database, "%s/db", test_tmpdir());
	snprintf(media, sizeof media, "%s/media", test_tmpdir());
	EXPECT(mkdir(media, 0700) == 0);
	log_set_level(LOG_WARN);
	for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
		askers[i].address =
			(struct sockaddr_in){ .sin_family = AF_INET,
					      .sin_port = htons(conf.port),
					      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		askers[i].database_dir = database;
		EXPECT_OK(thread_start(&askers[i].thread, "asker",
				       i % 2 ? http_asker : socket_asker, &askers[i]));
	}
	for (unsigned i = 0; i < 10; i++) {
		struct app *app = NULL;
		struct err_info info = { 0 };

		EXPECT_OK(app_start(&conf, &app, &info));
		uint64_t begin_ms = clock_now_ms();
		app_stop(app);
		EXPECT(clock_now_ms() - begin_ms < 10000);
	}
	for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
		atomic_store(&askers[i].end, true);
		thread_join(&askers[i].thread);
		answers_n += atomic_load(&askers[i].answers_n);
	}
	EXPECT(answers_n > 0);
}
