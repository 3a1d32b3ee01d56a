/* SPDX-License-Identifier: MIT */
/* Tests of src/base/num.c and src/base/clock.c. */
#include "base/num.h"
#include "base/clock.h"
#include "harness.h"

TEST(num, u64_takes_digits_only)
{
	static const char *const bad[] = { "",	  "-1", "+1",
					   " 1",  "1 ", "0x1",
					   "1.0", "a",	"99999999999999999999x" };
	uint64_t v = 42;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		EXPECT_ERR(ERR_INVALID, num_parse_u64(span_str(bad[i]), 0, UINT64_MAX, &v));
	EXPECT_ERR(ERR_INVALID, num_parse_u64(span_of("1\0", 2), 0, UINT64_MAX, &v));
	EXPECT_U64(42, v);
	EXPECT_OK(num_parse_u64(SPAN("007"), 0, 10, &v));
	EXPECT_U64(7, v);
}

TEST(num, u64_range_is_inclusive)
{
	uint64_t v = 42;

	EXPECT_OK(num_parse_u64(SPAN("18446744073709551615"), 0, UINT64_MAX, &v));
	EXPECT_U64(UINT64_MAX, v);
	EXPECT_ERR(ERR_RANGE, num_parse_u64(SPAN("18446744073709551616"), 0, UINT64_MAX, &v));
	EXPECT_ERR(ERR_RANGE, num_parse_u64(SPAN("184467440737095516150"), 0, UINT64_MAX, &v));
	EXPECT_ERR(ERR_RANGE, num_parse_u64(SPAN("4"), 5, 7, &v));
	EXPECT_ERR(ERR_RANGE, num_parse_u64(SPAN("8"), 5, 7, &v));
	EXPECT_OK(num_parse_u64(SPAN("5"), 5, 7, &v));
	EXPECT_OK(num_parse_u64(SPAN("7"), 5, 7, &v));
	EXPECT_U64(7, v);
}

TEST(num, i64_reaches_both_ends)
{
	int64_t v = 42;

	EXPECT_OK(num_parse_i64(SPAN("-9223372036854775808"), INT64_MIN, INT64_MAX, &v));
	EXPECT_I64(INT64_MIN, v);
	EXPECT_OK(num_parse_i64(SPAN("9223372036854775807"), INT64_MIN, INT64_MAX, &v));
	EXPECT_I64(INT64_MAX, v);
	EXPECT_ERR(ERR_RANGE, num_parse_i64(SPAN("9223372036854775808"), INT64_MIN, INT64_MAX, &v));
	EXPECT_ERR(ERR_RANGE,
		   num_parse_i64(SPAN("-9223372036854775809"), INT64_MIN, INT64_MAX, &v));
	EXPECT_ERR(ERR_INVALID, num_parse_i64(SPAN("-"), INT64_MIN, INT64_MAX, &v));
	EXPECT_ERR(ERR_INVALID, num_parse_i64(SPAN("--1"), INT64_MIN, INT64_MAX, &v));
	EXPECT_ERR(ERR_RANGE, num_parse_i64(SPAN("-3"), -2, 2, &v));
	EXPECT_OK(num_parse_i64(SPAN("-2"), -2, 2, &v));
	EXPECT_I64(-2, v);
}

TEST(num, align_up)
{
	EXPECT_U64(0, num_align_up(0, 8));
	EXPECT_U64(8, num_align_up(1, 8));
	EXPECT_U64(8, num_align_up(8, 8));
	EXPECT_U64(4096, num_align_up(9, 4096));
}

TEST(clock, http_date_as_in_the_rfc)
{
	char out[CLOCK_HTTP_MAX];

	EXPECT_STR("Sun, 06 Nov 1994 08:49:37 GMT", clock_http_date(784111777, out));
	EXPECT_STR("Thu, 01 Jan 1970 00:00:00 GMT", clock_http_date(0, out));
	EXPECT_STR("Tue, 29 Feb 2000 23:59:59 GMT", clock_http_date(951868799, out));
}

TEST(clock, http_date_outside_four_digit_years_is_clamped)
{
	char out[CLOCK_HTTP_MAX];

	EXPECT_STR("Thu, 01 Jan 1970 00:00:00 GMT", clock_http_date(INT64_MIN, out));
	EXPECT_STR("Fri, 31 Dec 9999 23:59:59 GMT", clock_http_date(INT64_MAX, out));
}

TEST(clock, monotonic_does_not_go_back)
{
	uint64_t before = clock_now_ns();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_now_ns();
		EXPECT(now >= before);
		before = now;
	}
	EXPECT(clock_now_ms() >= before / 1000000);
	EXPECT(clock_wall_s() > 1600000000);
}
