/* SPDX-License-Identifier: MIT */
/* Opening a column: everything is checked once, by hash and by shape; a page that is lost later
 * reads as zeros, which lead nowhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/fd.h"
#include "base/num.h"
#include "db/guard.h"
#include "library/search.h"
#include "library/tables.h"
#include "library/text_column.h"
#include "schema/media_fb.h"

const struct text_section text_sections[TEXT_SECTIONS_N] = {
	[TEXT_ARTIST_TERMS] = { TABLE_TERM, TERM_NAME, TERM_KIND_ARTIST,
				SEARCH_SHAPE_CONTAINERS + CONTAINER_ARTIST, 0 },
	[TEXT_ALBUM_ROWS] = { TABLE_ALBUM, ALBUM_ALL, 0, SEARCH_SHAPE_CONTAINERS + CONTAINER_ALBUM,
			      TEXT_ARTISTS + 1 },
	[TEXT_GENRE_TERMS] = { TABLE_TERM, TERM_NAME, TERM_KIND_GENRE,
			       SEARCH_SHAPE_CONTAINERS + CONTAINER_GENRE, 0 },
	[TEXT_DIRECTORIES] = { TABLE_DIRECTORY, 0, 0, SEARCH_SHAPE_CONTAINERS + CONTAINER_FOLDER,
			       0 },
	[TEXT_AUDIO] = { TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_AUDIO, 0, TEXT_DICTS_N },
	[TEXT_VIDEO] = { TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_VIDEO, 1, TEXT_DICTS_N },
	[TEXT_IMAGES] = { TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_IMAGE, 2, TEXT_DICTS_N },
};

void text_column_name(uint64_t number, char out[32])
{
	snprintf(out, 32, "text-%08llu.col", (unsigned long long)number);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static uint32_t dicts_of(uint32_t kind)
{
	return kind < TEXT_SECTIONS_N ? text_sections[kind].dicts_n : 0;
}

static bool is_dict(uint32_t kind)
{
	return kind >= TEXT_DICT && kind < TEXT_DICT + TEXT_DICTS_N;
}

void text_block_get(const struct text_column *col, uint32_t block, struct text_block *out)
{
	const struct disk_text_block *b = &col->blocks[block];
	const uint32_t *p = (const void *)(col->map + b->off);
	uint32_t words_n = 0;
	*out = (struct text_block){ .n = b->n, .first = b->first };
	if (b->kind < TEXT_SECTIONS_N) {
		out->ids = p;
		words_n = b->n;
	}
	out->ends = p + words_n;
	words_n += b->n;
	for (uint32_t d = 0; d < dicts_of(b->kind); d++, words_n += b->n)
		out->numbers[d] = p + words_n;
	out->text = (const char *)(p + words_n);
	out->text_n = b->bytes - words_n * 4;
}

struct span text_block_row(const struct text_block *b, uint32_t i)
{
	uint32_t begin = i ? b->ends[i - 1] : 0, end = b->ends[i];
	if (end > b->text_n || begin >= end)
		return span_of(b->text, 0);
	return span_of(b->text + begin, end - begin - 1);
}

uint32_t text_block_row_at(const struct text_block *b, uint32_t from, uint32_t off)
{
	uint32_t step = 1, lo = from;
	while (lo + step < b->n && b->ends[lo + step] <= off) {
		lo += step;
		step *= 2;
	}
	uint32_t hi = MIN(lo + step, b->n);
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (b->ends[mid] <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t text_block_of(const struct text_column *col, uint32_t section, uint32_t pos)
{
	uint32_t lo = col->block_at[section], hi = col->block_at[section + 1] - 1;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo + 1) / 2;
		if (col->blocks[mid].first <= pos)
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

void text_odd_row(const struct text_column *col, uint32_t block, uint32_t i, uint32_t *out_table,
		  uint32_t *out_id)
{
	const uint8_t *p = col->map + col->blocks[block].off + (size_t)i * 8;
	*out_table = num_le32(p);
	*out_id = num_le32(p + 4);
}

/* ---- checking -------------------------------------------------------------------------------- */

static bool block_fits(const struct disk_text_block *b, uint64_t blocks_off)
{
	uint64_t words = b->kind < TEXT_SECTIONS_N ? 2 + dicts_of(b->kind)
			 : is_dict(b->kind)	   ? 1
			 : b->kind == TEXT_ODD	   ? 2
						   : 0;
	return words && b->n > 0 && b->off % 8 == 0 && b->off >= sizeof(struct disk_text_head) &&
	       b->off <= blocks_off && b->bytes <= blocks_off - b->off &&
	       b->bytes >= (uint64_t)b->n * words * 4 &&
	       (b->kind >= TEXT_SECTIONS_N || b->n <= TEXT_BLOCK_ROWS);
}

/* Sorted, whole, and where the file says. */
static bool blocks_lead_on(struct text_column *col, uint64_t blocks_off)
{
	uint32_t kind = 0;
	for (uint32_t i = 0; i < col->blocks_n; i++) {
		const struct disk_text_block *b = &col->blocks[i];
		if (b->kind > TEXT_ODD || b->kind < kind || !block_fits(b, blocks_off))
			return false;
		for (; kind < b->kind; kind++)
			col->block_at[kind + 1] = i;
		if (b->first != col->rows_n[kind] || b->n > UINT32_MAX - 1 - b->first)
			return false;
		col->rows_n[kind] += b->n;
	}
	for (; kind <= TEXT_ODD; kind++)
		col->block_at[kind + 1] = col->blocks_n;
	return true;
}

static bool block_sound(const struct text_column *col, uint32_t i)
{
	const struct disk_text_block *d = &col->blocks[i];
	struct text_block b;
	if (XXH3_64bits_withSeed(col->map + d->off, d->bytes, d->off) != d->hash)
		return false;
	if (d->kind == TEXT_ODD)
		return d->bytes == (uint64_t)d->n * 8;
	text_block_get(col, i, &b);
	uint32_t before = 0;
	for (uint32_t r = 0; r < b.n; before = b.ends[r++])
		if (b.ends[r] <= before || b.ends[r] > b.text_n || b.text[b.ends[r] - 1] != '\0')
			return false;
	if (before != b.text_n)
		return false;
	for (uint32_t k = 0; k < dicts_of(d->kind); k++)
		for (uint32_t r = 0; r < b.n; r++)
			if (b.numbers[k][r] > col->rows_n[TEXT_DICT + k])
				return false;
	return true;
}

static enum err check(struct text_column *col, const uint8_t uuid[16])
{
	struct disk_text_head head;
	memcpy(&head, col->map, sizeof head);
	if (memcmp(head.magic, TEXT_MAGIC, sizeof head.magic) != 0)
		return ERR_CORRUPT;
	if (head.version > TEXT_VERSION)
		return ERR_VERSION;
	if (head.hash != XXH3_64bits(&head, offsetof(struct disk_text_head, hash)) ||
	    memcmp(head.uuid, uuid, sizeof head.uuid) != 0 || head.blocks_off % 8 != 0 ||
	    head.blocks_off > col->bytes ||
	    (uint64_t)head.blocks_n * sizeof *col->blocks != col->bytes - head.blocks_off)
		return ERR_CORRUPT;
	col->mark = (struct db_mark){ head.commit, head.segment, head.offset };
	col->blocks_n = head.blocks_n;
	size_t n = (size_t)head.blocks_n * sizeof *col->blocks;
	col->blocks = malloc(n + 1);
	if (!col->blocks)
		return ERR_NOMEM;
	memcpy(col->blocks, col->map + head.blocks_off, n);
	if (head.blocks_hash != XXH3_64bits(col->blocks, n) ||
	    !blocks_lead_on(col, head.blocks_off))
		return ERR_CORRUPT;
	for (uint32_t i = 0; i < col->blocks_n; i++)
		if (!block_sound(col, i))
			return ERR_CORRUPT;
	return text_column_sound(col) ? ERR_OK : ERR_CORRUPT;
}

/* ---- files ----------------------------------------------------------------------------------- */

enum err text_column_open(int dir_fd, uint64_t number, const uint8_t uuid[16],
			  struct text_column **out)
{
	char name[32];
	struct stat st;
	text_column_name(number, name);
	CLEANUP(fd_closep) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_from_errno(errno);
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct disk_text_head))
		return ERR_CORRUPT;
	struct text_column *col = calloc(1, sizeof *col);
	if (!col)
		return ERR_NOMEM;
	col->number = number;
	col->bytes = (uint64_t)st.st_size;
	col->lost_n = guard_lost_n();
	col->map = guard_map(fd, col->bytes);
	enum err e = col->map ? check(col, uuid) : ERR_NOMEM;
	if (e == ERR_OK)
		*out = TAKE(col);
	text_column_close(col);
	return e;
}

void text_column_close(struct text_column *col)
{
	if (!col)
		return;
	guard_unmap(col->map, col->bytes);
	free(col->blocks);
	free(col);
}

uint64_t text_column_memory_bytes(const struct text_column *col)
{
	return sizeof *col + col->blocks_n * sizeof *col->blocks;
}

bool text_column_sound(const struct text_column *col)
{
	return guard_lost_n() == col->lost_n;
}
