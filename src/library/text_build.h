/* SPDX-License-Identifier: MIT */
/* Writing a text column from a snapshot. */
#pragma once

#include <stdatomic.h>

#include "db/db.h"

/** Writes column `number` into the directory: complete, under its name, or nothing. Private memory
 * at most TEXT_BUILD_BYTES_MAX, plus 24 bytes for each 2,048 rows; about 1 us a row. Ends early
 * with ERR_CLOSED when *stop is set. Errors: ERR_NOMEM, ERR_NOSPACE, ERR_IO, ERR_LIMIT (too many
 * rows that fit no section). */
#define TEXT_BUILD_BYTES_MAX (1u << 20)
/* Rows that fit no section: every search has to look at them, besides those that have changed. */
#define TEXT_ODD_MAX 32768u
NODISCARD enum err text_build(int dir_fd, uint64_t number, const struct db_snap *sn,
			      const uint8_t uuid[16], _Atomic bool *stop);
