/* SPDX-License-Identifier: MIT */
/* The text column of a library: who builds it, when, and how readers get hold of it.
 *
 * A thread of its own builds it from a snapshot when enough has changed and nobody writes: no
 * commit ever waits for it, and a snapshot is all it needs. It is never needed for an answer to be
 * right: without it, and for what changed since it was built, records are judged one by one. */
#pragma once

#include "base/err.h"
#include "library/text_column.h"

struct library;
struct text;

/** The library's; NULL where it is read-only. */
struct text *library_text(struct library *lib);

/** Looks for a column in the database's directory and starts the thread, which waits `pause_ms`
 * longer than it would. Errors: ERR_NOMEM. */
NODISCARD enum err text_new(const char *database_dir, struct db *db, uint64_t pause_ms,
			    struct text **out);
/** A build under way ends at its next block. Threads: any. */
void text_hurry(struct text *t);
void text_free(struct text *t); /* NULL is fine */

/** Something was committed. Never waits for a build. Threads: any. */
void text_changed(struct text *t);
/** Nothing more is coming: where a column is worth building, it is built now. Threads: any. */
void text_rest(struct text *t);
/** Have a column of the newest commit, and wait for it (tests, benches).
 * Errors: ERR_CLOSED, ERR_BUSY (searches go on in too many older ones), those of text_build(). */
NODISCARD enum err text_settle(struct text *t);

/** The newest column, or NULL; no lock. text_unpin() it. Threads: any. */
const struct text_column *text_pin(struct text *t, unsigned *out_slot);
void text_unpin(struct text *t, unsigned slot);
/** A search could not use the column. Threads: any. */
void text_refused(struct text *t);

struct text_stats {
	uint64_t commit;       /* what the column shows; 0: there is none */
	uint64_t bytes;	       /* of its file, which is mapped */
	uint64_t memory_bytes; /* private: of the newest one, and of a build under way at most */
	uint64_t builds_n, failures_n, refused_n;
	uint64_t build_ms; /* the last one */
};
void text_stats_get(struct text *t, struct text_stats *out);

/** Check the columns in a directory; reports a sentence for each that is damaged (it will be made
 * again; nothing is lost). */
void text_check(const char *database_dir, const uint8_t uuid[16],
		void (*report)(void *ctx, const char *line), void *ctx);
