/* SPDX-License-Identifier: MIT */
/* Media roots: which there are, and whether they are to be believed. A disk that is not mounted, a
 * share that is gone or a directory that nobody may read must never empty the library. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/path.h"
#include "library/listing.h"
#include "library/library.h"
#include "library/settings.h"
#include "scanner/scanner_priv.h"
#include "scanner/watch_tree.h"

static struct span heap_dup(struct span s)
{
	char *p = malloc(s.n + 1);

	if (!p)
		return (struct span){ NULL, 0 };
	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return span_of(p, s.n);
}

static void canonical_set(struct root *r)
{
	char *resolved = realpath(r->path.p, NULL);

	if (!resolved)
		return;
	free((char *)r->canonical.p);
	r->canonical = span_str(resolved);
}

static struct span place(const struct root *r)
{
	return r->canonical.p ? r->canonical : r->path;
}

static void root_free(struct root *r)
{
	free((char *)r->path.p);
	free((char *)r->canonical.p);
	*r = (struct root){ 0 };
}

/* Does it lie inside a root that is there? The other way round the older one goes. */
static bool is_inside_another(struct scanner *s, struct root *r)
{
	for (uint16_t i = 0; i < s->roots_n; i++) {
		struct root *other = &s->roots[i];
		bool inside = path_is_within(place(r), place(other));

		if (!inside && !path_is_within(place(other), place(r)))
			continue;
		log_warn(LOG_SCAN, "%s lies inside the media root %s and is served with it",
			 QUOTE(inside ? r->path : other->path),
			 QUOTE(inside ? other->path : r->path));
		if (inside)
			return true;
		root_free(other);
		*other = s->roots[--s->roots_n];
		i--;
	}
	return false;
}

enum err roots_init(struct scanner *s, const struct scanner_options *options, struct err_info *info)
{
	if (options->roots_n > SCANNER_ROOTS_MAX)
		return err_set(info, ERR_LIMIT, 0,
			       "more than %d media roots; a directory above several of them can "
			       "be one",
			       SCANNER_ROOTS_MAX);
	for (size_t i = 0; i < options->roots_n; i++) {
		struct span path = span_str(options->roots[i]);

		while (path.n > 1 && path.p[path.n - 1] == '/')
			path.n--;
		if (path.n == 0 || path.p[0] != '/')
			return err_set(info, ERR_INVALID, 0,
				       "the media root %s is not an absolute path", QUOTE(path));
		struct root r = { .path = heap_dup(path) };
		if (!r.path.p)
			return err_set(info, ERR_NOMEM, 0, "out of memory");
		canonical_set(&r);
		if (is_inside_another(s, &r))
			root_free(&r);
		else
			s->roots[s->roots_n++] = r;
	}
	return ERR_OK;
}

void roots_fini(struct scanner *s)
{
	while (s->roots_n > 0)
		root_free(&s->roots[--s->roots_n]);
}

static void say_away(struct root *r, bool gone, const char *why)
{
	r->gone = gone;
	if (!r->away)
		log_warn(LOG_SCAN, "the media root %s is %s: what is known of it is kept",
			 QUOTE(r->path), why);
	r->away = true;
}

enum err root_open(struct scanner *s, uint16_t root, int *out_fd)
{
	struct root *r = &s->roots[root];
	int fd = open(r->path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		int why = errno;

		say_away(r, why == ENOENT || why == ENOTDIR,
			 why == ENOENT || why == ENOTDIR ? "not there"
			 : why == EACCES		 ? "not readable (permission denied)"
							 : "not readable");
		return ERR_NOTFOUND;
	}
	if (!r->canonical.p || r->away)
		canonical_set(r);
	*out_fd = fd;
	return ERR_OK;
}

static bool has_content(struct library *library, struct span path)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(library);

	return sn && library_directory_holds(sn, path);
}

bool root_check(struct scanner *s, uint16_t root, const struct frame *f)
{
	struct root *r = &s->roots[root];
	bool same = r->filled && r->device == f->device && r->inode == f->inode;

	if (s->listing.partial && s->listing.empty) {
		say_away(r, false, "not readable");
		return false;
	}
	/* Emptied under our eyes, by events of the same directory: then it is meant. Else it may be
	 * a mount point without its disk. */
	if (s->listing.empty && !s->listing.nomedia && !(same && s->watch && !f->remote) &&
	    has_content(s->library, r->path)) {
		say_away(r, true, "empty (is its disk mounted?)");
		return false;
	}
	if (r->away)
		log_info(LOG_SCAN, "the media root %s is back", QUOTE(r->path));
	r->away = r->gone = false;
	if (!s->listing.empty) {
		r->filled = true;
		r->device = f->device;
		r->inode = f->inode;
	}
	return true;
}

enum err root_store(struct scanner *s, uint16_t root)
{
	struct root *r = &s->roots[root];
	struct span name = span_skip(r->path, span_rfind(r->path, '/') + 1);

	if (r->stored)
		return ERR_OK;
	enum err e = submit_root(&s->submit, r->path, name.n > 0 ? name : r->path);
	r->stored = e == ERR_OK;
	return e;
}

bool roots_any_away(const struct scanner *s)
{
	for (uint16_t i = 0; i < s->roots_n; i++)
		if (s->roots[i].away)
			return true;
	return false;
}

/* Is the store's root to be removed at this point? */
static bool is_stale(const struct scanner *s, struct span path, enum roots_when when)
{
	bool overlaps = false;

	for (uint16_t i = 0; i < s->roots_n; i++) {
		if (span_eq(s->roots[i].path, path))
			return false;
		overlaps |= path_is_within(path, s->roots[i].path) ||
			    path_is_within(s->roots[i].path, path);
	}
	return overlaps == (when == ROOTS_BEFORE_SCAN);
}

enum err roots_prune(struct scanner *s, enum roots_when when)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(s->library);
	struct directory_cursor c;
	struct fb_table row;
	enum err e = ERR_OK;

	if (!sn)
		return ERR_NOMEM;
	library_directory_subdirs(sn, 0, &c);
	while (e == ERR_OK && directory_cursor_subdir(&c, &row)) {
		struct span path = directory_path(row);

		if (!is_stale(s, path, when))
			continue;
		log_info(LOG_SCAN, "%s is no media root any more: removing its files", QUOTE(path));
		e = submit_remove_tree(&s->submit, path);
	}
	return e;
}

/* ---- grace period ---- */

#define CLOCK_SET_S 1735689600 /* 2025: a clock that says less was not set yet */

/* The setting that says since when a root is gone. */
static struct span since_name(const struct root *r, char out[SETTING_NAME_MAX])
{
	int n = snprintf(out, SETTING_NAME_MAX, "scanner.gone_since.%016llx",
			 (unsigned long long)watch_hash(r->path));

	return span_of(out, (size_t)n);
}

/* 0: that is not known. */
static uint64_t since_get(struct scanner *s, struct span name)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(s->library);
	struct span value;
	uint64_t since_s;

	if (!sn || library_setting_get(sn, name, &value) != ERR_OK ||
	    num_parse_u64(value, 0, INT64_MAX, &since_s) != ERR_OK)
		return 0;
	return since_s;
}

static enum err since_set(struct scanner *s, struct span name, uint64_t since_s)
{
	char value[24];
	int n = snprintf(value, sizeof value, "%llu", (unsigned long long)since_s);

	return submit_setting(&s->submit, name, span_of(value, (size_t)n));
}

static enum err check_grace(struct scanner *s, struct root *r, uint64_t now_s)
{
	char text[SETTING_NAME_MAX];
	struct span name = since_name(r, text);
	uint64_t since_s = since_get(s, name);

	if (!r->away || s->grace_s == 0)
		return since_s > 0 ? since_set(s, name, 0) : ERR_OK;
	if (!r->gone || now_s < CLOCK_SET_S || !has_content(s->library, r->path))
		return ERR_OK;
	if (since_s == 0 || since_s > now_s)
		return since_set(s, name, now_s);
	if (now_s - since_s < s->grace_s)
		return ERR_OK;
	log_warn(LOG_SCAN,
		 "the media root %s has been gone for %llu h (scanner.grace_period): its "
		 "files are forgotten",
		 QUOTE(r->path), (unsigned long long)((now_s - since_s) / 3600));
	r->stored = false;
	enum err e = submit_remove_tree(&s->submit, r->path);
	return e == ERR_OK ? since_set(s, name, 0) : e;
}

enum err roots_check_grace(struct scanner *s)
{
	enum err e = ERR_OK;

	for (uint16_t i = 0; i < s->roots_n && e == ERR_OK; i++)
		e = check_grace(s, &s->roots[i], (uint64_t)MAX(clock_wall_s(), (int64_t)0));
	return e == ERR_OK ? submit_barrier(&s->submit) : e;
}
