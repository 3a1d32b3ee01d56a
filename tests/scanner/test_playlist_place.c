/* SPDX-License-Identifier: MIT */
/* Entries of playlist files against a library: an array of paths. */
#include "scanner/playlist_place.h"

#include "base/path.h"
#include "harness.h"

static const char *const *library;
static struct arena arena;
static struct playlist_places places;
static unsigned looks_n;

static bool is_there(void *ctx, struct span path)
{
	(void)ctx;
	looks_n++;
	EXPECT(path_is_sound(path));
	for (const char *const *p = library; *p; p++)
		if (span_eq(span_str(*p), path))
			return true;
	return false;
}

static void begin(const char *const *paths, enum text_encoding encoding)
{
	static const struct span roots[] = { SPAN("/media/music"), SPAN("/media/more") };

	library = paths;
	arena_fini(&arena);
	arena_init(&arena, 1u << 20);
	playlist_places_fini(&places);
	playlist_places_init(&places, SPAN("/media/music/lists"), roots, ARRAY_LEN(roots));
	places.encoding = encoding;
	places.is_there = is_there;
}

static void expect_found(struct span location, const char *path)
{
	struct playlist_place place;

	EXPECT(playlist_place_find(&places, location, &arena, &place));
	EXPECT_SPAN(span_str(path), place.uri);
	EXPECT(place.found && !place.unsettled);
}

static void expect_kept(struct span location, const char *uri, bool unsettled)
{
	struct playlist_place place;

	EXPECT(playlist_place_find(&places, location, &arena, &place));
	EXPECT_SPAN(span_str(uri), place.uri);
	EXPECT(!place.found);
	EXPECT_U64(unsettled, place.unsettled);
}

static void expect_nothing(struct span location)
{
	struct playlist_place place;

	EXPECT(!playlist_place_find(&places, location, &arena, &place));
}

TEST(playlist_place, relative_absolute_and_file_urls_are_found)
{
	static const char *const paths[] = { "/media/music/lists/a.mp3", "/media/music/B/b c.mp3",
					     "/media/music/lists/x%20y.mp3",
					     "/media/music/lists/w\\v.mp3", NULL };
	begin(paths, TEXT_UTF8);
	expect_found(SPAN("a.mp3"), paths[0]);
	expect_found(SPAN("./q/..//a.mp3"), paths[0]);
	expect_found(SPAN("../B/b c.mp3"), paths[1]);
	expect_found(SPAN("..\\B\\b c.mp3"), paths[1]);
	expect_found(SPAN("../B/b%20c.mp3"), paths[1]);
	expect_found(SPAN("x%20y.mp3"), paths[2]);
	expect_found(SPAN("w\\v.mp3"), paths[3]);
	expect_found(SPAN("/media/music/B/b c.mp3"), paths[1]);
	expect_found(SPAN("file:///media/music/B/b%20c.mp3"), paths[1]);
	expect_found(SPAN("FILE://localhost/media/music/B/b%20c.mp3"), paths[1]);
	expect_kept(SPAN("no/such.mp3"), "/media/music/lists/no/such.mp3", false);
	expect_kept(SPAN("/media/music/gone.mp3"), "/media/music/gone.mp3", false);
	expect_kept(SPAN("Foo: Bar.mp3"), "/media/music/lists/Foo: Bar.mp3", false);
	expect_kept(SPAN("http://radio.example/s?a=1"), "http://radio.example/s?a=1", false);
	expect_kept(SPAN("rtsp://r/ä b"), "rtsp://r/%C3%A4%20b", false);
	expect_nothing(SPAN("../../../../../etc/passwd"));
	expect_nothing(SPAN("other.m3u"));
	expect_nothing(SPAN("file:///"));
	expect_nothing(SPAN("file:///a%00b.mp3"));
	expect_nothing(SPAN("."));
}

TEST(playlist_place, paths_of_other_machines_are_found_by_their_end)
{
	static const char *const paths[] = { "/media/music/a/b.mp3",
					     "/media/more/c/d.mp3",
					     "/media/music/c/d.mp3",
					     "/media/music/lists/e.mp3",
					     "/media/more/f.mp3",
					     "/media/music/lists/a/g.mp3",
					     NULL };
	begin(paths, TEXT_UTF8);
	expect_found(SPAN("C:\\Users\\x\\Music\\a\\b.mp3"), paths[0]);
	expect_found(SPAN("d:/a/b.mp3"), paths[0]);
	expect_found(SPAN("file:///C:/Music/a/b.mp3"), paths[0]);
	expect_found(SPAN("\\\\server\\share\\a\\b.mp3"), paths[0]);
	expect_found(SPAN("/home/x/Music/a/b.mp3"), paths[0]);
	expect_found(SPAN("C:\\mp3\\album\\e.mp3"), paths[3]);
	expect_found(SPAN("C:\\f.mp3"), paths[4]);
	/* Two files could be meant. */
	expect_kept(SPAN("Z:\\c\\d.mp3"), "file:///Z:/c/d.mp3", true);
	expect_kept(SPAN("E:\\n o\\ne.mp3"), "file:///E:/n%20o/ne.mp3", true);
	expect_kept(SPAN("\\\\srv\\none.mp3"), "file://srv/none.mp3", true);
	expect_kept(SPAN("/home/none.mp3"), "/home/none.mp3", true);
	/* Within a root the path is meant as it is. */
	expect_kept(SPAN("/media/music/x/a/b.mp3"), "/media/music/x/a/b.mp3", false);
	/* What is above the playlist counts too, and one mapping is found again at one look. */
	expect_found(SPAN("C:\\z\\a\\g.mp3"), paths[5]);
	looks_n = 0;
	expect_found(SPAN("C:\\z\\a\\g.mp3"), paths[5]);
	EXPECT_U64(1, looks_n);
}

TEST(playlist_place, character_sets_are_tried_until_one_fits)
{
	static const char *const paths[] = { "/media/music/lists/Jóga.mp3",
					     "/media/music/lists/Кино/Группа.mp3",
					     "/media/music/lists/ソング/歌.mp3",
					     "/media/music/lists/raw\xf6.mp3", NULL };
	for (unsigned e = TEXT_LATIN1; e < TEXT_ENCODING_N; e++) {
		begin(paths, e);
		expect_found(SPAN("J\xf3ga.mp3"), paths[0]);
		expect_found(SPAN("\xca\xe8\xed\xee\\\xc3\xf0\xf3\xef\xef\xe0.mp3"), paths[1]);
		expect_found(SPAN("\x83\x5c\x83\x93\x83\x4f\\\x89\xcc.mp3"), paths[2]);
		expect_found(SPAN("raw\xf6.mp3"), paths[3]);
		expect_found(SPAN("rawö.mp3"), paths[3]);
	}
	begin(paths, TEXT_LATIN1);
	expect_kept(SPAN("n\xf6.mp3"), "/media/music/lists/nö.mp3", true);
	begin(paths, TEXT_CP1251);
	expect_kept(SPAN("\xca\xe8.mp3"), "/media/music/lists/Ки.mp3", true);
}

TEST(playlist_place, looks_are_bounded)
{
	static const char *const paths[] = { NULL };
	struct playlist_place place;
	char text[8192];

	begin(paths, TEXT_UTF8);
	looks_n = 0;
	memset(text, '/', sizeof text);
	for (size_t i = 1; i < sizeof text; i += 2)
		text[i] = 'a';
	for (unsigned i = 0; i < 2000; i++) {
		arena_reset(&arena);
		(void)playlist_place_find(&places, span_of(text, 4000), &arena, &place);
	}
	EXPECT(looks_n < PLAYLIST_LOOKS_MAX / (4000 / PLAYLIST_LOOK_BYTES) * 2 + 2 * 2000);
	expect_nothing(span_of(text, sizeof text));
}
