/* SPDX-License-Identifier: MIT */
/* Which file systems are mounted at and below the roots: mounting raises no inotify event. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define MOUNTS_MAX_BYTES (4u << 20) /* of the system's list; what is behind that is not seen */

struct mounts {
	int fd; /* /proc/self/mountinfo; raises POLLPRI when any mount changes; -1: there is none */
	uint64_t hash;
};

/** Without /proc nothing is ever seen to change. */
void mounts_open(struct mounts *m);
void mounts_close(struct mounts *m);
/** Has anything changed at, above or below one of these directories since the last call? The first
 * one says no. O(mounts * roots). */
struct root;
bool mounts_changed(struct mounts *m, const struct root *roots, size_t roots_n);

/** A hash of the lines of `list` that concern one of the roots. Pure. */
uint64_t mounts_hash(struct span list, const struct root *roots, size_t roots_n);
