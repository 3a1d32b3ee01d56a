/* SPDX-License-Identifier: MIT */
/* Pictures that take time: requests for the same one wait together; the thread looks on disk, then
 * asks the helper. */
#include "web/pictures.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "probe/probe.h"
#include "schema/probe_fb.h"
#include "web/art_cache.h"
#include "web/web_priv.h"

/* One picture that somebody waits for. The thread alone touches what is not under the lock. */
struct job {
	enum { JOB_FREE, JOB_NEW, JOB_UNDER_WAY } state; /* lock */
	uint64_t serial;				 /* lock; the smaller, the earlier */
	struct picture_key key;				 /* lock; fixed while it is not free */
	char *path, *name, *canonical;			 /* lock; likewise */
};

struct waiting {
	struct job *job; /* lock; NULL: free */
	struct picture_reply reply;
};

struct pictures {
	struct pictures_options options;
	struct mutex lock;
	struct job jobs[PICTURES_WAITING_MAX];
	struct waiting waiting[PICTURES_WAITING_MAX];
	uint64_t serial;	     /* lock */
	bool stopping;		     /* lock */
	struct art_cache memory;     /* lock */
	struct pictures_stats stats; /* lock */
	int wake_fd;
	struct thread thread;
	/* the thread's own */
	struct probe *probe;
	struct picture_store *store;
	unsigned under_way_n;
	uint64_t used_ms; /* last use of a worker that may still live, else 0 */
};

/* ---- answers --------------------------------------------------------------------------------- */

/** Fill in the reply; takes nothing. */
static void fill(const struct picture_reply *r, enum err e, struct span bytes)
{
	struct buf body;

	if (e == ERR_OK && bytes.n == 0)
		e = ERR_NOTFOUND;
	if (e != ERR_OK) {
		if (e == ERR_BUSY)
			http_reply_header(r->reply, "Retry-After", SPAN("1"));
		web_refuse(r->reply, e);
		return;
	}
	buf_init(&body, PICTURE_MAX_BYTES);
	buf_add(&body, bytes);
	http_reply_status(r->reply, r->status);
	if (r->status == 412)
		http_reply_error(r->reply, 412, "The picture has changed.");
	else
		http_reply_body(r->reply, art_type(bytes), &body);
	buf_fini(&body);
}

static void free_job(struct job *job)
{
	free(TAKE(job->path));
	free(TAKE(job->name));
	free(TAKE(job->canonical));
	job->state = JOB_FREE;
}

/** All who wait for the job; it is free then. */
static void answer_job(struct pictures *p, struct job *job, enum err e, struct span bytes)
{
	struct picture_reply replies[PICTURES_WAITING_MAX];
	size_t n = 0;

	mutex_lock(&p->lock);
	for (size_t i = 0; i < ARRAY_LEN(p->waiting); i++) {
		if (p->waiting[i].job != job)
			continue;
		replies[n++] = p->waiting[i].reply;
		p->waiting[i].job = NULL;
	}
	free_job(job);
	mutex_unlock(&p->lock);
	for (size_t i = 0; i < n; i++) {
		fill(&replies[i], e, bytes);
		http_reply_resume(replies[i].reply);
	}
}

/* ---- the handlers' side ---------------------------------------------------------------------- */

static struct job *find_job(struct pictures *p, const struct picture_key *key) REQUIRES(p->lock)
{
	for (size_t i = 0; i < ARRAY_LEN(p->jobs); i++)
		if (p->jobs[i].state != JOB_FREE && p->jobs[i].key.media_id == key->media_id &&
		    p->jobs[i].key.version == key->version && p->jobs[i].key.box == key->box)
			return &p->jobs[i];
	return NULL;
}

static struct job *new_job(struct pictures *p, const struct picture_key *key,
			   const struct picture_source *source) REQUIRES(p->lock)
{
	struct job *job = p->jobs;

	while (job->state != JOB_FREE) /* there are as many as requests that may wait */
		job++;
	job->path = strndup(source->path.p, source->path.n);
	job->name = strndup(source->name.p, source->name.n);
	job->canonical =
		strndup(source->canonical.n > 0 ? source->canonical.p : "", source->canonical.n);
	if (!job->path || !job->name || !job->canonical) {
		free_job(job);
		return NULL;
	}
	job->state = JOB_NEW;
	job->serial = ++p->serial;
	job->key = *key;
	return job;
}

/** True: the reply is the thread's now. */
static bool wait_for(struct pictures *p, const struct picture_key *key,
		     const struct picture_source *source, const struct picture_reply *reply)
	REQUIRES(p->lock)
{
	size_t slot = 0;

	while (slot < ARRAY_LEN(p->waiting) && p->waiting[slot].job)
		slot++;
	if (p->stopping || slot == ARRAY_LEN(p->waiting))
		return false;
	struct job *job = find_job(p, key);
	bool is_new = !job;
	if (is_new)
		job = new_job(p, key, source);
	if (!job)
		return false;
	if (!http_reply_suspend(reply->reply)) {
		if (is_new)
			free_job(job);
		return false;
	}
	p->waiting[slot] = (struct waiting){ .job = job, .reply = *reply };
	return true;
}

static void wake(struct pictures *p)
{
	uint64_t one = 1;

	(void)!write(p->wake_fd, &one, sizeof one); /* full: it is awake */
}

void pictures_answer(struct pictures *p, const struct picture_key *key,
		     const struct picture_source *source, const struct picture_reply *reply)
{
	CLEANUP(buf_fini) struct buf bytes;
	buf_init(&bytes, PICTURE_MAX_BYTES);
	mutex_lock(&p->lock);
	const struct art_entry *known = art_cache_get(&p->memory, key);
	if (known)
		buf_add(&bytes, span_of(known->bytes, known->n));
	bool waits = !known && wait_for(p, key, source, reply);
	mutex_unlock(&p->lock);
	if (waits)
		wake(p);
	else
		fill(reply, known ? buf_err(&bytes) : ERR_BUSY, buf_span(&bytes));
}

void pictures_stats_get(struct pictures *p, struct pictures_stats *out)
{
	mutex_lock(&p->lock);
	*out = p->stats;
	mutex_unlock(&p->lock);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void remember(struct pictures *p, const struct picture_key *key, struct span bytes)
{
	mutex_lock(&p->lock);
	art_cache_put(&p->memory, key, bytes);
	if (p->store)
		picture_store_stats(p->store, &p->stats.disk);
	mutex_unlock(&p->lock);
}

/** Ask the helper. ERR_OK: its result will come. */
static enum err send_job(struct pictures *p, struct job *job)
{
	static const enum probe_kind kinds[PICTURE_BOX_N] = { PROBE_ART, PROBE_TN, PROBE_SM };
	struct probe_options options = { .workers_n = PICTURES_UNDER_WAY_MAX,
					 .program = p->options.probe_program };
	struct span name = span_str(job->name);
	struct media_source src;
	enum err e = media_source_open(span_str(job->path), job->key.media_id, &src);

	if (e != ERR_OK)
		return e;
	CLEANUP(fd_closep) int fd = src.fd;
	if (job->canonical[0] != '\0' &&
	    !media_is_where_it_was(p->options.library, span_str(job->path),
				   span_str(job->canonical), fd))
		return ERR_NOTFOUND;
	if (!p->probe)
		e = probe_new(&options, &p->probe, NULL);
	if (name.n > PROBE_NAME_MAX)
		name = span_skip(name, name.n - PROBE_NAME_MAX);
	if (e == ERR_OK)
		e = probe_send(p->probe, kinds[job->key.box], fd, name, job);
	return e == ERR_OK || e == ERR_NOMEM ? e : ERR_BUSY;
}

static void start_job(struct pictures *p, struct job *job)
{
	CLEANUP(buf_fini) struct buf kept;
	buf_init(&kept, PICTURE_MAX_BYTES);

	if (p->store && picture_store_get(p->store, &job->key, &kept) == ERR_OK) {
		remember(p, &job->key, buf_span(&kept));
		answer_job(p, job, ERR_OK, buf_span(&kept));
		return;
	}
	enum err e = send_job(p, job);
	if (e != ERR_OK)
		answer_job(p, job, e, SPAN(""));
	else
		p->under_way_n++;
}

/* A failure is remembered as well: a file that hangs the helper must not do so for each request. */
static void finish_job(struct pictures *p, const struct probe_result *result)
{
	struct job *job = result->tag;
	bool fine = result->status == PROBE_STATUS_OK;
	struct span bytes = fine ? probe_reply_art(result->facts) : SPAN("");

	p->under_way_n--;
	if (result->status == PROBE_STATUS_UNAVAILABLE) { /* not the file's fault */
		answer_job(p, job, ERR_BUSY, SPAN(""));
		return;
	}
	if (art_type(bytes)[0] == '\0' || bytes.n > PICTURE_MAX_BYTES)
		bytes = SPAN("");
	/* What took too long may have been the machine's fault: not beyond this run. */
	if (p->store && result->status != PROBE_STATUS_TIMEOUT)
		picture_store_put(p->store, &job->key, bytes);
	mutex_lock(&p->lock);
	p->stats.made_n += bytes.n > 0;
	p->stats.failed_n += bytes.n == 0;
	mutex_unlock(&p->lock);
	remember(p, &job->key, bytes);
	answer_job(p, job, ERR_OK, bytes);
}

static struct job *next_job(struct pictures *p)
{
	struct job *first = NULL;

	mutex_lock(&p->lock);
	for (size_t i = 0; i < ARRAY_LEN(p->jobs); i++)
		if (p->jobs[i].state == JOB_NEW && (!first || p->jobs[i].serial < first->serial))
			first = &p->jobs[i];
	if (first)
		first->state = JOB_UNDER_WAY;
	mutex_unlock(&p->lock);
	return first;
}

static bool is_stopping(struct pictures *p)
{
	mutex_lock(&p->lock);
	bool stopping = p->stopping;
	mutex_unlock(&p->lock);
	return stopping;
}

/* Until somebody asks, the helper has answered, or its workers have been idle for long enough. */
static void wait_for_work(struct pictures *p)
{
	struct pollfd fds[2] = { { .fd = p->wake_fd, .events = POLLIN },
				 { .fd = p->probe ? probe_poll_fd(p->probe) : -1,
				   .events = POLLIN } };
	uint64_t now_ms = clock_now_ms(), end_ms = p->used_ms + PROBE_IDLE_EXIT_MS + 50, count;
	int timeout_ms = p->used_ms == 0 || p->under_way_n > 0 ? -1
			 : end_ms > now_ms		       ? (int)(end_ms - now_ms)
							       : 0;

	if (poll(fds, 2, timeout_ms) == 0) {
		p->used_ms = 0;
		probe_reap_idle(p->probe);
	}
	if (fds[0].revents)
		(void)!read(p->wake_fd, &count, sizeof count);
}

static void open_store(struct pictures *p)
{
	if (!p->options.cache_dir)
		return;
	enum err e =
		picture_store_open(p->options.cache_dir, p->options.cache_max_bytes, &p->store);
	if (e != ERR_OK && p->options.cache_max_bytes > 0)
		log_warn(LOG_WEB, "thumbnails are not kept on disk: %s: %s",
			 QUOTE(span_str(p->options.cache_dir)), err_name(e));
	mutex_lock(&p->lock);
	if (p->store)
		picture_store_stats(p->store, &p->stats.disk);
	mutex_unlock(&p->lock);
}

static void run(void *arg)
{
	struct pictures *p = arg;
	struct probe_result result;
	struct job *job;

	open_store(p);
	while (!is_stopping(p)) {
		while (p->under_way_n < PICTURES_UNDER_WAY_MAX && (job = next_job(p)))
			start_job(p, job);
		while (p->probe && probe_recv(p->probe, 0, &result) == ERR_OK) {
			p->used_ms = clock_now_ms();
			finish_job(p, &result);
		}
		/* A result has made room: for the next first. */
		if (p->under_way_n == PICTURES_UNDER_WAY_MAX || !(job = next_job(p)))
			wait_for_work(p);
		else
			start_job(p, job);
	}
	probe_free(TAKE(p->probe)); /* here: workers die with the thread that started them */
	for (size_t i = 0; i < ARRAY_LEN(p->jobs); i++)
		if (p->jobs[i].state != JOB_FREE)
			answer_job(p, &p->jobs[i], ERR_CLOSED, SPAN(""));
	picture_store_close(TAKE(p->store));
}

/* ---- begin and end --------------------------------------------------------------------------- */

enum err pictures_new(const struct pictures_options *options, struct pictures **out)
{
	struct pictures *p = calloc(1, sizeof *p);

	if (!p)
		return ERR_NOMEM;
	p->options = *options;
	mutex_init(&p->lock);
	art_cache_init(&p->memory, ART_CACHE_BYTES);
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	enum err e = p->wake_fd < 0 ? ERR_LIMIT : thread_start(&p->thread, "pictures", run, p);
	if (e != ERR_OK)
		pictures_free(p);
	else
		*out = p;
	return e;
}

void pictures_stop(struct pictures *p)
{
	mutex_lock(&p->lock);
	p->stopping = true;
	mutex_unlock(&p->lock);
	wake(p);
	thread_join(&p->thread);
}

void pictures_free(struct pictures *p)
{
	if (!p)
		return;
	pictures_stop(p);
	fd_closep(&p->wake_fd);
	art_cache_fini(&p->memory);
	mutex_fini(&p->lock);
	free(p);
}
