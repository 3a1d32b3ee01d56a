/* SPDX-License-Identifier: MIT */
/* RssAnon and RssFile from /proc/self/status; warm pages. */
#include "memory.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/thread.h"
#include "engine.h"
#include "proc.h"

#define SAMPLE_MS 3
#define PAGE_BYTES 4096u
#define CANARY_BYTES (32u << 20)

static struct {
	struct thread thread;
	struct mutex m;
	struct cond stop;
	bool stopping;		 /* under m */
	struct memory_peak peak; /* under m */
	uint64_t base_bytes;
} watch;

static uint64_t status_bytes(const char *name)
{
	return proc_number("/proc/self/status", name) << 10;
}

static void sample(void)
{
	uint64_t anon = status_bytes("RssAnon:");
	uint64_t file = status_bytes("RssFile:");
	mutex_lock(&watch.m);
	watch.peak.anon_bytes = MAX(watch.peak.anon_bytes, anon - MIN(anon, watch.base_bytes));
	watch.peak.file_bytes = MAX(watch.peak.file_bytes, file);
	mutex_unlock(&watch.m);
}

static void watch_main(void *arg)
{
	(void)arg;
	bool stopping = false;
	while (!stopping) {
		sample();
		mutex_lock(&watch.m);
		if (!watch.stopping)
			(void)cond_wait_until(&watch.stop, &watch.m, clock_now_ms() + SAMPLE_MS);
		stopping = watch.stopping;
		mutex_unlock(&watch.m);
	}
}

void memory_watch_begin(void)
{
	mutex_init(&watch.m);
	cond_init(&watch.stop);
	if (thread_start(&watch.thread, "memory", watch_main, NULL) != ERR_OK)
		bench_fail("memory", "cannot start the thread that watches it");
	watch.base_bytes = status_bytes("RssAnon:");
}

void memory_phase_begin(void)
{
	mutex_lock(&watch.m);
	watch.peak = (struct memory_peak){ 0 };
	mutex_unlock(&watch.m);
	sample();
}

struct memory_peak memory_phase_end(void)
{
	sample();
	mutex_lock(&watch.m);
	struct memory_peak peak = watch.peak;
	mutex_unlock(&watch.m);
	return peak;
}

void memory_watch_end(void)
{
	mutex_lock(&watch.m);
	watch.stopping = true;
	cond_signal(&watch.stop);
	mutex_unlock(&watch.m);
	thread_join(&watch.thread);
}

/* Nanoseconds to touch every page of `bytes` fresh ones. */
static uint64_t touch_ns(uint64_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		bench_fail("memory", "none to touch");
	(void)madvise(p, bytes, MADV_NOHUGEPAGE);
	uint64_t start = clock_now_ns();
	for (uint64_t i = 0; i < bytes; i += PAGE_BYTES)
		p[i] = 1;
	uint64_t ns = clock_now_ns() - start;
	munmap(p, bytes);
	return ns;
}

void memory_warm(uint64_t bytes)
{
	bytes = MIN(bytes, (proc_number("/proc/meminfo", "MemAvailable:") << 10) / 2);
	if (bytes)
		touch_ns(bytes);
}

double memory_canary_us(void)
{
	return (double)touch_ns(CANARY_BYTES) / (CANARY_BYTES / PAGE_BYTES) / 1e3;
}
