/* SPDX-License-Identifier: MIT */
/* Each word is three questions; where one holds, the next word is asked for. */
#include "library/search_words.h"

#define FIELDS_N 3

/** Short ones are in nearly every title; what is meant is a beginning. */
static bool is_short(struct span word)
{
	return word.n <= 2 && (word.p[0] & 0x80) == 0 && (word.p[word.n - 1] & 0x80) == 0;
}

static struct span next_word(struct span *rest)
{
	size_t n = 0;
	while (rest->n > 0 && (unsigned char)*rest->p <= ' ')
		*rest = span_skip(*rest, 1);
	while (n < rest->n && (unsigned char)rest->p[n] > ' ')
		n++;
	struct span word = span_first(*rest, n);
	*rest = span_skip(*rest, n);
	return word;
}

enum err search_words_parse(struct span text, struct search_words *out)
{
	static const uint8_t fields[FIELDS_N] = { SEARCH_TITLE, SEARCH_ARTIST, SEARCH_ALBUM };
	struct search_steps *s = &out->steps;

	_Static_assert(SEARCH_WORDS_MAX * FIELDS_N <= SEARCH_STEPS_MAX, "steps");
	if (text.n > SEARCH_WORDS_BYTES_MAX)
		return ERR_LIMIT;
	memset(s, 0, sizeof *s);
	struct span rest = span_of(out->text, library_fold(text, out->text, sizeof out->text));
	for (struct span word = next_word(&rest); word.n > 0; word = next_word(&rest)) {
		if (s->n + FIELDS_N > SEARCH_WORDS_MAX * FIELDS_N)
			return ERR_LIMIT;
		for (unsigned f = 0; f < FIELDS_N; f++) {
			unsigned i = s->n + f;
			s->step[i] = (struct search_step){
				.is_text = true,
				.field = fields[f],
				.compare = is_short(word) ? SEARCH_BEGINS_WORD : SEARCH_CONTAINS,
				.next = { (uint8_t)(i + 1), (uint8_t)(s->n + FIELDS_N) },
				.want = word,
			};
		}
		s->step[s->n + FIELDS_N - 1].next[0] = SEARCH_STEP_NO;
		s->n += FIELDS_N;
	}
	for (unsigned i = 0; i < s->n; i++)
		if (s->step[i].next[1] == s->n)
			s->step[i].next[1] = SEARCH_STEP_YES;
	s->first = s->n ? 0 : SEARCH_STEP_NO;
	return ERR_OK;
}

static bool match(const void *steps, const struct object *o)
{
	return search_steps_match(steps, o);
}

void search_words_query(const struct search_words *words, struct search_query *out)
{
	*out = (struct search_query){ .matches = match,
				      .ctx = &words->steps,
				      .steps = &words->steps };
	enum search_verdict v = words->steps.n ? SEARCH_MAYBE : SEARCH_NO;
	for (size_t i = OBJECT_AUDIO; i < ARRAY_LEN(out->items); i++)
		out->items[i] = v;
	for (size_t i = 0; i < ARRAY_LEN(out->containers); i++)
		out->containers[i] = v;
}
