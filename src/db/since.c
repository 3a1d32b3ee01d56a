/* SPDX-License-Identifier: MIT */
/* What changed since when: of a table, its runs say; row by row, the log itself does. */
#include "db/db_priv.h"

uint64_t db_table_commit(const struct db_snap *sn, unsigned table)
{
	const struct snap_table *t = &sn->tables[table];
	uint64_t newest = 0;
	for (uint32_t i = 0; i < t->runs_n; i++)
		newest = MAX(newest, t->runs[i]->commit_last);
	return newest;
}

void db_snap_mark(const struct db_snap *sn, struct db_mark *out)
{
	*out = (struct db_mark){ sn->commit, sn->log_end.segment, sn->log_end.offset };
}

struct walk {
	const struct db_snap *sn;
	struct log_pos pos;
	uint64_t commit;   /* of the chunk before pos */
	uint32_t chunk_no; /* the next one's, where it is of the same commit */
	bool open;	   /* that commit's mark has not come yet */
};

static bool pos_eq(struct log_pos a, struct log_pos b)
{
	return a.segment == b.segment && a.offset == b.offset;
}

/* The chunk at w->pos, or at the start of the next segment where this one ends here. */
static const struct disk_chunk *walk_chunk(struct walk *w)
{
	const struct db *db = w->sn->db;
	const struct segment *s =
		w->pos.segment + 1 < SEGMENTS_MAX ? db_segment(db, w->pos.segment + 1) : NULL;
	/* first of all: what follows the end of a segment is stale, however sound it looks */
	if (s && w->pos.segment < w->sn->log_end.segment && !s->header_bad &&
	    s->prev_end == w->pos.offset)
		w->pos = (struct log_pos){ s->number, SEGMENT_HEADER_BYTES };
	return chunk_at(db, w->pos);
}

/** Whether the chunk is the one that must follow. */
static bool walk_accept(struct walk *w, const struct disk_chunk *c)
{
	bool next = w->open ? c->commit == w->commit && c->chunk_no == w->chunk_no
			    : c->commit == w->commit + 1 && c->chunk_no == 0;
	if (!next || c->commit > w->sn->commit)
		return false;
	w->commit = c->commit;
	w->chunk_no = c->chunk_no + 1;
	w->open = c->kind != CHUNK_COMMIT;
	return true;
}

static enum err walk_rows(const struct disk_chunk *c, const struct db *db, db_change_fn *each,
			  void *ctx)
{
	struct fb_vector rows;
	enum err e = chunk_rows((struct db *)(uintptr_t)db, c->table,
				address_make(c->segment, c->offset, 0), &rows);
	for (uint32_t i = 0; i < rows.n && e == ERR_OK; i++)
		e = each(ctx, c->table, db->tables[c->table].row_id(fb_vector_table(rows, i)));
	return e;
}

static enum err walk_removes(const struct disk_chunk *c, db_change_fn *each, void *ctx)
{
	if (!chunk_payload_sound(c))
		return ERR_CORRUPT;
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < c->payload_bytes / 8 && e == ERR_OK; i++)
		e = each(ctx, c->table, num_le64(chunk_payload(c) + (size_t)i * 8));
	return e;
}

enum err db_changes_since(const struct db_snap *sn, const struct db_mark *mark, db_change_fn *each,
			  void *ctx)
{
	struct walk w = { .sn = sn,
			  .pos = { mark->segment, mark->offset },
			  .commit = mark->commit };
	bool moved = false;
	while (!pos_eq(w.pos, sn->log_end)) {
		const struct disk_chunk *c = walk_chunk(&w);
		if (!c || !walk_accept(&w, c))
			return ERR_NOTFOUND;
		enum err e = ERR_OK;
		if (c->table < sn->db->tables_n && c->kind == CHUNK_ROWS && !moved)
			e = walk_rows(c, sn->db, each, ctx); /* those that moved are as they were */
		else if (c->table < sn->db->tables_n && c->kind == CHUNK_REMOVE)
			e = walk_removes(c, each, ctx);
		if (e != ERR_OK)
			return e;
		moved = c->kind == CHUNK_MOVES; /* those in the chunk that follows it */
		w.pos.offset += chunk_bytes(c);
	}
	return w.commit == sn->commit && !w.open ? ERR_OK : ERR_NOTFOUND;
}
