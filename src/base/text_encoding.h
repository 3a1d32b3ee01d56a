/* SPDX-License-Identifier: MIT */
/* Text that does not say how it is encoded, or says it wrongly: old tags, subtitles, playlists. */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum text_encoding {
	TEXT_AUTO, /* text_encoding_guess() */
	TEXT_LATIN1,
	TEXT_UTF8,
	TEXT_UTF16LE,
	TEXT_UTF16BE,
	TEXT_CP1250,
	TEXT_CP1251,
	TEXT_CP1253,
	TEXT_CP1254,
	TEXT_CP1255,
	TEXT_CP1256,
	TEXT_CP1257,
	TEXT_CP874,
	TEXT_KOI8_R,
	TEXT_SHIFT_JIS,
	TEXT_EUC_JP,
	TEXT_EUC_KR,
	TEXT_GBK,
	TEXT_BIG5,
	TEXT_ENCODING_N
};

/** "auto", "latin1", "cp1251", "shift-jis", ...: what people write in the configuration.
 * ERR_INVALID, and *out as it was, where it is none of text_encoding_names. */
NODISCARD enum err text_encoding_parse(struct span name, enum text_encoding *out);
const char *text_encoding_name(enum text_encoding encoding);
/** All of them, for a message. */
extern const char text_encoding_names[];

/** What these bytes are, where the evidence is strong: UTF-8, UTF-16 (by its mark), Shift-JIS,
 * Cyrillic (CP1251, KOI8-R), Greek; else TEXT_LATIN1. It looks at how high bytes and plain letters
 * share words, so that Western names stay what they are. GBK, Big5 and EUC-KR use the same bytes as
 * each other: they are never guessed. O(n). */
enum text_encoding text_encoding_guess(struct span bytes);
/** Could they be that? False where plain and high letters share a word, as in Western languages,
 * and the encoding is of another script; for encodings of Latin letters where signs stand between
 * the letters, as in GBK. TEXT_AUTO never suits. O(n). */
bool text_encoding_suits(enum text_encoding encoding, struct span bytes);
/** What to take them for where `wanted` is configured: TEXT_AUTO guesses, and for another one they
 * are UTF-8 or UTF-16 beyond doubt, or `wanted` where it suits, or Latin-1. O(n). */
enum text_encoding text_encoding_choose(enum text_encoding wanted, struct span bytes);

/** At most `cap` bytes of UTF-8 into `out`, no mark at the start; 3 * bytes.n always suffice.
 * Latin-1 is read as CP1252, which has letters and quotes where Latin-1 has nothing to show.
 * Errors: ERR_INVALID (not in this encoding), ERR_RANGE (no room), ERR_UNSUPPORTED (this system
 * does not know the encoding). Threads: any. */
NODISCARD enum err text_encoding_to_utf8(enum text_encoding encoding, struct span bytes, char *out,
					 size_t cap, size_t *out_n);
/** The way back: UTF-8 as bytes of that encoding, 4 * utf8.n + 4 of which always suffice. Errors:
 * the same; ERR_INVALID also where it lacks a character. */
NODISCARD enum err text_encoding_from_utf8(enum text_encoding encoding, struct span utf8, char *out,
					   size_t cap, size_t *out_n);
