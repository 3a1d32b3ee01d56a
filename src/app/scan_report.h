/* SPDX-License-Identifier: MIT */
/* The scanner's report as text or JSON, line by line: for the control socket and `salver scan`. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct scanner_options;

#define SCAN_REPORT_LINE_MAX (512u << 10) /* the longest path with every byte escaped */

/** `line` gets each line; NULL: nothing to say yet, is anybody there? It returns false where nobody
 * is. Errors: those of scanner_report(). */
enum scan_report_form { SCAN_REPORT_TEXT, SCAN_REPORT_JSON };
NODISCARD enum err scan_report_write(const struct scanner_options *options,
				     enum scan_report_form form,
				     bool (*line)(void *ctx, const char *line), void *ctx,
				     struct err_info *info);
