/* SPDX-License-Identifier: MIT */
/* Network interfaces with their first IPv4 address, and news of them. */
#pragma once

#include <net/if.h>
#include <netinet/in.h>

#include "base/err.h"
#include "base/span.h"

#define LINKS_MAX 16

struct link_info {
	char name[IF_NAMESIZE];
	struct in_addr address, mask; /* address 0: none yet */
	unsigned flags;		      /* IFF_... */
};

/** All that are there; at most LINKS_MAX. */
unsigned links_read(struct link_info out[LINKS_MAX]);
/** Whether multicast can work on it at all: no loopback, IFF_MULTICAST. */
bool link_can_multicast(const struct link_info *l);
/** ... and now: up, with an address and a carrier, so that a cable plugged in again is news. */
bool link_is_ready(const struct link_info *l);
const struct link_info *links_find(const struct link_info *links, unsigned n, const char *name);

/** A netlink socket that becomes readable when an address or a link changes; -1 and errno. */
int links_watch_open(void);
/** Throws away what is there: the news is that there is some. */
void links_watch_drain(int fd);
