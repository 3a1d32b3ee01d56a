/* SPDX-License-Identifier: MIT */
/* Report: what below the roots is not served, or by its name only, and why. It looks at the disk as
 * a scan does, with the same eyes, and at what the library has; nothing is probed or stored. */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum scan_reason {
	/* not served; found while a directory is read: */
	REASON_HIDDEN,
	REASON_EXCLUDED,
	REASON_NOT_INCLUDED,
	REASON_OTHER_TYPE,
	REASON_SPECIAL,
	REASON_EMPTY,
	REASON_DEAD_LINK,
	REASON_UNREADABLE,
	/* directories: */
	REASON_NOMEDIA,
	REASON_TOO_MANY,
	REASON_TOO_DEEP,
	REASON_LINK_LOOP,
	REASON_TOO_MANY_LINKS,
	REASON_ROOT_AWAY,
	/* media files: */
	REASON_PENDING,
	REASON_NOT_MEDIA,
	REASON_BROKEN,
	REASON_TIMEOUT,
	REASON_CRASHED,
	REASON_TOO_LARGE,
	REASON_UNAVAILABLE,
	REASONS_N
};

struct scan_reason_text {
	const char *name; /* for programs: "notMedia" */
	const char *text; /* for people */
};
extern const struct scan_reason_text scan_reasons[REASONS_N];

struct report_sink {
	/** Once for each; the path ends with the call. */
	void (*entry)(void *ctx, struct span path, enum scan_reason reason);
	/** Now and then: is anybody still interested? */
	bool (*go_on)(void *ctx);
	void *ctx;
};

/** O(files). Errors: those of scanner_start(); ERR_CLOSED: go_on() said no.
 * Threads: any, also beside a scanner of the same library. */
struct scanner_options;
NODISCARD enum err scanner_report(const struct scanner_options *options,
				  const struct report_sink *sink, struct err_info *info);
