/* SPDX-License-Identifier: MIT */
/* Collecting index entries from extractors. */
#include "db/db_priv.h"

void emit_init(struct emit_list *list, uint32_t key_bytes)
{
	*list = (struct emit_list){ .key_bytes = key_bytes };
}

void emit_reset(struct emit_list *list)
{
	list->n = list->id_start = list->keys_n = 0;
	list->tails_bytes = 0;
}

void emit_fini(struct db_mem *m, struct emit_list *list)
{
	mem_free(m, list->items, list->cap * sizeof *list->items);
	mem_free(m, list->keys, list->keys_cap);
	emit_init(list, list->key_bytes);
}

void emit_entry(const struct emit_list *list, const struct emit_item *item, uint8_t prefix[32],
		struct entry *out)
{
	uint32_t kb = list->key_bytes;
	struct span key = { NULL, kb };
	out->prefix = prefix;
	out->tail = NULL;
	out->id = item->id;
	if (kb < 12) {
		uint32_t words[2] = { __builtin_bswap32((uint32_t)item->k),
				      __builtin_bswap32(item->ref) };
		memcpy(prefix, words, sizeof words);
	} else {
		key = emit_key(list, item);
		memset(prefix, 0, 32);
		memcpy(prefix, key.p, MIN(key.n, (size_t)kb));
		if (key.n > kb)
			out->tail = (const uint8_t *)key.p + kb;
	}
	out->key_n = (uint32_t)key.n;
}

bool emit_grow(struct db_emit *out, struct emit_list *list, size_t key_n)
{
	struct db_mem *m = &out->db->mem;
	if (out->err != ERR_OK)
		return false;
	void *p = list->items;
	out->err = mem_grow(m, &p, &list->cap, list->n + 1, sizeof *list->items);
	list->items = p;
	if (out->err != ERR_OK || list->key_bytes < 12)
		return out->err == ERR_OK;
	p = list->keys;
	out->err = mem_grow(m, &p, &list->keys_cap, list->keys_n + 2 + key_n + EMIT_KEYS_SLACK, 1);
	list->keys = p;
	return out->err == ERR_OK;
}

/* The first 8 bytes of a key, padded with zeros, as a number that sorts like them. */
static uint64_t first_word(struct span key)
{
	if (key.n >= 8)
		return __builtin_bswap64(num_le64(key.p));
	uint64_t word = 0;
	size_t i = 0;
	if (key.n >= 4) {
		word = (uint64_t)__builtin_bswap32(num_le32(key.p)) << 32;
		i = 4;
	}
	for (; i < key.n; i++)
		word |= (uint64_t)(uint8_t)key.p[i] << (56 - 8 * i);
	return word;
}

/* Group and first word; the rest of the key, or where it is. */
static struct emit_item item_make(struct emit_list *list, uint32_t group, uint32_t id,
				  struct span key)
{
	uint64_t word = first_word(key);
	struct emit_item item = {
		.k = (uint64_t)group << 32 | word >> 32,
		.id = id,
		.ref = (uint32_t)word,
	};
	if (list->key_bytes < 12)
		return item;
	uint16_t n = (uint16_t)key.n;
	item.ref = (uint32_t)list->keys_n;
	memcpy(list->keys + item.ref, &n, sizeof n);
	span_copy(list->keys + item.ref + 2, key);
	list->keys_n += 2u + n;
	return item;
}

/* A row's entries are a set: an extractor may name a group twice (an artist that is the album
 * artist too). Entries of one row stand together, at the list's end. */
static bool emitted_already(const struct emit_list *list, const struct emit_item *item)
{
	for (size_t i = list->n; i-- > list->id_start;)
		if (list->items[i].k == item->k && item_cmp(list, &list->items[i], list, item) == 0)
			return true;
	return false;
}

void db_emit(struct db_emit *out, unsigned index, uint32_t group, uint64_t id, struct span key)
{
	ASSERT(index < out->def->indexes_n && id <= DB_ID_MAX);
	struct emit_list *list = &out->lists[index];
	key = span_first(key, list->key_bytes < 12 ? list->key_bytes : DB_KEY_BYTES_MAX);
	size_t keys_end = list->keys_n + 2 + key.n + EMIT_KEYS_SLACK;
	bool room = list->n < list->cap && (list->key_bytes < 12 || keys_end <= list->keys_cap);
	if (out->err != ERR_OK || (UNLIKELY(!room) && !emit_grow(out, list, key.n)))
		return;
	if (list->id != (uint32_t)id) {
		list->id = (uint32_t)id;
		list->id_start = list->n;
	}
	struct emit_item item = item_make(list, group, (uint32_t)id, key);
	if (UNLIKELY(list->n > list->id_start && emitted_already(list, &item))) {
		if (list->key_bytes >= 12)
			list->keys_n = item.ref;
		return;
	}
	if (list->key_bytes >= 12 && key.n > list->key_bytes)
		list->tails_bytes += 2 + key.n - list->key_bytes;
	list->items[list->n++] = item;
}
