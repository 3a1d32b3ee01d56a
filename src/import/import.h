/* SPDX-License-Identifier: MIT */
/* Import: bring what another server knows into the library: MiniDLNA's files.db and VuIO's
 * media.db.
 *
 * What comes: media files with their facts, playlists, bookmarks. Only files that exist and lie in
 * a media root are stored; everything left out is counted. The other server knows less of a file
 * than a probe would find, so an imported record is shown at once, but counts as unexamined: the
 * next scan reads the file, once. A record that a scan has made is not touched; importing again
 * changes nothing.
 *
 * The source is never written to. It is a foreign file: nothing in it is believed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct library;

enum import_format {
	IMPORT_ANY, /* whichever it is */
	/** user_version 9 to 11 (MiniDLNA 1.1 to 1.3) is known; of others the columns that are
	 * there are read. */
	IMPORT_MINIDLNA,
	/** Schema versions 1 and 2 (all that were SQLite) are known; others likewise. */
	IMPORT_VUIO
};

/** Why items were left out. */
enum import_skip {
	IMPORT_OUTSIDE, /* in no media root */
	IMPORT_MISSING, /* no such file, or it is empty, or not to be reached */
	IMPORT_OTHER,	/* a kind of file that is not served, or the picture of a folder */
	IMPORT_FAULTY,	/* a path that is none, a row that is too large */
	IMPORT_FAILED,	/* the library did not take it */
	IMPORT_SKIPS_N
};

struct import_report {
	uint64_t items_n;  /* read from the source */
	uint64_t stored_n; /* given to the library */
	uint64_t known_n;  /* a scan has already read that file */
	uint64_t skipped_n[IMPORT_SKIPS_N];
	char example[IMPORT_SKIPS_N][256]; /* the first one, quoted; "" where there is none */
	uint64_t playlists_n, playlist_entries_n, playlists_known_n, playlists_failed_n;
	uint64_t bookmarks_n, bookmarks_known_n, bookmarks_skipped_n;
	const char *source; /* "MiniDLNA", "VuIO"; lifetime: static */
	int64_t version;    /* of its schema, as it says */
	bool version_known;
};

#define IMPORT_PROGRESS_MS 2000 /* between two calls of `progress` */

struct import_options {
	const char *file;
	enum import_format format;
	struct library *library; /* NULL (dry run only): as if it were empty */
	bool dry_run;		 /* look, but store nothing */
	/** Media roots: absolute, symbolic links resolved. None: those that the library has. */
	const char *const *roots;
	size_t roots_n;
	void (*progress)(void *ctx, const struct import_report *so_far); /* may be NULL */
	void *ctx;
};

/** Read all of the source in batches: bounded memory (about 16 MiB, however large the source is),
 * one pass over its rows and one stat per file. While it is read in a journal mode other than WAL,
 * its server cannot commit. *out is filled in also on failure: what was stored stays; a playlist
 * that was under way is named so, and the next run makes it anew.
 * Errors: ERR_NOTFOUND, ERR_ACCESS, ERR_INVALID (neither kind of database, or no media root),
 * ERR_BUSY (its server keeps it locked), ERR_CORRUPT (damaged), ERR_LIMIT (too much for the memory
 * that it may take), ERR_IO, ERR_NOMEM, ERR_NOSPACE, those of the library. Blocks; waits for the
 * library's writer. */
NODISCARD enum err import_run(const struct import_options *options, struct import_report *out,
			      struct err_info *info);
