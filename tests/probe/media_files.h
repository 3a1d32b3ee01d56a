/* SPDX-License-Identifier: MIT */
/* The files that make_media.py made. */
#pragma once

#include "base/span.h"

/** Open one of them read-only; a case that needs it is skipped where it was not made. */
int media_open(const char *name);
/** Open any path as the scanner would: without waiting. */
int media_open_path(const char *path);
