/* SPDX-License-Identifier: MIT */
/* Files on their way through the probe: opened, sent, and stored when the answer comes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/media_type.h"
#include "schema/probe_fb.h"
#include "scanner/scanner_priv.h"

#define JOB_MAX_BYTES (1u << 20) /* names of one file and all that lies beside it */

static struct job *job_new(struct scanner *s)
{
	struct job *j = s->jobs_free;

	if (j) {
		s->jobs_free = j->next;
		return j;
	}
	j = calloc(1, sizeof *j);
	if (j) {
		arena_init(&j->arena, JOB_MAX_BYTES);
		j->fd = -1;
	}
	return j;
}

static void job_release(struct scanner *s, struct job *j)
{
	fd_closep(&j->fd);
	arena_reset(&j->arena);
	j->next = s->jobs_free;
	s->jobs_free = j;
}

static void busy_add(struct scanner *s, struct job *j)
{
	j->next = s->jobs_busy;
	s->jobs_busy = j;
}

static void busy_remove(struct scanner *s, struct job *j)
{
	struct job **at = &s->jobs_busy;

	while (*at != j)
		at = &(*at)->next;
	*at = j->next;
}

static void free_list(struct job *j)
{
	while (j) {
		struct job *next = j->next;

		fd_closep(&j->fd);
		arena_fini(&j->arena);
		free(j);
		j = next;
	}
}

void jobs_fini(struct scanner *s)
{
	free_list(TAKE(s->jobs_free));
	free_list(TAKE(s->jobs_busy));
}

static struct span join(struct arena *a, struct span directory, struct span name)
{
	bool slash = directory.n > 1; /* not after "/" */
	char *p = arena_alloc(a, directory.n + slash + name.n + 1);

	if (!p)
		return (struct span){ NULL, 0 };
	memcpy(p, directory.p, directory.n);
	p[directory.n] = '/';
	memcpy(p + directory.n + slash, name.p, name.n);
	p[directory.n + slash + name.n] = '\0';
	return span_of(p, directory.n + slash + name.n);
}

/* Where the file really is. */
static struct span canonical(struct job *j, const struct frame *f, const struct walk_entry *entry)
{
	char link[64];
	char target[4096];

	if (entry->link) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", j->fd);
		ssize_t n = readlink(link, target, sizeof target);
		if (n > 0 && (size_t)n < sizeof target)
			return arena_dup(&j->arena, span_of(target, (size_t)n));
	}
	if (f->canonical.p == f->path.p)
		return j->seen.path; /* the same bytes: the record stores them once */
	return join(&j->arena, f->canonical, entry->name);
}

static enum err describe_sides(struct scanner *s, struct job *j, const struct frame *f)
{
	struct sidecar_subtitle subtitles[SIDECAR_SUBTITLES_MAX];
	struct record_seen *seen = &j->seen;
	struct span art = sidecar_art(&s->listing.sides, seen->name);

	if (art.n > 0 && record_has_art(seen->media_class, seen->media_class)) {
		seen->art_path = join(&j->arena, f->path, art);
		if (!seen->art_path.p)
			return ERR_NOMEM;
	}
	if (!record_has_subtitles(seen->media_class, seen->media_class))
		return ERR_OK;
	size_t n = sidecar_subtitles(&s->listing.sides, seen->name, subtitles);
	for (size_t i = 0; i < n; i++) {
		struct subtitle_in *out = &seen->subtitles[seen->subtitles_n++];

		out->path = join(&j->arena, f->path, subtitles[i].name);
		out->language = arena_dup(&j->arena, subtitles[i].language);
		if (!out->path.p || !out->language.p)
			return ERR_NOMEM;
	}
	return ERR_OK;
}

/* j->fd is only needed for a symbolic link. */
static enum err describe(struct scanner *s, struct job *j, const struct frame *f,
			 const struct walk_entry *entry)
{
	struct record_seen *seen = &j->seen;

	*seen = (struct record_seen){ .size = entry->size,
				      .mtime_ns = entry->mtime_ns,
				      .inode = entry->inode,
				      .device = f->filesystem,
				      .media_class = entry->media_class };
	seen->path = join(&j->arena, f->path, entry->name);
	if (!seen->path.p)
		return ERR_NOMEM;
	seen->name = span_of(seen->path.p + seen->path.n - entry->name.n, entry->name.n);
	seen->canonical_path = canonical(j, f, entry);
	if (!seen->canonical_path.p)
		return ERR_NOMEM;
	return describe_sides(s, j, f);
}

/* As it was when it was opened: what is probed is what is described. */
static enum err describe_opened(struct scanner *s, struct job *j, const struct frame *f,
				const struct walk_entry *entry, const struct stat *st)
{
	struct walk_entry opened = *entry;
	bool remote;

	opened.size = (uint64_t)st->st_size;
	opened.mtime_ns = walk_time_ns(st->st_mtim);
	opened.inode = st->st_ino;
	enum err e = describe(s, j, f, &opened);
	j->seen.device = filesystem_id(&s->filesystems, j->fd, st->st_dev, &remote);
	return e;
}

static void say_unreadable(struct scanner *s, const struct frame *f, struct span name, enum err e)
{
	counter_add(&s->counters.failed_n, 1);
	log_warn(LOG_SCAN, "cannot read %s in %s: %s", QUOTE(name), QUOTE(f->path), err_name(e));
}

/* Into the probe's hands; waits while they are full. */
static enum err send(struct scanner *s, struct job *j)
{
	for (;;) {
		enum err e = probe_send(s->probe, PROBE_FACTS, j->fd, j->seen.name, j);

		if (e != ERR_BUSY)
			return e;
		e = scan_turn(s, UINT64_MAX);
		if (e != ERR_OK)
			return e;
	}
}

enum err job_start(struct scanner *s, const struct frame *f, const struct plan_action *a)
{
	const struct walk_entry *entry = &s->listing.files.items[a->entry];
	struct stat st;
	struct job *j = job_new(s);

	if (!j)
		return ERR_NOMEM;
	enum err e = walk_open_file(f->fd, entry, &j->fd, &st);
	if (e != ERR_OK) {
		if (e != ERR_NOTFOUND) /* it has just gone: nobody needs to know */
			say_unreadable(s, f, entry->name, e);
		job_release(s, j);
		return ERR_OK;
	}
	const struct media_type *type =
		entry->nameless ? walk_type_of(j->fd) : media_type_by_name(entry->name);
	if (!type) { /* it has just changed */
		job_release(s, j);
		return ERR_OK;
	}
	j->moved_id = a->kind == PLAN_NEW ? a->id : 0;
	j->listed = a->kind == PLAN_UNEXAMINED;
	e = describe_opened(s, j, f, entry, &st);
	j->seen.type = type;
	if (e == ERR_OK)
		e = send(s, j);
	if (e == ERR_OK) {
		busy_add(s, j);
		return ERR_OK;
	}
	if (e != ERR_CLOSED)
		say_unreadable(s, f, entry->name, e);
	job_release(s, j);
	return e == ERR_CLOSED ? e : ERR_OK;
}

static enum err put(struct scanner *s, const struct job *j, const struct media_file_in *file)
{
	enum err e = submit_put(&s->submit, file, j->moved_id);

	if (e == ERR_OK || e == ERR_CLOSED || e == ERR_NOMEM)
		return e;
	counter_add(&s->counters.failed_n, 1);
	log_warn(LOG_SCAN, "cannot store %s: %s", QUOTE(j->seen.path), err_name(e));
	return ERR_OK;
}

enum err job_restate(struct scanner *s, const struct frame *f, const struct walk_entry *entry,
		     struct fb_table row, uint64_t moved_id)
{
	struct record_lists lists;
	struct media_file_in file;
	struct job *j = job_new(s);

	if (!j)
		return ERR_NOMEM;
	j->moved_id = moved_id;
	enum err e = describe(s, j, f, entry);
	if (e == ERR_OK) {
		record_restate(&j->seen, row, &lists, &file);
		e = put(s, j, &file);
	}
	job_release(s, j);
	return e;
}

/* Nothing can read the file now. What its record says all the same (it was imported) is kept, as
 * long as the file is the same. */
static enum err store_unread(struct scanner *s, const struct job *j)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(s->library);
	struct fb_table row, no_facts = { 0 };
	struct record_lists lists;
	struct media_file_in file;

	if (!sn)
		return ERR_NOMEM;
	if (library_media_by_path(sn, j->seen.path, &row) == ERR_OK && record_is_unexamined(row) &&
	    media_file_size(row) == j->seen.size && media_file_modified(row) == j->seen.mtime_ns)
		record_restate(&j->seen, row, &lists, &file);
	else
		record_make(&j->seen, PROBE_STATUS_UNAVAILABLE, no_facts, &lists, &file);
	return put(s, j, &file);
}

/* The answer has come: store the file, unless it has gone meanwhile. */
static enum err store(struct scanner *s, const struct job *j, const struct probe_result *r)
{
	struct stat st;
	struct record_lists lists;
	struct media_file_in file;

	counter_add(&s->counters.probed_n, 1);
	if (fstat(j->fd, &st) != 0 || st.st_nlink == 0)
		return ERR_OK;
	if (j->listed && r->status == PROBE_STATUS_UNAVAILABLE)
		return ERR_OK; /* nothing new, and clients need not look again */
	if (r->status == PROBE_STATUS_UNAVAILABLE)
		return store_unread(s, j);
	record_make(&j->seen, r->status, r->facts, &lists, &file);
	if (r->status == PROBE_STATUS_CRASHED || r->status == PROBE_STATUS_TIMEOUT) {
		counter_add(&s->counters.quarantined_n, 1);
		log_warn(LOG_SCAN,
			 "%s %s its examination: it is not examined again until it changes",
			 QUOTE(j->seen.path),
			 r->status == PROBE_STATUS_CRASHED ? "crashed" : "hung");
	} else if (r->status != PROBE_STATUS_OK)
		log_debug(LOG_SCAN, "%s: stored by its name only", QUOTE(j->seen.path));
	return put(s, j, &file);
}

enum err jobs_collect(struct scanner *s)
{
	struct probe_result r;
	enum err e = ERR_OK;

	while (e == ERR_OK && probe_pending(s->probe) > 0 &&
	       probe_recv(s->probe, 0, &r) == ERR_OK) {
		struct job *j = r.tag;

		busy_remove(s, j);
		e = store(s, j, &r);
		job_release(s, j);
	}
	return e;
}

enum err jobs_finish(struct scanner *s)
{
	while (probe_pending(s->probe) > 0) {
		enum err e = scan_turn(s, UINT64_MAX);

		if (e != ERR_OK)
			return e;
	}
	moved_clear(&s->moved);
	enum err e = submit_barrier(&s->submit);
	if (e == ERR_OK && s->watch)
		watch_all_stored(s->watch);
	return e;
}
