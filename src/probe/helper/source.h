/* SPDX-License-Identifier: MIT */
/* The file under probe: an open descriptor that was handed to us; read with pread() only. */
#pragma once

#include "base/err.h"
#include "base/sniff.h"
#include "base/span.h"

#define SOURCE_HEAD_BYTES SNIFF_HEAD_BYTES

struct source {
	int fd;		      /* borrowed */
	const uint8_t *bytes; /* instead of fd: a picture that was inside a file; borrowed */
	uint64_t size;
	size_t head_n;
	uint8_t head[SOURCE_HEAD_BYTES]; /* the first bytes, read once */
};

/** Take `fd` (borrowed) and read its head.
 * Errors: ERR_INVALID (not a regular file), ERR_IO, ERR_ACCESS ... (of the first read). */
NODISCARD enum err source_init(struct source *s, int fd);
/** The same for what is in memory already. Lifetime: borrows `bytes`. */
void source_init_bytes(struct source *s, struct span bytes);
/** Up to n bytes at `off`: how many there were, 0 at the end or on an error. */
size_t source_read(const struct source *s, uint64_t off, void *p, size_t n);

/* Big-endian and little-endian loads, for formats that were born elsewhere. */
static inline uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t be32(const uint8_t *p)
{
	return be16(p) << 16 | be16(p + 2);
}

static inline uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}
