/* SPDX-License-Identifier: MIT */
/* Facts of films, and of whatever else only libavformat reads. */
#pragma once

#include "probe/helper/av_module.h"
#include "probe/helper/facts.h"

/* An answer of ours comes before the watchdog. */
#define VIDEO_TIME_MAX_MS (PROBE_TIMEOUT_MS - 2000)

/** Where salver-probe-av.so lies. Before the first video_probe(). */
void video_init(const char *library_dir);
/** Fill in the facts with the demuxer `av_format`, never another one. The kind says whether there
 * were moving pictures. Loads libavformat at the first call. */
void video_probe(struct facts *f, const struct source *s, const char *av_format);
/** What makes thumbnails; loads libavformat as well. NULL: it cannot be loaded. */
av_thumb_fn *video_thumb_function(void);
