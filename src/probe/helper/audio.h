/* SPDX-License-Identifier: MIT */
/* Facts of audio files: TagLib, and the three formats that Debian's TagLib does not know. */
#pragma once

#include "base/text_encoding.h"
#include "probe/helper/facts.h"

/** Before anything else of this header. `encoding`: of text that is labelled Latin-1. */
void audio_init(enum text_encoding encoding);
/** Fill in tags and properties; sets the status where there is no sound in it. */
void audio_probe(struct facts *f, const struct source *s, enum media_format format);
/** Tags and picture only, into what is known already: of MP4 that libavformat has described. */
void audio_probe_tags(struct facts *f, const struct source *s, enum media_format format);
/** The bytes of an ID3v2 tag (header and footer included) that starts `head`, or 0. */
uint64_t audio_id3_bytes(struct span head);
