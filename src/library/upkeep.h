/* SPDX-License-Identifier: MIT */
/* Copies of the whole library, and mending it: db/backup.h for its tables. */
#pragma once

#include "db/backup.h"

struct library;

/** db_backup() of an open library. Threads: any but the library's. */
NODISCARD enum err library_backup(struct library *lib, const char *dir,
				  const struct db_follower *follower, uint64_t *out_commit,
				  struct err_info *info);
/** db_compact() of an open library, on its writer thread, in steps of some 10 ms, between which
 * changes are committed; readers wait for nothing. `follower` is called on the writer thread.
 * *out_before, *out_after: bytes of the log. Threads: any but the library's. */
NODISCARD enum err library_compact(struct library *lib, const struct db_follower *follower,
				   uint64_t *out_before, uint64_t *out_after);
/** db_restore() into a database directory. */
NODISCARD enum err library_restore(const char *database_dir, const char *backup,
				   enum db_replace replace, const struct db_follower *follower,
				   uint64_t *out_commit, struct err_info *info);
/** db_repair() of a database directory. What it names as lost comes back with the next scan, but
 * for playlists, bookmarks and settings. */
NODISCARD enum err library_repair(const char *database_dir, const struct db_follower *follower,
				  struct db_repair_result *out, struct err_info *info);
