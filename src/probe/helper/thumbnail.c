/* SPDX-License-Identifier: MIT */
/* Thumbnails: which picture of a file, whether it can be decoded in the memory there is, and the
 * bytes of it for libavcodec. */
#include "probe/helper/thumbnail.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/sniff.h"
#include "probe/helper/examine.h"
#include "probe/helper/heif.h"
#include "probe/helper/image.h"
#include "probe/helper/image_size.h"
#include "probe/helper/video.h"

#define WEBP_CHUNKS_MAX 256

/* A coded picture on its way to the decoder. */
struct still {
	uint8_t *bytes; /* of all parts, one behind the other, each with its padding */
	uint8_t config[HEIF_CONFIG_MAX_BYTES + AV_THUMB_PADDING];
	struct av_thumb_part parts[AV_THUMB_PARTS_MAX];
};

_Static_assert(HEIF_TILES_MAX <= AV_THUMB_PARTS_MAX, "every tile is a part");

static void bytes_freep(uint8_t **p)
{
	free(*p);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void answer_only(struct facts *f, uint8_t status, struct span why)
{
	struct probe_reply_in reply = { .status = status, .kind = f->reply.kind, .error = why };

	facts_reset(f);
	f->reply.status = reply.status;
	f->reply.kind = reply.kind;
	f->reply.error = reply.error;
}

static void run(struct facts *f, const struct av_thumb_request *request)
{
	struct av_thumb thumb = { 0 };
	av_thumb_fn *make = video_thumb_function();
	int status = make ? make(request, &thumb) : AV_STATUS_BROKEN;
	CLEANUP(bytes_freep) uint8_t *jpeg = thumb.jpeg;

	if (!make)
		answer_only(f, PROBE_STATUS_UNAVAILABLE,
			    SPAN("salver-probe-av.so cannot be loaded"));
	else if (status == AV_STATUS_TIMEOUT)
		answer_only(f, PROBE_STATUS_TIMEOUT, SPAN("finding a picture in it took too long"));
	else if (status == AV_STATUS_NO_MEMORY)
		answer_only(f, PROBE_STATUS_TOO_LARGE, SPAN("its picture needs too much memory"));
	else if (status != AV_STATUS_OK)
		answer_only(f, PROBE_STATUS_BROKEN, SPAN("its picture cannot be decoded"));
	if (f->reply.status != PROBE_STATUS_OK || !jpeg)
		return;
	answer_only(f, PROBE_STATUS_OK, SPAN(""));
	f->reply.art = arena_dup(&f->arena, span_of(jpeg, thumb.jpeg_n));
	f->reply.art_mime_type = SPAN("image/jpeg");
	f->reply.width = thumb.width;
	f->reply.height = thumb.height;
	if (f->reply.art.n == 0 || thumb.jpeg_n > FACTS_ART_MAX_BYTES)
		answer_only(f, PROBE_STATUS_TOO_LARGE, SPAN("its thumbnail does not fit a reply"));
}

/* ---- still pictures -------------------------------------------------------------------------- */

static enum av_still still_coding(enum media_format format)
{
	switch (format) {
	case MEDIA_FORMAT_JPEG:
		return AV_STILL_JPEG;
	case MEDIA_FORMAT_PNG:
		return AV_STILL_PNG;
	case MEDIA_FORMAT_GIF:
		return AV_STILL_GIF;
	case MEDIA_FORMAT_WEBP:
		return AV_STILL_WEBP;
	case MEDIA_FORMAT_BMP:
		return AV_STILL_BMP;
	case MEDIA_FORMAT_TIFF:
		return AV_STILL_TIFF;
	default:
		return AV_STILL_NONE;
	}
}

/* The size as stored of the result. */
static struct picture_size canvas_size(const struct av_thumb_request *r)
{
	bool turned = r->orientation >= 5;
	struct picture_size fit =
		picture_fit((struct picture_size){ turned ? r->height : r->width,
						   turned ? r->width : r->height },
			    (struct picture_size){ r->box_width, r->box_height });

	return turned ? (struct picture_size){ fit.height, fit.width } : fit;
}

/* A JPEG can be decoded at a half, a quarter, an eighth: as small as the result allows. */
static uint32_t halvings(const struct av_thumb_request *r)
{
	struct picture_size canvas = canvas_size(r);
	uint32_t n = 0;

	while (n < AV_THUMB_HALVINGS_MAX && r->width >> (n + 1) >= canvas.width &&
	       r->height >> (n + 1) >= canvas.height)
		n++;
	return n;
}

static bool fits_memory(const struct av_thumb_request *r, const struct image_header *h)
{
	uint64_t pixels = (uint64_t)h->width * h->height;
	uint64_t bits = h->pixel_bits > 0 ? h->pixel_bits : 32;
	uint64_t bytes = (pixels >> (2 * r->halvings)) * bits / 8;

	if (h->progressive)
		bytes += pixels * bits / 8 * sizeof(int16_t);
	return bytes <= AV_THUMB_DECODE_MAX_BYTES;
}

/* Read `n` bytes at `at` as the next part of the picture; `room`: where they go. */
static bool read_part(const struct source *s, uint64_t at, uint64_t n, uint8_t *room,
		      struct av_thumb_part *out)
{
	size_t got = source_read(s, at, room, (size_t)n);

	memset(room + got, 0, AV_THUMB_PADDING);
	*out = (struct av_thumb_part){ .p = room, .n = (uint32_t)got };
	return got > 0;
}

/* An animation as WebP: its first frame, as a file of its own. False: this is none. */
static bool webp_first_frame(const struct source *s, struct still *still,
			     struct av_thumb_request *r)
{
	static const uint8_t riff[12] = "RIFF\0\0\0\0WEBP";
	uint64_t at = 12;
	uint8_t h[24];

	if (s->head_n < 30 || memcmp(s->head + 12, "VP8X", 4) != 0 || !(s->head[20] & 2))
		return false;
	for (unsigned i = 0; i < WEBP_CHUNKS_MAX && source_read(s, at, h, sizeof h) == sizeof h;
	     i++) {
		uint64_t n = num_le32(h + 4);

		if (memcmp(h, "ANMF", 4) != 0 || n <= 16) {
			at += 8 + num_align_up(n, 2);
			continue;
		}
		n = MIN(n - 16, s->size - at - sizeof h);
		still->bytes = malloc(sizeof riff + n + AV_THUMB_PADDING);
		if (!still->bytes ||
		    !read_part(s, at + sizeof h, n, still->bytes + sizeof riff, &still->parts[0]))
			return false;
		memcpy(still->bytes, riff, sizeof riff);
		for (unsigned k = 0; k < 4; k++)
			still->bytes[4 + k] = (uint8_t)((4 + n) >> (8 * k));
		still->parts[0].p = still->bytes;
		still->parts[0].n += sizeof riff;
		r->width = 1 + (num_le32(h + 14) & 0xffffff);
		r->height = 1 + (num_le32(h + 17) & 0xffffff);
		return true;
	}
	return false;
}

static const char *load_file(const struct source *s, struct still *still,
			     struct av_thumb_request *r)
{
	if (s->size > THUMBNAIL_SOURCE_MAX_BYTES)
		return "its picture is too large a file";
	r->parts_n = 1;
	r->columns = 1;
	if (r->coding == AV_STILL_WEBP && webp_first_frame(s, still, r))
		return NULL;
	free(still->bytes);
	still->bytes = malloc(s->size + AV_THUMB_PADDING);
	if (!still->bytes)
		return "its picture needs too much memory";
	if (s->fd >= 0) /* all of it, unlike its headers */
		(void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return read_part(s, 0, s->size, still->bytes, &still->parts[0]) ? NULL
									: "it cannot be read";
}

/* HEIC, AVIF: the tiles of the picture, or of the small one beside it. */
static const char *load_heif(const struct source *s, struct still *still,
			     struct av_thumb_request *r)
{
	static struct heif heif; /* large; one worker, one thread */
	struct picture_size canvas = canvas_size(r);
	uint64_t total = 0;

	if (heif_read_small(s, canvas.width, canvas.height, &heif) != ERR_OK)
		return "no picture was found in it";
	const struct heif_picture *p = &heif.picture;
	if (p->tiles_n == 0)
		return "its kind of picture is not known";
	for (uint32_t i = 0; i < p->tiles_n; i++)
		total += p->tiles[i].n + AV_THUMB_PADDING;
	if (total > THUMBNAIL_SOURCE_MAX_BYTES)
		return "its picture is too large a file";
	still->bytes = malloc(total);
	if (!still->bytes)
		return "its picture needs too much memory";
	uint8_t *room = still->bytes;
	for (uint32_t i = 0; i < p->tiles_n; i++) {
		if (!read_part(s, p->tiles[i].at, p->tiles[i].n, room, &still->parts[i]))
			return "it is cut short";
		room += p->tiles[i].n + AV_THUMB_PADDING;
	}
	memcpy(still->config, p->config, p->config_n);
	memset(still->config + p->config_n, 0, AV_THUMB_PADDING);
	r->coding = p->coding == HEIF_CODING_AV1 ? AV_STILL_AV1 : AV_STILL_HEVC;
	/* AV1 pictures begin with what their configuration repeats. */
	r->config = p->coding == HEIF_CODING_AV1 ? NULL : still->config;
	r->config_n = r->config ? p->config_n : 0;
	r->parts_n = p->tiles_n;
	r->columns = p->columns;
	r->width = p->width;
	r->height = p->height;
	return NULL;
}

/* f->reply has the orientation; it is overwritten by the answer. */
static void make_still(struct facts *f, const struct source *s, enum media_format format,
		       struct picture_size box)
{
	static struct still still; /* large; one worker, one thread */
	struct image_header h;
	struct av_thumb_request r = { .coding = still_coding(format),
				      .parts = still.parts,
				      .orientation = f->reply.orientation,
				      .box_width = box.width,
				      .box_height = box.height };

	if (image_header_read(s, format, &h) != ERR_OK) {
		answer_only(f, PROBE_STATUS_BROKEN, SPAN("no picture was found in it"));
		return;
	}
	r.width = h.width;
	r.height = h.height;
	r.halvings = format == MEDIA_FORMAT_JPEG ? halvings(&r) : 0;
	/* The parts of HEIF are small by themselves; the decoder has its own limit. */
	if (format != MEDIA_FORMAT_HEIF && !fits_memory(&r, &h)) {
		answer_only(f, PROBE_STATUS_TOO_LARGE, SPAN("its picture needs too much memory"));
		return;
	}
	still.bytes = NULL;
	const char *wrong =
		format == MEDIA_FORMAT_HEIF ? load_heif(s, &still, &r) : load_file(s, &still, &r);
	CLEANUP(bytes_freep) uint8_t *bytes = still.bytes;
	if (wrong)
		answer_only(f,
			    s->size > THUMBNAIL_SOURCE_MAX_BYTES ? PROBE_STATUS_TOO_LARGE
								 : PROBE_STATUS_BROKEN,
			    span_str(wrong));
	else
		run(f, &r);
}

/* ---- what is inside -------------------------------------------------------------------------- */

/* The picture that was found in a file; its bytes are in the facts' arena until the answer. */
static bool make_embedded(struct facts *f, struct picture_size box)
{
	struct source s;

	source_init_bytes(&s, f->reply.art);
	enum media_format format = sniff_format(span_of(s.head, s.head_n));
	if (format < MEDIA_FORMAT_JPEG) {
		answer_only(f, PROBE_STATUS_BROKEN, SPAN("the picture in it is of no known kind"));
		return false;
	}
	f->reply.orientation = 0;
	f->reply.status = PROBE_STATUS_OK;
	image_probe(f, &s, format); /* its orientation */
	make_still(f, &s, format, box);
	return f->reply.status == PROBE_STATUS_OK;
}

static void make_film(struct facts *f, const struct source *s, const char *av_format,
		      uint32_t time_max_ms, struct picture_size box)
{
	struct av_thumb_request r = { .film = { .fd = s->fd,
						.size = s->size,
						.format = av_format,
						.time_max_ms = time_max_ms },
				      .box_width = box.width,
				      .box_height = box.height,
				      .time_max_ms = time_max_ms };

	f->reply.status = PROBE_STATUS_OK;
	run(f, &r);
}

static uint32_t time_left_ms(uint64_t started_ms)
{
	uint64_t used_ms = clock_now_ms() - started_ms;

	return used_ms < VIDEO_TIME_MAX_MS ? (uint32_t)(VIDEO_TIME_MAX_MS - used_ms) : 0;
}

/* The demuxer that examine_file() used. */
static bool demuxer_name(const struct facts *f, char out[AV_NAME_MAX])
{
	struct span name = f->reply.container;

	if (name.n == 0 || name.n >= AV_NAME_MAX)
		return false;
	memcpy(out, name.p, name.n);
	out[name.n] = '\0';
	return true;
}

void thumbnail_make(struct facts *f, int fd, struct span name, struct picture_size box)
{
	uint64_t started_ms = clock_now_ms();
	char demuxer[AV_NAME_MAX];
	struct source s;

	f->want_art = true;
	f->art_max_n = FACTS_PICTURE_MAX_BYTES;
	examine_file(f, fd, name);
	f->art_max_n = 0;
	bool is_film = f->reply.kind == MEDIA_KIND_VIDEO && demuxer_name(f, demuxer);
	bool is_readable = f->reply.status == PROBE_STATUS_OK ||
			   (is_film && f->reply.status == PROBE_STATUS_TOO_LARGE);
	if (!is_readable || source_init(&s, fd) != ERR_OK) {
		answer_only(f, is_readable ? PROBE_STATUS_UNREADABLE : f->reply.status,
			    is_readable ? SPAN("it cannot be read") : f->reply.error);
		return;
	}
	const struct media_type *type = media_type_by_mime(f->reply.mime_type);
	if (f->reply.kind == MEDIA_KIND_IMAGE && type)
		make_still(f, &s, (enum media_format)type->format, box);
	else if (f->reply.art.n > 0 && make_embedded(f, box))
		return;
	else if (is_film)
		make_film(f, &s, demuxer, time_left_ms(started_ms), box);
	else if (f->reply.status == PROBE_STATUS_OK)
		answer_only(f, PROBE_STATUS_NOT_MEDIA, SPAN("there is no picture in it"));
}
