/* SPDX-License-Identifier: MIT */
/* Sorting a block's index entries by (group, key, id).
 *
 * Word by word: items are radix-sorted by a 64-bit word, first the group with the first key bytes;
 * what is equal in it gets the next eight key bytes as its word. Rows of a scan mostly come in
 * order, which is seen while they are collected and costs nothing here. */
#include "db/db_priv.h"

#define INSERTION_MAX 24u /* up to so many items the simple way is the fast one */

struct sorter {
	const struct emit_list *list;
	struct emit_item *scratch;
};

/* ---- by the word in k ---- */

static void insertion_by_word(struct emit_item *a, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct emit_item item = a[i];
		size_t j = i;
		for (; j > 0 && a[j - 1].k > item.k; j--)
			a[j] = a[j - 1];
		a[j] = item;
	}
}

/* The bits in which words differ; 0 where they are in order already. */
static uint64_t words_differ(const struct emit_item *a, size_t n)
{
	uint64_t differ = 0, disorder = 0;
	for (size_t i = 1; i < n; i++) {
		differ |= a[i].k ^ a[0].k;
		disorder |= a[i].k < a[i - 1].k;
	}
	return disorder ? differ : 0;
}

/* The highest differing bytes that tell n items apart, were they spread evenly. */
static unsigned digits_choose(uint64_t differ, size_t n, unsigned shifts[8], uint64_t *mask)
{
	int need = 66 - __builtin_clzll(n), bits = 0;
	unsigned digits_n = 0;
	*mask = 0;
	for (int shift = 56; shift >= 0 && bits < need; shift -= 8) {
		uint64_t digit = differ >> shift & 255;
		if (digit == 0)
			continue;
		bits += __builtin_popcountll(digit);
		*mask |= 255ull << shift;
		shifts[digits_n++] = (unsigned)shift;
	}
	return digits_n;
}

static void radix_pass(const struct emit_item *from, struct emit_item *to, size_t n, unsigned shift)
{
	uint32_t at[256] = { 0 }, sum = 0;
	for (size_t i = 0; i < n; i++)
		at[from[i].k >> shift & 255]++;
	for (unsigned d = 0; d < 256; d++) {
		uint32_t count = at[d];
		at[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i].k >> shift & 255]++] = from[i];
}

static void sort_by_word(const struct sorter *s, struct emit_item *a, size_t n)
{
	if (n <= INSERTION_MAX) {
		insertion_by_word(a, n);
		return;
	}
	uint64_t differ = words_differ(a, n), mask;
	if (differ == 0)
		return;
	unsigned shifts[8];
	struct emit_item *from = a, *to = s->scratch;
	for (unsigned d = digits_choose(differ, n, shifts, &mask); d-- > 0;) {
		radix_pass(from, to, n, shifts[d]);
		struct emit_item *t = from;
		from = to;
		to = t;
	}
	if (from != a)
		memcpy(a, from, n * sizeof *a);
	if ((differ & ~mask) == 0)
		return;
	for (size_t i = 0; i < n;) { /* what the lower bytes still decide */
		size_t j = i + 1;
		while (j < n && (a[j].k & mask) == (a[i].k & mask))
			j++;
		if (j - i > 1)
			sort_by_word(s, a + i, j - i);
		i = j;
	}
}

/* ---- by group and whole key ---- */

static void insertion_by_key(const struct emit_list *list, struct emit_item *a, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct emit_item item = a[i];
		size_t j = i;
		for (; j > 0 && item_cmp(list, &a[j - 1], list, &item) > 0; j--)
			a[j] = a[j - 1];
		a[j] = item;
	}
}

static bool in_order(const struct emit_list *list, const struct emit_item *a, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (item_cmp(list, &a[i - 1], list, &a[i]) > 0)
			return false;
	return true;
}

/* Eight key bytes from `depth` on, as a number that sorts like them. */
static uint64_t key_word(struct span key, size_t depth)
{
	if (depth >= key.n)
		return 0;
	uint64_t word = __builtin_bswap64(num_le64(key.p + depth));
	size_t left = key.n - depth;
	return left >= 8 ? word : word & ~0ull << (64 - 8 * left);
}

/* Where all keys go on alike, there is nothing to sort by. */
static size_t depth_of_difference(const struct emit_list *list, const struct emit_item *a, size_t n,
				  size_t depth)
{
	struct span first = emit_key(list, &a[0]);
	size_t same = first.n;
	for (size_t i = 1; i < n && same > depth; i++) {
		struct span key = emit_key(list, &a[i]);
		size_t max = MIN(same, key.n), at = depth;
		while (at < max && key.p[at] == first.p[at])
			at++;
		same = at;
	}
	return MAX(same, depth);
}

static bool keys_end(const struct emit_list *list, const struct emit_item *a, size_t n,
		     size_t depth)
{
	for (size_t i = 0; i < n; i++)
		if (emit_key(list, &a[i]).n > depth)
			return false;
	return true;
}

static void sort_from_depth(const struct sorter *s, struct emit_item *a, size_t n, size_t depth);

/* Items whose words were equal up to `depth` bytes of their keys. */
static void ties_sort(const struct sorter *s, struct emit_item *a, size_t n, size_t depth)
{
	const struct emit_list *list = s->list;
	uint64_t word = a[0].k;
	if (in_order(list, a, n))
		return;
	if (n <= INSERTION_MAX) {
		insertion_by_key(list, a, n);
		return;
	}
	if (list->key_bytes < 12) { /* ref has the rest of the key */
		for (size_t i = 0; i < n; i++)
			a[i].k = (uint64_t)a[i].ref << 32 | a[i].id;
		sort_by_word(s, a, n);
	} else if (keys_end(list, a, n, depth)) {
		for (size_t i = 0; i < n; i++)
			a[i].k = (uint64_t)emit_key(list, &a[i]).n << 32 | a[i].id;
		sort_by_word(s, a, n);
	} else {
		depth = depth_of_difference(list, a, n, depth);
		for (size_t i = 0; i < n; i++)
			a[i].k = key_word(emit_key(list, &a[i]), depth);
		sort_from_depth(s, a, n, depth + 8);
	}
	for (size_t i = 0; i < n; i++)
		a[i].k = word;
}

/* Words hold what stands before `depth`. Recursion is as deep as keys have words: 128. */
static void sort_from_depth(const struct sorter *s, struct emit_item *a, size_t n, size_t depth)
{
	sort_by_word(s, a, n);
	for (size_t i = 0; i < n;) {
		size_t j = i + 1;
		while (j < n && a[j].k == a[i].k)
			j++;
		if (j - i > 1)
			ties_sort(s, a + i, j - i, depth);
		i = j;
	}
}

void emit_sort(struct emit_list *list, struct emit_item *scratch)
{
	if (list->sorted)
		return;
	struct sorter s = { list, scratch };
	sort_from_depth(&s, list->items, list->n, 4);
	list->sorted = true;
}
