/* SPDX-License-Identifier: MIT */
/* salver-probe: a worker for the server, or `salver-probe FILE...` for people. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/span.h"
#include "probe/helper/facts_json.h"
#include "probe/helper/sandbox.h"
#include "probe/helper/video.h"
#include "probe/helper/worker.h"
#include "probe/probe.h"
#include "probe/protocol.h"

static const char usage[] =
	"usage: salver-probe [--tag-encoding NAME] FILE...\n"
	"                                  print what is inside media files, as JSON\n"
	"       salver-probe --self-test   show what the sandbox of this system forbids\n"
	"       salver-probe --worker NAME used by salver\n";

/* The directory of the program: its module lies beside it. */
static bool own_dir(char *out, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", out, cap - 1);

	if (n <= 0)
		return false;
	out[span_rfind(span_of(out, (size_t)n), '/')] = '\0';
	return true;
}

static int self_test(const char *library_dir)
{
	sandbox_limit();
	if (!sandbox_lock(library_dir)) {
		printf("this system forbids the sandbox; only limits apply\n");
		return EXIT_FAILURE;
	}
	return sandbox_self_test() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* One file through a worker, exactly as the server does it. */
static bool print_file(struct probe *p, const char *path)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct span name = span_str(path);
	struct probe_result result;

	if (fd < 0) {
		fprintf(stderr, "salver-probe: %s: %s\n", path, strerror(errno));
		return false;
	}
	if (name.n > PROBE_NAME_MAX)
		name = span_skip(name, name.n - PROBE_NAME_MAX);
	enum err e = probe_send(p, PROBE_FACTS, fd, name, NULL);
	if (e == ERR_OK)
		e = probe_recv(p, 2 * PROBE_TIMEOUT_MS, &result);
	if (e != ERR_OK) {
		fprintf(stderr, "salver-probe: %s: %s\n", path, err_name(e));
		return false;
	}
	return facts_json_print(stdout, span_str(path), &result);
}

static void probe_freep(struct probe **p)
{
	probe_free(*p);
}

static int print_files(char **paths, enum text_encoding encoding)
{
	CLEANUP(probe_freep) struct probe *p = NULL;
	struct err_info info = { 0 };
	bool ok = true;
	enum err e = probe_new(&(struct probe_options){ .workers_n = 1,
							.program = "/proc/self/exe",
							.tag_encoding = encoding },
			       &p, &info);

	if (e != ERR_OK) {
		fprintf(stderr, "salver-probe: %s\n", info.text[0] ? info.text : err_name(e));
		return EXIT_FAILURE;
	}
	for (; *paths; paths++)
		ok = print_file(p, *paths) && ok;
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	char library_dir[PATH_MAX] = { 0 };
	enum text_encoding encoding = TEXT_AUTO;

	if (!own_dir(library_dir, sizeof library_dir))
		return EXIT_FAILURE;
	video_init(library_dir);
	if (argc == 3 && span_eq(span_str(argv[1]), SPAN(PROBE_WORKER_ARGUMENT)) &&
	    text_encoding_parse(span_str(argv[2]), &encoding) == ERR_OK)
		return worker_run(PROBE_SOCKET_FD, library_dir, encoding);
	if (argc == 2 && span_eq(span_str(argv[1]), SPAN("--self-test")))
		return self_test(library_dir);
	if (argc > 2 && span_eq(span_str(argv[1]), SPAN("--tag-encoding")) &&
	    text_encoding_parse(span_str(argv[2]), &encoding) == ERR_OK) {
		argv += 2;
		argc -= 2;
	}
	if (argc < 2 || argv[1][0] == '-') {
		fputs(usage, argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	return print_files(argv + 1, encoding);
}
