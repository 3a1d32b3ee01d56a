/* SPDX-License-Identifier: MIT */
/* Which entries of a directory are taken, by the configured patterns. */
#include "scanner/scanner_priv.h"

static size_t below_n(const struct scanner *s, uint16_t root, struct span path)
{
	size_t root_n = s->roots[root].path.n;
	size_t slash = root_n > 1; /* "/" has it in itself */

	return path.n > root_n + slash ? path.n - root_n - slash : 0;
}

bool scan_path(struct scanner *s, const struct frame *f, struct span name)
{
	buf_clear(&s->path);
	buf_add(&s->path, f->path);
	if (f->path.n > 1)
		buf_add_char(&s->path, '/');
	buf_add(&s->path, name);
	return buf_err(&s->path) == ERR_OK;
}

bool scan_takes(struct scanner *s, uint16_t root, const struct frame *f, struct span name,
		enum walk_kind kind)
{
	bool media = kind == WALK_MEDIA;

	if (media ? f->included : s->exclude.n == 0)
		return true;
	if (!scan_path(s, f, name))
		return false;
	struct span path = buf_span(&s->path);
	bool match = patterns_match(media ? &s->include : &s->exclude, path, below_n(s, root, path),
				    kind == WALK_DIRECTORY);
	return match == media;
}

void scan_set_included(const struct scanner *s, uint16_t root, const struct frame *parent,
		       struct frame *f)
{
	f->included = s->include.n == 0 || (parent && parent->included) ||
		      patterns_match(&s->include, f->path, below_n(s, root, f->path), true);
}
