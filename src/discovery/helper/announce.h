/* SPDX-License-Identifier: MIT */
/* libupnp, kept to what it does well: alive and byebye messages (and the control point to come).
 * One interface per process, no TCP listener, no answers to searches. No type of it leaves here. */
#pragma once

#include "discovery/helper/ssdp.h"

/** Start libupnp on the interface and take its TCP listener away, before anything is announced.
 * Errors: ERR_BUSY (no port, no usable address yet: worth another try), ERR_IO. */
NODISCARD enum err announce_init(const char *interface, struct err_info *info);
/** Fetch the description at d->location, fill in its UDN and types. */
NODISCARD enum err announce_describe(struct ssdp_device *d, struct err_info *info);
/** Announce it, now and again before max-age runs out. libupnp fetches the description itself. */
NODISCARD enum err announce_begin(const struct ssdp_device *d, struct err_info *info);
/** Byebye for all. */
void announce_end(void);
