/* SPDX-License-Identifier: MIT */
/* The real files. */
#include "db/io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int file_open(void *ctx, int dir_fd, const char *name, int flags)
{
	(void)ctx;
	return openat(dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int file_close(void *ctx, int fd)
{
	(void)ctx;
	return close(fd);
}

static ssize_t file_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	(void)ctx;
	return pwrite(fd, p, n, (off_t)off);
}

static int file_fdatasync(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd);
}

static void file_write_back(void *ctx, int fd, uint64_t off, uint64_t n)
{
	(void)ctx;
	/* only begun: an error stays with the file for fdatasync() to report */
	(void)sync_file_range(fd, (off64_t)off, (off64_t)n, SYNC_FILE_RANGE_WRITE);
}

static int file_grow(void *ctx, int fd, uint64_t bytes)
{
	(void)ctx;
	int r = fallocate(fd, 0, 0, (off_t)bytes);
	/* without fallocate() the writes that follow find out whether there is room */
	if (r != 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
		return ftruncate(fd, (off_t)bytes);
	return r;
}

static int file_truncate(void *ctx, int fd, uint64_t bytes)
{
	(void)ctx;
	return ftruncate(fd, (off_t)bytes);
}

static int file_unlink(void *ctx, int dir_fd, const char *name)
{
	(void)ctx;
	return unlinkat(dir_fd, name, 0);
}

static int file_sync_dir(void *ctx, int dir_fd)
{
	(void)ctx;
	return fsync(dir_fd);
}

const struct db_io io_files = {
	.open = file_open,
	.close = file_close,
	.pwrite = file_pwrite,
	.fdatasync = file_fdatasync,
	.write_back = file_write_back,
	.grow = file_grow,
	.truncate = file_truncate,
	.unlink = file_unlink,
	.sync_dir = file_sync_dir,
};
