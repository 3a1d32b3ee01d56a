/* SPDX-License-Identifier: MIT */
/* Tests of src/base/utf8.c. */
#include "base/utf8.h"
#include "harness.h"

static const char *const bad[] = {
	"\x80",
	"\xBF",
	"\xC0\x80",
	"\xC1\xBF",
	"\xC2",
	"\xC2\x20",
	"\xE0\x80\x80",
	"\xE0\x9F\xBF",
	"\xE2\x82",
	"\xED\xA0\x80",
	"\xED\xBF\xBF",
	"\xF0\x80\x80\x80",
	"\xF0\x8F\xBF\xBF",
	"\xF0\x9F\x98",
	"\xF4\x90\x80\x80",
	"\xF5\x80\x80\x80",
	"\xFE",
	"\xFF",
};

TEST(utf8, what_the_standard_forbids_is_invalid_wherever_it_stands)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		for (size_t before = 0; before < 20; before++) {
			char text[64];
			int n = snprintf(text, sizeof text, "%.*s%sz", (int)before,
					 "abcdefghijklmnopqrst", bad[i]);
			EXPECT(!utf8_valid(span_of(text, (size_t)n)));
			EXPECT(!utf8_valid(span_of(text, (size_t)n - 1)));
		}
	}
}

TEST(utf8, every_code_point_survives_put_and_next)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 16);

	for (uint32_t c = 0; c <= 0x10FFFF; c++) {
		if (c == 0xD800)
			c = 0xE000;
		buf_clear(&b);
		utf8_put(&b, c);
		struct span s = buf_span(&b);
		EXPECT(utf8_valid(s));
		EXPECT_U64(s.n, utf8_char_bytes(s));
		EXPECT_U64(c, utf8_next(&s));
		EXPECT_U64(0, s.n);
	}
}

TEST(utf8, next_steps_over_bad_bytes_one_by_one)
{
	struct span s = SPAN("a\xE2\x82z");

	EXPECT_U64('a', utf8_next(&s));
	EXPECT_U64(0xFFFD, utf8_next(&s));
	EXPECT_U64(0xFFFD, utf8_next(&s));
	EXPECT_U64('z', utf8_next(&s));
	EXPECT_U64(0, s.n);
}

TEST(utf8, put_never_writes_a_surrogate)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 16);

	utf8_put(&b, 0xD800);
	utf8_put(&b, 0x110000);
	EXPECT_STR("\xEF\xBF\xBD\xEF\xBF\xBD", buf_cstr(&b));
}

TEST(utf8, clean_replaces_bad_bytes_only)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 100);

	utf8_add_clean(&b, SPAN("caf\xE9 h\xC3\xA9 \xFF"));
	EXPECT_STR("caf\xEF\xBF\xBD h\xC3\xA9 \xEF\xBF\xBD", buf_cstr(&b));
}

TEST(utf8, clean_of_random_bytes_is_valid)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 1000);

	for (int round = 0; round < 20000; round++) {
		char bytes[40];
		size_t n = test_random() % sizeof bytes;
		for (size_t i = 0; i < n; i++)
			bytes[i] = (char)(test_random() % 3 ? 0x80 | test_random() : 'a');
		buf_clear(&b);
		utf8_add_clean(&b, span_of(bytes, n));
		EXPECT(utf8_valid(buf_span(&b)));
		if (utf8_valid(span_of(bytes, n)))
			EXPECT_SPAN(span_of(bytes, n), buf_span(&b));
	}
}
