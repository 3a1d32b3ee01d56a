/* SPDX-License-Identifier: MIT */
/* The fixed tree as a table, and for each kind of container the groups that hold its children. */
#include <stdio.h>

#include "base/num.h"
#include "library/containers.h"
#include "library/tables.h"
#include "schema/media_fb.h"

#define ALBUM_ART_TRACKS_MAX 32 /* of an album, looked at for art */

#define NO_INDEX                                                                                   \
	{                                                                                          \
		.child = ID_STATIC                                                                 \
	}
#define INDEX(table_, index_, group_, child_)                                                      \
	{                                                                                          \
		.table = (table_), .index = (index_), .group = (group_), .child = (child_)         \
	}

/* Children of a container without an index are the entries that name it as parent, in this order.
 */
static const struct {
	const char *title;
	enum static_number parent;
	struct listing_segment segment;
} tree[STATIC_N] = {
	[STATIC_ROOT] = { "Root", STATIC_N, NO_INDEX },
	[STATIC_MUSIC] = { "Music", STATIC_ROOT, NO_INDEX },
	[STATIC_ALL_MUSIC] = { "All Music", STATIC_MUSIC,
			       INDEX(TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_AUDIO, ID_HOME) },
	[STATIC_ARTISTS] = { "Artists", STATIC_MUSIC,
			     INDEX(TABLE_TERM, TERM_NAME, TERM_KIND_ARTIST, ID_ARTIST) },
	[STATIC_ALBUMS] = { "Albums", STATIC_MUSIC, INDEX(TABLE_ALBUM, ALBUM_ALL, 0, ID_ALBUM) },
	[STATIC_GENRES] = { "Genres", STATIC_MUSIC,
			    INDEX(TABLE_TERM, TERM_NAME, TERM_KIND_GENRE, ID_GENRE) },
	[STATIC_YEARS] = { "Years", STATIC_MUSIC,
			   INDEX(TABLE_TERM, TERM_NAME, TERM_KIND_YEAR, ID_YEAR) },
	[STATIC_VIDEO] = { "Video", STATIC_ROOT, NO_INDEX },
	[STATIC_ALL_VIDEOS] = { "All Videos", STATIC_VIDEO,
				INDEX(TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_VIDEO, ID_HOME) },
	[STATIC_PICTURES] = { "Pictures", STATIC_ROOT, NO_INDEX },
	[STATIC_ALL_IMAGES] = { "All Pictures", STATIC_PICTURES,
				INDEX(TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_IMAGE, ID_HOME) },
	/* its segments depend on the number of roots */
	[STATIC_FOLDERS] = { "Browse Folders", STATIC_ROOT, NO_INDEX },
};

uint64_t single_root(const struct db_snap *sn)
{
	struct db_cursor c;
	uint64_t id, other;
	if (db_count(sn, TABLE_DIRECTORY, DIRECTORY_SUB, 0) != 1)
		return 0;
	db_seek(&c, sn, TABLE_DIRECTORY, DIRECTORY_SUB, 0, 0);
	return db_next(&c, &id) && !db_next(&c, &other) ? id : 0;
}

enum static_number static_parent(enum static_number number)
{
	return tree[number].parent;
}

/* ---- segments -------------------------------------------------------------------------------- */

static unsigned static_children_n(enum static_number parent)
{
	unsigned n = 0;
	for (unsigned i = 0; i < STATIC_N; i++)
		n += tree[i].parent == parent;
	return n;
}

struct object_id container_fixed_child(const struct object_id *parent, uint64_t k)
{
	if (parent->container == ID_ARTIST)
		return object_id_container(ID_ARTIST_ALL, parent->number);
	unsigned i = 0;
	for (; i < STATIC_N; i++)
		if (tree[i].parent == parent->number && k-- == 0)
			break;
	return object_id_static((enum static_number)i);
}

static void add_fixed(struct container *c, uint64_t n)
{
	c->segments[c->segments_n++] = (struct listing_segment){ .fixed = true, .n = n };
}

static void add_index(const struct db_snap *sn, struct container *c, struct listing_segment s)
{
	ASSERT(c->segments_n < LISTING_SEGMENTS_MAX);
	s.n = db_count(sn, s.table, s.index, s.group);
	c->segments[c->segments_n++] = s;
}

static void add_directory(const struct db_snap *sn, struct container *c, uint64_t id)
{
	add_index(sn, c,
		  (struct listing_segment)INDEX(TABLE_DIRECTORY, DIRECTORY_SUB, (uint32_t)id,
						ID_DIRECTORY));
	if (id)
		add_index(sn, c,
			  (struct listing_segment)INDEX(TABLE_MEDIA, MEDIA_DIR, (uint32_t)id,
							ID_HOME));
}

static void add_static(const struct db_snap *sn, struct container *c)
{
	if (c->id.number == STATIC_FOLDERS)
		add_directory(sn, c, single_root(sn));
	else if (tree[c->id.number].segment.child == ID_STATIC)
		add_fixed(c, static_children_n(c->id.number));
	else
		add_index(sn, c, tree[c->id.number].segment);
}

static void add_segments(const struct db_snap *sn, struct container *c)
{
	uint32_t group = (uint32_t)c->row_id;
	c->segments_n = 0;
	switch (c->id.container) {
	case ID_STATIC:
		add_static(sn, c);
		break;
	case ID_DIRECTORY:
		add_directory(sn, c, c->row_id);
		break;
	case ID_ARTIST:
		add_fixed(c, 1);
		add_index(sn, c,
			  (struct listing_segment)INDEX(TABLE_ALBUM, ALBUM_ARTIST, group,
							ID_ARTIST_ALBUM));
		break;
	case ID_ALBUM:
	case ID_ARTIST_ALBUM:
		add_index(sn, c,
			  (struct listing_segment)INDEX(TABLE_MEDIA, MEDIA_ALBUM, group, ID_HOME));
		break;
	case ID_ARTIST_ALL:
	case ID_GENRE:
	case ID_YEAR:
		add_index(sn, c,
			  (struct listing_segment)INDEX(TABLE_MEDIA, MEDIA_TERM, group, ID_HOME));
		break;
	case ID_HOME:
		break;
	}
}

/* ---- opening --------------------------------------------------------------------------------- */

static enum err check_term(struct fb_table row, enum id_kind kind)
{
	static const uint8_t kinds[] = {
		[ID_ARTIST] = TERM_KIND_ARTIST,
		[ID_ARTIST_ALL] = TERM_KIND_ARTIST,
		[ID_GENRE] = TERM_KIND_GENRE,
		[ID_YEAR] = TERM_KIND_YEAR,
	};
	return term_live(row) && term_kind(row) == kinds[kind] ? ERR_OK : ERR_NOTFOUND;
}

enum err container_of_row(const struct db_snap *sn, enum id_kind kind, uint64_t row_id,
			  struct fb_table row, uint32_t artist_id, struct container *out)
{
	struct container c = { .row_id = row_id, .row = row };
	c.id = object_id_container(kind, (uint32_t)row_id);
	enum err e = ERR_OK;
	uint64_t year = 0;
	switch (kind) {
	case ID_DIRECTORY:
		e = directory_live(row) ? ERR_OK : ERR_NOTFOUND;
		break;
	case ID_ARTIST_ALBUM:
		c.id.artist_id = artist_id;
		e = artist_id && album_artist_id(row) == artist_id ? ERR_OK : ERR_NOTFOUND;
		if (e == ERR_OK && !album_live(row))
			e = ERR_NOTFOUND;
		break;
	case ID_ALBUM:
		e = album_live(row) ? ERR_OK : ERR_NOTFOUND;
		break;
	case ID_YEAR:
		e = num_parse_u64(term_name(row), 1, UINT16_MAX, &year);
		c.id.number = (uint32_t)year;
		if (e != ERR_OK)
			return ERR_CORRUPT;
		e = check_term(row, kind);
		break;
	default:
		e = check_term(row, kind);
		break;
	}
	if (e != ERR_OK)
		return e;
	add_segments(sn, &c);
	*out = c;
	return ERR_OK;
}

static enum err open_year(const struct db_snap *sn, uint32_t year, struct container *out)
{
	char name[8];
	int n = snprintf(name, sizeof name, "%u", year);
	struct fb_table row;
	enum err e = term_find(sn, TERM_KIND_YEAR, span_of(name, (size_t)n), &row);
	return e == ERR_OK ? container_of_row(sn, ID_YEAR, term_id(row), row, 0, out) : e;
}

enum err container_open(const struct db_snap *sn, const struct object_id *id, struct container *out)
{
	struct fb_table row;
	unsigned table = TABLE_TERM;
	if (id->container == ID_YEAR)
		return open_year(sn, id->number, out);
	if (id->container == ID_DIRECTORY)
		table = TABLE_DIRECTORY;
	else if (id->container == ID_ALBUM || id->container == ID_ARTIST_ALBUM)
		table = TABLE_ALBUM;

	bool only_root = id->container == ID_DIRECTORY && id->number == single_root(sn);
	if (id->container == ID_STATIC || only_root) {
		struct container c = { .id = object_id_static(only_root ? STATIC_FOLDERS
									: id->number) };
		add_segments(sn, &c);
		*out = c;
		return ERR_OK;
	}
	enum err e = db_get(sn, table, id->number, &row);
	return e == ERR_OK
		       ? container_of_row(sn, id->container, id->number, row, id->artist_id, out)
		       : e;
}

/* ---- as an object ---------------------------------------------------------------------------- */

uint64_t container_total(const struct container *c)
{
	uint64_t total = 0;
	for (unsigned i = 0; i < c->segments_n; i++)
		total += c->segments[i].n;
	return total;
}

/* A fixed child never comes or goes: it counts as changed when its own children change, so that a
 * client which polls "Music" sees that there is something new in "Artists". */
static uint64_t fixed_commit(const struct db_snap *sn, const struct container *c)
{
	uint64_t newest = 0;
	for (uint64_t k = 0; k < c->segments[0].n; k++) {
		struct container child = { .id = container_fixed_child(&c->id, k),
					   .row_id = c->row_id };
		add_segments(sn, &child);
		for (unsigned i = 0; i < child.segments_n; i++) {
			const struct listing_segment *s = &child.segments[i];
			newest = MAX(newest, db_group_commit(sn, s->table, s->index, s->group));
		}
	}
	return newest;
}

uint32_t container_update_id(const struct db_snap *sn, const struct container *c)
{
	if (c->id.container == ID_STATIC && c->id.number == STATIC_ROOT)
		return (uint32_t)db_snap_commit(sn);
	uint64_t newest = 0;
	if (c->id.container == ID_STATIC && c->id.number == STATIC_FOLDERS)
		/* whether it shows the roots or the content of one; never goes back */
		newest = db_group_commit(sn, TABLE_DIRECTORY, DIRECTORY_SUB, 0);
	for (unsigned i = 0; i < c->segments_n; i++) {
		const struct listing_segment *s = &c->segments[i];
		uint64_t commit = s->fixed ? fixed_commit(sn, c)
					   : db_group_commit(sn, s->table, s->index, s->group);
		newest = MAX(newest, commit);
	}
	return (uint32_t)newest;
}

/* The first track that has a picture; 0 where none of the first ones has. */
static uint64_t album_art(const struct db_snap *sn, uint64_t album_id)
{
	struct db_cursor c;
	uint64_t id;
	struct fb_table media;
	db_seek(&c, sn, TABLE_MEDIA, MEDIA_ALBUM, (uint32_t)album_id, 0);
	for (unsigned i = 0; i < ALBUM_ART_TRACKS_MAX && db_next(&c, &id); i++)
		if (db_get(sn, TABLE_MEDIA, id, &media) == ERR_OK &&
		    (media_file_art_embedded(media) || media_file_art_path(media).n))
			return id;
	return 0;
}

void container_describe(const struct container *c, struct object *out)
{
	out->kind = OBJECT_CONTAINER;
	switch (c->id.container) {
	case ID_STATIC:
		out->title = span_str(tree[c->id.number].title);
		out->container_class =
			c->id.number == STATIC_FOLDERS ? CONTAINER_FOLDER : CONTAINER_PLAIN;
		break;
	case ID_DIRECTORY:
		out->title = directory_name(c->row);
		out->container_class = CONTAINER_FOLDER;
		break;
	case ID_ARTIST_ALL:
		out->title = SPAN("All Tracks");
		out->container_class = CONTAINER_PLAIN;
		break;
	case ID_ARTIST:
		out->title = term_name(c->row);
		out->container_class = CONTAINER_ARTIST;
		break;
	case ID_ALBUM:
	case ID_ARTIST_ALBUM:
		out->title = album_title(c->row);
		out->container_class = CONTAINER_ALBUM;
		out->artist = album_artist(c->row);
		break;
	case ID_GENRE:
		out->title = term_name(c->row);
		out->container_class = CONTAINER_GENRE;
		break;
	case ID_YEAR:
	case ID_HOME:
		out->title = term_name(c->row);
		out->container_class = CONTAINER_PLAIN;
		break;
	}
}

void container_object(const struct db_snap *sn, const struct container *c, struct object *out)
{
	*out = (struct object){ .kind = OBJECT_CONTAINER };
	object_id_format(&c->id, out->id);
	out->child_count = (uint32_t)MIN(container_total(c), (uint64_t)UINT32_MAX);
	out->update_id = container_update_id(sn, c);
	container_describe(c, out);
	if (out->container_class == CONTAINER_ALBUM)
		out->art_media_id = album_art(sn, c->row_id);
}

void container_parent_id(const struct db_snap *sn, const struct container *c,
			 char out[LIBRARY_ID_MAX])
{
	struct object_id parent = object_id_static(STATIC_FOLDERS);
	uint64_t up;
	switch (c->id.container) {
	case ID_STATIC:
		if (c->id.number == STATIC_ROOT) {
			memcpy(out, "-1", sizeof "-1");
			return;
		}
		parent = object_id_static(tree[c->id.number].parent);
		break;
	case ID_DIRECTORY:
		up = directory_parent_id(c->row);
		if (up && up != single_root(sn))
			parent = object_id_container(ID_DIRECTORY, (uint32_t)up);
		break;
	case ID_ARTIST:
		parent = object_id_static(STATIC_ARTISTS);
		break;
	case ID_ARTIST_ALL:
		parent = object_id_container(ID_ARTIST, c->id.number);
		break;
	case ID_ARTIST_ALBUM:
		parent = object_id_container(ID_ARTIST, c->id.artist_id);
		break;
	case ID_ALBUM:
		parent = object_id_static(STATIC_ALBUMS);
		break;
	case ID_GENRE:
		parent = object_id_static(STATIC_GENRES);
		break;
	case ID_YEAR:
		parent = object_id_static(STATIC_YEARS);
		break;
	case ID_HOME:
		break;
	}
	object_id_format(&parent, out);
}
