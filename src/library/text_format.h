/* SPDX-License-Identifier: MIT */
/* The bytes of a text column, `text-NNNNNNNN.col`: see schema/FORMAT.md. */
#pragma once

#include <stdint.h>

#define TEXT_MAGIC "SLVTXT01"
#define TEXT_VERSION 1u
#define TEXT_BLOCK_ROWS 2048u		   /* rows of one block at most */
#define TEXT_BLOCK_TEXT_BYTES (128u << 10) /* a block ends when its text is that long */

/* Values that many rows share are kept once, in a dictionary; a row has their numbers, from 1. */
enum text_dict { TEXT_ARTISTS, TEXT_ALBUMS, TEXT_GENRES, TEXT_DICTS_N };

/* What a block holds: rows of a section, entries of a dictionary, or ids of odd rows. */
enum text_kind {
	TEXT_ARTIST_TERMS, /* sections: in the order of a Search's answer */
	TEXT_ALBUM_ROWS,
	TEXT_GENRE_TERMS,
	TEXT_DIRECTORIES,
	TEXT_AUDIO,
	TEXT_VIDEO,
	TEXT_IMAGES,
	TEXT_SECTIONS_N,
	TEXT_DICT = 16, /* + enum text_dict */
	TEXT_ODD = 32
};

struct disk_text_head {
	char magic[8];
	uint32_t version, blocks_n;
	uint8_t uuid[16];
	uint64_t commit; /* what it shows, and the place in the log behind it */
	uint32_t segment, offset;
	uint64_t blocks_off; /* disk_text_block[blocks_n]: the end of the file */
	uint64_t blocks_hash;
	uint64_t hash; /* XXH3-64 of what stands before */
};
_Static_assert(sizeof(struct disk_text_head) == 72, "disk_text_head");

/* u32 elements, then text. Rows of a section: ids[n], ends[n] (where each title's text ends, its
 * NUL included), numbers[dicts][n] (media and albums), text. Dictionary: ends[n], text. Odd rows:
 * u32 table, u32 id for each. */
struct disk_text_block {
	uint64_t off;
	uint32_t bytes, n;
	uint32_t first; /* rows or entries of the same kind before it */
	uint32_t kind;
	uint64_t hash; /* XXH3-64 of its bytes; seed: off */
};
_Static_assert(sizeof(struct disk_text_block) == 32, "disk_text_block");

/* Values of one dictionary entry: a byte that says whose name it is, the folded text, a NUL. */
enum text_role { TEXT_ROLE_CREATOR = 1, TEXT_ROLE_ARTIST = 2, TEXT_ROLE_ALBUM_ARTIST = 4 };
