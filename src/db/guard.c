/* SPDX-License-Identifier: MIT */
/* SIGBUS on our maps becomes a page of zeros; anywhere else it is what it was before. */
#include "db/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPS_MAX 2048u /* further ones are not guarded */

static struct {
	_Atomic uintptr_t first, last; /* last 0: free */
} maps[MAPS_MAX];
static _Atomic uint32_t maps_n; /* ever used */
static _Atomic uint64_t lost_n;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of changes to maps */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct sigaction before;
static uintptr_t page_bytes;

/* Only what is safe in a signal handler: atomics, and one system call. */
static void on_bus(int signal, siginfo_t *info, void *context)
{
	(void)context;
	int kept = errno;
	uintptr_t at = (uintptr_t)info->si_addr;
	for (uint32_t i = 0; i < atomic_load(&maps_n); i++) {
		uintptr_t last = atomic_load(&maps[i].last);
		if (last == 0 || at < atomic_load(&maps[i].first) || at > last)
			continue;
		void *page = (void *)(at - at % page_bytes);
		if (mmap(page, page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0) == MAP_FAILED)
			break;
		atomic_fetch_add(&lost_n, 1);
		errno = kept;
		return;
	}
	sigaction(signal, &before, NULL); /* the access happens again, and ends as it would have */
	errno = kept;
}

static void install(void)
{
	struct sigaction a = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_RESTART };
	sigemptyset(&a.sa_mask);
	page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigaction(SIGBUS, &a, &before);
}

const uint8_t *guard_map(int fd, size_t bytes)
{
	pthread_once(&once, install);
	void *p = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	pthread_mutex_lock(&lock);
	uint32_t n = atomic_load(&maps_n), i = 0;
	while (i < n && atomic_load(&maps[i].last) != 0)
		i++;
	if (i < MAPS_MAX) {
		atomic_store(&maps[i].first, (uintptr_t)p);
		atomic_store(&maps[i].last, (uintptr_t)p + bytes - 1);
		if (i == n)
			atomic_store(&maps_n, n + 1);
	}
	pthread_mutex_unlock(&lock);
	return p;
}

void guard_unmap(const uint8_t *p, size_t bytes)
{
	if (!p)
		return;
	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < atomic_load(&maps_n); i++)
		if (atomic_load(&maps[i].last) != 0 && atomic_load(&maps[i].first) == (uintptr_t)p)
			atomic_store(&maps[i].last, 0);
	pthread_mutex_unlock(&lock);
	munmap((void *)(uintptr_t)p, bytes);
}

uint64_t guard_lost_n(void)
{
	return atomic_load(&lost_n);
}
