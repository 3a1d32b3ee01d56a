/* SPDX-License-Identifier: MIT */
/* What the headers of a picture file say: size, and where its EXIF block is. */
#pragma once

#include "base/media_type.h"
#include "probe/helper/source.h"

#define IMAGE_EXIF_MAX_BYTES 65536 /* JPEG allows no more */

struct image_header {
	uint32_t width; /* as stored */
	uint32_t height;
	uint8_t orientation; /* EXIF 1..8 where the format itself has one; 0: it has none */
	uint16_t pixel_bits; /* of a decoded pixel, on average; 0: unknown */
	bool progressive;    /* JPEG: decoding holds all coefficients */
	uint64_t exif_at;    /* of the TIFF header that EXIF begins with */
	uint64_t exif_n;     /* 0: none */
};

/** Read the headers; pure but for reads of the source, all of them bounded.
 * Errors: ERR_CORRUPT (no size in it), ERR_UNSUPPORTED (not a picture format). */
NODISCARD enum err image_header_read(const struct source *s, enum media_format format,
				     struct image_header *out);
