/* SPDX-License-Identifier: MIT */
/* Folder art and subtitles beside a media file. */
#include "library/sidecar.h"

#include <stdlib.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare_nocase(struct span a, struct span b)
{
	size_t n = MIN(a.n, b.n);

	for (size_t i = 0; i < n; i++) {
		unsigned char ca = (unsigned char)lower(a.p[i]);
		unsigned char cb = (unsigned char)lower(b.p[i]);

		if (ca != cb)
			return ca < cb ? -1 : 1;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

struct span sidecar_stem(struct span name)
{
	size_t dot = span_rfind(name, '.');

	return dot > 0 && dot < name.n ? span_first(name, dot) : name;
}

static struct span extension(struct span name)
{
	return span_skip(name, span_rfind(name, '.') + 1);
}

static bool one_of(struct span s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq_nocase(s, span_str(words[i])))
			return true;
	return false;
}

bool sidecar_is_image(struct span name)
{
	static const char *const extensions[] = { "jpg", "jpeg", "png" };

	return one_of(extension(name), extensions, ARRAY_LEN(extensions));
}

bool sidecar_is_subtitle(struct span name)
{
	static const char *const extensions[] = { "srt", "vtt", "ass", "ssa", "sub", "idx", "smi" };

	return one_of(extension(name), extensions, ARRAY_LEN(extensions));
}

bool sidecar_is_subtitle_directory(struct span name)
{
	static const char *const names[] = { "subs", "subtitles" };

	return one_of(name, names, ARRAY_LEN(names));
}

/* Rank 1 is the best; 0: no folder art. */
static unsigned folder_art_rank(struct span name)
{
	static const char *const stems[] = { "cover", "folder", "front", "album" };
	struct span stem = sidecar_stem(name);

	if (!sidecar_is_image(name))
		return 0;
	for (unsigned i = 0; i < ARRAY_LEN(stems); i++)
		if (span_eq_nocase(stem, span_str(stems[i])))
			return i + 1;
	if (!span_starts_nocase(stem, SPAN("AlbumArt")))
		return 0;
	return span_ends(stem, SPAN("Small")) ? 6 : 5; /* Windows Media Player's 75-pixel copy */
}

bool sidecar_is_folder_art(struct span name)
{
	return folder_art_rank(name) != 0;
}

void sidecars_reset(struct sidecars *s)
{
	s->images_n = 0;
	s->subtitles_n = 0;
	s->loose_n = 0;
	s->films_n = 0;
	s->folder_art = SPAN("");
	s->folder_rank = 0;
}

void sidecars_fini(struct sidecars *s)
{
	free(s->images);
	free(s->subtitles);
	*s = (struct sidecars){ 0 };
}

static enum err append(struct sidecar **list, size_t *n, size_t *cap, struct sidecar item)
{
	if (*n == *cap) {
		size_t more = *cap ? *cap * 2 : 16;
		struct sidecar *grown = realloc(*list, more * sizeof *grown);

		if (!grown)
			return ERR_NOMEM;
		*list = grown;
		*cap = more;
	}
	(*list)[(*n)++] = item;
	return ERR_OK;
}

enum err sidecars_add_image(struct sidecars *s, struct span name)
{
	unsigned rank = folder_art_rank(name);

	/* Equal ranks (cover.jpg, Cover.png): the order of names decides, not that of the disk. */
	if (rank != 0 && (s->folder_rank == 0 || rank < s->folder_rank ||
			  (rank == s->folder_rank && span_cmp(name, s->folder_art) < 0))) {
		s->folder_rank = rank;
		s->folder_art = name;
	}
	return append(&s->images, &s->images_n, &s->images_cap,
		      (struct sidecar){ name, sidecar_stem(name) });
}

enum err sidecars_add_subtitle(struct sidecars *s, struct span name)
{
	return append(&s->subtitles, &s->subtitles_n, &s->subtitles_cap,
		      (struct sidecar){ name, sidecar_stem(name) });
}

/* "Film" of "Subs/Film/2_English.srt"; empty where it lies in Subs/ itself. */
static struct span film_directory(struct span name)
{
	struct span rest = span_skip(name, span_find(name, '/') + 1);
	size_t slash = span_find(rest, '/');

	return slash < rest.n ? span_first(rest, slash) : SPAN("");
}

enum err sidecars_add_subtitle_below(struct sidecars *s, struct span name)
{
	struct span last = span_skip(name, span_rfind(name, '/') + 1);
	struct span film = film_directory(name);

	if (film.n > 0)
		return append(&s->subtitles, &s->subtitles_n, &s->subtitles_cap,
			      (struct sidecar){ name, film });
	if (s->loose_n < SIDECAR_SUBTITLES_MAX)
		s->loose[s->loose_n++] = name;
	return append(&s->subtitles, &s->subtitles_n, &s->subtitles_cap,
		      (struct sidecar){ name, sidecar_stem(last) });
}

static int compare_sidecars(const void *a, const void *b)
{
	const struct sidecar *x = a;
	const struct sidecar *y = b;
	int order = compare_nocase(x->stem, y->stem);

	return order != 0 ? order : span_cmp(x->name, y->name);
}

static int compare_spans(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

void sidecars_sort(struct sidecars *s)
{
	if (s->images_n > 1)
		qsort(s->images, s->images_n, sizeof *s->images, compare_sidecars);
	if (s->subtitles_n > 1)
		qsort(s->subtitles, s->subtitles_n, sizeof *s->subtitles, compare_sidecars);
	if (s->loose_n > 1)
		qsort(s->loose, s->loose_n, sizeof *s->loose, compare_spans);
}

/* Index of the first whose stem is not before `stem`. */
static size_t lower_bound(const struct sidecar *list, size_t n, struct span stem)
{
	size_t low = 0;

	while (n > 0) {
		size_t half = n / 2;

		if (compare_nocase(list[low + half].stem, stem) < 0) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return low;
}

struct span sidecar_art(const struct sidecars *s, struct span media_name)
{
	struct span stem = sidecar_stem(media_name);
	size_t at = lower_bound(s->images, s->images_n, stem);

	if (at < s->images_n && span_eq_nocase(s->images[at].stem, stem))
		return s->images[at].name;
	return s->folder_art;
}

static bool is_letters(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (lower(s.p[i]) < 'a' || lower(s.p[i]) > 'z')
			return false;
	return s.n > 0;
}

/* "en", "eng", "pt-BR", "zh_Hant", "english": BCP 47 or ISO 639 by form, or a common name. */
static bool is_language(struct span s)
{
	static const char *const names[] = { "english", "german",     "deutsch",    "french",
					     "spanish", "italian",    "dutch",	    "portuguese",
					     "polish",	"russian",    "japanese",   "chinese",
					     "korean",	"swedish",    "norwegian",  "danish",
					     "finnish", "czech",      "greek",	    "turkish",
					     "arabic",	"hungarian",  "romanian",   "ukrainian",
					     "hebrew",	"simplified", "traditional" };
	struct span first = s;
	size_t cut = MIN(span_find(s, '-'), span_find(s, '_'));

	if (cut < s.n) {
		struct span region = span_skip(s, cut + 1);

		if (region.n < 2 || region.n > 4)
			return false;
		first = span_first(s, cut);
	}
	if (!is_letters(first))
		return false;
	return first.n == 2 || first.n == 3 || one_of(s, names, ARRAY_LEN(names));
}

static bool is_flag(struct span s)
{
	static const char *const flags[] = {
		"forced", "sdh", "cc", "hi", "full", "default", "signs"
	};

	return one_of(s, flags, ARRAY_LEN(flags));
}

/* What follows the film's stem: nothing, or dots with languages and flags. False: it is another
 * film's. "Film.2.srt" is not Film.mkv's. */
static bool parse_suffix(struct span suffix, struct span *out_language)
{
	*out_language = SPAN("");
	if (suffix.n == 0)
		return true;
	if (suffix.p[0] != '.')
		return false;
	suffix = span_skip(suffix, 1);
	while (suffix.n > 0) {
		struct span word = span_cut(&suffix, '.');

		if (is_flag(word))
			continue;
		if (!is_language(word))
			return false;
		*out_language = word;
	}
	return true;
}

static size_t add_subtitle(struct sidecar_subtitle *out, size_t n, struct span name,
			   struct span language)
{
	if (n < SIDECAR_SUBTITLES_MAX)
		out[n++] = (struct sidecar_subtitle){ name, language };
	return n;
}

/* "2_English" in Subs/: the last word that looks like a language. */
static struct span loose_language(struct span name)
{
	struct span stem = sidecar_stem(span_skip(name, span_rfind(name, '/') + 1));
	struct span language = SPAN("");

	for (size_t start = 0, i = 0; i <= stem.n; i++) {
		if (i < stem.n && stem.p[i] != '_' && stem.p[i] != '.' && stem.p[i] != ' ')
			continue;
		struct span word = span_of(stem.p + start, i - start);
		if (!is_flag(word) && is_language(word))
			language = word;
		start = i + 1;
	}
	return language;
}

static int compare_subtitles(const void *a, const void *b)
{
	return span_cmp(((const struct sidecar_subtitle *)a)->name,
			((const struct sidecar_subtitle *)b)->name);
}

static bool has_extension(struct span name, struct span wanted)
{
	return span_eq_nocase(extension(name), wanted);
}

/* Is there "film.idx" for "film.sub", or the other way round? */
static bool has_other_half(const struct sidecar_subtitle *all, size_t n, struct span name,
			   struct span wanted)
{
	for (size_t i = 0; i < n; i++)
		if (has_extension(all[i].name, wanted) &&
		    span_eq_nocase(sidecar_stem(all[i].name), sidecar_stem(name)))
			return true;
	return false;
}

/* VobSub is two files, of which the .idx stands for both; without its .sub it is none. */
static size_t join_pairs(struct sidecar_subtitle *out, size_t n)
{
	struct sidecar_subtitle all[SIDECAR_SUBTITLES_MAX];
	size_t kept_n = 0;

	memcpy(all, out, n * sizeof *out);
	for (size_t i = 0; i < n; i++) {
		struct span name = all[i].name;

		if (has_extension(name, SPAN("sub")) && has_other_half(all, n, name, SPAN("idx")))
			continue;
		if (has_extension(name, SPAN("idx")) && !has_other_half(all, n, name, SPAN("sub")))
			continue;
		out[kept_n++] = all[i];
	}
	return kept_n;
}

size_t sidecar_subtitles(const struct sidecars *s, struct span media_name,
			 struct sidecar_subtitle out[SIDECAR_SUBTITLES_MAX])
{
	struct span stem = sidecar_stem(media_name);
	size_t n = 0;

	for (size_t i = lower_bound(s->subtitles, s->subtitles_n, stem); i < s->subtitles_n; i++) {
		struct span language;

		if (!span_starts_nocase(s->subtitles[i].stem, stem))
			break;
		struct span suffix = span_skip(s->subtitles[i].stem, stem.n);
		struct span name = s->subtitles[i].name;
		bool own_directory = film_directory(name).n > 0;

		if (own_directory ? suffix.n == 0 : parse_suffix(suffix, &language))
			n = add_subtitle(out, n, name,
					 own_directory ? loose_language(name) : language);
	}
	/* The only film of its directory owns all of Subs/. */
	if (n == 0 && s->films_n == 1)
		for (size_t i = 0; i < s->loose_n; i++)
			n = add_subtitle(out, n, s->loose[i], loose_language(s->loose[i]));
	n = join_pairs(out, n);
	if (n > 1)
		qsort(out, n, sizeof *out, compare_subtitles);
	return n;
}
