/* SPDX-License-Identifier: MIT */
/* Two of the bytes that are looked for, those that text has least often, are compared at 16 places
 * at once; only where both fit is the rest compared. */
#include "library/text_find.h"

#include <ctype.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Folded letters by how often titles in European languages have them, the most frequent first. */
static const char frequent[] = " eaointrslhdcumpgfybvkw1209x3j45678zq'-.,()";

static size_t rank(char c)
{
	const char *at = strchr(frequent, c);
	return c && at ? (size_t)(at - frequent) : sizeof frequent;
}

void text_needle_init(struct text_needle *n, struct span want)
{
	*n = (struct text_needle){ .want = want };
	for (size_t i = 1; i < want.n; i++)
		if (rank(want.p[i]) > rank(want.p[n->rare[0]]))
			n->rare[0] = i;
	n->rare[1] = n->rare[0] == 0 ? want.n - 1 : 0;
	for (size_t i = 0; i < want.n; i++)
		if (i != n->rare[0] && rank(want.p[i]) > rank(want.p[n->rare[1]]))
			n->rare[1] = i;
}

/* Mostly a few bytes, of which two are known to fit: a call would take longer. */
static inline bool same(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

const char *text_find(const struct text_needle *n, const char *p, const char *end)
{
	struct span want = n->want;
#ifdef __SSE2__
	const __m128i a = _mm_set1_epi8(want.p[n->rare[0]]);
	const __m128i b = _mm_set1_epi8(want.p[n->rare[1]]);
	while ((size_t)(end - p) >= want.n + 16) {
		__m128i at_a = _mm_loadu_si128((const void *)(p + n->rare[0]));
		__m128i at_b = _mm_loadu_si128((const void *)(p + n->rare[1]));
		unsigned fit = (unsigned)_mm_movemask_epi8(
			_mm_and_si128(_mm_cmpeq_epi8(at_a, a), _mm_cmpeq_epi8(at_b, b)));
		for (; fit; fit &= fit - 1) {
			const char *hit = p + __builtin_ctz(fit);
			if (same(hit, want.p, want.n))
				return hit;
		}
		p += 16;
	}
#endif
	return memmem(p, (size_t)(end - p), want.p, want.n);
}

bool text_word_begins(const char *begin, const char *at)
{
	if (at == begin)
		return true;
	unsigned char before = (unsigned char)at[-1];
	return before < 0x80 && !isalnum(before);
}
