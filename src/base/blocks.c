/* SPDX-License-Identifier: MIT */
/* Maps that were given back wait in a short list for the next who needs as much or less. */
#include "base/blocks.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/attr.h"
#include "base/thread.h"
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define KEPT_N 32u
/* Sizes in steps, so that what is given back fits the next. */
#define STEP_BYTES 16384u

static struct {
	struct mutex m;
	struct kept {
		char *p;
		size_t bytes;
	} list[KEPT_N];
	unsigned n;
	size_t bytes;
} kept = { .m = MUTEX_INIT };

static size_t map_bytes(size_t n)
{
	return n > SIZE_MAX - STEP_BYTES ? SIZE_MAX
					 : (n + STEP_BYTES - 1) & ~(size_t)(STEP_BYTES - 1);
}

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* The smallest one that is large enough; what it has too much goes. */
static char *kept_take(size_t bytes)
{
	unsigned best = KEPT_N;
	mutex_lock(&kept.m);
	for (unsigned i = 0; i < kept.n; i++)
		if (kept.list[i].bytes >= bytes &&
		    (best == KEPT_N || kept.list[i].bytes < kept.list[best].bytes))
			best = i;
	struct kept found = { NULL, 0 };
	if (best < KEPT_N) {
		found = kept.list[best];
		kept.list[best] = kept.list[--kept.n];
		kept.bytes -= found.bytes;
	}
	mutex_unlock(&kept.m);
	if (!found.p)
		return NULL;
	ASAN_UNPOISON_MEMORY_REGION(found.p, found.bytes);
	if (found.bytes > bytes)
		munmap(found.p + bytes, found.bytes - bytes);
	return found.p;
}

static bool kept_give(char *p, size_t bytes)
{
	mutex_lock(&kept.m);
	bool room = kept.n < KEPT_N && bytes <= BLOCKS_KEPT_MAX - kept.bytes;
	if (room) {
		ASAN_POISON_MEMORY_REGION(p, bytes);
		kept.list[kept.n++] = (struct kept){ p, bytes };
		kept.bytes += bytes;
	}
	mutex_unlock(&kept.m);
	return room;
}

void *blocks_alloc(size_t n)
{
	if (n < BLOCKS_FROM_BYTES)
		return malloc(n ? n : 1);
	size_t bytes = map_bytes(n);
	void *p = kept_take(bytes);
	return p ? p : map(bytes);
}

void *blocks_alloc_zeroed(size_t n)
{
	if (n < BLOCKS_FROM_BYTES)
		return calloc(1, n ? n : 1);
	size_t bytes = map_bytes(n);
	void *p = kept_take(bytes);
	return p ? memset(p, 0, n) : map(bytes);
}

void *blocks_resize(void *p, size_t old_n, size_t n)
{
	if (p && old_n >= BLOCKS_FROM_BYTES && n >= BLOCKS_FROM_BYTES) {
		void *moved = map_bytes(old_n) == map_bytes(n)
				      ? p
				      : mremap(p, map_bytes(old_n), map_bytes(n), MREMAP_MAYMOVE);
		return moved == MAP_FAILED ? NULL : moved;
	}
	if (old_n < BLOCKS_FROM_BYTES && n < BLOCKS_FROM_BYTES)
		return realloc(p, n ? n : 1);
	void *fresh = blocks_alloc(n);
	if (fresh && p) {
		memcpy(fresh, p, MIN(old_n, n));
		blocks_free(p, old_n);
	}
	return fresh;
}

void blocks_free(void *p, size_t n)
{
	if (!p)
		return;
	if (n < BLOCKS_FROM_BYTES)
		free(p);
	else if (!kept_give(p, map_bytes(n)))
		munmap(p, map_bytes(n));
}

void blocks_trim(void)
{
	mutex_lock(&kept.m);
	for (unsigned i = 0; i < kept.n; i++) {
		ASAN_UNPOISON_MEMORY_REGION(kept.list[i].p, kept.list[i].bytes);
		munmap(kept.list[i].p, kept.list[i].bytes);
	}
	kept.n = 0;
	kept.bytes = 0;
	mutex_unlock(&kept.m);
	blocks_trim_heap();
}

/* One at a time: two would do the same work, and the glibc below a sanitizer's own malloc() is
 * first set up here, which only one thread may do. */
void blocks_trim_heap(void)
{
	static struct mutex one = MUTEX_INIT;

	mutex_lock(&one);
	malloc_trim(0);
	mutex_unlock(&one);
}

void blocks_limit_heap(void)
{
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, 128 << 10);
}

size_t blocks_kept(void)
{
	mutex_lock(&kept.m);
	size_t bytes = kept.bytes;
	mutex_unlock(&kept.m);
	return bytes;
}
