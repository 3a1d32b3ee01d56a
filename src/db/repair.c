/* SPDX-License-Identifier: MIT */
/* Repair: what can be read of a log is written to a new one, commit by commit; indexes are made
 * anew from that. The old indexes, where they are sound, tell what was lost. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "db/backup.h"
#include "db/db_priv.h"
#include "db/lock.h"
#include "db/stage.h"

#define LOST_MAX 200000u /* records that are named; more are counted */
#define LOST_SLOTS (1u << 18)
#define CHUNK_ROOM (sizeof(struct disk_chunk) + CHUNK_PAYLOAD_MAX + CHUNK_ALIGN)

/* A record that was in a damaged place. */
struct lost {
	uint32_t table, row, next;    /* next: of the same slot, + 1 */
	uint64_t id;		      /* 0: not missed any more */
	uint64_t commit;	      /* 0: not known, at most that of the old index */
	const struct disk_chunk *was; /* where it can still be read, if not trusted; or NULL */
};

struct repair {
	const struct db_options *options;
	const struct db_follower *follower;
	struct db_repair_result *out;
	struct db *old, *new; /* old: its log alone */
	struct db *index;     /* old, as of its last checkpoint; NULL where it does not open */
	struct log_writer log;
	uint8_t *chunk; /* CHUNK_ROOM */
	uint64_t next_ids[DB_TABLES_MAX];
	uint32_t tables_n; /* that the log names */
	struct lost *lost;
	size_t lost_n, lost_cap, lost_gone_n;
	uint32_t *lost_slots; /* by table and id: LOST_SLOTS, place in `lost` + 1 */
	bool lost_more;	      /* there was no room for all */
	uint64_t done, all;
};

PRINTF_LIKE(2, 3) static void say(struct repair *r, const char *fmt, ...)
{
	char line[512];
	va_list args;
	if (!r->follower || !r->follower->report)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	r->follower->report(r->follower->ctx, line);
}

static const char *table_name(const struct repair *r, uint32_t table)
{
	return table < r->options->tables_n ? r->options->tables[table].name : "of a newer salver";
}

static uint32_t *lost_slot(const struct repair *r, uint32_t table, uint64_t id)
{
	return &r->lost_slots[((id ^ (uint64_t)table << 56) * 0x9e3779b97f4a7c15u) >> 46];
}
_Static_assert(LOST_SLOTS == 1u << (64 - 46), "as many slots as the hash has values");

static void lost_link(struct repair *r, uint32_t place)
{
	struct lost *l = &r->lost[place];
	uint32_t *slot = lost_slot(r, l->table, l->id);
	l->next = *slot;
	*slot = place + 1;
}

/* Without those that are not missed any more. */
static void lost_pack(struct repair *r)
{
	size_t n = 0;
	if (r->lost_gone_n == 0)
		return;
	memset(r->lost_slots, 0, LOST_SLOTS * sizeof *r->lost_slots);
	for (size_t i = 0; i < r->lost_n; i++) {
		if (r->lost[i].id == 0)
			continue;
		r->lost[n] = r->lost[i];
		lost_link(r, (uint32_t)n++);
	}
	r->lost_n = n;
	r->lost_gone_n = 0;
}

static void lost_add(struct repair *r, struct lost l)
{
	void *p = r->lost;
	if (!r->lost_slots)
		r->lost_slots = mem_alloc(&r->old->mem, LOST_SLOTS * sizeof *r->lost_slots);
	if (r->lost_n == LOST_MAX && r->lost_gone_n >= LOST_MAX / 8)
		lost_pack(r);
	if (!r->lost_slots || r->lost_n == LOST_MAX ||
	    mem_grow(&r->old->mem, &p, &r->lost_cap, r->lost_n + 1, sizeof *r->lost) != ERR_OK) {
		r->lost_more = true;
		return;
	}
	r->lost = p;
	r->lost[r->lost_n] = l;
	lost_link(r, (uint32_t)r->lost_n++);
}

/* ---- writing the new log ---- */

static enum err chunk_keep(struct repair *r, const struct disk_chunk *c)
{
	struct disk_chunk *head = (void *)r->chunk;
	struct log_pos pos;
	*head = (struct disk_chunk){ .kind = c->kind, .table = c->table, .rows_n = c->rows_n };
	memcpy(head + 1, chunk_payload(c), c->payload_bytes);
	if (c->kind == CHUNK_REMOVE)
		r->log.rows_removed_n += c->rows_n;
	else
		r->log.rows_put_n += c->rows_n;
	r->out->chunks_n++;
	return log_append(&r->log, head, c->payload_bytes, &pos);
}

static void mark_take(struct repair *r, const struct disk_chunk *c)
{
	const struct disk_commit *m = (const void *)chunk_payload(c);
	r->tables_n = MAX(r->tables_n, m->tables_n);
	for (uint32_t t = 0; t < m->tables_n; t++)
		r->next_ids[t] = MAX(r->next_ids[t], m->next_id[t]);
}

/* Payloads are looked at with the tables' own eyes, too: what they do not take is damage. */
static bool chunk_usable(const struct repair *r, const struct disk_chunk *c)
{
	struct fb_vector rows;
	if (c->payload_bytes > CHUNK_PAYLOAD_MAX)
		return false;
	return c->kind != CHUNK_ROWS || c->table >= r->options->tables_n ||
	       table_verify(&r->options->tables[c->table],
			    span_of((const char *)chunk_payload(c), c->payload_bytes),
			    &rows) == ERR_OK;
}

static void on_damage(void *ctx, struct log_pos from, uint32_t to, const struct disk_chunk *c,
		      uint64_t commit);

/* A record that ends after it was lost is not missed. */
static void removed_forget(struct repair *r, const struct disk_chunk *c)
{
	for (uint32_t i = 0; i < c->payload_bytes / 8 && r->lost_n > r->lost_gone_n; i++) {
		uint64_t id = num_le64(chunk_payload(c) + (size_t)i * 8);
		for (uint32_t *at = lost_slot(r, c->table, id); *at;) {
			struct lost *l = &r->lost[*at - 1];
			if (l->table != c->table || l->id != id) {
				at = &l->next;
				continue;
			}
			*at = l->next;
			l->id = 0;
			r->lost_gone_n++;
		}
	}
}

static enum err on_commit(void *ctx, uint64_t commit, const struct disk_chunk *const *chunks,
			  size_t n)
{
	struct repair *r = ctx;
	struct log_pos pos;
	enum err e = ERR_OK;
	log_begin(&r->log, r->new, r->log.pos, commit);
	for (size_t i = 0; i < n && e == ERR_OK; i++) {
		const struct disk_chunk *c = chunks[i];
		r->done += chunk_bytes(c);
		if (c->kind == CHUNK_COMMIT)
			mark_take(r, c);
		else if (c->kind == CHUNK_MOVES)
			continue; /* addresses of the old log; the rows are there without them */
		else if (!chunk_usable(r, c))
			on_damage(r, (struct log_pos){ c->segment, c->offset },
				  c->offset + chunk_bytes(c), c, commit);
		else
			e = chunk_keep(r, c);
		if (e == ERR_OK && c->kind == CHUNK_REMOVE)
			removed_forget(r, c);
	}
	r->out->commits_n++;
	if (r->follower && r->follower->progress)
		r->follower->progress(r->follower->ctx, MIN(r->done, r->all), r->all);
	return e == ERR_OK ? log_mark(&r->log, r->next_ids, r->tables_n, &pos) : e;
}

/* ---- what is damaged ---- */

/* Which records were in it, if it is only their bytes that are wrong. */
static void rows_guess(struct repair *r, const struct disk_chunk *c)
{
	const struct db_table_def *def = &r->options->tables[c->table];
	struct fb_vector rows;
	if (table_verify(def, span_of((const char *)chunk_payload(c), c->payload_bytes), &rows) !=
	    ERR_OK)
		return;
	for (uint32_t i = 0; i < rows.n; i++) {
		uint64_t id = def->row_id(fb_vector_table(rows, i));
		if (id > 0 && id <= DB_ID_MAX)
			lost_add(r, (struct lost){ .table = c->table,
						   .row = i,
						   .id = id,
						   .commit = c->commit,
						   .was = c });
	}
}

static void on_damage(void *ctx, struct log_pos from, uint32_t to, const struct disk_chunk *c,
		      uint64_t commit)
{
	struct repair *r = ctx;
	r->out->damaged_n++;
	r->done += to - from.offset;
	if (!c) {
		say(r, "log segment %u: bytes %u to %u are lost (commit %llu or later)",
		    from.segment, from.offset, to, (unsigned long long)commit);
		return;
	}
	say(r, "log segment %u: bytes %u to %u are lost (commit %llu, %u %s of table %s)",
	    from.segment, from.offset, to, (unsigned long long)c->commit, c->rows_n,
	    c->kind == CHUNK_REMOVE ? "removals" : "records", table_name(r, c->table));
	if (c->kind == CHUNK_ROWS && c->table < r->options->tables_n)
		rows_guess(r, c);
}

/* ---- which records are lost ---- */

/* The commit that a row comes from; 0: there is none, or its chunk does not say. */
static uint64_t row_commit(const struct db_snap *sn, unsigned table, uint64_t id)
{
	uint64_t address = snap_address(sn, table, id);
	const struct disk_chunk *c =
		address ? chunk_at(sn->db, (struct log_pos){ address_segment(address),
							     address_offset(address) })
			: NULL;
	return c ? c->commit : 0;
}

/* Rows that the old index knows and that cannot be read. */
static void index_ask(struct repair *r, unsigned table)
{
	struct db_snap *sn = db_snap_begin(r->index);
	struct fb_table row;
	uint64_t id = snap_row_next(sn, table, 1);
	for (; id <= DB_ID_MAX; id = snap_row_next(sn, table, id + 1))
		if (db_get(sn, table, id, &row) != ERR_OK)
			lost_add(r, (struct lost){ .table = table,
						   .id = id,
						   .commit = row_commit(sn, table, id) });
	db_snap_end(sn);
}

static int lost_order(const void *a, const void *b)
{
	const struct lost *x = a, *y = b;
	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->commit > y->commit ? -1 : x->commit < y->commit;
}

/* Is what was lost made good by a later state of the record, or by its end? */
static bool lost_matters(const struct repair *r, const struct lost *l, uint64_t have)
{
	uint64_t known = 0; /* the old index is of that commit */
	bool ended = false;
	if (r->index) {
		struct db_snap *old = db_snap_begin(r->index);
		known = db_snap_commit(old);
		ended = snap_address(old, l->table, l->id) == 0;
		db_snap_end(old);
	}
	if (have)
		return have < (l->commit ? l->commit : known + 1);
	return !(ended && l->commit && l->commit <= known);
}

/* What a person calls it, by the new store or what is left in the damaged place. */
static struct span lost_word(const struct repair *r, const struct db_snap *sn, const struct lost *l)
{
	const struct db_table_def *def = &r->options->tables[l->table];
	struct fb_table row;
	if (!def->row_name)
		return SPAN("");
	if (db_get(sn, l->table, l->id, &row) == ERR_OK)
		return def->row_name(row);
	if (!l->was)
		return SPAN("");
	struct span payload = span_of((const char *)chunk_payload(l->was), l->was->payload_bytes);
	return def->row_name(fb_vector_table(def->rows(payload), l->row));
}

static void lost_tell(struct repair *r, const struct db_snap *sn, const struct lost *l)
{
	uint64_t have = row_commit(sn, l->table, l->id);
	if (!lost_matters(r, l, have))
		return;
	struct span word = lost_word(r, sn, l);
	say(r, "%s: record %llu of table %s%s%s", have ? "back in an older state" : "lost",
	    (unsigned long long)l->id, r->options->tables[l->table].name, word.n ? " " : "",
	    word.n ? QUOTE(word) : "");
	r->out->lost_n++;
}

/* Rows whose removal was lost: the old index does not have them. */
static void back_tell(struct repair *r, const struct db_snap *sn, unsigned table)
{
	const struct db_table_def *def = &r->options->tables[table];
	struct db_snap *old = db_snap_begin(r->index);
	uint64_t from = 1, id = 0;
	struct fb_table row;
	while (db_row_from(sn, table, from, &id, &row) == ERR_OK) {
		from = id + 1;
		if (snap_address(old, table, id) != 0 ||
		    row_commit(sn, table, id) > db_snap_commit(old))
			continue;
		say(r, "back, for its removal was lost: record %llu of table %s %s",
		    (unsigned long long)id, def->name,
		    def->row_name ? QUOTE(def->row_name(row)) : "");
		r->out->lost_n++;
	}
	db_snap_end(old);
}

static void losses_tell(struct repair *r)
{
	struct db_snap *sn = db_snap_begin(r->new);
	for (unsigned t = 0; r->index && t < r->options->tables_n; t++) {
		index_ask(r, t);
		back_tell(r, sn, t);
	}
	lost_pack(r);
	if (r->lost_n > 0)
		qsort(r->lost, r->lost_n, sizeof *r->lost, lost_order);
	for (size_t i = 0; i < r->lost_n; i++) {
		const struct lost *l = &r->lost[i];
		if (i == 0 || l->table != l[-1].table || l->id != l[-1].id)
			lost_tell(r, sn, l);
	}
	if (r->lost_more)
		say(r, "more than %u records were in damaged places; the rest is not named",
		    LOST_MAX);
	r->out->commit = db_snap_commit(sn);
	db_snap_end(sn);
}

/* ---- the whole ---- */

static enum err old_open(struct repair *r, struct err_info *info)
{
	struct db_options o = *r->options;
	struct err_info unused = { 0 };
	o.read_only = true;
	enum err e = db_open_mode(&o, OPEN_LOG, &r->old, info);
	if (e != ERR_OK)
		return e;
	if (db_open_mode(&o, OPEN_INDEXED, &r->index, &unused) != ERR_OK)
		r->index = NULL;
	for (uint32_t n = 1; n <= r->old->segment_last; n++)
		if (db_segment(r->old, n))
			r->all += segment_end(r->old, db_segment(r->old, n));
	/* the log names only the first half of who it is; index and manifest know the whole */
	if (r->index)
		memcpy(r->old->uuid, db_uuid(r->index), sizeof r->old->uuid);
	r->out->identity_lost = !r->index;
	for (uint32_t n = 1; n <= r->old->segment_last; n++)
		if (db_segment(r->old, n) && !db_segment(r->old, n)->header_bad)
			r->out->identity_lost = false;
	return ERR_OK;
}

/* The new log, and everything made from it. */
static enum err new_make(struct repair *r, const struct stage *stage, struct err_info *info)
{
	struct db_options o = *r->options;
	const struct log_reader reader = { .commit = on_commit, .damage = on_damage, .ctx = r };
	o.dir = stage->path;
	enum err e = db_create(&o, r->old->uuid, &r->new, info);
	if (e != ERR_OK)
		return e;
	r->log.pos = (struct log_pos){ 1, SEGMENT_HEADER_BYTES };
	r->tables_n = MIN(r->options->tables_n, DB_TABLES_MAX);
	e = recover_read(r->old, &reader);
	db_free(r->new);
	r->new = NULL;
	if (e == ERR_OK)
		e = db_open(&o, &r->new, info);
	if (e == ERR_OK)
		e = db_check(r->new, r->follower ? r->follower->report : NULL,
			     r->follower ? r->follower->ctx : NULL);
	if (e != ERR_OK)
		return err_set(info, e, errno, "cannot write the repaired database to %s: %s",
			       QUOTE(span_str(stage->path)), err_name(e));
	losses_tell(r);
	db_close(r->new);
	r->new = NULL;
	return ERR_OK;
}

static void repair_fini(struct repair *r)
{
	if (r->old) {
		mem_free(&r->old->mem, r->lost, r->lost_cap * sizeof *r->lost);
		mem_free(&r->old->mem, r->lost_slots, LOST_SLOTS * sizeof *r->lost_slots);
	}
	db_free(r->new);
	db_close(r->index);
	db_close(r->old);
	free(r->chunk);
}

static bool is_sound(const struct db_options *options)
{
	struct db_options o = *options;
	struct err_info unused = { 0 };
	struct db *db = NULL;
	o.read_only = true;
	bool sound = db_open(&o, &db, &unused) == ERR_OK && db_check(db, NULL, NULL) == ERR_OK;
	struct db_stats stats = { 0 };
	if (sound)
		db_stats_get(db, &stats);
	db_close(db);
	return sound && stats.damaged_chunks_n == 0;
}

static enum err repair_run(const struct db_options *options, const struct db_follower *follower,
			   struct db_repair_result *out, struct err_info *info)
{
	struct stage stage = { .dir_fd = -1 };
	struct repair r = { .options = options, .follower = follower, .out = out };
	r.chunk = calloc(1, CHUNK_ROOM);
	enum err e = r.chunk ? old_open(&r, info) : ERR_NOMEM;
	if (e == ERR_OK)
		e = stage_begin(&stage, options->dir, info);
	if (e == ERR_OK)
		e = new_make(&r, &stage, info);
	repair_fini(&r);
	if (e == ERR_OK)
		e = stage_sync(&stage, info);
	if (e == ERR_OK)
		e = stage_swap(&stage, ".damaged", out->aside, info);
	stage_end(&stage);
	return e;
}

enum err db_repair(const struct db_options *options, const struct db_follower *follower,
		   struct db_repair_result *out, struct err_info *info)
{
	CLEANUP(fd_closep) int lock = -1;
	CLEANUP(fd_closep) int dir_fd = open(options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(out, 0, sizeof *out);
	if (dir_fd < 0)
		return err_set(info, err_from_errno(errno), errno,
			       "cannot open database directory %s: %s",
			       QUOTE(span_str(options->dir)), strerror(errno));
	enum err e = lock_take(dir_fd, options->dir, &lock, info);
	if (e != ERR_OK || is_sound(options))
		return e;
	return repair_run(options, follower, out, info);
}
