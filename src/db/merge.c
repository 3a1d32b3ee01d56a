/* SPDX-License-Identifier: MIT */
/* Merging: sorted runs become one. An entry added and removed cancels
 * out; of a row's addresses the newest stays; group rows stay, with the newest commit. */
#include "db/db_priv.h"
#include "db/guard.h"

/* One run to be merged, and how far it is. */
struct merge_source {
	const struct run *run;
	uint64_t row_at, group_at;
};

/* Upper bounds of one index of the run to be written. */
struct merge_bound {
	uint64_t groups_n, entries_n[2], tails[2];
};

/* ---- addresses ---- */

static uint64_t source_id(const struct merge_source *s)
{
	return run_id_at(s->run, s->row_at);
}

/* The next id among all sources, and its newest address (sources come oldest first). */
static bool address_next(struct merge_source *src, size_t n, uint64_t *id, uint64_t *address)
{
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		struct merge_source *s = &src[i];
		if (s->row_at >= s->run->rows_n)
			continue;
		uint64_t at = source_id(s);
		if (!any || at <= *id) {
			*id = at;
			*address = s->run->addresses[s->row_at];
			any = true;
		}
	}
	for (size_t i = 0; any && i < n; i++)
		if (src[i].row_at < src[i].run->rows_n && source_id(&src[i]) == *id)
			src[i].row_at++;
	return any;
}

struct address_plan {
	uint64_t n, first, last;
	uint64_t live_n;
	bool dense, drop_removed;
};

static void addresses_rewind(struct merge_source *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		src[i].row_at = 0;
}

static struct address_plan addresses_plan(struct merge_source *src, size_t n, bool oldest)
{
	struct address_plan p = { 0 };
	uint64_t id = 0, address = 0;
	addresses_rewind(src, n);
	while (address_next(src, n, &id, &address)) {
		if (p.n == 0)
			p.first = id;
		p.last = id;
		p.n++;
		p.live_n += address != 0;
	}
	p.dense = p.n > 0 && p.last - p.first + 1 == p.n;
	/* with nothing below, "removed" and "unknown" are the same */
	p.drop_removed = oldest && !p.dense;
	return p;
}

static void merge_write_rows(struct run_out *o, struct merge_source *src, size_t n, bool oldest)
{
	struct address_plan p = addresses_plan(src, n, oldest);
	uint64_t rows = p.drop_removed ? p.live_n : p.n, id = 0, address = 0;
	o->head.base_id = p.dense ? p.first : 0;
	out_section_begin(o, OUT_POS, p.dense ? 0 : rows * 4);
	out_section_begin(o, OUT_NEG, rows * 8);
	addresses_rewind(src, n);
	while (address_next(src, n, &id, &address)) {
		uint32_t id32 = (uint32_t)id;
		if (p.drop_removed && address == 0)
			continue;
		if (!p.dense)
			out_put(o, OUT_POS, &id32, sizeof id32);
		out_put(o, OUT_NEG, &address, sizeof address);
	}
	out_section_end(o, OUT_POS, &o->head.ids, 4);
	out_section_end(o, OUT_NEG, &o->head.addresses, 8);
}

/* ---- one group: streams of entries ---- */

struct stream {
	const struct run_index *ix;
	uint64_t at, end;
	unsigned sign;
	uint64_t k; /* first 8 key bytes: most comparisons end here */
	struct entry e;
};

struct group_merge {
	struct run_out *o;
	uint32_t key_bytes;
	size_t streams_n;
	struct stream streams[2 * MERGE_INPUTS_MAX];
};

static void stream_load(struct stream *s, uint32_t kb)
{
	entry_at(s->ix, s->sign, s->at, &s->e);
	if (kb >= 8)
		s->k = __builtin_bswap64(num_le64(s->e.prefix));
	else if (kb >= 4)
		s->k = __builtin_bswap32(num_le32(s->e.prefix));
	else
		s->k = s->e.id;
}

static int stream_cmp(const struct stream *a, const struct stream *b, uint32_t kb)
{
	if (a->k != b->k)
		return a->k < b->k ? -1 : 1;
	return entry_cmp(kb, &a->e, &b->e);
}

static void entry_write(struct run_out *o, uint32_t kb, unsigned sign, const struct entry *e)
{
	enum out_section_name entries = sign ? OUT_NEG : OUT_POS;
	enum out_section_name tails = sign ? OUT_NEG_TAILS : OUT_POS_TAILS;
	uint8_t b[32];
	memcpy(b, e->prefix, kb);
	memcpy(b + kb, &e->id, 4);
	if (kb >= 12) {
		uint32_t ref = TAIL_SHORT + e->key_n;
		if (e->key_n > kb) {
			uint16_t n = (uint16_t)(e->key_n - kb);
			ref = (uint32_t)out_used(o, tails);
			out_put(o, tails, &n, sizeof n);
			out_put(o, tails, e->tail, n);
		}
		memcpy(b + kb + 4, &ref, 4);
	}
	out_put(o, entries, b, entry_bytes_of(kb));
}

/* One source has the whole group: copy. */
static void group_copy(struct group_merge *g, const struct stream *s)
{
	if (g->key_bytes < 12) {
		size_t eb = s->ix->entry_bytes;
		out_put(g->o, s->sign ? OUT_NEG : OUT_POS,
			s->ix->part[s->sign].entries + s->at * eb, (s->end - s->at) * eb);
		return;
	}
	struct stream c = *s;
	for (; c.at < c.end; c.at++) {
		stream_load(&c, g->key_bytes);
		entry_write(g->o, g->key_bytes, c.sign, &c.e);
	}
}

static size_t stream_least(const struct group_merge *g)
{
	size_t least = 0;
	for (size_t i = 1; i < g->streams_n; i++)
		if (stream_cmp(&g->streams[i], &g->streams[least], g->key_bytes) < 0)
			least = i;
	return least;
}

static void stream_advance(struct group_merge *g, size_t i)
{
	struct stream *s = &g->streams[i];
	if (++s->at < s->end)
		stream_load(s, g->key_bytes);
	else
		*s = g->streams[--g->streams_n];
}

static void group_merge(struct group_merge *g)
{
	for (size_t i = 0; i < g->streams_n; i++)
		stream_load(&g->streams[i], g->key_bytes);
	while (g->streams_n > 1) {
		size_t least = stream_least(g);
		struct stream head = g->streams[least];
		int net = 0;
		for (size_t i = g->streams_n; i-- > 0;) {
			if (stream_cmp(&g->streams[i], &head, g->key_bytes) != 0)
				continue;
			net += g->streams[i].sign ? -1 : 1;
			stream_advance(g, i);
		}
		if (net != 0)
			entry_write(g->o, g->key_bytes, net < 0, &head.e);
	}
	if (g->streams_n == 1)
		group_copy(g, &g->streams[0]);
}

/* ---- one index ---- */

static bool source_group(const struct merge_source *s, unsigned index, uint32_t *out)
{
	const struct run_index *ix = &s->run->index[index];
	if (s->group_at >= ix->groups_n)
		return false;
	*out = ix->groups[s->group_at].group;
	return true;
}

static void stream_add(struct group_merge *g, struct stream s)
{
	if (s.at < s.end)
		g->streams[g->streams_n++] = s;
}

/* The source's entries of its group at hand become streams; returns the group's commit there. */
static uint64_t source_take(struct merge_source *s, unsigned index, struct group_merge *g)
{
	const struct run_index *ix = &s->run->index[index];
	for (unsigned sign = 0; sign < 2; sign++) {
		struct stream st = { .ix = ix, .sign = sign };
		run_group_range(ix, s->group_at, sign, &st.at, &st.end);
		stream_add(g, st);
	}
	return ix->groups[s->group_at++].commit;
}

static bool group_next(struct merge_source *src, size_t n, unsigned index, struct group_merge *g,
		       struct disk_group *row)
{
	bool any = false;
	uint32_t least = 0, group;
	for (size_t i = 0; i < n; i++) {
		if (source_group(&src[i], index, &group) && (!any || group < least)) {
			least = group;
			any = true;
		}
	}
	if (!any)
		return false;
	g->streams_n = 0;
	*row = (struct disk_group){ .group = least };
	for (size_t i = 0; i < n; i++) {
		if (source_group(&src[i], index, &group) && group == least) {
			uint64_t commit = source_take(&src[i], index, g);
			row->commit = MAX(row->commit, commit);
		}
	}
	return true;
}

static void merge_write_index(struct run_out *o, struct merge_source *src, size_t n, unsigned index,
			      const struct merge_bound *bound)
{
	uint32_t kb = o->db->tables[o->head.table].indexes[index].key_bytes;
	uint32_t eb = entry_bytes_of(kb);
	out_section_begin(o, OUT_GROUPS, bound->groups_n * sizeof(struct disk_group));
	for (unsigned sign = 0; sign < 2; sign++) {
		out_section_begin(o, sign ? OUT_NEG : OUT_POS, bound->entries_n[sign] * eb);
		out_section_begin(o, sign ? OUT_NEG_TAILS : OUT_POS_TAILS, bound->tails[sign]);
	}
	for (size_t i = 0; i < n; i++)
		src[i].group_at = 0;
	struct group_merge g = { .o = o, .key_bytes = kb };
	struct disk_group row;
	while (group_next(src, n, index, &g, &row)) {
		row.start[0] = (uint32_t)(out_used(o, OUT_POS) / eb);
		row.start[1] = (uint32_t)(out_used(o, OUT_NEG) / eb);
		out_put(o, OUT_GROUPS, &row, sizeof row);
		group_merge(&g);
	}
	struct disk_run_index *x = &o->head.index[index];
	x->key_bytes = kb;
	out_section_end(o, OUT_GROUPS, &x->groups, sizeof(struct disk_group));
	out_section_end(o, OUT_POS, &x->entries[0], eb);
	out_section_end(o, OUT_NEG, &x->entries[1], eb);
	out_section_end(o, OUT_POS_TAILS, &x->tails[0], 1);
	out_section_end(o, OUT_NEG_TAILS, &x->tails[1], 1);
}

/* ---- a whole run ---- */

static struct merge_bound runs_bound(struct run *const *runs, size_t n, unsigned index)
{
	struct merge_bound b = { 0 };
	for (size_t i = 0; i < n; i++) {
		const struct run_index *ix = &runs[i]->index[index];
		b.groups_n += ix->groups_n;
		for (unsigned sign = 0; sign < 2; sign++) {
			b.entries_n[sign] += ix->part[sign].n;
			b.tails[sign] += ix->part[sign].tails_n;
		}
	}
	return b;
}

static uint64_t merge_bound_bytes(const struct merge_bound *b, uint32_t key_bytes)
{
	/* 8 per section for its alignment */
	return b->groups_n * sizeof(struct disk_group) +
	       (b->entries_n[0] + b->entries_n[1]) * entry_bytes_of(key_bytes) + b->tails[0] +
	       b->tails[1] + (uint64_t)OUT_SECTIONS * 8;
}

enum err merge_runs(struct db *db, unsigned table, struct run *const *runs, size_t n, bool oldest,
		    bool file, struct run **out)
{
	const struct db_table_def *def = &db->tables[table];
	struct merge_source src[MERGE_INPUTS_MAX];
	struct merge_bound bound[DB_INDEXES_MAX];
	uint64_t bytes = 32, commit = 0;
	ASSERT(n > 0 && n <= MERGE_INPUTS_MAX);
	for (size_t i = 0; i < n; i++) {
		src[i] = (struct merge_source){ .run = runs[i] };
		bytes += runs[i]->rows_n * 12;
		commit = MAX(commit, runs[i]->commit_last);
	}
	for (unsigned x = 0; x < def->indexes_n; x++) {
		bound[x] = runs_bound(runs, n, x);
		bytes += merge_bound_bytes(&bound[x], def->indexes[x].key_bytes);
		if (bound[x].tails[0] >= TAIL_SHORT || bound[x].tails[1] >= TAIL_SHORT ||
		    bound[x].entries_n[0] > UINT32_MAX || bound[x].entries_n[1] > UINT32_MAX)
			return ERR_LIMIT;
	}
	struct run_out o;
	enum err e = ERR_OK;
	uint64_t lost_n = guard_lost_n();
	for (size_t i = 0; i < n && e == ERR_OK; i++) /* damage must not get new checksums */
		e = run_check(db, runs[i]);
	if (e == ERR_OK)
		e = out_begin(&o, db, table, bytes, file);
	if (e != ERR_OK)
		return e;
	o.head.commit_last = commit;
	merge_write_rows(&o, src, n, oldest);
	for (unsigned x = 0; x < def->indexes_n && o.err == ERR_OK; x++)
		merge_write_index(&o, src, n, x, &bound[x]);
	if (o.err == ERR_OK && guard_lost_n() != lost_n)
		o.err = ERR_IO; /* zeros may have come in for what was checked above */
	e = out_finish(&o, out);
	if (e == ERR_OK)
		counter_add(&db->count.merges_n, 1);
	return e;
}

/* ---- policy ---- */

static unsigned run_level(const struct run *r)
{
	unsigned level = 0;
	for (uint64_t n = r->rows_n; n >= MERGE_FAN_IN; n /= MERGE_FAN_IN)
		level++;
	return level;
}

bool merge_pick(const struct db *db, struct run *const *runs, size_t runs_n, uint64_t rows_max,
		size_t *first, size_t *n)
{
	(void)db;
	for (unsigned level = 0; level < 12; level++) {
		size_t start = 0;
		uint64_t rows = 0;
		for (size_t i = 0; i <= runs_n; i++) {
			if (i < runs_n && runs[i]->trust != RUN_BAD &&
			    run_level(runs[i]) <= level) {
				rows += runs[i]->rows_n;
				continue;
			}
			if (i - start >= MERGE_FAN_IN && rows <= rows_max) {
				*first = start;
				*n = i - start;
				return true;
			}
			start = i + 1;
			rows = 0;
		}
	}
	return false;
}

enum err merge_settle(struct db *db, unsigned table, struct run **runs, uint32_t *runs_n,
		      bool oldest_here, uint64_t rows_max)
{
	size_t first = 0, n = 0;
	while (merge_pick(db, runs, *runs_n, rows_max, &first, &n)) {
		uint64_t rows = 0;
		for (size_t i = first; i < first + n; i++)
			rows += runs[i]->rows_n;
		struct run *merged;
		enum err e = merge_runs(db, table, runs + first, n, oldest_here && first == 0,
					rows >= db->heap_run_rows && !db->read_only, &merged);
		if (e != ERR_OK)
			return e;
		for (size_t i = first; i < first + n; i++)
			run_unref(db, runs[i]);
		runs[first] = merged;
		memmove(runs + first + 1, runs + first + n,
			(*runs_n - first - n) * sizeof(struct run *));
		*runs_n -= (uint32_t)n - 1;
	}
	return ERR_OK;
}
