/* SPDX-License-Identifier: MIT */
/* Tags whose bytes were never what their label says: repaired where the evidence is strong. */
#include "probe/helper/legacy.h"

#include "base/utf8.h"

#define LEGACY_MAX_BYTES 1024 /* longer texts are shown cut anyway */

/* The bytes behind the text, or 0 where a character is not Latin-1 or all of it is ASCII. */
static size_t latin1_bytes(struct span utf8, char *out, size_t cap)
{
	size_t n = 0;
	bool any_high = false;

	while (utf8.n > 0) {
		uint32_t c = utf8_next(&utf8);

		if (c > 0xff || n >= cap)
			return 0;
		any_high |= c >= 0x80;
		out[n++] = (char)c;
	}
	return any_high ? n : 0;
}

/* Western words have one or two high letters among many plain ones; in CP1251 every letter is
 * high. A text of at least three high letters that outnumber the plain ones two to one is Cyrillic.
 */
static bool looks_cp1251(struct span bytes)
{
	size_t high_n = 0;
	size_t plain_n = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		uint8_t c = (uint8_t)bytes.p[i];

		high_n += c >= 0xc0 || c == 0xa8 || c == 0xb8;
		plain_n += (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
	}
	return high_n >= 3 && high_n > 2 * plain_n;
}

static uint32_t cp1251_char(uint8_t c)
{
	if (c >= 0xc0)
		return 0x410 + (uint32_t)(c - 0xc0);
	return c == 0xa8 ? 0x401 : c == 0xb8 ? 0x451 : c == 0xb9 ? 0x2116 : c;
}

size_t legacy_repair(struct span utf8, char *out, size_t cap)
{
	char bytes[LEGACY_MAX_BYTES];
	size_t n = latin1_bytes(utf8, bytes, sizeof bytes);
	struct span s = span_of(bytes, n);

	if (n == 0 || cap < 3 * n)
		return 0;
	if (utf8_valid(s)) {
		memcpy(out, bytes, n);
		return n;
	}
	if (!looks_cp1251(s))
		return 0;
	struct buf b = { .p = out, .cap = cap, .max = cap };
	for (size_t i = 0; i < n; i++)
		utf8_put(&b, cp1251_char((uint8_t)bytes[i]));
	return b.n;
}
