/* SPDX-License-Identifier: MIT */
/* Names of errors, errno to error, and the one place where a broken invariant ends the program. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {
	[ERR_OK] = "ok",
	[ERR_NOMEM] = "out of memory",
	[ERR_INVALID] = "malformed",
	[ERR_RANGE] = "out of range",
	[ERR_NOTFOUND] = "not found",
	[ERR_EXISTS] = "exists already",
	[ERR_ACCESS] = "permission denied",
	[ERR_IO] = "input/output error",
	[ERR_NOSPACE] = "no space left",
	[ERR_CORRUPT] = "corrupt",
	[ERR_VERSION] = "written by a newer version",
	[ERR_BUSY] = "busy",
	[ERR_LIMIT] = "limit reached",
	[ERR_TIMEOUT] = "timed out",
	[ERR_CLOSED] = "closed",
	[ERR_UNSUPPORTED] = "not supported",
};

const char *err_name(enum err e)
{
	if ((unsigned)e >= ARRAY_LEN(names) || !names[e])
		return "unknown error";
	return names[e];
}

enum err err_from_errno(int os_errno)
{
	switch (os_errno) {
	case 0:
		return ERR_OK;
	case ENOMEM:
		return ERR_NOMEM;
	case EINVAL:
	case ENAMETOOLONG:
	case EISDIR:
	case ENOTDIR:
		return ERR_INVALID;
	case ERANGE:
	case EOVERFLOW:
		return ERR_RANGE;
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return ERR_NOTFOUND;
	case EEXIST:
	case ENOTEMPTY:
		return ERR_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_ACCESS;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_NOSPACE;
	case EAGAIN:
	case EBUSY:
	case EADDRINUSE:
	case ETXTBSY:
		return ERR_BUSY;
	case EMFILE:
	case ENFILE:
	case ELOOP:
	case EMLINK:
		return ERR_LIMIT;
	case ETIMEDOUT:
		return ERR_TIMEOUT;
	case EPIPE:
	case ECONNRESET:
	case ECONNREFUSED:
	case ENOTCONN:
		return ERR_CLOSED;
	case ENOSYS:
	case EOPNOTSUPP:
	case EAFNOSUPPORT:
		return ERR_UNSUPPORTED;
	default:
		return ERR_IO;
	}
}

enum err err_set(struct err_info *info, enum err e, int os_errno, const char *fmt, ...)
{
	if (!info)
		return e;
	info->os_errno = os_errno;
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(info->text, sizeof info->text, fmt, args);
	va_end(args);
	return e;
}

void assert_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "error main: bug in salver: %s:%d: %s\n", file, line, what);
	abort();
}
