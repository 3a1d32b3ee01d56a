/* SPDX-License-Identifier: MIT */
/* inotify as a tree of watched directories. Events only mark directories as dirty: what has changed
 * in them is found by looking, on the same path as a scan. So events may come in any number and
 * order, merged or early, and lost ones cost one look at everything. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct watch;

/** One directory. Valid until watch_sweep() after it was dropped. */
struct watch_node {
	struct watch_node *parent; /* NULL: a root */
	struct watch_node *child_first, *next, *prev;
	struct watch_node *name_next; /* hash chain by (parent, name) */
	struct watch_node *wd_next;   /* hash chain by wd */
	struct watch_node *dirty_next, *dirty_prev;
	uint64_t not_before_ms; /* a large directory is not looked at again at once */
	int wd;			/* -1: no events from here, it is polled */
	uint32_t stamp;		/* watch_keep() */
	uint32_t unstored;	/* watch_set_unstored() */
	uint16_t root;
	uint16_t name_n;
	bool dirty;
	bool seen; /* by watch_peek_dirty() */
	bool dropped;
	bool polled; /* without events: for want of a watch, or because of the file system */
	bool away;   /* the file system that was here is gone, and that was said */
	char name[]; /* of a root: its path */
};

#define WATCH_QUIET_MS 20     /* a round begins this long after the last event ... */
#define WATCH_SOON_MS 2	      /* ... this long where after such a pause files came, none went ... */
#define WATCH_PATIENCE_MS 500 /* ... or this long after the first, whatever still comes */
#define WATCH_WRITERS_MAX 1024 /* files being written that are known at a time */

NODISCARD enum err watch_new(struct watch **out);
void watch_free(struct watch *w); /* NULL is fine */
int watch_fd(const struct watch *w);

/** The directory `dir_fd` is `name` below `parent` (NULL: the root of that number, by its path):
 * watch it, or make sure that it is watched.
 * ERR_LIMIT: the system's limit of watches is reached; the node is there, but polled. */
NODISCARD enum err watch_enter(struct watch *w, struct watch_node *parent, uint16_t root,
			       struct span name, int dir_fd, struct watch_node **out);
struct watch_node *watch_find(const struct watch *w, const struct watch_node *parent,
			      struct span name);
struct watch_node *watch_root(const struct watch *w, uint16_t root);
/** Forget a directory and all below it. */
void watch_drop(struct watch *w, struct watch_node *node);
/** Forget the children of `node` that were not stamped with watch_keep() since watch_unstamp(). */
void watch_unstamp(struct watch *w);
void watch_keep(struct watch *w, struct watch_node *child);
void watch_drop_unkept(struct watch *w, struct watch_node *node);
/** Files of `node` are on their way into the store: until watch_all_stored() the store does not
 * tell what has gone from it, or from a directory above it. Cost: a step per level, once. */
void watch_set_unstored(struct watch *w, struct watch_node *node);
bool watch_is_unstored(const struct watch *w, const struct watch_node *node);
void watch_all_stored(struct watch *w);
/** Free what was dropped; nobody may hold a node across it. */
void watch_sweep(struct watch *w);

/** Take in all events that are there. Never blocks. */
void watch_read(struct watch *w);
/** Is this file of the directory being written right now (created, not yet closed)? */
bool watch_is_written(const struct watch *w, const struct watch_node *node, struct span name);
void watch_mark(struct watch *w, struct watch_node *node);
/** The next dirty directory that may be looked at now, no longer dirty; NULL: none. */
struct watch_node *watch_take_dirty(struct watch *w, uint64_t now_ms);
/** As watch_take_dirty(), but it stays dirty, and is not given again until more happens to it. */
struct watch_node *watch_peek_dirty(struct watch *w, uint64_t now_ms);
/** When to call watch_take_dirty() (clock_now_ms()); UINT64_MAX: nothing is dirty. */
uint64_t watch_due_ms(const struct watch *w);

/** Events were lost: look at everything. Cleared by asking. */
bool watch_take_overflow(struct watch *w);
/** A root was moved, deleted or unmounted: look at the roots. Cleared by asking. */
bool watch_take_roots_changed(struct watch *w);

/** Number of directories with a watch. */
uint64_t watch_len(const struct watch *w);
/** Events do not tell all about this directory: poll it as well. */
void watch_poll(struct watch *w, struct watch_node *node);
/** Some directory is polled. */
bool watch_has_polled(const struct watch *w);
/** Calls fn for each topmost polled directory. */
void watch_each_polled(struct watch *w, void (*fn)(void *ctx, struct watch_node *node), void *ctx);

/** Append the node's path below its root: "" for the root itself, "a/b". */
struct buf;
void watch_add_path(const struct watch_node *node, struct buf *out);
