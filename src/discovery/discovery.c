/* SPDX-License-Identifier: MIT */
/* The thread that keeps one helper per interface running. It alone touches the helpers; start,
 * stop and statistics reach it through atomics and an eventfd. */
#include "discovery/discovery.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/thread.h"
#include "discovery/helper_process.h"
#include "discovery/links.h"

#define PROGRAM_MAX 4096
#define NEVER_MS UINT64_MAX

struct discovery {
	struct thread thread;
	int wake_fd, watch_fd;
	atomic_bool stopping;
	struct counter running_n, restarts_n;
	uint16_t port;
	char program[PROGRAM_MAX];
	char names[LINKS_MAX][IF_NAMESIZE]; /* none: all that can multicast */
	bool warned[LINKS_MAX];
	unsigned names_n;
	struct helper helpers[LINKS_MAX];
	unsigned helpers_n;
};

static struct helper *helper_find(struct discovery *d, const char *name)
{
	for (unsigned i = 0; i < d->helpers_n; i++)
		if (strcmp(d->helpers[i].name, name) == 0)
			return &d->helpers[i];
	return NULL;
}

/* One warning per named interface that will not be announced on. */
static void names_warn(struct discovery *d, const struct link_info *links, unsigned n)
{
	for (unsigned i = 0; i < d->names_n; i++) {
		const struct link_info *l = links_find(links, n, d->names[i]);
		if (d->warned[i] || (l && link_is_ready(l)))
			continue;
		d->warned[i] = true;
		if (l && !link_can_multicast(l))
			log_warn(LOG_DISCOVERY,
				 "interface %s cannot multicast: not announced there, serving on",
				 QUOTE(span_str(d->names[i])));
		else
			log_warn(LOG_DISCOVERY,
				 "interface %s is not up with an IPv4 address: announced there "
				 "as soon as it is",
				 QUOTE(span_str(d->names[i])));
	}
}

static bool is_named(const struct discovery *d, const char *name)
{
	for (unsigned i = 0; i < d->names_n; i++)
		if (strcmp(d->names[i], name) == 0)
			return true;
	return d->names_n == 0;
}

/* Make the helpers follow the interfaces: an address that changed or went means byebye. */
static void links_follow(struct discovery *d, uint64_t now_ms)
{
	struct link_info links[LINKS_MAX];
	unsigned n = links_read(links);

	names_warn(d, links, n);
	for (unsigned i = 0; i < d->helpers_n; i++) {
		struct helper *h = &d->helpers[i];
		const struct link_info *l = links_find(links, n, h->name);
		bool same = l && link_is_ready(l) && l->address.s_addr == h->address.s_addr &&
			    l->mask.s_addr == h->mask.s_addr;
		if (!same)
			helper_end(h, now_ms);
		if (!same && h->pid == 0) /* a new one, with a new address, follows below */
			d->helpers[i--] = d->helpers[--d->helpers_n];
	}
	for (unsigned i = 0; i < n; i++) {
		if (!link_is_ready(&links[i]) || !is_named(d, links[i].name) ||
		    helper_find(d, links[i].name) || d->helpers_n == LINKS_MAX)
			continue;
		helper_init(&d->helpers[d->helpers_n++], &links[i]);
	}
}

static void helpers_start_due(struct discovery *d, uint64_t now_ms)
{
	unsigned running_n = 0;
	for (unsigned i = 0; i < d->helpers_n; i++) {
		struct helper *h = &d->helpers[i];
		if (h->pid == 0 && now_ms >= h->deadline_ms)
			helper_start(h, d->program, d->port, now_ms);
		helper_check_deadline(h, now_ms);
		running_n += h->announced;
	}
	counter_set(&d->running_n, running_n);
}

static uint64_t next_deadline_ms(const struct discovery *d)
{
	uint64_t next = NEVER_MS;
	for (unsigned i = 0; i < d->helpers_n; i++)
		if (d->helpers[i].pid == 0 || d->helpers[i].ending)
			next = MIN(next, d->helpers[i].deadline_ms);
	return next;
}

/* Waits for news. Returns whether addresses may have changed. */
static bool wait_for_news(struct discovery *d)
{
	struct pollfd fds[2 + 2 * LINKS_MAX] = { { .fd = d->wake_fd, .events = POLLIN },
						 { .fd = d->watch_fd, .events = POLLIN } };
	uint64_t now_ms = clock_now_ms(), next_ms = next_deadline_ms(d);
	int wait_ms = next_ms == NEVER_MS ? -1 : next_ms <= now_ms ? 0 : (int)(next_ms - now_ms);
	uint64_t wakes;
	bool changed = false;

	for (unsigned i = 0; i < d->helpers_n; i++) {
		fds[2 + 2 * i] = (struct pollfd){ .fd = d->helpers[i].pid_fd, .events = POLLIN };
		fds[3 + 2 * i] =
			(struct pollfd){ .fd = d->helpers[i].control_fd, .events = POLLIN };
	}
	if (poll(fds, 2 + 2 * d->helpers_n, wait_ms) <= 0)
		return false;
	now_ms = clock_now_ms();
	if (fds[0].revents && read(d->wake_fd, &wakes, sizeof wakes) < 0 && errno != EAGAIN)
		log_error(LOG_DISCOVERY, "cannot read an eventfd");
	if (fds[1].revents) {
		links_watch_drain(d->watch_fd);
		changed = true;
	}
	for (unsigned i = 0; i < d->helpers_n; i++) {
		struct helper *h = &d->helpers[i];
		if (fds[3 + 2 * i].revents)
			helper_control_read(h);
		if (!fds[2 + 2 * i].revents)
			continue;
		changed = true; /* where it was told to end, another may be due */
		if (helper_reap(h, now_ms))
			counter_add(&d->restarts_n, 1);
	}
	return changed;
}

/* Byebye everywhere; whoever does not end is killed by helper_check_deadline(). */
static void helpers_end(struct discovery *d)
{
	for (unsigned i = 0; i < d->helpers_n; i++)
		helper_end(&d->helpers[i], clock_now_ms());
	for (;;) {
		for (unsigned i = 0; i < d->helpers_n; i++)
			if (d->helpers[i].pid == 0)
				d->helpers[i--] = d->helpers[--d->helpers_n];
		if (d->helpers_n == 0)
			return;
		wait_for_news(d);
		for (unsigned i = 0; i < d->helpers_n; i++)
			helper_check_deadline(&d->helpers[i], clock_now_ms());
	}
}

static void discovery_run(void *arg)
{
	struct discovery *d = arg;
	bool changed = true;

	while (!atomic_load(&d->stopping)) {
		if (changed)
			links_follow(d, clock_now_ms());
		helpers_start_due(d, clock_now_ms());
		changed = wait_for_news(d);
	}
	helpers_end(d);
}

/* salver-discovery beside the program that runs. */
static enum err program_find(const char *given, char out[PROGRAM_MAX], struct err_info *info)
{
	if (given) {
		if (snprintf(out, PROGRAM_MAX, "%s", given) >= PROGRAM_MAX)
			return err_set(info, ERR_LIMIT, 0,
				       "the path of salver-discovery is too long");
		return ERR_OK;
	}
	static const char name[] = "salver-discovery";
	ssize_t n = readlink("/proc/self/exe", out, PROGRAM_MAX - sizeof name);
	if (n <= 0)
		return err_set(info, ERR_IO, errno, "cannot find salver-discovery");
	while (n > 0 && out[n - 1] != '/')
		n--;
	memcpy(out + n, name, sizeof name);
	return ERR_OK;
}

static void discovery_freep(struct discovery **d)
{
	if (!*d)
		return;
	fd_closep(&(*d)->wake_fd);
	fd_closep(&(*d)->watch_fd);
	free(*d);
	*d = NULL;
}

enum err discovery_start(const struct discovery_options *options, struct discovery **out,
			 struct err_info *info)
{
	CLEANUP(discovery_freep) struct discovery *d = calloc(1, sizeof *d);
	if (!d)
		return err_set(info, ERR_NOMEM, 0, "no memory for discovery");
	d->wake_fd = -1;
	d->watch_fd = links_watch_open();
	d->port = options->http_port;
	if (d->watch_fd < 0)
		return err_set(info, err_from_errno(errno), errno,
			       "cannot watch network addresses");
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->wake_fd < 0)
		return err_set(info, err_from_errno(errno), errno, "no eventfd");
	if (options->interfaces_n > LINKS_MAX)
		return err_set(info, ERR_LIMIT, 0, "more than %d interfaces", LINKS_MAX);
	for (unsigned i = 0; i < options->interfaces_n; i++)
		snprintf(d->names[d->names_n++], IF_NAMESIZE, "%s", options->interfaces[i]);
	enum err e = program_find(options->program, d->program, info);
	if (e == ERR_OK)
		e = thread_start(&d->thread, "discovery", discovery_run, d);
	if (e != ERR_OK)
		return e;
	*out = TAKE(d);
	return ERR_OK;
}

void discovery_stop(struct discovery *d)
{
	if (!d)
		return;
	uint64_t one = 1;
	atomic_store(&d->stopping, true);
	/* cannot fail: the counter is far from full */
	if (write(d->wake_fd, &one, sizeof one) < 0)
		log_error(LOG_DISCOVERY, "cannot wake discovery");
	thread_join(&d->thread);
	discovery_freep(&d);
}

void discovery_stats_get(struct discovery *d, struct discovery_stats *out)
{
	out->helpers_n = (unsigned)counter_get(&d->running_n);
	out->restarts_n = (unsigned)counter_get(&d->restarts_n);
}
