/* SPDX-License-Identifier: MIT */
/* What a file's first bytes say it is. */
#pragma once

#include "base/media_type.h"
#include "base/span.h"

/** Tell the layout from the head of a file (up to 4 KiB); pure. MEDIA_FORMAT_UNKNOWN: no idea.
 * MPEG audio and ADTS are told only from an ID3 tag or from two frames in a row. */
enum media_format sniff_format(struct span head);
/** Which of the four kinds of MEDIA_FORMAT_TRACKER: "mod", "s3m", "it", "xm"; NULL: none of them.
 */
const char *sniff_tracker(struct span head);
