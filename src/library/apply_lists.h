/* SPDX-License-Identifier: MIT */
/* What a commit does to playlists, bookmarks and settings.
 *
 * Playlists are written as their operations come, seen from the base of the transaction: therefore
 * a commit has at most one operation on a playlist, and either such operations or changes of files.
 * Bookmarks and settings are noted and written at the end, the last change winning. When files go
 * or come, the entries and bookmarks that mean them follow in the same commit. */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "library/id_map.h"

struct apply;
struct batch;
struct op;
struct op_result;

#define LISTS_TOUCHED_MAX 64 /* playlists named in events */

struct bookmark_note {
	uint64_t media_id;
	uint32_t position_ms, played_n;
	int64_t last_played;
	struct span client;
	bool remove; /* what was stored before */
	bool set;    /* anew, after that */
};

struct setting_note {
	struct span name, value;
	bool remove;
	uint32_t next; /* of the same hash */
	struct op_result *result;
};

struct lists {
	struct id_map busy; /* playlists that an operation of this commit changes */
	uint32_t touched[LISTS_TOUCHED_MAX];
	unsigned touched_n;
	bool touched_overflow;
	bool listed; /* the list of playlists changes */
	uint32_t created_n;

	const struct op **bookmark_ops; /* in order; done when it is known which files there are */
	uint32_t bookmark_ops_n, bookmark_ops_cap;
	struct bookmark_note *bookmarks;
	uint32_t bookmarks_n, bookmarks_cap;
	struct id_map bookmark_by_media;

	struct setting_note *settings;
	uint32_t settings_n, settings_cap;
	struct id_map setting_by_hash;
};

void lists_fini(struct lists *l);
/** Whether an operation has to wait for the next commit. */
bool lists_must_wait(const struct apply *a, const struct op *op);
/** Do, or note, an operation on a list. What is wrong with it goes to op->result; an error ends the
 * commit. */
NODISCARD enum err lists_op(struct apply *a, const struct op *op);
/** All files are written: entries and bookmarks follow them, notes are written. */
NODISCARD enum err lists_settle(struct apply *a);

/* ---- between apply_lists.c and apply_playlists.c --------------------------------------------- */

NODISCARD enum err playlist_op(struct apply *a, const struct op *op);
/** Entries that mean files which this commit removes, or paths that it fills. */
NODISCARD enum err playlists_follow(struct apply *a);
void lists_touch(struct lists *l, uint64_t playlist_id);
NODISCARD enum err lists_grow(void **p, uint32_t *cap, uint32_t n, size_t size);
