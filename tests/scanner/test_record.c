/* SPDX-License-Identifier: MIT */
/* What is stored of a file. */
#include "scanner/record.h"

#include "base/media_type.h"
#include "harness.h"
#include "schema/probe_fb.h"

static struct record_seen seen;
static struct record_lists lists;
static struct media_file_in file;
static uint8_t bytes[65536];

static void see(const char *path, uint8_t media_class)
{
	struct span p = span_str(path);

	seen = (struct record_seen){ .path = p,
				     .canonical_path = p,
				     .name = span_skip(p, span_rfind(p, '/') + 1),
				     .size = 5,
				     .mtime_ns = 6,
				     .device = 7,
				     .inode = 8,
				     .media_class = media_class,
				     .type = media_type_by_name(p),
				     .art_path = SPAN("/m/cover.jpg"),
				     .subtitles = { { .path = SPAN("/m/a.srt") } },
				     .subtitles_n = 1 };
}

static void make(const struct probe_reply_in *in)
{
	uint32_t n;
	struct fb_table reply;

	EXPECT_OK(probe_reply_build(bytes, sizeof bytes, in, &n));
	EXPECT_OK(probe_reply_verify(span_of(bytes, n), &reply));
	record_make(&seen, in->status, reply, &lists, &file);
}

TEST(record, title_falls_back_to_the_name_without_extension)
{
	see("/m/01 - a.b.mp3", MEDIA_CLASS_AUDIO);
	make(&(struct probe_reply_in){ .kind = MEDIA_KIND_AUDIO });
	EXPECT_SPAN(SPAN("01 - a.b"), file.title);
	EXPECT_SPAN(SPAN("01 - a.b.mp3"), file.filename);
	EXPECT_SPAN(SPAN("audio/mpeg"), file.mime_type);
	EXPECT_U64(5, file.size);
	EXPECT_I64(6, file.modified);
	EXPECT_U64(7, file.device);
	EXPECT_U64(8, file.inode);
}

TEST(record, facts_are_taken_over)
{
	struct span artists[] = { SPAN("A"), SPAN("B") };
	struct span genres[] = { SPAN("Rock") };
	struct probe_stream_in tracks[] = {
		{ .codec = SPAN("ac3"), .language = SPAN("eng"), .channels = 6 }
	};

	see("/m/a.mkv", MEDIA_CLASS_VIDEO);
	make(&(struct probe_reply_in){ .kind = MEDIA_KIND_VIDEO,
				       .title = SPAN("T"),
				       .artists = artists,
				       .artists_n = 2,
				       .genres = genres,
				       .genres_n = 1,
				       .mime_type = SPAN("video/x-matroska"),
				       .duration_ms = 9,
				       .width = 1920,
				       .audio_tracks = tracks,
				       .audio_tracks_n = 1 });
	EXPECT_SPAN(SPAN("T"), file.title);
	EXPECT_SPAN(SPAN("A"), file.artist);
	EXPECT_U64(2, file.artists_n);
	EXPECT_SPAN(SPAN("Rock"), file.genre);
	EXPECT_U64(0, file.genres_n);
	EXPECT_U64(1, file.audio_tracks_n);
	EXPECT_U64(6, file.audio_tracks[0].channels);
	EXPECT_U64(1, file.subtitles_n);
	EXPECT_SPAN(SPAN("/m/cover.jpg"), file.art_path);
	EXPECT_U64(1920, file.width);
}

TEST(record, failed_probe_gives_a_record_of_the_name)
{
	see("/m/broken.mp4", MEDIA_CLASS_VIDEO);
	record_make(&seen, PROBE_STATUS_CRASHED, (struct fb_table){ 0 }, &lists, &file);
	EXPECT_U64(MEDIA_KIND_VIDEO, file.kind);
	EXPECT_U64(PROBE_STATUS_CRASHED, file.probe_error);
	EXPECT_SPAN(SPAN("broken"), file.title);
	EXPECT_SPAN(SPAN("video/mp4"), file.mime_type);
	EXPECT_U64(1, file.subtitles_n);
}

TEST(record, content_decides_the_kind_and_what_belongs_to_it)
{
	see("/m/song.mp4", MEDIA_CLASS_VIDEO);
	make(&(struct probe_reply_in){ .kind = MEDIA_KIND_AUDIO, .mime_type = SPAN("audio/mp4") });
	EXPECT_U64(MEDIA_KIND_AUDIO, file.kind);
	EXPECT_U64(0, file.subtitles_n);
	EXPECT_SPAN(SPAN("/m/cover.jpg"), file.art_path);
	see("/m/photo.jpg", MEDIA_CLASS_IMAGE);
	make(&(struct probe_reply_in){ .kind = MEDIA_KIND_IMAGE });
	EXPECT_SPAN(SPAN(""), file.art_path);
	EXPECT_U64(0, file.subtitles_n);
}

TEST(record, without_an_extension_the_content_decides_all)
{
	see("/m/film", MEDIA_CLASS_OTHER);
	seen.type = media_type_by_name(SPAN("x.mkv"));
	make(&(struct probe_reply_in){ .kind = MEDIA_KIND_VIDEO, .mime_type = SPAN("video/webm") });
	EXPECT_U64(MEDIA_KIND_VIDEO, file.kind);
	EXPECT_SPAN(SPAN("video/webm"), file.mime_type);
	EXPECT_SPAN(SPAN("film"), file.title);
	EXPECT_U64(1, file.subtitles_n);
	make(&(struct probe_reply_in){ .kind = MEDIA_KIND_IMAGE, .mime_type = SPAN("image/png") });
	EXPECT_U64(MEDIA_KIND_IMAGE, file.kind);
	EXPECT_U64(0, file.subtitles_n);
	EXPECT_SPAN(SPAN(""), file.art_path);
	record_make(&seen, PROBE_STATUS_CRASHED, (struct fb_table){ 0 }, &lists, &file);
	EXPECT_U64(MEDIA_KIND_VIDEO, file.kind);
	EXPECT_SPAN(SPAN("video/x-matroska"), file.mime_type);
}

TEST(record, long_texts_and_lists_are_cut_between_characters)
{
	static char text[3000];
	struct span artists[100];

	for (size_t i = 0; i + 1 < sizeof text; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	for (size_t i = 0; i < ARRAY_LEN(artists); i++)
		artists[i] =
			span_of(text + 1, 2 * i); /* begins inside a character: bytes are bytes */
	artists[3] = SPAN("");
	see("/m/a.mp3", MEDIA_CLASS_AUDIO);
	make(&(struct probe_reply_in){ .title = span_of(text, 2001),
				       .artists = artists,
				       .artists_n = ARRAY_LEN(artists) });
	EXPECT_U64(RECORD_TEXT_MAX, file.title.n);
	EXPECT_U64(RECORD_LIST_MAX, file.artists_n);
	see("/m/a.mp3", MEDIA_CLASS_AUDIO);
	text[0] = 'x';
	memmove(text + 1, text + 2, sizeof text - 2);
	make(&(struct probe_reply_in){ .title = span_of(text, 2001) });
	EXPECT_U64(RECORD_TEXT_MAX - 1, file.title.n);
}

/* Every field set: one that record_restate() forgets would be missed. */
TEST(record, restated_record_is_the_same_bytes)
{
	struct span texts[] = { SPAN("A"), SPAN("B"), SPAN("C") };
	struct probe_stream_in tracks[] = { { .codec = SPAN("ac3"), .language = SPAN("eng") },
					    { .codec = SPAN("dts"), .channels = 6 } };
	static uint8_t first[65536], second[65536];
	uint32_t first_n, second_n;
	struct fb_table row;

	see("/m/a.mkv", MEDIA_CLASS_VIDEO);
	make(&(struct probe_reply_in){ .kind = MEDIA_KIND_VIDEO,
				       .mime_type = SPAN("video/x-matroska"),
				       .title = SPAN("T"),
				       .artists = texts,
				       .artists_n = 3,
				       .album = SPAN("Al"),
				       .album_artist = SPAN("AA"),
				       .genres = texts,
				       .genres_n = 2,
				       .composer = SPAN("Co"),
				       .track = 1,
				       .disc = 2,
				       .year = 1999,
				       .compilation = true,
				       .duration_ms = 3,
				       .bitrate = 4,
				       .sample_rate = 5,
				       .channels = 6,
				       .bits_per_sample = 7,
				       .width = 8,
				       .height = 9,
				       .container = SPAN("mkv"),
				       .audio_codec = SPAN("ac"),
				       .video_codec = SPAN("vc"),
				       .video_profile = SPAN("vp"),
				       .audio_profile = SPAN("ap"),
				       .mpeg_stream = 3,
				       .video_scan = 2,
				       .video_level = 10,
				       .frame_rate_milli = 11,
				       .date_taken = 12,
				       .orientation = 5,
				       .camera = SPAN("cam"),
				       .art_embedded = true,
				       .audio_tracks = tracks,
				       .audio_tracks_n = 2 });
	file.probe_error = 3;
	EXPECT_OK(media_file_build(first, sizeof first, &file, &first_n));
	EXPECT_OK(media_file_verify(span_of(first, first_n), &row));
	EXPECT(record_can_restate(row, SPAN("a.mkv")));
	EXPECT(record_can_restate(row, SPAN("b.mkv")));
	EXPECT(!record_can_restate(row, SPAN("a.mp4")));
	record_restate(&seen, row, &lists, &file);
	EXPECT_OK(media_file_build(second, sizeof second, &file, &second_n));
	EXPECT_SPAN(span_of(first, first_n), span_of(second, second_n));
}

TEST(record, title_made_of_the_name_is_not_restated_under_another)
{
	static uint8_t first[4096];
	uint32_t n;
	struct fb_table row;

	see("/m/a.mp3", MEDIA_CLASS_AUDIO);
	make(&(struct probe_reply_in){ .kind = MEDIA_KIND_AUDIO });
	EXPECT_OK(media_file_build(first, sizeof first, &file, &n));
	EXPECT_OK(media_file_verify(span_of(first, n), &row));
	EXPECT(record_can_restate(row, SPAN("a.mp3")));
	EXPECT(!record_can_restate(row, SPAN("b.mp3")));
}
