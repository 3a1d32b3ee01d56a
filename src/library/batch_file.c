/* SPDX-License-Identifier: MIT */
/* Files in a batch: checked, brought to one normal form, and packed. Files come directory by
 * directory and album by album, so what a file has in common with the one before is neither checked
 * nor copied again. */
#include <stddef.h>

#include "library/batch_priv.h"
#include "library/tables.h"

static const struct batch_text text_none;
static const struct batch_texts texts_none = {
#define X(field) [SHARED_##field] = &text_none,
	.text = { X(artist) X(genre) MEDIA_TEXTS(X) X(art_path) }
#undef X
};

static const uint16_t shared_at[SHARED_N] = {
#define X(field) [SHARED_##field] = offsetof(struct media_file_in, field),
	X(artist) X(genre) MEDIA_TEXTS(X) X(art_path)
#undef X
};

/* ---- checking -------------------------------------------------------------------------------- */

/* In the directory of a path that was sound only the name is new. */
static bool name_is_sound(struct span path, size_t name_at)
{
	struct span name = span_skip(path, name_at);
	return name.n > 0 && path.n <= MEDIA_PATH_MAX && !span_eq(name, SPAN(".")) &&
	       !span_eq(name, SPAN("..")) && !memchr(name.p, '\0', name.n) &&
	       !memchr(name.p, '/', name.n);
}

/* Where a path's name begins, and the path that neighbours share (struct batch_file). */
struct file_place {
	uint32_t name_at;
	const struct batch_text *directory; /* NULL: it is the first in there */
};

static bool file_path_is_sound(struct span path, const struct batch_file *last,
			       struct file_place *out)
{
	if (last && path.n > last->name_at && memcmp(path.p, last->path->p, last->name_at) == 0 &&
	    name_is_sound(path, last->name_at)) {
		*out = (struct file_place){ last->name_at, last->directory };
		return true;
	}
	*out = (struct file_place){ (uint32_t)(span_rfind(path, '/') + 1), NULL };
	return path_is_sound(path);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return (uint8_t)c <= ' ';
}

struct span batch_text_normal(struct span s)
{
	if (s.n == 0)
		return s;
	if (is_blank(s.p[0]) || is_blank(s.p[s.n - 1]))
		s = span_trim(s);
	if (s.n > MEDIA_TEXT_MAX) {
		size_t n = MEDIA_TEXT_MAX;
		while (n > MEDIA_TEXT_MAX - 4 && ((uint8_t)s.p[n] & 0xc0) == 0x80)
			n--;
		s = span_trim(span_first(s, n)); /* what is normal stays so */
	}
	return s;
}

static size_t text_bytes(struct span s)
{
	return (sizeof(struct batch_text) + s.n + 1) & ~(size_t)1;
}

/* At *at, which goes on behind it. */
static const struct batch_text *text_put(char **at, struct span s)
{
	struct batch_text *t = (struct batch_text *)(void *)*at;
	t->n = (uint16_t)s.n;
	span_copy(t->p, s);
	*at += text_bytes(s);
	return t;
}

static struct span shared_text(const struct media_file_in *in, unsigned i)
{
	return *(const struct span *)(const void *)((const char *)in + shared_at[i]);
}

/* Which texts are not those of the file before, as bits. What is the same as a normal form is one.
 */
static uint32_t texts_fresh(const struct media_file_in *in, const struct batch_texts *last)
{
	uint32_t fresh = 0;
#define X(field)                                                                                   \
	if (!span_eq_inline(in->field, batch_text_span(last->text[SHARED_##field])))               \
		fresh |= 1u << SHARED_##field;
	X(artist)
	X(genre)
	MEDIA_TEXTS(X)
	X(art_path)
#undef X
	return fresh;
}

/* The texts of `in`, which are those of the file before unless one of them is another. */
static enum err texts_share(struct batch *b, const struct media_file_in *in,
			    const struct batch_texts **out)
{
	const struct batch_texts *last = b->last ? b->last->texts : &texts_none;
	uint32_t fresh = texts_fresh(in, last);
	struct span text[SHARED_N];
	size_t bytes = sizeof *last;
	*out = last;
	if (fresh == 0)
		return ERR_OK;
	for (uint32_t left = fresh; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		text[i] = shared_text(in, i);
		if (i != SHARED_art_path)
			text[i] = batch_text_normal(text[i]);
		if (span_eq(text[i], batch_text_span(last->text[i])))
			fresh &= ~(1u << i); /* it had blanks around it */
		else
			bytes += text_bytes(text[i]);
	}
	if (fresh == 0)
		return ERR_OK;
	struct batch_texts *texts = arena_alloc(&b->arena, bytes);
	if (!texts)
		return batch_no_room(b, bytes);
	*texts = *last;
	char *at = (char *)(texts + 1);
	for (; fresh; fresh &= fresh - 1) {
		unsigned i = (unsigned)__builtin_ctz(fresh);
		texts->text[i] = text[i].n ? text_put(&at, text[i]) : &text_none;
	}
	*out = texts;
	return ERR_OK;
}

/* ---- lists ----------------------------------------------------------------------------------- */

struct names {
	struct span name[MEDIA_NAMES_MAX + 1];
	uint32_t n;
};

/* Several names of one kind: *first is for display, there is a list only where there is more than
 * one. Empty ones and repetitions go. */
static void names_normal(struct span *first, const struct span *list, uint32_t list_n,
			 struct names *out)
{
	out->n = 0;
	for (uint32_t i = 0; i < list_n && out->n < MEDIA_NAMES_MAX; i++) {
		struct span name = batch_text_normal(list[i]);
		bool known = name.n == 0;
		for (uint32_t k = 0; k < out->n && !known; k++)
			known = span_eq(out->name[k], name);
		if (!known)
			out->name[out->n++] = name;
	}
	*first = batch_text_normal(*first);
	if (out->n && first->n == 0)
		*first = out->name[0];
	if (out->n == 1 && !span_eq(out->name[0], *first)) /* the display name counts too */
		out->name[out->n++] = *first;
	if (out->n == 1)
		out->n = 0;
}

static enum err copy_names(struct batch *b, const struct names *names,
			   const struct batch_text *first, const struct span **out, uint32_t *out_n)
{
	size_t bytes = names->n * sizeof **out;
	enum err e = ERR_OK;
	*out = NULL;
	*out_n = names->n;
	if (names->n == 0)
		return ERR_OK;
	struct span *copies = arena_alloc(&b->arena, bytes);
	if (!copies)
		return batch_no_room(b, bytes);
	for (uint32_t i = 0; i < names->n && e == ERR_OK; i++) {
		copies[i] = names->name[i];
		if (span_eq(copies[i], batch_text_span(first)))
			copies[i] = batch_text_span(first); /* one string in the record */
		else
			e = batch_copy(b, &copies[i]);
	}
	*out = copies;
	return e;
}

static enum err copy_text(struct batch *b, struct span *s)
{
	*s = batch_text_normal(*s);
	return batch_copy(b, s);
}

static enum err copy_subtitles(struct batch *b, const struct media_file_in *in,
			       struct batch_more *more)
{
	more->subtitles_n = MIN(in->subtitles_n, (uint32_t)MEDIA_PARTS_MAX);
	if (more->subtitles_n == 0)
		return ERR_OK;
	size_t bytes = more->subtitles_n * sizeof *in->subtitles;
	struct subtitle_in *copies = arena_alloc(&b->arena, bytes);
	if (!copies)
		return batch_no_room(b, bytes);
	memcpy(copies, in->subtitles, bytes);
	more->subtitles = copies;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < more->subtitles_n && e == ERR_OK; i++) {
		e = batch_copy(b, &copies[i].path);
		if (e == ERR_OK)
			e = copy_text(b, &copies[i].language);
	}
	return e;
}

static enum err copy_audio_tracks(struct batch *b, const struct media_file_in *in,
				  struct batch_more *more)
{
	more->audio_tracks_n = MIN(in->audio_tracks_n, (uint32_t)MEDIA_PARTS_MAX);
	if (more->audio_tracks_n == 0)
		return ERR_OK;
	size_t bytes = more->audio_tracks_n * sizeof *in->audio_tracks;
	struct stream_in *copies = arena_alloc(&b->arena, bytes);
	if (!copies)
		return batch_no_room(b, bytes);
	memcpy(copies, in->audio_tracks, bytes);
	more->audio_tracks = copies;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < more->audio_tracks_n && e == ERR_OK; i++) {
		e = copy_text(b, &copies[i].codec);
		if (e == ERR_OK)
			e = copy_text(b, &copies[i].language);
	}
	return e;
}

/* ---- packing --------------------------------------------------------------------------------- */

/* The file name without its extension: a title for files that have none. */
static struct span stem(struct span filename)
{
	size_t dot = span_rfind(filename, '.');
	return dot == 0 ? filename : span_first(filename, dot);
}

static enum err pack(struct batch *b, const struct media_file_in *in, struct file_place place,
		     const struct batch_more *more, const struct batch_file **out)
{
	const struct batch_texts *texts;
	enum err e = texts_share(b, in, &texts);
	if (e != ERR_OK)
		return e;
	struct span title = batch_text_normal(in->title);
	if (title.n == 0)
		title = batch_text_normal(stem(span_skip(in->path, place.name_at)));
	size_t bytes = sizeof(struct batch_file) + text_bytes(in->path) + text_bytes(title);
	struct batch_file *f = arena_alloc(&b->arena, bytes);
	if (!f)
		return batch_no_room(b, bytes);
	char *at = (char *)(f + 1);
	f->texts = texts;
	f->path = text_put(&at, in->path);
	f->title = text_put(&at, title);
	f->more = more;
	f->name_at = place.name_at;
	f->directory = place.directory ? place.directory : f->path;
#define X(field) f->field = in->field;
	MEDIA_NUMBERS(X)
#undef X
	*out = f;
	return ERR_OK;
}

static bool has_more(const struct media_file_in *in)
{
	return in->artists_n || in->genres_n || in->subtitles_n || in->audio_tracks_n ||
	       (in->canonical_path.n && !span_eq(in->canonical_path, in->path));
}

static enum err pack_more(struct batch *b, const struct media_file_in *in, struct file_place place,
			  const struct batch_file **out)
{
	struct media_file_in normal = *in;
	struct names artists, genres;
	struct batch_more *more = arena_alloc(&b->arena, sizeof *more);
	if (!more)
		return batch_no_room(b, sizeof *more);
	*more = (struct batch_more){ 0 };
	names_normal(&normal.artist, in->artists, in->artists_n, &artists);
	names_normal(&normal.genre, in->genres, in->genres_n, &genres);
	enum err e = pack(b, &normal, place, more, out);
	if (e != ERR_OK)
		return e;
	const struct batch_text *const *text = (*out)->texts->text;
	e = copy_names(b, &artists, text[SHARED_artist], &more->artists, &more->artists_n);
	if (e == ERR_OK)
		e = copy_names(b, &genres, text[SHARED_genre], &more->genres, &more->genres_n);
	if (e == ERR_OK)
		e = copy_subtitles(b, in, more);
	if (e == ERR_OK)
		e = copy_audio_tracks(b, in, more);
	if (e != ERR_OK || in->canonical_path.n == 0 || span_eq(in->canonical_path, in->path))
		return e;
	more->canonical_path = in->canonical_path;
	return batch_copy(b, &more->canonical_path);
}

enum err file_pack(struct batch *b, const struct media_file_in *file, const struct batch_file **out)
{
	struct file_place place;
	if (!file_path_is_sound(file->path, b->last, &place) ||
	    file->canonical_path.n > MEDIA_PATH_MAX || file->art_path.n > MEDIA_PATH_MAX ||
	    file->kind < MEDIA_KIND_AUDIO || file->kind > MEDIA_KIND_IMAGE)
		return ERR_INVALID;
	enum err e =
		has_more(file) ? pack_more(b, file, place, out) : pack(b, file, place, NULL, out);
	if (e == ERR_OK)
		b->last = *out;
	return e;
}

static void unpack_more(const struct batch_more *more, struct media_file_in *out)
{
	if (more->canonical_path.n)
		out->canonical_path = more->canonical_path;
	out->subtitles = more->subtitles;
	out->audio_tracks = more->audio_tracks;
	out->artists = more->artists;
	out->genres = more->genres;
	out->subtitles_n = more->subtitles_n;
	out->audio_tracks_n = more->audio_tracks_n;
	out->artists_n = more->artists_n;
	out->genres_n = more->genres_n;
}

void file_unpack(const struct batch_file *file, const struct batch_file *last,
		 struct media_file_in *out)
{
	static const struct batch_more more_none;
	if (!last)
		memset(out, 0, sizeof *out);
	out->path = out->canonical_path =
		batch_text_span(file->path); /* one string in the record */
	out->filename = span_skip(out->path, file->name_at);
	out->title = batch_text_span(file->title);
#define X(field) out->field = file->field;
	MEDIA_NUMBERS(X)
#undef X
	if (!last || last->texts != file->texts) {
#define X(field) out->field = batch_text_span(file->texts->text[SHARED_##field]);
		X(artist)
		X(genre)
		MEDIA_TEXTS(X)
		X(art_path)
#undef X
	}
	if (file->more || (last && last->more))
		unpack_more(file->more ? file->more : &more_none, out);
}
