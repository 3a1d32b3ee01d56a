/* SPDX-License-Identifier: MIT */
/* Batches become rows: one transaction of the store, in three steps.
 *
 * 1. Operations, in their order, settle what becomes of each file: which record is at which path
 *    when all is done. A path put twice, a move onto a file, a remove after a put come out here.
 * 2. Each file that is not as stored is written; what it is counted in is noted (dict.h).
 * 3. Directories, terms and albums get their live flags and are written where they changed.
 *
 * A transaction may take several batches one after the other: the first two steps are done for
 * each, the third at the end. What a batch wrote is then forgotten but for ids and hashes of paths
 * (`touched`), so that the batch's memory can go. Nothing reads what is not yet committed: an
 * operation on what an earlier batch touched waits for the commit. */
#pragma once

#include "library/apply_lists.h"
#include "library/batch_priv.h"
#include "library/dict.h"
#include "library/id_set.h"
#include "library/tables.h"

/* Files of one commit; a removed tree goes over as many commits as it takes. */
#define COMMIT_FILES_MAX 8192

enum file_fate { FILE_KEPT, FILE_STORED, FILE_GONE };

struct file_entry {		/* one record */
	uint64_t id;		/* 0: new */
	struct fb_table stored; /* pos 0: new */
	enum file_fate fate;
	const struct batch_file *in;
	struct span path;    /* where it is now */
	uint32_t directory;  /* its row, where it was looked for before; else DICT_NONE */
	struct batch *owner; /* who is told */
};

struct place { /* one path that an operation named */
	struct span path;
	uint32_t entry; /* DICT_NONE: none; one that is gone comes back when it is put again */
	uint32_t next;	/* of the same hash */
	uint64_t hash;
};

#define PROBED_MAX 2048	      /* operations at once */
#define PROBED_NOT UINT64_MAX /* as id: it has to be looked for */

struct probed { /* what the store has at the paths of operations (apply_probe.c) */
	uint32_t from, n;
	struct db_row at[PROBED_MAX]; /* id 0: nothing */
	uint32_t directory[PROBED_MAX];
};

/* What one record is counted in: rows of dictionaries, each once. */
struct categories {
	uint32_t terms[MEDIA_TERMS_MAX];
	unsigned terms_n;
	uint32_t directory, album; /* DICT_NONE: in none */
};

/* The file at hand, and what it has from the one before: files come album by album. */
struct file_row {
	struct media_file_in in;
	const struct batch_file *unpacked; /* in `in`; NULL: nothing is, or its batch has gone */
	const struct batch_file *counted;  /* whose categories these and those in `in` are */
	struct categories categories;
	uint32_t new_n;	  /* files that are still to be counted in them */
	uint64_t alike_n; /* how often there were others: in.alike */
	uint32_t artist_ids[MEDIA_NAMES_MAX], genre_ids[MEDIA_NAMES_MAX];
};

struct apply {
	struct db_txn *txn;
	struct db_snap *base; /* what the transaction is based on; outlives it, for names */
	int64_t now_s;
	struct dicts dicts;
	struct file_entry *entries;
	uint32_t entries_n, entries_cap;
	struct place *places;
	uint32_t places_n, places_cap;
	struct id_map entry_by_id, place_by_hash;
	struct lists lists;
	struct probed *probed;
	const struct batch_text *hashed_directory; /* of the operation before */
	uint64_t directory_hash;
	struct file_row row;
	struct id_set touched;		      /* by batches that are written and forgotten */
	uint32_t months[LIBRARY_CHANGED_MAX]; /* of images that are written: image_month() */
	unsigned months_n;
	bool months_overflow;
	uint32_t rows_n; /* written */
};

NODISCARD enum err apply_begin(struct apply *a, struct db *db);
/** Frees; aborts the transaction if it is still open. */
void apply_end(struct apply *a);
/** The file that this commit leaves at `path`; 0: none, or none that it knows of. Once all files
 * are written. */
uint64_t apply_file_at(const struct apply *a, struct span path);
/** Do operations from *at on; *at tells how far it came: short of the batch's length where the
 * commit is full, or the next operation has to wait for it. Nothing is written yet: after an error
 * apply_forget() takes back what was done since the last one. */
NODISCARD enum err apply_ops(struct apply *a, struct batch *b, uint32_t *at);
/** Whether apply_seal() may follow its operations: they change single files and nothing else. */
bool apply_can_seal(const struct batch *b);
/** Write the files of operations so far (step 2). */
NODISCARD enum err apply_files(struct apply *a);
/** Write the files of a batch and forget it: its memory may go. An error ends the commit. */
NODISCARD enum err apply_seal(struct apply *a);
/** Files of operations that are not written are as before. */
void apply_forget(struct apply *a);
/** Write everything. Afterwards a->rows_n says whether there is something to commit. */
NODISCARD enum err apply_rows(struct apply *a);

/* ---- between apply.c and apply_probe.c ------------------------------------------------------- */

/** Whether it changes one file and nothing else, and looks at no other. */
static inline bool op_is_single(const struct op *op)
{
	return op->kind == OP_PUT || op->kind == OP_MOVE || op->kind == OP_REMOVE;
}
/** Whether apply_probe() has looked for the file of operation `at`. */
static inline bool apply_is_probed(const struct apply *a, uint32_t at)
{
	return a->probed && at - a->probed->from < a->probed->n;
}
/** Before operation `at` of a batch: look for the files at its path and at those that follow. */
NODISCARD enum err apply_probe(struct apply *a, const struct batch *b, uint32_t at);
/** Before files are written: find their albums. */
NODISCARD enum err apply_probe_albums(struct apply *a);
/** The row of its directory; DICT_NONE where it is not known. */
uint32_t apply_probed_directory(const struct apply *a, const struct batch *b, const struct op *op);
/** The file that the store may have there: its name is still to be compared, and if it is another,
 * there is none. NULL: not known, so it has to be looked for. */
const struct db_row *apply_probed(const struct apply *a, const struct batch *b,
				  const struct op *op);

/** Name the containers that the commit changed, seen from a snapshot that shows it. */
void apply_changes(const struct apply *a, const struct db_snap *after, struct library_change *out);
