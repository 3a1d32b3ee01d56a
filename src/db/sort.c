/* SPDX-License-Identifier: MIT */
/* Sorting a block's index entries by (group, key, id).
 *
 * Word by word: items are radix-sorted by a 64-bit word, first the group with the first key bytes;
 * what is equal in it gets the next eight key bytes as its word. Rows of a scan mostly come in
 * order, which is seen while they are collected and costs nothing here. */
#include "db/db_priv.h"

#define INSERTION_MAX 24u /* up to so many items the simple way is the fast one */
#define MERGE_SORT_MAX                                                                             \
	512u		/* and up to so many, merging: clearing a table of digits costs as much */
#define STRETCH_MIN 16u /* ascending stretches of that many on average are merged */
#define LAID_MIN 8u	/* and of that many laid one behind the other, where they do not overlap */
#define WIDE_FROM 4096u /* items from which a table of 11 bits pays */
#define DIGIT_VALUES 2048u

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

/* What words are like before they are sorted. */
struct words {
	uint64_t differ;   /* bits in which they differ */
	size_t descents_n; /* words less than the one before them; 0: they are in order already */
};

static struct words words_look(const struct emit_item *a, size_t n)
{
	struct words w = { 0, 0 };
	uint64_t first = a[0].k, last = first;
	for (size_t i = 1; i < n; i++) {
		uint64_t word = a[i].k;
		w.differ |= word ^ first;
		w.descents_n += word < last;
		last = word;
	}
	return w;
}

/* Merges without branches that depend on what is merged. `to` may be where b is at its end. */
static void merge_by_word(const struct emit_item *a, const struct emit_item *a_end,
			  const struct emit_item *b, const struct emit_item *b_end,
			  struct emit_item *to)
{
	while (a < a_end && b < b_end) {
		bool second = b->k < a->k;
		*to++ = *(second ? b : a);
		a += !second;
		b += second;
	}
	memmove(to, a, (size_t)(a_end - a) * sizeof *a);
	to += a_end - a;
	memmove(to, b, (size_t)(b_end - b) * sizeof *b);
}

/* Sorted stretches of 8, then of twice as many, and so on. */
static void merge_sort_by_word(struct emit_item *a, struct emit_item *scratch, size_t n)
{
	struct emit_item *from = a, *to = scratch;
	for (size_t i = 0; i < n; i += 8)
		insertion_by_word(a + i, MIN(n - i, 8));
	for (size_t width = 8; width < n; width *= 2) {
		for (size_t i = 0; i < n; i += 2 * width) {
			size_t mid = MIN(n, i + width), end = MIN(n, i + 2 * width);
			merge_by_word(from + i, from + mid, from + mid, from + end, to + i);
		}
		struct emit_item *t = from;
		from = to;
		to = t;
	}
	if (from != a)
		memcpy(a, from, n * sizeof *a);
}

/* ---- what comes in ascending stretches ---- */

/* The first of n ascending words that is not below (above: that is above) `word`. */
static size_t word_bound(const struct emit_item *a, size_t n, uint64_t word, bool above)
{
	size_t lo = 0;
	while (n > 0) {
		size_t half = n / 2;
		bool right = above ? a[lo + half].k <= word : a[lo + half].k < word;
		lo += right ? half + 1 : 0;
		n = right ? n - half - 1 : half;
	}
	return lo;
}

/* Neighbouring stretches, in place: only where they overlap is anything moved. */
static void stretches_merge(struct emit_item *a, size_t mid, size_t n, struct emit_item *scratch)
{
	if (a[mid - 1].k <= a[mid].k)
		return;
	size_t from = word_bound(a, mid, a[mid].k, true);
	size_t to = mid + word_bound(a + mid, n - mid, a[mid - 1].k, false);
	memcpy(scratch, a + from, (mid - from) * sizeof *a);
	merge_by_word(scratch, scratch + (mid - from), a + mid, a + to, a + from);
}

/* Each stretch is merged with those before it that are not twice as long, so that few stay open.
 * O(n log stretches), less where stretches overlap little. */
static void stretches_sort(struct emit_item *a, size_t n, struct emit_item *scratch)
{
	size_t starts[64];
	unsigned open = 0;
	for (size_t start = 0; start < n;) {
		size_t end = start + 1;
		while (end < n && a[end - 1].k <= a[end].k)
			end++;
		starts[open++] = start;
		while (open > 1) {
			size_t first = starts[open - 2], mid = starts[open - 1];
			if (end < n && mid - first > 2 * (end - mid))
				break;
			stretches_merge(a + first, mid - first, end - first, scratch);
			open--;
		}
		start = end;
	}
}

/* ---- by digits ---- */

struct digit {
	unsigned shift;
	uint32_t mask;
};

/* The highest bits that tell n items apart, were they spread evenly, in a few digits; *mask: all of
 * them. */
static unsigned digits_choose(uint64_t differ, size_t n, struct digit digits[8], uint64_t *mask)
{
	int need = 66 - __builtin_clzll(n), bits = 0;
	unsigned digits_n = 0, width = n >= WIDE_FROM ? 11 : 8;
	*mask = 0;
	while (differ && bits < need && digits_n < 8) {
		unsigned top = 64 - (unsigned)__builtin_clzll(differ);
		unsigned shift = top > width ? top - width : 0;
		uint64_t in_digit = ~0ull >> (64 - top) & ~0ull << shift;
		bits += __builtin_popcountll(differ & in_digit);
		differ &= ~in_digit;
		*mask |= in_digit;
		digits[digits_n++] = (struct digit){ shift, (uint32_t)(in_digit >> shift) };
	}
	return digits_n;
}

static void radix_pass(const struct emit_item *from, struct emit_item *to, size_t n,
		       struct digit digit)
{
	uint32_t at[DIGIT_VALUES], sum = 0;
	memset(at, 0, (digit.mask + 1) * sizeof *at);
	for (size_t i = 0; i < n; i++)
		at[from[i].k >> digit.shift & digit.mask]++;
	for (unsigned d = 0; d <= digit.mask; d++) {
		uint32_t count = at[d];
		at[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[at[from[i].k >> digit.shift & digit.mask]++] = from[i];
}

static void sort_by_word(const struct sorter *s, struct emit_item *a, size_t n)
{
	if (n <= INSERTION_MAX) {
		insertion_by_word(a, n);
		return;
	}
	struct words words = words_look(a, n);
	if (words.descents_n == 0)
		return;
	if (words.descents_n < n / STRETCH_MIN) {
		stretches_sort(a, n, s->scratch);
		return;
	}
	if (n <= MERGE_SORT_MAX) {
		merge_sort_by_word(a, s->scratch, n);
		return;
	}
	uint64_t mask;
	struct digit digits[8];
	struct emit_item *from = a, *to = s->scratch;
	for (unsigned d = digits_choose(words.differ, n, digits, &mask); d-- > 0;) {
		radix_pass(from, to, n, digits[d]);
		struct emit_item *t = from;
		from = to;
		to = t;
	}
	if (from != a)
		memcpy(a, from, n * sizeof *a);
	if ((words.differ & ~mask) == 0)
		return;
	for (size_t i = 0; i < n;) { /* what the lower bits still decide */
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

static bool keys_end(const struct emit_list *list, const struct emit_item *a, size_t n,
		     size_t depth)
{
	for (size_t i = 0; i < n; i++)
		if (emit_key(list, &a[i]).n > depth)
			return false;
	return true;
}

/* The words at `depth`, to sort by; false where all are alike, though keys go on. */
static bool words_take(const struct emit_list *list, struct emit_item *a, size_t n, size_t depth)
{
	uint64_t differ = 0;
	bool more = false;
	for (size_t i = 0; i < n; i++) {
		struct span key = emit_key(list, &a[i]);
		a[i].k = key_word(key, depth);
		differ |= a[i].k ^ a[0].k;
		more |= key.n > depth + 8;
	}
	return differ || !more;
}

static void all_ties_sort(const struct sorter *s, struct emit_item *a, size_t n, size_t depth);

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
		while (!words_take(list, a, n, depth))
			depth += 8;
		sort_by_word(s, a, n);
		all_ties_sort(s, a, n, depth + 8);
	}
	for (size_t i = 0; i < n; i++)
		a[i].k = word;
}

/* Words hold what stands before `depth`, and are sorted. Recursion is as deep as keys have words:
 * 128. */
static void all_ties_sort(const struct sorter *s, struct emit_item *a, size_t n, size_t depth)
{
	for (size_t i = 0; i < n;) {
		size_t j = i + 1;
		while (j < n && a[j].k == a[i].k)
			j++;
		if (j - i > 1)
			ties_sort(s, a + i, j - i, depth);
		i = j;
	}
}

bool emit_sorted(const struct emit_list *list)
{
	return in_order(list, list->items, list->n);
}

/* ---- groups that come in few stretches each ---- */

/* An item for each stretch: its first word, where it begins, and its length. 0 where there are more
 * than max. */
static size_t stretches_list(const struct emit_item *a, size_t n, struct emit_item *out, size_t max)
{
	size_t stretches_n = 0;
	for (size_t start = 0, end = 1; start < n; start = end++) {
		uint64_t first = a[start].k, last = first;
		if (stretches_n == max)
			return 0;
		for (; end < n && a[end].k >= last && a[end].k >> 32 == first >> 32; end++)
			last = a[end].k;
		out[stretches_n++] =
			(struct emit_item){ first, (uint32_t)start, (uint32_t)(end - start) };
	}
	return stretches_n;
}

/* By word, moving stretches as wholes. False, and nothing is done, where they are many or overlap.
 */
static bool stretches_lay(const struct sorter *s, struct emit_item *a, size_t n)
{
	struct emit_item *stretches = s->scratch + n, *to = s->scratch;
	size_t stretches_n = stretches_list(a, n, stretches, n / LAID_MIN);
	sort_by_word(s, stretches, stretches_n);
	for (size_t i = 1; i < stretches_n; i++) {
		const struct emit_item *before = &stretches[i - 1];
		if (a[before->id + before->ref - 1].k > stretches[i].k)
			return false;
	}
	for (size_t i = 0; i < stretches_n; i++) {
		memcpy(to, a + stretches[i].id, stretches[i].ref * sizeof *a);
		to += stretches[i].ref;
	}
	if (stretches_n)
		memcpy(a, s->scratch, n * sizeof *a);
	return stretches_n > 0;
}

size_t emit_sort_scratch(size_t n)
{
	return n + n / LAID_MIN;
}

void emit_sort(struct emit_list *list, struct emit_item *scratch)
{
	struct sorter s = { list, scratch };
	if (!stretches_lay(&s, list->items, list->n))
		sort_by_word(&s, list->items, list->n);
	all_ties_sort(&s, list->items, list->n, 4);
}
