/* SPDX-License-Identifier: MIT */
/* Both levels, bytes of a name and names of a path, match alike: forwards, and after a mismatch
 * once more from the last star on, which takes one more. An earlier star never has to take more. */
#include "scanner/patterns.h"

#include <stdlib.h>

#include "base/log.h"

/* ---- one name -------------------------------------------------------------------------------- */

/* A set's first byte is at p[*at], behind the bracket; leaves *at behind the closing one. False
 * where there is none. */
static bool set_match(struct span p, size_t *at, unsigned char c, bool *out_match)
{
	bool negated = *at < p.n && (p.p[*at] == '!' || p.p[*at] == '^');
	bool match = false;
	size_t i = *at + negated;

	for (size_t first = i; i < p.n && (p.p[i] != ']' || i == first); i++) {
		unsigned char low = (unsigned char)p.p[i];
		unsigned char high = low;

		if (i + 2 < p.n && p.p[i + 1] == '-' && p.p[i + 2] != ']') {
			high = (unsigned char)p.p[i + 2];
			i += 2;
		}
		match |= low <= c && c <= high;
	}
	if (i >= p.n)
		return false;
	*at = i + 1;
	*out_match = match != negated;
	return true;
}

/* Does what begins at p[*at], no star, match this byte? Leaves *at behind it. */
static bool byte_match(struct span p, size_t *at, char c)
{
	bool match;

	switch (p.p[*at]) {
	case '?':
		++*at;
		return true;
	case '[':
		++*at;
		return set_match(p, at, (unsigned char)c, &match) && match;
	case '\\':
		++*at; /* something follows: find_fault() */
		return p.p[(*at)++] == c;
	default:
		return p.p[(*at)++] == c;
	}
}

static bool name_match(struct span p, struct span name)
{
	size_t at = 0, i = 0;
	size_t star = SIZE_MAX, star_i = 0; /* behind the last star, and what it leaves */

	while (i < name.n || at < p.n) {
		if (at < p.n && p.p[at] == '*') {
			star = ++at;
			star_i = i;
			continue;
		}
		if (at < p.n && i < name.n && byte_match(p, &at, name.p[i])) {
			i++;
			continue;
		}
		if (star == SIZE_MAX || star_i >= name.n)
			return false;
		at = star;
		i = ++star_i;
	}
	return true;
}

/* ---- a path ---------------------------------------------------------------------------------- */

struct names { /* what is left of a path; p NULL: nothing */
	struct span rest;
};

static struct span take_name(struct names *n)
{
	size_t slash = span_find(n->rest, '/');
	struct span name = span_first(n->rest, slash);

	n->rest = slash < n->rest.n ? span_skip(n->rest, slash + 1) : (struct span){ NULL, 0 };
	return name;
}

static bool path_match(struct span pattern, struct span path)
{
	struct names p = { pattern }, t = { path };
	struct names star_p = { { NULL, 0 } }, star_t = { { NULL, 0 } };

	while (p.rest.p || t.rest.p) {
		struct names p_next = p, t_next = t;
		struct span part = p.rest.p ? take_name(&p_next) : (struct span){ NULL, 0 };

		if (part.p && span_eq(part, SPAN("**"))) {
			if (!p_next.rest.p)
				return t.rest.p != NULL;
			p = star_p = p_next;
			star_t = t;
			continue;
		}
		if (part.p && t.rest.p && name_match(part, take_name(&t_next))) {
			p = p_next;
			t = t_next;
			continue;
		}
		if (!star_p.rest.p || !star_t.rest.p)
			return false;
		(void)take_name(&star_t);
		p = star_p;
		t = star_t;
	}
	return true;
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* What is wrong with it; NULL: nothing. */
static const char *find_fault(struct span text)
{
	bool ignored;

	if (text.n > PATTERN_MAX_BYTES)
		return "is too long";
	if (text.n == 0 || span_eq(text, SPAN("/")))
		return "is empty";
	if (text.p[0] == '!')
		return "begins with \"!\"; what is to be taken all the same is said by other "
		       "patterns (a name that begins so: \"\\!\")";
	for (struct names n = { text }; n.rest.p;) {
		struct span part = take_name(&n);

		for (size_t i = 0; i < part.n;) {
			char c = part.p[i++];

			if (c == '\\' && i++ == part.n)
				return "has a \"\\\" with nothing behind it";
			if (c == '[' && !set_match(part, &i, 0, &ignored))
				return "has a \"[\" without its \"]\"";
		}
	}
	return NULL;
}

static struct pattern compile(struct span text)
{
	struct pattern p = { .absolute = text.p[0] == '/' };

	p.of_directory = text.p[text.n - 1] == '/';
	text = span_first(text, text.n - p.of_directory);
	p.text = span_skip(text, p.absolute);
	p.of_name = !p.absolute && span_find(p.text, '/') == p.text.n;
	return p;
}

enum err patterns_init(struct patterns *p, const char *key, const char *const *texts, size_t n,
		       struct err_info *info)
{
	size_t bytes = 1;

	*p = (struct patterns){ 0 };
	if (n > PATTERNS_MAX)
		return err_set(info, ERR_LIMIT, 0, "%s: more than %d patterns", key, PATTERNS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct span text = span_str(texts[i]);
		const char *fault = find_fault(text);

		if (fault)
			return err_set(info, ERR_INVALID, 0, "%s: the pattern %s %s", key,
				       QUOTE(text), fault);
		bytes += text.n;
	}
	p->items = calloc(n + 1, sizeof *p->items);
	p->bytes = malloc(bytes);
	if (!p->items || !p->bytes) {
		patterns_fini(p);
		return err_set(info, ERR_NOMEM, 0, "out of memory");
	}
	char *at = p->bytes;
	for (size_t i = 0; i < n; i++) {
		struct span text = span_str(texts[i]);

		memcpy(at, text.p, text.n);
		p->items[p->n++] = compile(span_of(at, text.n));
		at += text.n;
	}
	return ERR_OK;
}

void patterns_fini(struct patterns *p)
{
	free(p->items);
	free(p->bytes);
	*p = (struct patterns){ 0 };
}

bool patterns_match(const struct patterns *p, struct span path, size_t below_n, bool directory)
{
	size_t slash = span_rfind(path, '/');
	struct span name = slash == path.n ? path : span_skip(path, slash + 1);
	struct span below = span_skip(path, path.n - below_n);

	for (size_t i = 0; i < p->n; i++) {
		const struct pattern *a = &p->items[i];

		if (a->of_directory && !directory)
			continue;
		if (a->of_name ? name_match(a->text, name)
			       : path_match(a->text, a->absolute ? span_skip(path, 1) : below))
			return true;
	}
	return false;
}
