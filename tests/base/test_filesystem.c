/* SPDX-License-Identifier: MIT */
/* Tests src/base/filesystem.c. */
#include "base/filesystem.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "harness.h"

TEST(filesystem, id_is_the_same_for_all_that_lies_there_and_is_asked_once)
{
	CLEANUP(fd_closep) int here = open(test_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(fd_closep) int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct filesystems f = { .n = 0 };
	struct stat st, proc_st;
	bool remote;

	EXPECT(fstat(here, &st) == 0 && fstat(proc, &proc_st) == 0);
	uint64_t id = filesystem_id(&f, here, st.st_dev, &remote);
	EXPECT(id != 0);
	EXPECT_U64(id, filesystem_id(&f, -1, st.st_dev, &remote)); /* known: not asked again */
	EXPECT(id != filesystem_id(&f, proc, proc_st.st_dev, &remote));
	EXPECT_U64(2, f.n);
}

TEST(filesystem, more_than_are_kept_are_asked_again)
{
	CLEANUP(fd_closep) int here = open(test_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct filesystems f = { .n = 0 };
	bool remote;

	for (dev_t d = 1; d <= 2 * FILESYSTEMS_MAX; d++)
		EXPECT(filesystem_id(&f, here, d, &remote) != 0);
	EXPECT_U64(FILESYSTEMS_MAX, f.n);
}
