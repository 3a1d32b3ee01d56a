/* SPDX-License-Identifier: MIT */
/* Pictures that take time: those inside files, and thumbnails. One thread of its own asks the disk
 * cache and the probe helper; requests stand still meanwhile, and no thread of the HTTP pool waits.
 * Who asks for what is under way already shares its answer. */
#pragma once

#include "http/http.h"
#include "web/picture_store.h"

#define PICTURES_WAITING_MAX 48	 /* requests; the rest of HTTP_SUSPENDED_MAX is for commits */
#define PICTURES_UNDER_WAY_MAX 2 /* with the helper, each in a worker of its own */
#define PICTURE_MAX_BYTES (4u << 20)

_Static_assert(PICTURES_WAITING_MAX < HTTP_SUSPENDED_MAX, "commits find room, too");

struct library;
struct pictures;

struct pictures_options {
	struct library *library;
	const char *probe_program; /* NULL: beside the binary */
	const char *cache_dir;	   /* NULL: nothing is kept on disk */
	uint64_t cache_max_bytes;
};

/** What is to be said of the picture when it is there; a copy is kept while the request waits. */
struct picture_reply {
	struct http_reply *reply; /* its headers are there already */
	uint8_t box;		  /* enum picture_box */
	unsigned status;	  /* 200, or 304 and 412 where the request's conditions say so */
};

/** Where a picture is made from. */
struct picture_source {
	struct span path;      /* borrowed for the call */
	struct span name;      /* for its extension */
	struct span canonical; /* where the path led when it was scanned; empty: anywhere will do */
};

struct pictures_stats {
	struct picture_store_stats disk;
	uint64_t made_n, failed_n; /* by the helper, since the start */
};

NODISCARD enum err pictures_new(const struct pictures_options *options, struct pictures **out);
/** Whoever waits is refused, and so is whoever comes later. The thread has ended. */
void pictures_stop(struct pictures *p);
void pictures_free(struct pictures *p); /* NULL is fine */

/** Answer with a picture, now where it is in memory, else later. The last that a handler does with
 * its reply. */
void pictures_answer(struct pictures *p, const struct picture_key *key,
		     const struct picture_source *source, const struct picture_reply *reply);

void pictures_stats_get(struct pictures *p, struct pictures_stats *out);
