/* SPDX-License-Identifier: MIT */
/* Replay: commits behind the last checkpoint are applied again. Where the log stops making sense
 * there are two cases. Nothing newer behind it: the tail of a commit that was never acknowledged;
 * the next commit writes over it. A chunk of a later commit behind it: what is broken had been
 * synced, so it is damage, which is named, counted and left out while all else is kept. */
#include "base/log.h"
#include "db/db_priv.h"

struct replay {
	struct db *db;
	struct log_pos pos;
	uint64_t commit;		 /* the last one applied */
	const struct log_reader *reader; /* NULL: apply */
	const struct disk_chunk **chunks;
	size_t chunks_n, chunks_cap;
};

static enum err chunk_push(struct replay *r, const struct disk_chunk *c)
{
	void *p = r->chunks;
	enum err e = mem_grow(&r->db->mem, &p, &r->chunks_cap, r->chunks_n + 1, sizeof *r->chunks);
	r->chunks = p;
	if (e == ERR_OK)
		r->chunks[r->chunks_n++] = c;
	return e;
}

/* The chunk at *pos, or at the start of the next segment where this one ends here. */
static const struct disk_chunk *chunk_next(const struct db *db, struct log_pos *pos)
{
	const struct disk_chunk *c = chunk_at(db, *pos);
	if (c || pos->segment + 1 >= SEGMENTS_MAX)
		return c;
	const struct segment *s = db_segment(db, pos->segment + 1);
	if (!s || (!s->header_bad && s->prev_end != pos->offset))
		return NULL;
	struct log_pos next = { s->number, SEGMENT_HEADER_BYTES };
	c = chunk_at(db, next);
	if (c)
		*pos = next;
	return c;
}

/* `running`: NULL where chunks are missing, so that the totals cannot fit. */
static bool mark_sound(const struct disk_chunk *c, const uint64_t *running, uint64_t bytes)
{
	const struct disk_commit *m = (const void *)chunk_payload(c);
	return c->payload_bytes >= sizeof *m && m->tables_n <= DB_TABLES_MAX &&
	       c->payload_bytes >= sizeof *m + m->tables_n * 8 && m->chunks_n == c->chunk_no &&
	       (!running || (m->running_hash == *running && m->bytes == bytes));
}

/* What no row needs that stands before it, by a sound mark; 0: not said. */
static uint32_t mark_log_first(const struct disk_chunk *c)
{
	const struct disk_commit *m = (const void *)chunk_payload(c);
	return m->tables_n <= DB_TABLES_MAX && c->payload_bytes >= sizeof *m + (m->tables_n + 1) * 8
		       ? (uint32_t)m->next_id[m->tables_n]
		       : 0;
}

/* Collect commit r->commit + 1 at r->pos; ERR_NOTFOUND where it is not whole there. */
static enum err commit_read(struct replay *r, struct log_pos *out_end)
{
	uint64_t want = r->commit + 1, running = want, bytes = 0;
	struct log_pos pos = r->pos;
	r->chunks_n = 0;
	for (uint32_t no = 0;; no++) {
		const struct disk_chunk *c = chunk_next(r->db, &pos);
		if (!c || c->commit != want || c->chunk_no != no || !chunk_payload_sound(c))
			return ERR_NOTFOUND;
		if (c->kind == CHUNK_COMMIT && !mark_sound(c, &running, bytes))
			return ERR_NOTFOUND;
		enum err e = chunk_push(r, c);
		if (e != ERR_OK)
			return e;
		running = XXH3_64bits_withSeed(&c->header_hash, sizeof c->header_hash, running);
		bytes += chunk_bytes(c);
		pos.offset += chunk_bytes(c);
		if (c->kind == CHUNK_COMMIT) {
			*out_end = pos;
			return ERR_OK;
		}
	}
}

static void damage_name(struct db *db, struct log_pos from, uint32_t to, uint64_t rows_n)
{
	counter_add(&db->count.damaged_chunks_n, 1);
	counter_add(&db->count.quarantined_rows_n, rows_n);
	log_warn(LOG_DB,
		 "database \"%s\": log segment %u is damaged at bytes %u to %u (%llu records)",
		 db->dir, from.segment, from.offset, to, (unsigned long long)rows_n);
}

/* `from` and `to` are in one segment. `c`: the chunk there, where its header is sound. */
static void damage_found(struct replay *r, struct log_pos from, uint32_t to,
			 const struct disk_chunk *c)
{
	if (r->reader)
		r->reader->damage(r->reader->ctx, from, to, c, r->commit + 1);
	else
		damage_name(r->db, from, to, c ? c->rows_n : 0);
}

/* `moves`: of the table's chunk before this one, or NULL. */
static enum err chunk_apply(struct db_txn *txn, const struct disk_chunk *c,
			    const struct disk_chunk *moves)
{
	struct db *db = txn->db;
	struct log_pos pos = { c->segment, c->offset };
	struct fb_vector rows;
	if (c->kind == CHUNK_COMMIT) {
		const struct disk_commit *m = (const void *)chunk_payload(c);
		for (uint32_t t = 0; t < MIN(m->tables_n, db->tables_n); t++)
			txn->tables[t].next_id =
				MAX(txn->tables[t].next_id, MIN(m->next_id[t], DB_ID_NONE_LEFT));
		txn->log_first = MAX(txn->log_first, MIN(mark_log_first(c), c->segment));
		return ERR_OK;
	}
	if (c->table >= db->tables_n)
		return ERR_OK; /* a newer salver's; it stays in the log */
	if (c->kind == CHUNK_REMOVE)
		return txn_apply_removes(txn, c->table, (const void *)chunk_payload(c),
					 c->payload_bytes / 8);
	if (c->kind != CHUNK_ROWS)
		return ERR_OK;
	if (table_verify(&db->tables[c->table], span_of(chunk_payload(c), c->payload_bytes),
			 &rows) != ERR_OK) {
		damage_name(db, pos, pos.offset + chunk_bytes(c), c->rows_n);
		return ERR_OK;
	}
	chunk_mark_sound(db_segment(db, pos.segment), pos.offset);
	if (moves && moves->kind == CHUNK_MOVES && moves->table == c->table &&
	    moves->payload_bytes / 8 == rows.n)
		return txn_apply_moves(txn, c->table, rows, pos,
				       (const void *)chunk_payload(moves));
	return txn_apply_rows(txn, c->table, rows, pos);
}

/* Apply the collected chunks as commit r->commit + 1. */
static enum err commit_try(struct replay *r, struct log_pos end, bool careful)
{
	struct db *db = r->db;
	struct db_txn *txn = &db->txn;
	enum err e = txn_start(db, txn);
	txn->careful = careful;
	txn->log.commit = r->commit + 1;
	for (size_t i = 0; i < r->chunks_n && e == ERR_OK; i++)
		e = chunk_apply(txn, r->chunks[i], i ? r->chunks[i - 1] : NULL);
	for (unsigned t = 0; t < db->tables_n && e == ERR_OK; t++)
		e = txn_block_end(txn, t);
	struct db_snap *sn = e == ERR_OK ? snap_copy(db, txn->base) : NULL;
	if (e == ERR_OK && !sn)
		e = ERR_NOMEM;
	if (e == ERR_OK)
		txn_publish(txn, sn, end);
	txn_end(txn);
	merge_pay(db);
	if (e == ERR_OK) {
		counter_add(&db->count.replayed_commits_n, 1);
		r->commit++;
		r->pos = end;
	}
	return e;
}

static enum err commit_hand_out(struct replay *r, struct log_pos end)
{
	enum err e = r->chunks_n == 0 ? ERR_OK
				      : r->reader->commit(r->reader->ctx, r->commit + 1, r->chunks,
							  r->chunks_n);
	r->commit++;
	r->pos = end;
	return e;
}

static enum err commit_apply(struct replay *r, struct log_pos end)
{
	if (r->reader)
		return commit_hand_out(r, end);
	enum err e = commit_try(r, end, false);
	/* rare: the transaction changed a row more than once (db_txn_view()) */
	return e == ERR_INVALID ? commit_try(r, end, true) : e;
}

/* The first sound chunk of a commit after `commit`, at or behind *pos. */
static const struct disk_chunk *later_find(const struct db *db, struct log_pos pos, uint64_t commit)
{
	for (; pos.segment <= db->segment_last; pos.segment++) {
		const struct segment *s = db_segment(db, pos.segment);
		uint32_t end = s ? segment_end(db, s) : 0;
		for (; pos.offset < end; pos.offset += CHUNK_ALIGN) {
			const struct disk_chunk *c = chunk_at(db, pos);
			if (c && c->commit > commit)
				return c;
		}
		pos.offset = SEGMENT_HEADER_BYTES;
	}
	return NULL;
}

/* A chunk of the commit that is salvaged: kept where it is sound, else named. *done: its mark came;
 * more chunks of that number are what an aborted transaction left. */
static enum err salvage_chunk(struct replay *r, const struct disk_chunk *c, bool *done)
{
	struct log_pos pos = { c->segment, c->offset };
	if (*done)
		return ERR_OK;
	if (!chunk_payload_sound(c)) {
		damage_found(r, pos, pos.offset + chunk_bytes(c), c);
		return ERR_OK;
	}
	*done = c->kind == CHUNK_COMMIT;
	return !*done || mark_sound(c, NULL, 0) ? chunk_push(r, c) : ERR_OK;
}

/* The same for the part of the range that lies in one segment, from `pos` to `end`. */
static enum err salvage_part(struct replay *r, struct log_pos pos, uint32_t end, bool *done)
{
	struct log_pos bad = pos; /* everything from there on is no chunk of the commit */
	enum err e = ERR_OK;
	while (pos.offset < end && e == ERR_OK) {
		const struct disk_chunk *c = chunk_at(r->db, pos);
		if (!c || c->commit != r->commit + 1) {
			pos.offset += CHUNK_ALIGN;
			continue;
		}
		if (bad.offset < pos.offset)
			damage_found(r, bad, pos.offset, NULL);
		e = salvage_chunk(r, c, done);
		pos.offset += chunk_bytes(c);
		bad = pos;
	}
	if (bad.offset < end)
		damage_found(r, bad, end, NULL);
	return e;
}

/* Between r->pos and `to` lies what is left of commit r->commit + 1 (and of those between it and
 * that of `to`, which are lost whole or in part). */
static enum err salvage_collect(struct replay *r, struct log_pos to)
{
	struct log_pos pos = r->pos;
	enum err e = ERR_OK;
	bool done = false;
	r->chunks_n = 0;
	for (; pos.segment <= to.segment && e == ERR_OK; pos.segment++) {
		const struct segment *s = db_segment(r->db, pos.segment);
		uint32_t end = pos.segment == to.segment ? to.offset
			       : s			 ? segment_end(r->db, s)
							 : 0;
		e = salvage_part(r, pos, end, &done);
		pos.offset = SEGMENT_HEADER_BYTES;
	}
	return e;
}

/* Commit r->commit + 1 is damaged: commit `later` begins, or has begun, at or before `to`. */
static enum err salvage(struct replay *r, struct log_pos to, uint64_t later)
{
	enum err e = salvage_collect(r, to);
	if (e == ERR_OK)
		e = commit_apply(r, to);
	if (e == ERR_OK && later - 1 > r->commit) { /* lost whole; their numbers are used */
		r->commit = later - 1;
		if (r->reader)
			return ERR_OK;
		struct db_snap *sn = snap_copy(r->db, snap_current(r->db));
		if (!sn)
			return ERR_NOMEM;
		sn->commit = r->commit;
		snap_publish(r->db, sn);
	}
	return e;
}

/* Where nothing of a later commit follows: a manifest knows of one that had been acknowledged, so
 * this is no torn tail. ERR_NOTFOUND: none does. */
static enum err salvage_known(struct replay *r)
{
	const struct known_end *k = &r->db->known;
	if (r->commit >= k->commit || r->pos.segment > k->end.segment ||
	    (r->pos.segment == k->end.segment && r->pos.offset > k->end.offset))
		return ERR_NOTFOUND;
	return salvage(r, k->end, k->commit + 1);
}

/* What is replayed rests on the checkpoint's indexes, which opening a large store has not read. If
 * one is damaged, all of the log is replayed instead. */
static enum err indexes_check(struct replay *r)
{
	struct db *db = r->db;
	const struct db_snap *sn = snap_current(db);
	bool sound = true;
	for (unsigned t = 0; t < db->tables_n; t++)
		for (uint32_t i = 0; i < sn->tables[t].runs_n; i++)
			sound &= run_check(db, sn->tables[t].runs[i]) == ERR_OK;
	if (sound)
		return ERR_OK;
	struct db_snap *fresh = snap_copy(db, NULL);
	if (!fresh)
		return ERR_NOMEM;
	recover_from_log(db, fresh);
	r->pos = fresh->log_end;
	r->commit = fresh->commit;
	snap_publish(db, fresh);
	return ERR_OK;
}

static enum err replay_all(struct replay *r)
{
	for (;;) {
		struct log_pos end = r->pos;
		enum err e = commit_read(r, &end);
		if (e == ERR_OK) {
			e = commit_apply(r, end);
		} else if (e == ERR_NOTFOUND) {
			const struct disk_chunk *later = later_find(r->db, r->pos, r->commit + 1);
			if (!later) {
				e = salvage_known(r);
				if (e == ERR_NOTFOUND)
					return ERR_OK; /* a torn tail, or the end */
				if (e != ERR_OK)
					return e;
				continue;
			}
			e = commit_read(r, &end);
			if (e == ERR_OK) /* a writer completed it while we looked */
				e = commit_apply(r, end);
			else if (e == ERR_NOTFOUND)
				e = salvage(r, (struct log_pos){ later->segment, later->offset },
					    later->commit);
		}
		if (e != ERR_OK)
			return e;
	}
}

/* Whether nothing can stand between the two chunks. */
static bool chunk_follows(const struct disk_chunk *before, const struct disk_chunk *c)
{
	if (c->chunk_no == 0)
		return before->kind == CHUNK_COMMIT && before->commit + 1 == c->commit;
	return before->kind != CHUNK_COMMIT && before->commit == c->commit &&
	       before->chunk_no + 1 == c->chunk_no;
}

/* Where the segment before `n` ends: behind the chunk that the first one of `n` follows. False
 * where damage hides that. O(bytes of that segment). */
static bool prev_end_find(const struct db *db, uint32_t n, uint32_t *out)
{
	const struct disk_chunk *first = chunk_at(db, (struct log_pos){ n, SEGMENT_HEADER_BYTES });
	const struct segment *before = db_segment(db, n - 1);
	bool found = first && n == db->segment_first; /* there is none before it */
	*out = 0;
	uint32_t bytes =
		before ? atomic_load_explicit(&before->file_bytes, memory_order_relaxed) : 0;
	for (struct log_pos pos = { n - 1, SEGMENT_HEADER_BYTES }; first && pos.offset < bytes;) {
		const struct disk_chunk *c = chunk_at(db, pos);
		pos.offset += c ? chunk_bytes(c) : CHUNK_ALIGN;
		if (c && chunk_follows(c, first)) {
			*out = pos.offset;
			found = true;
		}
	}
	return found;
}

/* Without its header a segment is only found as long as nothing around it is damaged; half of one
 * is all that another bad sector leaves. */
static enum err headers_mend(struct db *db)
{
	enum err e = ERR_OK;
	for (uint32_t n = 1; n <= snap_current(db)->log_end.segment && e == ERR_OK; n++) {
		struct segment *s = db_segment(db, n);
		uint32_t prev_end = s ? s->prev_end : 0;
		if (!s || !(s->header_bad || s->header_half) ||
		    (s->header_bad && !prev_end_find(db, n, &prev_end)))
			continue;
		log_warn(LOG_DB, "database \"%s\": the header of log segment %u is written again",
			 db->dir, n);
		e = segment_header_mend(db, s, prev_end);
	}
	return e;
}

/* What the newest sound mark says of segments that are not needed any more. It was written when the
 * commit before it was on the disk. */
static uint32_t log_first_find(const struct db *db)
{
	uint32_t first = 0;
	for (uint32_t n = MAX(db->segment_first, 1u); n <= db->segment_last; n++) {
		const struct segment *s = db_segment(db, n);
		struct log_pos pos = { n, SEGMENT_HEADER_BYTES };
		uint32_t end = s ? atomic_load_explicit(&s->file_bytes, memory_order_relaxed) : 0;
		while (pos.offset < end) {
			const struct disk_chunk *c = chunk_at(db, pos);
			if (c && c->kind == CHUNK_COMMIT && chunk_payload_sound(c))
				first = MAX(first, MIN(mark_log_first(c), n));
			pos.offset += c ? chunk_bytes(c) : CHUNK_ALIGN;
		}
	}
	return first;
}

/* Segments that are not needed any more may still be there, before a manifest says so: with them a
 * replay gives groups the very commits of their last changes. */
static bool log_is_whole(const struct db *db, uint32_t end)
{
	for (uint32_t n = 1; n < end; n++)
		if (!db_segment(db, n))
			return false;
	return true;
}

void recover_from_log(struct db *db, struct db_snap *sn)
{
	sn->log_first = log_first_find(db);
	struct log_pos pos = { MAX(sn->log_first, MAX(db->segment_first, 1u)),
			       SEGMENT_HEADER_BYTES };
	if (log_is_whole(db, pos.segment))
		pos.segment = 1;
	sn->log_end = pos;
	if (pos.segment <= 1)
		return;
	/* the log may begin within a commit, whose other rows are dead or were moved */
	const struct disk_chunk *c = later_find(db, pos, 0);
	if (!c)
		return;
	sn->commit = c->commit - 1;
	if (c->segment != pos.segment || c->offset != pos.offset)
		damage_name(db, pos, c->segment == pos.segment ? c->offset : 0, 0);
}

enum err recover_replay(struct db *db, struct err_info *info)
{
	const struct db_snap *sn = snap_current(db);
	struct replay r = { .db = db, .pos = sn->log_end, .commit = sn->commit };
	enum err e = ERR_OK;
	const uint64_t had = sn->commit;
	const uint32_t from = sn->log_end.segment;
	if (!db->read_only && later_find(db, r.pos, r.commit)) /* there is something to replay */
		e = indexes_check(&r);
	if (e == ERR_OK)
		e = replay_all(&r);
	if (e == ERR_OK && !db->read_only)
		e = headers_mend(db);
	for (uint32_t n = from; e == ERR_OK && !db->read_only && snap_current(db)->commit > had &&
				n <= snap_current(db)->log_end.segment;
	     n++)
		if (db_segment(db, n))
			e = db_sync(db, db_segment(db, n)->fd);
	mem_free(&db->mem, r.chunks, r.chunks_cap * sizeof *r.chunks);
	if (e != ERR_OK)
		return err_set(info, e, 0,
			       "cannot replay the log of database \"%s\" after commit %llu: %s",
			       db->dir, (unsigned long long)r.commit, err_name(e));
	return ERR_OK;
}

enum err recover_read(struct db *db, const struct log_reader *reader)
{
	const struct db_snap *sn = snap_current(db);
	struct replay r = { .db = db, .pos = sn->log_end, .commit = sn->commit, .reader = reader };
	enum err e = replay_all(&r);
	mem_free(&db->mem, r.chunks, r.chunks_cap * sizeof *r.chunks);
	return e;
}

/* The store of the first chunk whose header is sound. */
static uint64_t store_find(const struct db *db)
{
	for (uint32_t n = 1; n <= db->segment_last; n++) {
		const struct segment *s = db_segment(db, n);
		uint32_t end = s ? atomic_load_explicit(&s->file_bytes, memory_order_relaxed) : 0;
		for (uint32_t at = SEGMENT_HEADER_BYTES;
		     (uint64_t)at + sizeof(struct disk_chunk) <= end; at += CHUNK_ALIGN) {
			const struct disk_chunk *c = (const void *)(s->map + at);
			if (c->magic == CHUNK_MAGIC && c->segment == n && c->offset == at &&
			    c->header_hash ==
				    XXH3_64bits(c, offsetof(struct disk_chunk, header_hash)))
				return c->store;
		}
	}
	return 0;
}

void recover_identity(struct db *db)
{
	if (db->store != 0)
		return;
	db->store = store_find(db);
	uint64_t rest = XXH3_64bits(&db->store, sizeof db->store); /* its second half is lost */
	memcpy(db->uuid, &db->store, 8);
	memcpy(db->uuid + 8, &rest, 8);
	db->uuid[8] = (uint8_t)((db->uuid[8] & 0x3f) | 0x80); /* RFC 9562 */
}
