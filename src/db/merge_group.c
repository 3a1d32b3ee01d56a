/* SPDX-License-Identifier: MIT */
/* The inner loops of merging. Lanes are kept in the order of their next entries: whichever comes
 * first is written, moves on and is put back in its place. In what a scan delivers one lane often
 * comes first for long: then the end of that stretch is searched and all of it is copied. */
#include "db/merge_group.h"

#define GALLOP_WINS 16u /* so often in a row: search for the end of the stretch */
#define INLINE static inline __attribute__((always_inline)) /* a copy for each size of key */

void group_merge_begin(struct group_merge *g, struct run_out *o, uint32_t key_bytes)
{
	g->o = o;
	g->key_bytes = key_bytes;
	g->n = 0;
	g->wins = 0;
}

/* ---- order ---- */

INLINE void lane_words(const uint8_t *p, uint32_t kb, uint64_t *k0, uint64_t *k1)
{
	*k1 = 0;
	if (kb == 0) {
		*k0 = num_le32(p);
	} else if (kb == 4) {
		*k0 = (uint64_t)__builtin_bswap32(num_le32(p)) << 32 | num_le32(p + 4);
	} else {
		*k0 = __builtin_bswap64(num_le64(p));
		*k1 = kb == 8	 ? num_le32(p + 8)
		      : kb == 12 ? __builtin_bswap32(num_le32(p + 8))
				 : __builtin_bswap64(num_le64(p + 8));
	}
}

/* Equal first words: the rest of the key, its tail, the id. */
static int rest_cmp(const struct run_part *ap, const uint8_t *a, const struct run_part *bp,
		    const uint8_t *b, uint32_t kb)
{
	struct entry x, y;
	entry_read(ap, kb, a, &x);
	entry_read(bp, kb, b, &y);
	return entry_cmp(kb, &x, &y);
}

INLINE int lane_cmp(const struct merge_lane *a, const struct merge_lane *b, uint32_t kb)
{
	if (LIKELY(a->k0 != b->k0))
		return a->k0 < b->k0 ? -1 : 1;
	if (kb >= 8 && LIKELY(a->k1 != b->k1))
		return a->k1 < b->k1 ? -1 : 1;
	if (kb == 20) {
		uint32_t x = __builtin_bswap32(num_le32(a->at + 16));
		uint32_t y = __builtin_bswap32(num_le32(b->at + 16));
		if (LIKELY(x != y))
			return x < y ? -1 : 1;
	}
	return kb < 12 ? 0 : rest_cmp(a->part, a->at, b->part, b->at, kb);
}

/* The first lane has a new entry: to its place. */
INLINE void lane_place(struct group_merge *g, struct merge_lane *x, uint32_t kb)
{
	size_t i = 1;
	int c = -1;
	while (i < g->n && (c = lane_cmp(x, g->order[i], kb)) > 0) {
		g->order[i - 1] = g->order[i];
		i++;
	}
	g->order[i - 1] = x;
	x->equal_next = i < g->n && c == 0;
}

void group_merge_add(struct group_merge *g, const struct run_index *ix, unsigned sign, uint64_t lo,
		     uint64_t hi)
{
	if (lo >= hi)
		return;
	ASSERT(g->n < ARRAY_LEN(g->lanes));
	struct merge_lane *x = &g->lanes[g->n];
	const struct run_part *part = &ix->part[sign];
	*x = (struct merge_lane){
		.at = part->entries + lo * ix->entry_bytes,
		.end = part->entries + hi * ix->entry_bytes,
		.part = part,
		.removed = sign != 0,
	};
	lane_words(x->at, g->key_bytes, &x->k0, &x->k1);
	memmove(g->order + 1, g->order, g->n++ * sizeof(struct merge_lane *));
	lane_place(g, x, g->key_bytes);
}

static void lane_drop(struct group_merge *g)
{
	memmove(g->order, g->order + 1, --g->n * sizeof(struct merge_lane *));
}

INLINE void lane_advance(struct group_merge *g, struct merge_lane *x, uint32_t kb)
{
	x->at += entry_bytes_of(kb);
	if (x->at >= x->end) {
		lane_drop(g);
		return;
	}
	lane_words(x->at, kb, &x->k0, &x->k1);
	lane_place(g, x, kb);
}

/* ---- writing ---- */

/* {u16 length, bytes}; returns where. */
static uint32_t tail_write(struct run_out *o, unsigned sign, const struct run_part *part,
			   uint32_t ref)
{
	enum out_section_name tails = sign ? OUT_NEG_TAILS : OUT_POS_TAILS;
	uint32_t at = (uint32_t)out_used(o, tails);
	if ((uint64_t)ref + 2 > part->tails_n) {
		o->err = ERR_CORRUPT;
		return at;
	}
	uint64_t n = 2u + num_le16(part->tails + ref);
	struct out_section *sec = &o->section[tails];
	if (n <= 32 && ref + 32ull <= part->tails_n && sec->end - sec->at >= 32) {
		memcpy(sec->at, part->tails + ref, 32); /* more than it is, and simpler to copy */
		sec->at += n;
	} else if (ref + n <= part->tails_n) {
		out_put(o, tails, part->tails + ref, n);
	} else {
		o->err = ERR_CORRUPT;
	}
	return at;
}

INLINE void entry_write(struct run_out *o, unsigned sign, const struct run_part *part,
			const uint8_t *p, uint32_t kb)
{
	uint8_t *to = out_room(o, sign ? OUT_NEG : OUT_POS, entry_bytes_of(kb));
	memcpy(to, p, entry_bytes_of(kb));
	if (kb < 12)
		return;
	uint32_t ref = num_le32(p + kb + 4);
	if (ref < TAIL_SHORT) {
		ref = tail_write(o, sign, part, ref);
		memcpy(to + kb + 4, &ref, sizeof ref);
	}
}

/* The bytes of tails that entries [p, end) use; they stand in the order of the entries. False where
 * that is not so: the run is not one that we have written. */
static bool tails_span(const struct run_part *part, uint32_t kb, const uint8_t *p,
		       const uint8_t *end, uint32_t *out_from, uint64_t *out_to)
{
	uint32_t eb = entry_bytes_of(kb);
	while (p < end && num_le32(p + kb + 4) >= TAIL_SHORT)
		p += eb;
	*out_from = 0;
	*out_to = 0;
	if (p == end)
		return true;
	do
		end -= eb;
	while (num_le32(end + kb + 4) >= TAIL_SHORT);
	uint32_t last = num_le32(end + kb + 4);
	if ((uint64_t)last + 2 > part->tails_n)
		return false;
	*out_from = num_le32(p + kb + 4);
	*out_to = (uint64_t)last + 2 + num_le16(part->tails + last);
	return *out_from <= last && *out_to <= part->tails_n;
}

INLINE void stretch_write(struct run_out *o, unsigned sign, const struct run_part *part,
			  const uint8_t *p, const uint8_t *end, uint32_t kb)
{
	const uint32_t eb = entry_bytes_of(kb);
	uint32_t from;
	uint64_t to;
	if (kb < 12) {
		out_put(o, sign ? OUT_NEG : OUT_POS, p, (size_t)(end - p));
		return;
	}
	if (!tails_span(part, kb, p, end, &from, &to)) {
		for (; p < end; p += eb)
			entry_write(o, sign, part, p, kb);
		return;
	}
	enum out_section_name tails = sign ? OUT_NEG_TAILS : OUT_POS_TAILS;
	uint32_t moved = (uint32_t)out_used(o, tails) - from;
	out_put(o, tails, part->tails + from, to - from);
	for (; p < end; p += eb) {
		uint8_t *q = out_room(o, sign ? OUT_NEG : OUT_POS, eb);
		uint32_t ref = num_le32(p + kb + 4);
		ref += ref < TAIL_SHORT ? moved : 0;
		memcpy(q, p, kb + 4);
		memcpy(q + kb + 4, &ref, sizeof ref);
	}
}

void entries_copy(struct run_out *o, const struct run_index *ix, unsigned sign, uint64_t lo,
		  uint64_t hi)
{
	const struct run_part *part = &ix->part[sign];
	const uint8_t *p = part->entries + lo * ix->entry_bytes;
	const uint8_t *end = part->entries + hi * ix->entry_bytes;
	if (ix->key_bytes == 20)
		stretch_write(o, sign, part, p, end, 20);
	else if (ix->key_bytes == 12)
		stretch_write(o, sign, part, p, end, 12);
	else
		out_put(o, sign ? OUT_NEG : OUT_POS, p, (size_t)(end - p));
}

/* ---- merging ---- */

/* Several lanes begin with the same entry: what is added less what is removed. */
static void equals_write(struct group_merge *g, uint32_t kb, uint64_t *left)
{
	struct merge_lane head = *g->order[0];
	int net = 0;
	for (bool more = true; more && g->n > 0;) {
		struct merge_lane *x = g->order[0];
		more = x->equal_next;
		net += x->removed ? -1 : 1;
		*left -= *left > 0;
		lane_advance(g, x, kb);
	}
	if (net != 0)
		entry_write(g->o, net < 0, head.part, head.at, kb);
}

/* Entries of the first lane that come before the second one's next, at most `max`: by doubling,
 * then halving. */
INLINE uint64_t stretch_n(const struct group_merge *g, uint64_t max, uint32_t kb)
{
	const uint32_t eb = entry_bytes_of(kb);
	const struct merge_lane *x = g->order[0], *limit = g->order[1];
	uint64_t n = MIN((uint64_t)(x->end - x->at) / eb, max), lo = 1, hi = 1;
	struct merge_lane probe = *x;
	for (uint64_t step = 1; hi < n; step *= 2) {
		hi = MIN(hi + step, n);
		probe.at = x->at + (hi - 1) * eb;
		lane_words(probe.at, kb, &probe.k0, &probe.k1);
		if (lane_cmp(&probe, limit, kb) >= 0)
			break;
		lo = hi;
	}
	while (lo < hi) { /* entries [0, lo) come before it */
		uint64_t mid = lo + (hi - lo) / 2;
		probe.at = x->at + mid * eb;
		lane_words(probe.at, kb, &probe.k0, &probe.k1);
		if (lane_cmp(&probe, limit, kb) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The first lane goes on for long: copy its stretch. */
INLINE void stretch_take(struct group_merge *g, uint64_t *left, uint32_t kb)
{
	struct merge_lane *x = g->order[0];
	uint64_t n = stretch_n(g, *left, kb);
	const uint8_t *end = x->at + n * entry_bytes_of(kb);
	stretch_write(g->o, x->removed, x->part, x->at, end, kb);
	*left -= n;
	x->at = end - entry_bytes_of(kb);
	lane_advance(g, x, kb);
	g->wins = 0;
}

INLINE void lanes_merge(struct group_merge *g, uint64_t *units, uint32_t kb)
{
	uint64_t left = *units;
	while (g->n > 1 && left > 0) {
		struct merge_lane *x = g->order[0];
		if (UNLIKELY(x->equal_next)) {
			equals_write(g, kb, &left);
			continue;
		}
		if (UNLIKELY(g->wins >= GALLOP_WINS)) {
			stretch_take(g, &left, kb);
			continue;
		}
		entry_write(g->o, x->removed, x->part, x->at, kb);
		left--;
		lane_advance(g, x, kb);
		g->wins = g->n && g->order[0] == x ? g->wins + 1 : 0;
	}
	if (g->n == 1 && left > 0) {
		struct merge_lane *x = g->order[0];
		const uint32_t eb = entry_bytes_of(kb);
		uint64_t n = MIN((uint64_t)(x->end - x->at) / eb, left);
		stretch_write(g->o, x->removed, x->part, x->at, x->at + n * eb, kb);
		x->at += n * eb;
		left -= n;
		if (x->at >= x->end)
			lane_drop(g);
	}
	*units = left;
}

bool group_merge_step(struct group_merge *g, uint64_t *units)
{
	switch (g->key_bytes) {
	case 0:
		lanes_merge(g, units, 0);
		break;
	case 4:
		lanes_merge(g, units, 4);
		break;
	case 8:
		lanes_merge(g, units, 8);
		break;
	case 12:
		lanes_merge(g, units, 12);
		break;
	default:
		lanes_merge(g, units, 20);
		break;
	}
	return g->n == 0;
}
