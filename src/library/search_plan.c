/* SPDX-License-Identifier: MIT */
/* What is below a container, and which indexes lead there by the shortest way. */
#include "library/search_priv.h"
#include "library/tables.h"
#include "library/text_query.h"
#include "schema/media_fb.h"

#define TREE_DEPTH_MAX 4096 /* a longer way up is a damaged table that goes round in circles */

/* ---- what is below the container ------------------------------------------------------------- */

static bool has_term(struct fb_table media, uint32_t term)
{
	uint32_t terms[MEDIA_TERMS_MAX];
	for (unsigned i = media_term_ids(media, terms); i > 0; i--)
		if (terms[i - 1] == term)
			return true;
	return false;
}

bool search_has_directory(struct search *s, uint64_t id)
{
	size_t slot = id % SEARCH_TREE_CACHE;
	if (id && s->tree[slot].directory == id)
		return s->tree[slot].below;
	struct fb_table row;
	uint64_t at = id;
	for (int depth = 0; at && at != s->scope_group && depth < TREE_DEPTH_MAX; depth++)
		at = db_get(s->sn, TABLE_DIRECTORY, at, &row) == ERR_OK ? directory_parent_id(row)
									: 0;
	s->tree[slot].directory = (uint32_t)id;
	s->tree[slot].below = at == s->scope_group;
	return s->tree[slot].below;
}

bool search_has_static(const struct search *s, enum static_number number)
{
	if (s->scope.container != ID_STATIC)
		return false;
	while (number != STATIC_ROOT) {
		number = static_parent(number);
		if (number == s->scope.number)
			return true;
	}
	return false;
}

static bool static_has_media(enum static_number number, struct fb_table media)
{
	switch (number) {
	case STATIC_ARTISTS:
		return media_file_artist_ids(media).n || media_file_album_artist_id(media);
	case STATIC_ALBUMS:
		return media_file_album_id(media);
	case STATIC_GENRES:
		return media_file_genre_ids(media).n;
	case STATIC_YEARS:
		return media_file_year_id(media);
	default:
		return true; /* by its kind alone, see kind_is_below() */
	}
}

bool search_has_media(struct search *s, struct fb_table media)
{
	switch (s->scope.container) {
	case ID_STATIC:
		return static_has_media(s->scope.number, media);
	case ID_DIRECTORY:
		return search_has_directory(s, media_file_directory_id(media));
	case ID_ALBUM:
	case ID_ARTIST_ALBUM:
		return media_file_album_id(media) == s->scope_group;
	default:
		return has_term(media, s->scope_group);
	}
}

static bool is_static(const struct search *s, enum static_number number)
{
	return s->scope.container == ID_STATIC && s->scope.number == number;
}

static bool is_everything(const struct search *s)
{
	return is_static(s, STATIC_ROOT) || is_static(s, STATIC_FOLDERS);
}

static bool kind_is_below(const struct search *s, enum object_kind kind)
{
	if (is_everything(s) || s->scope.container == ID_DIRECTORY)
		return true;
	if (is_static(s, STATIC_VIDEO) || is_static(s, STATIC_ALL_VIDEOS))
		return kind == OBJECT_VIDEO;
	if (is_static(s, STATIC_PICTURES) || is_static(s, STATIC_ALL_IMAGES))
		return kind == OBJECT_IMAGE;
	return kind == OBJECT_AUDIO;
}

/* ---- sources --------------------------------------------------------------------------------- */

static struct search_source *add_source(struct search *s, struct search_source source)
{
	ASSERT(s->sources_n < SEARCH_SOURCES_MAX);
	s->sources[s->sources_n] = source;
	return &s->sources[s->sources_n++];
}

/** Whether everything of a kind that is looked through is below the container: what is not has been
 * left out by kind_is_below(), or is told apart one by one. */
static bool is_certain(const struct search *s, enum id_kind child)
{
	switch (child) {
	case ID_HOME:
		return is_everything(s) || is_static(s, STATIC_MUSIC) ||
		       is_static(s, STATIC_ALL_MUSIC) || is_static(s, STATIC_VIDEO) ||
		       is_static(s, STATIC_ALL_VIDEOS) || is_static(s, STATIC_PICTURES) ||
		       is_static(s, STATIC_ALL_IMAGES);
	case ID_ALBUM:
		return !is_static(s, STATIC_ARTISTS);
	case ID_DIRECTORY:
		return is_everything(s);
	default:
		return true;
	}
}

/** Look into the text column instead, where it narrows the source down. */
static void use_text(struct search *s, struct search_source *from)
{
	int section = text_query_section(s->text, from->table, from->index, from->group);
	if (section < 0 || from->whole)
		return;
	from->kind = SEARCH_TEXT;
	from->section = (uint8_t)section;
	from->certain = is_certain(s, from->child);
}

static void add_group(struct search *s, uint8_t table, uint8_t index, uint32_t group,
		      enum id_kind child, bool whole)
{
	uint64_t n = db_count(s->sn, table, index, group);
	if (n)
		use_text(s, add_source(s, (struct search_source){ .kind = SEARCH_GROUP,
								  .table = table,
								  .index = index,
								  .child = child,
								  .group = group,
								  .n = n,
								  .whole = whole }));
}

static void add_fixed(struct search *s)
{
	if (s->query.containers[CONTAINER_PLAIN] || s->query.containers[CONTAINER_FOLDER])
		add_source(s, (struct search_source){ .kind = SEARCH_FIXED, .child = ID_STATIC });
}

static void add_terms(struct search *s, uint8_t term_kind, enum static_number where,
		      enum id_kind child, enum container_class class)
{
	enum search_verdict v = s->query.containers[class];
	if (v && (is_static(s, STATIC_ROOT) || is_static(s, STATIC_MUSIC) || is_static(s, where)))
		add_group(s, TABLE_TERM, TERM_NAME, term_kind, child, v == SEARCH_YES);
}

static void add_albums(struct search *s)
{
	enum search_verdict v = s->query.containers[CONTAINER_ALBUM];
	if (!v)
		return;
	if (s->scope.container == ID_ARTIST)
		add_group(s, TABLE_ALBUM, ALBUM_ARTIST, s->scope_group, ID_ALBUM, v == SEARCH_YES);
	else if (is_static(s, STATIC_ARTISTS)) /* only those of an artist */
		add_group(s, TABLE_ALBUM, ALBUM_ALL, 0, ID_ALBUM, false);
	else if (is_static(s, STATIC_ROOT) || is_static(s, STATIC_MUSIC) ||
		 is_static(s, STATIC_ALBUMS))
		add_group(s, TABLE_ALBUM, ALBUM_ALL, 0, ID_ALBUM, v == SEARCH_YES);
}

static void add_directories(struct search *s)
{
	if (s->query.containers[CONTAINER_FOLDER] &&
	    (is_everything(s) || s->scope.container == ID_DIRECTORY))
		use_text(s, add_source(s, (struct search_source){ .kind = SEARCH_ROWS,
								  .table = TABLE_DIRECTORY,
								  .child = ID_DIRECTORY }));
}

/* ---- audio: by name where one is asked for --------------------------------------------------- */

/** The groups of a media index that hold the files of one name. */
struct named {
	uint8_t index;
	unsigned groups_n;
	uint32_t groups[SEARCH_NAMES_MAX];
	uint64_t files_n; /* in them; UINT64_MAX: no way to look by this name */
};

/* Rows of a dictionary whose names sort like `name`: all that fold to the same are among them. */
static void find_named(struct search *s, uint8_t table, uint8_t name_index, uint32_t kind,
		       struct span name, struct named *out)
{
	uint8_t key[COLLATE_KEY_MAX], scratch[DB_KEY_BYTES_MAX];
	struct span want = span_of(key, library_collate_key(name, key)), have;
	struct db_cursor c;
	uint64_t id;
	out->groups_n = 0;
	out->files_n = UINT64_MAX;
	if (name.n == 0)
		return;
	uint64_t files_n = 0;
	db_seek_key(&c, s->sn, table, name_index, kind, want);
	while (db_next_key(&c, &id, &have, scratch) && span_eq(have, want)) {
		if (out->groups_n == SEARCH_NAMES_MAX)
			return;
		out->groups[out->groups_n++] = (uint32_t)id;
		files_n += db_count(s->sn, TABLE_MEDIA, out->index, (uint32_t)id);
	}
	out->files_n = files_n;
}

static void add_audio(struct search *s, bool whole)
{
	struct named ways[] = { { .index = MEDIA_ALBUM },
				{ .index = MEDIA_TERM },
				{ .index = MEDIA_TERM } };
	const struct named *best = &ways[0];
	find_named(s, TABLE_ALBUM, ALBUM_ALL, 0, s->query.album, &ways[0]);
	find_named(s, TABLE_TERM, TERM_NAME, TERM_KIND_ARTIST, s->query.artist, &ways[1]);
	find_named(s, TABLE_TERM, TERM_NAME, TERM_KIND_GENRE, s->query.genre, &ways[2]);
	for (size_t i = 1; i < ARRAY_LEN(ways); i++)
		if (ways[i].files_n < best->files_n)
			best = &ways[i];
	if (best->files_n == UINT64_MAX) {
		add_group(s, TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_AUDIO, ID_HOME, whole);
		return;
	}
	unsigned first = s->sources_n;
	for (unsigned i = 0; i < best->groups_n; i++) {
		add_group(s, TABLE_MEDIA, best->index, best->groups[i], ID_HOME, false);
		/* one file may have several artists; it has one album */
		if (best->index == MEDIA_TERM && s->sources_n > first + 1)
			s->sources[s->sources_n - 1].overlapping = true;
	}
}

static void add_items(struct search *s, enum object_kind kind, uint8_t media_kind)
{
	enum search_verdict v = s->query.items[kind];
	bool whole = v == SEARCH_YES && is_certain(s, ID_HOME);
	if (!v || !kind_is_below(s, kind))
		return;
	if (s->scope.container == ID_ALBUM || s->scope.container == ID_ARTIST_ALBUM)
		add_group(s, TABLE_MEDIA, MEDIA_ALBUM, s->scope_group, ID_HOME, v == SEARCH_YES);
	else if (s->scope.container != ID_STATIC && s->scope.container != ID_DIRECTORY)
		add_group(s, TABLE_MEDIA, MEDIA_TERM, s->scope_group, ID_HOME, v == SEARCH_YES);
	else if (kind == OBJECT_AUDIO)
		add_audio(s, whole);
	else
		add_group(s, TABLE_MEDIA, MEDIA_TITLE, media_kind, ID_HOME, whole);
}

void search_plan(struct search *s)
{
	s->sources_n = 0;
	add_fixed(s);
	add_terms(s, TERM_KIND_ARTIST, STATIC_ARTISTS, ID_ARTIST, CONTAINER_ARTIST);
	add_albums(s);
	add_terms(s, TERM_KIND_GENRE, STATIC_GENRES, ID_GENRE, CONTAINER_GENRE);
	add_terms(s, TERM_KIND_YEAR, STATIC_YEARS, ID_YEAR, CONTAINER_PLAIN);
	add_directories(s);
	add_items(s, OBJECT_AUDIO, MEDIA_KIND_AUDIO);
	add_items(s, OBJECT_VIDEO, MEDIA_KIND_VIDEO);
	add_items(s, OBJECT_IMAGE, MEDIA_KIND_IMAGE);
}
