/* SPDX-License-Identifier: MIT */
/* Between search_plan.c (where to look) and search.c (looking). */
#pragma once

#include "library/search.h"

/** What is to be known of s->scope before anything is looked at. */
void search_scope(struct search *s);
/** Fill s->sources: the narrowest ones that hold everything below s->scope that can match. */
void search_plan(struct search *s);
/** Whether a file is below the container searched. */
bool search_has_media(struct search *s, struct fb_table media);
/** Whether a directory is s->scope_group, or below it. */
bool search_has_directory(struct search *s, uint64_t id);
bool search_has_static(const struct search *s, enum static_number number);
