/* SPDX-License-Identifier: MIT */
/* One file for libavformat, read from an open descriptor, never another. Inside the module only. */
#pragma once

#include <libavformat/avformat.h>
#include <stdbool.h>

#include "probe/helper/av_module.h"

struct av_input {
	const struct av_request *request;
	int64_t at;
	uint64_t read_n; /* in all */
	uint64_t deadline_ms;
	AVFormatContext *ctx;
	AVIOContext *io;
};

/** Open the demuxer that the request names and read the headers: 0, or an AVERROR. Fill in
 * `request` and `deadline_ms` before. In every case av_input_close() ends it. */
int av_input_open(struct av_input *in);
void av_input_close(struct av_input *in);
/** The enum av_status for an AVERROR of libavformat on `in`; >= 0: all went well. */
int av_input_status(const struct av_input *in, int averror);
/** Moving pictures, not a cover. */
bool av_stream_is_film(const AVStream *st);
