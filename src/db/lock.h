/* SPDX-License-Identifier: MIT */
/* One process writes to a database: the lock that says so. */
#pragma once

#include "base/err.h"

/** Take the lock of the database directory `dir`, open as dir_fd: an open-file-description lock,
 * which ends with the descriptor, also after kill -9, and does not fall when another descriptor of
 * the file is closed. Errors: ERR_BUSY (info says who has it), ERR_ACCESS, ERR_IO. */
NODISCARD enum err lock_take(int dir_fd, const char *dir, int *out_fd, struct err_info *info);
