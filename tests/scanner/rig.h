/* SPDX-License-Identifier: MIT */
/* A media tree, a library and a scanner for a test, all in the case's own directory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "library/library.h"
#include "scanner/scanner.h"

struct rig {
	struct library *library;
	struct scanner *scanner;
	struct scanner_progress progress; /* of the last rig_scan() */
	const char *roots[4];
	unsigned roots_n;
	struct scanner_options options; /* what a case sets beside the above */
	uint64_t poll_ms;
	const char *probe; /* NULL: the one that was built */
};

/** An empty library, one root: `media` in the case's directory, which is the working directory. */
void rig_open(struct rig *r);
void rig_close(struct rig *r);
/** Close the library and open it again. */
void rig_reopen(struct rig *r);
/** Another library for the same roots, to compare with: in the directory `name`. */
void rig_open_other(struct rig *r, const struct rig *like, const char *name);

/** One scan without watching. */
void rig_scan(struct rig *r);
/** The same, but it goes on after that. */
void rig_scan_on(struct rig *r);
/** Start watching; returns when the first walk is stored. */
void rig_watch(struct rig *r);
void rig_stop(struct rig *r);

/** Go on as nobody; the case's directory becomes nobody's. Skips where that cannot be. */
void rig_drop_root(void);
/** Mounts of this case are seen by nobody else, and end with it. Skips where that cannot be. */
void rig_private_mounts(void);

/** Run a shell command, printf-style, in the case's directory. */
__attribute__((format(printf, 1, 2))) void rig_sh(const char *fmt, ...);
/** Copy one of the probe's test files to this path; a test that needs it is skipped without it. */
void rig_media(const char *name, const char *to);

/** The id of the file at this path below the case's directory; 0: not in the library. */
uint64_t rig_id(struct rig *r, const char *path);
/** The scanner's report, a line "REASON PATH" each, the path below the case's directory, sorted.
 * free() it. */
char *rig_report(struct rig *r);
/** Wait up to 10 s until the file is there (or not). */
bool rig_wait_for(struct rig *r, const char *path, bool there);
/** Files in the library. */
uint64_t rig_files(struct rig *r);
/** All fields of all files but ids and times of storing, one line each: the ones that a person
 * looks for by name, then every one byte for byte. free() it. */
char *rig_dump(struct rig *r);
/** Wait up to 15 s until both dumps are equal; prints the first difference otherwise. */
bool rig_wait_equal(struct rig *r, const char *dump);
