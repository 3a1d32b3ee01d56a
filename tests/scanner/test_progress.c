/* SPDX-License-Identifier: MIT */
/* Tests src/scanner/progress.c. */
#include "harness.h"
#include "scanner/scanner.h"

static const struct scanner_progress half = {
	.scanning = true, .started_ms = 1000, .found_n = 600, .done_n = 500, .expected_n = 1000
};

TEST(progress, time_left_is_that_of_the_rate_so_far)
{
	struct scanner_progress p = half;

	EXPECT_U64(10000, scanner_left_ms(&p, 11000));
	p.done_n = 250;
	EXPECT_U64(30000, scanner_left_ms(&p, 11000));
	p.done_n = 1;
	p.expected_n = UINT64_MAX / 2000000; /* no overflow */
	EXPECT(scanner_left_ms(&p, 11000) > 1000000);
}

TEST(progress, where_nobody_can_tell_it_is_unknown)
{
	struct scanner_progress p = half;

	EXPECT_U64(UINT64_MAX, scanner_left_ms(&p, 1500)); /* it has only begun */
	EXPECT_U64(UINT64_MAX, scanner_left_ms(&p, 0));
	p.expected_n = 0; /* a first scan */
	EXPECT_U64(UINT64_MAX, scanner_left_ms(&p, 11000));
	p = half;
	p.found_n = 1001; /* more than there was */
	EXPECT_U64(UINT64_MAX, scanner_left_ms(&p, 11000));
	p = half;
	p.done_n = 0;
	EXPECT_U64(UINT64_MAX, scanner_left_ms(&p, 11000));
	p = half;
	p.scanning = false;
	EXPECT_U64(UINT64_MAX, scanner_left_ms(&p, 11000));
}
