/* SPDX-License-Identifier: MIT */
/* One import under way: shared by import.c (items) and import_lists.c (playlists, bookmarks). */
#pragma once

#include "import/import.h"
#include "import/import_place.h"
#include "import/import_source.h"
#include "library/id_map.h"
#include "library/library.h"
#include "library/submit.h"

struct import_run {
	const struct import_options *options;
	struct span path; /* of the source, to be named in errors */
	struct sqlite_file *file;
	struct import_source *source;
	struct import_places places;
	struct library *library;   /* NULL: a dry run without one */
	struct library_snap *snap; /* what the library has; renewed by import_see() */
	struct submit submit;	   /* not in a dry run */
	struct import_report *report;
	struct id_map playlist_names; /* hash of a name: how many the source has had */
	uint64_t progress_due_ms;
};

/** See what the library has now. ERR_NOMEM. */
NODISCARD enum err import_see(struct import_run *r);
void import_progress(struct import_run *r);
/** Say why, and return `e`. */
enum err import_source_failed(struct import_run *r, enum err e, struct err_info *info);
enum err import_library_failed(enum err e, struct err_info *info);
