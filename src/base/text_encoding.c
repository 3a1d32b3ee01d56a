/* SPDX-License-Identifier: MIT */
/* Text that does not say how it is encoded, or says it wrongly. */
#include "base/text_encoding.h"

#include <errno.h>
#include <iconv.h>

#include "base/utf8.h"

enum script { LATIN, OTHER, WIDE };

/* `name`: for people; `iconv`: libc's; both in the order of the enum. */
static const struct {
	const char *name, *iconv;
	enum script script;
} encodings[TEXT_ENCODING_N] = {
	[TEXT_AUTO] = { "auto", NULL, LATIN },
	[TEXT_LATIN1] = { "latin1", "CP1252", LATIN },
	[TEXT_UTF8] = { "utf-8", "UTF-8", WIDE },
	[TEXT_UTF16LE] = { "utf-16le", "UTF-16LE", WIDE },
	[TEXT_UTF16BE] = { "utf-16be", "UTF-16BE", WIDE },
	[TEXT_CP1250] = { "cp1250", "CP1250", LATIN },
	[TEXT_CP1251] = { "cp1251", "CP1251", OTHER },
	[TEXT_CP1253] = { "cp1253", "CP1253", OTHER },
	[TEXT_CP1254] = { "cp1254", "CP1254", LATIN },
	[TEXT_CP1255] = { "cp1255", "CP1255", OTHER },
	[TEXT_CP1256] = { "cp1256", "CP1256", OTHER },
	[TEXT_CP1257] = { "cp1257", "CP1257", LATIN },
	[TEXT_CP874] = { "cp874", "CP874", OTHER },
	[TEXT_KOI8_R] = { "koi8-r", "KOI8-R", OTHER },
	[TEXT_SHIFT_JIS] = { "shift-jis", "CP932", WIDE },
	[TEXT_EUC_JP] = { "euc-jp", "EUC-JP-MS", WIDE },
	[TEXT_EUC_KR] = { "euc-kr", "UHC", WIDE },
	[TEXT_GBK] = { "gbk", "GBK", WIDE },
	[TEXT_BIG5] = { "big5", "BIG5", WIDE },
};

const char text_encoding_names[] = "\"auto\", \"latin1\", \"cp1250\", \"cp1251\", \"cp1253\", "
				   "\"cp1254\", \"cp1255\", \"cp1256\", "
				   "\"cp1257\", \"cp874\", \"koi8-r\", \"shift-jis\", \"euc-jp\", "
				   "\"euc-kr\", \"gbk\" or \"big5\"";

enum err text_encoding_parse(struct span name, enum text_encoding *out)
{
	for (size_t i = 0; i < TEXT_ENCODING_N; i++) {
		bool of_files_only = i == TEXT_UTF8 || i == TEXT_UTF16LE || i == TEXT_UTF16BE;

		if (of_files_only || !span_eq_nocase(name, span_str(encodings[i].name)))
			continue;
		*out = (enum text_encoding)i;
		return ERR_OK;
	}
	return ERR_INVALID;
}

const char *text_encoding_name(enum text_encoding encoding)
{
	return encodings[encoding].name;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* How the words of a text are made. */
struct words {
	size_t mixed_n;	   /* plain and high letters together: Western */
	size_t inner_n;	   /* signs between two high letters: GBK, Big5 or EUC-KR */
	size_t high_n;	   /* of two letters or more, all of them high */
	size_t letters_n;  /* ... and their letters */
	bool foreign;	   /* ... with one that Nordic and German words do not consist of */
	size_t cyrillic_n; /* a capital, small letters: as CP1251 has them */
	size_t koi8_n;	   /* the same as KOI8-R has them: just the other way round */
	size_t greek_n;	   /* an accented vowel of CP1253 behind a small letter */
};

static bool is_plain(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Letters of CP1251 below 0xc0 are those of Ukrainian and Belarusian, and yo. */
static bool is_high(uint8_t c)
{
	return c >= 0xc0 || c == 0xa8 || c == 0xb8 || c == 0xb2 || c == 0xb3 || c == 0xaf ||
	       c == 0xbf || c == 0xaa || c == 0xba || c == 0xa5 || c == 0xb4;
}

/* A-umlaut, A-ring, AE, O-umlaut, O-slash, U-umlaut: they do stand together in Western names. */
static bool is_nordic(uint8_t c)
{
	static const char letters[] = "\xc4\xc5\xc6\xd6\xd8\xdc\xe4\xe5\xe6\xf6\xf8\xfc";

	return memchr(letters, c, sizeof letters - 1) != NULL;
}

static bool all_in(const uint8_t *p, size_t n, uint8_t from, uint8_t to)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < from || p[i] > to)
			return false;
	return true;
}

static void add_high_word(struct words *w, const uint8_t *p, size_t n)
{
	bool accent = false;

	w->high_n++;
	w->letters_n += n;
	for (size_t i = 0; i < n; i++) {
		w->foreign |= !is_nordic(p[i]);
		accent |= i > 0 && p[i - 1] >= 0xe0 && p[i] >= 0xdc && p[i] <= 0xdf;
	}
	w->cyrillic_n += p[0] >= 0xc0 && p[0] <= 0xdf && all_in(p + 1, n - 1, 0xe0, 0xff);
	w->koi8_n += n > 2 && p[0] >= 0xe0 && all_in(p + 1, n - 1, 0xc0, 0xdf);
	w->greek_n += accent && all_in(p + 1, n - 1, 0xdc, 0xfe);
}

static struct words count_words(struct span s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	struct words w = { 0 };

	for (size_t i = 0; i < s.n;) {
		size_t start = i;
		size_t high_n = 0;

		for (; i < s.n && (is_plain(p[i]) || is_high(p[i])); i++)
			high_n += is_high(p[i]);
		if (high_n > 0 && high_n < i - start)
			w.mixed_n++;
		else if (high_n > 1)
			add_high_word(&w, p + start, high_n);
		if (i == start)
			i++;
		else if (i + 1 < s.n && p[i] >= 0x80 && is_high(p[i - 1]) && is_high(p[i + 1]))
			w.inner_n++;
	}
	return w;
}

/* A long text (subtitles) may have a foreign name now and then. */
static bool is_other_script(const struct words *w)
{
	return w->letters_n >= 3 && w->foreign && (w->mixed_n + w->inner_n) * 8 <= w->high_n;
}

/* ---- Shift-JIS ------------------------------------------------------------------------------- */

/* Its first bytes lie where Latin-1 has no letters and CP1252 quotes and dashes; two such
 * characters in a row, kana or common kanji, are no punctuation. */
static bool is_shift_jis(struct span s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	size_t low_n = 0;
	size_t other_n = 0;
	size_t common_n = 0;
	bool row = false;

	for (size_t i = 0, run = 0; i < s.n; i++) {
		uint8_t c = p[i];

		if (c < 0x80) {
			run = 0;
			continue;
		}
		if (c >= 0xa1 && c <= 0xdf) { /* narrow kana */
			other_n++;
			continue;
		}
		uint8_t next = i + 1 < s.n ? p[i + 1] : 0;
		if (c == 0x80 || c == 0xa0 || c > 0xfc || next < 0x40 || next == 0x7f ||
		    next > 0xfc)
			return false;
		i++;
		if (c >= 0xa0) {
			other_n++;
			continue;
		}
		low_n++;
		common_n += c >= 0x88 || (c == 0x82 && next >= 0x9f) ||
			    (c == 0x83 && next <= 0x96) || (c == 0x81 && next == 0x5b);
		row |= ++run >= 2 && common_n >= 2;
	}
	return row && low_n > other_n;
}

/* ---- what it is ------------------------------------------------------------------------------ */

static bool has_high(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] >= 0x80)
			return true;
	return false;
}

enum text_encoding text_encoding_guess(struct span bytes)
{
	if (bytes.n % 2 == 0 && span_starts(bytes, SPAN("\xff\xfe")))
		return TEXT_UTF16LE;
	if (bytes.n % 2 == 0 && span_starts(bytes, SPAN("\xfe\xff")))
		return TEXT_UTF16BE;
	if (utf8_valid(bytes))
		return has_high(bytes) ? TEXT_UTF8 : TEXT_LATIN1;
	if (is_shift_jis(bytes))
		return TEXT_SHIFT_JIS;
	struct words w = count_words(bytes);
	if (!is_other_script(&w))
		return TEXT_LATIN1;
	if (w.koi8_n > w.cyrillic_n)
		return TEXT_KOI8_R;
	return w.greek_n > 0 && w.greek_n * 2 >= w.high_n ? TEXT_CP1253 : TEXT_CP1251;
}

bool text_encoding_suits(enum text_encoding encoding, struct span bytes)
{
	if (encoding == TEXT_AUTO || encodings[encoding].script == WIDE)
		return encoding != TEXT_AUTO;
	struct words w = count_words(bytes);
	return encodings[encoding].script == OTHER ? w.mixed_n * 8 <= w.high_n
						   : w.inner_n * 8 <= w.mixed_n;
}

enum text_encoding text_encoding_choose(enum text_encoding wanted, struct span bytes)
{
	enum text_encoding guess = wanted == TEXT_LATIN1 ? TEXT_LATIN1 : text_encoding_guess(bytes);

	if (wanted == TEXT_AUTO || guess == TEXT_UTF8 || guess == TEXT_UTF16LE ||
	    guess == TEXT_UTF16BE)
		return guess;
	return text_encoding_suits(wanted, bytes) ? wanted : TEXT_LATIN1;
}

/* ---- conversion ------------------------------------------------------------------------------ */

static struct span without_mark(enum text_encoding encoding, struct span s)
{
	bool wide = encoding == TEXT_UTF16LE || encoding == TEXT_UTF16BE;

	if (encoding == TEXT_UTF8 && span_starts(s, SPAN("\xef\xbb\xbf")))
		return span_skip(s, 3);
	return wide && (span_starts(s, SPAN("\xff\xfe")) || span_starts(s, SPAN("\xfe\xff")))
		       ? span_skip(s, 2)
		       : s;
}

static enum err convert(const char *to_name, const char *from_name, struct span from, char *out,
			size_t cap, size_t *out_n)
{
	char *in = (char *)from.p;
	char *to = out;
	size_t left = cap;
	iconv_t converter = iconv_open(to_name, from_name);

	/* iconv_open() fails with a pointer that is none. */
	if (converter == (iconv_t)-1) // NOLINT(performance-no-int-to-ptr)
		return errno == EINVAL ? ERR_UNSUPPORTED : err_from_errno(errno);
	size_t replaced = iconv(converter, &in, &from.n, &to, &left);
	if (replaced !=
	    (size_t)-1) /* and what it kept back: in Hebrew points may follow a letter */
		replaced = iconv(converter, NULL, NULL, &to, &left);
	int os_errno = errno;
	iconv_close(converter);
	if (replaced == (size_t)-1)
		return os_errno == E2BIG ? ERR_RANGE : ERR_INVALID;
	*out_n = cap - left;
	return ERR_OK;
}

enum err text_encoding_to_utf8(enum text_encoding encoding, struct span bytes, char *out,
			       size_t cap, size_t *out_n)
{
	const char *name = encodings[encoding].iconv;

	if (encoding == TEXT_UTF8 && !utf8_valid(bytes)) /* iconv passes more than Unicode has */
		return ERR_INVALID;
	return name ? convert("UTF-8", name, without_mark(encoding, bytes), out, cap, out_n)
		    : ERR_INVALID;
}

enum err text_encoding_from_utf8(enum text_encoding encoding, struct span utf8, char *out,
				 size_t cap, size_t *out_n)
{
	const char *name = encodings[encoding].iconv;

	return name ? convert(name, "UTF-8", utf8, out, cap, out_n) : ERR_INVALID;
}
