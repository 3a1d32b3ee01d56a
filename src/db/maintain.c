/* SPDX-License-Identifier: MIT */
/* What is merged when. Runs of a table lie in age order; eight neighbours of one level become a run
 * of the next. Small ones are merged at once, in memory. The others in steps: each commit pays for
 * as much as it brought, on every level, so that in a bulk import merging keeps up and no commit
 * waits for all of a large merge; the rest is done when the writer has nothing else to do. When it
 * has nothing to do for long, what lies beside a large run goes into it, so that a reader finds few
 * runs. */
#include "db/db_priv.h"

/* A commit pays for its rows on so many levels: 16k rows a run and a factor of 8 make 8M. Of more,
 * and where other work has let runs gather, RUNS_CROWDED says so. */
#define LEVELS_PAID 3u
#define STEP_UNITS (256u << 10) /* entries: some 10 ms */
#define RUNS_CROWDED 28u	/* more in a table: commits pay double */

/* ---- which ---- */

static unsigned run_level(const struct run *r)
{
	unsigned level = 0;
	for (uint64_t n = r->rows_n; n >= MERGE_FAN_IN; n /= MERGE_FAN_IN)
		level++;
	return level;
}

static bool run_is_free(const struct run *r)
{
	return r->trust != RUN_BAD && !r->job && !r->merge_refused;
}

/* Neighbours: runs [first, first + n). */
struct stretch {
	size_t first, n;
	uint64_t rows; /* of all */
};

/* A large run is not written again for a few small ones: what is at the old end stays out until all
 * is so many times as large. */
static void stretch_trim(struct run *const *runs, struct stretch *s, uint64_t growth)
{
	for (; s->n && runs[s->first]->rows_n * growth > s->rows; s->n--)
		s->rows -= runs[s->first++]->rows_n;
}

#define GROWTH_NONE 1u /* whatever has enough runs */
#define GROWTH_FILES 4u

/* Where the policy wants a merge: of the lowest level. */
static bool merge_pick(struct run *const *runs, size_t runs_n, uint64_t rows_max, uint64_t growth,
		       struct stretch *out)
{
	for (unsigned level = 0; level < 12; level++) {
		struct stretch s = { 0 };
		for (size_t i = 0; i <= runs_n; i++) {
			if (i < runs_n && run_is_free(runs[i]) && run_level(runs[i]) <= level) {
				s.rows += runs[i]->rows_n;
				s.n++;
				continue;
			}
			stretch_trim(runs, &s, growth);
			if (s.n >= MERGE_FAN_IN && s.rows <= rows_max) {
				*out = s;
				return true;
			}
			s = (struct stretch){ .first = i + 1 };
		}
	}
	return false;
}

#define GROWTH_IDLE_QUARTERS 5u /* a run is written again for a quarter more */

/* With time to spare: the newest runs, from the first one on that is not much larger than all
 * behind it. */
static bool merge_pick_idle(struct run *const *runs, size_t runs_n, uint64_t rows_min,
			    struct stretch *out)
{
	struct stretch s = { 0 };
	for (size_t i = runs_n; i-- > 0 && run_is_free(runs[i]);) {
		s = (struct stretch){ .first = i, .n = s.n + 1, .rows = s.rows + runs[i]->rows_n };
		if (s.n > 1 && s.rows >= rows_min &&
		    s.rows * 4 >= runs[i]->rows_n * GROWTH_IDLE_QUARTERS)
			*out = s;
	}
	return out->n > 1;
}

/* `merged` takes the place of runs [first, first + n). */
static void runs_replace(struct db *db, struct run **runs, uint32_t *runs_n, size_t first, size_t n,
			 struct run *merged)
{
	for (size_t i = first; i < first + n; i++)
		run_unref(db, runs[i]);
	runs[first] = merged;
	memmove(runs + first + 1, runs + first + n, (*runs_n - first - n) * sizeof(struct run *));
	*runs_n -= (uint32_t)n - 1;
}

enum err merge_settle(struct db *db, unsigned table, struct run **runs, uint32_t *runs_n,
		      bool oldest_here, uint64_t rows_max)
{
	struct stretch s;
	while (merge_pick(runs, *runs_n, rows_max, GROWTH_NONE, &s)) {
		struct run *merged;
		enum err e = merge_runs(db, table, runs + s.first, s.n, oldest_here && s.first == 0,
					s.rows >= db->heap_run_rows && !db->read_only, &merged);
		if (e != ERR_OK)
			return e;
		runs_replace(db, runs, runs_n, s.first, s.n, merged);
	}
	return ERR_OK;
}

/* ---- jobs ---- */

static void job_end(struct db *db, unsigned slot, bool refused)
{
	const struct db_snap *sn = snap_current(db);
	for (unsigned t = 0; t < db->tables_n; t++) {
		for (uint32_t i = 0; i < sn->tables[t].runs_n; i++) {
			struct run *r = sn->tables[t].runs[i];
			if (r->job != db->jobs[slot])
				continue;
			r->job = NULL;
			r->merge_refused |= refused;
		}
	}
	merge_job_free(db->jobs[slot]);
	db->jobs[slot] = NULL;
}

void merge_abandon(struct db *db)
{
	for (unsigned i = 0; i < MERGE_JOBS_MAX; i++)
		if (db->jobs[i])
			job_end(db, i, false);
}

/* Damaged, or too large: trying again would not help. */
static bool is_for_good(enum err e)
{
	return e == ERR_CORRUPT || e == ERR_LIMIT;
}

static enum err job_begin(struct db *db, unsigned slot, unsigned table, const struct stretch *s)
{
	const struct snap_table *st = &snap_current(db)->tables[table];
	enum err e = merge_job_new(db, table, st->runs + s->first, s->n, s->first == 0, true,
				   &db->jobs[slot]);
	for (size_t i = s->first; i < s->first + s->n; i++) {
		st->runs[i]->job = e == ERR_OK ? db->jobs[slot] : NULL;
		st->runs[i]->merge_refused = e == ERR_LIMIT; /* a bad one says so itself */
	}
	return e;
}

static bool job_wanted(const struct db *db, const struct snap_table *st, bool idle,
		       struct stretch *out)
{
	return merge_pick(st->runs, st->runs_n, UINT64_MAX, GROWTH_FILES, out) ||
	       (st->runs_n > RUNS_CROWDED &&
		merge_pick(st->runs, st->runs_n, UINT64_MAX, GROWTH_NONE, out)) ||
	       (idle && merge_pick_idle(st->runs, st->runs_n, db->heap_run_rows, out));
}

/* Begin what the policy wants, lowest levels first, while there is room. */
static enum err jobs_begin(struct db *db, bool idle)
{
	const struct db_snap *sn = snap_current(db);
	uint64_t *searched = &db->merges_searched[idle];
	for (unsigned slot = 0; slot < MERGE_JOBS_MAX; slot++) {
		if (db->jobs[slot] || *searched == db->generation)
			continue;
		struct stretch s = { 0 };
		unsigned t = 0;
		while (t < db->tables_n && !job_wanted(db, &sn->tables[t], idle, &s))
			t++;
		if (t == db->tables_n) {
			*searched = db->generation;
			return ERR_OK;
		}
		enum err e = job_begin(db, slot, t, &s);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* The finished run takes the place of its inputs; the commit number stays. */
static enum err job_publish(struct db *db, const struct merge_job *j, struct run *merged)
{
	struct db_snap *sn = snap_copy(db, snap_current(db));
	if (!sn)
		return ERR_NOMEM;
	for (unsigned t = 0; t < db->tables_n; t++) {
		struct snap_table *st = &sn->tables[t];
		uint32_t first = 0, n = 0;
		while (first < st->runs_n && st->runs[first]->job != j)
			first++;
		while (first + n < st->runs_n && st->runs[first + n]->job == j)
			n++;
		if (n == 0)
			continue;
		runs_replace(db, st->runs, &st->runs_n, first, n, merged);
		snap_publish(db, sn);
		return ERR_OK;
	}
	ASSERT(false); /* its inputs only go when it ends */
}

static enum err job_work(struct db *db, unsigned slot, uint64_t *units)
{
	struct merge_job *j = db->jobs[slot];
	enum err e = merge_job_step(j, units);
	if (e == ERR_OK && !merge_job_done(j))
		return ERR_OK;
	struct run *merged = NULL;
	if (e == ERR_OK)
		e = merge_job_finish(j, &merged);
	if (e == ERR_OK) {
		e = job_publish(db, j, merged);
		if (e != ERR_OK)
			run_unref(db, merged);
	}
	job_end(db, slot, is_for_good(e));
	return e;
}

/* The smallest first: it makes room. */
static bool job_pick(const struct db *db, unsigned *out)
{
	uint64_t least = UINT64_MAX;
	for (unsigned i = 0; i < MERGE_JOBS_MAX; i++) {
		if (db->jobs[i] && merge_job_units(db->jobs[i]) < least) {
			least = merge_job_units(db->jobs[i]);
			*out = i;
		}
	}
	return least != UINT64_MAX;
}

/* Merge about so much; false when nothing is left, or nothing can be done. */
static bool merge_work(struct db *db, uint64_t units, bool idle)
{
	while (units > 0) {
		unsigned slot = 0;
		enum err e = jobs_begin(db, idle);
		bool any = job_pick(db, &slot);
		if (e == ERR_OK && any)
			e = job_work(db, slot, &units);
		if (!any || (e != ERR_OK && !is_for_good(e)))
			return false;
	}
	return true;
}

static uint32_t runs_most(struct db *db)
{
	const struct db_snap *sn = snap_current(db);
	uint32_t most = 0;
	for (unsigned t = 0; t < db->tables_n; t++)
		most = MAX(most, sn->tables[t].runs_n);
	return most;
}

void merge_owe(struct db *db, const struct run *r)
{
	uint64_t units = r->rows_n;
	for (unsigned x = 0; x < db->tables[r->table].indexes_n; x++)
		units += r->index[x].part[0].n + r->index[x].part[1].n;
	db->merge_owed += units * LEVELS_PAID;
}

void merge_pay(struct db *db)
{
	uint64_t units = db->merge_owed;
	db->merge_owed = 0;
	if (db->read_only)
		return;
	if (runs_most(db) > RUNS_CROWDED)
		units *= 2;
	if (units && !db_hurried(db))
		(void)merge_work(db, units, false);
	while (runs_most(db) > RUNS_FORCED && merge_work(db, STEP_UNITS, false))
		continue;
	if (runs_most(db) > RUNS_KEPT_MAX)
		atomic_store(&db->poisoned, true);
}

static bool maintain(struct db *db, bool idle)
{
	if (db->read_only || atomic_load(&db->poisoned) || db->txn.open)
		return false;
	snap_collect(db);
	segments_sweep(db);
	if (runs_check_next(db))
		return true;
	if (merge_work(db, db->merge_step_units ? db->merge_step_units : STEP_UNITS, idle))
		return true;
	return compact_maintain(db);
}

bool db_maintain(struct db *db)
{
	return maintain(db, false);
}

bool db_maintain_idle(struct db *db)
{
	return maintain(db, true);
}
