/* SPDX-License-Identifier: MIT */
/* Subscriptions and their deliveries, shared by gena.c (who subscribes) and gena_send.c (sending).
 */
#pragma once

#include <stdatomic.h>

#include "base/buf.h"
#include "base/counter.h"
#include "base/thread.h"
#include "dlna/gena_changes.h"
#include "dlna/gena.h"
#include "dlna/gena_callback.h"

#define DELIVERY_ANSWER_MAX 256 /* the status line is all that counts */
#define DELIVERY_BYTES_MAX (64u << 10)

enum delivery_phase { DELIVERY_IDLE, DELIVERY_CONNECTING, DELIVERY_SENDING, DELIVERY_ANSWER };

/** One NOTIFY under way. */
struct delivery {
	enum delivery_phase phase;
	int fd;
	struct buf out;
	size_t sent_n;
	char answer[DELIVERY_ANSWER_MAX];
	size_t answer_n;
	uint64_t deadline_ms;
	unsigned callback_at;
	uint64_t commit, serial; /* of the changes that it tells */
};

struct subscription {
	struct subscription *next;
	enum upnp_service service;
	char sid[GENA_SID_MAX];
	struct sockaddr_storage peer;
	struct callback callbacks[CALLBACKS_MAX];
	unsigned callbacks_n;
	uint64_t expires_ms;
	uint64_t not_before_ms; /* moderation, pauses after failures */
	unsigned failures_n;
	uint32_t seq;
	bool first_due; /* the initial event has not got through yet */
	bool gone;	/* to be freed by the sender thread, which may hold it in an event */
	uint64_t commit, serial; /* told so far */
	struct delivery delivery;
};

struct gena {
	struct dlna *dlna;
	struct mutex lock; /* of what follows, up to the counter; and of all in a subscription */
	struct subscription *subscriptions;
	unsigned subscriptions_n; /* without the gone */
	struct gena_changes changes;
	bool stopping;
	struct counter events_n;
	struct thread thread;
	int epoll_fd, wake_fd;
};

/** The sender thread. */
void gena_run(void *gena);
/** Have it look again. */
void gena_wake(struct gena *g);
/** Close what is under way. */
void delivery_end(struct delivery *dl);
void subscription_free(struct subscription *s);
