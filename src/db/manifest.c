/* SPDX-License-Identifier: MIT */
/* The manifest: what was durable at the last checkpoint, in two slots written in turn. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "db/db_priv.h"

static uint64_t manifest_hash(struct disk_manifest *m)
{
	uint64_t kept = m->hash;
	m->hash = 0;
	uint64_t hash = XXH3_64bits(m, m->bytes);
	m->hash = kept;
	return hash;
}

static const struct disk_manifest_table *manifest_tables(const struct disk_manifest *m)
{
	return (const void *)(m + 1);
}

static const struct disk_manifest_run *manifest_runs(const struct disk_manifest *m)
{
	return (const void *)(manifest_tables(m) + m->tables_n);
}

/* NULL: an older salver wrote it. */
static const struct disk_manifest_log *manifest_log(const struct disk_manifest *m)
{
	const struct disk_manifest_log *log = (const void *)(manifest_runs(m) + m->runs_n);
	return (const uint8_t *)log - (const uint8_t *)m < m->bytes ? log : NULL;
}

/* The slot's content in `m` (MANIFEST_SLOT_BYTES), or ERR_CORRUPT. */
static enum err slot_read(struct db *db, unsigned slot, struct disk_manifest *m)
{
	memset(m, 0, MANIFEST_SLOT_BYTES);
	ssize_t n;
	do
		n = pread(db->manifest_fd, m, MANIFEST_SLOT_BYTES,
			  (off_t)(slot * MANIFEST_SLOT_BYTES));
	while (n < 0 && errno == EINTR);
	if (n < (ssize_t)sizeof *m || memcmp(m->magic, MANIFEST_MAGIC, sizeof m->magic) != 0)
		return ERR_CORRUPT;
	if (m->bytes < sizeof *m || m->bytes > MANIFEST_SLOT_BYTES || m->hash != manifest_hash(m))
		return ERR_CORRUPT;
	if (m->version > FORMAT_VERSION || m->tables_n > db->tables_n)
		return ERR_VERSION;
	uint64_t bytes = sizeof *m + m->tables_n * sizeof(struct disk_manifest_table) +
			 (uint64_t)m->runs_n * sizeof(struct disk_manifest_run);
	if (m->bytes != bytes && m->bytes != bytes + sizeof(struct disk_manifest_log))
		return ERR_CORRUPT;
	if (db->store != 0 && memcmp(m->uuid, db->uuid, sizeof db->uuid) != 0)
		return ERR_CORRUPT;
	return ERR_OK;
}

static enum err slot_names_set(struct db *db, struct slot_state *s, const struct disk_manifest *m)
{
	uint64_t *numbers = mem_alloc(&db->mem, m->runs_n * 8);
	if (!numbers)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < m->runs_n; i++)
		numbers[i] = manifest_runs(m)[i].number;
	mem_free(&db->mem, s->runs, s->runs_n * 8);
	const struct disk_manifest_log *log = manifest_log(m);
	*s = (struct slot_state){ m->sequence, numbers, m->runs_n, log ? log->log_first : 0 };
	return ERR_OK;
}

/* Are the index files small enough to be read whole at opening, so that a rotten one is rebuilt
 * from the log at once? Of a larger store the writer reads them before its first transaction
 * (db_txn_begin()): opening stays instant. */
static bool runs_are_small(const struct db *db, const struct disk_manifest *m)
{
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < m->runs_n && bytes <= db->check_at_open_bytes; i++)
		bytes += MIN(manifest_runs(m)[i].bytes, UINT32_MAX);
	return bytes <= db->check_at_open_bytes;
}

static enum err slot_open_runs(struct db *db, const struct disk_manifest *m, struct db_snap *sn)
{
	/* reading alone must show what is there: `salver check` names it */
	bool check = !db->read_only && runs_are_small(db, m);
	for (uint32_t i = 0; i < m->runs_n; i++) {
		const struct disk_manifest_run *d = &manifest_runs(m)[i];
		if (d->table >= m->tables_n || sn->tables[d->table].runs_n == RUNS_KEPT_MAX ||
		    d->number == 0 || d->number >= m->next_run)
			return ERR_CORRUPT;
		struct snap_table *t = &sn->tables[d->table];
		enum err e = run_open(db, d->number, d->bytes, d->hash, &t->runs[t->runs_n]);
		if (e != ERR_OK)
			return e;
		struct run *r = t->runs[t->runs_n++];
		r->synced = true;
		if (r->table != d->table)
			return ERR_CORRUPT;
		e = check ? run_check(db, r) : ERR_OK;
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* The next commit goes there: it must be a place where a chunk can be. */
static bool log_end_fits(const struct db *db, const struct disk_manifest *m)
{
	return m->log_segment < SEGMENTS_MAX && db_segment(db, m->log_segment) &&
	       m->log_offset >= SEGMENT_HEADER_BYTES && m->log_offset <= SEGMENT_BYTES_MAX &&
	       m->log_offset % CHUNK_ALIGN == 0;
}

/* Whatever is not below it is taken for new: all that the runs know must be. */
static uint64_t next_id_of(const struct snap_table *t, uint64_t said)
{
	uint64_t next = MAX(said, 1u);
	for (uint32_t i = 0; i < t->runs_n; i++) {
		const struct run *r = t->runs[i];
		if (r->rows_n)
			next = MAX(next, run_id_at(r, r->rows_n - 1) + 1);
	}
	return MIN(next, DB_ID_NONE_LEFT);
}

static enum err slot_open(struct db *db, const struct disk_manifest *m, struct db_snap **out)
{
	struct db_snap *sn = snap_copy(db, NULL);
	if (!sn)
		return ERR_NOMEM;
	sn->commit = m->commit;
	sn->log_end = (struct log_pos){ m->log_segment, m->log_offset };
	const struct disk_manifest_log *log = manifest_log(m);
	sn->log_first = log ? MIN(log->log_first, m->log_segment) : 0;
	sn->live_bytes = log ? log->live_bytes : log_used_bytes(db, sn);
	for (uint32_t t = 0; t < m->tables_n; t++) {
		sn->tables[t].live = manifest_tables(m)[t].live;
	}
	/* numbers are given out one by one: so many never were, and there must be some left */
	bool fits = log_end_fits(db, m) && m->next_run < 2 * RUN_NUMBER_MAX;
	enum err e = fits ? slot_open_runs(db, m, sn) : ERR_CORRUPT;
	for (uint32_t t = 0; t < m->tables_n && e == ERR_OK; t++)
		sn->tables[t].next_id = next_id_of(&sn->tables[t], manifest_tables(m)[t].next_id);
	if (e != ERR_OK) {
		snap_free(db, sn);
		return e;
	}
	db->next_run = MAX(db->next_run, m->next_run);
	/* beside a writer: this manifest may name rows that came after the segments were opened */
	if (db->read_only)
		segments_refresh(db);
	*out = sn;
	return ERR_OK;
}

static enum err slots_load(struct db *db, struct disk_manifest *slot[2], struct db_snap **out,
			   struct err_info *info)
{
	bool valid[2];
	for (unsigned i = 0; i < 2; i++) {
		enum err e = slot_read(db, i, slot[i]);
		if (e == ERR_VERSION)
			return err_set(
				info, e, 0,
				"database \"%s\" was written by a newer salver; use that one",
				db->dir);
		valid[i] = e == ERR_OK;
		if (!valid[i])
			continue;
		if (db->store == 0) {
			memcpy(db->uuid, slot[i]->uuid, sizeof db->uuid);
			db->store = num_le64(db->uuid);
		}
		e = slot_names_set(db, &db->slots[i], slot[i]);
		if (e != ERR_OK)
			return e;
		if (slot[i]->commit > db->known.commit && log_end_fits(db, slot[i]))
			db->known =
				(struct known_end){ slot[i]->commit,
						    { slot[i]->log_segment, slot[i]->log_offset } };
	}
	unsigned newest = valid[1] && (!valid[0] || slot[1]->sequence > slot[0]->sequence);
	for (unsigned k = 0; k < 2; k++) {
		unsigned i = k ? !newest : newest;
		if (!valid[i])
			continue;
		enum err e = slot_open(db, slot[i], out);
		if (e != ERR_CORRUPT && e != ERR_NOTFOUND)
			return e;
		log_warn(LOG_DB, "an index of database \"%s\" is damaged or missing: rebuilding",
			 db->dir);
	}
	return ERR_OK;
}

enum err manifest_load(struct db *db, struct db_snap **out, struct err_info *info)
{
	*out = NULL;
	if (db->manifest_fd < 0)
		return ERR_OK;
	struct disk_manifest *slot[2];
	uint8_t *buf = mem_alloc(&db->mem, 2 * MANIFEST_SLOT_BYTES);
	if (!buf)
		return ERR_NOMEM;
	slot[0] = (void *)buf;
	slot[1] = (void *)(buf + MANIFEST_SLOT_BYTES);
	enum err e = slots_load(db, slot, out, info);
	mem_free(&db->mem, buf, 2 * MANIFEST_SLOT_BYTES);
	return e;
}

size_t manifest_build(const struct db_snap *sn, const struct run_naming *names, uint64_t sequence,
		      uint64_t next_run, struct disk_manifest *m)
{
	const struct db *db = sn->db;
	memcpy(m->magic, MANIFEST_MAGIC, sizeof m->magic);
	m->version = FORMAT_VERSION;
	m->sequence = sequence;
	memcpy(m->uuid, db->uuid, sizeof m->uuid);
	m->commit = sn->commit;
	m->log_segment = sn->log_end.segment;
	m->log_offset = sn->log_end.offset;
	m->tables_n = db->tables_n;
	m->next_run = next_run;
	struct disk_manifest_table *tables = (void *)(m + 1);
	struct disk_manifest_run *runs = (void *)(tables + db->tables_n);
	for (uint32_t t = 0; t < db->tables_n; t++) {
		const struct snap_table *st = &sn->tables[t];
		tables[t] = (struct disk_manifest_table){ st->next_id, st->live };
		for (uint32_t i = 0; i < st->runs_n; i++) {
			const struct run *r = st->runs[i];
			uint32_t n = m->runs_n++;
			runs[n] = (struct disk_manifest_run){
				.number = names ? names[n].number : r->number,
				.table = t,
				.bytes = r->bytes,
				.hash = names ? names[n].header_hash : r->header_hash,
			};
		}
	}
	struct disk_manifest_log *log = (void *)(runs + m->runs_n);
	*log = (struct disk_manifest_log){ .live_bytes = sn->live_bytes,
					   .log_first = sn->log_first };
	m->bytes = (uint32_t)((uint8_t *)(log + 1) - (uint8_t *)m);
	m->hash = manifest_hash(m);
	return num_align_up(m->bytes, 4096);
}

enum err manifest_store(struct db *db, const struct db_snap *sn)
{
	struct disk_manifest *m = mem_alloc(&db->mem, MANIFEST_SLOT_BYTES);
	if (!m)
		return ERR_NOMEM;
	uint64_t sequence = MAX(db->slots[0].sequence, db->slots[1].sequence) + 1;
	size_t bytes = manifest_build(sn, NULL, sequence, db->next_run, m);
	/* the older slot: the newer one stays whole whatever happens to this write */
	unsigned slot = db->slots[0].sequence > db->slots[1].sequence;
	uint64_t off = (uint64_t)slot * MANIFEST_SLOT_BYTES;
	enum err e = db_write(db, db->manifest_fd, m, bytes, off);
	if (e == ERR_OK)
		e = db_sync(db, db->manifest_fd);
	if (e == ERR_OK)
		e = slot_names_set(db, &db->slots[slot], m);
	mem_free(&db->mem, m, MANIFEST_SLOT_BYTES);
	run_files_sweep(db);
	return e;
}
