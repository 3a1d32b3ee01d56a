/* SPDX-License-Identifier: MIT */
/* Old character sets by iconv, and guessing them. */
#include "base/charset.h"

#include <iconv.h>

#include "base/utf8.h"

#define BYTES_PER_BYTE 4 /* at most, either way */

static const char *const names[CHARSETS_N] = { "UTF-8", "CP1252", "CP1251", "CP932" };

void charsets_fini(struct charsets *c)
{
	for (size_t i = 0; i < CHARSETS_N; i++) {
		if (c->of[i].to)
			iconv_close(c->of[i].to);
		if (c->of[i].from)
			iconv_close(c->of[i].from);
	}
	*c = (struct charsets){ 0 };
}

/* NULL: there is none. */
static iconv_t converter(void **slot, bool *none, const char *to, const char *from)
{
	if (!*slot && !*none) {
		iconv_t cd = iconv_open(to, from);

		*none = cd == (iconv_t)-1;
		*slot = *none ? NULL : cd;
	}
	return *slot;
}

static bool convert(iconv_t cd, struct span bytes, struct buf *out)
{
	char *room = bytes.n < SIZE_MAX / BYTES_PER_BYTE
			     ? buf_room(out, bytes.n * BYTES_PER_BYTE + 1)
			     : NULL;
	char *in = (char *)bytes.p, *end = room; /* iconv() does not write to it */
	size_t in_left = bytes.n, out_left = bytes.n * BYTES_PER_BYTE + 1;

	if (!room)
		return false;
	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &in, &in_left, &end, &out_left) == (size_t)-1 || in_left > 0)
		return false;
	out->n += (size_t)(end - room);
	return true;
}

static bool add_valid(struct span s, struct buf *out)
{
	if (!utf8_valid(s))
		return false;
	buf_add(out, s);
	return buf_err(out) == ERR_OK;
}

bool charset_decode(struct charsets *c, enum charset set, struct span bytes, struct buf *out)
{
	if (set == CHARSET_UTF8)
		return add_valid(bytes, out);
	iconv_t cd = converter(&c->of[set].from, &c->of[set].no_from, "UTF-8", names[set]);
	return cd && convert(cd, bytes, out);
}

bool charset_encode(struct charsets *c, enum charset set, struct span utf8, struct buf *out)
{
	if (set == CHARSET_UTF8)
		return add_valid(utf8, out);
	iconv_t cd = converter(&c->of[set].to, &c->of[set].no_to, names[set], "UTF-8");
	return cd && convert(cd, utf8, out);
}

struct shape {
	size_t high_n;	 /* 0x80 and above */
	size_t early_n;	 /* 0x80 to 0x9F: first bytes in Shift-JIS, signs elsewhere */
	size_t letter_n; /* 0xC0 and above: letters in CP1251 and CP1252 */
	size_t plain_n;	 /* ASCII letters */
};

static struct shape shape_of(struct span bytes)
{
	struct shape s = { 0 };

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char b = (unsigned char)bytes.p[i];

		s.high_n += b >= 0x80;
		s.early_n += b >= 0x80 && b < 0xa0;
		s.letter_n += b >= 0xc0 || b == 0xa8 || b == 0xb8;
		s.plain_n += (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z');
	}
	return s;
}

static bool decodes(struct charsets *c, enum charset set, struct span bytes)
{
	struct buf scratch;

	buf_init(&scratch, bytes.n * BYTES_PER_BYTE + 1);
	bool ok = charset_decode(c, set, bytes, &scratch);
	buf_fini(&scratch);
	return ok;
}

/* Every second byte of Japanese is the first of a character, and most of these are signs elsewhere.
 * Western words have one or two high letters among many plain ones, in Cyrillic all are high. */
enum charset charset_guess(struct charsets *c, struct span bytes)
{
	struct shape s = shape_of(bytes);

	if (utf8_valid(bytes))
		return CHARSET_UTF8;
	if (s.early_n >= 2 && 4 * s.early_n >= s.high_n && decodes(c, CHARSET_SHIFT_JIS, bytes))
		return CHARSET_SHIFT_JIS;
	if (s.letter_n >= 3 && s.letter_n > s.plain_n / 2 && decodes(c, CHARSET_CP1251, bytes))
		return CHARSET_CP1251;
	return CHARSET_CP1252;
}

static uint32_t unit(const unsigned char *p, bool big_endian)
{
	return big_endian ? (uint32_t)(p[0] << 8 | p[1]) : (uint32_t)(p[1] << 8 | p[0]);
}

void charset_add_utf16(struct buf *out, struct span bytes, bool big_endian)
{
	const unsigned char *p = (const unsigned char *)bytes.p;

	for (size_t i = 0; i + 1 < bytes.n; i += 2) {
		uint32_t high = unit(p + i, big_endian);
		uint32_t low = i + 3 < bytes.n ? unit(p + i + 2, big_endian) : 0;

		if (high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
			high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		}
		utf8_put(out, high >= 0xd800 && high < 0xe000 ? 0xfffd : high);
	}
	if (bytes.n % 2)
		utf8_put(out, 0xfffd);
}
