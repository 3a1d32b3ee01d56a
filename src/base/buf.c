/* SPDX-License-Identifier: MIT */
/* The growable buffer: the slow path of buf_add(), formatting, handing over. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BYTES 256

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_fini(struct buf *b)
{
	if (!b)
		return;
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->err = ERR_OK;
}

/* Capacity for `want` bytes, by doubling, so that appending is O(1) on average. */
static bool grow(struct buf *b, size_t want)
{
	size_t cap = b->cap ? b->cap : FIRST_BYTES;

	while (cap < want)
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	/* One byte above the maximum: the NUL of buf_cstr() is not content. */
	if (b->max < SIZE_MAX && cap > b->max + 1)
		cap = MAX(want, b->max + 1);
	char *p = realloc(b->p, cap);
	if (!p) {
		b->err = ERR_NOMEM;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

char *buf_room(struct buf *b, size_t n)
{
	if (b->err != ERR_OK)
		return NULL;
	if (n > b->max || b->n > b->max - n) {
		b->err = ERR_LIMIT;
		return NULL;
	}
	if ((!b->p || n > b->cap - b->n) && !grow(b, b->n + n))
		return NULL;
	return b->p + b->n;
}

void buf_add_slow(struct buf *b, struct span s)
{
	char *to = s.n ? buf_room(b, s.n) : NULL;

	if (!to)
		return;
	memcpy(to, s.p, s.n);
	b->n += s.n;
}

void buf_add_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_add(b, span_of(digits + at, sizeof digits - at));
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(small, sizeof small, fmt, args);
	va_end(args);
	if (n < 0) {
		if (b->err == ERR_OK)
			b->err = ERR_LIMIT;
		return;
	}
	if ((size_t)n < sizeof small) {
		buf_add(b, span_of(small, (size_t)n));
		return;
	}
	/* vsnprintf() ends with a NUL that is not content: it needs room, yet not of b->max. */
	if (!buf_room(b, (size_t)n) ||
	    (b->cap - b->n <= (size_t)n && !grow(b, b->n + (size_t)n + 1)))
		return;
	va_start(args, fmt);
	(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, args);
	va_end(args);
	b->n += (size_t)n;
}

const char *buf_cstr(struct buf *b)
{
	if (b->err != ERR_OK || ((!b->p || b->n == b->cap) && !grow(b, b->n + 1)))
		return "";
	b->p[b->n] = '\0';
	return b->p;
}

char *buf_take(struct buf *b, size_t *out_n)
{
	char *p = b->n ? b->p : NULL;

	*out_n = b->n;
	if (!p)
		free(b->p);
	*b = (struct buf){ .max = b->max };
	return p;
}
