/* SPDX-License-Identifier: MIT */
/* The index files of a closed store of ours. */
#pragma once

/** Removes them: the next opening makes them again from the log. */
void run_files_remove(const char *dir);
