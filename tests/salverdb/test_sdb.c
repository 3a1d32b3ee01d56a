/* SPDX-License-Identifier: MIT */
/* The library's edges, one by one. */
#include "sdb_fixture.h"

TEST(sdb_open, an_empty_database_is_empty_and_stays_so)
{
	const char *dir = test_tmpdir();
	struct fx_model m = { 0 };
	for (int i = 0; i < 3; i++) {
		CLEANUP(fx_closep) struct sdb *db = fx_open(dir);
		fx_expect_now(db, &m);
		fx_expect_sound(db);
	}
}
