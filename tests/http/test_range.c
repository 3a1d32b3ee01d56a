/* SPDX-License-Identifier: MIT */
/* The Range grammar, case by case. */
#include "harness.h"
#include "http/range.h"

struct range_case {
	const char *header;
	uint64_t size;
	enum err err;
	uint64_t first, last;
};

static void check(const struct range_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct range_case *c = &cases[i];
		struct range got = { 77, 88 };
		enum err e = range_parse(span_str(c->header), c->size, &got);
		if (e != c->err)
			printf("case: \"%s\" of %" PRIu64 "\n", c->header, c->size);
		EXPECT_ERR(c->err, e);
		EXPECT_U64(e == ERR_OK ? c->first : 77, got.first);
		EXPECT_U64(e == ERR_OK ? c->last : 88, got.last);
	}
}

TEST(range_parse, what_can_be_served)
{
	static const struct range_case cases[] = {
		{ "bytes=0-", 100, ERR_OK, 0, 99 },
		{ "bytes=0-0", 100, ERR_OK, 0, 0 },
		{ "bytes=5-9", 100, ERR_OK, 5, 9 },
		{ "bytes=99-", 100, ERR_OK, 99, 99 },
		{ "bytes=99-99", 100, ERR_OK, 99, 99 },
		{ "bytes=50-1000", 100, ERR_OK, 50, 99 },
		{ "bytes=-1", 100, ERR_OK, 99, 99 },
		{ "bytes=-100", 100, ERR_OK, 0, 99 },
		{ "bytes=-5000", 100, ERR_OK, 0, 99 },
		{ "BYTES=1-2", 100, ERR_OK, 1, 2 },
		{ "  bytes = 1 - 2 ", 100, ERR_OK, 1, 2 },
		{ "bytes=000000000000000000000000001-2", 100, ERR_OK, 1, 2 },
		{ "bytes=0-18446744073709551615", 100, ERR_OK, 0, 99 },
		{ "bytes=0-99999999999999999999999", 100, ERR_OK, 0, 99 },
		{ "bytes=-99999999999999999999999", 100, ERR_OK, 0, 99 },
		{ "bytes=5000000000-", 5000000001, ERR_OK, 5000000000, 5000000000 },
	};
	check(cases, ARRAY_LEN(cases));
}

TEST(range_parse, what_lies_outside_the_file)
{
	static const struct range_case cases[] = {
		{ "bytes=100-", 100, ERR_RANGE, 0, 0 },
		{ "bytes=100-200", 100, ERR_RANGE, 0, 0 },
		{ "bytes=99999999999999999999999-", 100, ERR_RANGE, 0, 0 },
		{ "bytes=-0", 100, ERR_RANGE, 0, 0 },
		{ "bytes=0-", 0, ERR_RANGE, 0, 0 },
		{ "bytes=0-0", 0, ERR_RANGE, 0, 0 },
		{ "bytes=-5", 0, ERR_RANGE, 0, 0 },
	};
	check(cases, ARRAY_LEN(cases));
}

TEST(range_parse, several_ranges_are_known_but_not_offered)
{
	static const struct range_case cases[] = {
		{ "bytes=0-1,5-6", 100, ERR_UNSUPPORTED, 0, 0 },
		{ "bytes=0-1, -5", 100, ERR_UNSUPPORTED, 0, 0 },
		{ "bytes=,0-1", 100, ERR_UNSUPPORTED, 0, 0 },
	};
	check(cases, ARRAY_LEN(cases));
}

TEST(range_parse, what_is_malformed)
{
	static const char *const headers[] = { "",
					       "bytes",
					       "bytes=",
					       "bytes=-",
					       "bytes=a-b",
					       "bytes=1",
					       "bytes=5-4",
					       "bytes=--5",
					       "bytes=-5-",
					       "bytes=1-2-3",
					       "bytes=0x1-2",
					       "bytes=+1-2",
					       "bytes=1.5-2",
					       "items=0-5",
					       "=0-5",
					       "byte=0-5",
					       "bytes=1 2-3",
					       "bytes=1-2;q=1",
					       "0-5",
					       "npt=0-5",
					       "bytes 0-5" };
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		check(&(struct range_case){ headers[i], 100, ERR_INVALID, 0, 0 }, 1);
}

TEST(range_parse, every_answer_lies_inside_the_file)
{
	static const char alphabet[] = "0123456789-, ";
	for (int round = 0; round < 200000; round++) {
		char text[24] = "bytes=";
		size_t n = 6 + test_random() % 17;
		for (size_t i = 6; i < n; i++)
			text[i] = alphabet[test_random() % (sizeof alphabet - 1)];
		uint64_t size = test_random() % 1000;
		struct range r;
		if (range_parse(span_of(text, n), size, &r) == ERR_OK)
			EXPECT(r.first <= r.last && r.last < size);
	}
}
