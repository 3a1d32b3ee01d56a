/* SPDX-License-Identifier: MIT */
/* A small JPEG of whatever a file shows: a picture, the picture inside music or a film, a film. */
#pragma once

#include "base/picture.h"
#include "probe/helper/facts.h"

#define THUMBNAIL_SOURCE_MAX_BYTES (64u << 20) /* of a coded picture: it must be in memory */

/** Leaves in the facts what PROBE_TN and PROBE_SM promise (probe.h), or how it ended. Time: a
 * picture of 100 million pixels some seconds, which nothing interrupts but the watchdog. */
void thumbnail_make(struct facts *f, int fd, struct span name, struct picture_size box);
