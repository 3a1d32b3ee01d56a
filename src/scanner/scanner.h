/* SPDX-License-Identifier: MIT */
/* The scanner: keeps the library equal to the disk. One thread walks the roots at start, then
 * follows inotify; both put directories through the same path (plan -> probe -> batch). */
#pragma once

#include "base/err.h"
#include "base/text_encoding.h"
#include "base/span.h"

#define SCANNER_ROOTS_MAX 256

struct library;
struct scanner;

struct scanner_options {
	struct library *library;
	const char *const *roots; /* absolute, existing directories */
	size_t roots_n;
	/* Patterns (scanner/patterns.h). What `exclude` matches is not there for us, with all below
	 * it. Where there is an `include`, only media files that it matches are taken, and those
	 * below directories that it matches. */
	const char *const *exclude, *const *include;
	size_t exclude_n, include_n;
	unsigned probe_workers;	   /* 0: one per CPU */
	bool watch;		   /* false: scan, and do not follow changes */
	const char *probe_program; /* NULL: beside the binary */
	bool retry;	    /* examine again what could not be examined, though it is unchanged */
	uint64_t poll_ms;   /* least time between two looks at what raises no events; 0: a minute */
	uint64_t rescan_ms; /* from one scan of everything to the next; 0: never */
	/* A root that is not there, or empty and was not, keeps its files for so long, over
	 * restarts. 0: for ever. */
	uint64_t grace_s;
	enum text_encoding tag_encoding; /* of tags that are labelled Latin-1 */
};

NODISCARD enum err scanner_start(const struct scanner_options *options, struct scanner **out,
				 struct err_info *info);
/** Ends within a second, whatever it is doing; submitted batches are committed. NULL is fine. */
void scanner_stop(struct scanner *s);
/** Wait until the first walk has ended and is stored (`salver scan`). ERR_TIMEOUT; 0: for ever. */
NODISCARD enum err scanner_wait(struct scanner *s, uint64_t timeout_ms);

struct scanner_progress {
	bool scanning;		       /* the walk is under way */
	bool refused;		       /* the library became read-only: nothing is tried any more */
	uint64_t started_ms, ended_ms; /* clock_now_ms(); ended 0 while it runs */
	uint64_t directories_n, found_n, unchanged_n, probed_n, stored_n, removed_n, failed_n;
	/* Files that crashed or hung their examination: met by the scan, or since then. They are
	 * not examined again until they change. */
	uint64_t quarantined_n;
	uint64_t watches_n;
	uint64_t done_n;     /* files found that need nothing more but to be stored */
	uint64_t expected_n; /* files in the library before the scan; 0: none, nobody can tell */
};
/** What is left of the scan under way at its rate so far. UINT64_MAX: that is not known: nothing is
 * known of how much there is, it is more than there was, or it has only begun. */
uint64_t scanner_left_ms(const struct scanner_progress *p, uint64_t now_ms);
/** Threads: any. */
void scanner_progress_get(const struct scanner *s, struct scanner_progress *out);
