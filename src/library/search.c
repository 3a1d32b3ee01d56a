/* SPDX-License-Identifier: MIT */
/* Looking for objects: walks the sources of the plan and judges what they yield. */
#include "library/search_priv.h"

#include "library/objects.h"
#include "library/tables.h"
#include "library/text_query.h"
#include "schema/media_fb.h"

static bool judge(void *search, uint64_t id, struct span *out_title);

static void open_source(struct search *s)
{
	s->source_at = 0;
	if (s->at == s->sources_n)
		return;
	struct search_source *from = &s->sources[s->at];
	if (from->kind == SEARCH_TEXT &&
	    text_section_begin(s->text, from->section, from->certain, judge, s) != ERR_OK)
		from->kind = from->child == ID_DIRECTORY ? SEARCH_ROWS : SEARCH_GROUP;
	if (from->kind == SEARCH_GROUP)
		db_seek(&s->cursor, s->sn, from->table, from->index, from->group, 0);
}

static void next_source(struct search *s)
{
	s->at++;
	open_source(s);
}

enum err library_search_begin(struct library *lib, const struct library_snap *snap,
			      struct span container_id, const struct search_query *query,
			      struct search *out)
{
	const struct db_snap *sn = snap_db(snap);
	struct object_id id;
	struct container c;
	enum err e = container_named(snap, container_id, &id, &c);
	if (e != ERR_OK)
		return e;
	out->update_id = container_update_id(sn, &c);
	out->damaged_n = 0;
	out->sn = sn;
	out->query = *query;
	out->scope = c.id;
	out->scope_group = (uint32_t)c.row_id;
	out->single_root = single_root(sn);
	memset(out->tree, 0, sizeof out->tree);
	search_scope(out);
	out->text = text_query_begin(lib ? library_text(lib) : NULL, sn, query->steps,
				     out->single_root);
	search_plan(out);
	out->at = 0;
	open_source(out);
	return ERR_OK;
}

void search_end(struct search *s)
{
	text_query_end(s->text);
	s->text = NULL;
}

/* ---- candidates ------------------------------------------------------------------------------ */

struct candidate {
	enum id_kind child; /* ID_HOME: an item */
	bool certain;	    /* it matches */
	struct container container;
	struct fb_table media;
	struct object object;
};

static bool candidate_complete(const struct search *s, struct candidate *c)
{
	if (c->child == ID_HOME)
		return item_at_home(s->single_root, c->media, &c->object);
	struct container whole;
	enum err e = c->child == ID_STATIC ? container_open(s->sn, &c->container.id, &whole)
					   : container_of_row(s->sn, c->child, c->container.row_id,
							      c->container.row, 0, &whole);
	if (e != ERR_OK)
		return false;
	container_object(s->sn, &whole, &c->object);
	container_parent_id(s->sn, &whole, c->object.parent_id);
	return true;
}

/* Whether the file was met in an earlier one of overlapping groups. */
static bool is_repeated(const struct search *s, struct fb_table media)
{
	uint32_t terms[MEDIA_TERMS_MAX];
	if (!s->sources[s->at].overlapping)
		return false;
	unsigned n = media_term_ids(media, terms);
	for (unsigned at = s->at; s->sources[at].overlapping; at--)
		for (unsigned i = 0; i < n; i++)
			if (terms[i] == s->sources[at - 1].group)
				return true;
	return false;
}

static bool container_is_below(struct search *s, const struct candidate *c)
{
	switch (c->child) {
	case ID_STATIC:
		return search_has_static(s, c->container.id.number);
	case ID_DIRECTORY:
		if (!directory_live(c->container.row) || c->container.row_id == s->single_root)
			return false;
		if (s->media_kind &&
		    (!(directory_kinds(c->container.row) & 1u << (s->media_kind - 1)) ||
		     c->container.row_id == s->single_kind_root))
			return false;
		return s->scope.container == ID_STATIC ||
		       (c->container.row_id != s->scope_group &&
			search_has_directory(s, c->container.row_id));
	case ID_ALBUM:
		return s->scope.container != ID_STATIC ||
		       (s->scope.number != STATIC_ARTISTS &&
			s->scope.number != STATIC_ALBUM_ARTISTS) ||
		       album_artist_id(c->container.row);
	default:
		return true;
	}
}

/** Kind, title and the like of what the row is; false: it is not below the container. */
static bool candidate_describe(struct search *s, struct candidate *c, uint64_t id,
			       struct fb_table row)
{
	if (c->child == ID_HOME) {
		c->media = row;
		return item_describe(row, &c->object) && search_has_media(s, row) &&
		       !is_repeated(s, row);
	}
	c->container.id = object_id_container(c->child, (uint32_t)id);
	c->container.row_id = c->child == ID_STATIC ? 0 : id;
	c->container.row = row;
	c->object = (struct object){ .kind = OBJECT_CONTAINER };
	container_describe(&c->container, &c->object);
	return container_is_below(s, c);
}

static bool matches(const struct search *s, struct candidate *c)
{
	const struct object *o = &c->object;
	enum search_verdict v = o->kind == OBJECT_CONTAINER
					? s->query.containers[o->container_class]
					: s->query.items[o->kind];
	if (v != SEARCH_MAYBE)
		return v == SEARCH_YES;
	if (s->query.needs_ids && !candidate_complete(s, c))
		return false;
	return s->query.matches(s->query.ctx, o);
}

/** The next id of an index or of the text column. */
static bool next_id(struct search *s, const struct search_source *from, uint64_t *out_id,
		    bool *out_certain)
{
	return from->kind == SEARCH_TEXT ? text_section_next(s->text, out_id, out_certain)
					 : db_next(&s->cursor, out_id);
}

static bool next_of_table(struct search *s, unsigned table, uint64_t *out_id, struct fb_table *out)
{
	enum err e;
	do {
		e = db_row_from(s->sn, table, s->source_at, out_id, out);
		s->source_at = e == ERR_NOTFOUND ? s->source_at : *out_id + 1;
		s->damaged_n += e != ERR_OK && e != ERR_NOTFOUND;
	} while (e != ERR_OK && e != ERR_NOTFOUND);
	return e == ERR_OK;
}

/** The next row of the source at hand; false: it has no more. */
static bool next_row(struct search *s, uint64_t *out_id, struct fb_table *out, bool *out_certain)
{
	const struct search_source *from = &s->sources[s->at];
	if (from->kind == SEARCH_FIXED) {
		*out = (struct fb_table){ 0 };
		*out_id = s->source_at++;
		return *out_id < STATIC_N;
	}
	if (from->kind == SEARCH_ROWS)
		return next_of_table(s, from->table, out_id, out);
	while (next_id(s, from, out_id, out_certain)) {
		if (db_get(s->sn, from->table, *out_id, out) == ERR_OK)
			return true;
		s->damaged_n++; /* one bad record must not hide its neighbours */
	}
	return false;
}

static bool next_match(struct search *s, struct candidate *c)
{
	uint64_t id;
	struct fb_table row;
	while (s->at < s->sources_n) {
		c->certain = false;
		if (!next_row(s, &id, &row, &c->certain)) {
			next_source(s);
			continue;
		}
		c->child = s->sources[s->at].child;
		if (candidate_describe(s, c, id, row) && (c->certain || matches(s, c)))
			return true;
	}
	return false;
}

/** Whether a row that the text column does not know yet is of the group at hand, as its index would
 * say. */
static bool is_in_group(const struct search_source *from, struct fb_table row)
{
	switch (from->table) {
	case TABLE_MEDIA:
		return media_file_kind(row) == from->group;
	case TABLE_TERM:
		return term_live(row) && term_kind(row) == from->group;
	case TABLE_ALBUM:
		return album_live(row);
	default:
		return true;
	}
}

/* text_judge_fn: for rows that changed since the column was built. */
static bool judge(void *search, uint64_t id, struct span *out_title)
{
	struct search *s = search;
	const struct search_source *from = &s->sources[s->at];
	struct candidate c = { .child = from->child };
	struct fb_table row;
	if (db_get(s->sn, from->table, id, &row) != ERR_OK || !is_in_group(from, row) ||
	    !candidate_describe(s, &c, id, row) || !matches(s, &c))
		return false;
	*out_title = c.object.title;
	return true;
}

/* ---- paging ---------------------------------------------------------------------------------- */

bool search_next(struct search *s, struct object *out)
{
	struct candidate c;
	while (next_match(s, &c)) {
		if (candidate_complete(s, &c)) {
			*out = c.object;
			return true;
		}
		s->damaged_n++;
	}
	return false;
}

/** Passes over entries of a group all of which match, without looking at them. */
static uint64_t skip_in_group(struct search *s, uint64_t n)
{
	const struct search_source *from = &s->sources[s->at];
	uint64_t at = db_cursor_offset(&s->cursor);
	uint64_t step = MIN(n, from->n - at);
	if (at + step == from->n)
		next_source(s);
	else
		db_seek(&s->cursor, s->sn, from->table, from->index, from->group, at + step);
	return step;
}

uint64_t search_skip(struct search *s, uint64_t n)
{
	struct candidate c;
	uint64_t skipped = 0;
	while (skipped < n && s->at < s->sources_n) {
		uint64_t step = 0;
		if (s->sources[s->at].whole)
			step = skip_in_group(s, n - skipped);
		else if (s->sources[s->at].kind == SEARCH_TEXT)
			step = text_section_skip(s->text, n - skipped);
		if (step == 0)
			step = next_match(s, &c);
		skipped += step;
	}
	return skipped;
}
