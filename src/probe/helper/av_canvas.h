/* SPDX-License-Identifier: MIT */
/* The small picture that becomes a thumbnail: what decoders give is scaled onto it at once, so that
 * everything after that is small. Inside the module only. */
#pragma once

#include <libavutil/frame.h>
#include <stdbool.h>

#include "base/picture.h"
#include "probe/helper/av_module.h"

struct av_canvas {
	uint8_t *rgba; /* tightly packed */
	uint32_t width;
	uint32_t height;
};

struct av_area {
	uint32_t x, y, width, height;
};

/** A transparent canvas. 0, or an AVERROR. */
int av_canvas_init(struct av_canvas *c, struct picture_size size);
void av_canvas_fini(struct av_canvas *c);
/** Scale the upper left `width` x `height` pixels of a frame onto an area of it. 0, or an AVERROR.
 */
int av_canvas_draw(struct av_canvas *c, const AVFrame *frame, struct picture_size part,
		   struct av_area at);
/** Turn and mirror it as EXIF's orientation says; its size may swap. 0, or an AVERROR. */
int av_canvas_orient(struct av_canvas *c, uint8_t orientation);
/** Is there as good as nothing to see: one dark or bright surface? */
bool av_canvas_is_flat(const struct av_canvas *c);
/** As JPEG, on white where it is transparent. 0, or an AVERROR. */
int av_canvas_encode(struct av_canvas *c, struct av_thumb *out);
