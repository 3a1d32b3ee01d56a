/* SPDX-License-Identifier: MIT */
/* Sorting look-ups, so that neighbours in an index are looked for one after the other. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Sort n numbers by their upper 32 bits; what is equal there stays in its order. `scratch` has
 * room for n. O(n). */
void order_sort(uint64_t *v, uint64_t *scratch, size_t n);
