/* SPDX-License-Identifier: MIT */
/* Compaction: what is live in the oldest segments moves to the log's end, under the same ids, in
 * ordinary commits; a segment from which all has moved is unlinked once no snapshot and no manifest
 * on the disk needs it. Oldest first, so that the log is never without a piece in its middle: what
 * a removal in a segment refers to is gone before the removal is. A sweep begins when over half of
 * the log is dead, so a byte that is written is moved about once at most. */
#include "base/clock.h"
#include "base/log.h"
#include "db/db_priv.h"

#define STEP_MOVE_BYTES (1u << 20)  /* of rows in a commit: some 10 ms */
#define STEP_WALK_BYTES (32u << 20) /* of log looked at for them */
#define MOVE_ROWS_MAX 2048u	    /* of a chunk */

uint64_t log_used_bytes(const struct db *db, const struct db_snap *sn)
{
	uint64_t bytes = 0;
	for (uint32_t n = MAX(sn->log_first, 1u); n <= sn->log_end.segment; n++)
		if (db_segment(db, n))
			bytes += log_part_end(db, n, sn->log_end);
	return bytes;
}

/* ---- moving rows ---- */

struct chunk_buf {
	uint8_t *p;
	size_t bytes;
};

struct mover {
	struct db *db;
	struct db_txn *txn;
	struct fb_writer w;
	unsigned table; /* of the batch at hand; rows_n of it in w */
	bool begun;
	uint64_t moved_bytes;
	struct chunk_buf rows, sources; /* with room for a header before and padding behind */
};

static enum err mover_init(struct mover *m, struct db *db)
{
	const size_t extra = sizeof(struct disk_chunk) + CHUNK_ALIGN;
	*m = (struct mover){ .db = db,
			     .rows.bytes = CHUNK_PAYLOAD_MAX + extra,
			     .sources.bytes = MOVE_ROWS_MAX * 8 + extra };
	m->rows.p = mem_alloc(&db->mem, m->rows.bytes);
	m->sources.p = mem_alloc(&db->mem, m->sources.bytes);
	return m->rows.p && m->sources.p ? ERR_OK : ERR_NOMEM;
}

static void mover_fini(struct mover *m)
{
	mem_free(&m->db->mem, m->rows.p, m->rows.bytes);
	mem_free(&m->db->mem, m->sources.p, m->sources.bytes);
}

static uint64_t *sources_of(const struct mover *m)
{
	return (uint64_t *)(void *)(m->sources.p + sizeof(struct disk_chunk));
}

/* The batch goes out as two chunks, whence and what, and its rows get their new addresses. */
static enum err mover_flush(struct mover *m)
{
	if (!m->begun || m->w.rows_n == 0)
		return ERR_OK;
	m->begun = false;
	struct span payload = fb_batch_finish(&m->w);
	struct fb_vector rows;
	struct log_pos pos;
	if (table_verify(&m->db->tables[m->table], payload, &rows) != ERR_OK ||
	    rows.n != m->w.rows_n)
		return ERR_INVALID;
	struct disk_chunk *whence = (struct disk_chunk *)(void *)m->sources.p;
	struct disk_chunk *what = chunk_head(payload);
	*whence = (struct disk_chunk){ .kind = CHUNK_MOVES,
				       .table = (uint16_t)m->table,
				       .rows_n = rows.n };
	*what = (struct disk_chunk){ .kind = CHUNK_ROWS,
				     .table = (uint16_t)m->table,
				     .rows_n = rows.n };
	enum err e = log_append(&m->txn->log, whence, rows.n * 8, &pos);
	if (e == ERR_OK)
		e = log_append(&m->txn->log, what, (uint32_t)payload.n, &pos);
	if (e == ERR_OK)
		e = txn_apply_moves(m->txn, m->table, rows, pos, sources_of(m));
	m->moved_bytes += payload.n;
	return e;
}

static enum err mover_begin(struct mover *m, unsigned table)
{
	enum err e = mover_flush(m);
	if (e != ERR_OK)
		return e;
	m->db->tables[table].batch_begin(&m->w, m->rows.p + sizeof(struct disk_chunk),
					 CHUNK_PAYLOAD_MAX, m->txn->log.commit, clock_wall_s());
	m->table = table;
	m->begun = true;
	return m->w.err;
}

static enum err row_move(struct mover *m, unsigned table, struct fb_table row, uint64_t address)
{
	const struct db_table_def *def = &m->db->tables[table];
	bool room = m->begun && m->table == table && m->w.rows_n < MOVE_ROWS_MAX;
	enum err e = room ? ERR_OK : mover_begin(m, table);
	for (unsigned tries = 0; tries < 2 && e == ERR_OK; tries++) {
		uint32_t at = m->w.rows_n;
		def->copy_row(&m->w, row);
		if (m->w.err == ERR_OK) {
			sources_of(m)[at] = address;
			return ERR_OK;
		}
		m->w.err = ERR_OK; /* no room: what was written before is whole */
		e = mover_begin(m, table);
	}
	return e == ERR_OK ? ERR_LIMIT : e;
}

/* Rows of the chunk that are live where they stand. */
static enum err chunk_move(struct mover *m, const struct disk_chunk *c)
{
	struct db *db = m->db;
	struct fb_vector rows;
	uint64_t first = address_make(c->segment, c->offset, 0);
	if (c->table >= db->tables_n || !db->tables[c->table].copy_row)
		return ERR_VERSION;
	enum err e = chunk_rows(db, c->table, first, &rows);
	for (uint32_t i = 0; i < rows.n && e == ERR_OK; i++) {
		struct fb_table row = fb_vector_table(rows, i);
		uint64_t id = db->tables[c->table].row_id(row);
		if (snap_address(m->txn->base, c->table, id) == first + i)
			e = row_move(m, c->table, row, first + i);
	}
	return e;
}

/* ---- a step ---- */

/* Move what fits a step from db->compact.pos on; *pos is where it ends. */
static enum err segment_walk(struct mover *m, struct log_pos *pos, uint32_t end)
{
	uint32_t from = pos->offset;
	while (pos->offset < end && m->moved_bytes < STEP_MOVE_BYTES &&
	       pos->offset - from < STEP_WALK_BYTES) {
		const struct disk_chunk *c = chunk_at(m->db, *pos);
		enum err e = c ? ERR_OK : ERR_CORRUPT;
		if (c && c->kind == CHUNK_ROWS)
			e = chunk_move(m, c);
		else if (c && c->kind > CHUNK_MOVES)
			e = ERR_VERSION; /* a newer salver's */
		if (e != ERR_OK)
			return e;
		pos->offset += chunk_bytes(c);
	}
	return mover_flush(m);
}

/* A commit with what was moved; none where there was nothing. */
static enum err step_commit(struct db *db, uint32_t end)
{
	struct log_pos pos = db->compact.pos;
	struct db_txn *txn;
	struct mover m = { .db = db };
	enum err e = db_txn_begin(db, &txn);
	if (e != ERR_OK)
		return e;
	e = mover_init(&m, db);
	m.txn = txn;
	if (e == ERR_OK)
		e = segment_walk(&m, &pos, end);
	bool moved = m.moved_bytes > 0;
	mover_fini(&m);
	if (e == ERR_OK && moved)
		e = db_txn_commit(txn);
	else
		db_txn_abort(txn);
	if (e == ERR_OK)
		db->compact.pos = pos;
	return e;
}

/* All of the segment has moved. A commit mark says so: whoever reads the log from its beginning
 * does not miss the segment. Both manifests must say so too before it can go. */
static enum err segment_release(struct db *db, uint32_t number)
{
	struct db_txn *txn;
	uint32_t before = db->log_first;
	db->log_first = number + 1;
	db->compact.pos = (struct log_pos){ number + 1, SEGMENT_HEADER_BYTES };
	enum err e = db_txn_begin(db, &txn);
	if (e == ERR_OK)
		e = db_txn_commit(txn);
	if (e != ERR_OK)
		db->log_first = before;
	if (e == ERR_OK)
		e = db_checkpoint(db);
	for (unsigned i = 0; i < 2 && e == ERR_OK; i++)
		if (db->slots[i].sequence && db->slots[i].log_first <= number)
			e = manifest_store(db, snap_current(db)); /* takes the older slot */
	segments_sweep(db);
	return e;
}

static enum err compact_step(struct db *db)
{
	struct compact *c = &db->compact;
	const struct db_snap *sn = snap_current(db);
	uint32_t end = log_part_end(db, c->pos.segment, sn->log_end);
	enum err e = ERR_OK;
	if (c->pos.segment > c->last) {
		c->active = false;
		c->used_after = log_used_bytes(db, sn);
	} else if (!db_segment(db, c->pos.segment) || end < SEGMENT_HEADER_BYTES) {
		e = ERR_CORRUPT; /* lost: what was in it is still asked for */
	} else if (c->pos.offset < end || c->pos.segment == sn->log_end.segment) {
		e = step_commit(db, end);
		/* nothing was live, or nothing was written yet: writers must leave it all the same
		 */
		if (e == ERR_OK && c->pos.offset >= end)
			e = segment_release(db, c->pos.segment);
	} else {
		e = segment_release(db, c->pos.segment);
	}
	if (e == ERR_CORRUPT || e == ERR_VERSION) {
		c->stuck = true;
		log_warn(LOG_DB,
			 "database \"%s\": log segment %u cannot be compacted at byte %u; `salver "
			 "check` names damage",
			 db->dir, c->pos.segment, c->pos.offset);
	}
	c->active &= e == ERR_OK;
	return e;
}

static void compact_begin(struct db *db)
{
	const struct db_snap *sn = snap_current(db);
	uint32_t first = MAX(MAX(db->segment_first, sn->log_first), db->log_first);
	db->compact.active = true;
	db->compact.pos = (struct log_pos){ first, SEGMENT_HEADER_BYTES };
	db->compact.last = sn->log_end.segment;
	if (sn->log_end.offset == SEGMENT_HEADER_BYTES) /* nothing in it yet */
		db->compact.last--;
}

static bool compact_due(const struct db *db, const struct db_snap *sn)
{
	uint64_t used = log_used_bytes(db, sn);
	return used >= db->compact.from_bytes && used > 2 * sn->live_bytes &&
	       used > db->compact.used_after + db->compact.used_after / 2;
}

bool compact_maintain(struct db *db)
{
	if (db->compact.stuck || db_hurried(db))
		return false;
	if (!db->compact.active && !compact_due(db, snap_current(db)))
		return false;
	if (!db->compact.active)
		compact_begin(db);
	return compact_step(db) == ERR_OK;
}

enum err db_compact_begin(struct db *db)
{
	if (db->read_only || atomic_load(&db->poisoned))
		return ERR_IO;
	compact_begin(db);
	return ERR_OK;
}

enum err db_compact_step(struct db *db, uint64_t *out_bytes, bool *out_more)
{
	struct log_pos before = db->compact.pos;
	*out_bytes = 0;
	if (db_hurried(db))
		return ERR_CLOSED;
	if (db->txn.open)
		return ERR_BUSY;
	if (!db->compact.active && db->compact.stuck) /* in db_maintain() */
		return ERR_CORRUPT;
	enum err e = db->compact.active ? compact_step(db) : ERR_OK;
	*out_more = db->compact.active;
	if (e == ERR_OK && db->compact.pos.segment == before.segment)
		*out_bytes = db->compact.pos.offset - before.offset;
	return e;
}

enum err db_compact(struct db *db)
{
	uint64_t bytes;
	bool more = true;
	enum err e = db->txn.open ? ERR_BUSY : db_compact_begin(db);
	while (e == ERR_OK && more)
		e = db_compact_step(db, &bytes, &more);
	return e;
}
