/* SPDX-License-Identifier: MIT */
/* Everything the store does to a disk goes through this table, so that tests can record it, tear it
 * and make it fail. Conventions are those of the system calls (-1 and errno; after EINTR the caller
 * asks again). Reads go through maps of the descriptors that open() returns, which must therefore
 * be real. Threads: the writer's, and db-index's at the same time (index_thread.h). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct db_io {
	void *ctx;
	int (*open)(void *ctx, int dir_fd, const char *name, int flags);
	int (*close)(void *ctx, int fd);
	ssize_t (*pwrite)(void *ctx, int fd, const void *p, size_t n, uint64_t off);
	int (*fdatasync)(void *ctx, int fd);
	/** May be NULL: begin to write these bytes to the disk (`n` 0: all behind `off`), without
	 * waiting and without promising anything, so that the sync to come is short. */
	void (*write_back)(void *ctx, int fd, uint64_t off, uint64_t n);
	/** Make the file `bytes` long with room on the disk for all of it. */
	int (*grow)(void *ctx, int fd, uint64_t bytes);
	int (*truncate)(void *ctx, int fd, uint64_t bytes);
	int (*unlink)(void *ctx, int dir_fd, const char *name);
	int (*sync_dir)(void *ctx, int dir_fd);
};

extern const struct db_io io_files;
