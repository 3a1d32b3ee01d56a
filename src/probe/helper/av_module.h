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

enum av_scan { AV_SCAN_UNKNOWN, AV_SCAN_PROGRESSIVE, AV_SCAN_INTERLACED };

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
	enum av_scan scan;
	char container[AV_NAME_MAX];
	char video_codec[AV_NAME_MAX];
	char video_profile[AV_NAME_MAX];
	char audio_codec[AV_NAME_MAX];
	char audio_profile[AV_NAME_MAX];
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

/* ---- thumbnails ---- */

#define AV_THUMB_SYMBOL "salver_probe_av_thumb"
#define AV_THUMB_PADDING 64		       /* bytes of 0 behind each part */
#define AV_THUMB_DECODE_MAX_BYTES (160u << 20) /* one picture, decoded */
#define AV_THUMB_HALVINGS_MAX 3		       /* straight from the coefficients of a JPEG */
#define AV_THUMB_PARTS_MAX 1024		       /* tiles of one picture */

enum av_still { /* how a picture is coded */
		AV_STILL_NONE,
		AV_STILL_JPEG,
		AV_STILL_PNG,
		AV_STILL_GIF,
		AV_STILL_WEBP,
		AV_STILL_BMP,
		AV_STILL_TIFF,
		AV_STILL_HEVC,
		AV_STILL_AV1
};

struct av_thumb_part {
	const uint8_t *p; /* AV_THUMB_PADDING more bytes behind it */
	uint32_t n;
};

struct av_thumb_request {
	/* A still picture: tiles of one size, line by line; most have one. parts_n 0: a frame of
	 * `film`. */
	enum av_still coding;
	const struct av_thumb_part *parts;
	uint32_t parts_n;
	uint32_t columns;
	const uint8_t *config; /* hvcC, av1C; with padding; NULL: none */
	uint32_t config_n;
	uint32_t width; /* of the whole, as stored; where a tile is larger it is cut */
	uint32_t height;
	uint32_t halvings; /* JPEG: decode it so many times halved, at most AV_THUMB_HALVINGS_MAX */
	uint8_t orientation; /* EXIF's, 0 and 1: as stored */
	struct av_request film;
	/* The result: inside this box, as shown. */
	uint32_t box_width;
	uint32_t box_height;
	uint32_t time_max_ms; /* films: gives up by itself; a still cannot be interrupted */
};

struct av_thumb {
	uint8_t *jpeg; /* malloc()ed */
	uint32_t jpeg_n;
	uint32_t width;
	uint32_t height;
};

/** A baseline JPEG, 4:2:0, without metadata: enum av_status; *out is zeroed first. */
typedef int av_thumb_fn(const struct av_thumb_request *request, struct av_thumb *out);
av_thumb_fn salver_probe_av_thumb;
