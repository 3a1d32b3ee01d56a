/* SPDX-License-Identifier: MIT */
/* The writer thread: takes batches from the queues, has them committed, and uses its idle time for
 * the store's merging and checkpoints. */
#include "base/blocks.h"
#include "base/clock.h"
#include "base/log.h"
#include "library/upgrade.h"
#include "library/writer_priv.h"

/* How long a transaction waits for the next batch: a scan on the same processor gets its turn. */
#define LINGER_MS 50

/* Waiting batches become one commit up to this many operations: one sync serves them all. */
#define GROUP_OPS_MAX LIBRARY_BATCH_MAX_FILES

/* A checkpoint makes the next opening instant; it is due when nothing came for a while, or when a
 * replay would take long (about a million records a second). */
#define CHECKPOINT_IDLE_MS 2000
#define CHECKPOINT_BULK_ROWS 1000   /* after so many the pause is short: a scan has ended */
#define CHECKPOINT_BULK_IDLE_MS 500 /* longer than the pause between two batches of a scan */
#define CHECKPOINT_BUSY_MS 60000
#define UPKEEP_PAUSE_MS 10
#define UPKEEP_IDLE_MS 1000
/* Those are pauses of who does not know what comes: after writer_rest() there are none. */
#define CHECKPOINT_LOG_BYTES (128u << 20)

/* ---- queues ---------------------------------------------------------------------------------- */

static void queue_push(struct batch_queue *q, struct batch *b)
{
	b->next = NULL;
	if (q->last)
		q->last->next = b;
	else
		q->first = b;
	q->last = b;
	q->n++;
}

static struct batch *queue_pop(struct batch_queue *q)
{
	struct batch *b = q->first;
	q->first = b->next;
	if (!q->first)
		q->last = NULL;
	q->n--;
	b->next = NULL;
	return b;
}

enum err writer_submit(struct writer *w, struct batch *b, enum batch_urgency urgency)
{
	enum err e = ERR_CLOSED;
	mutex_lock(&w->m);
	struct batch_queue *q = urgency == BATCH_URGENT ? &w->urgent : &w->scan;
	b->urgent = urgency == BATCH_URGENT;
	unsigned max = b->urgent ? LIBRARY_URGENT_MAX : LIBRARY_QUEUE_MAX;
	while (!w->stopping && w->thread.started && q->n >= max)
		cond_wait(&w->room, &w->m);
	if (!w->stopping && w->thread.started) {
		queue_push(q, b);
		w->flush |= urgency == BATCH_SCAN_END;
		cond_signal(&w->work);
		e = ERR_OK;
	}
	mutex_unlock(&w->m);
	return e;
}

void writer_flush(struct writer *w)
{
	mutex_lock(&w->m);
	w->flush = true;
	cond_signal(&w->work);
	mutex_unlock(&w->m);
}

void writer_rest(struct writer *w)
{
	mutex_lock(&w->m);
	w->rest = true;
	cond_signal(&w->work);
	mutex_unlock(&w->m);
}

unsigned writer_queue_n(struct writer *w)
{
	mutex_lock(&w->m);
	unsigned n = w->urgent.n + w->scan.n;
	mutex_unlock(&w->m);
	return n;
}

bool writer_upkeep_due(const struct writer *w)
{
	return w->upkeep != UPKEEP_NONE;
}

/* Urgent batches, as many as fit one commit; else one of a scan. */
static struct batch *pop_group(struct writer *w) REQUIRES(&w->m)
{
	struct batch_queue *q = &w->urgent;
	cond_broadcast(&w->room);
	if (!q->first)
		return w->scan.first ? queue_pop(&w->scan) : NULL;
	struct batch *first = queue_pop(q), *last = first;
	uint32_t ops_n = first->ops_n;
	while (q->first && ops_n + q->first->ops_n <= GROUP_OPS_MAX) {
		last->next = queue_pop(q);
		last = last->next;
		ops_n += last->ops_n;
	}
	return first;
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* When a pause since the last commit is over. */
static uint64_t pause_end_ms(const struct writer *w, uint64_t pause_ms)
{
	return w->resting ? 0 : w->last_commit_ms + pause_ms + w->pause_ms;
}

static uint64_t idle_checkpoint_ms(const struct writer *w)
{
	return pause_end_ms(w, w->dirty_rows_n < CHECKPOINT_BULK_ROWS ? CHECKPOINT_IDLE_MS
								      : CHECKPOINT_BULK_IDLE_MS);
}

static bool checkpoint_due(const struct writer *w, uint64_t now_ms, bool idle)
{
	if (!w->dirty)
		return false;
	if ((idle && now_ms >= idle_checkpoint_ms(w)) ||
	    now_ms >= w->dirty_since_ms + CHECKPOINT_BUSY_MS)
		return true;
	struct db_stats stats;
	db_stats_get(w->db, &stats);
	return stats.log_bytes >= w->checkpoint_log_bytes + CHECKPOINT_LOG_BYTES;
}

static void checkpoint(struct writer *w)
{
	struct db_stats stats;
	enum err e = db_checkpoint(w->db);
	if (e == ERR_OK && w->upkept)
		e = db_checkpoint(w->db); /* what was merged may be half of the index */
	if (e != ERR_OK)
		log_warn(LOG_LIBRARY, "checkpoint failed: %s", err_name(e));
	db_stats_get(w->db, &stats);
	w->checkpoint_log_bytes = stats.log_bytes;
	blocks_trim();
	writer_tell_memory(w);
	w->dirty = w->upkept = false; /* after a failure, the next commit brings the next attempt */
}

static uint64_t upkeep_ms(const struct writer *w)
{
	return w->upkeep == UPKEEP_NONE ? UINT64_MAX
					: pause_end_ms(w, w->upkeep == UPKEEP_DUE ? UPKEEP_PAUSE_MS
										  : UPKEEP_IDLE_MS);
}

/* One step. */
static void upkeep(struct writer *w)
{
	bool idle = w->upkeep == UPKEEP_IDLE;
	if (idle ? db_maintain_idle(w->db) : db_maintain(w->db)) {
		w->upkept = true;
		return;
	}
	w->upkeep = idle ? UPKEEP_NONE : UPKEEP_IDLE;
	if (w->upkeep == UPKEEP_NONE && w->upkept)
		w->dirty = true; /* the manifest names what was merged: only now can it go */
}

/* The next group; NULL when there is none and time has come for something else: first of all for
 * committing what is open. */
static struct batch *wait_for_group(struct writer *w, bool *out_stop)
{
	mutex_lock(&w->m);
	struct batch *group = pop_group(w);
	if (!group && !w->stopping && !w->errand && !w->rest && !(w->chain.open && w->flush)) {
		uint64_t until = upkeep_ms(w);
		if (w->dirty)
			until = MIN(until, idle_checkpoint_ms(w));
		if (w->chain.open)
			until = chain_due_ms(w);
		if (until != UINT64_MAX)
			(void)cond_wait_until(&w->work, &w->m, until);
		else
			cond_wait(&w->work, &w->m);
		group = pop_group(w);
	}
	w->flush &= group != NULL;
	w->resting |= w->rest;
	w->rest = false;
	*out_stop = !group && w->stopping;
	mutex_unlock(&w->m);
	return group;
}

static enum err upgrade_commit(struct writer *w, struct upgrade *u, bool *out_done)
{
	CLEANUP(apply_end) struct apply a = { 0 };
	uint64_t number;
	enum err e = apply_begin(&a, w->db);
	if (e == ERR_OK)
		e = upgrade_step(&a, u, out_done);
	return e == ERR_OK ? writer_commit(w, &a, &number) : e;
}

static void upgrade(struct writer *w)
{
	struct upgrade u = { 0 };
	bool done = false;
	enum err e = ERR_OK;
	struct db_snap *sn = db_snap_begin(w->db);
	bool needed = upgrade_needed(sn);
	db_snap_end(sn);
	if (!needed)
		return;
	log_info(LOG_LIBRARY,
		 "the database is of an older version, or was repaired: counting anew");
	while (e == ERR_OK && !done && !writer_is_stopping(w))
		e = upgrade_commit(w, &u, &done);
	if (e != ERR_OK)
		log_warn(LOG_LIBRARY, "not all of an older database was counted: %s", err_name(e));
}

enum err writer_run(struct writer *w, struct errand *errand)
{
	mutex_lock(&w->m);
	enum err e = w->stopping || !w->thread.started ? ERR_CLOSED : w->errand ? ERR_BUSY : ERR_OK;
	if (e == ERR_OK) {
		errand->over = false;
		w->errand = errand;
		cond_signal(&w->work);
		while (!errand->over)
			cond_wait(&w->room, &w->m);
		e = errand->err;
	}
	mutex_unlock(&w->m);
	return e;
}

static void errand_run(struct writer *w, bool stop)
{
	mutex_lock(&w->m);
	struct errand *errand = w->errand;
	mutex_unlock(&w->m);
	if (!errand)
		return;
	bool again = false;
	chain_commit(w);
	enum err e = stop ? ERR_CLOSED : errand->run(errand->ctx, w->db, &again);
	if (e == ERR_OK && again)
		return;
	mutex_lock(&w->m);
	errand->err = e;
	errand->over = true;
	w->errand = NULL;
	cond_broadcast(&w->room);
	mutex_unlock(&w->m);
	w->dirty = true;
	w->upkeep = UPKEEP_DUE;
}

static void writer_main(void *arg)
{
	struct writer *w = arg;
	bool stop = false;
	upgrade(w);
	while (!stop) {
		struct batch *group = wait_for_group(w, &stop);
		if (group)
			writer_process(w, group);
		else
			chain_commit(w);
		errand_run(w, stop);
		if (stop || w->chain.open)
			continue;
		if (!group && clock_now_ms() >= upkeep_ms(w))
			upkeep(w);
		if (checkpoint_due(w, clock_now_ms(), !group))
			checkpoint(w);
	}
}

enum err writer_start(struct writer *w, struct db *db, const struct library_options *options)
{
	w->db = db;
	w->on_commit = options->on_commit;
	w->on_memory = options->on_memory;
	w->ctx = options->ctx;
	w->pause_ms = options->pause_ms;
	w->linger_ms = options->linger_ms ? options->linger_ms : LINGER_MS;
	w->chain.changes_max = CHAIN_CHANGES_MAX;
	mutex_init(&w->m);
	cond_init(&w->work);
	cond_init(&w->room);
	if (options->read_only)
		return ERR_OK;
	w->upkeep = UPKEEP_DUE;
	w->last_commit_ms = clock_now_ms(); /* opening is no pause */
	return thread_start(&w->thread, "library", writer_main, w);
}

void writer_hurry(struct writer *w)
{
	mutex_lock(&w->m);
	w->stopping = true;
	cond_broadcast(&w->work);
	cond_broadcast(&w->room);
	mutex_unlock(&w->m);
}

void writer_stop(struct writer *w)
{
	writer_hurry(w);
	thread_join(&w->thread);
	cond_fini(&w->work);
	cond_fini(&w->room);
	mutex_fini(&w->m);
}
