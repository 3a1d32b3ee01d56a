/* SPDX-License-Identifier: MIT */
/* Open addressing with linear probing, at most half full. */
#include <string.h>

#include "base/blocks.h"
#include "library/id_map.h"

void id_map_fini(struct id_map *m)
{
	blocks_free(m->keys, m->cap * sizeof *m->keys);
	blocks_free(m->values, m->cap * sizeof *m->values);
	memset(m, 0, sizeof *m);
}

void id_map_clear(struct id_map *m)
{
	if (m->n)
		memset(m->keys, 0, m->cap * sizeof *m->keys);
	m->n = 0;
}

/* Where the key is, or where it would go. Ids are dense and hashes are not: both spread. */
static uint32_t slot_of(const struct id_map *m, uint64_t key)
{
	uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (m->cap - 1);
	while (m->keys[i] && m->keys[i] != key)
		i = (i + 1) & (m->cap - 1);
	return i;
}

/* Hashes may be 0, which marks a free slot; ids never are. */
static uint64_t usable(uint64_t key)
{
	return key ? key : UINT64_MAX;
}

uint32_t id_map_get(const struct id_map *m, uint64_t key)
{
	if (m->n == 0)
		return ID_MAP_NONE;
	uint32_t i = slot_of(m, usable(key));
	return m->keys[i] ? m->values[i] : ID_MAP_NONE;
}

static enum err grow(struct id_map *m)
{
	struct id_map bigger = { .n = m->n, .cap = m->cap ? 2 * m->cap : 64 };
	bigger.keys = blocks_alloc_zeroed(bigger.cap * sizeof *bigger.keys);
	bigger.values = blocks_alloc(bigger.cap * sizeof *bigger.values);
	if (!bigger.keys || !bigger.values) {
		id_map_fini(&bigger);
		return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < m->cap; i++) {
		if (m->keys[i]) {
			uint32_t slot = slot_of(&bigger, m->keys[i]);
			bigger.keys[slot] = m->keys[i];
			bigger.values[slot] = m->values[i];
		}
	}
	id_map_fini(m);
	*m = bigger;
	return ERR_OK;
}

uint32_t *id_map_place(struct id_map *m, uint64_t key)
{
	if (2 * (m->n + 1) > m->cap && grow(m) != ERR_OK)
		return NULL;
	key = usable(key);
	uint32_t i = slot_of(m, key);
	if (m->keys[i] == 0) {
		m->n++;
		m->keys[i] = key;
		m->values[i] = ID_MAP_NONE;
	}
	return &m->values[i];
}

enum err id_map_set(struct id_map *m, uint64_t key, uint32_t value)
{
	uint32_t *at = id_map_place(m, key);
	if (!at)
		return ERR_NOMEM;
	*at = value;
	return ERR_OK;
}
