/* SPDX-License-Identifier: MIT */
/* The process's memory while phases run: a thread of its own looks every few milliseconds. */
#pragma once

#include <stdint.h>

struct memory_peak {
	uint64_t anon_bytes; /* private: RssAnon over what it was at memory_watch_begin() */
	uint64_t file_bytes; /* mapped files: RssFile, nothing taken off; the kernel may drop it */
};

void memory_watch_begin(void);
/** A new phase: forgets the peak. */
void memory_phase_begin(void);
struct memory_peak memory_phase_end(void);
void memory_watch_end(void);

/** Gets the machine's memory warm: a virtual machine gives free pages back to its host, and the
 * first touch of such a page costs microseconds that are no engine's. Touches and frees `bytes`, at
 * most half of what is free. */
void memory_warm(uint64_t bytes);
/** Microseconds for the first touch of a fresh page, just now: above 2, figures are of the machine
 * rather than of the engine. */
double memory_canary_us(void);
