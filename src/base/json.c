/* SPDX-License-Identifier: MIT */
/* The streaming JSON writer (RFC 8259). */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

static uint32_t level_bit(const struct json *j)
{
	return 1u << (j->depth - 1);
}

void json_init(struct json *j, struct buf *b)
{
	*j = (struct json){ .b = b };
}

/* The comma before a value, and the check that an object's value has a name. */
static void before_value(struct json *j)
{
	if (j->depth == 0)
		return;
	ASSERT(!(j->is_object & level_bit(j)) || j->after_key);
	if (!j->after_key && (j->has_items & level_bit(j)))
		buf_add_char(j->b, ',');
	j->has_items |= level_bit(j);
	j->after_key = false;
}

static void open_level(struct json *j, bool object)
{
	before_value(j);
	ASSERT(j->depth < JSON_DEPTH_MAX);
	j->depth++;
	j->has_items &= ~level_bit(j);
	j->is_object &= ~level_bit(j);
	if (object)
		j->is_object |= level_bit(j);
	buf_add_char(j->b, object ? '{' : '[');
}

static void close_level(struct json *j, bool object)
{
	ASSERT(j->depth > 0 && !j->after_key);
	ASSERT(!!(j->is_object & level_bit(j)) == object);
	buf_add_char(j->b, object ? '}' : ']');
	j->depth--;
}

void json_object(struct json *j)
{
	open_level(j, true);
}

void json_object_end(struct json *j)
{
	close_level(j, true);
}

void json_array(struct json *j)
{
	open_level(j, false);
}

void json_array_end(struct json *j)
{
	close_level(j, false);
}

static void add_escape(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		buf_add(b, SPAN("\\\""));
		break;
	case '\\':
		buf_add(b, SPAN("\\\\"));
		break;
	case '\n':
		buf_add(b, SPAN("\\n"));
		break;
	case '\r':
		buf_add(b, SPAN("\\r"));
		break;
	case '\t':
		buf_add(b, SPAN("\\t"));
		break;
	default:
		buf_addf(b, "\\u%04x", c);
	}
}

static void add_string(struct buf *b, struct span s)
{
	buf_add_char(b, '"');
	while (s.n > 0) {
		size_t n = 0;
		while (n < s.n && (unsigned char)s.p[n] >= 0x20 && s.p[n] != '"' && s.p[n] != '\\')
			n++;
		utf8_add_clean(b, span_first(s, n));
		s = span_skip(s, n);
		if (s.n > 0)
			add_escape(b, (unsigned char)s.p[0]);
		s = span_skip(s, 1);
	}
	buf_add_char(b, '"');
}

void json_key(struct json *j, const char *name)
{
	ASSERT(j->depth > 0 && (j->is_object & level_bit(j)) && !j->after_key);
	if (j->has_items & level_bit(j))
		buf_add_char(j->b, ',');
	j->has_items |= level_bit(j);
	add_string(j->b, span_str(name));
	buf_add_char(j->b, ':');
	j->after_key = true;
}

void json_text(struct json *j, struct span s)
{
	before_value(j);
	add_string(j->b, s);
}

void json_u64(struct json *j, uint64_t v)
{
	before_value(j);
	buf_add_u64(j->b, v);
}

void json_i64(struct json *j, int64_t v)
{
	before_value(j);
	if (v < 0)
		buf_add_char(j->b, '-');
	buf_add_u64(j->b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void json_double(struct json *j, double v)
{
	if (!isfinite(v)) { /* JSON has no such number */
		json_null(j);
		return;
	}
	before_value(j);
	/* 15 digits where they say it all (0.1), else the 17 that always do. */
	char text[32];
	(void)snprintf(text, sizeof text, "%.15g", v);
	if (strtod(text, NULL) != v)
		(void)snprintf(text, sizeof text, "%.17g", v);
	char *comma = strchr(text, ','); /* a locale's decimal comma */
	if (comma)
		*comma = '.';
	buf_add_str(j->b, text);
}

void json_bool(struct json *j, bool v)
{
	before_value(j);
	buf_add_str(j->b, v ? "true" : "false");
}

void json_null(struct json *j)
{
	before_value(j);
	buf_add(j->b, SPAN("null"));
}
