/* SPDX-License-Identifier: MIT */
/* The client: real workers, and workers that crash, hang and lie. */
#include "probe/probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "harness.h"
#include "probe/media_files.h"
#include "probe/probe_worker.h"
#include "schema/probe_fb.h"

static void probe_freep(struct probe **p)
{
	probe_free(*p);
}

static struct probe *client(const char *program, unsigned workers_n, unsigned timeout_ms)
{
	struct probe_options o = { .workers_n = workers_n,
				   .program = program,
				   .timeout_ms = timeout_ms };
	struct err_info info = { 0 };
	struct probe *p = NULL;

	EXPECT_OK(probe_new(&o, &p, &info));
	return p;
}

#define BAD_WORKER PROBE_BINARY_DIR "/probe-bad-worker"

static int null_fd(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Send a name to a bad worker; the tag is the name. */
static void send_name(struct probe *p, const char *name)
{
	CLEANUP(fd_closep) int fd = null_fd();

	EXPECT_OK(probe_send(p, PROBE_FACTS, fd, span_str(name), (void *)(uintptr_t)name));
}

TEST(probe, a_file_is_described_by_a_worker)
{
	CLEANUP(probe_freep) struct probe *p = client(NULL, 1, 0);
	CLEANUP(fd_closep) int fd = media_open("tagged.flac");
	struct probe_result r;
	int tag;

	EXPECT_ERR(ERR_NOTFOUND, probe_recv(p, 0, &r));
	EXPECT_OK(probe_send(p, PROBE_FACTS, fd, SPAN("tagged.flac"), &tag));
	EXPECT_U64(1, probe_pending(p));
	EXPECT_OK(probe_recv(p, 20000, &r));
	EXPECT(r.tag == &tag);
	EXPECT_U64(PROBE_STATUS_OK, r.status);
	EXPECT_SPAN(SPAN("The Album"), probe_reply_album(r.facts));
	EXPECT_U64(3, probe_reply_artists(r.facts).n);
	EXPECT_SPAN(SPAN("audio/flac"), probe_reply_mime_type(r.facts));
	EXPECT_U64(0, probe_pending(p));
	EXPECT_ERR(ERR_NOTFOUND, probe_recv(p, 0, &r));
}

/* The setting reaches the worker, and its sandbox lets libc read its tables. */
TEST(probe, encoding_of_old_tags_is_what_was_configured)
{
	static const struct {
		const char *file;
		enum text_encoding encoding;
		struct span title;
	} files[] = {
		{ "gbk.mp3", TEXT_AUTO, SPAN("\xc3\x96\xc3\x9c\xc2\xbd\xc3\x9c\xc3\x82\xc3\x97") },
		{ "gbk.mp3", TEXT_GBK, SPAN("\xe5\x91\xa8\xe6\x9d\xb0\xe4\xbc\xa6") },
		{ "cp1251.mp3", TEXT_AUTO, SPAN("\xd0\x9a\xd0\xb8\xd0\xbd\xd0\xbe") },
		{ "cp1251.mp3", TEXT_LATIN1, SPAN("\xc3\x8a\xc3\xa8\xc3\xad\xc3\xae") },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct probe_options o = { .workers_n = 1, .tag_encoding = files[i].encoding };
		CLEANUP(probe_freep) struct probe *p = NULL;
		CLEANUP(fd_closep) int fd = media_open(files[i].file);
		struct probe_result r;

		EXPECT_OK(probe_new(&o, &p, NULL));
		EXPECT_OK(probe_send(p, PROBE_FACTS, fd, span_str(files[i].file), NULL));
		EXPECT_OK(probe_recv(p, 20000, &r));
		EXPECT_SPAN(files[i].title, probe_reply_title(r.facts));
	}
}

TEST(probe, films_and_odd_files_are_described_inside_the_sandbox)
{
	static const char *const names[] = { "film.ts",	 "film.mp4", "film.mkv", "text.ts",
					     "exif.jpg", "zero.mp3", "film.ogv", "film.webm" };
	static const uint8_t status[] = { PROBE_STATUS_OK, PROBE_STATUS_OK,
					  PROBE_STATUS_OK, PROBE_STATUS_NOT_MEDIA,
					  PROBE_STATUS_OK, PROBE_STATUS_BROKEN,
					  PROBE_STATUS_OK, PROBE_STATUS_OK };
	CLEANUP(probe_freep) struct probe *p = client(NULL, 1, 0);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(fd_closep) int fd = media_open(names[i]);
		struct probe_result r;

		EXPECT_OK(probe_send(p, PROBE_FACTS, fd, span_str(names[i]), NULL));
		EXPECT_OK(probe_recv(p, 20000, &r));
		EXPECT_U64(status[i], r.status);
	}
}

TEST(probe, thumbnails_are_made_inside_the_sandbox_and_its_memory)
{
	static const struct {
		const char *name;
		uint8_t status;
	} files[] = {
		{ "large.jpg", PROBE_STATUS_OK },	  { "picture.heic", PROBE_STATUS_OK },
		{ "picture.avif", PROBE_STATUS_OK },	  { "moving.webp", PROBE_STATUS_OK },
		{ "deep.png", PROBE_STATUS_OK },	  { "film.webm", PROBE_STATUS_OK },
		{ "film.ts", PROBE_STATUS_OK },		  { "hevc.mp4", PROBE_STATUS_OK },
		{ "tagged.flac", PROBE_STATUS_OK },	  { "bomb.png", PROBE_STATUS_TOO_LARGE },
		{ "bomb.gif", PROBE_STATUS_TOO_LARGE },	  { "cbr.mp3", PROBE_STATUS_NOT_MEDIA },
		{ "no-frames.mp4", PROBE_STATUS_BROKEN },
	};
	CLEANUP(probe_freep) struct probe *p = client(NULL, 1, 0);

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(fd_closep) int fd = media_open(files[i].name);
		uint64_t start_ms = clock_now_ms();
		struct probe_result r;

		EXPECT_OK(probe_send(p, i % 2 ? PROBE_TN : PROBE_SM, fd, span_str(files[i].name),
				     NULL));
		EXPECT_OK(probe_recv(p, 20000, &r));
		EXPECT_U64(files[i].status, r.status);
		struct span art = probe_reply_art(r.facts);
		EXPECT((art.n > 0) == (r.status == PROBE_STATUS_OK));
		printf("%s: %llu bytes, %llu ms\n", files[i].name, (unsigned long long)art.n,
		       (unsigned long long)(clock_now_ms() - start_ms));
	}
}

TEST(probe, a_picture_larger_than_a_packet_arrives_whole)
{
	CLEANUP(probe_freep) struct probe *p = client(NULL, 1, 0);
	CLEANUP(fd_closep) int fd = media_open("bigart.mp3");
	struct probe_result r;

	for (unsigned i = 0; i < 3; i++) {
		EXPECT_OK(probe_send(p, PROBE_ART, fd, SPAN("bigart.mp3"), NULL));
		EXPECT_OK(probe_recv(p, 20000, &r));
		struct span art = probe_reply_art(r.facts);
		EXPECT_U64(600004, art.n);
		EXPECT_U64('x', (uint8_t)art.p[art.n - 1]);
		EXPECT_SPAN(SPAN("image/jpeg"), probe_reply_art_mime_type(r.facts));
	}
}

/* Ctrl-C and systemd signal the whole group. The server decides what ends when; a file that was
 * being read must not count as one that crashes its reader. */
TEST(probe, a_signal_to_the_group_costs_no_file)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	CLEANUP(probe_freep) struct probe *p = client(BAD_WORKER, 1, 0);
	struct probe_result r;

	EXPECT(setpgid(0, 0) == 0);
	send_name(p, "fine"); /* now the worker is ready */
	EXPECT_OK(probe_recv(p, 20000, &r));
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		(void)signal(signals[i], SIG_IGN);
		send_name(p, "slow");
		EXPECT(kill(0, signals[i]) == 0);
		EXPECT_OK(probe_recv(p, 20000, &r));
		EXPECT_U64(PROBE_STATUS_OK, r.status);
	}
}

TEST_LIMIT(probe, many_files_keep_all_workers_busy_and_each_comes_back_once, 120)
{
	enum { FILES = 500 };
	static uint8_t seen[FILES];
	CLEANUP(probe_freep) struct probe *p = client(NULL, 2, 0);
	CLEANUP(fd_closep) int fd = media_open("tagged.mp3");
	unsigned sent = 0;
	unsigned got = 0;

	while (got < FILES) {
		struct probe_result r;
		enum err e = ERR_OK;

		while (sent < FILES && e == ERR_OK) {
			e = probe_send(p, PROBE_FACTS, fd, SPAN("a.mp3"), &seen[sent]);
			sent += e == ERR_OK;
		}
		EXPECT(e == ERR_OK || e == ERR_BUSY);
		EXPECT_OK(probe_recv(p, 20000, &r));
		EXPECT_U64(PROBE_STATUS_OK, r.status);
		EXPECT_U64(0, (*(uint8_t *)r.tag)++);
		got++;
	}
	EXPECT_U64(0, probe_pending(p));
}

TEST(probe, a_crash_costs_one_file_and_the_others_are_sent_again)
{
	CLEANUP(probe_freep) struct probe *p = client(BAD_WORKER, 1, 5000);
	static const char *const names[] = { "first", "crash", "third", "fourth" };
	unsigned results = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		send_name(p, names[i]);
	CLEANUP(fd_closep) int fd = null_fd();
	EXPECT_ERR(ERR_BUSY, probe_send(p, PROBE_FACTS, fd, SPAN("fifth"), NULL));
	for (struct probe_result r; probe_recv(p, 10000, &r) == ERR_OK; results++) {
		bool crashed = span_eq(span_str(r.tag), SPAN("crash"));

		EXPECT_U64(crashed ? PROBE_STATUS_CRASHED : PROBE_STATUS_OK, r.status);
		EXPECT_SPAN(crashed ? SPAN("") : span_str(r.tag), probe_reply_title(r.facts));
	}
	EXPECT_U64(4, results);
}

TEST(probe, every_kind_of_nonsense_costs_the_one_file)
{
	static const char *const names[] = { "wrong-sequence", "wrong-size", "not-a-reply", "short",
					     "quit" };
	CLEANUP(probe_freep) struct probe *p = client(BAD_WORKER, 2, 5000);
	struct probe_result r;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		send_name(p, names[i]);
		EXPECT_OK(probe_recv(p, 10000, &r));
		EXPECT_STR(names[i], (const char *)r.tag);
		EXPECT_U64(PROBE_STATUS_CRASHED, r.status);
	}
	send_name(p, "good");
	EXPECT_OK(probe_recv(p, 10000, &r));
	EXPECT_U64(PROBE_STATUS_OK, r.status);
}

TEST(probe, a_hang_ends_after_its_time_and_wakes_a_poller)
{
	CLEANUP(probe_freep) struct probe *p = client(BAD_WORKER, 1, 1500);
	uint64_t start_ms = clock_now_ms();
	struct probe_result r;
	enum err e;

	send_name(p, "hang");
	send_name(p, "good");
	EXPECT_ERR(ERR_TIMEOUT, probe_recv(p, 0, &r));
	EXPECT_ERR(ERR_TIMEOUT, probe_recv(p, 50, &r));
	do {
		struct pollfd poll_fd = { .fd = probe_poll_fd(p), .events = POLLIN };

		EXPECT_U64(1, (uint64_t)poll(&poll_fd, 1, 20000));
		e = probe_recv(p, 0, &r);
	} while (e == ERR_TIMEOUT);
	EXPECT_OK(e);
	EXPECT_STR("hang", (const char *)r.tag);
	EXPECT_U64(PROBE_STATUS_TIMEOUT, r.status);
	EXPECT(clock_now_ms() - start_ms >= 1500);
	EXPECT_OK(probe_recv(p, 20000, &r));
	EXPECT_STR("good", (const char *)r.tag);
}

TEST(probe, many_crashes_do_not_stop_the_others)
{
	CLEANUP(probe_freep) struct probe *p = client(BAD_WORKER, 2, 5000);
	unsigned sent = 0;
	unsigned good = 0;
	unsigned crashed = 0;

	while (good + crashed < 40) {
		struct probe_result r;
		CLEANUP(fd_closep) int fd = null_fd();

		while (sent < 40 &&
		       probe_send(p, PROBE_FACTS, fd, sent % 4 == 1 ? SPAN("crash") : SPAN("good"),
				  NULL) == ERR_OK)
			sent++;
		EXPECT_OK(probe_recv(p, 20000, &r));
		good += r.status == PROBE_STATUS_OK;
		crashed += r.status == PROBE_STATUS_CRASHED;
	}
	EXPECT_U64(30, good);
	EXPECT_U64(10, crashed);
}

/* stderr goes into a file of the case from here on. */
static void catch_stderr(void)
{
	char path[256];

	snprintf(path, sizeof path, "%s/log", test_tmpdir());
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	EXPECT(dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	close(fd);
}

/* How many lines of it hold this. */
static unsigned lines_with(const char *text)
{
	char path[256];
	char line[2048];
	unsigned n = 0;

	snprintf(path, sizeof path, "%s/log", test_tmpdir());
	FILE *f = fopen(path, "re");
	EXPECT(f != NULL);
	while (fgets(line, sizeof line, f))
		n += strstr(line, text) != NULL;
	fclose(f);
	return n;
}

/* Files of a program that does not work come back soon, and no file is to blame. */
static void expect_unavailable(struct probe *p, unsigned files_n)
{
	uint64_t begin_ms = clock_now_ms();
	struct probe_result r;

	for (unsigned i = 0; i < files_n; i++) {
		send_name(p, "good");
		EXPECT_OK(probe_recv(p, 20000, &r));
		EXPECT_STR("good", (const char *)r.tag);
		EXPECT_U64(PROBE_STATUS_UNAVAILABLE, r.status);
	}
	EXPECT(clock_now_ms() - begin_ms < PROBE_RETRY_MS);
	EXPECT_U64(0, probe_pending(p));
}

TEST(probe, a_program_that_ends_at_once_blames_no_file)
{
	char path[256];

	snprintf(path, sizeof path, "%s/never-starts", test_tmpdir());
	EXPECT(symlink(BAD_WORKER, path) == 0);
	CLEANUP(probe_freep) struct probe *p = client(path, 2, 1000);
	catch_stderr();
	expect_unavailable(p, 100);
	EXPECT_U64(1, lines_with("salver-probe cannot be started: "));
	EXPECT_U64(1, lines_with("it ends before it is ready; files are listed by name until"));
}

TEST(probe, a_program_that_is_missing_or_may_not_run_blames_no_file)
{
	char path[256];

	snprintf(path, sizeof path, "%s/salver-probe", test_tmpdir());
	CLEANUP(probe_freep) struct probe *p = client(path, 2, 1000);
	catch_stderr();
	expect_unavailable(p, 100);
	EXPECT_U64(1, lines_with("salver-probe cannot be started: "));
	EXPECT_U64(1, lines_with("No such file or directory"));
	close(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	CLEANUP(probe_freep) struct probe *q = client(path, 1, 1000);
	expect_unavailable(q, 10);
	EXPECT_U64(1, lines_with("Permission denied"));
}

TEST(probe, a_program_that_is_installed_later_is_used)
{
	char path[256];
	struct probe_result r;
	struct pollfd nothing = { .fd = -1 };

	snprintf(path, sizeof path, "%s/salver-probe", test_tmpdir());
	CLEANUP(probe_freep) struct probe *p = client(path, 2, 1000);
	expect_unavailable(p, 3);
	EXPECT(symlink(BAD_WORKER, path) == 0);
	(void)poll(&nothing, 1, PROBE_RETRY_MS + 50);
	send_name(p, "good");
	EXPECT_OK(probe_recv(p, 20000, &r));
	EXPECT_U64(PROBE_STATUS_OK, r.status);
}

/* The one child of this process, or 0. */
static pid_t only_child(void)
{
	char text[64] = { 0 };
	char path[64];

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t pid = 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	if (n <= 0 ||
	    num_parse_u64(span_trim(span_of(text, (size_t)n)), 1, INT32_MAX, &pid) != ERR_OK)
		return 0;
	return (pid_t)pid;
}

TEST(probe, idle_workers_end_and_start_again_on_demand)
{
	CLEANUP(probe_freep) struct probe *p = client(BAD_WORKER, 1, 5000);
	struct probe_result r;

	EXPECT_U64(0, (uint64_t)only_child());
	send_name(p, "good");
	EXPECT_OK(probe_recv(p, 10000, &r));
	EXPECT(only_child() > 0);
	probe_reap_idle(p);
	EXPECT(only_child() > 0);
	struct pollfd nothing = { .fd = -1 };
	(void)poll(&nothing, 1, PROBE_IDLE_EXIT_MS + 50);
	/* it is killed at once; a busy machine may take a while to give it back */
	for (unsigned tries = 0; tries < 400; tries++) {
		probe_reap_idle(p);
		if (only_child() == 0)
			break;
		(void)poll(&nothing, 1, 50);
	}
	EXPECT_U64(0, (uint64_t)only_child());
	send_name(p, "good");
	EXPECT_OK(probe_recv(p, 10000, &r));
	EXPECT_U64(PROBE_STATUS_OK, r.status);
}

TEST(probe, a_killed_worker_is_replaced)
{
	CLEANUP(probe_freep) struct probe *p = client(BAD_WORKER, 1, 5000);
	struct probe_result r;

	send_name(p, "good");
	EXPECT_OK(probe_recv(p, 10000, &r));
	EXPECT(kill(only_child(), SIGKILL) == 0);
	/* Not noticed by the client, but over: until then a file sent to it would be to blame. */
	struct pollfd gone = { .fd = probe_poll_fd(p), .events = POLLIN };
	EXPECT_U64(1, (uint64_t)poll(&gone, 1, 20000));
	send_name(p, "again");
	EXPECT_OK(probe_recv(p, 10000, &r));
	EXPECT_STR("again", (const char *)r.tag);
	EXPECT_U64(PROBE_STATUS_OK, r.status);
}

/* In a process of its own: start a worker, tell its pid, wait to be killed. */
NORETURN static void be_a_server(int tell_fd)
{
	CLEANUP(probe_freep) struct probe *p = client(NULL, 1, 0);
	struct probe_result r;

	send_name(p, "no file at all");
	EXPECT_OK(probe_recv(p, 20000, &r));
	EXPECT_U64(PROBE_STATUS_NOT_MEDIA, r.status);
	pid_t worker = only_child();
	EXPECT(write(tell_fd, &worker, sizeof worker) == sizeof worker);
	for (;;)
		pause();
}

TEST(probe, workers_die_with_the_server)
{
	int ends[2];
	pid_t worker = 0;

	EXPECT(pipe2(ends, O_CLOEXEC) == 0);
	pid_t server = fork();
	if (server == 0)
		be_a_server(ends[1]);
	EXPECT(read(ends[0], &worker, sizeof worker) == sizeof worker && worker > 0);
	CLEANUP(fd_closep) int worker_fd = (int)syscall(SYS_pidfd_open, worker, 0);
	EXPECT(worker_fd >= 0);
	EXPECT(kill(server, SIGKILL) == 0);
	struct pollfd gone = { .fd = worker_fd, .events = POLLIN };
	EXPECT_U64(1, (uint64_t)poll(&gone, 1, 20000));
	(void)waitpid(server, NULL, 0);
}

/* Not in builds with sanitizers: they cannot work in a sandbox. */
TEST(probe, the_sandbox_forbids_network_writing_and_programs)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	test_skip("built with a sanitizer");
#else
	FILE *out = popen(PROBE_BINARY_DIR "/salver-probe --self-test", "r");
	char line[256];
	unsigned lines = 0;

	EXPECT(out != NULL);
	while (fgets(line, sizeof line, out)) {
		fputs(line, stdout);
		EXPECT(!span_contains(span_str(line), SPAN("POSSIBLE")));
		lines++;
	}
	int status = pclose(out);
	if (lines == 1)
		test_skip("this system forbids seccomp");
	EXPECT_U64(0, (uint64_t)status);
	EXPECT(lines >= 10);
#endif
}
