/* SPDX-License-Identifier: MIT */
/* Open addressing with linear probing, at most half full. */
#include <string.h>

#include "base/blocks.h"
#include "library/id_set.h"

void id_set_fini(struct id_set *s)
{
	blocks_free(s->keys, s->cap * sizeof *s->keys);
	memset(s, 0, sizeof *s);
}

/* Where the key is, or where it would go. Ids are dense and hashes are not: both spread. */
static uint32_t slot_of(const struct id_set *s, uint64_t key)
{
	uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (s->cap - 1);
	while (s->keys[i] && s->keys[i] != key)
		i = (i + 1) & (s->cap - 1);
	return i;
}

/* Hashes may be 0, which marks a free slot. */
static uint64_t usable(uint64_t key)
{
	return key ? key : UINT64_MAX;
}

bool id_set_has(const struct id_set *s, uint64_t key)
{
	return s->n && s->keys[slot_of(s, usable(key))];
}

static enum err grow(struct id_set *s)
{
	struct id_set bigger = { .n = s->n, .cap = s->cap ? 2 * s->cap : 64 };
	bigger.keys = blocks_alloc_zeroed(bigger.cap * sizeof *bigger.keys);
	if (!bigger.keys)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < s->cap; i++)
		if (s->keys[i])
			bigger.keys[slot_of(&bigger, s->keys[i])] = s->keys[i];
	id_set_fini(s);
	*s = bigger;
	return ERR_OK;
}

enum err id_set_add(struct id_set *s, uint64_t key)
{
	if (2 * (s->n + 1) > s->cap) {
		enum err e = grow(s);
		if (e != ERR_OK)
			return e;
	}
	uint32_t i = slot_of(s, usable(key));
	s->n += s->keys[i] == 0;
	s->keys[i] = usable(key);
	return ERR_OK;
}
