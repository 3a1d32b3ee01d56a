/* SPDX-License-Identifier: MIT */
/* The lists of a source, once its items are stored: both report what they did in r->report. */
#pragma once

#include "base/err.h"

struct import_run;

/** A playlist that the library has already (of the same file, else of the same name) is left as it
 * is. Entries whose file is not in the library keep its path: they come alive with the file. */
NODISCARD enum err import_playlists(struct import_run *r, struct err_info *info);
/** A file that has a bookmark already keeps it. */
NODISCARD enum err import_bookmarks(struct import_run *r, struct err_info *info);
