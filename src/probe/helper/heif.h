/* SPDX-License-Identifier: MIT */
/* HEIF (HEIC, AVIF; ISO/IEC 23008-12): which of a file's items is the picture, how it is coded and
 * shown, and where its bytes and its EXIF block are. */
#pragma once

#include "probe/helper/source.h"

#define HEIF_META_MAX_BYTES (1u << 20)
#define HEIF_TILES_MAX 1024
#define HEIF_CONFIG_MAX_BYTES 4096

struct heif_extent {
	uint64_t at, n; /* in the file */
};

enum heif_coding { HEIF_CODING_OTHER, HEIF_CODING_HEVC, HEIF_CODING_AV1 };

struct heif_picture {
	uint32_t width, height; /* as stored; of the whole */
	uint8_t orientation;	/* EXIF's numbers; 1: as stored */
	enum heif_coding coding;
	uint32_t columns, tiles_n; /* of a grid, line by line; else 1 and 1. tiles_n 0: the bytes
				      are nowhere that is known */
	struct heif_extent tiles[HEIF_TILES_MAX];
	uint8_t config[HEIF_CONFIG_MAX_BYTES]; /* hvcC or av1C, without the box's header */
	uint32_t config_n;
};

struct heif {
	struct heif_picture picture; /* the primary one */
	struct heif_extent exif;     /* of the TIFF header that EXIF begins with; n 0: none */
};

/** Read the boxes. A picture whose coded bytes cannot be found still has its size.
 * Errors: ERR_CORRUPT (no picture's size in it), ERR_LIMIT, ERR_NOMEM. */
NODISCARD enum err heif_read(const struct source *s, struct heif *out);
/** As heif_read(), for the smallest picture in the file that is at least `width` x `height` as
 * stored: cameras keep a small one beside the large. */
NODISCARD enum err heif_read_small(const struct source *s, uint32_t width, uint32_t height,
				   struct heif *out);
