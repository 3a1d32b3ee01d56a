/* SPDX-License-Identifier: MIT */
/* inotify events -> dirty directories. */
#include "scanner/watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "library/sidecar.h"
#include "scanner/playlist_file.h"
#include "scanner/walk.h"
#include "scanner/watch_tree.h"

#define READ_BYTES (16 * 1024)
#define PATH_MAX_BYTES (64 * 1024)

void watch_free(struct watch *w)
{
	if (!w)
		return;
	while (w->by_name && w->roots)
		watch_drop(w, w->roots);
	watch_sweep(w);
	if (w->fd >= 0)
		close(w->fd);
	free(w->by_name);
	free(w->by_wd);
	free(w);
}

int watch_fd(const struct watch *w)
{
	return w->fd;
}

void watch_mark(struct watch *w, struct watch_node *node)
{
	if (node->dropped)
		return;
	node->seen = false;
	w->unseen = true;
	if (node->dirty)
		return;
	if (!w->dirty_first) {
		w->first_event_ms = clock_now_ms();
		w->soon = false;
	}
	node->dirty = true;
	node->dirty_next = NULL;
	node->dirty_prev = w->dirty_last;
	*(w->dirty_last ? &w->dirty_last->dirty_next : &w->dirty_first) = node;
	w->dirty_last = node;
}

struct watch_node *watch_take_dirty(struct watch *w, uint64_t now_ms)
{
	struct watch_node *n = w->dirty_first;

	while (n && n->not_before_ms > now_ms)
		n = n->dirty_next;
	if (n)
		watch_undirty(w, n);
	return n;
}

struct watch_node *watch_peek_dirty(struct watch *w, uint64_t now_ms)
{
	bool later = false;

	for (struct watch_node *n = w->unseen ? w->dirty_first : NULL; n; n = n->dirty_next) {
		if (n->seen)
			continue;
		if (n->not_before_ms <= now_ms) {
			n->seen = true;
			return n;
		}
		later = true;
	}
	w->unseen = later;
	return NULL;
}

uint64_t watch_due_ms(const struct watch *w)
{
	uint64_t earliest = UINT64_MAX;
	uint64_t quiet_ms = w->soon ? WATCH_SOON_MS : WATCH_QUIET_MS;
	uint64_t due = MIN(w->last_event_ms + quiet_ms, w->first_event_ms + WATCH_PATIENCE_MS);

	for (const struct watch_node *n = w->dirty_first; n; n = n->dirty_next)
		earliest = MIN(earliest, n->not_before_ms);
	return earliest == UINT64_MAX ? UINT64_MAX : MAX(due, earliest);
}

bool watch_take_overflow(struct watch *w)
{
	bool was = w->overflow;

	w->overflow = false;
	return was;
}

bool watch_take_roots_changed(struct watch *w)
{
	bool was = w->roots_changed;

	w->roots_changed = false;
	return was;
}

/* ---- files being written --------------------------------------------------------------------- */

static struct watch_writer *find_writer(const struct watch *w, const struct watch_node *node,
					struct span name)
{
	uint64_t hash = w->writers_n > 0 ? watch_hash(name) : 0;

	for (unsigned i = 0; i < w->writers_n; i++)
		if (w->writers[i].node == node && w->writers[i].name_hash == hash)
			return (struct watch_writer *)&w->writers[i];
	return NULL;
}

bool watch_is_written(const struct watch *w, const struct watch_node *node, struct span name)
{
	return find_writer(w, node, name) != NULL;
}

/* Beyond the maximum the oldest is forgotten: its file is then taken as it is, and once more when
 * it is closed. */
static void add_writer(struct watch *w, const struct watch_node *node, struct span name)
{
	if (find_writer(w, node, name))
		return;
	w->writers[w->writers_next] = (struct watch_writer){ node, watch_hash(name) };
	w->writers_next = (w->writers_next + 1) % WATCH_WRITERS_MAX;
	w->writers_n = MIN(w->writers_n + 1, (unsigned)WATCH_WRITERS_MAX);
}

static void end_writer(struct watch *w, const struct watch_node *node, struct span name)
{
	struct watch_writer *writer = find_writer(w, node, name);

	if (!writer)
		return;
	writer->node = NULL;
	for (unsigned i = 0; i < w->writers_n; i++)
		if (w->writers[i].node)
			return;
	w->writers_n = w->writers_next = 0;
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Somebody may wait for a file that was added. One that is removed may come back at once (programs
 * that write it anew), and is then to be the same; of a directory more is to come. */
enum pace { SOON, QUIET };

static void mark(struct watch *w, struct watch_node *node, enum pace pace)
{
	uint64_t now_ms = clock_now_ms();
	bool soon = w->dirty_first ? w->soon : now_ms >= w->marked_ms + WATCH_QUIET_MS;

	w->marked_ms = now_ms;
	watch_mark(w, node);
	w->soon = soon && pace == SOON;
	/* What lies in Subs/, or in Subs/Film/, belongs to the films beside it. */
	for (unsigned level = 0; level < 2 && node->parent; level++, node = node->parent)
		if (sidecar_is_subtitle_directory(span_of(node->name, node->name_n)))
			watch_mark(w, node->parent);
}

/* May this name of a file change what the library holds? */
static bool matters(struct span name)
{
	return walk_may_be_media(name) || sidecar_is_subtitle(name) ||
	       playlist_format_of(name) != PLAYLIST_FORMAT_NONE || span_eq(name, SPAN(".nomedia"));
}

static void add_absolute(const struct watch_node *node, struct buf *out)
{
	if (node->parent) {
		add_absolute(node->parent, out);
		buf_add_char(out, '/');
	}
	buf_add(out, span_of(node->name, node->name_n)); /* a root's name is its path */
}

static bool stat_event(const struct watch_node *node, struct span name, struct stat *out)
{
	struct buf path;

	buf_init(&path, PATH_MAX_BYTES);
	add_absolute(node, &path);
	buf_add_char(&path, '/');
	buf_add(&path, name);
	bool ok = buf_err(&path) == ERR_OK &&
		  fstatat(AT_FDCWD, buf_cstr(&path), out, AT_SYMLINK_NOFOLLOW) == 0;
	buf_fini(&path);
	return ok;
}

/* Is the file that was just created being written, so that its close will come? One with several
 * names is complete, and so is one whose inode changed after its content: it got this name by
 * link(), and perhaps lost the other one since. */
static bool is_being_written(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	       st->st_ctim.tv_sec == st->st_mtim.tv_sec &&
	       st->st_ctim.tv_nsec == st->st_mtim.tv_nsec;
}

static void file_created(struct watch *w, struct watch_node *node, struct span name)
{
	struct stat st;
	bool known = stat_event(node, name, &st);

	if (known && is_being_written(&st) && matters(name)) {
		if (!span_eq(name, SPAN(".nomedia"))) {
			add_writer(w, node, name);
			return;
		}
	}
	if (matters(name) || (known && S_ISLNK(st.st_mode)))
		mark(w, node, SOON);
}

static void file_event(struct watch *w, struct watch_node *node, uint32_t mask, struct span name)
{
	struct stat st;

	if (name.p[0] == '.' && !span_eq(name, SPAN(".nomedia")))
		return;
	if (mask & IN_CREATE)
		file_created(w, node, name);
	if (mask & (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE))
		end_writer(w, node, name);
	struct watch_node *linked = mask & IN_ATTRIB ? NULL : watch_find(w, node, name);
	if (linked) { /* it was a symbolic link to a directory */
		watch_drop(w, linked);
		mark(w, node, QUIET);
	}
	if ((mask & IN_MOVED_TO) && !matters(name) && stat_event(node, name, &st) &&
	    S_ISLNK(st.st_mode))
		mark(w, node, SOON);
	if ((mask & IN_ATTRIB) && watch_is_written(w, node, name))
		return;
	if ((mask & (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB)) &&
	    matters(name))
		mark(w, node, mask & (IN_MOVED_FROM | IN_DELETE) ? QUIET : SOON);
}

static void directory_event(struct watch *w, struct watch_node *node, uint32_t mask,
			    struct span name)
{
	struct watch_node *child = watch_find(w, node, name);

	if (name.p[0] == '.')
		return;
	if (mask & (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)) {
		/* Below it everything is elsewhere, or new. It is entered again, if it is there. */
		watch_drop(w, child);
		mark(w, node, QUIET);
	} else if (!child) {
		mark(w, node, QUIET); /* IN_ATTRIB: it may have become readable */
	}
}

static void self_event(struct watch *w, struct watch_node *node, uint32_t mask)
{
	if ((mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) && !node->parent)
		w->roots_changed = true;
	if (mask & (IN_IGNORED | IN_UNMOUNT)) {
		watch_forget_wd(w, node);
		if (node->parent)
			mark(w, node->parent, QUIET);
		watch_drop(w, node);
	}
}

static void handle(struct watch *w, const struct inotify_event *ev)
{
	struct span name = ev->len > 0 ? span_str(ev->name) : SPAN("");
	struct watch_node *next;

	if (ev->mask & IN_Q_OVERFLOW) {
		w->overflow = true;
		w->writers_n = w->writers_next = 0;
		return;
	}
	for (struct watch_node *n = watch_by_wd(w, ev->wd, NULL); n; n = next) {
		next = watch_by_wd(w, ev->wd, n);
		w->last_event_ms = clock_now_ms();
		if (name.n == 0)
			self_event(w, n, ev->mask);
		else if (ev->mask & IN_ISDIR)
			directory_event(w, n, ev->mask, name);
		else
			file_event(w, n, ev->mask, name);
		/* Dropping one may have taken the next along (a link to a directory above). */
		if (next && next->dropped)
			next = watch_by_wd(w, ev->wd, NULL);
	}
}

void watch_read(struct watch *w)
{
	_Alignas(struct inotify_event) char bytes[READ_BYTES];

	for (;;) {
		ssize_t n = read(w->fd, bytes, sizeof bytes);

		if (n <= 0)
			return;
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *ev = (const void *)(bytes + at);

			handle(w, ev);
			at += (ssize_t)(sizeof *ev + ev->len);
		}
	}
}
