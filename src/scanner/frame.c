/* SPDX-License-Identifier: MIT */
/* Frames: the open directories from a root down to where the walk is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "scanner/scanner_priv.h"

void frame_close(struct frame *f)
{
	if (f->canonical.p != f->path.p)
		free((char *)f->canonical.p);
	free((char *)f->path.p);
	free(f->subdirectories);
	free(f->names);
	fd_closep(&f->fd);
	*f = (struct frame){ .fd = -1 };
}

struct span frame_join(struct span directory, struct span name)
{
	size_t slash = name.n > 0 && directory.n > 1;
	char *p = malloc(directory.n + slash + name.n + 1);

	if (!p)
		return (struct span){ NULL, 0 };
	memcpy(p, directory.p, directory.n);
	p[directory.n] = '/';
	memcpy(p + directory.n + slash, name.p, name.n);
	p[directory.n + slash + name.n] = '\0';
	return span_of(p, directory.n + slash + name.n);
}

static struct span link_target(int fd)
{
	char link[64];
	char target[4096];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, target, sizeof target);
	return n > 0 && (size_t)n < sizeof target ? frame_join(span_of(target, (size_t)n), SPAN(""))
						  : (struct span){ NULL, 0 };
}

static enum err frame_stat(struct scanner *s, struct frame *f)
{
	struct stat st;

	if (fstat(f->fd, &st) != 0)
		return err_from_errno(errno);
	f->device = st.st_dev;
	f->inode = st.st_ino;
	f->filesystem = filesystem_id(&s->filesystems, f->fd, st.st_dev, &f->remote);
	return ERR_OK;
}

static void say_watch_limit(struct scanner *s, const struct frame *f)
{
	if (s->said_limit)
		return;
	s->said_limit = true;
	log_warn(LOG_SCAN,
		 "the system allows no more inotify watches (%llu in use): from %s on, changes are "
		 "looked for every %d s; to raise the limit: sysctl "
		 "fs.inotify.max_user_watches=%llu",
		 (unsigned long long)watch_len(s->watch), QUOTE(f->path), (int)(s->poll_ms / 1000),
		 (unsigned long long)MAX(watch_len(s->watch) * 4, (uint64_t)524288));
}

/* Before it is read: what changes afterwards raises an event. */
static enum err frame_watch(struct scanner *s, struct watch_node *parent, uint16_t root,
			    struct span name, struct frame *f)
{
	if (!s->watch)
		return ERR_OK;
	enum err e = watch_enter(s->watch, parent, root, name, f->fd, &f->node);
	if (e == ERR_NOMEM || e == ERR_RANGE)
		return e;
	if (e == ERR_LIMIT)
		say_watch_limit(s, f);
	if (f->remote)
		watch_poll(s->watch, f->node);
	counter_set(&s->counters.watches_n, watch_len(s->watch));
	return ERR_OK;
}

enum err frame_open_root(struct scanner *s, uint16_t root, struct frame *out)
{
	const struct root *r = &s->roots[root];
	enum err e = root_open(s, root, &out->fd);

	if (e != ERR_OK)
		return e;
	out->path = frame_join(r->path, SPAN(""));
	out->canonical = !r->canonical.p || span_eq(r->canonical, r->path)
				 ? out->path
				 : frame_join(r->canonical, SPAN(""));
	if (!out->path.p || !out->canonical.p)
		return ERR_NOMEM;
	scan_set_included(s, root, NULL, out);
	e = frame_stat(s, out);
	return e == ERR_OK ? frame_watch(s, NULL, root, r->path, out) : e;
}

/* A link may lead back to where we are. */
static bool is_loop(const struct frame *stack, size_t depth, const struct frame *f)
{
	for (size_t i = 0; i < depth; i++)
		if (stack[i].device == f->device && stack[i].inode == f->inode)
			return true;
	return false;
}

/* The way down is by names of which any may be a link. */
static bool is_link(int fd, const struct subdirectory *sub)
{
	struct stat st;

	return sub->link && fstatat(fd, sub->name.p, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISLNK(st.st_mode);
}

enum err frame_open_child(struct scanner *s, struct frame *stack, size_t depth, uint16_t root,
			  const struct subdirectory *sub)
{
	const struct frame *parent = &stack[depth - 1];
	struct frame *f = &stack[depth];

	f->links_n = parent->links_n + is_link(parent->fd, sub);
	if (f->links_n > SCAN_LINKS_MAX) {
		log_debug(LOG_SCAN, "%s in %s is behind more than %d links: not served",
			  QUOTE(sub->name), QUOTE(parent->path), SCAN_LINKS_MAX);
		scan_note(s, parent, sub->name, REASON_TOO_MANY_LINKS);
		return ERR_NOTFOUND;
	}
	enum err e = walk_open_directory(parent->fd, sub->name, sub->link, &f->fd);

	if (e != ERR_OK) {
		if (e != ERR_NOTFOUND)
			scan_note(s, parent, sub->name, REASON_UNREADABLE);
		if (e != ERR_NOTFOUND && !s->sink)
			log_warn(LOG_SCAN,
				 "cannot read the directory %s in %s: %s; what is known "
				 "of it is kept",
				 QUOTE(sub->name), QUOTE(parent->path), err_name(e));
		return ERR_NOTFOUND;
	}
	f->directory_id = sub->directory_id;
	f->path = frame_join(parent->path, sub->name);
	if (!f->path.p)
		return ERR_NOMEM;
	scan_set_included(s, root, parent, f);
	if (sub->link)
		f->canonical = link_target(f->fd);
	if (!f->canonical.p)
		f->canonical = parent->canonical.p == parent->path.p
				       ? f->path
				       : frame_join(parent->canonical, sub->name);
	if (!f->canonical.p)
		return ERR_NOMEM;
	e = frame_stat(s, f);
	if (e == ERR_OK && is_loop(stack, depth, f)) {
		scan_note(s, parent, sub->name, REASON_LINK_LOOP);
		return ERR_NOTFOUND;
	}
	if (e != ERR_OK)
		return ERR_NOTFOUND;
	return frame_watch(s, parent->node, root, sub->name, f);
}
