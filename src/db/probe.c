/* SPDX-License-Identifier: MIT */
/* Many look-ups at once. Sorted by group, each begins in every run where the one before it ended,
 * and one run after the other is read from its beginning to its end: what is near is read together,
 * and most of it is asked for before it is needed. */
#include "db/db_priv.h"

#define PROBES_AT_ONCE ((size_t)128)

struct probing {
	struct db_probe *p;
	struct entry e;
	uint8_t prefix[32]; /* padded with zeros */
	int net;	    /* entries added less those removed, of the one id seen so far */
	bool here;	    /* the run has the group: */
	uint64_t g, lo, hi; /* its row, and what was added to it */
};

/* The first group >= `group`; nearer to `at` is faster. */
static uint64_t group_from(const struct run_index *ix, uint64_t at, uint32_t group)
{
	if (at > 0 && ix->groups[at - 1].group >= group)
		return run_group_lower_bound(ix, group);
	uint64_t n = ix->groups_n, step = 1;
	for (; step <= n - at && ix->groups[at + step - 1].group < group; step *= 2)
		at += step;
	uint64_t hi = MIN(n, at + step - 1);
	while (at < hi) {
		uint64_t mid = at + (hi - at) / 2;
		if (ix->groups[mid].group < group)
			at = mid + 1;
		else
			hi = mid;
	}
	return at;
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

/* *at: the place of the group that was looked for last. */
static void probe_run(const struct run_index *ix, struct probing *pr, size_t n, uint64_t *at)
{
	for (size_t i = 0; i < n; i++) {
		pr[i].g = *at = group_from(ix, *at, pr[i].p->group);
		pr[i].here = *at < ix->groups_n && ix->groups[*at].group == pr[i].p->group;
		if (!pr[i].here)
			continue;
		run_group_range(ix, *at, 0, &pr[i].lo, &pr[i].hi);
		uint64_t mid = pr[i].lo + (pr[i].hi - pr[i].lo) / 2;
		__builtin_prefetch(ix->part[0].entries + mid * ix->entry_bytes);
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
	uint64_t at[DB_RUNS_MAX] = { 0 };
	while (n > 0) {
		size_t part = MIN(n, PROBES_AT_ONCE);
		for (size_t i = 0; i < part; i++)
			probing_begin(&pr[i], &probes[i], kb);
		for (uint32_t i = 0; i < t->runs_n; i++)
			if (t->runs[i]->index[index].groups_n)
				probe_run(&t->runs[i]->index[index], pr, part, &at[i]);
		for (size_t i = 0; i < part; i++)
			probing_end(&pr[i]);
		probes += part;
		n -= part;
	}
}
