/* SPDX-License-Identifier: MIT */
/* One directory after the other: watched, read, planned, its files sent off. The walk at start and
 * the watcher both come here. Depth first, with one open directory per level. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "library/library.h"
#include "library/listing.h"
#include "scanner/scanner_priv.h"

#define LARGE_SHARE                                                                                \
	10 /* a directory is looked at again after this many times the look's duration */

/* ---- planning -------------------------------------------------------------------------------- */

struct known_files { /* the store's files of one directory */
	struct directory_cursor cursor;
	struct fb_table row; /* given last */
	const struct frame *frame;
	const struct sidecars *sides;
	struct counter *quarantined_n; /* NULL: they are not counted */
	bool retry;
};

static bool next_file(void *ctx, struct plan_known *out)
{
	struct known_files *k = ctx;

	if (!directory_cursor_file(&k->cursor, &k->row))
		return false;
	*out = (struct plan_known){ .name = media_file_filename(k->row),
				    .id = media_file_id(k->row),
				    .size = media_file_size(k->row),
				    .mtime_ns = media_file_modified(k->row),
				    .unexamined =
					    record_is_unexamined(k->row) ||
					    (k->retry && media_file_probe_error(k->row) != 0) };
	return true;
}

static bool next_directory(void *ctx, struct plan_known *out)
{
	struct directory_cursor *c = ctx;
	struct fb_table row;

	if (!directory_cursor_subdir(c, &row))
		return false;
	*out = (struct plan_known){ .name = directory_name(row), .id = directory_id(row) };
	return true;
}

/* Is `path` this name below the directory? Nothing is put together for it. */
static bool is_path(struct span path, struct span directory, struct span name)
{
	size_t slash = directory.n > 1;

	return path.n == directory.n + slash + name.n && span_starts(path, directory) &&
	       path.p[directory.n + slash - 1] == '/' && span_ends(path, name);
}

static bool subtitles_suit(const struct known_files *k, const struct walk_entry *e)
{
	struct sidecar_subtitle subtitles[SIDECAR_SUBTITLES_MAX];
	struct fb_vector v = media_file_subtitles(k->row);
	size_t n = 0;

	if (record_has_subtitles(e->media_class, media_file_kind(k->row)) &&
	    k->sides->subtitles_n > 0)
		n = sidecar_subtitles(k->sides, e->name, subtitles);
	if (n != v.n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct fb_table t = fb_vector_table(v, i);

		if (!is_path(subtitle_path(t), k->frame->path, subtitles[i].name) ||
		    !span_eq(subtitle_language(t), subtitles[i].language))
			return false;
	}
	return true;
}

/* Does the record name the art and the subtitles that lie there now, and the file system? (That of
 * another machine has no id to rely on.) */
static bool file_suits(void *ctx, const struct walk_entry *e)
{
	const struct known_files *k = ctx;
	struct span stored = media_file_art_path(k->row);
	struct span art = SPAN("");
	struct span real = media_file_canonical_path(k->row);

	if (real.n == 0)
		real = media_file_path(k->row);
	if (e->device == k->frame->device && !k->frame->remote &&
	    media_file_device(k->row) != k->frame->filesystem)
		return false;
	if (e->link ? e->device == k->frame->device && !k->frame->remote &&
			      e->inode != media_file_inode(k->row)
		    : !is_path(real, k->frame->canonical, e->name))
		return false; /* it leads elsewhere now */
	if (k->sides->images_n > 0 && record_has_art(e->media_class, media_file_kind(k->row)))
		art = sidecar_art(k->sides, e->name);
	if (art.n == 0 ? stored.n != 0 : !is_path(stored, k->frame->path, art))
		return false;
	if (!subtitles_suit(k, e))
		return false;
	if (k->quarantined_n && record_is_quarantined(k->row))
		counter_add(k->quarantined_n, 1);
	return true;
}

static bool path_is_gone(struct span path)
{
	char text[4096];
	struct stat st;

	if (path.n >= sizeof text)
		return false;
	memcpy(text, path.p, path.n);
	text[path.n] = '\0';
	return fstatat(AT_FDCWD, text, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
	       (errno == ENOENT || errno == ENOTDIR);
}

/* A new name for a file that the store has under a path which is gone? Its size and time must be
 * the same: the number of a deleted file is soon given to another. */
static uint64_t find_moved(struct scanner *s, const struct library_snap *sn, const struct frame *f,
			   const struct walk_entry *e)
{
	struct fb_table row;
	bool first;

	if (e->device != f->device)
		return 0;
	if (library_media_by_inode(sn, f->filesystem, e->inode, &row) != ERR_OK)
		return 0;
	if (media_file_size(row) != e->size || media_file_modified(row) != e->mtime_ns)
		return 0;
	uint64_t id = media_file_id(row);
	/* Two names for it now: the second is a file of its own. */
	if (!path_is_gone(media_file_path(row)) || moved_add(&s->moved, id, &first) != ERR_OK ||
	    !first)
		return 0;
	counter_add(&s->counters.moved_n, 1);
	return id;
}

/* s->files and s->directories: the directory at hand against the store. */
static enum err plan(struct scanner *s, struct frame *f, enum visit_mode mode)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(s->library);
	struct walk_listing *l = &s->listing;
	bool counted = mode == VISIT_ALL && !s->retry && atomic_load(&s->scanning);
	struct known_files known = { .frame = f,
				     .sides = &l->sides,
				     .quarantined_n = counted ? &s->counters.quarantined_n : NULL,
				     .retry = s->retry };
	struct directory_cursor directories;
	struct plan_source files_source = { next_file, file_suits, &known };
	struct plan_source directories_source = { next_directory, NULL, &directories };

	if (!sn)
		return ERR_NOMEM;
	if (f->directory_id == 0 && library_directory_find(sn, f->path, &f->directory_id) != ERR_OK)
		f->directory_id = UINT64_MAX; /* nothing is known: both streams are empty */
	library_directory_files(sn, f->directory_id, &known.cursor);
	library_directory_subdirs(sn, f->directory_id, &directories);
	enum err e = plan_make(&s->files, &l->files, !l->partial, &files_source, &l->arena);
	if (e == ERR_OK)
		e = plan_make(&s->directories, &l->directories, !l->partial, &directories_source,
			      &l->arena);
	for (size_t i = 0; e == ERR_OK && mode != VISIT_REMOVALS && i < s->files.n; i++) {
		struct plan_action *a = &s->files.actions[i];

		if (a->kind == PLAN_NEW)
			a->id = find_moved(s, sn, f, &l->files.items[a->entry]);
	}
	return e;
}

/* ---- visiting -------------------------------------------------------------------------------- */

struct reading { /* one directory */
	struct scanner *s;
	uint16_t root;
	const struct frame *frame;
};

static bool is_busy(void *ctx, struct span name)
{
	const struct reading *r = ctx;

	return watch_is_written(r->s->watch, r->frame->node, name);
}

static bool takes(void *ctx, struct span name, enum walk_kind kind)
{
	const struct reading *r = ctx;

	return scan_takes(r->s, r->root, r->frame, name, kind);
}

static void passed_over(void *ctx, struct span name, enum scan_reason reason)
{
	const struct reading *r = ctx;

	scan_note(r->s, r->frame, name, reason);
}

static enum err read_directory(struct scanner *s, uint16_t root, const struct frame *f)
{
	struct reading reading = { s, root, f };
	struct walk_source source = { .fd = f->fd,
				      .busy = f->node ? is_busy : NULL,
				      .takes = takes,
				      .passed_over = s->sink ? passed_over : NULL,
				      .ctx = &reading };
	enum err e = walk_read(&source, &s->listing);

	if (s->listing.too_many)
		log_warn(LOG_SCAN, "%s has more than %u entries: the others are not served",
			 QUOTE(f->path), WALK_ENTRIES_MAX);
	return e;
}

/* The sub-directories to visit, copied: the listing is needed for the next directory. */
static enum err queue_subdirectories(struct scanner *s, struct frame *f, enum visit_mode mode)
{
	const struct walk_entries *dirs = &s->listing.directories;
	size_t bytes = 0;

	for (size_t i = 0; i < dirs->n; i++)
		bytes += dirs->items[i].name.n + 1;
	if (bytes == 0)
		return ERR_OK;
	f->names = malloc(bytes);
	f->subdirectories = calloc(dirs->n, sizeof *f->subdirectories);
	if (!f->names || !f->subdirectories)
		return ERR_NOMEM;
	char *p = f->names;
	for (size_t i = 0; i < dirs->n; i++) {
		const struct walk_entry *e = &dirs->items[i];

		if (e->leave || (mode == VISIT_NEW && watch_find(s->watch, f->node, e->name)))
			continue;
		memcpy(p, e->name.p, e->name.n + 1);
		f->subdirectories[f->subdirectories_n++] =
			(struct subdirectory){ .name = span_of(p, e->name.n),
					       .directory_id =
						       e->known_id ? e->known_id : UINT64_MAX,
					       .link = e->link };
		p += e->name.n + 1;
	}
	return ERR_OK;
}

/* Directories that are not there any more need no watch. */
static void forget_watches(struct scanner *s, const struct frame *f)
{
	const struct walk_entries *dirs = &s->listing.directories;

	if (!f->node || s->listing.partial)
		return;
	watch_unstamp(s->watch);
	for (size_t i = 0; i < dirs->n; i++) {
		struct watch_node *child = watch_find(s->watch, f->node, dirs->items[i].name);

		if (child)
			watch_keep(s->watch, child);
	}
	watch_drop_unkept(s->watch, f->node);
}

/* Without a probe, where the stored record says all. *out_done is false where it does not. */
static enum err restate(struct scanner *s, const struct frame *f, const struct plan_action *a,
			bool *out_done)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = NULL;
	const struct walk_entry *entry = &s->listing.files.items[a->entry];
	struct fb_table row;

	*out_done = false;
	if (a->id == 0 || a->kind == PLAN_CHANGED || a->kind == PLAN_UNEXAMINED || entry->link ||
	    entry->device != f->device)
		return ERR_OK;
	sn = library_snap_begin(s->library);
	if (!sn)
		return ERR_NOMEM;
	if (library_media_get(sn, a->id, &row) != ERR_OK || !record_can_restate(row, entry->name))
		return ERR_OK;
	*out_done = true;
	return job_restate(s, f, entry, row, a->kind == PLAN_NEW ? a->id : 0);
}

static enum err start_file(struct scanner *s, const struct frame *f, const struct plan_action *a)
{
	bool done;

	if (f->node)
		watch_set_unstored(s->watch, f->node);
	enum err e = restate(s, f, a, &done);
	if (e == ERR_OK && !done)
		e = job_start(s, f, a);
	counter_add(&s->counters.done_n, 1);
	return e;
}

/* A file without an extension that the store does not know as it is now: only its content says
 * whether it is media. What is not leaves no trace, and is looked at again by the next scan. */
static enum err start_nameless(struct scanner *s, const struct frame *f,
			       const struct plan_action *a, enum visit_mode mode)
{
	const struct walk_entry *entry = &s->listing.files.items[a->entry];
	const struct media_type *type;
	enum err look = walk_look(f->fd, entry, &type);

	if (look != ERR_OK && a->kind == PLAN_NEW)
		return ERR_OK; /* nor is it said that one cannot be read: who knows what it is? */
	if (mode != VISIT_FILES)
		counter_add(&s->counters.found_n, 1);
	return look == ERR_UNSUPPORTED ? removal_file(s, f, entry->name) : start_file(s, f, a);
}

static enum err start_files(struct scanner *s, const struct frame *f, enum visit_mode mode)
{
	for (size_t i = 0; i < s->files.n; i++) {
		const struct plan_action *a = &s->files.actions[i];

		if (a->kind == PLAN_REMOVED)
			continue;
		enum err e = s->listing.files.items[a->entry].nameless
				     ? start_nameless(s, f, a, mode)
				     : start_file(s, f, a);
		if (e == ERR_OK)
			e = scan_breathe(s);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static struct span path_below_root(const struct scanner *s, uint16_t root, const struct frame *f)
{
	struct span below = span_skip(f->path, s->roots[root].path.n);

	return below.n > 0 && below.p[0] == '/' ? span_skip(below, 1) : below;
}

/* How many of the directory's files are media for sure: all but what start_nameless() looks at. */
static size_t files_known(const struct scanner *s)
{
	size_t n = s->listing.files.n;

	for (size_t i = 0; i < s->files.n; i++)
		if (s->files.actions[i].kind != PLAN_REMOVED)
			n -= s->listing.files.items[s->files.actions[i].entry].nameless;
	return n;
}

static enum err act(struct scanner *s, uint16_t root, struct frame *f, enum visit_mode mode)
{
	if (mode == VISIT_REMOVALS)
		return removal_apply(s, root, f);
	if (mode == VISIT_FILES)
		return start_files(s, f, mode);
	counter_add(&s->counters.directories_n, 1);
	counter_add(&s->counters.found_n, files_known(s));
	counter_add(&s->counters.unchanged_n, s->files.same_n);
	counter_add(&s->counters.done_n, s->files.same_n);
	if (f->node && s->files.removed_n == 0 && s->directories.removed_n == 0)
		f->node->away = false;
	forget_watches(s, f);
	enum err e = queue_subdirectories(s, f, mode);
	if (e == ERR_OK)
		e = playlists_note(s, f);
	if (e == ERR_OK && (s->files.removed_n > 0 || s->directories.removed_n > 0))
		e = removals_add(&s->removals, root, path_below_root(s, root, f));
	return e == ERR_OK ? start_files(s, f, mode) : e;
}

/* Is what lies here to be compared with a store that lacks files of it? What has gone meanwhile
 * would not be missed, and stored a moment later for ever. */
static bool must_wait(const struct scanner *s, const struct frame *f)
{
	return s->moved.n >= SCAN_MOVED_MAX || (f->node && watch_is_unstored(s->watch, f->node));
}

static enum err visit(struct scanner *s, uint16_t root, struct frame *stack, size_t depth,
		      enum visit_mode mode)
{
	struct frame *f = &stack[depth - 1];
	uint64_t begin_ms = clock_now_ms();
	enum err e = read_directory(s, root, f);

	if (e != ERR_OK)
		return e;
	if (depth == 1 && !root_check(s, root, f))
		return ERR_OK;
	if (mode == VISIT_REPORT) {
		e = report_directory(s, f);
		return e == ERR_OK ? queue_subdirectories(s, f, mode) : e;
	}
	if (depth == 1)
		e = root_store(s, root);
	if (e == ERR_OK && must_wait(s, f))
		e = jobs_finish(s);
	if (e == ERR_OK)
		e = plan(s, f, mode);
	uint64_t end_ms = clock_now_ms();
	if (f->node)
		f->node->not_before_ms = end_ms + 1 + LARGE_SHARE * (end_ms - begin_ms);
	return e == ERR_OK ? act(s, root, f, mode) : e;
}

/* One that is not watched any more has left the place where it was seen, or is hidden by now. What
 * is above it has been looked at since, or will be: entering it here would watch what no walk from
 * the root reaches, or make it pass for visited. */
static bool is_left(const struct scanner *s, const struct frame *parent, struct span name)
{
	return s->watch && !watch_find(s->watch, parent->node, name);
}

/* The directories on the way down to `path`. ERR_NOTFOUND: it cannot be reached. */
static enum err descend(struct scanner *s, uint16_t root, struct span path, struct frame *stack,
			size_t *depth)
{
	enum err e = frame_open_root(s, root, &stack[0]);

	*depth = 1;
	while (e == ERR_OK && path.n > 0) {
		struct span part = span_cut(&path, '/');
		struct span name = frame_join(part, SPAN(""));

		if (!name.p)
			return ERR_NOMEM;
		if (*depth >= SCAN_DEPTH_MAX || is_left(s, &stack[*depth - 1], name)) {
			free((char *)name.p);
			return ERR_NOTFOUND;
		}
		struct subdirectory sub = { .name = name, .link = true };
		e = frame_open_child(s, stack, (*depth)++, root, &sub);
		free((char *)name.p);
	}
	return e;
}

static enum err next_below(struct scanner *s, uint16_t root, struct frame *stack, size_t *depth)
{
	struct frame *f = &stack[*depth - 1];

	if (*depth >= SCAN_DEPTH_MAX) {
		scan_note(s, f, SPAN(""), REASON_TOO_DEEP);
		log_warn(LOG_SCAN,
			 "%s is too deep (%d directories): what is below it is not served",
			 QUOTE(f->path), SCAN_DEPTH_MAX);
		f->next = f->subdirectories_n;
		return ERR_NOTFOUND;
	}
	enum err e = frame_open_child(s, stack, *depth, root, &f->subdirectories[f->next++]);
	if (e == ERR_OK)
		(*depth)++;
	else
		frame_close(&stack[*depth]);
	return e;
}

/* Depth first below stack[base - 1], which is visited first. */
static enum err walk_below(struct scanner *s, uint16_t root, struct frame *stack, size_t base,
			   enum visit_mode mode)
{
	size_t depth = base;
	enum err e = visit(s, root, stack, depth, mode);

	/* A new directory brings all that is below it. */
	while (e == ERR_OK && depth >= base) {
		struct frame *f = &stack[depth - 1];

		e = scan_breathe(s);
		if (e == ERR_OK)
			e = scan_look_early(s);
		if (e != ERR_OK)
			break;
		if (f->next == f->subdirectories_n) {
			frame_close(&stack[--depth]);
			continue;
		}
		e = next_below(s, root, stack, &depth);
		if (e == ERR_OK)
			e = visit(s, root, stack, depth, mode == VISIT_NEW ? VISIT_ALL : mode);
		else if (e == ERR_NOTFOUND)
			e = ERR_OK;
	}
	return e;
}

enum err visit_tree(struct scanner *s, uint16_t root, struct span path, enum visit_mode mode)
{
	struct frame *stack = calloc(SCAN_DEPTH_MAX + 1, sizeof *stack);
	size_t depth = 0;

	if (!stack)
		return ERR_NOMEM;
	for (size_t i = 0; i <= SCAN_DEPTH_MAX; i++)
		stack[i].fd = -1;
	enum err e = descend(s, root, path, stack, &depth);
	if (e == ERR_OK)
		e = walk_below(s, root, stack, depth, mode);
	for (size_t i = 0; i <= SCAN_DEPTH_MAX; i++)
		frame_close(&stack[i]);
	free(stack);
	return e == ERR_NOTFOUND ? ERR_OK : e;
}
