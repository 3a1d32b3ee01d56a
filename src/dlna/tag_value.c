/* SPDX-License-Identifier: MIT */
/* The tag values of UpdateObject. */
#include "dlna/tag_value.h"

#include <time.h>

#include "base/num.h"

#define DATE_TEXT_MAX 40

/** Where the first fragment of the list ends. */
static size_t fragment_end(struct span list)
{
	size_t i = 0;

	while (i < list.n && list.p[i] != ',')
		i += list.p[i] == '\\' && i + 1 < list.n ? 2 : 1;
	return i;
}

static enum err element_parse(struct span s, struct tag_value *out)
{
	struct tag_value v = { { NULL, 0 }, { NULL, 0 } };

	if (s.n < 4 || s.p[0] != '<' || s.p[s.n - 1] != '>')
		return ERR_INVALID;
	size_t end = span_find(s, '>');
	if (end == s.n - 1) { /* <name/> */
		if (s.p[end - 1] != '/')
			return ERR_INVALID;
		v.name = span_trim(span_of(s.p + 1, s.n - 3));
	} else {
		v.name = span_of(s.p + 1, end - 1);
		s = span_skip(s, end + 1); /* value</name> */
		size_t tail_n = v.name.n + sizeof "</>" - 1;
		if (s.n < tail_n)
			return ERR_INVALID;
		v.value = span_first(s, s.n - tail_n);
		struct span tail = span_skip(s, s.n - tail_n);
		if (!span_starts(tail, SPAN("</")) ||
		    !span_eq(span_of(tail.p + 2, v.name.n), v.name))
			return ERR_INVALID;
	}
	if (v.name.n == 0 || span_find(v.value, '<') < v.value.n)
		return ERR_INVALID;
	*out = v;
	return ERR_OK;
}

enum err tag_value_cut(struct span *list, struct tag_value *out)
{
	size_t end = fragment_end(*list);
	struct span fragment = span_trim(span_first(*list, end));

	*list = span_skip(*list, end + 1);
	if (fragment.n > 0)
		return element_parse(fragment, out);
	*out = (struct tag_value){ { NULL, 0 }, { NULL, 0 } };
	return ERR_OK;
}

unsigned tag_values_n(struct span list)
{
	unsigned n = 1;

	for (size_t end; (end = fragment_end(list)) < list.n; n++)
		list = span_skip(list, end + 1);
	return n;
}

/** "05.12" in milliseconds; what is finer is dropped. */
static enum err seconds_parse(struct span text, uint64_t max, uint64_t *out_ms)
{
	struct span whole = span_cut(&text, '.');
	uint64_t s, ms = 0;
	enum err e = num_parse_u64(whole, 0, max, &s);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0, unit = 100; i < text.n; i++, unit /= 10) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return ERR_INVALID;
		ms += (uint64_t)(text.p[i] - '0') * unit;
	}
	*out_ms = s * 1000 + ms;
	return ERR_OK;
}

enum err tag_duration_parse(struct span text, uint32_t *out_ms)
{
	uint64_t hours = 0, minutes = 0, ms;
	bool clock = span_find(text, ':') < text.n;
	enum err e = ERR_OK;

	text = span_trim(text);
	if (clock) {
		e = num_parse_u64(span_cut(&text, ':'), 0, UINT32_MAX / 3600000, &hours);
		if (e == ERR_OK)
			e = num_parse_u64(span_cut(&text, ':'), 0, 59, &minutes);
	}
	if (e == ERR_OK)
		e = seconds_parse(text, clock ? 59 : UINT32_MAX / 1000, &ms);
	if (e != ERR_OK)
		return e;
	ms += (hours * 60 + minutes) * 60000;
	if (ms > UINT32_MAX)
		return ERR_RANGE;
	*out_ms = (uint32_t)ms;
	return ERR_OK;
}

/** What stands behind the time: "", "Z", "+01:00"; a fraction of a second before it is dropped. */
static enum err zone_parse(const char *s, int64_t *out_offset_s)
{
	struct tm tm = { 0 };
	const char *end;

	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9';)
			s++;
	if (*s == '\0' || strcmp(s, "Z") == 0) {
		*out_offset_s = 0;
		return ERR_OK;
	}
	if ((*s != '+' && *s != '-') || !(end = strptime(s + 1, "%H:%M", &tm)) || *end != '\0')
		return ERR_INVALID;
	*out_offset_s = (tm.tm_hour * 60 + tm.tm_min) * 60 * (*s == '+' ? 1 : -1);
	return ERR_OK;
}

enum err tag_date_parse(struct span text, int64_t *out_s)
{
	char copy[DATE_TEXT_MAX];
	struct tm tm = { 0 };
	int64_t offset_s;

	text = span_trim(text);
	if (text.n >= sizeof copy)
		return ERR_INVALID;
	span_copy(copy, text);
	copy[text.n] = '\0';
	const char *rest = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest) {
		tm = (struct tm){ 0 };
		rest = strptime(copy, "%Y-%m-%d", &tm);
	}
	if (!rest || strlen(copy) != text.n)
		return ERR_INVALID;
	enum err e = zone_parse(rest, &offset_s);
	if (e == ERR_OK)
		*out_s = timegm(&tm) - offset_s;
	return e;
}
