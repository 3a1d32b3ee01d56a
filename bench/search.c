/* SPDX-License-Identifier: MIT */
/* What a search costs: the first 50 of all that match, with the exact total. One JSON line per
 * question, with the text column and, with "linear", by judging every record.
 * usage: bench_search DIR [ROUNDS [linear]], DIR made by fill_library */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/num.h"
#include "dlna/search_criteria.h"
#include "library/text.h"

#define PAGE 50

static const char *const questions[] = {
	"upnp:class derivedfrom \"object.item.audioItem\" and dc:title contains \"river\"",
	"upnp:class derivedfrom \"object.item.audioItem\" and dc:title contains \"nig\"",
	"upnp:class derivedfrom \"object.item.audioItem\" and dc:title contains \"x\"",
	"upnp:class derivedfrom \"object.item.audioItem\" and dc:title contains \"r\"",
	"upnp:class derivedfrom \"object.item.audioItem\" and dc:title contains \"zzqq\"",
	"upnp:class derivedfrom \"object.item.audioItem\" and upnp:artist contains \"riv\"",
	"upnp:class derivedfrom \"object.item.audioItem\" and upnp:artist contains \"r\"",
	"upnp:class derivedfrom \"object.item.audioItem\" and upnp:album contains \"night\"",
	"upnp:class derivedfrom \"object.item.audioItem\" and (dc:title contains \"river\" or "
	"upnp:artist contains \"river\" or upnp:album contains \"river\") and (dc:title contains "
	"\"night\" or upnp:artist contains \"night\" or upnp:album contains \"night\")",
	"upnp:artist = \"nobody\"",
	"dc:title contains \"river\"",
};

/* Of this thread: other programs on the machine do not count. */
static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t ask(struct library *lib, struct library *with, const struct search_criteria *c,
		    uint64_t *out_total)
{
	struct search_query query;
	struct search s;
	struct object o;
	uint64_t start = cpu_ns();
	struct library_snap *sn = library_snap_begin(lib);
	search_criteria_query(c, &query);
	if (library_search_begin(with, sn, SPAN("0"), &query, &s) != ERR_OK)
		abort();
	uint64_t n = 0;
	while (n < PAGE && search_next(&s, &o))
		n++;
	*out_total = n + search_skip(&s, UINT64_MAX);
	search_end(&s);
	library_snap_end(sn);
	return cpu_ns() - start;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void measure(struct library *lib, bool linear, const char *question, uint64_t rounds)
{
	struct search_criteria *c = malloc(sizeof *c);
	uint64_t *ns = malloc(rounds * sizeof *ns), total = 0;
	if (!c || !ns || search_criteria_parse(span_str(question), c) != ERR_OK)
		abort();
	for (uint64_t i = 0; i < rounds; i++)
		ns[i] = ask(lib, linear ? NULL : lib, c, &total);
	qsort(ns, rounds, sizeof *ns, by_value);
	printf("{\"bench\":\"search\",\"way\":\"%s\",\"total\":%" PRIu64 ",\"us_p50\":%.1f,"
	       "\"us_min\":%.1f,\"criteria\":\"%zu: ",
	       linear ? "linear" : "column", total, (double)ns[rounds / 2] / 1e3,
	       (double)ns[0] / 1e3, strlen(question));
	for (const char *p = question; *p; p++)
		putchar(*p == '"' ? '\'' : *p);
	printf("\"}\n");
	fflush(stdout);
	free(ns);
	free(c);
}

int main(int argc, char **argv)
{
	uint64_t rounds = 21;
	if (argc < 2 ||
	    (argc > 2 && num_parse_u64(span_str(argv[2]), 1, 100000, &rounds) != ERR_OK)) {
		fprintf(stderr, "usage: bench_search DIR [ROUNDS [linear]]\n");
		return 2;
	}
	struct library_options options = { .database_dir = argv[1] };
	struct library *lib = NULL;
	struct err_info info = { 0 };
	if (library_open(&options, &lib, &info) != ERR_OK) {
		fprintf(stderr, "%s\n", info.text);
		return 1;
	}
	struct library_stats stats;
	if (text_settle(library_text(lib)) != ERR_OK)
		return 1;
	library_stats_get(lib, &stats);
	printf("{\"bench\":\"text_column\",\"records\":%" PRIu64 ",\"build_ms\":%" PRIu64
	       ",\"bytes\":%" PRIu64 "}\n",
	       stats.audio_n + stats.video_n + stats.images_n, stats.text_build_ms,
	       stats.text_bytes);
	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		measure(lib, false, questions[i], rounds);
	for (size_t i = 0; argc > 3 && i < ARRAY_LEN(questions); i++)
		measure(lib, true, questions[i], 1);
	library_close(lib);
	return 0;
}
