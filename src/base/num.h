/* SPDX-License-Identifier: MIT */
/* Numbers: strict parsing, little-endian loads and stores, alignment. */
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/span.h"

/** Decimal digits only (no sign, no space, no empty span). ERR_INVALID, or ERR_RANGE. */
NODISCARD enum err num_parse_u64(struct span s, uint64_t min, uint64_t max, uint64_t *out);
/** The same with an optional leading '-'. */
NODISCARD enum err num_parse_i64(struct span s, int64_t min, int64_t max, int64_t *out);

static inline uint16_t num_le16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t num_le32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t num_le64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t num_align_up(uint64_t v, uint64_t power_of_two)
{
	return (v + power_of_two - 1) & ~(power_of_two - 1);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the store is little-endian");
_Static_assert(sizeof(void *) == 8, "the store needs a 64-bit machine");
