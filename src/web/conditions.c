/* SPDX-License-Identifier: MIT */
/* Decisions about conditional and DLNA request headers. */
#include "web/conditions.h"

#include <time.h>

/** Is `etag` in the list `"a", W/"b", *`? Weak tags match only where `weak` is fine. */
static bool etag_listed(struct span list, struct span etag, bool weak)
{
	if (span_eq(span_trim(list), SPAN("*")))
		return true;
	while (list.n > 0) {
		struct span tag = span_trim(span_cut(&list, ','));
		bool is_weak = span_starts(tag, SPAN("W/"));
		if (is_weak)
			tag = span_skip(tag, 2);
		if ((weak || !is_weak) && span_eq(tag, etag))
			return true;
	}
	return false;
}

/* The two old forms as well: a server must take them (RFC 9110 5.6.7). */
enum err http_date_parse(struct span text, int64_t *out)
{
	static const char *const forms[] = { "%a, %d %b %Y %H:%M:%S GMT",
					     "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y" };
	char copy[40];
	text = span_trim(text);
	if (text.n >= sizeof copy)
		return ERR_INVALID;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct tm tm = { 0 };
		const char *end = strptime(copy, forms[i], &tm);
		if (!end || *end != '\0')
			continue;
		*out = timegm(&tm);
		return ERR_OK;
	}
	return ERR_INVALID;
}

/* The order is that of RFC 9110 13.2.2. A date that cannot be read counts as not said. */
unsigned conditions_check(const struct conditions *c, struct span etag, int64_t modified_s)
{
	int64_t date;
	if (c->if_match.p) {
		if (!etag_listed(c->if_match, etag, false))
			return 412;
	} else if (c->if_unmodified_since.p &&
		   http_date_parse(c->if_unmodified_since, &date) == ERR_OK && modified_s > date) {
		return 412;
	}
	if (c->if_none_match.p)
		return etag_listed(c->if_none_match, etag, true) ? 304 : 0;
	if (c->if_modified_since.p && http_date_parse(c->if_modified_since, &date) == ERR_OK &&
	    modified_s <= date)
		return 304;
	return 0;
}

bool conditions_range_valid(const struct conditions *c, struct span etag, int64_t modified_s)
{
	int64_t date;
	if (!c->if_range.p)
		return true;
	struct span value = span_trim(c->if_range);
	if (span_starts(value, SPAN("\"")))
		return span_eq(value, etag);
	return http_date_parse(value, &date) == ERR_OK && date == modified_s;
}

static unsigned check_mode(const struct dlna_request *r, const char **out_mode)
{
	struct span mode = span_trim(r->transfer_mode);
	if (!r->transfer_mode.p) {
		*out_mode = r->image ? "Interactive" : "Streaming";
	} else if (span_eq_nocase(mode, SPAN("Background"))) {
		*out_mode = "Background";
	} else if (span_eq_nocase(mode, SPAN("Streaming")) && !r->image) {
		*out_mode = "Streaming";
	} else if (span_eq_nocase(mode, SPAN("Interactive")) && (r->image || r->interactive_av)) {
		if (r->real_time_info.p)
			return 400;
		*out_mode = "Interactive";
	} else {
		return 406;
	}
	return 0;
}

unsigned dlna_request_check(const struct dlna_request *r, const char **out_mode)
{
	if (r->content_features.p && !span_eq(span_trim(r->content_features), SPAN("1")))
		return 400;
	if (r->time_seek.p) /* DLNA.ORG_OP=01: bytes only */
		return 406;
	if (r->play_speed.p) {
		struct span speed = span_trim(r->play_speed);
		if (!span_starts(speed, SPAN("speed=")))
			return 400;
		if (!span_eq(span_skip(speed, 6), SPAN("1")))
			return 406;
	}
	return check_mode(r, out_mode);
}
