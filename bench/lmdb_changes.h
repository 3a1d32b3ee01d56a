/* SPDX-License-Identifier: MIT */
/* Index changes of one commit, to be applied in the order of their keys. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct change {
	uint64_t prefix; /* the key's first bytes, so that most comparisons are of numbers */
	uint32_t key_off, id;
	uint16_t key_n;
	bool added;
};

/* Zero it to start. */
struct changes {
	struct change *list;
	size_t n, cap, at;
	char *keys;
	size_t keys_n, keys_cap;
	uint32_t *ids; /* of the group at hand */
	size_t ids_cap;
};

/** What happens to one key: ids that it gets, or that it loses, in rising order. */
struct change_group {
	struct span key;
	bool added;
	uint32_t *ids;
	size_t ids_n;
};

void changes_add(struct changes *c, struct span key, uint32_t id, bool added);
/** By key, what it loses before what it gets. */
void changes_sort(struct changes *c);
/** After changes_sort(): the next group; false at the end. Lifetime: until the next call. */
bool changes_next(struct changes *c, struct change_group *out);
void changes_clear(struct changes *c);
void changes_fini(struct changes *c);
