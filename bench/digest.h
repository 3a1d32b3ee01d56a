/* SPDX-License-Identifier: MIT */
/* What a read found, in one number: engines that answer the same have the same digests. */
#pragma once

#include <stdint.h>

#include "base/span.h"

/** The fields that reads look at. An engine fills those that the digest at hand takes. */
struct row_view {
	uint64_t id, size;
	int64_t modified;
	uint32_t duration_ms;
	uint16_t track, year;
	struct span path, filename, mime_type, title, artist, album, genre, album_artist;
};

struct digest {
	uint64_t hash, rows_n;
};

/** A whole record: every field. The order of the calls counts, here and below. */
void digest_record(struct digest *d, const struct row_view *v);
/** An entry of a list: id, size, ends of filename and title. */
void digest_entry(struct digest *d, const struct row_view *v);
/** A track: id, duration, track, ends of title and album. In any order, because engines order an
 * artist's tracks each in its own way. */
void digest_track(struct digest *d, const struct row_view *v);
/** A name and how many rows have it; in any order. */
void digest_count(struct digest *d, struct span name, uint64_t n);
