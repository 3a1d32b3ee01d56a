/* SPDX-License-Identifier: MIT */
/* What salver-probe-av.so offers. libavformat brings 134 libraries and 26 MB, so that it is a
 * module of its own, loaded for the first film: a library of music never pays for it. (A second
 * program would do as well, but then every worker would be two.) Plain data crosses this line. */
#pragma once

#include <stdint.h>

#define AV_MODULE_FILE "salver-probe-av.so"
#define AV_MODULE_SYMBOL "salver_probe_av"
#define AV_TEXT_MAX 512
#define AV_NAME_MAX 32
#define AV_TRACKS_MAX 32

enum av_status { AV_STATUS_OK, AV_STATUS_BROKEN, AV_STATUS_TIMEOUT, AV_STATUS_NO_MEMORY };

struct av_track {
	char codec[AV_NAME_MAX];
	char language[AV_NAME_MAX];
	uint16_t channels;
};

struct av_facts {
	uint64_t duration_ms;
	int64_t bitrate;
	uint32_t width; /* as shown: rotation applied */
	uint32_t height;
	uint32_t frame_rate_milli;
	uint16_t level;
	uint16_t has_video; /* moving pictures, not a cover */
	char container[AV_NAME_MAX];
	char video_codec[AV_NAME_MAX];
	char video_profile[AV_NAME_MAX];
	char audio_codec[AV_NAME_MAX];
	uint32_t sample_rate;
	uint16_t channels;
	uint16_t bits_per_sample;
	uint32_t tracks_n;
	struct av_track tracks[AV_TRACKS_MAX];
	/* Metadata as the file has it, NUL-terminated, cut; not cleaned. */
	char title[AV_TEXT_MAX];
	char artist[AV_TEXT_MAX];
	char album[AV_TEXT_MAX];
	char genre[AV_TEXT_MAX];
	char date[AV_NAME_MAX];
	char created[AV_NAME_MAX];
	/* An attached picture; malloc()ed when it was asked for. */
	uint8_t *art;
	uint32_t art_n;
	uint32_t art_found; /* its first bytes are in art_head, whether it was asked for or not */
	uint8_t art_head[16];
};

struct av_request {
	int fd;
	uint64_t size;
	const char *format;   /* the demuxer's short name; no other is tried */
	uint32_t art_max_n;   /* 0: the picture is not wanted */
	uint32_t time_max_ms; /* gives up by itself after that */
};

/** The one function of the module: enum av_status; *out is zeroed first. */
typedef int av_module_fn(const struct av_request *request, struct av_facts *out);
av_module_fn salver_probe_av;
