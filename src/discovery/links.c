/* SPDX-License-Identifier: MIT */
/* Network interfaces with their first IPv4 address, and news of them. */
#include "discovery/links.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

const struct link_info *links_find(const struct link_info *links, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(links[i].name, name) == 0)
			return &links[i];
	return NULL;
}

static void link_add(struct link_info out[LINKS_MAX], unsigned *n, const struct ifaddrs *a)
{
	struct link_info *l = (struct link_info *)(uintptr_t)links_find(out, *n, a->ifa_name);
	if (!l) {
		/* a label ("eth0:1") is a second address of an interface that is there already */
		if (*n == LINKS_MAX || strchr(a->ifa_name, ':'))
			return;
		l = &out[(*n)++];
		*l = (struct link_info){ .flags = a->ifa_flags };
		snprintf(l->name, sizeof l->name, "%s", a->ifa_name);
	}
	if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || l->address.s_addr)
		return;
	l->address = ((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr;
	l->mask.s_addr = INADDR_NONE;
	if (a->ifa_netmask)
		l->mask = ((const struct sockaddr_in *)(const void *)a->ifa_netmask)->sin_addr;
}

unsigned links_read(struct link_info out[LINKS_MAX])
{
	struct ifaddrs *all = NULL;
	unsigned n = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next)
		link_add(out, &n, a);
	freeifaddrs(all);
	return n;
}

bool link_can_multicast(const struct link_info *l)
{
	return !(l->flags & IFF_LOOPBACK) && (l->flags & IFF_MULTICAST);
}

bool link_is_ready(const struct link_info *l)
{
	return link_can_multicast(l) && (l->flags & IFF_UP) && (l->flags & IFF_RUNNING) &&
	       l->address.s_addr != 0;
}

int links_watch_open(void)
{
	CLEANUP(fd_closep)
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
				  .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR };

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
		return -1;
	return fd_take(&fd);
}

void links_watch_drain(int fd)
{
	char bytes[8192];
	/* ENOBUFS (news were lost) is news as well, and readable data may follow it */
	while (recv(fd, bytes, sizeof bytes, 0) >= 0 || errno == ENOBUFS)
		;
}
