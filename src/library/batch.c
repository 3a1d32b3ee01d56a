/* SPDX-License-Identifier: MIT */
/* Building batches: every input is copied, checked and brought to one normal form, so that the same
 * file always gives the same record. */
#include <stdlib.h>

#include "base/num.h"
#include "library/batch_priv.h"
#include "library/tables.h"

enum err batch_new(struct batch **out)
{
	struct batch *b = calloc(1, sizeof *b);
	if (!b)
		return ERR_NOMEM;
	arena_init(&b->arena, LIBRARY_BATCH_MAX_BYTES);
	*out = b;
	return ERR_OK;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	arena_fini(&b->arena);
	free(b->ops);
	free(b);
}

size_t batch_len(const struct batch *b)
{
	return b->ops_n;
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* Roots and trees may come with a slash at the end, and "/" is a directory too. */
static bool directory_path_sound(struct span *path)
{
	while (path->n > 1 && path->p[path->n - 1] == '/')
		path->n--;
	return span_eq(*path, SPAN("/")) || path_is_sound(*path);
}

/* ---- copying --------------------------------------------------------------------------------- */

/* Why the arena had no room for n bytes: the batch is full, or memory has run out. */
enum err batch_no_room(const struct batch *b, size_t n)
{
	return num_align_up(n, 8) > b->arena.max_bytes - b->arena.used_bytes ? ERR_LIMIT
									     : ERR_NOMEM;
}

enum err batch_copy(struct batch *b, struct span *s)
{
	if (s->n == 0) {
		*s = (struct span){ NULL, 0 };
		return ERR_OK;
	}
	struct span c = arena_dup(&b->arena, *s);
	if (!c.p)
		return batch_no_room(b, s->n + 1);
	*s = c;
	return ERR_OK;
}

/* Trimmed, and cut to MEDIA_TEXT_MAX where a character begins. */
static struct span text_normal(struct span s)
{
	s = span_trim(s);
	if (s.n > MEDIA_TEXT_MAX) {
		size_t n = MEDIA_TEXT_MAX;
		while (n > MEDIA_TEXT_MAX - 4 && ((uint8_t)s.p[n] & 0xc0) == 0x80)
			n--;
		s.n = n;
	}
	return s;
}

static enum err copy_text(struct batch *b, struct span *s)
{
	*s = text_normal(*s);
	return batch_copy(b, s);
}

/* Files come album by album: `last` is the same text of the file before. */
static enum err copy_text_like(struct batch *b, struct span *s, const struct span *last)
{
	*s = text_normal(*s);
	if (!span_eq(*s, *last))
		return batch_copy(b, s);
	*s = *last;
	return ERR_OK;
}

/* Several names of one kind: `first` is for display, `list` is kept only where there is more than
 * one. Empty ones and repetitions go. */
static enum err copy_names(struct batch *b, struct span *first, const struct span *last,
			   const struct span **list, uint32_t *list_n)
{
	if (*list_n == 0) {
		*list = NULL;
		return copy_text_like(b, first, last);
	}
	struct span names[MEDIA_NAMES_MAX];
	uint32_t n = 0;
	for (uint32_t i = 0; i < *list_n && n < MEDIA_NAMES_MAX; i++) {
		struct span name = text_normal((*list)[i]);
		bool known = name.n == 0;
		for (uint32_t k = 0; k < n && !known; k++)
			known = span_eq(names[k], name);
		if (!known)
			names[n++] = name;
	}
	*first = text_normal(*first);
	if (n && first->n == 0)
		*first = names[0];
	if (n == 1 && !span_eq(names[0], *first)) /* the display name counts too */
		names[n++] = *first;
	*list = NULL;
	*list_n = 0;
	enum err e = batch_copy(b, first);
	if (e != ERR_OK || n < 2)
		return e;
	struct span *copies = arena_alloc(&b->arena, n * sizeof *copies);
	if (!copies)
		return batch_no_room(b, n * sizeof *copies);
	for (uint32_t i = 0; i < n && e == ERR_OK; i++) {
		copies[i] = names[i];
		if (span_eq(names[i], *first))
			copies[i] = *first; /* one string in the record */
		else
			e = batch_copy(b, &copies[i]);
	}
	*list = copies;
	*list_n = n;
	return e;
}

static enum err copy_subtitles(struct batch *b, struct media_file_in *f)
{
	f->subtitles_n = MIN(f->subtitles_n, (uint32_t)MEDIA_PARTS_MAX);
	if (f->subtitles_n == 0)
		return ERR_OK;
	size_t bytes = f->subtitles_n * sizeof *f->subtitles;
	struct subtitle_in *copies = arena_alloc(&b->arena, bytes);
	if (!copies)
		return batch_no_room(b, bytes);
	memcpy(copies, f->subtitles, bytes);
	f->subtitles = copies;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < f->subtitles_n && e == ERR_OK; i++) {
		e = batch_copy(b, &copies[i].path);
		if (e == ERR_OK)
			e = copy_text(b, &copies[i].language);
	}
	return e;
}

static enum err copy_audio_tracks(struct batch *b, struct media_file_in *f)
{
	f->audio_tracks_n = MIN(f->audio_tracks_n, (uint32_t)MEDIA_PARTS_MAX);
	if (f->audio_tracks_n == 0)
		return ERR_OK;
	size_t bytes = f->audio_tracks_n * sizeof *f->audio_tracks;
	struct stream_in *copies = arena_alloc(&b->arena, bytes);
	if (!copies)
		return batch_no_room(b, bytes);
	memcpy(copies, f->audio_tracks, bytes);
	f->audio_tracks = copies;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < f->audio_tracks_n && e == ERR_OK; i++) {
		e = copy_text(b, &copies[i].codec);
		if (e == ERR_OK)
			e = copy_text(b, &copies[i].language);
	}
	return e;
}

/* The file name without its extension: a title for files that have none. */
static struct span stem(struct span filename)
{
	size_t dot = span_rfind(filename, '.');
	return dot == 0 ? filename : span_first(filename, dot);
}

static enum err copy_paths(struct batch *b, struct media_file_in *f)
{
	bool canonical = f->canonical_path.n == 0 || span_eq(f->canonical_path, f->path);
	enum err e = batch_copy(b, &f->path);
	if (e == ERR_OK && canonical)
		f->canonical_path = f->path; /* shares its bytes in the record */
	else if (e == ERR_OK)
		e = batch_copy(b, &f->canonical_path);
	f->filename = path_name(f->path);
	return e == ERR_OK ? batch_copy(b, &f->art_path) : e;
}

/* ---- packing --------------------------------------------------------------------------------- */

/* A file in a batch: two words that say which words of the struct are not zero, then these. */
#define FILE_WORDS (sizeof(struct media_file_in) / 8)
_Static_assert(sizeof(struct media_file_in) % 8 == 0 && FILE_WORDS <= 128, "two words of bits");

static enum err file_pack(struct batch *b, const struct media_file_in *f, const uint64_t **out)
{
	uint64_t packed[2 + FILE_WORDS];
	size_t n = 2;
	packed[0] = packed[1] = 0;
	for (size_t i = 0; i < FILE_WORDS; i++) {
		uint64_t word = num_le64((const char *)f + 8 * i);
		packed[i / 64] |= (uint64_t)(word != 0) << i % 64;
		packed[n] = word;
		n += word != 0; /* no branch: what is set is hard to guess */
	}
	uint64_t *p = arena_alloc(&b->arena, n * sizeof *p);
	if (!p)
		return batch_no_room(b, n * sizeof *p);
	memcpy(p, packed, n * sizeof *p);
	*out = p;
	return ERR_OK;
}

void file_unpack(const uint64_t *packed, struct media_file_in *out)
{
	const uint64_t *word = packed + 2;
	memset(out, 0, sizeof *out);
	for (unsigned half = 0; half < 2; half++)
		for (uint64_t bits = packed[half]; bits; bits &= bits - 1)
			memcpy((char *)out + 8 * (64 * half + (unsigned)__builtin_ctzll(bits)),
			       word++, 8);
}

/* The normal form of `in`, copied; *f is good until the next file. */
static enum err copy_file(struct batch *b, const struct media_file_in *in, struct media_file_in *f)
{
	const struct media_file_in *last = &b->last;
	*f = *in;
	enum err e = copy_paths(b, f);
	f->title = text_normal(f->title);
	if (f->title.n == 0)
		f->title = text_normal(stem(f->filename));
	if (e == ERR_OK)
		e = batch_copy(b, &f->title);
	if (e == ERR_OK)
		e = copy_names(b, &f->artist, &last->artist, &f->artists, &f->artists_n);
	if (e == ERR_OK)
		e = copy_names(b, &f->genre, &last->genre, &f->genres, &f->genres_n);
#define X(field)                                                                                   \
	if (e == ERR_OK)                                                                           \
		e = copy_text_like(b, &f->field, &last->field);
	MEDIA_TEXTS(X)
#undef X
	if (e == ERR_OK)
		e = copy_subtitles(b, f);
	if (e == ERR_OK)
		e = copy_audio_tracks(b, f);
	f->id = f->directory_id = 0;
	f->created_at = f->updated_at = 0;
	f->artist_ids = f->genre_ids = NULL;
	f->artist_ids_n = f->genre_ids_n = 0;
	f->album_artist_id = f->composer_id = f->year_id = f->album_id = 0;
	return e;
}

/* ---- operations ------------------------------------------------------------------------------ */

enum err batch_add_op(struct batch *b, struct op op)
{
	if (b->ops_n == LIBRARY_BATCH_MAX_FILES)
		return ERR_LIMIT;
	if (b->ops_n == b->ops_cap) {
		uint32_t cap = b->ops_cap ? 2 * b->ops_cap : 16;
		struct op *ops = realloc(b->ops, cap * sizeof *ops);
		if (!ops)
			return ERR_NOMEM;
		b->ops = ops;
		b->ops_cap = cap;
	}
	b->ops[b->ops_n++] = op;
	return ERR_OK;
}

enum err batch_root(struct batch *b, struct span path, struct span name)
{
	if (!directory_path_sound(&path))
		return ERR_INVALID;
	name = text_normal(name);
	if (name.n == 0)
		name = path.n > 1 ? path_name(path) : path;
	struct op op = { .kind = OP_ROOT, .path = path, .name = name };
	enum err e = batch_copy(b, &op.path);
	if (e == ERR_OK)
		e = batch_copy(b, &op.name);
	return e == ERR_OK ? batch_add_op(b, op) : e;
}

static enum err add_file(struct batch *b, struct op op, const struct media_file_in *file)
{
	if (!path_is_sound(file->path) || file->canonical_path.n > MEDIA_PATH_MAX ||
	    file->art_path.n > MEDIA_PATH_MAX || file->kind < MEDIA_KIND_AUDIO ||
	    file->kind > MEDIA_KIND_IMAGE)
		return ERR_INVALID;
	struct media_file_in copy;
	enum err e = copy_file(b, file, &copy);
	if (e == ERR_OK)
		e = file_pack(b, &copy, &op.file);
	if (e != ERR_OK)
		return e;
	b->last = copy;
	op.path = copy.path;
	return batch_add_op(b, op);
}

enum err batch_put(struct batch *b, const struct media_file_in *file)
{
	return add_file(b, (struct op){ .kind = OP_PUT }, file);
}

enum err batch_move(struct batch *b, uint64_t media_id, const struct media_file_in *file)
{
	return add_file(b, (struct op){ .kind = OP_MOVE, .media_id = media_id }, file);
}

enum err batch_remove(struct batch *b, struct span path)
{
	if (!path_is_sound(path))
		return ERR_INVALID;
	struct op op = { .kind = OP_REMOVE, .path = path };
	enum err e = batch_copy(b, &op.path);
	return e == ERR_OK ? batch_add_op(b, op) : e;
}

enum err batch_remove_tree(struct batch *b, struct span path)
{
	if (!directory_path_sound(&path))
		return ERR_INVALID;
	struct op op = { .kind = OP_REMOVE_TREE, .path = path };
	enum err e = batch_copy(b, &op.path);
	return e == ERR_OK ? batch_add_op(b, op) : e;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool same_names(struct fb_vector stored, const struct span *list, uint32_t list_n)
{
	bool same = stored.n == list_n;
	for (uint32_t i = 0; same && i < list_n; i++)
		same = span_eq(fb_vector_string(stored, i), list[i]);
	return same;
}

static bool same_parts(struct fb_table stored, const struct media_file_in *in)
{
	struct fb_vector s = media_file_subtitles(stored);
	bool same = s.n == in->subtitles_n;
	for (uint32_t i = 0; same && i < s.n; i++)
		same = span_eq(subtitle_path(fb_vector_table(s, i)), in->subtitles[i].path) &&
		       span_eq(subtitle_language(fb_vector_table(s, i)), in->subtitles[i].language);

	struct fb_vector a = media_file_audio_tracks(stored);
	same = same && a.n == in->audio_tracks_n;
	for (uint32_t i = 0; same && i < a.n; i++) {
		struct fb_table t = fb_vector_table(a, i);
		same = span_eq(stream_codec(t), in->audio_tracks[i].codec) &&
		       span_eq(stream_language(t), in->audio_tracks[i].language) &&
		       stream_channels(t) == in->audio_tracks[i].channels;
	}
	return same;
}

bool media_same(struct fb_table stored, const struct media_file_in *in)
{
	bool same = span_eq(media_file_title(stored), in->title) &&
		    span_eq(media_file_artist(stored), in->artist) &&
		    span_eq(media_file_genre(stored), in->genre);
#define X(field) same = same && media_file_##field(stored) == in->field;
	MEDIA_NUMBERS(X)
#undef X
#define X(field) same = same && span_eq(media_file_##field(stored), in->field);
	MEDIA_TEXTS(X)
	MEDIA_PATHS(X)
#undef X
	return same && same_names(media_file_artists(stored), in->artists, in->artists_n) &&
	       same_names(media_file_genres(stored), in->genres, in->genres_n) &&
	       same_parts(stored, in);
}
