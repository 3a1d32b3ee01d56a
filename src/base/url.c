/* SPDX-License-Identifier: MIT */
/* Percent encoding and query strings. */
#include "base/url.h"

static bool unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void url_add_encoded(struct buf *b, struct span s)
{
	static const char hex[] = "0123456789ABCDEF";

	while (s.n > 0) {
		size_t n = 0;
		while (n < s.n && unreserved(s.p[n]))
			n++;
		buf_add(b, span_first(s, n));
		s = span_skip(s, n);
		if (s.n == 0)
			return;
		unsigned char c = (unsigned char)s.p[0];
		buf_add(b, span_of((char[]){ '%', hex[c >> 4], hex[c & 15] }, 3));
		s = span_skip(s, 1);
	}
}

/* -1 where it is no digit. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err url_add_decoded(struct buf *b, struct span s)
{
	while (s.n > 0) {
		size_t n = span_find(s, '%');
		buf_add(b, span_first(s, n));
		s = span_skip(s, n);
		if (s.n == 0)
			break;
		if (s.n < 3 || hex_digit(s.p[1]) < 0 || hex_digit(s.p[2]) < 0)
			return ERR_INVALID;
		char c = (char)(hex_digit(s.p[1]) << 4 | hex_digit(s.p[2]));
		if (c == '\0')
			return ERR_INVALID;
		buf_add_char(b, c);
		s = span_skip(s, 3);
	}
	return ERR_OK;
}

bool url_query_get(struct span query, struct span name, struct span *out)
{
	while (query.n > 0) {
		struct span value = span_cut(&query, '&');
		if (span_eq(span_cut(&value, '='), name)) {
			*out = value;
			return true;
		}
	}
	return false;
}
