/* SPDX-License-Identifier: MIT */
/* UTF-8 as the Unicode standard's table 3-7 has it. */
#include "base/utf8.h"

#define REPLACEMENT 0xFFFDu

static bool tail(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

size_t utf8_char_bytes(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xC2 || p[0] > 0xF4)
		return 0;
	if (p[0] < 0xE0)
		return s.n >= 2 && tail(p[1]) ? 2 : 0;
	if (p[0] < 0xF0) {
		/* E0: nothing overlong; ED: no surrogates. */
		if (s.n < 3 || !tail(p[1]) || !tail(p[2]) || (p[0] == 0xE0 && p[1] < 0xA0) ||
		    (p[0] == 0xED && p[1] > 0x9F))
			return 0;
		return 3;
	}
	/* F0: nothing overlong; F4: nothing above U+10FFFF. */
	if (s.n < 4 || !tail(p[1]) || !tail(p[2]) || !tail(p[3]) || (p[0] == 0xF0 && p[1] < 0x90) ||
	    (p[0] == 0xF4 && p[1] > 0x8F))
		return 0;
	return 4;
}

/* Bytes below 0x80 at the start of s, eight at a time. */
static size_t ascii_run(struct span s)
{
	size_t i = 0;

	for (; s.n - i >= 8; i += 8) {
		uint64_t eight;
		memcpy(&eight, s.p + i, 8);
		if (eight & 0x8080808080808080u)
			break;
	}
	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

/* The length of the valid UTF-8 at the start of s. */
static size_t valid_run(struct span s)
{
	size_t i = 0;

	while (i < s.n) {
		i += ascii_run(span_skip(s, i));
		if (i == s.n)
			break;
		size_t n = utf8_char_bytes(span_skip(s, i));
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

bool utf8_valid(struct span s)
{
	return valid_run(s) == s.n;
}

uint32_t utf8_next(struct span *s)
{
	const unsigned char *p = (const unsigned char *)s->p;
	size_t n = utf8_char_bytes(*s);

	*s = span_skip(*s, n ? n : 1);
	switch (n) {
	case 1:
		return p[0];
	case 2:
		return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
	case 3:
		return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
	case 4:
		return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 |
		       (p[3] & 0x3Fu);
	default:
		return REPLACEMENT;
	}
}

void utf8_put(struct buf *b, uint32_t c)
{
	char out[4];
	size_t n = 0;

	if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		c = REPLACEMENT;
	if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xC0 | c >> 6);
	} else if (c < 0x10000) {
		out[n++] = (char)(0xE0 | c >> 12);
		out[n++] = (char)(0x80 | (c >> 6 & 0x3F));
	} else {
		out[n++] = (char)(0xF0 | c >> 18);
		out[n++] = (char)(0x80 | (c >> 12 & 0x3F));
		out[n++] = (char)(0x80 | (c >> 6 & 0x3F));
	}
	if (c >= 0x80)
		out[n++] = (char)(0x80 | (c & 0x3F));
	buf_add(b, span_of(out, n));
}

void utf8_add_clean(struct buf *b, struct span s)
{
	while (s.n > 0) {
		size_t n = valid_run(s);
		buf_add(b, span_first(s, n));
		s = span_skip(s, n);
		if (s.n > 0) {
			utf8_put(b, REPLACEMENT);
			s = span_skip(s, 1);
		}
	}
}
