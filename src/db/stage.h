/* SPDX-License-Identifier: MIT */
/* A database directory in the making, beside the place where it is to stand: it appears there
 * whole, by one rename, or not at all. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct stage {
	char place[PATH_MAX]; /* where it is to stand */
	char path[PATH_MAX];  /* where it is made: the place and ".partial", until a swap */
	int dir_fd;	      /* of path */
	bool stands;
};

/** Make the directory. What an earlier attempt left of ours in it is removed.
 * Errors: ERR_INVALID (no such place), ERR_EXISTS (foreign files in the way), ERR_ACCESS, ... */
NODISCARD enum err stage_begin(struct stage *st, const char *place, struct err_info *info);
/** Removes what is not in its place. */
void stage_end(struct stage *st);

/** ERR_EXISTS: something stands at `place` already, which is not an empty directory. */
NODISCARD enum err stage_vacant(const char *place, struct err_info *info);

/** A new file. *out_fd is the caller's. */
NODISCARD enum err stage_create(struct stage *st, const char *name, int *out_fd,
				struct err_info *info);
/** All files and the directory are on the disk. */
NODISCARD enum err stage_sync(struct stage *st, struct err_info *info);
/** To its place, which must be vacant. */
NODISCARD enum err stage_put(struct stage *st, struct err_info *info);
/** To its place; what stood there is renamed to `aside` (PATH_MAX), a free name that begins with
 * the place and `suffix`. Nothing is visible of the moment between; where it is cut short, the new
 * one may be left under that name. Owner and mode of the old
 * directory are taken over where we may. */
NODISCARD enum err stage_swap(struct stage *st, const char *suffix, char *aside,
			      struct err_info *info);
/** Remove the database in a directory, and the directory where nothing else is in it. */
NODISCARD enum err stage_remove(const char *path);
