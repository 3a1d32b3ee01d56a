/* SPDX-License-Identifier: MIT */
/* Playlists, a piece at a time, and bookmarks. */
#include "import/import_lists.h"

#include <stdio.h>
#include <stdlib.h>

#include "import/import_run.h"
#include "library/bookmarks.h"
#include "library/playlists.h"
#include "library/tables.h"

#define PIECE_ENTRIES 500		/* of a playlist, in one batch */
#define PIECE_TEXT_MAX_BYTES (4u << 20) /* of their texts: well below a batch's */
#define ENTRY_TITLE_MAX 1000
#define NAMES_MAX 65536u /* remembered, of playlists without a path */

/* What comes in several commits has a name that says so until the last of them: where a run is cut
 * short, people see it, and the next run makes the playlist anew. */
#define UNFINISHED " (import not finished)"

/* Entries read, not yet given to the library. */
struct piece {
	struct arena texts;
	struct playlist_ref refs[PIECE_ENTRIES];
	uint32_t n;
	bool last; /* the playlist has no more */
};

static void piece_free(struct piece **p)
{
	if (*p)
		arena_fini(&(*p)->texts);
	free(*p);
}

/* At most `max` bytes, whole characters. */
static struct span cut(struct span s, size_t max)
{
	size_t n = MIN(s.n, max);

	while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return span_first(s, n);
}

/* The same, copied: reading entries ends the loan of what their playlist says. */
static struct span keep(struct span s, char *to, size_t max)
{
	s = cut(s, max);
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	return span_of(to, s.n);
}

/* ---- entries --------------------------------------------------------------------------------- */

static enum err add_entry(struct import_run *r, struct piece *p, const struct import_entry *entry)
{
	struct span path = import_place_path(&r->places, entry->path);

	if (path.n == 0)
		return ERR_OK;
	struct playlist_ref ref = { .uri = arena_dup(&p->texts, path),
				    .title = arena_dup(&p->texts,
						       cut(entry->title, ENTRY_TITLE_MAX)),
				    .duration_ms = entry->duration_ms };
	if (!ref.uri.p || !ref.title.p)
		return ERR_NOMEM;
	p->refs[p->n++] = ref;
	return ERR_OK;
}

static enum err read_piece(struct import_run *r, struct piece *p, struct err_info *info)
{
	struct import_entry entry;
	enum err e = ERR_OK;

	arena_reset(&p->texts);
	p->n = 0;
	while (e == ERR_OK && p->n < PIECE_ENTRIES) {
		e = import_next_entry(r->source, &entry);
		p->last = e == ERR_NOTFOUND;
		if (p->last)
			return ERR_OK;
		if (e != ERR_OK)
			return import_source_failed(r, e, info);
		e = add_entry(r, p, &entry);
		import_progress(r);
	}
	return e == ERR_OK ? ERR_OK : import_library_failed(e, info);
}

/* ---- what is known --------------------------------------------------------------------------- */

static struct span unfinished_name(const struct playlist_new *list, char out[PLAYLIST_NAME_MAX + 1])
{
	struct span name = cut(list->name, PLAYLIST_NAME_MAX - (sizeof UNFINISHED - 1));
	int n = snprintf(out, PLAYLIST_NAME_MAX + 1, "%.*s" UNFINISHED, SPAN_ARG(name));

	return span_of(out, (size_t)n);
}

/* How many of this name the source has had so far, this one included. Of what is more than the
 * library may have playlists, nothing is remembered. */
static enum err count_name(struct id_map *names, struct span name, uint32_t *out_n)
{
	uint64_t hash = entry_uri_hash(name);
	uint32_t n = id_map_get(names, hash);

	*out_n = n == ID_MAP_NONE ? 1 : n + 1;
	if (n == ID_MAP_NONE && names->n >= NAMES_MAX)
		return ERR_OK;
	return id_map_set(names, hash, *out_n);
}

/* Whether the library has it: by its path; else by its name, as many times as the source has had
 * it. *out_unfinished: what a run that was cut short left of it; 0: nothing. */
static bool is_known(struct import_run *r, const struct playlist_new *list, uint32_t nth,
		     uint64_t *out_unfinished)
{
	char buffer[PLAYLIST_NAME_MAX + 1];
	struct span unfinished = unfinished_name(list, buffer);
	struct playlist_cursor c;
	struct fb_table row;
	uint32_t n = 0;

	*out_unfinished = 0;
	if (!r->snap)
		return false;
	if (list->path.n > 0) {
		if (library_playlist_by_path(r->snap, list->path, &row) != ERR_OK)
			return false;
		if (span_eq(playlist_name(row), unfinished))
			*out_unfinished = playlist_id(row);
		return *out_unfinished == 0;
	}
	library_playlists(r->snap, 0, &c);
	while (playlist_cursor_next(&c, &row)) {
		n += span_eq(playlist_name(row), list->name);
		if (span_eq(playlist_name(row), unfinished))
			*out_unfinished = playlist_id(row);
	}
	return n >= nth;
}

/* ---- playlists ------------------------------------------------------------------------------- */

/* Have a batch done that has one operation. `e`: what came of putting that in. */
static enum err submit_one(struct import_run *r, struct batch *b, enum err e,
			   const struct op_result *op)
{
	struct batch_result result;

	if (e != ERR_OK) {
		batch_free(b);
		return e;
	}
	e = library_submit_wait(r->library, b, &result);
	return e == ERR_OK ? op->err : e;
}

static enum err remove_unfinished(struct import_run *r, uint64_t id)
{
	struct op_result op = { 0 };
	struct batch *b = NULL;
	enum err e = batch_new(&b);

	if (e == ERR_OK)
		e = submit_one(r, b, batch_playlist_delete(b, id, &op), &op);
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* All of it is there: now it may have its name. */
static enum err finish(struct import_run *r, const struct playlist_new *list, uint64_t id)
{
	struct op_result op = { 0 };
	struct batch *b = NULL;
	enum err e = batch_new(&b);

	return e == ERR_OK
		       ? submit_one(r, b, batch_playlist_edit(b, id, &list->name, NULL, &op), &op)
		       : e;
}

/* One piece: *id is the playlist's; 0: it is to be made. ERR_LIMIT, ERR_INVALID: the library does
 * not want it. */
static enum err store_piece(struct import_run *r, const struct playlist_new *list,
			    const struct piece *p, uint64_t *id)
{
	char buffer[PLAYLIST_NAME_MAX + 1];
	struct op_result op = { 0 };
	struct playlist_new made = *list;
	struct batch *b = NULL;
	enum err e = batch_new(&b);

	if (e != ERR_OK)
		return e;
	made.entries = p->refs;
	made.entries_n = p->n;
	if (!p->last)
		made.name = unfinished_name(list, buffer);
	if (*id == 0)
		e = batch_playlist_create(b, &made, &op);
	else
		e = batch_playlist_add(b, *id, PLAYLIST_END, p->refs, p->n, &op);
	e = submit_one(r, b, e, &op);
	if (e == ERR_OK && *id == 0)
		*id = op.id;
	return e;
}

static enum err import_entries(struct import_run *r, const struct playlist_new *list,
			       struct piece *p, struct err_info *info)
{
	struct import_report *report = r->report;
	uint64_t id = 0;
	bool wanted = true, in_pieces = false;
	enum err e;

	do {
		e = read_piece(r, p, info);
		if (e != ERR_OK)
			return e;
		in_pieces |= !p->last;
		if (!wanted)
			continue;
		if (!r->options->dry_run && (p->n > 0 || id == 0))
			e = store_piece(r, list, p, &id);
		wanted = e == ERR_OK;
		report->playlist_entries_n += wanted ? p->n : 0;
		if (e == ERR_LIMIT || e == ERR_INVALID)
			report->playlists_failed_n++;
		else if (e != ERR_OK)
			return import_library_failed(e, info);
	} while (!p->last);
	report->playlists_n += wanted || id != 0;
	if (id && in_pieces)
		e = finish(r, list, id);
	return e == ERR_OK || e == ERR_LIMIT || e == ERR_INVALID ? ERR_OK
								 : import_library_failed(e, info);
}

static enum err import_playlist(struct import_run *r, const struct import_playlist *found,
				struct piece *p, struct err_info *info)
{
	char name[PLAYLIST_NAME_MAX], description[PLAYLIST_DESCRIPTION_MAX], path[PATH_MAX_BYTES];
	uint64_t unfinished = 0;
	uint32_t nth = 0;
	struct span file = import_place_path(&r->places, found->path);
	struct playlist_new list = {
		.name = keep(span_trim(found->name), name, sizeof name),
		.description = keep(found->description, description, sizeof description),
	};

	/* one outside the roots is nobody's to look after */
	if (r->places.fd >= 0)
		list.path = keep(file, path, sizeof path);
	if (list.name.n == 0) {
		r->report->playlists_failed_n++;
		return ERR_OK;
	}
	enum err e = list.path.n ? ERR_OK : count_name(&r->playlist_names, list.name, &nth);
	if (e == ERR_OK && is_known(r, &list, nth, &unfinished)) {
		r->report->playlists_known_n++;
		return ERR_OK;
	}
	if (e == ERR_OK && unfinished && !r->options->dry_run)
		e = remove_unfinished(r, unfinished);
	return e == ERR_OK ? import_entries(r, &list, p, info) : import_library_failed(e, info);
}

enum err import_playlists(struct import_run *r, struct err_info *info)
{
	CLEANUP(piece_free) struct piece *p = calloc(1, sizeof *p);
	struct import_playlist found;
	enum err e = p ? ERR_OK : ERR_NOMEM;

	if (e != ERR_OK)
		return import_library_failed(e, info);
	arena_init(&p->texts, PIECE_TEXT_MAX_BYTES);
	for (;;) {
		e = import_see(r);
		if (e != ERR_OK)
			return import_library_failed(e, info);
		e = import_next_playlist(r->source, &found);
		if (e == ERR_NOTFOUND)
			break;
		if (e != ERR_OK)
			return import_source_failed(r, e, info);
		e = import_playlist(r, &found, p, info);
		if (e != ERR_OK)
			return e;
		import_progress(r);
	}
	r->report->playlists_failed_n += r->source->playlists.oversized_n;
	return ERR_OK;
}

/* ---- bookmarks ------------------------------------------------------------------------------- */

/* Without a library, the file that would be stored must at least be there. */
static bool would_be_stored(struct import_run *r, struct span path)
{
	struct media_file_in file = { .path = path };
	enum import_skip why;

	return r->options->dry_run && import_place_file(&r->places, &file, &why);
}

static enum err import_bookmark(struct import_run *r, const struct import_bookmark *found)
{
	struct import_report *report = r->report;
	struct span path = import_place_path(&r->places, found->path);
	struct fb_table media, bookmark;
	bool stored = r->snap && library_media_by_path(r->snap, path, &media) == ERR_OK;

	if (found->position_ms == 0 && found->played_n == 0)
		return ERR_OK; /* says nothing */
	if (stored && library_bookmark_get(r->snap, media_file_id(media), &bookmark) == ERR_OK) {
		report->bookmarks_known_n++;
		return ERR_OK;
	}
	if (!stored && !would_be_stored(r, found->path)) {
		report->bookmarks_skipped_n++;
		return ERR_OK;
	}
	report->bookmarks_n++;
	if (r->options->dry_run)
		return ERR_OK;
	return submit_bookmark(&r->submit,
			       &(struct bookmark_change){ .media_id = media_file_id(media),
							  .position_ms = found->position_ms,
							  .played_n = found->played_n });
}

enum err import_bookmarks(struct import_run *r, struct err_info *info)
{
	struct import_bookmark found;
	enum err e = import_see(r);

	while (e == ERR_OK) {
		e = import_next_bookmark(r->source, &found);
		if (e == ERR_NOTFOUND)
			break;
		if (e != ERR_OK)
			return import_source_failed(r, e, info);
		e = import_bookmark(r, &found);
		import_progress(r);
	}
	r->report->bookmarks_skipped_n += r->source->bookmarks.oversized_n;
	if (e == ERR_NOTFOUND && r->options->dry_run)
		return ERR_OK;
	if (e == ERR_NOTFOUND)
		e = submit_barrier(&r->submit);
	if (e == ERR_OK)
		e = submit_take_failure(&r->submit);
	return e == ERR_OK ? ERR_OK : import_library_failed(e, info);
}
