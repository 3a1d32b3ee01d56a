/* SPDX-License-Identifier: MIT */
/* Record: what the disk shows of a file and what the probe found in it, as a record. Pure. */
#pragma once

#include "base/flatbuffer.h"
#include "base/span.h"
#include "library/sidecar.h"
#include "schema/media_fb.h"

#define RECORD_TEXT_MAX 1000 /* bytes of one tag; longer ones are cut between characters */
#define RECORD_LIST_MAX 32   /* artists, genres, tracks; more are left out */

/** What the disk shows. Absolute paths. */
struct record_seen {
	struct span path, canonical_path, name;
	uint64_t size, device, inode;
	int64_t mtime_ns;
	uint8_t media_class;	       /* by the name; OTHER where it has no extension */
	const struct media_type *type; /* by the name, or else by the first bytes; may be NULL */
	struct span art_path;
	struct subtitle_in subtitles[SIDECAR_SUBTITLES_MAX];
	uint32_t subtitles_n;
};

/** Lists that the record points to. */
struct record_lists {
	struct span artists[RECORD_LIST_MAX], genres[RECORD_LIST_MAX];
	struct stream_in tracks[RECORD_LIST_MAX];
};

/** Make the record. `status` is a ProbeStatus; where it is not Ok, `reply` may be absent, and the
 * record is made of the name. Lifetime: borrows from all of them. */
void record_make(const struct record_seen *seen, uint8_t status, struct fb_table reply,
		 struct record_lists *lists, struct media_file_in *out);

/** Make the record anew from the stored one of the same bytes: what the disk shows is new, the
 * facts stay. No need to probe where record_can_restate(). Lifetime: borrows from all of them. */
void record_restate(const struct record_seen *seen, struct fb_table row, struct record_lists *lists,
		    struct media_file_in *out);
/** Was the file never read, through no fault of its own? What was imported from another server was
 * not: a probe finds more. */
bool record_is_unexamined(struct fb_table row);
/** Did it crash or hang its examination? It is not examined again until it changes. */
bool record_is_quarantined(struct fb_table row);
/** Would a probe of the file under this name give the facts that `row` has? Not where the name was
 * their source, or where there was no probe. */
bool record_can_restate(struct fb_table row, struct span name);

/** Which side files belong to a file of this class by its name, and this kind by its content.
 * One rule for storing a record and for comparing it later. */
bool record_has_art(uint8_t media_class, uint8_t kind);
bool record_has_subtitles(uint8_t media_class, uint8_t kind);
