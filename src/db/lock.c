/* SPDX-License-Identifier: MIT */
/* The lock on a database directory. */
#include "db/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"

#define LOCK_PAUSE_MS 10
#define LOCK_TRIES_MAX 100

/* Whether the process that took the lock is no more. */
static bool lock_holder_gone(int fd)
{
	char text[32];
	uint64_t pid;
	ssize_t n = pread(fd, text, sizeof text, 0);
	struct span s = span_of(text, n > 0 ? (size_t)n : 0);
	return num_parse_u64(span_cut(&s, '\n'), 1, INT32_MAX, &pid) == ERR_OK &&
	       kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* A server that was killed leaves its lock for a moment to a child that it had just forked, until
 * that has become its program: a service manager may start the next one sooner. No call waits for a
 * lock with a limit, so this asks again; in another pid namespace the holder only seems gone. */
static int lock_try(int fd)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000 };
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	for (unsigned tries = 0;; tries++) {
		int r = fcntl(fd, F_OFD_SETLK, &lock);
		if (r == 0 || (errno != EAGAIN && errno != EACCES))
			return r;
		if (tries == LOCK_TRIES_MAX || !lock_holder_gone(fd)) {
			errno = EAGAIN;
			return -1;
		}
		nanosleep(&pause, NULL);
	}
}

static enum err lock_busy(int fd, const char *dir, struct err_info *info)
{
	char pid[32] = "unknown";
	ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
	if (n > 0)
		pid[n] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	return err_set(info, ERR_BUSY, 0, "database \"%s\" is used by another salver (pid %s)", dir,
		       pid);
}

enum err lock_take(int dir_fd, const char *dir, int *out_fd, struct err_info *info)
{
	CLEANUP(fd_closep)
	int fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(info, err_from_errno(errno), errno,
			       "cannot create the lock file of database \"%s\": %s", dir,
			       strerror(errno));
	if (lock_try(fd) != 0) {
		if (errno == EAGAIN)
			return lock_busy(fd, dir, info);
		return err_set(info, err_from_errno(errno), errno,
			       "cannot lock database \"%s\": %s", dir, strerror(errno));
	}
	char pid[32];
	int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)n, 0) != n)
		errno = 0; /* the pid is a courtesy; the lock holds without it */
	*out_fd = fd_take(&fd);
	return ERR_OK;
}
