/* SPDX-License-Identifier: MIT */
/* Thumbnails in this process: sizes, colours, orientation, and files that are not what they seem.
 */
#include "probe/helper/thumbnail.h"

#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "harness.h"
#include "probe/helper/audio.h"
#include "probe/helper/heif.h"
#include "probe/helper/video.h"
#include "probe/media_files.h"

static struct facts *maker(void)
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

static const struct probe_reply_in *make(const char *name, struct picture_size box)
{
	struct facts *f = maker();
	CLEANUP(fd_closep) int fd = media_open(name);

	printf("%s\n", name);
	thumbnail_make(f, fd, span_str(name), box);
	return &f->reply;
}

/* ---- an independent look at the result --------------------------------------------------------*/

struct pixels {
	AVFrame *frame;
};

static void pixels_fini(struct pixels *p)
{
	av_frame_free(&p->frame);
}

static struct pixels decode(struct span jpeg)
{
	AVCodecContext *dec = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_MJPEG));
	AVPacket *packet = av_packet_alloc();
	struct pixels p = { .frame = av_frame_alloc() };

	EXPECT(avcodec_open2(dec, dec->codec, NULL) == 0);
	EXPECT(av_new_packet(packet, (int)jpeg.n) == 0);
	memcpy(packet->data, jpeg.p, jpeg.n);
	EXPECT(avcodec_send_packet(dec, packet) == 0);
	EXPECT(avcodec_receive_frame(dec, p.frame) == 0);
	av_packet_free(&packet);
	avcodec_free_context(&dec);
	return p;
}

/* 'r', 'g', 'b', 'w', 'k', or '?': the colour around a point, in percent of width and height. */
static char colour_at(const AVFrame *f, int x_percent, int y_percent)
{
	int x = f->width * x_percent / 100, y = f->height * y_percent / 100;
	int luma = f->data[0][y * f->linesize[0] + x];
	int cb = f->data[1][y / 2 * f->linesize[1] + x / 2];
	int cr = f->data[2][y / 2 * f->linesize[2] + x / 2];

	if (luma > 225)
		return 'w';
	if (luma < 30 && abs(cb - 128) < 20 && abs(cr - 128) < 20)
		return 'k';
	if (cr > 200)
		return 'r';
	if (cb > 200)
		return 'b';
	return cb < 90 && cr < 90 ? 'g' : '?';
}

/* The four quarters: upper left, upper right, lower left, lower right. */
static void expect_quarters(const char *want, const struct probe_reply_in *r)
{
	EXPECT_U64(PROBE_STATUS_OK, r->status);
	CLEANUP(pixels_fini) struct pixels p = decode(r->art);
	char got[5] = { colour_at(p.frame, 25, 25), colour_at(p.frame, 75, 25),
			colour_at(p.frame, 25, 75), colour_at(p.frame, 75, 75) };

	EXPECT_STR(want, got);
}

static void expect_size(uint32_t width, uint32_t height, const struct probe_reply_in *r)
{
	EXPECT_U64(PROBE_STATUS_OK, r->status);
	EXPECT_SPAN(SPAN("image/jpeg"), r->art_mime_type);
	EXPECT_U64(width, r->width);
	EXPECT_U64(height, r->height);
	CLEANUP(pixels_fini) struct pixels p = decode(r->art);
	EXPECT_U64(width, (uint64_t)p.frame->width);
	EXPECT_U64(height, (uint64_t)p.frame->height);
}

/* DLNA's JPEG profiles: JFIF, baseline, 4:2:0; and nothing that tells of the original. */
static void expect_plain_jpeg(struct span s)
{
	bool jfif = false, frame = false;

	EXPECT(span_starts(s, SPAN("\xff\xd8")));
	for (size_t at = 2; at + 4 < s.n && (uint8_t)s.p[at + 1] != 0xda;) {
		uint8_t marker = (uint8_t)s.p[at + 1];
		struct span body = span_skip(s, at + 4);

		EXPECT((uint8_t)s.p[at] == 0xff);
		EXPECT(marker != 0xfe && marker != 0xe1); /* comment, EXIF */
		jfif = jfif || (marker == 0xe0 && span_starts(body, SPAN("JFIF")));
		if (marker == 0xc0) {
			frame = true;
			EXPECT_U64(3, (uint64_t)body.p[5]);
			EXPECT_U64(0x22, (uint64_t)body.p[7]);
			EXPECT_U64(0x11, (uint64_t)body.p[10]);
		}
		EXPECT(marker != 0xc1 && marker != 0xc2);
		at += 2 + be16((const uint8_t *)s.p + at + 2);
	}
	EXPECT(jfif && frame);
}

/* ---- sizes ------------------------------------------------------------------------------------*/

TEST(picture, a_picture_fits_its_box_and_is_never_enlarged)
{
	static const struct {
		struct picture_size full, tn, sm;
	} sizes[] = {
		{ { 4000, 3000 }, { 160, 120 }, { 640, 480 } },
		{ { 3000, 4000 }, { 120, 160 }, { 360, 480 } },
		{ { 6000, 4000 }, { 160, 107 }, { 640, 427 } },
		{ { 100, 75 }, { 100, 75 }, { 100, 75 } },
		{ { 160, 160 }, { 160, 160 }, { 160, 160 } },
		{ { 30000, 1 }, { 160, 1 }, { 640, 1 } },
		{ { 1, 30000 }, { 1, 160 }, { 1, 480 } },
		{ { 0, 100 }, { 0, 0 }, { 0, 0 } },
		{ { UINT32_MAX, UINT32_MAX }, { 160, 160 }, { 480, 480 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct picture_size tn = picture_fit(sizes[i].full, PICTURE_TN);
		struct picture_size sm = picture_fit(sizes[i].full, PICTURE_SM);

		EXPECT_U64(sizes[i].tn.width, tn.width);
		EXPECT_U64(sizes[i].tn.height, tn.height);
		EXPECT_U64(sizes[i].sm.width, sm.width);
		EXPECT_U64(sizes[i].sm.height, sm.height);
	}
}

TEST(thumbnail, every_format_gives_the_same_picture)
{
	static const char *const files[] = { "quarters.png", "quarters.gif",  "quarters.bmp",
					     "quarters.tif", "quarters.webp", "quarters-1.jpg",
					     "deep.png",     "palette.png",   "moving.gif",
					     "moving.webp",  "picture.avif" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = make(files[i], PICTURE_TN);

		expect_size(160, 120, r);
		expect_quarters("rgbw", r);
		expect_plain_jpeg(r->art);
		expect_size(400, 300, make(files[i], PICTURE_SM));
	}
}

TEST(thumbnail, a_picture_is_turned_as_its_exif_says)
{
	static const char *const shown[] = { "rgbw", "grwb", "wbgr", "bwrg",
					     "rbgw", "brwg", "wgbr", "gwrb" };

	for (unsigned o = 1; o <= 8; o++) {
		char name[32];

		snprintf(name, sizeof name, "quarters-%u.jpg", o);
		const struct probe_reply_in *r = make(name, PICTURE_TN);
		expect_size(o < 5 ? 160 : 120, o < 5 ? 120 : 160, r);
		expect_quarters(shown[o - 1], r);
	}
}

TEST(thumbnail, heic_tiles_are_put_together_and_turned)
{
	static const struct {
		const char *name, *shown;
		uint32_t width, height;
	} files[] = {
		{ "picture.heic", "brwg", 120, 160 },
		{ "small-inside.heic", "brwg", 120, 160 },
		{ "mirrored.heic", "grwb", 160, 120 },
		{ "flipped.heic", "bwrg", 160, 120 },
		{ "turned-mirrored.heic", "rbgw", 120, 160 },
		{ "mirrored-turned.heic", "wgbr", 120, 160 },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = make(files[i].name, PICTURE_TN);

		expect_size(files[i].width, files[i].height, r);
		expect_quarters(files[i].shown, r);
	}
	const struct probe_reply_in *r = make("picture.heic", PICTURE_SM);
	expect_size(360, 480, r);
	expect_quarters("brwg", r);
}

TEST(thumbnail, odd_shapes_and_colours)
{
	static const struct {
		const char *name;
		uint32_t width, height;
		char colour;
	} files[] = {
		{ "wide.png", 160, 1, 0 },     { "tall.png", 1, 160, 0 },
		{ "line.png", 160, 1, 'r' },   { "column.png", 1, 160, 'r' },
		{ "dot.png", 1, 1, 0 },	       { "small.png", 100, 75, 0 },
		{ "grey.jpg", 160, 120, 0 },   { "bits.png", 160, 120, 0 },
		{ "cmyk.jpg", 160, 120, 'r' }, { "progressive.jpg", 160, 120, 'r' },
		{ "large.jpg", 160, 120, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = make(files[i].name, PICTURE_TN);

		expect_size(files[i].width, files[i].height, r);
		if (files[i].colour == 0)
			continue;
		CLEANUP(pixels_fini) struct pixels p = decode(r->art);
		EXPECT_U64((uint64_t)files[i].colour, (uint64_t)colour_at(p.frame, 50, 50));
	}
	/* Where it is transparent it is white, not what the encoder left there. */
	expect_quarters("kwkw", make("see-through.png", PICTURE_TN));
}

TEST(thumbnail, of_music_the_picture_inside_it)
{
	static const char *const files[] = { "tagged.mp3", "tagged.flac", "tagged.ogg",
					     "tagged.m4a", "tagged.wma",  "cover.mkv",
					     "cover.mp4" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		expect_size(160, 120, make(files[i], PICTURE_TN));
	EXPECT_U64(PROBE_STATUS_NOT_MEDIA, make("cbr.mp3", PICTURE_TN)->status);
}

TEST(thumbnail, of_a_film_a_frame_of_it)
{
	static const char *const files[] = {
		"film.mp4", "film.mkv",	 "film.webm", "film.avi", "film.wmv", "film.flv",
		"film.ts",  "film.m2ts", "film.mpg",  "film.ogv", "hevc.mp4", "dark-start.mp4"
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = make(files[i], PICTURE_TN);

		expect_size(160, 120, r);
		CLEANUP(pixels_fini) struct pixels p = decode(r->art);
		EXPECT(colour_at(p.frame, 50, 50) != 'k');
	}
	expect_size(120, 160, make("turned.mp4", PICTURE_TN));
	expect_size(160, 60, make("wide-pixels.mp4", PICTURE_TN));
	/* The file lacks its second half: its index is there, most of its frames are not. */
	EXPECT_U64(PROBE_STATUS_BROKEN, make("no-frames.mp4", PICTURE_TN)->status);
}

TEST(thumbnail, what_cannot_be_decoded_is_refused_with_a_reason)
{
	static const struct {
		const char *name;
		uint8_t status;
	} files[] = {
		{ "bomb-progressive.jpg", PROBE_STATUS_TOO_LARGE },
		{ "bomb.png", PROBE_STATUS_TOO_LARGE },
		{ "bomb.gif", PROBE_STATUS_TOO_LARGE },
		{ "bomb.bmp", PROBE_STATUS_TOO_LARGE },
		{ "empty.mp3", PROBE_STATUS_BROKEN },
		{ "zero.jpg", PROBE_STATUS_BROKEN },
		{ "text.ts", PROBE_STATUS_NOT_MEDIA },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct probe_reply_in *r = make(files[i].name, PICTURE_TN);

		EXPECT_U64(files[i].status, r->status);
		EXPECT(r->error.n > 0);
		EXPECT_U64(0, r->art.n);
	}
	/* Either is right: what there is of it, or nothing. */
	make("cut.jpg", PICTURE_TN);
	make("cut.png", PICTURE_TN);
	make("bomb.jpg", PICTURE_TN);
}

/* ---- damage -----------------------------------------------------------------------------------*/

#define MUTANT_MAX_BYTES (1u << 20)

static void mutate(const char *name, unsigned rounds)
{
	static uint8_t original[MUTANT_MAX_BYTES];
	struct facts *f = maker();
	CLEANUP(fd_closep) int from = media_open(name);
	ssize_t n = pread(from, original, sizeof original, 0);
	CLEANUP(fd_closep) int fd = memfd_create("mutant", MFD_CLOEXEC);

	EXPECT(n > 0 && fd >= 0);
	for (unsigned round = 0; round < rounds; round++) {
		size_t size = test_random() % 4 == 0 ? test_random() % (size_t)n : (size_t)n;

		EXPECT(ftruncate(fd, (off_t)size) == 0);
		EXPECT(pwrite(fd, original, size, 0) == (ssize_t)size);
		for (size_t i = 1 + test_random() % 16; i > 0 && size > 0; i--) {
			uint8_t byte = (uint8_t)test_random();
			size_t range = test_random() % 2 ? MIN(size, (size_t)700) : size;

			EXPECT(pwrite(fd, &byte, 1, (off_t)(test_random() % range)) == 1);
		}
		facts_reset(f);
		thumbnail_make(f, fd, span_str(name), round % 2 ? PICTURE_TN : PICTURE_SM);
		EXPECT((f->reply.status == PROBE_STATUS_OK) == (f->reply.art.n > 0));
		EXPECT(f->reply.status == PROBE_STATUS_OK || f->reply.error.n > 0);
		if (f->reply.status == PROBE_STATUS_OK)
			expect_plain_jpeg(f->reply.art);
	}
}

/* Places of items, each in as many pieces as can be, of no bytes: the file pays for none of them.
 */
TEST_LIMIT(thumbnail, heif_pieces_of_no_bytes_cost_no_time, 5)
{
	static const char head[] = "\0\0\0\0meta\0\0\0\0"
				   "\0\0\0\42iinf\0\0\0\0\0\1"
				   "\0\0\0\24infe\2\0\0\0\0\11\0\0Exif"
				   "\0\0\0\44iprp\0\0\0\34ipco"
				   "\0\0\0\24ispe\0\0\0\0\0\0\0\10\0\0\0\10"
				   "\0\6\0\12iloc\0\0\0\0\0\0\377\377";
	static const char entry[6] = "\0\1\0\0\377\377";
	static struct heif out;
	struct source source;
	CLEANUP(buf_fini) struct buf b;

	buf_init(&b, HEIF_META_MAX_BYTES);
	buf_add(&b, span_of(head, sizeof head - 1));
	for (unsigned i = 0; i < 0xffff; i++)
		buf_add(&b, span_of(entry, sizeof entry));
	EXPECT(buf_err(&b) == ERR_OK);
	/* the sizes of meta and iloc */
	size_t iloc = 16 + 65535 * sizeof entry, at = sizeof head - 1 - 16;
	for (unsigned i = 0; i < 4; i++) {
		b.p[i] = (char)(b.n >> (24 - 8 * i));
		b.p[at + i] = (char)(iloc >> (24 - 8 * i));
	}
	source_init_bytes(&source, buf_span(&b));
	EXPECT(heif_read(&source, &out) == ERR_OK);
	EXPECT_U64(8, out.picture.width);
	EXPECT_U64(0, out.exif.n);
}

TEST_LIMIT(thumbnail, mutated_pictures_never_hurt, 240)
{
	static const char *const files[] = {
		"quarters.png",	 "quarters.gif",    "quarters.bmp", "quarters.tif",
		"quarters.webp", "quarters-6.jpg",  "moving.webp",  "palette.png",
		"cmyk.jpg",	 "progressive.jpg", "picture.heic", "small-inside.heic",
		"picture.avif",	 "tagged.mp3"
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		mutate(files[i], 40);
}

TEST_LIMIT(thumbnail, mutated_films_never_hurt, 240)
{
	static const char *const files[] = { "film.mp4", "film.mkv", "film.avi",
					     "film.ts",	 "hevc.mp4", "film.webm" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		mutate(files[i], 8);
}
