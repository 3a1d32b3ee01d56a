/* SPDX-License-Identifier: MIT */
/* Which art and subtitles belong to which file. */
#include "library/sidecar.h"

#include "harness.h"

static struct sidecars sides;

static void images(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		EXPECT_OK(sidecars_add_image(&sides, span_str(names[i])));
	sidecars_sort(&sides);
}

static void subtitles(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		EXPECT_OK(sidecars_add_subtitle(&sides, span_str(names[i])));
	sidecars_sort(&sides);
}

#define IMAGES(...)                                                                                \
	images((const char *const[]){ __VA_ARGS__ },                                               \
	       ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))
#define SUBTITLES(...)                                                                             \
	subtitles((const char *const[]){ __VA_ARGS__ },                                            \
		  ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))

TEST(sidecar_art, cover_is_better_than_folder_whatever_the_order_and_case)
{
	IMAGES("zzz.jpg", "Folder.jpg", "COVER.PNG", "front.jpg");
	EXPECT_SPAN(SPAN("COVER.PNG"), sidecar_art(&sides, SPAN("01 song.mp3")));
	sidecars_fini(&sides);
}

TEST(sidecar_art, own_picture_is_better_than_the_folders)
{
	IMAGES("cover.jpg", "film.JPG", "film 2.jpg");
	EXPECT_SPAN(SPAN("film.JPG"), sidecar_art(&sides, SPAN("Film.mkv")));
	EXPECT_SPAN(SPAN("cover.jpg"), sidecar_art(&sides, SPAN("other.mkv")));
	sidecars_fini(&sides);
}

TEST(sidecar_art, windows_media_player_names_count_the_large_one_first)
{
	IMAGES("AlbumArtSmall.jpg", "AlbumArt_{1234}_Large.jpg");
	EXPECT_SPAN(SPAN("AlbumArt_{1234}_Large.jpg"), sidecar_art(&sides, SPAN("a.wma")));
	sidecars_fini(&sides);
}

TEST(sidecar_art, other_pictures_are_no_art)
{
	IMAGES("holiday.jpg", "cover.txt.jpg");
	EXPECT_SPAN(SPAN(""), sidecar_art(&sides, SPAN("a.mp3")));
	EXPECT(!sidecar_is_folder_art(SPAN("cover.gif")));
	EXPECT(!sidecar_is_folder_art(SPAN("covers.jpg")));
	EXPECT(sidecar_is_folder_art(SPAN("Album.jpeg")));
	sidecars_fini(&sides);
}

static size_t found;
static struct sidecar_subtitle got[SIDECAR_SUBTITLES_MAX];

static void look_up(const char *film)
{
	found = sidecar_subtitles(&sides, span_str(film), got);
}

TEST(sidecar_subtitles, language_is_read_from_the_name)
{
	SUBTITLES("film.srt", "film.en.srt", "Film.pt-BR.forced.ass", "film.german.sdh.vtt",
		  "filmography.srt", "other.srt");
	look_up("film.mkv");
	EXPECT_U64(4, found);
	EXPECT_SPAN(SPAN("Film.pt-BR.forced.ass"), got[0].name);
	EXPECT_SPAN(SPAN("pt-BR"), got[0].language);
	EXPECT_SPAN(SPAN("en"), got[1].language);
	EXPECT_SPAN(SPAN("german"), got[2].language);
	EXPECT_SPAN(SPAN(""), got[3].language);
	sidecars_fini(&sides);
}

TEST(sidecar_subtitles, next_part_is_another_film)
{
	SUBTITLES("film.2.srt", "film.2.en.srt", "film.srt");
	look_up("film.mkv");
	EXPECT_U64(1, found);
	look_up("film.2.mkv");
	EXPECT_U64(2, found);
	sidecars_fini(&sides);
}

TEST(sidecar_subtitles, subs_directory_is_searched_by_name)
{
	sides.films_n = 2;
	EXPECT_OK(sidecars_add_subtitle_below(&sides, SPAN("Subs/film.en.srt")));
	EXPECT_OK(sidecars_add_subtitle_below(&sides, SPAN("Subs/2_English.srt")));
	sidecars_sort(&sides);
	look_up("film.mkv");
	EXPECT_U64(1, found);
	EXPECT_SPAN(SPAN("Subs/film.en.srt"), got[0].name);
	sidecars_fini(&sides);
}

TEST(sidecar_subtitles, only_film_owns_all_of_subs)
{
	sides.films_n = 1;
	EXPECT_OK(sidecars_add_subtitle_below(&sides, SPAN("Subs/2_English.srt")));
	EXPECT_OK(sidecars_add_subtitle_below(&sides, SPAN("Subs/3_fr.srt")));
	sidecars_sort(&sides);
	look_up("film.mkv");
	EXPECT_U64(2, found);
	EXPECT_SPAN(SPAN("English"), got[0].language);
	EXPECT_SPAN(SPAN("fr"), got[1].language);
	sidecars_fini(&sides);
}

TEST(sidecar_subtitles, each_film_may_have_a_directory_in_subs)
{
	sides.films_n = 2;
	EXPECT_OK(sidecars_add_subtitle_below(&sides, SPAN("Subs/Film.S01E01/2_English.srt")));
	EXPECT_OK(
		sidecars_add_subtitle_below(&sides, SPAN("Subs/Film.S01E01/3_French.forced.srt")));
	EXPECT_OK(sidecars_add_subtitle_below(&sides, SPAN("Subs/Film.S01E01.en/4_German.srt")));
	EXPECT_OK(sidecars_add_subtitle_below(&sides, SPAN("Subs/Film.S01E02/2_English.srt")));
	sidecars_sort(&sides);
	look_up("film.S01E01.mkv");
	EXPECT_U64(2, found);
	EXPECT_SPAN(SPAN("Subs/Film.S01E01/2_English.srt"), got[0].name);
	EXPECT_SPAN(SPAN("English"), got[0].language);
	EXPECT_SPAN(SPAN("French"), got[1].language);
	look_up("film.mkv");
	EXPECT_U64(0, found);
	sidecars_fini(&sides);
}

TEST(sidecar_subtitles, vobsub_is_a_pair_of_files_and_one_subtitle)
{
	SUBTITLES("film.en.sub", "film.en.IDX", "film.de.idx", "film.fr.sub", "film.smi");
	look_up("film.mkv");
	EXPECT_U64(3, found);
	EXPECT_SPAN(SPAN("film.en.IDX"), got[0].name);
	EXPECT_SPAN(SPAN("en"), got[0].language);
	EXPECT_SPAN(SPAN("film.fr.sub"), got[1].name);
	EXPECT_SPAN(SPAN("film.smi"), got[2].name);
	sidecars_fini(&sides);
}

TEST(sidecar_subtitles, are_bounded)
{
	static char names[100][32];

	for (int i = 0; i < 100; i++) {
		snprintf(names[i], sizeof names[i], "film.%c%c.srt", 'a' + i / 10, 'a' + i % 10);
		EXPECT_OK(sidecars_add_subtitle(&sides, span_str(names[i])));
	}
	sidecars_sort(&sides);
	look_up("film.mkv");
	EXPECT_U64(SIDECAR_SUBTITLES_MAX, found);
	sidecars_fini(&sides);
}

TEST(sidecar_stem, keeps_what_is_no_extension)
{
	EXPECT_SPAN(SPAN("a.b"), sidecar_stem(SPAN("a.b.mp3")));
	EXPECT_SPAN(SPAN("none"), sidecar_stem(SPAN("none")));
	EXPECT_SPAN(SPAN(".mp3"), sidecar_stem(SPAN(".mp3")));
}
