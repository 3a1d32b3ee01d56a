/* SPDX-License-Identifier: MIT */
/* A growable byte buffer with a hard maximum: how everything is built.
 * Errors stick: after the first failed append every later one is ignored and buf_err() tells. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
	size_t max;   /* never grows beyond this */
	enum err err; /* ERR_OK, ERR_NOMEM or ERR_LIMIT */
};

/** An empty buffer that may grow to `max_bytes`. Allocates nothing. */
void buf_init(struct buf *b, size_t max_bytes);
/** Frees the bytes; b may be reused after buf_init(). NULL is fine. */
void buf_fini(struct buf *b);
/** Forget the content and the error, keep the memory. */
void buf_clear(struct buf *b);

/** The general case of buf_add(): room has to be made. */
void buf_add_slow(struct buf *b, struct span s);

/* Inline, because replies are built from very many short pieces. cap may be max + 1 (the NUL of
 * buf_cstr()), so the maximum is compared as well. */
static inline void buf_add(struct buf *b, struct span s)
{
	if (LIKELY(b->err == ERR_OK && s.n < b->cap - b->n && s.n <= b->max - b->n && s.n > 0)) {
		memcpy(b->p + b->n, s.p, s.n);
		b->n += s.n;
	} else {
		buf_add_slow(b, s);
	}
}

static inline void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, span_str(s));
}

static inline void buf_add_char(struct buf *b, char c)
{
	buf_add(b, span_of(&c, 1));
}

void buf_add_u64(struct buf *b, uint64_t v);
PRINTF_LIKE(2, 3) void buf_addf(struct buf *b, const char *fmt, ...);

/** Room for `n` more bytes at the end, or NULL; the caller writes there and adds to b->n. */
char *buf_room(struct buf *b, size_t n);

static inline enum err buf_err(const struct buf *b)
{
	return b->err;
}

static inline struct span buf_span(const struct buf *b)
{
	return (struct span){ b->p, b->n };
}

/** NUL-terminated view (the NUL is not counted), or "" after an error. */
const char *buf_cstr(struct buf *b);
/** Hands the bytes over (free() them) and empties the buffer. NULL where it is empty. */
char *buf_take(struct buf *b, size_t *out_n);
