/* SPDX-License-Identifier: MIT */
/* The list has a line per mount: its number, its parent's, device, root, mount point, ... */
#include "scanner/mounts.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "scanner/scanner_priv.h"
#include "scanner/watch_tree.h"

#define POINT_MAX_BYTES 4096

void mounts_open(struct mounts *m)
{
	*m = (struct mounts){ .fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC) };
}

void mounts_close(struct mounts *m)
{
	fd_closep(&m->fd);
}

/* Spaces, tabs, line breaks and backslashes are \040 and so on. Cut where it is too long. */
static struct span unescape(struct span s, char out[POINT_MAX_BYTES])
{
	size_t n = 0;

	while (s.n > 0 && n < POINT_MAX_BYTES) {
		bool octal = s.n >= 4 && s.p[0] == '\\';

		for (unsigned i = 1; i < 4 && octal; i++)
			octal = s.p[i] >= '0' && s.p[i] <= '7';
		if (octal)
			out[n++] =
				(char)((s.p[1] - '0') << 6 | (s.p[2] - '0') << 3 | (s.p[3] - '0'));
		else
			out[n++] = s.p[0];
		s = span_skip(s, octal ? 4 : 1);
	}
	return span_of(out, n);
}

static bool concerns(struct span point, const struct root *roots, size_t roots_n)
{
	for (size_t i = 0; i < roots_n; i++) {
		struct span path = roots[i].canonical.p ? roots[i].canonical : roots[i].path;

		if (path_is_within(point, path) || path_is_within(path, point))
			return true;
	}
	return false;
}

uint64_t mounts_hash(struct span list, const struct root *roots, size_t roots_n)
{
	char bytes[POINT_MAX_BYTES];
	uint64_t hash = 0;

	while (list.n > 0) {
		struct span line = span_cut(&list, '\n');
		struct span rest = line, point = { NULL, 0 };

		for (unsigned i = 0; i < 5; i++)
			point = span_cut(&rest, ' ');
		struct span head = span_first(line, line.n - rest.n);
		if (concerns(unescape(point, bytes), roots, roots_n))
			hash = hash * 31 + watch_hash(head);
	}
	return hash;
}

bool mounts_changed(struct mounts *m, const struct root *roots, size_t roots_n)
{
	struct buf list;

	if (m->fd < 0 || lseek(m->fd, 0, SEEK_SET) != 0)
		return false;
	buf_init(&list, MOUNTS_MAX_BYTES);
	for (;;) {
		char piece[4096];
		ssize_t n = read(m->fd, piece, sizeof piece);

		if (n <= 0)
			break;
		buf_add(&list, span_of(piece, (size_t)n));
	}
	uint64_t hash = mounts_hash(buf_span(&list), roots, roots_n) | 1; /* 0: not asked yet */
	bool changed = m->hash != 0 && m->hash != hash;
	m->hash = hash;
	buf_fini(&list);
	return changed;
}
