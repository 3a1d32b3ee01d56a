/* SPDX-License-Identifier: MIT */
/* Tests src/import/import_text.c. */
#include "import/import_text.h"

#include "harness.h"

static struct arena arena;

static struct span unescaped(const char *s)
{
	arena_fini(&arena);
	arena_init(&arena, 1u << 20);
	return import_unescape(&arena, span_str(s));
}

TEST(import_text, escapes_of_minidlna_are_undone_once)
{
	EXPECT_SPAN(SPAN("plain"), unescaped("plain"));
	EXPECT_SPAN(SPAN("a & b"), unescaped("a &amp;amp; b"));
	EXPECT_SPAN(SPAN("<Last> \"Home\""),
		    unescaped("&amp;lt;Last&amp;gt; &amp;quot;Home&amp;quot;"));
	EXPECT_SPAN(SPAN("&lt;"), unescaped("&amp;amp;lt;"));
	EXPECT_SPAN(SPAN("&amp;"), unescaped("&amp;amp;amp;"));
	EXPECT_SPAN(SPAN("a & b &"), unescaped("a & b &"));
	EXPECT_SPAN(SPAN("&amp;am"), unescaped("&amp;am"));
	EXPECT_SPAN(SPAN(""), unescaped(""));
}

TEST(import_text, what_is_no_utf8_becomes_replacement_characters)
{
	EXPECT_SPAN(SPAN("a\xef\xbf\xbd"
			 "b"),
		    unescaped("a\xff"
			      "b"));
	EXPECT_SPAN(SPAN("& \xef\xbf\xbd"), unescaped("&amp;amp; \xe4"));
	EXPECT_SPAN(SPAN("\xc3\xa4"), unescaped("\xc3\xa4"));
}

TEST(import_text, without_memory_a_text_is_empty)
{
	struct arena none;

	arena_init(&none, 0);
	EXPECT_U64(0, import_unescape(&none, SPAN("a &amp;amp; b")).n);
	EXPECT_U64(0, import_text(&none, SPAN("\xff")).n);
	arena_fini(&none);
}

TEST(import_text, durations)
{
	EXPECT_U64(5075, import_duration_ms(SPAN("0:00:05.075")));
	EXPECT_U64(3723450, import_duration_ms(SPAN("1:02:03.45")));
	EXPECT_U64(61000, import_duration_ms(SPAN("00:01:01")));
	EXPECT_U64(1999, import_duration_ms(SPAN("0:00:01.9999999999999999999999")));
	EXPECT_U64(999u * 3600000, import_duration_ms(SPAN("999:00:00")));
	EXPECT_U64(0, import_duration_ms(SPAN("1000:00:00")));
	EXPECT_U64(0, import_duration_ms(SPAN("0:60:00")));
	EXPECT_U64(0, import_duration_ms(SPAN("0:00")));
	EXPECT_U64(0, import_duration_ms(SPAN("0:00:")));
	EXPECT_U64(0, import_duration_ms(SPAN("0:00:05.x")));
	EXPECT_U64(0, import_duration_ms(SPAN("-1:00:05")));
	EXPECT_U64(0, import_duration_ms(SPAN("")));
}

TEST(import_text, resolutions)
{
	uint32_t w, h;

	EXPECT(import_resolution(SPAN("1920x1080"), &w, &h));
	EXPECT_U64(1920, w);
	EXPECT_U64(1080, h);
	EXPECT(!import_resolution(SPAN("1920x"), &w, &h));
	EXPECT(!import_resolution(SPAN("x1080"), &w, &h));
	EXPECT(!import_resolution(SPAN("1920"), &w, &h));
	EXPECT(!import_resolution(SPAN("4294967296x1"), &w, &h));
	EXPECT_U64(0, w + h);
}

TEST(import_text, dates)
{
	EXPECT_U64(1998, import_year(SPAN("1998-01-01")));
	EXPECT_U64(1998, import_year(SPAN("1998")));
	EXPECT_U64(0, import_year(SPAN("19980101")));
	EXPECT_U64(0, import_year(SPAN("12")));
	EXPECT_U64(0, import_year(SPAN("0000-01-01")));
	EXPECT_U64(0, import_year(SPAN("")));
	EXPECT_I64(946684799, import_time_s(SPAN("1999-12-31T23:59:59")));
	EXPECT_I64(-1, import_time_s(SPAN("1969-12-31T23:59:59")));
	EXPECT_I64(0, import_time_s(SPAN("1999-12-31")));
	EXPECT_I64(0, import_time_s(SPAN("1999-13-31T23:59:59")));
	EXPECT_I64(0, import_time_s(SPAN("1999-00-31T23:59:59")));
	EXPECT_I64(0, import_time_s(SPAN("T::")));
}
