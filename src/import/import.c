/* SPDX-License-Identifier: MIT */
/* From a source's streams into the library, by the same batches as a scan's. */
#include "import/import.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "import/import_lists.h"
#include "import/import_run.h"
#include "library/listing.h"
#include "schema/probe_fb.h"

/* ---- opening --------------------------------------------------------------------------------- */

static const struct import_source_ops *const kinds[] = {
	[IMPORT_MINIDLNA] = &minidlna_source, [IMPORT_VUIO] = &vuio_source
};

static enum err choose(struct import_run *r, const struct import_source_ops **out,
		       struct err_info *info)
{
	enum import_format asked = r->options->format;

	for (size_t i = IMPORT_ANY + 1; i < ARRAY_LEN(kinds); i++)
		if ((asked == IMPORT_ANY || asked == i) && kinds[i]->fits(r->file)) {
			*out = kinds[i];
			return ERR_OK;
		}
	return err_set(info, ERR_INVALID, 0, "%s is no database of %s", QUOTE(r->path),
		       asked == IMPORT_ANY ? "MiniDLNA or VuIO" : kinds[asked]->name);
}

static enum err add_library_roots(struct import_run *r)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(r->library);
	struct directory_cursor c;
	struct fb_table row;
	enum err e = sn ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK)
		library_directory_subdirs(sn, 0, &c);
	while (e == ERR_OK && directory_cursor_subdir(&c, &row))
		e = import_places_add(&r->places, directory_path(row));
	return e;
}

static enum err add_roots(struct import_run *r, struct err_info *info)
{
	const struct import_options *o = r->options;
	enum err e = ERR_OK;

	for (size_t i = 0; i < o->roots_n && e == ERR_OK; i++)
		e = import_places_add(&r->places, span_str(o->roots[i]));
	if (e == ERR_OK && o->roots_n == 0 && r->library)
		e = add_library_roots(r);
	if (e != ERR_OK)
		return err_set(info, e, 0, "cannot take the media roots: %s", err_name(e));
	if (r->places.roots_n == 0)
		return err_set(info, ERR_INVALID, 0,
			       "no media root is known: name the directories whose files are to be "
			       "served, or set media.roots in the configuration");
	return ERR_OK;
}

static enum err open_source(struct import_run *r, struct err_info *info)
{
	const struct import_source_ops *ops = NULL;
	enum err e = sqlite_file_open(r->options->file, &r->file, info);

	if (e == ERR_OK)
		e = choose(r, &ops, info);
	if (e == ERR_OK)
		e = add_roots(r, info);
	if (e != ERR_OK)
		return e;
	r->report->source = ops->name;
	r->report->version = ops->version(r->file, &r->report->version_known);
	e = import_source_open(ops, r->file, &r->source);
	return e == ERR_OK ? ERR_OK : import_source_failed(r, e, info);
}

/* ---- shared with import_lists.c -------------------------------------------------------------- */

enum err import_source_failed(struct import_run *r, enum err e, struct err_info *info)
{
	if (e == ERR_NOMEM)
		return err_set(info, e, 0, "out of memory");
	return err_set(info, e, 0, "%s cannot be read any further: %s", QUOTE(r->path),
		       sqlite_file_error(r->file));
}

enum err import_library_failed(enum err e, struct err_info *info)
{
	return err_set(info, e, 0, "the library could not store what was imported: %s",
		       err_name(e));
}

enum err import_see(struct import_run *r)
{
	library_snap_end(TAKE(r->snap));
	if (!r->library)
		return ERR_OK;
	r->snap = library_snap_begin(r->library);
	return r->snap ? ERR_OK : ERR_NOMEM;
}

void import_progress(struct import_run *r)
{
	uint64_t now_ms = clock_now_ms();

	if (!r->options->progress || now_ms < r->progress_due_ms)
		return;
	r->progress_due_ms = now_ms + IMPORT_PROGRESS_MS;
	r->options->progress(r->options->ctx, r->report);
}

/* ---- items ----------------------------------------------------------------------------------- */

#define LOOK_ITEMS 1000 /* between two looks at what the library has and how it fares */

static void skip(struct import_run *r, enum import_skip why, struct span path)
{
	char *example = r->report->example[why];

	if (r->report->skipped_n[why]++ == 0)
		snprintf(example, sizeof r->report->example[why], "%s", QUOTE(path));
}

/* Has a scan made the record that the library has of it? That knows more. */
static bool is_examined(struct import_run *r, struct span path)
{
	struct fb_table row;

	return r->snap && library_media_by_path(r->snap, path, &row) == ERR_OK &&
	       media_file_probe_error(row) != PROBE_STATUS_UNAVAILABLE;
}

static enum err put(struct import_run *r, struct span source_path, struct media_file_in *file)
{
	/* what the next scan takes for a file that was never read */
	file->probe_error = PROBE_STATUS_UNAVAILABLE;
	enum err e = r->options->dry_run ? ERR_OK : submit_put(&r->submit, file, 0);
	if (e == ERR_INVALID || e == ERR_LIMIT) {
		skip(r, IMPORT_FAILED, source_path);
		return ERR_OK;
	}
	r->report->stored_n += e == ERR_OK;
	return e;
}

static enum err import_item(struct import_run *r, struct media_file_in *file)
{
	struct span source_path = file->path;
	enum import_skip why;

	r->report->items_n++;
	if (!import_place_file(&r->places, file, &why)) {
		skip(r, why, source_path);
		return ERR_OK;
	}
	if (is_examined(r, file->path)) {
		r->report->known_n++;
		return ERR_OK;
	}
	return put(r, source_path, file);
}

static enum err import_roots(struct import_run *r)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < r->places.roots_n && e == ERR_OK; i++)
		e = submit_root(&r->submit, r->places.roots[i], SPAN(""));
	return e;
}

/* Wait until everything is stored, and count what was not. */
static enum err settle(struct import_run *r)
{
	struct submit_totals totals;
	enum err e = submit_barrier(&r->submit);

	if (e == ERR_OK)
		e = submit_take_failure(&r->submit);
	submit_totals(&r->submit, &totals);
	r->report->skipped_n[IMPORT_FAILED] += totals.failed_n;
	r->report->stored_n -= MIN(totals.failed_n, r->report->stored_n);
	return e;
}

static enum err import_items(struct import_run *r, struct err_info *info)
{
	struct media_file_in file;
	enum err e = r->options->dry_run ? ERR_OK : import_roots(r);

	for (uint64_t n = 0; e == ERR_OK; n++) {
		if (n % LOOK_ITEMS == 0)
			e = import_see(r);
		if (e == ERR_OK && n % LOOK_ITEMS == 0 && !r->options->dry_run)
			e = submit_take_failure(&r->submit);
		if (e != ERR_OK)
			break;
		e = import_next_item(r->source, &file);
		if (e == ERR_NOTFOUND)
			break;
		if (e != ERR_OK) {
			import_source_failed(r, e, info);
			(void)settle(r); /* what came is kept; this is the error to tell */
			return e;
		}
		e = import_item(r, &file);
		import_progress(r);
	}
	r->report->skipped_n[IMPORT_FAULTY] += r->source->items.oversized_n;
	r->report->items_n += r->source->items.oversized_n;
	if (e == ERR_NOTFOUND)
		e = r->options->dry_run ? ERR_OK : settle(r);
	return e == ERR_OK ? ERR_OK : import_library_failed(e, info);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void run_fini(struct import_run *r)
{
	submit_fini(&r->submit);
	id_map_fini(&r->playlist_names);
	library_snap_end(r->snap);
	import_source_close(r->source);
	sqlite_file_close(r->file);
	import_places_fini(&r->places);
}

enum err import_run(const struct import_options *options, struct import_report *out,
		    struct err_info *info)
{
	CLEANUP(run_fini)
	struct import_run r = { .options = options,
				.path = span_str(options->file),
				.library = options->library,
				.report = out,
				.submit = { .done_fd = -1 } };

	ASSERT(options->library || options->dry_run);
	*out = (struct import_report){ .source = "" };
	r.progress_due_ms = clock_now_ms() + IMPORT_PROGRESS_MS;
	import_places_init(&r.places);
	enum err e = open_source(&r, info);
	if (e == ERR_OK && !options->dry_run) {
		e = submit_init(&r.submit, r.library, -1);
		if (e != ERR_OK)
			(void)err_set(info, e, 0, "cannot begin: %s", err_name(e));
	}
	if (e == ERR_OK)
		e = import_items(&r, info);
	if (e == ERR_OK)
		e = import_playlists(&r, info);
	if (e == ERR_OK)
		e = import_bookmarks(&r, info);
	return e;
}
