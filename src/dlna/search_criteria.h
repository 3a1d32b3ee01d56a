/* SPDX-License-Identifier: MIT */
/* The SearchCriteria argument of Search (section 2.5.5 of ContentDirectory:1): parsed once into
 * relations that jump to one another, so that judging an object needs no stack and stops early. */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "library/search.h"

#define CRITERIA_TEXT_MAX 4096			/* bytes of the argument */
#define CRITERIA_RELATIONS_MAX SEARCH_STEPS_MAX /* "property operator value" */
#define CRITERIA_DEPTH_MAX 16			/* nested parentheses */

struct relation {
	uint8_t property, op;
	uint8_t next[2]; /* where to go on when it is false / true */
	bool exists;	 /* of the operator exists: what is asked for */
	bool is_number;
	int64_t number;
	uint16_t text_at, text_n; /* the value, folded */
};

struct search_criteria {
	unsigned relations_n; /* 0: everything matches */
	uint8_t first;
	struct relation relations[CRITERIA_RELATIONS_MAX];
	/* by shape, a bit per relation: whether the shape alone decides it, and how */
	uint64_t known[SEARCH_SHAPES], holds[SEARCH_SHAPES];
	struct search_steps steps; /* the same for the library */
	size_t text_n;
	char text[2 * CRITERIA_TEXT_MAX];
};

/** "*" matches everything, and so does an empty argument, which old Samsung TVs send. Operators may
 * be in any case and stand without spaces. Pure. Errors: ERR_INVALID, ERR_LIMIT. */
NODISCARD enum err search_criteria_parse(struct span text, struct search_criteria *out);
/** Pure. Needs of the object: what its properties say, see property_value(). */
bool search_criteria_match(const struct search_criteria *c, const struct object *o);
/** What the library has to know to look only where matches can be.
 * Lifetime: *out borrows from `c`. */
void search_criteria_query(const struct search_criteria *c, struct search_query *out);
