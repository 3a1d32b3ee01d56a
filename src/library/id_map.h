/* SPDX-License-Identifier: MIT */
/* A hash map from 64-bit keys to 32-bit values that only grows. Values are indexes into an array;
 * what shares a hash is chained there. */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define ID_MAP_NONE UINT32_MAX

struct id_map {
	uint64_t *keys; /* 0: free */
	uint32_t *values;
	uint32_t n, cap;
};

/** Zeroed memory is an empty map. */
void id_map_fini(struct id_map *m);
/** Empty again; its memory stays. */
void id_map_clear(struct id_map *m);
/** The value, or ID_MAP_NONE. */
uint32_t id_map_get(const struct id_map *m, uint64_t key);
/** Where the key's value stands, which is ID_MAP_NONE where the key is new; NULL: no memory.
 * Lifetime: until another key is set. */
uint32_t *id_map_place(struct id_map *m, uint64_t key);
/** Set or replace; ERR_NOMEM leaves the map as it was. */
NODISCARD enum err id_map_set(struct id_map *m, uint64_t key, uint32_t value);
