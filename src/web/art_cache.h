/* SPDX-License-Identifier: MIT */
/* The last pictures that were made or taken out of files, so that a page of covers asks for each
 * once. Also remembers that a file has none. Bounded in bytes and in entries. Threads: the caller
 * locks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "web/picture_store.h"

#define ART_CACHE_BYTES (8u << 20)
#define ART_CACHE_ENTRIES_MAX 256

struct art_entry {
	struct picture_key key;
	char *bytes; /* NULL: the file has no picture */
	size_t n;
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
const struct art_entry *art_cache_get(struct art_cache *c, const struct picture_key *key);
/** Remember a picture (copied); an empty one means that there is none. It replaces other versions
 * of it. What is larger than the cache, or finds no memory, is not kept. */
void art_cache_put(struct art_cache *c, const struct picture_key *key, struct span bytes);
