/* SPDX-License-Identifier: MIT */
/* The last pictures taken out of files, so that a page of covers asks the helper once for each.
 * Also remembers that a file has none. Bounded in bytes and in entries. Threads: the caller locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define ART_CACHE_BYTES (8u << 20)
#define ART_CACHE_ENTRIES_MAX 256
#define ART_TYPE_MAX 32

struct art_entry {
	uint64_t media_id;
	int64_t modified; /* of the file: a changed one is asked again */
	char *bytes;	  /* NULL: the file has no picture */
	size_t n;
	char type[ART_TYPE_MAX];
	uint64_t used; /* the larger, the later */
};

struct art_cache {
	struct art_entry entries[ART_CACHE_ENTRIES_MAX];
	size_t entries_n;
	size_t bytes, bytes_max;
	uint64_t clock;
};

void art_cache_init(struct art_cache *c, size_t bytes_max);
void art_cache_fini(struct art_cache *c);
/** The entry of this version of a file, or NULL. Lifetime: the next art_cache_put(). */
const struct art_entry *art_cache_get(struct art_cache *c, uint64_t media_id, int64_t modified);
/** Remember a picture (copied); an empty one means that there is none. What is larger than the
 * cache, or finds no memory, is not kept. */
void art_cache_put(struct art_cache *c, uint64_t media_id, int64_t modified, struct span bytes,
		   struct span type);
