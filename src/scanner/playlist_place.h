/* SPDX-License-Identifier: MIT */
/* Which file an entry of a playlist file means. Pure: what there is, the caller tells, and that is
 * the library's own listing; nothing is ever opened for an entry.
 *
 * The bytes are tried as they are, then in the encodings they may be in, with the backslashes
 * of Windows as they are and as slashes, then without percent encoding. A path that can be none of
 * this machine (C:\Music\a\b.mp3, or absolute and outside all roots) means what its longest end
 * names below a root or a directory on the way from there to the playlist, where that is one file.
 * An entry that means nothing now keeps the likeliest path. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"
#include "base/text_encoding.h"

/* Looks for a whole playlist, one more for each PLAYLIST_LOOK_BYTES of a path; then nothing more is
 * found by its end. */
#define PLAYLIST_LOOKS_MAX 400000u
#define PLAYLIST_LOOK_BYTES 64u
#define PLAYLIST_PARTS_MAX 32u	 /* directories of a path that are taken from its end */
#define PLAYLIST_ANCHORS_MAX 64u /* places where an end may lie */

struct playlist_places {
	struct span directory; /* of the playlist; absolute */
	struct span anchors[PLAYLIST_ANCHORS_MAX];
	uint32_t anchors_n;
	const struct span *roots;
	size_t roots_n;
	enum text_encoding encoding; /* likeliest */
	bool (*is_there)(void *ctx, struct span path);
	void *ctx;
	uint32_t looks_n;
	/* The last end that was found: paths that begin like this lie below `anchor`. */
	struct span foreign, anchor;
	struct buf path; /* scratch */
};

/** For the playlists of one directory, which lies in one of the roots. Lifetime: borrows. */
void playlist_places_init(struct playlist_places *p, struct span directory,
			  const struct span *roots, size_t roots_n);
void playlist_places_fini(struct playlist_places *p);

struct playlist_place {
	struct span uri; /* absolute path or URL */
	bool found;
	bool unsettled; /* not found, and it may be another path that comes */
};
/** What `location` means. False: nothing that an entry could (too long, a playlist, ...).
 * Lifetime: the arena's. */
bool playlist_place_find(struct playlist_places *p, struct span location, struct arena *arena,
			 struct playlist_place *out);
