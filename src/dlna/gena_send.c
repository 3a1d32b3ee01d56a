/* SPDX-License-Identifier: MIT */
/* Events: the thread that sends them (UDA 1.0 section 4.2), over non-blocking sockets. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"
#include "dlna/dlna_priv.h"
#include "dlna/gena_priv.h"

#define EVENTS_AT_ONCE 16
#define NEVER UINT64_MAX

void delivery_end(struct delivery *dl)
{
	fd_closep(&dl->fd); /* leaves the epoll set by itself */
	buf_fini(&dl->out);
	dl->phase = DELIVERY_IDLE;
}

/* ---- what is said ---------------------------------------------------------------------------- */

static void property_add(struct gena *g, const struct subscription *s,
			 const struct state_variable *v, struct buf *out) REQUIRES(&g->lock)
{
	buf_addf(out, "<e:property><%s>", v->name);
	if (strcmp(v->name, "ContainerUpdateIDs") != 0)
		v->get(g->dlna, out);
	else if (!s->first_due) /* its initial value is "" */
		gena_changes_list(&g->changes, s->serial, out);
	buf_addf(out, "</%s></e:property>", v->name);
}

static void message_make(struct gena *g, struct subscription *s) REQUIRES(&g->lock)
{
	struct delivery *dl = &s->delivery;
	const struct callback *cb = &s->callbacks[dl->callback_at];
	struct buf body;

	buf_init(&body, DELIVERY_BYTES_MAX);
	buf_add_str(&body, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			   "<e:propertyset xmlns:e=\"urn:schemas-upnp-org:event-1-0\">");
	const struct state_variable *v = services[s->service].variables;
	for (; v->name; v++)
		if (v->evented)
			property_add(g, s, v, &body);
	buf_add_str(&body, "</e:propertyset>\n");

	buf_clear(&dl->out);
	buf_addf(&dl->out,
		 "NOTIFY %s HTTP/1.1\r\nHOST: %s\r\nCONTENT-TYPE: " DLNA_XML_TYPE
		 "\r\nCONTENT-LENGTH: %zu\r\nNT: upnp:event\r\nNTS: upnp:propchange\r\n"
		 "SID: %s\r\nSEQ: %u\r\nCONNECTION: close\r\n\r\n",
		 cb->path, cb->host, body.n, s->sid, (unsigned)s->seq);
	buf_add(&dl->out, buf_span(&body));
	if (buf_err(&body) != ERR_OK)
		dl->out.err = buf_err(&body);
	buf_fini(&body);
	dl->commit = g->changes.commit;
	dl->serial = g->changes.serial;
}

/* ---- one delivery, step by step -------------------------------------------------------------- */

/** UDA 1.0 section 4.2.1: from the greatest value on to 1, because 0 is the initial event's. */
static void seq_advance(struct subscription *s)
{
	s->seq = s->seq == UINT32_MAX ? 1 : s->seq + 1;
}

static void delivered(struct gena *g, struct subscription *s, uint64_t now)
{
	counter_add(&g->events_n, 1);
	s->commit = s->delivery.commit;
	s->serial = s->delivery.serial;
	s->first_due = false;
	s->failures_n = 0;
	seq_advance(s);
	s->not_before_ms = MAX(s->not_before_ms, now);
	delivery_end(&s->delivery);
}

/** The event stays due, and is told again with all that comes until then. */
static void failed(struct subscription *s, uint64_t now)
{
	unsigned doublings = MIN(s->failures_n, 16u);
	uint64_t pause = MIN((uint64_t)GENA_RETRY_FIRST_MS << doublings, GENA_RETRY_MAX_MS);
	/* It may have arrived, though no answer did: the number is used up. Not the first's:
	 * an initial event is number 0, always. */
	bool whole = s->delivery.phase == DELIVERY_ANSWER;

	if (whole && !s->first_due)
		seq_advance(s);
	s->failures_n++;
	s->not_before_ms = now + pause;
	delivery_end(&s->delivery);
}

static void watch(struct gena *g, struct subscription *s, int op, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };

	(void)epoll_ctl(g->epoll_fd, op, s->delivery.fd, &ev); /* else the deadline ends it */
}

static bool connect_begin(struct gena *g, struct subscription *s, uint64_t now) REQUIRES(&g->lock)
{
	struct delivery *dl = &s->delivery;
	const struct callback *cb = &s->callbacks[dl->callback_at];

	message_make(g, s);
	if (buf_err(&dl->out) != ERR_OK)
		return false;
	dl->fd = socket(cb->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dl->fd < 0)
		return false;
	if (connect(dl->fd, (const struct sockaddr *)&cb->address, cb->address_n) != 0 &&
	    errno != EINPROGRESS) {
		fd_closep(&dl->fd);
		return false;
	}
	dl->phase = DELIVERY_CONNECTING;
	dl->sent_n = 0;
	dl->answer_n = 0;
	dl->deadline_ms = now + GENA_CONNECT_LIMIT_MS;
	watch(g, s, EPOLL_CTL_ADD, EPOLLOUT);
	return true;
}

/** Tries the callbacks from the given one on, in their order. */
static void connect_from(struct gena *g, struct subscription *s, unsigned callback_at, uint64_t now)
	REQUIRES(&g->lock)
{
	for (; callback_at < s->callbacks_n; callback_at++) {
		s->delivery.callback_at = callback_at;
		if (connect_begin(g, s, now))
			return;
	}
	failed(s, now);
}

static void deliver(struct gena *g, struct subscription *s, uint64_t now) REQUIRES(&g->lock)
{
	s->not_before_ms = now + GENA_PAUSE_MS;
	connect_from(g, s, 0, now);
}

static void connect_done(struct gena *g, struct subscription *s, uint64_t now) REQUIRES(&g->lock)
{
	struct delivery *dl = &s->delivery;
	int error = 0;
	socklen_t n = sizeof error;

	if (getsockopt(dl->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0) {
		fd_closep(&dl->fd);
		connect_from(g, s, dl->callback_at + 1, now);
		return;
	}
	dl->phase = DELIVERY_SENDING;
	dl->deadline_ms = now + GENA_SEND_LIMIT_MS;
}

static void send_more(struct gena *g, struct subscription *s, uint64_t now)
{
	struct delivery *dl = &s->delivery;
	ssize_t n = send(dl->fd, dl->out.p + dl->sent_n, dl->out.n - dl->sent_n, MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			failed(s, now);
		return;
	}
	dl->sent_n += (size_t)n;
	if (dl->sent_n == dl->out.n) {
		dl->phase = DELIVERY_ANSWER;
		watch(g, s, EPOLL_CTL_MOD, EPOLLIN);
	}
}

/** "HTTP/1.1 200 OK" -> 200; 0 where it is not that. */
static unsigned answer_status(struct span answer)
{
	uint64_t status;

	if (!span_starts_nocase(answer, SPAN("HTTP/1.")) || answer.n < 12)
		return 0;
	if (num_parse_u64(span_of(answer.p + 9, 3), 100, 599, &status) != ERR_OK)
		return 0;
	return (unsigned)status;
}

static void answer_read(struct gena *g, struct subscription *s, uint64_t now) REQUIRES(&g->lock)
{
	struct delivery *dl = &s->delivery;
	ssize_t n = recv(dl->fd, dl->answer + dl->answer_n, sizeof dl->answer - dl->answer_n, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		dl->answer_n += (size_t)n;
	struct span answer = span_of(dl->answer, dl->answer_n);
	bool whole_line = span_find(answer, '\n') < answer.n;
	if (n > 0 && !whole_line && dl->answer_n < sizeof dl->answer)
		return;

	unsigned status = answer_status(answer);
	if (status == 412) { /* it knows nothing of this subscription */
		s->gone = true;
		g->subscriptions_n--;
		delivery_end(dl);
	} else if (status >= 200 && status < 300) {
		delivered(g, s, now);
	} else {
		failed(s, now);
	}
}

static void step(struct gena *g, struct subscription *s, uint64_t now) REQUIRES(&g->lock)
{
	if (s->delivery.phase == DELIVERY_CONNECTING)
		connect_done(g, s, now);
	if (s->delivery.phase == DELIVERY_SENDING)
		send_more(g, s, now);
	else if (s->delivery.phase == DELIVERY_ANSWER)
		answer_read(g, s, now);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static bool is_due(const struct gena *g, const struct subscription *s) REQUIRES(&g->lock)
{
	return s->first_due ||
	       (s->service == SERVICE_CONTENT_DIRECTORY && s->commit != g->changes.commit);
}

/** Starts what is due, ends what took too long. Returns when to look again. */
static uint64_t look_at(struct gena *g, struct subscription *s, uint64_t now) REQUIRES(&g->lock)
{
	if (s->delivery.phase != DELIVERY_IDLE && now >= s->delivery.deadline_ms) {
		if (s->delivery.phase == DELIVERY_CONNECTING) {
			fd_closep(&s->delivery.fd);
			connect_from(g, s, s->delivery.callback_at + 1, now);
		} else {
			failed(s, now);
		}
	}
	if (s->delivery.phase == DELIVERY_IDLE && is_due(g, s) && now >= s->not_before_ms)
		deliver(g, s, now);

	if (s->delivery.phase != DELIVERY_IDLE)
		return MIN(s->delivery.deadline_ms, s->expires_ms);
	return is_due(g, s) ? MIN(s->not_before_ms, s->expires_ms) : s->expires_ms;
}

static uint64_t look_at_all(struct gena *g, uint64_t now) REQUIRES(&g->lock)
{
	uint64_t next_ms = NEVER;
	struct subscription **at = &g->subscriptions;

	while (*at) {
		struct subscription *s = *at;

		if (!s->gone && now >= s->expires_ms) {
			s->gone = true;
			g->subscriptions_n--;
		}
		if (s->gone) {
			*at = s->next;
			subscription_free(s);
			continue;
		}
		next_ms = MIN(next_ms, look_at(g, s, now));
		at = &s->next;
	}
	return next_ms;
}

static int timeout_of(uint64_t next_ms, uint64_t now)
{
	if (next_ms == NEVER)
		return -1;
	return next_ms <= now ? 0 : (int)MIN(next_ms - now, 3600000u);
}

/** False when it is time to stop. */
static bool handle(struct gena *g, const struct epoll_event *events, int events_n,
		   int *out_timeout_ms)
{
	uint64_t now = clock_now_ms();

	mutex_lock(&g->lock);
	bool stopping = g->stopping;
	for (int i = 0; i < events_n && !stopping; i++) {
		struct subscription *s = events[i].data.ptr;
		uint64_t ignored;

		if (!s)
			(void)!read(g->wake_fd, &ignored, sizeof ignored);
		else if (!s->gone)
			step(g, s, now);
	}
	*out_timeout_ms = stopping ? 0 : timeout_of(look_at_all(g, now), now);
	mutex_unlock(&g->lock);
	return !stopping;
}

void gena_run(void *gena)
{
	struct gena *g = gena;
	struct epoll_event events[EVENTS_AT_ONCE];
	int events_n = 0;
	int timeout_ms;

	while (handle(g, events, events_n, &timeout_ms)) {
		events_n = epoll_wait(g->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms);
		if (events_n < 0)
			events_n = 0; /* EINTR */
	}
}
