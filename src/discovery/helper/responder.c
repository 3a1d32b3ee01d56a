/* SPDX-License-Identifier: MIT */
/* Answers searches in libupnp's place, whose UDP sockets hear none (announce.c).
 *
 * Measured on 1.8.4: it is silent to malformed searches, as it should be, but answers sources of
 * other subnets (94 bytes bring 1,821), keeps a timer for each search for as long as MX says,
 * without any limit, and shares 0.0.0.0:1900 with all processes, so that a search by unicast
 * reaches one of them by chance. A socket filter could mend the first only; here are limits for the
 * second and a socket bound to the address for the third. */
#include "discovery/helper/responder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

static int socket_bound(struct in_addr address)
{
	CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_port = htons(SSDP_PORT),
				  .sin_addr = address };
	int one = 1;

	/* port 1900 is shared with every UPnP program of the host */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	    bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
		return -1;
	return fd_take(&fd);
}

/* Only what arrives on this interface for this group: Linux would deliver every group that any
 * program joined anywhere. */
static bool group_join(int fd, unsigned ifindex)
{
	struct ip_mreqn m = { .imr_ifindex = (int)ifindex };
	int zero = 0;

	inet_pton(AF_INET, SSDP_GROUP, &m.imr_multiaddr);
	return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof zero) == 0 &&
	       setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof m) == 0;
}

enum err responder_open(struct responder *r, unsigned ifindex, struct in_addr address,
			struct in_addr mask, struct err_info *info)
{
	struct in_addr group;
	inet_pton(AF_INET, SSDP_GROUP, &group);

	CLEANUP(fd_closep) int group_fd = socket_bound(group);
	if (group_fd < 0 || !group_join(group_fd, ifindex))
		return err_set(info, err_from_errno(errno), errno, "cannot listen on " SSDP_GROUP);
	CLEANUP(fd_closep) int address_fd = socket_bound(address);
	if (address_fd < 0)
		return err_set(info, err_from_errno(errno), errno, "cannot bind UDP port 1900");
	r->address = ntohl(address.s_addr);
	r->mask = ntohl(mask.s_addr);
	r->group_fd = fd_take(&group_fd);
	r->address_fd = fd_take(&address_fd);
	return ERR_OK;
}

/* So many searches a second and no more: answers are larger than questions. */
static bool rate_allows(struct responder *r, uint64_t now_ms)
{
	if (now_ms - r->window_start_ms >= 1000) {
		r->window_start_ms = now_ms;
		r->in_window = 0;
	}
	return r->in_window++ < RESPONDER_SEARCHES_PER_S;
}

static bool queue_allows(const struct responder *r, const struct sockaddr_in *from)
{
	unsigned same = 0;
	for (unsigned i = 0; i < r->pending_n; i++)
		same += r->pending[i].to.sin_addr.s_addr == from->sin_addr.s_addr;
	return same < RESPONDER_PER_SOURCE_MAX && r->pending_n < RESPONDER_PENDING_MAX;
}

static void search_queue(struct responder *r, struct span datagram, const struct sockaddr_in *from)
{
	struct ssdp_search search;
	struct ssdp_answer answers[SSDP_ANSWERS_MAX];
	uint64_t now_ms = clock_now_ms(), random = 0;

	if (!ssdp_on_link(ntohl(from->sin_addr.s_addr), r->address, r->mask) ||
	    from->sin_port == 0 || !ssdp_search_parse(datagram, &search) ||
	    ssdp_match(&r->device, search.st, answers) == 0 || !queue_allows(r, from) ||
	    !rate_allows(r, now_ms)) /* last: one source's refused must not use up the rate */
		return;
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
		random = clock_now_ns();

	struct responder_pending *p = &r->pending[r->pending_n++];
	p->due_ms = now_ms + ssdp_delay_ms(search.mx_s, random);
	p->to = *from;
	memcpy(p->st, search.st.p,
	       search.st.n); /* shorter than SSDP_TEXT_MAX: checked in parsing */
	p->st[search.st.n] = '\0';
}

void responder_receive(struct responder *r, int fd)
{
	char datagram[2048];

	for (unsigned i = 0; i < 64; i++) { /* then the loop looks at its other duties */
		struct sockaddr_in from = { 0 };
		socklen_t from_n = sizeof from;
		ssize_t n = recvfrom(fd, datagram, sizeof datagram, 0, (struct sockaddr *)&from,
				     &from_n);
		if (n < 0)
			return;
		search_queue(r, span_of(datagram, (size_t)n), &from);
	}
}

static void search_answer(struct responder *r, const struct responder_pending *p)
{
	struct ssdp_answer answers[SSDP_ANSWERS_MAX];
	char message[SSDP_MESSAGE_MAX];
	unsigned n = ssdp_match(&r->device, span_str(p->st), answers);

	for (unsigned i = 0; i < n; i++) {
		size_t bytes = ssdp_answer_format(&r->device, &answers[i], clock_wall_s(), message);
		/* lost like any datagram where the socket is full */
		if (bytes && sendto(r->address_fd, message, bytes, MSG_DONTWAIT,
				    (const struct sockaddr *)&p->to, sizeof p->to) < 0)
			return;
	}
}

int responder_send_due(struct responder *r)
{
	uint64_t now_ms = clock_now_ms(), next_ms = UINT64_MAX;

	for (unsigned i = 0; i < r->pending_n;) {
		struct responder_pending *p = &r->pending[i];
		if (p->due_ms <= now_ms) {
			search_answer(r, p);
			*p = r->pending[--r->pending_n];
			continue;
		}
		next_ms = MIN(next_ms, p->due_ms);
		i++;
	}
	return next_ms == UINT64_MAX ? -1 : (int)(next_ms - now_ms);
}
