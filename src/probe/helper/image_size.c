/* SPDX-License-Identifier: MIT */
/* What the headers of a picture file say: size, and where its EXIF block is. */
#include "probe/helper/image_size.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/num.h"

#define JPEG_MARKERS_MAX 512
#define PNG_CHUNKS_MAX 256
#define TIFF_ENTRIES_MAX 512
#define HEIF_META_MAX_BYTES (256u << 10)
#define HEIF_BOXES_MAX 1024
#define IMAGE_SIDE_MAX 1000000

static bool is_start_of_frame(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	       marker != 0xcc;
}

static bool read_jpeg(const struct source *s, struct image_header *out)
{
	uint64_t at = 2;
	uint8_t h[10];

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

/* HEIF: one meta box in memory, and what was learned of it. */
struct heif {
	const uint8_t *p;
	size_t n;
	unsigned boxes_n; /* seen so far, against HEIF_BOXES_MAX */
	uint32_t exif_item;
	struct image_header *out;
};

static void heif_item_info(struct heif *m, const uint8_t *p, size_t n)
{
	/* infe, version 2 or 3: flags, item id, protection, type */
	bool wide = n > 0 && p[0] >= 3;
	size_t type_at = wide ? 10 : 8;

	if (n >= type_at + 4 && p[0] >= 2 && memcmp(p + type_at, "Exif", 4) == 0)
		m->exif_item = wide ? be32(p + 4) : be16(p + 4);
}

static uint64_t heif_number(const uint8_t *p, unsigned bytes_n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes_n; i++)
		v = v << 8 | p[i];
	return v;
}

/* iloc: where the bytes of the EXIF item are. Versions 0 to 2, items of one extent. */
static void heif_locations(struct heif *m, const uint8_t *p, size_t n)
{
	if (n < 8 || p[0] > 2)
		return;
	unsigned version = p[0];
	unsigned offset_n = p[4] >> 4;
	unsigned length_n = p[4] & 15;
	unsigned base_n = p[5] >> 4;
	unsigned index_n = version > 0 ? p[5] & 15 : 0;
	unsigned id_n = version < 2 ? 2 : 4;
	size_t at = version < 2 ? 8 : 10;
	size_t fixed_n = id_n + (version > 0 ? 2 : 0) + 2 + base_n + 2;
	size_t extent_n = index_n + offset_n + length_n;

	while (at <= n && n - at >= fixed_n) {
		uint64_t id = heif_number(p + at, id_n);
		uint64_t base = heif_number(p + at + fixed_n - 2 - base_n, base_n);
		size_t extents = be16(p + at + fixed_n - 2);
		const uint8_t *extent = p + at + fixed_n;

		at += fixed_n + extents * extent_n;
		if (at > n || extents == 0)
			return;
		if (id != m->exif_item)
			continue;
		m->out->exif_at = base + heif_number(extent + index_n, offset_n);
		m->out->exif_n = heif_number(extent + index_n + offset_n, length_n);
		return;
	}
}

static void heif_property(struct heif *m, const uint8_t *type, const uint8_t *p, size_t n)
{
	static const uint8_t rotation[4] = { 1, 8, 3, 6 }; /* quarter turns left, as EXIF says it */

	if (memcmp(type, "ispe", 4) == 0 && n >= 12) {
		uint64_t area = (uint64_t)m->out->width * m->out->height;
		uint32_t width = be32(p + 4);
		uint32_t height = be32(p + 8);

		/* A large picture is a grid of tiles: the largest size is that of the whole. */
		if ((uint64_t)width * height > area) {
			m->out->width = width;
			m->out->height = height;
		}
	} else if (memcmp(type, "irot", 4) == 0 && n >= 1) {
		m->out->orientation = rotation[p[0] & 3];
	}
}

/* The boxes of one level; `depth` levels more below it. */
static void heif_boxes(struct heif *m, size_t at, size_t end, unsigned depth)
{
	while (end - at >= 8 && m->boxes_n++ < HEIF_BOXES_MAX) {
		const uint8_t *box = m->p + at;
		size_t n = be32(box);

		if (n < 8 || n > end - at)
			return;
		if (depth > 0 &&
		    (memcmp(box + 4, "iprp", 4) == 0 || memcmp(box + 4, "ipco", 4) == 0))
			heif_boxes(m, at + 8, at + n, depth - 1);
		else if (depth > 0 && memcmp(box + 4, "iinf", 4) == 0 && n >= 16)
			heif_boxes(m, at + (box[8] == 0 ? 14 : 16), at + n, depth - 1);
		else if (memcmp(box + 4, "infe", 4) == 0)
			heif_item_info(m, box + 8, n - 8);
		else if (memcmp(box + 4, "iloc", 4) == 0 && m->exif_item != 0)
			heif_locations(m, box + 8, n - 8);
		else
			heif_property(m, box + 4, box + 8, n - 8);
		at += n;
	}
}

/* The EXIF item: how far the TIFF header is from its start, then perhaps "Exif\0\0". */
static void heif_exif_start(const struct source *s, struct image_header *out)
{
	uint8_t skip[4];

	if (out->exif_n < 8 || source_read(s, out->exif_at, skip, 4) != 4 ||
	    be32(skip) > out->exif_n - 4) {
		out->exif_n = 0;
		return;
	}
	out->exif_at += 4 + be32(skip);
	out->exif_n -= 4 + be32(skip);
}

static void freep(uint8_t **p)
{
	free(*p);
}

static bool read_heif(const struct source *s, struct image_header *out)
{
	uint64_t at = 0;
	uint8_t h[8];

	for (unsigned i = 0; i < 16 && source_read(s, at, h, 8) == 8; i++) {
		size_t n = be32(h);

		if (n < 8)
			return false;
		if (memcmp(h + 4, "meta", 4) != 0) {
			at += n;
			continue;
		}
		if (n < 12 || n > HEIF_META_MAX_BYTES)
			return false;
		CLEANUP(freep) uint8_t *meta = malloc(n);
		if (!meta)
			return false;
		struct heif m = { .p = meta, .n = source_read(s, at, meta, n), .out = out };
		/* Twice: the list of items may stand behind their places. */
		for (unsigned pass = 0; pass < 2 && m.n >= 12; pass++, m.boxes_n = 0)
			heif_boxes(&m, 12, m.n, 2);
		heif_exif_start(s, out);
		return out->width > 0;
	}
	return false;
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
