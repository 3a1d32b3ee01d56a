/* SPDX-License-Identifier: MIT */
/* What a file's first bytes say it is. */
#pragma once

#include "base/media_type.h"
#include "base/span.h"

#define SNIFF_HEAD_BYTES 4096 /* enough to tell every format that we know apart */

/** What a film of MPEG is packed in; the values of MpegStream in schema/media.fbs. */
enum sniff_stream {
	SNIFF_STREAM_NONE = 0,
	SNIFF_STREAM_TRANSPORT = 1,	    /* packets of 188 bytes */
	SNIFF_STREAM_TRANSPORT_ZERO = 2,    /* of 192, whose time stamps are all 0 */
	SNIFF_STREAM_TRANSPORT_STAMPED = 3, /* of 192 */
	SNIFF_STREAM_SYSTEM = 4,	    /* of MPEG-1 */
	SNIFF_STREAM_PROGRAM = 5	    /* of MPEG-2 */
};

/** Tell the layout from the head of a file (up to SNIFF_HEAD_BYTES); pure. MEDIA_FORMAT_UNKNOWN: no
 * idea, or readable text. MPEG audio and ADTS are told only from an ID3 tag or from two frames in a
 * row. */
enum media_format sniff_format(struct span head);
/** The type that files of that layout mostly have; NULL: no idea. What the layout holds (sound
 * only, in MP4 or ASF; films, in Ogg) is not looked at. Lifetime: static. */
const struct media_type *sniff_type(struct span head);
/** Which of the four kinds of MEDIA_FORMAT_TRACKER: "mod", "s3m", "it", "xm"; NULL: none of them.
 */
const char *sniff_tracker(struct span head);
/** How a film of MPEG_TS or MPEG_PS is packed, from its head; pure. SNIFF_STREAM_NONE where it does
 * not begin with a packet or pack. */
enum sniff_stream sniff_stream(struct span head);
