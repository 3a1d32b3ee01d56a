/* SPDX-License-Identifier: MIT */
/* A small cache of pictures, least recently used first out. */
#include "web/art_cache.h"

#include <stdlib.h>

#include "base/attr.h"

void art_cache_init(struct art_cache *c, size_t bytes_max)
{
	memset(c, 0, sizeof *c);
	c->bytes_max = bytes_max;
}

void art_cache_fini(struct art_cache *c)
{
	for (size_t i = 0; i < c->entries_n; i++)
		free(c->entries[i].bytes);
	c->entries_n = 0;
	c->bytes = 0;
}

static void drop(struct art_cache *c, size_t i)
{
	c->bytes -= c->entries[i].n;
	free(c->entries[i].bytes);
	c->entries[i] = c->entries[--c->entries_n];
}

static void drop_oldest(struct art_cache *c)
{
	size_t oldest = 0;
	for (size_t i = 1; i < c->entries_n; i++)
		if (c->entries[i].used < c->entries[oldest].used)
			oldest = i;
	drop(c, oldest);
}

static bool same_picture(const struct picture_key *a, const struct picture_key *b)
{
	return a->media_id == b->media_id && a->box == b->box;
}

const struct art_entry *art_cache_get(struct art_cache *c, const struct picture_key *key)
{
	for (size_t i = 0; i < c->entries_n; i++) {
		struct art_entry *e = &c->entries[i];
		if (!same_picture(&e->key, key) || e->key.version != key->version)
			continue;
		e->used = ++c->clock;
		return e;
	}
	return NULL;
}

void art_cache_put(struct art_cache *c, const struct picture_key *key, struct span bytes)
{
	for (size_t i = 0; i < c->entries_n; i++)
		if (same_picture(&c->entries[i].key, key))
			drop(c, i--);
	if (bytes.n > c->bytes_max)
		return;
	char *copy = bytes.n > 0 ? malloc(bytes.n) : NULL;
	if (bytes.n > 0 && !copy)
		return;
	while (c->entries_n == ART_CACHE_ENTRIES_MAX || c->bytes + bytes.n > c->bytes_max)
		drop_oldest(c);
	struct art_entry *e = &c->entries[c->entries_n++];
	*e = (struct art_entry){ .key = *key, .bytes = copy, .n = bytes.n, .used = ++c->clock };
	if (copy)
		memcpy(copy, bytes.p, bytes.n);
	c->bytes += bytes.n;
}
