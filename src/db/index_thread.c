/* SPDX-License-Identifier: MIT */
/* One queue, one thread that applies what is in it, one writer that fills it. */
#include "db/index_thread.h"

#include <sched.h>

#include "db/db_priv.h"
#include "db/guard.h"

void index_thread_init(struct index_thread *it, struct db *db, uint32_t chunk_bytes)
{
	*it = (struct index_thread){
		.db = db,
		.chunk_bytes = chunk_bytes ? chunk_bytes : INDEX_CHUNK_BYTES,
		.forced = chunk_bytes != 0,
	};
	mutex_init(&it->lock);
	cond_init(&it->work);
	cond_init(&it->done);
}

void index_thread_fini(struct index_thread *it)
{
	index_thread_end(it);
	cond_fini(&it->done);
	cond_fini(&it->work);
	mutex_fini(&it->lock);
}

/* ---- the thread ---- */

/* What is read was verified when it was written; a log that is cut off meanwhile reads as zeros,
 * which must not become entries. */
static enum err job_do(struct db *db, const struct index_job *job)
{
	uint64_t lost_n = guard_lost_n();
	struct log_pos pos = { address_segment(job->address), address_offset(job->address) };
	enum err e = txn_apply_rows(&db->txn, job->table, job->rows, pos);
	return guard_lost_n() == lost_n ? e : ERR_IO;
}

static void jobs_do(void *arg)
{
	struct index_thread *it = arg;
	mutex_lock(&it->lock);
	while (!it->ending || it->jobs_n) {
		if (it->jobs_n == 0) {
			cond_wait(&it->work, &it->lock);
			continue;
		}
		struct index_job job = it->jobs[it->first];
		enum err e = it->err;
		mutex_unlock(&it->lock);
		if (e == ERR_OK)
			e = job_do(it->db, &job);
		mutex_lock(&it->lock);
		if (it->err == ERR_OK)
			it->err = e;
		it->first = (it->first + 1) % INDEX_JOBS_MAX;
		if (--it->jobs_n <= it->awaited_n)
			cond_signal(&it->done);
	}
	mutex_unlock(&it->lock);
}

/* ---- the writer ---- */

static bool processor_is_free(void)
{
	cpu_set_t all;
	CPU_ZERO(&all);
	return sched_getaffinity(0, sizeof all, &all) == 0 && CPU_COUNT(&all) > 1;
}

static bool thread_is_there(struct index_thread *it)
{
	if (it->thread.started || it->refused)
		return it->thread.started;
	it->refused = (!it->forced && !processor_is_free()) ||
		      thread_start(&it->thread, "db-index", jobs_do, it) != ERR_OK;
	return !it->refused;
}

void index_thread_end(struct index_thread *it)
{
	ASSERT(!it->used);
	mutex_lock(&it->lock);
	it->ending = true;
	cond_signal(&it->work);
	mutex_unlock(&it->lock);
	thread_join(&it->thread);
	it->thread = (struct thread){ 0 };
	it->ending = it->refused = false;
}

bool index_thread_wants(struct index_thread *it, uint32_t bytes)
{
	return it->used || (bytes >= it->chunk_bytes && thread_is_there(it));
}

THREAD_ANNOTATE(requires_capability(it->lock))
static void wait_for(struct index_thread *it, unsigned jobs_n)
{
	it->awaited_n = jobs_n;
	while (it->jobs_n > jobs_n)
		cond_wait(&it->done, &it->lock);
	it->awaited_n = 0;
}

enum err index_thread_put(struct index_thread *it, const struct index_job *job)
{
	mutex_lock(&it->lock);
	it->used = true;
	if (it->jobs_n == INDEX_JOBS_MAX)
		wait_for(it, INDEX_JOBS_MAX / 2); /* or the two would take turns */
	it->jobs[(it->first + it->jobs_n) % INDEX_JOBS_MAX] = *job;
	if (it->jobs_n++ == 0)
		cond_signal(&it->work);
	enum err e = it->err;
	mutex_unlock(&it->lock);
	return e;
}

enum err index_thread_join(struct index_thread *it)
{
	if (!it->used)
		return ERR_OK;
	mutex_lock(&it->lock);
	wait_for(it, 0);
	enum err e = it->err;
	it->err = ERR_OK;
	mutex_unlock(&it->lock);
	it->used = false;
	return e;
}

void index_thread_drop(struct index_thread *it)
{
	mutex_lock(&it->lock);
	if (it->jobs_n && it->err == ERR_OK)
		it->err = ERR_CLOSED;
	mutex_unlock(&it->lock);
	(void)!index_thread_join(it);
}
