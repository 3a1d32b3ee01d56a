/* SPDX-License-Identifier: MIT */
/* What a file's first bytes say it is. */
#include "base/sniff.h"

#include "harness.h"

TEST(sniff, nothing_of_less_than_a_header_is_recognised_by_accident)
{
	uint8_t head[SNIFF_HEAD_BYTES];

	EXPECT_U64(MEDIA_FORMAT_UNKNOWN, sniff_format(SPAN("")));
	memset(head, 0, sizeof head);
	EXPECT_U64(MEDIA_FORMAT_UNKNOWN, sniff_format(span_of(head, sizeof head)));
	memset(head, 0xff, sizeof head);
	EXPECT_U64(MEDIA_FORMAT_UNKNOWN, sniff_format(span_of(head, sizeof head)));
	memset(head, 'G', sizeof head); /* text; with packets' numbers a transport stream */
	EXPECT_U64(MEDIA_FORMAT_UNKNOWN, sniff_format(span_of(head, sizeof head)));
	head[1] = 0;
	EXPECT_U64(MEDIA_FORMAT_MPEG_TS, sniff_format(span_of(head, sizeof head)));
	for (unsigned round = 0; round < 20000; round++) {
		size_t n = test_random() % 64;

		for (size_t i = 0; i < n; i++)
			head[i] = (uint8_t)test_random();
		(void)sniff_format(span_of(head, n));
	}
}

TEST(sniff, words_at_the_place_of_a_mark_are_no_media)
{
	EXPECT_U64(MEDIA_FORMAT_UNKNOWN,
		   sniff_format(SPAN("The free encyclopedia, that anybody may change.")));
	EXPECT_U64(MEDIA_FORMAT_UNKNOWN,
		   sniff_format(SPAN("MAC addresses of everything in the house.")));
	EXPECT_U64(MEDIA_FORMAT_UNKNOWN,
		   sniff_format(SPAN("ID3 and caf\xc3\xa9, in UTF-8 as it should be")));
	EXPECT_U64(MEDIA_FORMAT_APE, sniff_format(SPAN("MAC \x96\x0f\x00\x00")));
}

TEST(sniff, type_is_what_files_of_that_layout_mostly_are)
{
	static const struct {
		struct span head;
		const char *mime;
	} heads[] = {
		{ SPAN("fLaC\0"), "audio/flac" },
		{ SPAN("OggS\0"), "audio/ogg" },
		{ SPAN("\0\0\0\x18"
		       "ftypisom"),
		  "video/mp4" },
		{ SPAN("\0\0\0\x18"
		       "ftypheic"),
		  "image/heic" },
		{ SPAN("\x1a\x45\xdf\xa3"), "video/x-matroska" },
		{ SPAN("\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "video/x-ms-wmv" },
		{ SPAN("\xff\xd8\xff\xe0"), "image/jpeg" },
		{ SPAN("IMPM"), "audio/x-mod" },
	};

	EXPECT(sniff_type(SPAN("")) == NULL);
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		const struct media_type *t = sniff_type(heads[i].head);

		EXPECT(t != NULL);
		EXPECT_STR(heads[i].mime, t->mime);
	}
}

/* Every layout that is recognised has a type to be served as. */
TEST(sniff, every_layout_has_a_type)
{
	static const enum media_class classes[] = { MEDIA_CLASS_AUDIO, MEDIA_CLASS_VIDEO,
						    MEDIA_CLASS_IMAGE };

	for (unsigned format = MEDIA_FORMAT_UNKNOWN + 1; format < MEDIA_FORMAT_N; format++) {
		bool any = false;

		for (size_t i = 0; i < ARRAY_LEN(classes); i++)
			any |= media_type_by_format((enum media_format)format, classes[i]) != NULL;
		EXPECT(any);
	}
}
