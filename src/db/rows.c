/* SPDX-License-Identifier: MIT */
/* Many rows at once. One after the other, each would wait for several lines of memory in turn: its
 * address, the head of its chunk, its slot there, itself. In steps that each do one of these for
 * all of them, the waits overlap. */
#include "db/db_priv.h"

/* Which of those left the run knows; returns how many it does not. */
static size_t addresses_of_run(const struct run *r, const struct db_row *rows, uint8_t *left,
			       size_t n, uint64_t *out)
{
	size_t left_n = 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t at = left[i];
		left[left_n] = at;
		left_n += !run_address(r, rows[at].id, &out[at]);
	}
	return left_n;
}

/* Of every row: the newest run that knows an id has its address. 0: nowhere. */
static void addresses_find(const struct snap_table *t, const struct db_row *rows, size_t n,
			   uint64_t *out)
{
	uint8_t left[DB_ROWS_AT_ONCE];
	uint64_t least = UINT64_MAX, most = 0;
	for (size_t i = 0; i < n; i++) {
		left[i] = (uint8_t)i;
		out[i] = 0;
		least = MIN(least, rows[i].id);
		most = MAX(most, rows[i].id);
	}
	for (uint32_t k = t->runs_n; k-- > 0 && n > 0;) {
		const struct run *r = t->runs[k];
		if (r->rows_n && most >= run_id_at(r, 0) && least <= run_id_at(r, r->rows_n - 1))
			n = addresses_of_run(r, rows, left, n, out);
	}
}

/* The row's slot in its chunk; `chunk` is that of the address before. NULL: it cannot be read. */
static const uint8_t *slot_find(struct db *db, unsigned table, uint64_t address, uint64_t before,
				struct fb_vector *chunk)
{
	if (!address_same_chunk(address, before) && chunk_rows(db, table, address, chunk) != ERR_OK)
		chunk->n = 0;
	uint32_t row = address_row(address);
	return row < chunk->n ? chunk->buf + chunk->pos + 4 * (size_t)row : NULL;
}

static void rows_read(const struct db_snap *sn, unsigned table, struct db_row *rows, size_t n)
{
	struct db *db = sn->db;
	uint64_t address[DB_ROWS_AT_ONCE];
	const uint8_t *slot[DB_ROWS_AT_ONCE];
	struct fb_vector chunk = { .n = 0 };
	addresses_find(&sn->tables[table], rows, n, address);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !address_same_chunk(address[i], address[i - 1]))
			chunk_fetch(db, table, address[i]);
	for (size_t i = 0; i < n; i++) {
		slot[i] = slot_find(db, table, address[i], i ? address[i - 1] : 0, &chunk);
		__builtin_prefetch(slot[i]);
		rows[i].row = (struct fb_table){ chunk.buf, chunk.size, 0 };
	}
	for (size_t i = 0; i < n; i++) {
		struct fb_table *row = &rows[i].row;
		if (!slot[i])
			continue;
		row->pos = (uint32_t)(slot[i] - row->buf) + num_le32(slot[i]);
		if (i == 0 || address[i] != address[i - 1] + 1) /* else the processor sees it */
			row_fetch(*row);
	}
	for (size_t i = 0; i < n; i++)
		if (!slot[i] || db->tables[table].row_id(rows[i].row) != rows[i].id)
			rows[i].row = (struct fb_table){ .pos = 0 };
}

void db_get_rows(const struct db_snap *sn, unsigned table, struct db_row *rows, size_t n)
{
	for (size_t at = 0; at < n; at += DB_ROWS_AT_ONCE)
		rows_read(sn, table, rows + at, MIN(n - at, (size_t)DB_ROWS_AT_ONCE));
}
