/* SPDX-License-Identifier: MIT */
/* Checking a whole store: every chunk, every run, and that they say the same. */
#include <stdarg.h>
#include <stdio.h>

#include "db/db_priv.h"

struct check {
	struct db *db;
	const struct db_snap *sn;
	void (*report)(void *ctx, const char *line);
	void *ctx;
	uint64_t findings_n;
};

PRINTF_LIKE(2, 3) static void finding(struct check *k, const char *fmt, ...)
{
	char line[320];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	k->findings_n++;
	if (k->report)
		k->report(k->ctx, line);
}

/* ---- the log ---- */

static bool chunk_good(const struct db *db, const struct disk_chunk *c)
{
	struct fb_vector rows;
	if (!chunk_payload_sound(c))
		return false;
	if (c->kind != CHUNK_ROWS || c->table >= db->tables_n)
		return true;
	return table_verify(&db->tables[c->table], span_of(chunk_payload(c), c->payload_bytes),
			    &rows) == ERR_OK &&
	       rows.n == c->rows_n;
}

static void check_segment(struct check *k, const struct segment *s, uint32_t end)
{
	struct log_pos pos = { s->number, SEGMENT_HEADER_BYTES };
	uint32_t bad = 0;
	if (s->header_bad)
		finding(k, "log segment %u: its header is damaged", s->number);
	while (pos.offset < end && !db_hurried(k->db)) {
		const struct disk_chunk *c = chunk_at(k->db, pos);
		if (c && bad)
			finding(k, "log segment %u: bytes %u to %u are no chunk", s->number, bad,
				pos.offset);
		if (c) {
			if (!chunk_good(k->db, c))
				finding(k,
					"log segment %u: the chunk at byte %u is damaged (commit "
					"%llu, "
					"table %s, %u records)",
					s->number, pos.offset, (unsigned long long)c->commit,
					c->table < k->db->tables_n ? k->db->tables[c->table].name
								   : "?",
					c->rows_n);
			bad = 0;
			pos.offset += chunk_bytes(c);
			continue;
		}
		if (!bad)
			bad = pos.offset;
		pos.offset += CHUNK_ALIGN;
	}
	if (bad && !db_hurried(k->db))
		finding(k, "log segment %u: bytes %u to %u are no chunk", s->number, bad, end);
}

static void check_log(struct check *k)
{
	struct log_pos end = k->sn->log_end;
	for (uint32_t n = 1; n <= end.segment; n++) {
		const struct segment *s = db_segment(k->db, n);
		if (s)
			check_segment(k, s, n == end.segment ? end.offset : segment_end(k->db, s));
	}
}

/* ---- runs ---- */

static void check_order(struct check *k, const struct run *r, unsigned index)
{
	const struct run_index *ix = &r->index[index];
	const char *table = k->db->tables[r->table].name;
	const char *name = k->db->tables[r->table].indexes[index].name;
	for (uint64_t g = 0; g < ix->groups_n && !db_hurried(k->db); g++) {
		bool ok = g == 0 || ix->groups[g - 1].group < ix->groups[g].group;
		for (unsigned sign = 0; sign < 2; sign++) {
			uint64_t lo, hi;
			struct entry a, b;
			run_group_range(ix, g, sign, &lo, &hi);
			for (uint64_t i = lo + 1; i < hi && ok; i++) {
				entry_at(ix, sign, i - 1, &a);
				entry_at(ix, sign, i, &b);
				ok = entry_cmp(ix->key_bytes, &a, &b) < 0;
			}
		}
		if (!ok) {
			finding(k, "index %s of table %s: run %llu is out of order", name, table,
				(unsigned long long)r->number);
			return;
		}
	}
}

static void check_runs(struct check *k)
{
	for (unsigned t = 0; t < k->db->tables_n; t++) {
		const struct snap_table *st = &k->sn->tables[t];
		for (uint32_t i = 0; i < st->runs_n && !db_hurried(k->db); i++) {
			const struct run *r = st->runs[i];
			if (r->number != 0 && !run_sound(r))
				finding(k, "index file %llu of table %s fails its checksums",
					(unsigned long long)r->number, k->db->tables[t].name);
			for (unsigned x = 0; x < k->db->tables[t].indexes_n; x++)
				check_order(k, r, x);
		}
	}
}

/* ---- rows against indexes ---- */

/* How often exactly this entry is live: 1, or something is wrong. */
static int64_t entry_net(const struct snap_table *st, unsigned index, uint32_t group,
			 const struct entry *e)
{
	int64_t net = 0;
	for (uint32_t i = 0; i < st->runs_n; i++) {
		const struct run_index *ix = &st->runs[i]->index[index];
		uint64_t g = run_group_find(ix, group);
		for (unsigned sign = 0; g < ix->groups_n && sign < 2; sign++) {
			uint64_t lo, hi;
			struct entry found;
			run_group_range(ix, g, sign, &lo, &hi);
			uint64_t at = entry_lower_bound(ix, sign, lo, hi, e);
			if (at >= hi)
				continue;
			entry_at(ix, sign, at, &found);
			if (entry_cmp(ix->key_bytes, &found, e) == 0)
				net += sign ? -1 : 1;
		}
	}
	return net;
}

static uint64_t check_row(struct check *k, unsigned table, const struct db_row *row,
			  struct emit_list *lists, uint64_t *counts)
{
	const struct db_table_def *def = &k->db->tables[table];
	struct db_emit emit = { .db = k->db, .def = def, .lists = lists };
	uint64_t wrong = 0;
	def->extract(row, 1, &emit);
	for (unsigned x = 0; x < def->indexes_n; x++) {
		for (size_t i = 0; i < lists[x].n; i++) {
			const struct emit_item *item = &lists[x].items[i];
			uint8_t prefix[32];
			struct entry e;
			emit_entry(&lists[x], item, prefix, &e);
			wrong += entry_net(&k->sn->tables[table], x, emit_group(item), &e) != 1;
			counts[x]++;
		}
		emit_reset(&lists[x]);
	}
	return wrong;
}

static uint64_t index_live(const struct snap_table *st, unsigned index)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < st->runs_n; i++)
		n += st->runs[i]->index[index].part[0].n - st->runs[i]->index[index].part[1].n;
	return n;
}

/* The least group >= from of an index, in any run. */
static bool group_from(const struct snap_table *st, unsigned index, uint64_t from, uint32_t *out)
{
	bool any = false;
	for (uint32_t i = 0; i < st->runs_n; i++) {
		const struct run_index *ix = &st->runs[i]->index[index];
		uint64_t lo = 0, hi = ix->groups_n;
		while (lo < hi) {
			uint64_t mid = lo + (hi - lo) / 2;
			if (ix->groups[mid].group < from)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo < ix->groups_n && (!any || ix->groups[lo].group < *out)) {
			*out = ix->groups[lo].group;
			any = true;
		}
	}
	return any;
}

/* What a reader is shown of an index, group by group, against what it is told of their sizes and
 * what the records have. Each record's entries were found there: as many, so no others. */
static void check_groups(struct check *k, unsigned table, unsigned index, uint64_t records_have)
{
	const struct db_table_def *def = &k->db->tables[table];
	uint64_t shown = 0, wrong = 0;
	uint32_t group = 0;
	struct db_cursor c;
	for (uint64_t from = 0; group_from(&k->sn->tables[table], index, from, &group);
	     from = (uint64_t)group + 1) {
		uint64_t id, n = 0;
		if (db_hurried(k->db))
			return;
		db_seek(&c, k->sn, table, index, group, 0);
		while (db_next(&c, &id))
			n++;
		wrong += n != db_count(k->sn, table, index, group);
		shown += n;
	}
	if (wrong)
		finding(k, "index %s of table %s: the sizes of %llu groups are wrong",
			def->indexes[index].name, def->name, (unsigned long long)wrong);
	if (shown != records_have)
		finding(k,
			"index %s of table %s: %llu entries are shown, but the records have %llu",
			def->indexes[index].name, def->name, (unsigned long long)shown,
			(unsigned long long)records_have);
}

static void check_table(struct check *k, unsigned table)
{
	const struct db_table_def *def = &k->db->tables[table];
	const struct snap_table *st = &k->sn->tables[table];
	struct emit_list lists[DB_INDEXES_MAX];
	for (unsigned x = 0; x < def->indexes_n; x++)
		emit_init(&lists[x], def->indexes[x].key_bytes);
	uint64_t counts[DB_INDEXES_MAX] = { 0 }, rows = 0, unreadable = 0, wrong = 0, from = 0;
	struct db_row row;
	while (from <= DB_ID_MAX && !db_hurried(k->db)) {
		enum err e = db_row_from(k->sn, table, from, &row.id, &row.row);
		if (e == ERR_NOTFOUND)
			break;
		if (e == ERR_OK) {
			wrong += check_row(k, table, &row, lists, counts);
			from = row.id + 1;
		} else {
			/* the first row from here on is in a damaged chunk */
			unreadable++;
			from = snap_row_next(k->sn, table, from) + 1;
		}
		rows++;
	}
	bool whole = !db_hurried(k->db);
	if (unreadable)
		finding(k, "table %s: %llu records cannot be read", def->name,
			(unsigned long long)unreadable);
	if (whole && rows != st->live)
		finding(k, "table %s: %llu records, but its count says %llu", def->name,
			(unsigned long long)rows, (unsigned long long)st->live);
	if (wrong)
		finding(k, "table %s: %llu index entries are missing or doubled", def->name,
			(unsigned long long)wrong);
	for (unsigned x = 0; x < def->indexes_n; x++) {
		if (whole && !unreadable && counts[x] != index_live(st, x))
			finding(k, "index %s of table %s: %llu entries, but the records have %llu",
				def->indexes[x].name, def->name,
				(unsigned long long)index_live(st, x),
				(unsigned long long)counts[x]);
		if (whole && !unreadable)
			check_groups(k, table, x, counts[x]);
		emit_fini(&k->db->mem, &lists[x]);
	}
}

void db_hurry(struct db *db)
{
	atomic_store_explicit(&db->hurried, true, memory_order_relaxed); /* orders nothing */
}

bool db_hurried(const struct db *db)
{
	return atomic_load_explicit(&db->hurried, memory_order_relaxed);
}

enum err db_check(struct db *db, void (*report)(void *ctx, const char *line), void *ctx)
{
	struct db_snap *sn = db_snap_begin(db);
	struct check k = { .db = db, .sn = sn, .report = report, .ctx = ctx };
	check_log(&k);
	check_runs(&k);
	for (unsigned t = 0; t < db->tables_n; t++)
		check_table(&k, t);
	db_snap_end(sn);
	if (db_hurried(db))
		return ERR_CLOSED;
	return k.findings_n ? ERR_CORRUPT : ERR_OK;
}
