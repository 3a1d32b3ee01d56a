/* SPDX-License-Identifier: MIT */
/* SearchCriteria: what parses can be judged, its verdicts agree with its matches, and its ways lead
 * forward only. */
#include "dlna/search_criteria.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_shape(const struct search_criteria *c, const struct search_query *q,
			const struct object *o)
{
	bool match = search_criteria_match(c, o);
	enum search_verdict v =
		o->kind == OBJECT_CONTAINER ? q->containers[o->container_class] : q->items[o->kind];
	ASSERT(v == SEARCH_MAYBE || match == (v == SEARCH_YES));
	ASSERT(q->needs_ids || match == q->matches(q->ctx, o));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct search_criteria c;
	struct search_query q;

	if (search_criteria_parse(span_of(data, n), &c) != ERR_OK)
		return 0;
	ASSERT(c.relations_n <= CRITERIA_RELATIONS_MAX && c.text_n <= sizeof c.text);
	for (unsigned i = 0; i < c.relations_n; i++)
		for (int side = 0; side < 2; side++)
			ASSERT(c.relations[i].next[side] > i &&
			       (c.relations[i].next[side] < c.relations_n ||
				c.relations[i].next[side] >= CRITERIA_RELATIONS_MAX));
	search_criteria_query(&c, &q);
	for (int class = 0; class < CONTAINER_CLASSES_N; class ++) {
		struct object o = { .kind = OBJECT_CONTAINER,
				    .container_class = (enum container_class) class,
				    .id = "al7",
				    .parent_id = "AL",
				    .title = SPAN("Song 7"),
				    .artist = class == CONTAINER_ALBUM ? SPAN("A")
								       : span_of(NULL, 0) };
		check_shape(&c, &q, &o);
	}
	return 0;
}
