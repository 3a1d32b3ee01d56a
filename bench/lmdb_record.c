/* SPDX-License-Identifier: MIT */
/* Writing and reading LMDB's records in either format. */
#include "lmdb_record.h"

#include "base/num.h"
#include "engine.h"
#include "media_view.h"

/* ---- FlatBuffers ----------------------------------------------------------------------------- */

static size_t flatbuffers_encode(const struct media_file_in *in, uint8_t out[LMDB_RECORD_BYTES_MAX])
{
	struct media_file_in plain = *in; /* without what only our indexes need */
	uint32_t n;
	plain.directory_id = plain.album_artist_id = plain.year_id = plain.album_id = 0;
	plain.artist_ids_n = plain.genre_ids_n = 0;
	if (media_file_build(out, LMDB_RECORD_BYTES_MAX, &plain, &n) != ERR_OK)
		bench_fail("lmdb", "a record is too large");
	return n;
}

static void flatbuffers_decode(struct span bytes, enum lmdb_want want, struct row_view *out)
{
	const uint8_t *p = (const uint8_t *)bytes.p;
	struct fb_table m = { p, (uint32_t)bytes.n, num_le32(p) };
	if (want == WANT_ENTRY)
		*out = media_view_entry(m);
	else if (want == WANT_TRACK)
		*out = media_view_track(m);
	else
		*out = media_view_record(m);
}

const struct lmdb_format lmdb_flatbuffers = { flatbuffers_encode, flatbuffers_decode };

/* ---- packed ---------------------------------------------------------------------------------- */

#define STRINGS_N 9

struct head {
	uint64_t size;
	int64_t modified, created_at, updated_at;
	uint32_t duration_ms;
	uint16_t track, year;
	uint16_t n[STRINGS_N]; /* bytes of each string; 0 for a canonical path that is the path */
};

static size_t packed_encode(const struct media_file_in *in, uint8_t out[LMDB_RECORD_BYTES_MAX])
{
	bool canonical = span_eq(in->canonical_path, in->path);
	const struct span strings[STRINGS_N] = {
		in->path,
		in->filename,
		in->mime_type,
		in->title,
		in->artist,
		in->album,
		in->genre,
		in->album_artist,
		canonical ? (struct span){ NULL, 0 } : in->canonical_path,
	};
	struct head h = { .size = in->size,
			  .modified = in->modified,
			  .created_at = in->created_at,
			  .updated_at = in->updated_at,
			  .duration_ms = in->duration_ms,
			  .track = in->track,
			  .year = in->year };
	uint8_t *p = out + sizeof h, *end = out + LMDB_RECORD_BYTES_MAX;
	for (unsigned i = 0; i < STRINGS_N; i++) {
		h.n[i] = (uint16_t)strings[i].n;
		if (strings[i].n > (size_t)(end - p))
			bench_fail("lmdb", "a record is too large");
		if (strings[i].n)
			memcpy(p, strings[i].p, strings[i].n);
		p += strings[i].n;
	}
	memcpy(out, &h, sizeof h);
	return (size_t)(p - out);
}

static void packed_decode(struct span bytes, enum lmdb_want want, struct row_view *out)
{
	struct span *const strings[STRINGS_N - 1] = { &out->path,      &out->filename,
						      &out->mime_type, &out->title,
						      &out->artist,    &out->album,
						      &out->genre,     &out->album_artist };
	struct head h;
	const char *at = bytes.p + sizeof h;
	(void)want; /* a string's place follows from those before it */
	memcpy(&h, bytes.p, sizeof h);
	out->size = h.size;
	out->modified = h.modified;
	out->duration_ms = h.duration_ms;
	out->track = h.track;
	out->year = h.year;
	for (unsigned i = 0; i < STRINGS_N - 1; i++) {
		*strings[i] = span_of(at, h.n[i]);
		at += h.n[i];
	}
}

const struct lmdb_format lmdb_packed = { packed_encode, packed_decode };
