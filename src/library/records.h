/* SPDX-License-Identifier: MIT */
/* Many records at a time: all of them as a stream, some by their paths, and those whose files have
 * gone. */
#pragma once

#include "library/library.h"

/** All files in order of their ids, in bounded memory. Caller's memory; nothing to free. */
struct media_cursor {
	const struct library_snap *sn;
	uint64_t next;	    /* the least id that has not been looked at */
	uint64_t damaged_n; /* skipped so far because their records cannot be read */
};
/** From the first id >= `from` on: what was interrupted goes on with another snapshot. */
void library_media_all(const struct library_snap *sn, uint64_t from, struct media_cursor *out);
/** The next MediaFile; false at the end. Lifetime: until the snapshot ends. */
bool media_cursor_next(struct media_cursor *c, struct fb_table *out);

/** Files by their paths: out[i] has pos 0 where there is none at paths[i]. Returns how many there
 * are. O(n log files). Lifetime: until the snapshot ends. */
size_t library_media_by_paths(const struct library_snap *sn, const struct span *paths, size_t n,
			      struct fb_table *out);

struct cleanup_result {
	uint64_t looked_at_n, removed_n;
};
/** Remove the records of files in and below `root` that `is_gone` says have gone, by the removals
 * of ordinary batches, which is what a scan does too; playlists keep their entries. Bounded memory:
 * records are streamed, a batch is stored before the next is gathered, and no snapshot is held
 * meanwhile. Whether all of a tree has gone, or a disk is only not mounted, is for `is_gone` to
 * know. Waits for the disk: never on an HTTP thread.
 * Errors: those of library_submit_wait(); ERR_INVALID (no path). *out tells how far it came. */
NODISCARD enum err library_cleanup_missing(struct library *lib, struct span root,
					   bool (*is_gone)(void *ctx, struct fb_table media),
					   void *ctx, struct cleanup_result *out);
