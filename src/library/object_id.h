/* SPDX-License-Identifier: MIT */
/* Object ids as clients see them: "AT", "d7", "ar3/al9/i12". Stable for ever. Pure. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "library/library.h"

enum id_kind {
	ID_STATIC,	       /* number: enum static_number */
	ID_DIRECTORY,	       /* d7 */
	ID_ARTIST,	       /* ar7 */
	ID_ARTIST_ALL,	       /* ar7/all */
	ID_ARTIST_ALBUM,       /* ar7/al3: number is the album, artist_id the artist */
	ID_ALBUM,	       /* al3 */
	ID_GENRE,	       /* g5 */
	ID_YEAR,	       /* y1999: number is the year */
	ID_ALBUM_ARTIST,       /* aa7: an artist as the one whom albums are by */
	ID_ALBUM_ARTIST_ALBUM, /* aa7/al3: like ID_ARTIST_ALBUM */
	ID_COMPOSER,	       /* c7 */
	ID_PHOTO_YEAR,	       /* py2024 */
	ID_PHOTO_MONTH,	       /* pm202405: number is 202405 */
	ID_PLAYLIST,	       /* pl7 */
	ID_AUDIO_DIRECTORY,    /* da5: a directory's audio, and its sub-directories that have any */
	ID_VIDEO_DIRECTORY,    /* dv5 */
	ID_IMAGE_DIRECTORY,    /* di5 */
	ID_HOME		       /* of an item: the directory that its record names */
};

enum static_number {
	STATIC_ROOT,	      /* 0 */
	STATIC_MUSIC,	      /* A */
	STATIC_ALL_MUSIC,     /* AT */
	STATIC_ARTISTS,	      /* AR */
	STATIC_ALBUM_ARTISTS, /* AA */
	STATIC_ALBUMS,	      /* AL */
	STATIC_GENRES,	      /* AG */
	STATIC_COMPOSERS,     /* AC */
	STATIC_YEARS,	      /* AY */
	STATIC_NEW_MUSIC,     /* AN */
	STATIC_MUSIC_FOLDERS, /* AF */
	STATIC_VIDEO,	      /* V */
	STATIC_ALL_VIDEOS,    /* VT */
	STATIC_NEW_VIDEOS,    /* VN */
	STATIC_VIDEO_FOLDERS, /* VF */
	STATIC_PICTURES,      /* I */
	STATIC_ALL_IMAGES,    /* IT */
	STATIC_DATES,	      /* ID */
	STATIC_NEW_IMAGES,    /* IN */
	STATIC_IMAGE_FOLDERS, /* IF */
	STATIC_PLAYLISTS,     /* P */
	STATIC_FOLDERS,	      /* F */
	STATIC_N
};

struct object_id {
	enum id_kind container;
	uint32_t number;
	uint32_t artist_id;
	uint32_t media_id; /* 0: the container itself, else an item in it */
	uint32_t entry_id; /* of a playlist: its items are entries (pl7/e9), not files */
};

/** Strict: no leading zeros, no number 0, nothing behind the end; "1", "2", "3" are aliases.
 * ERR_NOTFOUND for whatever can be no id. */
NODISCARD enum err object_id_parse(struct span s, struct object_id *out);
void object_id_format(const struct object_id *id, char out[LIBRARY_ID_MAX]);

/** Whether it names an item. */
static inline bool object_id_is_item(const struct object_id *id)
{
	return id->media_id || id->entry_id;
}

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
