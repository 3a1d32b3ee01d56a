/* SPDX-License-Identifier: MIT */
/* The library's inside: tables over the engine's rows, changes that wait, single operations. */
#pragma once

#include "base/arena.h"
#include "base/counter.h"
#include "base/thread.h"
#include "db/db.h"
#include "salverdb/salverdb.h"
#include "schema/kv_fb.h"

#define TABLES_ALL (SDB_TABLES_MAX + 1) /* with the catalog, which is table 0 of the engine */
#define KEYS_MAX (SDB_INDEXES_MAX * SDB_INDEX_KEYS_MAX)

_Static_assert((int)SDB_NOMEM == (int)ERR_NOMEM && (int)SDB_EXISTS == (int)ERR_EXISTS &&
		       (int)SDB_VERSION_ERR == (int)ERR_VERSION &&
		       (int)SDB_UNSUPPORTED == (int)ERR_UNSUPPORTED,
	       "enum sdb_err follows enum err");
_Static_assert(SDB_TABLES_MAX + 1 <= DB_TABLES_MAX && SDB_INDEXES_MAX + 1 <= DB_INDEXES_MAX &&
		       SDB_KEY_MAX + 1 <= DB_KEY_BYTES_MAX && SDB_RECORDS_MAX <= DB_ID_MAX,
	       "the engine's limits hold ours");

static inline enum sdb_err err_out(enum err e)
{
	return (enum sdb_err)e;
}

static inline enum err err_in(enum sdb_err e)
{
	return (enum err)e;
}

static inline struct span span_in(struct sdb_bytes b)
{
	return span_of(b.p, b.n);
}

/* ---- tables and records (sdb_record.c) ---- */

/** A declared table: what the engine is told about it, and what it hands back to us. */
struct table {
	struct sdb_table def;
	struct db_index_def indexes[SDB_INDEXES_MAX + 1];
	unsigned key_indexes_n; /* 1 where index 0 of the engine holds the keys */
	bool has_unique;
};

/** The engine's declaration of `t`; what it points to is in `t`. */
void table_init(struct table *t, const struct sdb_table *def, struct db_table_def *out);

/** A key in an index, as bytes; numbers are put into `scratch`. */
struct span key_bytes(const struct table *t, struct sdb_key key, uint8_t scratch[8]);

/** One index key of a record that is about to be stored. */
struct index_key {
	unsigned index; /* of the program's */
	struct span key;
};

/** Where sdb_index_key() puts what it is given: into the engine, or into a list. */
struct sdb_keys {
	struct db_emit *emit; /* NULL: into the list */
	uint64_t id;
	unsigned index, engine_index;
	unsigned n;	     /* of this index */
	bool over;	     /* a limit was passed */
	struct arena *arena; /* holds the keys of the list */
	struct index_key *list;
	unsigned list_n;
};

/** All keys of a record, of all indexes; list has KEYS_MAX places. ERR_LIMIT, ERR_NOMEM. */
NODISCARD enum err record_keys(const struct table *t, const struct sdb_record *record,
			       struct arena *arena, struct index_key *list, unsigned *out_n,
			       unsigned *out_index_over);
/** Whether the value is what the table's codec demands. */
bool record_valid(const struct table *t, struct sdb_bytes value);
/** What the engine's row means. */
void record_of_row(const struct table *t, struct fb_table row, struct sdb_record *out);
/** What the engine's put takes. */
struct kv_record_in record_row(const struct table *t, const struct sdb_record *record);

/* ---- changes that wait (sdb_pending.c) ---- */

/* A transaction's changes wait in memory, by key, until there are so many; then they go to the
 * engine together, each row once. */
#define PENDING_OPS_MAX 4096u
#define PENDING_KEYS_MAX (PENDING_OPS_MAX * 4)
#define PENDING_BYTES (1u << 20)
#define PENDING_BYTES_MAX (PENDING_BYTES + (2u << 20)) /* the last one may be large */

struct pending_op {
	uint64_t id;
	struct sdb_record record;
	uint32_t version; /* of it: unique keys of earlier ones do not count */
	bool remove;
	bool stored; /* the engine has a row of that id */
};

/** What a change can be found by. */
enum pending_by { BY_KEY, BY_ID, BY_INDEX /* + index */ };

struct pending_key {
	uint32_t hash, op, version; /* version 0: whatever the op's is */
	uint32_t by;
	uint64_t number;
	struct span text;
};

struct pending {
	struct pending_op *ops;
	struct pending_key *keys;
	uint32_t *slots; /* index into keys + 1 */
	size_t ops_n, ops_cap, keys_n, keys_cap, slots_n;
	uint64_t next_id;      /* greater than every id the table ever had */
	uint64_t direct_first; /* from here on rows went straight to the engine and cannot be read
				* yet; 0: none */
	bool wait_all;	       /* no more of that in this transaction */
	int64_t len_delta;
};

void pending_fini(struct pending *p);
/** Forget the changes, keep the memory. */
void pending_clear(struct pending *p);
struct pending_op *pending_find(const struct pending *p, unsigned by, uint64_t number,
				struct span text);
/** A new change under its key and id. ERR_NOMEM. `op->record` is in the caller's arena. */
NODISCARD enum err pending_add(struct pending *p, const struct table *t,
			       const struct pending_op *op, struct pending_op **out);
/** The unique keys of a change's newest version. ERR_NOMEM. */
NODISCARD enum err pending_add_key(struct pending *p, const struct pending_op *op, unsigned index,
				   struct span key);

/* ---- transactions (sdb_txn.c) ---- */

/** What the engine shows of a write transaction; cursors keep it. */
struct view {
	struct db_snap *snap;
	unsigned refs;
};

struct sdb_txn {
	struct sdb *db;
	struct db_snap *snap; /* of a read transaction */
	struct db_txn *txn;   /* of a write transaction; the rest is its own */
	struct view *view;    /* NULL: the base is what it shows */
	enum err err;	      /* it can only end */
	char why[256];
	struct arena arena;   /* keys and values of pending changes */
	struct arena kept;    /* of those that went to the engine last */
	struct arena scratch; /* keys of the record at hand */
	uint64_t changes_n;
	struct pending pending[TABLES_ALL];
};

/** The write transaction for our own use: no check of the thread that has it. */
NODISCARD enum err txn_begin_write(struct sdb *db, struct sdb_txn **out);
/** Everything pending goes to the engine; txn_snap() shows it. */
NODISCARD enum err txn_settle(struct sdb_txn *txn);
const struct db_snap *txn_snap(const struct sdb_txn *txn);
void view_unref(struct sdb_txn *txn, struct view *v);
/** Row of exactly this key in an index of the engine. */
bool index_find(const struct db_snap *sn, unsigned table, unsigned index, struct span key,
		uint64_t *out_id);
/** Count an error that a caller gets to see; returns it. */
enum sdb_err report(struct sdb *db, enum err e);

/* ---- single operations and upkeep (sdb_group.c) ---- */

struct group_op {
	struct group_op *next;
	struct sdb_op op;
	enum err err;
	bool finished; /* under group.m */
	void (*done)(void *ctx, enum sdb_err e);
	void *ctx;
	size_t bytes; /* counted in the queue */
	bool owned;   /* by the queue: nobody waits */
};

struct group {
	struct mutex m;
	struct cond work, room, acked;
	struct group_op *first, *last; /* m */
	size_t ops_n, bytes;	       /* m */
	uint64_t first_ms;	       /* m; when the oldest came */
	bool stopping;		       /* m */
	bool dirty, upkeep_due;	 /* m; committed since the last checkpoint; merging may help */
	uint64_t last_commit_ms; /* m */
	unsigned ops_max, delay_ms;
	struct thread thread;
	struct counter groups_n, ops_done_n, ops_most;
};

NODISCARD enum err group_start(struct sdb *db, const struct sdb_options *options);
/** Stores what is queued, then ends the thread. Harmless where it never started. */
void group_stop(struct sdb *db);
/** A commit has been made. */
void group_committed(struct sdb *db);

/* ---- the database (sdb.c, sdb_catalog.c) ---- */

struct sdb {
	struct db *db;
	const struct db_io *io;
	bool read_only;
	unsigned tables_n; /* with the catalog */
	struct table tables[TABLES_ALL];
	struct db_table_def defs[TABLES_ALL];

	struct mutex m; /* of the two below */
	struct cond writer_free;
	bool writing;
	pthread_t writer;

	struct group group;
	struct counter errors_n[SDB_ERRS_N], retries_n;
};

/** Wait for the right to write. ERR_BUSY: this thread has it. */
NODISCARD enum err writer_take(struct sdb *db);
void writer_give(struct sdb *db);
/** Whether this thread has the write transaction. */
bool writer_is_me(struct sdb *db);

#define RETRIES_MAX 4
/** Whether to try again after the n-th failure with `e`; pauses 10, 20, 40, 80 ms, and counts. */
bool retry_pause(struct sdb *db, enum err e, unsigned n);

extern const struct sdb_table catalog_table;
enum catalog_state { CATALOG_SAME, CATALOG_NEW, CATALOG_INDEXES_DIFFER };
/** Compare what is stored with what is declared. ERR_INVALID with the reason in *info. */
NODISCARD enum err catalog_compare(struct sdb *db, enum catalog_state *out, struct err_info *info);
/** Store the declaration. */
NODISCARD enum err catalog_store(struct sdb *db);
/** Whether the declaration itself is sound. */
NODISCARD enum err catalog_check(const struct sdb_options *options, struct err_info *info);
/** Whether no two records have the same key in any unique index; else the first such key, as a
 * sentence, and ERR_EXISTS. O(entries of unique indexes). */
NODISCARD enum err unique_check(struct sdb *db, struct err_info *info);
/** Remove what indexes the records; the engine makes it again when it opens. */
NODISCARD enum err index_files_remove(const char *dir, struct err_info *info);

/** sdb_open() on other files than the real ones (tests: db/io.h). */
NODISCARD enum err sdb_open_io(const struct sdb_options *options, const struct db_io *io,
			       struct sdb **out, struct err_info *info);
