/* SPDX-License-Identifier: MIT */
/* Which containers a commit changed, as object ids for events. */
#include <stdio.h>

#include "library/apply.h"
#include "library/containers.h"
#include "library/tables.h"
#include "schema/media_fb.h"

struct changes {
	const struct apply *a;
	const struct db_snap *after;
	uint64_t single_root;
	bool fixed[STATIC_N];
	struct library_change *out;
};

static void add(struct changes *c, struct object_id id)
{
	struct library_change *out = c->out;
	if (out->containers_n == LIBRARY_CHANGED_MAX) {
		out->overflow = true;
		return;
	}
	object_id_format(&id, out->containers[out->containers_n++]);
}

static void add_fixed(struct changes *c)
{
	for (unsigned i = 0; i < STATIC_N; i++)
		if (c->fixed[i])
			add(c, object_id_static((enum static_number)i));
}

/* Fixed containers tell by their own UpdateIDs. */
static void mark_fixed(struct changes *c)
{
	for (unsigned i = STATIC_ROOT + 1; i < STATIC_N; i++) {
		struct object_id id = object_id_static((enum static_number)i);
		struct container fixed;
		c->fixed[i] = container_open(c->after, &id, &fixed) == ERR_OK &&
			      container_update_id(c->after, &fixed) == (uint32_t)c->out->commit;
	}
}

/* A fixed container counts as changed when one of its fixed children does (containers.c). */
static void mark_fixed_parents(struct changes *c)
{
	for (unsigned i = STATIC_ROOT + 1; i < STATIC_N; i++)
		if (c->fixed[i])
			c->fixed[static_parent((enum static_number)i)] = true;
	c->fixed[STATIC_ROOT] = false;
}

/* Whether this commit changed the group of the index. */
static bool is_touched(const struct changes *c, unsigned table, unsigned index, uint64_t group)
{
	return db_group_commit(c->after, table, index, (uint32_t)group) == c->out->commit;
}

static void add_kind_directory(struct changes *c, uint64_t directory, unsigned k)
{
	static const enum id_kind kinds[DICT_KINDS_N] = { ID_AUDIO_DIRECTORY, ID_VIDEO_DIRECTORY,
							  ID_IMAGE_DIRECTORY };
	if (directory != single_kind_root(c->after, kinds[k]) &&
	    (is_touched(c, TABLE_MEDIA, MEDIA_DIR, directory) ||
	     is_touched(c, TABLE_DIRECTORY, DIRECTORY_AUDIO + k, directory)))
		add(c, object_id_container(kinds[k], (uint32_t)directory));
}

static void add_directories(struct changes *c)
{
	const struct dict *dirs = &c->a->dicts.d[DICT_DIRECTORY];
	for (uint32_t i = 0; i < dirs->n; i++) {
		const struct dict_row *d = &dirs->rows[i];
		if (d->touched && d->live && d->id != c->single_root)
			add(c, object_id_container(ID_DIRECTORY, (uint32_t)d->id));
		for (unsigned k = 0; k < DICT_KINDS_N && d->live; k++)
			if (d->kinds & 1u << k)
				add_kind_directory(c, d->id, k);
	}
}

static void add_terms(struct changes *c)
{
	const struct dict *terms = &c->a->dicts.d[DICT_TERM];
	struct object_id year;
	char year_id[LIBRARY_ID_MAX];
	for (uint32_t i = 0; i < terms->n; i++) {
		const struct dict_row *t = &terms->rows[i];
		if (!t->touched || !t->live)
			continue;
		switch (t->key.kind) {
		case TERM_KIND_ARTIST:
			add(c, object_id_container(ID_ARTIST, (uint32_t)t->id));
			add(c, object_id_container(ID_ARTIST_ALL, (uint32_t)t->id));
			if (t->owner && is_touched(c, TABLE_ALBUM, ALBUM_ARTIST, t->id))
				add(c, object_id_container(ID_ALBUM_ARTIST, (uint32_t)t->id));
			break;
		case TERM_KIND_COMPOSER:
			add(c, object_id_container(ID_COMPOSER, (uint32_t)t->id));
			break;
		case TERM_KIND_GENRE:
			add(c, object_id_container(ID_GENRE, (uint32_t)t->id));
			break;
		case TERM_KIND_YEAR:
			snprintf(year_id, sizeof year_id, "y%.*s", SPAN_ARG(t->key.name));
			if (object_id_parse(span_str(year_id), &year) == ERR_OK)
				add(c, year);
			break;
		default:
			break;
		}
	}
}

static void add_albums(struct changes *c)
{
	const struct dict *albums = &c->a->dicts.d[DICT_ALBUM];
	for (uint32_t i = 0; i < albums->n; i++) {
		const struct dict_row *al = &albums->rows[i];
		if (!al->touched || !al->live)
			continue;
		struct object_id id = object_id_container(ID_ALBUM, (uint32_t)al->id);
		add(c, id);
		id.container = ID_ARTIST_ALBUM;
		id.artist_id = al->key.artist_id;
		if (id.artist_id)
			add(c, id);
		id.container = ID_ALBUM_ARTIST_ALBUM;
		if (id.artist_id)
			add(c, id);
	}
}

/* A year once, however many of its months. */
static void add_month(struct changes *c, struct id_set *seen, uint32_t group)
{
	uint32_t year, month;
	struct object_id id;
	struct container there;
	month_of_group(group, &year, &month);
	uint32_t numbers[] = { year, year * 100 + month };
	for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
		id = object_id_container(i ? ID_PHOTO_MONTH : ID_PHOTO_YEAR, numbers[i]);
		if (id_set_has(seen, numbers[i]) || container_open(c->after, &id, &there) != ERR_OK)
			continue;
		add(c, id);
		if (id_set_add(seen, numbers[i]) != ERR_OK)
			c->out->overflow = true; /* "By Date" stands for all */
	}
}

static void add_months(struct changes *c)
{
	CLEANUP(id_set_fini) struct id_set seen = { 0 };
	c->out->overflow |= c->a->months_overflow;
	for (unsigned i = 0; i < c->a->months_n && !c->out->overflow; i++)
		if (is_touched(c, TABLE_MEDIA, MEDIA_WHEN, c->a->months[i]))
			add_month(c, &seen, c->a->months[i]);
}

static void add_playlists(struct changes *c)
{
	const struct lists *l = &c->a->lists;
	c->out->overflow |= l->touched_overflow;
	for (unsigned i = 0; i < l->touched_n; i++)
		add(c, object_id_container(ID_PLAYLIST, l->touched[i]));
}

/* Categories stand for what is in them. */
static void mark_ancestors(struct changes *c)
{
	const struct dict *terms = &c->a->dicts.d[DICT_TERM];
	for (uint32_t i = 0; i < terms->n; i++) {
		uint8_t kind = terms->rows[i].key.kind;
		bool touched = terms->rows[i].touched;
		c->fixed[STATIC_ARTISTS] |= touched && kind == TERM_KIND_ARTIST;
		c->fixed[STATIC_GENRES] |= touched && kind == TERM_KIND_GENRE;
		c->fixed[STATIC_YEARS] |= touched && kind == TERM_KIND_YEAR;
		c->fixed[STATIC_COMPOSERS] |= touched && kind == TERM_KIND_COMPOSER;
	}
	const struct dict *albums = &c->a->dicts.d[DICT_ALBUM];
	for (uint32_t i = 0; i < albums->n; i++)
		c->fixed[STATIC_ALBUMS] |= albums->rows[i].touched;
	c->fixed[STATIC_ALBUM_ARTISTS] |= c->fixed[STATIC_ALBUMS];
	c->fixed[STATIC_PLAYLISTS] |= c->a->lists.touched_n > 0;
}

/* The longest path that all changed directories are at or below. Empty: none changed. */
static struct span common_path(const struct dict *dirs)
{
	struct span common = { NULL, 0 };
	for (uint32_t i = 0; i < dirs->n; i++) {
		struct span path = dirs->rows[i].key.name;
		if (!dirs->rows[i].touched)
			continue;
		if (!common.p)
			common = path;
		while (common.n > 1 && !(span_starts(path, common) &&
					 (path.n == common.n || path.p[common.n] == '/')))
			common = path_directory(common);
	}
	return common;
}

static void mark_kind_folders(struct changes *c)
{
	static const enum static_number tops[DICT_KINDS_N] = { STATIC_MUSIC_FOLDERS,
							       STATIC_VIDEO_FOLDERS,
							       STATIC_IMAGE_FOLDERS };
	const struct dict *dirs = &c->a->dicts.d[DICT_DIRECTORY];
	for (uint32_t i = 0; i < dirs->n; i++)
		for (unsigned k = 0; k < DICT_KINDS_N; k++)
			if ((dirs->rows[i].kinds | dirs->rows[i].was_kinds) & 1u << k &&
			    dirs->rows[i].touched)
				c->fixed[tops[k]] = true;
}

static void collapse(struct changes *c)
{
	c->out->containers_n = 0;
	mark_ancestors(c);
	struct span common = common_path(&c->a->dicts.d[DICT_DIRECTORY]);
	struct fb_table dir;
	bool known = common.n && directory_find(c->after, common, &dir) == ERR_OK &&
		     directory_live(dir) && directory_id(dir) != c->single_root;
	if (known)
		add(c, object_id_container(ID_DIRECTORY, (uint32_t)directory_id(dir)));
	else if (common.n)
		c->fixed[STATIC_FOLDERS] = true;
	mark_kind_folders(c);
	mark_fixed_parents(c);
	add_fixed(c);
	c->out->overflow = true;
}

void apply_changes(const struct apply *a, const struct db_snap *after, struct library_change *out)
{
	struct changes c = {
		.a = a, .after = after, .single_root = single_root(after), .out = out
	};
	out->commit = db_snap_commit(after);
	out->containers_n = 0;
	out->overflow = false;
	mark_fixed(&c);
	add_fixed(&c);
	add_directories(&c);
	add_terms(&c);
	add_albums(&c);
	add_months(&c);
	add_playlists(&c);
	if (out->overflow)
		collapse(&c);
}
