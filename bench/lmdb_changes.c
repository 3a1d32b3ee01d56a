/* SPDX-License-Identifier: MIT */
/* A growing list, sorted, then handed out by key. */
#include "lmdb_changes.h"

#include <endian.h>
#include <stdlib.h>

#include "base/attr.h"
#include "engine.h"

static void *grow(void *p, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return p;
	*cap = MAX(2 * *cap, MAX(need, (size_t)1024));
	p = realloc(p, *cap * size);
	if (!p)
		bench_fail("lmdb", "no memory");
	return p;
}

static uint64_t prefix_of(struct span key)
{
	uint64_t v = 0;
	memcpy(&v, key.p, MIN(key.n, sizeof v));
	return be64toh(v);
}

void changes_add(struct changes *c, struct span key, uint32_t id, bool added)
{
	c->list = grow(c->list, &c->cap, c->n + 1, sizeof *c->list);
	c->keys = grow(c->keys, &c->keys_cap, c->keys_n + key.n, 1);
	memcpy(c->keys + c->keys_n, key.p, key.n);
	c->list[c->n++] = (struct change){ .prefix = prefix_of(key),
					   .key_off = (uint32_t)c->keys_n,
					   .id = id,
					   .key_n = (uint16_t)key.n,
					   .added = added };
	c->keys_n += key.n;
}

static struct span key_at(const struct changes *c, const struct change *e)
{
	return span_of(c->keys + e->key_off, e->key_n);
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct change *x = a, *y = b;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	int order = span_cmp(key_at(ctx, x), key_at(ctx, y));
	if (order == 0)
		order = (int)x->added - (int)y->added;
	if (order == 0)
		order = x->id < y->id ? -1 : x->id > y->id;
	return order;
}

void changes_sort(struct changes *c)
{
	if (c->n)
		qsort_r(c->list, c->n, sizeof *c->list, compare, c);
	c->at = 0;
}

bool changes_next(struct changes *c, struct change_group *out)
{
	if (c->at == c->n)
		return false;
	const struct change *first = &c->list[c->at];
	*out = (struct change_group){ .key = key_at(c, first), .added = first->added };
	while (c->at < c->n && c->list[c->at].added == first->added &&
	       span_eq(key_at(c, &c->list[c->at]), out->key)) {
		c->ids = grow(c->ids, &c->ids_cap, out->ids_n + 1, sizeof *c->ids);
		c->ids[out->ids_n++] = c->list[c->at++].id;
	}
	out->ids = c->ids;
	return true;
}

void changes_clear(struct changes *c)
{
	c->n = c->at = c->keys_n = 0;
}

void changes_fini(struct changes *c)
{
	free(c->list);
	free(c->keys);
	free(c->ids);
}
