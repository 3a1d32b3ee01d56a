/* SPDX-License-Identifier: MIT */
/* Playlist files as they are written: M3U and M3U8, PLS, CUE. Pure: bytes in, entries out; nothing
 * is opened, and what an entry names is found by playlist_place.h.
 *
 * What is no playlist for salver: an M3U8 of HLS (its entries are pieces of one film), and a cue
 * sheet of a disc image (FILE ... BINARY).
 *
 * A cue sheet cuts files into tracks, but no DLNA client can be told to play a part of a file. So a
 * sheet is the playlist of the files it names, each once: with the track's title where the file is
 * one track, with the album's where it is several. The track list becomes the description. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "base/text_encoding.h"
#include "library/playlists.h"

#define PLAYLIST_FILE_MAX_BYTES (4u << 20)   /* larger files are not read */
#define PLAYLIST_LINE_MAX 16384		     /* bytes; longer lines are left out */
#define PLAYLIST_PARSE_MAX_BYTES (64u << 20) /* of memory for one file */

enum playlist_format {
	PLAYLIST_FORMAT_NONE,
	PLAYLIST_FORMAT_M3U, /* also .m3u8 */
	PLAYLIST_FORMAT_PLS,
	PLAYLIST_FORMAT_CUE
};

/** By the extension; case is ignored. */
enum playlist_format playlist_format_of(struct span name);

struct playlist_line {
	struct span location; /* as written, never empty, no NUL; UTF-8 only where the file is */
	struct span title;    /* UTF-8; may be empty */
	uint32_t duration_ms; /* 0: not said */
};

struct playlist_file {
	struct span name, description; /* UTF-8; may be empty */
	enum text_encoding encoding;   /* of the locations, as far as it can be told */
	struct playlist_line *lines;
	uint32_t lines_n;
	uint32_t left_out_n; /* too long, with a NUL, or more than PLAYLIST_ENTRIES_MAX */
	bool foreign;	     /* no playlist for salver; there are no lines */
};

/** Read a file. O(n log n). Lifetime: borrows from `bytes` and the arena.
 * Errors: ERR_NOMEM, ERR_LIMIT (of the arena). */
NODISCARD enum err playlist_file_parse(enum playlist_format format, struct span bytes,
				       struct arena *arena, struct playlist_file *out);
