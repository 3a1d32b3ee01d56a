/* SPDX-License-Identifier: MIT */
/* Answers searches: one socket for the multicast group, one for the address. */
#pragma once

#include <netinet/in.h>

#include "discovery/helper/ssdp.h"

#define RESPONDER_PENDING_MAX 64   /* searches waiting for their random moment */
#define RESPONDER_PER_SOURCE_MAX 8 /* of one address */
#define RESPONDER_SEARCHES_PER_S 100

struct responder {
	struct ssdp_device device;
	uint32_t address, mask; /* host byte order */
	int group_fd, address_fd;
	uint64_t window_start_ms;
	unsigned in_window;
	unsigned pending_n;
	struct responder_pending {
		uint64_t due_ms;
		struct sockaddr_in to;
		char st[SSDP_TEXT_MAX];
	} pending[RESPONDER_PENDING_MAX];
};

/** Open both sockets on the interface that has `address`. */
NODISCARD enum err responder_open(struct responder *r, unsigned ifindex, struct in_addr address,
				  struct in_addr mask, struct err_info *info);
/** Reads what is there on one of the sockets; queues what deserves an answer. */
void responder_receive(struct responder *r, int fd);
/** Sends what is due. Returns milliseconds until the next is, or -1. */
int responder_send_due(struct responder *r);
