/* SPDX-License-Identifier: MIT */
/* Tests of src/base/span.c. */
#include "base/span.h"
#include "harness.h"

TEST(span, order_is_by_bytes_and_shorter_first)
{
	EXPECT(span_cmp(SPAN("a"), SPAN("b")) < 0);
	EXPECT(span_cmp(SPAN("ab"), SPAN("a")) > 0);
	EXPECT(span_cmp(SPAN("a"), SPAN("a")) == 0);
	EXPECT(span_cmp(SPAN("\x7f"), SPAN("\x80")) < 0);
	EXPECT(span_cmp((struct span){ NULL, 0 }, SPAN("")) == 0);
	EXPECT(span_cmp((struct span){ NULL, 0 }, SPAN("a")) < 0);
}

TEST(span, nocase_folds_ascii_only)
{
	EXPECT(span_eq_nocase(SPAN("AbZ@["), SPAN("aBz@[")));
	EXPECT(!span_eq_nocase(SPAN("@"), SPAN("`")));
	EXPECT(!span_eq_nocase(SPAN("É"), SPAN("é")));
	EXPECT(!span_eq_nocase(SPAN("a"), SPAN("ab")));
	EXPECT(span_starts_nocase(SPAN("Bytes=0-"), SPAN("bytes=")));
	EXPECT(!span_starts_nocase(SPAN("by"), SPAN("bytes=")));
}

TEST(span, starts_and_ends_with_empty_and_longer)
{
	EXPECT(span_starts(SPAN("abc"), SPAN("ab")));
	EXPECT(span_starts(SPAN("abc"), SPAN("")));
	EXPECT(!span_starts(SPAN("abc"), SPAN("abcd")));
	EXPECT(span_ends(SPAN("abc"), SPAN("bc")));
	EXPECT(span_ends(SPAN("abc"), SPAN("abc")));
	EXPECT(!span_ends(SPAN("bc"), SPAN("abc")));
}

TEST(span, contains_finds_at_either_end)
{
	EXPECT(span_contains(SPAN("Hello"), SPAN("He")));
	EXPECT(span_contains(SPAN("Hello"), SPAN("lo")));
	EXPECT(span_contains(SPAN("Hello"), SPAN("")));
	EXPECT(span_contains(SPAN(""), SPAN("")));
	EXPECT(!span_contains(SPAN("Hello"), SPAN("hellos")));
	EXPECT(!span_contains(SPAN("Hello"), SPAN("he")));
}

TEST(span, trim_removes_blanks_at_both_ends_only)
{
	EXPECT_SPAN(SPAN("a b"), span_trim(SPAN(" \t\r\na b\n ")));
	EXPECT_SPAN(SPAN(""), span_trim(SPAN(" \n")));
	EXPECT_SPAN(SPAN(""), span_trim(SPAN("")));
}

TEST(span, find_gives_the_length_where_there_is_none)
{
	EXPECT_U64(1, span_find(SPAN("abcb"), 'b'));
	EXPECT_U64(3, span_rfind(SPAN("abcb"), 'b'));
	EXPECT_U64(4, span_find(SPAN("abcb"), 'x'));
	EXPECT_U64(4, span_rfind(SPAN("abcb"), 'x'));
	EXPECT_U64(0, span_find((struct span){ NULL, 0 }, 'x'));
}

TEST(span, cut_walks_through_all_parts)
{
	struct span s = SPAN("a,,b");

	EXPECT_SPAN(SPAN("a"), span_cut(&s, ','));
	EXPECT_SPAN(SPAN(""), span_cut(&s, ','));
	EXPECT_SPAN(SPAN("b"), span_cut(&s, ','));
	EXPECT_U64(0, s.n);
	EXPECT_SPAN(SPAN(""), span_cut(&s, ','));
}

TEST(span, skip_beyond_the_end_is_empty)
{
	EXPECT_SPAN(SPAN("c"), span_skip(SPAN("abc"), 2));
	EXPECT_U64(0, span_skip(SPAN("abc"), 9).n);
	EXPECT_SPAN(SPAN("ab"), span_first(SPAN("abc"), 2));
	EXPECT_SPAN(SPAN("abc"), span_first(SPAN("abc"), 9));
}
