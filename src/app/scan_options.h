/* SPDX-License-Identifier: MIT */
/* From the configuration to the scanner's options: one way for the server and `salver scan`. */
#pragma once

#include "scanner/scanner.h"

struct conf;

/** Lifetime: borrows from the configuration. */
struct scanner_options scan_options(const struct conf *conf, struct library *library);
