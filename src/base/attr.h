/* SPDX-License-Identifier: MIT */
/* Attributes and small macros that every file uses. */
#pragma once

#include <stddef.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define NORETURN __attribute__((noreturn))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/** Runs `fn(&variable)` when the variable leaves scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/** Hands a pointer over: yields its value and leaves NULL behind, so that CLEANUP() frees nothing.
 */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) take_value_ = (p);                                                   \
		(p) = NULL;                                                                        \
		take_value_;                                                                       \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/** Our own bugs only, never input; stays in release builds. */
#define ASSERT(cond)                                                                               \
	do {                                                                                       \
		if (UNLIKELY(!(cond)))                                                             \
			assert_failed(__FILE__, __LINE__, #cond);                                  \
	} while (0)

NORETURN void assert_failed(const char *file, int line, const char *what);
