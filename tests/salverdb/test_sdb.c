/* SPDX-License-Identifier: MIT */
/* The library's edges, one by one. */
#include <stdlib.h>
#include <unistd.h>

#include "base/version.h"
#include "salverdb/sdb_priv.h"
#include "sdb_fixture.h"

static void put_ok(struct sdb *db, unsigned table, struct sdb_key key, struct sdb_bytes value)
{
	EXPECT_I64(SDB_OK, sdb_put_now(db, table, key, value));
}

static struct sdb_txn *write_begin(struct sdb *db)
{
	struct sdb_txn *txn = NULL;
	EXPECT_I64(SDB_OK, sdb_begin_write(db, &txn));
	return txn;
}

static void value_expect(struct sdb *db, unsigned table, struct sdb_key key, struct sdb_bytes want)
{
	struct sdb_txn *txn;
	struct sdb_record r;
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	EXPECT_I64(SDB_OK, sdb_get(txn, table, key, &r));
	EXPECT_SPAN(span_of(want.p, want.n), span_of(r.value.p, r.value.n));
	sdb_end(txn);
}

static enum sdb_err open_with(const char *dir, const struct sdb_table *tables, unsigned n,
			      bool read_only, struct sdb **out, struct sdb_why *why)
{
	struct sdb_options o = {
		.dir = dir, .tables = tables, .tables_n = n, .read_only = read_only
	};
	return sdb_open(&o, out, why);
}

/* ---- opening --------------------------------------------------------------------------------- */

TEST(sdb_open, an_empty_database_is_empty_and_stays_so)
{
	const char *dir = test_tmpdir();
	struct sx_model m = { 0 };
	for (int i = 0; i < 3; i++) {
		CLEANUP(sx_closep) struct sdb *db = sx_open(dir);
		sx_expect_now(db, &m);
		sx_expect_sound(db);
	}
}

TEST(sdb_version, is_that_of_the_program)
{
	EXPECT_STR(SALVER_VERSION, SDB_VERSION);
}

TEST(sdb_open, a_second_writer_is_refused_and_a_reader_is_not)
{
	const char *dir = test_tmpdir();
	struct sdb *none = NULL;
	struct sdb_why why = { 0 };
	EXPECT_I64(SDB_NOTFOUND, open_with(dir, sx_tables, SX_TABLES, true, &none, &why));
	CLEANUP(sx_closep) struct sdb *db = sx_open(dir);
	put_ok(db, SX_BY_STRING, sdb_text("k"), sdb_str("{\"u\":1,\"w\":2,\"v\":3}"));
	EXPECT_I64(SDB_BUSY, open_with(dir, sx_tables, SX_TABLES, false, &none, &why));
	EXPECT(strstr(why.text, dir) != NULL);
	CLEANUP(sx_closep) struct sdb *reader = NULL;
	EXPECT_I64(SDB_OK, open_with(dir, sx_tables, SX_TABLES, true, &reader, &why));
	value_expect(reader, SX_BY_STRING, sdb_text("k"), sdb_str("{\"u\":1,\"w\":2,\"v\":3}"));
	EXPECT_I64(SDB_ACCESS, sdb_put_now(reader, SX_BY_STRING, sdb_text("k"), sdb_str("{}")));
	struct sdb_txn *txn;
	EXPECT_I64(SDB_ACCESS, sdb_begin_write(reader, &txn));
	EXPECT_I64(SDB_ACCESS, sdb_checkpoint(reader));
}

static void no_keys(const struct sdb_record *record, struct sdb_keys *out, void *ctx)
{
	(void)record, (void)out, (void)ctx;
}

TEST(sdb_open, a_malformed_declaration_is_refused)
{
	const struct sdb_index good = { .name = "x", .keys = no_keys };
	const struct sdb_index same[] = { good, good }, no_function = { .name = "x" };
	const struct sdb_table bad[] = {
		{ .name = NULL },
		{ .name = "" },
		{ .name = "two words" },
		{ .name = "0123456789012345678901234567890123456789012345678901234567890123" },
		{ .name = "t", .key = (enum sdb_key_kind)3 },
		{ .name = "t", .codec = (enum sdb_codec)3 },
		{ .name = "t", .codec = SDB_FLATBUFFER },
		{ .name = "t", .indexes = same, .indexes_n = 2 },
		{ .name = "t", .indexes = &no_function, .indexes_n = 1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sdb *db = NULL;
		struct sdb_why why = { 0 };
		EXPECT_I64(SDB_INVALID, open_with(test_tmpdir(), &bad[i], 1, false, &db, &why));
		EXPECT(why.text[0] != '\0');
	}
	const struct sdb_table twice[] = { { .name = "t" }, { .name = "t" } };
	struct sdb *db = NULL;
	EXPECT_I64(SDB_INVALID, open_with(test_tmpdir(), twice, 2, false, &db, NULL));
	EXPECT_I64(SDB_INVALID, open_with(test_tmpdir(), twice, 0, false, &db, NULL));
}

TEST(sdb_open, tables_must_be_declared_as_they_are_stored)
{
	const char *dir = test_tmpdir();
	const struct sdb_table first[] = { { .name = "a" }, { .name = "b" } };
	const struct sdb_table turned[] = { { .name = "b" }, { .name = "a" } };
	const struct sdb_table other_key[] = { { .name = "a" },
					       { .name = "b", .key = SDB_KEY_STRING } };
	const struct sdb_table other_codec[] = { { .name = "a", .codec = SDB_JSON },
						 { .name = "b" } };
	const struct sdb_table more[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
	struct sdb *db = NULL;
	struct sdb_why why = { 0 };
	EXPECT_I64(SDB_OK, open_with(dir, first, 2, false, &db, &why));
	put_ok(db, 1, sdb_number(5), sdb_str("five"));
	sx_closep(&db);
	EXPECT_I64(SDB_INVALID, open_with(dir, turned, 2, false, &db, &why));
	EXPECT(strstr(why.text, "\"a\"") != NULL);
	EXPECT_I64(SDB_INVALID, open_with(dir, other_key, 2, false, &db, &why));
	EXPECT(strstr(why.text, "\"b\"") != NULL);
	EXPECT_I64(SDB_INVALID, open_with(dir, other_codec, 2, false, &db, &why));
	EXPECT_I64(SDB_VERSION_ERR, open_with(dir, first, 1, false, &db, &why));
	EXPECT_I64(SDB_OK, open_with(dir, more, 3, false, &db, &why));
	value_expect(db, 1, sdb_number(5), sdb_str("five"));
	put_ok(db, 2, sdb_number(1), sdb_str("new"));
	sx_closep(&db);
	EXPECT_I64(SDB_VERSION_ERR, open_with(dir, first, 2, false, &db, &why));
	EXPECT_I64(SDB_OK, open_with(dir, more, 3, false, &db, &why));
	value_expect(db, 2, sdb_number(1), sdb_str("new"));
	sx_closep(&db);
}

static void whole_value(const struct sdb_record *record, struct sdb_keys *out, void *ctx)
{
	(void)ctx;
	sdb_index_key(out, record->value.p, record->value.n);
}

static void first_byte(const struct sdb_record *record, struct sdb_keys *out, void *ctx)
{
	(void)ctx;
	if (record->value.n)
		sdb_index_key(out, record->value.p, 1);
}

static uint64_t found_n(struct sdb *db, unsigned index, const char *key)
{
	struct sdb_txn *txn;
	struct sdb_cursor *c;
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	EXPECT_I64(SDB_OK, sdb_find(txn, 0, index, sdb_str(key), &c));
	uint64_t n = sdb_cursor_count(c);
	sdb_cursor_close(c);
	sdb_end(txn);
	return n;
}

TEST(sdb_open, indexes_that_are_declared_anew_are_made_from_the_records)
{
	const char *dir = test_tmpdir();
	const struct sdb_index one = { .name = "whole", .keys = whole_value };
	const struct sdb_index both[] = { { .name = "first", .keys = first_byte }, one };
	const struct sdb_index changed = { .name = "whole", .keys = first_byte };
	struct sdb_table t = { .name = "t", .key = SDB_KEY_STRING };
	struct sdb *db = NULL;
	struct sdb_why why = { 0 };
	EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, &why));
	put_ok(db, 0, sdb_text("1"), sdb_str("ab"));
	put_ok(db, 0, sdb_text("2"), sdb_str("ac"));
	sx_closep(&db);
	t.indexes = both;
	t.indexes_n = 2;
	EXPECT_I64(SDB_INVALID, open_with(dir, &t, 1, true, &db, &why));
	for (int i = 0; i < 2; i++) { /* made, then found as it is */
		EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, &why));
		EXPECT_U64(2, found_n(db, 0, "a"));
		EXPECT_U64(1, found_n(db, 1, "ac"));
		sx_expect_sound(db);
		sx_closep(&db);
	}
	t.indexes = &changed;
	t.indexes_n = 1;
	t.index_version = 1;
	EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, &why));
	EXPECT_U64(2, found_n(db, 0, "a"));
	EXPECT_U64(0, found_n(db, 0, "ac"));
	sx_expect_sound(db);
	sx_closep(&db);
}

static void finding_keep(void *ctx, const char *line)
{
	snprintf(ctx, 512, "%s", line);
}

TEST(sdb_open, an_index_declared_unique_over_equal_keys_is_refused_and_named)
{
	const char *dir = test_tmpdir();
	const struct sdb_index many[] = { { .name = "whole", .keys = whole_value },
					  { .name = "first", .keys = first_byte } };
	const struct sdb_index unique[] = {
		{ .name = "whole", .unique = true, .keys = whole_value },
		{ .name = "first", .unique = true, .keys = first_byte }
	};
	struct sdb_table t = {
		.name = "t", .key = SDB_KEY_STRING, .indexes = many, .indexes_n = 2
	};
	struct sdb *db = NULL;
	struct sdb_why why = { 0 };
	EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, &why));
	put_ok(db, 0, sdb_text("1"), sdb_str("ab"));
	put_ok(db, 0, sdb_text("2"), sdb_str("ac"));
	sx_closep(&db);
	t.indexes = unique;
	for (int i = 0; i < 2; i++) { /* and it stays refused */
		EXPECT_I64(SDB_EXISTS, open_with(dir, &t, 1, false, &db, &why));
		EXPECT(strstr(why.text, "\"first\"") && strstr(why.text, "\"t\""));
		EXPECT(strstr(why.text, "\"a\"") != NULL);
	}
	t.indexes = many; /* as it was declared it is still there, and can be mended */
	EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, &why));
	EXPECT_U64(2, found_n(db, 1, "a"));
	EXPECT_I64(SDB_OK, sdb_remove_now(db, 0, sdb_text("2")));
	sx_closep(&db);
	t.indexes = unique;
	EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, &why));
	EXPECT_I64(SDB_EXISTS, sdb_put_now(db, 0, sdb_text("2"), sdb_str("ac")));
	EXPECT_U64(1, found_n(db, 1, "a"));
	sx_expect_sound(db);
	sx_closep(&db);
}

/* The function behind the index gives other keys than before, but nobody raised its version: the
 * only way to equal keys in a unique index. */
TEST(sdb_check, equal_keys_in_a_unique_index_are_reported)
{
	const char *dir = test_tmpdir();
	const struct sdb_index whole = { .name = "u", .unique = true, .keys = whole_value };
	const struct sdb_index first = { .name = "u", .unique = true, .keys = first_byte };
	struct sdb_table t = {
		.name = "t", .key = SDB_KEY_STRING, .indexes = &whole, .indexes_n = 1
	};
	struct sdb *db = NULL;
	struct sdb_why why = { 0 };
	struct err_info info = { 0 };
	char line[512] = "";
	EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, &why));
	put_ok(db, 0, sdb_text("1"), sdb_str("ab"));
	put_ok(db, 0, sdb_text("2"), sdb_str("ac"));
	EXPECT_I64(SDB_OK, sdb_check(db, finding_keep, line));
	sx_closep(&db);
	t.indexes = &first;
	EXPECT_OK(index_files_remove(dir, &info)); /* made anew from the log */
	EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, &why));
	EXPECT_I64(SDB_CORRUPT, sdb_check(db, finding_keep, line));
	EXPECT(strstr(line, "\"u\"") && strstr(line, "\"a\""));
	sx_closep(&db);
}

TEST(sdb_backup, is_a_database_and_never_takes_another_ones_place)
{
	char dir[300], copy[300];
	struct sx_model m = { 0 };
	struct sdb_why why = { 0 };
	const struct sx_value v = { 1, 2, 3 };
	snprintf(dir, sizeof dir, "%s/db", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/copy", test_tmpdir());
	struct sdb *db = sx_open(dir);
	put_ok(db, SX_BY_U64, sx_key(SX_BY_U64, 1), sx_value_make(v));
	m.at[SX_BY_U64][1] = v;
	struct sdb_txn *txn = write_begin(db);
	EXPECT_I64(SDB_BUSY, sdb_backup(db, copy, &why));
	sdb_end(txn);
	EXPECT_I64(SDB_EXISTS, sdb_backup(db, dir, &why));
	EXPECT(why.text[0] != '\0');
	EXPECT_I64(SDB_OK, sdb_backup(db, copy, &why));
	put_ok(db, SX_BY_U64, sx_key(SX_BY_U64, 2), sx_value_make((struct sx_value){ 2, 2, 2 }));
	sdb_close(db);
	db = sx_open(copy);
	sx_expect_now(db, &m);
	sx_expect_sound(db);
	sdb_close(db);
}

/* ---- keys and values ------------------------------------------------------------------------- */

TEST(sdb_key, strings_may_be_empty_long_and_any_bytes_but_not_too_long)
{
	const char *dir = test_tmpdir();
	const struct sdb_table t = { .name = "t", .key = SDB_KEY_STRING };
	static char text[SDB_KEY_MAX + 1];
	memset(text, 0xff, sizeof text);
	const struct sdb_key keys[] = { sdb_text(""),
					sdb_text_n("", 1),
					sdb_text_n("\0\0", 2),
					sdb_text("a"),
					sdb_text_n("a\0", 2),
					sdb_text_n("a\0b", 3),
					sdb_text("b"),
					sdb_text_n(text, 19),
					sdb_text_n(text, 20),
					sdb_text_n(text, 21),
					sdb_text_n(text, SDB_KEY_MAX) };
	for (int reopened = 0; reopened < 2; reopened++) {
		CLEANUP(sx_closep) struct sdb *db = NULL;
		EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, NULL));
		for (size_t i = ARRAY_LEN(keys); !reopened && i-- > 0;)
			put_ok(db, 0, keys[i], sdb_bytes(&i, sizeof i));
		struct sdb_key over = sdb_text_n(text, SDB_KEY_MAX + 1);
		EXPECT_I64(SDB_LIMIT, sdb_put_now(db, 0, over, sdb_str("x")));
		struct sdb_txn *txn;
		struct sdb_cursor *c;
		struct sdb_record r;
		EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
		EXPECT_I64(SDB_NOTFOUND, sdb_get(txn, 0, over, &r));
		EXPECT_I64(SDB_OK, sdb_all(txn, 0, &c));
		for (size_t i = 0; i < ARRAY_LEN(keys); i++) { /* in byte order */
			EXPECT_I64(SDB_OK, sdb_cursor_next(c, &r));
			EXPECT_SPAN(span_of(keys[i].text.p, keys[i].text.n),
				    span_of(r.key.text.p, r.key.text.n));
			EXPECT(memcmp(r.value.p, &i, sizeof i) == 0);
			EXPECT_I64(SDB_OK, sdb_contains(txn, 0, keys[i]));
		}
		EXPECT_I64(SDB_NOTFOUND, sdb_cursor_next(c, &r));
		sdb_cursor_close(c);
		sdb_end(txn);
	}
}

TEST(sdb_key, ids_are_one_to_two_to_the_32_less_one)
{
	CLEANUP(sx_closep) struct sdb *db = NULL;
	const struct sdb_table t = { .name = "t" };
	EXPECT_I64(SDB_OK, open_with(test_tmpdir(), &t, 1, false, &db, NULL));
	struct sdb_txn *txn = write_begin(db);
	uint64_t id = 0;
	EXPECT_I64(SDB_LIMIT, sdb_put(txn, 0, sdb_number(0), sdb_str("x")));
	EXPECT_I64(SDB_LIMIT, sdb_put(txn, 0, sdb_number(1ull << 32), sdb_str("x")));
	EXPECT_I64(SDB_OK, sdb_add(txn, 0, sdb_str("one"), &id));
	EXPECT_U64(1, id);
	EXPECT_I64(SDB_OK, sdb_put(txn, 0, sdb_number(UINT32_MAX - 1), sdb_str("last but one")));
	EXPECT_I64(SDB_OK, sdb_add(txn, 0, sdb_str("last"), &id));
	EXPECT_U64(UINT32_MAX, id);
	EXPECT_I64(SDB_LIMIT, sdb_add(txn, 0, sdb_str("more"), &id));
	EXPECT_I64(SDB_OK, sdb_remove(txn, 0, sdb_number(UINT32_MAX)));
	EXPECT_I64(SDB_OK, sdb_commit(txn));
	value_expect(db, 0, sdb_number(UINT32_MAX - 1), sdb_str("last but one"));
	sx_expect_sound(db);
}

TEST(sdb_value, sizes_from_nothing_to_the_limit_in_one_transaction)
{
	const char *dir = test_tmpdir();
	const struct sdb_table tables[] = { { .name = "ids" },
					    { .name = "text", .key = SDB_KEY_STRING } };
	static uint8_t big[SDB_VALUE_MAX + 1];
	const size_t sizes[] = { 0, 1, 7, 8, 4096, 300000, SDB_VALUE_MAX };
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 31 >> 3);
	struct sdb *db = NULL;
	EXPECT_I64(SDB_OK, open_with(dir, tables, 2, false, &db, NULL));
	struct sdb_txn *txn = write_begin(db);
	for (unsigned t = 0; t < 2; t++) {
		for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
			struct sdb_key key = t ? sdb_text_n("keys...", i) : sdb_number(i + 1);
			EXPECT_I64(SDB_OK, sdb_put(txn, t, key, sdb_bytes(big, sizes[i])));
		}
		EXPECT_I64(SDB_LIMIT, sdb_put(txn, t, sdb_number(99), sdb_bytes(big, sizeof big)));
		EXPECT(strstr(sdb_txn_why(txn), tables[t].name) != NULL);
	}
	EXPECT_I64(SDB_OK, sdb_commit(txn));
	for (int reopened = 0; reopened < 2; reopened++) {
		for (unsigned t = 0; t < 2; t++)
			for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
				value_expect(db, t,
					     t ? sdb_text_n("keys...", i) : sdb_number(i + 1),
					     sdb_bytes(big, sizes[i]));
		sx_closep(&db);
		EXPECT_I64(SDB_OK, open_with(dir, tables, 2, false, &db, NULL));
	}
	sx_closep(&db);
}

TEST(sdb_value, json_is_checked_before_it_is_stored)
{
	static const char *const good[] = { "{}", "[1,-0.5e+3,\"\\u00e4\",null]", " true ",
					    "0",  "{\"a\":{\"b\":[]}}",		  "\"\xc3\xa4\"" };
	static const char *const bad[] = { "",	       " ",	 "{",	    "[1,]",  "{\"a\"}",
					   "01",       "1.",	 "nul",	    "[1] 2", "'a'",
					   "\"\xff\"", "\"\n\"", "\"\\x\"", "{a:1}", "[1 2]",
					   "\"open",   "-",	 "[}" };
	CLEANUP(sx_closep) struct sdb *db = NULL;
	const struct sdb_table t = { .name = "t", .key = SDB_KEY_STRING, .codec = SDB_JSON };
	EXPECT_I64(SDB_OK, open_with(test_tmpdir(), &t, 1, false, &db, NULL));
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		put_ok(db, 0, sdb_text_n(&i, sizeof i), sdb_str(good[i]));
	struct sdb_txn *txn = write_begin(db);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		EXPECT_I64(SDB_INVALID, sdb_put(txn, 0, sdb_text("bad"), sdb_str(bad[i])));
	EXPECT(strstr(sdb_txn_why(txn), "JSON") != NULL);
	char deep[2 * SDB_JSON_DEPTH_MAX + 2];
	memset(deep, '[', SDB_JSON_DEPTH_MAX + 1);
	memset(deep + SDB_JSON_DEPTH_MAX + 1, ']', SDB_JSON_DEPTH_MAX + 1);
	EXPECT_I64(SDB_OK,
		   sdb_put(txn, 0, sdb_text("deep"), sdb_bytes(deep + 1, 2 * SDB_JSON_DEPTH_MAX)));
	memset(deep, '[', sizeof deep); /* more than anybody allows */
	EXPECT_I64(SDB_INVALID, sdb_put(txn, 0, sdb_text("x"), sdb_bytes(deep, sizeof deep)));
	EXPECT_I64(SDB_OK, sdb_commit(txn));
	struct sdb_stats s;
	sdb_stats_get(db, &s);
	EXPECT_U64(ARRAY_LEN(good) + 1, s.records[0]);
	EXPECT_U64(ARRAY_LEN(bad) + 1, s.errors_n[SDB_INVALID]);
}

static bool strict = true;

/* Stands for the verifier that comes with a schema: it wants aligned bytes that begin right. */
static bool verify_marked(struct sdb_bytes value, void *ctx)
{
	(void)ctx;
	return value.n >= 4 && memcmp(value.p, strict ? "GOOD" : "FINE", 4) == 0;
}

TEST(sdb_value, flatbuffers_are_verified_when_stored_and_again_when_read_from_the_disk)
{
	const char *dir = test_tmpdir();
	const struct sdb_table t = { .name = "t",
				     .codec = SDB_FLATBUFFER,
				     .verify = verify_marked };
	struct sdb *db = NULL;
	EXPECT_I64(SDB_OK, open_with(dir, &t, 1, false, &db, NULL));
	put_ok(db, 0, sdb_number(1), sdb_str("GOOD one"));
	EXPECT_I64(SDB_INVALID, sdb_put_now(db, 0, sdb_number(2), sdb_str("bad one")));
	value_expect(db, 0, sdb_number(1), sdb_str("GOOD one"));
	sx_closep(&db);
	strict = false; /* what is on the disk is not what this verifier knows */
	EXPECT_I64(SDB_OK, open_with(dir, &t, 1, true, &db, NULL));
	struct sdb_txn *txn;
	struct sdb_record r;
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	EXPECT_I64(SDB_CORRUPT, sdb_get(txn, 0, sdb_number(1), &r));
	sdb_end(txn);
	sx_closep(&db);
	strict = true;
}

/* ---- transactions ---------------------------------------------------------------------------- */

TEST(sdb_put, the_last_of_many_changes_of_one_key_counts)
{
	const char *dir = test_tmpdir();
	CLEANUP(sx_closep) struct sdb *db = sx_open(dir);
	struct sx_model m = { 0 };
	struct sdb_record r;
	for (unsigned t = 0; t < SX_TABLES; t++) {
		struct sdb_txn *txn = write_begin(db);
		for (uint32_t i = 1; i < 9000; i++) { /* more than wait in memory */
			struct sx_value v = { 1 + i % 2, i % 64, i };
			EXPECT_I64(SDB_OK, sdb_put(txn, t, sx_key(t, 3), sx_value_make(v)));
			if (i % 500 == 0)
				EXPECT_I64(SDB_OK, sdb_remove(txn, t, sx_key(t, 3)));
			EXPECT_U64(i % 500 != 0, sdb_len(txn, t));
			EXPECT_I64(i % 500 ? SDB_OK : SDB_NOTFOUND,
				   sdb_get(txn, t, sx_key(t, 3), &r));
			m.at[t][3] = v;
		}
		EXPECT_I64(SDB_OK, sdb_commit(txn));
	}
	sx_expect_now(db, &m);
	sx_expect_sound(db);
}

TEST(sdb_put, a_taken_unique_key_is_refused_and_the_transaction_goes_on)
{
	CLEANUP(sx_closep) struct sdb *db = sx_open(test_tmpdir());
	struct sx_model m = { 0 };
	const struct sx_value one = { 1, 0, 1 }, two = { 2, 0, 2 }, one_again = { 1, 0, 3 };
	put_ok(db, SX_BY_STRING, sx_key(SX_BY_STRING, 1), sx_value_make(one));
	struct sdb_txn *txn = write_begin(db);
	EXPECT_I64(SDB_EXISTS,
		   sdb_put(txn, SX_BY_STRING, sx_key(SX_BY_STRING, 2), sx_value_make(one_again)));
	EXPECT(strstr(sdb_txn_why(txn), "\"unique\"") && strstr(sdb_txn_why(txn), "\"by_string\""));
	/* its owner gives it up, in the same transaction */
	EXPECT_I64(SDB_OK, sdb_put(txn, SX_BY_STRING, sx_key(SX_BY_STRING, 1), sx_value_make(two)));
	EXPECT_I64(SDB_OK,
		   sdb_put(txn, SX_BY_STRING, sx_key(SX_BY_STRING, 2), sx_value_make(one_again)));
	/* and does not get it back */
	EXPECT_I64(SDB_EXISTS,
		   sdb_put(txn, SX_BY_STRING, sx_key(SX_BY_STRING, 1), sx_value_make(one)));
	EXPECT_I64(SDB_OK, sdb_commit(txn));
	m.at[SX_BY_STRING][1] = two;
	m.at[SX_BY_STRING][2] = one_again;
	sx_expect_now(db, &m);
	EXPECT_I64(SDB_EXISTS,
		   sdb_put_now(db, SX_BY_STRING, sx_key(SX_BY_STRING, 5), sx_value_make(one)));
	struct sdb_stats s;
	sdb_stats_get(db, &s);
	EXPECT_U64(3, s.errors_n[SDB_EXISTS]);
}

TEST(sdb_txn, dropping_leaves_nothing_behind)
{
	CLEANUP(sx_closep) struct sdb *db = sx_open(test_tmpdir());
	struct sx_model m = { 0 };
	const struct sx_value v = { 1, 3, 1 };
	for (unsigned t = 0; t < SX_TABLES; t++) {
		put_ok(db, t, sx_key(t, 1), sx_value_make(v));
		m.at[t][1] = v;
	}
	struct sdb_txn *txn = write_begin(db);
	for (unsigned t = 0; t < SX_TABLES; t++) {
		EXPECT_I64(SDB_OK, sdb_clear(txn, t));
		EXPECT_U64(0, sdb_len(txn, t));
		EXPECT_I64(SDB_OK, sdb_put(txn, t, sx_key(t, 2), sx_value_make(v)));
	}
	sdb_end(txn);
	sx_expect_now(db, &m);
	sx_expect_sound(db);
}

TEST(sdb_txn, a_read_transaction_changes_nothing_and_tables_have_bounds)
{
	CLEANUP(sx_closep) struct sdb *db = sx_open(test_tmpdir());
	struct sdb_txn *txn;
	struct sdb_record r;
	struct sdb_cursor *c;
	size_t n = 7;
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	EXPECT_I64(SDB_ACCESS, sdb_put(txn, 0, sdb_number(1), sdb_str("x")));
	EXPECT_I64(SDB_ACCESS, sdb_remove_many(txn, 0, NULL, 0, &n));
	EXPECT_I64(SDB_ACCESS, sdb_clear(txn, 0));
	EXPECT_I64(SDB_INVALID, sdb_get(txn, SX_TABLES, sdb_number(1), &r));
	EXPECT_I64(SDB_INVALID, sdb_all(txn, SX_TABLES, &c));
	EXPECT_I64(SDB_INVALID, sdb_all(txn, UINT32_MAX, &c));
	EXPECT_I64(SDB_INVALID, sdb_find(txn, 0, 1, sdb_str(""), &c));
	EXPECT_U64(0, sdb_len(txn, SX_TABLES));
	EXPECT_I64(SDB_OK, sdb_commit(txn));
	EXPECT_I64(SDB_INVALID, sdb_put_now(db, SX_TABLES, sdb_number(1), sdb_str("x")));
	txn = write_begin(db);
	EXPECT_I64(SDB_INVALID, sdb_put(txn, SX_TABLES, sdb_number(1), sdb_str("x")));
	EXPECT_I64(SDB_INVALID, sdb_add(txn, SX_BY_U64, sdb_str("x"), NULL));
	sdb_end(txn);
}

TEST(sdb_txn, what_would_wait_for_itself_is_refused)
{
	CLEANUP(sx_closep) struct sdb *db = sx_open(test_tmpdir());
	struct sdb_txn *txn = write_begin(db), *second = NULL;
	struct sdb_op op = { .table = SX_BY_ID, .key = sdb_number(1), .value = sdb_str("x") };
	EXPECT_I64(SDB_BUSY, sdb_begin_write(db, &second));
	EXPECT_I64(SDB_BUSY, sdb_put_now(db, op.table, op.key, op.value));
	EXPECT_I64(SDB_BUSY, sdb_submit(db, &op, NULL, NULL));
	EXPECT_I64(SDB_BUSY, sdb_checkpoint(db));
	sdb_end(txn);
}

/* Rows with fresh ids go straight to the engine; all that may follow in the same transaction. */
TEST(sdb_put, a_bulk_load_can_be_read_and_changed_in_its_own_transaction)
{
	CLEANUP(sx_closep) struct sdb *db = NULL;
	const struct sdb_index words = { .name = "first", .keys = first_byte };
	const struct sdb_table t = { .name = "t", .indexes = &words, .indexes_n = 1 };
	EXPECT_I64(SDB_OK, open_with(test_tmpdir(), &t, 1, false, &db, NULL));
	struct sdb_txn *txn = write_begin(db);
	struct sdb_record r;
	uint64_t id = 0;
	for (uint32_t i = 1; i <= 50000; i++) {
		char text[16];
		int n = snprintf(text, sizeof text, "%u", i);
		EXPECT_I64(SDB_OK, sdb_add(txn, 0, sdb_bytes(text, (size_t)n), &id));
		EXPECT_U64(i, id);
	}
	EXPECT_I64(SDB_OK, sdb_get(txn, 0, sdb_number(40000), &r));
	EXPECT_SPAN(SPAN("40000"), span_of(r.value.p, r.value.n));
	EXPECT_I64(SDB_NOTFOUND, sdb_contains(txn, 0, sdb_number(50001)));
	EXPECT_I64(SDB_OK, sdb_remove(txn, 0, sdb_number(7)));
	EXPECT_I64(SDB_OK, sdb_put(txn, 0, sdb_number(8), sdb_str("eight")));
	EXPECT_I64(SDB_OK, sdb_put(txn, 0, sdb_number(60000), sdb_str("6")));
	EXPECT_U64(50000, sdb_len(txn, 0));
	EXPECT_I64(SDB_OK, sdb_commit(txn));
	EXPECT_U64(1, found_n(db, 0, "e"));
	EXPECT_U64(1111 + 1, found_n(db, 0, "6")); /* 6, 60-69, 600-699, 6000-6999; 60000 */
	EXPECT_U64(1111 - 1, found_n(db, 0, "7"));
	value_expect(db, 0, sdb_number(8), sdb_str("eight"));
	sx_expect_sound(db);
	struct sdb_stats s;
	sdb_stats_get(db, &s);
	EXPECT_U64(50000, s.records[0]);
}

TEST(sdb_cursor, one_of_a_write_transaction_stays_as_it_was_made)
{
	CLEANUP(sx_closep) struct sdb *db = sx_open(test_tmpdir());
	struct sdb_txn *txn = write_begin(db);
	struct sdb_cursor *c;
	struct sdb_record r, kept[30];
	for (unsigned i = 0; i < 30; i++)
		EXPECT_I64(SDB_OK, sdb_put(txn, SX_BY_ID, sx_key(SX_BY_ID, i),
					   sx_value_make((struct sx_value){ 0, 1, i + 1 })));
	EXPECT_I64(SDB_OK, sdb_all(txn, SX_BY_ID, &c));
	for (unsigned i = 0; i < 30; i++) { /* remove what it shows, as one would */
		struct sdb_cursor *other;
		EXPECT_I64(SDB_OK, sdb_cursor_next(c, &kept[i]));
		EXPECT_I64(SDB_OK, sdb_remove(txn, SX_BY_ID, kept[i].key));
		EXPECT_I64(SDB_OK, sdb_all(txn, SX_BY_ID, &other));
		EXPECT_U64(29 - i, sdb_cursor_count(other));
		sdb_cursor_close(other);
	}
	EXPECT_I64(SDB_NOTFOUND, sdb_cursor_next(c, &r));
	for (unsigned i = 0; i < 30; i++) {
		struct sdb_bytes want = sx_value_make((struct sx_value){ 0, 1, i + 1 });
		EXPECT_SPAN(span_of(want.p, want.n), span_of(kept[i].value.p, kept[i].value.n));
	}
	sdb_cursor_close(c);
	EXPECT_I64(SDB_OK, sdb_commit(txn));
	const struct sx_model m = { 0 };
	sx_expect_now(db, &m);
}

/* ---- indexes --------------------------------------------------------------------------------- */

static unsigned many_keys_n;
static size_t many_keys_bytes;

static void many_keys(const struct sdb_record *record, struct sdb_keys *out, void *ctx)
{
	char key[SDB_KEY_MAX + 1] = { 0 };
	(void)record, (void)ctx;
	for (unsigned i = 0; i < many_keys_n; i++) {
		key[0] = (char)i;
		sdb_index_key(out, key, many_keys_bytes);
	}
}

TEST(sdb_index, too_many_and_too_long_keys_are_refused)
{
	for (int unique = 0; unique < 2; unique++) {
		CLEANUP(sx_closep) struct sdb *db = NULL;
		const struct sdb_index index = { .name = "many",
						 .unique = unique,
						 .keys = many_keys };
		const struct sdb_table t = { .name = "t", .indexes = &index, .indexes_n = 1 };
		EXPECT_I64(SDB_OK, open_with(test_tmpdir(), &t, 1, false, &db, NULL));
		many_keys_n = SDB_INDEX_KEYS_MAX + 1;
		many_keys_bytes = 1;
		EXPECT_I64(SDB_LIMIT, sdb_put_now(db, 0, sdb_number(1), sdb_str("x")));
		many_keys_n = 1;
		many_keys_bytes = SDB_KEY_MAX + 1;
		EXPECT_I64(SDB_LIMIT, sdb_put_now(db, 0, sdb_number(1), sdb_str("x")));
		many_keys_n = SDB_INDEX_KEYS_MAX;
		many_keys_bytes = SDB_KEY_MAX;
		EXPECT_I64(SDB_OK, sdb_put_now(db, 0, sdb_number(1), sdb_str("x")));
		sx_expect_sound(db);
		many_keys_n = 0;
		EXPECT_I64(SDB_OK, sdb_remove_now(db, 0, sdb_number(1)));
	}
}

TEST(sdb_index, prefixes_and_ranges_reach_the_last_byte)
{
	CLEANUP(sx_closep) struct sdb *db = NULL;
	const struct sdb_index index = { .name = "whole", .keys = whole_value };
	const struct sdb_table t = { .name = "t", .indexes = &index, .indexes_n = 1 };
	static const char *const values[] = {
		"", "a", "a\xff", "a\xff\xff", "b", "\xff", "\xff\xff"
	};
	EXPECT_I64(SDB_OK, open_with(test_tmpdir(), &t, 1, false, &db, NULL));
	for (unsigned i = 0; i < ARRAY_LEN(values); i++)
		put_ok(db, 0, sdb_number(i + 1), sdb_str(values[i]));
	struct sdb_txn *txn;
	struct sdb_cursor *c;
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	static const struct {
		const char *prefix;
		uint64_t n;
	} prefixes[] = { { "", 7 }, { "a", 3 }, { "a\xff", 2 }, { "\xff", 2 }, { "c", 0 } };
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		EXPECT_I64(SDB_OK, sdb_find_prefix(txn, 0, 0, sdb_str(prefixes[i].prefix), &c));
		EXPECT_U64(prefixes[i].n, sdb_cursor_count(c));
		sdb_cursor_close(c);
	}
	EXPECT_I64(SDB_OK, sdb_find_range(txn, 0, 0, sdb_str("a\xff"), sdb_bytes(NULL, 0), &c));
	EXPECT_U64(5, sdb_cursor_count(c));
	sdb_cursor_close(c);
	EXPECT_I64(SDB_OK, sdb_find_range(txn, 0, 0, sdb_str("b"), sdb_str("a"), &c));
	EXPECT_U64(0, sdb_cursor_count(c));
	sdb_cursor_close(c);
	sdb_end(txn);
}

/* ---- running a function ---------------------------------------------------------------------- */

struct attempt {
	unsigned runs, fail_first;
	enum sdb_err with;
};

static enum sdb_err put_and_return(struct sdb_txn *txn, void *ctx)
{
	struct attempt *a = ctx;
	enum sdb_err e = sdb_put(txn, SX_BY_ID, sdb_number(1 + a->runs),
				 sdb_str("{\"u\":0,\"w\":0,\"v\":1}"));
	return a->runs++ < a->fail_first ? a->with : e;
}

TEST(sdb_write, commits_on_success_drops_on_failure_and_repeats_what_may_pass)
{
	CLEANUP(sx_closep) struct sdb *db = sx_open(test_tmpdir());
	struct sx_model m = { 0 };
	struct attempt fails = { .fail_first = 9, .with = SDB_INVALID };
	EXPECT_I64(SDB_INVALID, sdb_write(db, put_and_return, &fails));
	EXPECT_U64(1, fails.runs);
	struct attempt full = { .fail_first = 9, .with = SDB_NOSPACE };
	EXPECT_I64(SDB_NOSPACE, sdb_write(db, put_and_return, &full));
	EXPECT_U64(5, full.runs);
	sx_expect_now(db, &m);
	struct attempt passes = { .fail_first = 3, .with = SDB_NOSPACE };
	EXPECT_I64(SDB_OK, sdb_write(db, put_and_return, &passes));
	m.at[SX_BY_ID][1] = (struct sx_value){ 0, 0, 1 }; /* key 4: the fourth run's */
	sx_expect_now(db, &m);
	struct sdb_stats s;
	sdb_stats_get(db, &s);
	EXPECT_U64(4 + 3, s.retries_n);
}

/* A table of ids writes straight through: what was read before stays all the same. */
TEST(sdb, what_was_read_stays_while_waiting_changes_are_handed_over)
{
	struct sdb_table t = { .name = "t", .key = SDB_KEY_ID };
	struct sdb_options o = { .dir = test_tmpdir(), .tables = &t, .tables_n = 1 };
	struct sdb *db = NULL;
	struct sdb_txn *txn;
	struct sdb_record r[2];
	struct sdb_key keys[2] = { sdb_number(1), sdb_number(2) };
	EXPECT(sdb_open(&o, &db, NULL) == SDB_OK);
	EXPECT(sdb_begin_write(db, &txn) == SDB_OK);
	EXPECT(sdb_put(txn, 0, sdb_number(1), sdb_bytes("first", 5)) == SDB_OK);
	EXPECT(sdb_commit(txn) == SDB_OK);
	EXPECT(sdb_begin_write(db, &txn) == SDB_OK);
	EXPECT(sdb_put(txn, 0, sdb_number(1), sdb_bytes("changed", 7)) == SDB_OK);
	EXPECT(sdb_add(txn, 0, sdb_bytes("second", 6), NULL) == SDB_OK);
	EXPECT(sdb_get_many(txn, 0, keys, 2, r) == SDB_OK);
	EXPECT(r[0].value.n == 7 && memcmp(r[0].value.p, "changed", 7) == 0);
	EXPECT(sdb_put(txn, 0, sdb_number(2), r[0].value) == SDB_OK);
	EXPECT(sdb_get(txn, 0, sdb_number(2), &r[1]) == SDB_OK);
	EXPECT(r[1].value.n == 7 && memcmp(r[1].value.p, "changed", 7) == 0);
	sdb_end(txn);
	sdb_close(db);
}
