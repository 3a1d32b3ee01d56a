/* SPDX-License-Identifier: MIT */
/* Whether a text is JSON (RFC 8259): nothing is kept of it. */
#include "base/json.h"
#include "base/utf8.h"

static bool skip_value(struct span *s, unsigned depth);

static void skip_space(struct span *s)
{
	while (s->n && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		*s = span_skip(*s, 1);
}

static bool skip_char(struct span *s, char c)
{
	if (s->n == 0 || *s->p != c)
		return false;
	*s = span_skip(*s, 1);
	return true;
}

static bool skip_word(struct span *s, struct span word)
{
	if (!span_starts(*s, word))
		return false;
	*s = span_skip(*s, word.n);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool skip_digits(struct span *s)
{
	size_t n = 0;
	while (n < s->n && is_digit(s->p[n]))
		n++;
	*s = span_skip(*s, n);
	return n > 0;
}

static bool skip_number(struct span *s)
{
	(void)skip_char(s, '-');
	if (!skip_char(s, '0') && !skip_digits(s))
		return false;
	if (skip_char(s, '.') && !skip_digits(s))
		return false;
	if (skip_char(s, 'e') || skip_char(s, 'E')) {
		(void)(skip_char(s, '+') || skip_char(s, '-'));
		return skip_digits(s);
	}
	return true;
}

static bool skip_escape(struct span *s)
{
	if (s->n == 0)
		return false;
	char c = *s->p;
	*s = span_skip(*s, 1);
	if (c != 'u')
		return memchr("\"\\/bfnrt", c, 8) != NULL;
	for (int i = 0; i < 4; i++) {
		if (s->n == 0 || !is_hex(*s->p))
			return false;
		*s = span_skip(*s, 1);
	}
	return true;
}

static bool skip_string(struct span *s)
{
	if (!skip_char(s, '"'))
		return false;
	while (s->n) {
		unsigned char c = (unsigned char)*s->p;
		if (c < 0x20)
			return false;
		*s = span_skip(*s, 1);
		if (c == '"')
			return true;
		if (c == '\\' && !skip_escape(s))
			return false;
	}
	return false;
}

static bool skip_member(struct span *s, unsigned depth)
{
	skip_space(s);
	if (!skip_string(s))
		return false;
	skip_space(s);
	return skip_char(s, ':') && skip_value(s, depth);
}

/* An object or an array behind its opening bracket. */
static bool skip_list(struct span *s, char end, unsigned depth)
{
	skip_space(s);
	if (skip_char(s, end))
		return true;
	do {
		if (!(end == '}' ? skip_member(s, depth) : skip_value(s, depth)))
			return false;
		skip_space(s);
	} while (skip_char(s, ','));
	return skip_char(s, end);
}

/* Recursion ends at JSON_DEPTH_MAX. */
static bool skip_value(struct span *s, unsigned depth)
{
	skip_space(s);
	if (s->n == 0 || depth == JSON_DEPTH_MAX)
		return false;
	switch (*s->p) {
	case '{':
		return skip_char(s, '{') && skip_list(s, '}', depth + 1);
	case '[':
		return skip_char(s, '[') && skip_list(s, ']', depth + 1);
	case '"':
		return skip_string(s);
	case 't':
		return skip_word(s, SPAN("true"));
	case 'f':
		return skip_word(s, SPAN("false"));
	case 'n':
		return skip_word(s, SPAN("null"));
	default:
		return skip_number(s);
	}
}

bool json_is_valid(struct span text)
{
	if (!utf8_valid(text) || !skip_value(&text, 0))
		return false;
	skip_space(&text);
	return text.n == 0;
}
