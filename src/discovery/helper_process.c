/* SPDX-License-Identifier: MIT */
/* One salver-discovery process: started, told to end, started again with growing pauses. */
#include "discovery/helper_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define CONTROL_FD 3 /* in the helper */

extern char **environ;

void helper_init(struct helper *h, const struct link_info *l)
{
	*h = (struct helper){ .address = l->address,
			      .mask = l->mask,
			      .pid_fd = -1,
			      .control_fd = -1,
			      .pause_ms = HELPER_PAUSE_MIN_MS };
	memcpy(h->name, l->name, sizeof h->name);
}

unsigned helper_next_pause_ms(unsigned pause_ms, uint64_t ran_ms)
{
	if (ran_ms >= HELPER_STEADY_MS)
		return HELPER_PAUSE_MIN_MS;
	return MIN(pause_ms * 2, HELPER_PAUSE_MAX_MS);
}

/* Fresh signal state: our threads block everything. 0 or an errno. */
static int spawn(const char *program, char *const *argv, int control_fd, pid_t *out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&files, control_fd, CONTROL_FD);
	/* ours are close-on-exec; this is for what our own parent left open */
	posix_spawn_file_actions_addclosefrom_np(&files, CONTROL_FD + 1);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int r = posix_spawn(out, program, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return r;
}

static void failed(struct helper *h, const char *program, int os_errno, uint64_t now_ms)
{
	log_warn(LOG_DISCOVERY,
		 "cannot start %s: %s; not announced on interface %s, serving on, again in %u s",
		 QUOTE(span_str(program)), strerror(os_errno), QUOTE(span_str(h->name)),
		 h->pause_ms / 1000);
	h->deadline_ms = now_ms + h->pause_ms;
	h->pause_ms = helper_next_pause_ms(h->pause_ms, 0);
}

void helper_start(struct helper *h, const char *program, uint16_t port, uint64_t now_ms)
{
	char address[INET_ADDRSTRLEN], mask[INET_ADDRSTRLEN], port_text[8];
	char *argv[] = { (char *)(uintptr_t)program, h->name, address, mask, port_text, NULL };
	int pair[2];

	inet_ntop(AF_INET, &h->address, address, sizeof address);
	inet_ntop(AF_INET, &h->mask, mask, sizeof mask);
	snprintf(port_text, sizeof port_text, "%u", port);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		failed(h, program, errno, now_ms);
		return;
	}
	int r = spawn(program, argv, pair[1], &h->pid);
	close(pair[1]);
	h->control_fd = pair[0];
	h->pid_fd = r == 0 ? pidfd_open(h->pid, 0) : -1;
	if (r == 0 && h->pid_fd < 0) { /* without it nobody would see its end */
		r = errno;
		kill(h->pid, SIGKILL);
		waitpid(h->pid, NULL, 0);
	}
	if (r != 0) {
		fd_closep(&h->control_fd);
		h->pid = 0;
		failed(h, program, r, now_ms);
		return;
	}
	h->started_ms = now_ms;
	h->ending = false;
	h->announced = false;
}

void helper_end(struct helper *h, uint64_t now_ms)
{
	if (h->pid == 0 || h->ending)
		return;
	h->ending = true;
	h->deadline_ms = now_ms + HELPER_BYEBYE_MS;
	kill(h->pid, SIGTERM);
	fd_closep(&h->control_fd);
}

void helper_check_deadline(struct helper *h, uint64_t now_ms)
{
	if (h->pid && h->ending && now_ms >= h->deadline_ms)
		kill(h->pid, SIGKILL);
}

void helper_control_read(struct helper *h)
{
	char message[16];
	ssize_t n = recv(h->control_fd, message, sizeof message, 0);

	if (n > 0 && !h->announced) {
		h->announced = true;
		log_info(LOG_DISCOVERY, "announced on interface %s", QUOTE(span_str(h->name)));
	} else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		fd_closep(&h->control_fd); /* its end is seen by pid_fd */
	}
}

bool helper_reap(struct helper *h, uint64_t now_ms)
{
	int status = 0;
	if (waitpid(h->pid, &status, WNOHANG) == 0)
		return false;
	fd_closep(&h->pid_fd);
	fd_closep(&h->control_fd);
	h->pid = 0;
	h->announced = false;
	if (h->ending) {
		h->ending = false;
		h->deadline_ms = now_ms;
		h->pause_ms = HELPER_PAUSE_MIN_MS;
		return false;
	}
	uint64_t ran_ms = now_ms - h->started_ms;
	if (ran_ms >= HELPER_STEADY_MS)
		h->pause_ms = HELPER_PAUSE_MIN_MS;
	h->deadline_ms = now_ms + h->pause_ms;
	log_warn(LOG_DISCOVERY, "salver-discovery for interface %s ended (%s %d), again in %u s",
		 QUOTE(span_str(h->name)), WIFSIGNALED(status) ? "signal" : "status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), h->pause_ms / 1000);
	h->pause_ms = helper_next_pause_ms(h->pause_ms, ran_ms);
	return true;
}
