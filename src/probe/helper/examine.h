/* SPDX-License-Identifier: MIT */
/* One file, from descriptor to facts: what it is, and who reads it. */
#pragma once

#include "probe/helper/facts.h"

/** Fill `f` (just reset) from the open file `fd`; `name` only lends its extension. Never fails: the
 * status in f says how it went. */
void examine_file(struct facts *f, int fd, struct span name);
