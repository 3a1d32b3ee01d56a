/* SPDX-License-Identifier: MIT */
/* Tests of src/base/fd.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "harness.h"

static int open_tmp(const char *name)
{
	int dir = open(test_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	EXPECT(fd >= 0);
	close(dir);
	return fd;
}

TEST(fd, closep_keeps_errno_and_forgets_the_number)
{
	int fd = open_tmp("f");

	errno = 4711;
	fd_closep(&fd);
	EXPECT_I64(4711, errno);
	EXPECT_I64(-1, fd);
	fd_closep(&fd);
	int other = open_tmp("g"), taken = fd_take(&other);
	EXPECT_I64(-1, other);
	EXPECT(fcntl(taken, F_GETFD) >= 0);
	close(taken);
}

TEST(fd, what_was_written_is_read)
{
	CLEANUP(fd_closep) int fd = open_tmp("f");
	char got[5];

	EXPECT_OK(fd_pwrite_all(fd, SPAN("hello"), 1000));
	EXPECT_OK(fd_pread_all(fd, got, 5, 1000));
	EXPECT_SPAN(SPAN("hello"), span_of(got, 5));
	EXPECT_ERR(ERR_NOTFOUND, fd_pread_all(fd, got, 5, 1001));
	EXPECT_OK(fd_pread_all(fd, got, 0, 9999));
	EXPECT_ERR(ERR_IO, fd_pread_all(-1, got, 1, 0));
	EXPECT_ERR(ERR_IO, fd_pwrite_all(-1, SPAN("x"), 0));
}

TEST(fd, full_disk_is_nospace)
{
	CLEANUP(fd_closep) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (full < 0)
		test_skip("no /dev/full here");
	EXPECT_ERR(ERR_NOSPACE, fd_pwrite_all(full, SPAN("x"), 0));
}

TEST(fd, whole_files_up_to_the_limit)
{
	CLEANUP(fd_closep) int fd = open_tmp("f");
	CLEANUP(fd_closep) int dir = open(test_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct buf b = { .n = 4711 };

	EXPECT_OK(fd_pwrite_all(fd, SPAN("0123456789"), 0));
	EXPECT_ERR(ERR_LIMIT, fd_read_file(dir, "f", 9, &b));
	EXPECT_ERR(ERR_NOTFOUND, fd_read_file(dir, "missing", 9, &b));
	EXPECT_ERR(ERR_INVALID, fd_read_file(dir, ".", 9, &b));
	EXPECT_U64(4711, b.n);
	EXPECT_OK(fd_read_file(dir, "f", 10, &b));
	EXPECT_STR("0123456789", buf_cstr(&b));
	buf_fini(&b);
	EXPECT(ftruncate(fd, 0) == 0);
	EXPECT_OK(fd_read_file(dir, "f", 0, &b));
	EXPECT_U64(0, b.n);
	buf_fini(&b);
	EXPECT(ftruncate(fd, 200000) == 0);
	EXPECT_OK(fd_read_file(dir, "f", 200000, &b));
	EXPECT_U64(200000, b.n);
	buf_fini(&b);
	EXPECT(mkfifoat(dir, "fifo", 0600) == 0);
	EXPECT_OK(fd_read_file(dir, "fifo", 10, &b)); /* empty, and above all: at once */
	buf_fini(&b);
}

struct pair {
	int a, b;
};

static struct pair socket_pair(void)
{
	int fds[2];

	EXPECT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	return (struct pair){ fds[0], fds[1] };
}

TEST(fd, packets_keep_their_borders)
{
	struct pair s = socket_pair();
	char got[16];
	size_t n = 0;
	int fd = 5;

	EXPECT_ERR(ERR_BUSY, fd_recv_packet(s.b, got, sizeof got, &n, &fd));
	EXPECT_OK(fd_send_packet(s.a, SPAN("one"), -1));
	EXPECT_OK(fd_send_packet(s.a, SPAN("three"), -1));
	EXPECT_OK(fd_recv_packet(s.b, got, sizeof got, &n, &fd));
	EXPECT_SPAN(SPAN("one"), span_of(got, n));
	EXPECT_I64(-1, fd);
	EXPECT_ERR(ERR_LIMIT, fd_recv_packet(s.b, got, 4, &n, &fd));
	EXPECT_ERR(ERR_BUSY, fd_recv_packet(s.b, got, sizeof got, &n, &fd));
	EXPECT_ERR(ERR_INVALID, fd_send_packet(s.a, SPAN(""), -1));
	close(s.a);
	EXPECT_ERR(ERR_CLOSED, fd_recv_packet(s.b, got, sizeof got, &n, &fd));
	EXPECT_ERR(ERR_CLOSED, fd_send_packet(s.b, SPAN("x"), -1));
	close(s.b);
}

TEST(fd, a_descriptor_comes_over_and_closes_on_exec)
{
	struct pair s = socket_pair();
	CLEANUP(fd_closep) int file = open_tmp("f");
	char got[16];
	size_t n;
	int fd = -1;

	EXPECT_OK(fd_pwrite_all(file, SPAN("content"), 0));
	EXPECT_OK(fd_send_packet(s.a, SPAN("m"), file));
	EXPECT_OK(fd_recv_packet(s.b, got, sizeof got, &n, &fd));
	EXPECT(fd >= 0 && fd != file);
	EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT_OK(fd_pread_all(fd, got, 7, 0));
	EXPECT_SPAN(SPAN("content"), span_of(got, 7));
	close(fd);
	close(s.a);
	close(s.b);
}

TEST(fd, surplus_and_unwanted_descriptors_are_closed)
{
	struct pair s = socket_pair();
	CLEANUP(fd_closep) int file = open_tmp("f");
	int two[2] = { file, file };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof two)] = { 0 };
	struct iovec iov = { (void *)(uintptr_t) "mmmm", 4 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof control };
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
	*h = (struct cmsghdr){ CMSG_LEN(sizeof two), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(h), two, sizeof two);

	char got[16];
	size_t n;
	int fd = -1, next = dup(file);
	close(next);
	for (int round = 0; round < 3; round++) {
		EXPECT(sendmsg(s.a, &msg, 0) == 4);
		EXPECT_OK(fd_recv_packet(s.b, got, sizeof got, &n, &fd));
		close(fd);
		EXPECT(sendmsg(s.a, &msg, 0) == 4);
		EXPECT_ERR(ERR_LIMIT, fd_recv_packet(s.b, got, 2, &n, &fd));
	}
	int after = dup(file);
	EXPECT_I64(next, after); /* nothing leaked */
	close(after);
	close(s.a);
	close(s.b);
}

TEST(fd, a_full_socket_is_busy)
{
	struct pair s = socket_pair();
	static char big[4096];
	enum err e = ERR_OK;

	for (int i = 0; i < 100000 && e == ERR_OK; i++)
		e = fd_send_packet(s.a, span_of(big, sizeof big), -1);
	EXPECT_ERR(ERR_BUSY, e);
	close(s.a);
	close(s.b);
}

TEST(fd, directories_are_made_with_those_above)
{
	char path[4200];
	struct stat st;

	snprintf(path, sizeof path, "%s/a/b//c/", test_tmpdir());
	EXPECT_OK(fd_make_dirs(path));
	EXPECT_OK(fd_make_dirs(path));
	EXPECT(stat(path, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);

	snprintf(path, sizeof path, "%s/file", test_tmpdir());
	CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	EXPECT(fd >= 0);
	snprintf(path, sizeof path, "%s/file/below", test_tmpdir());
	EXPECT_ERR(ERR_INVALID, fd_make_dirs(path));
	EXPECT(errno == ENOTDIR);
	EXPECT_ERR(ERR_NOTFOUND, fd_make_dirs(""));

	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	EXPECT_ERR(ERR_INVALID, fd_make_dirs(path));
}
