/* SPDX-License-Identifier: MIT */
/* The SortCriteria argument of Browse. */
#include "dlna/sort.h"

#include "base/attr.h"

static bool is_default_key(struct span key)
{
	static const char *const names[] = {
		"upnp:class",
		"dc:title",
		"upnp:album",
		"upnp:originalDiscNumber",
		"upnp:originalTrackNumber",
	};

	if (key.n > 0 && key.p[0] == '+') /* peers take a missing sign for it */
		key = span_skip(key, 1);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (span_eq(span_str(names[i]), key))
			return true;
	return false;
}

bool sort_is_default(struct span criteria)
{
	criteria = span_trim(criteria);
	while (criteria.n > 0)
		if (!is_default_key(span_trim(span_cut(&criteria, ','))))
			return false;
	return true;
}
