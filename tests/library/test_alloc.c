/* SPDX-License-Identifier: MIT */
/* Memory runs out at every allocation in turn: the caller is told, nothing is half stored. */
#include <stdatomic.h>
#include <stdlib.h>

#include "base/thread.h"
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

static enum err put_files(struct batch *b, unsigned round)
{
	enum err e = ERR_OK;
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
	return e;
}

static enum err put_some(struct batch *b, unsigned round)
{
	enum err e = batch_root(b, SPAN("/m"), SPAN("m"));
	if (e == ERR_OK)
		e = put_files(b, round);
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

/* ---- several batches in one transaction ------------------------------------------------------ */

#define SCANNED_N 3

struct scanned {
	struct mutex m;
	struct cond told;
	unsigned told_n; /* under m, like errs */
	struct ticket {
		struct scanned *all;
		enum err err;
	} tickets[SCANNED_N];
};

static void note_done(void *ctx, const struct batch_result *r)
{
	struct ticket *t = ctx;
	mutex_lock(&t->all->m);
	t->err = r->err;
	t->all->told_n++;
	cond_signal(&t->all->told);
	mutex_unlock(&t->all->m);
}

static void scan_round(struct library *lib, struct scanned *all, unsigned k)
{
	struct batch *batches[SCANNED_N];
	*all = (struct scanned){ .told_n = 0 };
	mutex_init(&all->m);
	cond_init(&all->told);
	for (unsigned i = 0; i < SCANNED_N; i++) {
		all->tickets[i].all = all;
		EXPECT_OK(batch_new(&batches[i]));
		EXPECT_OK(put_files(batches[i], SCANNED_N * k + i));
	}
	countdown = k;
	for (unsigned i = 0; i < SCANNED_N; i++)
		EXPECT_OK(library_submit(lib, batches[i],
					 i + 1 < SCANNED_N ? BATCH_SCAN : BATCH_SCAN_END, note_done,
					 &all->tickets[i]));
	mutex_lock(&all->m);
	while (all->told_n < SCANNED_N)
		cond_wait(&all->told, &all->m);
	mutex_unlock(&all->m);
}

TEST_LIMIT(library_alloc, each_batch_of_a_scan_is_told_what_became_of_it, 200)
{
	struct library *lib = NULL;
	char dir[256];
	snprintf(dir, sizeof dir, "%s/db", test_tmpdir());
	struct library_options options = { .database_dir = dir, .linger_ms = 100000 };
	EXPECT_OK(library_open(&options, &lib, NULL));
	struct batch *b = NULL;
	struct batch_result r;
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_root(b, SPAN("/m"), SPAN("m")));
	EXPECT_OK(library_submit_wait(lib, b, &r));
	unsigned failed_n = 0, mixed_n = 0, passed_n = 0;
	for (unsigned k = 1; passed_n < 3 && k < 3000; k++) {
		struct scanned all;
		library_close(lib); /* what an opened store has is allocated once, and kept */
		EXPECT_OK(library_open(&options, &lib, NULL));
		scan_round(lib, &all, k);
		bool hit = countdown <= 0;
		countdown = 0;
		unsigned lost_n = 0;
		for (unsigned i = 0; i < SCANNED_N; i++) {
			enum err e = all.tickets[i].err;
			EXPECT(e == ERR_OK || e == ERR_NOMEM);
			EXPECT(round_is_stored(lib, SCANNED_N * k + i) == (e == ERR_OK));
			lost_n += e != ERR_OK;
		}
		failed_n += lost_n > 0;
		mixed_n += lost_n > 0 && lost_n < SCANNED_N;
		passed_n += !hit;
	}
	printf("%u failed, %u of them in part\n", failed_n, mixed_n);
	EXPECT(failed_n > 20);
	EXPECT_U64(3, passed_n);
	EXPECT_OK(library_check(lib, print_finding, NULL));
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
