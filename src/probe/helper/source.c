/* SPDX-License-Identifier: MIT */
/* The file under probe: an open descriptor that was handed to us; read with pread() only. */
#include "probe/helper/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"

enum err source_init(struct source *s, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_from_errno(errno);
	if (!S_ISREG(st.st_mode))
		return ERR_INVALID;
	/* Headers here and there: reading ahead 128 KiB around each would be most of the work. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	s->fd = fd;
	s->bytes = NULL;
	s->size = (uint64_t)st.st_size;
	ssize_t n = pread(fd, s->head, sizeof s->head, 0);
	if (n < 0)
		return err_from_errno(errno);
	s->head_n = (size_t)n;
	return ERR_OK;
}

void source_init_bytes(struct source *s, struct span bytes)
{
	s->fd = -1;
	s->bytes = (const uint8_t *)bytes.p;
	s->size = bytes.n;
	s->head_n = MIN(bytes.n, sizeof s->head);
	memcpy(s->head, bytes.p, s->head_n);
}

size_t source_read(const struct source *s, uint64_t off, void *p, size_t n)
{
	size_t done = 0;

	if (off >= s->size)
		return 0;
	if (s->bytes) {
		n = (size_t)MIN((uint64_t)n, s->size - off);
		memcpy(p, s->bytes + off, n);
		return n;
	}
	while (done < n) {
		ssize_t got = pread(s->fd, (char *)p + done, n - done, (off_t)(off + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}
