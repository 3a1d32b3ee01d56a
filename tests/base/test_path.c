/* SPDX-License-Identifier: MIT */
/* Tests src/base/path.c. */
#include "base/path.h"
#include "harness.h"

TEST(path, parts_of_a_path)
{
	EXPECT_SPAN(SPAN("/a/b"), path_directory(SPAN("/a/b/c")));
	EXPECT_SPAN(SPAN("c"), path_name(SPAN("/a/b/c")));
	EXPECT_SPAN(SPAN("/"), path_directory(SPAN("/c")));
	EXPECT_SPAN(SPAN("c"), path_name(SPAN("/c")));
}

TEST(path, only_plain_absolute_paths_are_sound)
{
	static char longest[PATH_MAX_BYTES + 1];

	EXPECT(path_is_sound(SPAN("/a")));
	EXPECT(path_is_sound(SPAN("/a/.b/..c/\xff")));
	EXPECT(!path_is_sound(SPAN("")));
	EXPECT(!path_is_sound(SPAN("/")));
	EXPECT(!path_is_sound(SPAN("a/b")));
	EXPECT(!path_is_sound(SPAN("/a/")));
	EXPECT(!path_is_sound(SPAN("/a//b")));
	EXPECT(!path_is_sound(SPAN("/a/./b")));
	EXPECT(!path_is_sound(SPAN("/a/../b")));
	EXPECT(!path_is_sound(SPAN("/a\0b")));
	memset(longest, 'x', sizeof longest);
	longest[0] = '/';
	EXPECT(path_is_sound(span_of(longest, PATH_MAX_BYTES)));
	EXPECT(!path_is_sound(span_of(longest, PATH_MAX_BYTES + 1)));
}

TEST(path, within_is_the_directory_and_what_is_below_it)
{
	EXPECT(path_is_within(SPAN("/a/b"), SPAN("/a")));
	EXPECT(path_is_within(SPAN("/a"), SPAN("/a")));
	EXPECT(path_is_within(SPAN("/a"), SPAN("/")));
	EXPECT(!path_is_within(SPAN("/ab"), SPAN("/a")));
	EXPECT(!path_is_within(SPAN("/"), SPAN("/a")));
}
