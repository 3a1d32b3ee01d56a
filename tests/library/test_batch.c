/* SPDX-License-Identifier: MIT */
/* Batches: what is copied, refused, and brought to a normal form. */
#include "harness.h"
#include "library/batch_priv.h"

static struct media_file_in song(struct span path)
{
	return (struct media_file_in){ .path = path, .kind = MEDIA_KIND_AUDIO, .size = 3 };
}

static struct media_file_in file_of(const struct batch *b, uint32_t op)
{
	struct media_file_in file;
	file_unpack(b->ops[op].file, NULL, &file);
	return file;
}

TEST(batch, copies_everything_and_fills_what_is_missing)
{
	struct batch *b;
	char path[] = "/m/a/Song.One.mp3", artist[] = " Björk ";
	EXPECT_OK(batch_new(&b));
	struct media_file_in in = song(span_str(path));
	in.artist = span_str(artist);
	EXPECT_OK(batch_put(b, &in));
	memset(path, 'x', sizeof path - 1);
	memset(artist, 'x', sizeof artist - 1);

	struct media_file_in f = file_of(b, 0);
	EXPECT_SPAN(SPAN("/m/a/Song.One.mp3"), f.path);
	EXPECT_SPAN(SPAN("Song.One.mp3"), f.filename);
	EXPECT_SPAN(SPAN("Song.One"), f.title);
	EXPECT_SPAN(SPAN("Björk"), f.artist);
	EXPECT(f.canonical_path.p == f.path.p);
	EXPECT_U64(0, f.artists_n);
	EXPECT_U64(1, batch_len(b));
	batch_free(b);
}

TEST(batch, names_are_trimmed_and_told_apart)
{
	struct batch *b;
	EXPECT_OK(batch_new(&b));
	struct media_file_in in = song(SPAN("/m/x.mp3"));
	const struct span artists[] = { SPAN(" A "), SPAN("B"), SPAN(""), SPAN("A"), SPAN("b") };
	in.artists = artists;
	in.artists_n = ARRAY_LEN(artists);
	EXPECT_OK(batch_put(b, &in));
	struct media_file_in f = file_of(b, 0);
	EXPECT_SPAN(SPAN("A"), f.artist);
	EXPECT_U64(3, f.artists_n);
	EXPECT_SPAN(SPAN("A"), f.artists[0]);
	EXPECT_SPAN(SPAN("B"), f.artists[1]);
	EXPECT_SPAN(SPAN("b"), f.artists[2]);

	in.artists_n = 1;
	EXPECT_OK(batch_put(b, &in));
	EXPECT_U64(0, file_of(b, 1).artists_n);
	EXPECT_SPAN(SPAN("A"), file_of(b, 1).artist);
	batch_free(b);
}

TEST(batch, long_texts_are_cut_between_characters)
{
	struct batch *b;
	char title[2 * MEDIA_TEXT_MAX + 1];
	EXPECT_OK(batch_new(&b));
	title[0] = 'x';
	for (size_t i = 1; i + 1 < sizeof title; i += 2)
		memcpy(title + i, "é", 2);
	struct media_file_in in = song(SPAN("/m/x.mp3"));
	in.title = span_of(title, sizeof title);
	EXPECT_OK(batch_put(b, &in));
	EXPECT_U64(MEDIA_TEXT_MAX - 1, file_of(b, 0).title.n);
	batch_free(b);
}

TEST(batch, unsound_paths_and_kinds_are_refused)
{
	static const char *const paths[] = { "",      "/",	"a",	   "a/b", "/a/",
					     "/a//b", "/a/./b", "/a/../b", "/..", "//a" };
	struct batch *b;
	EXPECT_OK(batch_new(&b));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct media_file_in in = song(span_str(paths[i]));
		EXPECT_ERR(ERR_INVALID, batch_put(b, &in));
		EXPECT_ERR(ERR_INVALID, batch_remove(b, span_str(paths[i])));
	}
	struct media_file_in in = song(SPAN("/a/b"));
	in.kind = MEDIA_KIND_OTHER;
	EXPECT_ERR(ERR_INVALID, batch_put(b, &in));
	EXPECT_ERR(ERR_INVALID, batch_root(b, SPAN("music"), SPAN("x")));
	EXPECT_OK(batch_root(b, SPAN("/music///"), SPAN("x")));
	EXPECT_SPAN(SPAN("/music"), b->ops[0].path);
	EXPECT_OK(batch_root(b, SPAN("/"), SPAN("")));
	EXPECT_U64(2, batch_len(b));
	batch_free(b);
}

/* A directory that was sound is not looked at again: the name behind it is. */
TEST(batch, unsound_names_are_refused_beside_sound_files)
{
	static const struct span unsound[] = { SPAN("/m/a/"),	   SPAN("/m/a/."),
					       SPAN("/m/a/.."),	   SPAN("/m/a/b\0c"),
					       SPAN("/m/a/b//c"),  SPAN("/m/a/b/../c"),
					       SPAN("/m/a/b/c\0"), SPAN("/m/a//") };
	static const struct span sound[] = { SPAN("/m/a/x"), SPAN("/m/a/..."), SPAN("/m/a/b/c"),
					     SPAN("/m/b"), SPAN("/m/a/.x") };
	char longest[2 * MEDIA_PATH_MAX];
	struct batch *b;
	EXPECT_OK(batch_new(&b));
	memset(longest, 'x', sizeof longest);
	memcpy(longest, "/m/a/", 5);
	struct media_file_in in = song(SPAN("/m/a/first"));
	EXPECT_OK(batch_put(b, &in));
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		for (size_t k = 0; k < ARRAY_LEN(unsound); k++) {
			in = song(unsound[k]);
			EXPECT_ERR(ERR_INVALID, batch_put(b, &in));
		}
		in = song(span_of(longest, MEDIA_PATH_MAX + 1));
		EXPECT_ERR(ERR_INVALID, batch_put(b, &in));
		in = song(sound[i]);
		EXPECT_OK(batch_put(b, &in));
		EXPECT_SPAN(sound[i], file_of(b, (uint32_t)i + 1).path);
		EXPECT_SPAN(path_name(sound[i]), file_of(b, (uint32_t)i + 1).filename);
	}
	in = song(span_of(longest, MEDIA_PATH_MAX));
	EXPECT_OK(batch_put(b, &in));
	batch_free(b);
}

/* One of few texts each, so that neighbours have many in common and some not. */
static struct media_file_in any_file(const char *texts)
{
	static const struct span paths[] = { SPAN("/m/a/1"), SPAN("/m/a/12"), SPAN("/m/b/1") };
	struct media_file_in in = { 0 };
	size_t n;
#define X(field) in.field = (__typeof__(in.field))test_random();
	MEDIA_NUMBERS(X)
#undef X
	in.kind = (uint8_t)(MEDIA_KIND_AUDIO + test_random() % 3);
#define X(field)                                                                                   \
	n = test_random() % 20;                                                                    \
	in.field = test_random() % 4 ? span_of(texts, n) : span_of(texts + 1, n);
	MEDIA_TEXTS(X)
	X(title)
	X(artist)
	X(genre)
	X(art_path)
#undef X
	in.path = paths[test_random() % ARRAY_LEN(paths)];
	return in;
}

TEST(batch, gives_back_every_field_whatever_the_neighbours_have)
{
	static const char texts[] = " abcdefghijk\tlmnopqrstuvwxyz";
	struct media_file_in in[500];
	struct batch *b;
	EXPECT_OK(batch_new(&b));
	for (unsigned i = 0; i < ARRAY_LEN(in); i++) {
		in[i] = any_file(texts);
		EXPECT_OK(batch_put(b, &in[i]));
	}
	for (unsigned i = 0; i < ARRAY_LEN(in); i++) {
		struct media_file_in f = file_of(b, i);
#define X(field) EXPECT_U64((uint64_t)in[i].field, (uint64_t)f.field);
		MEDIA_NUMBERS(X)
#undef X
#define X(field) EXPECT_SPAN(span_trim(in[i].field), f.field);
		MEDIA_TEXTS(X)
		X(artist)
		X(genre)
#undef X
		struct span title = span_trim(in[i].title);
		EXPECT_SPAN(title.n ? title : path_name(in[i].path), f.title);
		EXPECT_SPAN(in[i].path, f.path);
		EXPECT_SPAN(in[i].path, f.canonical_path);
		EXPECT_SPAN(path_name(in[i].path), f.filename);
		EXPECT_SPAN(in[i].art_path, f.art_path);
		EXPECT(!f.artists && !f.genres && !f.subtitles && !f.audio_tracks);
	}
	batch_free(b);
}

TEST(batch, files_of_one_album_share_their_texts)
{
	struct batch *b;
	EXPECT_OK(batch_new(&b));
	struct media_file_in in = song(SPAN("/m/a/1"));
	in.artist = SPAN("A");
	in.album = SPAN(" B");
	EXPECT_OK(batch_put(b, &in));
	in.path = SPAN("/m/a/2");
	EXPECT_OK(batch_put(b, &in));
	in.album = SPAN("B");
	EXPECT_OK(batch_put(b, &in));
	in.album = SPAN("C");
	EXPECT_OK(batch_put(b, &in));
	EXPECT(b->ops[1].file->texts == b->ops[0].file->texts);
	EXPECT(b->ops[2].file->texts == b->ops[0].file->texts);
	EXPECT(b->ops[3].file->texts != b->ops[0].file->texts);
	EXPECT_SPAN(SPAN("C"), file_of(b, 3).album);
	EXPECT_SPAN(SPAN("A"), file_of(b, 3).artist);
	EXPECT_SPAN(SPAN("B"), file_of(b, 0).album);
	batch_free(b);
}

TEST(batch, is_bounded_in_files_and_in_bytes)
{
	struct batch *b;
	EXPECT_OK(batch_new(&b));
	for (unsigned i = 0; i < LIBRARY_BATCH_MAX_FILES; i++)
		EXPECT_OK(batch_remove(b, SPAN("/m/x")));
	EXPECT_ERR(ERR_LIMIT, batch_remove(b, SPAN("/m/x")));
	batch_free(b);

	char title[2][MEDIA_TEXT_MAX + 1];
	memset(title[0], 'y', sizeof title[0]);
	memset(title[1], 'z', sizeof title[1]); /* neighbours share what is alike */
	EXPECT_OK(batch_new(&b));
	struct media_file_in in = song(SPAN("/m/x.mp3"));
	enum err e = ERR_OK;
	unsigned n = 0;
	for (; e == ERR_OK && n < LIBRARY_BATCH_MAX_FILES; n++) {
		in.title = in.artist = in.album = in.genre = span_of(title[n % 2], sizeof title[0]);
		in.composer = in.album_artist = in.camera = in.title;
		e = batch_put(b, &in);
	}
	EXPECT_ERR(ERR_LIMIT, e);
	EXPECT(n > 500);
	EXPECT(b->arena.used_bytes <= LIBRARY_BATCH_MAX_BYTES);
	batch_free(b);
}

/* Texts are compared with those of the file before, which are normal already. */
TEST(batch, a_text_that_is_cut_is_as_it_would_be_if_it_came_cut)
{
	char text[MEDIA_TEXT_MAX + 2];
	memset(text, 'a', sizeof text);
	text[MEDIA_TEXT_MAX - 1] = ' ';
	struct span once = batch_text_normal(span_of(text, sizeof text));
	struct span twice = batch_text_normal(once);
	EXPECT_U64(once.n, MEDIA_TEXT_MAX - 1);
	EXPECT(span_eq(once, twice));
}
