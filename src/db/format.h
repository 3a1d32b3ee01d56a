/* SPDX-License-Identifier: MIT */
/* The bytes on disk. schema/FORMAT.md says what they mean; all numbers are little-endian. */
#pragma once

#include <stdint.h>

#include "db/db.h"

#define FORMAT_VERSION 1

/* ---- log segments: media-NNNNN.fb ------------------------------------------------------------ */

#define SEGMENT_MAGIC "MEDIADB1"
#define SEGMENT_BYTES_MAX (256u << 20)
#define SEGMENT_HEADER_BYTES 4096u
#define SEGMENT_HEADER_COPY 2048u /* twice: one bad sector must not lose the store */
#define SEGMENTS_MAX 65536u

struct disk_segment {
	char magic[8];
	uint32_t version;
	uint32_t segment;
	uint8_t uuid[16];
	int64_t created_s;
	uint32_t prev_end; /* where the segment before this one ends */
	uint32_t zero;
	uint64_t hash; /* XXH3-64 of what stands before */
};
_Static_assert(sizeof(struct disk_segment) == 56, "disk_segment");

#define CHUNK_MAGIC 0x4b4e4843u /* "CHNK" */
#define CHUNK_ALIGN 256u	/* chunks begin at multiples: one bit of the verified map each */
#define CHUNK_PAYLOAD_MAX (1u << 20)

enum chunk_kind {
	CHUNK_ROWS = 1,	  /* a FlatBuffers batch of one table */
	CHUNK_REMOVE = 2, /* u64 ids of one table */
	CHUNK_COMMIT = 3, /* struct disk_commit: ends a commit */
	CHUNK_MOVES = 4	  /* u64 addresses: whence the rows of the table's next chunk were moved */
};

struct disk_chunk {
	uint32_t magic;
	uint8_t kind;
	uint8_t zero;
	uint16_t table;
	uint64_t store; /* first 8 bytes of the uuid */
	uint64_t commit;
	uint32_t segment, offset; /* where it was written: a stale copy elsewhere is not valid */
	uint32_t payload_bytes;
	uint32_t rows_n;
	uint32_t chunk_no; /* in its commit, from 0 */
	uint32_t zero2;
	uint64_t payload_hash; /* XXH3-64, seed from commit, segment and offset */
	uint64_t header_hash;  /* XXH3-64 of what stands before */
};
_Static_assert(sizeof(struct disk_chunk) == 64, "disk_chunk");

struct disk_commit {
	uint64_t running_hash; /* over the header hashes of the commit's chunks before this one */
	int64_t wall_s;
	uint64_t rows_put_n, rows_removed_n;
	uint64_t bytes; /* of those chunks, with their padding */
	uint32_t chunks_n;
	uint32_t tables_n;
	uint64_t next_id[]; /* tables_n: never given out again below this */
	/* then, where there is room: u32 first segment that any row needs, u32 0 */
};
_Static_assert(sizeof(struct disk_commit) == 48, "disk_commit");

/* Where a row is: segment 16 bits, chunk offset / 8 25 bits, index in the chunk's vector of rows 23
 * bits. The index and not the table's position, because an index can be checked against a verified
 * vector in one comparison. 0: removed (no chunk begins at 0). */
static inline uint64_t address_make(uint32_t segment, uint32_t offset, uint32_t row)
{
	return (uint64_t)segment << 48 | (uint64_t)(offset / 8) << 23 | row;
}

static inline uint32_t address_segment(uint64_t a)
{
	return (uint32_t)(a >> 48);
}

static inline uint32_t address_offset(uint64_t a)
{
	return (uint32_t)(a >> 23 & 0x1ffffff) * 8;
}

static inline uint32_t address_row(uint64_t a)
{
	return (uint32_t)(a & 0x7fffff);
}

static inline bool address_same_chunk(uint64_t a, uint64_t b)
{
	return a >> 23 == b >> 23;
}

/* ---- index runs: index-NNNNNNNN.run ---------------------------------------------------------- */

#define RUN_MAGIC "SLVRUN01"

struct disk_section {
	uint64_t off;  /* from the start of the file */
	uint64_t n;    /* elements; of tails: bytes */
	uint64_t hash; /* XXH3-64 of its bytes */
};

struct disk_run_index {
	uint32_t key_bytes;
	uint32_t zero;
	struct disk_section groups;	/* struct disk_group, by group */
	struct disk_section entries[2]; /* added, removed: (group, key, id) order */
	struct disk_section tails[2];	/* what does not fit the entries' key prefix */
};
_Static_assert(sizeof(struct disk_run_index) == 128, "disk_run_index");

struct disk_run {
	char magic[8];
	uint32_t version;
	uint32_t table;
	uint8_t uuid[16];
	uint64_t number;
	uint64_t bytes;	      /* of the whole image */
	uint64_t commit_last; /* newest commit in it */
	uint64_t base_id;     /* dense addresses: id of the first; else 0 */
	uint32_t indexes_n;
	uint32_t zero;
	struct disk_section ids;       /* u32, ascending; empty where addresses are dense */
	struct disk_section addresses; /* u64 */
	struct disk_run_index index[DB_INDEXES_MAX];
	struct disk_section block_hashes; /* reserved: empty */
	uint64_t hash;			  /* XXH3-64 of what stands before */
};
_Static_assert(sizeof(struct disk_run) == 1176, "disk_run");

/** Where the group's entries begin; they end where the next group's begin. A group row outlives its
 * entries, because it carries the commit of the group's last change. */
struct disk_group {
	uint32_t group;
	uint32_t start[2]; /* added, removed */
	uint32_t zero;
	uint64_t commit;
};
_Static_assert(sizeof(struct disk_group) == 24, "disk_group");

/* An entry: key prefix[key_bytes], u32 id, and for key_bytes >= 12 a u32 that is TAIL_SHORT +
 * length of a key that fits, else the offset of its tail {u16 n, bytes}. */
#define TAIL_SHORT 0xffffff00u

/* ---- manifest -------------------------------------------------------------------------------- */

#define MANIFEST_MAGIC "SLVMAN01"
#define MANIFEST_SLOT_BYTES 65536u

struct disk_manifest {
	char magic[8];
	uint32_t version;
	uint32_t bytes; /* with what follows */
	uint64_t sequence;
	uint8_t uuid[16];
	uint64_t commit;
	uint32_t log_segment, log_offset; /* replay begins here */
	uint32_t tables_n, runs_n; /* that many disk_manifest_table, then disk_manifest_run */
	uint64_t next_run;
	uint64_t hash; /* XXH3-64 of all bytes, this field 0 */
};
_Static_assert(sizeof(struct disk_manifest) == 80, "disk_manifest");

/* Behind the runs, where there is room. */
struct disk_manifest_log {
	uint64_t live_bytes; /* of rows, about */
	uint32_t log_first;  /* first segment that any row needs */
	uint32_t zero;
};
_Static_assert(sizeof(struct disk_manifest_log) == 16, "disk_manifest_log");

struct disk_manifest_table {
	uint64_t next_id;
	uint64_t live;
};

struct disk_manifest_run {
	uint64_t number;
	uint32_t table;
	uint32_t zero;
	uint64_t bytes;
	uint64_t hash; /* of its header */
};
_Static_assert(sizeof(struct disk_manifest_run) == 32, "disk_manifest_run");
_Static_assert(sizeof(struct disk_manifest) + sizeof(struct disk_manifest_log) +
			       DB_TABLES_MAX * sizeof(struct disk_manifest_table) +
			       DB_TABLES_MAX * DB_RUNS_MAX * sizeof(struct disk_manifest_run) <=
		       MANIFEST_SLOT_BYTES,
	       "a slot holds the largest manifest");
