/* SPDX-License-Identifier: MIT */
/* The directories, terms and albums that one commit touches: found in the store or made, with the
 * net change of what they hold, from which their live flags follow.
 *
 * Within a commit this is also the cache of look-ups: 4,096 files of a scan name few directories
 * and artists. It ends with the commit, so it can never be stale; its size is bounded by the
 * commit's. */
#pragma once

#include "base/arena.h"
#include "db/db.h"
#include "library/id_map.h"
#include "library/library.h"

#define DICT_NONE ID_MAP_NONE
#define DICT_KINDS_N 3 /* audio, video, image: MediaKind - 1 */

enum dict_number { DICT_DIRECTORY, DICT_TERM, DICT_ALBUM, DICTS_N };

/** What a row is called; unused fields are 0. */
struct dict_key {
	struct span name;      /* path, name or title */
	uint8_t kind;	       /* terms */
	uint32_t artist_id;    /* albums */
	uint64_t directory_id; /* albums */
};

/* There are many in a commit of files in random order. No count is over 32 bits: ids are not. */
struct dict_row {
	uint64_t id;
	struct dict_key key;	 /* borrowed from the snapshot or from `names` */
	struct span label;	 /* the same; directories: name to show; albums: artist to show */
	uint64_t parent_id;	 /* directories: 0 for roots */
	struct fb_table stored;	 /* pos 0: new */
	uint32_t base_n;	 /* files in it before this commit, once counted */
	int32_t change_n;	 /* net change of files, and of live sub-directories */
	uint32_t next;		 /* of the same hash */
	int32_t albums_change_n; /* artists: of albums that are by it */

	/* directories: files in it by kind, but for those of most_kind; net changes of all, and of
	 * live sub-directories that have that kind in or below them */
	uint32_t files_n[DICT_KINDS_N];
	int32_t files_change_n[DICT_KINDS_N], subs_change_n[DICT_KINDS_N];
	uint32_t subs_n[1 + DICT_KINDS_N]; /* live ones before this commit, once counted: all, by
					      kind */
	uint8_t subs_counted;		   /* bits: which of these */
	uint8_t kinds, was_kinds, most_kind;

	bool touched : 1; /* its listing changes */
	bool was_live : 1, live : 1;
	bool must_store : 1; /* a new root, or its label changed */
	bool recount : 1;    /* its flags and counts are not to be trusted, or not there */
	bool counted : 1;    /* base_n is set */
	bool owner : 1, was_owner : 1; /* artists: whether albums are by it */
};
_Static_assert(sizeof(struct dict_row) == 160, "a commit's memory is mostly these");

#define DICT_NAMES_MAX (4 * LIBRARY_BATCH_MAX_BYTES) /* far beyond what one commit names */
#define DICT_RECENT 8				     /* kinds of terms, a power of two */

struct dict {
	struct dict_row *rows;
	uint32_t n, cap;
	struct id_map by_hash, by_id;
	uint32_t recent[DICT_RECENT]; /* found last, by kind: files come album by album */
};

struct dicts {
	struct db_txn *txn;
	const struct db_snap *base;
	struct dict d[DICTS_N];
	struct arena names;	       /* of what is new: batches go before the commit does */
	uint32_t last_directory;       /* files come directory by directory */
	struct span missing_directory; /* looked for last, and neither stored nor made since: in the
					* batch at hand */
	bool upgrading;		       /* rows may lack what older versions did not count */
};

void dicts_init(struct dicts *ds, struct db_txn *txn);
void dicts_fini(struct dicts *ds);

/** A batch's memory goes: nothing of it is meant any more. */
void dicts_forget_batch(struct dicts *ds);
/** Bytes that rows and names take. */
size_t dicts_bytes(const struct dicts *ds);
/** Make *name a copy that lasts as long as the commit. */
NODISCARD enum err dict_keep(struct dicts *ds, struct span *name);

/* All of these return indexes of rows; a call may move the rows. */

/** By name; made where it is missing and `create`. ERR_NOTFOUND, ERR_NOMEM. */
NODISCARD enum err dict_find(struct dicts *ds, enum dict_number which, const struct dict_key *key,
			     bool create, uint32_t *out);
#define DICT_UNSURE (DICT_NONE - 1)
/** What dict_find() would find of n names, together: out[i] is a row, DICT_NONE where the store has
 * none and none was made, or DICT_UNSURE where only dict_find() can tell. A name may come twice. */
NODISCARD enum err dict_find_many(struct dicts *ds, enum dict_number which,
				  const struct dict_key *keys, size_t n, uint32_t *out);
/** By id, from this commit or the store. */
NODISCARD enum err dict_load(struct dicts *ds, enum dict_number which, uint64_t id, uint32_t *out);
/** A directory by path. With `create`, missing ones on the way from the nearest known directory are
 * made; ERR_NOTFOUND where no media root is above it. */
NODISCARD enum err dict_directory(struct dicts *ds, struct span path, bool create, uint32_t *out);
/** A media root: made unless there is such a directory. */
NODISCARD enum err dict_root(struct dicts *ds, struct span path, struct span name);

/** Row i gained (or lost) so many files. */
void dict_count_row(struct dicts *ds, enum dict_number which, uint32_t i, int change);
/** The same by id; 0 is none. */
NODISCARD enum err dict_count(struct dicts *ds, enum dict_number which, uint64_t id, int change);
/** The same for a directory, of a file of that MediaKind. */
void dict_count_file_row(struct dicts *ds, uint32_t i, uint8_t kind, int change);
NODISCARD enum err dict_count_file(struct dicts *ds, uint64_t directory, uint8_t kind, int change);
/** All files are counted: set live flags, up the chain of directories. */
NODISCARD enum err dicts_settle(struct dicts *ds);
/** Put what is new or changed; *out_n grows by the number of rows. */
NODISCARD enum err dicts_store(struct dicts *ds, uint32_t *out_n);
