/* SPDX-License-Identifier: MIT */
/* Reading clocks and writing HTTP dates (never by strftime(): its names follow the locale). */
#include "base/clock.h"

#include <stdio.h>

#include "base/attr.h"

#define LAST_HTTP_SECOND 253402300799 /* 9999-12-31 23:59:59: four digits of year */

uint64_t clock_now_ns(void)
{
	struct timespec now;

	ASSERT(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ms(void)
{
	return clock_now_ns() / 1000000u;
}

int64_t clock_wall_s(void)
{
	return (int64_t)time(NULL);
}

char *clock_http_date(int64_t wall_s, char out[CLOCK_HTTP_MAX])
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t at = wall_s < 0 ? 0 : MIN(wall_s, LAST_HTTP_SECOND);
	struct tm tm;

	ASSERT(gmtime_r(&at, &tm) != NULL);
	/* The remainders say to the compiler that everything fits. */
	(void)snprintf(out, CLOCK_HTTP_MAX, "%s, %02u %s %04u %02u:%02u:%02u GMT",
		       days[(unsigned)tm.tm_wday % 7], (unsigned)tm.tm_mday % 32,
		       months[(unsigned)tm.tm_mon % 12], ((unsigned)tm.tm_year + 1900) % 10000,
		       (unsigned)tm.tm_hour % 24, (unsigned)tm.tm_min % 60,
		       (unsigned)tm.tm_sec % 61);
	return out;
}
