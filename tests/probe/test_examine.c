/* SPDX-License-Identifier: MIT */
/* What salver-probe finds in files, in this process: formats, tags, broken and mutated files. */
#include "probe/helper/examine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/utf8.h"
#include "harness.h"
#include "probe/helper/aac_config.h"
#include "probe/helper/audio.h"
#include "probe/helper/legacy.h"
#include "probe/helper/video.h"
#include "probe/media_files.h"

static struct facts *examiner(void)
{
	static struct facts f;

	if (f.arena.max_bytes == 0) {
		facts_init(&f);
		audio_init(TEXT_AUTO);
		video_init(PROBE_BINARY_DIR);
	}
	facts_reset(&f);
	return &f;
}

static const struct probe_reply_in *examine(const char *name, bool want_art)
{
	struct facts *f = examiner();
	CLEANUP(fd_closep) int fd = media_open(name);

	f->want_art = want_art;
	examine_file(f, fd, span_str(name));
	return &f->reply;
}

struct expected {
	const char *name, *mime, *codec, *container;
	uint32_t duration_ms, sample_rate;
	uint16_t channels, bits;
};

TEST(examine, audio_formats_have_their_properties)
{
	static const struct expected files[] = {
		{ "cbr.mp3", "audio/mpeg", "mp3", "mp3", 2000, 44100, 2, 0 },
		{ "vbr.mp3", "audio/mpeg", "mp3", "mp3", 2000, 44100, 2, 0 },
		{ "junk-before.mp3", "audio/mpeg", "mp3", "mp3", 2000, 44100, 2, 0 },
		{ "layer2.mp2", "audio/mpeg", "mp2", "mp3", 2000, 44100, 2, 0 },
		{ "sound.flac", "audio/flac", "flac", "flac", 2000, 44100, 2, 16 },
		{ "id3.flac", "audio/flac", "flac", "flac", 2000, 44100, 2, 16 },
		{ "deep.flac", "audio/flac", "flac", "flac", 2000, 96000, 2, 24 },
		{ "sound.ogg", "audio/ogg", "vorbis", "ogg", 2000, 44100, 2, 0 },
		{ "flac.oga", "audio/ogg", "flac", "ogg", 2000, 44100, 2, 16 },
		{ "sound.opus", "audio/ogg", "opus", "ogg", 2000, 48000, 2, 0 },
		{ "sound.spx", "audio/ogg", "speex", "ogg", 2000, 16000, 2, 0 },
		{ "sound.m4a", "audio/mp4", "aac", "mov", 2000, 44100, 2, 0 },
		{ "book.m4b", "audio/mp4", "aac", "mov", 2000, 44100, 2, 0 },
		{ "lossless.m4a", "audio/mp4", "alac", "mov", 2000, 44100, 2, 16 },
		{ "soundonly.mp4", "audio/mp4", "aac", "mov", 2000, 44100, 2, 0 },
		{ "sound.aac", "audio/aac", "aac", "aac", 2000, 44100, 2, 0 },
		{ "id3.aac", "audio/aac", "aac", "aac", 2000, 44100, 2, 0 },
		{ "sound.wav", "audio/wav", "pcm_s16le", "wav", 2000, 44100, 2, 16 },
		{ "deep.wav", "audio/wav", "pcm_s24le", "wav", 2000, 44100, 2, 24 },
		{ "float.wav", "audio/wav", "pcm_f32le", "wav", 2000, 44100, 2, 32 },
		{ "rf64.wav", "audio/wav", "pcm_s16le", "wav", 2000, 44100, 2, 16 },
		{ "sound.aiff", "audio/aiff", "pcm_s16be", "aiff", 2000, 44100, 2, 16 },
		{ "sound.aif", "audio/aiff", "pcm_s16be", "aiff", 2000, 44100, 2, 16 },
		{ "sound.wma", "audio/x-ms-wma", "wmav2", "asf", 2000, 44100, 2, 0 },
		{ "sound.wv", "audio/x-wavpack", "wavpack", "wv", 2000, 44100, 2, 16 },
		{ "sound.tta", "audio/x-tta", "tta", "tta", 2000, 44100, 2, 16 },
		{ "sound.ape", "audio/x-ape", "ape", "ape", 1000, 44100, 2, 16 },
		{ "sound.mpc", "audio/x-musepack", "musepack7", "mpc", 2000, 44100, 2, 0 },
		{ "sound.dsf", "audio/x-dsf", "dsd_lsbf_planar", "dsf", 1000, 2822400, 2, 1 },
		{ "sound.dff", "audio/x-dff", "dsd_msbf", "iff", 1000, 2822400, 2, 1 },
		{ "sound.mka", "audio/x-matroska", "vorbis", "matroska", 2000, 44100, 2, 0 },
		/* Named wrongly or not at all. */
		{ "wav-named.mp3", "audio/wav", "pcm_s16le", "wav", 2000, 44100, 2, 16 },
		{ "m4a-named.mp3", "audio/mp4", "aac", "mov", 2000, 44100, 2, 0 },
		{ "mp3-without-name", "audio/mpeg", "mp3", "mp3", 2000, 44100, 2, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct expected *x = &files[i];
		const struct probe_reply_in *r = examine(x->name, false);

		printf("%s\n", x->name);
		EXPECT_U64(PROBE_STATUS_OK, r->status);
		EXPECT_U64(MEDIA_KIND_AUDIO, r->kind);
		EXPECT_SPAN(span_str(x->mime), r->mime_type);
		EXPECT_SPAN(span_str(x->codec), r->audio_codec);
		EXPECT_SPAN(span_str(x->container), r->container);
		EXPECT(r->duration_ms + 100 >= x->duration_ms);
		EXPECT(r->duration_ms <= x->duration_ms + 100);
		EXPECT_U64(x->sample_rate, r->sample_rate);
		EXPECT_U64(x->channels, r->channels);
		EXPECT_U64(x->bits, r->bits_per_sample);
		EXPECT(!r->art_embedded);
	}
}

TEST(examine, every_value_of_every_tag_is_read_in_every_format)
{
	static const char *const files[] = { "tagged.mp3",  "tagged.flac", "tagged.ogg",
					     "tagged.opus", "tagged.m4a",  "tagged.wma",
					     "tagged.wav",  "tagged.aiff", "tagged.wv",
					     "tagged.ape",  "tagged.mpc" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = examine(files[i], true);
		bool asf = span_eq(span_str(files[i]), SPAN("tagged.wma"));

		printf("%s\n", files[i]);
		EXPECT_U64(PROBE_STATUS_OK, r->status);
		EXPECT_SPAN(SPAN("Title \xc3\xa9\xe4\xb8\xad"), r->title);
		EXPECT_U64(3, r->artists_n);
		EXPECT_SPAN(SPAN("One"), r->artists[0]);
		EXPECT_SPAN(SPAN("Two & Co"), r->artists[1]);
		EXPECT_SPAN(SPAN("Three"), r->artists[2]);
		EXPECT_SPAN(SPAN("The Album"), r->album);
		EXPECT_SPAN(SPAN("Album Artist"), r->album_artist);
		EXPECT_U64(2, r->genres_n);
		EXPECT_SPAN(asf ? SPAN("Metal") : SPAN("Rock"), r->genres[0]);
		EXPECT_SPAN(asf ? SPAN("Rock") : SPAN("Metal"), r->genres[1]);
		EXPECT_SPAN(SPAN("The Composer"), r->composer);
		EXPECT_U64(3, r->track);
		EXPECT_U64(2, r->disc);
		EXPECT_U64(1999, r->year);
		EXPECT(r->compilation);
		EXPECT(r->art_embedded);
		EXPECT_SPAN(SPAN("image/jpeg"), r->art_mime_type);
		CLEANUP(fd_closep) int fd = media_open("picture.jpg");
		struct stat st;
		EXPECT(fstat(fd, &st) == 0);
		EXPECT_U64((uint64_t)st.st_size, r->art.n);
		char *whole = malloc(r->art.n);
		EXPECT(whole && pread(fd, whole, r->art.n, 0) == (ssize_t)r->art.n);
		EXPECT_SPAN(span_of(whole, r->art.n), r->art);
		free(whole);
	}
}

TEST(examine, values_in_one_text_are_parted_where_that_is_safe)
{
	const struct probe_reply_in *r = examine("semicolons.mp3", false);

	EXPECT_U64(3, r->artists_n);
	EXPECT_SPAN(SPAN("AC/DC"), r->artists[0]);
	EXPECT_SPAN(SPAN("Earth, Wind & Fire"), r->artists[1]);
	EXPECT_SPAN(SPAN("A;B"), r->artists[2]);
	EXPECT_U64(3, r->genres_n);
	EXPECT_SPAN(SPAN("Rock"), r->genres[0]);
	EXPECT_SPAN(SPAN("Pop"), r->genres[1]);
	EXPECT_SPAN(SPAN("Hip-Hop/Rap"), r->genres[2]);
	EXPECT_U64(1999, r->year);
}

TEST(examine, years_are_found_in_dates_of_every_order)
{
	EXPECT_U64(2001, examine("year.flac", false)->year);
	EXPECT_U64(1, examine("year.flac", false)->disc);
	EXPECT_U64(1999, examine("day.flac", false)->year);
	EXPECT_U64(2004, examine("digits.flac", false)->year);
	EXPECT_U64(0, facts_year(SPAN("12/99")));
	EXPECT_U64(0, facts_year(SPAN("123456")));
	EXPECT_U64(0, facts_year(SPAN("")));
}

TEST(examine, modules_have_titles_and_channels)
{
	static const struct {
		const char *name;
		struct span codec, title;
	} files[] = { { "module.mod", SPAN("mod"), SPAN("Amiga Song") },
		      { "module.s3m", SPAN("s3m"), SPAN("Scream Song") },
		      { "module.it", SPAN("it"), SPAN("Impulse Song") },
		      { "module.xm", SPAN("xm"), SPAN("Fast Song") } };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = examine(files[i].name, false);

		printf("%s\n", files[i].name);
		EXPECT_U64(PROBE_STATUS_OK, r->status);
		EXPECT_U64(MEDIA_KIND_AUDIO, r->kind);
		EXPECT_SPAN(SPAN("audio/x-mod"), r->mime_type);
		EXPECT_SPAN(files[i].codec, r->audio_codec);
		EXPECT_SPAN(files[i].title, r->title);
		EXPECT(r->channels > 0);
	}
}

TEST(examine, tags_are_found_in_formats_that_taglib_does_not_know)
{
	static const char *const files[] = { "tagged.dsf", "sound.dff", "id3.aac", "id3.flac" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		EXPECT_SPAN(SPAN("In DSF"), examine(files[i], false)->title);
	EXPECT_SPAN(SPAN("Plain Title"), examine("sound.mka", false)->title);
}

TEST(examine, a_picture_is_only_copied_where_it_is_wanted_and_fits)
{
	const struct probe_reply_in *r = examine("bigart.mp3", false);

	EXPECT(r->art_embedded);
	EXPECT_U64(0, r->art.n);
	r = examine("bigart.mp3", true);
	EXPECT_U64(600004, r->art.n);
	r = examine("hugeart.mp3", true);
	EXPECT_U64(PROBE_STATUS_TOO_LARGE, r->status);
	EXPECT(r->art_embedded);
	EXPECT_U64(0, r->art.n);
}

TEST(examine, text_is_clean_and_bounded)
{
	const struct probe_reply_in *r = examine("control.mp3", false);

	EXPECT_SPAN(SPAN("a b c d e"), r->title);
	EXPECT_U64(1, r->artists_n);
	EXPECT(r->artists[0].n > 1000 && r->artists[0].n <= FACTS_TEXT_MAX_BYTES);
}

TEST(examine, legacy_encodings_are_repaired)
{
	EXPECT_SPAN(SPAN("\xd0\x9a\xd0\xb8\xd0\xbd\xd0\xbe"), examine("cp1251.mp3", false)->title);
	EXPECT_SPAN(SPAN("Bj\xc3\xb6rk \xe4\xb8\xad"), examine("utf8inlatin1.mp3", false)->title);
	EXPECT_SPAN(SPAN("Mot\xc3\xb6rhead"), examine("latin1.mp3", false)->title);
	EXPECT_SPAN(SPAN("\xe6\xb5\x9c\xe5\xb4\x8e\xe3\x81\x82\xe3\x82\x86\xe3\x81\xbf"),
		    examine("sjis.mp3", false)->title);
}

static struct span repaired(const char *utf8, enum text_encoding encoding)
{
	static char out[3 * LEGACY_MAX_BYTES];

	return span_of(out, legacy_repair(span_str(utf8), encoding, out, sizeof out));
}

TEST(examine, legacy_repair_leaves_alone_what_is_as_it_says)
{
	static const char *const words[] = { "",
					     "plain",
					     "na\xc3\xafve caf\xc3\xa9",
					     "\xc3\x85ngstr\xc3\xb6m",
					     "Gr\xc3\xb6\xc3\x9fter",
					     "\xd0\x9a\xd0\xb8\xd0\xbd\xd0\xbe",
					     "\xe4\xb8\xad" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		EXPECT_SPAN(SPAN(""), repaired(words[i], TEXT_AUTO));
		EXPECT_SPAN(SPAN(""), repaired(words[i], TEXT_LATIN1));
		EXPECT_SPAN(SPAN(""), repaired(words[i], TEXT_CP1251));
	}
}

/* "Don't" with the apostrophe of CP1252; the C1 character would be dropped. */
TEST(examine, quotes_and_dashes_of_windows_are_kept)
{
	EXPECT_SPAN(SPAN("Don\xe2\x80\x99t"), repaired("Don\xc2\x92t", TEXT_AUTO));
	EXPECT_SPAN(SPAN("Don\xe2\x80\x99t"), repaired("Don\xc2\x92t", TEXT_LATIN1));
}

TEST(examine, configured_encoding_decides_what_cannot_be_guessed)
{
	/* "Fade" in Chinese: b7 b2 in GBK */
	const char *gbk = "\xc2\xb7\xc2\xb2";

	EXPECT_SPAN(SPAN(""), repaired(gbk, TEXT_AUTO));
	EXPECT_SPAN(SPAN("\xe5\x87\xa1"), repaired(gbk, TEXT_GBK));
	EXPECT_SPAN(SPAN("\xec\x82\xac\xeb\x9e\x91"),
		    repaired("\xc2\xbb\xc3\xa7\xc2\xb6\xc3\xbb", TEXT_EUC_KR));
	/* UTF-8 is UTF-8 whatever was configured. */
	EXPECT_SPAN(SPAN("Bj\xc3\xb6rk"), repaired("Bj\xc3\x83\xc2\xb6rk", TEXT_CP1251));
	EXPECT_SPAN(SPAN(""), repaired("Bj\xc3\x83\xc2\xb6rk", TEXT_LATIN1));
}

TEST_LIMIT(examine, films_have_their_properties, 120)
{
	static const struct {
		const char *name, *mime, *container, *video, *audio, *profile;
		uint16_t level, tracks;
	} files[] = {
		{ "film.mp4", "video/mp4", "mov", "h264", "aac", "Constrained Baseline", 31, 1 },
		{ "film.m4v", "video/mp4", "mov", "h264", "aac", "Constrained Baseline", 13, 1 },
		{ "hevc.mp4", "video/mp4", "mov", "hevc", "", "Main", 60, 0 },
		{ "film.mov", "video/quicktime", "mov", "h264", "pcm_s16le", "Constrained Baseline",
		  13, 1 },
		{ "film.3gp", "video/3gpp", "mov", "h264", "aac", "Constrained Baseline", 13, 1 },
		{ "film.mkv", "video/x-matroska", "matroska", "h264", "ac3", "Constrained Baseline",
		  13, 2 },
		{ "mkv-named.avi", "video/x-matroska", "matroska", "h264", "ac3",
		  "Constrained Baseline", 13, 2 },
		{ "film.webm", "video/webm", "matroska", "vp9", "opus", NULL, 0, 1 },
		{ "film.avi", "video/x-msvideo", "avi", "mpeg4", "mp3", NULL, 0, 1 },
		{ "film.divx", "video/x-msvideo", "avi", "mpeg4", "mp3", NULL, 0, 1 },
		{ "film.wmv", "video/x-ms-wmv", "asf", "wmv2", "wmav2", NULL, 0, 1 },
		{ "film.asf", "video/x-ms-asf", "asf", "wmv2", "wmav2", NULL, 0, 1 },
		{ "film.flv", "video/x-flv", "flv", "h264", "aac", "Constrained Baseline", 13, 1 },
		{ "film.ts", "video/mp2t", "mpegts", "h264", "aac", "Constrained Baseline", 13, 1 },
		{ "film.m2ts", "video/vnd.dlna.mpeg-tts", "mpegts", "h264", "ac3",
		  "Constrained Baseline", 13, 1 },
		{ "film.mpg", "video/mpeg", "mpeg", "mpeg2video", "mp2", "Main", 8, 1 },
		{ "film.vob", "video/mpeg", "mpeg", "mpeg2video", "mp2", "Main", 8, 1 },
		{ "film.ogv", "video/ogg", "ogg", "theora", "vorbis", NULL, 0, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = examine(files[i].name, false);

		printf("%s\n", files[i].name);
		EXPECT_U64(PROBE_STATUS_OK, r->status);
		EXPECT_U64(MEDIA_KIND_VIDEO, r->kind);
		EXPECT_SPAN(span_str(files[i].mime), r->mime_type);
		EXPECT_SPAN(span_str(files[i].container), r->container);
		EXPECT_SPAN(span_str(files[i].video), r->video_codec);
		EXPECT_SPAN(span_str(files[i].audio), r->audio_codec);
		if (files[i].profile)
			EXPECT_SPAN(span_str(files[i].profile), r->video_profile);
		EXPECT_U64(files[i].level, r->video_level);
		EXPECT_U64(files[i].tracks, r->audio_tracks_n);
		EXPECT_U64(320, r->width);
		EXPECT_U64(240, r->height);
		EXPECT(r->duration_ms > 1900 && r->duration_ms < 2200);
		EXPECT(r->bitrate > 0);
	}
}

TEST(examine, films_have_title_date_languages_and_turn)
{
	const struct probe_reply_in *r = examine("film.mkv", false);

	EXPECT_SPAN(SPAN("Plain Title"), r->title);
	EXPECT_SPAN(SPAN("eng"), r->audio_tracks[0].language);
	EXPECT_SPAN(SPAN("fre"), r->audio_tracks[1].language);
	EXPECT_SPAN(SPAN("aac"), r->audio_tracks[1].codec);
	r = examine("film.mp4", false);
	EXPECT_I64(1588748889, r->date_taken);
	EXPECT_U64(25000, r->frame_rate_milli);
	EXPECT_SPAN(SPAN(""), r->audio_tracks[0].language);
	EXPECT_U64(25000, examine("film.ogv", false)->frame_rate_milli);
	r = examine("turned.mp4", false);
	EXPECT_U64(240, r->width);
	EXPECT_U64(320, r->height);
}

TEST(examine, films_of_mpeg_say_how_they_are_packed)
{
	static const struct {
		const char *name, *mime;
		uint8_t stream;
	} files[] = {
		{ "film.ts", "video/mp2t", MPEG_STREAM_TRANSPORT },
		{ "no-times.m2ts", "video/mp2t", MPEG_STREAM_TRANSPORT },
		{ "film.m2ts", "video/vnd.dlna.mpeg-tts", MPEG_STREAM_TRANSPORT_STAMPED },
		{ "zero-times.m2ts", "video/vnd.dlna.mpeg-tts", MPEG_STREAM_TRANSPORT_ZERO },
		{ "broadcast.ts", "video/mp2t", MPEG_STREAM_NONE }, /* packets of 204 bytes */
		{ "film.mpg", "video/mpeg", MPEG_STREAM_SYSTEM },
		{ "film.vob", "video/mpeg", MPEG_STREAM_PROGRAM },
		{ "lines.mpg", "video/mpeg", MPEG_STREAM_PROGRAM },
		{ "film.mp4", "video/mp4", MPEG_STREAM_NONE },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = examine(files[i].name, false);

		printf("%s\n", files[i].name);
		EXPECT_U64(PROBE_STATUS_OK, r->status);
		EXPECT_SPAN(span_str(files[i].mime), r->mime_type);
		EXPECT_U64(files[i].stream, r->mpeg_stream);
	}
}

TEST(examine, films_say_whether_they_are_interlaced)
{
	static const struct {
		const char *name;
		uint8_t scan;
	} files[] = {
		{ "lines.mpg", VIDEO_SCAN_INTERLACED },	    { "lines.ts", VIDEO_SCAN_INTERLACED },
		{ "lines-h264.ts", VIDEO_SCAN_INTERLACED }, { "film.ts", VIDEO_SCAN_PROGRESSIVE },
		{ "film.m2ts", VIDEO_SCAN_PROGRESSIVE },    { "film.vob", VIDEO_SCAN_PROGRESSIVE },
		{ "sound.mka", VIDEO_SCAN_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		printf("%s\n", files[i].name);
		EXPECT_U64(files[i].scan, examine(files[i].name, false)->video_scan);
	}
}

TEST(examine, sound_says_which_aac_it_is)
{
	static const struct {
		const char *name, *profile;
	} files[] = {
		{ "sound.m4a", "LC" },	{ "film.mp4", "LC" },	   { "film.ts", "LC" },
		{ "film.flv", "LC" },	{ "lines-h264.ts", "LC" }, { "he.m4a", "HE-AAC" },
		{ "he.m4v", "HE-AAC" }, { "he2.m4a", "HE-AACv2" }, { "he2.m4v", "HE-AACv2" },
		{ "doubtful.m4a", "" }, { "doubtful.m4v", "" },	   { "lossless.m4a", "" },
		{ "film.mkv", "" }, /* AC-3 first */
		{ "cbr.mp3", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		printf("%s\n", files[i].name);
		EXPECT_SPAN(span_str(files[i].profile),
			    examine(files[i].name, false)->audio_profile);
	}
}

TEST(aac_config, profiles_by_their_configuration)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *profile;
	} rows[] = {
		{ "", 0, NULL },
		{ "\x12", 1, NULL },
		{ "\x12\x10", 2, "LC" },
		{ "\x0a\x10", 2, "Main" },
		{ "\x1a\x10", 2, "SSR" },
		{ "\x22\x10", 2, "LTP" },
		{ "\x2b\x92\x08\x00", 4, "HE-AAC" },
		{ "\xeb\x8a\x08\x00", 4, "HE-AACv2" },
		{ "\x13\x90", 2, NULL },		 /* 22.05 kHz: it may be either */
		{ "\x13\x90\x56\xe5\x00", 5, "LC" },	 /* and says that it is not */
		{ "\x13\x90\x56\xe5\xa0", 5, "HE-AAC" }, /* and says that it is */
		{ "\x13\x88\x56\xe5\xa5\x48\x80", 7, "HE-AACv2" },
		{ "\x13\x90\x56\xe5", 4, NULL },     /* cut off */
		{ "\x13\x80\x56\xe5\x00", 5, NULL }, /* channels in a list of their own */
		{ "\x11\x80", 2, "LC" },
		{ "\xf9\x4c\x40", 3, NULL }, /* ER AAC LD and the like */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *have = aac_config_profile((const uint8_t *)rows[i].bytes, rows[i].n);

		printf("row %zu\n", i);
		EXPECT_STR(rows[i].profile ? rows[i].profile : "unclear", have ? have : "unclear");
	}
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t bytes[16];
		size_t n = test_random() % sizeof bytes;

		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)test_random();
		(void)aac_config_profile(bytes, n);
	}
}

TEST(examine, pictures_inside_films_are_found)
{
	static const char *const files[] = { "cover.mkv", "cover.mp4" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = examine(files[i], false);

		EXPECT(r->art_embedded);
		EXPECT_U64(0, r->art.n);
		r = examine(files[i], true);
		EXPECT_U64(MEDIA_KIND_VIDEO, r->kind);
		EXPECT_SPAN(SPAN("h264"), r->video_codec);
		EXPECT_SPAN(SPAN("image/jpeg"), r->art_mime_type);
		EXPECT(r->art.n > 1000);
	}
	EXPECT(!examine("film.mkv", false)->art_embedded);
}

TEST(examine, pictures_have_their_size)
{
	static const struct {
		const char *name, *mime;
	} files[] = { { "picture.jpg", "image/jpeg" },	{ "picture.png", "image/png" },
		      { "picture.gif", "image/gif" },	{ "picture.webp", "image/webp" },
		      { "picture.bmp", "image/bmp" },	{ "picture.tif", "image/tiff" },
		      { "png-named.jpg", "image/png" }, { "half-picture.jpg", "image/jpeg" } };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = examine(files[i].name, false);

		printf("%s\n", files[i].name);
		EXPECT_U64(PROBE_STATUS_OK, r->status);
		EXPECT_U64(MEDIA_KIND_IMAGE, r->kind);
		EXPECT_SPAN(span_str(files[i].mime), r->mime_type);
		EXPECT_U64(320, r->width);
		EXPECT_U64(240, r->height);
	}
}

TEST(examine, exif_gives_date_camera_and_orientation)
{
	static const char *const files[] = { "exif.jpg", "exif.png", "exif.webp", "exif.avif",
					     "picture.heic" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = examine(files[i], false);

		printf("%s\n", files[i]);
		EXPECT_U64(6, r->orientation);
		EXPECT_I64(1330837567, r->date_taken);
		EXPECT_SPAN(SPAN("Canon EOS 5D"), r->camera);
		EXPECT_U64(i == 4 ? 750 : 240, r->width);
		EXPECT_U64(i == 4 ? 1000 : 320, r->height);
	}
}

TEST(examine, what_is_not_media_or_broken_is_said_to_be_so)
{
	static const struct {
		const char *name;
		uint8_t status;
	} files[] = {
		{ "empty.mp3", PROBE_STATUS_BROKEN },
		{ "zero.mp3", PROBE_STATUS_BROKEN },
		{ "zero.flac", PROBE_STATUS_BROKEN },
		{ "zero.mp4", PROBE_STATUS_BROKEN },
		{ "zero.jpg", PROBE_STATUS_BROKEN },
		{ "zero.mkv", PROBE_STATUS_BROKEN },
		{ "cut-sound.flac", PROBE_STATUS_BROKEN },
		{ "cut-film.mp4", PROBE_STATUS_BROKEN },
		{ "cut-film.mkv", PROBE_STATUS_BROKEN },
		{ "cut-film.avi", PROBE_STATUS_BROKEN },
		{ "cut-picture.jpg", PROBE_STATUS_BROKEN },
		{ "half-film.mp4", PROBE_STATUS_BROKEN },
		{ "text.ts", PROBE_STATUS_NOT_MEDIA },
		{ "text.mp3", PROBE_STATUS_NOT_MEDIA },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = examine(files[i].name, false);

		printf("%s\n", files[i].name);
		EXPECT_U64(files[i].status, r->status);
		EXPECT(r->error.n > 0);
	}
}

/* The content of one file under the name of another kind. */
TEST(examine, content_decides_where_the_name_is_wrong_or_says_nothing)
{
	static const struct {
		const char *content, *name, *mime;
		uint8_t kind;
	} files[] = {
		{ "cbr.mp3", "song", "audio/mpeg", MEDIA_KIND_AUDIO },
		{ "sound.flac", "song", "audio/flac", MEDIA_KIND_AUDIO },
		{ "sound.ogg", "song", "audio/ogg", MEDIA_KIND_AUDIO },
		{ "sound.m4a", "song", "audio/mp4", MEDIA_KIND_AUDIO },
		{ "film.mp4", "film", "video/mp4", MEDIA_KIND_VIDEO },
		{ "film.mkv", "film", "video/x-matroska", MEDIA_KIND_VIDEO },
		{ "film.ogv", "film", "video/ogg", MEDIA_KIND_VIDEO },
		{ "picture.jpg", "photo", "image/jpeg", MEDIA_KIND_IMAGE },
		{ "picture.jpg", "a.png", "image/jpeg", MEDIA_KIND_IMAGE },
		{ "film.mkv", "a.avi", "video/x-matroska", MEDIA_KIND_VIDEO },
		{ "sound.flac", "a.mp3", "audio/flac", MEDIA_KIND_AUDIO },
		{ "film.mp4", "a.mov", "video/quicktime", MEDIA_KIND_VIDEO },
		{ "film.mp4", "a.mp3", "video/mp4", MEDIA_KIND_VIDEO },
		{ "picture.png", "a.mkv", "image/png", MEDIA_KIND_IMAGE },
	};
	struct facts *f = examiner();

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(fd_closep) int fd = media_open(files[i].content);

		printf("%s as %s\n", files[i].content, files[i].name);
		facts_reset(f);
		examine_file(f, fd, span_str(files[i].name));
		EXPECT_U64(PROBE_STATUS_OK, f->reply.status);
		EXPECT_U64(files[i].kind, f->reply.kind);
		EXPECT_SPAN(span_str(files[i].mime), f->reply.mime_type);
	}
}

TEST(examine, text_is_no_media_whatever_it_is_called_and_begins_with)
{
	static const char *const texts[] = {
		"This is a letter, and nothing else.\n",
		"The free software song, and more of it than fits a line.\n",
		"MAC addresses of all machines: 00:00:5e:00:53:01\n",
		"<!DOCTYPE html><html><head><title>Sorry</title></head></html>\n",
	};
	static const char *const names[] = { "a.mp3", "a.jpg", "a.mp4", "a.ape", "letter" };
	struct facts *f = examiner();

	for (size_t i = 0; i < ARRAY_LEN(texts) * ARRAY_LEN(names); i++) {
		const char *text = texts[i / ARRAY_LEN(names)];
		const char *name = names[i % ARRAY_LEN(names)];
		CLEANUP(fd_closep) int fd = memfd_create("text", MFD_CLOEXEC);

		EXPECT(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
		printf("%s: %s", name, text);
		facts_reset(f);
		examine_file(f, fd, span_str(name));
		EXPECT_U64(PROBE_STATUS_NOT_MEDIA, f->reply.status);
		EXPECT_U64(MEDIA_KIND_OTHER, f->reply.kind);
	}
}

TEST(examine, a_fifo_and_a_directory_are_not_media)
{
	struct facts *f = examiner();
	char path[256];

	snprintf(path, sizeof path, "%s/pipe.mp3", test_tmpdir());
	EXPECT(mkfifo(path, 0600) == 0);
	CLEANUP(fd_closep) int pipe_fd = media_open_path(path);
	examine_file(f, pipe_fd, SPAN("pipe.mp3"));
	EXPECT_U64(PROBE_STATUS_NOT_MEDIA, f->reply.status);
	CLEANUP(fd_closep) int dir_fd = media_open_path(test_tmpdir());
	facts_reset(f);
	examine_file(f, dir_fd, SPAN("dir.mp3"));
	EXPECT_U64(PROBE_STATUS_NOT_MEDIA, f->reply.status);
}

/* Whatever comes out is valid UTF-8 and fits a reply. */
static void check_reply(const struct probe_reply_in *r)
{
	static uint8_t out[PROBE_REPLY_MAX_BYTES];
	const struct span texts[] = { r->mime_type,	r->title,	  r->album,
				      r->audio_profile, r->album_artist,  r->composer,
				      r->container,	r->audio_codec,	  r->video_codec,
				      r->camera,	r->video_profile, r->error };
	uint32_t n = 0;
	struct fb_table t;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		EXPECT(utf8_valid(texts[i]) && texts[i].n <= FACTS_TEXT_MAX_BYTES);
	for (uint32_t i = 0; i < r->artists_n; i++)
		EXPECT(utf8_valid(r->artists[i]));
	for (uint32_t i = 0; i < r->genres_n; i++)
		EXPECT(utf8_valid(r->genres[i]));
	EXPECT_OK(probe_reply_build(out, sizeof out, r, &n));
	EXPECT_OK(probe_reply_verify(span_of(out, n), &t));
}

#define MUTANT_MAX_BYTES (1u << 20)

/* One file, `rounds` times, with some bytes changed or cut, most of them near the start. */
static void mutate(const char *name, unsigned rounds)
{
	static uint8_t original[MUTANT_MAX_BYTES];
	struct facts *f = examiner();
	CLEANUP(fd_closep) int from = media_open(name);
	ssize_t n = pread(from, original, sizeof original, 0);
	CLEANUP(fd_closep) int fd = memfd_create("mutant", MFD_CLOEXEC);

	EXPECT(n > 0 && fd >= 0);
	for (unsigned round = 0; round < rounds; round++) {
		size_t changes = 1 + test_random() % 16;
		size_t size = test_random() % 4 == 0 ? test_random() % (size_t)n : (size_t)n;

		EXPECT(ftruncate(fd, (off_t)size) == 0);
		EXPECT(pwrite(fd, original, size, 0) == (ssize_t)size);
		for (size_t i = 0; i < changes && size > 0; i++) {
			uint8_t byte = (uint8_t)test_random();
			size_t range = test_random() % 2 ? MIN(size, (size_t)512) : size;

			EXPECT(pwrite(fd, &byte, 1, (off_t)(test_random() % range)) == 1);
		}
		facts_reset(f);
		f->want_art = round % 2;
		examine_file(f, fd, span_str(name));
		check_reply(&f->reply);
	}
}

TEST_LIMIT(examine, mutated_audio_and_pictures_never_hurt, 120)
{
	static const char *const files[] = {
		"tagged.mp3",	"tagged.flac", "tagged.ogg",  "tagged.opus", "tagged.m4a",
		"tagged.wma",	"sound.aac",   "tagged.dsf",  "sound.dff",   "tagged.ape",
		"tagged.wv",	"tagged.mpc",  "exif.jpg",    "exif.png",    "exif.webp",
		"picture.heic", "exif.avif",   "picture.tif", "picture.gif", "picture.bmp"
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		mutate(files[i], 60);
}

TEST_LIMIT(examine, mutated_films_never_hurt, 120)
{
	static const char *const files[] = { "film.mp4",  "film.mkv",  "film.avi", "film.wmv",
					     "film.flv",  "film.webm", "film.ogv", "film.ts",
					     "film.m2ts", "film.vob" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		mutate(files[i], 12);
}
