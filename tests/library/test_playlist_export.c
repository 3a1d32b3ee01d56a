/* SPDX-License-Identifier: MIT */
/* Paths as playlist files have them. */
#include "library/playlist_export.h"

#include "harness.h"

static void expect_path(const char *directory, struct span path, const char *want)
{
	struct buf b;

	buf_init(&b, 1000);
	playlist_export_path(span_str(directory), path, &b);
	EXPECT_STR(want, buf_cstr(&b));
	buf_fini(&b);
}

TEST(playlist_export, paths_are_relative_to_the_file_or_urls)
{
	expect_path("/m", SPAN("/m/a b.mp3"), "a b.mp3");
	expect_path("/m/lists", SPAN("/m/A/a.mp3"), "../A/a.mp3");
	expect_path("/m/lists/x", SPAN("/m/list/a.mp3"), "../../list/a.mp3");
	expect_path("/m/list", SPAN("/m/lists/a.mp3"), "../lists/a.mp3");
	expect_path("/home/x", SPAN("/m/a.mp3"), "../../m/a.mp3");
	expect_path("/", SPAN("/m/a.mp3"), "m/a.mp3");
	expect_path("/m", SPAN("/m/#1.mp3"), "./#1.mp3");
	expect_path("/m", SPAN("/m/C:\\x.mp3"), "./C:\\x.mp3");
	expect_path("/m", SPAN("/m/a\nb.mp3"), "file:///m/a%0Ab.mp3");
	expect_path("/m", SPAN("/m/ a.mp3"), "file:///m/%20a.mp3");
	expect_path("/m", SPAN("/m/a\xf6.mp3"), "file:///m/a%F6.mp3");
	EXPECT(playlist_export_is_url(SPAN("rtsp://x")));
	EXPECT(!playlist_export_is_url(SPAN("file:///C:/x")));
	EXPECT(!playlist_export_is_url(SPAN("/x")));
}
