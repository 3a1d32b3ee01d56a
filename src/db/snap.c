/* SPDX-License-Identifier: MIT */
/* Snapshots: pinning without a lock.
 *
 * `current` packs the newest snapshot's address (48 bits) with the number of pins taken on it
 * (16 bits): pinning is one atomic addition. Ending a pin takes it back there, or, where a newer
 * snapshot was published meanwhile, from the snapshot's own count, to which the publisher has
 * moved (or will move: hence the bias) the pins it found. Whoever brings that to zero puts the
 * snapshot on a list that the writer empties: readers never free, unmap or unlink. */
#include "db/db_priv.h"

#define PIN_ONE (1ull << 48)
#define PIN_ADDRESS (PIN_ONE - 1)
#define PINS_MAX (UINT16_MAX - 1024u) /* at once; threads may be between count and check */
#define REFS_BIAS ((int64_t)1 << 32)

static struct db_snap *pin_address(uint64_t word)
{
	return (struct db_snap *)(uintptr_t)(word & PIN_ADDRESS);
}

static size_t snap_bytes(const struct db *db)
{
	return sizeof(struct db_snap) + db->tables_n * sizeof(struct snap_table);
}

struct db_snap *snap_copy(struct db *db, const struct db_snap *from)
{
	struct db_snap *sn = mem_alloc(&db->mem, snap_bytes(db));
	if (!sn)
		return NULL;
	if (from) {
		sn->commit = from->commit;
		sn->log_end = from->log_end;
		sn->log_first = from->log_first;
		sn->live_bytes = from->live_bytes;
		memcpy(sn->tables, from->tables, db->tables_n * sizeof *sn->tables);
	} else {
		for (unsigned t = 0; t < db->tables_n; t++)
			sn->tables[t].next_id = 1;
	}
	sn->db = db;
	atomic_init(&sn->refs, REFS_BIAS);
	for (unsigned t = 0; t < db->tables_n; t++)
		for (uint32_t i = 0; i < sn->tables[t].runs_n; i++)
			run_ref(sn->tables[t].runs[i]);
	return sn;
}

static void snap_link(struct db *db, struct db_snap *sn, struct db_snap *before)
{
	sn->generation = ++db->generation;
	sn->older = before;
	if (before)
		before->newer = sn;
	else
		db->snap_oldest = sn;
}

static void snap_unlink(struct db *db, struct db_snap *sn)
{
	if (sn->older)
		sn->older->newer = sn->newer;
	else
		db->snap_oldest = sn->newer;
	if (sn->newer)
		sn->newer->older = sn->older;
}

void snap_free(struct db *db, struct db_snap *sn)
{
	if (!sn)
		return;
	if (sn->generation)
		snap_unlink(db, sn);
	for (unsigned t = 0; t < db->tables_n; t++)
		for (uint32_t i = 0; i < sn->tables[t].runs_n; i++)
			run_unref(db, sn->tables[t].runs[i]);
	mem_free(&db->mem, sn, snap_bytes(db));
}

static void snap_bury(struct db_snap *sn)
{
	struct db *db = sn->db;
	struct db_snap *head = atomic_load_explicit(&db->dead, memory_order_relaxed);
	do
		sn->next_dead = head;
	/* release: pairs with the exchange in snap_collect(); all reading is over before the free
	 */
	while (!atomic_compare_exchange_weak_explicit(&db->dead, &head, sn, memory_order_release,
						      memory_order_relaxed));
}

void snap_publish(struct db *db, struct db_snap *sn)
{
	ASSERT(((uintptr_t)sn & ~(uintptr_t)PIN_ADDRESS) == 0);
	snap_link(db, sn, pin_address(atomic_load_explicit(&db->current, memory_order_relaxed)));
	/* release: pairs with the acquire in db_snap_begin(): who sees sn sees all it leads to.
	 * acquire: pairs with the release in db_snap_end(). */
	uint64_t old = atomic_exchange_explicit(&db->current, (uint64_t)(uintptr_t)sn,
						memory_order_acq_rel);
	struct db_snap *before = pin_address(old);
	if (before) {
		int64_t change = (int64_t)(old >> 48) - REFS_BIAS;
		if (atomic_fetch_add_explicit(&before->refs, change, memory_order_acq_rel) ==
		    -change)
			snap_bury(before);
	}
	snap_collect(db);
}

void snap_collect(struct db *db)
{
	struct db_snap *sn = atomic_exchange_explicit(&db->dead, NULL, memory_order_acquire);
	while (sn) {
		struct db_snap *next = sn->next_dead;
		snap_free(db, sn);
		sn = next;
	}
}

const struct db_snap *snap_current(struct db *db)
{
	return pin_address(atomic_load_explicit(&db->current, memory_order_relaxed));
}

struct db_snap *db_snap_begin(struct db *db)
{
	/* acquire: pairs with snap_publish() */
	uint64_t word = atomic_fetch_add_explicit(&db->current, PIN_ONE, memory_order_acquire);
	ASSERT(word >> 48 < PINS_MAX); /* one more would count as none: somebody leaks them */
	return pin_address(word);
}

void db_snap_end(struct db_snap *sn)
{
	if (!sn)
		return;
	struct db *db = sn->db;
	uint64_t word = atomic_load_explicit(&db->current, memory_order_relaxed);
	/* While we pin it no other snapshot can have its address. */
	while (pin_address(word) == sn) {
		/* release: our reading is over before the publisher can free it */
		if (atomic_compare_exchange_weak_explicit(&db->current, &word, word - PIN_ONE,
							  memory_order_release,
							  memory_order_relaxed))
			return;
	}
	if (atomic_fetch_sub_explicit(&sn->refs, 1, memory_order_acq_rel) == 1)
		snap_bury(sn);
}

uint64_t db_snap_commit(const struct db_snap *sn)
{
	return sn->commit;
}

uint64_t db_rows(const struct db_snap *sn, unsigned table)
{
	return sn->tables[table].live;
}

uint64_t snap_address(const struct db_snap *sn, unsigned table, uint64_t id)
{
	const struct snap_table *t = &sn->tables[table];
	uint64_t address;
	for (uint32_t i = t->runs_n; i-- > 0;)
		if (run_address(t->runs[i], id, &address))
			return address;
	return 0;
}

enum err db_get(const struct db_snap *sn, unsigned table, uint64_t id, struct fb_table *out)
{
	uint64_t address = snap_address(sn, table, id);
	if (address == 0)
		return ERR_NOTFOUND;
	return chunk_row(sn->db, table, address, id, out);
}

/* The first live id >= from and its address; UINT64_MAX at the end. */
static uint64_t row_next(const struct snap_table *t, uint64_t from, uint64_t *out_address)
{
	while (from <= DB_ID_MAX) {
		uint64_t least = UINT64_MAX, address = 0;
		for (uint32_t i = 0; i < t->runs_n; i++) { /* the newest wins: it comes last */
			const struct run *r = t->runs[i];
			uint64_t at = run_id_lower_bound(r, from);
			if (at >= r->rows_n || run_id_at(r, at) > least)
				continue;
			least = run_id_at(r, at);
			address = r->addresses[at];
		}
		if (least == UINT64_MAX || address != 0) {
			*out_address = address;
			return least;
		}
		from = least + 1;
	}
	return UINT64_MAX;
}

uint64_t snap_row_next(const struct db_snap *sn, unsigned table, uint64_t from)
{
	uint64_t address;
	return row_next(&sn->tables[table], from, &address);
}

enum err db_row_from(const struct db_snap *sn, unsigned table, uint64_t from, uint64_t *out_id,
		     struct fb_table *out)
{
	uint64_t address, id = row_next(&sn->tables[table], from, &address);
	if (id == UINT64_MAX)
		return ERR_NOTFOUND;
	*out_id = id;
	return chunk_row(sn->db, table, address, id, out);
}
