/* SPDX-License-Identifier: MIT */
/* Maps of files that may shrink or fail under us. The kernel reports that with SIGBUS; instead of
 * ending the process, the page that is not there becomes zeros, which nothing takes for sound:
 * every chunk and run has a hash, and accessors that meet zeros find absent fields. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Map `bytes` of a file for reading; NULL: no memory. */
const uint8_t *guard_map(int fd, size_t bytes);
/** NULL is fine. */
void guard_unmap(const uint8_t *p, size_t bytes);
/** Pages lost so far, of all maps: who must not take zeros for content compares before and after.
 * Threads: any. */
uint64_t guard_lost_n(void);
