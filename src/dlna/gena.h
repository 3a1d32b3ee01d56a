/* SPDX-License-Identifier: MIT */
/* Events (GENA, UDA 1.0 section 4): subscriptions, and the one thread that sends to them.
 *
 * Each subscription has at most one delivery under way, none waits for another. Changes collapse:
 * an event says all that changed since the last one that got through, at most one in GENA_PAUSE_MS,
 * and the last change is always told. A subscriber that fails is left alone for growing pauses and
 * goes when it answers 412 or its time is over. */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/span.h"
#include "dlna/actions.h"

#define GENA_SUBSCRIPTIONS_MAX 64
#define GENA_SUBSCRIPTIONS_PER_ADDRESS_MAX 8
#define GENA_TIMEOUT_S 1800	/* granted, whatever was asked for */
#define GENA_PAUSE_MS 2000	/* moderation: 0.5 Hz */
#define GENA_FIRST_DELAY_MS 100 /* the answer to SUBSCRIBE must be there before the first event */
#define GENA_CONNECT_LIMIT_MS 5000
#define GENA_SEND_LIMIT_MS 5000	 /* from connected to answered */
#define GENA_RETRY_FIRST_MS 5000 /* doubles up to */
#define GENA_RETRY_MAX_MS 300000
#define GENA_SID_MAX 42 /* "uuid:" and a uuid and a NUL */

struct gena;
struct library_change;

NODISCARD enum err gena_new(struct dlna *d, struct gena **out);
/** Stops the thread; subscriptions end without a word, as GENA has none. NULL is fine. */
void gena_free(struct gena *g);

/** The headers of a SUBSCRIBE or UNSUBSCRIBE; {NULL, 0} where one is missing. */
struct gena_request {
	struct span sid, nt, callback;
	struct sockaddr_storage local, peer;
};

/** A new subscription or, with a SID, a renewal. Returns the HTTP status: 200 and the SID, 400, 412
 * or 503. Threads: any. */
unsigned gena_subscribe(struct gena *g, enum upnp_service service,
			const struct gena_request *request, char out_sid[GENA_SID_MAX]);
/** 200, 400 or 412. */
unsigned gena_unsubscribe(struct gena *g, enum upnp_service service,
			  const struct gena_request *request);

/** Containers changed. Returns at once. Threads: any. */
void gena_notify(struct gena *g, const struct library_change *change);

struct gena_stats {
	uint64_t subscriptions_n, events_n;
};
void gena_stats_get(struct gena *g, struct gena_stats *out);
