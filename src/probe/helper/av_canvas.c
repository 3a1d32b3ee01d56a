/* SPDX-License-Identifier: MIT */
/* The small picture that becomes a thumbnail. */
#include "probe/helper/av_canvas.h"

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define QUALITY 4	  /* libavcodec's scale: 2 is best, 31 worst */
#define FLAT_RANGE 24	  /* of 255: less between its darkest and its brightest part is nothing */
#define BYTES_PER_PIXEL 4 /* R G B A */
#define PADDING_BYTES 64u /* libswscale works on whole vectors */

int av_canvas_init(struct av_canvas *c, struct picture_size size)
{
	c->rgba = calloc(1, (size_t)size.width * size.height * BYTES_PER_PIXEL + PADDING_BYTES);
	c->width = size.width;
	c->height = size.height;
	return c->rgba ? 0 : AVERROR(ENOMEM);
}

void av_canvas_fini(struct av_canvas *c)
{
	free(c->rgba);
	c->rgba = NULL;
}

static void sws_freep(struct SwsContext **s)
{
	sws_freeContext(*s);
}

/* What the numbers of a frame mean: as it says; else by its size, as players do. */
static void set_colours(struct SwsContext *sws, const AVFrame *frame)
{
	int matrix = frame->colorspace;
	bool full = frame->color_range == AVCOL_RANGE_JPEG;

	if (matrix == AVCOL_SPC_UNSPECIFIED || matrix == AVCOL_SPC_RGB)
		matrix = frame->height > 576 && !full ? SWS_CS_ITU709 : SWS_CS_ITU601;
	(void)sws_setColorspaceDetails(sws, sws_getCoefficients(matrix), full,
				       sws_getCoefficients(SWS_CS_ITU601), 1, 0, 1 << 16, 1 << 16);
}

/* The formats "yuvj" are the others with full range; swscale warns of them. */
static enum AVPixelFormat modern_format(AVFrame *frame)
{
	static const enum AVPixelFormat pairs[][2] = {
		{ AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P },
		{ AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P },
		{ AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P },
		{ AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P },
		{ AV_PIX_FMT_YUVJ411P, AV_PIX_FMT_YUV411P },
	};

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if (frame->format == pairs[i][0]) {
			frame->color_range = AVCOL_RANGE_JPEG;
			return pairs[i][1];
		}
	}
	return (enum AVPixelFormat)frame->format;
}

static void scaled_freep(uint8_t **p)
{
	av_freep(p);
}

int av_canvas_draw(struct av_canvas *c, const AVFrame *frame, struct picture_size part,
		   struct av_area at)
{
	AVFrame as = *frame; /* its planes are only read */
	enum AVPixelFormat format = modern_format(&as);
	size_t line_n = (size_t)at.width * BYTES_PER_PIXEL;
	int stride[4] = { (int)FFALIGN(line_n + PADDING_BYTES, (size_t)PADDING_BYTES) };
	CLEANUP(scaled_freep) uint8_t *scaled = av_malloc((size_t)stride[0] * (at.height + 1));
	uint8_t *to[4] = { scaled };

	if (!sws_isSupportedInput(format))
		return AVERROR(ENOSYS);
	CLEANUP(sws_freep)
	struct SwsContext *sws = sws_getContext((int)part.width, (int)part.height, format,
						(int)at.width, (int)at.height, AV_PIX_FMT_RGBA,
						SWS_AREA | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT |
							SWS_FULL_CHR_H_INP,
						NULL, NULL, NULL);
	if (!sws || !scaled)
		return sws ? AVERROR(ENOMEM) : AVERROR(EINVAL);
	set_colours(sws, &as);
	int rows = sws_scale(sws, (const uint8_t *const *)as.data, as.linesize, 0, (int)part.height,
			     to, stride);
	if (rows != (int)at.height)
		return rows < 0 ? rows : AVERROR(EINVAL);
	for (uint32_t y = 0; y < at.height; y++)
		memcpy(c->rgba + ((size_t)(at.y + y) * c->width + at.x) * BYTES_PER_PIXEL,
		       scaled + (size_t)y * (size_t)stride[0], line_n);
	return 0;
}

/* Where the pixel that is shown at (x, y) is stored, in a picture of w x h as stored. */
static size_t stored_at(uint8_t orientation, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
	uint32_t sx = orientation >= 5 ? y : x;
	uint32_t sy = orientation >= 5 ? x : y;

	if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
		sx = w - 1 - sx;
	if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
		sy = h - 1 - sy;
	return ((size_t)sy * w + sx) * BYTES_PER_PIXEL;
}

int av_canvas_orient(struct av_canvas *c, uint8_t orientation)
{
	struct av_canvas shown = { 0 };

	if (orientation < 2 || orientation > 8)
		return 0;
	struct picture_size size = { orientation >= 5 ? c->height : c->width,
				     orientation >= 5 ? c->width : c->height };
	int e = av_canvas_init(&shown, size);
	if (e < 0)
		return e;
	uint8_t *to = shown.rgba;
	for (uint32_t y = 0; y < shown.height; y++)
		for (uint32_t x = 0; x < shown.width; x++, to += BYTES_PER_PIXEL)
			memcpy(to, c->rgba + stored_at(orientation, x, y, c->width, c->height),
			       BYTES_PER_PIXEL);
	av_canvas_fini(c);
	*c = shown;
	return 0;
}

bool av_canvas_is_flat(const struct av_canvas *c)
{
	size_t n = (size_t)c->width * c->height;
	unsigned darkest = 255, brightest = 0;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = c->rgba + i * BYTES_PER_PIXEL;
		unsigned grey = (p[0] * 77u + p[1] * 151u + p[2] * 28u) >> 8;

		darkest = FFMIN(darkest, grey);
		brightest = FFMAX(brightest, grey);
	}
	return brightest - darkest < FLAT_RANGE;
}

static void put_on_white(struct av_canvas *c)
{
	size_t n = (size_t)c->width * c->height;

	for (size_t i = 0; i < n; i++) {
		uint8_t *p = c->rgba + i * BYTES_PER_PIXEL;
		unsigned alpha = p[3];

		for (unsigned k = 0; k < 3; k++)
			p[k] = (uint8_t)((p[k] * alpha + 255u * (255u - alpha) + 127u) / 255u);
	}
}

/* Two pixels of a line share their colour: an odd line's last one is there twice. */
static uint8_t *even_lines(const struct av_canvas *c, uint32_t width)
{
	size_t from_n = (size_t)c->width * BYTES_PER_PIXEL, to_n = (size_t)width * BYTES_PER_PIXEL;
	uint8_t *lines = av_malloc(to_n * c->height + PADDING_BYTES);

	for (uint32_t y = 0; lines && y < c->height; y++) {
		const uint8_t *from = c->rgba + y * from_n;

		memcpy(lines + y * to_n, from, from_n);
		memcpy(lines + (y + 1) * to_n - BYTES_PER_PIXEL, from + from_n - BYTES_PER_PIXEL,
		       BYTES_PER_PIXEL);
	}
	return lines;
}

static int to_yuv(const struct av_canvas *c, AVFrame *yuv)
{
	int width = (int)FFALIGN(c->width, 2u), height = (int)c->height;
	CLEANUP(scaled_freep) uint8_t *lines = even_lines(c, (uint32_t)width);
	const uint8_t *from[4] = { lines };
	int stride[4] = { width * (int)BYTES_PER_PIXEL };

	yuv->format = AV_PIX_FMT_YUV420P;
	yuv->width = width;
	yuv->height = height;
	yuv->color_range = AVCOL_RANGE_JPEG;
	yuv->quality = FF_QP2LAMBDA * QUALITY;
	int e = lines ? av_frame_get_buffer(yuv, 0) : AVERROR(ENOMEM);
	if (e < 0)
		return e;
	CLEANUP(sws_freep)
	struct SwsContext *sws =
		sws_getContext(width, height, AV_PIX_FMT_RGBA, width, height, AV_PIX_FMT_YUV420P,
			       SWS_AREA | SWS_ACCURATE_RND, NULL, NULL, NULL);
	if (!sws)
		return AVERROR(ENOMEM);
	(void)sws_setColorspaceDetails(sws, sws_getCoefficients(SWS_CS_ITU601), 1,
				       sws_getCoefficients(SWS_CS_ITU601), 1, 0, 1 << 16, 1 << 16);
	e = sws_scale(sws, from, stride, 0, height, yuv->data, yuv->linesize);
	yuv->width = (int)c->width;
	return e < 0 ? e : 0;
}

static int open_encoder(AVCodecContext *enc, const struct av_canvas *c)
{
	enc->width = (int)c->width;
	enc->height = (int)c->height;
	enc->pix_fmt = AV_PIX_FMT_YUVJ420P; /* full range, as JFIF has it */
	enc->color_range = AVCOL_RANGE_JPEG;
	enc->time_base = (AVRational){ 1, 1 };
	enc->sample_aspect_ratio = (AVRational){ 1, 1 }; /* without it there is no JFIF header */
	/* Bit-exact: without the encoder's name as a comment. */
	enc->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
	enc->global_quality = FF_QP2LAMBDA * QUALITY;
	enc->thread_count = 1;
	return avcodec_open2(enc, enc->codec, NULL);
}

int av_canvas_encode(struct av_canvas *c, struct av_thumb *out)
{
	AVCodecContext *enc = avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_MJPEG));
	AVFrame *yuv = av_frame_alloc();
	AVPacket *packet = av_packet_alloc();
	int e = enc && enc->codec && yuv && packet ? 0 : AVERROR(ENOMEM);

	put_on_white(c);
	if (e == 0)
		e = to_yuv(c, yuv);
	if (e == 0)
		e = open_encoder(enc, c);
	if (e == 0) {
		yuv->format = enc->pix_fmt;
		e = avcodec_send_frame(enc, yuv);
	}
	if (e == 0)
		e = avcodec_receive_packet(enc, packet);
	if (e == 0) {
		out->jpeg = malloc((size_t)packet->size);
		e = out->jpeg ? 0 : AVERROR(ENOMEM);
	}
	if (e == 0) {
		memcpy(out->jpeg, packet->data, (size_t)packet->size);
		out->jpeg_n = (uint32_t)packet->size;
		out->width = c->width;
		out->height = c->height;
	}
	av_packet_free(&packet);
	av_frame_free(&yuv);
	avcodec_free_context(&enc);
	return e;
}
