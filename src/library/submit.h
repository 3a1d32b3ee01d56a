/* SPDX-License-Identifier: MIT */
/* Submit: changes are gathered into batches and handed to the library's writer. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "base/thread.h"
#include "library/library.h"

/* Two batches are in memory at a time, with the dictionaries of one: in random order 2,048 files
 * would take 2 MiB more. Many batches share a commit, so that large ones gain nothing. */
#define SUBMIT_BATCH_FILES 512
#define SUBMIT_BATCH_AGE_MS 200 /* a batch is given away after this long, however small */
/* Batches given whose memory is not yet free: fewer than the writer queues, so that giving never
 * blocks. */
#define SUBMIT_QUEUED_MAX 1

struct submit {
	struct library *library;
	enum batch_urgency urgency;
	int stop_fd; /* readable: give up waiting */
	struct batch *batch;
	uint64_t first_ms; /* when the batch got its first change */
	int done_fd;	   /* readable: a batch was taken, or stored (or not) */
	struct mutex lock;
	unsigned queued_n;  /* under lock; given, not yet taken */
	unsigned pending_n; /* under lock; given, not yet stored */
	uint64_t stored_n;  /* under lock */
	uint64_t removed_n; /* under lock */
	uint64_t failed_n;  /* under lock */
	enum err failure;   /* under lock; of the first batch that failed */
};

struct submit_totals {
	uint64_t stored_n, removed_n, failed_n;
};

NODISCARD enum err submit_init(struct submit *a, struct library *library, int stop_fd);
/** Waits for batches under way; what was not given away is forgotten. */
void submit_fini(struct submit *a);

NODISCARD enum err submit_root(struct submit *a, struct span path, struct span name);
/** Store a file; with a `moved_id`, as the new place of that one. */
struct media_file_in;
NODISCARD enum err submit_put(struct submit *a, const struct media_file_in *file,
			      uint64_t moved_id);
NODISCARD enum err submit_remove(struct submit *a, struct span path);
struct bookmark_change;
NODISCARD enum err submit_bookmark(struct submit *a, const struct bookmark_change *bookmark);
struct playlist_import;
NODISCARD enum err submit_playlist(struct submit *a, const struct playlist_import *playlist);
NODISCARD enum err submit_remove_tree(struct submit *a, struct span path);
/** Set one of the library's settings to a JSON text. */
NODISCARD enum err submit_setting(struct submit *a, struct span name, struct span value);

/** Give the batch away. ERR_CLOSED: stopped meanwhile. */
NODISCARD enum err submit_flush(struct submit *a);
/** As submit_flush() if the batch is due; when to ask again is submit_due_ms(). */
NODISCARD enum err submit_flush_due(struct submit *a);
uint64_t submit_due_ms(const struct submit *a); /* UINT64_MAX: there is nothing */
/** Give the batch away and wait until all is stored. */
NODISCARD enum err submit_barrier(struct submit *a);
/** How a batch failed since the last call; ERR_OK: none did. */
enum err submit_take_failure(struct submit *a);
void submit_totals(struct submit *a, struct submit_totals *out);
