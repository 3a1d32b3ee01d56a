/* SPDX-License-Identifier: MIT */
/* The set of ids that are being moved. */
#include "scanner/moved.h"

#include <stdlib.h>

#define FIRST_CAP 64

static size_t slot_of(const struct moved *m, uint64_t id)
{
	size_t at = (size_t)((id * 0x9e3779b97f4a7c15u) >> 32) & (m->cap - 1);

	while (m->slots[at] != 0 && m->slots[at] != id)
		at = (at + 1) & (m->cap - 1);
	return at;
}

static enum err grow(struct moved *m)
{
	struct moved larger = { .cap = m->cap ? m->cap * 2 : FIRST_CAP, .n = m->n };

	larger.slots = calloc(larger.cap, sizeof *larger.slots);
	if (!larger.slots)
		return ERR_NOMEM;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i] != 0)
			larger.slots[slot_of(&larger, m->slots[i])] = m->slots[i];
	free(m->slots);
	*m = larger;
	return ERR_OK;
}

enum err moved_add(struct moved *m, uint64_t id, bool *out_new)
{
	enum err e = 2 * m->n >= m->cap ? grow(m) : ERR_OK;

	if (e != ERR_OK)
		return e;
	size_t at = slot_of(m, id);
	*out_new = m->slots[at] == 0;
	m->n += *out_new;
	m->slots[at] = id;
	return ERR_OK;
}

void moved_clear(struct moved *m)
{
	free(m->slots);
	*m = (struct moved){ 0 };
}
