/* SPDX-License-Identifier: MIT */
/* What the helper gives up once its sockets are open. */
#include "discovery/helper/confine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

/* What libupnp's threads, our loop and a sanitizer's runtime need from here on. Anything else
 * fails with EPERM: no programs, no files, no other processes. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(close),
	SCMP_SYS(fcntl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(futex),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(socket),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(sendto),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(ioctl),
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
	SCMP_SYS(tgkill),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler),
	SCMP_SYS(sched_setscheduler),
	SCMP_SYS(sched_get_priority_min),
	SCMP_SYS(sched_get_priority_max),
	SCMP_SYS(uname),
	SCMP_SYS(prlimit64),
};

static void privileges_drop(void)
{
	if (geteuid() == 0) {
		const struct passwd *nobody = getpwnam("nobody");
		if (!nobody || setgroups(0, NULL) < 0 ||
		    setresgid(nobody->pw_gid, nobody->pw_gid, nobody->pw_gid) < 0 ||
		    setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid) < 0)
			log_warn(LOG_DISCOVERY, "cannot become nobody: %s", strerror(errno));
	}
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		log_warn(LOG_DISCOVERY, "cannot set no_new_privs: %s", strerror(errno));
}

static void limit(__rlimit_resource_t which, rlim_t max)
{
	struct rlimit l = { max, max };
	if (setrlimit(which, &l) < 0)
		log_warn(LOG_DISCOVERY, "cannot set limit %d: %s", (int)which, strerror(errno));
}

static void syscalls_restrict(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx ? 0 : -ENOMEM;

	for (unsigned i = 0; r == 0 && i < ARRAY_LEN(allowed); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	/* all threads that libupnp started */
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0)
		r = seccomp_load(ctx);
	if (r != 0)
		log_warn(LOG_DISCOVERY, "no system call filter: %s; going on without",
			 strerror(-r));
	if (ctx)
		seccomp_release(ctx);
}

void confine(void)
{
	privileges_drop();
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NOFILE, 128);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* whose shadows are larger */
	limit(RLIMIT_DATA, 256u << 20);
#endif
	syscalls_restrict();
}
