/* SPDX-License-Identifier: MIT */
/* Tags whose bytes were never what their label says. */
#include "probe/helper/legacy.h"

#include "base/utf8.h"

struct latin1 {
	char bytes[LEGACY_MAX_BYTES];
	size_t n;
	bool any_high;
	bool any_control; /* 0x80 to 0x9f: nothing that Latin-1 could mean */
};

/* The bytes behind the text; false where a character is not Latin-1 or there are too many. */
static bool take_bytes(struct span utf8, struct latin1 *out)
{
	out->n = 0;
	out->any_high = out->any_control = false;
	while (utf8.n > 0) {
		uint32_t c = utf8_next(&utf8);

		if (c > 0xff || out->n >= sizeof out->bytes)
			return false;
		out->any_high |= c >= 0x80;
		out->any_control |= c >= 0x80 && c < 0xa0;
		out->bytes[out->n++] = (char)c;
	}
	return true;
}

size_t legacy_repair(struct span utf8, enum text_encoding encoding, char *out, size_t cap)
{
	struct latin1 l;
	size_t n = 0;

	if (!take_bytes(utf8, &l) || !l.any_high)
		return 0;
	struct span s = span_of(l.bytes, l.n);
	enum text_encoding e = text_encoding_choose(encoding, s);
	if (e == TEXT_UTF16LE || e == TEXT_UTF16BE) /* a mark is never in the middle of a tag */
		e = TEXT_LATIN1;
	if (e != TEXT_LATIN1 && text_encoding_to_utf8(e, s, out, cap, &n) == ERR_OK)
		return n;
	return l.any_control && text_encoding_to_utf8(TEXT_LATIN1, s, out, cap, &n) == ERR_OK ? n
											      : 0;
}
