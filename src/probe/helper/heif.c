/* SPDX-License-Identifier: MIT */
/* HEIF: items, their properties and places. Everything is looked up in the one meta box, which is
 * in memory; a file that refers to what is not there has no such part. */
#include "probe/helper/heif.h"

#include <stdlib.h>

#include "base/attr.h"

#define TOP_BOXES_MAX 16
#define BOXES_MAX                                                                                  \
	65536 /* looked at in one file, against lists that are searched again and again            \
	       */
#define PROPERTIES_MAX 32 /* of one item */

struct meta {
	const struct source *source;
	uint8_t *bytes;
	struct span boxes; /* the content of the meta box */
	uint64_t at;	   /* where that is in the file */
	unsigned looks_n;
};

struct box {
	char type[4];
	struct span body;
};

static bool is(const struct box *b, const char *type)
{
	return memcmp(b->type, type, 4) == 0;
}

static uint64_t take(struct span *s, unsigned bytes_n)
{
	uint64_t v = 0;

	if (s->n < bytes_n) { /* what is missing reads as 0, and nothing follows */
		*s = (struct span){ NULL, 0 };
		return 0;
	}
	for (unsigned i = 0; i < bytes_n; i++)
		v = v << 8 | (uint8_t)s->p[i];
	*s = span_skip(*s, bytes_n);
	return v;
}

/* Version and flags of a full box; returns the version. */
static unsigned take_version(struct span *s, uint32_t *out_flags)
{
	uint32_t v = (uint32_t)take(s, 4);

	if (out_flags)
		*out_flags = v & 0xffffff;
	return v >> 24;
}

static bool next_box(struct meta *m, struct span *rest, struct box *out)
{
	if (rest->n < 8 || ++m->looks_n > BOXES_MAX)
		return false;
	struct span s = *rest;
	uint64_t n = take(&s, 4);
	memcpy(out->type, s.p, 4);
	(void)take(&s, 4);
	size_t header_n = 8;
	if (n == 1) {
		n = take(&s, 8);
		header_n = 16;
	} else if (n == 0) {
		n = rest->n;
	}
	if (n < header_n || n > rest->n)
		return false;
	out->body = span_of(rest->p + header_n, (size_t)n - header_n);
	*rest = span_skip(*rest, (size_t)n);
	return true;
}

/* The first box of a type; empty where there is none. */
static struct span find_box(struct meta *m, struct span in, const char *type)
{
	struct box b;

	while (next_box(m, &in, &b))
		if (is(&b, type))
			return b.body;
	return (struct span){ NULL, 0 };
}

/* ---- items ----------------------------------------------------------------------------------- */

static uint32_t primary_item(struct meta *m)
{
	struct span s = find_box(m, m->boxes, "pitm");

	return (uint32_t)take(&s, take_version(&s, NULL) == 0 ? 2 : 4);
}

struct item {
	uint32_t id;
	char type[4];
};

/* The entries of iinf, one at a time. */
static struct span item_list(struct meta *m)
{
	struct span s = find_box(m, m->boxes, "iinf");

	(void)take(&s, take_version(&s, NULL) == 0 ? 2 : 4);
	return s;
}

static bool next_item(struct meta *m, struct span *list, struct item *out)
{
	struct box b;

	while (next_box(m, list, &b)) {
		struct span s = b.body;
		unsigned version = take_version(&s, NULL);

		if (!is(&b, "infe") || version < 2)
			continue;
		out->id = (uint32_t)take(&s, version == 2 ? 2 : 4);
		(void)take(&s, 2); /* protection */
		if (s.n < 4)
			continue;
		memcpy(out->type, s.p, 4);
		return true;
	}
	return false;
}

static bool item_by_id(struct meta *m, uint32_t id, struct item *out)
{
	struct span list = item_list(m);

	while (next_item(m, &list, out))
		if (out->id == id)
			return true;
	return false;
}

/* Where an item's bytes are: in the file, or in the idat box. Items in several pieces are none of
 * ours: nobody writes pictures so. */
static struct heif_extent item_extent(struct meta *m, uint32_t id)
{
	struct heif_extent none = { 0, 0 };
	struct span s = find_box(m, m->boxes, "iloc");
	unsigned version = take_version(&s, NULL);
	unsigned sizes = (unsigned)take(&s, 2);
	unsigned offset_n = sizes >> 12, length_n = sizes >> 8 & 15, base_n = sizes >> 4 & 15;
	unsigned index_n = version > 0 ? sizes & 15 : 0;
	uint64_t items_n = take(&s, version < 2 ? 2 : 4);

	if (version > 2 || offset_n > 8 || length_n > 8 || base_n > 8 || index_n > 8)
		return none;
	while (items_n-- > 0 && s.n > 0) {
		uint32_t have = (uint32_t)take(&s, version < 2 ? 2 : 4);
		unsigned method = version > 0 ? (unsigned)take(&s, 2) & 15 : 0;
		(void)take(&s, 2); /* data reference */
		uint64_t base = take(&s, base_n);
		uint64_t extents_n = take(&s, 2);
		(void)take(&s, index_n);
		struct heif_extent first = { take(&s, offset_n), take(&s, length_n) };
		if (extents_n > 1) /* at once: they may be of no bytes, and as many as they like */
			s = span_skip(s, (size_t)(extents_n - 1) * (offset_n + length_n + index_n));
		if (have != id)
			continue;
		first.at += base;
		struct span idat = find_box(m, m->boxes, "idat");
		if (extents_n != 1 || method > 1 ||
		    (method == 1 && (first.at > idat.n || first.n > idat.n - first.at)))
			return none;
		if (method == 1)
			first.at += m->at + (uint64_t)(idat.p - m->boxes.p);
		return first.at < base || first.at > m->source->size ||
				       first.n > m->source->size - first.at
			       ? none
			       : first;
	}
	return none;
}

/* The items that `from` refers to by `type`, as a list of ids; *out_id_n: bytes of one. */
static struct span item_references(struct meta *m, const char *type, uint32_t from,
				   unsigned *out_id_n)
{
	struct span s = find_box(m, m->boxes, "iref");
	struct box b;

	*out_id_n = take_version(&s, NULL) == 0 ? 2 : 4;
	while (next_box(m, &s, &b)) {
		if (!is(&b, type) || take(&b.body, *out_id_n) != from)
			continue;
		uint64_t n = take(&b.body, 2);
		return span_first(b.body, (size_t)n * *out_id_n);
	}
	return (struct span){ NULL, 0 };
}

/* ---- properties ------------------------------------------------------------------------------ */

/* The numbers of an item's properties, in the order in which they apply. */
static size_t item_properties(struct meta *m, struct span iprp, uint32_t id,
			      uint16_t out[PROPERTIES_MAX])
{
	struct span s = find_box(m, iprp, "ipma");
	uint32_t flags = 0;
	unsigned version = take_version(&s, &flags);
	uint64_t items_n = take(&s, 4);
	unsigned index_n = flags & 1 ? 2 : 1;

	while (items_n-- > 0 && s.n > 0) {
		uint32_t have = (uint32_t)take(&s, version == 0 ? 2 : 4);
		size_t n = (size_t)take(&s, 1), kept = 0;

		for (size_t i = 0; i < n; i++) {
			uint64_t v = take(&s, index_n);

			if (kept < PROPERTIES_MAX) /* the highest bit: essential */
				out[kept++] = (uint16_t)(v & (index_n == 2 ? 0x7fff : 0x7f));
		}
		if (have == id)
			return kept;
	}
	return 0;
}

static bool property(struct meta *m, struct span iprp, uint16_t number, struct box *out)
{
	struct span s = find_box(m, iprp, "ipco");

	for (uint16_t i = 1; next_box(m, &s, out); i++)
		if (i == number)
			return true;
	return false;
}

/* Turning and mirroring so far: `quarters` against the clock first, then left and right swapped. */
struct turn {
	unsigned quarters;
	bool mirrored;
};

static uint8_t turn_orientation(struct turn t)
{
	static const uint8_t plain[4] = { 1, 8, 3, 6 };
	static const uint8_t mirrored[4] = { 2, 7, 4, 5 };

	return (t.mirrored ? mirrored : plain)[t.quarters & 3];
}

static void add_turn(struct turn *t, unsigned quarters)
{
	t->quarters += t->mirrored ? 4 - (quarters & 3) : quarters;
}

static void take_property(struct heif_picture *p, const struct box *b, struct turn *t)
{
	struct span s = b->body;

	if (is(b, "ispe") && s.n >= 12) {
		(void)take_version(&s, NULL);
		p->width = (uint32_t)take(&s, 4);
		p->height = (uint32_t)take(&s, 4);
	} else if (is(b, "irot") && s.n >= 1) {
		add_turn(t, s.p[0] & 3);
	} else if (is(b, "imir") && s.n >= 1) {
		/* 0: top and bottom change places, which is left and right and half a turn */
		t->mirrored = !t->mirrored;
		if (!(s.p[0] & 1))
			t->quarters += 2;
	} else if ((is(b, "hvcC") || is(b, "av1C")) && s.n <= sizeof p->config) {
		p->coding = is(b, "hvcC") ? HEIF_CODING_HEVC : HEIF_CODING_AV1;
		memcpy(p->config, s.p, s.n);
		p->config_n = (uint32_t)s.n;
	}
}

static void take_properties(struct meta *m, uint32_t id, struct heif_picture *p)
{
	struct span iprp = find_box(m, m->boxes, "iprp");
	uint16_t numbers[PROPERTIES_MAX];
	size_t n = item_properties(m, iprp, id, numbers);
	struct turn turn = { 0 };
	struct box b;

	for (size_t i = 0; i < n; i++)
		if (property(m, iprp, numbers[i], &b))
			take_property(p, &b, &turn);
	p->orientation = turn_orientation(turn);
}

/* Without a primary item or its properties: the largest size in it, as other readers do. */
static void take_largest(struct meta *m, struct heif_picture *p)
{
	struct span s = find_box(m, find_box(m, m->boxes, "iprp"), "ipco");
	struct heif_picture one = { 0 };
	struct turn turn = { 0 };
	struct box b;

	while (next_box(m, &s, &b)) {
		take_property(&one, &b, &turn);
		if ((uint64_t)one.width * one.height > (uint64_t)p->width * p->height) {
			p->width = one.width;
			p->height = one.height;
		}
	}
	p->orientation = turn_orientation(turn);
}

/* ---- pictures -------------------------------------------------------------------------------- */

/* A grid: its own item holds the layout, and refers to the tiles. */
static void take_grid(struct meta *m, uint32_t id, struct heif_picture *p)
{
	uint8_t layout[12];
	struct heif_extent at = item_extent(m, id);
	size_t n = source_read(m->source, at.at, layout, (size_t)MIN(at.n, sizeof layout));
	unsigned id_n;
	struct span tiles = item_references(m, "dimg", id, &id_n);

	if (n < 8)
		return;
	uint32_t rows = layout[2] + 1u, columns = layout[3] + 1u;
	if (tiles.n / id_n != (size_t)rows * columns || rows * columns > HEIF_TILES_MAX)
		return;
	uint32_t width = p->width, height = p->height;
	for (uint32_t i = 0; i < rows * columns; i++) {
		uint32_t tile = (uint32_t)take(&tiles, id_n);

		p->tiles[i] = item_extent(m, tile);
		if (p->tiles[i].n == 0)
			return;
		if (i == 0) { /* all are coded alike */
			uint8_t orientation = p->orientation;

			take_properties(m, tile, p);
			p->orientation = orientation;
		}
	}
	p->width = width > 0 ? width : be16(layout + 4);
	p->height = height > 0 ? height : be16(layout + 6);
	p->columns = columns;
	p->tiles_n = rows * columns;
}

static void take_picture(struct meta *m, const struct item *item, struct heif_picture *p)
{
	memset(p, 0, offsetof(struct heif_picture, tiles));
	p->config_n = 0;
	take_properties(m, item->id, p);
	if (memcmp(item->type, "grid", 4) == 0) {
		take_grid(m, item->id, p);
	} else if (p->coding != HEIF_CODING_OTHER) {
		p->tiles[0] = item_extent(m, item->id);
		p->columns = 1;
		p->tiles_n = p->tiles[0].n > 0 ? 1 : 0;
	}
}

/* The EXIF item: how far the TIFF header is from its start, then perhaps "Exif\0\0". */
static struct heif_extent find_exif(struct meta *m)
{
	struct span list = item_list(m);
	struct item item;
	uint8_t skip[4];

	while (next_item(m, &list, &item)) {
		if (memcmp(item.type, "Exif", 4) != 0)
			continue;
		struct heif_extent at = item_extent(m, item.id);
		if (at.n < 8 || source_read(m->source, at.at, skip, 4) != 4 ||
		    be32(skip) > at.n - 4)
			continue;
		return (struct heif_extent){ at.at + 4 + be32(skip), at.n - 4 - be32(skip) };
	}
	return (struct heif_extent){ 0, 0 };
}

/* ---- the file -------------------------------------------------------------------------------- */

static void meta_close(struct meta *m)
{
	free(m->bytes);
}

static enum err meta_open(const struct source *s, struct meta *m)
{
	uint64_t at = 0;
	uint8_t h[8];

	for (unsigned i = 0; i < TOP_BOXES_MAX && source_read(s, at, h, 8) == 8; i++) {
		size_t n = be32(h);

		if (n < 8)
			return ERR_CORRUPT;
		if (memcmp(h + 4, "meta", 4) != 0) {
			at += n;
			continue;
		}
		if (n < 12 || n > HEIF_META_MAX_BYTES)
			return n < 12 ? ERR_CORRUPT : ERR_LIMIT;
		m->bytes = malloc(n);
		if (!m->bytes)
			return ERR_NOMEM;
		m->source = s;
		m->at = at + 12; /* behind the header, version and flags */
		m->boxes = span_skip(span_of(m->bytes, source_read(s, at, m->bytes, n)), 12);
		return ERR_OK;
	}
	return ERR_CORRUPT;
}

enum err heif_read(const struct source *s, struct heif *out)
{
	CLEANUP(meta_close) struct meta m = { 0 };
	enum err e = meta_open(s, &m);
	struct item primary;

	if (e != ERR_OK)
		return e;
	memset(&out->picture, 0, sizeof out->picture);
	if (item_by_id(&m, primary_item(&m), &primary))
		take_picture(&m, &primary, &out->picture);
	if (out->picture.width == 0)
		take_largest(&m, &out->picture);
	out->exif = find_exif(&m);
	return out->picture.width > 0 && out->picture.height > 0 ? ERR_OK : ERR_CORRUPT;
}

enum err heif_read_small(const struct source *s, uint32_t width, uint32_t height, struct heif *out)
{
	static struct heif_picture small; /* large; one worker, one thread */
	CLEANUP(meta_close) struct meta m = { 0 };
	struct item item;
	enum err e = heif_read(s, out);

	if (e == ERR_OK)
		e = meta_open(s, &m);
	if (e != ERR_OK)
		return e;
	uint32_t primary = primary_item(&m);
	for (struct span list = item_list(&m); next_item(&m, &list, &item);) {
		unsigned id_n;
		struct span of = item_references(&m, "thmb", item.id, &id_n);

		if (of.n == 0 || take(&of, id_n) != primary)
			continue;
		take_picture(&m, &item, &small);
		if (small.tiles_n > 0 && small.width >= width && small.height >= height &&
		    small.orientation == out->picture.orientation)
			out->picture = small;
	}
	return ERR_OK;
}
