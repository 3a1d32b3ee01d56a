/* SPDX-License-Identifier: MIT */
/* salver-probe-av.so: libavformat reads the headers of one film from an open descriptor. */
#include "probe/helper/av_module.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "probe/helper/aac_config.h"
#include "probe/helper/av_input.h"

static uint64_t duration_ms(const AVFormatContext *ctx)
{
	int64_t longest = 0;

	if (ctx->duration > 0)
		return (uint64_t)(ctx->duration / (AV_TIME_BASE / 1000));
	for (unsigned i = 0; i < ctx->nb_streams; i++) {
		const AVStream *st = ctx->streams[i];

		if (st->duration > 0 && st->time_base.den > 0)
			longest = FFMAX(longest, av_rescale_q(st->duration, st->time_base,
							      (AVRational){ 1, 1000 }));
	}
	return (uint64_t)longest;
}

/* Headers of most containers say it all, and reading frames costs ten times as much. */
static bool needs_frames(const AVFormatContext *ctx)
{
	unsigned known_n = 0;

	for (unsigned i = 0; i < ctx->nb_streams; i++) {
		const AVCodecParameters *par = ctx->streams[i]->codecpar;

		if (av_stream_is_film(ctx->streams[i]) &&
		    (par->width <= 0 || par->codec_id == AV_CODEC_ID_NONE))
			return true;
		if (par->codec_type == AVMEDIA_TYPE_AUDIO && par->sample_rate <= 0)
			return true;
		known_n += par->codec_type == AVMEDIA_TYPE_VIDEO ||
			   par->codec_type == AVMEDIA_TYPE_AUDIO;
	}
	return known_n == 0 || duration_ms(ctx) == 0;
}

static void copy_text(char *to, size_t cap, const char *from)
{
	if (from)
		(void)snprintf(to, cap, "%s", from);
}

static void copy_tag(char *to, size_t cap, AVDictionary *tags, const char *key)
{
	const AVDictionaryEntry *e = av_dict_get(tags, key, NULL, 0);

	copy_text(to, cap, e ? e->value : NULL);
}

/* Profile and level stand in the decoder's configuration; without frames libavformat does not
 * take them from there. */
static void profile_level(const AVCodecParameters *par, int *profile, int *level)
{
	const uint8_t *x = par->extradata;
	int n = par->extradata_size;

	*profile = par->profile;
	*level = par->level;
	if (*profile >= 0 || !x)
		return;
	if (par->codec_id == AV_CODEC_ID_H264 && n >= 4 && x[0] == 1) {
		*profile = x[1];
		if (x[1] == FF_PROFILE_H264_BASELINE && (x[2] & 0x40))
			*profile |= FF_PROFILE_H264_CONSTRAINED;
		*level = x[3];
	} else if (par->codec_id == AV_CODEC_ID_HEVC && n >= 13 && x[0] == 1) {
		*profile = x[1] & 0x1f;
		*level = x[12];
	} else if (par->codec_id == AV_CODEC_ID_AV1 && n >= 4 && x[0] == 0x81) {
		*profile = x[1] >> 5;
		*level = x[1] & 0x1f;
	}
}

static bool lies_on_side(const AVStream *st)
{
	const uint8_t *matrix = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, NULL);
	double turn = matrix ? av_display_rotation_get((const int32_t *)(const void *)matrix) : 0;

	return (turn > 45 && turn < 135) || (turn < -45 && turn > -135);
}

static enum av_scan scan_of(const AVCodecParameters *par)
{
	if (par->field_order == AV_FIELD_UNKNOWN)
		return AV_SCAN_UNKNOWN;
	return par->field_order == AV_FIELD_PROGRESSIVE ? AV_SCAN_PROGRESSIVE : AV_SCAN_INTERLACED;
}

static void take_video(const AVStream *st, struct av_facts *out)
{
	const AVCodecParameters *par = st->codecpar;
	AVRational rate = st->avg_frame_rate.num > 0 ? st->avg_frame_rate : st->r_frame_rate;
	bool turned = lies_on_side(st);
	int profile;
	int level;

	if (rate.num <= 0 && par->codec_id == AV_CODEC_ID_THEORA)
		rate = av_inv_q(st->time_base); /* one tick per frame */
	out->has_video = 1;
	if (par->width > 0 && par->height > 0) {
		out->width = (uint32_t)(turned ? par->height : par->width);
		out->height = (uint32_t)(turned ? par->width : par->height);
	}
	copy_text(out->video_codec, AV_NAME_MAX, avcodec_get_name(par->codec_id));
	profile_level(par, &profile, &level);
	copy_text(out->video_profile, AV_NAME_MAX, avcodec_profile_name(par->codec_id, profile));
	out->level = level > 0 && level <= UINT16_MAX ? (uint16_t)level : 0;
	out->scan = scan_of(par);
	if (rate.num > 0 && rate.den > 0) {
		int64_t milli = av_rescale(1000, rate.num, rate.den);

		out->frame_rate_milli = milli > 0 && milli <= 1000000 ? (uint32_t)milli : 0;
	}
}

/* AAC says it in its configuration; where it has none libavcodec has seen frames. */
static const char *audio_profile(const AVCodecParameters *par)
{
	if (par->codec_id == AV_CODEC_ID_AAC && par->extradata_size > 0)
		return aac_config_profile(par->extradata, (size_t)par->extradata_size);
	return avcodec_profile_name(par->codec_id, par->profile);
}

static void take_audio(const AVStream *st, struct av_facts *out)
{
	const AVCodecParameters *par = st->codecpar;
	int channels = par->ch_layout.nb_channels;
	int bits = par->bits_per_raw_sample > 0 ? par->bits_per_raw_sample
						: av_get_exact_bits_per_sample(par->codec_id);
	uint16_t channels_n = channels > 0 && channels <= 256 ? (uint16_t)channels : 0;

	if (out->tracks_n < AV_TRACKS_MAX) {
		struct av_track *t = &out->tracks[out->tracks_n++];

		copy_text(t->codec, AV_NAME_MAX, avcodec_get_name(par->codec_id));
		copy_tag(t->language, AV_NAME_MAX, st->metadata, "language");
		if (strcmp(t->language, "und") == 0) /* ISO 639-2: undetermined */
			t->language[0] = '\0';
		t->channels = channels_n;
	}
	/* The first is the one that players choose, unless another says that it is the default. */
	if (out->audio_codec[0] &&
	    (out->tracks_n == 0 || !(st->disposition & AV_DISPOSITION_DEFAULT)))
		return;
	copy_text(out->audio_codec, AV_NAME_MAX, avcodec_get_name(par->codec_id));
	out->audio_profile[0] = '\0'; /* of another track */
	copy_text(out->audio_profile, AV_NAME_MAX, audio_profile(par));
	out->sample_rate = par->sample_rate > 0 ? (uint32_t)par->sample_rate : 0;
	out->channels = channels_n;
	out->bits_per_sample = bits > 0 && bits <= 64 ? (uint16_t)bits : 0;
}

static void take_art(const AVStream *st, const struct av_request *request, struct av_facts *out)
{
	const AVPacket *pic = &st->attached_pic;

	if (out->art_found || !pic->data || pic->size < (int)sizeof out->art_head)
		return;
	out->art_found = 1;
	memcpy(out->art_head, pic->data, sizeof out->art_head);
	out->art_n = (uint32_t)pic->size;
	if (out->art_n > request->art_max_n)
		return;
	out->art = malloc(out->art_n);
	if (out->art)
		memcpy(out->art, pic->data, out->art_n);
}

static void take_facts(const struct av_input *in, struct av_facts *out)
{
	const AVFormatContext *ctx = in->ctx;
	bool video_taken = false;

	for (unsigned i = 0; i < ctx->nb_streams; i++) {
		const AVStream *st = ctx->streams[i];

		if (av_stream_is_film(st) &&
		    (!video_taken || (st->disposition & AV_DISPOSITION_DEFAULT))) {
			if (!video_taken)
				take_video(st, out);
			video_taken = true;
		} else if (st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
			take_audio(st, out);
		} else if (st->disposition & AV_DISPOSITION_ATTACHED_PIC) {
			take_art(st, in->request, out);
		}
	}
	out->duration_ms = duration_ms(ctx);
	out->bitrate = ctx->bit_rate;
	if (out->bitrate <= 0 && out->duration_ms > 0)
		out->bitrate =
			av_rescale((int64_t)in->request->size, 8000, (int64_t)out->duration_ms);
	copy_text(out->container, AV_NAME_MAX, ctx->iformat->name);
	out->container[strcspn(out->container, ",")] = '\0'; /* "mov,mp4,m4a,..." */
	copy_tag(out->title, AV_TEXT_MAX, ctx->metadata, "title");
	copy_tag(out->artist, AV_TEXT_MAX, ctx->metadata, "artist");
	copy_tag(out->album, AV_TEXT_MAX, ctx->metadata, "album");
	copy_tag(out->genre, AV_TEXT_MAX, ctx->metadata, "genre");
	copy_tag(out->date, AV_NAME_MAX, ctx->metadata, "date");
	copy_tag(out->created, AV_NAME_MAX, ctx->metadata, "creation_time");
}

__attribute__((visibility("default"))) int salver_probe_av(const struct av_request *request,
							   struct av_facts *out)
{
	CLEANUP(av_input_close)
	struct av_input in = { .request = request,
			       .deadline_ms = clock_now_ms() + request->time_max_ms };

	memset(out, 0, sizeof *out);
	av_log_set_level(AV_LOG_QUIET);
	int e = av_input_open(&in);
	if (e >= 0 && needs_frames(in.ctx))
		e = avformat_find_stream_info(in.ctx, NULL);
	if (e < 0)
		return av_input_status(&in, e);
	take_facts(&in, out);
	return AV_STATUS_OK;
}
