/* SPDX-License-Identifier: MIT */
/* One worker process as the client sees it: start, talk, watch, end. */
#include "probe/probe_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

/* In the child: nothing of ours but the socket and stderr. Ctrl-C and systemd signal the whole
 * group; a worker that obeyed would seem to have crashed over the file it was at, and that file
 * would be remembered as broken. So these stay blocked: a worker ends by its socket, or by SIGKILL.
 */
static int spawn(pid_t *out_pid, const struct probe_program *program, int sock)
{
	static const int blocked[] = { SIGINT, SIGTERM, SIGHUP };
	char *const argv[] = { (char *)program->path, PROBE_WORKER_ARGUMENT,
			       (char *)text_encoding_name(program->tag_encoding), NULL };
	/* Nothing of the server's environment, which may hold secrets. */
	char *const env[] = { "LC_ALL=C.UTF-8", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	sigfillset(&set);
	posix_spawnattr_setsigdefault(&attr, &set);
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(blocked); i++)
		sigaddset(&set, blocked[i]);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int e = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (e == 0) /* equal numbers: clears close-on-exec, as POSIX asks */
		e = posix_spawn_file_actions_adddup2(&actions, sock, PROBE_SOCKET_FD);
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(&actions, PROBE_SOCKET_FD + 1);
	if (e == 0)
		e = posix_spawn(out_pid, program->path, &actions, &attr, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return e;
}

enum err probe_worker_start(struct probe_worker *w, const struct probe_program *program,
			    unsigned timeout_ms)
{
	int pair[2];
	pid_t pid = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_from_errno(errno);
	CLEANUP(fd_closep) int ours = pair[0];
	CLEANUP(fd_closep) int theirs = pair[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) != 0)
		return err_from_errno(errno);
	int e = spawn(&pid, program, theirs);
	if (e != 0) {
		errno = e; /* for whoever says it */
		return err_from_errno(e);
	}
	w->pid = pid;
	w->sock = fd_take(&ours);
	w->ready = false;
	w->deadline_ms = clock_now_ms() + timeout_ms;
	w->idle_since_ms = clock_now_ms();
	return ERR_OK;
}

/* Wait for the end of a killed process. One that hangs in the kernel (a dead network disk) is left
 * to itself: waiting for it would hang us as well. False: it is still there. */
static bool collect(pid_t pid, int wait_ms)
{
	CLEANUP(fd_closep) int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { .fd = pid_fd, .events = POLLIN };

	if (pid_fd >= 0 && wait_ms > 0)
		(void)poll(&ended, 1, wait_ms);
	pid_t got = waitpid(pid, NULL, pid_fd >= 0 ? WNOHANG : 0);
	return got == pid || (got < 0 && errno == ECHILD);
}

void probe_worker_end(struct probe_worker *w)
{
	if (w->pid == 0)
		return;
	fd_closep(&w->sock);
	/* It has nothing to tidy up, and asking kindly would mean waiting for what may hang. */
	(void)kill(w->pid, SIGKILL);
	if (!collect(w->pid, PROBE_COLLECT_MS)) {
		size_t slot = 0;

		while (slot < PROBE_ORPHANS_MAX - 1 && w->orphans[slot] != 0)
			slot++;
		w->orphans[slot] = w->pid;
	}
	w->pid = 0;
	w->ready = false;
	w->deaf = false;
	w->deadline_ms = 0;
}

void probe_worker_collect(struct probe_worker *w)
{
	for (size_t i = 0; i < PROBE_ORPHANS_MAX; i++)
		if (w->orphans[i] != 0 && collect(w->orphans[i], 0))
			w->orphans[i] = 0;
}

enum err probe_worker_send(struct probe_worker *w, struct probe_job *job, unsigned timeout_ms)
{
	char packet[sizeof(struct probe_request) + PROBE_NAME_MAX];
	struct probe_request request = { .sequence = job->sequence, .kind = job->kind };

	memcpy(packet, &request, sizeof request);
	memcpy(packet + sizeof request, job->name, job->name_n);
	enum err e =
		fd_send_packet(w->sock, span_of(packet, sizeof request + job->name_n), job->fd);
	if (e != ERR_OK)
		return e;
	if (w->jobs_n++ == 0) {
		w->first = job;
		w->deadline_ms = clock_now_ms() + timeout_ms;
	} else {
		w->last->next = job;
	}
	w->last = job;
	job->next = NULL;
	return ERR_OK;
}

struct probe_job *probe_worker_pop(struct probe_worker *w)
{
	struct probe_job *job = w->first;

	if (!job)
		return NULL;
	w->first = job->next;
	if (!w->first)
		w->last = NULL;
	w->jobs_n--;
	job->next = NULL;
	return job;
}
