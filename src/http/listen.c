/* SPDX-License-Identifier: MIT */
/* The listening socket: both address families where the machine has both. */
#include <errno.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "http/http_priv.h"

#define LISTEN_BACKLOG 256

/** All chosen interfaces are loopback: then nothing else needs to reach the port at all. */
static bool loopback_only(const struct http *h)
{
	CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || h->interfaces_n == 0)
		return false;
	for (size_t i = 0; i < h->interfaces_n; i++) {
		struct ifreq request = { 0 };
		size_t n = strlen(h->interfaces[i]);
		if (n >= sizeof request.ifr_name)
			return false;
		memcpy(request.ifr_name, h->interfaces[i], n);
		if (ioctl(fd, SIOCGIFFLAGS, &request) != 0 || !(request.ifr_flags & IFF_LOOPBACK))
			return false;
	}
	return true;
}

/** Connections inherit it: a client that vanished is noticed after some two minutes. */
static void set_keepalive(int fd)
{
	int on = 1, idle_s = 60, interval_s = 20, probes = 4;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

static int open_bound(int family, uint32_t v4_address, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_addr = in6addr_any,
				   .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(v4_address),
				  .sin_port = htons(port) };
	bool is_v6 = family == AF_INET6;
	const struct sockaddr *address = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	int on = 1, off = 0;
	CLEANUP(fd_closep) int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) ||
	    bind(fd, address, is_v6 ? sizeof v6 : sizeof v4) != 0 ||
	    listen(fd, LISTEN_BACKLOG) != 0)
		return -1;
	set_keepalive(fd);
	return fd_take(&fd);
}

/** IPv6 with IPv4 mapped into it; IPv4 alone for loopback, or where the machine has no IPv6. */
static int open_any(const struct http *h, uint16_t port)
{
	if (loopback_only(h))
		return open_bound(AF_INET, INADDR_LOOPBACK, port);
	int fd = open_bound(AF_INET6, 0, port);
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		fd = open_bound(AF_INET, INADDR_ANY, port);
	return fd;
}

static enum err listen_failed(uint16_t port, struct err_info *info)
{
	int os = errno;
	if (os == EADDRINUSE)
		return err_set(info, ERR_BUSY, os,
			       "port %u is in use; choose another with --port N (0: any free one)",
			       (unsigned)port);
	return err_set(info, err_from_errno(os), os, "cannot listen on port %u: %s%s",
		       (unsigned)port, strerror(os),
		       os == EACCES ? "; choose one from 1024 up with --port N" : "");
}

enum err http_listen(struct http *h, uint16_t port, int *out_fd, struct err_info *info)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t n = sizeof bound;
	CLEANUP(fd_closep) int fd = open_any(h, port);
	if (fd < 0 || getsockname(fd, (struct sockaddr *)&bound, &n) != 0)
		return listen_failed(port, info);
	/* sin_port and sin6_port are at the same place. */
	h->port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
	*out_fd = fd_take(&fd);
	return ERR_OK;
}
