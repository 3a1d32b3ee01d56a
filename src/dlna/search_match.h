/* SPDX-License-Identifier: MIT */
/* Between search_criteria.c (reading) and search_match.c (judging). */
#pragma once

#include "dlna/property.h"
#include "dlna/search_criteria.h"

enum relation_op {
	RELATION_EQ,
	RELATION_NE,
	RELATION_LT,
	RELATION_LE,
	RELATION_GT,
	RELATION_GE,
	RELATION_CONTAINS,
	RELATION_LACKS, /* doesNotContain */
	RELATION_DERIVED,
	RELATION_EXISTS
};

/* The ends of relation.next[]. */
#define RELATION_NO SEARCH_STEP_NO
#define RELATION_YES SEARCH_STEP_YES

/** A value as a number: an integer; of res@duration, milliseconds. */
bool property_number(uint8_t property, struct span value, int64_t *out);
/** Fill known[] and holds[]. */
void criteria_decide(struct search_criteria *c);
/** Then steps: what is in them borrows from `c`, which must stay where it is. */
void criteria_steps(struct search_criteria *c);
