/* SPDX-License-Identifier: MIT */
/* What TagLib does not tell of sound in MP4: boxes, read where they are, down to the decoder's
 * configuration. */
#include "probe/helper/mp4_config.h"

#include <string.h>

#include "probe/helper/aac_config.h"

#define BOXES_MAX 256 /* looked at in one file */
#define ESDS_MAX_BYTES 256
#define SAMPLE_ENTRY_BYTES 28 /* of AudioSampleEntry, before its boxes */

struct walk {
	const struct source *source;
	unsigned boxes_n;
};

struct extent {
	uint64_t at, end;
};

/* The next box of `type` in *in, which then begins behind it. */
static bool next_box(struct walk *w, struct extent *in, const char *type, struct extent *out)
{
	while (in->at < in->end && in->end - in->at >= 8 && w->boxes_n++ < BOXES_MAX) {
		uint8_t h[16];
		size_t got = source_read(w->source, in->at, h, sizeof h);
		uint64_t header_n = 8;
		uint64_t n = got >= 8 ? be32(h) : 0;

		if (got < 8)
			return false;
		if (n == 1 && got == sizeof h) {
			n = be64(h + 8);
			header_n = 16;
		} else if (n == 0) {
			n = in->end - in->at;
		}
		if (n < header_n || n > in->end - in->at)
			return false;
		*out = (struct extent){ in->at + header_n, in->at + n };
		in->at += n;
		if (memcmp(h + 4, type, 4) == 0)
			return true;
	}
	return false;
}

static bool enter(struct walk *w, struct extent in, const char *type, uint64_t skip_n,
		  struct extent *out)
{
	if (!next_box(w, &in, type, out) || out->end - out->at < skip_n)
		return false;
	out->at += skip_n;
	return true;
}

/* A tag and a length of up to four bytes of seven bits; false at the end, or where it is another.
 */
static bool enter_descriptor(struct span *s, uint8_t tag)
{
	size_t n = 0;
	size_t at = 1;

	if (s->n < 2 || (uint8_t)s->p[0] != tag)
		return false;
	for (uint8_t c = 0x80; c & 0x80 && at < s->n && at < 5; at++) {
		c = (uint8_t)s->p[at];
		n = n << 7 | (c & 0x7f);
	}
	*s = span_first(span_skip(*s, at), n);
	return true;
}

/* ES_Descriptor, DecoderConfigDescriptor, DecoderSpecificInfo. */
static const char *profile_of(struct span esds)
{
	if (!enter_descriptor(&esds, 3) || esds.n < 3)
		return NULL;
	uint8_t flags = (uint8_t)esds.p[2];
	if (flags & 0xe0) /* it depends on others: not in files */
		return NULL;
	esds = span_skip(esds, 3);
	if (!enter_descriptor(&esds, 4) || esds.n < 13 || (uint8_t)esds.p[0] != 0x40)
		return NULL;
	esds = span_skip(esds, 13);
	if (!enter_descriptor(&esds, 5))
		return NULL;
	return aac_config_profile((const uint8_t *)esds.p, esds.n);
}

const char *mp4_aac_profile(const struct source *s)
{
	struct walk w = { .source = s };
	struct extent moov, track, in;
	uint8_t esds[ESDS_MAX_BYTES];

	if (!enter(&w, (struct extent){ 0, s->size }, "moov", 0, &moov))
		return NULL;
	while (next_box(&w, &moov, "trak", &track)) {
		if (!enter(&w, track, "mdia", 0, &in) || !enter(&w, in, "minf", 0, &in) ||
		    !enter(&w, in, "stbl", 0, &in) || !enter(&w, in, "stsd", 8, &in) ||
		    !enter(&w, in, "mp4a", SAMPLE_ENTRY_BYTES, &in) ||
		    !enter(&w, in, "esds", 4, &in))
			continue;
		size_t n = MIN((size_t)(in.end - in.at), sizeof esds);
		return profile_of(span_of(esds, source_read(s, in.at, esds, n)));
	}
	return NULL;
}
