/* SPDX-License-Identifier: MIT */
/* Reading a group: a merge walk over the runs that know it. Live entries = added - removed, so the
 * rank of any key is a sum of positions, and a page at any offset is found by halving. */
#include "db/db_priv.h"

static const struct run_index *cursor_index(const struct db_cursor *c, uint32_t i)
{
	const struct run *r = c->runs[i].run;
	return &r->index[c->index];
}

/* In a damaged run there may be more removed than added. */
static uint64_t live_n(uint64_t added_n, uint64_t removed_n)
{
	return added_n > removed_n ? added_n - removed_n : 0;
}

uint64_t db_count(const struct db_snap *sn, unsigned table, unsigned index, uint32_t group)
{
	const struct snap_table *t = &sn->tables[table];
	uint64_t n[2] = { 0, 0 };
	for (uint32_t i = 0; i < t->runs_n; i++) {
		const struct run_index *ix = &t->runs[i]->index[index];
		uint64_t g = run_group_find(ix, group), lo, hi;
		for (unsigned sign = 0; g < ix->groups_n && sign < 2; sign++) {
			run_group_range(ix, g, sign, &lo, &hi);
			n[sign] += hi - lo;
		}
	}
	return live_n(n[0], n[1]);
}

uint64_t db_group_commit(const struct db_snap *sn, unsigned table, unsigned index, uint32_t group)
{
	const struct snap_table *t = &sn->tables[table];
	uint64_t commit = 0;
	for (uint32_t i = 0; i < t->runs_n; i++) {
		const struct run_index *ix = &t->runs[i]->index[index];
		uint64_t g = run_group_find(ix, group);
		if (g != ix->groups_n)
			commit = MAX(commit, ix->groups[g].commit);
	}
	return commit;
}

bool db_group_next(const struct db_snap *sn, unsigned table, unsigned index, uint32_t from,
		   uint32_t *out_group)
{
	const struct snap_table *t = &sn->tables[table];
	bool any = false;
	for (uint32_t i = 0; i < t->runs_n; i++) {
		const struct run_index *ix = &t->runs[i]->index[index];
		uint64_t g = run_group_lower_bound(ix, from);
		if (g == ix->groups_n || (any && ix->groups[g].group >= *out_group))
			continue;
		*out_group = ix->groups[g].group;
		any = true;
	}
	return any;
}

/* At the group's start in every run that has it. */
static void cursor_open(struct db_cursor *c, const struct db_snap *sn, unsigned table,
			unsigned index, uint32_t group)
{
	const struct snap_table *t = &sn->tables[table];
	c->sn = sn;
	c->table = table;
	c->index = index;
	c->group = group;
	c->offset = 0;
	c->runs_n = 0;
	for (uint32_t i = 0; i < t->runs_n; i++) {
		const struct run_index *ix = &t->runs[i]->index[index];
		uint64_t g = run_group_find(ix, group);
		if (g == ix->groups_n)
			continue;
		c->runs[c->runs_n].run = t->runs[i];
		run_group_range(ix, g, 0, &c->runs[c->runs_n].pos, &c->runs[c->runs_n].end);
		run_group_range(ix, g, 1, &c->runs[c->runs_n].neg_pos, &c->runs[c->runs_n].neg_end);
		c->runs_n++;
	}
}

static uint64_t cursor_left(const struct db_cursor *c)
{
	uint64_t n[2] = { 0, 0 };
	for (uint32_t i = 0; i < c->runs_n; i++) {
		n[0] += c->runs[i].end - c->runs[i].pos;
		n[1] += c->runs[i].neg_end - c->runs[i].neg_pos;
	}
	return live_n(n[0], n[1]);
}

/* Move every run to its first entry >= e, between the cursor's place and `hi`; how many live
 * entries that skips. */
struct seek_bound {
	uint64_t hi[2];
};

static uint64_t cursor_rank(const struct db_cursor *c, const struct seek_bound *hi,
			    const struct entry *e, struct seek_bound *out)
{
	uint64_t rank = 0;
	for (uint32_t i = 0; i < c->runs_n; i++) {
		const struct run_index *ix = cursor_index(c, i);
		out[i].hi[0] = entry_lower_bound(ix, 0, c->runs[i].pos, hi[i].hi[0], e);
		out[i].hi[1] = entry_lower_bound(ix, 1, c->runs[i].neg_pos, hi[i].hi[1], e);
		rank += (out[i].hi[0] - c->runs[i].pos) - (out[i].hi[1] - c->runs[i].neg_pos);
	}
	return rank;
}

static void cursor_move(struct db_cursor *c, const struct seek_bound *to, uint64_t rank)
{
	for (uint32_t i = 0; i < c->runs_n; i++) {
		c->runs[i].pos = to[i].hi[0];
		c->runs[i].neg_pos = to[i].hi[1];
	}
	c->offset += rank;
}

/* The run with the most candidates left, and its middle one. */
static bool seek_pivot(const struct db_cursor *c, const struct seek_bound *hi,
		       const uint64_t *tried, uint32_t *run, uint64_t *at)
{
	uint64_t most = 0;
	for (uint32_t i = 0; i < c->runs_n; i++) {
		uint64_t lo = MAX(c->runs[i].pos, tried[i]);
		if (hi[i].hi[0] > lo && hi[i].hi[0] - lo > most) {
			most = hi[i].hi[0] - lo;
			*run = i;
			*at = lo + most / 2;
		}
	}
	return most > 0;
}

/* The target is the greatest entry with at most `offset` live ones below it. Each step takes the
 * middle of the longest range left and keeps the half that can hold the target; the cursor stands
 * at the greatest entry known to be at or below it. */
static void cursor_halve(struct db_cursor *c, uint64_t offset)
{
	struct seek_bound hi[DB_RUNS_MAX], to[DB_RUNS_MAX];
	uint64_t tried[DB_RUNS_MAX] = { 0 };
	for (uint32_t i = 0; i < c->runs_n; i++)
		hi[i] = (struct seek_bound){ { c->runs[i].end, c->runs[i].neg_end } };
	uint32_t run = 0;
	uint64_t at = 0;
	while (seek_pivot(c, hi, tried, &run, &at)) {
		struct entry e;
		entry_at(cursor_index(c, run), 0, at, &e);
		uint64_t rank = cursor_rank(c, hi, &e, to);
		if (c->offset + rank <= offset) {
			cursor_move(c, to, rank);
			tried[run] = at + 1;
		} else {
			memcpy(hi, to, c->runs_n * sizeof *hi);
			/* a damaged run may be out of order: the range shrinks all the same */
			hi[run].hi[0] = MIN(hi[run].hi[0], at);
		}
	}
}

void db_seek(struct db_cursor *c, const struct db_snap *sn, unsigned table, unsigned index,
	     uint32_t group, uint64_t offset)
{
	cursor_open(c, sn, table, index, group);
	uint64_t n = cursor_left(c);
	if (offset >= n) {
		for (uint32_t i = 0; i < c->runs_n; i++) {
			c->runs[i].pos = c->runs[i].end;
			c->runs[i].neg_pos = c->runs[i].neg_end;
		}
		c->offset = n;
	} else if (c->runs_n == 1 && c->runs[0].neg_pos == c->runs[0].neg_end) {
		c->runs[0].pos += offset;
		c->offset = offset;
	} else if (offset > 0) {
		cursor_halve(c, offset);
	}
}

void db_seek_key(struct db_cursor *c, const struct db_snap *sn, unsigned table, unsigned index,
		 uint32_t group, struct span key)
{
	cursor_open(c, sn, table, index, group);
	uint32_t kb = sn->db->tables[table].indexes[index].key_bytes;
	uint8_t prefix[32] = { 0 };
	key = span_first(key, kb < 12 ? kb : DB_KEY_BYTES_MAX);
	if (key.n)
		memcpy(prefix, key.p, MIN(key.n, (size_t)kb));
	struct entry e = { .prefix = prefix, .key_n = (uint32_t)key.n };
	if (key.n > kb)
		e.tail = (const uint8_t *)key.p + kb;
	if (kb < 12)
		e.key_n = kb;
	struct seek_bound hi[DB_RUNS_MAX], to[DB_RUNS_MAX];
	for (uint32_t i = 0; i < c->runs_n; i++)
		hi[i] = (struct seek_bound){ { c->runs[i].end, c->runs[i].neg_end } };
	uint64_t rank = cursor_rank(c, hi, &e, to);
	cursor_move(c, to, rank);
}

/* The least entry that any run has next, and whether it is live; every run moves behind it. */
static bool cursor_step(struct db_cursor *c, struct entry *least, unsigned *from_run, int *net)
{
	uint32_t kb = c->sn->db->tables[c->table].indexes[c->index].key_bytes;
	bool any = false;
	uint64_t equal[2] = { 0, 0 }; /* runs whose next added / removed entry is the least */
	for (uint32_t i = 0; i < c->runs_n; i++) {
		for (unsigned sign = 0; sign < 2; sign++) {
			uint64_t at = sign ? c->runs[i].neg_pos : c->runs[i].pos;
			if (at >= (sign ? c->runs[i].neg_end : c->runs[i].end))
				continue;
			struct entry e;
			entry_at(cursor_index(c, i), sign, at, &e);
			int cmp = any ? entry_cmp(kb, &e, least) : -1;
			if (cmp < 0) {
				*least = e;
				*from_run = i;
				equal[0] = equal[1] = 0;
				any = true;
			}
			if (cmp <= 0)
				equal[sign] |= 1ull << i;
		}
	}
	for (uint32_t i = 0; i < c->runs_n; i++) {
		c->runs[i].pos += equal[0] >> i & 1;
		c->runs[i].neg_pos += equal[1] >> i & 1;
	}
	*net = __builtin_popcountll(equal[0]) - __builtin_popcountll(equal[1]);
	return any;
}

static bool cursor_next(struct db_cursor *c, struct entry *e)
{
	if (c->runs_n == 1 && c->runs[0].neg_pos == c->runs[0].neg_end) {
		if (c->runs[0].pos >= c->runs[0].end)
			return false;
		entry_at(cursor_index(c, 0), 0, c->runs[0].pos++, e);
		c->offset++;
		return true;
	}
	unsigned run;
	int net;
	while (cursor_step(c, e, &run, &net)) {
		c->offset += (uint64_t)(int64_t)net;
		if (net > 0)
			return true;
	}
	return false;
}

bool db_next(struct db_cursor *c, uint64_t *out_id)
{
	struct entry e;
	if (!cursor_next(c, &e))
		return false;
	*out_id = e.id;
	return true;
}

bool db_next_key(struct db_cursor *c, uint64_t *out_id, struct span *out_key,
		 uint8_t scratch[DB_KEY_BYTES_MAX])
{
	struct entry e;
	if (!cursor_next(c, &e))
		return false;
	uint32_t kb = c->sn->db->tables[c->table].indexes[c->index].key_bytes;
	*out_id = e.id;
	if (e.key_n <= kb) {
		*out_key = span_of(e.prefix, e.key_n);
		return true;
	}
	uint32_t n = MIN(e.key_n, (uint32_t)DB_KEY_BYTES_MAX);
	memcpy(scratch, e.prefix, kb);
	memcpy(scratch + kb, e.tail, n - kb);
	*out_key = span_of(scratch, n);
	return true;
}

uint64_t db_cursor_offset(const struct db_cursor *c)
{
	return c->offset;
}
