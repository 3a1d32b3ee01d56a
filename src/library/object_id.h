/* SPDX-License-Identifier: MIT */
/* Object ids as clients see them: "AT", "d7", "ar3/al9/i12". Stable for ever. Pure. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "library/library.h"

enum id_kind {
	ID_STATIC,	 /* number: enum static_number */
	ID_DIRECTORY,	 /* d7 */
	ID_ARTIST,	 /* ar7 */
	ID_ARTIST_ALL,	 /* ar7/all */
	ID_ARTIST_ALBUM, /* ar7/al3: number is the album, artist_id the artist */
	ID_ALBUM,	 /* al3 */
	ID_GENRE,	 /* g5 */
	ID_YEAR,	 /* y1999: number is the year */
	ID_HOME		 /* of an item: the directory that its record names */
};

enum static_number {
	STATIC_ROOT,	   /* 0 */
	STATIC_MUSIC,	   /* A */
	STATIC_ALL_MUSIC,  /* AT */
	STATIC_ARTISTS,	   /* AR */
	STATIC_ALBUMS,	   /* AL */
	STATIC_GENRES,	   /* AG */
	STATIC_YEARS,	   /* AY */
	STATIC_VIDEO,	   /* V */
	STATIC_ALL_VIDEOS, /* VT */
	STATIC_PICTURES,   /* I */
	STATIC_ALL_IMAGES, /* IT */
	STATIC_FOLDERS,	   /* F */
	STATIC_N
};

struct object_id {
	enum id_kind container;
	uint32_t number;
	uint32_t artist_id;
	uint32_t media_id; /* 0: the container itself, else an item in it */
};

/** Strict: no leading zeros, no number 0, nothing behind the end; "1", "2", "3" are aliases.
 * ERR_NOTFOUND for whatever can be no id. */
NODISCARD enum err object_id_parse(struct span s, struct object_id *out);
void object_id_format(const struct object_id *id, char out[LIBRARY_ID_MAX]);

/** A container's id alone. */
static inline struct object_id object_id_container(enum id_kind kind, uint32_t number)
{
	return (struct object_id){ .container = kind, .number = number };
}

static inline struct object_id object_id_static(enum static_number number)
{
	return object_id_container(ID_STATIC, number);
}

const char *static_id(enum static_number number);
