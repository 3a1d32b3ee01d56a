/* SPDX-License-Identifier: MIT */
/* What a run measured: one line of JSON each on standard output. */
#pragma once

#include "digest.h"

/* What every line of a run says. */
struct report {
	const char *engine, *order;
	uint64_t rows_n;
	unsigned cpus_n;
	double canary_us;
};

void report_value(const struct report *r, const char *op, double value, const char *unit);
/** A read: the time of one, how many were asked, what they found. */
void report_read(const struct report *r, const char *op, double us, uint64_t asked_n,
		 const struct digest *d);
