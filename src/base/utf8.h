/* SPDX-License-Identifier: MIT */
/* UTF-8: what is valid, and making bytes from outside safe to show. */
#pragma once

#include "base/buf.h"

/** Whole and valid UTF-8 (no surrogates, nothing overlong, nothing above U+10FFFF). */
bool utf8_valid(struct span s);
/** Bytes of the valid character at the start of s; 0 where there is none. */
size_t utf8_char_bytes(struct span s);
/** Decode one character, at least one byte: U+FFFD for each byte that is not valid. s must not be
 * empty. */
uint32_t utf8_next(struct span *s);
/** Append one code point. */
void utf8_put(struct buf *b, uint32_t code_point);
/** Append `s` with every invalid byte replaced by U+FFFD. */
void utf8_add_clean(struct buf *b, struct span s);
