/* SPDX-License-Identifier: MIT */
/* Tags whose bytes were never what their label says: repaired where the evidence is strong. */
#pragma once

#include "base/span.h"

/** `utf8` was decoded from bytes labelled Latin-1. Where those bytes are UTF-8 in truth, or words
 * of CP1251, write the right text to `out` (at least 3 * utf8.n bytes) and return its length; else
 * 0. */
size_t legacy_repair(struct span utf8, char *out, size_t cap);
