/* SPDX-License-Identifier: MIT */
/* Large pieces of private memory, for what is big and short-lived: a batch, the tables of a commit,
 * the buffers of a merge. They are maps of their own, so that none of it stays in a heap that grew
 * for one import; and a few that were just given back are kept, because the next commit needs the
 * same again and every fresh page costs a fault. Small pieces are malloc()'s.
 *
 * Who frees says how many bytes there are. Threads: any, for all of it. */
#pragma once

#include <stddef.h>

#define BLOCKS_FROM_BYTES 65536u      /* smaller ones are malloc()'s */
#define BLOCKS_KEPT_MAX (1024u << 10) /* bytes that wait to be used again */

/** Not zeroed; NULL: no memory. */
void *blocks_alloc(size_t n);
/** Zeroed. */
void *blocks_alloc_zeroed(size_t n);
/** The block with room for `n` bytes, perhaps elsewhere; NULL: no memory, and it is as it was. A
 * large one moves without being copied. */
void *blocks_resize(void *p, size_t old_n, size_t n);
void blocks_free(void *p, size_t n); /* NULL is fine */
/** Give the system what is kept, here and in malloc()'s heap: there is nothing to do for a while,
 * or something else. */
void blocks_trim(void);
/** Give the system what malloc()'s heap keeps. Threads: any. */
void blocks_trim_heap(void);
/** What malloc() keeps of what was freed: for the start of a program. Two arenas are enough for a
 * few threads; more only keep freed memory (measured: 8 arenas hold some 4 MiB after a scan). */
void blocks_limit_heap(void);
/** Bytes that are kept. */
size_t blocks_kept(void);
