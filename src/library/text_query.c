/* SPDX-License-Identifier: MIT */
/* A block of the column at a time: which of its rows reach which question, as bits; questions about
 * titles by looking through the block's text, others by the numbers of the dictionary entries that
 * fit, found once. Counting all matches of a million titles is reading some 20 MB. */
#include "library/text_query.h"

#include <stdlib.h>

#include "library/tables.h"
#include "library/text_find.h"

#define BLOCK_WORDS (TEXT_BLOCK_ROWS / 64)
#define FILTER_BITS 65536u
#define SPARSE_ROWS 64	  /* so few rows of a block are looked at one by one */
#define COLLATE_PREFIX 22 /* bytes of a sort key that most comparisons need */

struct row_bits {
	uint64_t w[BLOCK_WORDS];
};

/* A changed row that matches: before which row of the column it stands. */
struct tail_hit {
	uint32_t pos, id;
	uint16_t key_n;
	uint8_t key[COLLATE_PREFIX];
};

struct tail {
	uint64_t *rows; /* table << 32 | id, sorted */
	uint32_t n, cap;
	uint64_t filter[FILTER_BITS / 64];
};

struct text_query {
	struct text *text;
	unsigned slot;
	const struct text_column *col;
	const struct db_snap *sn;
	const struct search_steps *steps;
	struct text_needle needles[SEARCH_STEPS_MAX];
	uint64_t *dict_hits[SEARCH_STEPS_MAX]; /* a bit per number; NULL: not about a dictionary */
	struct tail tail;

	/* the section at hand */
	unsigned section;
	bool certain;
	bool tail_here; /* it has rows of the section's table */
	struct tail_hit *hits;
	uint32_t hits_n, hits_cap, hit_at;
	uint32_t block; /* index; the section's end: nothing is left */
	struct text_block b;
	uint32_t at; /* the next row in it */
	struct row_bits yes, maybe;
	struct row_bits reach[SEARCH_STEPS_MAX];
};

/* ---- bits ------------------------------------------------------------------------------------ */

static bool bits_empty(const struct row_bits *b)
{
	uint64_t any = 0;
	for (unsigned i = 0; i < BLOCK_WORDS; i++)
		any |= b->w[i];
	return any == 0;
}

static uint32_t bits_count(const struct row_bits *b, uint32_t from, uint32_t to)
{
	uint32_t n = 0;
	for (uint32_t i = from / 64; i * 64 < to; i++) {
		uint64_t w = b->w[i];
		if (i == from / 64)
			w &= ~0ull << from % 64;
		if (to - i * 64 < 64)
			w &= (1ull << (to - i * 64)) - 1;
		n += (uint32_t)__builtin_popcountll(w);
	}
	return n;
}

/** The first row >= from that is in a or b, at most `to`. */
static uint32_t bits_next(const struct row_bits *a, const struct row_bits *b, uint32_t from,
			  uint32_t to)
{
	while (from < to) {
		uint64_t w = (a->w[from / 64] | b->w[from / 64]) >> from % 64;
		if (w)
			return MIN(from + (uint32_t)__builtin_ctzll(w), to);
		from = (from / 64 + 1) * 64;
	}
	return to;
}

static void bit_set(struct row_bits *b, uint32_t i)
{
	b->w[i / 64] |= 1ull << i % 64;
}

static bool bit_get(const uint64_t *w, uint32_t i)
{
	return w[i / 64] >> i % 64 & 1;
}

/* ---- what changed since ---------------------------------------------------------------------- */

static uint32_t filter_bit(uint64_t row)
{
	return (uint32_t)(row * 0x9e3779b97f4a7c15u >> 48) % FILTER_BITS;
}

static enum err tail_add(struct tail *t, uint64_t table, uint64_t id)
{
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap * 2 : 64;
		void *p = t->n >= TEXT_TAIL_MAX ? NULL : realloc(t->rows, cap * sizeof *t->rows);
		if (!p)
			return ERR_LIMIT;
		t->rows = p;
		t->cap = cap;
	}
	t->rows[t->n++] = table << 32 | id;
	return ERR_OK;
}

static enum err on_change(void *tail, unsigned table, uint64_t id)
{
	if (table != TABLE_MEDIA && table != TABLE_TERM && table != TABLE_ALBUM &&
	    table != TABLE_DIRECTORY)
		return ERR_OK;
	return tail_add(tail, table, id);
}

static int row_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static enum err tail_init(struct text_query *q, uint64_t alone)
{
	struct tail *t = &q->tail;
	enum err e = db_changes_since(q->sn, &q->col->mark, on_change, t);
	if (e == ERR_OK && alone)
		e = tail_add(t, TABLE_DIRECTORY, alone);
	for (uint32_t i = q->col->block_at[TEXT_ODD]; i < q->col->block_at[TEXT_ODD + 1]; i++) {
		uint32_t table, id;
		for (uint32_t r = 0; r < q->col->blocks[i].n && e == ERR_OK; r++) {
			text_odd_row(q->col, i, r, &table, &id);
			e = tail_add(t, table, id);
		}
	}
	if (e != ERR_OK)
		return e;
	if (t->n)
		qsort(t->rows, t->n, sizeof *t->rows, row_cmp);
	uint32_t n = 0;
	for (uint32_t i = 0; i < t->n; i++) {
		if (n && t->rows[n - 1] == t->rows[i])
			continue;
		t->rows[n++] = t->rows[i];
		uint32_t bit = filter_bit(t->rows[i]);
		t->filter[bit / 64] |= 1ull << bit % 64;
	}
	t->n = n;
	return ERR_OK;
}

/** The first of the tail that is not below `row`. */
static uint32_t tail_lower_bound(const struct tail *t, uint64_t row)
{
	uint32_t lo = 0, hi = t->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (t->rows[mid] < row)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool tail_has_table(const struct tail *t, uint64_t table)
{
	uint32_t at = tail_lower_bound(t, table << 32);
	return at < t->n && t->rows[at] >> 32 == table;
}

static bool tail_has(const struct tail *t, uint64_t table, uint64_t id)
{
	uint64_t row = table << 32 | id;
	if (!bit_get(t->filter, filter_bit(row)))
		return false;
	uint32_t at = tail_lower_bound(t, row);
	return at < t->n && t->rows[at] == row;
}

/* ---- dictionaries ---------------------------------------------------------------------------- */

static enum text_dict dict_of(enum search_field field)
{
	switch (field) {
	case SEARCH_ALBUM:
		return TEXT_ALBUMS;
	case SEARCH_GENRE:
		return TEXT_GENRES;
	default:
		return TEXT_ARTISTS;
	}
}

static uint8_t role_of(enum search_field field)
{
	switch (field) {
	case SEARCH_ARTIST:
		return TEXT_ROLE_ARTIST;
	case SEARCH_ALBUM_ARTIST:
		return TEXT_ROLE_ALBUM_ARTIST;
	default:
		return TEXT_ROLE_CREATOR; /* 1: of albums and genres, too */
	}
}

/** Whether what was found at `at` in the value [begin, end) is what was asked for. */
static bool fits(const struct search_step *step, const char *begin, const char *end, const char *at)
{
	switch (step->compare) {
	case SEARCH_EQUALS:
		return at == begin && at + step->want.n == end;
	case SEARCH_BEGINS_WORD:
		return text_word_begins(begin, at);
	default:
		return true;
	}
}

/** The same in a dictionary entry: of the value around `at`, whose role comes first. */
static bool fits_value(const struct search_step *step, struct span entry, const char *at)
{
	const char *begin = at;
	while (begin > entry.p && begin[-1] != '\0')
		begin--;
	const char *end = memchr(at, '\0', (size_t)(entry.p + entry.n - at));
	if (!end)
		end = entry.p + entry.n;
	return begin < at && (*begin & role_of(step->field)) && fits(step, begin + 1, end, at);
}

static void scan_dict_block(const struct text_query *q, unsigned i, uint32_t block, uint64_t *hits)
{
	const struct search_step *step = &q->steps->step[i];
	struct text_block b;
	text_block_get(q->col, block, &b);
	const char *at = b.text, *end = b.text + b.text_n;
	uint32_t row = 0;
	while ((at = text_find(&q->needles[i], at, end))) {
		row = text_block_row_at(&b, row, (uint32_t)(at - b.text));
		if (row == b.n)
			return;
		uint32_t number = b.first + row + 1;
		at++;
		if (fits_value(step, text_block_row(&b, row), at - 1)) {
			hits[number / 64] |= 1ull << number % 64;
			at = b.text + MIN(MAX(b.ends[row], (uint32_t)(at - b.text)), b.text_n);
		}
	}
}

static enum err scan_dict(struct text_query *q, unsigned i)
{
	uint32_t kind = TEXT_DICT + dict_of(q->steps->step[i].field);
	uint64_t *hits = calloc(q->col->rows_n[kind] / 64 + 1, sizeof *hits);
	q->dict_hits[i] = hits;
	if (!hits)
		return ERR_NOMEM;
	for (uint32_t b = q->col->block_at[kind]; b < q->col->block_at[kind + 1]; b++)
		scan_dict_block(q, i, b, hits);
	return ERR_OK;
}

/* ---- questions ------------------------------------------------------------------------------- */

/* The column's text has bytes below a space only as marks of its own. */
static bool is_answered(const struct search_step *step)
{
	if (!step->is_text || step->want.n == 0)
		return false;
	for (size_t i = 0; i < step->want.n; i++)
		if ((unsigned char)step->want.p[i] < ' ')
			return false;
	return true;
}

static void titles_one_by_one(const struct text_query *q, unsigned i, const struct row_bits *rows,
			      struct row_bits *out)
{
	const struct search_step *step = &q->steps->step[i];
	for (uint32_t r = bits_next(rows, rows, 0, q->b.n); r < q->b.n;
	     r = bits_next(rows, rows, r + 1, q->b.n)) {
		struct span title = text_block_row(&q->b, r);
		const char *at = title.p, *end = title.p + title.n;
		while ((at = text_find(&q->needles[i], at, end)) && !fits(step, title.p, end, at))
			at++;
		if (at)
			bit_set(out, r);
	}
}

static void all_titles(const struct text_query *q, unsigned i, struct row_bits *out)
{
	const struct search_step *step = &q->steps->step[i];
	const struct text_block *b = &q->b;
	const char *at = b->text, *end = b->text + b->text_n;
	uint32_t row = 0;
	while ((at = text_find(&q->needles[i], at, end))) {
		row = text_block_row_at(b, row, (uint32_t)(at - b->text));
		if (row >= b->n)
			return;
		struct span title = text_block_row(b, row);
		uint32_t next = (uint32_t)(at - b->text) + 1;
		if (fits(step, title.p, title.p + title.n, at)) {
			bit_set(out, row);
			next = MIN(MAX(b->ends[row], next), b->text_n);
		}
		at = b->text + next;
	}
}

static void by_numbers(const struct text_query *q, unsigned i, const struct row_bits *rows,
		       struct row_bits *out)
{
	enum text_dict dict = dict_of(q->steps->step[i].field);
	const uint32_t *numbers = q->b.numbers[dict];
	const uint64_t *hits = q->dict_hits[i];
	uint32_t max = q->col->rows_n[TEXT_DICT + dict];
	if (!numbers)
		return;
	for (uint32_t w = 0; w * 64 < q->b.n; w++) {
		uint64_t found = 0;
		uint32_t n = MIN(q->b.n - w * 64, 64);
		if (rows->w[w] == 0)
			continue;
		const uint32_t *number = numbers + (size_t)w * 64;
		if (__builtin_popcountll(rows->w[w]) < 24)
			for (uint64_t left = rows->w[w]; left; left &= left - 1) {
				unsigned k = (unsigned)__builtin_ctzll(left);
				found |= (uint64_t)bit_get(hits, MIN(number[k], max)) << k;
			}
		else
			for (uint32_t k = 0; k < n; k++)
				found |= (uint64_t)bit_get(hits, MIN(number[k], max)) << k;
		out->w[w] = found;
	}
}

static void ask(const struct text_query *q, unsigned i, const struct row_bits *rows,
		struct row_bits *out)
{
	memset(out, 0, sizeof *out);
	if (q->dict_hits[i])
		by_numbers(q, i, rows, out);
	else if (bits_count(rows, 0, q->b.n) <= SPARSE_ROWS)
		titles_one_by_one(q, i, rows, out);
	else
		all_titles(q, i, out);
}

static void lead(struct text_query *q, uint8_t next, const struct row_bits *rows, uint64_t flip,
		 const struct row_bits *held)
{
	struct row_bits *to = next == SEARCH_STEP_YES ? &q->yes
			      : next < SEARCH_STEP_NO ? &q->reach[next]
						      : NULL;
	for (unsigned w = 0; to && w < BLOCK_WORDS; w++)
		to->w[w] |= rows->w[w] & (held->w[w] ^ flip);
}

/** Follow all rows of the block through the questions. */
static void decide_block(struct text_query *q)
{
	const struct search_steps *s = q->steps;
	unsigned shape = text_sections[q->section].shape;
	struct row_bits held;
	memset(&q->yes, 0, sizeof q->yes);
	memset(&q->maybe, 0, sizeof q->maybe);
	memset(q->reach, 0, s->n * sizeof *q->reach);
	for (uint32_t r = 0; r < q->b.n; r += 64)
		q->reach[s->first].w[r / 64] = q->b.n - r < 64 ? (1ull << (q->b.n - r)) - 1 : ~0ull;
	for (unsigned i = s->first; i < s->n; i++) {
		const struct row_bits *rows = &q->reach[i];
		if (bits_empty(rows))
			continue;
		bool known = s->known[shape] >> i & 1;
		if (!known && !is_answered(&s->step[i])) {
			for (unsigned w = 0; w < BLOCK_WORDS; w++)
				q->maybe.w[w] |= rows->w[w];
			continue;
		}
		if (known)
			memset(&held, s->holds[shape] >> i & 1 ? 0xff : 0, sizeof held);
		else
			ask(q, i, rows, &held);
		lead(q, s->step[i].next[1], rows, 0, &held);
		lead(q, s->step[i].next[0], rows, ~0ull, &held);
	}
}

static void mask_tail(struct text_query *q, struct row_bits *rows)
{
	uint8_t table = text_sections[q->section].table;
	for (uint32_t r = bits_next(rows, rows, 0, q->b.n); r < q->b.n;
	     r = bits_next(rows, rows, r + 1, q->b.n))
		if (tail_has(&q->tail, table, q->b.ids[r]))
			rows->w[r / 64] &= ~(1ull << r % 64);
}

static void open_block(struct text_query *q)
{
	q->at = 0;
	if (q->block >= q->col->block_at[q->section + 1])
		return;
	text_block_get(q->col, q->block, &q->b);
	decide_block(q);
	if (q->tail_here) {
		mask_tail(q, &q->yes);
		mask_tail(q, &q->maybe);
	}
	if (!q->certain) {
		for (unsigned w = 0; w < BLOCK_WORDS; w++)
			q->maybe.w[w] |= q->yes.w[w];
		memset(&q->yes, 0, sizeof q->yes);
	}
}

/* ---- changed rows in their places ------------------------------------------------------------ */

static int key_cmp(struct span a, uint64_t a_id, struct span b, uint64_t b_id)
{
	int order = span_cmp(a, b);
	return order ? order : (a_id > b_id) - (a_id < b_id);
}

/** How row `pos` of the section compares with a key. */
static int row_order(const struct text_query *q, uint32_t pos, struct span key, uint64_t id)
{
	uint8_t mine[COLLATE_KEY_MAX];
	struct text_block b;
	text_block_get(q->col, text_block_of(q->col, q->section, pos), &b);
	uint32_t r = MIN(pos - b.first, b.n - 1);
	if (q->section == TEXT_DIRECTORIES)
		return (b.ids[r] > id) - (b.ids[r] < id);
	size_t n = library_collate_key(text_block_row(&b, r), mine);
	return key_cmp(span_of(mine, n), b.ids[r], key, id);
}

static uint32_t place_of(const struct text_query *q, struct span key, uint64_t id)
{
	uint32_t lo = 0, hi = q->col->rows_n[q->section];
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (row_order(q, mid, key, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct hit_sort {
	text_judge_fn *judge;
	void *ctx;
	bool by_id;
};

static int hit_cmp(const void *pa, const void *pb, void *ctx)
{
	const struct tail_hit *a = pa, *b = pb;
	const struct hit_sort *s = ctx;
	uint8_t ka[COLLATE_KEY_MAX], kb[COLLATE_KEY_MAX];
	struct span ta = { NULL, 0 }, tb = { NULL, 0 };
	if (a->pos != b->pos)
		return a->pos < b->pos ? -1 : 1;
	if (s->by_id)
		return (a->id > b->id) - (a->id < b->id);
	int order = memcmp(a->key, b->key, COLLATE_PREFIX);
	if (order || (a->key_n < COLLATE_PREFIX && b->key_n < COLLATE_PREFIX))
		return order ? order : (a->id > b->id) - (a->id < b->id);
	(void)s->judge(s->ctx, a->id, &ta); /* long titles: once more, and whole */
	(void)s->judge(s->ctx, b->id, &tb);
	return key_cmp(span_of(ka, library_collate_key(ta, ka)), a->id,
		       span_of(kb, library_collate_key(tb, kb)), b->id);
}

static enum err hit_add(struct text_query *q, uint64_t id, struct span title)
{
	uint8_t key[COLLATE_KEY_MAX];
	if (q->hits_n == q->hits_cap) {
		uint32_t cap = q->hits_cap ? q->hits_cap * 2 : 64;
		void *p = realloc(q->hits, cap * sizeof *q->hits);
		if (!p)
			return ERR_NOMEM;
		q->hits = p;
		q->hits_cap = cap;
	}
	size_t n = library_collate_key(title, key);
	struct tail_hit *h = &q->hits[q->hits_n++];
	*h = (struct tail_hit){ .pos = place_of(q, span_of(key, n), id),
				.id = (uint32_t)id,
				.key_n = (uint16_t)n };
	memcpy(h->key, key, MIN(n, COLLATE_PREFIX));
	return ERR_OK;
}

static enum err judge_tail(struct text_query *q, text_judge_fn *judge, void *ctx)
{
	uint64_t table = text_sections[q->section].table;
	struct span title;
	enum err e = ERR_OK;
	for (uint32_t i = tail_lower_bound(&q->tail, table << 32);
	     i < q->tail.n && q->tail.rows[i] >> 32 == table && e == ERR_OK; i++)
		if (judge(ctx, q->tail.rows[i] & UINT32_MAX, &title))
			e = hit_add(q, q->tail.rows[i] & UINT32_MAX, title);
	struct hit_sort how = { judge, ctx, q->section == TEXT_DIRECTORIES };
	if (e == ERR_OK && q->hits_n > 1)
		qsort_r(q->hits, q->hits_n, sizeof *q->hits, hit_cmp, &how);
	return e;
}

/* ---- walking --------------------------------------------------------------------------------- */

enum err text_section_begin(struct text_query *q, unsigned section, bool certain,
			    text_judge_fn *judge, void *ctx)
{
	q->section = section;
	q->certain = certain;
	q->hits_n = q->hit_at = 0;
	q->tail_here = tail_has_table(&q->tail, text_sections[section].table);
	enum err e = judge_tail(q, judge, ctx);
	if (e != ERR_OK)
		return e;
	q->block = q->col->block_at[section];
	open_block(q);
	return ERR_OK;
}

/** Whether a changed row is next; else *out_limit is how far the rows of this block come first. */
static bool hit_is_next(const struct text_query *q, uint32_t *out_limit)
{
	bool more = q->block < q->col->block_at[q->section + 1];
	uint32_t n = more ? q->b.n : 0;
	*out_limit = n;
	if (q->hit_at == q->hits_n)
		return false;
	uint32_t pos = q->hits[q->hit_at].pos;
	if (!more || pos <= q->b.first + q->at)
		return true;
	*out_limit = MIN(n, pos - q->b.first);
	return false;
}

/** Behind the last row that was to be looked at; false: the section has ended. */
static bool step_on(struct text_query *q, uint32_t limit)
{
	q->at = limit;
	if (q->block >= q->col->block_at[q->section + 1])
		return q->hit_at < q->hits_n;
	if (limit == q->b.n) {
		q->block++;
		open_block(q);
	}
	return true;
}

bool text_section_next(struct text_query *q, uint64_t *out_id, bool *out_certain)
{
	uint32_t limit;
	do {
		if (hit_is_next(q, &limit)) {
			*out_id = q->hits[q->hit_at++].id;
			*out_certain = true;
			return true;
		}
		uint32_t r = bits_next(&q->yes, &q->maybe, q->at, limit);
		if (r < limit) {
			q->at = r + 1;
			*out_id = q->b.ids[r];
			*out_certain = bit_get(q->yes.w, r);
			return true;
		}
	} while (step_on(q, limit));
	return false;
}

uint64_t text_section_skip(struct text_query *q, uint64_t n)
{
	static const struct row_bits none;
	uint64_t skipped = 0;
	uint32_t limit;
	while (skipped < n) {
		if (hit_is_next(q, &limit)) {
			q->hit_at++;
			skipped++;
			continue;
		}
		uint32_t stop = bits_next(&q->maybe, &none, q->at, limit);
		uint32_t have = bits_count(&q->yes, q->at, stop);
		if (have > n - skipped) {
			for (; skipped < n; skipped++)
				q->at = bits_next(&q->yes, &none, q->at, stop) + 1;
			return skipped;
		}
		skipped += have;
		q->at = stop;
		if (stop < limit || !step_on(q, limit))
			return skipped;
	}
	return skipped;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/** Whether rows of this shape cannot match when no question about texts holds. */
static bool narrows(const struct search_steps *s, unsigned shape)
{
	uint64_t reached = s->first < SEARCH_STEPS_MAX ? 1ull << s->first : 0;
	bool yes = s->first == SEARCH_STEP_YES;
	for (unsigned i = 0; i < s->n; i++) {
		if (!(reached >> i & 1))
			continue;
		bool known = s->known[shape] >> i & 1, asked = is_answered(&s->step[i]);
		for (unsigned side = 0; side < 2; side++) {
			if (known ? side != (s->holds[shape] >> i & 1) : asked && side == 1)
				continue;
			uint8_t next = s->step[i].next[side];
			yes |= next == SEARCH_STEP_YES;
			if (next < SEARCH_STEPS_MAX)
				reached |= 1ull << next;
		}
	}
	return !yes;
}

static bool helps(const struct search_steps *s)
{
	bool any = false, texts = false;
	for (unsigned shape = 0; shape < SEARCH_SHAPES; shape++)
		any |= narrows(s, shape);
	for (unsigned i = 0; i < s->n; i++)
		texts |= is_answered(&s->step[i]);
	return any && texts;
}

static enum err prepare(struct text_query *q, uint64_t alone)
{
	enum err e = tail_init(q, alone);
	for (unsigned i = 0; i < q->steps->n && e == ERR_OK; i++) {
		const struct search_step *step = &q->steps->step[i];
		if (!is_answered(step))
			continue;
		text_needle_init(&q->needles[i], step->want);
		if (step->field != SEARCH_TITLE)
			e = scan_dict(q, i);
	}
	return e;
}

struct text_query *text_query_begin(struct text *text, const struct db_snap *sn,
				    const struct search_steps *steps, uint64_t alone)
{
	if (!text || !steps || steps->n == 0 || !helps(steps))
		return NULL;
	unsigned slot;
	const struct text_column *col = text_pin(text, &slot);
	if (!col)
		return NULL;
	bool usable = text_column_sound(col);
	struct text_query *q = usable ? calloc(1, sizeof *q) : NULL;
	if (!q) {
		text_unpin(text, slot);
		if (!usable)
			text_refused(text);
		return NULL;
	}
	q->text = text;
	q->slot = slot;
	q->col = col;
	q->sn = sn;
	q->steps = steps;
	if (prepare(q, alone) == ERR_OK)
		return q;
	text_query_end(q);
	text_refused(text);
	return NULL;
}

void text_query_end(struct text_query *q)
{
	if (!q)
		return;
	for (unsigned i = 0; i < q->steps->n; i++)
		free(q->dict_hits[i]);
	free(q->hits);
	free(q->tail.rows);
	text_unpin(q->text, q->slot);
	free(q);
}

int text_query_section(const struct text_query *q, uint8_t table, uint8_t index, uint32_t group)
{
	if (!q)
		return -1;
	for (int i = 0; i < TEXT_SECTIONS_N; i++) {
		const struct text_section *s = &text_sections[i];
		if (s->table == table && s->index == index && s->group == group)
			return narrows(q->steps, s->shape) ? i : -1;
	}
	return -1;
}
