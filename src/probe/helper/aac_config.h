/* SPDX-License-Identifier: MIT */
/* What an AAC stream is by its configuration (ISO 14496-3, AudioSpecificConfig). In the helper and
 * in salver-probe-av.so alike. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** libavcodec's name of the profile: "LC", "HE-AAC", "HE-AACv2", ...; static. NULL where it leaves
 * doubt: LC at 24 kHz and less may be HE-AAC that does not say so. */
const char *aac_config_profile(const uint8_t *config, size_t n);
