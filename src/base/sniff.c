/* SPDX-License-Identifier: MIT */
/* What a file's first bytes say it is. */
#include "base/sniff.h"

#include "base/attr.h"

#define TEXT_MIN_BYTES 32 /* fewer prove nothing */

/* Signatures at a fixed place, most specific first. */
static const struct {
	struct span bytes;
	uint16_t at;
	uint8_t format;
} signatures[] = {
	{ SPAN("fLaC"), 0, MEDIA_FORMAT_FLAC },
	{ SPAN("OggS"), 0, MEDIA_FORMAT_OGG },
	{ SPAN("WAVE"), 8, MEDIA_FORMAT_WAV },
	{ SPAN("AVI "), 8, MEDIA_FORMAT_AVI },
	{ SPAN("WEBP"), 8, MEDIA_FORMAT_WEBP },
	{ SPAN("AIFF"), 8, MEDIA_FORMAT_AIFF },
	{ SPAN("AIFC"), 8, MEDIA_FORMAT_AIFF },
	{ SPAN("wvpk"), 0, MEDIA_FORMAT_WAVPACK },
	{ SPAN("MAC "), 0, MEDIA_FORMAT_APE },
	{ SPAN("MPCK"), 0, MEDIA_FORMAT_MUSEPACK },
	{ SPAN("MP+"), 0, MEDIA_FORMAT_MUSEPACK },
	{ SPAN("TTA1"), 0, MEDIA_FORMAT_TTA },
	{ SPAN("DSD "), 0, MEDIA_FORMAT_DSF },
	{ SPAN("FRM8"), 0, MEDIA_FORMAT_DSDIFF },
	{ SPAN("\x1a\x45\xdf\xa3"), 0, MEDIA_FORMAT_MATROSKA },
	{ SPAN("FLV\x01"), 0, MEDIA_FORMAT_FLV },
	{ SPAN("\x30\x26\xb2\x75\x8e\x66\xcf\x11"), 0, MEDIA_FORMAT_ASF },
	{ SPAN("\x00\x00\x01\xba"), 0, MEDIA_FORMAT_MPEG_PS },
	{ SPAN("\x00\x00\x01\xb3"), 0, MEDIA_FORMAT_MPEG_PS },
	{ SPAN("\xff\xd8\xff"), 0, MEDIA_FORMAT_JPEG },
	{ SPAN("\x89PNG\r\n\x1a\n"), 0, MEDIA_FORMAT_PNG },
	{ SPAN("GIF87a"), 0, MEDIA_FORMAT_GIF },
	{ SPAN("GIF89a"), 0, MEDIA_FORMAT_GIF },
	{ SPAN("II*\0"), 0, MEDIA_FORMAT_TIFF },
	{ SPAN("MM\0*"), 0, MEDIA_FORMAT_TIFF },
};

/* ISO base media: a first box that only it has; still pictures are told by their brand. */
static enum media_format sniff_iso(struct span head)
{
	static const struct span boxes[] = { SPAN("ftyp"), SPAN("moov"), SPAN("mdat"), SPAN("wide"),
					     SPAN("free"), SPAN("skip"), SPAN("pnot") };
	static const struct span stills[] = { SPAN("heic"), SPAN("heix"), SPAN("heim"),
					      SPAN("heis"), SPAN("hevc"), SPAN("mif1"),
					      SPAN("msf1"), SPAN("avif"), SPAN("avis") };
	struct span box = span_skip(head, 4);

	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		if (!span_starts(box, boxes[i]))
			continue;
		for (size_t k = 0; i == 0 && k < ARRAY_LEN(stills); k++)
			if (span_starts(span_skip(head, 8), stills[k]))
				return MEDIA_FORMAT_HEIF;
		return MEDIA_FORMAT_MP4;
	}
	return MEDIA_FORMAT_UNKNOWN;
}

/* MPEG transport stream: the sync byte at five packets in a row; 192 with a time stamp (BDAV). */
static bool is_transport_stream(struct span head, size_t packet_bytes, size_t sync_at)
{
	size_t packets_n = 0;

	for (size_t at = sync_at; at < head.n && packets_n < 5; at += packet_bytes, packets_n++)
		if ((uint8_t)head.p[at] != 0x47)
			return false;
	return packets_n >= 3;
}

/* BDAV and DLNA put four bytes before each packet: two bits of copy permission, and the time of
 * its arrival. DLNA calls a stream without it one whose time stamps are all 0. */
static bool has_arrival_times(struct span head)
{
	for (size_t at = 0; at + 4 <= head.n; at += 192)
		if (((uint8_t)head.p[at] & 0x3f) || head.p[at + 1] || head.p[at + 2] ||
		    head.p[at + 3])
			return true;
	return false;
}

enum sniff_stream sniff_stream(struct span head)
{
	if (span_starts(head, SPAN("\x00\x00\x01\xba")) && head.n > 4)
		return ((uint8_t)head.p[4] & 0xc0) == 0x40   ? SNIFF_STREAM_PROGRAM
		       : ((uint8_t)head.p[4] & 0xf0) == 0x20 ? SNIFF_STREAM_SYSTEM
							     : SNIFF_STREAM_NONE;
	if (is_transport_stream(head, 188, 0))
		return SNIFF_STREAM_TRANSPORT;
	if (!is_transport_stream(head, 192, 4))
		return SNIFF_STREAM_NONE;
	return has_arrival_times(head) ? SNIFF_STREAM_TRANSPORT_STAMPED
				       : SNIFF_STREAM_TRANSPORT_ZERO;
}

/* Bytes of the MPEG audio frame whose header this is, 0 where it is none. */
static size_t mpeg_frame_bytes(const uint8_t *h)
{
	static const uint16_t kbps[2][3][15] = {
		/* MPEG 1: layer 3, 2, 1 */
		{ { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 },
		  { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384 },
		  { 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448 } },
		/* MPEG 2 and 2.5 */
		{ { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
		  { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
		  { 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256 } },
	};
	static const uint32_t rates[3] = { 44100, 48000, 32000 };
	unsigned version = h[1] >> 3 & 3; /* 3: 1, 2: 2, 0: 2.5 */
	unsigned layer = h[1] >> 1 & 3;	  /* 3: I, 2: II, 1: III */
	unsigned rate_at = h[2] >> 2 & 3;

	if (h[0] != 0xff || (h[1] & 0xe0) != 0xe0 || version == 1 || layer == 0 || rate_at == 3 ||
	    h[2] >> 4 == 15 || h[2] >> 4 == 0)
		return 0;
	uint32_t rate = rates[rate_at] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
	uint32_t bits = kbps[version != 3][layer - 1][h[2] >> 4] * 1000u;
	uint32_t pad = h[2] >> 1 & 1;

	if (layer == 3)
		return (12 * bits / rate + pad) * 4;
	return (layer == 1 && version != 3 ? 72 : 144) * bits / rate + pad;
}

static size_t adts_frame_bytes(const uint8_t *h)
{
	if (h[0] != 0xff || (h[1] & 0xf6) != 0xf0 || (h[2] >> 2 & 15) > 12)
		return 0;
	size_t n = (size_t)(h[3] & 3) << 11 | (size_t)h[4] << 3 | h[5] >> 5;
	return n < 7 ? 0 : n;
}

static bool two_frames(struct span head, size_t (*frame_bytes)(const uint8_t *))
{
	if (head.n < 6)
		return false;
	size_t n = frame_bytes((const uint8_t *)head.p);
	struct span next = span_skip(head, n);

	return n > 0 && next.n >= 6 && frame_bytes((const uint8_t *)next.p) > 0;
}

/* Amiga modules have their mark behind the samples' names; it counts the channels. */
static bool is_amiga_module(struct span head)
{
	static const struct span marks[] = {
		SPAN("M.K."), SPAN("M!K!"), SPAN("FLT4"), SPAN("4CHN"),
		SPAN("6CHN"), SPAN("8CHN"), SPAN("CD81"), SPAN("OKTA")
	};
	struct span mark = span_skip(head, 1080);

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (span_starts(mark, marks[i]))
			return true;
	return false;
}

const char *sniff_tracker(struct span head)
{
	if (span_starts(head, SPAN("Extended Module: ")))
		return "xm";
	if (span_starts(head, SPAN("IMPM")))
		return "it";
	if (span_starts(span_skip(head, 44), SPAN("SCRM")))
		return "s3m";
	return is_amiga_module(head) ? "mod" : NULL;
}

/* Media begins with numbers: some byte of its head is below any that a text has. Words are like
 * marks by chance: "The free ..." reads as ISO base media. */
static bool is_text(struct span head)
{
	for (size_t i = 0; i < head.n; i++)
		if ((uint8_t)head.p[i] < '\a')
			return false;
	return head.n >= TEXT_MIN_BYTES;
}

static enum media_format match(struct span head)
{
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		bool outer = signatures[i].at == 0 || span_starts(head, SPAN("RIFF")) ||
			     span_starts(head, SPAN("FORM")) || span_starts(head, SPAN("RF64"));

		if (outer && span_starts(span_skip(head, signatures[i].at), signatures[i].bytes))
			return (enum media_format)signatures[i].format;
	}
	enum media_format iso = sniff_iso(head);
	if (iso != MEDIA_FORMAT_UNKNOWN)
		return iso;
	if (is_transport_stream(head, 188, 0) || is_transport_stream(head, 192, 4))
		return MEDIA_FORMAT_MPEG_TS;
	if (two_frames(head, adts_frame_bytes))
		return MEDIA_FORMAT_ADTS;
	if (two_frames(head, mpeg_frame_bytes) || span_starts(head, SPAN("ID3")))
		return MEDIA_FORMAT_MP3;
	if (sniff_tracker(head))
		return MEDIA_FORMAT_TRACKER;
	/* Two letters prove little: a plausible header as well. */
	if (span_starts(head, SPAN("BM")) && head.n >= 18 && (uint8_t)head.p[14] <= 124 &&
	    head.p[15] == 0)
		return MEDIA_FORMAT_BMP;
	return MEDIA_FORMAT_UNKNOWN;
}

enum media_format sniff_format(struct span head)
{
	enum media_format format = match(head);

	return format != MEDIA_FORMAT_UNKNOWN && is_text(head) ? MEDIA_FORMAT_UNKNOWN : format;
}

const struct media_type *sniff_type(struct span head)
{
	enum media_format format = sniff_format(head);
	bool image = format >= MEDIA_FORMAT_JPEG;
	bool video = format >= MEDIA_FORMAT_MATROSKA || format == MEDIA_FORMAT_MP4 ||
		     format == MEDIA_FORMAT_ASF;

	if (format == MEDIA_FORMAT_UNKNOWN)
		return NULL;
	return media_type_by_format(format, image   ? MEDIA_CLASS_IMAGE
					    : video ? MEDIA_CLASS_VIDEO
						    : MEDIA_CLASS_AUDIO);
}
