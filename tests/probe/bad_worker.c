/* SPDX-License-Identifier: MIT */
/* A worker of salver-probe that misbehaves as the file's name asks: crash, hang, lie, ... */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "probe/protocol.h"
#include "schema/probe_fb.h"

struct reply {
	struct probe_reply_header h;
	_Alignas(8) uint8_t bytes[4096];
};

static bool is(struct span name, const char *what)
{
	return span_eq(name, span_str(what));
}

static void answer(uint32_t sequence, struct span name)
{
	struct reply r = { .h = { .sequence = sequence } };
	struct probe_reply_in in = { .status = PROBE_STATUS_OK, .title = name };

	if (probe_reply_build(r.bytes, sizeof r.bytes, &in, &r.h.size) != ERR_OK)
		exit(3);
	size_t n = sizeof r.h + r.h.size;
	if (is(name, "wrong-sequence"))
		r.h.sequence += 7;
	else if (is(name, "wrong-size"))
		r.h.size += 1;
	else if (is(name, "not-a-reply"))
		memset(r.bytes, 0xaa, sizeof r.bytes);
	else if (is(name, "short"))
		n = 3;
	if (fd_send_packet(PROBE_SOCKET_FD, span_of(&r, n), -1) != ERR_OK)
		exit(4);
}

static void serve(void)
{
	char packet[sizeof(struct probe_request) + PROBE_NAME_MAX];
	size_t n = 0;
	CLEANUP(fd_closep) int fd = -1;
	struct probe_request request;

	if (fd_recv_packet(PROBE_SOCKET_FD, packet, sizeof packet, &n, &fd) != ERR_OK)
		exit(0);
	memcpy(&request, packet, sizeof request);
	struct span name = span_of(packet + sizeof request, n - sizeof request);
	if (is(name, "crash") || is(name, "crash.mp3"))
		abort();
	if (is(name, "quit"))
		exit(0);
	while (is(name, "hang"))
		pause();
	if (span_starts(name, SPAN("slow")))
		(void)nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	answer(request.sequence, name);
}

int main(int argc, char **argv)
{
	const struct probe_reply_header hello = { .sequence = PROBE_HELLO };

	(void)argc;
	/* Under this name it does not even start. */
	if (span_ends(span_str(argv[0]), SPAN("never-starts")))
		return 1;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* as the real one does */
	if (fd_send_packet(PROBE_SOCKET_FD, span_of(&hello, sizeof hello), -1) != ERR_OK)
		return 2;
	for (;;)
		serve();
}
