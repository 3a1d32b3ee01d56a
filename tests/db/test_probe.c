/* SPDX-License-Identifier: MIT */
/* Many look-ups at once find what a cursor finds. */
#include <stdlib.h>

#include "fixture.h"

#define PROBES_MAX 4000
#define KEY_MAX 128

struct probes {
	struct db_probe p[PROBES_MAX];
	uint8_t keys[PROBES_MAX][KEY_MAX];
	size_t n;
};

static void add(struct probes *ps, uint32_t group, struct span key)
{
	if (ps->n == PROBES_MAX)
		return;
	EXPECT(key.n <= KEY_MAX);
	if (key.n)
		memcpy(ps->keys[ps->n], key.p, key.n);
	ps->p[ps->n] = (struct db_probe){ .group = group, .key = span_of(ps->keys[ps->n], key.n) };
	ps->n++;
}

/* Every key that is there, each also with a letter more and one less, and groups without any. */
static void add_all(struct probes *ps, const struct db_snap *sn, unsigned table, unsigned index)
{
	uint8_t scratch[DB_KEY_BYTES_MAX], longer[KEY_MAX];
	struct db_cursor c;
	struct span key;
	uint64_t id;
	ps->n = 0;
	for (uint32_t group = 0; group < FX_GROUPS + 3; group++) {
		add(ps, group, span_of(NULL, 0));
		db_seek(&c, sn, table, index, group, 0);
		while (db_next_key(&c, &id, &key, scratch)) {
			add(ps, group, key);
			add(ps, group, span_first(key, key.n ? key.n - 1 : 0));
			memcpy(longer, key.p, key.n);
			longer[key.n] = 'a';
			add(ps, group, span_of(longer, key.n + 1));
		}
	}
}

/* What a cursor says: how many entries have the key, and the id of the first. */
static unsigned look(const struct db_snap *sn, unsigned table, unsigned index,
		     const struct db_probe *p, uint64_t *out_id)
{
	uint8_t scratch[DB_KEY_BYTES_MAX], padded[8] = { 0 };
	uint32_t kb = fx_tables[table].indexes[index].key_bytes;
	struct span key = kb < 12 ? span_first(p->key, kb) : p->key, at;
	struct db_cursor c;
	uint64_t id;
	unsigned n = 0;
	if (kb < 12) {
		if (key.n)
			memcpy(padded, key.p, key.n);
		key = span_of(padded, kb);
	}
	db_seek_key(&c, sn, table, index, p->group, key);
	while (db_next_key(&c, &id, &at, scratch) && span_eq(at, key))
		if (n++ == 0)
			*out_id = id;
	return n;
}

/* Returns how many were found, each by its id. */
static unsigned expect_same(struct probes *ps, const struct db_snap *sn, unsigned table,
			    unsigned index)
{
	unsigned found_n = 0;
	db_probe(sn, table, index, ps->p, ps->n);
	for (size_t i = 0; i < ps->n; i++) {
		uint64_t id = 0;
		unsigned n = look(sn, table, index, &ps->p[i], &id);
		if (ps->p[i].unsure) {
			EXPECT_U64(0, ps->p[i].id);
			continue;
		}
		EXPECT(n <= 1);
		EXPECT_U64(id, ps->p[i].id);
		found_n += n;
	}
	return found_n;
}

static void shuffle(struct probes *ps)
{
	for (size_t i = ps->n; i > 1; i--) {
		size_t k = test_random() % i;
		struct db_probe was = ps->p[i - 1];
		ps->p[i - 1] = ps->p[k];
		ps->p[k] = was;
	}
}

TEST(probe, many_look_ups_find_what_single_ones_find)
{
	struct fx_model *m = calloc(1, sizeof *m);
	struct probes *ps = calloc(1, sizeof *ps);
	char dir[200];
	unsigned found_n = 0;
	snprintf(dir, sizeof dir, "%s/db", test_tmpdir());
	struct db_options options = fx_options(dir);
	options.heap_run_rows = 8; /* several runs */
	struct db *db;
	EXPECT_OK(db_open(&options, &db, NULL));
	for (unsigned round = 0; round < 60; round++) {
		EXPECT_OK(fx_random_txn(db, m, 1 + (unsigned)(test_random() % 60)));
		struct db_snap *sn = db_snap_begin(db);
		for (unsigned t = 0; t < FX_TABLES; t++) {
			for (unsigned i = 0; i < fx_tables[t].indexes_n; i++) {
				add_all(ps, sn, t, i);
				found_n += expect_same(ps, sn, t, i);
				shuffle(ps);
				found_n += expect_same(ps, sn, t, i);
			}
		}
		db_snap_end(sn);
	}
	EXPECT(found_n > 1000);
	db_close(db);
	free(ps);
	free(m);
}
