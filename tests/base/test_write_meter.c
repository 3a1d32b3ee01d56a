/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/write_meter.h"
#include "harness.h"

static struct write_figures figures(const struct write_meter *m)
{
	struct write_figures f;
	write_meter_get(m, &f);
	return f;
}

TEST(write_meter, counts_commits_by_size_and_outcome)
{
	static struct write_meter m;
	uint64_t now = clock_now_ns();
	write_meter_commit(&m, 1, now, now, ERR_OK);
	write_meter_commit(&m, 500, now, now, ERR_OK);
	write_meter_commit(&m, 2, now, now, ERR_OK);
	write_meter_commit(&m, 9000, now, now, ERR_NOSPACE);
	write_meter_abort(&m);
	struct write_figures f = figures(&m);
	EXPECT_U64(3, f.commits_n);
	EXPECT_U64(2, f.bulk_n);
	EXPECT_U64(503, f.changes_n);
	EXPECT_U64(500, f.batch_max);
	EXPECT_U64(1, f.failed_n);
	EXPECT_U64(1, f.errors_n[ERR_NOSPACE]);
	EXPECT_U64(0, f.errors_n[ERR_IO]);
	EXPECT_U64(1, f.aborts_n);
}

TEST(write_meter, a_commit_stands_in_the_bucket_of_its_duration)
{
	static struct write_meter m;
	uint64_t now = clock_now_ns();
	write_meter_commit(&m, 1, now - 3000000000u, now - 2000000000u, ERR_OK);
	write_meter_commit(&m, 1, now, now + 1000000000000u, ERR_OK); /* a clock gone mad */
	struct write_figures f = figures(&m);
	EXPECT_U64(1, f.commit_us[21]); /* 2 s and a little are less than 2^21 us */
	EXPECT_U64(1, f.commit_us[WRITE_LATENCY_BUCKETS - 1]);
	EXPECT(f.commit_us_max >= 2000000);
}

TEST(write_meter, the_average_is_over_the_time_that_transactions_were_open)
{
	static struct write_meter m;
	uint64_t now = clock_now_ns();
	EXPECT_U64(0, figures(&m).per_s_average);
	write_meter_commit(&m, 10000, now - 10000000000u, now, ERR_OK);
	struct write_figures f = figures(&m);
	EXPECT(f.per_s_average > 900 && f.per_s_average <= 1000);
	EXPECT_U64(10000, f.per_s_peak);
}
