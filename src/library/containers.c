/* SPDX-License-Identifier: MIT */
/* The fixed tree as a table, and for each kind of container the groups that hold its children. */
#include <assert.h>
#include <stdio.h>

#include "base/num.h"
#include "library/containers.h"
#include "library/tables.h"
#include "schema/media_fb.h"

#define ART_ITEMS_MAX 32 /* of an album or a playlist, looked at for art */

#define NO_INDEX                                                                                   \
	{                                                                                          \
		.child = ID_STATIC                                                                 \
	}
#define INDEX(table_, index_, group_, child_)                                                      \
	{                                                                                          \
		.table = (table_), .index = (index_), .group = (group_), .child = (child_)         \
	}

/* Children of a container without an index are the entries that name it as parent, in this order.
 * Those that hide are not listed while they are empty. */
static const struct {
	const char *title;
	enum static_number parent;
	bool hides;
	struct listing_segment segment;
} tree[STATIC_N] = {
	[STATIC_ROOT] = { "Root", STATIC_N, false, NO_INDEX },
	[STATIC_MUSIC] = { "Music", STATIC_ROOT, false, NO_INDEX },
	[STATIC_ALL_MUSIC] = { "All Music", STATIC_MUSIC, false,
			       INDEX(TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_AUDIO, ID_HOME) },
	[STATIC_ARTISTS] = { "Artists", STATIC_MUSIC, false,
			     INDEX(TABLE_TERM, TERM_NAME, TERM_KIND_ARTIST, ID_ARTIST) },
	[STATIC_ALBUM_ARTISTS] = { "Album Artists", STATIC_MUSIC, true,
				   INDEX(TABLE_TERM, TERM_NAME, TERM_KIND_ALBUM_ARTIST,
					 ID_ALBUM_ARTIST) },
	[STATIC_ALBUMS] = { "Albums", STATIC_MUSIC, false,
			    INDEX(TABLE_ALBUM, ALBUM_ALL, 0, ID_ALBUM) },
	[STATIC_GENRES] = { "Genres", STATIC_MUSIC, false,
			    INDEX(TABLE_TERM, TERM_NAME, TERM_KIND_GENRE, ID_GENRE) },
	[STATIC_COMPOSERS] = { "Composers", STATIC_MUSIC, true,
			       INDEX(TABLE_TERM, TERM_NAME, TERM_KIND_COMPOSER, ID_COMPOSER) },
	[STATIC_YEARS] = { "Years", STATIC_MUSIC, false,
			   INDEX(TABLE_TERM, TERM_NAME, TERM_KIND_YEAR, ID_YEAR) },
	[STATIC_NEW_MUSIC] = { "Recently Added", STATIC_MUSIC, true,
			       INDEX(TABLE_MEDIA, MEDIA_WHEN, MEDIA_KIND_AUDIO, ID_HOME) },
	[STATIC_MUSIC_FOLDERS] = { "Folders", STATIC_MUSIC, true, NO_INDEX },
	[STATIC_VIDEO] = { "Video", STATIC_ROOT, false, NO_INDEX },
	[STATIC_ALL_VIDEOS] = { "All Videos", STATIC_VIDEO, false,
				INDEX(TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_VIDEO, ID_HOME) },
	[STATIC_NEW_VIDEOS] = { "Recently Added", STATIC_VIDEO, true,
				INDEX(TABLE_MEDIA, MEDIA_WHEN, MEDIA_KIND_VIDEO, ID_HOME) },
	[STATIC_VIDEO_FOLDERS] = { "Folders", STATIC_VIDEO, true, NO_INDEX },
	[STATIC_PICTURES] = { "Pictures", STATIC_ROOT, false, NO_INDEX },
	[STATIC_ALL_IMAGES] = { "All Pictures", STATIC_PICTURES, false,
				INDEX(TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_IMAGE, ID_HOME) },
	/* its segment is all months */
	[STATIC_DATES] = { "By Date", STATIC_PICTURES, true, NO_INDEX },
	[STATIC_NEW_IMAGES] = { "Recently Added", STATIC_PICTURES, true,
				INDEX(TABLE_MEDIA, MEDIA_WHEN, MEDIA_KIND_IMAGE, ID_HOME) },
	[STATIC_IMAGE_FOLDERS] = { "Folders", STATIC_PICTURES, true, NO_INDEX },
	[STATIC_PLAYLISTS] = { "Playlists", STATIC_ROOT, true,
			       INDEX(TABLE_PLAYLIST, PLAYLIST_NAME, 0, ID_PLAYLIST) },
	/* the segments of folders depend on the number of roots */
	[STATIC_FOLDERS] = { "Browse Folders", STATIC_ROOT, false, NO_INDEX },
};

/* The only row of an index of roots; 0: there are none or several. */
static uint64_t only_root(const struct db_snap *sn, unsigned index)
{
	struct db_cursor c;
	uint64_t id, other;
	if (db_count(sn, TABLE_DIRECTORY, index, 0) != 1)
		return 0;
	db_seek(&c, sn, TABLE_DIRECTORY, index, 0, 0);
	return db_next(&c, &id) && !db_next(&c, &other) ? id : 0;
}

uint64_t single_root(const struct db_snap *sn)
{
	return only_root(sn, DIRECTORY_SUB);
}

/* Directories that show one kind of media only, and where the tops of their trees stand. */
static const struct {
	enum id_kind kind;
	enum static_number top;
	uint8_t media_kind, index;
} kind_trees[] = {
	{ ID_AUDIO_DIRECTORY, STATIC_MUSIC_FOLDERS, MEDIA_KIND_AUDIO, DIRECTORY_AUDIO },
	{ ID_VIDEO_DIRECTORY, STATIC_VIDEO_FOLDERS, MEDIA_KIND_VIDEO, DIRECTORY_VIDEO },
	{ ID_IMAGE_DIRECTORY, STATIC_IMAGE_FOLDERS, MEDIA_KIND_IMAGE, DIRECTORY_IMAGE },
};
#define NO_TREE ARRAY_LEN(kind_trees)

static unsigned kind_tree(enum id_kind kind)
{
	unsigned t = 0;
	while (t < NO_TREE && kind_trees[t].kind != kind)
		t++;
	return t;
}

static unsigned kind_tree_at(const struct object_id *id)
{
	unsigned t = 0;
	while (t < NO_TREE &&
	       !(id->container == ID_STATIC && id->number == (uint32_t)kind_trees[t].top))
		t++;
	return t;
}

uint8_t container_media_kind(const struct object_id *id)
{
	unsigned t = MIN(kind_tree(id->container), kind_tree_at(id));
	return t < NO_TREE ? kind_trees[t].media_kind : 0;
}

uint64_t single_kind_root(const struct db_snap *sn, enum id_kind kind)
{
	unsigned t = kind_tree(kind);
	return t < NO_TREE ? only_root(sn, kind_trees[t].index) : 0;
}

enum static_number static_parent(enum static_number number)
{
	return tree[number].parent;
}

/* ---- segments -------------------------------------------------------------------------------- */

static void add_segments(const struct db_snap *sn, struct container *c);

static bool is_listed(const struct db_snap *sn, unsigned number, enum static_number parent)
{
	if (tree[number].parent != parent || !tree[number].hides)
		return tree[number].parent == parent;
	struct container c = { .id = object_id_static((enum static_number)number) };
	add_segments(sn, &c);
	return container_total(&c) > 0;
}

bool static_is_listed(const struct db_snap *sn, enum static_number number)
{
	return is_listed(sn, number, tree[number].parent);
}

static unsigned static_children_n(const struct db_snap *sn, enum static_number parent)
{
	unsigned n = 0;
	for (unsigned i = 0; i < STATIC_N; i++)
		n += is_listed(sn, i, parent);
	return n;
}

struct object_id container_fixed_child(const struct db_snap *sn, const struct object_id *parent,
				       uint64_t k)
{
	if (parent->container == ID_ARTIST)
		return object_id_container(ID_ARTIST_ALL, parent->number);
	unsigned i = 0;
	for (; i < STATIC_N - 1; i++)
		if (is_listed(sn, i, parent->number) && k-- == 0)
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
	if (s.table == TABLE_MEDIA && s.index == MEDIA_WHEN && s.group <= MEDIA_KIND_IMAGE)
		s.n = MIN(s.n, (uint64_t)LISTING_RECENT_MAX);
	c->segments[c->segments_n++] = s;
}

/* ---- dates ----------------------------------------------------------------------------------- */

bool container_date_child(const struct db_snap *sn, const struct listing_segment *s, uint32_t *at,
			  struct object_id *out)
{
	uint32_t group, year, month, from = *at;
	while (db_group_next(sn, TABLE_MEDIA, MEDIA_WHEN, from, &group) && group < s->group_end) {
		from = group + 1;
		if (db_count(sn, TABLE_MEDIA, MEDIA_WHEN, group) == 0)
			continue;
		month_of_group(group, &year, &month);
		bool years = s->child == ID_PHOTO_YEAR;
		*out = object_id_container(s->child, years ? year : year * 100 + month);
		*at = years ? month_group(year + 1, 0) : group + 1;
		return true;
	}
	return false;
}

static void add_dates(const struct db_snap *sn, struct container *c, uint32_t from_year,
		      uint32_t to_year, enum id_kind child)
{
	struct listing_segment s = { .dates = true,
				     .table = TABLE_MEDIA,
				     .index = MEDIA_WHEN,
				     .child = child,
				     .group = month_group(from_year, 0),
				     .group_end = month_group(to_year + 1, 0) };
	uint32_t at = s.group;
	struct object_id id;
	while (container_date_child(sn, &s, &at, &id))
		s.n++;
	c->segments[c->segments_n++] = s;
}

/* Years and months never change themselves: they stand for the pictures in them. */
static uint64_t dates_commit(const struct db_snap *sn, const struct listing_segment *s)
{
	uint64_t newest = 0;
	uint32_t group, from = s->group;
	while (db_group_next(sn, TABLE_MEDIA, MEDIA_WHEN, from, &group) && group < s->group_end) {
		newest = MAX(newest, db_group_commit(sn, TABLE_MEDIA, MEDIA_WHEN, group));
		from = group + 1;
	}
	return newest;
}

/* Titles of years: they are borrowed, so they have to be somewhere. */
static struct span year_title(uint32_t year)
{
#define YEARS_10(c) c "0" c "1" c "2" c "3" c "4" c "5" c "6" c "7" c "8" c "9"
#define YEARS_100(c)                                                                               \
	YEARS_10(c "0")                                                                            \
	YEARS_10(c "1")                                                                            \
	YEARS_10(c "2")                                                                            \
	YEARS_10(c "3")                                                                            \
	YEARS_10(c "4")                                                                            \
	YEARS_10(c "5") YEARS_10(c "6") YEARS_10(c "7") YEARS_10(c "8") YEARS_10(c "9")
	static const char years[] = YEARS_100("18") YEARS_100("19") YEARS_100("20") YEARS_100("21");
	static_assert(sizeof years == 4 * (MONTH_YEAR_MAX - MONTH_YEAR_MIN + 1) + 1, "each year");
	return span_of(years + (size_t)(year - MONTH_YEAR_MIN) * 4, 4);
}

static struct span month_title(uint32_t month)
{
	static const char *const months[] = { "January",   "February", "March",	   "April",
					      "May",	   "June",     "July",	   "August",
					      "September", "October",  "November", "December" };
	return span_str(months[month - 1]);
}

/* ---- what the children of each are ----------------------------------------------------------- */

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

/* Directory `id` (0: the roots) as it stands in tree t. */
static void add_kind_directory(const struct db_snap *sn, struct container *c, unsigned t,
			       uint64_t id)
{
	struct fb_table row;
	uint8_t kind = kind_trees[t].media_kind;
	add_index(sn, c,
		  (struct listing_segment)INDEX(TABLE_DIRECTORY, kind_trees[t].index, (uint32_t)id,
						kind_trees[t].kind));
	if (id == 0 || db_get(sn, TABLE_DIRECTORY, id, &row) != ERR_OK)
		return;
	add_index(sn, c,
		  (struct listing_segment)INDEX(TABLE_MEDIA, MEDIA_DIR, (uint32_t)id, ID_HOME));
	struct listing_segment *files = &c->segments[c->segments_n - 1];
	files->media_kind = kind;
	files->group_n = files->n;
	files->n = MIN(files->n, directory_files_of_kind(row, kind, files->n));
}

static void add_static(const struct db_snap *sn, struct container *c)
{
	unsigned t = kind_tree_at(&c->id);
	if (t < NO_TREE) {
		add_kind_directory(sn, c, t, only_root(sn, kind_trees[t].index));
		return;
	}
	if (c->id.number == STATIC_FOLDERS)
		add_directory(sn, c, single_root(sn));
	else if (c->id.number == STATIC_DATES)
		add_dates(sn, c, MONTH_YEAR_MIN, MONTH_YEAR_MAX, ID_PHOTO_YEAR);
	else if (tree[c->id.number].segment.child == ID_STATIC)
		add_fixed(c, static_children_n(sn, c->id.number));
	else
		add_index(sn, c, tree[c->id.number].segment);
}

static void add_month(const struct db_snap *sn, struct container *c)
{
	uint32_t group = month_group(c->id.number / 100, c->id.number % 100);
	add_index(sn, c, (struct listing_segment)INDEX(TABLE_MEDIA, MEDIA_WHEN, group, ID_HOME));
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
	case ID_ALBUM_ARTIST:
		add_index(sn, c,
			  (struct listing_segment)INDEX(TABLE_ALBUM, ALBUM_ARTIST, group,
							ID_ALBUM_ARTIST_ALBUM));
		break;
	case ID_ALBUM:
	case ID_ARTIST_ALBUM:
	case ID_ALBUM_ARTIST_ALBUM:
		add_index(sn, c,
			  (struct listing_segment)INDEX(TABLE_MEDIA, MEDIA_ALBUM, group, ID_HOME));
		break;
	case ID_AUDIO_DIRECTORY:
	case ID_VIDEO_DIRECTORY:
	case ID_IMAGE_DIRECTORY:
		add_kind_directory(sn, c, kind_tree(c->id.container), c->row_id);
		break;
	case ID_PHOTO_YEAR:
		add_dates(sn, c, c->id.number, c->id.number, ID_PHOTO_MONTH);
		break;
	case ID_PHOTO_MONTH:
		add_month(sn, c);
		break;
	case ID_PLAYLIST:
		add_index(sn, c,
			  (struct listing_segment)INDEX(TABLE_PLAYLIST_ENTRY, ENTRY_PRESENT, group,
							ID_HOME));
		break;
	case ID_ARTIST_ALL:
	case ID_GENRE:
	case ID_COMPOSER:
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
		[ID_ARTIST] = TERM_KIND_ARTIST,	      [ID_ARTIST_ALL] = TERM_KIND_ARTIST,
		[ID_GENRE] = TERM_KIND_GENRE,	      [ID_YEAR] = TERM_KIND_YEAR,
		[ID_ALBUM_ARTIST] = TERM_KIND_ARTIST, [ID_COMPOSER] = TERM_KIND_COMPOSER,
	};
	bool ok = term_live(row) && term_kind(row) == kinds[kind];
	return ok && (kind != ID_ALBUM_ARTIST || term_albums(row)) ? ERR_OK : ERR_NOTFOUND;
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
	case ID_ALBUM_ARTIST_ALBUM:
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
	case ID_PLAYLIST:
		break;
	case ID_AUDIO_DIRECTORY:
	case ID_VIDEO_DIRECTORY:
	case ID_IMAGE_DIRECTORY:
		e = directory_live(row) && directory_kinds(row) & 1u << kind_tree(kind)
			    ? ERR_OK
			    : ERR_NOTFOUND;
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

enum err container_child(const struct db_snap *sn, const struct object_id *parent,
			 enum id_kind child, uint64_t row_id, struct fb_table row,
			 struct container *out)
{
	bool of_artist = child == ID_ARTIST_ALBUM || child == ID_ALBUM_ARTIST_ALBUM;
	return container_of_row(sn, child, row_id, row, of_artist ? parent->number : 0, out);
}

/* A container that is no row: fixed ones, and dates, which are there while they have pictures. */
static enum err open_rowless(const struct db_snap *sn, const struct object_id *id,
			     struct container *out)
{
	struct container c = { .id = object_id_container(id->container, id->number) };
	uint32_t year = id->container == ID_PHOTO_MONTH ? id->number / 100 : id->number;
	uint32_t month = id->container == ID_PHOTO_MONTH ? id->number % 100 : 1;
	bool dated = id->container != ID_STATIC;
	if (dated && (year < MONTH_YEAR_MIN || year > MONTH_YEAR_MAX || month < 1 || month > 12))
		return ERR_NOTFOUND;
	add_segments(sn, &c);
	if (dated && container_total(&c) == 0)
		return ERR_NOTFOUND;
	*out = c;
	return ERR_OK;
}

static unsigned table_of(enum id_kind kind)
{
	switch (kind) {
	case ID_DIRECTORY:
	case ID_AUDIO_DIRECTORY:
	case ID_VIDEO_DIRECTORY:
	case ID_IMAGE_DIRECTORY:
		return TABLE_DIRECTORY;
	case ID_ALBUM:
	case ID_ARTIST_ALBUM:
	case ID_ALBUM_ARTIST_ALBUM:
		return TABLE_ALBUM;
	case ID_PLAYLIST:
		return TABLE_PLAYLIST;
	default:
		return TABLE_TERM;
	}
}

enum err container_open(const struct db_snap *sn, const struct object_id *id, struct container *out)
{
	struct fb_table row;
	unsigned t = kind_tree(id->container);
	struct object_id folders =
		object_id_static(t < NO_TREE ? kind_trees[t].top : STATIC_FOLDERS);
	if (id->container == ID_YEAR)
		return open_year(sn, id->number, out);
	if (id->container == ID_STATIC || id->container == ID_PHOTO_YEAR ||
	    id->container == ID_PHOTO_MONTH)
		return open_rowless(sn, id, out);
	uint64_t only = id->container == ID_DIRECTORY ? single_root(sn)
						      : single_kind_root(sn, id->container);
	if (only && id->number == only)
		return open_rowless(sn, &folders, out);
	enum err e = db_get(sn, table_of(id->container), id->number, &row);
	return e == ERR_OK
		       ? container_of_row(sn, id->container, id->number, row, id->artist_id, out)
		       : e;
}

/* ---- what a container shows ------------------------------------------------------------------ */

static bool has_term(struct fb_table media, uint32_t term)
{
	uint32_t terms[MEDIA_TERMS_MAX];
	for (unsigned i = media_term_ids(media, terms); i > 0; i--)
		if (terms[i - 1] == term)
			return true;
	return false;
}

/* What was added last and is within the window. */
static bool is_recent(const struct db_snap *sn, const struct listing_segment *s,
		      struct fb_table media)
{
	struct db_cursor c;
	uint64_t id;
	if (media_file_kind(media) != s->group)
		return false;
	db_seek(&c, sn, TABLE_MEDIA, MEDIA_WHEN, s->group, 0);
	while (db_next(&c, &id) && db_cursor_offset(&c) <= s->n)
		if (id == media_file_id(media))
			return true;
	return false;
}

static bool is_of_month(const struct listing_segment *s, struct fb_table media)
{
	uint32_t group, second;
	return media_file_kind(media) == MEDIA_KIND_IMAGE &&
	       image_month(media_file_date_taken(media), media_file_modified(media), &group,
			   &second) &&
	       group == s->group;
}

static bool segment_has(const struct db_snap *sn, const struct listing_segment *s,
			struct fb_table media)
{
	if (s->fixed || s->dates || s->table != TABLE_MEDIA)
		return false;
	switch (s->index) {
	case MEDIA_DIR:
		return media_file_directory_id(media) == s->group &&
		       (s->media_kind == 0 || media_file_kind(media) == s->media_kind);
	case MEDIA_TITLE:
		return media_file_kind(media) == s->group;
	case MEDIA_ALBUM:
		return media_file_album_id(media) == s->group;
	case MEDIA_TERM:
		return has_term(media, s->group);
	case MEDIA_WHEN:
		return s->group <= MEDIA_KIND_IMAGE ? is_recent(sn, s, media)
						    : is_of_month(s, media);
	default:
		return false;
	}
}

bool container_has_media(const struct db_snap *sn, const struct container *c, struct fb_table media)
{
	for (unsigned i = 0; i < c->segments_n; i++)
		if (segment_has(sn, &c->segments[i], media))
			return true;
	return false;
}

/* ---- as an object ---------------------------------------------------------------------------- */

uint64_t container_total(const struct container *c)
{
	uint64_t total = 0;
	for (unsigned i = 0; i < c->segments_n; i++)
		total += c->segments[i].n;
	return total;
}

/* Whether a top of folders shows the roots or the content of one follows from the roots: its
 * UpdateID never goes back when that changes. */
static uint64_t roots_commit(const struct db_snap *sn, const struct object_id *id)
{
	unsigned t = kind_tree_at(id);
	if (t < NO_TREE)
		return db_group_commit(sn, TABLE_DIRECTORY, kind_trees[t].index, 0);
	return id->container == ID_STATIC && id->number == STATIC_FOLDERS
		       ? db_group_commit(sn, TABLE_DIRECTORY, DIRECTORY_SUB, 0)
		       : 0;
}

static uint64_t segments_commit(const struct db_snap *sn, const struct container *c)
{
	uint64_t newest = roots_commit(sn, &c->id);
	for (unsigned i = 0; i < c->segments_n; i++) {
		const struct listing_segment *s = &c->segments[i];
		uint64_t commit = s->fixed   ? 0
				  : s->dates ? dates_commit(sn, s)
					     : db_group_commit(sn, s->table, s->index, s->group);
		newest = MAX(newest, commit);
	}
	return newest;
}

/* A fixed child is always the same: it counts as changed when its own children change, so that a
 * client which polls "Music" sees that there is something new in "Artists". Also one that is hidden
 * now, because it was not before. */
static uint64_t fixed_commit(const struct db_snap *sn, const struct container *c)
{
	struct container child = { .id = object_id_container(ID_ARTIST_ALL, c->id.number),
				   .row_id = c->row_id };
	uint64_t newest = 0;
	if (c->id.container == ID_ARTIST) {
		add_segments(sn, &child);
		return segments_commit(sn, &child);
	}
	for (unsigned i = 0; i < STATIC_N; i++) {
		if (tree[i].parent != c->id.number)
			continue;
		child.id = object_id_static((enum static_number)i);
		add_segments(sn, &child);
		newest = MAX(newest, segments_commit(sn, &child));
	}
	return newest;
}

uint32_t container_update_id(const struct db_snap *sn, const struct container *c)
{
	if (c->id.container == ID_STATIC && c->id.number == STATIC_ROOT)
		return (uint32_t)db_snap_commit(sn);
	uint64_t newest = segments_commit(sn, c);
	if (c->segments_n && c->segments[0].fixed)
		newest = MAX(newest, fixed_commit(sn, c));
	return (uint32_t)newest;
}

static bool has_art(struct fb_table media)
{
	return media_file_art_embedded(media) || media_file_art_path(media).n;
}

/* The first of the items that has a picture; 0 where none of the first ones has. */
static uint64_t items_art(const struct db_snap *sn, const struct listing_segment *s)
{
	struct db_cursor c;
	uint64_t id;
	struct fb_table row;
	db_seek(&c, sn, s->table, s->index, s->group, 0);
	for (unsigned i = 0; i < ART_ITEMS_MAX && db_next(&c, &id); i++) {
		enum err e = db_get(sn, s->table, id, &row);
		if (e == ERR_OK && s->table == TABLE_PLAYLIST_ENTRY) {
			id = playlist_entry_media_id(row);
			e = db_get(sn, TABLE_MEDIA, id, &row);
		}
		if (e == ERR_OK && has_art(row))
			return id;
	}
	return 0;
}

void container_describe(const struct container *c, struct object *out)
{
	out->kind = OBJECT_CONTAINER;
	switch (c->id.container) {
	case ID_STATIC:
		out->title = span_str(tree[c->id.number].title);
		out->container_class =
			c->id.number == STATIC_FOLDERS || kind_tree_at(&c->id) < NO_TREE
				? CONTAINER_FOLDER
				: CONTAINER_PLAIN;
		break;
	case ID_DIRECTORY:
	case ID_AUDIO_DIRECTORY:
	case ID_VIDEO_DIRECTORY:
	case ID_IMAGE_DIRECTORY:
		out->title = directory_name(c->row);
		out->container_class = CONTAINER_FOLDER;
		break;
	case ID_ARTIST_ALL:
		out->title = SPAN("All Tracks");
		out->container_class = CONTAINER_PLAIN;
		break;
	case ID_ARTIST:
	case ID_ALBUM_ARTIST:
		out->title = term_name(c->row);
		out->container_class = CONTAINER_ARTIST;
		break;
	case ID_PHOTO_YEAR:
		out->title = year_title(c->id.number);
		out->container_class = CONTAINER_PLAIN;
		break;
	case ID_PHOTO_MONTH:
		out->title = month_title(c->id.number % 100);
		out->container_class = CONTAINER_PLAIN;
		break;
	case ID_PLAYLIST:
		out->title = playlist_name(c->row);
		out->container_class = CONTAINER_PLAYLIST;
		break;
	case ID_ALBUM:
	case ID_ARTIST_ALBUM:
	case ID_ALBUM_ARTIST_ALBUM:
		out->title = album_title(c->row);
		out->container_class = CONTAINER_ALBUM;
		out->artist = album_artist(c->row);
		break;
	case ID_GENRE:
		out->title = term_name(c->row);
		out->container_class = CONTAINER_GENRE;
		break;
	case ID_YEAR:
	case ID_COMPOSER:
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
	if (out->container_class == CONTAINER_ALBUM || out->container_class == CONTAINER_PLAYLIST)
		out->art_media_id = items_art(sn, &c->segments[0]);
}

void container_parent_id(const struct db_snap *sn, const struct container *c,
			 char out[LIBRARY_ID_MAX])
{
	struct object_id parent = object_id_static(STATIC_FOLDERS);
	unsigned t = kind_tree(c->id.container);
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
	case ID_AUDIO_DIRECTORY:
	case ID_VIDEO_DIRECTORY:
	case ID_IMAGE_DIRECTORY:
		up = directory_parent_id(c->row);
		parent = up && up != single_kind_root(sn, c->id.container)
				 ? object_id_container(c->id.container, (uint32_t)up)
				 : object_id_static(kind_trees[t].top);
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
	case ID_ALBUM_ARTIST:
		parent = object_id_static(STATIC_ALBUM_ARTISTS);
		break;
	case ID_ALBUM_ARTIST_ALBUM:
		parent = object_id_container(ID_ALBUM_ARTIST, c->id.artist_id);
		break;
	case ID_COMPOSER:
		parent = object_id_static(STATIC_COMPOSERS);
		break;
	case ID_PHOTO_YEAR:
		parent = object_id_static(STATIC_DATES);
		break;
	case ID_PHOTO_MONTH:
		parent = object_id_container(ID_PHOTO_YEAR, c->id.number / 100);
		break;
	case ID_PLAYLIST:
		parent = object_id_static(STATIC_PLAYLISTS);
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
