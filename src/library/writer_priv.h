/* SPDX-License-Identifier: MIT */
/* What the writer's two files share: all on its thread. */
#pragma once

#include "library/writer.h"

/* Changes in one transaction of a scan: what a commit costs by itself is then little beside them,
 * and what the transaction remembers of them stays small. */
#define CHAIN_CHANGES_MAX 16384
/* The directories, terms and albums of one. Files in random order name many. */
#define CHAIN_DICT_BYTES_MAX (832u << 10)
/* A person who looks sees a file after about this many times the linger, however long a scan is. */
#define CHAIN_AGE_LINGERS 20

/** A group of urgent batches, or one of a scan. They are told, now or when they are committed. */
void writer_process(struct writer *w, struct batch *group);
/** Write what the transaction still needs, and make it visible. Ends it either way, but does not
 * tell: *out_commit is its number, or that of its base where nothing changed. */
NODISCARD enum err writer_commit(struct writer *w, struct apply *a, uint64_t *out_commit);
/** Commit the scan's transaction, if there is one, and tell its batches. */
void chain_commit(struct writer *w);
/** When it is to be committed if nothing comes; it is open. */
uint64_t chain_due_ms(const struct writer *w);
bool writer_is_stopping(struct writer *w);
void writer_tell_memory(struct writer *w);
