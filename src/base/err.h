/* SPDX-License-Identifier: MIT */
/* The one error type of the whole program, and the text that goes with a set-up failure. */
#pragma once

#include "base/attr.h"

enum err {
	ERR_OK = 0,
	ERR_NOMEM,	/* out of memory, or a configured memory limit reached */
	ERR_INVALID,	/* an argument or a message is malformed */
	ERR_RANGE,	/* well-formed, but outside what is allowed */
	ERR_NOTFOUND,	/* no such object, key, file */
	ERR_EXISTS,	/* it is there already */
	ERR_ACCESS,	/* permission denied */
	ERR_IO,		/* a read, write or sync failed */
	ERR_NOSPACE,	/* the disk is full */
	ERR_CORRUPT,	/* stored bytes fail their checks */
	ERR_VERSION,	/* written by a newer, incompatible version */
	ERR_BUSY,	/* held by another process or operation */
	ERR_LIMIT,	/* a named limit was reached */
	ERR_TIMEOUT,	/* not done within its time */
	ERR_CLOSED,	/* the other side has gone, or we are shutting down */
	ERR_UNSUPPORTED /* known, but not offered here */
};

/** Why a set-up call failed: one sentence for a person, ready to print. */
struct err_info {
	int os_errno;	/* errno of the system call, or 0 */
	char text[512]; /* what, where, why and the way out; outside bytes already escaped */
};

/** The fixed name of an error: "out of memory", "no such object", ... */
const char *err_name(enum err e);

/** The error an errno value means; ERR_IO where nothing fits better. */
enum err err_from_errno(int os_errno);

/** Fill `info` (may be NULL) and return `e`, so that a failing call can end in one line. */
PRINTF_LIKE(4, 5)
enum err err_set(struct err_info *info, enum err e, int os_errno, const char *fmt, ...);
