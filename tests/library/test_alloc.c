/* SPDX-License-Identifier: MIT */
/* Memory runs out at every allocation in turn: the caller is told, nothing is half stored. */
#include <stdatomic.h>
#include <stdlib.h>

#include "harness.h"
#include "library/batch_priv.h"

/* The linker turns every malloc() of the program into __wrap_malloc(), and so on. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);

static _Atomic long countdown; /* the allocation that fails; 0: none */

static bool is_due(void)
{
	return countdown > 0 && atomic_fetch_sub(&countdown, 1) == 1;
}

void *__wrap_malloc(size_t n)
{
	return is_due() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_due() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return is_due() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	return is_due() ? NULL : __real_aligned_alloc(align, n);
}

static void print_finding(void *ctx, const char *line)
{
	(void)ctx;
	printf("check: %s\n", line);
}

static enum err put_some(struct batch *b, unsigned round)
{
	enum err e = batch_root(b, SPAN("/m"), SPAN("m"));
	for (unsigned i = 0; i < 30 && e == ERR_OK; i++) {
		char path[64], name[32];
		snprintf(path, sizeof path, "/m/%u/%u/%u.mp3", round, i % 7, i);
		snprintf(name, sizeof name, "Name %u %u", round, i % 11);
		struct media_file_in in = { .path = span_str(path),
					    .artist = span_str(name),
					    .album = span_str(name),
					    .genre = span_str(name),
					    .year = (uint16_t)(1900 + i),
					    .kind = MEDIA_KIND_AUDIO };
		e = batch_put(b, &in);
	}
	char before[32];
	snprintf(before, sizeof before, "/m/%u", round - 1);
	return e == ERR_OK ? batch_remove_tree(b, span_str(before)) : e;
}

/* Whole or not at all. */
static enum err one_round(struct library *lib, unsigned round)
{
	struct batch *b = NULL;
	enum err e = batch_new(&b);
	if (e == ERR_OK)
		e = put_some(b, round);
	struct batch_result r;
	if (e == ERR_OK)
		e = library_submit_wait(lib, b, &r);
	else
		batch_free(b);
	return e;
}

static bool round_is_stored(struct library *lib, unsigned round)
{
	struct library_snap *sn = library_snap_begin(lib);
	unsigned n = 0;
	for (unsigned i = 0; i < 30; i++) {
		char path[64];
		struct fb_table row;
		snprintf(path, sizeof path, "/m/%u/%u/%u.mp3", round, i % 7, i);
		n += library_media_by_path(sn, span_str(path), &row) == ERR_OK;
	}
	library_snap_end(sn);
	EXPECT(n == 0 || n == 30);
	return n == 30;
}

TEST_LIMIT(library_alloc, a_failed_allocation_fails_the_batch_as_a_whole, 200)
{
	struct library *lib = NULL;
	char dir[256];
	snprintf(dir, sizeof dir, "%s/db", test_tmpdir());
	struct library_options options = { .database_dir = dir };
	EXPECT_OK(library_open(&options, &lib, NULL));
	unsigned failed_n = 0, passed_n = 0;
	unsigned stored = 0; /* the last round that was */
	for (unsigned k = 1; passed_n < 3 && k < 3000; k++) {
		unsigned round = k;
		library_close(lib); /* what an opened store has is allocated once, and kept */
		EXPECT_OK(library_open(&options, &lib, NULL));
		countdown = k;
		enum err e = one_round(lib, round);
		bool hit = countdown <= 0;
		countdown = 0;
		EXPECT(e == ERR_OK || e == ERR_NOMEM);
		EXPECT(round_is_stored(lib, round) == (e == ERR_OK));
		stored = e == ERR_OK ? round : stored;
		failed_n += e != ERR_OK;
		passed_n += !hit;
	}
	printf("%u failed\n", failed_n);
	EXPECT(failed_n > 50);
	EXPECT_U64(3, passed_n);
	EXPECT_OK(library_check(lib, print_finding, NULL));
	library_close(lib);
	EXPECT_OK(library_open(&options, &lib, NULL));
	EXPECT(round_is_stored(lib, stored));
	library_close(lib);
}

TEST_LIMIT(library_alloc, a_failed_allocation_while_opening_is_told, 100)
{
	struct library *lib = NULL;
	char dir[256];
	snprintf(dir, sizeof dir, "%s/db", test_tmpdir());
	struct library_options options = { .database_dir = dir };
	EXPECT_OK(library_open(&options, &lib, NULL));
	EXPECT_OK(one_round(lib, 1));
	library_close(lib);
	for (unsigned k = 1; k < 1000; k++) {
		countdown = k;
		lib = NULL;
		enum err e = library_open(&options, &lib, NULL);
		bool hit = countdown <= 0;
		countdown = 0;
		EXPECT(e == ERR_OK || e == ERR_NOMEM);
		EXPECT((lib != NULL) == (e == ERR_OK));
		if (lib)
			EXPECT(round_is_stored(lib, 1));
		library_close(lib);
		if (!hit)
			return;
	}
	EXPECT(false);
}
