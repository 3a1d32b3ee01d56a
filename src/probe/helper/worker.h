/* SPDX-License-Identifier: MIT */
/* The worker: requests in, facts out, until the other side closes the socket. */
#pragma once

#include "base/text_encoding.h"
#include "probe/helper/facts.h"

/** Serve the socket until it is closed. `encoding`: of tags that are labelled Latin-1. Returns the
 * exit status. */
int worker_run(int sock, const char *library_dir, enum text_encoding encoding);
