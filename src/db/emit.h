/* SPDX-License-Identifier: MIT */
/* Index entries on their way from an extractor into a block, and quicker ways than db_emit() for
 * extractors that emit many: inline, and without a search for what the row has emitted before. */
#pragma once

#include "base/num.h"
#include "db/db.h"

struct emit_item {
	uint64_t k; /* group << 32 | first 4 key bytes, as a number that sorts like them */
	uint32_t id;
	uint32_t ref; /* key_bytes < 12: the next 4 key bytes; else where in `keys` it is */
};

/** Entries of one index, in the order in which they were emitted until they are sorted. */
struct emit_list {
	struct emit_item *items;
	size_t n, cap;
	uint8_t *keys; /* key_bytes >= 12: {u16 length, bytes} each */
	size_t keys_n, keys_cap;
	uint64_t tails_bytes; /* what a run needs for keys longer than key_bytes */
	uint32_t key_bytes;
	uint32_t id;	 /* of the newest entry of db_emit() */
	size_t id_start; /* first entry of that id: where to look for repetitions */
};

struct db_emit {
	struct db *db;
	const struct db_table_def *def;
	struct emit_list *lists; /* per index */
	enum err err;
	struct emit_list *touched; /* per index: groups, without keys and ids; NULL for extract() */
};

#define EMIT_KEYS_SLACK 8u     /* words are read whole */
#define EMIT_TOUCHED_RECENT 4u /* that many groups are not touched again */

/** Room for one more entry, and for a key of up to key_n bytes where keys have 12 bytes or more.
 * False, and out->err, where there is no memory. */
bool emit_grow(struct db_emit *out, struct emit_list *list, size_t key_n);

/** db_emit() where key_bytes < 12, for an entry that its row emits no second time. `key`: its first
 * 8 bytes as a number that sorts like them; 0 behind its end. */
static inline void db_emit_word(struct db_emit *out, unsigned index, uint32_t group, uint64_t id,
				uint64_t key)
{
	struct emit_list *list = &out->lists[index];
	if (UNLIKELY(list->n == list->cap) && !emit_grow(out, list, 0))
		return;
	list->items[list->n++] = (struct emit_item){
		.k = (uint64_t)group << 32 | key >> 32,
		.id = (uint32_t)id,
		.ref = (uint32_t)key,
	};
}

/** A group some of whose entries belong to a row that changed, though they stay as they are. */
static inline void db_emit_touch(struct db_emit *out, unsigned index, uint32_t group)
{
	struct emit_list *list = &out->touched[index];
	for (size_t i = list->n; i > 0 && i + EMIT_TOUCHED_RECENT > list->n; i--)
		if (list->items[i - 1].k >> 32 == group)
			return; /* neighbouring rows have much in common */
	if (UNLIKELY(list->n == list->cap) && !emit_grow(out, list, 0))
		return;
	list->items[list->n++] = (struct emit_item){ .k = (uint64_t)group << 32 };
}

/** db_emit() in two steps where key_bytes >= 12, for an entry that its row emits no second time:
 * first room for a key of up to `max` (at least 8, at most DB_KEY_BYTES_MAX) bytes, to be written
 * in place. NULL: there is no memory, and no second step. */
static inline uint8_t *db_emit_key_begin(struct db_emit *out, unsigned index, size_t max)
{
	struct emit_list *list = &out->lists[index];
	bool room =
		list->n < list->cap && list->keys_n + 2 + max + EMIT_KEYS_SLACK <= list->keys_cap;
	if (UNLIKELY(!room) && !emit_grow(out, list, max))
		return NULL;
	return list->keys + list->keys_n + 2;
}

/** Then the entry; `n` bytes of the key were written. */
static inline void db_emit_key_end(struct db_emit *out, unsigned index, uint32_t group, uint64_t id,
				   size_t n)
{
	struct emit_list *list = &out->lists[index];
	uint8_t *at = list->keys + list->keys_n;
	uint32_t word = __builtin_bswap32(num_le32(at + 2));
	uint16_t n16 = (uint16_t)n;
	if (UNLIKELY(n < 4))
		word = n ? word & ~0u << (32 - 8 * n) : 0;
	memcpy(at, &n16, sizeof n16);
	list->items[list->n++] = (struct emit_item){
		.k = (uint64_t)group << 32 | word,
		.id = (uint32_t)id,
		.ref = (uint32_t)list->keys_n,
	};
	list->keys_n += 2 + n;
	if (n > list->key_bytes)
		list->tails_bytes += 2 + n - list->key_bytes;
}
