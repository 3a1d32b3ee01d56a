/* SPDX-License-Identifier: MIT */
/* What the whole library takes of private memory, as the system counts it: batches, commits, merges
 * and the column for searches, from a scan's first file on. */
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/blocks.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/thread.h"
#include "harness.h"
#include "library/batch_priv.h"
#include "library/library.h"
#include "library/submit.h"
#include "library/text.h"

#define FILES_N 200000u
#define DIRECTORIES_N 4000u
#define BYTES_MAX (6u << 20) /* the default budget, with all that is not the store's */
#define SAMPLE_MS 1

static struct {
	struct thread thread;
	struct mutex m;
	struct cond stop;
	bool stopping; /* m */
	uint64_t base_bytes;
	_Atomic uint64_t most_bytes;
} watch;

static uint64_t anon_bytes(void)
{
	char text[4096];
	uint64_t kib = 0;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof text);
	close(fd);
	struct span rest = span_of(text, n > 0 ? (size_t)n : 0);
	while (rest.n) {
		struct span line = span_cut(&rest, '\n');
		if (!span_starts(line, SPAN("RssAnon:")))
			continue;
		struct span number = span_trim(span_skip(line, 8));
		EXPECT_OK(num_parse_u64(span_cut(&number, ' '), 1, UINT32_MAX, &kib));
	}
	return kib << 10;
}

static void sample(void)
{
	uint64_t bytes = anon_bytes();
	if (bytes > watch.base_bytes + watch.most_bytes)
		watch.most_bytes = bytes - watch.base_bytes;
}

static void watch_main(void *arg)
{
	(void)arg;
	mutex_lock(&watch.m);
	while (!watch.stopping) {
		sample();
		(void)cond_wait_until(&watch.stop, &watch.m, clock_now_ms() + SAMPLE_MS);
	}
	mutex_unlock(&watch.m);
}

static void watch_begin(void)
{
	mutex_init(&watch.m);
	cond_init(&watch.stop);
	EXPECT_OK(thread_start(&watch.thread, "memory", watch_main, NULL));
	watch.base_bytes = anon_bytes();
}

static void watch_phase_end(const char *phase)
{
	sample();
	printf("%s: %" PRIu64 " KiB\n", phase, watch.most_bytes >> 10);
	EXPECT(watch.most_bytes <= BYTES_MAX);
	watch.most_bytes = 0;
}

static void watch_end(void)
{
	mutex_lock(&watch.m);
	watch.stopping = true;
	cond_signal(&watch.stop);
	mutex_unlock(&watch.m);
	thread_join(&watch.thread);
}

struct scan {
	const char *dir;
	int stop_fd[2];
	struct library *lib;
	struct submit submit;
};

static void scan_open(struct scan *s)
{
	struct library_options o = { .database_dir = s->dir };
	EXPECT_OK(library_open(&o, &s->lib, NULL));
	EXPECT_OK(submit_init(&s->submit, s->lib, s->stop_fd[0]));
	EXPECT_OK(submit_root(&s->submit, SPAN("/media/music"), SPAN("Music")));
}

static void scan_close(struct scan *s)
{
	submit_fini(&s->submit);
	library_close(s->lib);
}

/* Each file is from some other directory than the one before: the most that batches, commits and
 * their dictionaries can need. */
static struct span path_of(uint64_t i, char out[128])
{
	uint64_t k = i * 7919 % FILES_N, d = k % DIRECTORIES_N;
	int n = snprintf(out, 128,
			 "/media/music/Some Artist of Renown %04" PRIu64 "/An Album %05" PRIu64
			 "/%06" PRIu64 " A Song.flac",
			 d / 7, d, k);
	return span_of(out, (size_t)n);
}

static void scan_files(struct scan *s, uint64_t step, unsigned version)
{
	char path[128], artist[64], album[64], title[64];
	for (uint64_t i = 0; i < FILES_N; i += step) {
		uint64_t d = i * 7919 % FILES_N % DIRECTORIES_N;
		struct media_file_in in = { .path = path_of(i, path),
					    .kind = MEDIA_KIND_AUDIO,
					    .size = 1000 + i,
					    .modified = (int64_t)i,
					    .inode = i + 1,
					    .mime_type = SPAN("audio/flac"),
					    .audio_codec = SPAN("flac"),
					    .genre = SPAN("Rock"),
					    .year = (uint16_t)(1950 + d % 70),
					    .track = (uint16_t)(1 + i % 20),
					    .duration_ms = 1000 };
		in.artist = span_of(artist,
				    (size_t)snprintf(artist, sizeof artist,
						     "Some Artist of Renown %04" PRIu64, d / 7));
		in.album_artist = in.composer = in.artist;
		in.album = span_of(album,
				   (size_t)snprintf(album, sizeof album, "An Album %05" PRIu64, d));
		in.title =
			span_of(title, (size_t)snprintf(title, sizeof title,
							"A Song %06" PRIu64 " of %u", i, version));
		EXPECT_OK(submit_put(&s->submit, &in, 0));
	}
	EXPECT_OK(submit_barrier(&s->submit));
}

static void remove_files(struct scan *s, uint64_t step)
{
	char path[128];
	for (uint64_t i = 0; i < FILES_N; i += step)
		EXPECT_OK(submit_remove(&s->submit, path_of(i, path)));
	EXPECT_OK(submit_barrier(&s->submit));
}

TEST_LIMIT(library_memory, stays_within_the_budget_from_a_scan_to_a_search, 100)
{
#ifdef __SANITIZE_ADDRESS__
	test_skip("under AddressSanitizer memory is its own");
#elif defined(__SANITIZE_THREAD__)
	test_skip("under ThreadSanitizer memory is its own");
#endif
	struct scan s = { .dir = test_tmpdir() };
	EXPECT(pipe(s.stop_fd) == 0);
	blocks_limit_heap();
	watch_begin();
	scan_open(&s);
	scan_files(&s, 1, 1);
	watch_phase_end("inserting");
	scan_close(&s);
	scan_open(&s);
	watch_phase_end("opening");
	EXPECT_OK(text_settle(library_text(s.lib)));
	watch_phase_end("building the search column");
	scan_files(&s, 10, 2);
	watch_phase_end("updating");
	remove_files(&s, 10);
	watch_phase_end("removing");
	EXPECT_OK(text_settle(library_text(s.lib)));
	watch_phase_end("building it again");
	scan_close(&s);
	watch_end();
	close(s.stop_fd[0]);
	close(s.stop_fd[1]);
}
