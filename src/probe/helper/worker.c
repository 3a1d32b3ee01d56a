/* SPDX-License-Identifier: MIT */
/* The worker: requests in, facts out, until the other side closes the socket. */
#include "probe/helper/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "probe/helper/audio.h"
#include "probe/helper/examine.h"
#include "probe/helper/sandbox.h"
#include "probe/helper/thumbnail.h"
#include "probe/protocol.h"

struct worker {
	int sock;
	struct facts facts;
	uint8_t *message; /* a reply's header and the reply: PROBE_REPLY_MAX_BYTES behind the header
			   */
};

/* The ProbeReply behind the header; where the facts do not fit, the reply that says so. */
static enum err build_reply(struct worker *w, uint32_t *out_n)
{
	struct probe_reply_in *r = &w->facts.reply;
	uint8_t *at = w->message + sizeof(struct probe_reply_header);
	enum err e = probe_reply_build(at, PROBE_REPLY_MAX_BYTES, r, out_n);

	if (e == ERR_OK)
		return e;
	struct probe_reply_in small = { .status = PROBE_STATUS_TOO_LARGE,
					.kind = r->kind,
					.mime_type = r->mime_type,
					.error = SPAN("its facts need too much room") };
	return probe_reply_build(at, PROBE_REPLY_MAX_BYTES, &small, out_n);
}

static enum err send_large(struct worker *w, struct span head, struct span reply)
{
	CLEANUP(fd_closep) int memory = memfd_create("probe-reply", MFD_CLOEXEC);

	if (memory < 0)
		return ERR_NOMEM;
	enum err e = fd_pwrite_all(memory, reply, 0);
	return e == ERR_OK ? fd_send_packet(w->sock, head, memory) : e;
}

static enum err send_reply(struct worker *w, uint32_t sequence)
{
	uint32_t n = 0;
	enum err e = build_reply(w, &n);

	if (e != ERR_OK)
		return e;
	struct probe_reply_header h = { .sequence = sequence, .size = n };
	memcpy(w->message, &h, sizeof h);
	struct span head = span_of(w->message, sizeof h);
	if (n > PROBE_INLINE_MAX_BYTES)
		return send_large(w, head, span_of(w->message + sizeof h, n));
	return fd_send_packet(w->sock, span_of(w->message, sizeof h + n), -1);
}

static enum err serve_one(struct worker *w)
{
	char packet[sizeof(struct probe_request) + PROBE_NAME_MAX];
	size_t n = 0;
	CLEANUP(fd_closep) int fd = -1;
	enum err e = fd_recv_packet(w->sock, packet, sizeof packet, &n, &fd);
	struct probe_request request;

	if (e != ERR_OK)
		return e;
	if (n < sizeof request || fd < 0)
		return ERR_INVALID;
	memcpy(&request, packet, sizeof request);
	facts_reset(&w->facts);
	struct span name = span_of(packet + sizeof request, n - sizeof request);
	w->facts.want_art = request.kind == PROBE_ART;
	if (request.kind == PROBE_TN || request.kind == PROBE_SM)
		thumbnail_make(&w->facts, fd, name,
			       request.kind == PROBE_TN ? PICTURE_TN : PICTURE_SM);
	else
		examine_file(&w->facts, fd, name);
	sandbox_more_cpu();
	return send_reply(w, request.sequence);
}

static void worker_fini(struct worker *w)
{
	facts_fini(&w->facts);
	free(w->message);
}

int worker_run(int sock, const char *library_dir, enum text_encoding encoding)
{
	CLEANUP(worker_fini) struct worker w = { .sock = sock };
	struct probe_reply_header hello = { .sequence = PROBE_HELLO, .size = PROBE_HELLO_LOCKED };

	/* The parent may be gone already; then the socket is closed and the loop ends by itself. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	facts_init(&w.facts);
	w.message = malloc(sizeof hello + PROBE_REPLY_MAX_BYTES);
	if (!w.message)
		return EXIT_FAILURE;
	audio_init(encoding);
	sandbox_limit();
	if (!sandbox_lock(library_dir))
		hello.size = PROBE_HELLO_UNLOCKED; /* the client says so, once for all workers */
	enum err e = fd_send_packet(sock, span_of(&hello, sizeof hello), -1);
	while (e == ERR_OK)
		e = serve_one(&w);
	return e == ERR_CLOSED ? EXIT_SUCCESS : EXIT_FAILURE;
}
