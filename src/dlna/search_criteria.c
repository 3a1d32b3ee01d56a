/* SPDX-License-Identifier: MIT */
/* SearchCriteria: the grammar, read from left to right with two bounded stacks. */
#include "dlna/search_criteria.h"

#include "base/attr.h"
#include "dlna/search_match.h"

/* Each level of parentheses has at most an "or", an "and" and its own mark waiting. */
#define STACK_MAX (3 * (CRITERIA_DEPTH_MAX + 1))
#define END 0xff /* of a list of loose ends */

/* A part that has been read: where it begins, and its loose ends, which are to be tied to what
 * comes behind it when it is false / true. An end is relation * 2 + side; the ends of a list are
 * linked through relation.next[side]. */
struct part {
	uint8_t first;
	uint8_t ends[2];
};

enum mark { MARK_PAREN, MARK_OR, MARK_AND }; /* in order of precedence */

struct parser {
	struct span rest;
	struct search_criteria *out;
	unsigned depth;
	size_t parts_n, marks_n;
	struct part parts[STACK_MAX];
	uint8_t marks[STACK_MAX];
	char raw[CRITERIA_TEXT_MAX];
};

/* ---- joining parts --------------------------------------------------------------------------- */

static uint8_t *end_at(struct search_criteria *c, uint8_t end)
{
	return &c->relations[end >> 1].next[end & 1];
}

static void tie(struct search_criteria *c, uint8_t list, uint8_t target)
{
	while (list != END) {
		uint8_t *end = end_at(c, list);
		list = *end;
		*end = target;
	}
}

static uint8_t joined(struct search_criteria *c, uint8_t a, uint8_t b)
{
	uint8_t last = a;

	if (a == END)
		return b;
	while (*end_at(c, last) != END)
		last = *end_at(c, last);
	*end_at(c, last) = b;
	return a;
}

/** a and b: b is asked where a is true; a or b: where it is false. */
static void reduce(struct parser *p)
{
	bool side = p->marks[--p->marks_n] == MARK_AND;
	struct part b = p->parts[--p->parts_n];
	struct part *a = &p->parts[p->parts_n - 1];

	tie(p->out, a->ends[side], b.first);
	a->ends[side] = b.ends[side];
	a->ends[!side] = joined(p->out, a->ends[!side], b.ends[!side]);
}

static void reduce_above(struct parser *p, enum mark mark)
{
	while (p->marks_n > 0 && p->marks[p->marks_n - 1] >= mark)
		reduce(p);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct parser *p)
{
	while (p->rest.n > 0 && is_space(*p->rest.p))
		p->rest = span_skip(p->rest, 1);
}

static bool take(struct parser *p, struct span token)
{
	if (!span_starts(p->rest, token))
		return false;
	p->rest = span_skip(p->rest, token.n);
	return true;
}

/** Up to a space, an operator, a quote or a parenthesis; "[...]" is part of a name. */
static struct span take_word(struct parser *p)
{
	size_t n = 0;
	bool inside = false;

	for (; n < p->rest.n; n++) {
		char c = p->rest.p[n];
		if (c == '[' || c == ']')
			inside = c == '[';
		if (!inside && (is_space(c) || memchr("=<>!\"()", c, 7)))
			break;
	}
	struct span word = span_first(p->rest, n);
	p->rest = span_skip(p->rest, n);
	return word;
}

/** A quoted value without its quotes and escapes. Some control points escape twice: &quot; stands
 * for the quotes then (MiniDLNA knows them, too). */
static enum err take_quoted(struct parser *p, struct span *out)
{
	struct span quote = SPAN("\"");
	size_t n = 0;

	if (!take(p, quote)) {
		quote = SPAN("&quot;");
		if (!take(p, quote))
			return ERR_INVALID;
	}
	while (!take(p, quote)) {
		if (p->rest.n > 1 && *p->rest.p == '\\' &&
		    (p->rest.p[1] == '"' || p->rest.p[1] == '\\'))
			p->rest = span_skip(p->rest, 1);
		if (p->rest.n == 0)
			return ERR_INVALID;
		p->raw[n++] = *p->rest.p; /* no longer than the whole argument */
		p->rest = span_skip(p->rest, 1);
	}
	*out = span_of(p->raw, n);
	return ERR_OK;
}

/* Longer ones before what they start with. */
static const struct {
	const char *text;
	enum relation_op op;
} signs[] = {
	{ "!=", RELATION_NE }, { "<=", RELATION_LE }, { ">=", RELATION_GE },
	{ "=", RELATION_EQ },  { "<", RELATION_LT },  { ">", RELATION_GT },
}, words[] = {
	{ "contains", RELATION_CONTAINS },
	{ "doesNotContain", RELATION_LACKS },
	{ "derivedfrom", RELATION_DERIVED },
	{ "exists", RELATION_EXISTS },
};

static enum err take_op(struct parser *p, enum relation_op *out)
{
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (take(p, span_str(signs[i].text))) {
			*out = signs[i].op;
			return ERR_OK;
		}
	}
	struct span word = take_word(p);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (span_eq_nocase(span_str(words[i].text), word)) {
			*out = words[i].op;
			return ERR_OK;
		}
	}
	return ERR_INVALID;
}

/* ---- relations ------------------------------------------------------------------------------- */

static enum err take_bool(struct parser *p, bool *out)
{
	struct span word;
	enum err e = ERR_OK;

	if (p->rest.n > 0 && (*p->rest.p == '"' || *p->rest.p == '&'))
		e = take_quoted(p, &word);
	else
		word = take_word(p);
	if (e != ERR_OK)
		return e;
	*out = span_eq_nocase(word, SPAN("true"));
	return *out || span_eq_nocase(word, SPAN("false")) ? ERR_OK : ERR_INVALID;
}

static void keep_value(struct search_criteria *c, struct relation *r, struct span value)
{
	if (r->op == RELATION_DERIVED) /* "object.item." is meant as "object.item" */
		while (value.n > 0 && value.p[value.n - 1] == '.')
			value.n--;
	r->is_number = property_number(r->property, value, &r->number);
	r->text_at = (uint16_t)c->text_n;
	r->text_n = (uint16_t)library_fold(value, c->text + c->text_n, sizeof c->text - c->text_n);
	c->text_n += r->text_n;
}

static enum err take_relation(struct parser *p)
{
	struct search_criteria *c = p->out;
	struct span name = take_word(p), value;
	enum relation_op op;

	if (name.n == 0)
		return ERR_INVALID;
	if (c->relations_n == CRITERIA_RELATIONS_MAX || p->parts_n == STACK_MAX)
		return ERR_LIMIT;
	skip_space(p);
	enum err e = take_op(p, &op);
	if (e != ERR_OK)
		return e;
	struct relation *r = &c->relations[c->relations_n];
	*r = (struct relation){ .property = (uint8_t)property_find(name), .op = (uint8_t)op };
	skip_space(p);
	if (op == RELATION_EXISTS) {
		e = take_bool(p, &r->exists);
	} else {
		e = take_quoted(p, &value);
		if (e == ERR_OK)
			keep_value(c, r, value);
	}
	if (op == RELATION_DERIVED && r->property != PROPERTY_CLASS)
		return ERR_INVALID; /* only classes derive */
	if (e != ERR_OK)
		return e;
	r->next[0] = r->next[1] = END;
	uint8_t at = (uint8_t)c->relations_n++;
	p->parts[p->parts_n++] = (struct part){ at, { (uint8_t)(2 * at), (uint8_t)(2 * at + 1) } };
	return ERR_OK;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static enum err push_mark(struct parser *p, enum mark mark)
{
	if (p->marks_n == STACK_MAX)
		return ERR_LIMIT;
	p->marks[p->marks_n++] = (uint8_t)mark;
	return ERR_OK;
}

/** What may stand before a relation: parentheses. */
static enum err take_operand(struct parser *p)
{
	while (take(p, SPAN("("))) {
		if (p->depth++ == CRITERIA_DEPTH_MAX)
			return ERR_LIMIT;
		enum err e = push_mark(p, MARK_PAREN);
		if (e != ERR_OK)
			return e;
		skip_space(p);
	}
	return take_relation(p);
}

/** What may stand behind one: closing parentheses, then the end, "and" or "or". */
static enum err take_operator(struct parser *p, bool *out_end)
{
	skip_space(p);
	while (take(p, SPAN(")"))) {
		if (p->depth-- == 0)
			return ERR_INVALID;
		reduce_above(p, MARK_OR);
		p->marks_n--;
		skip_space(p);
	}
	*out_end = p->rest.n == 0;
	if (*out_end)
		return ERR_OK;
	struct span word = take_word(p);
	bool and = span_eq_nocase(word, SPAN("and"));
	if (!and&&!span_eq_nocase(word, SPAN("or")))
		return ERR_INVALID;
	reduce_above(p, and? MARK_AND : MARK_OR);
	return push_mark(p, and? MARK_AND : MARK_OR);
}

static enum err parse(struct parser *p)
{
	bool end = false;

	while (!end) {
		skip_space(p);
		enum err e = take_operand(p);
		if (e == ERR_OK)
			e = take_operator(p, &end);
		if (e != ERR_OK)
			return e;
	}
	if (p->depth > 0)
		return ERR_INVALID;
	reduce_above(p, MARK_OR);
	tie(p->out, p->parts[0].ends[0], RELATION_NO);
	tie(p->out, p->parts[0].ends[1], RELATION_YES);
	p->out->first = p->parts[0].first;
	return ERR_OK;
}

enum err search_criteria_parse(struct span text, struct search_criteria *out)
{
	struct parser p;

	if (text.n > CRITERIA_TEXT_MAX)
		return ERR_LIMIT;
	p.rest = text;
	p.out = out;
	p.depth = 0;
	p.parts_n = p.marks_n = 0;
	out->relations_n = 0;
	out->first = RELATION_YES;
	out->text_n = 0;
	skip_space(&p);
	if (p.rest.n > 0 && !span_eq(span_trim(p.rest), SPAN("*"))) {
		enum err e = parse(&p);
		if (e != ERR_OK)
			return e;
	}
	criteria_decide(out);
	criteria_steps(out);
	return ERR_OK;
}
