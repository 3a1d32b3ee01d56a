/* SPDX-License-Identifier: MIT */
/* What the kernel counts of a process. */
#pragma once

#include <stdint.h>

struct proc_io {
	uint64_t asked;	  /* bytes given to write calls */
	uint64_t written; /* bytes of pages made dirty: what goes to the disk at the latest */
};

struct proc_io proc_io(void);
/** The number behind `name` in a small file of /proc; 0 where it is not there. */
uint64_t proc_number(const char *file, const char *name);
