/* SPDX-License-Identifier: MIT */
/* Audio formats without TagLib: ADTS, DSF, DSDIFF. Small headers, read with bounds. */
#pragma once

#include "probe/helper/source.h"

struct raw_audio {
	uint32_t duration_ms;
	uint32_t bitrate;
	uint32_t sample_rate;
	uint16_t channels;
	uint16_t bits_per_sample;
	const char *codec;   /* libavcodec's name */
	uint64_t id3_offset; /* an ID3v2 tag that TagLib may read; id3_bytes 0: none */
	uint64_t id3_bytes;
};

/** ADTS frames from `start` on; the length is estimated from the first of them. False: none. */
bool raw_audio_adts(const struct source *s, uint64_t start, struct raw_audio *out);
/** Milliseconds of an Ogg stream, from the position on its last page; 0: not found. */
uint32_t raw_audio_ogg_ms(const struct source *s, uint32_t sample_rate);
bool raw_audio_dsf(const struct source *s, struct raw_audio *out);
bool raw_audio_dsdiff(const struct source *s, struct raw_audio *out);
