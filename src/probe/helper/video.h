/* SPDX-License-Identifier: MIT */
/* Facts of films, and of whatever else only libavformat reads. */
#pragma once

#include "probe/helper/facts.h"

/** Where salver-probe-av.so lies. Before the first video_probe(). */
void video_init(const char *library_dir);
/** Fill in the facts with the demuxer `av_format`, never another one. The kind says whether there
 * were moving pictures. Loads libavformat at the first call. */
void video_probe(struct facts *f, const struct source *s, const char *av_format);
