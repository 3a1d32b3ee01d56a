/* SPDX-License-Identifier: MIT */
/* A second opinion from libmagic, for the few files where name and content disagree. */
#pragma once

#include "probe/helper/source.h"

/** The mime type of the file ("audio/mpeg"), or NULL where libmagic cannot be had or knows nothing.
 * Loads libmagic at the first call: about 1 MiB of memory and a map of 8 MiB. Lifetime: next call.
 */
const char *magic_type_of(const struct source *s);
