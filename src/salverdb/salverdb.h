/* SPDX-License-Identifier: MIT */
/* salverdb: an embedded store of records in tables, for C and C++ programs.
 *
 * A database is a directory. A table has records {key, value}: the key is a number or a string, the
 * value is bytes, JSON text or a FlatBuffer; secondary indexes are made from the records by
 * functions of the program. One transaction writes at a time, any number of snapshots read beside
 * it without a lock. What a reader gets is borrowed from a map of the file: nothing is copied.
 *
 *     struct sdb_table people = { .name = "people", .key = SDB_KEY_STRING };
 *     struct sdb_options options = { .dir = "phone.db", .tables = &people, .tables_n = 1 };
 *     struct sdb *db;
 *     if (sdb_open(&options, &db, NULL) == SDB_OK) {
 *             sdb_put_now(db, 0, sdb_text("ann"), sdb_str("+44 20 7946 0000"));
 *             sdb_close(db);
 *     }
 *
 * Guarantees. A commit that was acknowledged is on disk and is there after a kill, a power loss and
 * a restart; one that was not is there whole or not at all. A snapshot sees exactly one commit.
 * Every stored byte is checked (a hash, then the table's codec) before anybody sees it; what does
 * not pass is SDB_CORRUPT, and the rest stays readable. One process writes a database at a time.
 *
 * Threads. An open database may be used from any thread. A read transaction, with its cursors and
 * records, may be used by several threads at once as long as each cursor stays with one; a write
 * transaction is used by one thread at a time. After fork() the child does not use the database. */
#ifndef SALVERDB_H
#define SALVERDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SDB_API __attribute__((visibility("default")))
#define SDB_CHECKED __attribute__((visibility("default"), warn_unused_result))
#else
#define SDB_API
#define SDB_CHECKED
#endif

#define SDB_VERSION "0.1.0"

/* ---- limits --------------------------------------------------------------------------------- */

#define SDB_TABLES_MAX 15	    /* of a database */
#define SDB_INDEXES_MAX 7	    /* of a table */
#define SDB_NAME_MAX 63		    /* bytes of a table's or an index's name */
#define SDB_KEY_MAX 1000	    /* bytes of a string key and of an index key */
#define SDB_VALUE_MAX (1000u << 10) /* bytes of a value */
#define SDB_RECORDS_MAX UINT32_MAX  /* ever stored in one table, updates not counted */
#define SDB_INDEX_KEYS_MAX 64	    /* of one record in one index */
#define SDB_JSON_DEPTH_MAX 31	    /* nested arrays and objects */

/* ---- errors --------------------------------------------------------------------------------- */

enum sdb_err {
	SDB_OK = 0,
	SDB_NOMEM,    /* out of memory */
	SDB_INVALID,  /* an argument, a value or a declaration is malformed */
	SDB_RANGE,    /* well-formed, but outside what is allowed */
	SDB_NOTFOUND, /* no such key, no such database; the end of a cursor */
	SDB_EXISTS,   /* a unique index has that key already */
	SDB_ACCESS,   /* permission denied */
	SDB_IO,	      /* a read, write or sync failed; after a failed sync nothing is written until
		       * the database is opened again */
	SDB_NOSPACE,  /* the disk is full */
	SDB_CORRUPT,  /* stored bytes fail their checks */
	SDB_VERSION_ERR, /* written by a newer version, or with more tables than declared */
	SDB_BUSY,	 /* another process or transaction holds it */
	SDB_LIMIT,	 /* a limit above was reached */
	SDB_TIMEOUT,	 /* not done within its time */
	SDB_CLOSED,	 /* the database is closing */
	SDB_UNSUPPORTED, /* known, but not offered here */
	SDB_ERRS_N
};

/** The fixed name of an error: "out of memory", "not found", ... */
SDB_API const char *sdb_err_text(enum sdb_err e);

/** Why opening failed: one sentence for a person. */
struct sdb_why {
	int os_errno; /* errno of the system call, or 0 */
	char text[512];
};

/* ---- bytes and keys ------------------------------------------------------------------------- */

/** Borrowed bytes. Not NUL-terminated. */
struct sdb_bytes {
	const void *p;
	size_t n;
};

static inline struct sdb_bytes sdb_bytes(const void *p, size_t n)
{
	struct sdb_bytes b = { p, n };
	return b;
}

static inline struct sdb_bytes sdb_str(const char *s)
{
	return sdb_bytes(s, strlen(s));
}

/** A key: `number` in tables of SDB_KEY_ID and SDB_KEY_U64, `text` in those of SDB_KEY_STRING. */
struct sdb_key {
	uint64_t number;
	struct sdb_bytes text;
};

static inline struct sdb_key sdb_number(uint64_t number)
{
	struct sdb_key k = { number, { NULL, 0 } };
	return k;
}

static inline struct sdb_key sdb_text(const char *s)
{
	struct sdb_key k = { 0, { s, strlen(s) } };
	return k;
}

/** Any bytes, zeros among them; empty is a key too. */
static inline struct sdb_key sdb_text_n(const void *p, size_t n)
{
	struct sdb_key k = { 0, { p, n } };
	return k;
}

/** What is stored. Lifetime: as said where it comes from; `value.p` is a multiple of 8. */
struct sdb_record {
	struct sdb_key key;
	struct sdb_bytes value;
};

/* ---- declaring tables ------------------------------------------------------------------------ */

enum sdb_key_kind {
	SDB_KEY_ID,    /* 1 to 2^32 - 1, chosen by the program or by sdb_add(): the cheapest */
	SDB_KEY_U64,   /* any 64-bit number */
	SDB_KEY_STRING /* 0 to SDB_KEY_MAX bytes */
};

enum sdb_codec {
	SDB_BYTES,     /* whatever it is */
	SDB_JSON,      /* one JSON text (RFC 8259): UTF-8, at most SDB_JSON_DEPTH_MAX deep */
	SDB_FLATBUFFER /* what the table's verify() accepts */
};

struct sdb_keys;
/** One key of a record in the index at hand; the bytes are copied. At most SDB_INDEX_KEYS_MAX of a
 * record, each at most SDB_KEY_MAX bytes: sdb_put() refuses a record with more (SDB_LIMIT). The
 * same key twice counts once. */
SDB_API void sdb_index_key(struct sdb_keys *out, const void *p, size_t n);
/** A number as a key: 8 bytes, big-endian, so that byte order is its order. */
SDB_API void sdb_index_number(struct sdb_keys *out, uint64_t number);

struct sdb_index {
	const char *name;
	bool unique; /* no two records may have the same key in it */
	/** Name the record's keys, none to many. Pure: the same record always gives the same keys,
	 * also in the next run of the program. Called from any thread. */
	void (*keys)(const struct sdb_record *record, struct sdb_keys *out, void *ctx);
	void *ctx;
};

/** Position in sdb_options.tables = table number, fixed for ever; new tables go to the end. Key and
 * codec are fixed. Indexes may change from one opening to the next: opening makes them again. Raise
 * `index_version` when a keys() function changes what it gives. */
struct sdb_table {
	const char *name;
	enum sdb_key_kind key;
	enum sdb_codec codec;
	/** SDB_FLATBUFFER: whether these bytes are a sound record. Called from any thread. */
	bool (*verify)(struct sdb_bytes value, void *ctx);
	void *verify_ctx;
	const struct sdb_index *indexes;
	unsigned indexes_n;
	unsigned index_version;
};

/* ---- opening --------------------------------------------------------------------------------- */

struct sdb_options {
	const char *dir;		/* made (0700), with those above it, where it is missing */
	const struct sdb_table *tables; /* stay as they are while it is open */
	unsigned tables_n;
	bool read_only;		 /* beside a writer; shows what was committed before opening */
	uint64_t memory_bytes;	 /* private memory of the engine; 0: 6 MiB */
	unsigned group_ops_max;	 /* single operations of one commit (sdb_submit()); 0: 1024 */
	unsigned group_delay_ms; /* how long the first of them may wait for company; 0: not */
};

struct sdb;
/** Open or create. Errors: SDB_BUSY (another process writes it), SDB_INVALID (declared otherwise
 * than it is stored), SDB_EXISTS (an index is declared unique, but was not, and records have equal
 * keys in it: nothing was changed), SDB_NOTFOUND (read-only, and there is none), SDB_VERSION_ERR,
 * SDB_ACCESS, SDB_IO, SDB_NOSPACE, SDB_CORRUPT (only where nothing can be opened). `why` may be
 * NULL. */
SDB_CHECKED enum sdb_err sdb_open(const struct sdb_options *options, struct sdb **out,
				  struct sdb_why *why);
/** Stores what was submitted, writes the indexes, closes. No transaction may be open. NULL is fine.
 */
SDB_API void sdb_close(struct sdb *db);

/** Verify every record, every index, their agreement and that no key of a unique index comes twice;
 * `report` gets a sentence per finding. SDB_OK: sound. SDB_CORRUPT: findings were reported. Works
 * beside readers and writers. */
SDB_CHECKED enum sdb_err sdb_check(struct sdb *db, void (*report)(void *ctx, const char *line),
				   void *ctx);
/** Write the indexes so that the next opening has nothing to replay. A thread of the store does so
 * after a pause in writing and after much writing; few programs need to. Waits for the write
 * transaction that is open. */
SDB_CHECKED enum sdb_err sdb_checkpoint(struct sdb *db);

/** Copy one commit into a directory that does not exist or is empty, beside readers and writers;
 * not from a thread that has the write transaction (SDB_BUSY). The copy is a database. It appears
 * whole or not at all, on the disk and read back. Errors: SDB_EXISTS, SDB_ACCESS, SDB_NOSPACE,
 * SDB_IO; SDB_CORRUPT: this database is damaged, and so is the copy, which is there. `why` may be
 * NULL. */
SDB_CHECKED enum sdb_err sdb_backup(struct sdb *db, const char *dir, struct sdb_why *why);

/* ---- transactions ---------------------------------------------------------------------------- */

struct sdb_txn;
/** A snapshot of the newest commit. Never blocks, is never blocked. Pair with sdb_end(). */
SDB_CHECKED enum sdb_err sdb_begin_read(struct sdb *db, struct sdb_txn **out);
/** The write transaction; waits until the one before it has ended. Errors: SDB_BUSY (this thread
 * has it already), SDB_ACCESS (read-only), SDB_IO (after a failed sync). Pair with sdb_commit() or
 * sdb_end(). */
SDB_CHECKED enum sdb_err sdb_begin_write(struct sdb *db, struct sdb_txn **out);
/** Make it durable, then visible; it ends either way. On an error nothing of it is visible, now or
 * after a restart. A read transaction just ends. */
SDB_CHECKED enum sdb_err sdb_commit(struct sdb_txn *txn);
/** End a read transaction; drop a write transaction with all that it did. NULL is fine. */
SDB_API void sdb_end(struct sdb_txn *txn);
/** The commit that a read transaction shows, or the number that a write transaction will have. */
SDB_API uint64_t sdb_txn_number(const struct sdb_txn *txn);
/** The transaction's last refusal as a sentence (which index, which limit); "" where there was
 * none. Lifetime: until the next call with this transaction. */
SDB_API const char *sdb_txn_why(const struct sdb_txn *txn);

/** Run `fn` in a write transaction: committed where it returns SDB_OK, dropped otherwise. May run
 * again, from the start, after a fault that passes (SDB_BUSY, SDB_NOSPACE): up to 4 times, with
 * growing pauses of 10 to 80 ms. Returns what fn or the commit returned. */
SDB_CHECKED enum sdb_err sdb_write(struct sdb *db, enum sdb_err (*fn)(struct sdb_txn *, void *ctx),
				   void *ctx);
/** Run `fn` in a read transaction. */
SDB_CHECKED enum sdb_err sdb_read(struct sdb *db, enum sdb_err (*fn)(struct sdb_txn *, void *ctx),
				  void *ctx);

/* ---- changing: in write transactions --------------------------------------------------------- */

/* The same key may be put and removed any number of times; the last time counts. Reads in the
 * transaction see what it did so far. SDB_NOTFOUND, SDB_EXISTS, SDB_INVALID and SDB_LIMIT leave the
 * transaction as it was, to go on or to end; after any other error it can only end. */

/** Store a record, in place of one with the same key. Errors: SDB_EXISTS (a unique index has one of
 * its keys already; remove that record first), SDB_INVALID (not what the codec demands), SDB_LIMIT.
 * Key and value may be reused at once. */
SDB_CHECKED enum sdb_err sdb_put(struct sdb_txn *txn, unsigned table, struct sdb_key key,
				 struct sdb_bytes value);
/** SDB_KEY_ID: store a record under a fresh key, greater than any before it; *out_key may be NULL.
 */
SDB_CHECKED enum sdb_err sdb_add(struct sdb_txn *txn, unsigned table, struct sdb_bytes value,
				 uint64_t *out_key);
/** Store many, in order; stops at the first that is refused. *out_done (may be NULL): how many were
 * stored, so also which one was refused. */
SDB_CHECKED enum sdb_err sdb_put_many(struct sdb_txn *txn, unsigned table,
				      const struct sdb_record *records, size_t n, size_t *out_done);
/** SDB_NOTFOUND where there is none. */
SDB_CHECKED enum sdb_err sdb_remove(struct sdb_txn *txn, unsigned table, struct sdb_key key);
/** Remove those that are there; *out_removed (may be NULL): how many. */
SDB_CHECKED enum sdb_err sdb_remove_many(struct sdb_txn *txn, unsigned table,
					 const struct sdb_key *keys, size_t n, size_t *out_removed);
/** Remove every record of a table. O(n). */
SDB_CHECKED enum sdb_err sdb_clear(struct sdb_txn *txn, unsigned table);

/* ---- reading: in either transaction ---------------------------------------------------------- */

/** One record, O(log n). Lifetime: in a read transaction, until it ends; in a write transaction,
 * until its next change. Errors: SDB_NOTFOUND, SDB_CORRUPT; *out is left alone. */
SDB_CHECKED enum sdb_err sdb_get(struct sdb_txn *txn, unsigned table, struct sdb_key key,
				 struct sdb_record *out);
/** Many at once: records[i] for keys[i]; value.p is NULL where there is none. Lifetimes as above.
 */
SDB_CHECKED enum sdb_err sdb_get_many(struct sdb_txn *txn, unsigned table,
				      const struct sdb_key *keys, size_t n,
				      struct sdb_record *out_records);
SDB_CHECKED enum sdb_err sdb_contains(struct sdb_txn *txn, unsigned table, struct sdb_key key);
/** Records of a table. O(1). */
SDB_API uint64_t sdb_len(const struct sdb_txn *txn, unsigned table);

struct sdb_cursor;
/** All records, keys ascending (strings in byte order, a shorter one before a longer one that
 * begins with it). */
SDB_CHECKED enum sdb_err sdb_all(struct sdb_txn *txn, unsigned table, struct sdb_cursor **out);
/** The records with exactly this key in a secondary index, by insertion. O(log n). */
SDB_CHECKED enum sdb_err sdb_find(struct sdb_txn *txn, unsigned table, unsigned index,
				  struct sdb_bytes key, struct sdb_cursor **out);
/** The records whose key in a secondary index begins with these bytes, in order of it. */
SDB_CHECKED enum sdb_err sdb_find_prefix(struct sdb_txn *txn, unsigned table, unsigned index,
					 struct sdb_bytes prefix, struct sdb_cursor **out);
/** from <= key in the index < to; where to.p is NULL, to the end. A record with several such keys
 * comes once for each. */
SDB_CHECKED enum sdb_err sdb_find_range(struct sdb_txn *txn, unsigned table, unsigned index,
					struct sdb_bytes from, struct sdb_bytes to,
					struct sdb_cursor **out);
/** Close it before its transaction ends. NULL is fine. */
SDB_API void sdb_cursor_close(struct sdb_cursor *c);
/** Records in it, from the first to the last. O(log n). */
SDB_API uint64_t sdb_cursor_count(const struct sdb_cursor *c);
/** To the record with `offset` before it: O(log n) (sdb_all() of a SDB_KEY_ID table: O(offset)). */
SDB_API void sdb_cursor_seek(struct sdb_cursor *c, uint64_t offset);
/** The record at the cursor, which then moves on. SDB_NOTFOUND at the end. SDB_CORRUPT: that record
 * is damaged; the cursor has moved on. A cursor of a write transaction shows what had been done
 * when it was made. Lifetime: until the cursor's transaction ends, in both kinds. */
SDB_CHECKED enum sdb_err sdb_cursor_next(struct sdb_cursor *c, struct sdb_record *out);

/* ---- single operations from any thread ------------------------------------------------------- */

/* Operations that wait at the same time become one commit: one sync serves them all. Each succeeds
 * or fails by itself (SDB_EXISTS, SDB_NOTFOUND, ...). Where the commit fails, its error is that of
 * all but those that are refused whatever is stored (SDB_INVALID, SDB_LIMIT). In order of their
 * coming. Not from within this thread's own write transaction (SDB_BUSY). */

/** sdb_put() or sdb_remove() in a commit; returns when it is on disk. */
SDB_CHECKED enum sdb_err sdb_put_now(struct sdb *db, unsigned table, struct sdb_key key,
				     struct sdb_bytes value);
SDB_CHECKED enum sdb_err sdb_remove_now(struct sdb *db, unsigned table, struct sdb_key key);

#define SDB_QUEUE_BYTES_MAX (4u << 20) /* submitted and not yet stored */

/** The same without waiting: `done` is called by a thread of the store when it is on disk, or has
 * failed. It must not block, nor call sdb_begin_write(), sdb_submit() or sdb_close(). Waits while
 * SDB_QUEUE_BYTES_MAX are queued. `remove`: `value` is ignored. */
struct sdb_op {
	unsigned table;
	bool remove;
	struct sdb_key key;
	struct sdb_bytes value;
};
SDB_CHECKED enum sdb_err sdb_submit(struct sdb *db, const struct sdb_op *op,
				    void (*done)(void *ctx, enum sdb_err e), void *ctx);

/* ---- figures --------------------------------------------------------------------------------- */

#define SDB_LATENCY_BUCKETS 24 /* [i]: less than 2^i microseconds; the last: all others */

struct sdb_stats {
	uint64_t commit; /* newest */
	uint64_t records[SDB_TABLES_MAX];
	uint64_t log_bytes, index_bytes;
	uint64_t memory_bytes, memory_peak_bytes; /* the engine's own */
	uint64_t commits_n, commits_failed_n, aborts_n;
	uint64_t bulk_n;		      /* commits of more than one change */
	uint64_t put_n, removed_n, batch_max; /* changes; the most in one commit */
	uint64_t commit_us_sum, commit_us_max;
	uint64_t commit_us[SDB_LATENCY_BUCKETS]; /* commits by what they took */
	uint64_t changes_per_s, changes_per_s_peak, changes_per_s_average;
	uint64_t groups_n, group_ops_n, group_ops_max; /* of sdb_submit() and sdb_put_now() */
	uint64_t retries_n;
	uint64_t errors_n[SDB_ERRS_N]; /* refusals and faults, by kind */
	uint64_t checkpoints_n, merges_n, replayed_commits_n, damaged_n;
	bool read_only_fault; /* a failed sync: open the database again */
};
/** Threads: any; each number is right by itself, not all of one moment. */
SDB_API void sdb_stats_get(struct sdb *db, struct sdb_stats *out);

#ifdef __cplusplus
}
#endif
#endif
