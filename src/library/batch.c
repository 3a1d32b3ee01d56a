/* SPDX-License-Identifier: MIT */
/* Building batches: every input is copied, checked and brought to one normal form, so that the same
 * file always gives the same record. */
#include <stdlib.h>

#include "base/blocks.h"
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

void batch_empty(struct batch *b)
{
	arena_fini(&b->arena);
	blocks_free(b->ops, b->ops_cap * sizeof *b->ops);
	b->ops = NULL;
	b->ops_cap = 0;
	b->is_empty = true;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	batch_empty(b);
	free(b);
}

void batch_on_taken(struct batch *b, void (*taken)(void *ctx))
{
	b->taken = taken;
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

/* ---- operations ------------------------------------------------------------------------------ */

enum err batch_add_op(struct batch *b, const struct op *op)
{
	if (b->ops_n == LIBRARY_BATCH_MAX_FILES)
		return ERR_LIMIT;
	if (b->ops_n == b->ops_cap) {
		uint32_t cap = b->ops_cap ? 2 * b->ops_cap : 16;
		struct op *ops = blocks_resize(b->ops, b->ops_cap * sizeof *ops, cap * sizeof *ops);
		if (!ops)
			return ERR_NOMEM;
		b->ops = ops;
		b->ops_cap = cap;
	}
	b->ops[b->ops_n++] = *op;
	return ERR_OK;
}

enum err batch_root(struct batch *b, struct span path, struct span name)
{
	if (!directory_path_sound(&path))
		return ERR_INVALID;
	name = batch_text_normal(name);
	if (name.n == 0)
		name = path.n > 1 ? path_name(path) : path;
	struct op op = { .kind = OP_ROOT, .path = path, .name = name };
	enum err e = batch_copy(b, &op.path);
	if (e == ERR_OK)
		e = batch_copy(b, &op.name);
	return e == ERR_OK ? batch_add_op(b, &op) : e;
}

static enum err add_file(struct batch *b, enum op_kind kind, uint64_t media_id,
			 const struct media_file_in *file)
{
	struct op op = { .kind = kind };
	op.media_id = media_id;
	enum err e = file_pack(b, file, &op.file);
	if (e != ERR_OK)
		return e;
	op.path = batch_text_span(op.file->path);
	return batch_add_op(b, &op);
}

enum err batch_put(struct batch *b, const struct media_file_in *file)
{
	return add_file(b, OP_PUT, 0, file);
}

enum err batch_move(struct batch *b, uint64_t media_id, const struct media_file_in *file)
{
	return add_file(b, OP_MOVE, media_id, file);
}

enum err batch_remove(struct batch *b, struct span path)
{
	if (!path_is_sound(path))
		return ERR_INVALID;
	struct op op = { .kind = OP_REMOVE, .path = path };
	enum err e = batch_copy(b, &op.path);
	return e == ERR_OK ? batch_add_op(b, &op) : e;
}

enum err batch_remove_tree(struct batch *b, struct span path)
{
	if (!directory_path_sound(&path))
		return ERR_INVALID;
	struct op op = { .kind = OP_REMOVE_TREE, .path = path };
	enum err e = batch_copy(b, &op.path);
	return e == ERR_OK ? batch_add_op(b, &op) : e;
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
