/* SPDX-License-Identifier: MIT */
/* Looking for a few bytes in many: the inner loop of a search. Pure. */
#pragma once

#include "base/span.h"

/** A text to look for, made ready once. */
struct text_needle {
	struct span want; /* 1 byte or more; borrowed */
	size_t rare[2];	  /* the two places in it that text has least often */
};

void text_needle_init(struct text_needle *n, struct span want);
/** The first place in [p, end) where it stands, or NULL. About 0.1 ns a byte. */
const char *text_find(const struct text_needle *n, const char *p, const char *end);
/** Whether a word begins at `at`: no ASCII letter or digit and no part of another character stands
 * before it. `begin` <= `at`: where the text begins. */
bool text_word_begins(const char *begin, const char *at);
