/* SPDX-License-Identifier: MIT */
/* Strict number parsing. */
#include "base/num.h"

/* Digits only, below or at `max`. */
static enum err parse_digits(struct span s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	bool too_large = false;

	if (s.n == 0)
		return ERR_INVALID;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
		if (digit > 9)
			return ERR_INVALID;
		/* Go on to the end: "99999999999999999999x" is malformed, not out of range. */
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
			too_large = true;
	}
	if (too_large || v > max)
		return ERR_RANGE;
	*out = v;
	return ERR_OK;
}

enum err num_parse_u64(struct span s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;
	enum err e = parse_digits(s, max, &v);

	if (e != ERR_OK)
		return e;
	if (v < min)
		return ERR_RANGE;
	*out = v;
	return ERR_OK;
}

enum err num_parse_i64(struct span s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t magnitude;
	enum err e = parse_digits(negative ? span_skip(s, 1) : s, limit, &magnitude);

	if (e != ERR_OK)
		return e;
	int64_t v = (int64_t)(negative ? 0 - magnitude : magnitude);
	if (v < min || v > max)
		return ERR_RANGE;
	*out = v;
	return ERR_OK;
}
