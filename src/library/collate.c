/* SPDX-License-Identifier: MIT */
/* The natural sort key. These bytes are in the indexes on disk and an update takes old entries out
 * by computing their keys again, so the same name must give the same key for ever. That is why only
 * scripts whose decompositions and case foldings Unicode has frozen are folded (Latin, Greek,
 * Cyrillic); the rest sorts by code point, whatever version of utf8proc is installed.
 *
 * A run of digits becomes: '0', its length + 1, its digits without leading zeros. No byte is 0. */
#include <stdatomic.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <utf8proc.h>

#include "base/utf8.h"
#include "library/library.h"

#define NUMBER_DIGITS_MAX 250 /* of one run: its length + 1 must fit a byte */

struct key {
	uint8_t *p;
	size_t n, max;
	uint8_t *number;   /* the length byte of the run of digits at hand, or NULL */
	bool plain_digits; /* text to look into, not to sort by */
};

static uint8_t folded(uint8_t ascii)
{
	return ascii >= 'A' && ascii <= 'Z' ? ascii + ('a' - 'A') : ascii ? ascii : 1;
}

static void put_byte(struct key *k, uint8_t c)
{
	k->number = NULL;
	if (k->n < k->max)
		k->p[k->n++] = c;
}

static void put_digit(struct key *k, uint8_t c)
{
	if (!k->number || *k->number > NUMBER_DIGITS_MAX) {
		if (k->n + 2 > k->max)
			return;
		k->p[k->n++] = '0';
		k->number = &k->p[k->n];
		k->p[k->n++] = 1;
	}
	bool leading_zero = c == '0' && *k->number == 1;
	if (leading_zero || k->n == k->max)
		return;
	k->p[k->n++] = c;
	(*k->number)++;
}

static void put_ascii(struct key *k, uint8_t c)
{
	if (c >= '0' && c <= '9' && !k->plain_digits)
		put_digit(k, c);
	else
		put_byte(k, folded(c));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at p; returns where they end. */
static const char *put_digits(struct key *k, const char *p, const char *end)
{
	const char *stop = p;
	while (stop < end && is_digit(*stop))
		stop++;
	size_t n = (size_t)(stop - p);
	if (k->number || k->plain_digits || n > NUMBER_DIGITS_MAX || n + 2 > k->max - k->n) {
		for (; p < stop; p++)
			put_ascii(k, (uint8_t)*p);
		return stop;
	}
	while (p < stop && *p == '0')
		p++;
	n = (size_t)(stop - p);
	uint8_t *to = k->p + k->n;
	to[0] = '0';
	to[1] = (uint8_t)(n + 1);
	for (size_t i = 0; i < n; i++) /* mostly one or two */
		to[2 + i] = (uint8_t)p[i];
	k->number = to + 1;
	k->n += n + 2;
	return stop;
}

static void put_code_point(struct key *k, uint32_t c)
{
	if (c < 0x80) {
		put_ascii(k, (uint8_t)c);
		return;
	}
	uint8_t utf8[4];
	utf8proc_ssize_t n = utf8proc_encode_char((utf8proc_int32_t)c, utf8);
	for (utf8proc_ssize_t i = 0; i < n; i++)
		put_byte(k, utf8[i]);
}

/* Letters that Unicode does not decompose, but that people look for under their base letter. */
static const struct {
	uint16_t from;
	char to[3];
} letters[] = {
	{ 0x00e6, "ae" }, { 0x00f8, "o" }, { 0x0111, "d" },  { 0x0127, "h" },
	{ 0x0131, "i" },  { 0x0142, "l" }, { 0x0153, "oe" }, { 0x0167, "t" },
};

static bool is_accent(uint32_t c)
{
	return (c >= 0x0300 && c <= 0x036f) || (c >= 0x1dc0 && c <= 0x1dff) ||
	       (c >= 0x20d0 && c <= 0x20ff) || c == 0x00ad;
}

static bool is_folded_script(uint32_t c)
{
	return (c >= 0x00c0 && c <= 0x052f) || (c >= 0x1e00 && c <= 0x1fff);
}

static void put_folded(struct key *k, uint32_t c)
{
	if (is_accent(c))
		return;
	for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
		if (letters[i].from == c) {
			for (const char *t = letters[i].to; *t; t++)
				put_byte(k, (uint8_t)*t);
			return;
		}
	}
	put_code_point(k, c);
}

static void put_wide(struct key *k, uint32_t c)
{
	if (c >= 0xff01 && c <= 0xff5e) { /* full-width forms of ASCII */
		put_ascii(k, (uint8_t)(c - 0xfee0));
	} else if (c == 0xa0 || c == 0x3000) {
		put_byte(k, ' ');
	} else if (is_folded_script(c)) {
		utf8proc_int32_t parts[16];
		int bound = UTF8PROC_BOUNDCLASS_START;
		utf8proc_ssize_t n = utf8proc_decompose_char(
			(utf8proc_int32_t)c, parts, (utf8proc_ssize_t)ARRAY_LEN(parts),
			UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD, &bound);
		if (n < 0 || n > (utf8proc_ssize_t)ARRAY_LEN(parts))
			put_code_point(k, c);
		else
			for (utf8proc_ssize_t i = 0; i < n; i++)
				put_folded(k, (uint32_t)parts[i]);
	} else {
		put_folded(k, c);
	}
}

/* ---- what was folded before ---- */

/* Per character of two bytes, and per Latin or Greek one of U+1E00 to U+1FFF, what it becomes:
 * bytes, and in the highest their number + 1; 0: not asked for yet. */
#define KNOWN_TWO_BYTES (0x800u - 0x80u)
#define KNOWN_MORE_FROM 0x1e00u
#define KNOWN_MORE_TO 0x2000u
#define KNOWN_LONG 0xffu /* not to be kept here */

static _Atomic uint64_t known[KNOWN_TWO_BYTES + KNOWN_MORE_TO - KNOWN_MORE_FROM];

static uint64_t fold_alone(uint32_t c)
{
	uint8_t bytes[16];
	struct key k = { .p = bytes, .max = sizeof bytes };
	put_wide(&k, c);
	if (k.n > 7 || k.number)
		return (uint64_t)KNOWN_LONG << 56;
	uint64_t fold = (uint64_t)(k.n + 1) << 56;
	for (size_t i = 0; i < k.n; i++)
		fold |= (uint64_t)bytes[i] << 8 * i;
	return fold;
}

/* The character at the start of the text, where it is one of those; returns how many bytes of it.
 */
static size_t put_known(struct key *k, struct span text)
{
	const uint8_t *p = (const uint8_t *)text.p;
	size_t n;
	uint32_t c, slot;
	if (text.n >= 2 && p[0] >= 0xc2 && p[0] <= 0xdf && (p[1] & 0xc0) == 0x80) {
		c = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
		slot = c - 0x80;
		n = 2;
	} else if (text.n >= 3 && p[0] == 0xe1 && p[1] >= 0xb8 && p[1] <= 0xbf &&
		   (p[2] & 0xc0) == 0x80) {
		c = 0x1000 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
		slot = c - KNOWN_MORE_FROM + KNOWN_TWO_BYTES;
		n = 3;
	} else {
		return 0;
	}
	/* whoever comes first writes what everybody would: it orders nothing */
	uint64_t fold = atomic_load_explicit(&known[slot], memory_order_relaxed);
	if (UNLIKELY(fold == 0)) {
		fold = fold_alone(c);
		atomic_store_explicit(&known[slot], fold, memory_order_relaxed);
	}
	if (UNLIKELY(fold >> 56 == KNOWN_LONG || k->max - k->n < 8))
		return 0;
	memcpy(k->p + k->n, &fold, 8);
	size_t folded_n = (size_t)(fold >> 56) - 1;
	k->n += folded_n;
	if (folded_n)
		k->number = NULL;
	return n;
}

/* ---- many characters at a time ---- */

#define WINDOW 64u   /* characters looked at together */
#define ROOM_MIN 32u /* of the key, for that; the rest is filled one by one */

typedef int8_t vec __attribute__((vector_size(16)));
typedef uint64_t vec_words __attribute__((vector_size(16)));

/* The first n < 16 bytes, 0 behind them; nothing else is read. */
static inline vec load_few(const char *p, size_t n)
{
	const uint8_t *b = (const uint8_t *)p;
	uint64_t low, high = 0;
	if (n >= 8) {
		low = num_le64(p);
		high = num_le64(p + n - 8) >> 8 * (15 - n) >> 8;
	} else if (n >= 4) {
		low = num_le32(p) | (uint64_t)num_le32(p + n - 4) << 8 * (n - 4);
	} else {
		low = b[0] | (uint64_t)b[n / 2] << 8 * (n / 2) | (uint64_t)b[n - 1] << 8 * (n - 1);
	}
	return (vec)(vec_words){ low, high };
}

/* A bit for each negative byte. */
static uint64_t vec_signs(vec v)
{
#ifdef __SSE2__
	return (uint16_t)_mm_movemask_epi8((__m128i)v);
#else
	const uint64_t high_bits = 0x8080808080808080u, gather = 0x0002040810204081u;
	vec_words words = (vec_words)v;
	return (words[0] & high_bits) * gather >> 56 | (words[1] & high_bits) * gather >> 56 << 8;
#endif
}

/* Characters as plain ones. Returns a bit for each that is not, because it is a digit or a part of
 * a longer UTF-8 sequence. */
static inline uint64_t vec_fold(vec v, bool plain_digits, uint8_t *out)
{
	vec digits = (v > '0' - 1) & (v < '9' + 1), capitals = (v > 'A' - 1) & (v < 'Z' + 1);
	uint64_t stops = vec_signs(plain_digits ? v : v | digits);
	v = (v | (capitals & ('a' - 'A'))) - (v == 0); /* as folded() */
	memcpy(out, &v, sizeof v);
	return stops;
}

static inline vec load(const char *p)
{
	vec v;
	memcpy(&v, p, sizeof v);
	return v;
}

/* The same of up to WINDOW characters; the last vector may overlap the one before it. */
static inline __attribute__((always_inline)) uint64_t
window_fold(struct span text, bool plain_digits, uint8_t out[WINDOW])
{
	if (text.n < sizeof(vec))
		return vec_fold(load_few(text.p, text.n), plain_digits, out);
	size_t last = text.n - sizeof(vec);
	uint64_t stops = vec_fold(load(text.p + last), plain_digits, out + last) << last;
	for (size_t i = 0; i < last; i += sizeof(vec))
		stops |= vec_fold(load(text.p + i), plain_digits, out + i) << i;
	return stops;
}

/* One character, or a run of digits; returns how many bytes of the text. */
static size_t put_next(struct key *k, struct span text)
{
	struct span rest = text;
	if (is_digit(*text.p))
		return (size_t)(put_digits(k, text.p, text.p + text.n) - text.p);
	uint32_t c = utf8_next(&rest);
	size_t n = text.n - rest.n;
	if (c < 0x80)
		put_ascii(k, (uint8_t)c);
	else if (c != 0xfffd)
		put_wide(k, c);
	else /* file names are bytes: keep those that are no UTF-8 */
		for (size_t i = 0; i < n; i++)
			put_byte(k, (uint8_t)text.p[i]);
	return n;
}

/* The start of the text; returns how many bytes of it. Inline, so that plain_digits is known. */
static inline __attribute__((always_inline)) size_t put_window(struct key *k, struct span text,
							       bool plain_digits)
{
	uint8_t plain[WINDOW + sizeof(vec)];
	size_t end = MIN(text.n, WINDOW), at = 0;
	uint64_t stops = window_fold(span_first(text, end), plain_digits, plain);
	while (k->max - k->n >= ROOM_MIN) {
		uint64_t ahead = stops >> at;
		size_t n = ahead ? (size_t)__builtin_ctzll(ahead) : end - at;
		if (n) {
			uint8_t *to = k->p + k->n;
			n = MIN(n, k->max - k->n - sizeof(vec));
			memcpy(to, plain + at, sizeof(vec));
			for (size_t i = sizeof(vec); i < n; i += sizeof(vec))
				memcpy(to + i, plain + at + i, sizeof(vec));
			k->n += n;
			k->number = NULL;
			at += n;
		}
		if (at >= end)
			break;
		struct span rest = span_of(text.p + at, text.n - at);
		if (is_digit(*rest.p) && !plain_digits) {
			at = (size_t)(put_digits(k, rest.p, text.p + text.n) - text.p);
		} else {
			n = put_known(k, rest);
			at += LIKELY(n) ? n : put_next(k, rest);
		}
		if (at >= end)
			break;
	}
	return at;
}

static inline __attribute__((always_inline)) size_t text_put(struct key k, struct span text)
{
	while (text.n && k.n < k.max) {
		size_t n = k.max - k.n >= ROOM_MIN ? put_window(&k, text, k.plain_digits)
						   : put_next(&k, text);
		text = span_of(text.p + n, text.n - n);
	}
	return k.n;
}

size_t library_collate_key(struct span name, uint8_t out[COLLATE_KEY_MAX])
{
	while (name.n && *name.p == ' ')
		name = span_skip(name, 1);
	return text_put((struct key){ .p = out, .max = COLLATE_KEY_MAX }, name);
}

size_t library_fold(struct span text, char *out, size_t max)
{
	return text_put((struct key){ .p = (uint8_t *)out, .max = max, .plain_digits = true },
			text);
}
