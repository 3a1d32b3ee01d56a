/* SPDX-License-Identifier: MIT */
/* Escaping text into XML. Most text is plain: runs of it are found eight bytes at a time and copied
 * whole. */
#include "base/xml.h"

#include "base/utf8.h"

#define EACH_BYTE(c) (0x0101010101010101u * (c))
#define TOP_BITS EACH_BYTE(0x80u)

/* Non-zero where a byte of x, all below 0x80, is zero. */
static uint64_t zero_byte(uint64_t x)
{
	return (x - EACH_BYTE(1u)) & ~x & TOP_BITS;
}

/* True where all eight bytes are ASCII that needs no escape. `|` folds neighbours together: 0x26 &
 * and 0x27 ' by bit 0, 0x3C < and 0x3E > by bit 1. False alarms cost a byte-wise look, no more;
 * there are no misses: zero_byte() errs only above a true hit. */
static bool eight_plain(const char *p)
{
	uint64_t x;

	memcpy(&x, p, 8);
	uint64_t control = (x - EACH_BYTE(0x20u)) & TOP_BITS;
	uint64_t quote = zero_byte(x ^ EACH_BYTE('"'));
	uint64_t amp = zero_byte((x | EACH_BYTE(1u)) ^ EACH_BYTE('\''));
	uint64_t angle = zero_byte((x | EACH_BYTE(2u)) ^ EACH_BYTE('>'));
	return !((x & TOP_BITS) | control | quote | amp | angle);
}

static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
}

static bool blank(unsigned char c)
{
	return c == '\t' || c == '\n' || c == '\r';
}

/* Bytes of the allowed character above ASCII at the start of s; 0 for what XML 1.0 forbids: bad
 * UTF-8, U+FFFE, U+FFFF. */
static size_t wide_char(struct span s)
{
	size_t n = utf8_char_bytes(s);

	if (n == 3 && memcmp(s.p, "\xEF\xBF", 2) == 0 && (unsigned char)s.p[2] >= 0xBE)
		return 0;
	return n;
}

/* Bytes at the start of s that go out as they are. */
static size_t plain_run(struct span s)
{
	size_t i = 0;

	while (i < s.n) {
		unsigned char c = (unsigned char)s.p[i];
		if (s.n - i >= 8 && eight_plain(s.p + i)) {
			i += 8;
		} else if (plain(c) || blank(c)) {
			i++;
		} else {
			size_t n = c >= 0x80 ? wide_char(span_skip(s, i)) : 0;
			if (n == 0)
				break;
			i += n;
		}
	}
	return i;
}

static struct span entity(char c, int depth)
{
	switch (c) {
	case '&':
		return depth == 1 ? SPAN("&amp;") : SPAN("&amp;amp;");
	case '<':
		return depth == 1 ? SPAN("&lt;") : SPAN("&amp;lt;");
	case '>':
		return depth == 1 ? SPAN("&gt;") : SPAN("&amp;gt;");
	case '"':
		return depth == 1 ? SPAN("&quot;") : SPAN("&amp;quot;");
	case '\'':
		return depth == 1 ? SPAN("&apos;") : SPAN("&amp;apos;");
	default: /* a byte that XML cannot carry: U+FFFD */
		return SPAN("\xEF\xBF\xBD");
	}
}

void xml_add_text(struct buf *b, struct span s, int depth)
{
	ASSERT(depth == 1 || depth == 2);
	while (s.n > 0) {
		size_t n = plain_run(s);
		buf_add(b, span_first(s, n));
		s = span_skip(s, n);
		if (s.n == 0)
			return;
		buf_add(b, entity(s.p[0], depth));
		/* U+FFFE and U+FFFF are one character, so one replacement. */
		size_t bad = utf8_char_bytes(s);
		s = span_skip(s, bad ? bad : 1);
	}
}

void xml_add_markup(struct buf *b, struct span s, int depth)
{
	if (depth == 1)
		buf_add(b, s);
	else
		xml_add_text(b, s, depth - 1);
}
