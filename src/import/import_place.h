/* SPDX-License-Identifier: MIT */
/* Where a foreign path lies here: in which media root, under which name the scanner would find it,
 * and what the disk says of it. */
#pragma once

#include "base/buf.h"
#include "base/filesystem.h"
#include "base/path.h"
#include "import/import.h"
#include "schema/media_fb.h"

struct import_places {
	struct span *roots; /* heap, as are their texts */
	size_t roots_n;
	struct filesystems filesystems;

	/* the directory looked at last: files come directory by directory */
	struct buf seen;      /* as the source names it */
	struct buf home;      /* as the scanner does */
	struct buf canonical; /* symbolic links resolved */
	int fd;		      /* -1: it is not to be had, because of: */
	enum import_skip why;
	dev_t device;
	uint64_t filesystem;

	/* the file at hand */
	struct buf path, canonical_path, art_path, subtitle_path;
	struct subtitle_in subtitle;
};

void import_places_init(struct import_places *p);
void import_places_fini(struct import_places *p);
/** A media root: absolute, symbolic links resolved. Those inside others are left out. ERR_NOMEM. */
NODISCARD enum err import_places_add(struct import_places *p, struct span root);

/** Fill in what the disk knows of the file->path that the source names: its place, size, time, kind
 * and type; art and subtitles stay where they lie beside it. False: it is not to be stored, *why
 * says why. One or two stats. Lifetime: until the next call. */
bool import_place_file(struct import_places *p, struct media_file_in *file,
		       enum import_skip *out_why);
/** Only the path, as the library would name it, whether there is such a file or not; empty where it
 * is no sound path. Lifetime: until the next call. */
struct span import_place_path(struct import_places *p, struct span path);
