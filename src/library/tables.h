/* SPDX-License-Identifier: MIT */
/* The tables and indexes of the library as the store knows them: positions are fixed for ever. */
#pragma once

#include "base/flatbuffer.h"
#include "base/span.h"
#include "db/db.h"

enum table_number {
	TABLE_MEDIA,
	TABLE_DIRECTORY,
	TABLE_TERM,
	TABLE_ALBUM,
	TABLE_PLAYLIST,
	TABLE_BOOKMARK,
	TABLE_SETTING,
	TABLE_PLAYLIST_ENTRY,
	TABLES_N
};

enum media_index {
	MEDIA_DIR,   /* group: directory; key: natural key of the file name */
	MEDIA_TITLE, /* group: MediaKind; key: natural key of the title */
	MEDIA_TERM,  /* group: term; key: album, disc, track */
	MEDIA_ALBUM, /* group: album; key: disc, track */
	MEDIA_INODE, /* group, key: inode_group(), inode_key() */
	MEDIA_WHEN   /* group: MediaKind; key: created_at, the newest first. Images also by date:
		      * group: month_group(); key: second of the month */
};

/* Months in which pictures are listed by date. */
#define MONTH_YEAR_MIN 1800u
#define MONTH_YEAR_MAX 2199u

enum directory_index {
	DIRECTORY_PATH, /* group: name_hash32(path) */
	DIRECTORY_SUB,	/* live ones; group: parent, 0 for roots; key: natural key of the name */
	/* the same of those with audio / video / images in them or below: */
	DIRECTORY_AUDIO,
	DIRECTORY_VIDEO,
	DIRECTORY_IMAGE
};

enum term_index {
	TERM_LOOKUP, /* group: term_hash() */
	TERM_NAME /* live ones; group: TermKind; key: natural key of the name. Artists whom albums
		   * are by also as album artists */
};

enum album_index {
	ALBUM_LOOKUP, /* group: album_hash() */
	ALBUM_ALL,    /* live ones; group: 0; key: natural key of the title */
	ALBUM_ARTIST  /* live ones with an artist; group: term; key: natural key of the title */
};

enum playlist_index {
	PLAYLIST_NAME, /* group: 0; key: natural key of the name */
	PLAYLIST_PATH  /* of those with a path; group: name_hash32(path) */
};

enum entry_index {
	ENTRY_ORDER,   /* group: playlist; key: order */
	ENTRY_PRESENT, /* those with a media id; group: playlist; key: order */
	ENTRY_MEDIA,   /* those with a media id; group: media id */
	ENTRY_MISSING  /* those without; group: 0; key: hash of the uri */
};

enum bookmark_index {
	BOOKMARK_LIST /* group: enum bookmark_list; key: time, the newest first */
};

enum setting_index {
	SETTING_NAME /* group: 0; key: name */
};

extern const struct db_table_def library_tables[TABLES_N];

/* Names of one file that become terms; more are kept in the record only. */
#define MEDIA_NAMES_MAX 32
/* artists, album artist, genres, composer, year */
#define MEDIA_TERMS_MAX (2 * MEDIA_NAMES_MAX + 3)

/** Every term of a record once. Returns how many. */
unsigned media_term_ids(struct fb_table media, uint32_t out[MEDIA_TERMS_MAX]);
/** Files of a MediaKind in a directory that holds files_n in all. */
uint64_t directory_files_of_kind(struct fb_table directory, uint8_t kind, uint64_t files_n);
/** Append `id` unless it is 0 or there already; returns the new length. */
unsigned term_ids_add(uint32_t ids[MEDIA_TERMS_MAX], unsigned n, uint32_t id);

/* Hashes that are groups of look-up indexes. On disk: never to be changed (XXH3, 64 bits). */
uint64_t directory_hash(struct span path);
/** Of a file's path: its directory_hash(), and its name. Stands nowhere on the disk. */
uint64_t file_hash(uint64_t directory_hash, struct span name);
uint64_t term_hash(uint8_t kind, struct span name);
uint64_t album_hash(uint32_t artist_id, uint64_t directory_id, struct span title);
uint64_t entry_uri_hash(struct span uri);
uint32_t inode_group(uint64_t device, uint64_t inode);
void inode_key(uint64_t inode, uint8_t out[4]);
/** Big-endian: the order of the bytes is that of the numbers. */
void key_be64(uint64_t v, uint8_t out[8]);

/** Groups of MEDIA_WHEN in order of time; month 1..12. */
uint32_t month_group(uint32_t year, uint32_t month);
void month_of_group(uint32_t group, uint32_t *out_year, uint32_t *out_month);
/** The month of a picture that was taken then (camera's time, seconds), else modified then
 * (nanoseconds, UTC); false: it has no date between MONTH_YEAR_MIN and MONTH_YEAR_MAX. Pure. */
bool image_month(int64_t taken_s, int64_t modified_ns, uint32_t *out_group, uint32_t *out_second);
