/* SPDX-License-Identifier: MIT */
/* A page's key is its arguments, laid out one behind the other; lengths keep them apart. */
#include "dlna/page_cache.h"

/** Returns the key; empty where it is too long to be kept. */
static struct span key_text(const struct page_key *k, char out[CACHE_KEY_BYTES_MAX])
{
	const struct {
		uint64_t start, count;
		uint32_t filter, action, client;
		uint32_t host_n, container_n;
		uint32_t zero; /* bytes that nobody sets would tell pages apart */
	} head = { .start = k->start,
		   .count = k->count,
		   .filter = k->filter,
		   .action = (uint32_t)k->action,
		   .client = k->client,
		   .host_n = (uint32_t)k->host.n,
		   .container_n = (uint32_t)k->container.n };
	const struct span parts[] = { span_of(&head, sizeof head), k->host, k->container,
				      k->criteria };
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].n > CACHE_KEY_BYTES_MAX - n)
			return span_of(NULL, 0);
		if (parts[i].n > 0)
			memcpy(out + n, parts[i].p, parts[i].n);
		n += parts[i].n;
	}
	return span_of(out, n);
}

bool page_cache_get(struct cache *cache, const struct page_key *key, uint64_t generation,
		    struct buf *out, struct page *page)
{
	char text[CACHE_KEY_BYTES_MAX];
	struct span k = key_text(key, text), value;
	if (!cache || k.n == 0)
		return false;
	struct cache_entry *e = cache_get(cache, k, generation, &value);
	if (!e)
		return false;
	bool fits = value.n + PAGE_TAIL_BYTES_MAX <= out->max - out->n;
	if (fits) {
		struct page kept;
		memcpy(&kept, value.p, sizeof kept);
		page->returned_n = kept.returned_n;
		page->total_n = kept.total_n;
		buf_add(out, span_skip(value, sizeof kept));
	}
	cache_release(e);
	return fits;
}

void page_cache_put(struct cache *cache, const struct page_key *key, uint64_t generation,
		    const struct buf *out, size_t from, const struct page *page)
{
	char text[CACHE_KEY_BYTES_MAX];
	struct span k = key_text(key, text);
	if (!cache || k.n == 0 || buf_err(out) != ERR_OK || page->returned_n == 0)
		return;
	cache_put(cache, k, generation, span_of(page, sizeof *page),
		  span_of(out->p + from, out->n - from));
}
