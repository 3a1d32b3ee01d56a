/* SPDX-License-Identifier: MIT */
/* Many look-ups at once, one run after the other, in steps that are each done for all of them: what
 * a step needs is asked for in the one before it, so that the waits for memory overlap. Sorted by
 * group, what is near is read together. */
#include "db/db_priv.h"

#define PROBES_AT_ONCE ((size_t)128)
#define GUESSES 3u
#define FETCHED_MAX 8u /* lines of the entries of one group */

struct probing {
	struct db_probe *p;
	struct entry e;
	uint8_t prefix[32]; /* padded with zeros */
	int net;	    /* entries added less those removed, of the one id seen so far */
	bool here;	    /* the run has the group: */
	uint64_t g, lo, hi; /* its row, and what was added to it */
};

/* Groups of a run lie near a straight line. */
struct group_line {
	const struct run_index *ix;
	uint64_t slope; /* places for a step of one between groups, times 2^32 */
};

static struct group_line group_line_of(const struct run_index *ix)
{
	uint32_t width = ix->groups[ix->groups_n - 1].group - ix->groups[0].group;
	uint64_t places = MIN(ix->groups_n - 1, (uint64_t)UINT32_MAX);
	uint64_t slope = width ? (places << 32) / width : 0;
	/* of a damaged file numbers may be anything */
	return (struct group_line){ ix, MIN(slope, (uint64_t)1 << 32) };
}

/* Where `group` would stand if no more were missing between it and that at `at` than elsewhere. */
static uint64_t group_guess(const struct group_line *l, uint64_t at, uint32_t group)
{
	uint32_t known = l->ix->groups[at].group;
	if (group < known)
		return at - MIN(at, (known - group) * l->slope >> 32);
	return MIN(at + ((group - known) * l->slope >> 32), l->ix->groups_n - 1);
}

/* Where all of them stand, or would. Each guess touches a line of memory that is near the one that
 * is meant, and is asked for before it is needed. */
static void groups_find(const struct run_index *ix, struct probing *pr, size_t n)
{
	struct group_line line = group_line_of(ix);
	for (unsigned step = 0; step < GUESSES; step++) {
		for (size_t i = 0; i < n; i++) {
			pr[i].g = group_guess(&line, step ? pr[i].g : 0, pr[i].p->group);
			__builtin_prefetch(&ix->groups[pr[i].g]);
		}
	}
	for (size_t i = 0; i < n; i++)
		pr[i].g = run_group_near(ix, pr[i].g, pr[i].p->group);
}

static void probing_begin(struct probing *pr, struct db_probe *p, uint32_t kb)
{
	struct span key = span_first(p->key, kb < 12 ? kb : DB_KEY_BYTES_MAX);
	pr->p = p;
	pr->net = 0;
	memset(pr->prefix, 0, sizeof pr->prefix);
	if (key.n)
		memcpy(pr->prefix, key.p, MIN(key.n, (size_t)kb));
	pr->e = (struct entry){ .prefix = pr->prefix, .key_n = kb < 12 ? kb : (uint32_t)key.n };
	if (key.n > kb)
		pr->e.tail = (const uint8_t *)key.p + kb;
	p->id = 0;
	p->unsure = false;
}

static void probing_end(const struct probing *pr)
{
	if (pr->net < 1 || pr->p->unsure)
		pr->p->id = 0;
}

static void note(struct probing *pr, uint64_t id, unsigned sign)
{
	if (pr->net == 0 && pr->p->id == 0)
		pr->p->id = id;
	if (pr->p->id != id)
		pr->p->unsure = true;
	pr->net += sign ? -1 : 1;
}

static bool same_key(uint32_t kb, const struct entry *a, const struct entry *b)
{
	return a->key_n == b->key_n && (kb == 0 || memcmp(a->prefix, b->prefix, kb) == 0) &&
	       (a->key_n <= kb || memcmp(a->tail, b->tail, a->key_n - kb) == 0);
}

static void probe_part(struct probing *pr, const struct run_index *ix, unsigned sign, uint64_t lo,
		       uint64_t hi)
{
	struct entry e;
	if (ix->key_bytes)
		lo = entry_lower_bound(ix, sign, lo, hi, &pr->e);
	for (; lo < hi && !pr->p->unsure; lo++) {
		entry_at(ix, sign, lo, &e);
		if (!same_key(ix->key_bytes, &e, &pr->e))
			break;
		note(pr, e.id, sign);
	}
}

/* The lines that a search in the entries may begin with. */
static void entries_fetch(const struct run_index *ix, uint64_t lo, uint64_t hi)
{
	const uint8_t *first = ix->part[0].entries + lo * ix->entry_bytes;
	size_t bytes = (hi - lo) * ix->entry_bytes, step = MAX(bytes / FETCHED_MAX, (size_t)64);
	for (size_t at = 0; at < bytes; at += step)
		__builtin_prefetch(first + at);
}

static void probe_run(const struct run_index *ix, struct probing *pr, size_t n)
{
	groups_find(ix, pr, n);
	for (size_t i = 0; i < n; i++) {
		pr[i].here = pr[i].g < ix->groups_n && ix->groups[pr[i].g].group == pr[i].p->group;
		if (!pr[i].here)
			continue;
		run_group_range(ix, pr[i].g, 0, &pr[i].lo, &pr[i].hi);
		entries_fetch(ix, pr[i].lo, pr[i].hi);
	}
	for (size_t i = 0; i < n; i++) {
		if (!pr[i].here)
			continue;
		probe_part(&pr[i], ix, 0, pr[i].lo, pr[i].hi);
		if (ix->part[1].n == 0)
			continue;
		run_group_range(ix, pr[i].g, 1, &pr[i].lo, &pr[i].hi);
		probe_part(&pr[i], ix, 1, pr[i].lo, pr[i].hi);
	}
}

void db_probe(const struct db_snap *sn, unsigned table, unsigned index, struct db_probe *probes,
	      size_t n)
{
	const struct snap_table *t = &sn->tables[table];
	uint32_t kb = sn->db->tables[table].indexes[index].key_bytes;
	struct probing pr[PROBES_AT_ONCE];
	while (n > 0) {
		size_t part = MIN(n, PROBES_AT_ONCE);
		for (size_t i = 0; i < part; i++)
			probing_begin(&pr[i], &probes[i], kb);
		for (uint32_t i = 0; i < t->runs_n; i++)
			if (t->runs[i]->index[index].groups_n)
				probe_run(&t->runs[i]->index[index], pr, part);
		for (size_t i = 0; i < part; i++)
			probing_end(&pr[i]);
		probes += part;
		n -= part;
	}
}
