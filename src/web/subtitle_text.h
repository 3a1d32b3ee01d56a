/* SPDX-License-Identifier: MIT */
/* Subtitle files as players want them: in UTF-8, SubRip as WebVTT. Pure. Private to src/web. */
#pragma once

#include "base/buf.h"
#include "base/text_encoding.h"

#define SUBTITLE_TEXT_MAX_BYTES ((size_t)1 << 20) /* larger ones are sent as they are */

/** Should these bytes be sent as they are? UTF-8 already, or no text at all (VobSub), or nobody can
 * say what they are: `wanted` is the configured encoding, or TEXT_AUTO. *out_encoding is what they
 * are where the answer is no. */
bool subtitle_text_is_fine(struct span bytes, enum text_encoding wanted,
			   enum text_encoding *out_encoding);
/** Append `bytes` as UTF-8 without a mark at the start. ERR_INVALID: they are not in `encoding`. */
NODISCARD enum err subtitle_text_add(enum text_encoding encoding, struct span bytes,
				     struct buf *out);
/** Append SubRip (UTF-8) as WebVTT: the same cues, with points in their times. */
void subtitle_text_add_webvtt(struct span srt, struct buf *out);
