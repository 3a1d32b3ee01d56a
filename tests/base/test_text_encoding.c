/* SPDX-License-Identifier: MIT */
/* Text of unknown encoding: what is recognised, and what must be left alone. */
#include "base/text_encoding.h"

#include "base/utf8.h"
#include "harness.h"

struct word {
	struct span bytes;
	const char *utf8;
};

/* clang-format off */
static const struct word western[] = {
	{ SPAN(""), "" },
	{ SPAN("plain"), "plain" },
	{ SPAN("na\xefve caf\xe9"), "naïve café" },
	{ SPAN("\xc5ngstr\xf6m"), "Ångström" },
	{ SPAN("Gr\xf6\xdfter"), "Größter" },
	{ SPAN("Mot\xf6rhead"), "Motörhead" },
	{ SPAN("Bj\xf6rk"), "Björk" },
	{ SPAN("Beyonc\xe9"), "Beyoncé" },
	{ SPAN("Sigur R\xf3s"), "Sigur Rós" },
	{ SPAN("\xc1g\xe6tis byrjun"), "Ágætis byrjun" },
	{ SPAN("\xc6\xd8\xc5"), "ÆØÅ" },
	{ SPAN("\xe6\xf8\xe5"), "æøå" },
	{ SPAN("\xc9" "dith Piaf"), "Édith Piaf" },
	{ SPAN("\xc7" "a ira"), "Ça ira" },
	{ SPAN("M\xe4" "dchen f\xfcr alles"), "Mädchen für alles" },
	{ SPAN("Se\xf1or Coconut"), "Señor Coconut" },
	{ SPAN("Fa\xe7" "ade"), "Façade" },
	{ SPAN("\xc0 la P\xea" "che aux Moules"), "À la Pêche aux Moules" },
	{ SPAN("O\xf9 est-ce?"), "Où est-ce?" },
	{ SPAN("\xc4\xd6\xdc"), "ÄÖÜ" },
	{ SPAN("F\xfcr \xc9lise"), "Für Élise" },
	{ SPAN("G\xf6tterd\xe4mmerung"), "Götterdämmerung" },
	{ SPAN("\xdeursaflokkurinn"), "Þursaflokkurinn" },
	{ SPAN("El Ni\xf1o"), "El Niño" },
	{ SPAN("S\xe3o Paulo"), "São Paulo" },
	{ SPAN("Cora\xe7\xe3o"), "Coração" },
	{ SPAN("\xdc" "bermut"), "Übermut" },
	{ SPAN("\xc9"), "É" },
	{ SPAN("\xe0"), "à" },
	{ SPAN("\xbfQu\xe9?"), "¿Qué?" },
	{ SPAN("\xa1Ol\xe9!"), "¡Olé!" },
	{ SPAN("\xab\xc9t\xe9\xbb"), "«Été»" },
	{ SPAN("D\xe9j\xe0 vu"), "Déjà vu" },
	{ SPAN("Na\xef" "f \xe0 No\xebl"), "Naïf à Noël" },
	{ SPAN("H\xfcsker D\xfc"), "Hüsker Dü" },
	{ SPAN("M\xf6tley Cr\xfc" "e"), "Mötley Crüe" },
	{ SPAN("Queensr\xff" "che"), "Queensrÿche" },
	{ SPAN("R\xf6yksopp"), "Röyksopp" },
	{ SPAN("\xc5se"), "Åse" },
	{ SPAN("\xd8l"), "Øl" },
	{ SPAN("Kr\xe6" "ftens Bek\xe6mpelse"), "Kræftens Bekæmpelse" },
	{ SPAN("Fr\xfchlingserwachen"), "Frühlingserwachen" },
	{ SPAN("J\xf3ga"), "Jóga" },
	{ SPAN("H\xe1" "blame"), "Háblame" },
	{ SPAN("L'\xc9t\xe9 indien"), "L'Été indien" },
	{ SPAN("\xd4 Canada"), "Ô Canada" },
	{ SPAN("\xbe"), "¾" },
	{ SPAN("\xa9 1999"), "© 1999" },
	{ SPAN("\xae"), "®" },
	{ SPAN("50 \xa3"), "50 £" },
	{ SPAN("20 \xb0" "C"), "20 °C" },
	{ SPAN("\xc4nglag\xe5rd"), "Änglagård" },
	{ SPAN("F\xe4st"), "Fäst" },
};
static const struct word russian[] = {
	{ SPAN("\xca\xe8\xed\xee"), "Кино" },
	{ SPAN("\xc4\xc4\xd2"), "ДДТ" },
	{ SPAN("\xcc\xe8\xf0"), "Мир" },
	{ SPAN("\xc3\xf0\xf3\xef\xef\xe0 \xea\xf0\xee\xe2\xe8"), "Группа крови" },
	{ SPAN("DJ \xc3\xf0\xf3\xe2"), "DJ Грув" },
	{ SPAN("\xc7\xe5\xec\xf4\xe8\xf0\xe0"), "Земфира" },
	{ SPAN("\xd1\xef\xeb\xe8\xed - \xc2\xfb\xf5\xee\xe4\xe0 \xed\xe5\xf2"), "Сплин - Выхода нет" },
	{ SPAN("\xc0\xeb\xe8\xf1\xe0"), "Алиса" },
	{ SPAN("\xcd\xe0\xf3\xf2\xe8\xeb\xf3\xf1 \xcf\xee\xec\xef\xe8\xeb\xe8\xf3\xf1"), "Наутилус Помпилиус" },
	{ SPAN("\xa8\xeb\xea\xe0"), "Ёлка" },
	{ SPAN("\xcc\xf3\xec\xe8\xe9 \xd2\xf0\xee\xeb\xeb\xfc"), "Мумий Тролль" },
	{ SPAN("\xcb\xe5\xed\xe8\xed\xe3\xf0\xe0\xe4"), "Ленинград" },
	{ SPAN("\xc7\xe2\xe5\xe7\xe4\xe0 \xef\xee \xe8\xec\xe5\xed\xe8 \xd1\xee\xeb\xed\xf6\xe5"), "Звезда по имени Солнце" },
	{ SPAN("\xce\xea\xe5\xe0\xed \xc5\xeb\xfc\xe7\xe8"), "Океан Ельзи" },
	{ SPAN("\xc2\xb2\xc0 \xc3\xf0\xe0"), "ВІА Гра" },
	{ SPAN("\xd2\xe0\xf2\xf3"), "Тату" },
	{ SPAN("\xc0\xf0\xe8\xff 1985"), "Ария 1985" },
};
static const struct word russian_koi8[] = {
	{ SPAN("\xeb\xc9\xce\xcf"), "Кино" },
	{ SPAN("\xe7\xd2\xd5\xd0\xd0\xc1 \xcb\xd2\xcf\xd7\xc9"), "Группа крови" },
	{ SPAN("\xfa\xc5\xcd\xc6\xc9\xd2\xc1"), "Земфира" },
};
static const struct word greek[] = {
	{ SPAN("\xc1\xe8\xde\xed\xe1"), "Αθήνα" },
	{ SPAN("\xcc\xdf\xea\xe7\xf2 \xc8\xe5\xef\xe4\xf9\xf1\xdc\xea\xe7\xf2"), "Μίκης Θεοδωράκης" },
	{ SPAN("\xd4\xe1 \xf0\xe1\xe9\xe4\xe9\xdc \xf4\xef\xf5 \xd0\xe5\xe9\xf1\xe1\xe9\xdc"), "Τα παιδιά του Πειραιά" },
	{ SPAN("\xc5\xeb\xeb\xe7\xed\xe9\xea\xdc"), "Ελληνικά" },
	{ SPAN("\xc6\xef\xf1\xec\xf0\xdc\xf2"), "Ζορμπάς" },
};
static const struct word japanese[] = {
	{ SPAN("\x92\xc5\x96\xbc\x97\xd1\x8c\xe7"), "椎名林檎" },
	{ SPAN("\x95l\x8d\xe8\x82\xa0\x82\xe4\x82\xdd"), "浜崎あゆみ" },
	{ SPAN("\x83x\x83X\x83g"), "ベスト" },
	{ SPAN("\x89" "F\x91\xbd\x93" "c\x83q\x83J\x83\x8b"), "宇多田ヒカル" },
	{ SPAN("X JAPAN \x83x\x83X\x83g"), "X JAPAN ベスト" },
	{ SPAN("\x82\xb3\x82\xad\x82\xe7"), "さくら" },
	{ SPAN("\x90\xe7\x82\xc6\x90\xe7\x90q\x82\xcc\x90_\x89" "B\x82\xb5"), "千と千尋の神隠し" },
	{ SPAN("\x83J\x83\x89\x83I\x83P"), "カラオケ" },
	{ SPAN("\x93\x8c\x8b\x9e\x8e\x96\x95\xcf"), "東京事変" },
	{ SPAN("First Love \x93\xfa\x96{"), "First Love 日本" },
};
/* clang-format on */

static unsigned wrong_n(const struct word *words, size_t n, enum text_encoding want)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		enum text_encoding guess = text_encoding_guess(words[i].bytes);
		char out[256];
		size_t out_n = 0;

		if (guess != want) {
			printf("%s is %s\n", words[i].utf8, text_encoding_name(guess));
			wrong++;
			continue;
		}
		EXPECT_OK(text_encoding_to_utf8(guess, words[i].bytes, out, sizeof out, &out_n));
		EXPECT_SPAN(span_str(words[i].utf8), span_of(out, out_n));
	}
	printf("%u of %zu are not seen as %s\n", wrong, n, text_encoding_name(want));
	return wrong;
}

TEST(text_encoding, western_words_are_left_alone)
{
	EXPECT_U64(0, wrong_n(western, ARRAY_LEN(western), TEXT_LATIN1));
}

TEST(text_encoding, other_scripts_are_recognised)
{
	EXPECT_U64(0, wrong_n(russian, ARRAY_LEN(russian), TEXT_CP1251));
	EXPECT_U64(0, wrong_n(russian_koi8, ARRAY_LEN(russian_koi8), TEXT_KOI8_R));
	EXPECT_U64(0, wrong_n(greek, ARRAY_LEN(greek), TEXT_CP1253));
	EXPECT_U64(0, wrong_n(japanese, ARRAY_LEN(japanese), TEXT_SHIFT_JIS));
}

TEST(text_encoding, unicode_is_recognised_by_its_form_or_mark)
{
	char out[64];
	size_t n = 0;

	EXPECT_U64(TEXT_UTF8, text_encoding_guess(SPAN("Bj\xc3\xb6rk")));
	EXPECT_U64(TEXT_LATIN1, text_encoding_guess(SPAN("plain")));
	EXPECT_U64(TEXT_UTF16LE, text_encoding_guess(SPAN("\xff\xfe"
							  "a\0\x16\x04")));
	EXPECT_OK(text_encoding_to_utf8(TEXT_UTF16LE,
					SPAN("\xff\xfe"
					     "a\0\x16\x04"),
					out, sizeof out, &n));
	EXPECT_SPAN(SPAN("a\xd0\x96"), span_of(out, n));
	EXPECT_OK(text_encoding_to_utf8(TEXT_UTF16BE, SPAN("\xfe\xff\0a"), out, sizeof out, &n));
	EXPECT_SPAN(SPAN("a"), span_of(out, n));
	EXPECT_OK(text_encoding_to_utf8(TEXT_UTF8,
					SPAN("\xef\xbb\xbf"
					     "x"),
					out, sizeof out, &n));
	EXPECT_SPAN(SPAN("x"), span_of(out, n));
}

/* Points may follow a letter, so that glibc keeps back the last one until it is asked for it. */
TEST(text_encoding, hebrew_has_its_last_letter)
{
	char out[64];
	size_t n = 0;

	EXPECT_OK(
		text_encoding_to_utf8(TEXT_CP1255, SPAN("\xf9\xec\xe5\xed"), out, sizeof out, &n));
	EXPECT_SPAN(SPAN("שלום"), span_of(out, n));
	EXPECT_OK(
		text_encoding_to_utf8(TEXT_CP1255, SPAN("\xe0\xe5\xe9\xe5"), out, sizeof out, &n));
	EXPECT_SPAN(SPAN("אויו"), span_of(out, n));
	EXPECT_ERR(ERR_RANGE, text_encoding_to_utf8(TEXT_CP1255, SPAN("\xe5"), out, 1, &n));
	EXPECT_OK(text_encoding_from_utf8(TEXT_CP1255, SPAN("אויו"), out, sizeof out, &n));
	EXPECT_SPAN(SPAN("\xe0\xe5\xe9\xe5"), span_of(out, n));
}

TEST(text_encoding, what_does_not_fit_or_is_not_in_it_is_an_error)
{
	char out[4];
	size_t n = 77;

	EXPECT_ERR(ERR_RANGE, text_encoding_to_utf8(TEXT_CP1251, SPAN("\xca\xe8\xed\xee"), out,
						    sizeof out, &n));
	EXPECT_ERR(ERR_INVALID,
		   text_encoding_to_utf8(TEXT_SHIFT_JIS, SPAN("\x82"), out, sizeof out, &n));
	EXPECT_ERR(ERR_INVALID, text_encoding_to_utf8(TEXT_AUTO, SPAN("a"), out, sizeof out, &n));
	/* above U+10FFFF: iconv takes it for UTF-8 */
	EXPECT_ERR(ERR_INVALID,
		   text_encoding_to_utf8(TEXT_UTF8, SPAN("\xf5\x9b\x84\xa1"), out, sizeof out, &n));
	EXPECT_U64(77, n);
}

TEST(text_encoding, every_encoding_that_can_be_configured_is_known_to_this_system)
{
	enum text_encoding e = TEXT_AUTO;
	struct span names = span_str(text_encoding_names);
	unsigned names_n = 0;

	while (names.n > 0) { /* "a", "b" or "c" */
		(void)span_cut(&names, '"');
		struct span name = span_cut(&names, '"');
		char out[16];
		size_t n = 0;

		if (name.n == 0)
			continue;
		EXPECT_OK(text_encoding_parse(name, &e));
		EXPECT_SPAN(name, span_str(text_encoding_name(e)));
		if (e != TEXT_AUTO)
			EXPECT_OK(text_encoding_to_utf8(e, SPAN("abc"), out, sizeof out, &n));
		names_n++;
	}
	EXPECT_U64(16, names_n);
	EXPECT_ERR(ERR_INVALID, text_encoding_parse(SPAN("utf-16le"), &e));
	EXPECT_ERR(ERR_INVALID, text_encoding_parse(SPAN("klingon"), &e));
}

TEST(text_encoding, a_configured_script_does_not_suit_western_words)
{
	EXPECT(!text_encoding_suits(TEXT_CP1251, SPAN("Mot\xf6rhead")));
	EXPECT(text_encoding_suits(TEXT_CP1251, SPAN("\xca\xe8\xed\xee")));
	EXPECT(text_encoding_suits(TEXT_CP1250, SPAN("\x8ekodov\xe1")));
	EXPECT(!text_encoding_suits(TEXT_AUTO, SPAN("x")));
}

/* Whatever the bytes are: an answer, and valid text or an error. */
TEST(text_encoding, random_bytes_never_hurt)
{
	for (unsigned round = 0; round < 20000; round++) {
		char bytes[48], out[3 * sizeof bytes];
		size_t size = test_random() % sizeof bytes;
		size_t n = 0;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)(test_random() % 3 ? 0x80 + test_random() % 128
							    : test_random());
		struct span s = span_of(bytes, size);
		for (unsigned e = 0; e < TEXT_ENCODING_N; e++) {
			(void)text_encoding_suits((enum text_encoding)e, s);
			if (e != TEXT_AUTO && round % 16 == 0 &&
			    text_encoding_to_utf8((enum text_encoding)e, s, out, sizeof out, &n) ==
				    ERR_OK)
				EXPECT(utf8_valid(span_of(out, n)));
		}
		EXPECT(text_encoding_guess(s) < TEXT_ENCODING_N);
	}
}

TEST(text_encoding, the_way_back_gives_the_bytes_that_were)
{
	char out[64];
	size_t n = 0;

	EXPECT_OK(text_encoding_from_utf8(TEXT_LATIN1, SPAN("Jóga’s"), out, sizeof out, &n));
	EXPECT_SPAN(SPAN("J\xf3ga\x92s"), span_of(out, n));
	EXPECT_OK(text_encoding_from_utf8(TEXT_SHIFT_JIS, SPAN("ソング"), out, sizeof out, &n));
	EXPECT_SPAN(SPAN("\x83\x5c\x83\x93\x83\x4f"), span_of(out, n));
	EXPECT_ERR(ERR_INVALID,
		   text_encoding_from_utf8(TEXT_CP1251, SPAN("歌"), out, sizeof out, &n));
	EXPECT_ERR(ERR_INVALID, text_encoding_from_utf8(TEXT_AUTO, SPAN("a"), out, sizeof out, &n));
	EXPECT_ERR(ERR_RANGE, text_encoding_from_utf8(TEXT_CP1251, SPAN("abc"), out, 2, &n));
}
