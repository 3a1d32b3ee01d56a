/* SPDX-License-Identifier: MIT */
/* Which playlist files are to be read, and which playlists have lost theirs. */
#include "scanner/playlist_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "library/listing.h"
#include "library/playlists.h"
#include "scanner/playlist_import.h"
#include "scanner/scanner_priv.h"

/* ---- noting ---------------------------------------------------------------------------------- */

static void places_clear(struct playlists *p)
{
	while (p->places_n > 0)
		free((char *)p->places[--p->places_n].path.p);
	free(TAKE(p->places));
	p->places_cap = 0;
}

static void found_clear(struct playlists *p)
{
	while (p->found_n > 0)
		free((char *)p->found[--p->found_n].path.p);
	free(TAKE(p->found));
	p->found_cap = 0;
}

void playlists_fini(struct scanner *s)
{
	places_clear(&s->playlists);
	found_clear(&s->playlists);
}

/* Room for one more. */
static enum err grow(void **items, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return ERR_OK;
	size_t larger = *cap ? 2 * *cap : 16;
	void *grown = realloc(*items, larger * size);

	if (!grown)
		return ERR_NOMEM;
	*items = grown;
	*cap = larger;
	return ERR_OK;
}

static enum err add_found(struct playlists *p, struct span path, uint64_t id)
{
	void *items = p->found;
	enum err e = grow(&items, &p->found_cap, p->found_n, sizeof *p->found);

	p->found = items;
	struct span copy = e == ERR_OK ? frame_join(path, SPAN("")) : (struct span){ NULL, 0 };
	if (!copy.p)
		return ERR_NOMEM;
	p->found[p->found_n++] = (struct found_playlist){ .path = copy, .id = id };
	return ERR_OK;
}

static enum err add_place(struct playlists *p, struct span path, bool hidden)
{
	if (p->places_n >= PLAYLIST_PLACES_MAX)
		p->everywhere = true;
	if (p->everywhere && !hidden)
		return ERR_OK;
	void *items = p->places;
	enum err e = grow(&items, &p->places_cap, p->places_n, sizeof *p->places);
	p->places = items;
	struct span copy = e == ERR_OK ? frame_join(path, SPAN("")) : (struct span){ NULL, 0 };
	if (!copy.p)
		return ERR_NOMEM;
	p->places[p->places_n++] = (struct place){ copy, hidden };
	return ERR_OK;
}

/* One file of the listing against what is stored of it. */
static enum err note(struct scanner *s, const struct library_snap *sn, const struct frame *f,
		     const struct walk_entry *entry)
{
	struct span path = frame_join(f->path, entry->name);
	struct fb_table row;
	uint64_t id = 0;
	bool same = false;
	enum err e = ERR_OK;

	if (!path.p)
		return ERR_NOMEM;
	if (library_playlist_by_path(sn, path, &row) == ERR_OK) {
		id = playlist_id(row);
		same = playlist_size(row) == entry->size &&
		       playlist_modified(row) == entry->mtime_ns;
	}
	if (!same)
		e = add_found(&s->playlists, path, id);
	free((char *)path.p);
	return e;
}

enum err playlists_note(struct scanner *s, const struct frame *f)
{
	const struct walk_entries *files = &s->listing.playlists;
	enum err e = add_place(&s->playlists, f->path, s->listing.nomedia);

	if (e != ERR_OK || files->n == 0)
		return e;
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(s->library);
	if (!sn)
		return ERR_NOMEM;
	for (size_t i = 0; i < files->n && e == ERR_OK; i++)
		if (!files->items[i].leave)
			e = note(s, sn, f, &files->items[i]);
	return e;
}

void playlists_note_all(struct scanner *s)
{
	s->playlists.everywhere = true;
}

uint64_t playlists_due_ms(const struct scanner *s)
{
	struct submit_totals t;

	if (!s->playlists.unsettled)
		return UINT64_MAX;
	submit_totals((struct submit *)&s->submit, &t); /* only locks */
	return t.stored_n != s->playlists.stored_n ? s->playlists.settle_due_ms : UINT64_MAX;
}

/* ---- what has gone --------------------------------------------------------------------------- */

/* A playlist whose file is not there any more; it may be found again under another name. */
struct gone {
	uint64_t id, size, device, inode;
	int64_t modified;
	bool moved;
};

struct gone_list {
	struct gone *items;
	size_t n, cap;
};

static const struct root *root_of(const struct scanner *s, struct span path)
{
	for (uint16_t i = 0; i < s->roots_n; i++)
		if (path_is_within(path, s->roots[i].path))
			return &s->roots[i];
	return NULL;
}

static bool is_looked_at(const struct playlists *p, struct span path, bool *out_hidden)
{
	bool looked_at = p->everywhere;

	*out_hidden = false;
	for (size_t i = 0; i < p->places_n; i++) {
		if (!path_is_within(path, p->places[i].path))
			continue;
		looked_at = true;
		*out_hidden |= p->places[i].hidden;
	}
	return looked_at;
}

/* Do the patterns leave out the file, or a directory on the way to it? */
static bool is_excluded(const struct scanner *s, const struct root *root, struct span path)
{
	size_t below = root->path.n + (root->path.n > 1);

	for (size_t n = below; s->exclude.n > 0 && n < path.n;) {
		n += span_find(span_skip(path, n), '/');
		if (patterns_match(&s->exclude, span_first(path, n), n - below, n < path.n))
			return true;
		n++;
	}
	return false;
}

/* 0, or why it cannot be looked at. */
static int stat_path(struct span path, struct stat *out)
{
	struct span copy = frame_join(path, SPAN(""));
	int why = !copy.p ? ENOMEM : fstatat(AT_FDCWD, copy.p, out, 0) == 0 ? 0 : errno;

	free((char *)copy.p);
	return why;
}

static bool is_missing(int why)
{
	return why == ENOENT || why == ENOTDIR || why == ELOOP;
}

/* Did the file lie on a file system that is not there now? What is missing is looked for upwards:
 * where it was, another file system shows, and the library has kept the media that lay there, or
 * knows of none. */
static bool was_mounted(struct scanner *s, const struct library_snap *sn, struct fb_table row)
{
	struct span missing = playlist_path(row), above = path_directory(missing);
	struct stat st;
	bool remote = false;
	uint64_t id;

	while (above.n > 1 && is_missing(stat_path(above, &st))) {
		missing = above;
		above = path_directory(above);
	}
	struct span copy = frame_join(above, SPAN(""));
	CLEANUP(fd_closep)
	int fd = copy.p ? open(copy.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK) : -1;
	free((char *)copy.p);
	if (fd < 0 || fstat(fd, &st) != 0)
		return true; /* nobody can say */
	if (filesystem_id(&s->filesystems, fd, st.st_dev, &remote) == playlist_device(row) ||
	    remote)
		return false;
	return library_directory_holds(sn, missing) ||
	       library_directory_find(sn, missing, &id) != ERR_OK;
}

/* A root that has been gone for longer than the grace period, so that its media are forgotten. */
static bool is_forgotten(const struct scanner *s, const struct library_snap *sn,
			 const struct root *root)
{
	uint64_t id;

	return root->gone && s->grace_s > 0 &&
	       library_directory_find(sn, root->path, &id) == ERR_OK &&
	       !library_directory_holds(sn, root->path);
}

static bool is_gone(struct scanner *s, const struct library_snap *sn, struct fb_table row,
		    bool hidden)
{
	struct span path = playlist_path(row);
	const struct root *root = root_of(s, path);
	struct stat st;

	if (!root)
		return true; /* no media root any more */
	if (root->away)
		return is_forgotten(s, sn, root);
	if (hidden || is_excluded(s, root, path))
		return true;
	int why = stat_path(path, &st);
	if (why == 0)
		return !S_ISREG(st.st_mode);
	return is_missing(why) && !was_mounted(s, sn, row);
}

static enum err add_gone(struct gone_list *list, struct fb_table row)
{
	void *items = list->items;
	enum err e = grow(&items, &list->cap, list->n, sizeof *list->items);

	list->items = items;
	if (e == ERR_OK)
		list->items[list->n++] = (struct gone){ .id = playlist_id(row),
							.size = playlist_size(row),
							.device = playlist_device(row),
							.inode = playlist_inode(row),
							.modified = playlist_modified(row) };
	return e;
}

static bool is_found(const struct playlists *p, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (p->found[i].id == id)
			return true;
	return false;
}

/* All playlists of files: those that have gone, and those that new files may have settled. */
static enum err look_at_stored(struct scanner *s, bool settle, struct gone_list *gone)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(s->library);
	struct playlists *p = &s->playlists;
	struct playlist_cursor c;
	struct fb_table row;
	size_t found_n = p->found_n;
	bool hidden;
	enum err e = ERR_OK;

	if (!sn)
		return ERR_NOMEM;
	p->unsettled = false;
	library_playlists(sn, 0, &c);
	while (e == ERR_OK && playlist_cursor_next(&c, &row)) {
		if (!library_playlist_follows_file(row))
			continue;
		p->unsettled |= playlist_unsettled(row);
		if (is_looked_at(p, playlist_path(row), &hidden) && is_gone(s, sn, row, hidden))
			e = add_gone(gone, row);
		else if (settle && playlist_unsettled(row) &&
			 !is_found(p, found_n, playlist_id(row)))
			e = add_found(p, playlist_path(row), playlist_id(row));
	}
	return e;
}

/* ---- the end of a round ---------------------------------------------------------------------- */

/* A new file that is an old one under another name: the same inode, size and time. */
static uint64_t take_moved(struct gone_list *gone, const struct playlist_seen *seen)
{
	for (size_t i = 0; i < gone->n; i++) {
		struct gone *g = &gone->items[i];

		if (g->moved || g->inode != seen->inode || g->device != seen->device ||
		    g->size != seen->size || g->modified != seen->modified)
			continue;
		g->moved = true;
		return g->id;
	}
	return 0;
}

static int compare_found(const void *a, const void *b)
{
	const struct found_playlist *x = a, *y = b;

	return span_cmp(x->path, y->path);
}

static enum err read_found(struct scanner *s, struct gone_list *gone)
{
	struct playlists *p = &s->playlists;
	enum err e = ERR_OK;

	if (p->found_n > 1)
		qsort(p->found, p->found_n, sizeof *p->found, compare_found);

	for (size_t i = 0; i < p->found_n && e == ERR_OK; i++) {
		struct found_playlist *f = &p->found[i];
		CLEANUP(fd_closep) int fd = -1;
		struct playlist_seen seen;

		if (i > 0 && span_eq(f->path, f[-1].path))
			continue; /* its directory was looked at twice */
		if (!playlist_open(s, f->path, &fd, &seen))
			continue;
		if (f->id == 0)
			f->id = take_moved(gone, &seen);
		e = playlist_import(s, f->path, f->id, fd, &seen);
		if (e == ERR_OK)
			e = scan_breathe(s);
	}
	for (size_t i = 0; i < gone->n && e == ERR_OK; i++)
		if (!gone->items[i].moved)
			e = playlist_forget(s, gone->items[i].id);
	return e == ERR_OK ? submit_barrier(&s->submit) : e;
}

static bool nothing_is_due(struct scanner *s, uint64_t now_ms)
{
	const struct playlists *p = &s->playlists;
	bool looked = p->everywhere || p->places_n > 0;

	if (p->found_n > 0)
		return false;
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(s->library);
	return !sn || library_playlists_n(sn) == 0 || (!looked && now_ms < playlists_due_ms(s));
}

/* New files may be what unsettled playlists lacked; but not too often, where they never are. */
static bool may_settle(const struct playlists *p, uint64_t stored_n, uint64_t now_ms)
{
	return stored_n != p->stored_n && (p->everywhere || now_ms >= p->settle_due_ms);
}

enum err playlists_finish(struct scanner *s)
{
	struct playlists *p = &s->playlists;
	struct gone_list gone = { 0 };
	struct submit_totals totals;
	uint64_t begin_ms = clock_now_ms();
	enum err e = ERR_OK;

	if (!nothing_is_due(s, begin_ms)) {
		submit_totals(&s->submit, &totals);
		bool settle = may_settle(p, totals.stored_n, begin_ms);
		e = look_at_stored(s, settle, &gone);
		if (e == ERR_OK)
			e = read_found(s, &gone);
		if (settle) {
			uint64_t end_ms = clock_now_ms();
			p->stored_n = totals.stored_n;
			p->settle_due_ms = end_ms + PLAYLIST_SETTLE_SHARE * (end_ms - begin_ms);
		}
	}
	free(gone.items);
	places_clear(p);
	found_clear(p);
	p->everywhere = false;
	return e;
}
