/* SPDX-License-Identifier: MIT */
/* Judging objects by SearchCriteria, and telling the library what it need not look at.
 *
 * A relation about a property that the object does not have is false, whatever the operator
 * (2.5.5.1, "property omission"); of several values one is enough. Names that no object here has
 * follow the same rule rather than give error 708: the grammar allows any property, real control
 * points ask for several at once ("dc:title contains .. or upnp:actor contains .."), and an error
 * would hide what the others find. */
#include "dlna/search_match.h"

#include "base/attr.h"
#include "base/num.h"

#define SHAPE_ITEMS 0x07u
#define SHAPE_CONTAINERS 0x1f8u
#define SHAPE_ALBUM (1u << (3 + CONTAINER_ALBUM))

static struct object object_of_shape(unsigned shape)
{
	if (shape < 3)
		return (struct object){ .kind = (enum object_kind)(OBJECT_AUDIO + shape) };
	return (struct object){ .kind = OBJECT_CONTAINER,
				.container_class = (enum container_class)(shape - 3) };
}

/** Which shapes can have a property. */
static unsigned shapes_with(enum property p)
{
	switch (p) {
	case PROPERTY_UNKNOWN:
	case PROPERTY_REF_ID: /* a Search finds objects at home, which refer to nothing */
		return 0;
	case PROPERTY_ID:
	case PROPERTY_PARENT_ID:
	case PROPERTY_TITLE:
	case PROPERTY_CLASS:
		return SHAPE_ITEMS | SHAPE_CONTAINERS;
	case PROPERTY_CREATOR:
	case PROPERTY_ARTIST:
		return SHAPE_ITEMS | SHAPE_ALBUM;
	default:
		return SHAPE_ITEMS;
	}
}

/** Every object has one. */
static bool is_never_missing(enum property p)
{
	return p == PROPERTY_ID || p == PROPERTY_PARENT_ID || p == PROPERTY_TITLE ||
	       p == PROPERTY_CLASS;
}

/* ---- one relation ---------------------------------------------------------------------------- */

static bool parse_integer(struct span s, int64_t *out)
{
	if (s.n > 1 && *s.p == '+' && s.p[1] != '-')
		s = span_skip(s, 1);
	return num_parse_i64(s, INT64_MIN, INT64_MAX, out) == ERR_OK;
}

/** H+:MM:SS[.F+] */
static bool parse_duration(struct span s, int64_t *out_ms)
{
	uint64_t hours, minutes, seconds, ms = 0;
	struct span seconds_text, fraction;

	if (num_parse_u64(span_cut(&s, ':'), 0, UINT32_MAX, &hours) != ERR_OK ||
	    num_parse_u64(span_cut(&s, ':'), 0, 59, &minutes) != ERR_OK)
		return false;
	fraction = s;
	seconds_text = span_cut(&fraction, '.');
	if (num_parse_u64(seconds_text, 0, 59, &seconds) != ERR_OK)
		return false;
	if (fraction.n > 0) {
		size_t digits = MIN(fraction.n, 3);
		if (num_parse_u64(span_first(fraction, digits), 0, 999, &ms) != ERR_OK)
			return false;
		for (; digits < 3; digits++)
			ms *= 10;
	}
	*out_ms = (int64_t)(((hours * 60 + minutes) * 60 + seconds) * 1000 + ms);
	return true;
}

bool property_number(uint8_t property, struct span value, int64_t *out)
{
	return property == PROPERTY_RES_DURATION ? parse_duration(value, out)
						 : parse_integer(value, out);
}

static bool holds_for_order(uint8_t op, int order)
{
	switch (op) {
	case RELATION_EQ:
		return order == 0;
	case RELATION_NE:
		return order != 0;
	case RELATION_LT:
		return order < 0;
	case RELATION_LE:
		return order <= 0;
	case RELATION_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static bool is_derived(struct span class, struct span from)
{
	return span_starts(class, from) && (class.n == from.n || class.p[from.n] == '.');
}

/** Both sides integers: by value; else as texts, case and accents folded as in the sort order. */
static bool value_matches(const struct search_criteria *c, const struct relation *r,
			  struct span value)
{
	char folded[2 * PROPERTY_TEXT_MAX];
	struct span want = span_of(c->text + r->text_at, r->text_n);
	int64_t number;

	if (r->is_number && r->op <= RELATION_GE && property_number(r->property, value, &number))
		return holds_for_order(r->op, (number > r->number) - (number < r->number));
	struct span have = span_of(folded, library_fold(value, folded, sizeof folded));
	switch (r->op) {
	case RELATION_CONTAINS:
		return want.n == 0 || memmem(have.p, have.n, want.p, want.n);
	case RELATION_LACKS:
		return want.n > 0 && !memmem(have.p, have.n, want.p, want.n);
	case RELATION_DERIVED:
		return is_derived(have, want);
	default:
		return holds_for_order(r->op, span_cmp(have, want));
	}
}

static bool relation_holds(const struct search_criteria *c, const struct relation *r,
			   const struct object *o)
{
	char scratch[PROPERTY_SCRATCH];
	struct span value;
	bool any = false;

	for (unsigned k = 0; !any && property_value(o, r->property, k, scratch, &value); k++)
		any = r->op == RELATION_EXISTS || value_matches(c, r, value);
	return r->op == RELATION_EXISTS ? any == r->exists : any;
}

/* ---- the whole ------------------------------------------------------------------------------- */

bool search_criteria_match(const struct search_criteria *c, const struct object *o)
{
	unsigned shape = search_shape(o);
	unsigned at = c->first;

	while (at < CRITERIA_RELATIONS_MAX) {
		bool known = c->known[shape] >> at & 1;
		bool holds =
			known ? c->holds[shape] >> at & 1 : relation_holds(c, &c->relations[at], o);
		at = c->relations[at].next[holds];
	}
	return at == RELATION_YES;
}

void criteria_decide(struct search_criteria *c)
{
	for (unsigned shape = 0; shape < SEARCH_SHAPES; shape++) {
		struct object o = object_of_shape(shape);
		c->known[shape] = c->holds[shape] = 0;
		for (unsigned i = 0; i < c->relations_n; i++) {
			const struct relation *r = &c->relations[i];
			bool never = !(shapes_with(r->property) >> shape & 1);
			bool exists = r->op == RELATION_EXISTS;
			bool always = exists && is_never_missing(r->property);
			if (!never && !always && r->property != PROPERTY_CLASS)
				continue;
			bool holds = exists  ? r->exists != never
				     : never ? false
					     : relation_holds(c, r, &o);
			c->known[shape] |= 1ull << i;
			c->holds[shape] |= (uint64_t)holds << i;
		}
	}
}

/* ---- for the library ------------------------------------------------------------------------- */

/** Whether the relation is a question about texts that the library knows how to ask. */
static bool is_text(const struct relation *r, uint8_t *out_field)
{
	static const struct {
		enum property property;
		enum search_field field;
	} fields[] = {
		{ PROPERTY_TITLE, SEARCH_TITLE },   { PROPERTY_CREATOR, SEARCH_CREATOR },
		{ PROPERTY_ARTIST, SEARCH_ARTIST }, { PROPERTY_ALBUM_ARTIST, SEARCH_ALBUM_ARTIST },
		{ PROPERTY_ALBUM, SEARCH_ALBUM },   { PROPERTY_GENRE, SEARCH_GENRE },
	};
	/* "7", "07" and "+7" are one number, but different texts */
	if (r->op != RELATION_CONTAINS && (r->op != RELATION_EQ || r->is_number))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (fields[i].property == r->property) {
			*out_field = (uint8_t)fields[i].field;
			return true;
		}
	}
	return false;
}

void criteria_steps(struct search_criteria *c)
{
	struct search_steps *s = &c->steps;

	s->n = c->relations_n;
	s->first = c->first;
	memcpy(s->known, c->known, sizeof s->known);
	memcpy(s->holds, c->holds, sizeof s->holds);
	for (unsigned i = 0; i < s->n; i++) {
		const struct relation *r = &c->relations[i];
		struct search_step *step = &s->step[i];
		*step = (struct search_step){ .next = { r->next[0], r->next[1] },
					      .compare = r->op == RELATION_EQ ? SEARCH_EQUALS
									      : SEARCH_CONTAINS,
					      .want = span_of(c->text + r->text_at, r->text_n) };
		step->is_text = is_text(r, &step->field);
	}
}

/** Follow every way that the shape leaves open. `forced` (none: RELATION_NO) is taken for false. */
static enum search_verdict verdict(const struct search_criteria *c, unsigned shape, unsigned forced)
{
	uint64_t reached = 0;
	bool yes = false, no = false;

	if (c->first == RELATION_YES)
		return SEARCH_YES;
	reached |= 1ull << c->first;
	for (unsigned i = 0; i < c->relations_n; i++) { /* ways lead forward only */
		if (!(reached >> i & 1))
			continue;
		bool known = (c->known[shape] >> i & 1) || i == forced;
		bool holds = (c->holds[shape] >> i & 1) && i != forced;
		for (unsigned side = 0; side < 2; side++) {
			uint8_t next = c->relations[i].next[side];
			if (known && side != holds)
				continue;
			yes |= next == RELATION_YES;
			no |= next == RELATION_NO;
			if (next < CRITERIA_RELATIONS_MAX)
				reached |= 1ull << next;
		}
	}
	return !yes ? SEARCH_NO : no ? SEARCH_MAYBE : SEARCH_YES;
}

/** The value of a relation "property = value" without which no audio item can match. */
static struct span required(const struct search_criteria *c, enum property p)
{
	for (unsigned i = 0; i < c->relations_n; i++) {
		const struct relation *r = &c->relations[i];
		/* "7", "07" and "+7" are one number, but different names */
		if (r->property == p && r->op == RELATION_EQ && !r->is_number &&
		    verdict(c, 0, i) == SEARCH_NO)
			return span_of(c->text + r->text_at, r->text_n);
	}
	return span_of(NULL, 0);
}

static bool match(const void *criteria, const struct object *o)
{
	return search_criteria_match(criteria, o);
}

void search_criteria_query(const struct search_criteria *c, struct search_query *out)
{
	*out = (struct search_query){ .matches = match, .ctx = c, .steps = &c->steps };
	for (unsigned shape = 0; shape < SEARCH_SHAPES; shape++) {
		enum search_verdict v = verdict(c, shape, RELATION_NO);
		if (shape < 3)
			out->items[OBJECT_AUDIO + shape] = v;
		else
			out->containers[shape - 3] = v;
	}
	for (unsigned i = 0; i < c->relations_n; i++)
		out->needs_ids |= c->relations[i].property == PROPERTY_ID ||
				  c->relations[i].property == PROPERTY_PARENT_ID;
	out->artist = required(c, PROPERTY_ARTIST);
	out->genre = required(c, PROPERTY_GENRE);
	out->album = required(c, PROPERTY_ALBUM);
}
