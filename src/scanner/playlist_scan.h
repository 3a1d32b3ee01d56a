/* SPDX-License-Identifier: MIT */
/* Playlist files of the roots, as playlists of the library. A walk, or a look at a directory, notes
 * those that are new or changed; they are read at the end of the round, when the files that they
 * name are stored. All of it belongs to the scanner's thread. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#define PLAYLIST_PLACES_MAX                                                                        \
	64 /* directories of a round; with more, all playlists are looked at                       \
	    */
#define PLAYLIST_SETTLE_SHARE                                                                      \
	20 /* what new files may give more entries is read again this many times as long as that   \
	    * took later */

struct frame;
struct scanner;

struct found_playlist {	  /* to be read */
	struct span path; /* heap */
	uint64_t id;	  /* 0: new */
};

struct playlists {
	struct found_playlist *found;
	size_t found_n, found_cap;
	/* Directories that were looked at: what the library has of them may have gone. Paths on the
	 * heap. Of hidden ones (.nomedia) all has. */
	struct place {
		struct span path;
		bool hidden;
	} * places;
	size_t places_n, places_cap;
	bool everywhere;
	bool unsettled;		/* some playlist is */
	uint64_t stored_n;	/* files, when the unsettled ones were last read */
	uint64_t settle_due_ms; /* not before */
};

void playlists_fini(struct scanner *s);
/** Note what s->listing has of the directory. O(its playlist files * log n). */
NODISCARD enum err playlists_note(struct scanner *s, const struct frame *f);
/** The whole library is being looked at. */
void playlists_note_all(struct scanner *s);
/** The end of a round, everything else is stored: read what was noted, remove what has gone. Costs
 * a look at each playlist of a file below the places noted. */
NODISCARD enum err playlists_finish(struct scanner *s);
/** When to call playlists_finish() though nothing was noted; UINT64_MAX: never. */
uint64_t playlists_due_ms(const struct scanner *s);
