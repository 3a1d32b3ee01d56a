/* SPDX-License-Identifier: MIT */
/* salver-probe-av.so: a small JPEG of a picture, or of a film. */
#include <libavcodec/avcodec.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "probe/helper/av_canvas.h"
#include "probe/helper/av_input.h"
#include "probe/helper/av_module.h"

#define FILM_PIXELS_MAX (36 << 20) /* 8192 x 4320 */
#define FILM_PACKETS_MAX 4000	   /* read in search of one frame */
#define FILM_KEY_PACKETS_MAX 600   /* of these, without a key frame; then any frame will do */
#define SIDE_MAX 65535

static void codec_freep(AVCodecContext **c)
{
	avcodec_free_context(c);
}

static void frame_freep(AVFrame **f)
{
	av_frame_free(f);
}

static void packet_freep(AVPacket **p)
{
	av_packet_free(p);
}

static int status_of(int averror)
{
	if (averror >= 0)
		return AV_STATUS_OK;
	return averror == AVERROR(ENOMEM) ? AV_STATUS_NO_MEMORY : AV_STATUS_BROKEN;
}

/* The canvas has the orientation of what is stored; the box that of what is shown. */
static int start_canvas(const struct av_thumb_request *r, struct picture_size stored,
			uint8_t orientation, struct av_canvas *out)
{
	struct picture_size box = { r->box_width, r->box_height };
	bool turned = orientation >= 5;
	struct picture_size shown =
		turned ? (struct picture_size){ stored.height, stored.width } : stored;
	struct picture_size fit = picture_fit(shown, box);

	if (fit.width == 0 || stored.width > SIDE_MAX || stored.height > SIDE_MAX)
		return AVERROR_INVALIDDATA;
	return av_canvas_init(out, turned ? (struct picture_size){ fit.height, fit.width } : fit);
}

/* ---- still pictures -------------------------------------------------------------------------- */

static enum AVCodecID still_codec(enum av_still coding)
{
	static const enum AVCodecID ids[] = {
		[AV_STILL_JPEG] = AV_CODEC_ID_MJPEG, [AV_STILL_PNG] = AV_CODEC_ID_PNG,
		[AV_STILL_GIF] = AV_CODEC_ID_GIF,    [AV_STILL_WEBP] = AV_CODEC_ID_WEBP,
		[AV_STILL_BMP] = AV_CODEC_ID_BMP,    [AV_STILL_TIFF] = AV_CODEC_ID_TIFF,
		[AV_STILL_HEVC] = AV_CODEC_ID_HEVC,  [AV_STILL_AV1] = AV_CODEC_ID_AV1,
	};

	return (size_t)coding < ARRAY_LEN(ids) ? ids[coding] : AV_CODEC_ID_NONE;
}

/* AV1 by name: the decoder that comes first only knows graphics cards. */
static const AVCodec *still_decoder(enum av_still coding)
{
	const AVCodec *dav1d =
		coding == AV_STILL_AV1 ? avcodec_find_decoder_by_name("libdav1d") : NULL;

	return dav1d ? dav1d : avcodec_find_decoder(still_codec(coding));
}

static int set_config(AVCodecContext *dec, const struct av_thumb_request *r)
{
	if (!r->config || r->config_n == 0)
		return 0;
	dec->extradata = av_mallocz(r->config_n + AV_INPUT_BUFFER_PADDING_SIZE);
	if (!dec->extradata)
		return AVERROR(ENOMEM);
	memcpy(dec->extradata, r->config, r->config_n);
	dec->extradata_size = (int)r->config_n;
	return 0;
}

static int open_still(const struct av_thumb_request *r, AVCodecContext **out)
{
	const AVCodec *codec = still_decoder(r->coding);
	CLEANUP(codec_freep) AVCodecContext *dec = codec ? avcodec_alloc_context3(codec) : NULL;

	if (!dec)
		return codec ? AVERROR(ENOMEM) : AVERROR_DECODER_NOT_FOUND;
	dec->thread_count = 1; /* the sandbox has no threads */
	dec->lowres = (int)r->halvings;
	/* The headers said less than the limit; what the coded data says must not be more. */
	dec->max_pixels = FFMAX((int64_t)r->width * r->height, 1 << 22) * 2;
	int e = set_config(dec, r);
	if (e >= 0)
		e = avcodec_open2(dec, codec, NULL);
	if (e >= 0)
		*out = TAKE(dec);
	return e;
}

/* One packet in, the first picture out. */
static int decode_one(AVCodecContext *dec, const struct av_thumb_part *part, AVFrame *frame)
{
	CLEANUP(packet_freep) AVPacket *packet = av_packet_alloc();

	if (!packet)
		return AVERROR(ENOMEM);
	packet->data = (uint8_t *)(uintptr_t)part->p;
	packet->size = (int)part->n;
	packet->flags = AV_PKT_FLAG_KEY;
	int e = avcodec_send_packet(dec, packet);
	if (e >= 0)
		e = avcodec_receive_frame(dec, frame);
	if (e == AVERROR(EAGAIN)) {
		e = avcodec_send_packet(dec, NULL);
		if (e >= 0)
			e = avcodec_receive_frame(dec, frame);
	}
	avcodec_flush_buffers(dec);
	return e;
}

/* The tile's place on the canvas; neighbours meet without a gap. `part`: how much of it counts. */
static struct av_area tile_area(const struct av_thumb_request *r, const struct av_canvas *c,
				struct picture_size tile, uint32_t i, struct picture_size *part)
{
	uint64_t x = (uint64_t)(i % r->columns) * tile.width;
	uint64_t y = (uint64_t)(i / r->columns) * tile.height;
	struct av_area at = { 0 };

	if (x >= r->width || y >= r->height)
		return at;
	part->width = (uint32_t)FFMIN((uint64_t)tile.width, r->width - x);
	part->height = (uint32_t)FFMIN((uint64_t)tile.height, r->height - y);
	at.x = (uint32_t)(x * c->width / r->width);
	at.y = (uint32_t)(y * c->height / r->height);
	at.width = (uint32_t)((x + part->width) * c->width / r->width) - at.x;
	at.height = (uint32_t)((y + part->height) * c->height / r->height) - at.y;
	return at;
}

static int draw_tile(const struct av_thumb_request *r, struct av_canvas *c, const AVFrame *frame,
		     uint32_t i)
{
	struct picture_size part = { (uint32_t)frame->width, (uint32_t)frame->height };
	struct av_area whole = { 0, 0, c->width, c->height };

	if (r->parts_n == 1)
		return av_canvas_draw(c, frame, part, whole);
	struct av_area at = tile_area(r, c, part, i, &part);
	return at.width == 0 || at.height == 0 ? 0 : av_canvas_draw(c, frame, part, at);
}

static int draw_still(const struct av_thumb_request *r, struct av_canvas *c)
{
	CLEANUP(codec_freep) AVCodecContext *dec = NULL;
	CLEANUP(frame_freep) AVFrame *frame = av_frame_alloc();
	int e = frame ? open_still(r, &dec) : AVERROR(ENOMEM);

	for (uint32_t i = 0; i < r->parts_n && e >= 0; i++) {
		e = decode_one(dec, &r->parts[i], frame);
		if (e >= 0)
			e = draw_tile(r, c, frame, i);
		av_frame_unref(frame);
	}
	return e;
}

/* ---- films ----------------------------------------------------------------------------------- */

struct film {
	const struct av_thumb_request *request;
	struct av_input in;
	AVStream *stream;
	AVCodecContext *dec;
	AVPacket *packet;
	AVFrame *frame;
};

static void film_close(struct film *f)
{
	avcodec_free_context(&f->dec);
	av_packet_free(&f->packet);
	av_frame_free(&f->frame);
	av_input_close(&f->in);
}

static AVStream *film_stream(AVFormatContext *ctx)
{
	AVStream *found = NULL;

	for (unsigned i = 0; i < ctx->nb_streams; i++)
		if (av_stream_is_film(ctx->streams[i]) && !found)
			found = ctx->streams[i];
		else
			ctx->streams[i]->discard = AVDISCARD_ALL;
	return found;
}

static bool film_needs_frames(AVFormatContext *ctx)
{
	const AVStream *st = film_stream(ctx);

	return !st || st->codecpar->width <= 0 || st->codecpar->codec_id == AV_CODEC_ID_NONE ||
	       (ctx->duration <= 0 && st->duration <= 0);
}

static int open_film_decoder(struct film *f)
{
	const AVCodecParameters *par = f->stream->codecpar;
	const AVCodec *codec = par->codec_id == AV_CODEC_ID_AV1
				       ? still_decoder(AV_STILL_AV1)
				       : avcodec_find_decoder(par->codec_id);

	if (!codec)
		return AVERROR_DECODER_NOT_FOUND;
	f->dec = avcodec_alloc_context3(codec);
	if (!f->dec)
		return AVERROR(ENOMEM);
	int e = avcodec_parameters_to_context(f->dec, par);
	f->dec->thread_count = 1;
	f->dec->max_pixels = FILM_PIXELS_MAX;
	f->dec->pkt_timebase = f->stream->time_base;
	return e < 0 ? e : avcodec_open2(f->dec, codec, NULL);
}

static int film_open(struct film *f, uint64_t deadline_ms)
{
	f->in = (struct av_input){ .request = &f->request->film, .deadline_ms = deadline_ms };
	f->packet = av_packet_alloc();
	f->frame = av_frame_alloc();
	int e = f->packet && f->frame ? av_input_open(&f->in) : AVERROR(ENOMEM);
	if (e >= 0 && film_needs_frames(f->in.ctx)) {
		for (unsigned i = 0; i < f->in.ctx->nb_streams; i++)
			f->in.ctx->streams[i]->discard = AVDISCARD_DEFAULT;
		e = avformat_find_stream_info(f->in.ctx, NULL);
	}
	if (e < 0)
		return e;
	f->stream = film_stream(f->in.ctx);
	return f->stream ? open_film_decoder(f) : AVERROR_STREAM_NOT_FOUND;
}

static int64_t film_duration_us(const struct film *f)
{
	if (f->in.ctx->duration > 0)
		return f->in.ctx->duration;
	return f->stream->duration > 0
		       ? av_rescale_q(f->stream->duration, f->stream->time_base, AV_TIME_BASE_Q)
		       : 0;
}

static int film_seek(struct film *f, unsigned percent)
{
	int64_t at = film_duration_us(f) / 100 * percent;

	if (f->in.ctx->start_time > 0)
		at += f->in.ctx->start_time;
	avcodec_flush_buffers(f->dec);
	return avformat_seek_file(f->in.ctx, -1, INT64_MIN, at, at, 0);
}

/* A key frame decodes by itself: nothing after it is waited for. */
static int decode_key(struct film *f)
{
	int e = avcodec_send_packet(f->dec, f->packet);

	if (e >= 0)
		e = avcodec_send_packet(f->dec, NULL);
	if (e >= 0)
		e = avcodec_receive_frame(f->dec, f->frame);
	if (e < 0)
		avcodec_flush_buffers(f->dec);
	return e;
}

static int decode_next(struct film *f)
{
	int e = avcodec_send_packet(f->dec, f->packet);

	return e < 0 ? e : avcodec_receive_frame(f->dec, f->frame);
}

/* The next frame from here: the first key frame, or where there are none whatever can be decoded.
 */
static int film_frame(struct film *f)
{
	unsigned seen_n = 0, keys_n = 0;

	for (unsigned i = 0; i < FILM_PACKETS_MAX; i++) {
		av_packet_unref(f->packet);
		int e = av_read_frame(f->in.ctx, f->packet);
		if (e < 0)
			return e;
		if (f->packet->stream_index != f->stream->index)
			continue;
		bool key = f->packet->flags & AV_PKT_FLAG_KEY;
		seen_n++;
		if (!key && seen_n < FILM_KEY_PACKETS_MAX && keys_n == 0)
			continue;
		/* Some key frames show nothing before the next packet: then go on the long way. */
		e = key && keys_n++ == 0 ? decode_key(f) : decode_next(f);
		if (e >= 0 || e == AVERROR(ENOMEM))
			return e;
	}
	return AVERROR_INVALIDDATA;
}

/* A pixel of a film need not be square. */
static struct picture_size film_size(const struct film *f)
{
	AVRational aspect = av_guess_sample_aspect_ratio(f->in.ctx, f->stream, f->frame);
	struct picture_size size = { (uint32_t)f->frame->width, (uint32_t)f->frame->height };

	if (aspect.num <= 0 || aspect.den <= 0 || aspect.num > 16 * aspect.den ||
	    aspect.den > 16 * aspect.num)
		return size;
	if (aspect.num > aspect.den)
		size.width = (uint32_t)av_rescale(size.width, aspect.num, aspect.den);
	else
		size.height = (uint32_t)av_rescale(size.height, aspect.den, aspect.num);
	return size;
}

/* The display matrix as EXIF would say it; slanted ones count as upright. */
static uint8_t film_orientation(const struct film *f)
{
	static const uint8_t turns[4] = { 1, 8, 3, 6 }; /* quarter turns against the clock */
	const uint8_t *matrix = av_stream_get_side_data(f->stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
	double turn = matrix ? av_display_rotation_get((const int32_t *)(const void *)matrix) : 0;

	return isfinite(turn) ? turns[(unsigned)(lrint(turn / 90) & 3)] : 1;
}

static int draw_frame(struct film *f, struct av_canvas *c)
{
	uint8_t orientation = film_orientation(f);
	struct picture_size frame = { (uint32_t)f->frame->width, (uint32_t)f->frame->height };

	av_canvas_fini(c);
	int e = start_canvas(f->request, film_size(f), orientation, c);
	if (e >= 0)
		e = av_canvas_draw(c, f->frame, frame,
				   (struct av_area){ 0, 0, c->width, c->height });
	av_frame_unref(f->frame);
	return e < 0 ? e : av_canvas_orient(c, orientation);
}

/* Some way in, where the film has begun; further where there is nothing to see. */
static int draw_from_inside(struct film *f, struct av_canvas *c, uint64_t deadline_ms)
{
	static const unsigned percents[] = { 10, 30, 60 };
	int e = film_open(f, deadline_ms);
	bool drawn = false;

	if (e >= 0 && film_duration_us(f) <= 0)
		return AVERROR(ESPIPE);
	for (size_t i = 0; i < ARRAY_LEN(percents) && e >= 0; i++) {
		e = film_seek(f, percents[i]);
		if (e >= 0)
			e = film_frame(f);
		if (e >= 0)
			e = draw_frame(f, c);
		drawn = drawn || e >= 0;
		if (e >= 0 && !av_canvas_is_flat(c))
			return 0;
	}
	return drawn && c->rgba ? 0 : e;
}

static int draw_film(const struct av_thumb_request *r, struct av_canvas *c)
{
	uint64_t now_ms = clock_now_ms();
	uint64_t deadline_ms = now_ms + r->time_max_ms;
	CLEANUP(film_close) struct film inside = { .request = r };
	int e = draw_from_inside(&inside, c, now_ms + r->time_max_ms / 2);

	if (e >= 0)
		return e;
	film_close(&inside);
	/* It has no index, or is cut: its start. */
	CLEANUP(film_close) struct film start = { .request = r };
	e = film_open(&start, deadline_ms);
	if (e >= 0)
		e = film_frame(&start);
	if (e >= 0)
		e = draw_frame(&start, c);
	return e < 0 && clock_now_ms() >= deadline_ms ? AVERROR_EXIT : e;
}

/* ---- both ------------------------------------------------------------------------------------ */

static int draw(const struct av_thumb_request *r, struct av_canvas *c)
{
	if (r->parts_n == 0)
		return draw_film(r, c);
	int e = start_canvas(r, (struct picture_size){ r->width, r->height }, r->orientation, c);
	if (e >= 0)
		e = draw_still(r, c);
	return e < 0 ? e : av_canvas_orient(c, r->orientation);
}

__attribute__((visibility("default"))) int
salver_probe_av_thumb(const struct av_thumb_request *request, struct av_thumb *out)
{
	CLEANUP(av_canvas_fini) struct av_canvas canvas = { 0 };

	memset(out, 0, sizeof *out);
	av_log_set_level(AV_LOG_QUIET);
	/* One block that a header claims, whatever decoder: refused before the system has to. */
	av_max_alloc(AV_THUMB_DECODE_MAX_BYTES);
	int e = draw(request, &canvas);
	if (e >= 0)
		e = av_canvas_encode(&canvas, out);
	av_max_alloc(INT32_MAX);
	return e == AVERROR_EXIT ? AV_STATUS_TIMEOUT : status_of(e);
}
