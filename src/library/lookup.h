/* SPDX-License-Identifier: MIT */
/* Finding records by what they are called, in one snapshot of the store. */
#pragma once

#include "db/db.h"
#include "library/library.h"

struct library_snap; /* is a db_snap: the tables are fixed, so nothing else is needed */

static inline const struct db_snap *snap_db(const struct library_snap *sn)
{
	return (const struct db_snap *)sn;
}

/* All: ERR_NOTFOUND, also for what cannot be read because it is damaged. */
NODISCARD enum err directory_find(const struct db_snap *sn, struct span path, struct fb_table *out);
NODISCARD enum err term_find(const struct db_snap *sn, uint8_t kind, struct span name,
			     struct fb_table *out);
NODISCARD enum err album_find(const struct db_snap *sn, uint32_t artist_id, uint64_t directory_id,
			      struct span title, struct fb_table *out);
NODISCARD enum err media_find(const struct db_snap *sn, uint64_t directory_id, struct span filename,
			      struct fb_table *out);
NODISCARD enum err setting_find(const struct db_snap *sn, struct span name, struct fb_table *out);

/** The next row of the cursor's group that can be read; false at the end. */
bool row_next(struct db_cursor *c, struct fb_table *out);

/** Reads a group ahead of whoever takes its rows one by one. Caller's memory, nothing to free. */
struct row_reader {
	struct db_cursor cursor;
	size_t at, n, ahead_n;
	struct db_row rows[DB_ROWS_AT_ONCE];
};
/** At the entry with `offset` live ones before it. */
void row_reader_seek(struct row_reader *r, const struct db_snap *sn, unsigned table, unsigned index,
		     uint32_t group, uint64_t offset);
/** The next row, at most rows_max of which will be asked for; a view that is absent where it cannot
 * be read. NULL at the end. Lifetime: until the next call. */
const struct db_row *row_reader_next(struct row_reader *r, uint64_t rows_max);
