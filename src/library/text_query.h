/* SPDX-License-Identifier: MIT */
/* A search through the text column: for each section, what its rows' texts decide, block by block,
 * with what changed since the column was built judged one by one and put in its place. */
#pragma once

#include "library/search.h"
#include "library/text.h"

/* Rows changed since the column was built; with more of them it is not used. */
#define TEXT_TAIL_MAX 65536u

/** NULL where the column cannot help: there is none, it is newer than the snapshot or too far
 * behind, or no question is about texts. At most about 2 MiB while it lasts (a changed row costs 56
 * bytes). `alone`: a directory that is not found, 0 for none. */
struct text_query *text_query_begin(struct text *text, const struct db_snap *sn,
				    const struct search_steps *steps, uint64_t alone);
void text_query_end(struct text_query *q); /* NULL is fine */

/** The section that holds the rows of this group, where the texts narrow it down; else -1. */
int text_query_section(const struct text_query *q, uint8_t table, uint8_t index, uint32_t group);

/** Whether a changed row matches, with the title that it sorts by. */
typedef bool text_judge_fn(void *ctx, uint64_t id, struct span *out_title);

/** Go to the beginning of a section. `certain`: whatever matches is below the container searched.
 * ERR_NOMEM. */
NODISCARD enum err text_section_begin(struct text_query *q, unsigned section, bool certain,
				      text_judge_fn *judge, void *ctx);
/** The next row that may match; *out_certain: it does. False at the end of the section. */
bool text_section_next(struct text_query *q, uint64_t *out_id, bool *out_certain);
/** Pass over at most n rows that match for certain, up to the next one that is not certain or the
 * end. Returns how many there were. */
uint64_t text_section_skip(struct text_query *q, uint64_t n);
