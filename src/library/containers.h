/* SPDX-License-Identifier: MIT */
/* Containers: the fixed tree, and what the children of every kind of container are. */
#pragma once

#include "library/listing.h"
#include "library/lookup.h"
#include "library/object_id.h"

struct container {
	struct object_id id; /* without an item */
	uint64_t row_id;     /* its Directory, Term or Album; 0 for fixed ones */
	struct fb_table row;
	unsigned segments_n;
	struct listing_segment segments[LISTING_SEGMENTS_MAX];
};

/** A container by its id; id->media_id is not looked at. The only root's own id leads to "F".
 * Errors: ERR_NOTFOUND (unknown, or hidden because it is empty), ERR_CORRUPT. */
NODISCARD enum err container_open(const struct db_snap *sn, const struct object_id *id,
				  struct container *out);
/** The same from a row that an index led to. `artist_id`: of ID_ARTIST_ALBUM. */
NODISCARD enum err container_of_row(const struct db_snap *sn, enum id_kind kind, uint64_t row_id,
				    struct fb_table row, uint32_t artist_id, struct container *out);
/** Child k < n of a fixed segment of `parent`. */
struct object_id container_fixed_child(const struct db_snap *sn, const struct object_id *parent,
				       uint64_t k);
/** The next year or month that has pictures, from group *at on, which moves behind it; false: there
 * is none in the segment. */
bool container_date_child(const struct db_snap *sn, const struct listing_segment *s, uint32_t *at,
			  struct object_id *out);
/** The sub-container of `parent` that a row of its segment is. */
NODISCARD enum err container_child(const struct db_snap *sn, const struct object_id *parent,
				   enum id_kind child, uint64_t row_id, struct fb_table row,
				   struct container *out);
/** Whether the container shows the file as an item. */
bool container_has_media(const struct db_snap *sn, const struct container *c,
			 struct fb_table media);

uint64_t container_total(const struct container *c);
uint32_t container_update_id(const struct db_snap *sn, const struct container *c);

/** What a container is called: kind, class, title and artist alone, without reading anything else.
 * Needs c->id and c->row only. */
void container_describe(const struct container *c, struct object *out);
/** The object as its parent lists it; parent_id is the caller's to fill. */
void container_object(const struct db_snap *sn, const struct container *c, struct object *out);
/** Where the container stands. Of the root: "-1". */
void container_parent_id(const struct db_snap *sn, const struct container *c,
			 char out[LIBRARY_ID_MAX]);

/** Whether its parent lists it: some hide while they are empty. */
bool static_is_listed(const struct db_snap *sn, enum static_number number);
/** Of directories that show one kind of media, and of their tops: the MediaKind; else 0. */
uint8_t container_media_kind(const struct object_id *id);
/** Where a static container stands; STATIC_N: nowhere, it is the root. */
enum static_number static_parent(enum static_number number);
/** The one media root that has media, whose content stands directly in "F"; 0: none or several. */
uint64_t single_root(const struct db_snap *sn);
/** The same for directories of one kind of media: the one whose content stands in "AF" ("VF",
 * "IF").
 */
uint64_t single_kind_root(const struct db_snap *sn, enum id_kind kind);
