/* SPDX-License-Identifier: MIT */
/* What `salver playlists` and `salver export` write, here or asked of a running server. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct buf;
struct library;

#define PLAYLIST_TEXT_MAX_BYTES (32u << 20) /* of one: 100,000 entries */

/** Append the list of all playlists, or ("ID DIRECTORY") that one as M3U8, with paths as seen from
 * the directory; then a last line, "done" or "failed: why". Threads: any. */
void playlist_text(struct library *library, struct span what, struct buf *out);
