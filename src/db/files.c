/* SPDX-License-Identifier: MIT */
/* What the engine does to files: through the table of db/io.h, whole, and again after a signal. */
#include <errno.h>
#include <time.h>

#include "db/db_priv.h"

#define AGAIN_MAX 6 /* pauses of 1, 2, 4, ... 32 ms */

/* Whether the failed operation is worth another try: at once after a signal, after a growing pause
 * where the system only has no room for it at the moment. */
static bool again(struct db *db, unsigned *pauses_n)
{
	if (errno != EINTR && (errno != EAGAIN || *pauses_n == AGAIN_MAX))
		return false;
	if (errno == EAGAIN) {
		const struct timespec pause = { .tv_nsec = (1000000L << (*pauses_n)++) };
		nanosleep(&pause, NULL);
	}
	counter_add(&db->count.retries_n, 1);
	return true;
}

enum err db_write(struct db *db, int fd, const void *p, size_t n, uint64_t off)
{
	unsigned pauses_n = 0;
	while (n > 0) {
		ssize_t r = db->io->pwrite(db->io->ctx, fd, p, n, off);
		if (r < 0 && again(db, &pauses_n))
			continue;
		if (r <= 0)
			return r < 0 ? err_from_errno(errno) : ERR_NOSPACE;
		p = (const uint8_t *)p + r;
		n -= (size_t)r;
		off += (uint64_t)r;
	}
	return ERR_OK;
}

/* Linux reports a lost write once and then calls the page clean: nothing after this can be trusted
 * until the file is read back from the disk. */
static enum err synced(struct db *db, int r)
{
	if (r == 0)
		return ERR_OK;
	atomic_store(&db->poisoned, true);
	return ERR_IO;
}

enum err db_sync(struct db *db, int fd)
{
	int r;
	unsigned pauses_n = 0;
	do
		r = db->io->fdatasync(db->io->ctx, fd);
	while (r != 0 && again(db, &pauses_n));
	return synced(db, r);
}

enum err db_sync_dir(struct db *db)
{
	int r;
	unsigned pauses_n = 0;
	do
		r = db->io->sync_dir(db->io->ctx, db->dir_fd);
	while (r != 0 && again(db, &pauses_n));
	return synced(db, r);
}

int db_file_open(struct db *db, const char *name, int flags)
{
	int fd;
	unsigned pauses_n = 0;
	do
		fd = db->io->open(db->io->ctx, db->dir_fd, name, flags);
	while (fd < 0 && again(db, &pauses_n));
	return fd;
}

void db_file_close(struct db *db, int fd)
{
	if (fd >= 0)
		db->io->close(db->io->ctx, fd); /* not again after EINTR: it is closed */
}

int db_file_grow(struct db *db, int fd, uint64_t bytes)
{
	int r;
	unsigned pauses_n = 0;
	do
		r = db->io->grow(db->io->ctx, fd, bytes);
	while (r != 0 && again(db, &pauses_n));
	return r;
}

int db_file_truncate(struct db *db, int fd, uint64_t bytes)
{
	int r;
	unsigned pauses_n = 0;
	do
		r = db->io->truncate(db->io->ctx, fd, bytes);
	while (r != 0 && again(db, &pauses_n));
	return r;
}

int db_file_unlink(struct db *db, const char *name)
{
	int r;
	unsigned pauses_n = 0;
	do
		r = db->io->unlink(db->io->ctx, db->dir_fd, name);
	while (r != 0 && again(db, &pauses_n));
	return r;
}
