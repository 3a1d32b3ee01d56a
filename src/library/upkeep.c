/* SPDX-License-Identifier: MIT */
/* The library's tables for the engine's backup, restore and repair. */
#include "library/upkeep.h"

#include "library/tables.h"
#include "library/upgrade.h"

static struct db_options options_of(const char *database_dir)
{
	return (struct db_options){
		.dir = database_dir,
		.tables = library_tables,
		.tables_n = TABLES_N,
	};
}

enum err library_restore(const char *database_dir, const char *backup, enum db_replace replace,
			 const struct db_follower *follower, uint64_t *out_commit,
			 struct err_info *info)
{
	struct db_options options = options_of(database_dir);
	return db_restore(&options, backup, replace, follower, out_commit, info);
}

enum err library_repair(const char *database_dir, const struct db_follower *follower,
			struct db_repair_result *out, struct err_info *info)
{
	struct db_options options = options_of(database_dir);
	struct db *db = NULL;
	enum err e = db_repair(&options, follower, out, info);
	if (e != ERR_OK || out->aside[0] == '\0')
		return e;
	e = db_open(&options, &db, info);
	if (e == ERR_OK)
		e = upgrade_request(db);
	db_close(db);
	return e;
}
