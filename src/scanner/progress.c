/* SPDX-License-Identifier: MIT */
/* How long a scan may still take. */
#include "base/attr.h"
#include "scanner/scanner.h"

#define RATE_MIN_MS 1000 /* a rate of less than that says nothing */

uint64_t scanner_left_ms(const struct scanner_progress *p, uint64_t now_ms)
{
	uint64_t elapsed_ms = now_ms - MIN(p->started_ms, now_ms);

	if (!p->scanning || p->started_ms == 0 || elapsed_ms < RATE_MIN_MS || p->done_n == 0 ||
	    p->found_n >= p->expected_n || p->done_n > p->expected_n)
		return UINT64_MAX;
	return (uint64_t)((double)elapsed_ms * (double)(p->expected_n - p->done_n) /
			  (double)p->done_n);
}
