/* SPDX-License-Identifier: MIT */
/* Tests of src/base/xml.c. */
#include "base/xml.h"
#include "base/utf8.h"
#include "harness.h"

static const char *text_at(struct buf *b, struct span s, int depth)
{
	buf_clear(b);
	xml_add_text(b, s, depth);
	return buf_cstr(b);
}

/* One character after the other, as the definition has it. */
static void slow_text(struct buf *b, struct span s, int depth)
{
	static const char *const once[][2] = { { "&", "&amp;" },
					       { "<", "&lt;" },
					       { ">", "&gt;" },
					       { "\"", "&quot;" },
					       { "'", "&apos;" } };
	while (s.n > 0) {
		uint32_t c = utf8_next(&s);
		const char *entity = NULL;
		for (size_t i = 0; i < ARRAY_LEN(once); i++)
			if (c == (unsigned char)once[i][0][0])
				entity = once[i][1];
		if ((c < 0x20 && c != 9 && c != 10 && c != 13) || c == 0xFFFE || c == 0xFFFF)
			c = 0xFFFD;
		if (entity && depth == 2)
			slow_text(b, span_str(entity), 1);
		else if (entity)
			buf_add_str(b, entity);
		else
			utf8_put(b, c);
	}
}

TEST(xml, five_characters_are_escaped)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 1000);

	EXPECT_STR("a&amp;b&lt;c&gt;d&quot;e&apos;f", text_at(&b, SPAN("a&b<c>d\"e'f"), 1));
	EXPECT_STR("a&amp;amp;b&amp;lt;c&amp;gt;d&amp;quot;e&amp;apos;f",
		   text_at(&b, SPAN("a&b<c>d\"e'f"), 2));
	EXPECT_STR("", text_at(&b, (struct span){ NULL, 0 }, 1));
}

TEST(xml, what_xml_forbids_becomes_a_replacement)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 1000);

	EXPECT_STR("\t\n\r", text_at(&b, SPAN("\t\n\r"), 1));
	EXPECT_STR("\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD", text_at(&b, SPAN("\0|\x1F|\x0B"), 1));
	EXPECT_STR("\xEF\xBF\xBD", text_at(&b, SPAN("\xEF\xBF\xBE"), 1));
	EXPECT_STR("\xEF\xBF\xBD", text_at(&b, SPAN("\xEF\xBF\xBF"), 2));
	EXPECT_STR("caf\xEF\xBF\xBD", text_at(&b, SPAN("caf\xE9"), 1));
	EXPECT_STR("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", text_at(&b, SPAN("\xED\xA0\x80"), 1));
	EXPECT_STR("\x7F", text_at(&b, SPAN("\x7F"), 1));
	EXPECT_STR("\xF0\x9F\x98\x80", text_at(&b, SPAN("\xF0\x9F\x98\x80"), 1));
}

TEST(xml, every_byte_at_every_place_of_a_word)
{
	CLEANUP(buf_fini) struct buf fast, slow;
	buf_init(&fast, 1000);
	buf_init(&slow, 1000);

	for (unsigned c = 0; c < 256; c++) {
		for (size_t at = 0; at < 17; at++) {
			char text[17];
			memset(text, 'x', sizeof text);
			text[at] = (char)c;
			buf_clear(&slow);
			slow_text(&slow, span_of(text, sizeof text), 2);
			EXPECT_STR(buf_cstr(&slow), text_at(&fast, span_of(text, sizeof text), 2));
		}
	}
}

TEST(xml, random_text_is_as_the_definition_has_it)
{
	static const char alphabet[] =
		"ab &<>\"'\n\x01\x1F \x7F\xC3\xA9\xE2\x82\xAC\xF0\x9F\xFF%;=?";
	CLEANUP(buf_fini) struct buf fast, slow;
	buf_init(&fast, 4000);
	buf_init(&slow, 4000);

	for (int round = 0; round < 50000; round++) {
		char text[50];
		size_t n = test_random() % sizeof text;
		for (size_t i = 0; i < n; i++)
			text[i] = alphabet[test_random() % (sizeof alphabet - 1)];
		int depth = 1 + round % 2;
		buf_clear(&slow);
		slow_text(&slow, span_of(text, n), depth);
		EXPECT_STR(buf_cstr(&slow), text_at(&fast, span_of(text, n), depth));
	}
}

TEST(xml, markup_is_escaped_once_less)
{
	CLEANUP(buf_fini) struct buf b;
	buf_init(&b, 1000);

	xml_add_markup(&b, SPAN("<a b=\"c\">"), 1);
	xml_add_markup(&b, SPAN("<a b=\"c\">"), 2);
	EXPECT_STR("<a b=\"c\">&lt;a b=&quot;c&quot;&gt;", buf_cstr(&b));
}
