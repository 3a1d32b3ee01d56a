/* SPDX-License-Identifier: MIT */
/* The worker: requests in, facts out, until the other side closes the socket. */
#pragma once

#include "base/buf.h"
#include "probe/helper/facts.h"

/** Serve the socket until it is closed. Returns the exit status. */
int worker_run(int sock, const char *library_dir);
