/* SPDX-License-Identifier: MIT */
/* Free text, as people type it: every word must be in the title, an artist or the album. */
#pragma once

#include "library/search.h"

#define SEARCH_WORDS_MAX 16
#define SEARCH_WORDS_BYTES_MAX 512

struct search_words {
	struct search_steps steps;
	char text[2 * SEARCH_WORDS_BYTES_MAX];
};

/** Words stand between spaces; case and accents do not count. One of one or two ASCII characters
 * must begin a word, others may stand anywhere. Without words nothing matches.
 * Lifetime: out->steps borrows from *out, which must stay where it is. Pure. Errors: ERR_LIMIT. */
NODISCARD enum err search_words_parse(struct span text, struct search_words *out);
/** A query for everything that matches. Lifetime: borrows from `words`. */
void search_words_query(const struct search_words *words, struct search_query *out);
