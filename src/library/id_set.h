/* SPDX-License-Identifier: MIT */
/* A set of 64-bit keys (ids, hashes) that only grows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct id_set {
	uint64_t *keys; /* 0: free */
	uint32_t n, cap;
};

/** Zeroed memory is an empty set. */
void id_set_fini(struct id_set *s);
bool id_set_has(const struct id_set *s, uint64_t key);
/** ERR_NOMEM leaves the set as it was. */
NODISCARD enum err id_set_add(struct id_set *s, uint64_t key);
