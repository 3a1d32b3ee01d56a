/* SPDX-License-Identifier: MIT */
/* Whether keeping pages pays: Browse and Search answered by writing them and from the cache,
 * without HTTP. One JSON line per question. usage: bench_replies DIR [ROUNDS] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/cache.h"
#include "base/num.h"
#include "dlna/dlna_priv.h"
#include "dlna/soap.h"
#include "http/http.h"
#include "library/library.h"
#include "library/text.h"

#define BEGIN                                                                                      \
	"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"" \
	" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:"
#define NS " xmlns:u=\"urn:schemas-upnp-org:service:ContentDirectory:1\">"
#define END "</s:Body></s:Envelope>"

static const struct {
	const char *id, *criteria; /* NULL: Browse */
	unsigned start, count;
} questions[] = {
	{ "0", NULL, 0, 0 },	   { "AT", NULL, 0, 50 },
	{ "AT", NULL, 50000, 50 }, { "AT", NULL, 0, 200 },
	{ "AT", NULL, 0, 1000 },   { "AR", NULL, 0, 50 },
	{ "AL", NULL, 1000, 50 },  { "0", "dc:title contains \"river\"", 0, 50 },
};

/* Of this thread: other programs on the machine do not count. */
static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void request(struct buf *b, size_t q)
{
	buf_clear(b);
	if (questions[q].criteria)
		buf_addf(b,
			 BEGIN "Search" NS "<ContainerID>%s</ContainerID>"
			       "<SearchCriteria>%s</SearchCriteria>",
			 questions[q].id, questions[q].criteria);
	else
		buf_addf(b,
			 BEGIN "Browse" NS "<ObjectID>%s</ObjectID>"
			       "<BrowseFlag>BrowseDirectChildren</BrowseFlag>",
			 questions[q].id);
	buf_addf(b,
		 "<Filter>*</Filter><StartingIndex>%u</StartingIndex>"
		 "<RequestedCount>%u</RequestedCount><SortCriteria></SortCriteria></u:%s>" END,
		 questions[q].start, questions[q].count,
		 questions[q].criteria ? "Search" : "Browse");
}

static uint64_t ask(struct dlna *d, struct span body, size_t *out_bytes)
{
	struct soap_http r = { .body = body, .local = SPAN("127.0.0.1:8250") };
	struct soap_change *change; /* questions change nothing */
	struct buf out;
	uint64_t start = cpu_ns();
	buf_init(&out, HTTP_REPLY_MAX_BYTES);
	if (soap_serve(d, &services[SERVICE_CONTENT_DIRECTORY], &r, &out, &change) != 200)
		abort();
	*out_bytes = out.n;
	buf_fini(&out);
	return cpu_ns() - start;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static double median_us(struct dlna *d, struct span body, uint64_t rounds, size_t *out_bytes)
{
	uint64_t *ns = malloc(rounds * sizeof *ns);
	if (!ns)
		abort();
	for (uint64_t i = 0; i < rounds; i++)
		ns[i] = ask(d, body, out_bytes);
	qsort(ns, rounds, sizeof *ns, by_value);
	double us = (double)ns[rounds / 2] / 1e3;
	free(ns);
	return us;
}

int main(int argc, char **argv)
{
	uint64_t rounds = 201;
	if (argc < 2 ||
	    (argc > 2 && num_parse_u64(span_str(argv[2]), 1, 100000, &rounds) != ERR_OK)) {
		fprintf(stderr, "usage: bench_replies DIR [ROUNDS]\n");
		return 2;
	}
	struct library_options options = { .database_dir = argv[1] };
	struct dlna d = { .library = NULL };
	struct cache *pages = NULL;
	struct err_info info = { 0 };
	struct buf body;
	if (library_open(&options, &d.library, &info) != ERR_OK) {
		fprintf(stderr, "%s\n", info.text);
		return 1;
	}
	if (text_settle(library_text(d.library)) != ERR_OK || cache_new(8 << 20, &pages) != ERR_OK)
		return 1;
	buf_init(&body, SOAP_BODY_MAX_BYTES);
	for (size_t q = 0; q < ARRAY_LEN(questions); q++) {
		size_t bytes;
		request(&body, q);
		d.pages = NULL;
		double written = median_us(&d, buf_span(&body), rounds, &bytes);
		d.pages = pages;
		double kept = median_us(&d, buf_span(&body), rounds, &bytes);
		printf("{\"bench\":\"replies\",\"action\":\"%s\",\"id\":\"%s\",\"start\":%u,"
		       "\"count\":%u,\"bytes\":%zu,\"us_written\":%.1f,\"us_cached\":%.1f}\n",
		       questions[q].criteria ? "Search" : "Browse", questions[q].id,
		       questions[q].start, questions[q].count, bytes, written, kept);
	}
	buf_fini(&body);
	cache_free(pages);
	library_close(d.library);
	return 0;
}
