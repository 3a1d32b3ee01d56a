/* SPDX-License-Identifier: MIT */
/* Whole reads and writes, and descriptors over a SOCK_SEQPACKET pair. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

void fd_closep(int *fd)
{
	if (*fd < 0)
		return;
	int kept = errno;
	(void)close(*fd);
	errno = kept;
	*fd = -1;
}

int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

enum err fd_pwrite_all(int fd, struct span s, uint64_t off)
{
	while (s.n > 0) {
		ssize_t n = pwrite(fd, s.p, s.n, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_from_errno(errno) == ERR_NOSPACE ? ERR_NOSPACE : ERR_IO;
		if (n == 0)
			return ERR_IO;
		s = span_skip(s, (size_t)n);
		off += (uint64_t)n;
	}
	return ERR_OK;
}

enum err fd_pread_all(int fd, void *p, size_t n, uint64_t off)
{
	char *to = p;

	while (n > 0) {
		ssize_t got = pread(fd, to, n, (off_t)off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_IO;
		if (got == 0)
			return ERR_NOTFOUND;
		to += got;
		n -= (size_t)got;
		off += (uint64_t)got;
	}
	return ERR_OK;
}

static enum err read_to_end(int fd, struct buf *b)
{
	for (;;) {
		/* One byte more than may be there tells "exactly full" from "too long". */
		size_t want = MIN((size_t)65536, b->max - b->n);
		char extra;
		char *to = want ? buf_room(b, want) : &extra;
		if (!to)
			return b->err;
		ssize_t n = read(fd, to, want ? want : 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_from_errno(errno);
		if (n == 0)
			return ERR_OK;
		if (!want)
			return ERR_LIMIT;
		b->n += (size_t)n;
	}
}

enum err fd_read_file(int dir_fd, const char *path, size_t max_bytes, struct buf *out)
{
	/* O_NONBLOCK: a FIFO in a file's place must not hang us. */
	CLEANUP(fd_closep)
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_from_errno(errno);

	struct buf b;
	buf_init(&b, max_bytes);
	enum err e = read_to_end(fd, &b);
	if (e != ERR_OK) {
		buf_fini(&b);
		return e;
	}
	*out = b;
	return ERR_OK;
}

enum err fd_make_dirs(const char *path)
{
	char above[PATH_MAX];
	size_t n = strlen(path);

	if (n >= sizeof above) {
		errno = ENAMETOOLONG;
		return ERR_INVALID;
	}
	memcpy(above, path, n + 1);
	for (size_t i = 1; i < n; i++) {
		if (above[i] != '/')
			continue;
		above[i] = '\0';
		(void)mkdir(above, 0700); /* what hinders it hinders the last one as well */
		above[i] = '/';
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return ERR_OK;
	return err_from_errno(errno);
}

union control { /* aligned as CMSG_FIRSTHDR() needs it */
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

enum err fd_send_packet(int sock, struct span message, int pass_fd)
{
	/* An empty packet could not be told from the end of the connection. */
	if (message.n == 0)
		return ERR_INVALID;

	struct iovec iov = { (void *)(uintptr_t)message.p, message.n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control = { 0 };

	if (pass_fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof control.bytes;
		struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &pass_fd, sizeof pass_fd);
	}
	for (;;) {
		ssize_t n = sendmsg(sock, &msg, MSG_NOSIGNAL);
		if (n >= 0)
			return (size_t)n == message.n ? ERR_OK : ERR_IO;
		if (errno == EMSGSIZE)
			return ERR_LIMIT;
		if (errno != EINTR)
			return err_from_errno(errno);
	}
}

/* The first descriptor that came along; any further one is closed: the control buffer's padding has
 * room for a second, so the kernel may hand over more than was asked for. */
static int received_fd(struct msghdr *msg)
{
	int kept = -1;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		size_t fds_n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < fds_n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
			if (kept < 0)
				kept = fd;
			else
				(void)close(fd);
		}
	}
	return kept;
}

enum err fd_recv_packet(int sock, void *p, size_t cap, size_t *out_n, int *out_fd)
{
	struct iovec iov = { p, cap };
	union control control;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof control.bytes };
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_from_errno(errno);

	int fd = received_fd(&msg);
	if (n == 0 || (msg.msg_flags & MSG_TRUNC)) {
		fd_closep(&fd);
		return n == 0 ? ERR_CLOSED : ERR_LIMIT;
	}
	*out_n = (size_t)n;
	*out_fd = fd;
	return ERR_OK;
}
