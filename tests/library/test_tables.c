/* SPDX-License-Identifier: MIT */
/* Months of pictures, beside the C library's calendar. */
#include <stdlib.h>
#include <time.h>

#include "harness.h"
#include "library/tables.h"

static void compare(int64_t s)
{
	uint32_t group = 0, second = 0, year, month;
	time_t t = (time_t)s;
	struct tm tm;
	EXPECT(gmtime_r(&t, &tm) != NULL);
	bool in_range = tm.tm_year + 1900 >= (int)MONTH_YEAR_MIN &&
			tm.tm_year + 1900 <= (int)MONTH_YEAR_MAX;
	EXPECT(in_range == image_month(s, 0, &group, &second));
	if (!in_range)
		return;
	month_of_group(group, &year, &month);
	EXPECT_U64((uint64_t)tm.tm_year + 1900, year);
	EXPECT_U64((uint64_t)tm.tm_mon + 1, month);
	EXPECT_U64(((uint64_t)tm.tm_mday - 1) * 86400 + (uint64_t)tm.tm_hour * 3600 +
			   (uint64_t)tm.tm_min * 60 + (uint64_t)tm.tm_sec,
		   second);
	EXPECT_U64(group, month_group(year, month));
}

TEST(image_month, agrees_with_the_calendar)
{
	setenv("TZ", "UTC", 1);
	for (int64_t day = -62200; day <= 84100; day++) { /* 1799 to 2200 */
		if (day)
			compare(day * 86400);
		compare(day * 86400 - 1);
		compare(day * 86400 + (int64_t)(test_random() % 86399) + 1);
	}
}

TEST(image_month, takes_what_the_camera_says_else_when_the_file_changed)
{
	uint32_t group, second;
	EXPECT(image_month(0, 1577836800000000000, &group, &second));
	EXPECT_U64(month_group(2020, 1), group);
	EXPECT(image_month(951782400, 1577836800000000000, &group, &second));
	EXPECT_U64(month_group(2000, 2), group);
	EXPECT_U64(28 * 86400, second);
	EXPECT(!image_month(INT64_MAX, 0, &group, &second));
	EXPECT(!image_month(INT64_MIN, 0, &group, &second));
}
