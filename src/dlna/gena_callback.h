/* SPDX-License-Identifier: MIT */
/* The CALLBACK header: where events are to go, and where they may. */
#pragma once

#include <sys/socket.h>

#include "base/err.h"
#include "base/span.h"

#define CALLBACKS_MAX 2
#define CALLBACK_HOST_MAX 64
#define CALLBACK_PATH_MAX 512

/** http://HOST:PORT/PATH with a numeric host. */
struct callback {
	struct sockaddr_storage address;
	socklen_t address_n;
	char host[CALLBACK_HOST_MAX]; /* as in the Host header */
	char path[CALLBACK_PATH_MAX]; /* with the query */
};

/** The usable ones of "<url><url>", in their order, at most CALLBACKS_MAX. A URL that is not http,
 * whose host is a name, or that could break out of a request line is not usable. Pure.
 * Errors: ERR_INVALID: there is none. */
NODISCARD enum err callbacks_parse(struct span header, struct callback out[CALLBACKS_MAX],
				   size_t *out_n);
/** Whether two addresses lie in one subnet. IPv4 in IPv6 counts as IPv4. Pure. */
bool same_subnet(const struct sockaddr_storage *a, const struct sockaddr_storage *b,
		 const struct sockaddr_storage *mask);
/** Whether `address` is in the subnet of the interface that has the address `local`: events go
 * nowhere else, or a stranger could make us send to anyone (CVE-2020-12695, CallStranger). */
bool address_is_near(const struct sockaddr_storage *address, const struct sockaddr_storage *local);
/** The same host, whatever the port. */
bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
