/* SPDX-License-Identifier: MIT */
/* Small pictures: how large they are. Who makes them (salver-probe) and who describes them before
 * they are made (DIDL-Lite) must agree to the pixel. */
#pragma once

#include <stdint.h>

struct picture_size {
	uint32_t width, height; /* 0: unknown */
};

/* DLNA's media format profiles JPEG_TN and JPEG_SM. */
#define PICTURE_TN ((struct picture_size){ 160, 160 })
#define PICTURE_SM ((struct picture_size){ 640, 480 })

/** The largest size inside `box` with the aspect of `full`; never larger than `full`, no side of
 * it 0. Unknown stays unknown. */
static inline struct picture_size picture_fit(struct picture_size full, struct picture_size box)
{
	uint64_t w = full.width, h = full.height;

	if (w == 0 || h == 0)
		return (struct picture_size){ 0, 0 };
	if (w <= box.width && h <= box.height)
		return full;
	if (w * box.height >= h * box.width) { /* wider than the box */
		uint64_t height = (h * box.width + w / 2) / w;
		return (struct picture_size){ box.width, height > 0 ? (uint32_t)height : 1 };
	}
	uint64_t width = (w * box.height + h / 2) / h;
	return (struct picture_size){ width > 0 ? (uint32_t)width : 1, box.height };
}
