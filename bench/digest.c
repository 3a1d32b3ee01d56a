/* SPDX-License-Identifier: MIT */
/* Digests: whole records by XXH3 of every field; what comes in lists by numbers and the ends of
 * texts, so that the digest takes little beside what is measured. */
#include "digest.h"

#include <xxhash.h>

static uint64_t number(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

static uint64_t text(uint64_t h, struct span s)
{
	return XXH3_64bits_withSeed(s.p, s.n, h);
}

static uint64_t ends(uint64_t h, struct span s)
{
	uint64_t first = 0, last = 0;
	if (s.n >= sizeof first) {
		memcpy(&first, s.p, sizeof first);
		memcpy(&last, s.p + s.n - sizeof last, sizeof last);
	} else if (s.n) {
		memcpy(&first, s.p, s.n);
	}
	return number(h ^ first, last ^ s.n);
}

void digest_record(struct digest *d, const struct row_view *v)
{
	uint64_t h = number(number(number(d->hash, v->id), v->size), (uint64_t)v->modified);
	h = number(h, (uint64_t)v->duration_ms << 32 | (uint32_t)v->track << 16 | v->year);
	h = text(text(text(text(h, v->path), v->filename), v->mime_type), v->title);
	d->hash = text(text(text(text(h, v->artist), v->album), v->genre), v->album_artist);
	d->rows_n++;
}

void digest_entry(struct digest *d, const struct row_view *v)
{
	d->hash = ends(ends(number(number(d->hash, v->id), v->size), v->filename), v->title);
	d->rows_n++;
}

void digest_track(struct digest *d, const struct row_view *v)
{
	uint64_t h = number(number(1, v->id), (uint64_t)v->duration_ms << 16 | v->track);
	d->hash += ends(ends(h, v->title), v->album);
	d->rows_n++;
}

void digest_count(struct digest *d, struct span name, uint64_t n)
{
	d->hash += text(number(1, n), name);
	d->rows_n++;
}
