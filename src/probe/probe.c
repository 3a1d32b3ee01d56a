/* SPDX-License-Identifier: MIT */
/* The client of salver-probe: jobs wait, go to workers, come back as results. */
#include "probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "probe/probe_worker.h"
#include "schema/probe_fb.h"

#define PROBE_TICK_MS                                                                              \
	500 /* how often a poller of probe_poll_fd() is woken to look at deadlines                 \
	     */
#define PROBE_TIMER_EVENT UINT32_MAX

enum tick { TICK_OFF, TICK_SLOW, TICK_NOW };

struct job_list {
	struct probe_job *first, *last;
};

struct probe {
	struct probe_program program;
	unsigned timeout_ms;
	int epoll_fd;
	int timer_fd; /* in epoll_fd: hung workers and results without a packet wake the poller */
	enum tick tick;
	bool warned_unlocked;
	bool warned_unstartable;
	unsigned starts_failed_n; /* in a row, of all workers */
	unsigned workers_n;
	unsigned pending_n;
	uint32_t sequence;
	struct probe_worker workers[PROBE_WORKERS_MAX];
	struct job_list waiting;  /* not sent, or to be sent again */
	struct job_list finished; /* results without facts; `kind` is the status */
	struct job_list unused;
	struct probe_job jobs[PROBE_WORKERS_MAX * PROBE_DEPTH];
	uint8_t *large; /* a reply that came in a memfd; NULL: none since the last probe_recv() */
	_Alignas(8) uint8_t packet[sizeof(struct probe_reply_header) + PROBE_INLINE_MAX_BYTES];
};

static void list_push(struct job_list *l, struct probe_job *job)
{
	job->next = NULL;
	if (l->last)
		l->last->next = job;
	else
		l->first = job;
	l->last = job;
}

static void list_push_front(struct job_list *l, struct probe_job *job)
{
	job->next = l->first;
	l->first = job;
	if (!l->last)
		l->last = job;
}

static struct probe_job *list_pop(struct job_list *l)
{
	struct probe_job *job = l->first;

	if (job) {
		l->first = job->next;
		if (!l->first)
			l->last = NULL;
	}
	return job;
}

static void job_release(struct probe *p, struct probe_job *job)
{
	fd_closep(&job->fd);
	list_push(&p->unused, job);
	p->pending_n--;
}

static void job_finish(struct probe *p, struct probe_job *job, uint8_t status)
{
	job->kind = status;
	list_push(&p->finished, job);
}

static uint64_t backoff_ms(unsigned failures_n)
{
	uint64_t pause = (uint64_t)PROBE_BACKOFF_MIN_MS << MIN(failures_n, 16u);

	return failures_n <= 1 ? 0 : MIN(pause, (uint64_t)PROBE_BACKOFF_MAX_MS);
}

/* A worker could not be started, or was lost before it was ready: no file is to blame. After a few
 * such starts in a row the program is left alone for a while. */
static void start_failed(struct probe *p, const char *why)
{
	uint64_t retry_at_ms = clock_now_ms() + PROBE_RETRY_MS;

	if (++p->starts_failed_n < PROBE_START_TRIES)
		return;
	for (unsigned i = 0; i < p->workers_n; i++)
		p->workers[i].start_at_ms = MAX(p->workers[i].start_at_ms, retry_at_ms);
	if (p->warned_unstartable)
		return;
	p->warned_unstartable = true;
	log_warn(LOG_PROBE,
		 "salver-probe cannot be started: %s: %s; files are listed by name until it works",
		 QUOTE(span_str(p->program.path)), why);
}

/* The worker has ended, hangs or lies. The oldest job is to blame if the worker ever was ready;
 * the others wait again, before the newer ones. */
static void worker_lost(struct probe *p, struct probe_worker *w, uint8_t status)
{
	bool was_ready = w->ready;
	struct job_list again = { 0 };
	struct probe_job *job;

	probe_worker_end(w);
	w->failures_n++;
	w->start_at_ms = clock_now_ms() + backoff_ms(w->failures_n);
	if (was_ready && (job = probe_worker_pop(w)))
		job_finish(p, job, status);
	while ((job = probe_worker_pop(w)))
		list_push(&again, job);
	if (again.first) {
		again.last->next = p->waiting.first;
		if (!p->waiting.first)
			p->waiting.last = again.last;
		p->waiting.first = again.first;
	}
	if (!was_ready)
		start_failed(p, status == PROBE_STATUS_TIMEOUT ? "it is never ready"
							       : "it ends before it is ready");
}

static bool worker_start(struct probe *p, struct probe_worker *w)
{
	enum err e = probe_worker_start(w, &p->program, p->timeout_ms);
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = (uint32_t)(w - p->workers) };

	if (e == ERR_OK && epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, w->sock, &ev) == 0)
		return true;
	int os_errno = errno;
	probe_worker_end(w);
	w->failures_n++;
	w->start_at_ms = clock_now_ms() + backoff_ms(w->failures_n + 1);
	start_failed(p, strerror(os_errno));
	return false;
}

/* An idle worker, else a new one, else the one with the least to do; NULL: none now. */
static struct probe_worker *choose_worker(struct probe *p, uint64_t now_ms)
{
	struct probe_worker *least = NULL;
	struct probe_worker *startable = NULL;

	for (unsigned i = 0; i < p->workers_n; i++) {
		struct probe_worker *w = &p->workers[i];

		if (w->pid == 0) {
			if (!startable && now_ms >= w->start_at_ms)
				startable = w;
		} else if (!w->deaf && w->jobs_n < PROBE_DEPTH &&
			   (!least || w->jobs_n < least->jobs_n)) {
			least = w;
		}
	}
	if (startable && (!least || least->jobs_n > 0) && worker_start(p, startable))
		return startable;
	return least;
}

/* No worker runs, and none is going to for a while. */
static bool is_unavailable(const struct probe *p)
{
	for (unsigned i = 0; i < p->workers_n; i++)
		if (p->workers[i].pid != 0)
			return false;
	return p->starts_failed_n >= PROBE_START_TRIES;
}

/* Hand out what waits. */
static void pump(struct probe *p)
{
	while (p->waiting.first) {
		struct probe_worker *w = choose_worker(p, clock_now_ms());

		if (!w && !is_unavailable(p))
			return;
		struct probe_job *job = list_pop(&p->waiting);
		if (!w) {
			job_finish(p, job, PROBE_STATUS_UNAVAILABLE);
			continue;
		}
		enum err e = probe_worker_send(w, job, p->timeout_ms);
		if (e == ERR_OK)
			continue;
		if (e != ERR_CLOSED && e != ERR_BUSY && w->jobs_n == 0) {
			job_finish(p, job, PROBE_STATUS_UNREADABLE); /* and never will be sent */
			continue;
		}
		list_push_front(&p->waiting, job);
		if (e != ERR_CLOSED)
			return; /* full, or too many descriptors on their way: later */
		/* It has ended; what it answered before that is read first, then it is lost. */
		w->deaf = true;
	}
}

/* Wake the poller now (a result is there without a packet), now and then, or not at all. */
static void set_tick(struct probe *p)
{
	enum tick want = p->finished.first ? TICK_NOW : p->pending_n > 0 ? TICK_SLOW : TICK_OFF;
	struct itimerspec t = { 0 };

	if (want == p->tick)
		return;
	if (want != TICK_OFF) {
		t.it_interval.tv_nsec = PROBE_TICK_MS * 1000000L;
		t.it_value.tv_nsec = want == TICK_NOW ? 1 : t.it_interval.tv_nsec;
	}
	if (timerfd_settime(p->timer_fd, 0, &t, NULL) == 0)
		p->tick = want;
}

enum err probe_send(struct probe *p, enum probe_kind kind, int fd, struct span name, void *tag)
{
	if (name.n > PROBE_NAME_MAX)
		return ERR_INVALID;
	if (!p->unused.first || p->pending_n >= p->workers_n * PROBE_DEPTH)
		return ERR_BUSY;
	CLEANUP(fd_closep) int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return err_from_errno(errno);
	struct probe_job *job = list_pop(&p->unused);
	job->tag = tag;
	job->fd = fd_take(&copy);
	job->kind = kind;
	job->sequence = ++p->sequence == PROBE_HELLO ? ++p->sequence : p->sequence;
	job->name_n = (uint16_t)name.n;
	if (name.n > 0)
		memcpy(job->name, name.p, name.n);
	list_push(&p->waiting, job);
	p->pending_n++;
	pump(p);
	set_tick(p);
	return ERR_OK;
}

/* The reply of header `h`: the packet's rest, or the content of the memfd. */
static enum err reply_bytes(struct probe *p, const struct probe_reply_header *h, size_t packet_n,
			    int memory, struct span *out)
{
	if (memory < 0) {
		*out = span_of(p->packet + sizeof *h, packet_n - sizeof *h);
		return out->n == h->size ? ERR_OK : ERR_INVALID;
	}
	if (h->size > PROBE_REPLY_MAX_BYTES || packet_n != sizeof *h)
		return ERR_INVALID;
	free(p->large); /* of another worker, whose reply was nonsense */
	p->large = malloc(h->size);
	if (!p->large)
		return ERR_NOMEM;
	*out = span_of(p->large, h->size);
	/* Read, not mapped: the worker could shorten it under our eyes. */
	return fd_pread_all(memory, p->large, h->size, 0);
}

static void take_hello(struct probe *p, struct probe_worker *w, uint32_t flag)
{
	w->ready = true;
	p->starts_failed_n = 0;
	p->warned_unstartable = false;
	w->deadline_ms = w->jobs_n > 0 ? clock_now_ms() + p->timeout_ms : 0;
	if (flag == PROBE_HELLO_UNLOCKED && !p->warned_unlocked) {
		p->warned_unlocked = true;
		log_warn(LOG_PROBE,
			 "this system forbids seccomp: media files are read by processes "
			 "with limits, but without a sandbox");
	}
}

/* One packet of one worker. ERR_OK: *out is a result. ERR_BUSY: nothing (more) there. */
static enum err worker_receive(struct probe *p, struct probe_worker *w, struct probe_result *out)
{
	struct probe_reply_header h;
	size_t n = 0;
	CLEANUP(fd_closep) int memory = -1;
	struct span reply;
	struct fb_table facts;
	enum err e = fd_recv_packet(w->sock, p->packet, sizeof p->packet, &n, &memory);

	/* A worker that dies with requests unread resets the socket, and Linux tells that before it
	 * hands out the replies that came first. Told once, it is over; a real end stays. */
	if (e == ERR_CLOSED)
		e = fd_recv_packet(w->sock, p->packet, sizeof p->packet, &n, &memory);
	if (e != ERR_OK || n < sizeof h)
		return e == ERR_OK ? ERR_INVALID : e;
	memcpy(&h, p->packet, sizeof h);
	if (!w->ready) {
		if (h.sequence != PROBE_HELLO)
			return ERR_INVALID;
		take_hello(p, w, h.size);
		return ERR_BUSY;
	}
	if (!w->first || h.sequence != w->first->sequence)
		return ERR_INVALID;
	e = reply_bytes(p, &h, n, memory, &reply);
	if (e == ERR_OK)
		e = probe_reply_verify(reply, &facts);
	if (e != ERR_OK)
		return e;
	struct probe_job *job = probe_worker_pop(w);
	w->failures_n = 0;
	w->idle_since_ms = clock_now_ms();
	w->deadline_ms = w->jobs_n > 0 ? w->idle_since_ms + p->timeout_ms : 0;
	*out = (struct probe_result){ .tag = job->tag,
				      .status = (uint8_t)probe_reply_status(facts),
				      .facts = facts };
	job_release(p, job);
	return ERR_OK;
}

/* As worker_receive(), with the loss of the worker dealt with. True: *out is a result. */
static bool worker_event(struct probe *p, struct probe_worker *w, struct probe_result *out)
{
	enum err e = worker_receive(p, w, out);

	if (e != ERR_OK && e != ERR_BUSY)
		worker_lost(p, w, PROBE_STATUS_CRASHED);
	return e == ERR_OK;
}

/* Workers past their deadline; an answer that is there already still counts. */
static bool check_deadlines(struct probe *p, struct probe_result *out)
{
	uint64_t now_ms = clock_now_ms();

	for (unsigned i = 0; i < p->workers_n; i++) {
		struct probe_worker *w = &p->workers[i];

		if (w->pid == 0 || w->deadline_ms == 0 || now_ms < w->deadline_ms)
			continue;
		if (worker_event(p, w, out))
			return true;
		if (w->pid != 0 && w->deadline_ms != 0 && now_ms >= w->deadline_ms)
			worker_lost(p, w, PROBE_STATUS_TIMEOUT);
	}
	return false;
}

/* Milliseconds until a deadline or the end of a pause, at most `limit_ms`. */
static int wait_ms(const struct probe *p, uint64_t limit_ms)
{
	uint64_t now_ms = clock_now_ms();
	uint64_t wait = MIN(limit_ms, (uint64_t)INT_MAX);

	for (unsigned i = 0; i < p->workers_n; i++) {
		const struct probe_worker *w = &p->workers[i];
		uint64_t at = w->pid != 0 ? w->deadline_ms : p->waiting.first ? w->start_at_ms : 0;

		if (at != 0)
			wait = MIN(wait, at > now_ms ? at - now_ms : 0);
	}
	return (int)wait;
}

/* One turn: wait up to `limit_ms` for an event and deal with it. True: *out is a result. */
static bool turn(struct probe *p, uint64_t limit_ms, struct probe_result *out)
{
	struct epoll_event ev;
	int n = epoll_wait(p->epoll_fd, &ev, 1, wait_ms(p, limit_ms));

	if (n == 1 && ev.data.u32 == PROBE_TIMER_EVENT) {
		uint64_t ticks;

		if (read(p->timer_fd, &ticks, sizeof ticks) < 0)
			ticks = 0; /* another look has taken them */
	} else if (n == 1 && p->workers[ev.data.u32].pid != 0) {
		return worker_event(p, &p->workers[ev.data.u32], out);
	}
	return check_deadlines(p, out);
}

/* A result without facts: the worker was lost. */
static bool take_finished(struct probe *p, struct probe_result *out)
{
	struct probe_job *job = list_pop(&p->finished);

	if (!job)
		return false;
	*out = (struct probe_result){ .tag = job->tag, .status = (uint8_t)job->kind };
	job_release(p, job);
	return true;
}

enum err probe_recv(struct probe *p, int timeout_ms, struct probe_result *out)
{
	uint64_t end_ms = clock_now_ms() + (timeout_ms > 0 ? (uint64_t)timeout_ms : 0);
	bool last_look = false;

	free(TAKE(p->large));
	if (p->pending_n == 0)
		return ERR_NOTFOUND;
	for (;;) {
		pump(p);
		uint64_t now_ms = clock_now_ms();
		if (take_finished(p, out) || turn(p, end_ms > now_ms ? end_ms - now_ms : 0, out)) {
			pump(p);
			set_tick(p);
			return ERR_OK;
		}
		/* The time is over only when a look has found nothing after it. */
		if (last_look && !p->finished.first) {
			set_tick(p);
			return ERR_TIMEOUT;
		}
		last_look = clock_now_ms() >= end_ms;
	}
}

unsigned probe_pending(const struct probe *p)
{
	return p->pending_n;
}

int probe_poll_fd(const struct probe *p)
{
	return p->epoll_fd;
}

void probe_reap_idle(struct probe *p)
{
	uint64_t now_ms = clock_now_ms();

	for (unsigned i = 0; i < p->workers_n; i++) {
		struct probe_worker *w = &p->workers[i];

		probe_worker_collect(w);
		if (w->pid != 0 && w->jobs_n == 0 &&
		    now_ms - w->idle_since_ms >= PROBE_IDLE_EXIT_MS)
			probe_worker_end(w);
	}
}

/* salver-probe lies beside the program that runs, installed or in the build tree. Whether it can be
 * run is seen when it is needed: it may be installed later. */
static enum err find_program(const char *given, char **out, struct err_info *info)
{
	char path[PATH_MAX];

	if (given) {
		*out = strdup(given);
	} else {
		ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
		size_t slash = n > 0 ? span_rfind(span_of(path, (size_t)n), '/') : 0;
		static const char name[] = "/salver-probe";

		if (n <= 0 || slash + sizeof name > sizeof path)
			return err_set(info, ERR_NOTFOUND, errno,
				       "cannot tell where salver is installed");
		memcpy(path + slash, name, sizeof name);
		*out = strdup(path);
	}
	return *out ? ERR_OK : ERR_NOMEM;
}

static enum err open_events(struct probe *p, struct err_info *info)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = PROBE_TIMER_EVENT };

	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	p->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (p->epoll_fd < 0 || p->timer_fd < 0 ||
	    epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, p->timer_fd, &ev) != 0)
		return err_set(info, err_from_errno(errno), errno,
			       "no descriptors for salver-probe");
	return ERR_OK;
}

static void probe_freep(struct probe **p)
{
	probe_free(*p);
}

enum err probe_new(const struct probe_options *options, struct probe **out, struct err_info *info)
{
	CLEANUP(probe_freep) struct probe *p = calloc(1, sizeof *p);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned workers_n = options->workers_n > 0 ? options->workers_n
			     : cpus > 0		    ? (unsigned)cpus
						    : 1;

	if (!p)
		return ERR_NOMEM;
	p->program.tag_encoding = options->tag_encoding;
	p->epoll_fd = -1;
	p->timer_fd = -1;
	p->workers_n = MIN(workers_n, (unsigned)PROBE_WORKERS_MAX);
	p->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : PROBE_TIMEOUT_MS;
	for (size_t i = 0; i < ARRAY_LEN(p->workers); i++)
		p->workers[i].sock = -1;
	for (size_t i = 0; i < ARRAY_LEN(p->jobs); i++) {
		p->jobs[i].fd = -1;
		list_push(&p->unused, &p->jobs[i]);
	}
	enum err e = find_program(options->program, &p->program.path, info);
	if (e == ERR_OK)
		e = open_events(p, info);
	if (e != ERR_OK)
		return e;
	*out = TAKE(p);
	return ERR_OK;
}

void probe_free(struct probe *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->workers_n; i++)
		probe_worker_end(&p->workers[i]);
	for (size_t i = 0; i < ARRAY_LEN(p->jobs); i++)
		fd_closep(&p->jobs[i].fd);
	fd_closep(&p->timer_fd);
	fd_closep(&p->epoll_fd);
	free(p->program.path);
	free(p->large);
	free(p);
}
