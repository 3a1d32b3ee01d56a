/* SPDX-License-Identifier: MIT */
/* Databases of the first version do not say what kinds of media a directory has, nor whom albums
 * are by; repaired ones count files that were lost. Their rows are counted and stored anew, in the
 * background, in commits of bounded size; what cuts that short is made up for at the next opening.
 */
#pragma once

#include "library/apply.h"

struct upgrade {
	uint64_t directory, term, album; /* how far it came */
};

/** Whether there is something to do. O(log n). */
bool upgrade_needed(const struct db_snap *sn);
/** Count everything anew at the next opening: rows are missing after a repair. Writer only. */
NODISCARD enum err upgrade_request(struct db *db);
/** Look at the next rows; apply_rows() then stores what has to be. *out_done: they were the last.
 */
NODISCARD enum err upgrade_step(struct apply *a, struct upgrade *u, bool *out_done);
