/* SPDX-License-Identifier: MIT */
/* Audio formats without TagLib: ADTS, DSF, DSDIFF. Small headers, read with bounds. */
#include "probe/helper/raw_audio.h"

#include "base/attr.h"
#include "base/num.h"

#define ADTS_WINDOW_BYTES 65536 /* two or three seconds: enough to know the bit rate */
#define DSDIFF_CHUNKS_MAX 64
#define OGG_TAIL_BYTES 65536 /* a page is smaller */

static uint32_t clamp_u32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static uint64_t ms_of(uint64_t samples, uint64_t rate)
{
	return rate == 0 ? 0 : samples / rate * 1000 + samples % rate * 1000 / rate;
}

bool raw_audio_adts(const struct source *s, uint64_t start, struct raw_audio *out)
{
	static const uint32_t rates[16] = { 96000, 88200, 64000, 48000, 44100, 32000, 24000,
					    22050, 16000, 12000, 11025, 8000,  7350 };
	uint8_t window[ADTS_WINDOW_BYTES];
	size_t n = source_read(s, start, window, sizeof window);
	size_t at = 0;
	uint64_t frames_n = 0;

	while (n - at >= 7) {
		const uint8_t *h = window + at;
		size_t frame = (size_t)(h[3] & 3) << 11 | (size_t)h[4] << 3 | h[5] >> 5;

		if (h[0] != 0xff || (h[1] & 0xf6) != 0xf0 || frame < 7)
			break;
		if (frames_n == 0) {
			unsigned channels = (h[2] & 1u) << 2 | h[3] >> 6;

			out->sample_rate = rates[h[2] >> 2 & 15];
			out->channels = (uint16_t)(channels == 7 ? 8 : channels);
		}
		if (frame > n - at)
			break;
		frames_n += 1 + (h[6] & 3);
		at += frame;
	}
	if (frames_n == 0 || out->sample_rate == 0)
		return false;
	out->codec = "aac";
	out->bitrate = clamp_u32((uint64_t)at * 8 * out->sample_rate / (frames_n * 1024));
	if (out->bitrate > 0)
		out->duration_ms = clamp_u32((s->size - start) * 8 * 1000 / out->bitrate);
	return true;
}

uint32_t raw_audio_ogg_ms(const struct source *s, uint32_t sample_rate)
{
	uint8_t tail[OGG_TAIL_BYTES];
	uint64_t at = s->size > sizeof tail ? s->size - sizeof tail : 0;
	size_t n = source_read(s, at, tail, sizeof tail);

	for (size_t i = n; i >= 14; i--) {
		const uint8_t *page = tail + i - 14;
		uint64_t position = num_le64(page + 6);

		if (memcmp(page, "OggS", 4) == 0 && position <= INT64_MAX) /* -1: no packet ends */
			return clamp_u32(ms_of(position, sample_rate));
	}
	return 0;
}

/* The codec's name tells the bit order: DSF is either, DSDIFF most significant first. */
bool raw_audio_dsf(const struct source *s, struct raw_audio *out)
{
	const uint8_t *h = s->head;

	if (s->head_n < 80 || memcmp(h, "DSD ", 4) != 0 || memcmp(h + 28, "fmt ", 4) != 0)
		return false;
	uint64_t id3_offset = num_le64(h + 20);
	uint32_t channels = num_le32(h + 52);
	uint32_t rate = num_le32(h + 56);
	uint32_t order = num_le32(h + 60); /* 1: least significant bit first, 8: most */

	if (rate == 0 || channels == 0 || channels > 6)
		return false;
	out->sample_rate = rate;
	out->channels = (uint16_t)channels;
	out->bits_per_sample = 1;
	out->codec = order == 8 ? "dsd_msbf_planar" : "dsd_lsbf_planar";
	out->bitrate = clamp_u32((uint64_t)rate * channels);
	out->duration_ms = clamp_u32(ms_of(num_le64(h + 64), rate));
	if (id3_offset >= 92 && id3_offset < s->size) {
		out->id3_offset = id3_offset;
		out->id3_bytes = s->size - id3_offset;
	}
	return true;
}

/* PROP: "SND ", then chunks of which FS (rate) and CHNL (channels) matter. */
static void dsdiff_properties(const struct source *s, uint64_t at, uint64_t n,
			      struct raw_audio *out)
{
	uint8_t prop[512];
	size_t got = source_read(s, at, prop, n < sizeof prop ? (size_t)n : sizeof prop);

	for (size_t i = 4; got >= 14 && i <= got - 14;) {
		uint64_t chunk = be64(prop + i + 4);

		if (memcmp(prop + i, "FS  ", 4) == 0 && got - i >= 16)
			out->sample_rate = be32(prop + i + 12);
		else if (memcmp(prop + i, "CHNL", 4) == 0)
			out->channels = (uint16_t)be16(prop + i + 12);
		if (chunk > sizeof prop)
			break;
		i += 12 + (size_t)num_align_up(chunk, 2);
	}
}

bool raw_audio_dsdiff(const struct source *s, struct raw_audio *out)
{
	uint64_t at = 16; /* FRM8, size, "DSD " */
	uint64_t data_bytes = 0;
	uint8_t h[12];

	for (unsigned i = 0; i < DSDIFF_CHUNKS_MAX && source_read(s, at, h, 12) == 12; i++) {
		uint64_t chunk = be64(h + 4);
		uint64_t left = s->size - at - 12;

		if (memcmp(h, "PROP", 4) == 0) {
			dsdiff_properties(s, at + 12, MIN(chunk, left), out);
		} else if (memcmp(h, "DSD ", 4) == 0) {
			data_bytes = MIN(chunk, left);
			out->codec = "dsd_msbf";
		} else if (memcmp(h, "DST ", 4) == 0) {
			out->codec = "dst";
		} else if (memcmp(h, "ID3 ", 4) == 0) {
			out->id3_offset = at + 12;
			out->id3_bytes = MIN(chunk, left);
		}
		if (chunk >= left)
			break;
		at += 12 + num_align_up(chunk, 2);
	}
	if (!out->codec || out->sample_rate == 0 || out->channels == 0)
		return false;
	out->bits_per_sample = 1;
	out->bitrate = clamp_u32((uint64_t)out->sample_rate * out->channels);
	out->duration_ms = clamp_u32(ms_of(data_bytes / out->channels * 8, out->sample_rate));
	return true;
}
