/* SPDX-License-Identifier: MIT */
/* What a worker gives up before it looks at the first file. */
#pragma once

#include <stdbool.h>

#define SANDBOX_MEMORY_MAX_BYTES (512ull << 20) /* address space */
#define SANDBOX_WRITE_MAX_BYTES (2ull << 20)	/* of one file: a reply is smaller */
#define SANDBOX_CPU_STEP_S 20			/* of CPU time without sandbox_more_cpu() */
#define SANDBOX_FILES_MAX 64			/* open at once: libavformat loads 134 libraries */

/** Limits on memory, CPU and files, no core dump, no new privileges. Always works. */
void sandbox_limit(void);
/** No network, no writing, no new program, no signals to others: seccomp, and Landlock where the
 * kernel has it. `library_dir`: where our own modules lie. False: the system forbids it (said
 * once). */
bool sandbox_lock(const char *library_dir);
/** A file is done: allow SANDBOX_CPU_STEP_S from now on. One system call in most cases. */
void sandbox_more_cpu(void);
/** Try what the sandbox must forbid; prints one line each, returns how many were possible. */
int sandbox_self_test(void);
