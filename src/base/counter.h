/* SPDX-License-Identifier: MIT */
/* Statistics counters: relaxed atomics, because no other data is ordered by them. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct counter {
	_Atomic uint64_t v;
};

static inline void counter_add(struct counter *c, uint64_t n)
{
	atomic_fetch_add_explicit(&c->v, n, memory_order_relaxed);
}

static inline void counter_set(struct counter *c, uint64_t n)
{
	atomic_store_explicit(&c->v, n, memory_order_relaxed);
}

static inline uint64_t counter_get(const struct counter *c)
{
	return atomic_load_explicit(&c->v, memory_order_relaxed);
}
