/* SPDX-License-Identifier: MIT */
/* Old character sets: the bytes of well-known words, and what cannot be of a set. */
#include "base/charset.h"

#include "harness.h"

static struct charsets sets;

static void expect_both_ways(enum charset set, struct span bytes, struct span utf8)
{
	struct buf b;

	buf_init(&b, 1000);
	EXPECT(charset_decode(&sets, set, bytes, &b));
	EXPECT_SPAN(utf8, buf_span(&b));
	buf_clear(&b);
	EXPECT(charset_encode(&sets, set, utf8, &b));
	EXPECT_SPAN(bytes, buf_span(&b));
	EXPECT_U64(set, charset_guess(&sets, bytes));
	EXPECT_U64(CHARSET_UTF8, charset_guess(&sets, utf8));
	buf_fini(&b);
}

TEST(charset, words_are_decoded_encoded_and_guessed)
{
	expect_both_ways(CHARSET_CP1252, SPAN("Bj\xf6rk - J\xf3ga.mp3"), SPAN("Björk - Jóga.mp3"));
	expect_both_ways(CHARSET_CP1252, SPAN("It\x92s.mp3"), SPAN("It’s.mp3"));
	expect_both_ways(CHARSET_CP1251, SPAN("\xca\xe8\xed\xee - \xc3\xf0\xf3\xef\xef\xe0.mp3"),
			 SPAN("Кино - Группа.mp3"));
	expect_both_ways(CHARSET_SHIFT_JIS, SPAN("\x83\x5c\x83\x93\x83\x4f - \x89\xcc.mp3"),
			 SPAN("ソング - 歌.mp3"));
	EXPECT_U64(CHARSET_UTF8, charset_guess(&sets, SPAN("plain")));
	EXPECT_U64(CHARSET_UTF8, charset_guess(&sets, SPAN("")));
	charsets_fini(&sets);
}

TEST(charset, what_is_not_of_a_set_leaves_the_output_alone)
{
	struct buf b;

	buf_init(&b, 100);
	buf_add_str(&b, "x");
	EXPECT(!charset_decode(&sets, CHARSET_SHIFT_JIS, SPAN("ab\x83"), &b));
	EXPECT(!charset_decode(&sets, CHARSET_CP1252, SPAN("\x81"), &b));
	EXPECT(!charset_decode(&sets, CHARSET_UTF8, SPAN("\xff"), &b));
	EXPECT(!charset_encode(&sets, CHARSET_CP1252, SPAN("歌"), &b));
	EXPECT(!charset_encode(&sets, CHARSET_CP1251, SPAN("\xff"), &b));
	EXPECT_SPAN(SPAN("x"), buf_span(&b));
	buf_fini(&b);
	charsets_fini(&sets);
}

TEST(charset, utf16_is_read_in_both_orders_and_whatever_it_holds)
{
	struct buf b;

	buf_init(&b, 100);
	charset_add_utf16(&b, SPAN("a\0\xf6\0\x3d\xd8\xb5\xdc"), false);
	EXPECT_SPAN(SPAN("aö💵"), buf_span(&b));
	buf_clear(&b);
	charset_add_utf16(&b, SPAN("\0a\0\xf6\xd8\x3d\xdc\xb5"), true);
	EXPECT_SPAN(SPAN("aö💵"), buf_span(&b));
	buf_clear(&b);
	charset_add_utf16(&b, SPAN("\xd8\x3d\0a\xdc\xb5\0"), true);
	EXPECT_SPAN(SPAN("\xef\xbf\xbd"
			 "a"
			 "\xef\xbf\xbd\xef\xbf\xbd"),
		    buf_span(&b));
	buf_fini(&b);
}
