/* SPDX-License-Identifier: MIT */
/* The one table of media types: which names are media, what clients call them, who reads them. */
#pragma once

#include "base/span.h"

/* MPEG transport streams: packets of 188 bytes, and of 192 with a time stamp before each. */
#define MEDIA_TYPE_TS "video/mp2t"
#define MEDIA_TYPE_STAMPED_TS "video/vnd.dlna.mpeg-tts"

enum media_class { /* the values of MediaKind in schema/media.fbs */
		   MEDIA_CLASS_OTHER = 0,
		   MEDIA_CLASS_AUDIO = 1,
		   MEDIA_CLASS_VIDEO = 2,
		   MEDIA_CLASS_IMAGE = 3
};

/** How the bytes are laid out, whatever the file is called. */
enum media_format {
	MEDIA_FORMAT_UNKNOWN = 0,
	MEDIA_FORMAT_MP3, /* and MPEG layer 1 and 2 */
	MEDIA_FORMAT_ADTS,
	MEDIA_FORMAT_FLAC,
	MEDIA_FORMAT_OGG,
	MEDIA_FORMAT_MP4, /* ISO base media, QuickTime */
	MEDIA_FORMAT_ASF,
	MEDIA_FORMAT_WAV,
	MEDIA_FORMAT_AIFF,
	MEDIA_FORMAT_WAVPACK,
	MEDIA_FORMAT_APE,
	MEDIA_FORMAT_MUSEPACK,
	MEDIA_FORMAT_TTA,
	MEDIA_FORMAT_DSF,
	MEDIA_FORMAT_DSDIFF,
	MEDIA_FORMAT_TRACKER, /* MOD, S3M, IT, XM */
	MEDIA_FORMAT_MATROSKA,
	MEDIA_FORMAT_AVI,
	MEDIA_FORMAT_FLV,
	MEDIA_FORMAT_MPEG_TS,
	MEDIA_FORMAT_MPEG_PS,
	MEDIA_FORMAT_JPEG,
	MEDIA_FORMAT_PNG,
	MEDIA_FORMAT_GIF,
	MEDIA_FORMAT_WEBP,
	MEDIA_FORMAT_BMP,
	MEDIA_FORMAT_TIFF,
	MEDIA_FORMAT_HEIF, /* HEIC and AVIF: ISO base media with still pictures */
	MEDIA_FORMAT_N
};

struct media_type {
	const char *extension; /* lower case, no dot */
	const char *mime;      /* as DLNA clients expect it */
	uint8_t media_class;   /* enum media_class, going by the name alone */
	uint8_t format;	       /* enum media_format */
	const char *av_format; /* libavformat's short name; NULL: never read by it */
};

/** What the extension of `name` (a file name or a path) promises; NULL: not media.
 * Case is ignored. One binary search. Lifetime: static. */
const struct media_type *media_type_by_name(struct span name);
/** The type of content that was recognised: the row of that layout and class which stands for it
 * ("audio/mp4" for MP4 without pictures); NULL where there is none. */
const struct media_type *media_type_by_format(enum media_format format,
					      enum media_class media_class);
/** The first row with that mime type (ASCII case ignored), NULL where there is none. */
const struct media_type *media_type_by_mime(struct span mime);
/** All rows, sorted by extension. */
const struct media_type *media_type_table(size_t *out_n);
