/* SPDX-License-Identifier: MIT */
/* A text column: the folded titles of everything that can be found, in the order of a Search's
 * answer, in one immutable mapped file that shows one commit. What it is read for is searching;
 * everything in it can be made again from the records. */
#pragma once

#include "db/db.h"
#include "library/text_format.h"

struct text_column {
	const uint8_t *map;
	uint64_t bytes;
	struct db_mark mark;
	uint64_t number;		/* of its file */
	struct disk_text_block *blocks; /* checked; sorted by kind, then first */
	uint32_t blocks_n;
	uint32_t block_at[TEXT_ODD + 2]; /* first block of a kind; that of kind + 1 is its end */
	uint32_t rows_n[TEXT_ODD + 1];	 /* by kind */
	uint64_t lost_n;		 /* pages that had been lost when it was checked */
};

/** What a section holds: one group of one index (of directories: all rows, by id). */
struct text_section {
	uint8_t table, index;
	uint32_t group;
	uint8_t shape;	 /* search_shape() of its objects */
	uint8_t dicts_n; /* it has the numbers of the first dictionaries */
};
extern const struct text_section text_sections[TEXT_SECTIONS_N];

void text_column_name(uint64_t number, char out[32]);
/** Maps and checks the whole file. Errors: ERR_NOTFOUND, ERR_CORRUPT (also: of another store),
 * ERR_VERSION, ERR_NOMEM. */
NODISCARD enum err text_column_open(int dir_fd, uint64_t number, const uint8_t uuid[16],
				    struct text_column **out);
void text_column_close(struct text_column *col); /* NULL is fine */
/** Private memory that it takes, beside its map. */
uint64_t text_column_memory_bytes(const struct text_column *col);
/** False where a page of it could not be read since it was checked. */
bool text_column_sound(const struct text_column *col);

/** A block of a section or dictionary, taken apart. */
struct text_block {
	uint32_t n, first, text_n;
	const uint32_t *ids; /* sections only */
	const uint32_t *ends;
	const uint32_t *numbers[TEXT_DICTS_N];
	const char *text;
};
void text_block_get(const struct text_column *col, uint32_t block, struct text_block *out);
/** The text of row i < n without its last NUL; empty where the page was lost. */
struct span text_block_row(const struct text_block *b, uint32_t i);
/** The row that the byte at `off` belongs to, looked for from row `from` on; n: none. */
uint32_t text_block_row_at(const struct text_block *b, uint32_t from, uint32_t off);
/** The block of a section that has row `pos`, or its last one. The section has rows. */
uint32_t text_block_of(const struct text_column *col, uint32_t section, uint32_t pos);
/** Odd row i: what no section could take. */
void text_odd_row(const struct text_column *col, uint32_t block, uint32_t i, uint32_t *out_table,
		  uint32_t *out_id);
