/* SPDX-License-Identifier: MIT */
/* Tests src/app/scan_options.c: the configuration's units become the scanner's. */
#include "app/scan_options.h"

#include <string.h>

#include "conf/conf.h"
#include "harness.h"

TEST(scan_options, every_key_arrives_in_the_scanners_units)
{
	const char *roots[] = { "/a", "/b" }, *exclude[] = { "*.tmp" }, *include[] = { "x", "y" };
	struct conf conf = { .roots = { roots, 2 },
			     .exclude = { exclude, 1 },
			     .include = { include, 2 },
			     .probe_workers = 3,
			     .watch = true,
			     .poll_s = 5,
			     .rescan_h = 2,
			     .grace_days = 3 };
	struct scanner_options o = scan_options(&conf, NULL);

	EXPECT_U64(2, o.roots_n);
	EXPECT_STR("/b", o.roots[1]);
	EXPECT_U64(1, o.exclude_n);
	EXPECT_STR("*.tmp", o.exclude[0]);
	EXPECT_U64(2, o.include_n);
	EXPECT_STR("y", o.include[1]);
	EXPECT_U64(3, o.probe_workers);
	EXPECT(o.watch);
	EXPECT_U64(5000, o.poll_ms);
	EXPECT_U64(2 * 3600 * 1000, o.rescan_ms);
	EXPECT_U64(3 * 24 * 3600, o.grace_s);
}
