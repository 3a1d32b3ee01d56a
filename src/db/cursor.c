/* SPDX-License-Identifier: MIT */
/* Reading a group: a merge walk over the runs that know it. Live entries = added - removed, so the
 * rank of any key is a sum of positions, and a page at any offset is found by halving. */
#include "db/db_priv.h"

#define COUNTS_AT_ONCE ((size_t)32)

static const struct run_index *cursor_index(const struct db_cursor *c, uint32_t i)
{
	const struct run *r = c->runs[i].run;
	return &r->index[c->index];
}

static uint32_t cursor_key_bytes(const struct db_cursor *c)
{
	return c->sn->db->tables[c->table].indexes[c->index].key_bytes;
}

/* Nothing to be merged. */
static bool is_single(const struct db_cursor *c)
{
	return c->runs_n == 1 && c->runs[0].pos[1] == c->runs[0].end[1];
}

/* In a damaged run there may be more removed than added. */
static uint64_t live_n(uint64_t added_n, uint64_t removed_n)
{
	return added_n > removed_n ? added_n - removed_n : 0;
}

/* Groups with their places, ascending. There are few, and often they ascend already. */
static void groups_sort(const uint32_t *groups, size_t n, uint64_t *out)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t x = (uint64_t)groups[i] << 32 | i;
		size_t at = i;
		for (; at > 0 && out[at - 1] > x; at--)
			out[at] = out[at - 1];
		out[at] = x;
	}
}

void db_counts(const struct db_snap *sn, unsigned table, unsigned index, const uint32_t *groups,
	       size_t n, uint64_t *out)
{
	const struct snap_table *t = &sn->tables[table];
	uint64_t wanted[COUNTS_AT_ONCE];
	int64_t net[COUNTS_AT_ONCE];
	for (size_t at = 0; at < n; at += COUNTS_AT_ONCE) {
		size_t part = MIN(n - at, COUNTS_AT_ONCE);
		groups_sort(groups + at, part, wanted);
		memset(net, 0, part * sizeof *net);
		for (uint32_t i = 0; i < t->runs_n; i++)
			run_groups_count(&t->runs[i]->index[index], wanted, part, net);
		for (size_t i = 0; i < part; i++) /* in a damaged run more may be removed */
			out[at + i] = (uint64_t)MAX(net[i], (int64_t)0);
	}
}

uint64_t db_count(const struct db_snap *sn, unsigned table, unsigned index, uint32_t group)
{
	uint64_t n;
	db_counts(sn, table, index, &group, 1, &n);
	return n;
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
	c->walking = false;
	for (uint32_t i = 0; i < t->runs_n; i++) {
		const struct run_index *ix = &t->runs[i]->index[index];
		uint64_t g = run_group_find(ix, group);
		if (g == ix->groups_n)
			continue;
		c->runs[c->runs_n].run = t->runs[i];
		for (unsigned sign = 0; sign < 2; sign++)
			run_group_range(ix, g, sign, &c->runs[c->runs_n].pos[sign],
					&c->runs[c->runs_n].end[sign]);
		c->runs_n++;
	}
}

static uint64_t cursor_left(const struct db_cursor *c)
{
	uint64_t n[2] = { 0, 0 };
	for (uint32_t i = 0; i < c->runs_n; i++) {
		n[0] += c->runs[i].end[0] - c->runs[i].pos[0];
		n[1] += c->runs[i].end[1] - c->runs[i].pos[1];
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
		const uint64_t *pos = c->runs[i].pos;
		for (unsigned sign = 0; sign < 2; sign++)
			out[i].hi[sign] = entry_lower_bound(ix, sign, pos[sign], hi[i].hi[sign], e);
		rank += (out[i].hi[0] - pos[0]) - (out[i].hi[1] - pos[1]);
	}
	return rank;
}

static void cursor_move(struct db_cursor *c, const struct seek_bound *to, uint64_t rank)
{
	for (uint32_t i = 0; i < c->runs_n; i++) {
		c->runs[i].pos[0] = to[i].hi[0];
		c->runs[i].pos[1] = to[i].hi[1];
	}
	c->offset += rank;
}

/* The run with the most candidates left, and its middle one. */
static bool seek_pivot(const struct db_cursor *c, const struct seek_bound *hi,
		       const uint64_t *tried, uint32_t *run, uint64_t *at)
{
	uint64_t most = 0;
	for (uint32_t i = 0; i < c->runs_n; i++) {
		uint64_t lo = MAX(c->runs[i].pos[0], tried[i]);
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
		hi[i] = (struct seek_bound){ { c->runs[i].end[0], c->runs[i].end[1] } };
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
			c->runs[i].pos[0] = c->runs[i].end[0];
			c->runs[i].pos[1] = c->runs[i].end[1];
		}
		c->offset = n;
	} else if (is_single(c)) {
		c->runs[0].pos[0] += offset;
		c->offset = offset;
	} else if (offset > 0) {
		cursor_halve(c, offset);
	}
}

void db_seek_key(struct db_cursor *c, const struct db_snap *sn, unsigned table, unsigned index,
		 uint32_t group, struct span key)
{
	cursor_open(c, sn, table, index, group);
	uint32_t kb = cursor_key_bytes(c);
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
		hi[i] = (struct seek_bound){ { c->runs[i].end[0], c->runs[i].end[1] } };
	uint64_t rank = cursor_rank(c, hi, &e, to);
	cursor_move(c, to, rank);
}

/* ---- walking ---- */

/* A lane is what a run has added to the group, or removed from it: run << 1 | removed. */

static const struct run_part *lane_part(const struct db_cursor *c, uint8_t lane)
{
	return &cursor_index(c, lane >> 1)->part[lane & 1];
}

static const uint8_t *lane_entry(const struct db_cursor *c, uint8_t lane, uint32_t kb)
{
	return lane_part(c, lane)->entries + c->runs[lane >> 1].pos[lane & 1] * entry_bytes_of(kb);
}

static uint64_t *lane_word(struct db_cursor *c, uint8_t lane)
{
	return &c->runs[lane >> 1].word[lane & 1];
}

/* What follows where the first words are the same. */
static int rest_cmp(const struct run_part *ap, const uint8_t *a, const struct run_part *bp,
		    const uint8_t *b, uint32_t kb)
{
	if (kb < 8)
		return 0;
	if (kb == 20) { /* mostly that is enough */
		uint64_t x = entry_word(a + 8, kb), y = entry_word(b + 8, kb);
		if (x != y)
			return x < y ? -1 : 1;
	}
	struct entry x, y;
	entry_read(ap, kb, a, &x);
	entry_read(bp, kb, b, &y);
	return entry_cmp(kb, &x, &y);
}

/* The first lane has come to another entry: to its place among the others. */
static void lane_place(struct db_cursor *c, uint32_t kb)
{
	uint8_t first = c->lanes[0];
	const uint8_t *at = lane_entry(c, first, kb);
	uint64_t word = *lane_word(c, first) = entry_word(at, kb);
	uint32_t i = 1;
	for (; i < c->lanes_n; i++) {
		uint8_t other = c->lanes[i];
		if (word < *lane_word(c, other))
			break;
		if (word == *lane_word(c, other) &&
		    rest_cmp(lane_part(c, first), at, lane_part(c, other), lane_entry(c, other, kb),
			     kb) <= 0)
			break;
		c->lanes[i - 1] = other;
	}
	c->lanes[i - 1] = first;
}

/* From where a seek has led. */
static void cursor_walk(struct db_cursor *c, uint32_t kb)
{
	c->walking = true;
	c->lanes_n = 0;
	for (uint32_t lane = 0; lane < 2 * c->runs_n; lane++) {
		if (c->runs[lane >> 1].pos[lane & 1] >= c->runs[lane >> 1].end[lane & 1])
			continue;
		memmove(c->lanes + 1, c->lanes, c->lanes_n++);
		c->lanes[0] = (uint8_t)lane;
		lane_place(c, kb);
	}
}

static void lane_next(struct db_cursor *c, uint32_t kb)
{
	uint32_t run = c->lanes[0] >> 1, sign = c->lanes[0] & 1;
	if (++c->runs[run].pos[sign] < c->runs[run].end[sign])
		lane_place(c, kb);
	else
		memmove(c->lanes, c->lanes + 1, --c->lanes_n);
}

/* The least entry that any run has next; every run moves behind it. What is live of it is added to
 * the offset, and returned. */
static int cursor_step(struct db_cursor *c, uint32_t kb, const struct run_part **part,
		       const uint8_t **at)
{
	int net = 0;
	uint64_t word = *lane_word(c, c->lanes[0]);
	*part = lane_part(c, c->lanes[0]);
	*at = lane_entry(c, c->lanes[0], kb);
	do {
		net += c->lanes[0] & 1 ? -1 : 1;
		lane_next(c, kb);
	} while (c->lanes_n && *lane_word(c, c->lanes[0]) == word &&
		 rest_cmp(lane_part(c, c->lanes[0]), lane_entry(c, c->lanes[0], kb), *part, *at,
			  kb) == 0);
	c->offset += (uint64_t)(int64_t)net;
	return net;
}

/* The next live entry: where it is, and in what part of a run. */
static const uint8_t *cursor_next(struct db_cursor *c, uint32_t kb, const struct run_part **part)
{
	if (is_single(c)) {
		if (c->runs[0].pos[0] >= c->runs[0].end[0])
			return NULL;
		*part = &cursor_index(c, 0)->part[0];
		c->offset++;
		return (*part)->entries + c->runs[0].pos[0]++ * entry_bytes_of(kb);
	}
	const uint8_t *at;
	if (!c->walking)
		cursor_walk(c, kb);
	while (c->lanes_n)
		if (cursor_step(c, kb, part, &at) > 0)
			return at;
	return NULL;
}

bool db_next(struct db_cursor *c, uint64_t *out_id)
{
	const struct run_part *part;
	uint32_t kb = cursor_key_bytes(c);
	const uint8_t *at = cursor_next(c, kb, &part);
	if (!at)
		return false;
	*out_id = num_le32(at + kb);
	return true;
}

/* The ids of up to n entries of one run that come before those of any other: none is removed. */
static size_t stretch_ids(struct db_cursor *c, uint32_t kb, struct db_row *out, size_t n)
{
	size_t found = 0;
	uint8_t lane = c->lanes[0];
	const uint8_t *at = lane_entry(c, lane, kb);
	uint64_t limit = c->lanes_n > 1 ? *lane_word(c, c->lanes[1]) : UINT64_MAX;
	n = lane & 1 ? 0 : MIN(n, c->runs[lane >> 1].end[0] - c->runs[lane >> 1].pos[0]);
	for (; found < n && entry_word(at, kb) < limit; at += entry_bytes_of(kb))
		out[found++].id = num_le32(at + kb);
	if (found == 0)
		return 0;
	c->offset += found;
	c->runs[lane >> 1].pos[0] += found - 1;
	lane_next(c, kb);
	return found;
}

/* The ids of up to n entries. */
static size_t next_ids(struct db_cursor *c, struct db_row *out, size_t n)
{
	size_t found = 0;
	uint32_t kb = cursor_key_bytes(c);
	if (!is_single(c)) {
		if (!c->walking)
			cursor_walk(c, kb);
		while (found < n && c->lanes_n > 0) {
			size_t more = stretch_ids(c, kb, out + found, n - found);
			if (more == 0)
				more = db_next(c, &out[found].id);
			found += more;
		}
		return found;
	}
	n = MIN(n, c->runs[0].end[0] - c->runs[0].pos[0]);
	const uint8_t *at = lane_entry(c, 0, kb);
	for (; found < n; found++)
		out[found].id = num_le32(at + found * entry_bytes_of(kb) + kb);
	c->runs[0].pos[0] += n;
	c->offset += n;
	return n;
}

size_t db_next_rows(struct db_cursor *c, struct db_row *out, size_t n)
{
	n = next_ids(c, out, MIN(n, (size_t)DB_ROWS_AT_ONCE));
	db_get_rows(c->sn, c->table, out, n);
	return n;
}

bool db_next_key(struct db_cursor *c, uint64_t *out_id, struct span *out_key,
		 uint8_t scratch[DB_KEY_BYTES_MAX])
{
	const struct run_part *part;
	uint32_t kb = cursor_key_bytes(c);
	const uint8_t *next = cursor_next(c, kb, &part);
	if (!next)
		return false;
	struct entry e;
	entry_read(part, kb, next, &e);
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
