/* SPDX-License-Identifier: MIT */
/* Commits of the writer thread: a scan's batches go into one transaction as they come, others make
 * a commit of their own. */
#include "base/clock.h"
#include "base/log.h"
#include "library/writer_priv.h"

/* ---- commits --------------------------------------------------------------------------------- */

static void tell(struct writer *w, const struct apply *a)
{
	if (!w->on_commit)
		return;
	struct db_snap *after = db_snap_begin(w->db);
	apply_changes(a, after, &w->change);
	db_snap_end(after);
	w->on_commit(w->ctx, &w->change);
}

void writer_tell_memory(struct writer *w)
{
	if (w->on_memory)
		w->on_memory(w->ctx, db_memory(w->db));
}

enum err writer_commit(struct writer *w, struct apply *a, uint64_t *out_commit)
{
	enum err e = apply_rows(a);
	if (e != ERR_OK)
		return e;
	*out_commit = db_snap_commit(a->base);
	if (a->rows_n == 0)
		return ERR_OK; /* everything is as stored already */
	*out_commit = db_txn_commit_number(a->txn);
	e = db_txn_commit(TAKE(a->txn));
	if (e != ERR_OK)
		return e;
	w->last_commit_ms = clock_now_ms();
	w->resting = false;
	if (!w->dirty) {
		w->dirty_since_ms = w->last_commit_ms;
		w->dirty_rows_n = 0;
	}
	w->dirty_rows_n += a->rows_n;
	w->dirty = true;
	w->upkeep = UPKEEP_DUE;
	if (w->text)
		text_changed(w->text);
	tell(w, a);
	writer_tell_memory(w);
	return ERR_OK;
}

bool writer_is_stopping(struct writer *w)
{
	mutex_lock(&w->m);
	bool stopping = w->stopping;
	mutex_unlock(&w->m);
	return stopping;
}

/* ---- a commit of its own --------------------------------------------------------------------- */

/* What the batch did up to `at` is durable and needs not be done again, whatever becomes of the
 * rest. */
static void set_committed(struct batch *b, uint32_t at, uint64_t commit)
{
	b->committed_n = at;
	b->result.commit = commit;
	b->kept = b->result;
}

static void set_group_committed(struct batch *first, struct batch *current, uint32_t at,
				uint64_t commit)
{
	for (struct batch *b = first; b != current; b = b->next) {
		if (b->stored)
			continue; /* by an earlier one */
		set_committed(b, b->ops_n, commit);
		b->stored = true;
	}
	if (current)
		set_committed(current, at, commit);
}

static void set_failed(struct batch *b, enum err e)
{
	b->result = b->kept;
	b->result.err = e;
	b->result.commit = 0;
}

/* One commit, or several where a batch removes a large tree or changes a playlist twice: closing
 * waits for the one under way only, and the next scan sees what is left. */
static enum err commit_group(struct writer *w, struct batch *first)
{
	CLEANUP(apply_end) struct apply a = { 0 };
	uint64_t number = 0;
	enum err e = apply_begin(&a, w->db);
	for (struct batch *b = first; b && e == ERR_OK; b = b->next) {
		uint32_t at = b->committed_n;
		e = apply_ops(&a, b, &at);
		while (e == ERR_OK && at < b->ops_n) {
			e = writer_commit(w, &a, &number);
			apply_end(&a);
			if (e == ERR_OK)
				set_group_committed(first, b, at, number);
			if (e == ERR_OK && writer_is_stopping(w))
				e = ERR_CLOSED;
			if (e == ERR_OK)
				e = apply_begin(&a, w->db);
			if (e == ERR_OK)
				e = apply_ops(&a, b, &at);
		}
	}
	if (e == ERR_OK)
		e = writer_commit(w, &a, &number);
	if (e == ERR_OK)
		set_group_committed(first, NULL, 0, number);
	for (struct batch *b = first; b; b = b->next)
		if (!b->stored)
			set_failed(b, e);
	return e;
}

/* Operations whose commit failed have failed, whatever they themselves found. */
static void tell_operations(const struct batch *b)
{
	for (uint32_t i = b->committed_n; b->ops && i < b->ops_n; i++)
		if (b->ops[i].result)
			b->ops[i].result->err = b->result.err;
}

static void give_back(struct batch *b)
{
	if (b->is_empty)
		return;
	batch_empty(b);
	if (b->taken)
		b->taken(b->done_ctx);
}

static void finish(struct writer *w, struct batch *b)
{
	tell_operations(b);
	counter_add(&w->batches_n, 1);
	counter_add(&w->batch_files_n, b->ops_n);
	if (b->result.err == ERR_CLOSED)
		log_info(LOG_LIBRARY, "closing: the rest of a large batch is not stored; a removal "
				      "is left for the "
				      "next scan");
	else if (b->result.err != ERR_OK)
		log_error(LOG_LIBRARY, "a batch of %u changes was not stored: %s", b->ops_n,
			  err_name(b->result.err));
	give_back(b);
	if (b->done)
		b->done(b->done_ctx, &b->result);
	batch_free(b);
}

static void commit_apart(struct writer *w, struct batch *group)
{
	bool alone = !group->next;
	enum err e = commit_group(w, group);
	while (group) {
		struct batch *b = group;
		group = b->next;
		b->next = NULL;
		/* one bad batch must not take others with it */
		if (e != ERR_OK && e != ERR_CLOSED && !alone && !b->stored) {
			b->result = b->kept;
			(void)!commit_group(w, b);
		}
		finish(w, b);
	}
}

/* ---- a scan's transaction -------------------------------------------------------------------- */

static enum err chain_begin(struct writer *w)
{
	struct chain *c = &w->chain;
	if (c->open)
		return ERR_OK;
	enum err e = apply_begin(&c->a, w->db);
	if (e != ERR_OK) {
		apply_end(&c->a);
		return e;
	}
	c->open = true;
	c->changes_n = 0;
	c->begun_ms = clock_now_ms();
	return ERR_OK;
}

/* What batches held is gone, so that none can be tried again: who gave them finds again what was
 * not stored. After a failure commits begin small: a full disk takes what it has room for. */
static void chain_end(struct writer *w, enum err e, uint64_t commit)
{
	struct chain *c = &w->chain;
	struct batch *b = c->first;
	apply_end(&c->a);
	c->open = false;
	c->first = c->last = NULL;
	c->changes_max = e == ERR_OK ? MIN(2 * c->changes_max, (uint32_t)CHAIN_CHANGES_MAX) : 1;
	while (b) {
		struct batch *next = b->next;
		if (e == ERR_OK)
			set_committed(b, b->ops_n, commit);
		else
			set_failed(b, e);
		finish(w, b);
		b = next;
	}
}

void chain_commit(struct writer *w)
{
	uint64_t number = 0;
	if (!w->chain.open)
		return;
	enum err e = writer_commit(w, &w->chain.a, &number);
	chain_end(w, e, number);
}

/* A batch goes into the transaction whole, never in two parts: what it removes and puts again stays
 * the file it was. After an error it can be tried again. */
static enum err chain_add(struct writer *w, struct batch *b)
{
	struct chain *c = &w->chain;
	uint32_t at = 0;
	enum err e = chain_begin(w);
	if (e == ERR_OK)
		e = apply_ops(&c->a, b, &at);
	if (e == ERR_OK && at < b->ops_n) { /* it names what is touched: into the next one */
		apply_forget(&c->a);
		chain_commit(w);
		at = 0;
		e = chain_begin(w);
		if (e == ERR_OK)
			e = apply_ops(&c->a, b, &at);
	}
	if (e == ERR_OK && at < b->ops_n)
		e = ERR_LIMIT; /* larger than one commit */
	if (e != ERR_OK) {
		if (c->open)
			apply_forget(&c->a); /* the others are fine */
		return e;
	}
	e = apply_seal(&c->a);
	if (e != ERR_OK) {
		chain_end(w, e, 0);
		b->result = b->kept;
	}
	return e;
}

static bool chain_is_full(const struct writer *w)
{
	const struct chain *c = &w->chain;
	return c->changes_n >= c->changes_max || dicts_bytes(&c->a.dicts) >= CHAIN_DICT_BYTES_MAX ||
	       c->taken_ms >= c->begun_ms + CHAIN_AGE_LINGERS * w->linger_ms;
}

uint64_t chain_due_ms(const struct writer *w)
{
	const struct chain *c = &w->chain;
	return MIN(c->taken_ms + w->linger_ms, c->begun_ms + CHAIN_AGE_LINGERS * w->linger_ms);
}

static void chain_take(struct writer *w, struct batch *b)
{
	struct chain *c = &w->chain;
	if (c->last)
		c->last->next = b;
	else
		c->first = b;
	c->last = b;
	c->changes_n += 1 + b->ops_n;
	c->taken_ms = clock_now_ms();
	give_back(b);
	if (chain_is_full(w))
		chain_commit(w);
}

void writer_process(struct writer *w, struct batch *group)
{
	if (!group->urgent && apply_can_seal(group) && chain_add(w, group) == ERR_OK) {
		chain_take(w, group);
		return;
	}
	chain_commit(w);
	commit_apart(w, group);
}
