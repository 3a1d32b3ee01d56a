/* SPDX-License-Identifier: MIT */
/* The natural sort key. */
#include <stdlib.h>

#include "harness.h"
#include "library/library.h"

static int compare(const char *a, const char *b)
{
	uint8_t ka[COLLATE_KEY_MAX], kb[COLLATE_KEY_MAX];
	size_t na = library_collate_key(span_str(a), ka);
	size_t nb = library_collate_key(span_str(b), kb);
	return span_cmp(span_of(ka, na), span_of(kb, nb));
}

static void expect_ascending(const char *const *names, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (compare(names[i], names[i + 1]) >= 0)
			printf("not before: \"%s\" \"%s\"\n", names[i], names[i + 1]);
		EXPECT(compare(names[i], names[i + 1]) < 0);
		EXPECT(compare(names[i + 1], names[i]) > 0);
	}
}

TEST(collate, numbers_sort_by_value)
{
	static const char *const names[] = { "Track 0",	   "Track 1",  "Track 2.mp3", "Track 2a",
					     "Track 9",	   "Track 10", "Track 11",    "Track 100",
					     "Track 1000", "Track A" };
	expect_ascending(names, ARRAY_LEN(names));
	EXPECT(compare("007", "7") == 0);
	EXPECT(compare("a007b1", "a7b2") < 0);
}

TEST(collate, long_runs_of_digits_do_no_harm)
{
	char a[400], b[400];
	memset(a, '9', sizeof a - 1);
	memset(b, '9', sizeof b - 1);
	a[sizeof a - 1] = b[sizeof b - 1] = '\0';
	b[sizeof b - 2] = '8';
	EXPECT(compare(b, a) < 0);
}

TEST(collate, case_and_accents_are_folded)
{
	EXPECT(compare("ABBA", "abba") == 0);
	EXPECT(compare("Björk", "bjork") == 0);
	EXPECT(compare("Bjo\xcc\x88rk", "Björk") == 0); /* decomposed, as macOS writes it */
	EXPECT(compare("ÉTÉ", "ete") == 0);
	EXPECT(compare("Straße", "STRASSE") == 0);
	EXPECT(compare("Ærø", "aero") == 0);
	EXPECT(compare("ДДТ", "ддт") == 0);
	EXPECT(compare("Ώρα", "ωρα") == 0);
	EXPECT(compare("１２", "12") == 0);
	static const char *const names[] = { "Abba", "Äbbb", "abbc", "Zebra", "Жук", "日本" };
	expect_ascending(names, ARRAY_LEN(names));
}

TEST(collate, bytes_that_are_no_text_are_kept_apart)
{
	EXPECT(compare("a\xff", "a\xfe") > 0);
	EXPECT(compare("a\xff", "a") > 0);
	EXPECT(compare("a\xc3", "a\xc3\xa9") != 0);
}

TEST(collate, keys_are_bounded_and_without_zero_bytes)
{
	for (int round = 0; round < 20000; round++) {
		char name[700];
		uint8_t key[COLLATE_KEY_MAX];
		size_t n = test_random() % sizeof name;
		int mode = (int)(test_random() % 3);
		for (size_t i = 0; i < n; i++)
			name[i] = (char)(mode == 0   ? test_random()
					 : mode == 1 ? '0' + test_random() % 3
						     : 0xc0 + test_random() % 64);
		size_t key_n = library_collate_key(span_of(name, n), key);
		EXPECT(key_n <= COLLATE_KEY_MAX);
		EXPECT(memchr(key, 0, key_n) == NULL);
	}
}

TEST(collate, empty_and_blank_names_have_empty_keys)
{
	uint8_t key[COLLATE_KEY_MAX];
	EXPECT_U64(0, library_collate_key(SPAN(""), key));
	EXPECT_U64(0, library_collate_key(SPAN("   "), key));
	EXPECT(compare("  a", "a") == 0);
}

/* Also what no text may have, surrogates. */
static size_t encode(uint32_t c, char out[4])
{
	unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t first[] = { 0, 0xc0, 0xe0, 0xf0 };
	for (unsigned i = more; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(first[more] | c);
	return more + 1;
}

/* ---- the same bytes for ever ----------------------------------------------------------------- */

/* FNV-1a over everything that is folded. */
struct digest {
	uint64_t hash;
};

static void digest_add(struct digest *d, const void *p, size_t n)
{
	const uint8_t *bytes = p;
	uint64_t length = n;
	for (size_t i = 0; i < sizeof length; i++)
		d->hash = (d->hash ^ (length >> 8 * i & 255)) * 0x100000001b3ull;
	for (size_t i = 0; i < n; i++)
		d->hash = (d->hash ^ bytes[i]) * 0x100000001b3ull;
}

/* Both kinds of folding, from memory that ends with the name and into memory that ends with what
 * may be written. */
static void digest_name(struct digest *d, const void *name, size_t n)
{
	char *copy = malloc(n), *out = malloc(2 * n);
	uint8_t *key = malloc(COLLATE_KEY_MAX);
	EXPECT(key && (n == 0 || (copy && out)));
	if (n)
		memcpy(copy, name, n);
	digest_add(d, key, library_collate_key(span_of(copy, n), key));
	for (size_t max = 2 * n; max; max /= 2)
		digest_add(d, out, library_fold(span_of(copy, n), out, max));
	free(copy);
	free(out);
	free(key);
}

/* These bytes are in every store. A digest that changes means that entries written by an older
 * salver are not found any more: never change what is expected here. */
TEST_LIMIT(collate, every_character_has_the_key_that_it_always_had, 300)
{
	static const char *const around[][2] = {
		{ "", "" },
		{ "a", "B" },
		{ "1", "20" },
		{ "Abcdefghijklmnopqrstuvw", "xyz 007" },
	};
	struct digest d = { 0xcbf29ce484222325ull };
	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		char bytes[64];
		/* where all are alike, by itself is enough */
		bool by_itself = (c >= 0x3100 && c < 0xff00) || c >= 0x10000;
		for (size_t i = 0; i < (by_itself ? 1 : ARRAY_LEN(around)); i++) {
			struct span before = span_str(around[i][0]);
			struct span behind = span_str(around[i][1]);
			span_copy(bytes, before);
			size_t n = before.n + encode(c, bytes + before.n);
			span_copy(bytes + n, behind);
			digest_name(&d, bytes, n + behind.n);
		}
	}
	EXPECT_U64(0x38de9723267d129e, d.hash);
}

/* The same names in every run, whatever the seed. */
static uint64_t next_number(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

static size_t add_piece(uint64_t *state, char *p)
{
	static const char *const pieces[] = {
		"a",
		"Z",
		" ",
		"0",
		"00",
		"7",
		"1999",
		"Blue",
		"NIGHT",
		"\xc3\x89",
		"\xc3\x9f",
		"\xc3\xa6",
		"\xcc\x88",
		"\xd0\x96",
		"\xe1\xbe\xb7",
		"\xe6\x97\xa5",
		"\xef\xbc\x97",
		"\xff",
		"\xc3",
		"\xe1\xbe",
		"\xf0\x9f\x8e\xb5",
		"\xe3\x80\x80",
		"\xc2\xa0",
		"\xc2\xad",
		"\xc5\x82",
		"[",
		"@",
		"`",
		"{",
		"\x7f",
		"\x01",
		"/",
		":",
		"The quick brown Fox",
	};
	uint64_t r = next_number(state);
	if (r % 64 == 0) { /* a byte of any value */
		*p = (char)(r >> 8);
		return 1;
	}
	const char *piece = pieces[r / 64 % ARRAY_LEN(pieces)];
	memcpy(p, piece, strlen(piece));
	return strlen(piece);
}

TEST_LIMIT(collate, every_mixture_has_the_key_that_it_always_had, 300)
{
	struct digest d = { 0xcbf29ce484222325ull };
	uint64_t state = 1;
	for (int round = 0; round < 40000; round++) {
		char name[1200];
		size_t n = 0, want = next_number(&state) % (round % 16 ? 60 : 1000);
		while (n < want)
			n += add_piece(&state, name + n);
		digest_name(&d, name, n);
	}
	EXPECT_U64(0xc97f6a797b8c1996, d.hash);
}

static struct span fold(const char *text, char *out, size_t max)
{
	return span_of(out, library_fold(span_str(text), out, max));
}

TEST(fold, keeps_digits_and_folds_the_rest_like_the_sort_key)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "Song 007", "song 007" },
		{ "Bj\xc3\xb6rk", "bjork" },
		{ "STRASSE", "strasse" },
		{ "Stra\xc3\x9f\x65", "strasse" },
		{ " a ", " a " },
		{ "", "" },
		{ "\xef\xbc\x91\xef\xbc\x92", "12" },
		{ "\xff\xfe", "\xff\xfe" },
	};
	char out[64];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT_SPAN(span_str(rows[i].want), fold(rows[i].text, out, sizeof out));
	EXPECT_SPAN(SPAN("abc"), fold("ABCDEF", out, 3));
}

TEST(fold, twice_the_bytes_always_suffice)
{
	for (uint32_t c = 1; c < 0x3000; c++) {
		char text[4], out[64];
		size_t n = encode(c, text);
		EXPECT(library_fold(span_of(text, n), out, sizeof out) <= 2 * n);
	}
}
