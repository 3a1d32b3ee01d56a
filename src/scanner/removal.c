/* SPDX-License-Identifier: MIT */
/* What has gone from a directory. Applied after everything new has been stored, so that a file that
 * was found elsewhere has already left. */
#include <stdlib.h>
#include <sys/stat.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/log.h"
#include "library/listing.h"
#include "library/library.h"
#include "scanner/scanner_priv.h"

#define SEARCH_DEPTH_MAX 16

enum err removals_add(struct removals *r, uint16_t root, struct span path)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 16;
		struct removal *items = realloc(r->items, cap * sizeof *items);

		if (!items)
			return ERR_NOMEM;
		r->items = items;
		r->cap = cap;
	}
	char *p = malloc(path.n + 1);
	if (!p)
		return ERR_NOMEM;
	memcpy(p, path.p, path.n);
	p[path.n] = '\0';
	r->items[r->n++] = (struct removal){ span_of(p, path.n), root };
	return ERR_OK;
}

void removals_clear(struct removals *r)
{
	for (size_t i = 0; i < r->n; i++)
		free((char *)r->items[i].path.p);
	free(r->items);
	*r = (struct removals){ 0 };
}

/* Some file in or below the directory. */
static bool any_file(const struct library_snap *sn, uint64_t id, struct fb_table *out)
{
	struct directory_cursor c;

	for (unsigned depth = 0; depth < SEARCH_DEPTH_MAX; depth++) {
		struct fb_table row;

		library_directory_files(sn, id, &c);
		if (directory_cursor_file(&c, out))
			return true;
		library_directory_subdirs(sn, id, &c);
		if (!directory_cursor_subdir(&c, &row))
			return false;
		id = directory_id(row);
	}
	return false;
}

static bool exists(struct span path)
{
	struct stat st;
	struct buf b;

	buf_init(&b, SCAN_PATH_MAX_BYTES);
	buf_add(&b, path);
	bool there = buf_err(&b) == ERR_OK && fstatat(AT_FDCWD, buf_cstr(&b), &st, 0) == 0;
	buf_fini(&b);
	return there;
}

/* Did the files of this directory lie on another file system than `f`, which is not there now? A
 * link to it that was deleted does not count. */
static bool was_mounted(const struct library_snap *sn, const struct frame *f, uint64_t id)
{
	struct fb_table row;

	if (!any_file(sn, id, &row) || media_file_device(row) == f->filesystem || f->remote)
		return false;
	struct span real = media_file_canonical_path(row);
	return real.n == 0 || span_eq(real, media_file_path(row)) || !exists(real);
}

static enum err remove_named(struct scanner *s, const struct frame *f, struct span name, bool tree)
{
	struct buf path;

	buf_init(&path, SCAN_PATH_MAX_BYTES);
	buf_add(&path, f->path);
	if (f->path.n > 1)
		buf_add_char(&path, '/');
	buf_add(&path, name);
	enum err e = buf_err(&path);
	if (e == ERR_OK)
		e = tree ? submit_remove_tree(&s->submit, buf_span(&path))
			 : submit_remove(&s->submit, buf_span(&path));
	buf_fini(&path);
	return e;
}

enum err removal_file(struct scanner *s, const struct frame *f, struct span name)
{
	return remove_named(s, f, name, false);
}

static void say_kept(const struct frame *f, struct span name, struct span directory)
{
	bool said = f->node && f->node->away;

	if (!said)
		log_warn(LOG_SCAN,
			 "the file system at %s in %s is gone: what is known of it is kept",
			 QUOTE(name), QUOTE(directory));
	if (f->node)
		f->node->away = true;
}

enum err removal_apply(struct scanner *s, uint16_t root, const struct frame *f)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(s->library);
	enum err e = ERR_OK;

	if (!sn)
		return ERR_NOMEM;
	if (s->listing.empty && !s->listing.nomedia && was_mounted(sn, f, f->directory_id)) {
		say_kept(f, SPAN("."), f->path);
		if (f->node) /* it may come back, and a mount raises no event */
			watch_poll(s->watch, f->node);
		return ERR_OK;
	}
	for (size_t i = 0; i < s->files.n && e == ERR_OK; i++)
		if (s->files.actions[i].kind == PLAN_REMOVED)
			e = remove_named(s, f, s->files.actions[i].name, false);
	for (size_t i = 0; i < s->directories.n && e == ERR_OK; i++) {
		const struct plan_action *a = &s->directories.actions[i];

		if (a->kind != PLAN_REMOVED)
			continue;
		/* What is left out by a pattern is meant to go, mounted or not. */
		if (!s->listing.nomedia && scan_takes(s, root, f, a->name, WALK_DIRECTORY) &&
		    was_mounted(sn, f, a->id))
			say_kept(f, a->name, f->path);
		else
			e = remove_named(s, f, a->name, true);
	}
	return e;
}
