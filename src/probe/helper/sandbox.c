/* SPDX-License-Identifier: MIT */
/* What a worker gives up before it looks at the first file. */
#include "probe/helper/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/fd.h"
#include "base/log.h"

/* The sanitizers reserve terabytes of address space and trace themselves at the end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

static void limit(int what, uint64_t soft, uint64_t hard)
{
	struct rlimit r = { .rlim_cur = soft, .rlim_max = hard };

	/* Fails only where the limit is lower already, which is as good. */
	(void)setrlimit((__rlimit_resource_t)what, &r);
}

void sandbox_limit(void)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	limit(RLIMIT_CORE, 0, 0);
	/* What may be written is a reply in a memfd; the signal would kill where an error will do.
	 */
	(void)signal(SIGXFSZ, SIG_IGN);
	limit(RLIMIT_FSIZE, SANDBOX_WRITE_MAX_BYTES, SANDBOX_WRITE_MAX_BYTES);
	limit(RLIMIT_NOFILE, SANDBOX_FILES_MAX, SANDBOX_FILES_MAX);
	if (!SANDBOX_SANITIZED)
		limit(RLIMIT_AS, SANDBOX_MEMORY_MAX_BYTES, SANDBOX_MEMORY_MAX_BYTES);
	sandbox_more_cpu();
}

void sandbox_more_cpu(void)
{
	static rlim_t allowed_s;
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) != 0)
		return;
	rlim_t used_s = (rlim_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec);
	if (used_s + SANDBOX_CPU_STEP_S / 2 < allowed_s)
		return;
	allowed_s = used_s + SANDBOX_CPU_STEP_S;
	limit(RLIMIT_CPU, allowed_s, RLIM_INFINITY);
}

static bool landlocked; /* for the self-test */

/* Landlock: whatever is opened from now on lies where libraries and their data lie. */
static void lock_paths(const char *library_dir)
{
	const char *const readable[] = { "/usr", "/lib", "/lib64", "/etc/ld.so.cache",
					 library_dir };
	const uint64_t read_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
				     LANDLOCK_ACCESS_FS_EXECUTE;
	struct landlock_ruleset_attr attr = {
		/* Everything of the first version of the interface. */
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1
	};
	CLEANUP(fd_closep)
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);

	if (rules < 0)
		return; /* an older kernel, or built without: seccomp stands alone */
	for (size_t i = 0; i < ARRAY_LEN(readable); i++) {
		CLEANUP(fd_closep) int at = open(readable[i], O_PATH | O_CLOEXEC);
		struct landlock_path_beneath_attr below = { .allowed_access = read_rights,
							    .parent_fd = at };

		if (i == 3)
			below.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
		if (at >= 0)
			(void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
				      &below, 0);
	}
	landlocked = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}

/* What libc, TagLib, libexif, libmagic, libavformat and the dynamic loader were seen to need. */
static const int allowed_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(getcwd),
	SCMP_SYS(fadvise64),
	SCMP_SYS(dup),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(memfd_create),
	SCMP_SYS(ftruncate),
	SCMP_SYS(pwrite64),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrusage),
	SCMP_SYS(setrlimit),
	SCMP_SYS(getrlimit),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(clock_getres),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
};

static int add_rules(scmp_filter_ctx ctx)
{
	const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_TMPFILE;
	int e = 0;

	for (size_t i = 0; i < ARRAY_LEN(allowed_calls) && e == 0; i++)
		e = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	if (e == 0) /* O_TMPFILE contains O_DIRECTORY, which is harmless by itself but not needed */
		e = seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, writing & ~(scmp_datum_t)O_DIRECTORY, 0));
	if (e == 0)
		e = seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, writing & ~(scmp_datum_t)O_DIRECTORY, 0));
	if (e == 0) /* limits of ourselves may be read, and our own CPU time extended */
		e = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				     SCMP_A0(SCMP_CMP_EQ, 0, 0));
	if (e == 0) /* abort() */
		e = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	return e;
}

bool sandbox_lock(const char *library_dir)
{
	if (SANDBOX_SANITIZED)
		return true;
	lock_paths(library_dir);
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int e = ctx ? add_rules(ctx) : -ENOMEM;

	if (e == 0)
		e = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return e == 0;
}

static int attempt(const char *what, long result)
{
	bool possible = result >= 0;

	printf("%s: %s\n", what, possible ? "POSSIBLE" : strerror(errno));
	return possible;
}

int sandbox_self_test(void)
{
	int possible_n = 0;

	possible_n += attempt("socket of the Internet", socket(AF_INET, SOCK_STREAM, 0));
	possible_n += attempt("socket of this machine", socket(AF_UNIX, SOCK_STREAM, 0));
	possible_n += attempt("write a file",
			      open("/tmp/salver-probe-self-test", O_WRONLY | O_CREAT, 0600));
	possible_n += attempt("append to a file", open("/dev/null", O_RDWR | O_APPEND));
	possible_n += attempt("make a nameless file", open("/tmp", O_TMPFILE | O_WRONLY, 0600));
	possible_n += attempt("remove a file", unlink("/tmp/salver-probe-self-test"));
	possible_n += attempt("start a process", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	possible_n += attempt("run a program", syscall(SYS_execve, "/bin/true", NULL, NULL));
	possible_n += attempt("trace a process", syscall(SYS_ptrace, 0, 0, 0, 0));
	possible_n += attempt("signal the parent", syscall(SYS_kill, getppid(), 0));
	if (landlocked)
		possible_n += attempt("read a file outside /usr", open("/etc/passwd", O_RDONLY));
	return possible_n;
}
