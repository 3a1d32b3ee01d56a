/* SPDX-License-Identifier: MIT */
/* The client of salver-probe: worker processes that read what is inside a media file, so that
 * third-party parsers share neither our memory nor our fate. One thread uses a struct probe.
 *
 * Protocol: SOCK_SEQPACKET. Request: struct probe_request + name, with the open read-only file as
 * SCM_RIGHTS. Reply: a header (protocol.h) + one ProbeReply (schema/probe.fbs), at most 1 MiB. A
 * worker that crashes, hangs (PROBE_TIMEOUT_MS) or answers nonsense costs the one file that it was
 * at; the other files it had are sent again, and it is started again after a pause that grows.
 * A program that cannot be started, or ends before it is ready, costs no file anything: that is
 * said once, and files come back as PROBE_STATUS_UNAVAILABLE until it works.
 * Workers die with the thread that started them (PR_SET_PDEATHSIG). */
#pragma once

#include "base/err.h"
#include "base/flatbuffer.h"
#include "base/span.h"
#include "base/text_encoding.h"

#define PROBE_TIMEOUT_MS 10000
#define PROBE_REPLY_MAX_BYTES (1u << 20)
#define PROBE_NAME_MAX 1024
#define PROBE_WORKERS_MAX 8
#define PROBE_IDLE_EXIT_MS 10000 /* workers without work end and are started again on demand */

enum probe_kind {
	PROBE_FACTS = 0, /* everything but pictures */
	PROBE_ART = 1,	 /* the embedded picture as well */
	/* A small JPEG of the picture, of the picture in it, or of a film, inside the box that
	 * DLNA's profile of this name allows (base/picture.h): baseline, 4:2:0, no metadata. The
	 * reply has art, art_mime_type, width and height, and nothing else that was found. */
	PROBE_TN = 2,
	PROBE_SM = 3
};

struct probe_request { /* on the wire, followed by the file's name (for its extension) */
	uint32_t sequence;
	uint32_t kind;
};

struct probe;

struct probe_options {
	unsigned workers_n;		 /* 0: one per CPU, at most PROBE_WORKERS_MAX */
	const char *program;		 /* NULL: salver-probe beside the running binary */
	unsigned timeout_ms;		 /* for one file; 0: PROBE_TIMEOUT_MS */
	enum text_encoding tag_encoding; /* of tags that are labelled Latin-1 */
};

/** Workers start with the first file, not here: a missing program is no error yet. */
NODISCARD enum err probe_new(const struct probe_options *options, struct probe **out,
			     struct err_info *info);
/** Ends the workers. NULL is fine. */
void probe_free(struct probe *p);

/** Send one file to a worker; several may be under way in each. `fd` stays the caller's, who may
 * close it at once. `tag` comes back with the result; results come in any order.
 * ERR_BUSY: every worker has its hands full; collect a result first. ERR_INVALID: the name is
 * longer than PROBE_NAME_MAX (its last part is enough). */
NODISCARD enum err probe_send(struct probe *p, enum probe_kind kind, int fd, struct span name,
			      void *tag);

struct probe_result {
	void *tag;
	uint8_t status;	       /* ProbeStatus; where not Ok, facts may be absent */
	struct fb_table facts; /* ProbeReply, verified; valid until the next probe_recv() */
};

/** The next finished file. ERR_TIMEOUT: none within timeout_ms (0: just look). ERR_NOTFOUND:
 * nothing is under way. A crashed or hung worker yields a result with that status, and one that
 * cannot be started PROBE_STATUS_UNAVAILABLE: nothing is known of the file. */
NODISCARD enum err probe_recv(struct probe *p, int timeout_ms, struct probe_result *out);
/** Files sent and not yet collected. */
unsigned probe_pending(const struct probe *p);
/** A descriptor that becomes readable (epoll) when probe_recv() may have something. */
int probe_poll_fd(const struct probe *p);
/** End workers that have been idle for PROBE_IDLE_EXIT_MS; call now and then. */
void probe_reap_idle(struct probe *p);
