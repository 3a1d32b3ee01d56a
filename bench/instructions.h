/* SPDX-License-Identifier: MIT */
/* Marks for callgrind: what of the program is counted, and as what. Nothing where valgrind's header
 * is missing, and close to nothing where the program runs by itself. */
#pragma once

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
/** From here on it counts, from zero. */
#define INSTRUCTIONS_BEGIN                                                                         \
	do {                                                                                       \
		CALLGRIND_START_INSTRUMENTATION;                                                   \
		CALLGRIND_ZERO_STATS;                                                              \
	} while (0)
/** What was counted since is written out under this name. */
#define INSTRUCTIONS_END(name) CALLGRIND_DUMP_STATS_AT(name)
/** Off where it is on, and on again: for this thread. */
#define INSTRUCTIONS_TOGGLE CALLGRIND_TOGGLE_COLLECT
#else
#define INSTRUCTIONS_BEGIN (void)0
#define INSTRUCTIONS_END(name) (void)(name)
#define INSTRUCTIONS_TOGGLE (void)0
#endif
