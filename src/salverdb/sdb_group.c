/* SPDX-License-Identifier: MIT */
/* Single operations from any thread: those that wait at the same time become one commit. The thread
 * that makes it also looks after the store in its idle time. */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "salverdb/sdb_priv.h"

#define GROUP_OPS_DEFAULT 1024
#define OP_BYTES 128 /* of an operation beside its key and value */

/* A checkpoint makes the next opening instant; it is due after a pause in writing, or when a replay
 * would take long. */
#define CHECKPOINT_IDLE_MS 2000
#define CHECKPOINT_LOG_BYTES (128u << 20)

/* ---- the queue ------------------------------------------------------------------------------- */

static void queue_push(struct group *g, struct group_op *op) REQUIRES(&g->m)
{
	op->next = NULL;
	if (g->last)
		g->last->next = op;
	else {
		g->first = op;
		g->first_ms = clock_now_ms();
	}
	g->last = op;
	g->ops_n++;
	g->bytes += op->bytes;
	cond_signal(&g->work);
}

/* The oldest operations, as many as fit one commit. */
static struct group_op *queue_pop(struct group *g) REQUIRES(&g->m)
{
	struct group_op *first = g->first, *last = first;
	if (!first)
		return NULL;
	size_t n = 1, bytes = first->bytes;
	for (; last->next && n < g->ops_max; last = last->next, n++)
		bytes += last->next->bytes;
	g->first = last->next;
	if (!g->first)
		g->last = NULL;
	g->first_ms = clock_now_ms();
	last->next = NULL;
	g->ops_n -= n;
	g->bytes -= bytes;
	cond_broadcast(&g->room);
	return first;
}

static enum err submit(struct sdb *db, struct group_op *op)
{
	struct group *g = &db->group;
	enum err e = ERR_CLOSED;
	op->bytes = OP_BYTES + op->op.key.text.n + (op->op.remove ? 0 : op->op.value.n);
	mutex_lock(&g->m);
	while (!g->stopping && g->first && g->bytes + op->bytes > SDB_QUEUE_BYTES_MAX)
		cond_wait(&g->room, &g->m);
	if (!g->stopping) {
		queue_push(g, op);
		e = ERR_OK;
	}
	mutex_unlock(&g->m);
	return e;
}

/* What would wait for itself. */
static enum err may_submit(struct sdb *db, const struct sdb_op *op)
{
	if (db->read_only)
		return ERR_ACCESS;
	if (op->table >= db->tables_n - 1)
		return ERR_INVALID;
	if (op->key.text.n > SDB_KEY_MAX || (!op->remove && op->value.n > SDB_VALUE_MAX))
		return ERR_LIMIT;
	return writer_is_me(db) ? ERR_BUSY : ERR_OK;
}

static enum sdb_err submit_and_wait(struct sdb *db, const struct sdb_op *op)
{
	struct group *g = &db->group;
	struct group_op waiting = { .op = *op };
	enum err e = may_submit(db, op);
	if (e == ERR_OK)
		e = submit(db, &waiting);
	if (e != ERR_OK)
		return report(db, e);
	mutex_lock(&g->m);
	while (!waiting.finished)
		cond_wait(&g->acked, &g->m);
	mutex_unlock(&g->m);
	return err_out(waiting.err);
}

enum sdb_err sdb_put_now(struct sdb *db, unsigned table, struct sdb_key key, struct sdb_bytes value)
{
	return submit_and_wait(db, &(struct sdb_op){ table, false, key, value });
}

enum sdb_err sdb_remove_now(struct sdb *db, unsigned table, struct sdb_key key)
{
	return submit_and_wait(db, &(struct sdb_op){ .table = table, .remove = true, .key = key });
}

/* With room for key and value behind it. */
static struct group_op *op_copy(const struct sdb_op *op)
{
	size_t key_n = op->key.text.n, value_n = op->remove ? 0 : op->value.n;
	struct group_op *copy = calloc(1, sizeof *copy + key_n + value_n);
	if (!copy)
		return NULL;
	uint8_t *p = (uint8_t *)(copy + 1);
	copy->op = *op;
	if (key_n)
		memcpy(p, op->key.text.p, key_n);
	if (value_n)
		memcpy(p + key_n, op->value.p, value_n);
	copy->op.key.text.p = p;
	copy->op.value = sdb_bytes(p + key_n, value_n);
	return copy;
}

enum sdb_err sdb_submit(struct sdb *db, const struct sdb_op *op,
			void (*done)(void *ctx, enum sdb_err e), void *ctx)
{
	enum err e = may_submit(db, op);
	if (e != ERR_OK)
		return report(db, e);
	struct group_op *copy = op_copy(op);
	if (!copy)
		return report(db, ERR_NOMEM);
	copy->owned = true;
	copy->done = done;
	copy->ctx = ctx;
	e = submit(db, copy);
	if (e != ERR_OK)
		free(copy);
	return report(db, e);
}

/* ---- commits --------------------------------------------------------------------------------- */

static enum err ops_apply(struct sdb_txn *txn, struct group_op *first, size_t *out_n)
{
	*out_n = 0;
	for (struct group_op *op = first; op && txn->err == ERR_OK; op = op->next) {
		const struct sdb_op *o = &op->op;
		enum sdb_err e = o->remove ? sdb_remove(txn, o->table, o->key)
					   : sdb_put(txn, o->table, o->key, o->value);
		op->err = err_in(e);
		*out_n += e == SDB_OK;
	}
	return txn->err;
}

static enum err group_once(struct sdb *db, struct group_op *first)
{
	struct sdb_txn *txn;
	size_t stored_n;
	enum err e = txn_begin_write(db, &txn);
	if (e != ERR_OK)
		return e;
	e = ops_apply(txn, first, &stored_n);
	if (e != ERR_OK || stored_n == 0) {
		sdb_end(txn);
		return e;
	}
	return err_in(sdb_commit(txn));
}

/* What is refused whatever is stored. Any other answer was given by a state with the operations
 * before it in the commit: where that fails, there never was such a state. */
static bool is_refused_as_such(enum err e)
{
	return e == ERR_INVALID || e == ERR_LIMIT;
}

static void group_commit(struct sdb *db, struct group_op *first)
{
	unsigned tries = 0;
	uint64_t n = 0;
	enum err e;
	do {
		for (struct group_op *op = first; op; op = op->next)
			op->err = ERR_OK;
		e = group_once(db, first);
	} while (retry_pause(db, e, tries++));
	for (struct group_op *op = first; op; op = op->next, n++)
		if (e != ERR_OK && !is_refused_as_such(op->err))
			op->err = e;
	struct group *g = &db->group;
	counter_add(&g->groups_n, 1);
	counter_add(&g->ops_done_n, n);
	if (n > counter_get(&g->ops_most))
		counter_set(&g->ops_most, n);
}

static void group_finish(struct group *g, struct group_op *first)
{
	struct group_op *next;
	for (struct group_op *op = first; op; op = next) {
		next = op->next; /* its owner may be gone once it is finished */
		if (op->done)
			op->done(op->ctx, err_out(op->err));
		if (op->owned) {
			free(op);
			continue;
		}
		mutex_lock(&g->m);
		op->finished = true;
		mutex_unlock(&g->m);
	}
	mutex_lock(&g->m);
	cond_broadcast(&g->acked);
	mutex_unlock(&g->m);
}

/* ---- upkeep ---------------------------------------------------------------------------------- */

enum sdb_err sdb_checkpoint(struct sdb *db)
{
	if (db->read_only)
		return report(db, ERR_ACCESS);
	enum err e = writer_take(db);
	if (e != ERR_OK)
		return report(db, e);
	e = db_checkpoint(db->db);
	writer_give(db);
	return report(db, e);
}

static void maintain(struct sdb *db)
{
	bool more = false;
	if (writer_take(db) == ERR_OK) {
		more = db_maintain(db->db);
		writer_give(db);
	}
	mutex_lock(&db->group.m);
	db->group.upkeep_due |= more;
	mutex_unlock(&db->group.m);
}

static void checkpoint(struct sdb *db)
{
	enum sdb_err e = sdb_checkpoint(db);
	if (e != SDB_OK)
		log_warn(LOG_DB, "checkpoint failed: %s", sdb_err_text(e));
}

void group_committed(struct sdb *db)
{
	struct group *g = &db->group;
	mutex_lock(&g->m);
	g->dirty = g->upkeep_due = true;
	g->last_commit_ms = clock_now_ms();
	cond_signal(&g->work);
	mutex_unlock(&g->m);
}

/* ---- the thread ------------------------------------------------------------------------------ */

struct task {
	struct group_op *ops;
	bool maintain, checkpoint, stop;
};

/* Company for the first operation: until there are enough or it has waited long enough. */
static void wait_for_company(struct group *g) REQUIRES(&g->m)
{
	uint64_t deadline_ms = g->first_ms + g->delay_ms;
	while (g->delay_ms && g->first && !g->stopping && g->ops_n < g->ops_max)
		if (!cond_wait_until(&g->work, &g->m, deadline_ms))
			return;
}

static bool idle_long(const struct group *g)
{
	return g->dirty && clock_now_ms() >= g->last_commit_ms + CHECKPOINT_IDLE_MS;
}

static struct task wait_for_task(struct group *g)
{
	struct task task = { 0 };
	mutex_lock(&g->m);
	while (!g->first && !g->stopping && !g->upkeep_due && !idle_long(g)) {
		if (g->dirty)
			(void)cond_wait_until(&g->work, &g->m,
					      g->last_commit_ms + CHECKPOINT_IDLE_MS);
		else
			cond_wait(&g->work, &g->m);
	}
	wait_for_company(g);
	task.ops = queue_pop(g);
	task.stop = !task.ops && g->stopping;
	task.maintain = !task.ops && g->upkeep_due;
	task.checkpoint = !task.ops && !task.maintain && idle_long(g);
	if (task.maintain)
		g->upkeep_due = false;
	if (task.checkpoint)
		g->dirty = false; /* after a failure, the next commit brings the next attempt */
	mutex_unlock(&g->m);
	return task;
}

static bool log_long(struct sdb *db, uint64_t *bytes_then)
{
	struct db_stats stats;
	db_stats_get(db->db, &stats);
	if (stats.log_bytes < *bytes_then + CHECKPOINT_LOG_BYTES)
		return false;
	*bytes_then = stats.log_bytes;
	return true;
}

static void group_main(void *arg)
{
	struct sdb *db = arg;
	struct db_stats stats;
	db_stats_get(db->db, &stats);
	uint64_t checkpoint_bytes = stats.log_bytes;
	for (;;) {
		struct task task = wait_for_task(&db->group);
		if (task.stop)
			return;
		if (task.ops) {
			group_commit(db, task.ops);
			group_finish(&db->group, task.ops);
		}
		if (task.maintain)
			maintain(db);
		if (task.checkpoint || log_long(db, &checkpoint_bytes))
			checkpoint(db);
	}
}

enum err group_start(struct sdb *db, const struct sdb_options *options)
{
	struct group *g = &db->group;
	mutex_init(&g->m);
	cond_init(&g->work);
	cond_init(&g->room);
	cond_init(&g->acked);
	g->ops_max = options->group_ops_max ? options->group_ops_max : GROUP_OPS_DEFAULT;
	g->delay_ms = options->group_delay_ms;
	return db->read_only ? ERR_OK : thread_start(&g->thread, "salverdb", group_main, db);
}

void group_stop(struct sdb *db)
{
	struct group *g = &db->group;
	mutex_lock(&g->m);
	g->stopping = true;
	cond_broadcast(&g->work);
	cond_broadcast(&g->room);
	mutex_unlock(&g->m);
	thread_join(&g->thread);
	cond_fini(&g->work);
	cond_fini(&g->room);
	cond_fini(&g->acked);
	mutex_fini(&g->m);
}
