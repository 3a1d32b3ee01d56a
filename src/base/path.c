/* SPDX-License-Identifier: MIT */
/* Paths as bytes. */
#include "base/path.h"

struct span path_directory(struct span path)
{
	size_t slash = span_rfind(path, '/');
	return span_first(path, slash == 0 ? 1 : slash);
}

struct span path_name(struct span path)
{
	size_t slash = span_rfind(path, '/');
	return slash == path.n ? path : span_skip(path, slash + 1);
}

bool path_is_sound(struct span path)
{
	if (path.n < 2 || path.n > PATH_MAX_BYTES || path.p[0] != '/' ||
	    memchr(path.p, '\0', path.n))
		return false;
	struct span rest = span_skip(path, 1);
	for (;;) {
		size_t n = span_find(rest, '/');
		struct span part = span_first(rest, n);
		if (part.n == 0 || span_eq(part, SPAN(".")) || span_eq(part, SPAN("..")))
			return false;
		if (n == rest.n)
			return true;
		rest = span_skip(rest, n + 1);
	}
}

bool path_is_within(struct span path, struct span above)
{
	if (above.n == 1)
		return true; /* "/" */
	return span_starts(path, above) && (path.n == above.n || path.p[above.n] == '/');
}
