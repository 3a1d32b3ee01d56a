/* SPDX-License-Identifier: MIT */
/* Copies of a whole database, and mending one. All of it appears in its place by one rename, or not
 * at all; a database or backup that is there already stays as it is until then. */
#pragma once

#include "db/db.h"

/** Who follows a long operation. Members may be NULL; they are called on the caller's thread. */
struct db_follower {
	/** A finding, in a sentence. */
	void (*report)(void *ctx, const char *line);
	/** So many of so many bytes are done. */
	void (*progress)(void *ctx, uint64_t done, uint64_t all);
	void *ctx;
};

/** Copy one commit of an open store into `dir`, which must not exist or be empty: log, indexes and
 * manifest, on the disk and read back. Beside readers and the writer, on any thread but the
 * writer's. *out_commit: the one copied.
 * Errors: ERR_EXISTS, ERR_ACCESS, ERR_NOSPACE, ERR_IO; ERR_CORRUPT: the store is damaged, the copy
 * holds the same damage, is in its place, and `report` got the findings; ERR_CLOSED: db_hurry(). */
NODISCARD enum err db_backup(struct db *db, const char *dir, const struct db_follower *follower,
			     uint64_t *out_commit, struct err_info *info);

enum db_replace { DB_KEEP, DB_REPLACE };

/** Copy a backup into options->dir after checking it. Where something is there already: DB_KEEP
 * refuses, DB_REPLACE removes the old database once the new one stands. Nobody may have it open.
 * Errors: as db_backup(); ERR_CORRUPT: the backup is damaged, nothing was changed; ERR_BUSY. */
NODISCARD enum err db_restore(const struct db_options *options, const char *backup,
			      enum db_replace replace, const struct db_follower *follower,
			      uint64_t *out_commit, struct err_info *info);

struct db_repair_result {
	uint64_t commits_n, chunks_n; /* kept */
	uint64_t damaged_n;	      /* places in the log */
	uint64_t lost_n;	      /* records that are gone or are back in an older state */
	uint64_t commit;	      /* the newest */
	bool identity_lost;	      /* players will take it for a new server */
	char aside[4096];	      /* where the old files are */
};

/** Make a clean store of everything that can be read in options->dir, and put it there; the old
 * files stay beside it. `report` names each damaged place and each record lost, as well as can be
 * told. A store that is sound is left as it is: then aside is empty.
 * Errors: ERR_BUSY (it is in use), ERR_NOTFOUND, ERR_NOSPACE, ERR_IO, ERR_CORRUPT (nothing in it
 * can be read). */
NODISCARD enum err db_repair(const struct db_options *options, const struct db_follower *follower,
			     struct db_repair_result *out, struct err_info *info);
