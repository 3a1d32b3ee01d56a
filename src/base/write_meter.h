/* SPDX-License-Identifier: MIT */
/* Figures of something that commits: how many, how large, how long, how fast, what failed.
 * One thread records at a time, any thread reads, nobody takes a lock. */
#pragma once

#include "base/counter.h"
#include "base/err.h"

#define WRITE_LATENCY_BUCKETS 24 /* [i]: less than 2^i microseconds; the last: all others */
#define WRITE_ERRS_N 16		 /* by enum err */

/** What is read; each number is right by itself, not all of one moment. */
struct write_figures {
	uint64_t commits_n, failed_n, aborts_n;
	uint64_t bulk_n; /* commits of more than one change */
	uint64_t changes_n, batch_max;
	uint64_t commit_us_sum, commit_us_max;
	uint64_t commit_us[WRITE_LATENCY_BUCKETS];
	uint64_t per_s;		/* changes of the last whole second */
	uint64_t per_s_peak;	/* the most in one second */
	uint64_t per_s_average; /* while transactions were open */
	uint64_t errors_n[WRITE_ERRS_N];
};

/** Zeroed. */
struct write_meter {
	struct counter commits_n, failed_n, aborts_n, bulk_n, changes_n, batch_max;
	struct counter commit_us_sum, commit_us_max, open_us_sum, commit_us[WRITE_LATENCY_BUCKETS];
	struct counter second, in_second, in_second_before, per_s_peak;
	struct counter errors_n[WRITE_ERRS_N];
};

/** A transaction of `changes_n` that was open since begin_ns and committing since commit_ns
 * (clock_now_ns()) has ended now with `e`. */
void write_meter_commit(struct write_meter *m, uint64_t changes_n, uint64_t begin_ns,
			uint64_t commit_ns, enum err e);
void write_meter_abort(struct write_meter *m);
void write_meter_get(const struct write_meter *m, struct write_figures *out);
