/* SPDX-License-Identifier: MIT */
/* Values as other servers write them. */
#include "import/import_text.h"

#include <time.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/num.h"
#include "base/utf8.h"

#define TEXT_MAX_BYTES (1u << 20)

struct span import_text(struct arena *a, struct span s)
{
	struct buf b;

	if (utf8_valid(s))
		return s;
	buf_init(&b, TEXT_MAX_BYTES);
	utf8_add_clean(&b, s);
	struct span clean =
		buf_err(&b) == ERR_OK ? arena_dup(a, buf_span(&b)) : (struct span){ NULL, 0 };
	buf_fini(&b);
	return clean.p ? clean : SPAN("");
}

/* The character that an escape at the start of *s stands for, cut off; 0: there is none. */
static char take_escape(struct span *s)
{
	static const struct {
		struct span escape;
		char c;
	} escapes[] = {
		{ { "&amp;amp;", 9 }, '&' },	{ { "&amp;lt;", 8 }, '<' },
		{ { "&amp;gt;", 8 }, '>' },	{ { "&amp;quot;", 10 }, '"' },
		{ { "&amp;apos;", 10 }, '\'' },
	};

	for (size_t i = 0; i < ARRAY_LEN(escapes); i++)
		if (span_starts(*s, escapes[i].escape)) {
			*s = span_skip(*s, escapes[i].escape.n);
			return escapes[i].c;
		}
	return 0;
}

struct span import_unescape(struct arena *a, struct span s)
{
	if (span_find(s, '&') == s.n)
		return import_text(a, s);
	char *p = arena_alloc(a, s.n);
	size_t n = 0;

	if (!p)
		return SPAN("");
	while (s.n > 0) {
		char c = take_escape(&s);

		if (c == 0) {
			c = s.p[0];
			s = span_skip(s, 1);
		}
		p[n++] = c;
	}
	return import_text(a, span_of(p, n));
}

/* Digits up to `end` (or all that is left), cut off with it. */
static bool take_number(struct span *s, char end, uint64_t max, uint64_t *out)
{
	size_t n = span_find(*s, end);

	if (num_parse_u64(span_first(*s, n), 0, max, out) != ERR_OK)
		return false;
	*s = span_skip(*s, n + 1);
	return true;
}

uint32_t import_duration_ms(struct span s)
{
	uint64_t h, m, sec, ms = 0, digit_ms = 100;
	struct span fraction = s;

	s = span_cut(&fraction, '.');
	if (!take_number(&s, ':', 999, &h) || !take_number(&s, ':', 59, &m) || s.n == 0 ||
	    !take_number(&s, '\0', 59, &sec))
		return 0;
	for (size_t i = 0; i < fraction.n; i++, digit_ms /= 10) {
		if (fraction.p[i] < '0' || fraction.p[i] > '9')
			return 0;
		ms += (uint64_t)(fraction.p[i] - '0') * digit_ms;
	}
	return (uint32_t)(((h * 60 + m) * 60 + sec) * 1000 + ms);
}

bool import_resolution(struct span s, uint32_t *out_width, uint32_t *out_height)
{
	uint64_t width, height;

	*out_width = *out_height = 0;
	if (!take_number(&s, 'x', UINT32_MAX, &width) || s.n == 0 ||
	    !take_number(&s, '\0', UINT32_MAX, &height))
		return false;
	*out_width = (uint32_t)width;
	*out_height = (uint32_t)height;
	return true;
}

uint16_t import_year(struct span s)
{
	uint64_t year;

	if (s.n < 4 || (s.n > 4 && s.p[4] != '-'))
		return 0;
	return num_parse_u64(span_first(s, 4), 1, 9999, &year) == ERR_OK ? (uint16_t)year : 0;
}

int64_t import_time_s(struct span s)
{
	uint64_t year, month, day, h, m, sec;

	if (!take_number(&s, '-', 9999, &year) || !take_number(&s, '-', 12, &month) ||
	    !take_number(&s, 'T', 31, &day) || !take_number(&s, ':', 23, &h) ||
	    !take_number(&s, ':', 59, &m) || !take_number(&s, '\0', 60, &sec) || month < 1 ||
	    day < 1)
		return 0;
	struct tm tm = { .tm_year = (int)year - 1900,
			 .tm_mon = (int)month - 1,
			 .tm_mday = (int)day,
			 .tm_hour = (int)h,
			 .tm_min = (int)m,
			 .tm_sec = (int)sec };

	return timegm(&tm);
}
