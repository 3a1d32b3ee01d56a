/* SPDX-License-Identifier: MIT */
/* What the client and salver-probe agree on, beyond probe.h: how a reply travels. */
#pragma once

#include <stdint.h>

#include "probe/probe.h"

/* The worker's end of the socket in the new process. */
#define PROBE_SOCKET_FD 3
/* How the client starts a worker: salver-probe --worker ENCODING (of text_encoding_parse()) */
#define PROBE_WORKER_ARGUMENT "--worker"

/* A reply: u32 sequence, u32 size of the ProbeReply, then the ProbeReply itself. Above this size it
 * comes in a memfd instead: an unprivileged socket cannot take a packet of 1 MiB. */
#define PROBE_INLINE_MAX_BYTES (64u << 10)

struct probe_reply_header {
	uint32_t sequence;
	uint32_t size;
};

/* The first packet of a worker: it is ready; no reply follows. `size` is one of the two below. */
#define PROBE_HELLO 0u
#define PROBE_HELLO_LOCKED 0u
#define PROBE_HELLO_UNLOCKED 1u /* the system forbids the sandbox */
