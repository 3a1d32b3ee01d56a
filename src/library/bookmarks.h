/* SPDX-License-Identifier: MIT */
/* Bookmarks: where to resume a file, and how often it was played. One for a file, by media id: a
 * file that is moved or changed keeps its bookmark; with the file's record it goes. */
#pragma once

#include "db/db.h"
#include "library/library.h"

#define BOOKMARK_CLIENT_MAX 255 /* bytes */

/** The Bookmark row of a file; ERR_NOTFOUND, ERR_CORRUPT. Lifetime: until the snapshot ends. */
NODISCARD enum err library_bookmark_get(const struct library_snap *sn, uint64_t media_id,
					struct fb_table *out);

/** Whether any file has one. */
bool library_bookmarks_any(const struct library_snap *sn);

enum bookmark_list {
	BOOKMARKS_PLAYED, /* that were played, the last played first */
	BOOKMARKS_RESUME  /* with a position to resume from, the last changed first */
};
/** Caller's memory; nothing to free. */
struct bookmark_cursor {
	struct db_cursor cursor;
};
uint64_t library_bookmarks_n(const struct library_snap *sn, enum bookmark_list list);
void library_bookmarks(const struct library_snap *sn, enum bookmark_list list, uint64_t offset,
		       struct bookmark_cursor *out);
/** The next Bookmark row; false at the end. */
bool bookmark_cursor_next(struct bookmark_cursor *c, struct fb_table *out);

struct bookmark_change {
	uint64_t media_id; /* or, where it is 0: */
	struct span path;  /* the file there, also one that this batch puts there */
	uint32_t position_ms;
	uint32_t played_n;   /* is added to the play count */
	int64_t last_played; /* seconds since 1970; 0: now if played_n, else as it was */
	struct span client;  /* may be empty */
};
/** Set the position, count plays. The last change of a file in a batch counts for the position, all
 * for the play count. out->err: ERR_NOTFOUND (no such file). Errors: ERR_INVALID, ERR_LIMIT (the
 * batch is full), ERR_NOMEM. */
NODISCARD enum err batch_bookmark_set(struct batch *b, const struct bookmark_change *change,
				      struct op_result *out);
/** Forget position and plays. out->err: ERR_NOTFOUND (there was none). */
NODISCARD enum err batch_bookmark_remove(struct batch *b, uint64_t media_id, struct op_result *out);
