/* SPDX-License-Identifier: MIT */
/* Which containers a commit changed, as object ids for events. */
#include <stdio.h>

#include "library/apply.h"
#include "library/containers.h"
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

/* The containers of all files and of all names, from flags that came or went. */
static void mark_fixed(struct changes *c)
{
	unsigned kinds = c->a->kinds_touched;
	c->fixed[STATIC_ALL_MUSIC] = kinds & 1u << MEDIA_KIND_AUDIO;
	c->fixed[STATIC_ALL_VIDEOS] = kinds & 1u << MEDIA_KIND_VIDEO;
	c->fixed[STATIC_ALL_IMAGES] = kinds & 1u << MEDIA_KIND_IMAGE;

	const struct dict *terms = &c->a->dicts.d[DICT_TERM];
	for (uint32_t i = 0; i < terms->n; i++) {
		bool flipped = terms->rows[i].live != terms->rows[i].was_live;
		uint8_t kind = terms->rows[i].key.kind;
		c->fixed[STATIC_ARTISTS] |= flipped && kind == TERM_KIND_ARTIST;
		c->fixed[STATIC_GENRES] |= flipped && kind == TERM_KIND_GENRE;
		c->fixed[STATIC_YEARS] |= flipped && kind == TERM_KIND_YEAR;
	}
	const struct dict *albums = &c->a->dicts.d[DICT_ALBUM];
	for (uint32_t i = 0; i < albums->n; i++)
		c->fixed[STATIC_ALBUMS] |= albums->rows[i].live != albums->rows[i].was_live;
	const struct dict *dirs = &c->a->dicts.d[DICT_DIRECTORY];
	for (uint32_t i = 0; i < dirs->n; i++) {
		const struct dict_row *d = &dirs->rows[i];
		bool renamed = d->must_store && d->live;
		c->fixed[STATIC_FOLDERS] |=
			d->parent_id == 0 && (d->live != d->was_live || renamed);
		c->fixed[STATIC_FOLDERS] |= d->touched && d->id == c->single_root;
	}
}

/* A fixed container counts as changed when one of its fixed children does (containers.c). */
static void mark_fixed_parents(struct changes *c)
{
	for (unsigned i = STATIC_ALL_MUSIC; i <= STATIC_YEARS; i++)
		c->fixed[STATIC_MUSIC] |= c->fixed[i];
	c->fixed[STATIC_VIDEO] = c->fixed[STATIC_ALL_VIDEOS];
	c->fixed[STATIC_PICTURES] = c->fixed[STATIC_ALL_IMAGES];
}

static void add_directories(struct changes *c)
{
	const struct dict *dirs = &c->a->dicts.d[DICT_DIRECTORY];
	for (uint32_t i = 0; i < dirs->n; i++) {
		const struct dict_row *d = &dirs->rows[i];
		if (d->touched && d->live && d->id != c->single_root)
			add(c, object_id_container(ID_DIRECTORY, (uint32_t)d->id));
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
	}
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
	}
	const struct dict *albums = &c->a->dicts.d[DICT_ALBUM];
	for (uint32_t i = 0; i < albums->n; i++)
		c->fixed[STATIC_ALBUMS] |= albums->rows[i].touched;
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

static void collapse(struct changes *c)
{
	c->out->containers_n = 0;
	mark_ancestors(c);
	mark_fixed_parents(c);
	struct span common = common_path(&c->a->dicts.d[DICT_DIRECTORY]);
	struct fb_table dir;
	bool known = common.n && directory_find(c->after, common, &dir) == ERR_OK &&
		     directory_live(dir) && directory_id(dir) != c->single_root;
	if (known)
		add(c, object_id_container(ID_DIRECTORY, (uint32_t)directory_id(dir)));
	else if (common.n)
		c->fixed[STATIC_FOLDERS] = true;
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
	mark_fixed_parents(&c);
	add_fixed(&c);
	add_directories(&c);
	add_terms(&c);
	add_albums(&c);
	if (out->overflow)
		collapse(&c);
}
