/* SPDX-License-Identifier: MIT */
/* Merging runs into one, in steps: an entry added and removed cancels out; of a row's addresses the
 * newest stays; group rows stay, with the newest commit. What only one run has is copied as it is.
 */
#include "db/guard.h"
#include "db/merge_group.h"

/* One run as an input. */
struct input {
	const struct run *run;
	const struct run_index *ix; /* the index at hand */
	uint64_t at, next;	    /* of rows: place and id; of groups: place and group */
	size_t age;
};

enum phase { PHASE_ROWS_BEGIN, PHASE_ROWS, PHASE_INDEX_BEGIN, PHASE_INDEX, PHASE_DONE };

struct merge_job {
	struct db *db;
	unsigned table, index;
	enum phase phase;
	bool oldest, in_group, rows_dense;
	struct run *runs[MERGE_INPUTS_MAX]; /* oldest first; referenced */
	size_t runs_n;
	uint64_t rows_n, entries_n, lost_n;
	struct input inputs[MERGE_INPUTS_MAX];
	struct input
		*order[MERGE_INPUTS_MAX]; /* by what they have next; of equals the newest first */
	size_t order_n;
	struct run_out out;
	struct group_merge group;
};
_Static_assert(_Alignof(struct merge_job) <= MEM_ALIGN, "the states of hashes in it");

/* ---- inputs in order ---- */

static bool input_before(const struct input *a, const struct input *b)
{
	return a->next != b->next ? a->next < b->next : a->age > b->age;
}

static void input_add(struct merge_job *j, struct input *in)
{
	size_t i = j->order_n++;
	for (; i > 0 && input_before(in, j->order[i - 1]); i--)
		j->order[i] = j->order[i - 1];
	j->order[i] = in;
}

static struct input *input_take(struct merge_job *j)
{
	struct input *in = j->order[0];
	memmove(j->order, j->order + 1, --j->order_n * sizeof(struct input *));
	return in;
}

/* ---- rows ---- */

static void row_input_add(struct merge_job *j, struct input *in)
{
	if (in->at >= in->run->rows_n)
		return;
	in->next = run_id_at(in->run, in->at);
	input_add(j, in);
}

/* Do the ids of all runs together leave no gap? Looks at runs without gaps first and then whether
 * the others lie within; two that fill each other's gaps are not found, and cost 4 bytes a row. */
static bool rows_are_dense(const struct merge_job *j, uint64_t *out_first)
{
	uint64_t first = UINT64_MAX, end = 0;
	for (bool grown = true; grown;) {
		grown = false;
		for (size_t i = 0; i < j->runs_n; i++) {
			const struct run *r = j->runs[i];
			uint64_t last = r->base_id + r->rows_n;
			if (r->ids || r->rows_n == 0 || (r->base_id >= first && last <= end))
				continue;
			if (end && (r->base_id > end || last < first))
				continue; /* not next to what there is; maybe in another round */
			first = MIN(first, r->base_id);
			end = MAX(end, last);
			grown = true;
		}
	}
	for (size_t i = 0; i < j->runs_n; i++) {
		const struct run *r = j->runs[i];
		if (r->rows_n && (run_id_at(r, 0) < first || run_id_at(r, r->rows_n - 1) >= end))
			return false;
	}
	*out_first = first;
	return end > 0;
}

static void rows_begin(struct merge_job *j)
{
	struct run_out *o = &j->out;
	uint64_t first = 0;
	j->rows_dense = rows_are_dense(j, &first);
	o->head.base_id = j->rows_dense ? first : 0;
	out_section_begin(o, OUT_POS, j->rows_dense ? 0 : j->rows_n * 4);
	out_section_begin(o, OUT_NEG, j->rows_n * 8);
	j->order_n = 0;
	for (size_t i = 0; i < j->runs_n; i++) {
		j->inputs[i] = (struct input){ .run = j->runs[i], .age = i };
		row_input_add(j, &j->inputs[i]);
	}
	j->phase = PHASE_ROWS;
}

static void row_write(struct merge_job *j, uint64_t id, uint64_t address)
{
	if (!j->rows_dense) {
		if (j->oldest && address == 0)
			return; /* with nothing below, "removed" and "unknown" are the same */
		uint32_t id32 = (uint32_t)id;
		memcpy(out_room(&j->out, OUT_POS, 4), &id32, 4);
	}
	memcpy(out_room(&j->out, OUT_NEG, 8), &address, 8);
}

static void rows_write(struct merge_job *j, const struct run *r, uint64_t at, uint64_t n)
{
	if (j->rows_dense) {
		out_put(&j->out, OUT_NEG, r->addresses + at, n * 8);
		return;
	}
	for (uint64_t i = at; i < at + n; i++)
		row_write(j, run_id_at(r, i), r->addresses[i]);
}

/* Of the run at the front: its rows up to the next id of another, at most `max`. */
static uint64_t rows_n_before(const struct merge_job *j, uint64_t max)
{
	const struct input *in = j->order[0];
	uint64_t n = MIN(in->run->rows_n - in->at, max), lo = 1;
	if (j->order_n == 1)
		return n;
	uint64_t limit = j->order[1]->next;
	if (!in->run->ids)
		return MIN(n, limit - in->next);
	while (lo < n) {
		uint64_t mid = lo + (n - lo) / 2;
		if (in->run->ids[in->at + mid] < limit)
			lo = mid + 1;
		else
			n = mid;
	}
	return n;
}

static void rows_step(struct merge_job *j, uint64_t *units)
{
	while (j->order_n && *units) {
		struct input *in = j->order[0];
		uint64_t id = in->next, n = 1;
		if (j->order_n > 1 && j->order[1]->next <= id) {
			row_write(j, id, in->run->addresses[in->at]); /* the newest */
			while (j->order_n && j->order[0]->next <= id) {
				struct input *same = input_take(j);
				same->at++;
				row_input_add(j, same);
			}
		} else {
			n = rows_n_before(j, *units);
			rows_write(j, in->run, in->at, n);
			in->at += n;
			row_input_add(j, input_take(j));
		}
		*units -= n;
	}
	if (j->order_n)
		return;
	out_section_end(&j->out, OUT_POS, &j->out.head.ids, 4);
	out_section_end(&j->out, OUT_NEG, &j->out.head.addresses, 8);
	j->index = 0;
	j->phase = PHASE_INDEX_BEGIN;
}

/* ---- indexes ---- */

struct bound {
	uint64_t groups_n, entries_n[2], tails[2];
};

static struct bound index_bound(const struct merge_job *j, unsigned index)
{
	struct bound b = { 0 };
	for (size_t i = 0; i < j->runs_n; i++) {
		const struct run_index *ix = &j->runs[i]->index[index];
		b.groups_n += ix->groups_n;
		for (unsigned sign = 0; sign < 2; sign++) {
			b.entries_n[sign] += ix->part[sign].n;
			b.tails[sign] += ix->part[sign].tails_n;
		}
	}
	return b;
}

static uint64_t bound_bytes(const struct bound *b, uint32_t key_bytes)
{
	/* 8 per section for its alignment */
	return b->groups_n * sizeof(struct disk_group) +
	       (b->entries_n[0] + b->entries_n[1]) * entry_bytes_of(key_bytes) + b->tails[0] +
	       b->tails[1] + (uint64_t)OUT_SECTIONS * 8;
}

static void group_input_add(struct merge_job *j, struct input *in)
{
	if (in->at >= in->ix->groups_n)
		return;
	in->next = in->ix->groups[in->at].group;
	input_add(j, in);
}

static void index_begin(struct merge_job *j)
{
	if (j->index == j->db->tables[j->table].indexes_n) {
		j->phase = PHASE_DONE;
		return;
	}
	struct bound b = index_bound(j, j->index);
	uint64_t eb = entry_bytes_of(j->db->tables[j->table].indexes[j->index].key_bytes);
	out_section_begin(&j->out, OUT_GROUPS, b.groups_n * sizeof(struct disk_group));
	for (unsigned sign = 0; sign < 2; sign++) {
		out_section_begin(&j->out, sign ? OUT_NEG : OUT_POS, b.entries_n[sign] * eb);
		out_section_begin(&j->out, sign ? OUT_NEG_TAILS : OUT_POS_TAILS, b.tails[sign]);
	}
	j->order_n = 0;
	j->in_group = false;
	for (size_t i = 0; i < j->runs_n; i++) {
		j->inputs[i] = (struct input){ .run = j->runs[i],
					       .ix = &j->runs[i]->index[j->index],
					       .age = i };
		group_input_add(j, &j->inputs[i]);
	}
	j->phase = PHASE_INDEX;
}

static void index_end(struct merge_job *j)
{
	struct run_out *o = &j->out;
	struct disk_run_index *x = &o->head.index[j->index];
	x->key_bytes = j->db->tables[j->table].indexes[j->index].key_bytes;
	uint64_t eb = entry_bytes_of(x->key_bytes);
	out_section_end(o, OUT_GROUPS, &x->groups, sizeof(struct disk_group));
	out_section_end(o, OUT_POS, &x->entries[0], eb);
	out_section_end(o, OUT_NEG, &x->entries[1], eb);
	out_section_end(o, OUT_POS_TAILS, &x->tails[0], 1);
	out_section_end(o, OUT_NEG_TAILS, &x->tails[1], 1);
	j->index++;
	j->phase = PHASE_INDEX_BEGIN;
}

/* Entries written so far. */
static uint32_t written_n(const struct merge_job *j, unsigned sign)
{
	return (uint32_t)(out_used(&j->out, sign ? OUT_NEG : OUT_POS) /
			  entry_bytes_of(j->db->tables[j->table].indexes[j->index].key_bytes));
}

static void group_row_write(struct merge_job *j, const struct disk_group *row)
{
	memcpy(out_room(&j->out, OUT_GROUPS, sizeof *row), row, sizeof *row);
}

/* Several runs have this group, or one has very much of it. */
static void group_open(struct merge_job *j)
{
	uint64_t group = j->order[0]->next;
	struct disk_group row = {
		.group = (uint32_t)group,
		.start = { written_n(j, 0), written_n(j, 1) },
	};
	group_merge_begin(&j->group, &j->out, j->order[0]->ix->key_bytes);
	while (j->order_n && j->order[0]->next <= group) {
		struct input *in = input_take(j);
		for (unsigned sign = 0; sign < 2; sign++) {
			uint64_t lo, hi;
			run_group_range(in->ix, in->at, sign, &lo, &hi);
			group_merge_add(&j->group, in->ix, sign, lo, hi);
		}
		row.commit = MAX(row.commit, in->ix->groups[in->at].commit);
		in->at++;
		group_input_add(j, in);
	}
	group_row_write(j, &row);
	j->in_group = true;
}

/* Entries of `n` groups of an input from where it stands. */
static uint64_t groups_range(const struct input *in, uint64_t n, unsigned sign, uint64_t *out_lo)
{
	uint64_t lo, hi, ignored;
	run_group_range(in->ix, in->at, sign, &lo, &ignored);
	run_group_range(in->ix, in->at + n - 1, sign, &ignored, &hi);
	*out_lo = lo;
	return MAX(lo, hi) - lo;
}

/* Groups that the run at the front has before any other has one; not more than `max` entries in
 * them, or one group. By doubling, then halving. */
static bool groups_fit(const struct input *in, uint64_t n, uint64_t limit, uint64_t max)
{
	uint64_t lo;
	return n <= in->ix->groups_n - in->at && in->ix->groups[in->at + n - 1].group < limit &&
	       groups_range(in, n, 0, &lo) + groups_range(in, n, 1, &lo) + n <= max;
}

static uint64_t groups_n_before(const struct merge_job *j, uint64_t max)
{
	const struct input *in = j->order[0];
	uint64_t limit = j->order_n > 1 ? j->order[1]->next : UINT64_MAX;
	uint64_t n = 1, step = 1;
	for (; groups_fit(in, n + step, limit, max); step *= 2)
		n += step;
	for (; step > 0; step /= 2)
		if (groups_fit(in, n + step, limit, max))
			n += step;
	return n;
}

/* What only one run has: groups and entries are copied, their places corrected. */
static void groups_copy(struct merge_job *j, uint64_t n, uint64_t *units)
{
	struct input *in = input_take(j);
	uint64_t entries_n[2], lo[2], used = n;
	uint32_t base[2] = { written_n(j, 0), written_n(j, 1) };
	for (unsigned sign = 0; sign < 2; sign++) {
		entries_n[sign] = groups_range(in, n, sign, &lo[sign]);
		used += entries_n[sign];
	}
	for (uint64_t i = in->at; i < in->at + n; i++) {
		struct disk_group row = in->ix->groups[i];
		for (unsigned sign = 0; sign < 2; sign++) { /* clamped: a damaged file may lie */
			uint64_t start = MAX((uint64_t)row.start[sign], lo[sign]) - lo[sign];
			row.start[sign] = base[sign] + (uint32_t)MIN(start, entries_n[sign]);
		}
		group_row_write(j, &row);
	}
	for (unsigned sign = 0; sign < 2; sign++)
		entries_copy(&j->out, in->ix, sign, lo[sign], lo[sign] + entries_n[sign]);
	in->at += n;
	group_input_add(j, in);
	*units -= MIN(used, *units);
}

static void index_step(struct merge_job *j, uint64_t *units)
{
	while (*units && j->out.err == ERR_OK) {
		if (j->in_group) {
			j->in_group = !group_merge_step(&j->group, units);
			continue;
		}
		if (j->order_n == 0) {
			index_end(j);
			return;
		}
		uint64_t lo, one = groups_range(j->order[0], 1, 0, &lo) +
				   groups_range(j->order[0], 1, 1, &lo);
		if ((j->order_n > 1 && j->order[1]->next <= j->order[0]->next) || one > *units)
			group_open(j);
		else
			groups_copy(j, groups_n_before(j, *units), units);
		*units -= *units > 0;
	}
}

/* ---- the whole ---- */

static enum err job_begin(struct merge_job *j, bool file)
{
	const struct db_table_def *def = &j->db->tables[j->table];
	uint64_t bytes = 32, commit = 0;
	for (size_t i = 0; i < j->runs_n; i++) {
		j->rows_n += j->runs[i]->rows_n;
		commit = MAX(commit, j->runs[i]->commit_last);
	}
	bytes += j->rows_n * 12;
	for (unsigned x = 0; x < def->indexes_n; x++) {
		struct bound b = index_bound(j, x);
		bytes += bound_bytes(&b, def->indexes[x].key_bytes);
		j->entries_n += b.entries_n[0] + b.entries_n[1];
		if (b.tails[0] >= TAIL_SHORT || b.tails[1] >= TAIL_SHORT ||
		    b.entries_n[0] > UINT32_MAX || b.entries_n[1] > UINT32_MAX)
			return ERR_LIMIT;
	}
	j->lost_n = guard_lost_n();
	for (size_t i = 0; i < j->runs_n; i++) { /* damage must not get new checksums */
		enum err e = run_check(j->db, j->runs[i]);
		if (e != ERR_OK)
			return e;
	}
	enum err e = out_begin(&j->out, j->db, j->table, bytes, file);
	j->out.head.commit_last = commit;
	return e;
}

enum err merge_job_new(struct db *db, unsigned table, struct run *const *runs, size_t n,
		       bool oldest, bool file, struct merge_job **out)
{
	ASSERT(n > 0 && n <= MERGE_INPUTS_MAX);
	struct merge_job *j = mem_alloc_aligned(&db->mem, sizeof *j);
	if (!j)
		return ERR_NOMEM;
	j->db = db;
	j->table = table;
	j->oldest = oldest;
	j->runs_n = n;
	memcpy(j->runs, runs, n * sizeof *runs);
	enum err e = job_begin(j, file);
	if (e != ERR_OK) {
		mem_free(&db->mem, j, sizeof *j);
		return e;
	}
	for (size_t i = 0; i < n; i++)
		run_ref(runs[i]);
	*out = j;
	return ERR_OK;
}

void merge_job_free(struct merge_job *j)
{
	if (!j)
		return;
	struct db *db = j->db;
	if (j->out.db) /* not finished */
		out_abort(&j->out);
	for (size_t i = 0; i < j->runs_n; i++)
		run_unref(db, j->runs[i]);
	mem_free(&db->mem, j, sizeof *j);
}

enum err merge_job_step(struct merge_job *j, uint64_t *units)
{
	while (*units && j->phase != PHASE_DONE && j->out.err == ERR_OK) {
		if (j->phase == PHASE_ROWS_BEGIN)
			rows_begin(j);
		else if (j->phase == PHASE_ROWS)
			rows_step(j, units);
		else if (j->phase == PHASE_INDEX_BEGIN)
			index_begin(j);
		else
			index_step(j, units);
	}
	return j->out.err;
}

bool merge_job_done(const struct merge_job *j)
{
	return j->phase == PHASE_DONE;
}

uint64_t merge_job_units(const struct merge_job *j)
{
	return j->rows_n + j->entries_n;
}

enum err merge_job_finish(struct merge_job *j, struct run **out)
{
	ASSERT(j->phase == PHASE_DONE);
	if (j->out.err == ERR_OK && guard_lost_n() != j->lost_n)
		j->out.err = ERR_IO; /* zeros may have come in for what was checked before */
	enum err e = out_finish(&j->out, out);
	j->out.db = NULL; /* finished or aborted: nothing of it is left */
	if (e == ERR_OK)
		counter_add(&j->db->count.merges_n, 1);
	return e;
}

enum err merge_runs(struct db *db, unsigned table, struct run *const *runs, size_t n, bool oldest,
		    bool file, struct run **out)
{
	struct merge_job *j;
	enum err e = merge_job_new(db, table, runs, n, oldest, file, &j);
	if (e != ERR_OK)
		return e;
	uint64_t units = UINT64_MAX;
	e = merge_job_step(j, &units);
	if (e == ERR_OK)
		e = merge_job_finish(j, out);
	merge_job_free(j);
	return e;
}
