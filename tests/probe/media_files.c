/* SPDX-License-Identifier: MIT */
/* The files that make_media.py made. */
#include "probe/media_files.h"

#include <fcntl.h>
#include <unistd.h>

#include "harness.h"

int media_open_path(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

int media_open(const char *name)
{
	char path[512];
	int n = snprintf(path, sizeof path, "%s/%s", PROBE_MEDIA_DIR, name);

	EXPECT(n > 0 && (size_t)n < sizeof path);
	if (access(PROBE_MEDIA_DIR "/made", R_OK) != 0)
		test_skip("run the test probe_media first: it makes the files");
	int fd = media_open_path(path);
	EXPECT(fd >= 0);
	return fd;
}
