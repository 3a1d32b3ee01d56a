/* SPDX-License-Identifier: MIT */
/* Whether the records agree with each other (db_check() says whether the bytes are sound). */
#pragma once

#include "db/db.h"

/** ERR_OK, or ERR_CORRUPT after `report` got a sentence per finding. Linear; memory bounded. */
NODISCARD enum err check_records(const struct db *db, const struct db_snap *sn,
				 void (*report)(void *ctx, const char *line), void *ctx);
