/* SPDX-License-Identifier: MIT */
/* A borrowed run of bytes: how everything is read. Not NUL-terminated, not necessarily text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

/** A span over a string literal. */
#define SPAN(lit) ((struct span){ "" lit, sizeof(lit) - 1 })
/** printf arguments for "%.*s"; log lines use span_quote() instead. */
#define SPAN_ARG(s) (int)((s).n), (s).p

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){ (const char *)p, n };
}

static inline struct span span_str(const char *s)
{
	return (struct span){ s, s ? strlen(s) : 0 };
}

static inline uint32_t span_word32(const char *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t span_word64(const char *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/** The same, for those who compare many: without a call where they have 4 to 32 bytes, of which two
 * or four words that may overlap are all. */
static inline bool span_eq_inline(struct span a, struct span b)
{
	size_t n = a.n;
	if (n != b.n)
		return false;
	if (n < 4 || n > 32)
		return n == 0 || memcmp(a.p, b.p, n) == 0;
	if (n < 8)
		return span_word32(a.p) == span_word32(b.p) &&
		       span_word32(a.p + n - 4) == span_word32(b.p + n - 4);
	uint64_t differ = (span_word64(a.p) ^ span_word64(b.p)) |
			  (span_word64(a.p + n - 8) ^ span_word64(b.p + n - 8));
	if (n > 16)
		differ |= (span_word64(a.p + 8) ^ span_word64(b.p + 8)) |
			  (span_word64(a.p + n - 16) ^ span_word64(b.p + n - 16));
	return differ == 0;
}

/** The first `n` bytes removed; empty where there are fewer. */
static inline struct span span_skip(struct span s, size_t n)
{
	return n >= s.n ? (struct span){ s.p + s.n, 0 } : (struct span){ s.p + n, s.n - n };
}

static inline struct span span_first(struct span s, size_t n)
{
	return (struct span){ s.p, n < s.n ? n : s.n };
}

/** Byte order, shorter first on a tie: <0, 0, >0. */
int span_cmp(struct span a, struct span b);
/** ASCII case ignored. */
bool span_eq_nocase(struct span a, struct span b);
bool span_starts(struct span s, struct span prefix);
bool span_ends(struct span s, struct span suffix);
bool span_starts_nocase(struct span s, struct span prefix);
/** An empty needle is found. */
bool span_contains(struct span s, struct span needle);
/** Spaces, tabs, CR and LF removed at both ends. */
struct span span_trim(struct span s);
/** Index of the first / last `c`, or `s.n` where there is none. */
size_t span_find(struct span s, char c);
size_t span_rfind(struct span s, char c);
/** Cut at the first `sep`: returns the part before it, leaves the rest behind it in *s. */
struct span span_cut(struct span *s, char sep);

/** Copy the bytes to `to`. memcpy() without the call for the short strings that most are: two
 * overlapping halves. */
static inline void span_copy(void *to, struct span s)
{
	char *p = to;
	if (s.n > 32 || s.n < 4) {
		if (s.n)
			memcpy(p, s.p, s.n);
	} else if (s.n >= 16) {
		memcpy(p, s.p, 16);
		memmove(p + s.n - 16, s.p + s.n - 16, 16);
	} else if (s.n >= 8) {
		memcpy(p, s.p, 8);
		memmove(p + s.n - 8, s.p + s.n - 8, 8);
	} else {
		memcpy(p, s.p, 4);
		memmove(p + s.n - 4, s.p + s.n - 4, 4);
	}
}
