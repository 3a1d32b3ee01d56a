/* SPDX-License-Identifier: MIT */
/* Tests src/scanner/walk.c: what is read changes while it is read. */
#include "scanner/walk.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "harness.h"

struct fixture {
	int fd;
	struct walk_listing listing;
	unsigned special_n, others_n;
};

static void note(void *ctx, struct span name, enum scan_reason reason)
{
	struct fixture *fx = ctx;

	(void)name;
	if (reason == REASON_SPECIAL)
		fx->special_n++;
	else
		fx->others_n++;
}

static void fixture_new(struct fixture *fx)
{
	EXPECT(chdir(test_tmpdir()) == 0 && mkdir("d", 0755) == 0);
	*fx = (struct fixture){ .fd = open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	EXPECT(fx->fd >= 0);
	walk_listing_init(&fx->listing);
}

static void read_all(struct fixture *fx)
{
	struct walk_source source = { .fd = fx->fd, .passed_over = note, .ctx = fx };

	EXPECT_OK(walk_read(&source, &fx->listing));
}

static void fixture_fini(struct fixture *fx)
{
	walk_listing_fini(&fx->listing);
	fd_closep(&fx->fd);
}

static void write_file(const char *path)
{
	FILE *f = fopen(path, "we");

	EXPECT(f && fputs("x", f) >= 0 && fclose(f) == 0);
}

TEST(walk, directory_that_became_something_else_is_not_opened)
{
	struct fixture fx;
	int fd = -1;

	fixture_new(&fx);
	EXPECT(mkdir("d/a", 0755) == 0);
	read_all(&fx);
	EXPECT_U64(1, fx.listing.directories.n);
	struct span name = fx.listing.directories.items[0].name;
	EXPECT(rmdir("d/a") == 0);
	EXPECT_ERR(ERR_NOTFOUND, walk_open_directory(fx.fd, name, false, &fd));
	write_file("d/a");
	EXPECT_ERR(ERR_NOTFOUND, walk_open_directory(fx.fd, name, false, &fd));
	EXPECT(unlink("d/a") == 0 && mkfifo("d/a", 0600) == 0);
	EXPECT_ERR(ERR_NOTFOUND, walk_open_directory(fx.fd, name, false, &fd));
	EXPECT(unlink("d/a") == 0 && symlink("/", "d/a") == 0);
	EXPECT_ERR(ERR_NOTFOUND, walk_open_directory(fx.fd, name, false, &fd));
	EXPECT_I64(-1, fd);
	fixture_fini(&fx);
}

TEST(walk, file_that_became_something_else_is_not_opened)
{
	struct fixture fx;
	struct stat st;
	int fd = -1;

	fixture_new(&fx);
	write_file("d/a.mp3");
	read_all(&fx);
	EXPECT_U64(1, fx.listing.files.n);
	const struct walk_entry *e = &fx.listing.files.items[0];
	EXPECT(unlink("d/a.mp3") == 0);
	EXPECT_ERR(ERR_NOTFOUND, walk_open_file(fx.fd, e, &fd, &st));
	EXPECT(mkfifo("d/a.mp3", 0600) == 0); /* nor is anybody waited for */
	EXPECT_ERR(ERR_NOTFOUND, walk_open_file(fx.fd, e, &fd, &st));
	EXPECT(unlink("d/a.mp3") == 0 && mkdir("d/a.mp3", 0755) == 0);
	EXPECT_ERR(ERR_NOTFOUND, walk_open_file(fx.fd, e, &fd, &st));
	EXPECT(rmdir("d/a.mp3") == 0 && symlink("/etc/passwd", "d/a.mp3") == 0);
	EXPECT_ERR(ERR_NOTFOUND, walk_open_file(fx.fd, e, &fd, &st));
	EXPECT(unlink("d/a.mp3") == 0 && close(open("d/a.mp3", O_CREAT | O_WRONLY, 0644)) == 0);
	EXPECT_ERR(ERR_NOTFOUND, walk_open_file(fx.fd, e, &fd, &st)); /* empty by now */
	EXPECT_I64(-1, fd);
	fixture_fini(&fx);
}

TEST(walk, devices_are_no_files)
{
	struct fixture fx;

	fixture_new(&fx);
	if (mknod("d/a.mp3", S_IFCHR | 0666, makedev(1, 5)) != 0) /* endless zeros */
		test_skip("cannot make devices");
	EXPECT(mknod("d/b.mkv", S_IFBLK | 0600, makedev(7, 250)) == 0);
	EXPECT(mkfifo("d/c.jpg", 0600) == 0);
	EXPECT(symlink("/dev/zero", "d/d.mp3") == 0);
	read_all(&fx);
	EXPECT_U64(0, fx.listing.files.n);
	EXPECT_U64(4, fx.special_n);
	EXPECT_U64(0, fx.others_n);
	fixture_fini(&fx);
}

TEST(walk, directory_that_is_gone_reads_as_empty)
{
	struct fixture fx;

	fixture_new(&fx);
	write_file("d/a.mp3");
	EXPECT(unlink("d/a.mp3") == 0 && rmdir("d") == 0);
	read_all(&fx);
	EXPECT_U64(0, fx.listing.files.n);
	fixture_fini(&fx);
}
