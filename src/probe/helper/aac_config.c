/* SPDX-License-Identifier: MIT */
/* What an AAC stream is by its configuration. */
#include "probe/helper/aac_config.h"

#define IMPLICIT_SBR_MAX_HZ 24000 /* half of the 48 kHz that HE-AAC ends at */

enum object_type { OBJECT_MAIN = 1, OBJECT_LC, OBJECT_SSR, OBJECT_LTP, OBJECT_SBR, OBJECT_PS = 29 };

struct bits {
	const uint8_t *p;
	size_t n;  /* bits */
	size_t at; /* bits; past n: what was read there is 0 */
};

static uint32_t take(struct bits *b, unsigned count)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < count; i++, b->at++)
		v = v << 1 | (b->at < b->n ? (uint32_t)b->p[b->at / 8] >> (7 - b->at % 8) & 1u : 0);
	return v;
}

static unsigned take_object_type(struct bits *b)
{
	unsigned type = take(b, 5);

	return type == 31 ? 32 + take(b, 6) : type;
}

static uint32_t take_rate(struct bits *b)
{
	static const uint32_t rates[15] = { 96000, 88200, 64000, 48000, 44100, 32000, 24000,
					    22050, 16000, 12000, 11025, 8000,  7350 };
	unsigned at = take(b, 4);

	return at == 15 ? take(b, 24) : rates[at];
}

/* Behind GASpecificConfig, for decoders that do not know it: 0x2b7 and SBR, 0x548 and PS. What
 * comes between has no fixed length only where the channels are listed (channels 0). */
enum extension { EXTENSION_NONE, EXTENSION_SBR, EXTENSION_PS, EXTENSION_OFF, EXTENSION_UNCLEAR };

static enum extension take_extension(struct bits *b, unsigned channels)
{
	(void)take(b, 1); /* length of a frame */
	if (take(b, 1))
		(void)take(b, 14); /* delay of the core coder */
	if (take(b, 1) || channels == 0)
		return EXTENSION_UNCLEAR;
	if (b->at + 17 > b->n || take(b, 11) != 0x2b7 || take_object_type(b) != OBJECT_SBR)
		return EXTENSION_NONE;
	if (!take(b, 1))
		return EXTENSION_OFF;
	(void)take_rate(b);
	return take(b, 11) == 0x548 && take(b, 1) ? EXTENSION_PS : EXTENSION_SBR;
}

static const char *lc_profile(struct bits *b, uint32_t rate, unsigned channels)
{
	switch (take_extension(b, channels)) {
	case EXTENSION_SBR:
		return "HE-AAC";
	case EXTENSION_PS:
		return "HE-AACv2";
	case EXTENSION_OFF:
		return "LC";
	case EXTENSION_UNCLEAR:
	case EXTENSION_NONE:
		break;
	}
	return rate > IMPLICIT_SBR_MAX_HZ ? "LC" : NULL;
}

const char *aac_config_profile(const uint8_t *config, size_t n)
{
	struct bits b = { .p = config, .n = n * 8 };

	if (n < 2)
		return NULL;
	unsigned type = take_object_type(&b);
	uint32_t rate = take_rate(&b);
	unsigned channels = take(&b, 4);

	switch (type) {
	case OBJECT_MAIN:
		return "Main";
	case OBJECT_LC:
		return lc_profile(&b, rate, channels);
	case OBJECT_SSR:
		return "SSR";
	case OBJECT_LTP:
		return "LTP";
	case OBJECT_SBR:
		return "HE-AAC";
	case OBJECT_PS:
		return "HE-AACv2";
	default:
		return NULL;
	}
}
