/* SPDX-License-Identifier: MIT */
/* Marks for callgrind: what of the program is counted. Nothing where valgrind's header is missing,
 * and close to nothing where the program runs by itself. */
#pragma once

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define INSTRUCTIONS_BEGIN CALLGRIND_START_INSTRUMENTATION
#define INSTRUCTIONS_END CALLGRIND_STOP_INSTRUMENTATION
/** Off where it is on, and on again: for this thread. */
#define INSTRUCTIONS_TOGGLE CALLGRIND_TOGGLE_COLLECT
#else
#define INSTRUCTIONS_BEGIN (void)0
#define INSTRUCTIONS_END (void)0
#define INSTRUCTIONS_TOGGLE (void)0
#endif
