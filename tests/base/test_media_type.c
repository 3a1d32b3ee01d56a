/* SPDX-License-Identifier: MIT */
/* The table of media types. */
#include "base/media_type.h"

#include "harness.h"

TEST(media_type, table_is_sorted_and_every_row_is_found_by_its_name)
{
	size_t n;
	const struct media_type *t = media_type_table(&n);

	for (size_t i = 0; i < n; i++) {
		char name[32];

		if (i > 0)
			EXPECT(span_cmp(span_str(t[i - 1].extension), span_str(t[i].extension)) <
			       0);
		snprintf(name, sizeof name, "a.b.%s", t[i].extension);
		EXPECT(media_type_by_name(span_str(name)) == &t[i]);
		EXPECT(media_type_by_format((enum media_format)t[i].format,
					    (enum media_class)t[i].media_class) != NULL);
	}
}

TEST(media_type, case_of_the_extension_is_ignored)
{
	const struct media_type *t = media_type_by_name(SPAN("IMG_0001.JPG"));

	EXPECT(t != NULL);
	EXPECT_STR("image/jpeg", t->mime);
	EXPECT_U64(MEDIA_CLASS_IMAGE, t->media_class);
}

TEST(media_type, names_without_or_with_unknown_extension_are_not_media)
{
	static const char *const names[] = { "",       "mp3",	   ".",	     "a.",
					     "a.mp3 ", "a.txt",	   "a.mp3x", "a.averylongextension",
					     "a/b",    "dir.mp3/x" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		EXPECT(media_type_by_name(span_str(names[i])) == NULL);
}

TEST(media_type, a_layout_for_sound_and_film_has_a_mime_type_for_each)
{
	EXPECT_STR("audio/mp4", media_type_by_format(MEDIA_FORMAT_MP4, MEDIA_CLASS_AUDIO)->mime);
	EXPECT_STR("video/mp4", media_type_by_format(MEDIA_FORMAT_MP4, MEDIA_CLASS_VIDEO)->mime);
	EXPECT_STR("video/x-matroska",
		   media_type_by_format(MEDIA_FORMAT_MATROSKA, MEDIA_CLASS_VIDEO)->mime);
	EXPECT(media_type_by_format(MEDIA_FORMAT_JPEG, MEDIA_CLASS_AUDIO) == NULL);
	EXPECT(media_type_by_mime(SPAN("AUDIO/flac")) != NULL);
	EXPECT(media_type_by_mime(SPAN("text/plain")) == NULL);
}
