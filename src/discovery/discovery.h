/* SPDX-License-Identifier: MIT */
/* The client of salver-discovery: one helper process per interface announces the device by SSDP.
 * Helpers are watched and started again with growing pauses; byebye is sent when they end. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct discovery;

struct discovery_options {
	const char *const
		*interfaces; /* none: every interface that is up, not loopback, multicasts */
	unsigned interfaces_n;
	uint16_t http_port;  /* LOCATION is http://ADDRESS:PORT/description.xml */
	const char *program; /* NULL: salver-discovery beside the running binary */
};

/** Start a helper for each interface, on one thread that watches them and address changes
 * (netlink). An interface that cannot multicast gives one warning and is left out. The HTTP server
 * must be running: helpers fetch the description. */
NODISCARD enum err discovery_start(const struct discovery_options *options, struct discovery **out,
				   struct err_info *info);
/** Byebye on every interface, within 2 s, and the end of the helpers. NULL is fine. */
void discovery_stop(struct discovery *d);

struct discovery_stats {
	unsigned helpers_n, restarts_n;
};
void discovery_stats_get(struct discovery *d, struct discovery_stats *out);
