/* SPDX-License-Identifier: MIT */
/* What several sub-commands do alike. */
#pragma once

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"

struct library;
struct library_options;

/** Print why; the exit status of a failure. */
static inline int fail(const struct err_info *info, enum err e)
{
	fprintf(stderr, "salver: %s\n", info->text[0] ? info->text : err_name(e));
	return EXIT_FAILURE;
}

/** A directory's path from the root on, as it is called here: a server may stand elsewhere, and it
 * need not be there. ERR_INVALID: too long, or with line breaks. */
NODISCARD enum err command_absolute(const char *dir, char out[PATH_MAX], struct err_info *info);
/** There are media roots, and each can be served; ERR_INVALID, ERR_NOTFOUND, ERR_ACCESS. */
struct conf;
NODISCARD enum err command_need_roots(struct conf *conf, struct err_info *info);
/** command_scan() of a library that is opened in this way. */
int command_scan_as(struct conf *conf, const struct args *args,
		    const struct library_options *library_options);
/** Did the library take all that it was given? Who could not store says so: cron must notice. */
NODISCARD enum err command_stored_all(struct library *library, struct err_info *info);
