/* SPDX-License-Identifier: MIT */
/* The log's end: chunks go out as they fill; the commit mark and one sync make them count. */
#include <errno.h>

#include "base/clock.h"
#include "db/db_priv.h"

#define WRITE_BACK_BYTES (64u << 10) /* of a chunk; smaller ones wait for the sync */

void log_begin(struct log_writer *lw, struct db *db, struct log_pos pos, uint64_t commit)
{
	*lw = (struct log_writer){ .db = db, .pos = pos, .commit = commit, .running = commit };
}

static const uint8_t zeros[sizeof(struct disk_chunk)];

/* Chunks of an aborted transaction behind the place where the segment ends: replay would go on with
 * the first instead of with the next segment, and with any of them where there is damage. */
static enum err stale_wipe(struct log_writer *lw, const struct segment *s)
{
	uint32_t bytes = atomic_load_explicit(&s->file_bytes, memory_order_relaxed);
	struct log_pos pos = lw->pos;
	enum err e = ERR_OK;
	for (; pos.offset < bytes && e == ERR_OK; pos.offset += CHUNK_ALIGN)
		if (chunk_at(lw->db, pos))
			e = db_write(lw->db, s->fd, zeros, sizeof zeros, pos.offset);
	return e;
}

/* The chunk does not fit into this segment: what is written so far must be durable before anything
 * in the next one can be the commit point. */
static enum err log_roll(struct log_writer *lw)
{
	struct segment *s = db_segment(lw->db, lw->pos.segment);
	enum err e = stale_wipe(lw, s);
	if (e == ERR_OK)
		e = db_sync(lw->db, s->fd);
	if (e == ERR_OK)
		e = segment_create(lw->db, lw->pos.segment + 1, lw->pos.offset);
	if (e != ERR_OK)
		return e;
	lw->pos = (struct log_pos){ lw->pos.segment + 1, SEGMENT_HEADER_BYTES };
	return ERR_OK;
}

enum err log_append(struct log_writer *lw, struct disk_chunk *head, uint32_t payload_n,
		    struct log_pos *out_pos)
{
	struct db *db = lw->db;
	head->payload_bytes = payload_n;
	uint32_t bytes = chunk_bytes(head);
	/* what is being compacted gets nothing new */
	bool leave = db->compact.active && lw->pos.segment <= db->compact.last;
	if (lw->pos.offset > SEGMENT_HEADER_BYTES &&
	    (leave || (uint64_t)lw->pos.offset + bytes > db->segment_bytes_max)) {
		enum err e = log_roll(lw);
		if (e != ERR_OK)
			return e;
	}
	struct segment *s = db_segment(db, lw->pos.segment);
	head->commit = lw->commit;
	head->segment = lw->pos.segment;
	head->offset = lw->pos.offset;
	head->chunk_no = lw->chunk_no;
	memset((uint8_t *)(head + 1) + payload_n, 0, bytes - sizeof *head - payload_n);
	chunk_seal(db, head, (const uint8_t *)(head + 1));

	enum err e = segment_reserve(db, s, lw->pos.offset + bytes);
	if (e == ERR_OK)
		e = db_write(db, s->fd, head, bytes, lw->pos.offset);
	if (e != ERR_OK)
		return e;
	if (bytes >= WRITE_BACK_BYTES && db->io->write_back)
		db->io->write_back(db->io->ctx, s->fd, lw->pos.offset, bytes);
	lw->running =
		XXH3_64bits_withSeed(&head->header_hash, sizeof head->header_hash, lw->running);
	lw->bytes += bytes;
	lw->chunk_no++;
	if (head->kind == CHUNK_ROWS)
		chunk_mark_sound(s, lw->pos.offset);
	*out_pos = lw->pos;
	lw->pos.offset += bytes;
	return ERR_OK;
}

/* A mark that may or may not have reached the disk must not come back after a restart. Best effort:
 * the disk has just failed. */
static void mark_wipe(struct log_writer *lw, struct log_pos pos)
{
	struct segment *s = db_segment(lw->db, pos.segment);
	uint32_t bytes = s ? atomic_load_explicit(&s->file_bytes, memory_order_relaxed) : 0;
	/* behind what is allotted, nothing was written: a full disk is no reason to poison */
	if (bytes >= sizeof zeros && pos.offset <= bytes - sizeof zeros &&
	    db_write(lw->db, s->fd, zeros, sizeof zeros, pos.offset) != ERR_OK)
		atomic_store(&lw->db->poisoned, true);
}

enum err log_mark(struct log_writer *lw, const uint64_t *next_ids, uint32_t tables_n,
		  struct log_pos *out_pos)
{
	union {
		uint8_t bytes[sizeof(struct disk_chunk) + sizeof(struct disk_commit) +
			      (DB_TABLES_MAX + 1) * 8 + CHUNK_ALIGN];
		struct disk_chunk head;
	} u;
	memset(&u, 0, sizeof u);
	struct disk_commit *mark = (struct disk_commit *)(void *)(u.bytes + sizeof u.head);
	*mark = (struct disk_commit){
		.running_hash = lw->running,
		.wall_s = clock_wall_s(),
		.rows_put_n = lw->rows_put_n,
		.rows_removed_n = lw->rows_removed_n,
		.bytes = lw->bytes,
		.chunks_n = lw->chunk_no,
		.tables_n = tables_n,
	};
	memcpy(mark->next_id, next_ids, tables_n * sizeof *next_ids);
	mark->next_id[tables_n] = lw->db->log_first;
	u.head.kind = CHUNK_COMMIT;
	return log_append(lw, &u.head, (uint32_t)(sizeof *mark + (tables_n + 1) * 8), out_pos);
}

enum err log_commit(struct log_writer *lw, const uint64_t *next_ids, uint32_t tables_n)
{
	struct log_pos pos;
	enum err e = log_mark(lw, next_ids, tables_n, &pos);
	if (e != ERR_OK) {
		mark_wipe(lw, lw->pos); /* where it was to go, whole or in part */
		return e;
	}
	e = db_sync(lw->db, db_segment(lw->db, pos.segment)->fd);
	if (e != ERR_OK)
		mark_wipe(lw, pos);
	return e;
}
