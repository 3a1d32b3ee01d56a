/* SPDX-License-Identifier: MIT */
/* Texts and file names from before UTF-8: what their bytes say in the character sets that were
 * common. The tables are the C library's (iconv); where it lacks one, nothing is of that set. */
#pragma once

#include "base/buf.h"

enum charset { CHARSET_UTF8, CHARSET_CP1252, CHARSET_CP1251, CHARSET_SHIFT_JIS, CHARSETS_N };

/** Converters, opened at first use. Zeroed: none. Threads: one at a time. */
struct charsets {
	struct {
		void *to, *from; /* UTF-8 */
		bool no_to, no_from;
	} of[CHARSETS_N];
};

void charsets_fini(struct charsets *c);
/** Append `bytes` of that set as UTF-8. False where they are not of it; `out` is then as it was. */
bool charset_decode(struct charsets *c, enum charset set, struct span bytes, struct buf *out);
/** Append `utf8` as bytes of that set. False where it has no such character. */
bool charset_encode(struct charsets *c, enum charset set, struct span utf8, struct buf *out);
/** The set that the bytes look most like: UTF-8 where they are valid UTF-8. Never sure. O(n). */
enum charset charset_guess(struct charsets *c, struct span bytes);
/** Append UTF-16, without its byte order mark; what is no character becomes U+FFFD. */
void charset_add_utf16(struct buf *out, struct span bytes, bool big_endian);
