/* SPDX-License-Identifier: MIT */
/* The engine's inside: who owns what. One thread writes; what readers touch is immutable or atomic.
 */
#pragma once

#include <stdatomic.h>
#include "base/counter.h"
#include "db/db.h"
#include "db/emit.h"
#include "db/format.h"
#include "db/hash.h"
#include "db/index_thread.h"
#include "db/io.h"

#define BUDGET_MIN_BYTES (2u << 20)
#define SEGMENT_MARKS 4096u	 /* a power of two; 256 MiB are some 1,400 chunks */
#define BUFFERS_BYTES (1u << 20) /* of chunks, runs, manifests: with any budget */
#define BLOCK_ROW_BYTES 384u	 /* a row in a block: its entries, and room to sort them */
#define HEAP_RUN_ROWS 1024u	 /* by default, a smaller run stays in memory until a checkpoint */
#define HEAP_RUN_BYTES (128u << 10) /* or one that takes less */
#define MERGE_FAN_IN 8u
#define DB_ID_NONE_LEFT ((uint64_t)DB_ID_MAX + 1) /* a table's next id, at most */
#define MERGE_INPUTS_MAX DB_RUNS_MAX
#define RUNS_FORCED 40u /* more than that in a manifest: the commit itself merges */
/* No table has more between two commits: the next one brings MERGE_FAN_IN at most. */
#define RUNS_KEPT_MAX (DB_RUNS_MAX - MERGE_FAN_IN - 1)

/* ---- memory (mem.c) ---- */

struct db_mem {
	struct counter now, peak;
};

/** Zeroed. Large blocks are those of base/blocks.h: they leave nothing in a heap. */
void *mem_alloc(struct db_mem *m, size_t n);
#define MEM_ALIGN 64u
/** Zeroed, at a multiple of MEM_ALIGN; n is one, and small. */
void *mem_alloc_aligned(struct db_mem *m, size_t n);
/** Not zeroed: for what is written before it is read. */
void *mem_buffer(struct db_mem *m, size_t n);
void mem_free(struct db_mem *m, void *p, size_t n);
/** Grow *p from *cap to at least `need` elements of `size` bytes, at least doubling. */
NODISCARD enum err mem_grow(struct db_mem *m, void **p, size_t *cap, size_t need, size_t size);

/* ---- log (segment.c, chunk.c, log.c) ---- */

struct log_pos {
	uint32_t segment, offset;
};

struct segment {
	uint32_t number;
	int fd;
	const uint8_t *map;	     /* SEGMENT_BYTES_MAX reserved; readable up to file_bytes */
	_Atomic uint32_t file_bytes; /* as far as a reader may look */
	uint32_t prev_end;
	uint64_t retired_at; /* the generation in which it was taken out */
	struct segment *next_retired;
	/* what is known of chunks, by offset / CHUNK_ALIGN: 1 sound, 2 bad. A table that is never
	 * emptied, of that number << 2 and the two bits; what finds no room in it is in a map of
	 * two bits each, of which chunks of the usual size would touch every page. */
	_Atomic uint32_t marks[SEGMENT_MARKS];
	_Atomic uint32_t *checked;
	bool header_bad, header_half; /* half: one of its copies is bad */
};

struct log_writer {
	struct db *db;
	struct log_pos pos;
	uint64_t commit, running, bytes;
	uint64_t rows_put_n, rows_removed_n; /* index side: see struct txn_table */
	uint32_t chunk_no;
};

struct db;
NODISCARD enum err segment_open(struct db *db, uint32_t number, struct err_info *info);
/** See how far the files reach now, before anybody reads. */
void segments_refresh(struct db *db);
/** Create segment `number`, or take over what an unfinished commit left of it. */
NODISCARD enum err segment_create(struct db *db, uint32_t number, uint32_t prev_end);
/** Write its header again, as far as it is damaged, and sync it. */
NODISCARD enum err segment_header_mend(struct db *db, struct segment *s, uint32_t prev_end);
void segment_free(struct db *db, struct segment *s);
/** Unlink segments that nothing needs any more; let go of those that no reader can be in. */
void segments_sweep(struct db *db);
void segments_retired_free(struct db *db);
void segment_name(uint32_t number, char out[32]);
/** Where its chunks end, as well as can be told from a damaged log: where the log goes on in the
 * next segment, else before the zeros at its end. O(bytes behind that). */
uint32_t segment_end(const struct db *db, const struct segment *s);
/** Make the file hold `end` bytes, allotted in steps. */
NODISCARD enum err segment_reserve(struct db *db, struct segment *s, uint32_t end);

/** The header at `pos` where it is sound and of this store and place, else NULL. */
const struct disk_chunk *chunk_at(const struct db *db, struct log_pos pos);
bool chunk_payload_sound(const struct disk_chunk *c);
void chunk_seal(const struct db *db, struct disk_chunk *c, const uint8_t *payload);
static inline const uint8_t *chunk_payload(const struct disk_chunk *c)
{
	return (const uint8_t *)(c + 1);
}
/** Where the header of a payload goes that was built with room before it. */
static inline struct disk_chunk *chunk_head(struct span payload)
{
	return (struct disk_chunk *)(void *)(uintptr_t)payload.p - 1;
}
static inline uint32_t chunk_bytes(const struct disk_chunk *c)
{
	return (uint32_t)num_align_up(sizeof *c + c->payload_bytes, CHUNK_ALIGN);
}
/** The chunk has just been verified by other means: written, or replayed. Writer only. */
void chunk_mark_sound(struct segment *s, uint32_t offset);
/** Nothing is known of what stands there: a transaction that wrote it was given up. */
void chunk_marks_clear(struct db *db, struct log_pos from, struct log_pos to);
/** Bytes of a row there, about; 0 where nothing can be said. */
uint64_t chunk_row_bytes(const struct db *db, uint64_t address);
/** Where segment `number` ends for whoever reads up to `end`; 0: not known. */
uint32_t log_part_end(const struct db *db, uint32_t number, struct log_pos end);
/** The rows of the chunk that holds `address`, verified at first touch. ERR_CORRUPT. */
NODISCARD enum err chunk_rows(struct db *db, unsigned table, uint64_t address,
			      struct fb_vector *out);
/** The row's chunk will be asked for: its head and the row's slot are fetched at the same time. */
void chunk_fetch(const struct db *db, unsigned table, uint64_t address);
/** The row will be read: its fields and first texts. */
static inline void row_fetch(struct fb_table row)
{
	for (uint32_t line = 0; line < 4; line++)
		__builtin_prefetch(row.buf + row.pos + (size_t)64 * line);
}
/** A row by address, which must have that id. ERR_CORRUPT. */
NODISCARD enum err chunk_row(struct db *db, unsigned table, uint64_t address, uint64_t id,
			     struct fb_table *out);

void log_begin(struct log_writer *lw, struct db *db, struct log_pos pos, uint64_t commit);
/** Append a chunk. `buf` has room for the header before the payload and CHUNK_ALIGN behind it. */
NODISCARD enum err log_append(struct log_writer *lw, struct disk_chunk *head, uint32_t payload_n,
			      struct log_pos *out_pos);
/** Append the commit mark; *out_pos: where it is. */
NODISCARD enum err log_mark(struct log_writer *lw, const uint64_t *next_ids, uint32_t tables_n,
			    struct log_pos *out_pos);
/** Append the commit mark and sync: the commit point. On an error the mark is wiped again. */
NODISCARD enum err log_commit(struct log_writer *lw, const uint64_t *next_ids, uint32_t tables_n);

/* ---- runs (run.c, out.c, merge.c, block.c) ---- */

struct run_part {
	const uint8_t *entries;
	const uint8_t *tails;
	uint64_t n, tails_n;
};

struct run_index {
	const struct disk_group *groups;
	uint64_t groups_n;
	struct run_part part[2]; /* added, removed */
	uint32_t key_bytes, entry_bytes;
};

enum run_trust { RUN_UNCHECKED, RUN_SOUND, RUN_BAD };

struct run {
	uint32_t refs;	      /* manifests and transactions; writer only */
	enum run_trust trust; /* of its sections; writer only */
	uint64_t lost_n;      /* guard_lost_n() before they were checked */
	uint32_t table;
	uint64_t number; /* of its file; 0: in memory */
	const uint8_t *image;
	uint64_t bytes;
	bool synced;
	const struct merge_job *job; /* that merges it; writer only */
	bool merge_refused;	     /* it cannot be merged; writer only */
	uint64_t rows_n, base_id;
	const uint32_t *ids; /* NULL: dense */
	const uint64_t *addresses;
	uint64_t commit_last, header_hash;
	struct run_index index[DB_INDEXES_MAX];
};

/** One entry, taken apart. `prefix` is padded with zeros to the index's key_bytes. */
struct entry {
	const uint8_t *prefix;
	const uint8_t *tail;
	uint32_t key_n, id;
};

static inline uint32_t entry_bytes_of(uint32_t key_bytes)
{
	return key_bytes + (key_bytes >= 12 ? 8 : 4);
}
/** The first bytes of an entry as a number that sorts like them. With keys of less than 8 bytes
 * that is all of it. */
static inline uint64_t entry_word(const uint8_t *p, uint32_t key_bytes)
{
	if (key_bytes == 0)
		return num_le32(p);
	if (key_bytes == 4)
		return (uint64_t)__builtin_bswap32(num_le32(p)) << 32 | num_le32(p + 4);
	return __builtin_bswap64(num_le64(p));
}
/** The entry at `p`; its tail clamped to what is there. */
void entry_read(const struct run_part *part, uint32_t key_bytes, const uint8_t *p,
		struct entry *out);
void entry_at(const struct run_index *ix, unsigned sign, uint64_t i, struct entry *out);
int entry_cmp(uint32_t key_bytes, const struct entry *a, const struct entry *b);
/** First entry in [lo, hi) that is not below `e`. */
uint64_t entry_lower_bound(const struct run_index *ix, unsigned sign, uint64_t lo, uint64_t hi,
			   const struct entry *e);
/** The place of a group, or groups_n. */
uint64_t run_group_find(const struct run_index *ix, uint32_t group);
/** The first group >= `group`; groups_n: none. */
uint64_t run_group_lower_bound(const struct run_index *ix, uint32_t group);
/** The same where there are groups; the nearer to the place `guess`, the faster. */
uint64_t run_group_near(const struct run_index *ix, uint64_t guess, uint32_t group);
/** Of n groups, ascending: add to out[i] what the run has added to a group, less what it has
 * removed. wanted: group << 32 | i. */
void run_groups_count(const struct run_index *ix, const uint64_t *wanted, size_t n, int64_t *out);
/** The entries of group row `g`, clamped to what is there. */
void run_group_range(const struct run_index *ix, uint64_t g, unsigned sign, uint64_t *out_lo,
		     uint64_t *out_hi);
/** Position of the first id >= `id`. */
uint64_t run_id_lower_bound(const struct run *r, uint64_t id);
static inline uint64_t run_id_at(const struct run *r, uint64_t i)
{
	return r->ids ? r->ids[i] : r->base_id + i;
}
/** Address of `id`; false where the run does not know it. */
static inline bool run_address(const struct run *r, uint64_t id, uint64_t *out)
{
	uint64_t i = r->ids ? run_id_lower_bound(r, id) : id - r->base_id;
	if (i >= r->rows_n || run_id_at(r, i) != id)
		return false;
	*out = r->addresses[i];
	return true;
}

/** A run over an image in memory, which it takes over. */
NODISCARD enum err run_from_image(struct db *db, uint8_t *image, uint64_t bytes, struct run **out);
/** A run file; ERR_CORRUPT where its header is not sound or not the one the manifest names. */
NODISCARD enum err run_open(struct db *db, uint64_t number, uint64_t bytes, uint64_t header_hash,
			    struct run **out);
void run_ref(struct run *r);
void run_unref(struct db *db, struct run *r);
void run_name(uint64_t number, char out[32]);
/** Hashes of all sections of a run file. */
bool run_sound(const struct run *r);
/** The header that makes the image of a run in memory a run file of this number. */
void run_seal(const struct run *r, uint64_t number, struct disk_run *out);
/** Before merging: sections are checked once. A run that fails is named and its file unlinked, so
 * that the next opening makes it again from the log; until then it stays as it is. ERR_CORRUPT. */
NODISCARD enum err run_check(struct db *db, struct run *r);

#define RUN_NUMBER_MAX (UINT64_MAX / 4) /* of a file that is found; 0 is a run in memory */

/** Run files on disk: unlinked when no run and no durable slot needs them. */
struct run_file {
	uint64_t number;
	bool live;
	struct run_file *next;
};
NODISCARD enum err run_file_add(struct db *db, uint64_t number);
void run_files_sweep(struct db *db);

/* An image being written: sections at places fixed by upper bounds, then filled in order. */
struct out_section {
	uint64_t off, cap; /* bytes */
	uint64_t done;	   /* written to the file */
	uint8_t *buf;	   /* file: what is not written yet; in the run_out's */
	uint8_t *start, *at, *end;
	XXH3_state_t hash;
};

enum out_section_name { OUT_GROUPS, OUT_POS, OUT_NEG, OUT_POS_TAILS, OUT_NEG_TAILS, OUT_SECTIONS };

#define OUT_ROOM_MAX 64u

struct run_out {
	struct db *db;
	struct disk_run head;
	uint64_t bytes;
	uint8_t *image; /* heap */
	uint8_t *bufs;	/* file: of all sections */
	int fd;		/* file, or -1 */
	bool write_back;
	uint64_t dirty_bytes; /* since the last write_back() */
	enum err err;
	struct out_section section[OUT_SECTIONS]; /* reused for ids, addresses, each index */
	uint8_t sink[OUT_ROOM_MAX];		  /* takes what must not be written */
};

/** `file`: a run file of its own, else memory; at most `bytes_max` bytes beyond the header. */
NODISCARD enum err out_begin(struct run_out *o, struct db *db, unsigned table, uint64_t bytes_max,
			     bool file);
void out_section_begin(struct run_out *o, enum out_section_name s, uint64_t cap_bytes);
uint8_t *out_room_make(struct run_out *o, struct out_section *sec, uint32_t n);
/** The next n <= OUT_ROOM_MAX bytes of a section, to be filled at once. Never NULL: where the
 * section is full o->err says so and what is written goes nowhere. */
static inline uint8_t *out_room(struct run_out *o, enum out_section_name s, uint32_t n)
{
	struct out_section *sec = &o->section[s];
	if (UNLIKELY(n > (size_t)(sec->end - sec->at)))
		return out_room_make(o, sec, n);
	uint8_t *p = sec->at;
	sec->at += n;
	return p;
}
/** Room for the next of *n elements of `bytes` <= OUT_ROOM_MAX each: *n becomes how many of them,
 * at least one. */
static inline uint8_t *out_room_some(struct run_out *o, enum out_section_name s, uint32_t bytes,
				     size_t *n)
{
	struct out_section *sec = &o->section[s];
	size_t have = (size_t)(sec->end - sec->at) / bytes;
	*n = have ? MIN(*n, have) : 1;
	if (UNLIKELY(!have))
		return out_room_make(o, sec, bytes);
	uint8_t *p = sec->at;
	sec->at += *n * bytes;
	return p;
}
/** Bytes in the section so far. */
static inline uint64_t out_used(const struct run_out *o, enum out_section_name s)
{
	const struct out_section *sec = &o->section[s];
	return sec->done + (uint64_t)(sec->at - sec->start);
}
void out_put(struct run_out *o, enum out_section_name s, const void *p, size_t n);
void out_section_end(struct run_out *o, enum out_section_name s, struct disk_section *out,
		     uint64_t element_bytes);
NODISCARD enum err out_finish(struct run_out *o, struct run **out);
void out_abort(struct run_out *o);

/* ---- entries of a block before they are a run (emit.h, emit.c, sort.c) ---- */

void emit_init(struct emit_list *list, uint32_t key_bytes);
/** Empty again; memory is kept. */
void emit_reset(struct emit_list *list);
void emit_fini(struct db_mem *m, struct emit_list *list);
/** Whether it is in (group, key, id) order already, as what comes from a scan mostly is. */
bool emit_sorted(const struct emit_list *list);
/** Items that emit_sort() takes for n of them. */
size_t emit_sort_scratch(size_t n);
/** Into that order. */
void emit_sort(struct emit_list *list, struct emit_item *scratch);
/** An item as an entry; its prefix lies in `prefix`. */
void emit_entry(const struct emit_list *list, const struct emit_item *item, uint8_t prefix[32],
		struct entry *out);

/** The whole key of an item; key_bytes >= 12. */
static inline struct span emit_key(const struct emit_list *list, const struct emit_item *item)
{
	const uint8_t *p = list->keys + item->ref;
	return span_of(p + 2, num_le16(p));
}

static inline uint32_t emit_group(const struct emit_item *item)
{
	return (uint32_t)(item->k >> 32);
}

/** Where the group of item `i` of a sorted list ends: by doubling, then halving. */
static inline size_t emit_group_end(const struct emit_list *list, size_t i)
{
	uint32_t group = emit_group(&list->items[i]);
	size_t lo = i, step = 1;
	while (step < list->n - lo && emit_group(&list->items[lo + step]) == group) {
		lo += step;
		step *= 2;
	}
	size_t hi = lo + MIN(step, list->n - lo);
	while (hi - lo > 1) { /* lo is of the group, hi is not */
		size_t mid = lo + (hi - lo) / 2;
		if (emit_group(&list->items[mid]) == group)
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

/** Groups of a sorted list. */
static inline size_t emit_groups(const struct emit_list *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i = emit_group_end(list, i))
		n++;
	return n;
}

/** In the order of a run: group, key, id. */
static inline int item_cmp(const struct emit_list *al, const struct emit_item *a,
			   const struct emit_list *bl, const struct emit_item *b)
{
	if (LIKELY(a->k != b->k))
		return a->k < b->k ? -1 : 1;
	if (al->key_bytes < 12) {
		if (a->ref != b->ref)
			return a->ref < b->ref ? -1 : 1;
	} else {
		struct span ak = emit_key(al, a), bk = emit_key(bl, b);
		int c = memcmp(ak.p, bk.p, MIN(ak.n, bk.n));
		if (c != 0)
			return c;
		if (ak.n != bk.n)
			return ak.n < bk.n ? -1 : 1;
	}
	return a->id < b->id ? -1 : a->id > b->id;
}

struct block_row {
	uint64_t id, address;
};

enum block_list {
	BLOCK_ADDED,
	BLOCK_REMOVED,
	BLOCK_TOUCHED, /* groups whose commit is this one, whatever else is said of them */
	BLOCK_LISTS
};

/** Rows collected until they become a run. Zeroed memory is an empty block without lists. */
struct block {
	struct block_row *rows;
	size_t n, cap;
	struct emit_list lists[BLOCK_LISTS][DB_INDEXES_MAX];
	size_t groups_n[BLOCK_LISTS][DB_INDEXES_MAX]; /* of the lists, once they are sorted */
	struct emit_item *scratch;		      /* for sorting */
	size_t scratch_cap;
};
void block_init(struct block *b, const struct db_table_def *def);
/** Empty again; memory is kept. */
void block_reset(struct block *b);
size_t block_emit_bytes(const struct block *b);
void block_fini(struct db_mem *m, struct block *b);

/** Sort the block's entries and write them as a run (file where it is large enough). */
NODISCARD enum err block_build(struct db *db, unsigned table, struct block *b, uint64_t commit,
			       struct run **out);
/** Merge runs, oldest first. `oldest`: nothing lies below them, so removals need not be kept. */
NODISCARD enum err merge_runs(struct db *db, unsigned table, struct run *const *runs, size_t n,
			      bool oldest, bool file, struct run **out);

/** The same in steps. The runs are referenced and read until merge_job_free(). */
struct merge_job;
NODISCARD enum err merge_job_new(struct db *db, unsigned table, struct run *const *runs, size_t n,
				 bool oldest, bool file, struct merge_job **out);
/** Work for about *units entries and addresses, and take them off. After an error: free it. */
NODISCARD enum err merge_job_step(struct merge_job *j, uint64_t *units);
bool merge_job_done(const struct merge_job *j);
/** What all of it takes. */
uint64_t merge_job_units(const struct merge_job *j);
NODISCARD enum err merge_job_finish(struct merge_job *j, struct run **out);
/** Unfinished: its file goes. NULL is fine. */
void merge_job_free(struct merge_job *j);

/* ---- merging beside the commits (maintain.c) ---- */

#define MERGE_JOBS_MAX 4u /* a small merge does not wait for a large one */

/** Small neighbours of a table's runs become one in place, of at most rows_max rows. */
NODISCARD enum err merge_settle(struct db *db, unsigned table, struct run **runs, uint32_t *runs_n,
				bool oldest_here, uint64_t rows_max);
/** A table has got a run: its commit owes the merging of as much, on every level. */
void merge_owe(struct db *db, const struct run *r);
/** Pay what is owed, after a commit. Poisons where there are too many runs all the same. */
void merge_pay(struct db *db);
/** Give up what is under way. */
void merge_abandon(struct db *db);

/* ---- snapshots and manifests (snap.c, manifest.c) ---- */

struct snap_table {
	uint64_t next_id, live;
	uint32_t runs_n;
	struct run *runs[DB_RUNS_MAX]; /* oldest first; referenced */
};

struct db_snap {
	struct db *db;
	uint64_t commit;
	struct log_pos log_end;
	uint32_t log_first;   /* the first segment that a row of it is in */
	uint64_t live_bytes;  /* of rows, about */
	_Atomic int64_t refs; /* see snap.c */
	struct db_snap *next_dead;
	struct db_snap *older, *newer; /* published ones that live; writer only */
	uint64_t generation;	       /* of its publication; 0: it was not published */
	struct snap_table tables[];    /* db->tables_n */
};

/** A copy to change and publish; references its runs. NULL: no memory. */
struct db_snap *snap_copy(struct db *db, const struct db_snap *from);
void snap_publish(struct db *db, struct db_snap *sn);
/** The newest; writer only (it cannot go away under the writer). */
const struct db_snap *snap_current(struct db *db);
/** Free snapshots that nobody looks at. Writer only. */
void snap_collect(struct db *db);
void snap_free(struct db *db, struct db_snap *sn);

/** The newest commit that a manifest found at opening names, and where the log ends behind it. */
struct known_end {
	uint64_t commit;
	struct log_pos end;
};

struct slot_state {
	uint64_t sequence; /* 0: not valid */
	uint64_t *runs;	   /* numbers it names */
	uint32_t runs_n;
	uint32_t log_first;
};

/** Load the newest usable slot into *out (NULL: none; replay everything). */
NODISCARD enum err manifest_load(struct db *db, struct db_snap **out, struct err_info *info);
NODISCARD enum err manifest_store(struct db *db, const struct db_snap *sn);

/** What a manifest says of a run. */
struct run_naming {
	uint64_t number, header_hash;
};
/** The content of a slot, into MANIFEST_SLOT_BYTES of zeros. `names`: of the snapshot's runs in
 * their order, or NULL for their own. Returns the bytes to be written. Threads: any. */
size_t manifest_build(const struct db_snap *sn, const struct run_naming *names, uint64_t sequence,
		      uint64_t next_run, struct disk_manifest *m);

/* ---- transactions (txn.c, apply.c) ---- */

/* What is said to be the index side's is db-index's while it has something to do: the writer looks
 * at it after index_thread_join() only. */
struct txn_table {
	/* kept from one transaction to the next, until txn_buffers_free() */
	uint8_t *stage; /* room for the header, payload from the end backward, padding */
	size_t stage_bytes;
	uint64_t *removes; /* ids */
	size_t removes_cap;
	struct block block; /* index side */

	/* the writer's */
	uint32_t payload_cap; /* of the newest batch */
	struct fb_writer w;
	bool begun;
	size_t removes_n;
	uint64_t next_id, base_next_id; /* the second one never changes */

	/* index side */
	uint64_t placed_next_id; /* greater than every id that was applied */
	uint64_t block_id_max;	 /* careful: of the block at hand, or more */
	uint64_t fresh_id; /* from here on ids were neither stored before nor in this transaction */
	int64_t live_delta;
	uint32_t runs_n;
	struct run *runs[DB_RUNS_MAX];
	bool touched;
};

struct db_txn {
	struct db *db;
	const struct db_snap *base;
	struct log_writer log;
	bool open;
	int64_t live_bytes; /* change of them; index side */
	uint32_t log_first; /* of replayed marks */
	bool careful;	    /* replay: an id may come more than once */
	enum err err;	    /* sticks */
	uint64_t begin_ns;
	struct txn_table tables[DB_TABLES_MAX];
};

#define CHECK_SOON_BYTES (64u << 20) /* reading as much disturbs nobody */
/** Check an index file that nobody has checked since opening, as the next transaction would; false
 * where there is none, or where they are too large for that. Writer only. */
bool runs_check_next(struct db *db);
NODISCARD enum err txn_start(struct db *db, struct db_txn *txn);
void txn_end(struct db_txn *txn);
/** No transaction is open, and none may come soon: what the last one worked with is freed. */
void txn_buffers_free(struct db *db);
/** Take the rows / removals of a chunk that is in the log into the block. */
NODISCARD enum err txn_apply_rows(struct db_txn *txn, unsigned table, struct fb_vector rows,
				  struct log_pos pos);
/** The same for rows that a compaction moved: where one stood at sources[i], only its address
 * changes. */
NODISCARD enum err txn_apply_moves(struct db_txn *txn, unsigned table, struct fb_vector rows,
				   struct log_pos pos, const uint64_t *sources);
NODISCARD enum err txn_apply_removes(struct db_txn *txn, unsigned table, const uint64_t *ids,
				     size_t n);
NODISCARD enum err txn_block_end(struct db_txn *txn, unsigned table);
/** Everything put and removed so far goes to the log and becomes runs; nothing is synced. */
NODISCARD enum err txn_flush(struct db_txn *txn);
/** Publish what was applied in `sn`, a copy of the base, taken over; the log ends at `end`. */
void txn_publish(struct db_txn *txn, struct db_snap *sn, struct log_pos end);

/** Emit the entries of a row at `address` that cannot be read, from the base's index. O(index),
 * once for all rows of its chunk. */
NODISCARD enum err retract_unread(struct db *db, const struct db_snap *base, unsigned table,
				  uint64_t id, uint64_t address, struct db_emit *out);
void lost_chunk_free(struct db *db);

/* ---- compaction (compact.c) ---- */

#define COMPACT_FROM_BYTES (64ull << 20)

struct compact {
	bool active, stuck; /* stuck: a damaged part; not tried again before the next opening */
	struct log_pos pos; /* what stands before it has been moved */
	uint32_t last;	    /* segment that the sweep ends with; writers leave it */
	uint64_t from_bytes, used_after;
};

/** Bytes of the log on disk, without what is allotted in advance. */
uint64_t log_used_bytes(const struct db *db, const struct db_snap *sn);
/** One step; false where there is nothing to do or it failed. */
bool compact_maintain(struct db *db);

/* ---- recovery (recover.c) ---- */

/** Without a manifest: where replay begins. */
void recover_from_log(struct db *db, struct db_snap *sn);
NODISCARD enum err recover_replay(struct db *db, struct err_info *info);

/** Where nothing else says which store this is: its chunks do, in part. */
void recover_identity(struct db *db);

/** Who reads the log as replay would, without applying it. */
struct log_reader {
	/** The sound chunks of a commit, in order. An error ends the reading. */
	enum err (*commit)(void *ctx, uint64_t commit, const struct disk_chunk *const *chunks,
			   size_t n);
	/** Bytes that were part of the log and are no more; `c`: whose payload they are, where that
	 * is known. `commit`: not before that one. */
	void (*damage)(void *ctx, struct log_pos from, uint32_t to, const struct disk_chunk *c,
		       uint64_t commit);
	void *ctx;
};
/** The whole log, from its first segment on. */
NODISCARD enum err recover_read(struct db *db, const struct log_reader *reader);

/* ---- the store ---- */

enum open_mode {
	OPEN_ALL,
	OPEN_INDEXED, /* as of the last checkpoint, nothing is replayed; empty where there is none
		       */
	OPEN_LOG      /* segments alone, empty: for recover_read() */
};
/** db_open() in other ways, which read only. */
NODISCARD enum err db_open_mode(const struct db_options *options, enum open_mode mode,
				struct db **out, struct err_info *info);
/** An empty store of that identity, and nothing but its first segment yet. */
NODISCARD enum err db_create(const struct db_options *options, const uint8_t uuid[16],
			     struct db **out, struct err_info *info);

struct db {
	const struct db_table_def *tables;
	unsigned tables_n;
	const struct db_io *io;
	_Atomic uint64_t budget_bytes; /* read and set relaxed: it orders nothing */
	uint32_t segment_bytes_max, heap_run_rows;
	uint64_t check_at_open_bytes;
	bool read_only;
	_Atomic bool poisoned;
	_Atomic bool hurried;
	char dir[256]; /* for messages */
	int dir_fd, lock_fd, manifest_fd;
	uint8_t uuid[16];
	uint64_t store; /* its first 8 bytes */

	struct segment *_Atomic
		*segments; /* by number; SEGMENTS_MAX, untouched pages cost nothing */
	uint32_t segment_first, segment_last; /* there is none: 0 */

	_Atomic uint64_t current; /* packed: see snap.c */
	struct db_snap *_Atomic dead;
	struct slot_state slots[2];
	struct known_end known;
	struct db_snap *snap_oldest; /* of those published that live */
	struct segment *retired;     /* taken out, and maybe still read */
	uint32_t log_first;	     /* the next commit mark says so */
	struct compact compact;
	struct lost_chunk *lost; /* see retract.c */
	struct run_file *files;	 /* with next_run and lost, index side in a transaction */
	uint64_t next_run;
	_Atomic uint32_t rows_pos[DB_TABLES_MAX]; /* in the chunk looked at last: a guess */
	uint64_t generation, checkpointed; /* publications so far, and at the last checkpoint */
	struct merge_job *jobs[MERGE_JOBS_MAX];
	uint64_t merge_owed, merge_step_units;
	/* the generation in which there was no further merge to begin, busy or idle */
	uint64_t merges_searched[2];

	struct db_txn txn;
	struct index_thread index_thread;
	struct db_mem mem;
	struct write_meter meter;
	struct {
		struct counter commits_n, rows_put_n, rows_removed_n, merges_n, checkpoints_n;
		struct counter replayed_commits_n, damaged_chunks_n, quarantined_rows_n, segments_n;
		struct counter runs_n, index_bytes, log_bytes, retries_n;
	} count;
};

static inline struct segment *db_segment(const struct db *db, uint32_t number)
{
	/* pairs with the release in segment.c: the segment is whole before it can be found */
	return atomic_load_explicit(&db->segments[number], memory_order_acquire);
}

/* files.c: whatever a signal interrupts is done again; conventions are else those of db/io.h. */
/** pwrite all of it, over short writes. */
NODISCARD enum err db_write(struct db *db, int fd, const void *p, size_t n, uint64_t off);
/** fdatasync; a failure poisons. */
NODISCARD enum err db_sync(struct db *db, int fd);
NODISCARD enum err db_sync_dir(struct db *db);
NODISCARD int db_file_open(struct db *db, const char *name, int flags);
void db_file_close(struct db *db, int fd); /* -1 is fine */
NODISCARD int db_file_grow(struct db *db, int fd, uint64_t bytes);
int db_file_truncate(struct db *db, int fd, uint64_t bytes);
int db_file_unlink(struct db *db, const char *name);
/** The table's verify(), and its verify_rows() where it has one. */
static inline enum err table_verify(const struct db_table_def *def, struct span payload,
				    struct fb_vector *out_rows)
{
	struct fb_vector rows;
	enum err e = def->verify(payload, &rows);
	if (e == ERR_OK && def->verify_rows)
		e = def->verify_rows(def, rows);
	if (e == ERR_OK)
		*out_rows = rows;
	return e;
}
/** Address of a row in a set of runs, newest first; 0 where it is not there. */
uint64_t snap_address(const struct db_snap *sn, unsigned table, uint64_t id);
/** The first live id >= `from`, also of a row that cannot be read; UINT64_MAX at the end. */
uint64_t snap_row_next(const struct db_snap *sn, unsigned table, uint64_t from);
