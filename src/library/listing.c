/* SPDX-License-Identifier: MIT */
/* Paging: one routine for every container. */
#include <stdio.h>
#include <xxhash.h>

#include "library/objects.h"
#include "library/tables.h"
#include "schema/media_fb.h"

enum err library_list(const struct library_snap *snap, struct span container_id,
		      struct listing *out)
{
	const struct db_snap *sn = snap_db(snap);
	struct object_id id;
	struct container c;
	enum err e = container_named(snap, container_id, &id, &c);
	if (e != ERR_OK)
		return e;
	out->total = container_total(&c);
	out->update_id = container_update_id(sn, &c);
	out->damaged_n = 0;
	out->sn = sn;
	out->id = c.id;
	object_id_format(&c.id, out->container_id);
	out->segments_n = c.segments_n;
	memcpy(out->segments, c.segments, sizeof out->segments);
	listing_seek(out, 0);
	return ERR_OK;
}

/* ---- generations ----------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t v)
{
	return XXH3_64bits_withSeed(&v, sizeof v, hash);
}

/* Bookmarks may be shown with files; settings are no objects. */
static uint64_t tables_generation(const struct db_snap *sn)
{
	uint64_t g = 0;
	for (unsigned t = 0; t < TABLES_N; t++)
		if (t != TABLE_SETTING)
			g = mix(g, db_table_commit(sn, t));
	return g;
}

uint64_t library_generation(const struct library_snap *sn)
{
	return tables_generation(snap_db(sn));
}

/* A file that changes touches every group that it is or was in; what refers to files from another
 * table is not touched. */
static bool shows_its_own(const struct listing_segment *s)
{
	return !s->fixed && s->table == TABLE_MEDIA && s->child == ID_HOME;
}

uint64_t listing_generation(const struct listing *li, uint64_t offset, uint64_t n)
{
	uint64_t g = mix(0, db_table_commit(li->sn, TABLE_BOOKMARK)), begin = 0;
	uint64_t end = n < UINT64_MAX - offset ? offset + n : UINT64_MAX;
	for (unsigned i = 0; i < li->segments_n; i++) {
		const struct listing_segment *s = &li->segments[i];
		bool on_page = s->n > 0 && begin < end && begin + s->n > offset;
		g = mix(mix(g, s->n),
			(uint64_t)s->table << 40 | (uint64_t)s->index << 32 | s->group);
		if (!s->fixed)
			g = mix(g, db_group_commit(li->sn, s->table, s->index, s->group));
		if (on_page && !shows_its_own(s))
			g = mix(g, tables_generation(li->sn));
		begin += s->n;
	}
	return g;
}

/* ---- children -------------------------------------------------------------------------------- */

/* Some files of the directory are of another kind: the records have to be looked at. */
static bool is_mixed(const struct listing_segment *s)
{
	return s->media_kind && s->n != s->group_n;
}

/* A segment may show the first part of a group only, or one kind of media. A row that cannot be
 * read is of no kind. */
static const struct db_row *next_in_group(struct listing *li, const struct listing_segment *s)
{
	const struct db_row *r;
	if (!is_mixed(s))
		return li->child_at < s->n ? row_reader_next(&li->reader, s->n - li->child_at++)
					   : NULL;
	while ((r = row_reader_next(&li->reader, UINT64_MAX)))
		if (r->row.pos && media_file_kind(r->row) == s->media_kind)
			return r;
	return NULL;
}

/* At child `offset` of the segment at hand. */
static void open_segment(struct listing *li, uint64_t offset)
{
	const struct listing_segment *s = &li->segments[li->at];
	struct object_id id;
	li->child_at = offset;
	li->date_at = s->group;
	if (!s->fixed && !s->dates)
		row_reader_seek(&li->reader, li->sn, s->table, s->index, s->group,
				is_mixed(s) ? 0 : offset);
	for (; is_mixed(s) && offset > 0; offset--)
		if (!next_in_group(li, s))
			return;
	while (s->dates && offset-- > 0 && container_date_child(li->sn, s, &li->date_at, &id))
		;
}

void listing_seek(struct listing *li, uint64_t offset)
{
	for (li->at = 0; li->at < li->segments_n; li->at++) {
		const struct listing_segment *s = &li->segments[li->at];
		if (offset < s->n) {
			open_segment(li, offset);
			return;
		}
		offset -= s->n;
	}
}

static void next_segment(struct listing *li)
{
	if (++li->at < li->segments_n)
		open_segment(li, 0);
}

static enum err child_of_id(struct listing *li, const struct object_id *id, struct object *out)
{
	struct container c;
	enum err e = container_open(li->sn, id, &c);
	if (e == ERR_OK) {
		container_object(li->sn, &c, out);
		memcpy(out->parent_id, li->container_id, sizeof out->parent_id);
	}
	return e;
}

/* An item of a playlist: the entry leads to its file. */
static enum err entry_child(struct listing *li, uint64_t entry_id, struct fb_table entry,
			    struct object *out)
{
	struct fb_table media;
	struct object_id where = li->id;
	where.entry_id = (uint32_t)entry_id;
	enum err e = db_get(li->sn, TABLE_MEDIA, playlist_entry_media_id(entry), &media);
	if (e == ERR_OK && !item_object(&where, li->container_id, false, media, out))
		e = ERR_CORRUPT;
	return e;
}

static enum err indexed_child(struct listing *li, const struct listing_segment *s,
			      const struct db_row *r, struct object *out)
{
	struct container c;
	if (!r->row.pos)
		return ERR_CORRUPT;
	if (s->table == TABLE_PLAYLIST_ENTRY)
		return entry_child(li, r->id, r->row, out);
	if (s->child == ID_HOME) {
		bool home = s->index == MEDIA_DIR && !s->media_kind;
		return item_object(&li->id, li->container_id, home, r->row, out) ? ERR_OK
										 : ERR_CORRUPT;
	}
	enum err e = container_child(li->sn, &li->id, s->child, r->id, r->row, &c);
	if (e == ERR_OK) {
		container_object(li->sn, &c, out);
		memcpy(out->parent_id, li->container_id, sizeof out->parent_id);
	}
	return e;
}

bool listing_next(struct listing *li, struct object *out)
{
	while (li->at < li->segments_n) {
		const struct listing_segment *s = &li->segments[li->at];
		struct object_id child;
		const struct db_row *r;
		enum err e;
		if (s->fixed && li->child_at < s->n) {
			child = container_fixed_child(li->sn, &li->id, li->child_at++);
			e = child_of_id(li, &child, out);
		} else if (s->dates && container_date_child(li->sn, s, &li->date_at, &child)) {
			e = child_of_id(li, &child, out);
		} else if (!s->fixed && !s->dates && (r = next_in_group(li, s))) {
			e = indexed_child(li, s, r, out);
		} else {
			next_segment(li);
			continue;
		}
		if (e == ERR_OK)
			return true;
		li->damaged_n++; /* one bad record must not hide its neighbours */
	}
	return false;
}
