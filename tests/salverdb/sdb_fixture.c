/* SPDX-License-Identifier: MIT */
/* The tables and the model of the library's tests. */
#include "sdb_fixture.h"

#include <stdlib.h>

#include "base/num.h"

/* ---- records ---- */

static struct sx_value value_parse(struct sdb_bytes bytes)
{
	struct span s = span_of(bytes.p, bytes.n);
	uint64_t n[3] = { 0 };
	for (unsigned i = 0; i < 3; i++) { /* {"u":U,"w":W,"v":V} */
		(void)span_cut(&s, ':');
		struct span digits = span_first(s, span_find(s, i == 2 ? '}' : ','));
		EXPECT_OK(num_parse_u64(digits, 0, UINT32_MAX, &n[i]));
	}
	return (struct sx_value){ (uint32_t)n[0], (uint32_t)n[1], (uint32_t)n[2] };
}

struct sdb_bytes sx_value_make(struct sx_value v)
{
	static char text[16][4000];
	static unsigned turn;
	char *p = text[turn++ % 16];
	int n = snprintf(p, sizeof text[0], "{\"u\":%u,\"w\":%u,\"v\":%u}", v.u, v.w, v.v);
	size_t blanks = v.v % 11 == 0 ? v.v % 3000 : 0; /* some are longer */
	memset(p + n, ' ', blanks);
	return sdb_bytes(p, (size_t)n + blanks);
}

struct sx_value sx_value_random(void)
{
	return (struct sx_value){ (uint32_t)(test_random() % SX_UNIQUES),
				  (uint32_t)(test_random() % (1u << SX_WORDS_N)),
				  1 + (uint32_t)(test_random() % 100000) };
}

static void unique_keys(const struct sdb_record *record, struct sdb_keys *out, void *ctx)
{
	(void)ctx;
	struct sx_value v = value_parse(record->value);
	if (v.u)
		sdb_index_number(out, v.u);
}

static char word_text(uint32_t word)
{
	return (char)('a' + word / 2); /* two words share a first letter */
}

static void word_keys(const struct sdb_record *record, struct sdb_keys *out, void *ctx)
{
	(void)ctx;
	struct sx_value v = value_parse(record->value);
	for (uint32_t w = 0; w < SX_WORDS_N; w++) {
		char text[2] = { word_text(w), (char)('0' + w) };
		if (v.w >> w & 1)
			sdb_index_key(out, text, 2);
	}
}

static const struct sdb_index indexes[] = {
	[SX_UNIQUE] = { .name = "unique", .unique = true, .keys = unique_keys },
	[SX_WORDS] = { .name = "words", .keys = word_keys },
};

const struct sdb_table sx_tables[SX_TABLES] = {
	[SX_BY_ID] = { .name = "by_id", .indexes = indexes + 1, .indexes_n = 1 },
	[SX_BY_STRING] = { .name = "by_string",
			   .key = SDB_KEY_STRING,
			   .codec = SDB_JSON,
			   .indexes = indexes,
			   .indexes_n = 2 },
	[SX_BY_U64] = { .name = "by_u64", .key = SDB_KEY_U64, .indexes = indexes, .indexes_n = 2 },
};

static bool has_unique(unsigned table)
{
	return table != SX_BY_ID;
}

static unsigned words_index(unsigned table)
{
	return table == SX_BY_ID ? 0 : SX_WORDS;
}

struct sdb_key sx_key(unsigned table, unsigned i)
{
	static char text[SX_KEYS][SDB_KEY_MAX];
	static const uint64_t far[] = { 0, UINT64_MAX, 1ull << 40, 255, 256 };
	if (table == SX_BY_ID)
		return sdb_number(i * 3 + 1);
	if (table == SX_BY_U64)
		return sdb_number(i < 5 ? far[i] : i * 0x9e3779b97f4a7c15u);
	if (i == 0)
		return sdb_text("");
	size_t n = i % 7 == 0 ? SDB_KEY_MAX - i % 3 : 1 + i % 30;
	memset(text[i], i % 5 == 0 ? 0 : 'k', n);
	text[i][n / 2] = (char)i;
	text[i][n - 1] = (char)(200 + i);
	return sdb_text_n(text[i], n);
}

/* ---- the model ---- */

bool sx_model_conflict(const struct sx_model *m, unsigned table, unsigned i, struct sx_value v)
{
	for (unsigned k = 0; has_unique(table) && v.u && k < SX_KEYS; k++)
		if (k != i && m->at[table][k].v && m->at[table][k].u == v.u)
			return true;
	return false;
}

static unsigned order_table;

static int key_order(const void *a, const void *b)
{
	struct sdb_key x = sx_key(order_table, *(const unsigned *)a);
	struct sdb_key y = sx_key(order_table, *(const unsigned *)b);
	if (order_table == SX_BY_STRING)
		return span_cmp(span_of(x.text.p, x.text.n), span_of(y.text.p, y.text.n));
	return x.number < y.number ? -1 : x.number > y.number;
}

static unsigned model_list(const struct sx_model *m, unsigned table, unsigned out[SX_KEYS])
{
	unsigned n = 0;
	for (unsigned i = 0; i < SX_KEYS; i++)
		if (m->at[table][i].v)
			out[n++] = i;
	order_table = table;
	qsort(out, n, sizeof *out, key_order);
	return n;
}

/* ---- comparing ---- */

static void record_expect(const struct sx_model *m, unsigned table, unsigned i,
			  const struct sdb_record *r)
{
	struct sdb_key key = sx_key(table, i);
	struct sdb_bytes value = sx_value_make(m->at[table][i]);
	EXPECT_SPAN(span_of(value.p, value.n), span_of(r->value.p, r->value.n));
	EXPECT_U64(0, (uintptr_t)r->value.p % 8);
	if (table == SX_BY_STRING)
		EXPECT_SPAN(span_of(key.text.p, key.text.n), span_of(r->key.text.p, r->key.text.n));
	else
		EXPECT_U64(key.number, r->key.number);
}

static void all_expect(struct sdb_txn *txn, const struct sx_model *m, unsigned table)
{
	unsigned want[SX_KEYS], n = model_list(m, table, want);
	struct sdb_record r;
	struct sdb_cursor *c = NULL;
	EXPECT_U64(n, sdb_len(txn, table));
	EXPECT_I64(SDB_OK, sdb_all(txn, table, &c));
	EXPECT_U64(n, sdb_cursor_count(c));
	for (unsigned i = 0; i < n; i++) {
		EXPECT_I64(SDB_OK, sdb_cursor_next(c, &r));
		record_expect(m, table, want[i], &r);
	}
	EXPECT_I64(SDB_NOTFOUND, sdb_cursor_next(c, &r));
	uint64_t at = test_random() % (n + 2);
	sdb_cursor_seek(c, at);
	for (; at < n; at++) {
		EXPECT_I64(SDB_OK, sdb_cursor_next(c, &r));
		record_expect(m, table, want[at], &r);
	}
	EXPECT_I64(SDB_NOTFOUND, sdb_cursor_next(c, &r));
	sdb_cursor_close(c);
}

/* The records of a cursor are exactly those whose bit is set in `want`, each once. */
static void set_expect(struct sdb_cursor *c, const struct sx_model *m, unsigned table,
		       uint64_t want)
{
	struct sdb_record r;
	EXPECT_U64((uint64_t)__builtin_popcountll(want), sdb_cursor_count(c));
	while (sdb_cursor_next(c, &r) == SDB_OK) {
		unsigned i = 0;
		while (i < SX_KEYS) {
			struct sdb_key k = sx_key(table, i);
			if (k.number == r.key.number &&
			    (table != SX_BY_STRING || span_eq(span_of(k.text.p, k.text.n),
							      span_of(r.key.text.p, r.key.text.n))))
				break;
			i++;
		}
		EXPECT(i < SX_KEYS && want >> i & 1);
		want &= ~(1ull << i);
		record_expect(m, table, i, &r);
	}
	EXPECT_U64(0, want);
	sdb_cursor_close(c);
}

static void words_expect(struct sdb_txn *txn, const struct sx_model *m, unsigned table)
{
	struct sdb_cursor *c = NULL;
	for (uint32_t w = 0; w < SX_WORDS_N; w++) {
		uint64_t want = 0;
		char text[2] = { word_text(w), (char)('0' + w) };
		for (unsigned i = 0; i < SX_KEYS; i++)
			if (m->at[table][i].v && m->at[table][i].w >> w & 1)
				want |= 1ull << i;
		EXPECT_I64(SDB_OK,
			   sdb_find(txn, table, words_index(table), sdb_bytes(text, 2), &c));
		set_expect(c, m, table, want);
	}
	uint64_t letters = 0;
	for (unsigned i = 0; i < SX_KEYS; i++)
		letters += m->at[table][i].v ? (uint64_t)__builtin_popcount(m->at[table][i].w & 12)
					     : 0;
	EXPECT_I64(SDB_OK, sdb_find_prefix(txn, table, words_index(table), sdb_str("b"), &c));
	EXPECT_U64(letters, sdb_cursor_count(c));
	sdb_cursor_close(c);
	EXPECT_I64(SDB_OK,
		   sdb_find_range(txn, table, words_index(table), sdb_str("b"), sdb_str("c"), &c));
	EXPECT_U64(letters, sdb_cursor_count(c));
	sdb_cursor_close(c);
}

static void uniques_expect(struct sdb_txn *txn, const struct sx_model *m, unsigned table)
{
	for (uint32_t u = 1; u < SX_UNIQUES; u++) {
		struct sdb_cursor *c = NULL;
		uint64_t want = 0;
		uint8_t key[8] = { [7] = (uint8_t)u };
		for (unsigned i = 0; i < SX_KEYS; i++)
			if (m->at[table][i].v && m->at[table][i].u == u)
				want |= 1ull << i;
		EXPECT(__builtin_popcountll(want) <= 1);
		EXPECT_I64(SDB_OK, sdb_find(txn, table, SX_UNIQUE, sdb_bytes(key, 8), &c));
		set_expect(c, m, table, want);
	}
}

void sx_expect(struct sdb_txn *txn, const struct sx_model *m)
{
	for (unsigned t = 0; t < SX_TABLES; t++) {
		struct sdb_record r;
		for (unsigned i = 0; i < SX_KEYS; i++) {
			enum sdb_err e = sdb_get(txn, t, sx_key(t, i), &r);
			EXPECT_I64(m->at[t][i].v ? SDB_OK : SDB_NOTFOUND, e);
			if (e == SDB_OK)
				record_expect(m, t, i, &r);
		}
		all_expect(txn, m, t);
		words_expect(txn, m, t);
		if (has_unique(t))
			uniques_expect(txn, m, t);
	}
}

void sx_expect_now(struct sdb *db, const struct sx_model *m)
{
	struct sdb_txn *txn;
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	sx_expect(txn, m);
	sdb_end(txn);
}

static void finding(void *ctx, const char *line)
{
	(void)ctx;
	printf("check: %s\n", line);
}

void sx_expect_sound(struct sdb *db)
{
	EXPECT_I64(SDB_OK, sdb_check(db, finding, NULL));
}

/* ---- driving ---- */

struct sdb_options sx_options(const char *dir)
{
	return (struct sdb_options){ .dir = dir, .tables = sx_tables, .tables_n = SX_TABLES };
}

struct sdb *sx_open(const char *dir)
{
	struct sdb_options o = sx_options(dir);
	struct sdb_why why = { 0 };
	struct sdb *db = NULL;
	enum sdb_err e = sdb_open(&o, &db, &why);
	if (e != SDB_OK)
		printf("sdb_open: %s\n", why.text);
	EXPECT_I64(SDB_OK, e);
	return db;
}

void sx_closep(struct sdb **db)
{
	sdb_close(*db);
	*db = NULL;
}
