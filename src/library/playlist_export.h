/* SPDX-License-Identifier: MIT */
/* A playlist as a playlist file: extended M3U in UTF-8, or PLS. */
#pragma once

#include "base/buf.h"
#include "library/playlists.h"

enum playlist_export_kind { PLAYLIST_EXPORT_M3U8, PLAYLIST_EXPORT_PLS };

/** Append where players find the entry: one line. False leaves the entry out. */
typedef bool playlist_place_writer(void *ctx, const struct playlist_item *item, struct buf *out);

/** Append the whole file. O(entries). Errors: ERR_NOTFOUND; ERR_LIMIT, ERR_NOMEM of *out. */
NODISCARD enum err playlist_export(const struct library_snap *sn, uint64_t playlist_id,
				   enum playlist_export_kind kind, playlist_place_writer *place,
				   void *ctx, struct buf *out);

/** The path as seen from `directory`, both absolute; a path that is no line of a playlist file
 * (with a line break, blanks at an end, or not in UTF-8) as a file: URL. */
void playlist_export_path(struct span directory, struct span path, struct buf *out);
/** Is it a URL of something elsewhere (a radio station), no file? */
bool playlist_export_is_url(struct span uri);
