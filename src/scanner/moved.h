/* SPDX-License-Identifier: MIT */
/* A set of media ids: those that are on their way to a new place and not yet stored there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct moved {
	uint64_t *slots; /* open addressing; 0: free */
	size_t cap, n;
};

/** Add an id (not 0). *out_new is false where it is in already. Errors: ERR_NOMEM. */
NODISCARD enum err moved_add(struct moved *m, uint64_t id, bool *out_new);
/** Forget all, give the memory back. */
void moved_clear(struct moved *m);
