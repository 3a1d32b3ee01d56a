/* SPDX-License-Identifier: MIT */
/* Reads come in blocks, whose questions are made before the clock starts. A figure is the median of
 * the blocks, so that one interruption does not spoil it. */
#include "reads.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/clock.h"
#include "instructions.h"

#define BLOCK_MAX 64u
#define BLOCKS_MAX 256u
#define PAGE_ROWS 50u

struct question {
	const char *name;
	unsigned block_n, blocks_n;
	void (*ask)(const struct reads *r, const struct row *row, uint64_t k, struct digest *d);
};

static void ask_path(const struct reads *r, const struct row *row, uint64_t k, struct digest *d)
{
	(void)k;
	r->engine->get_path(r->db, row->in.path, d);
}

static void ask_id(const struct reads *r, const struct row *row, uint64_t k, struct digest *d)
{
	(void)row;
	r->engine->get_id(r->db, k + 1, d);
}

static void ask_directory(const struct reads *r, const struct row *row, uint64_t k,
			  struct digest *d)
{
	(void)k;
	r->engine->directory(r->db, row->directory, d);
}

/* In the middle of what is there in any phase. */
static void ask_titles(const struct reads *r, const struct row *row, uint64_t k, struct digest *d)
{
	(void)row;
	r->engine->titles(r->db, r->rows->n / 2 + k % 64, PAGE_ROWS, d);
}

static void ask_artists(const struct reads *r, const struct row *row, uint64_t k, struct digest *d)
{
	(void)row;
	(void)k;
	r->engine->artists(r->db, d);
}

static void ask_artist_tracks(const struct reads *r, const struct row *row, uint64_t k,
			      struct digest *d)
{
	(void)k;
	r->engine->artist_tracks(r->db, row->in.artist, d);
}

static const struct question questions[] = {
	{ "get_path", 64, 256, ask_path },	 { "get_id", 64, 256, ask_id },
	{ "directory", 16, 100, ask_directory }, { "titles_page", 1, 9, ask_titles },
	{ "artists", 1, 9, ask_artists },	 { "artist_tracks", 4, 50, ask_artist_tracks },
};

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void question_run(const struct reads *r, const struct question *q)
{
	static struct row rows[BLOCK_MAX];
	static uint64_t ks[BLOCK_MAX];
	static double us[BLOCKS_MAX];
	struct digest d = { 0 };
	char op[64];
	uint64_t x = 1;
	snprintf(op, sizeof op, "%s.%s", r->phase, q->name);
	INSTRUCTIONS_BEGIN;
	for (unsigned b = 0; b < q->blocks_n; b++) {
		INSTRUCTIONS_TOGGLE;
		for (unsigned i = 0; i < q->block_n; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			ks[i] = (x >> 33) % r->rows->n;
			row_make(r->rows, ks[i], &rows[i]);
		}
		INSTRUCTIONS_TOGGLE;
		uint64_t start = clock_now_ns();
		for (unsigned i = 0; i < q->block_n; i++)
			q->ask(r, &rows[i], ks[i], &d);
		us[b] = (double)(clock_now_ns() - start) / 1e3 / q->block_n;
	}
	INSTRUCTIONS_END(op);
	qsort(us, q->blocks_n, sizeof *us, compare_double);
	report_read(r->report, op, us[q->blocks_n / 2], q->block_n * q->blocks_n, &d);
}

void reads_run(const struct reads *r)
{
	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		question_run(r, &questions[i]);
}
