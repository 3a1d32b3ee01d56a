/* SPDX-License-Identifier: MIT */
/* Items as objects: shared by listings and look-ups, so that both give the same bytes. */
#pragma once

#include "library/containers.h"

/** Kind, title and record, without any id. False where the record is of no kind that can be shown.
 */
bool item_describe(struct fb_table media, struct object *out);
/** An item in the container `where` (of a playlist: the entry there); at home (a directory) its id
 * is its own and it has no ref_id. `parent_id` is the container's id. False where the record is of
 * no kind that can be shown. */
bool item_object(const struct object_id *where, const char *parent_id, bool home,
		 struct fb_table media, struct object *out);
/** An item in its directory. `only_root`: single_root(). */
bool item_at_home(uint64_t only_root, struct fb_table media, struct object *out);
/** The container that a listing or a search is asked of.
 * Errors: ERR_NOTFOUND (no such object), ERR_INVALID (it is an item), ERR_CORRUPT. */
NODISCARD enum err container_named(const struct library_snap *snap, struct span container_id,
				   struct object_id *out_id, struct container *out);
