/* SPDX-License-Identifier: MIT */
/* What was found in one file, on its way into a ProbeReply. All text enters through facts_text():
 * valid UTF-8, no control characters, bounded. */
#pragma once

#include "base/arena.h"
#include "base/media_type.h"
#include "base/span.h"
#include "probe/helper/source.h"
#include "probe/probe.h"
#include "schema/media_fb.h"
#include "schema/probe_fb.h"

#define FACTS_TEXT_MAX_BYTES 1024 /* of one title, name, ... */
#define FACTS_VALUES_MAX 16	  /* artists or genres of one file */
#define FACTS_TRACKS_MAX 32	  /* audio tracks of one film */
#define FACTS_ART_MAX_BYTES (PROBE_REPLY_MAX_BYTES - (128u << 10)) /* the rest is for text */
#define FACTS_PICTURE_MAX_BYTES (16u << 20)			   /* embedded, for a thumbnail */
#define FACTS_ARENA_MAX_BYTES (FACTS_PICTURE_MAX_BYTES + (4u << 20))

struct facts {
	struct probe_reply_in reply; /* points into the arrays and the arena */
	struct span artists[FACTS_VALUES_MAX];
	struct span genres[FACTS_VALUES_MAX];
	struct probe_stream_in tracks[FACTS_TRACKS_MAX];
	struct arena arena;
	bool want_art;
	uint32_t art_max_n; /* what is larger is not taken; 0: FACTS_ART_MAX_BYTES */
};

void facts_init(struct facts *f);
void facts_fini(struct facts *f);
/** Forget one file, keep the memory for the next. */
void facts_reset(struct facts *f);

/** A clean copy of `s`: invalid UTF-8 replaced, control characters and runs of white space made one
 * space, trimmed, cut at FACTS_TEXT_MAX_BYTES between characters. Lifetime: the next reset. */
struct span facts_text(struct facts *f, struct span s);
/** Add a clean value to artists or genres; empty and repeated ones are dropped. */
void facts_add_artist(struct facts *f, struct span s);
void facts_add_genre(struct facts *f, struct span s);
/** The embedded picture, found: its bytes are kept where they were asked for and fit. */
void facts_art(struct facts *f, struct span picture);
/** The largest picture that is taken now. */
uint32_t facts_art_max(const struct facts *f);
/** Say how it ended; `why` is one sentence, a literal. */
void facts_fail(struct facts *f, uint8_t status, const char *why);

/** The year of "2004-05-06", "6.5.2004" or "20040506": the first number of so many digits, else 0.
 */
uint16_t facts_year(struct span date);
/** The number at the start of "3/12", else 0. */
uint16_t facts_number(struct span s);
/** "2004-05-06T07:08:09...", "2004:05:06 07:08:09": seconds since 1970 as if UTC, else 0. */
int64_t facts_time(struct span s);
