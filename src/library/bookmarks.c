/* SPDX-License-Identifier: MIT */
/* Reading bookmarks. */
#include "library/bookmarks.h"
#include "library/lookup.h"
#include "library/tables.h"

enum err library_bookmark_get(const struct library_snap *sn, uint64_t media_id,
			      struct fb_table *out)
{
	return db_get(snap_db(sn), TABLE_BOOKMARK, media_id, out);
}

bool library_bookmarks_any(const struct library_snap *sn)
{
	return db_rows(snap_db(sn), TABLE_BOOKMARK) > 0;
}

uint64_t library_bookmarks_n(const struct library_snap *sn, enum bookmark_list list)
{
	return db_count(snap_db(sn), TABLE_BOOKMARK, BOOKMARK_LIST, list);
}

void library_bookmarks(const struct library_snap *sn, enum bookmark_list list, uint64_t offset,
		       struct bookmark_cursor *out)
{
	db_seek(&out->cursor, snap_db(sn), TABLE_BOOKMARK, BOOKMARK_LIST, list, offset);
}

bool bookmark_cursor_next(struct bookmark_cursor *c, struct fb_table *out)
{
	return row_next(&c->cursor, out);
}
