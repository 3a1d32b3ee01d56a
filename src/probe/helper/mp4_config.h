/* SPDX-License-Identifier: MIT */
/* What TagLib does not tell of sound in MP4. */
#pragma once

#include "probe/helper/source.h"

/** libavcodec's name of the AAC profile of the first track of sound; static. NULL: there is none,
 * or it leaves doubt. A few small reads, whatever the file's size. */
const char *mp4_aac_profile(const struct source *s);
