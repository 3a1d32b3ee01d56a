/* SPDX-License-Identifier: MIT */
/* Merging a directory's two sorted streams into actions. Both run in step as long as names agree;
 * where they do not, the entry is searched for. So the order only matters for the speed: were the
 * store's keys ever made by another version, nothing that is on the disk would be removed. */
#include "scanner/plan.h"

#include <stdlib.h>

#include "library/library.h"

void plan_fini(struct plan *p)
{
	free(p->actions);
	*p = (struct plan){ 0 };
}

static enum err add(struct plan *p, struct plan_action a)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 64;
		struct plan_action *grown = realloc(p->actions, cap * sizeof *grown);

		if (!grown)
			return ERR_NOMEM;
		p->actions = grown;
		p->cap = cap;
	}
	p->actions[p->n++] = a;
	return ERR_OK;
}

/* Index of the entry of this name; disk->n: none. */
static size_t find(const struct walk_entries *disk, struct span name)
{
	uint8_t bytes[COLLATE_KEY_MAX];
	struct span key = span_of(bytes, library_collate_key(name, bytes));
	size_t low = 0;
	size_t n = disk->n;

	while (n > 0) {
		size_t half = n / 2;
		const struct walk_entry *e = &disk->items[low + half];
		int order = span_cmp(e->key, key);

		if (order == 0)
			order = span_cmp(e->name, name);
		if (order == 0)
			return low + half;
		if (order < 0) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return disk->n;
}

/* The store knows the entry at `at`, as what next() gave last. */
static enum err pair(struct plan *p, struct walk_entries *disk, size_t at,
		     const struct plan_known *known, const struct plan_source *store)
{
	struct walk_entry *e = &disk->items[at];

	if (e->known_id != 0)
		return ERR_OK; /* a second record of one name */
	e->known_id = known->id;
	bool changed = e->size != known->size || e->mtime_ns != known->mtime_ns;
	bool suits = !changed && (e->leave || !store->suits || store->suits(store->ctx, e));
	if (e->leave || (suits && !known->unexamined)) {
		p->same_n++;
		return ERR_OK;
	}
	enum plan_kind kind = suits			     ? PLAN_UNEXAMINED
			      : changed || known->unexamined ? PLAN_CHANGED
							     : PLAN_STALE;
	return add(p, (struct plan_action){ .kind = kind, .entry = (uint32_t)at, .id = known->id });
}

static enum err only_store(struct plan *p, const struct plan_known *known, struct arena *arena)
{
	struct span name = arena_dup(arena, known->name);

	if (!name.p)
		return ERR_NOMEM;
	p->removed_n++;
	return add(p, (struct plan_action){ .kind = PLAN_REMOVED, .id = known->id, .name = name });
}

enum err plan_make(struct plan *p, struct walk_entries *disk, bool disk_is_whole,
		   const struct plan_source *store, struct arena *arena)
{
	struct plan_known known;
	size_t at = 0;
	enum err e = ERR_OK;

	p->n = p->same_n = p->removed_n = 0;
	while (e == ERR_OK && store->next(store->ctx, &known)) {
		if (at >= disk->n || !span_eq(disk->items[at].name, known.name)) {
			size_t found = find(disk, known.name);
			if (found == disk->n) {
				if (disk_is_whole)
					e = only_store(p, &known, arena);
				continue;
			}
			at = found;
		}
		e = pair(p, disk, at++, &known, store);
	}
	for (size_t i = 0; i < disk->n && e == ERR_OK; i++)
		if (disk->items[i].known_id == 0 && !disk->items[i].leave)
			e = add(p, (struct plan_action){ .kind = PLAN_NEW, .entry = (uint32_t)i });
	return e;
}
