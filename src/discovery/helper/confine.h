/* SPDX-License-Identifier: MIT */
/* What the helper gives up once its sockets are open. */
#pragma once

#include "base/err.h"

/** Nobody instead of root, no new privileges, small limits, an allow-list of system calls. What the
 * system forbids is warned of and done without. */
void confine(void);
