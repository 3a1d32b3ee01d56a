/* SPDX-License-Identifier: MIT */
/* Collecting index entries from extractors, and sorting them. */
#include <stdlib.h>

#include "db/db_priv.h"

static const uint8_t *emit_key(const struct emit_entry *e)
{
	return (const uint8_t *)(e + 1);
}

/* A row's entries are a set: an extractor may name a group twice (an artist that is the album
 * artist too). Entries of one row stand together, at the list's end. */
static bool emitted_already(const struct emit_list *list, uint32_t group, struct span key)
{
	for (size_t at = list->id_start; at < list->n;) {
		const struct emit_entry *e = (const void *)(list->p + at);
		if (e->group == group && span_eq(span_of(emit_key(e), e->key_n), key))
			return true;
		at += e->bytes;
	}
	return false;
}

void db_emit(struct db_emit *out, unsigned index, uint32_t group, uint64_t id, struct span key)
{
	ASSERT(index < out->def->indexes_n && id <= DB_ID_MAX);
	uint32_t kb = out->def->indexes[index].key_bytes;
	struct emit_list *list = &out->lists[index];
	if (out->err != ERR_OK)
		return;
	key = span_first(key, kb < 12 ? kb : DB_KEY_BYTES_MAX);
	uint8_t padded[8] = { 0 };
	if (kb < 12 && key.n < kb) { /* these have no place for a length */
		if (key.n)
			memcpy(padded, key.p, key.n);
		key = span_of(padded, kb);
	}
	if (list->id != (uint32_t)id || list->n == 0) {
		list->id = (uint32_t)id;
		list->id_start = list->n;
	} else if (emitted_already(list, group, key)) {
		return;
	}
	size_t bytes = sizeof(struct emit_entry) + num_align_up(MAX(key.n, (size_t)kb), 4);
	if (list->n + bytes > list->cap) {
		void *p = list->p;
		out->err = mem_grow(&out->db->mem, &p, &list->cap,
				    MAX(list->n + bytes, (size_t)1024), 1);
		list->p = p;
		if (out->err != ERR_OK)
			return;
	}
	struct emit_entry *e = (void *)(list->p + list->n);
	*e = (struct emit_entry){ group, (uint32_t)id, (uint16_t)key.n, (uint16_t)bytes };
	uint8_t *k = (uint8_t *)(e + 1);
	memset(k, 0, bytes - sizeof *e);
	if (key.n)
		memcpy(k, key.p, key.n);
	list->n += bytes;
	list->entries_n++;
}

/* ---- sorting: radix over group and first 4 key bytes, comparisons only among equals ---- */

static void radix_pass(const struct sort_item *from, struct sort_item *to, size_t n, unsigned shift,
		       uint32_t counts[256])
{
	uint32_t at = 0;
	for (unsigned b = 0; b < 256; b++) {
		uint32_t c = counts[b];
		counts[b] = at;
		at += c;
	}
	for (size_t i = 0; i < n; i++)
		to[counts[from[i].k >> shift & 255]++] = from[i];
}

static struct sort_item *radix_sort(struct sort_item *a, struct sort_item *b, size_t n)
{
	for (unsigned shift = 0; shift < 64; shift += 8) {
		uint32_t counts[256] = { 0 };
		for (size_t i = 0; i < n; i++)
			counts[a[i].k >> shift & 255]++;
		if (counts[a[0].k >> shift & 255] == n)
			continue; /* all the same here */
		radix_pass(a, b, n, shift, counts);
		struct sort_item *t = a;
		a = b;
		b = t;
	}
	return a;
}

static int item_cmp(const void *a, const void *b, void *key_bytes)
{
	const struct sort_item *x = a, *y = b;
	uint32_t kb = *(const uint32_t *)key_bytes;
	struct entry ex, ey;
	emit_entry_load(x->e, kb, &ex);
	emit_entry_load(y->e, kb, &ey);
	return entry_cmp(kb, &ex, &ey);
}

/* Equal first words: rows mostly come in order, so look before sorting. */
static void ties_sort(struct sort_item *items, size_t n, uint32_t key_bytes)
{
	for (size_t i = 1; i < n; i++) {
		if (item_cmp(&items[i - 1], &items[i], &key_bytes) > 0) {
			qsort_r(items, n, sizeof *items, item_cmp, &key_bytes);
			return;
		}
	}
}

enum err emit_sort(struct db_mem *m, const struct emit_list *list, uint32_t key_bytes,
		   struct sort_item **out)
{
	size_t n = list->entries_n, bytes = n * sizeof(struct sort_item);
	struct sort_item *a = mem_alloc(m, bytes), *b = mem_alloc(m, bytes);
	if (!a || !b) {
		mem_free(m, a, bytes);
		mem_free(m, b, bytes);
		return ERR_NOMEM;
	}
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		const struct emit_entry *e = (const void *)(list->p + at);
		uint32_t first = key_bytes ? __builtin_bswap32(num_le32(emit_key(e))) : 0;
		a[i] = (struct sort_item){ (uint64_t)e->group << 32 | first, e };
		at += e->bytes;
	}
	struct sort_item *sorted = n ? radix_sort(a, b, n) : a;
	for (size_t i = 0; i < n;) {
		size_t j = i + 1;
		while (j < n && sorted[j].k == sorted[i].k)
			j++;
		ties_sort(sorted + i, j - i, key_bytes);
		i = j;
	}
	mem_free(m, sorted == a ? b : a, bytes);
	*out = sorted;
	return ERR_OK;
}
