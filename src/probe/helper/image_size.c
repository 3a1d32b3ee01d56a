/* SPDX-License-Identifier: MIT */
/* What the headers of a picture file say: size, and where its EXIF block is. */
#include "probe/helper/image_size.h"

#include "base/attr.h"
#include "base/num.h"
#include "probe/helper/heif.h"

#define JPEG_MARKERS_MAX 512
#define PNG_CHUNKS_MAX 256
#define TIFF_ENTRIES_MAX 512
#define IMAGE_SIDE_MAX 1000000

static bool is_start_of_frame(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	       marker != 0xcc;
}

/* Of all components together, by their sampling factors; `at`: where the frame header counts them.
 */
static uint16_t jpeg_pixel_bits(const struct source *s, uint64_t at)
{
	uint8_t h[1 + 3 * 4] = { 0 };
	size_t n = source_read(s, at, h, sizeof h);
	unsigned largest = 1, sum = 0;

	for (size_t i = 0; i < h[0] && 3 + i * 3 <= n; i++) {
		unsigned factors = (unsigned)(h[2 + i * 3] >> 4) * (h[2 + i * 3] & 15u);

		largest = MAX(largest, factors);
		sum += factors;
	}
	return (uint16_t)((8 * sum + largest - 1) / largest);
}

static bool read_jpeg(const struct source *s, struct image_header *out)
{
	uint64_t at = 2;
	uint8_t h[10];

	out->pixel_bits = 24;
	for (unsigned i = 0; i < JPEG_MARKERS_MAX && source_read(s, at, h, sizeof h) == sizeof h;
	     i++) {
		uint32_t n = be16(h + 2);

		if (h[0] != 0xff)
			return false;
		if (h[1] == 0xff) { /* fill byte */
			at++;
			continue;
		}
		if (is_start_of_frame(h[1])) {
			out->height = be16(h + 5);
			out->width = be16(h + 7);
			/* SOF2, 6, 10, 14: every coefficient is kept until the last has come */
			out->progressive = (h[1] & 3) == 2;
			out->pixel_bits = jpeg_pixel_bits(s, at + 9);
			return true;
		}
		if (n < 2 || h[1] == 0xda || h[1] == 0xd9)
			return false;
		if (h[1] == 0xe1 && memcmp(h + 4, "Exif\0\0", 6) == 0 && n > 8 &&
		    out->exif_n == 0) {
			out->exif_at = at + 10;
			out->exif_n = n - 8;
		}
		at += 2 + n;
	}
	return false;
}

static uint16_t png_pixel_bits(const struct source *s)
{
	static const uint8_t channels[8] = { [0] = 1, [2] = 3, [3] = 1, [4] = 2, [6] = 4 };

	return s->head_n < 26 ? 0 : (uint16_t)MAX(8u, s->head[24] * channels[s->head[25] & 7]);
}

static bool read_png(const struct source *s, struct image_header *out)
{
	uint64_t at = 8;
	uint8_t h[16];
	size_t got;

	for (unsigned i = 0; i < PNG_CHUNKS_MAX && (got = source_read(s, at, h, sizeof h)) >= 8;
	     i++) {
		uint32_t n = be32(h);

		if (memcmp(h + 4, "IHDR", 4) == 0) {
			if (got < sizeof h)
				return false;
			out->width = be32(h + 8);
			out->height = be32(h + 12);
			out->pixel_bits = png_pixel_bits(s);
		} else if (memcmp(h + 4, "eXIf", 4) == 0) {
			out->exif_at = at + 8;
			out->exif_n = n;
		}
		/* EXIF may stand behind the pixels, but in practice stands before them. */
		if (memcmp(h + 4, "IDAT", 4) == 0 || memcmp(h + 4, "IEND", 4) == 0)
			break;
		at += 12 + (uint64_t)n;
	}
	return out->width > 0;
}

static uint32_t le24(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static bool read_webp(const struct source *s, struct image_header *out)
{
	const uint8_t *h = s->head;

	if (s->head_n < 30)
		return false;
	if (memcmp(h + 12, "VP8 ", 4) == 0) {
		out->width = num_le16(h + 26) & 0x3fff;
		out->height = num_le16(h + 28) & 0x3fff;
		return true;
	}
	if (memcmp(h + 12, "VP8L", 4) == 0) {
		uint32_t bits = num_le32(h + 21);

		out->width = (bits & 0x3fff) + 1;
		out->height = (bits >> 14 & 0x3fff) + 1;
		return true;
	}
	if (memcmp(h + 12, "VP8X", 4) != 0)
		return false;
	out->width = le24(h + 24) + 1;
	out->height = le24(h + 27) + 1;
	uint64_t at = 12;
	uint8_t chunk[8];
	for (unsigned i = 0; (h[20] & 8) && i < PNG_CHUNKS_MAX && source_read(s, at, chunk, 8) == 8;
	     i++) {
		uint64_t n = num_le32(chunk + 4);

		if (memcmp(chunk, "EXIF", 4) == 0) {
			uint8_t start[6];
			bool prefixed = source_read(s, at + 8, start, 6) == 6 &&
					memcmp(start, "Exif\0\0", 6) == 0;

			out->exif_at = at + 8 + (prefixed ? 6 : 0);
			out->exif_n = n > 6 ? n - (prefixed ? 6 : 0) : 0;
			break;
		}
		at += 8 + num_align_up(n, 2);
	}
	return true;
}

static bool read_bmp(const struct source *s, struct image_header *out)
{
	const uint8_t *h = s->head;

	if (s->head_n < 26)
		return false;
	if (num_le32(h + 14) == 12) { /* OS/2 */
		out->width = num_le16(h + 18);
		out->height = num_le16(h + 20);
		return true;
	}
	uint32_t height = num_le32(h + 22);
	out->width = num_le32(h + 18);
	out->height = height > INT32_MAX ? 0u - height : height; /* negative: top down */
	return true;
}

static bool read_gif(const struct source *s, struct image_header *out)
{
	if (s->head_n < 10)
		return false;
	out->width = num_le16(s->head + 6);
	out->height = num_le16(s->head + 8);
	return true;
}

/* The first directory only: the others are pages, thumbnails, maker's notes. */
static bool read_tiff(const struct source *s, struct image_header *out)
{
	uint8_t entry[12];
	uint8_t count[2];

	if (s->head_n < 8)
		return false;
	bool big = s->head[0] == 'M';
	uint64_t at = big ? be32(s->head + 4) : num_le32(s->head + 4);
	if (source_read(s, at, count, 2) != 2)
		return false;
	uint32_t n = big ? be16(count) : num_le16(count);
	at += 2;
	for (uint32_t i = 0; i < MIN(n, TIFF_ENTRIES_MAX); i++, at += sizeof entry) {
		if (source_read(s, at, entry, sizeof entry) != sizeof entry)
			break;
		uint32_t tag = big ? be16(entry) : num_le16(entry);
		uint32_t type = big ? be16(entry + 2) : num_le16(entry + 2);
		uint32_t value = type == 3 ? (big ? be16(entry + 8) : num_le16(entry + 8))
				 : big	   ? be32(entry + 8)
					   : num_le32(entry + 8);
		if (tag == 256)
			out->width = value;
		else if (tag == 257)
			out->height = value;
		else if (tag == 274 && value <= 8)
			out->orientation = (uint8_t)value;
	}
	out->exif_at = 0;
	out->exif_n = MIN(s->size, (uint64_t)IMAGE_EXIF_MAX_BYTES);
	return true;
}

static bool read_heif(const struct source *s, struct image_header *out)
{
	struct heif h;

	if (heif_read(s, &h) != ERR_OK)
		return false;
	out->width = h.picture.width;
	out->height = h.picture.height;
	out->orientation = h.picture.orientation;
	out->exif_at = h.exif.at;
	out->exif_n = h.exif.n;
	return true;
}

enum err image_header_read(const struct source *s, enum media_format format,
			   struct image_header *out)
{
	bool (*read)(const struct source *, struct image_header *) =
		format == MEDIA_FORMAT_JPEG   ? read_jpeg
		: format == MEDIA_FORMAT_PNG  ? read_png
		: format == MEDIA_FORMAT_GIF  ? read_gif
		: format == MEDIA_FORMAT_WEBP ? read_webp
		: format == MEDIA_FORMAT_BMP  ? read_bmp
		: format == MEDIA_FORMAT_TIFF ? read_tiff
		: format == MEDIA_FORMAT_HEIF ? read_heif
					      : NULL;
	struct image_header found = { 0 };

	if (!read)
		return ERR_UNSUPPORTED;
	if (!read(s, &found) || found.width == 0 || found.height == 0 ||
	    found.width > IMAGE_SIDE_MAX || found.height > IMAGE_SIDE_MAX)
		return ERR_CORRUPT;
	*out = found;
	return ERR_OK;
}
