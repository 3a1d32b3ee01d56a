/* SPDX-License-Identifier: MIT */
/* The texts of an object, and judging one object by them. */
#include "library/search.h"

#include "library/text_find.h"
#include "schema/media_fb.h"

unsigned search_shape(const struct object *o)
{
	return o->kind == OBJECT_CONTAINER ? SEARCH_SHAPE_CONTAINERS + (unsigned)o->container_class
					   : (unsigned)o->kind - OBJECT_AUDIO;
}

/* ---- values ---------------------------------------------------------------------------------- */

static struct span one(unsigned k, struct span value)
{
	return k == 0 ? value : span_of(NULL, 0);
}

/** The several values where there are several, else the one. */
static struct span one_of(unsigned k, struct fb_vector several, struct span single)
{
	if (several.n == 0)
		return one(k, single);
	return k < several.n && k < SEARCH_VALUES_MAX ? fb_vector_string(several, k)
						      : span_of(NULL, 0);
}

static struct span artist(unsigned k, struct fb_table m)
{
	struct fb_vector several = media_file_artists(m);
	unsigned n = several.n ? MIN(several.n, SEARCH_VALUES_MAX) : media_file_artist(m).n > 0;

	return k < n ? one_of(k, several, media_file_artist(m))
		     : one(k - n, media_file_album_artist(m));
}

static struct span item_value(struct fb_table m, enum search_field field, unsigned k)
{
	switch (field) {
	case SEARCH_CREATOR:
		return one(k, media_file_artist(m));
	case SEARCH_ARTIST:
		return artist(k, m);
	case SEARCH_ALBUM_ARTIST:
		return one(k, media_file_album_artist(m));
	case SEARCH_ALBUM:
		return one(k, media_file_album(m));
	case SEARCH_GENRE:
		return one_of(k, media_file_genres(m), media_file_genre(m));
	default:
		return span_of(NULL, 0);
	}
}

bool search_value(const struct object *o, enum search_field field, unsigned k, struct span *out)
{
	struct span v = { NULL, 0 };

	if (field == SEARCH_TITLE)
		v = one(k, o->title.n ? o->title : SPAN("-"));
	else if (o->kind != OBJECT_CONTAINER)
		v = item_value(o->media, field, k);
	else if (field == SEARCH_CREATOR || field == SEARCH_ARTIST)
		v = one(k, o->artist);
	if (v.n == 0)
		return false;
	*out = span_first(v, SEARCH_TEXT_MAX);
	return true;
}

/* ---- judging --------------------------------------------------------------------------------- */

static bool begins_word(struct span have, const struct text_needle *needle)
{
	const char *end = have.p + have.n;
	for (const char *at = have.p; (at = text_find(needle, at, end)); at++)
		if (text_word_begins(have.p, at))
			return true;
	return false;
}

bool search_step_holds(const struct search_step *step, const struct object *o)
{
	char folded[2 * SEARCH_TEXT_MAX];
	struct text_needle needle;
	struct span value;

	if (step->want.n)
		text_needle_init(&needle, step->want);
	for (unsigned k = 0; search_value(o, step->field, k, &value); k++) {
		struct span have = span_of(folded, library_fold(value, folded, sizeof folded));
		if (step->compare == SEARCH_EQUALS ? span_eq(have, step->want)
		    : step->want.n == 0		   ? true
		    : step->compare == SEARCH_BEGINS_WORD
			    ? begins_word(have, &needle)
			    : text_find(&needle, have.p, have.p + have.n) != NULL)
			return true;
	}
	return false;
}

bool search_steps_match(const struct search_steps *steps, const struct object *o)
{
	unsigned shape = search_shape(o);
	unsigned at = steps->first;

	while (at < steps->n) {
		const struct search_step *step = &steps->step[at];
		bool known = steps->known[shape] >> at & 1;
		bool holds = known ? steps->holds[shape] >> at & 1 : search_step_holds(step, o);
		at = step->next[holds];
	}
	return at == SEARCH_STEP_YES;
}
