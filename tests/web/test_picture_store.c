/* SPDX-License-Identifier: MIT */
/* Thumbnails on disk: what is kept, for how long, in how much room; damage, and a full disk. */
#include "web/picture_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <signal.h>

#include "harness.h"

#define MIB (1u << 20)

static struct picture_store *open_store(uint64_t bytes_max)
{
	struct picture_store *s = NULL;
	char dir[256];

	snprintf(dir, sizeof dir, "%s/thumbnails", test_tmpdir());
	EXPECT_OK(picture_store_open(dir, bytes_max, &s));
	return s;
}

static struct picture_key key(uint64_t id, uint64_t version)
{
	return (struct picture_key){ .media_id = id, .version = version, .box = PICTURE_BOX_TN };
}

static void put(struct picture_store *s, uint64_t id, uint64_t version, struct span bytes)
{
	struct picture_key k = key(id, version);

	picture_store_put(s, &k, bytes);
}

/* The picture, or "none" where nothing is known. Lifetime: the next call. */
static struct span get(struct picture_store *s, uint64_t id, uint64_t version)
{
	static struct buf b;
	struct picture_key k = key(id, version);

	buf_fini(&b);
	buf_init(&b, MIB);
	enum err e = picture_store_get(s, &k, &b);
	EXPECT(e == ERR_OK || e == ERR_NOTFOUND);
	return e == ERR_OK ? buf_span(&b) : SPAN("none");
}

static const char *file_of(uint64_t id)
{
	static char path[300];

	snprintf(path, sizeof path, "%s/thumbnails/%02x/%llx.tn", test_tmpdir(),
		 (unsigned)(id & 255), (unsigned long long)id);
	return path;
}

static struct picture_store_stats stats_of(const struct picture_store *s)
{
	struct picture_store_stats st;

	picture_store_stats(s, &st);
	return st;
}

TEST(picture_store, keeps_pictures_over_a_restart)
{
	struct picture_store *s = open_store(MIB);

	EXPECT_SPAN(SPAN("none"), get(s, 5, 1));
	put(s, 5, 1, SPAN("five"));
	put(s, 0x105, 1, SPAN("another"));
	put(s, 6, 1, SPAN("")); /* there is no picture */
	for (unsigned round = 0; round < 2; round++) {
		EXPECT_SPAN(SPAN("five"), get(s, 5, 1));
		EXPECT_SPAN(SPAN("another"), get(s, 0x105, 1));
		EXPECT_SPAN(SPAN(""), get(s, 6, 1));
		EXPECT_SPAN(SPAN("none"), get(s, 7, 1));
		EXPECT_U64(3, stats_of(s).files_n);
		EXPECT_U64(3 * 4096, stats_of(s).bytes);
		picture_store_close(s);
		s = open_store(MIB);
	}
	struct picture_key sm = { .media_id = 5, .version = 1, .box = PICTURE_BOX_SM };
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, MIB);
	EXPECT_ERR(ERR_NOTFOUND, picture_store_get(s, &sm, &b));
	picture_store_close(s);
}

TEST(picture_store, a_changed_file_is_another_picture_in_the_same_place)
{
	struct picture_store *s = open_store(MIB);

	put(s, 5, 1, SPAN("old"));
	EXPECT_SPAN(SPAN("none"), get(s, 5, 2));
	put(s, 5, 2, SPAN("new"));
	EXPECT_SPAN(SPAN("new"), get(s, 5, 2));
	EXPECT_SPAN(SPAN("none"), get(s, 5, 1));
	EXPECT_U64(1, stats_of(s).files_n);
	EXPECT_U64(4096, stats_of(s).bytes);
	picture_store_close(s);
}

static void used_at(uint64_t id, time_t when)
{
	const struct timespec t[2] = { { .tv_sec = when }, { .tv_sec = when } };

	EXPECT(utimensat(AT_FDCWD, file_of(id), t, 0) == 0);
}

TEST(picture_store, what_was_not_used_for_the_longest_time_goes_first)
{
	struct picture_store *s = open_store(64 * 4096);
	char bytes[3000] = { 'x' };

	for (uint64_t id = 1; id <= 64; id++) {
		put(s, id, 1, span_of(bytes, sizeof bytes));
		used_at(id, 1000000 + (time_t)id);
	}
	EXPECT_U64(64, stats_of(s).files_n);
	EXPECT(get(s, 1, 1).n == sizeof bytes); /* used now */
	put(s, 65, 1, span_of(bytes, sizeof bytes));
	EXPECT_U64(56, stats_of(s).files_n); /* seven eighths */
	EXPECT(get(s, 1, 1).n == sizeof bytes && get(s, 65, 1).n == sizeof bytes);
	for (uint64_t id = 2; id <= 10; id++)
		EXPECT_SPAN(SPAN("none"), get(s, id, 1));
	EXPECT(get(s, 11, 1).n == sizeof bytes);
	EXPECT_U64(9, stats_of(s).evictions_n);
	picture_store_close(s);
}

TEST(picture_store, a_smaller_limit_counts_from_the_next_start_and_0_removes_all)
{
	struct picture_store *s = open_store(MIB);

	for (uint64_t id = 1; id <= 200; id++)
		put(s, id, 1, SPAN("picture"));
	EXPECT_U64(200, stats_of(s).files_n);
	picture_store_close(s);
	s = open_store(100 * 4096);
	EXPECT(stats_of(s).bytes <= 100 * 4096);
	EXPECT(stats_of(s).files_n >= 80);
	picture_store_close(s);
	s = open_store(0);
	EXPECT_U64(0, stats_of(s).files_n);
	put(s, 1, 1, SPAN("picture"));
	EXPECT_SPAN(SPAN("none"), get(s, 1, 1));
	EXPECT(access(file_of(1), F_OK) != 0);
	picture_store_close(s);
	s = open_store(MIB);
	EXPECT_U64(0, stats_of(s).files_n);
	picture_store_close(s);
}

TEST(picture_store, more_files_than_one_look_can_remove)
{
	struct picture_store *s = open_store(12000 * 4096);

	for (uint64_t id = 1; id <= 12000; id++)
		put(s, id, 1, SPAN("picture"));
	picture_store_close(s);
	s = open_store(1000 * 4096);
	EXPECT(stats_of(s).files_n <= 1000 && stats_of(s).files_n >= 800);
	EXPECT(stats_of(s).evictions_n >= 11000);
	picture_store_close(s);
}

TEST(picture_store, damage_counts_as_missing_and_is_removed)
{
	struct picture_store *s = open_store(MIB);
	char bytes[500];
	struct stat st;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)test_random();
	for (unsigned round = 0; round < 400; round++) {
		put(s, 5, 1, span_of(bytes, sizeof bytes));
		EXPECT(stat(file_of(5), &st) == 0);
		int fd = open(file_of(5), O_RDWR | O_CLOEXEC);
		EXPECT(fd >= 0);
		off_t at = (off_t)(test_random() % (uint64_t)st.st_size);
		if (round % 4 == 0) {
			EXPECT(ftruncate(fd, at) == 0);
		} else if (round % 4 == 1) {
			EXPECT(pwrite(fd, "more", 4, st.st_size) == 4);
		} else {
			uint8_t byte;
			EXPECT(pread(fd, &byte, 1, at) == 1);
			byte ^= (uint8_t)(1 + test_random() % 255);
			EXPECT(pwrite(fd, &byte, 1, at) == 1);
		}
		close(fd);
		EXPECT_SPAN(SPAN("none"), get(s, 5, 1));
	}
	EXPECT(stats_of(s).damaged_n >= 380); /* a changed version is only another one */
	put(s, 5, 1, span_of(bytes, sizeof bytes));
	EXPECT_SPAN(span_of(bytes, sizeof bytes), get(s, 5, 1));
	EXPECT_U64(1, stats_of(s).files_n);
	picture_store_close(s);
}

TEST(picture_store, foreign_and_unfinished_files_are_left_alone_or_overwritten)
{
	static const char *const names[] = { "new",	 "readme", "05/5.txt",
					     "05/zz.tn", "05/.tn", "05/11112222333344445.tn" };
	struct picture_store *s = open_store(MIB);

	put(s, 5, 1, SPAN("five"));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[300];
		snprintf(path, sizeof path, "%s/thumbnails/%s", test_tmpdir(), names[i]);
		FILE *f = fopen(path, "we");
		EXPECT(f != NULL);
		EXPECT(fputs("what a crash left, or somebody else's", f) >= 0);
		fclose(f);
	}
	picture_store_close(s);
	s = open_store(MIB);
	EXPECT_U64(1, stats_of(s).files_n);
	put(s, 6, 1, SPAN("six"));
	EXPECT_SPAN(SPAN("five"), get(s, 5, 1));
	EXPECT_SPAN(SPAN("six"), get(s, 6, 1));
	picture_store_close(s);
}

TEST(picture_store, a_write_that_fails_leaves_nothing_and_costs_nothing)
{
	struct picture_store *s = open_store(MIB);
	char bytes[2000] = { 'x' };

	put(s, 5, 1, SPAN("five"));
	/* As on a full disk: a file can be made, but not filled. */
	(void)signal(SIGXFSZ, SIG_IGN);
	struct rlimit unlimited, small = { 100, RLIM_INFINITY };
	EXPECT(getrlimit(RLIMIT_FSIZE, &unlimited) == 0);
	EXPECT(setrlimit(RLIMIT_FSIZE, &small) == 0);
	put(s, 6, 1, span_of(bytes, sizeof bytes));
	EXPECT_SPAN(SPAN("none"), get(s, 6, 1));
	EXPECT_SPAN(SPAN("five"), get(s, 5, 1));
	EXPECT_U64(1, stats_of(s).failures_n);
	EXPECT_U64(1, stats_of(s).files_n);
	EXPECT(setrlimit(RLIMIT_FSIZE, &unlimited) == 0);
	put(s, 6, 1, span_of(bytes, sizeof bytes));
	EXPECT_U64(sizeof bytes, get(s, 6, 1).n);
	picture_store_close(s);
}

TEST(picture_store, the_directory_may_vanish_and_a_wrong_one_is_refused)
{
	struct picture_store *s = open_store(MIB), *none = NULL;
	char command[300], path[300];

	put(s, 5, 1, SPAN("five"));
	snprintf(command, sizeof command, "rm -r '%s/thumbnails'", test_tmpdir());
	EXPECT(system(command) == 0);
	EXPECT_SPAN(SPAN("none"), get(s, 5, 1));
	put(s, 5, 1, SPAN("five"));
	EXPECT_SPAN(SPAN("none"), get(s, 5, 1));
	EXPECT_U64(1, stats_of(s).failures_n);
	picture_store_close(s);
	snprintf(path, sizeof path, "%s/no/such/place", test_tmpdir());
	EXPECT_ERR(ERR_NOTFOUND, picture_store_open(path, MIB, &none));
	EXPECT(none == NULL);
}
