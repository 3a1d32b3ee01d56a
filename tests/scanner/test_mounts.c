/* SPDX-License-Identifier: MIT */
/* Tests src/scanner/mounts.c: its pure part. */
#include "scanner/mounts.h"

#include "harness.h"
#include "scanner/scanner_priv.h"

static uint64_t hash_of(const char *list)
{
	struct root roots[] = { { .path = SPAN("/srv/my media") },
				{ .path = SPAN("/link"), .canonical = SPAN("/data/x") } };

	return mounts_hash(span_str(list), roots, ARRAY_LEN(roots));
}

TEST(mounts, those_at_above_and_below_a_root_count)
{
	uint64_t none = hash_of("20 1 8:1 / / rw - ext4 /dev/a rw\n");

	EXPECT(none != 0); /* "/" is above all */
	EXPECT(none != hash_of("21 1 8:1 / / rw - ext4 /dev/a rw\n"));
	EXPECT_U64(none, hash_of("20 1 8:1 / / rw,noatime - ext4 /dev/a rw\n"));
	EXPECT_U64(none, hash_of("20 1 8:1 / / rw - x\n30 20 0:5 / /proc rw - proc p rw\n"));
	EXPECT_U64(none, hash_of("20 1 8:1 / / rw - x\n30 20 0:5 / /srv/my rw - proc p rw\n"));
	EXPECT_U64(none, hash_of("20 1 8:1 / / rw - x\n30 20 0:5 / /link rw - proc p rw\n"));
	EXPECT(none != hash_of("20 1 8:1 / / rw - x\n30 20 0:5 / /srv rw - a b rw\n"));
	EXPECT(none != hash_of("20 1 8:1 / / rw - x\n30 20 0:5 / /srv/my\\040media rw - a b rw\n"));
	EXPECT(none != hash_of("20 1 8:1 / / rw - x\n30 20 0:5 / /srv/my\\040media/d rw - a b\n"));
	EXPECT(none != hash_of("20 1 8:1 / / rw - x\n30 20 0:5 / /data rw - a b rw\n"));
}

TEST(mounts, whatever_the_list_is_it_is_read)
{
	EXPECT_U64(0, hash_of(""));
	(void)hash_of("\n\n \\ \\0 \\04 \\999 a\\");
	(void)hash_of("1 2 3 4");
	EXPECT_U64(hash_of("1 2 3 4 /srv"), hash_of("1 2 3 4 /srv"));
}
