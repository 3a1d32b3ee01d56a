/* SPDX-License-Identifier: MIT */
/* libupnp (1.8.4 as Debian has it, or newer) without its TCP listener.
 *
 * One unauthenticated request to that listener crashes the process (CVE-2020-13848 and more), so
 * after UpnpInit2() each listening descriptor that appeared is replaced by an eventfd that never
 * becomes readable: libupnp selects by number and so waits for ever. Its UDP sockets take part in
 * SSDP on this interface only and hear no searches: responder.c answers those. */
#include "discovery/helper/announce.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <upnp/upnp.h>
#include <upnp/upnptools.h>

#include "base/fd.h"
#include "base/log.h"

#ifndef bool /* undefined by libupnp 1.8.4's list.h */
#define bool _Bool
#endif

#define FDS_MAX 256
#define INIT_TRIES 20 /* a quarter of a second each: IPv6 addresses are tentative for 1-2 s */
#define LOWEST_PORT 49152

static UpnpDevice_Handle device_handle = -1;

/* In place of libc's, also for libupnp: 1.8.4 hands IP_MULTICAST_IF an address in an unsigned long,
 * and Linux reads 8 bytes as a struct ip_mreq whose interface is 0.0.0.0: its messages would leave
 * by the default route, whatever the interface, or (without one) not at all. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t n)
{
	if (level == IPPROTO_IP && option == IP_MULTICAST_IF && n == sizeof(unsigned long))
		n = sizeof(struct in_addr);
	return (int)syscall(SYS_setsockopt, fd, level, option, value, n);
}

static void fds_open(bool open[FDS_MAX])
{
	for (int fd = 0; fd < FDS_MAX; fd++)
		open[fd] = fcntl(fd, F_GETFD) >= 0;
}

static int socket_option(int fd, int option)
{
	int v = 0;
	socklen_t n = sizeof v;
	return getsockopt(fd, SOL_SOCKET, option, &v, &n) == 0 ? v : 0;
}

/* UDP: nothing from other interfaces, no searches (those that begin with "M-SE"). */
static void udp_restrict(int fd, const char *interface)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8), /* behind the UDP header */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x4d2d5345, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};
	struct sock_fprog filter = { ARRAY_LEN(code), code };
	int zero = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0)
		log_warn(LOG_DISCOVERY, "cannot filter searches: %s", strerrorname_np(errno));
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof zero);
	/* needs CAP_NET_RAW before Linux 5.7; without it IP_MULTICAST_ALL does most of the work */
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface));
}

/* Its select() still holds the old listener: a datagram makes it start anew. */
static void select_wake(void)
{
	CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_port = htons(SSDP_PORT),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	if (fd >= 0)
		sendto(fd, "\n", 1, MSG_DONTWAIT, (struct sockaddr *)&sa, sizeof sa);
	nanosleep(&pause, NULL); /* before its UDP sockets no longer hear the loopback */
}

static enum err listeners_replace(const bool before[FDS_MAX], struct err_info *info)
{
	CLEANUP(fd_closep) int never = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	for (int fd = 0; fd < FDS_MAX; fd++) {
		if (before[fd] || fd == never || !socket_option(fd, SO_ACCEPTCONN))
			continue;
		if (never < 0 || dup2(never, fd) < 0)
			return err_set(info, ERR_IO, errno, "cannot close libupnp's TCP listener");
	}
	return ERR_OK;
}

static int init_once(const char *interface)
{
	uint16_t random = 0;
	/* a port of its own for the moment that it lives: several helpers start at once */
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
		random = (uint16_t)getpid();
	return UpnpInit2(interface, (unsigned short)(LOWEST_PORT + random % (65535 - LOWEST_PORT)));
}

enum err announce_init(const char *interface, struct err_info *info)
{
	bool before[FDS_MAX];
	struct timespec pause = { .tv_nsec = 250 * 1000 * 1000 };
	int r = UPNP_E_SUCCESS;

	fds_open(before);
	for (unsigned i = 0; i < INIT_TRIES; i++) {
		r = init_once(interface);
		if (r == UPNP_E_SUCCESS)
			break;
		UpnpFinish();
		nanosleep(&pause, NULL);
	}
	if (r != UPNP_E_SUCCESS)
		return err_set(info, ERR_BUSY, 0, "libupnp does not start: %s",
			       UpnpGetErrorMessage(r));
	enum err e = listeners_replace(before, info);
	if (e != ERR_OK)
		return e;
	select_wake();
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (!before[fd] && socket_option(fd, SO_TYPE) == SOCK_DGRAM &&
		    socket_option(fd, SO_REUSEADDR)) /* not its wake-up socket on 127.0.0.1 */
			udp_restrict(fd, interface);
	return ERR_OK;
}

/* The text of every element `name`, first come first served. */
static void elements_read(IXML_Document *doc, const char *name, struct ssdp_device *d)
{
	IXML_NodeList *list = ixmlDocument_getElementsByTagName(doc, name);
	for (unsigned long i = 0; list && i < ixmlNodeList_length(list); i++) {
		IXML_Node *text = ixmlNode_getFirstChild(ixmlNodeList_item(list, i));
		const char *value = text ? ixmlNode_getNodeValue(text) : NULL;
		if (value && strlen(value) < SSDP_TEXT_MAX && d->types_n < SSDP_TYPES_MAX)
			snprintf(d->types[d->types_n++], SSDP_TEXT_MAX, "%s", value);
	}
	ixmlNodeList_free(list);
}

enum err announce_describe(struct ssdp_device *d, struct err_info *info)
{
	IXML_Document *doc = NULL;
	int r = UpnpDownloadXmlDoc(d->location, &doc);
	if (r != UPNP_E_SUCCESS)
		return err_set(info, ERR_BUSY, 0, "%s cannot be fetched: %s", d->location,
			       UpnpGetErrorMessage(r));

	struct ssdp_device found = *d;
	found.types_n = 0;
	elements_read(doc, "UDN", &found);
	snprintf(found.udn, sizeof found.udn, "%s", found.types_n == 1 ? found.types[0] : "");
	found.types_n = 0;
	elements_read(doc, "deviceType", &found);
	elements_read(doc, "serviceType", &found);
	ixmlDocument_free(doc);
	if (!found.udn[0] || found.types_n == 0)
		return err_set(info, ERR_INVALID, 0, "%s does not describe one device",
			       d->location);
	*d = found;
	return ERR_OK;
}

static int ignore_event(Upnp_EventType type, const void *event, void *cookie)
{
	(void)type, (void)event, (void)cookie;
	return 0;
}

enum err announce_begin(const struct ssdp_device *d, struct err_info *info)
{
	int r = UpnpRegisterRootDevice(d->location, ignore_event, NULL, &device_handle);
	if (r == UPNP_E_SUCCESS)
		r = UpnpSendAdvertisement(device_handle, (int)d->max_age_s);
	if (r != UPNP_E_SUCCESS)
		return err_set(info, ERR_BUSY, 0, "libupnp does not announce %s: %s", d->location,
			       UpnpGetErrorMessage(r));
	return ERR_OK;
}

void announce_end(void)
{
	/* UpnpFinish() would wait up to seconds for threads that end with the process anyway */
	if (device_handle != -1)
		UpnpUnRegisterRootDevice(device_handle);
	device_handle = -1;
}
