/* SPDX-License-Identifier: MIT */
/* Events: who is subscribed (UDA 1.0 section 4.1). */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "dlna/description.h"
#include "dlna/gena_priv.h"

/* ---- start and end --------------------------------------------------------------------------- */

void subscription_free(struct subscription *s)
{
	delivery_end(&s->delivery);
	free(s);
}

static void gena_freep(struct gena **g)
{
	gena_free(*g);
}

enum err gena_new(struct dlna *d, struct gena **out)
{
	CLEANUP(gena_freep) struct gena *g = calloc(1, sizeof *g);

	if (!g)
		return ERR_NOMEM;
	g->dlna = d;
	mutex_init(&g->lock);
	g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->epoll_fd < 0 || g->wake_fd < 0)
		return ERR_LIMIT;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	if (epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, g->wake_fd, &ev) != 0)
		return ERR_LIMIT;
	enum err e = thread_start(&g->thread, "salver-gena", gena_run, g);
	if (e != ERR_OK)
		return e;
	*out = TAKE(g);
	return ERR_OK;
}

void gena_free(struct gena *g)
{
	if (!g)
		return;
	mutex_lock(&g->lock);
	g->stopping = true;
	mutex_unlock(&g->lock);
	gena_wake(g);
	thread_join(&g->thread);

	mutex_lock(&g->lock);
	while (g->subscriptions) {
		struct subscription *s = g->subscriptions;

		g->subscriptions = s->next;
		subscription_free(s);
	}
	mutex_unlock(&g->lock);
	fd_closep(&g->epoll_fd);
	fd_closep(&g->wake_fd);
	mutex_fini(&g->lock);
	free(g);
}

void gena_wake(struct gena *g)
{
	uint64_t one = 1;

	if (g->wake_fd >= 0)
		(void)!write(g->wake_fd, &one, sizeof one); /* full: it is awake already */
}

/* ---- finding --------------------------------------------------------------------------------- */

static struct subscription *find(struct gena *g, enum upnp_service service, struct span sid)
	REQUIRES(&g->lock)
{
	for (struct subscription *s = g->subscriptions; s; s = s->next)
		if (!s->gone && s->service == service && span_eq(span_str(s->sid), sid))
			return s;
	return NULL;
}

static void drop(struct gena *g, struct subscription *s) REQUIRES(&g->lock)
{
	s->gone = true;
	g->subscriptions_n--;
}

/** Whether there is room for one more of this peer's. A device that restarted without a word comes
 * with the callback that it had: its oldest such subscription makes room. */
static bool make_room(struct gena *g, const struct subscription *fresh) REQUIRES(&g->lock)
{
	unsigned own_n = 0;
	struct subscription *stale = NULL; /* the list is newest first, so the last is the oldest */

	for (struct subscription *s = g->subscriptions; s; s = s->next) {
		if (s->gone || !same_host(&s->peer, &fresh->peer))
			continue;
		own_n++;
		if (s->service == fresh->service &&
		    strcmp(s->callbacks[0].host, fresh->callbacks[0].host) == 0 &&
		    strcmp(s->callbacks[0].path, fresh->callbacks[0].path) == 0)
			stale = s;
	}
	if (own_n < GENA_SUBSCRIPTIONS_PER_ADDRESS_MAX &&
	    g->subscriptions_n < GENA_SUBSCRIPTIONS_MAX)
		return true;
	if (stale)
		drop(g, stale);
	return stale != NULL;
}

/* ---- subscribing ----------------------------------------------------------------------------- */

static void sid_make(char out[GENA_SID_MAX])
{
	uint8_t uuid[16];
	struct buf text;

	if (getrandom(uuid, sizeof uuid, 0) != (ssize_t)sizeof uuid)
		memset(uuid, 0, sizeof uuid); /* cannot happen for so few bytes */
	uuid[6] = (uint8_t)((uuid[6] & 0x0F) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3F) | 0x80);
	buf_init(&text, GENA_SID_MAX);
	buf_add_str(&text, "uuid:");
	description_uuid_add(uuid, &text);
	struct span s = span_first(buf_span(&text), GENA_SID_MAX - 1);
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	buf_fini(&text);
}

/** Keeps the callbacks that are near, and gives link-local ones the interface they mean. */
static void keep_near(struct subscription *s, const struct sockaddr_storage *local)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->callbacks_n; i++) {
		struct callback *cb = &s->callbacks[i];

		if (!address_is_near(&cb->address, local))
			continue;
		if (cb->address.ss_family == AF_INET6 && local->ss_family == AF_INET6)
			((struct sockaddr_in6 *)&cb->address)->sin6_scope_id =
				((const struct sockaddr_in6 *)local)->sin6_scope_id;
		s->callbacks[kept++] = *cb;
	}
	s->callbacks_n = kept;
}

static void freep(struct subscription **s)
{
	free(*s);
}

static unsigned subscribe_new(struct gena *g, enum upnp_service service,
			      const struct gena_request *request, char out_sid[GENA_SID_MAX])
{
	CLEANUP(freep) struct subscription *s = calloc(1, sizeof *s);
	size_t callbacks_n;

	if (!s)
		return 503;
	if (!span_eq(span_trim(request->nt), SPAN("upnp:event")) ||
	    callbacks_parse(request->callback, s->callbacks, &callbacks_n) != ERR_OK)
		return 412;
	s->callbacks_n = (unsigned)callbacks_n;
	keep_near(s, &request->local);
	if (s->callbacks_n == 0)
		return 412;

	uint64_t now = clock_now_ms();
	s->service = service;
	s->peer = request->peer;
	s->expires_ms = now + GENA_TIMEOUT_S * 1000u;
	s->not_before_ms = now + GENA_FIRST_DELAY_MS;
	s->first_due = true;
	s->delivery.fd = -1;
	buf_init(&s->delivery.out, DELIVERY_BYTES_MAX);
	sid_make(s->sid);

	mutex_lock(&g->lock);
	bool room = make_room(g, s);
	if (room) {
		memcpy(out_sid, s->sid, GENA_SID_MAX);
		s->next = g->subscriptions;
		g->subscriptions = TAKE(s);
		g->subscriptions_n++;
	}
	mutex_unlock(&g->lock);
	if (room)
		gena_wake(g);
	return room ? 200 : 503;
}

static unsigned renew(struct gena *g, enum upnp_service service, struct span sid,
		      char out_sid[GENA_SID_MAX])
{
	mutex_lock(&g->lock);
	struct subscription *s = find(g, service, sid);
	if (s) {
		s->expires_ms = clock_now_ms() + GENA_TIMEOUT_S * 1000u;
		memcpy(out_sid, s->sid, GENA_SID_MAX);
	}
	mutex_unlock(&g->lock);
	return s ? 200 : 412;
}

unsigned gena_subscribe(struct gena *g, enum upnp_service service,
			const struct gena_request *request, char out_sid[GENA_SID_MAX])
{
	if (!request->sid.p)
		return subscribe_new(g, service, request, out_sid);
	if (request->nt.p || request->callback.p)
		return 400;
	return renew(g, service, span_trim(request->sid), out_sid);
}

unsigned gena_unsubscribe(struct gena *g, enum upnp_service service,
			  const struct gena_request *request)
{
	if (request->sid.p && (request->nt.p || request->callback.p))
		return 400;
	mutex_lock(&g->lock);
	struct subscription *s = request->sid.p ? find(g, service, span_trim(request->sid)) : NULL;
	if (s)
		drop(g, s);
	mutex_unlock(&g->lock);
	if (s)
		gena_wake(g);
	return s ? 200 : 412;
}

/* ---- changes --------------------------------------------------------------------------------- */

void gena_notify(struct gena *g, const struct library_change *change)
{
	mutex_lock(&g->lock);
	gena_changes_add(&g->changes, change);
	bool listeners = g->subscriptions_n > 0;
	mutex_unlock(&g->lock);
	if (listeners)
		gena_wake(g);
}

void gena_stats_get(struct gena *g, struct gena_stats *out)
{
	mutex_lock(&g->lock);
	out->subscriptions_n = g->subscriptions_n;
	mutex_unlock(&g->lock);
	out->events_n = counter_get(&g->events_n);
}
