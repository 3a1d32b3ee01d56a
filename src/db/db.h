/* SPDX-License-Identifier: MIT */
/* The store: tables of FlatBuffers records in append-only mapped files, with sorted indexes.
 *
 * It knows no media: a table is registered with the code that writes, verifies and takes apart its
 * rows. One thread writes (transactions), any number of threads read (snapshots). What a reader
 * gets is borrowed from the map: nothing is copied, nothing deserialised.
 *
 * Guarantees. A commit that was acknowledged is on disk (one fdatasync) and is there after a kill,
 * a power loss and a restart; one that was not is there whole or not at all. A snapshot sees
 * exactly one commit. Opening never truncates and never overwrites. See schema/FORMAT.md for the
 * bytes. */
#pragma once

#include "base/err.h"
#include "base/flatbuffer.h"
#include "base/span.h"
#include "base/write_meter.h"

#define DB_TABLES_MAX 16
#define DB_INDEXES_MAX 8      /* per table */
#define DB_KEY_BYTES_MAX 1024 /* of one index key; longer keys are cut */
#define DB_ID_MAX UINT32_MAX  /* ids are 64 bits wide in every interface; runs keep 32 */

struct db;
struct db_snap;
struct db_txn;
struct db_emit;

/* ---- declaring tables ---------------------------------------------------------------------- */

/** An index: entries {group, key, id} in that order. A group is what one asks for (a directory, an
 * artist, 0 for "all"); within a group, entries are in byte order of their keys, then by id. Counts
 * per group are free, a page at any offset is O(log n). */
struct db_index_def {
	const char *name;
	uint8_t key_bytes; /* prefix kept in each entry: 0 (no key), 4, 8, 12 or 20. A key longer
			    * than that keeps its tail beside the entry; with 0, 4 and 8 it must
			    * fit. */
};

/** A row as the engine hands it to an extractor. */
struct db_row {
	uint64_t id;
	struct fb_table row; /* borrowed from the chunk */
};

struct db_table_def {
	const char *name; /* for messages */
	const struct db_index_def *indexes;
	uint8_t indexes_n;

	/** Begin a batch in `cap` bytes at `buf`; fb_batch_finish() ends it. */
	void (*batch_begin)(struct fb_writer *w, void *buf, uint32_t cap, uint64_t commit,
			    int64_t wall_s);
	/** Upper bound of the bytes that write_row() will use for this row in a batch of its own.
	 */
	uint32_t (*row_bytes_max)(const void *row_in);
	/** Add one row (the table's generated `struct ..._in`), whole or, with w->err, not at all;
	 * its id field is `id`. */
	void (*write_row)(struct fb_writer *w, uint64_t id, const void *row_in);

	/** Verify a whole payload; *out_rows is its vector of rows. ERR_CORRUPT. */
	enum err (*verify)(struct span payload, struct fb_vector *out_rows);
	/** The vector of rows of a payload that passed verify(). */
	struct fb_vector (*rows)(struct span payload);
	uint64_t (*row_id)(struct fb_table row);
	/** What a person calls the row (a path, a name), for messages; NULL: nothing but its id. */
	struct span (*row_name)(struct fb_table row);
	/** Append a copy of a stored row, whole or, with w->err, not at all: compaction moves rows.
	 * NULL: they cannot be moved, and no log with such rows is compacted. */
	void (*copy_row)(struct fb_writer *w, struct fb_table row);
	/** Emit every index entry of these rows. Pure: the same row always gives the same entries.
	 */
	void (*extract)(const struct db_row *rows, size_t n, struct db_emit *out);
	/** NULL, or the same for a row that replaces another, only quicker: emit to `removed` what
	 * only extract(before) would, to `added` what only extract(after) would, and touch the
	 * groups of what both would (db_emit_touch()): they count as changed too. Emitting in both
	 * what stays is no fault. */
	void (*extract_change)(const struct db_row *before, const struct db_row *after,
			       struct db_emit *removed, struct db_emit *added);

	/* ---- for tables that are declared while the program runs; may be NULL ---- */
	const void *ctx; /* the caller's, see db_emit_table() */
	/** Verify what verify() does not know of; called right after it. ERR_CORRUPT. */
	enum err (*verify_rows)(const struct db_table_def *def, struct fb_vector rows);
};

/** One index entry; called from extract(). `key` is copied. */
void db_emit(struct db_emit *out, unsigned index, uint32_t group, uint64_t id, struct span key);
/** The table whose extract() is running. */
const struct db_table_def *db_emit_table(const struct db_emit *out);

/* ---- opening ------------------------------------------------------------------------------- */

struct db_options {
	const char *dir; /* created (0700), with those above it, where it is missing */
	const struct db_table_def
		*tables; /* position = table number, fixed for ever; static lifetime */
	unsigned tables_n;
	uint64_t budget_bytes;	      /* private memory of the store; 0: 6 MiB; at least 2 MiB */
	bool read_only;		      /* no lock taken, nothing written */
	const struct db_io *io;	      /* NULL: the real files (tests: db/io.h) */
	uint32_t segment_bytes;	      /* of a log file at most; 0: 256 MiB (tests: less) */
	uint32_t heap_run_rows;	      /* a smaller run of an index stays in memory until a
				       * checkpoint; 0: 4096 (tests: less) */
	uint64_t check_at_open_bytes; /* index files up to this size are read whole at opening; 0:
				       * 8 MiB (tests: less) */
	uint64_t compact_from_bytes;  /* a shorter log is not compacted by db_maintain(); 0: 64 MiB
				       * (tests: less) */
	uint32_t merge_step_units;    /* index entries that db_maintain() merges at once; 0: some 10
				       * ms worth (tests: less) */
	uint32_t index_chunk_bytes;   /* a smaller chunk never becomes index entries on a thread of
				       * its own; 0: 32 KiB, and only where there are two processors
				       * (tests: less) */
};

/** Open or create. Replays what the last checkpoint does not cover; *out is ready to serve.
 * Errors: ERR_BUSY (another process has it), ERR_VERSION, ERR_ACCESS, ERR_IO, ERR_NOSPACE,
 * ERR_CORRUPT (only where nothing can be opened; damage to a part is contained and counted). */
NODISCARD enum err db_open(const struct db_options *options, struct db **out,
			   struct err_info *info);
/** Checkpoint and close. No snapshot or transaction may be open. NULL is fine. */
void db_close(struct db *db);
/** db_close() without the checkpoint: the next opening replays. NULL is fine. */
void db_free(struct db *db);

/** From the next block of rows on, so much private memory. Threads: any. */
void db_budget_set(struct db *db, uint64_t bytes);
/** Private memory in use, bytes. Threads: any. */
uint64_t db_memory(const struct db *db);

/** 16 bytes, made once when the database was created. */
const uint8_t *db_uuid(const struct db *db);

struct db_stats {
	uint64_t commit;			 /* newest published */
	uint64_t rows[DB_TABLES_MAX];		 /* live */
	uint64_t log_bytes, index_bytes;	 /* log: ever written, up to its end */
	uint64_t log_used_bytes, log_live_bytes; /* on disk; of them in rows that are not replaced
						  * or removed, about */
	uint64_t commits_n, rows_put_n, rows_removed_n, merges_n, checkpoints_n, replayed_commits_n;
	uint64_t damaged_chunks_n, quarantined_rows_n;
	uint64_t runs_n, segments_n;
	uint64_t memory_bytes, memory_peak_bytes; /* private, the store's own */
	bool poisoned;				  /* a fault: read-only until reopened */
	uint64_t retries_n;	     /* file operations repeated after a fault that passes */
	struct write_figures writes; /* of transactions since opening */
};
/** Threads: any. */
void db_stats_get(struct db *db, struct db_stats *out);

/** Verify every chunk, every index run and their agreement; calls `report` per finding (a
 * sentence). ERR_OK: sound. ERR_CORRUPT: findings were reported. Works beside readers.
 * ERR_CLOSED: db_hurry() cut it short. */
NODISCARD enum err db_check(struct db *db, void (*report)(void *ctx, const char *line), void *ctx);

/** Closing is near: from now on db_check() ends at its next step, with ERR_CLOSED. Threads: any. */
void db_hurry(struct db *db);
bool db_hurried(const struct db *db);

/* ---- reading ------------------------------------------------------------------------------- */

/** Pin the newest commit. Never blocks, never fails, takes no lock. Threads: any. */
struct db_snap *db_snap_begin(struct db *db);
/** Everything borrowed through the snapshot ends. NULL is fine. */
void db_snap_end(struct db_snap *sn);
/** The commit number the snapshot shows. Grows with every commit, persists. */
uint64_t db_snap_commit(const struct db_snap *sn);
/** Live rows of a table. O(1). */
uint64_t db_rows(const struct db_snap *sn, unsigned table);
/** Greater than every id that the table ever had. */
uint64_t db_next_id(const struct db_snap *sn, unsigned table);

/** One row by id; O(log n), no allocation. Lifetime: *out borrows from the snapshot.
 * Errors: ERR_NOTFOUND, ERR_CORRUPT (its chunk fails its checksum); *out is left alone. */
NODISCARD enum err db_get(const struct db_snap *sn, unsigned table, uint64_t id,
			  struct fb_table *out);

/** The rows of n ids: rows[i].row of rows[i].id, an absent view (pos 0) where db_get() would fail.
 * Costs much less than one after the other, because what each waits for overlaps. */
void db_get_rows(const struct db_snap *sn, unsigned table, struct db_row *rows, size_t n);

/** Entries in a group. O(runs x log groups). */
uint64_t db_count(const struct db_snap *sn, unsigned table, unsigned index, uint32_t group);
/** The same of n groups at once: out[i] of groups[i]. */
void db_counts(const struct db_snap *sn, unsigned table, unsigned index, const uint32_t *groups,
	       size_t n, uint64_t *out);
/** The commit that last added to or removed from the group; 0 where none ever did. */
uint64_t db_group_commit(const struct db_snap *sn, unsigned table, unsigned index, uint32_t group);
/** The least group >= `from` that the index knows, also one whose entries have all gone (db_count()
 * is 0 then, db_group_commit() is not). False: there is none. O(runs x log groups). */
bool db_group_next(const struct db_snap *sn, unsigned table, unsigned index, uint32_t from,
		   uint32_t *out_group);

#define DB_RUNS_MAX 64 /* in one manifest; the merge policy keeps far below it */

/** A position in one group of one index, walking up. Caller's memory; nothing to free. */
struct db_cursor {
	const struct db_snap *sn; /* the rest is db's own (cursor.c) */
	uint32_t table, index, group;
	uint32_t runs_n;
	uint64_t offset; /* live entries before it */
	struct {
		const void *run;
		uint64_t pos[2], end[2]; /* of the group's entries: added, removed */
		uint64_t word[2];	 /* while walking: how the one at `pos` begins */
	} runs[DB_RUNS_MAX];
	bool walking;
	uint32_t lanes_n;		/* while walking: entries are left there */
	uint8_t lanes[2 * DB_RUNS_MAX]; /* by those: run << 1 | removed */
};

/** At the entry with `offset` live entries before it. O(log n). */
void db_seek(struct db_cursor *c, const struct db_snap *sn, unsigned table, unsigned index,
	     uint32_t group, uint64_t offset);
/** At the first entry whose key is >= `key`. */
void db_seek_key(struct db_cursor *c, const struct db_snap *sn, unsigned table, unsigned index,
		 uint32_t group, struct span key);
/** The id at the cursor, which then moves on; false at the end of the group. */
bool db_next(struct db_cursor *c, uint64_t *out_id);
/** Like db_next(), and the key: *out_key borrows from the snapshot where it is stored whole, else
 * it lies in `scratch`. With key_bytes 12 and 20 a key has the length it was emitted with; with 4
 * and 8 it comes padded with zeros to key_bytes. */
bool db_next_key(struct db_cursor *c, uint64_t *out_id, struct span *out_key,
		 uint8_t scratch[DB_KEY_BYTES_MAX]);
#define DB_ROWS_AT_ONCE 32
/** The next rows of the group, at most n and DB_ROWS_AT_ONCE, behind which the cursor moves; 0 at
 * its end. As db_get_rows(). */
size_t db_next_rows(struct db_cursor *c, struct db_row *out, size_t n);
/** Live entries before the cursor: its offset. */
uint64_t db_cursor_offset(const struct db_cursor *c);

/** One of many look-ups. */
struct db_probe {
	uint32_t group;
	struct span key; /* borrowed; of no length where the index has none */
	uint64_t id;	 /* out: whose entry has exactly this group and key; 0: nobody's */
	bool unsure;	 /* out: several may have; a cursor finds them */
};
/** Do n look-ups in an index. With groups that ascend it takes O(runs x n x log(gap)), and a memory
 * access is often waited for once for many; any other order is only slower. */
void db_probe(const struct db_snap *sn, unsigned table, unsigned index, struct db_probe *probes,
	      size_t n);

/** All live rows of a table in order of id, in bounded memory: the first id >= `from`; ERR_NOTFOUND
 * at the end. ERR_CORRUPT: the row *out_id is there, but cannot be read. */
NODISCARD enum err db_row_from(const struct db_snap *sn, unsigned table, uint64_t from,
			       uint64_t *out_id, struct fb_table *out);

/** The commit that last put or removed rows of the table, or a newer one at which its files were
 * made anew; 0: none ever did. O(runs). */
uint64_t db_table_commit(const struct db_snap *sn, unsigned table);

/** A place in the log: behind a commit; zeros: its beginning. For what is derived from the tables
 * and kept elsewhere. */
struct db_mark {
	uint64_t commit;
	uint32_t segment, offset;
};
/** Behind the snapshot's commit. */
void db_snap_mark(const struct db_snap *sn, struct db_mark *out);
/** Anything but ERR_OK ends the walk and is its result. */
typedef enum err db_change_fn(void *ctx, unsigned table, uint64_t id);
/** Names every row put or removed after `mark`, up to the snapshot's commit, from the log; one may
 * come more than once. O(rows changed). `mark` may be anything: it is checked.
 * Errors: ERR_NOTFOUND (the log does not lead from there to the snapshot), ERR_CORRUPT. */
NODISCARD enum err db_changes_since(const struct db_snap *sn, const struct db_mark *mark,
				    db_change_fn *each, void *ctx);

/** Only the id: also of a row that cannot be read. UINT64_MAX at the end. */
uint64_t db_id_from(const struct db_snap *sn, unsigned table, uint64_t from);

/* ---- writing: one thread, one transaction at a time ---------------------------------------- */

/** Begin. Errors: ERR_BUSY (one is open), ERR_IO (poisoned or read-only), ERR_CORRUPT (an index
 * file is damaged: the store is read-only until it is opened again, which rebuilds it). The first
 * one after opening a large store reads its index files whole. */
NODISCARD enum err db_txn_begin(struct db *db, struct db_txn **out);
/** What the transaction is based on: everything before it, nothing of it. Ends with the
 * transaction. */
const struct db_snap *db_txn_base(const struct db_txn *txn);
/** The number this commit will have. */
uint64_t db_txn_commit_number(const struct db_txn *txn);
/** A fresh id, never given out before. Ids of an aborted transaction may be given out again. */
uint64_t db_txn_new_id(struct db_txn *txn, unsigned table);

/** Store a row under `id`: new, or in place of the one there. Laid out straight into the chunk
 * buffer; `row_in` may be reused at once. A row is put or removed at most once in a transaction,
 * and once more after each db_txn_view(). Errors: ERR_NOSPACE, ERR_IO, ERR_LIMIT (one row larger
 * than a chunk), ERR_NOMEM. After an error the transaction can only be aborted, except ERR_LIMIT,
 * which leaves it as it was. */
NODISCARD enum err db_txn_put(struct db_txn *txn, unsigned table, uint64_t id, const void *row_in);
/** ERR_NOTFOUND leaves the transaction as it was. The id is never given out again. */
NODISCARD enum err db_txn_remove(struct db_txn *txn, unsigned table, uint64_t id);

/** What the commit would show if it came now, to read from in the writing thread; the transaction
 * goes on. It writes out what is pending, so take one per many changes. A view stays as it is when
 * the transaction goes on; end each before the transaction. Errors: as db_txn_put(). */
NODISCARD enum err db_txn_view(struct db_txn *txn, struct db_snap **out);
/** NULL is fine. Waits for what a thread beside this one does for the transaction; its error is
 * that of the next call. */
void db_txn_view_end(struct db_txn *txn, struct db_snap *view);

/** Make it durable, then visible. Either way the transaction ends. On an error nothing of it is
 * visible, now or after a restart; after a failed sync the store is poisoned (db_stats). */
NODISCARD enum err db_txn_commit(struct db_txn *txn);
/** NULL is fine. */
void db_txn_abort(struct db_txn *txn);

/** Write indexes and manifest so that the next opening replays nothing. Called by db_close() and,
 * from the writer thread, by whoever owns it (after enough log or time). Called again with nothing
 * new, it gives the files back that only the checkpoint before names. */
NODISCARD enum err db_checkpoint(struct db *db);
/** One small step of background work: reading index files up to 64 MiB that opening has not checked
 * (a damaged one makes the store read-only, as in db_txn_begin()), merging, then compaction where
 * over half of a log of some size is dead. False when there is none. Writer thread. */
bool db_maintain(struct db *db);
/** The same for one who has nothing else to do for a while, seconds at least: it merges also what
 * lies beside a large run, so that readers find few runs. A row is written some five times at most
 * on the way. */
bool db_maintain_idle(struct db *db);

/** Move what is live to the log's end and give the rest back to the disk: ordinary commits that
 * change no index entry and no group's commit number. Needs room for a part of the log in advance;
 * what snapshots still show goes when they end. Takes as long as writing what is live.
 * Writer thread. Errors: ERR_CORRUPT (a part of the log is damaged: it stays, with all behind it),
 * ERR_CLOSED (db_hurry()), ERR_BUSY (a transaction is open), as db_txn_commit(). */
NODISCARD enum err db_compact(struct db *db);
/** The same for one who commits others' changes in between: begin, then a step of some 10 ms at a
 * time while there are more. What is written meanwhile is not moved. db_maintain() also goes on
 * with it. *out_bytes: of log that the step left behind. */
NODISCARD enum err db_compact_begin(struct db *db);
NODISCARD enum err db_compact_step(struct db *db, uint64_t *out_bytes, bool *out_more);
