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
