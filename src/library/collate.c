/* SPDX-License-Identifier: MIT */
/* The natural sort key. These bytes are in the indexes on disk and an update takes old entries out
 * by computing their keys again, so the same name must give the same key for ever. That is why only
 * scripts whose decompositions and case foldings Unicode has frozen are folded (Latin, Greek,
 * Cyrillic); the rest sorts by code point, whatever version of utf8proc is installed.
 *
 * A run of digits becomes: '0', its length + 1, its digits without leading zeros. No byte is 0. */
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

/* What an ASCII byte becomes; 0 for those that end a stretch of plain characters: digits, and the
 * first bytes of longer UTF-8 sequences. */
static const uint8_t folded[256] = {
#define B4(c) (c), (c) + 1, (c) + 2, (c) + 3
#define B16(c) B4(c), B4((c) + 4), B4((c) + 8), B4((c) + 12)
	1,
	1,
	2,
	3,
	B4(4),
	B4(8),
	B4(12),
	B16(16),
	B16(32),
	[':'] = ':',
	';',
	'<',
	'=',
	'>',
	'?',
	'@',
	['A'] = B16('a'),
	B4('q'),
	B4('u'),
	'y',
	'z',
	['['] = '[',
	'\\',
	']',
	'^',
	'_',
	'`',
	B16('a'),
	B4('q'),
	B4('u'),
	'y',
	B4('z'),
	'~',
	127,
#undef B16
#undef B4
};

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
		put_byte(k, c >= '0' && c <= '9' ? c : folded[c]);
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
	span_copy(to + 2, span_of(p, n));
	k->number = to + 1;
	k->n += n + 2;
	return stop;
}

/* Plain characters and numbers at the start of the text, the many; returns how many bytes of it. */
static size_t put_plain(struct key *k, struct span text)
{
	const char *p = text.p, *end = text.p + text.n;
	while (p < end && k->n < k->max) {
		uint8_t *to = k->p + k->n, *start = to;
		const char *stop = p + MIN((size_t)(end - p), k->max - k->n);
		uint8_t c;
		while (p < stop && (c = folded[(uint8_t)*p]) != 0) {
			*to++ = c;
			p++;
		}
		if (to != start)
			k->number = NULL;
		k->n += (size_t)(to - start);
		if (p == stop || !is_digit(*p))
			break;
		p = put_digits(k, p, end);
	}
	return (size_t)(p - text.p);
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

static void put_text(struct key *k, struct span name)
{
	while (name.n && k->n < k->max) {
		name = span_skip(name, put_plain(k, name));
		if (name.n == 0 || k->n == k->max)
			return;
		struct span rest = name;
		uint32_t c = utf8_next(&rest);
		if (c != 0xfffd)
			put_wide(k, c);
		else /* file names are bytes: keep those that are no UTF-8 */
			for (const char *p = name.p; p < rest.p; p++)
				put_byte(k, (uint8_t)*p);
		name = rest;
	}
}

size_t library_collate_key(struct span name, uint8_t out[COLLATE_KEY_MAX])
{
	struct key k = { .p = out, .max = COLLATE_KEY_MAX };
	while (name.n && *name.p == ' ')
		name = span_skip(name, 1);
	put_text(&k, name);
	return k.n;
}

size_t library_fold(struct span text, char *out, size_t max)
{
	struct key k = { .p = (uint8_t *)out, .max = max, .plain_digits = true };
	put_text(&k, text);
	return k.n;
}
