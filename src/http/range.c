/* SPDX-License-Identifier: MIT */
/* The Range grammar: pure, so that a table of cases and a fuzzer can have it. */
#include "http/range.h"

#include "base/num.h"

/** Digits of any length; what does not fit 64 bits is as good as the largest number. */
static enum err parse_position(struct span s, uint64_t *out)
{
	enum err e = num_parse_u64(s, 0, UINT64_MAX, out);
	if (e != ERR_RANGE)
		return e;
	*out = UINT64_MAX;
	return ERR_OK;
}

static enum err parse_suffix(struct span digits, uint64_t size, struct range *out)
{
	uint64_t n = 0;
	if (parse_position(digits, &n) != ERR_OK)
		return ERR_INVALID;
	if (n == 0 || size == 0)
		return ERR_RANGE;
	*out = (struct range){ .first = n < size ? size - n : 0, .last = size - 1 };
	return ERR_OK;
}

static enum err parse_one(struct span spec, uint64_t size, struct range *out)
{
	size_t dash = span_find(spec, '-');
	if (dash == spec.n)
		return ERR_INVALID;
	struct span from = span_trim(span_first(spec, dash));
	struct span to = span_trim(span_skip(spec, dash + 1));
	if (from.n == 0)
		return parse_suffix(to, size, out);

	uint64_t first = 0, last = UINT64_MAX;
	if (parse_position(from, &first) != ERR_OK ||
	    (to.n > 0 && parse_position(to, &last) != ERR_OK) || last < first)
		return ERR_INVALID;
	if (first >= size)
		return ERR_RANGE;
	*out = (struct range){ .first = first, .last = MIN(last, size - 1) };
	return ERR_OK;
}

enum err range_parse(struct span header, uint64_t size, struct range *out)
{
	struct span rest = span_trim(header);
	size_t equals = span_find(rest, '=');
	if (equals == rest.n || !span_eq_nocase(span_trim(span_first(rest, equals)), SPAN("bytes")))
		return ERR_INVALID;
	rest = span_trim(span_skip(rest, equals + 1));
	if (span_find(rest, ',') < rest.n)
		return ERR_UNSUPPORTED;
	return parse_one(rest, size, out);
}
