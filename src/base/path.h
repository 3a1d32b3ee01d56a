/* SPDX-License-Identifier: MIT */
/* Absolute paths as bytes: their parts, and which of them can be kept. Pure: no disk. */
#pragma once

#include "base/span.h"

#define PATH_MAX_BYTES 4096 /* of a path */

/** The directory part of an absolute path, without the last '/': "/" for files at the top. */
struct span path_directory(struct span path);
/** What follows the last '/'. */
struct span path_name(struct span path);
/** Absolute, no NUL, no empty or dot component, at most PATH_MAX_BYTES. */
bool path_is_sound(struct span path);
/** Is `path` the directory `above`, or below it? By the bytes alone: both sound, or "/". */
bool path_is_within(struct span path, struct span above);
