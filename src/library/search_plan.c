/* SPDX-License-Identifier: MIT */
/* What is below a container, and which indexes lead there by the shortest way. */
#include "library/search_priv.h"
#include "library/containers.h"
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
	bool listed = true;
	while (number != STATIC_ROOT && listed) {
		listed = static_is_listed(s->sn, number);
		number = static_parent(number);
		if (number == s->scope.number)
			return listed;
	}
	return false;
}

static bool is_recent(const struct search *s, struct fb_table media)
{
	int64_t created_s = media_file_created_at(media);
	return created_s > s->recent_s ||
	       (created_s == s->recent_s && media_file_id(media) <= s->recent_id);
}

/* Whether a picture is listed by date, below the month or year searched. */
static bool is_dated(const struct search *s, struct fb_table media)
{
	uint32_t group, second, year, month;
	if (!image_month(media_file_date_taken(media), media_file_modified(media), &group, &second))
		return false;
	month_of_group(group, &year, &month);
	return s->scope.container == ID_STATIC ||
	       s->scope.number == (s->scope.container == ID_PHOTO_YEAR ? year : year * 100 + month);
}

static bool album_is_by(const struct search *s, struct fb_table media, uint32_t artist)
{
	struct fb_table album;
	if (db_get(s->sn, TABLE_ALBUM, media_file_album_id(media), &album) != ERR_OK)
		return false;
	return artist ? album_artist_id(album) == artist : album_artist_id(album) != 0;
}

static bool is_in_playlist(const struct search *s, struct fb_table media)
{
	struct db_cursor c;
	struct fb_table entry;
	db_seek(&c, s->sn, TABLE_PLAYLIST_ENTRY, ENTRY_MEDIA, (uint32_t)media_file_id(media), 0);
	while (row_next(&c, &entry))
		if (s->scope.container == ID_STATIC ||
		    playlist_entry_playlist_id(entry) == s->scope_group)
			return true;
	return false;
}

static bool static_has_media(const struct search *s, struct fb_table media)
{
	switch (s->scope.number) {
	case STATIC_ARTISTS:
		return media_file_artist_ids(media).n || media_file_album_artist_id(media);
	case STATIC_ALBUM_ARTISTS:
		return album_is_by(s, media, 0);
	case STATIC_ALBUMS:
		return media_file_album_id(media);
	case STATIC_GENRES:
		return media_file_genre_ids(media).n;
	case STATIC_COMPOSERS:
		return media_file_composer_id(media);
	case STATIC_YEARS:
		return media_file_year_id(media);
	case STATIC_NEW_MUSIC:
	case STATIC_NEW_VIDEOS:
	case STATIC_NEW_IMAGES:
		return is_recent(s, media);
	case STATIC_DATES:
		return is_dated(s, media);
	case STATIC_PLAYLISTS:
		return is_in_playlist(s, media);
	default:
		return true; /* by its kind alone, see kind_is_below() */
	}
}

bool search_has_media(struct search *s, struct fb_table media)
{
	switch (s->scope.container) {
	case ID_STATIC:
		return static_has_media(s, media);
	case ID_DIRECTORY:
	case ID_AUDIO_DIRECTORY:
	case ID_VIDEO_DIRECTORY:
	case ID_IMAGE_DIRECTORY:
		return search_has_directory(s, media_file_directory_id(media));
	case ID_ALBUM:
	case ID_ARTIST_ALBUM:
	case ID_ALBUM_ARTIST_ALBUM:
		return media_file_album_id(media) == s->scope_group;
	case ID_ALBUM_ARTIST:
		return album_is_by(s, media, s->scope_group);
	case ID_PHOTO_YEAR:
	case ID_PHOTO_MONTH:
		return is_dated(s, media);
	case ID_PLAYLIST:
		return is_in_playlist(s, media);
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

/* Directories, whole or of one kind of media. */
static bool is_directory(const struct search *s)
{
	return s->scope.container == ID_DIRECTORY ||
	       (s->scope.container != ID_STATIC && container_media_kind(&s->scope));
}

static bool kind_is_below(const struct search *s, enum object_kind kind)
{
	static const uint8_t kinds[STATIC_N] = {
		[STATIC_VIDEO] = OBJECT_VIDEO,	    [STATIC_ALL_VIDEOS] = OBJECT_VIDEO,
		[STATIC_NEW_VIDEOS] = OBJECT_VIDEO, [STATIC_VIDEO_FOLDERS] = OBJECT_VIDEO,
		[STATIC_PICTURES] = OBJECT_IMAGE,   [STATIC_ALL_IMAGES] = OBJECT_IMAGE,
		[STATIC_NEW_IMAGES] = OBJECT_IMAGE, [STATIC_IMAGE_FOLDERS] = OBJECT_IMAGE,
		[STATIC_DATES] = OBJECT_IMAGE,
	};
	if (is_everything(s) || is_static(s, STATIC_PLAYLISTS) ||
	    s->scope.container == ID_DIRECTORY || s->scope.container == ID_PLAYLIST)
		return true;
	if (s->scope.container == ID_STATIC)
		return kind == (kinds[s->scope.number] ? kinds[s->scope.number] : OBJECT_AUDIO);
	if (s->scope.container == ID_PHOTO_YEAR || s->scope.container == ID_PHOTO_MONTH)
		return kind == OBJECT_IMAGE;
	uint8_t media_kind = container_media_kind(&s->scope);
	return kind == (media_kind == MEDIA_KIND_VIDEO	 ? OBJECT_VIDEO
			: media_kind == MEDIA_KIND_IMAGE ? OBJECT_IMAGE
							 : OBJECT_AUDIO);
}

void search_scope(struct search *s)
{
	static const struct {
		enum static_number number;
		uint8_t media_kind;
		enum id_kind directories;
	} tops[] = {
		{ STATIC_MUSIC, MEDIA_KIND_AUDIO, ID_AUDIO_DIRECTORY },
		{ STATIC_VIDEO, MEDIA_KIND_VIDEO, ID_VIDEO_DIRECTORY },
		{ STATIC_PICTURES, MEDIA_KIND_IMAGE, ID_IMAGE_DIRECTORY },
	};
	s->media_kind = container_media_kind(&s->scope);
	s->single_kind_root = 0;
	for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
		if (is_static(s, tops[i].number))
			s->media_kind = tops[i].media_kind;
		if (s->media_kind == tops[i].media_kind)
			s->single_kind_root = single_kind_root(s->sn, tops[i].directories);
	}
	uint8_t kind = is_static(s, STATIC_NEW_MUSIC)	 ? MEDIA_KIND_AUDIO
		       : is_static(s, STATIC_NEW_VIDEOS) ? MEDIA_KIND_VIDEO
							 : MEDIA_KIND_IMAGE;
	struct db_cursor c;
	struct fb_table media;
	uint64_t n = db_count(s->sn, TABLE_MEDIA, MEDIA_WHEN, kind);
	s->recent_s = INT64_MIN;
	if (n <= LISTING_RECENT_MAX)
		return;
	db_seek(&c, s->sn, TABLE_MEDIA, MEDIA_WHEN, kind, LISTING_RECENT_MAX - 1);
	if (row_next(&c, &media)) {
		s->recent_s = media_file_created_at(media);
		s->recent_id = media_file_id(media);
	}
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
		return !is_static(s, STATIC_ARTISTS) && !is_static(s, STATIC_ALBUM_ARTISTS);
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
	if (s->scope.container == ID_ARTIST || s->scope.container == ID_ALBUM_ARTIST)
		add_group(s, TABLE_ALBUM, ALBUM_ARTIST, s->scope_group, ID_ALBUM, v == SEARCH_YES);
	else if (!is_certain(s, ID_ALBUM)) /* only those of an artist */
		add_group(s, TABLE_ALBUM, ALBUM_ALL, 0, ID_ALBUM, false);
	else if (is_static(s, STATIC_ROOT) || is_static(s, STATIC_MUSIC) ||
		 is_static(s, STATIC_ALBUMS))
		add_group(s, TABLE_ALBUM, ALBUM_ALL, 0, ID_ALBUM, v == SEARCH_YES);
}

static void add_playlists(struct search *s)
{
	enum search_verdict v = s->query.containers[CONTAINER_PLAYLIST];
	if (v && (is_static(s, STATIC_ROOT) || is_static(s, STATIC_PLAYLISTS)))
		add_group(s, TABLE_PLAYLIST, PLAYLIST_NAME, 0, ID_PLAYLIST, v == SEARCH_YES);
}

static void add_directories(struct search *s)
{
	if (s->query.containers[CONTAINER_FOLDER] &&
	    (is_everything(s) || is_directory(s) || s->media_kind))
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

/* Everything below the container is in its term's group. */
static bool has_term_group(const struct search *s)
{
	switch (s->scope.container) {
	case ID_ARTIST:
	case ID_ARTIST_ALL:
	case ID_ALBUM_ARTIST:
	case ID_GENRE:
	case ID_COMPOSER:
	case ID_YEAR:
		return true;
	default:
		return false;
	}
}

static void add_items(struct search *s, enum object_kind kind, uint8_t media_kind)
{
	enum search_verdict v = s->query.items[kind];
	bool whole = v == SEARCH_YES && is_certain(s, ID_HOME);
	if (!v || !kind_is_below(s, kind))
		return;
	if (s->scope.container == ID_ALBUM || s->scope.container == ID_ARTIST_ALBUM ||
	    s->scope.container == ID_ALBUM_ARTIST_ALBUM)
		add_group(s, TABLE_MEDIA, MEDIA_ALBUM, s->scope_group, ID_HOME, v == SEARCH_YES);
	else if (has_term_group(s))
		add_group(s, TABLE_MEDIA, MEDIA_TERM, s->scope_group, ID_HOME,
			  v == SEARCH_YES && s->scope.container != ID_ALBUM_ARTIST);
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
	if (is_static(s, STATIC_ALBUM_ARTISTS))
		add_terms(s, TERM_KIND_ALBUM_ARTIST, STATIC_ALBUM_ARTISTS, ID_ARTIST,
			  CONTAINER_ARTIST);
	add_albums(s);
	add_terms(s, TERM_KIND_COMPOSER, STATIC_COMPOSERS, ID_COMPOSER, CONTAINER_PLAIN);
	add_terms(s, TERM_KIND_GENRE, STATIC_GENRES, ID_GENRE, CONTAINER_GENRE);
	add_terms(s, TERM_KIND_YEAR, STATIC_YEARS, ID_YEAR, CONTAINER_PLAIN);
	add_playlists(s);
	add_directories(s);
	add_items(s, OBJECT_AUDIO, MEDIA_KIND_AUDIO);
	add_items(s, OBJECT_VIDEO, MEDIA_KIND_VIDEO);
	add_items(s, OBJECT_IMAGE, MEDIA_KIND_IMAGE);
}
