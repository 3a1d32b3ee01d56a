/* SPDX-License-Identifier: MIT */
/* Packing and unpacking LMDB's records. */
#include "lmdb_record.h"

#define STRINGS_N 9

struct head {
	uint64_t size;
	int64_t modified, created_at, updated_at;
	uint32_t duration_ms;
	uint16_t track, year;
	uint16_t n[STRINGS_N]; /* bytes of each string */
};

static void strings_of(struct lmdb_record *r, struct span *out[STRINGS_N])
{
	struct span *const strings[STRINGS_N] = {
		&r->v.path,   &r->canonical_path, &r->v.filename, &r->v.mime_type,   &r->v.title,
		&r->v.artist, &r->v.album,	  &r->v.genre,	  &r->v.album_artist
	};
	memcpy(out, strings, sizeof strings);
}

struct lmdb_record lmdb_record_of(const struct media_file_in *in)
{
	struct lmdb_record r = {
		.v = { .size = in->size,
		       .modified = in->modified,
		       .duration_ms = in->duration_ms,
		       .track = in->track,
		       .year = in->year,
		       .path = in->path,
		       .filename = in->filename,
		       .mime_type = in->mime_type,
		       .title = in->title,
		       .artist = in->artist,
		       .album = in->album,
		       .genre = in->genre,
		       .album_artist = in->album_artist },
		.created_at = in->created_at,
		.updated_at = in->updated_at,
	};
	if (!span_eq(in->canonical_path, in->path))
		r.canonical_path = in->canonical_path;
	return r;
}

size_t lmdb_record_bytes(const struct lmdb_record *r)
{
	const struct row_view *v = &r->v;
	return sizeof(struct head) + v->path.n + r->canonical_path.n + v->filename.n +
	       v->mime_type.n + v->title.n + v->artist.n + v->album.n + v->genre.n +
	       v->album_artist.n;
}

void lmdb_record_encode(const struct lmdb_record *r, void *out)
{
	struct lmdb_record copy = *r;
	struct span *strings[STRINGS_N];
	struct head h = { .size = r->v.size,
			  .modified = r->v.modified,
			  .created_at = r->created_at,
			  .updated_at = r->updated_at,
			  .duration_ms = r->v.duration_ms,
			  .track = r->v.track,
			  .year = r->v.year };
	char *p = (char *)out + sizeof h;
	strings_of(&copy, strings);
	for (unsigned i = 0; i < STRINGS_N; i++) {
		h.n[i] = (uint16_t)strings[i]->n;
		if (strings[i]->n)
			memcpy(p, strings[i]->p, strings[i]->n);
		p += strings[i]->n;
	}
	memcpy(out, &h, sizeof h);
}

void lmdb_record_decode(const void *p, struct lmdb_record *out)
{
	struct head h;
	struct span *strings[STRINGS_N];
	const char *at = (const char *)p + sizeof h;
	memcpy(&h, p, sizeof h);
	out->v.size = h.size;
	out->v.modified = h.modified;
	out->v.duration_ms = h.duration_ms;
	out->v.track = h.track;
	out->v.year = h.year;
	out->created_at = h.created_at;
	out->updated_at = h.updated_at;
	strings_of(out, strings);
	for (unsigned i = 0; i < STRINGS_N; i++) {
		*strings[i] = span_of(at, h.n[i]);
		at += h.n[i];
	}
}
