/* SPDX-License-Identifier: MIT */
/* What the driver asks of a store: one table of functions per engine. A failure ends the program.
 * Writes of one thread between two commits are one durable unit, or several (never less). */
#pragma once

#include "digest.h"
#include "rows_gen.h"

struct engine_options {
	const char *dir; /* exists */
	uint64_t rows_n; /* how many will come, for those who must know */
};

struct engine {
	const char *name;
	void *(*open)(const struct engine_options *o);
	void (*close)(void *db);

	/** Ids are given by order of arrival, from 1. */
	void (*put)(void *db, const struct row *row);
	void (*commit)(void *db);
	/** Ends the bulk load: what the variant left for later. NULL: nothing. */
	void (*load_end)(void *db);
	/** Has done now what the engine does when it is idle. NULL: nothing. */
	void (*settle)(void *db);
	/** How the names of files begin that hold what no other engine has. NULL: none do. */
	const char *extra_files;

	/* The rest may be NULL in engines that only insert. */
	void (*update)(void *db, const struct row *row); /* found by its path */
	void (*remove)(void *db, struct span path);
	void (*get_path)(void *db, struct span path, struct digest *d);
	void (*get_id)(void *db, uint64_t id, struct digest *d);
	void (*directory)(void *db, struct span path, struct digest *d); /* by natural name */
	void (*titles)(void *db, uint64_t offset, uint64_t n, struct digest *d);
	void (*artists)(void *db, struct digest *d); /* with counts */
	void (*artist_tracks)(void *db, struct span artist, struct digest *d);

	/** Makes a closed store forget its indexes, so that opening replays the log. NULL: has no
	 * log. */
	void (*lose_indexes)(const char *dir);
};

extern const struct engine engine_salver; /* src/library, written as the scanner writes */
extern const struct engine engine_db;	  /* src/db alone, given the numbers of everything */
extern const struct engine engine_floor;  /* the same records in a file: nothing can be faster */
extern const struct engine engine_sqlite, engine_sqlite_after, engine_lmdb, engine_lmdb_packed;

/** Says why and ends the program. */
_Noreturn void bench_fail(const char *what, const char *why);
