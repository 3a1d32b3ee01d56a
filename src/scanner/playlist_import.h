/* SPDX-License-Identifier: MIT */
/* One playlist file into the library. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct scanner;

struct playlist_seen {
	uint64_t size, device, inode; /* device: filesystem_id() of its directory */
	int64_t modified;
};

/** Open a playlist file of a root. False: it has gone, is no regular file, or cannot be read, which
 * is counted and said. */
bool playlist_open(struct scanner *s, struct span path, int *out_fd, struct playlist_seen *out);
/** Read it and store what it says, as the playlist `id` (0: a new one). What is the same as stored
 * is not written. A file that is too large or cannot be read is counted and said, and what is known
 * of it stays. Errors: those of the library, ERR_NOMEM, ERR_CLOSED. */
NODISCARD enum err playlist_import(struct scanner *s, struct span path, uint64_t id, int fd,
				   const struct playlist_seen *seen);
/** Its file has gone. */
NODISCARD enum err playlist_forget(struct scanner *s, uint64_t id);
