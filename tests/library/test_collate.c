/* SPDX-License-Identifier: MIT */
/* The natural sort key. */
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
		size_t n = 0;
		if (c < 0x80) {
			text[n++] = (char)c;
		} else if (c < 0x800) {
			text[n++] = (char)(0xc0 | c >> 6);
			text[n++] = (char)(0x80 | (c & 0x3f));
		} else {
			text[n++] = (char)(0xe0 | c >> 12);
			text[n++] = (char)(0x80 | (c >> 6 & 0x3f));
			text[n++] = (char)(0x80 | (c & 0x3f));
		}
		EXPECT(library_fold(span_of(text, n), out, sizeof out) <= 2 * n);
	}
}
