/* SPDX-License-Identifier: MIT */
/* The one parser of the Range header (RFC 9110 14.2). */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct range {
	uint64_t first, last; /* inclusive, last < size */
};

/** `bytes=a-b`, `a-`, `-n`; spaces tolerated. ERR_OK: *out is satisfiable. ERR_RANGE: well-formed
 * but not satisfiable (416). ERR_UNSUPPORTED: several ranges (send the whole, 200). ERR_INVALID:
 * malformed, other unit, last < first (ignore the header, 200). */
NODISCARD enum err range_parse(struct span header, uint64_t size, struct range *out);
