/* SPDX-License-Identifier: MIT */
/* Transactions: rows are laid out in a chunk buffer per table, go out as chunks, are taken apart
 * into index entries while they are still in the cache, and become runs block by block. The writer
 * does the first half; a large transaction has the second one done by a thread beside it
 * (index_thread.h), which the writer joins before it looks at what that has made. */
#include "base/clock.h"
#include "base/log.h"
#include "db/db_priv.h"

#define STAGE_MIN_BYTES (16u << 10)
#define STAGE_MAX_BYTES (256u << 10)  /* larger chunks gain nothing; a larger row gets one */
#define REMOVES_BYTES_MAX (32u << 10) /* of ids in one chunk */
#define STAGE_EXTRA (sizeof(struct disk_chunk) + CHUNK_ALIGN)
#define BATCH_FIXED_BYTES 512u /* of a batch beside its rows */
#define ROW_BYTES_MAX (CHUNK_PAYLOAD_MAX - 2 * BATCH_FIXED_BYTES)

/* ---- what live transactions and replay share ---- */

static void table_start(struct txn_table *tt, uint64_t next_id)
{
	tt->payload_cap = 0;
	tt->begun = tt->touched = false;
	tt->removes_n = 0;
	tt->next_id = tt->placed_next_id = tt->base_next_id = tt->fresh_id = next_id;
	tt->live_delta = 0;
	tt->runs_n = 0;
	block_reset(&tt->block);
}

enum err txn_start(struct db *db, struct db_txn *txn)
{
	txn->db = db;
	txn->base = db_snap_begin(db);
	txn->err = ERR_OK;
	txn->careful = false;
	txn->live_bytes = 0;
	txn->log_first = 0;
	log_begin(&txn->log, db, txn->base->log_end, txn->base->commit + 1);
	for (unsigned t = 0; t < db->tables_n; t++)
		table_start(&txn->tables[t], txn->base->tables[t].next_id);
	txn->open = true;
	return ERR_OK;
}

void txn_end(struct db_txn *txn)
{
	struct db *db = txn->db;
	index_thread_drop(&db->index_thread);
	for (unsigned t = 0; t < db->tables_n; t++)
		for (uint32_t i = 0; i < txn->tables[t].runs_n; i++)
			run_unref(db, txn->tables[t].runs[i]);
	if (snap_current(db)->commit < txn->log.commit) /* not published */
		chunk_marks_clear(db, txn->base->log_end, txn->log.pos);
	db_snap_end((struct db_snap *)(uintptr_t)txn->base);
	snap_collect(db);
	txn->open = false;
}

void txn_buffers_free(struct db *db)
{
	index_thread_end(&db->index_thread);
	for (unsigned t = 0; t < db->tables_n; t++) {
		struct txn_table *tt = &db->txn.tables[t];
		mem_free(&db->mem, tt->stage, tt->stage_bytes);
		mem_free(&db->mem, tt->removes, tt->removes_cap * sizeof *tt->removes);
		block_fini(&db->mem, &tt->block);
		tt->stage = NULL;
		tt->removes = NULL;
		tt->stage_bytes = tt->removes_cap = 0;
	}
	lost_chunk_free(db);
}

/* Whether an earlier block of this transaction knows `id`, and its address (0: removed). */
static bool txn_address(const struct txn_table *tt, uint64_t id, uint64_t *out)
{
	for (uint32_t i = tt->runs_n; i-- > 0;)
		if (run_address(tt->runs[i], id, out))
			return true;
	return false;
}

/* Where the row stands that the transaction would replace or remove; 0: nowhere. */
static uint64_t live_address(const struct db_txn *txn, unsigned table, uint64_t id)
{
	const struct txn_table *tt = &txn->tables[table];
	uint64_t address;
	if (tt->runs_n && txn_address(tt, id, &address))
		return address;
	return id < tt->base_next_id ? snap_address(txn->base, table, id) : 0;
}

static enum err block_grow(struct db_txn *txn, struct block *b)
{
	void *rows = b->rows;
	enum err e = mem_grow(&txn->db->mem, &rows, &b->cap, b->n + 1, sizeof *b->rows);
	b->rows = rows;
	return e;
}

static inline enum err block_add(struct db_txn *txn, unsigned table, uint64_t id, uint64_t address)
{
	struct block *b = &txn->tables[table].block;
	enum err e = b->n == b->cap ? block_grow(txn, b) : ERR_OK;
	if (e == ERR_OK)
		b->rows[b->n++] = (struct block_row){ id, address };
	return e;
}

static struct db_emit emit_to(struct db_txn *txn, unsigned table, enum block_list list)
{
	struct block *b = &txn->tables[table].block;
	return (struct db_emit){
		.db = txn->db,
		.def = &txn->db->tables[table],
		.lists = b->lists[list],
		.touched = b->lists[BLOCK_TOUCHED],
	};
}

/* What becomes of a row's place in the indexes. */
enum placed {
	PLACED_NEW,	  /* there was none: its entries are still to be emitted, if it has any */
	PLACED_REPLACING, /* the entries of the one before it have gone; its own as above */
	PLACED_CHANGED	  /* both are done */
};

/* The row that `id` had until now loses its entries. `after`: what comes in its place, or NULL. */
static enum err known_retract(struct db_txn *txn, unsigned table, uint64_t id,
			      const struct db_row *after, enum placed *placed)
{
	struct db *db = txn->db;
	const struct db_table_def *def = &db->tables[table];
	uint64_t address = live_address(txn, table, id); /* twice in one block: rows_sort() sees */
	if (address == 0)
		return ERR_OK;
	*placed = PLACED_REPLACING;
	txn->live_bytes -= (int64_t)chunk_row_bytes(db, address);
	struct db_row row = { .id = id };
	struct db_emit removed = emit_to(txn, table, BLOCK_REMOVED);
	if (chunk_row(db, table, address, id, &row.row) != ERR_OK)
		return retract_unread(db, txn->base, table, id, address, &removed);
	if (!after || !def->extract_change) {
		def->extract(&row, 1, &removed);
		return removed.err;
	}
	*placed = PLACED_CHANGED;
	struct db_emit added = emit_to(txn, table, BLOCK_ADDED);
	def->extract_change(&row, after, &removed, &added);
	return removed.err == ERR_OK ? added.err : removed.err;
}

static inline enum err entries_retract(struct db_txn *txn, unsigned table, uint64_t id,
				       const struct db_row *after, enum placed *placed)
{
	struct txn_table *tt = &txn->tables[table];
	*placed = PLACED_NEW;
	if (UNLIKELY(id < tt->fresh_id))
		return known_retract(txn, table, id, after, placed);
	tt->fresh_id = id + 1; /* new, and larger than all before it */
	return ERR_OK;
}

/* A transaction of any size keeps few runs. When there are too many, those of like size become one:
 * the newest, and before it each of up to four times as many rows as all behind it. So the run that
 * a row is in grows by a quarter at least each time it is written again. */
static enum err runs_fold(struct db_txn *txn, unsigned table)
{
	struct db *db = txn->db;
	struct txn_table *tt = &txn->tables[table];
	if (tt->runs_n < MERGE_FAN_IN)
		return ERR_OK;
	uint32_t first = tt->runs_n - 1;
	uint64_t rows = tt->runs[first]->rows_n;
	while (first > 0 && (tt->runs[first - 1]->rows_n <= rows * 4 || first == tt->runs_n - 1))
		rows += tt->runs[--first]->rows_n;
	struct run *merged;
	enum err e = merge_runs(db, table, tt->runs + first, tt->runs_n - first, false,
				rows >= db->heap_run_rows && !db->read_only, &merged);
	if (e != ERR_OK)
		return e;
	for (uint32_t i = first; i < tt->runs_n; i++)
		run_unref(db, tt->runs[i]);
	tt->runs[first] = merged;
	tt->runs_n = first + 1;
	return ERR_OK;
}

enum err txn_block_end(struct db_txn *txn, unsigned table)
{
	struct txn_table *tt = &txn->tables[table];
	if (tt->block.n == 0)
		return ERR_OK;
	enum err e = runs_fold(txn, table);
	if (e == ERR_OK)
		e = block_build(txn->db, table, &tt->block, txn->log.commit, &tt->runs[tt->runs_n]);
	if (e == ERR_OK)
		tt->runs_n++;
	return e;
}

static enum err block_end_if_full(struct db_txn *txn, unsigned table)
{
	struct block *b = &txn->tables[table].block;
	uint64_t budget = atomic_load_explicit(&txn->db->budget_bytes, memory_order_relaxed);
	uint64_t room = budget - BUFFERS_BYTES;
	/* lists double as they grow, and sorting takes as much as the longest again */
	if (b->n < room / BLOCK_ROW_BYTES && block_emit_bytes(b) < room / 4)
		return ERR_OK;
	return txn_block_end(txn, table);
}

#define ROWS_AT_ONCE 64u /* to one call of an extractor */

/* A block has each id once. Replay does not know where the transaction ended its blocks, so when a
 * commit turns out to name an id twice it is applied carefully: with a look before each row. */
static enum err block_end_if_known(struct db_txn *txn, unsigned table, uint64_t id)
{
	struct txn_table *tt = &txn->tables[table];
	const struct block *b = &tt->block;
	uint64_t id_max = b->n ? tt->block_id_max : 0;
	tt->block_id_max = MAX(id_max, id);
	for (size_t i = b->n; id <= id_max && i-- > 0;) /* mostly they ascend */
		if (b->rows[i].id == id)
			return txn_block_end(txn, table);
	return ERR_OK;
}

static uint64_t address_of(struct log_pos pos, uint32_t row)
{
	return address_make(pos.segment, pos.offset, row);
}

/* The row before it loses its entries, and the id points to this one. *placed: whether its own are
 * there too. */
static enum err row_place(struct db_txn *txn, unsigned table, struct fb_vector rows, uint32_t i,
			  struct log_pos pos, struct db_row *out, enum placed *placed)
{
	struct txn_table *tt = &txn->tables[table];
	struct fb_table t = fb_vector_table(rows, i);
	uint64_t id = txn->db->tables[table].row_id(t);
	*placed = PLACED_NEW;
	if (id == 0 || id > DB_ID_MAX)
		return ERR_CORRUPT;
	*out = (struct db_row){ id, t };
	enum err e = txn->careful ? block_end_if_known(txn, table, id) : ERR_OK;
	if (e == ERR_OK)
		e = entries_retract(txn, table, id, out, placed);
	if (e == ERR_OK)
		e = block_add(txn, table, id, address_of(pos, i));
	tt->live_delta += *placed == PLACED_NEW;
	tt->placed_next_id = MAX(tt->placed_next_id, id + 1);
	return e;
}

static enum err rows_extract(struct db_txn *txn, unsigned table, const struct db_row *rows,
			     size_t n)
{
	struct db_emit emit = emit_to(txn, table, BLOCK_ADDED);
	txn->db->tables[table].extract(rows, n, &emit);
	return emit.err == ERR_OK ? block_end_if_full(txn, table) : emit.err;
}

static enum err row_apply(struct db_txn *txn, unsigned table, struct fb_vector rows, uint32_t i,
			  struct log_pos pos)
{
	struct db_row row;
	enum placed placed;
	enum err e = row_place(txn, table, rows, i, pos, &row, &placed);
	return e == ERR_OK ? rows_extract(txn, table, &row, placed != PLACED_CHANGED) : e;
}

enum err txn_apply_rows(struct db_txn *txn, unsigned table, struct fb_vector rows,
			struct log_pos pos)
{
	struct db *db = txn->db;
	struct txn_table *tt = &txn->tables[table];
	struct db_row part[ROWS_AT_ONCE];
	const size_t part_max = txn->careful ? 1 : ROWS_AT_ONCE;
	enum err e = ERR_OK;
	tt->touched = true;
	for (uint32_t i = 0; i < rows.n && e == ERR_OK;) {
		size_t placed_n = 0, n = 0;
		for (; placed_n < part_max && i < rows.n && e == ERR_OK; i++, placed_n++) {
			enum placed placed;
			e = row_place(txn, table, rows, i, pos, &part[n], &placed);
			n += placed != PLACED_CHANGED;
		}
		if (e == ERR_OK)
			e = rows_extract(txn, table, part, n);
	}
	txn->log.rows_put_n += rows.n;
	txn->live_bytes += (int64_t)(rows.n * chunk_row_bytes(db, address_of(pos, 0)));
	return e;
}

enum err txn_apply_moves(struct db_txn *txn, unsigned table, struct fb_vector rows,
			 struct log_pos pos, const uint64_t *sources)
{
	struct db *db = txn->db;
	const struct db_table_def *def = &db->tables[table];
	enum err e = ERR_OK;
	txn->tables[table].touched = true;
	for (uint32_t i = 0; i < rows.n && e == ERR_OK; i++) {
		uint64_t id = def->row_id(fb_vector_table(rows, i));
		uint64_t source = num_le64(&sources[i]);
		if (source == 0 || live_address(txn, table, id) != source) {
			/* the log before it is gone, and the index with it: the row is new */
			e = row_apply(txn, table, rows, i, pos);
			continue;
		}
		e = txn->careful ? block_end_if_known(txn, table, id) : ERR_OK;
		if (e == ERR_OK)
			e = block_add(txn, table, id, address_of(pos, i));
		txn->live_bytes -= (int64_t)chunk_row_bytes(db, source);
		if (e == ERR_OK)
			e = block_end_if_full(txn, table);
	}
	txn->live_bytes += (int64_t)(rows.n * chunk_row_bytes(db, address_of(pos, 0)));
	return e;
}

enum err txn_apply_removes(struct db_txn *txn, unsigned table, const uint64_t *ids, size_t n)
{
	struct txn_table *tt = &txn->tables[table];
	enum err e = ERR_OK;
	tt->touched = true;
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		uint64_t id = num_le64(&ids[i]);
		enum placed before = PLACED_NEW;
		if (id == 0 || id > DB_ID_MAX)
			return ERR_CORRUPT;
		e = txn->careful ? block_end_if_known(txn, table, id) : ERR_OK;
		if (e == ERR_OK)
			e = entries_retract(txn, table, id, NULL, &before);
		if (e == ERR_OK)
			e = block_add(txn, table, id, 0);
		tt->live_delta -= before != PLACED_NEW;
		if (e == ERR_OK && i % ROWS_AT_ONCE == ROWS_AT_ONCE - 1)
			e = block_end_if_full(txn, table);
	}
	txn->log.rows_removed_n += n;
	return e;
}

/* New runs join those of the base; small ones are merged at once, large ones in steps. */
static enum err table_publish(struct db_txn *txn, struct db_snap *sn, unsigned table)
{
	struct db *db = txn->db;
	struct txn_table *tt = &txn->tables[table];
	struct snap_table *st = &sn->tables[table];
	st->live += (uint64_t)tt->live_delta;
	for (uint32_t i = 0; i < tt->runs_n; i++) {
		ASSERT(st->runs_n < DB_RUNS_MAX);
		run_ref(tt->runs[i]);
		merge_owe(db, tt->runs[i]);
		st->runs[st->runs_n++] = tt->runs[i];
	}
	/* reading alone, all of them are in memory */
	uint64_t rows_max = db->read_only ? UINT64_MAX : db->heap_run_rows * 2;
	return merge_settle(db, table, st->runs, &st->runs_n, true, rows_max);
}

void txn_publish(struct db_txn *txn, struct db_snap *sn, struct log_pos end)
{
	struct db *db = txn->db;
	sn->commit = txn->log.commit;
	sn->log_end = end;
	sn->log_first = MAX(sn->log_first, MAX(txn->log_first, db->log_first));
	sn->live_bytes += (uint64_t)MAX(txn->live_bytes, -(int64_t)sn->live_bytes);
	for (unsigned t = 0; t < db->tables_n; t++) {
		struct txn_table *tt = &txn->tables[t];
		sn->tables[t].next_id =
			MAX(sn->tables[t].next_id, MAX(tt->next_id, tt->placed_next_id));
		if (!tt->touched)
			continue;
		(void)!table_publish(txn, sn, t); /* merging is a favour; the commit stands */
	}
	counter_add(&db->count.commits_n, 1);
	counter_add(&db->count.rows_put_n, txn->log.rows_put_n);
	counter_add(&db->count.rows_removed_n, txn->log.rows_removed_n);
	snap_publish(db, sn);
}

/* ---- live transactions ---- */

/* Rows of a chunk that has been written: at once, or on the thread beside this one. There they are
 * read from the log, for the next chunk is laid out where this one was. */
static enum err rows_index(struct db_txn *txn, unsigned table, struct fb_vector rows,
			   uint32_t payload_n, struct log_pos pos)
{
	struct index_thread *it = &txn->db->index_thread;
	if (!index_thread_wants(it, payload_n))
		return txn_apply_rows(txn, table, rows, pos);
	struct index_job job = { rows, address_of(pos, 0), table };
	job.rows.buf =
		db_segment(txn->db, pos.segment)->map + pos.offset + sizeof(struct disk_chunk);
	return index_thread_put(it, &job);
}

static enum err stage_flush(struct db_txn *txn, unsigned table)
{
	struct db *db = txn->db;
	struct txn_table *tt = &txn->tables[table];
	const struct db_table_def *def = &db->tables[table];
	if (!tt->begun || tt->w.rows_n == 0)
		return ERR_OK;
	tt->begun = false;
	struct span payload = fb_batch_finish(&tt->w);
	struct fb_vector rows;
	/* what goes to the disk has passed the same check that guards what comes from it */
	if (table_verify(def, payload, &rows) != ERR_OK || rows.n != tt->w.rows_n)
		return ERR_INVALID;
	struct disk_chunk *head = chunk_head(payload);
	*head = (struct disk_chunk){
		.kind = CHUNK_ROWS,
		.table = (uint16_t)table,
		.rows_n = tt->w.rows_n,
	};
	struct log_pos pos;
	enum err e = log_append(&txn->log, head, (uint32_t)payload.n, &pos);
	return e == ERR_OK ? rows_index(txn, table, rows, (uint32_t)payload.n, pos) : e;
}

static enum err removes_flush(struct db_txn *txn, unsigned table)
{
	struct db *db = txn->db;
	struct txn_table *tt = &txn->tables[table];
	size_t n = tt->removes_n, bytes = n * 8 + STAGE_EXTRA;
	if (n == 0)
		return ERR_OK;
	tt->removes_n = 0;
	struct disk_chunk *head = mem_alloc(&db->mem, bytes);
	if (!head)
		return ERR_NOMEM;
	head->kind = CHUNK_REMOVE;
	head->table = (uint16_t)table;
	head->rows_n = (uint32_t)n;
	memcpy(head + 1, tt->removes, n * 8);
	struct log_pos pos;
	enum err e = log_append(&txn->log, head, (uint32_t)(n * 8), &pos);
	mem_free(&db->mem, head, bytes);
	if (e == ERR_OK)
		e = index_thread_join(&db->index_thread);
	return e == ERR_OK ? txn_apply_removes(txn, table, tt->removes, n) : e;
}

/* A batch begins in a buffer that grows from chunk to chunk: a commit of one row needs little, a
 * bulk import gets large chunks. */
static enum err stage_begin(struct db_txn *txn, unsigned table, uint32_t row_max)
{
	struct db *db = txn->db;
	struct txn_table *tt = &txn->tables[table];
	uint32_t cap =
		tt->payload_cap ? MIN(tt->payload_cap * 4, STAGE_MAX_BYTES) : STAGE_MIN_BYTES;
	while (cap < CHUNK_PAYLOAD_MAX && cap < row_max + BATCH_FIXED_BYTES)
		cap = MIN(cap * 2, CHUNK_PAYLOAD_MAX);
	if (cap + STAGE_EXTRA > tt->stage_bytes) {
		mem_free(&db->mem, tt->stage, tt->stage_bytes);
		tt->stage_bytes = cap + STAGE_EXTRA;
		tt->stage = mem_buffer(&db->mem, tt->stage_bytes);
		if (!tt->stage) {
			tt->stage_bytes = 0;
			return ERR_NOMEM;
		}
	}
	tt->payload_cap = cap;
	db->tables[table].batch_begin(&tt->w, tt->stage + sizeof(struct disk_chunk), cap,
				      txn->log.commit, clock_wall_s());
	tt->begun = true;
	return tt->w.err;
}

/* Into the batch at hand; false: it has no room. */
static bool stage_add(struct txn_table *tt, const struct db_table_def *def, uint64_t id,
		      const void *row_in)
{
	if (!tt->begun)
		return false;
	def->write_row(&tt->w, id, row_in);
	if (LIKELY(tt->w.err == ERR_OK))
		return true;
	tt->w.err = ERR_OK; /* what was written before is whole */
	return false;
}

/* What is written rests on what is found: an index that hides a record would make a second one. */
static bool run_trusted(struct db *db, struct run *r)
{
	if (run_check(db, r) == ERR_OK)
		return true;
	atomic_store(&db->poisoned, true);
	log_error(LOG_DB,
		  "database \"%s\" is read-only until salver is started again, which rebuilds the "
		  "index",
		  db->dir);
	return false;
}

static enum err runs_trusted(struct db *db)
{
	const struct db_snap *sn = snap_current(db);
	for (unsigned t = 0; t < db->tables_n; t++)
		for (uint32_t i = 0; i < sn->tables[t].runs_n; i++) {
			struct run *r = sn->tables[t].runs[i];
			if (r->trust == RUN_UNCHECKED && db_hurried(db))
				return ERR_CLOSED; /* closing does not wait for a disk to be read */
			if (!run_trusted(db, r))
				return ERR_CORRUPT;
		}
	return ERR_OK;
}

bool runs_check_next(struct db *db)
{
	const struct db_snap *sn = snap_current(db);
	if (counter_get(&db->count.index_bytes) > CHECK_SOON_BYTES)
		return false;
	for (unsigned t = 0; t < db->tables_n; t++)
		for (uint32_t i = 0; i < sn->tables[t].runs_n; i++) {
			struct run *r = sn->tables[t].runs[i];
			if (r->number == 0 || r->trust != RUN_UNCHECKED)
				continue;
			(void)run_trusted(db, r);
			return true;
		}
	return false;
}

enum err db_txn_begin(struct db *db, struct db_txn **out)
{
	if (db->read_only || atomic_load(&db->poisoned))
		return ERR_IO;
	if (db->txn.open)
		return ERR_BUSY;
	enum err e = runs_trusted(db);
	if (e == ERR_OK)
		e = txn_start(db, &db->txn);
	if (e != ERR_OK)
		return e;
	db->txn.begin_ns = clock_now_ns();
	*out = &db->txn;
	return ERR_OK;
}

const struct db_snap *db_txn_base(const struct db_txn *txn)
{
	return txn->base;
}

uint64_t db_txn_commit_number(const struct db_txn *txn)
{
	return txn->log.commit;
}

uint64_t db_txn_new_id(struct db_txn *txn, unsigned table)
{
	return txn->tables[table].next_id++;
}

enum err db_txn_put(struct db_txn *txn, unsigned table, uint64_t id, const void *row_in)
{
	struct txn_table *tt = &txn->tables[table];
	const struct db_table_def *def = &txn->db->tables[table];
	if (txn->err != ERR_OK)
		return txn->err;
	if (id > DB_ID_MAX || id == 0)
		return ERR_LIMIT;
	/* a row that shares texts with others must fit without them too: it may be moved alone */
	bool large = tt->begun && tt->payload_cap > STAGE_MAX_BYTES &&
		     def->row_bytes_max(row_in) > ROW_BYTES_MAX;
	if (large || !stage_add(tt, def, id, row_in)) {
		uint32_t row_max = def->row_bytes_max(row_in);
		if (row_max > ROW_BYTES_MAX)
			return ERR_LIMIT;
		txn->err = stage_flush(txn, table);
		if (txn->err == ERR_OK)
			txn->err = stage_begin(txn, table, row_max);
		if (txn->err == ERR_OK && !stage_add(tt, def, id, row_in))
			txn->err = ERR_LIMIT;
	}
	tt->next_id = MAX(tt->next_id, id + 1);
	return txn->err;
}

enum err db_txn_remove(struct db_txn *txn, unsigned table, uint64_t id)
{
	struct txn_table *tt = &txn->tables[table];
	if (txn->err != ERR_OK)
		return txn->err;
	txn->err = index_thread_join(&txn->db->index_thread);
	if (txn->err != ERR_OK)
		return txn->err;
	if (live_address(txn, table, id) == 0)
		return ERR_NOTFOUND;
	if ((tt->removes_n + 1) * 8 > REMOVES_BYTES_MAX)
		txn->err = removes_flush(txn, table);
	void *p = tt->removes;
	if (txn->err == ERR_OK)
		txn->err = mem_grow(&txn->db->mem, &p, &tt->removes_cap, tt->removes_n + 1,
				    sizeof *tt->removes);
	tt->removes = p;
	if (txn->err == ERR_OK)
		tt->removes[tt->removes_n++] = id;
	return txn->err;
}

enum err txn_flush(struct db_txn *txn)
{
	for (unsigned t = 0; t < txn->db->tables_n && txn->err == ERR_OK; t++) {
		txn->err = stage_flush(txn, t);
		if (txn->err == ERR_OK)
			txn->err = removes_flush(txn, t);
	}
	if (txn->err == ERR_OK)
		txn->err = index_thread_join(&txn->db->index_thread);
	for (unsigned t = 0; t < txn->db->tables_n && txn->err == ERR_OK; t++)
		txn->err = txn_block_end(txn, t);
	return txn->err;
}

static enum err txn_finish(struct db_txn *txn, struct db_snap **out)
{
	struct db *db = txn->db;
	uint64_t next_ids[DB_TABLES_MAX];
	/* runs are built before the commit point: nothing behind it can fail */
	if (txn_flush(txn) != ERR_OK)
		return txn->err;
	for (unsigned t = 0; t < db->tables_n; t++)
		next_ids[t] = txn->tables[t].next_id;
	*out = snap_copy(db, txn->base);
	if (!*out)
		return ERR_NOMEM;
	return log_commit(&txn->log, next_ids, db->tables_n);
}

enum err db_txn_commit(struct db_txn *txn)
{
	struct db *db = txn->db;
	struct db_snap *sn = NULL;
	uint64_t commit_ns = clock_now_ns(), begin_ns = txn->begin_ns;
	enum err e = txn_finish(txn, &sn);
	if (e == ERR_OK)
		txn_publish(txn, sn, txn->log.pos);
	else
		snap_free(db, sn);
	txn_end(txn);
	uint64_t changes_n = txn->log.rows_put_n + txn->log.rows_removed_n;
	merge_pay(db);
	write_meter_commit(&db->meter, changes_n, begin_ns, commit_ns, e);
	return e;
}

void db_txn_abort(struct db_txn *txn)
{
	if (!txn)
		return;
	write_meter_abort(&txn->db->meter);
	txn_end(txn);
}
