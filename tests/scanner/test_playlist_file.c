/* SPDX-License-Identifier: MIT */
/* Playlist files: what programs really write, and what nobody should. */
#include "scanner/playlist_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "harness.h"

static struct arena arena;
static struct playlist_file file;

static void parse(enum playlist_format format, struct span bytes)
{
	arena_fini(&arena);
	arena_init(&arena, PLAYLIST_PARSE_MAX_BYTES);
	EXPECT_OK(playlist_file_parse(format, bytes, &arena, &file));
}

/* "location|title|ms;..." */
static const char *lines(void)
{
	static char text[4000];
	size_t n = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < file.lines_n && n < sizeof text; i++) {
		const struct playlist_line *l = &file.lines[i];

		n += (size_t)snprintf(text + n, sizeof text - n, "%s%.*s|%.*s|%u", n ? ";" : "",
				      SPAN_ARG(l->location), SPAN_ARG(l->title), l->duration_ms);
	}
	return text;
}

TEST(playlist_file, is_known_by_its_extension)
{
	EXPECT_U64(PLAYLIST_FORMAT_M3U, playlist_format_of(SPAN("a.m3u")));
	EXPECT_U64(PLAYLIST_FORMAT_M3U, playlist_format_of(SPAN("a.b.M3U8")));
	EXPECT_U64(PLAYLIST_FORMAT_PLS, playlist_format_of(SPAN("x.Pls")));
	EXPECT_U64(PLAYLIST_FORMAT_CUE, playlist_format_of(SPAN("x.cue")));
	EXPECT_U64(PLAYLIST_FORMAT_NONE, playlist_format_of(SPAN(".m3u")));
	EXPECT_U64(PLAYLIST_FORMAT_NONE, playlist_format_of(SPAN("m3u")));
	EXPECT_U64(PLAYLIST_FORMAT_NONE, playlist_format_of(SPAN("x.mp3")));
	EXPECT_U64(PLAYLIST_FORMAT_NONE, playlist_format_of(SPAN("")));
}

TEST(playlist_file, m3u_has_titles_durations_a_name_and_any_line_end)
{
	parse(PLAYLIST_FORMAT_M3U,
	      SPAN("\xef\xbb\xbf#EXTM3U\r\n#PLAYLIST: Road Trip \r\n\r\n"
		   "#EXTINF:217,Artist - Title, live\r\na/b.mp3\r\n"
		   "# a comment\r#EXTINF:-1 logo=\"x,y\" group=\"g\",Radio\r"
		   "http://r.example/s\n  c d.mp3  \n#extinf:3.9,T\n/abs/e.mp3"));
	EXPECT_STR("a/b.mp3|Artist - Title, live|217000;http://r.example/s|Radio|0;"
		   "c d.mp3||0;/abs/e.mp3|T|3000",
		   lines());
	EXPECT_SPAN(SPAN("Road Trip"), file.name);
	EXPECT_U64(0, file.left_out_n);
}

TEST(playlist_file, m3u_in_old_character_sets_and_utf16_is_read)
{
	parse(PLAYLIST_FORMAT_M3U, SPAN("#EXTINF:1,\xca\xe8\xed\xee\n\xca\xe8\xed\xee.mp3\n"));
	EXPECT_STR("\xca\xe8\xed\xee.mp3|Кино|1000", lines());
	EXPECT_U64(TEXT_CP1251, file.encoding);
	parse(PLAYLIST_FORMAT_M3U, SPAN("\xff\xfe"
					"B\0j\0\xf6\0.\0m\0p\0"
					"3\0\r\0\n\0"));
	EXPECT_STR("Bjö.mp3||0", lines());
	EXPECT_U64(TEXT_UTF8, file.encoding);
	/* Half a pair: no text at all. */
	parse(PLAYLIST_FORMAT_M3U, SPAN("\xff\xfe"
					"a\0\x3d\xd8"
					"b\0"));
	EXPECT_U64(0, file.lines_n);
	EXPECT_U64(1, file.left_out_n);
	/* One stray byte does not spoil the titles that are UTF-8. */
	parse(PLAYLIST_FORMAT_M3U, SPAN("#EXTINF:1,Björk\na\xf6.mp3\n"));
	EXPECT_STR("a\xf6.mp3|Björk|1000", lines());
}

TEST(playlist_file, hls_and_disc_images_are_no_playlists)
{
	parse(PLAYLIST_FORMAT_M3U, SPAN("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\na.ts\n"));
	EXPECT(file.foreign);
	EXPECT_U64(0, file.lines_n);
	parse(PLAYLIST_FORMAT_CUE, SPAN("FILE \"game.bin\" BINARY\n TRACK 01 MODE1/2352\n"
					"  INDEX 01 00:00:00\n"));
	EXPECT(file.foreign);
	EXPECT_U64(0, file.lines_n);
}

TEST(playlist_file, pls_is_in_the_order_of_its_numbers)
{
	parse(PLAYLIST_FORMAT_PLS,
	      SPAN("[playlist]\nNumberOfEntries=99\nX-GNOME-Title=Mine\nTitle2=Two\nFile10=j.mp3\n"
		   "file2 = b=b.mp3\nLength2=61\nLength10=-1\nFile1=a.mp3\nFile1=twice.mp3\n"
		   "Title7=no file\nFilex=no\nFile99999999999=no\nVersion=2\nFile3=\n"));
	EXPECT_STR("a.mp3||0;b=b.mp3|Two|61000;j.mp3||0", lines());
	EXPECT_SPAN(SPAN("Mine"), file.name);
}

TEST(playlist_file, cue_names_each_file_once)
{
	parse(PLAYLIST_FORMAT_CUE,
	      SPAN("REM GENRE x\nPERFORMER \"Nina\"\nTITLE \"Quiet Rooms\"\n"
		   "FILE \"Quiet Rooms.flac\" WAVE\n  TRACK 01 AUDIO\n    TITLE \"One\"\n"
		   "    PERFORMER \"Guest\"\n    INDEX 01 00:00:00\n  TRACK 02 AUDIO\n"
		   "    TITLE Two words\n    INDEX 00 03:00:00\n    INDEX 01 03:01:00\n"));
	EXPECT_STR("Quiet Rooms.flac|Quiet Rooms|0", lines());
	EXPECT_SPAN(SPAN("Nina - Quiet Rooms"), file.name);
	EXPECT_SPAN(SPAN("1. One\n2. Two words"), file.description);
	/* A file for each track, the pause before the second at the end of the first file. */
	parse(PLAYLIST_FORMAT_CUE,
	      SPAN("FILE one.wav WAVE\nTRACK 01 AUDIO\nTITLE \"One\"\nINDEX 01 00:00:00\n"
		   "TRACK 02 AUDIO\nTITLE \"Two\"\nINDEX 00 03:00:00\n"
		   "FILE \"two.wav\" WAVE\nINDEX 01 00:00:00\nFILE \"none.wav\" WAVE\n"));
	EXPECT_STR("one.wav|One|0;two.wav|Two|0", lines());
	EXPECT_U64(0, file.name.n);
}

static struct span repeated(const char *unit, size_t n)
{
	size_t unit_n = strlen(unit);
	char *p = malloc(unit_n * n);

	EXPECT(p != NULL);
	for (size_t i = 0; i < n; i++)
		memcpy(p + i * unit_n, unit, unit_n);
	return span_of(p, unit_n * n);
}

TEST(playlist_file, is_bounded_in_lines_entries_and_bytes)
{
	struct span many = repeated("a\n", 2000000);
	parse(PLAYLIST_FORMAT_M3U, many);
	EXPECT_U64(PLAYLIST_ENTRIES_MAX, file.lines_n);
	EXPECT_U64(2000000 - PLAYLIST_ENTRIES_MAX, file.left_out_n);
	free((char *)many.p);
	many = repeated("File1=a\n", 500000);
	parse(PLAYLIST_FORMAT_PLS, many);
	EXPECT_U64(1, file.lines_n);
	free((char *)many.p);
	many = repeated("\r", 4000000);
	parse(PLAYLIST_FORMAT_M3U, many);
	EXPECT_U64(0, file.lines_n);
	free((char *)many.p);
	many = repeated("INDEX 01 1\n", 300000);
	parse(PLAYLIST_FORMAT_CUE, many);
	free((char *)many.p);
	struct span wide = repeated("x", PLAYLIST_LINE_MAX + 1);
	parse(PLAYLIST_FORMAT_M3U, wide);
	EXPECT_U64(0, file.lines_n);
	EXPECT_U64(1, file.left_out_n);
	free((char *)wide.p);
	parse(PLAYLIST_FORMAT_M3U, SPAN("a\0b.mp3\nc.mp3\n\0\0\0"));
	EXPECT_STR("c.mp3||0", lines());
	EXPECT_U64(2, file.left_out_n);
}

static const char *const pieces[] = {
	"#EXTM3U",  "#EXTINF:",	    "#PLAYLIST:", "\n",		 "\r",	    "\r\n",
	"File1=",   "Title2=",	    "Length3",	  "=",		 "FILE ",   "\"",
	"TRACK ",   "INDEX 01",	    "TITLE \"",	  "PERFORMER x", "a/b.mp3", "\xff\xfe",
	"\xfe\xff", "\xef\xbb\xbf", "\x83\x5c",	  "\xf6",	 ",",	    " WAVE",
};

/* Whatever the bytes: entries are whole, in the text, and texts are UTF-8. */
TEST(playlist_file, any_bytes_give_sound_entries)
{
	char bytes[600];
	uint64_t seed = test_random();

	for (unsigned round = 0; round < 20000; round++) {
		size_t n = 0;

		while (n < 400) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			size_t pick = (size_t)(seed >> 33) % (ARRAY_LEN(pieces) + 4);
			if (pick < ARRAY_LEN(pieces)) {
				size_t piece_n = strlen(pieces[pick]);
				memcpy(bytes + n, pieces[pick], piece_n);
				n += piece_n;
			} else {
				bytes[n++] = (char)(seed >> 50);
			}
		}
		parse((enum playlist_format)(1 + round % 3), span_of(bytes, n));
		EXPECT(utf8_valid(file.name) && utf8_valid(file.description));
		for (uint32_t i = 0; i < file.lines_n; i++) {
			EXPECT(file.lines[i].location.n > 0);
			EXPECT(!memchr(file.lines[i].location.p, '\0', file.lines[i].location.n));
			EXPECT(utf8_valid(file.lines[i].title));
		}
	}
}
