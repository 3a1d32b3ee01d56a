/* SPDX-License-Identifier: MIT */
/* Plan: one directory on the disk against the same directory in the store. Pure: no disk, no store;
 * both come in the order of library_collate_key() and are merged. */
#pragma once

#include "base/err.h"
#include "scanner/walk.h"

/** What the store knows under one name. Borrowed until the next call of next(). */
struct plan_known {
	struct span name;
	uint64_t id;
	uint64_t size;
	int64_t mtime_ns;
	bool unexamined; /* nothing could read it, or it was imported: to be tried (again) */
};

struct plan_source {
	/** The next one in the order of collate keys; false at the end. */
	bool (*next)(void *ctx, struct plan_known *out);
	/** Does the rest of the record that next() gave last suit the disk as well? NULL: yes. */
	bool (*suits)(void *ctx, const struct walk_entry *entry);
	void *ctx;
};

enum plan_kind {
	PLAN_NEW,
	PLAN_CHANGED,	 /* size or time differ */
	PLAN_UNEXAMINED, /* the same, and its record suits, but no probe has made it */
	PLAN_STALE,	 /* the file is the same, but its record does not suit */
	PLAN_REMOVED
};

struct plan_action {
	enum plan_kind kind;
	uint32_t entry;	  /* index into the disk's entries; PLAN_REMOVED: none */
	uint64_t id;	  /* the store's; PLAN_NEW: 0, unless it is recognised as moved */
	struct span name; /* PLAN_REMOVED: in the arena */
};

struct plan {
	struct plan_action *actions;
	size_t n, cap;
	size_t same_n, removed_n;
};

void plan_fini(struct plan *p);
/** Compare by name, size and mtime. Unchanged entries make no action; the known_id of every entry
 * that the store knows is set. A disk listing that is not whole removes nothing.
 * O(disk + store) where they agree, O(log disk) for each name where not. Errors: ERR_NOMEM. */
NODISCARD enum err plan_make(struct plan *p, struct walk_entries *disk, bool disk_is_whole,
			     const struct plan_source *store, struct arena *arena);
