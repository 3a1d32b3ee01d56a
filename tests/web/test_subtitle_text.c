/* SPDX-License-Identifier: MIT */
/* Subtitle files in UTF-8 and as WebVTT. */
#include "web/subtitle_text.h"

#include "harness.h"

static bool is_fine(struct span s, enum text_encoding wanted)
{
	enum text_encoding e = TEXT_AUTO;

	return subtitle_text_is_fine(s, wanted, &e);
}

TEST(subtitle_text, what_is_utf8_or_no_text_or_unknown_stays)
{
	EXPECT(is_fine(SPAN("plain"), TEXT_AUTO));
	EXPECT(is_fine(SPAN("\xef\xbb\xbf"
			    "caf\xc3\xa9"),
		       TEXT_GBK));
	EXPECT(is_fine(SPAN("\x00\x00\x01\xba\xff\xc4"), TEXT_AUTO));
	/* Chinese in GBK: nobody said so, and the player may know better. */
	EXPECT(is_fine(SPAN("\xd6\xdc\xbd\xdc\xc2\xd7"), TEXT_AUTO));
	EXPECT(!is_fine(SPAN("\xd6\xdc\xbd\xdc\xc2\xd7"), TEXT_GBK));
}

TEST(subtitle_text, old_encodings_become_utf8)
{
	static const struct {
		struct span from, to;
	} texts[] = {
		{ SPAN("caf\xe9, d\xe9j\xe0 vu"), SPAN("caf\xc3\xa9, d\xc3\xa9j\xc3\xa0 vu") },
		{ SPAN("\xcf\xf0\xe8\xe2\xe5\xf2"),
		  SPAN("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82") },
		{ SPAN("\xff\xfe"
		       "a\0\xe9\0"),
		  SPAN("a\xc3\xa9") },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(buf_fini) struct buf out;
		enum text_encoding e = TEXT_AUTO;

		buf_init(&out, 4096);
		EXPECT(!subtitle_text_is_fine(texts[i].from, TEXT_AUTO, &e));
		EXPECT_OK(subtitle_text_add(e, texts[i].from, &out));
		EXPECT_SPAN(texts[i].to, buf_span(&out));
	}
}

TEST(subtitle_text, subrip_becomes_webvtt)
{
	CLEANUP(buf_fini) struct buf out;

	buf_init(&out, 4096);
	subtitle_text_add_webvtt(SPAN("\xef\xbb\xbf"
				      "1\r\n00:00:01,500 --> 00:00:02,000\r\nYes, <i>he</i>\r\n"
				      "\r\n2\n00:00:03,000 --> 00:00:04,250\nNo"),
				 &out);
	EXPECT_SPAN(SPAN("WEBVTT\n\n1\n00:00:01.500 --> 00:00:02.000\nYes, <i>he</i>\n"
			 "\n2\n00:00:03.000 --> 00:00:04.250\nNo\n"),
		    buf_span(&out));
}
