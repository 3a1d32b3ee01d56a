/* SPDX-License-Identifier: MIT */
/* Recording and reading: relaxed counters, because no other data is ordered by them. */
#include "base/write_meter.h"

#include "base/clock.h"

#define NS_PER_US 1000
#define NS_PER_S 1000000000ull

static void raise_to(struct counter *c, uint64_t n)
{
	if (n > counter_get(c))
		counter_set(c, n);
}

static unsigned latency_bucket(uint64_t us)
{
	unsigned i = us ? 64 - (unsigned)__builtin_clzll(us) : 0;
	return MIN(i, WRITE_LATENCY_BUCKETS - 1u);
}

/* Two slots: the second that runs, and the one before it. */
static void rate_add(struct write_meter *m, uint64_t now_ns, uint64_t changes_n)
{
	uint64_t second = now_ns / NS_PER_S, last = counter_get(&m->second);
	if (second != last) {
		counter_set(&m->in_second_before,
			    second == last + 1 ? counter_get(&m->in_second) : 0);
		counter_set(&m->in_second, 0);
		counter_set(&m->second, second);
	}
	counter_add(&m->in_second, changes_n);
	raise_to(&m->per_s_peak, counter_get(&m->in_second));
}

void write_meter_commit(struct write_meter *m, uint64_t changes_n, uint64_t begin_ns,
			uint64_t commit_ns, enum err e)
{
	uint64_t now_ns = clock_now_ns(), us = (now_ns - commit_ns) / NS_PER_US;
	counter_add(&m->open_us_sum, (now_ns - begin_ns) / NS_PER_US);
	if (e != ERR_OK) {
		counter_add(&m->failed_n, 1);
		counter_add(&m->errors_n[(unsigned)e % WRITE_ERRS_N], 1);
		return;
	}
	counter_add(&m->commits_n, 1);
	counter_add(&m->bulk_n, changes_n > 1);
	counter_add(&m->changes_n, changes_n);
	raise_to(&m->batch_max, changes_n);
	counter_add(&m->commit_us_sum, us);
	raise_to(&m->commit_us_max, us);
	counter_add(&m->commit_us[latency_bucket(us)], 1);
	rate_add(m, now_ns, changes_n);
}

void write_meter_abort(struct write_meter *m)
{
	counter_add(&m->aborts_n, 1);
}

static uint64_t rate_now(const struct write_meter *m)
{
	uint64_t second = clock_now_ns() / NS_PER_S, last = counter_get(&m->second);
	if (second == last)
		return counter_get(&m->in_second_before);
	return second == last + 1 ? counter_get(&m->in_second) : 0;
}

void write_meter_get(const struct write_meter *m, struct write_figures *out)
{
	uint64_t open_us = counter_get(&m->open_us_sum), changes_n = counter_get(&m->changes_n);
	*out = (struct write_figures){
		.commits_n = counter_get(&m->commits_n),
		.failed_n = counter_get(&m->failed_n),
		.aborts_n = counter_get(&m->aborts_n),
		.bulk_n = counter_get(&m->bulk_n),
		.changes_n = changes_n,
		.batch_max = counter_get(&m->batch_max),
		.commit_us_sum = counter_get(&m->commit_us_sum),
		.commit_us_max = counter_get(&m->commit_us_max),
		.per_s = rate_now(m),
		.per_s_peak = counter_get(&m->per_s_peak),
		.per_s_average = (uint64_t)((double)changes_n * 1e6 / (double)MAX(open_us, 1u)),
	};
	for (unsigned i = 0; i < WRITE_LATENCY_BUCKETS; i++)
		out->commit_us[i] = counter_get(&m->commit_us[i]);
	for (unsigned i = 0; i < WRITE_ERRS_N; i++)
		out->errors_n[i] = counter_get(&m->errors_n[i]);
}
