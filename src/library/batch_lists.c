/* SPDX-License-Identifier: MIT */
/* Operations on playlists, bookmarks and settings: copied and checked. */
#include "base/json.h"
#include "base/utf8.h"
#include "library/batch_lists.h"
#include "library/batch_priv.h"

static enum err dup_bytes(struct batch *b, const void *p, size_t n, void **out)
{
	void *copy = n ? arena_alloc(&b->arena, n) : NULL;
	if (n && !copy)
		return batch_no_room(b, n);
	if (n)
		memcpy(copy, p, n);
	*out = copy;
	return ERR_OK;
}

static enum err add(struct batch *b, enum op_kind kind, const void *args, size_t args_bytes,
		    struct op_result *out)
{
	void *copy = NULL;
	enum err e = dup_bytes(b, args, args_bytes, &copy);
	if (e == ERR_OK)
		e = batch_add_op(b, &(struct op){ .kind = kind, .args = copy, .result = out });
	if (e == ERR_OK && out)
		*out = (struct op_result){ .err = ERR_CLOSED };
	return e;
}

/* ---- playlists ------------------------------------------------------------------------------- */

static bool text_fits(struct span s, size_t max)
{
	return s.n <= max && utf8_valid(s) && (s.n == 0 || !memchr(s.p, '\0', s.n));
}

static enum err copy_name(struct batch *b, struct span name, struct span *out)
{
	name = span_trim(name);
	if (name.n == 0 || !text_fits(name, PLAYLIST_NAME_MAX))
		return ERR_INVALID;
	*out = name;
	return batch_copy(b, out);
}

static enum err copy_description(struct batch *b, struct span text, struct span *out)
{
	if (!text_fits(text, PLAYLIST_DESCRIPTION_MAX))
		return ERR_INVALID;
	*out = text;
	return batch_copy(b, out);
}

/* A scheme (RFC 3986) and something behind it. */
static bool is_url(struct span uri)
{
	size_t n = span_find(uri, ':');
	bool ok = n > 1 && n + 1 < uri.n;
	for (size_t i = 0; i < n && ok; i++) {
		char c = uri.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		ok = letter || (i > 0 && ((c >= '0' && c <= '9') || memchr("+-.", c, 3)));
	}
	return ok;
}

static bool ref_is_sound(const struct playlist_ref *ref)
{
	if (ref->media_id)
		return ref->media_id <= DB_ID_MAX;
	if (ref->uri.n && ref->uri.p[0] == '/')
		return path_is_sound(ref->uri);
	return ref->uri.n <= MEDIA_PATH_MAX && text_fits(ref->uri, MEDIA_PATH_MAX) &&
	       is_url(ref->uri);
}

static enum err copy_refs(struct batch *b, const struct playlist_ref *refs, uint32_t n,
			  struct playlist_args *args)
{
	if (n > PLAYLIST_OP_ENTRIES_MAX)
		return ERR_LIMIT;
	for (uint32_t i = 0; i < n; i++)
		if (!ref_is_sound(&refs[i]))
			return ERR_INVALID;
	void *p;
	enum err e = dup_bytes(b, refs, n * sizeof *refs, &p);
	struct playlist_ref *copies = e == ERR_OK ? p : NULL;
	for (uint32_t i = 0; i < n && e == ERR_OK; i++) {
		struct playlist_ref *r = &copies[i];
		r->uri = r->media_id ? (struct span){ NULL, 0 } : r->uri;
		r->title = span_first(r->title, MEDIA_TEXT_MAX);
		e = batch_copy(b, &r->uri);
		if (e == ERR_OK)
			e = batch_copy(b, &r->title);
	}
	args->refs = copies;
	args->refs_n = n;
	return e;
}

static enum err copy_ids(struct batch *b, const uint64_t *ids, uint32_t n,
			 struct playlist_args *args)
{
	void *p = NULL;
	enum err e =
		n > PLAYLIST_OP_ENTRIES_MAX ? ERR_LIMIT : dup_bytes(b, ids, n * sizeof *ids, &p);
	args->entry_ids = p;
	args->entry_ids_n = n;
	return e;
}

enum err batch_playlist_create(struct batch *b, const struct playlist_new *playlist,
			       struct op_result *out)
{
	struct playlist_args args = { .path = playlist->path };
	if (playlist->path.n && !path_is_sound(playlist->path))
		return ERR_INVALID;
	enum err e = copy_name(b, playlist->name, &args.name);
	if (e == ERR_OK)
		e = copy_description(b, playlist->description, &args.description);
	if (e == ERR_OK)
		e = batch_copy(b, &args.path);
	if (e == ERR_OK)
		e = copy_refs(b, playlist->entries, playlist->entries_n, &args);
	return e == ERR_OK ? add(b, OP_PLAYLIST_CREATE, &args, sizeof args, out) : e;
}

enum err batch_playlist_edit(struct batch *b, uint64_t playlist_id, const struct span *name,
			     const struct span *description, struct op_result *out)
{
	struct playlist_args args = { .playlist_id = playlist_id,
				      .has_name = name,
				      .has_description = description };
	enum err e = name ? copy_name(b, *name, &args.name) : ERR_OK;
	if (e == ERR_OK && description)
		e = copy_description(b, *description, &args.description);
	return e == ERR_OK ? add(b, OP_PLAYLIST_EDIT, &args, sizeof args, out) : e;
}

enum err batch_playlist_delete(struct batch *b, uint64_t playlist_id, struct op_result *out)
{
	struct playlist_args args = { .playlist_id = playlist_id };
	return add(b, OP_PLAYLIST_DELETE, &args, sizeof args, out);
}

static enum err add_with_refs(struct batch *b, enum op_kind kind, uint64_t playlist_id, uint32_t at,
			      const struct playlist_ref *entries, uint32_t entries_n,
			      struct op_result *out)
{
	struct playlist_args args = { .playlist_id = playlist_id, .at = at };
	enum err e = copy_refs(b, entries, entries_n, &args);
	return e == ERR_OK ? add(b, kind, &args, sizeof args, out) : e;
}

enum err batch_playlist_add(struct batch *b, uint64_t playlist_id, uint32_t at,
			    const struct playlist_ref *entries, uint32_t entries_n,
			    struct op_result *out)
{
	return add_with_refs(b, OP_PLAYLIST_ADD, playlist_id, at, entries, entries_n, out);
}

enum err batch_playlist_replace(struct batch *b, uint64_t playlist_id,
				const struct playlist_ref *entries, uint32_t entries_n,
				struct op_result *out)
{
	return add_with_refs(b, OP_PLAYLIST_REPLACE, playlist_id, PLAYLIST_END, entries, entries_n,
			     out);
}

static enum err add_with_ids(struct batch *b, enum op_kind kind, uint64_t playlist_id, uint32_t at,
			     const uint64_t *ids, uint32_t n, struct op_result *out)
{
	struct playlist_args args = { .playlist_id = playlist_id, .at = at };
	enum err e = copy_ids(b, ids, n, &args);
	return e == ERR_OK ? add(b, kind, &args, sizeof args, out) : e;
}

enum err batch_playlist_remove(struct batch *b, uint64_t playlist_id, const uint64_t *entry_ids,
			       uint32_t entry_ids_n, struct op_result *out)
{
	return add_with_ids(b, OP_PLAYLIST_REMOVE, playlist_id, 0, entry_ids, entry_ids_n, out);
}

enum err batch_playlist_move(struct batch *b, uint64_t playlist_id, uint32_t at,
			     const uint64_t *entry_ids, uint32_t entry_ids_n, struct op_result *out)
{
	return add_with_ids(b, OP_PLAYLIST_MOVE, playlist_id, at, entry_ids, entry_ids_n, out);
}

enum err batch_playlist_import(struct batch *b, const struct playlist_import *import,
			       struct op_result *out)
{
	struct playlist_args args = { .playlist_id = import->id,
				      .how = import->how,
				      .has_name = true,
				      .has_description = true,
				      .at = PLAYLIST_END,
				      .source = import->source };
	if (import->how == PLAYLIST_IMPORT_GONE)
		return import->id ? add(b, OP_PLAYLIST_IMPORT, &args, sizeof args, out)
				  : ERR_INVALID; /* else a new one, without a name */
	if (!path_is_sound(args.source.path) || args.source.modified == 0)
		return ERR_INVALID;
	enum err e = copy_name(b, import->name, &args.name);
	if (e == ERR_OK)
		e = copy_description(b, import->description, &args.description);
	if (e == ERR_OK)
		e = batch_copy(b, &args.source.path);
	if (e == ERR_OK)
		e = copy_refs(b, import->entries, import->entries_n, &args);
	return e == ERR_OK ? add(b, OP_PLAYLIST_IMPORT, &args, sizeof args, out) : e;
}

/* ---- bookmarks ------------------------------------------------------------------------------- */

enum err batch_bookmark_set(struct batch *b, const struct bookmark_change *change,
			    struct op_result *out)
{
	struct bookmark_change c = *change;
	if (c.media_id ? c.media_id > DB_ID_MAX : !path_is_sound(c.path))
		return ERR_INVALID;
	if (!text_fits(c.client, BOOKMARK_CLIENT_MAX))
		return ERR_INVALID;
	if (c.media_id)
		c.path = (struct span){ NULL, 0 };
	enum err e = batch_copy(b, &c.path);
	if (e == ERR_OK)
		e = batch_copy(b, &c.client);
	return e == ERR_OK ? add(b, OP_BOOKMARK_SET, &c, sizeof c, out) : e;
}

enum err batch_bookmark_remove(struct batch *b, uint64_t media_id, struct op_result *out)
{
	struct bookmark_change c = { .media_id = media_id };
	return add(b, OP_BOOKMARK_REMOVE, &c, sizeof c, out);
}

/* ---- settings -------------------------------------------------------------------------------- */

static bool setting_name_is_sound(struct span name)
{
	bool ok = name.n > 0 && name.n <= SETTING_NAME_MAX && !setting_is_reserved(name);
	for (size_t i = 0; i < name.n && ok; i++) {
		char c = name.p[i];
		ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		     memchr("._-", c, 3);
	}
	return ok;
}

enum err batch_setting_set(struct batch *b, struct span name, struct span value,
			   struct op_result *out)
{
	struct setting_args args = { .name = name, .value = value };
	if (value.n > SETTING_VALUE_MAX)
		return ERR_LIMIT;
	if (!setting_name_is_sound(name) || !json_is_valid(value))
		return ERR_INVALID;
	enum err e = batch_copy(b, &args.name);
	if (e == ERR_OK)
		e = batch_copy(b, &args.value);
	return e == ERR_OK ? add(b, OP_SETTING_SET, &args, sizeof args, out) : e;
}

enum err batch_setting_remove(struct batch *b, struct span name, struct op_result *out)
{
	struct setting_args args = { .name = name };
	if (!setting_name_is_sound(name))
		return ERR_INVALID;
	enum err e = batch_copy(b, &args.name);
	return e == ERR_OK ? add(b, OP_SETTING_REMOVE, &args, sizeof args, out) : e;
}
