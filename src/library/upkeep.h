/* SPDX-License-Identifier: MIT */
/* Copies of the whole library, and mending it: db/backup.h for its tables. */
#pragma once

#include "db/backup.h"

struct library;

/** db_backup() of an open library. Threads: any but the library's. */
NODISCARD enum err library_backup(struct library *lib, const char *dir,
				  const struct db_follower *follower, uint64_t *out_commit,
				  struct err_info *info);
/** db_restore() into a database directory. */
NODISCARD enum err library_restore(const char *database_dir, const char *backup,
				   enum db_replace replace, const struct db_follower *follower,
				   uint64_t *out_commit, struct err_info *info);
/** Give what is dead in the log of a database directory back to the disk. A server does so by
 * itself where over half of it is dead; this does all. ERR_BUSY: somebody uses it. */
NODISCARD enum err library_compact(const char *database_dir, const struct db_follower *follower,
				   uint64_t *out_before, uint64_t *out_after,
				   struct err_info *info);
/** db_repair() of a database directory. What it names as lost comes back with the next scan, but
 * for playlists, bookmarks and settings. */
NODISCARD enum err library_repair(const char *database_dir, const struct db_follower *follower,
				  struct db_repair_result *out, struct err_info *info);
