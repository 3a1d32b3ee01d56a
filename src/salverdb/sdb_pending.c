/* SPDX-License-Identifier: MIT */
/* Changes of a transaction that the engine does not have yet, found by key, by id and by the keys
 * of unique indexes. */
#include <stdlib.h>
#include <xxhash.h>

#include "salverdb/sdb_priv.h"

void pending_fini(struct pending *p)
{
	free(p->ops);
	free(p->keys);
	free(p->slots);
	*p = (struct pending){ 0 };
}

void pending_clear(struct pending *p)
{
	p->ops_n = p->keys_n = 0;
	if (p->slots_n)
		memset(p->slots, 0, p->slots_n * sizeof *p->slots);
}

static uint32_t key_hash(unsigned by, uint64_t number, struct span text)
{
	return (uint32_t)XXH3_64bits_withSeed(text.p, text.n, number * 31 + by);
}

static bool key_same(const struct pending *p, const struct pending_key *k, unsigned by,
		     uint64_t number, struct span text)
{
	return k->by == by && k->number == number && span_eq(k->text, text) &&
	       (k->version == 0 || k->version == p->ops[k->op].version);
}

struct pending_op *pending_find(const struct pending *p, unsigned by, uint64_t number,
				struct span text)
{
	if (p->keys_n == 0)
		return NULL;
	uint32_t hash = key_hash(by, number, text);
	for (size_t i = hash & (p->slots_n - 1); p->slots[i]; i = (i + 1) & (p->slots_n - 1)) {
		const struct pending_key *k = &p->keys[p->slots[i] - 1];
		if (k->hash == hash && key_same(p, k, by, number, text))
			return &p->ops[k->op];
	}
	return NULL;
}

static void slot_set(struct pending *p, size_t key)
{
	size_t i = p->keys[key].hash & (p->slots_n - 1);
	while (p->slots[i])
		i = (i + 1) & (p->slots_n - 1);
	p->slots[i] = (uint32_t)key + 1;
}

static enum err slots_grow(struct pending *p)
{
	size_t n = p->slots_n ? p->slots_n * 2 : 64;
	uint32_t *slots = calloc(n, sizeof *slots);
	if (!slots)
		return ERR_NOMEM;
	free(p->slots);
	p->slots = slots;
	p->slots_n = n;
	for (size_t i = 0; i < p->keys_n; i++)
		slot_set(p, i);
	return ERR_OK;
}

static enum err array_room(void **p, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return ERR_OK;
	size_t cap_new = *cap ? *cap * 2 : 16;
	void *fresh = reallocarray(*p, cap_new, size);
	if (!fresh)
		return ERR_NOMEM;
	*p = fresh;
	*cap = cap_new;
	return ERR_OK;
}

static enum err key_add(struct pending *p, struct pending_key k)
{
	void *keys = p->keys;
	enum err e = array_room(&keys, &p->keys_cap, p->keys_n, sizeof *p->keys);
	p->keys = keys;
	if (e == ERR_OK && (p->keys_n + 1) * 2 > p->slots_n)
		e = slots_grow(p);
	if (e != ERR_OK)
		return e;
	k.hash = key_hash(k.by, k.number, k.text);
	p->keys[p->keys_n] = k;
	slot_set(p, p->keys_n++);
	return ERR_OK;
}

enum err pending_add(struct pending *p, const struct table *t, const struct pending_op *op,
		     struct pending_op **out)
{
	void *ops = p->ops;
	enum err e = array_room(&ops, &p->ops_cap, p->ops_n, sizeof *p->ops);
	p->ops = ops;
	if (e != ERR_OK)
		return e;
	uint32_t at = (uint32_t)p->ops_n;
	p->ops[at] = *op;
	p->ops[at].version = 1;
	p->ops_n++;
	e = key_add(p, (struct pending_key){ .op = at, .by = BY_ID, .number = op->id });
	if (e == ERR_OK && t->def.key != SDB_KEY_ID)
		e = key_add(p, (struct pending_key){ .op = at,
						     .by = BY_KEY,
						     .number = op->record.key.number,
						     .text = span_in(op->record.key.text) });
	if (e == ERR_OK)
		*out = &p->ops[at];
	return e;
}

enum err pending_add_key(struct pending *p, const struct pending_op *op, unsigned index,
			 struct span key)
{
	return key_add(p, (struct pending_key){ .op = (uint32_t)(op - p->ops),
						.version = op->version,
						.by = BY_INDEX + index,
						.text = key });
}
