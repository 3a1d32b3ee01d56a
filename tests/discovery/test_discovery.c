/* SPDX-License-Identifier: MIT */
/* The client with real helpers, each case in a network namespace of its own: nothing leaves it.
 * What is announced is heard by multicast loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "discovery/discovery.h"
#include "harness.h"

#define PORT 8250
#define SURELY_MS 20000 /* what happens at all has happened by then, on the slowest machine */

static const char description[] =
	"<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><specVersion>"
	"<major>1</major><minor>0</minor></specVersion><device>"
	"<deviceType>urn:schemas-upnp-org:device:MediaServer:1</deviceType>"
	"<friendlyName>t</friendlyName><manufacturer>m</manufacturer><modelName>m</modelName>"
	"<UDN>uuid:11111111-2222-3333-4444-555555555555</UDN><serviceList><service>"
	"<serviceType>urn:schemas-upnp-org:service:ContentDirectory:1</serviceType>"
	"<serviceId>urn:upnp-org:serviceId:ContentDirectory</serviceId>"
	"<SCPDURL>/a</SCPDURL><controlURL>/b</controlURL><eventSubURL>/c</eventSubURL>"
	"</service></serviceList></device></root>";

/* Serves the description to whoever asks; ends with the case's process. */
static void http_run(void *arg)
{
	int fd = *(int *)arg;
	for (;;) {
		char bytes[2048], head[256];
		int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (c < 0)
			return;
		if (recv(c, bytes, sizeof bytes, 0) > 0) {
			int n = snprintf(head, sizeof head,
					 "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
					 "Content-Length: %zu\r\n\r\n",
					 sizeof description - 1);
			send(c, head, (size_t)n, MSG_NOSIGNAL);
			send(c, description, sizeof description - 1, MSG_NOSIGNAL);
		}
		close(c);
	}
}

static void run(const char *command)
{
	if (system(command) != 0)
		EXPECT_STR("success", command);
}

/* A namespace with interfaces t0 (10.77.0.1/24) and t1 (10.77.1.1/24), and the description. */
static void world_make(void)
{
	static int fd;
	static struct thread t;
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	if (unshare(CLONE_NEWNET) < 0)
		test_skip("needs root for a network namespace");
	run("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null || true; "
	    "ip link set lo up && ip link add t0 type veth peer name p0 && "
	    "ip link add t1 type veth peer name p1 && ip addr add 10.77.0.1/24 dev t0 && "
	    "ip addr add 10.77.1.1/24 dev t1 && for i in t0 p0 t1 p1; do ip link set $i up; done");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 && listen(fd, 8) == 0);
	EXPECT_OK(thread_start(&t, "http", http_run, &fd));
}

static int listen_on(const char *interface)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1, zero = 0;
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(1900) };
	struct ip_mreqn m = { .imr_ifindex = (int)if_nametoindex(interface) };
	inet_pton(AF_INET, "239.255.255.250", &sa.sin_addr);
	m.imr_multiaddr = sa.sin_addr;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	EXPECT(bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0);
	EXPECT(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof zero) == 0);
	EXPECT(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m) == 0);
	return fd;
}

/* Whether a message with both texts comes within wait_ms. */
static bool heard(int fd, const char *a, const char *b, unsigned wait_ms)
{
	uint64_t end = clock_now_ms() + wait_ms;
	for (;;) {
		uint64_t now = clock_now_ms();
		char bytes[2048];
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (now >= end || poll(&p, 1, (int)(end - now)) <= 0)
			return false;
		ssize_t n = recv(fd, bytes, sizeof bytes - 1, 0);
		if (n <= 0)
			continue;
		bytes[n] = '\0';
		if (strstr(bytes, a) && strstr(bytes, b))
			return true;
	}
}

static struct discovery *start(const char *const *names, unsigned n)
{
	struct discovery_options o = { names, n, PORT, HELPER };
	struct discovery *d = NULL;
	struct err_info info = { 0 };
	EXPECT_OK(discovery_start(&o, &d, &info));
	return d;
}

static struct discovery_stats stats_of(struct discovery *d)
{
	struct discovery_stats s;
	discovery_stats_get(d, &s);
	return s;
}

static void wait_for_helpers(struct discovery *d, unsigned n)
{
	for (unsigned i = 0; i < SURELY_MS / 25 && stats_of(d).helpers_n != n; i++)
		usleep(25000);
	EXPECT_U64(n, stats_of(d).helpers_n);
}

TEST(discovery, announces_each_interface_with_its_own_address_and_says_byebye)
{
	world_make();
	int t0 = listen_on("t0"), t1 = listen_on("t1");
	struct discovery *d = start((const char *const[]){ "t0", "t1" }, 2);
	EXPECT(heard(t0, "ssdp:alive", "LOCATION: http://10.77.0.1:8250/description.xml",
		     SURELY_MS));
	EXPECT(heard(t1, "ssdp:alive", "LOCATION: http://10.77.1.1:8250/description.xml",
		     SURELY_MS));
	wait_for_helpers(d, 2);
	uint64_t before = clock_now_ms();
	discovery_stop(d);
	EXPECT(clock_now_ms() - before < SURELY_MS);
	EXPECT(heard(t0, "ssdp:byebye", "uuid:11111111", SURELY_MS));
	EXPECT(heard(t1, "ssdp:byebye", "uuid:11111111", SURELY_MS));
}

TEST(discovery, takes_every_interface_that_multicasts_where_none_is_named)
{
	world_make();
	struct discovery *d = start(NULL, 0); /* not lo; p0 and p1 have no address */
	wait_for_helpers(d, 2);
	discovery_stop(d);
}

TEST(discovery, follows_a_new_address)
{
	world_make();
	int t0 = listen_on("t0");
	struct discovery *d = start((const char *const[]){ "t0" }, 1);
	wait_for_helpers(d, 1);
	run("ip addr del 10.77.0.1/24 dev t0 && ip addr add 10.77.0.9/24 dev t0");
	EXPECT(heard(t0, "ssdp:alive", "LOCATION: http://10.77.0.9:8250/", SURELY_MS));
	wait_for_helpers(d, 1);
	EXPECT_U64(0, stats_of(d).restarts_n);
	discovery_stop(d);
}

TEST(discovery, announces_anew_when_the_cable_is_plugged_in_again)
{
	world_make();
	struct discovery *d = start((const char *const[]){ "t0" }, 1);
	wait_for_helpers(d, 1);
	run("ip link set p0 down");
	wait_for_helpers(d, 0);
	int t0 = listen_on("t0");
	run("ip link set p0 up");
	EXPECT(heard(t0, "ssdp:alive", "LOCATION: http://10.77.0.1:8250/", SURELY_MS));
	discovery_stop(d);
}

TEST(discovery, starts_a_killed_helper_again)
{
	world_make();
	struct discovery *d = start((const char *const[]){ "t0" }, 1);
	wait_for_helpers(d, 1);
	run("kill -9 $(ss -lunp | sed -n 's/.*10.77.0.1:1900.*pid=\\([0-9]*\\),.*/\\1/p' | head "
	    "-1)");
	for (unsigned i = 0; i < SURELY_MS / 20 && stats_of(d).restarts_n == 0; i++)
		usleep(20000);
	EXPECT_U64(1, stats_of(d).restarts_n);
	wait_for_helpers(d, 1);
	discovery_stop(d);
}

TEST(discovery, an_interface_that_cannot_multicast_is_left_out)
{
	world_make();
	struct discovery *d = start((const char *const[]){ "lo", "t0", "none" }, 3);
	wait_for_helpers(d, 1);
	discovery_stop(d);
}

TEST(discovery, stops_while_helpers_are_starting_or_missing)
{
	world_make();
	struct discovery_options o = { NULL, 0, PORT, "/nowhere/salver-discovery" };
	struct discovery *d = start(NULL, 0);
	uint64_t before = clock_now_ms();
	discovery_stop(d);
	EXPECT_OK(discovery_start(&o, &d, NULL));
	usleep(100000);
	discovery_stop(d);
	discovery_stop(NULL);
	EXPECT(clock_now_ms() - before < SURELY_MS);
}
