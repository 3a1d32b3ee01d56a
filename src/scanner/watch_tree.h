/* SPDX-License-Identifier: MIT */
/* The inside of a struct watch, for watch.c (events) and watch_tree.c (the tree). */
#pragma once

#include "scanner/watch.h"

struct watch_writer { /* a file that somebody has created and not yet closed */
	const struct watch_node *node;
	uint64_t name_hash;
};

struct watch {
	int fd;
	uint32_t stamp;
	uint32_t unstored; /* what nodes with unstored files have there; never 0 */
	struct watch_node **by_name, **by_wd; /* hash tables of `buckets_n` chains */
	size_t buckets_n, nodes_n;
	uint64_t watches_n, polled_n;
	struct watch_node *roots;   /* linked by next */
	struct watch_node *dropped; /* linked by next, until watch_sweep() */
	struct watch_node *dirty_first, *dirty_last;
	uint64_t first_event_ms, last_event_ms; /* of the dirty ones */
	uint64_t marked_ms;			/* last; of files */
	bool soon;				/* WATCH_SOON_MS counts for the dirty ones */
	bool unseen;				/* some dirty one may be */
	bool overflow, roots_changed;
	struct watch_writer writers[WATCH_WRITERS_MAX];
	unsigned writers_n, writers_next;
};

uint64_t watch_hash(struct span name);
/** The node of this watch after `after` (NULL: the first); one directory may be reached twice. */
struct watch_node *watch_by_wd(const struct watch *w, int wd, const struct watch_node *after);
/** Take it out of the list of dirty ones. */
void watch_undirty(struct watch *w, struct watch_node *node);
/** The kernel has ended this watch. */
void watch_forget_wd(struct watch *w, struct watch_node *node);
