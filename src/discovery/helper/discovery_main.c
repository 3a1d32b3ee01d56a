/* SPDX-License-Identifier: MIT */
/* salver-discovery: announces the server on one interface. Started by the server (discovery.c);
 * ends, with byebye, at SIGTERM or when the server's end of the control socket closes.
 *
 * Order: open every socket, take libupnp's TCP listener away, give up privileges, announce. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "discovery/helper/announce.h"
#include "discovery/helper/confine.h"
#include "discovery/helper/responder.h"

#define CONTROL_FD 3
#define MAX_AGE_S 1800

static const char usage[] =
	"usage: salver-discovery INTERFACE ADDRESS NETMASK HTTP-PORT\n"
	"Announces http://ADDRESS:HTTP-PORT/description.xml by SSDP until it is stopped or\n"
	"descriptor 3, the server's control socket, is closed. salver starts it.\n";

struct arguments {
	const char *interface;
	struct in_addr address, mask;
	uint64_t port;
};

static bool arguments_parse(int argc, char **argv, struct arguments *out)
{
	if (argc != 5)
		return false;
	out->interface = argv[1];
	return inet_pton(AF_INET, argv[2], &out->address) == 1 &&
	       inet_pton(AF_INET, argv[3], &out->mask) == 1 &&
	       num_parse_u64(span_str(argv[4]), 1, 65535, &out->port) == ERR_OK;
}

/* SIGTERM and SIGINT as a descriptor; blocked before libupnp starts its threads. */
static int signals_open(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum err start(const struct arguments *a, struct responder *r, struct err_info *info)
{
	snprintf(r->device.location, sizeof r->device.location,
		 "http://%s:%" PRIu64 "/description.xml", inet_ntoa(a->address), a->port);
	r->device.max_age_s = MAX_AGE_S;

	enum err e = announce_init(a->interface, info);
	if (e == ERR_OK)
		e = responder_open(r, if_nametoindex(a->interface), a->address, a->mask, info);
	if (e != ERR_OK)
		return e;
	confine();
	e = announce_describe(&r->device, info);
	if (e == ERR_OK)
		e = announce_begin(&r->device, info);
	return e;
}

/* Until told to end. */
static void serve(struct responder *r, int signals_fd)
{
	struct pollfd fds[] = {
		{ .fd = r->group_fd, .events = POLLIN },
		{ .fd = r->address_fd, .events = POLLIN },
		{ .fd = signals_fd, .events = POLLIN },
		{ .fd = CONTROL_FD, .events = POLLIN }, /* the server never sends: only its end */
	};

	for (;;) {
		int wait_ms = responder_send_due(r);
		if (poll(fds, ARRAY_LEN(fds), wait_ms) < 0 && errno != EINTR)
			return;
		if (fds[2].revents || fds[3].revents)
			return;
		if (fds[0].revents)
			responder_receive(r, r->group_fd);
		if (fds[1].revents)
			responder_receive(r, r->address_fd);
	}
}

int main(int argc, char **argv)
{
	static struct responder r;
	struct arguments a;
	struct err_info info = { 0 };

	if (!arguments_parse(argc, argv, &a)) {
		fputs(usage, stderr);
		return 2;
	}
	int signals_fd = signals_open();
	if (start(&a, &r, &info) != ERR_OK) {
		log_warn(LOG_DISCOVERY, "interface %s: %s", QUOTE(span_str(a.interface)),
			 info.text);
		_exit(1);
	}
	/* tells the server that the device is announced; without one (started by hand) it fails */
	send(CONTROL_FD, "R", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	serve(&r, signals_fd);
	announce_end();
	_exit(0);
}
