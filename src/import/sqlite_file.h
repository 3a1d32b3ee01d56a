/* SPDX-License-Identifier: MIT */
/* A foreign SQLite database, opened to be read and not to be trusted: no writing, no views, no
 * triggers, no functions but a few, bounded memory. One thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct buf;
struct sqlite_file;
struct sqlite3_stmt;

#define SQLITE_FILE_HEAP_MAX_BYTES (32u << 20) /* of the library, in this process */
#define SQLITE_FILE_CACHE_KIB 2048
#define SQLITE_FILE_VALUE_MAX_BYTES                                                                \
	(64u << 10)		 /* of one value; rows with longer ones are left out */
#define SQLITE_FILE_BUSY_MS 5000 /* its server may be writing */

/** Opens it and pins what it holds now (a read transaction). Cleanly closed databases in WAL mode
 * are read as immutable files, so that nothing is made beside them. O(schema).
 * Errors: see import_run(). */
NODISCARD enum err sqlite_file_open(const char *path, struct sqlite_file **out,
				    struct err_info *info);
void sqlite_file_close(struct sqlite_file *f); /* NULL is fine */
void sqlite_file_closep(struct sqlite_file **f);

/** A plain table of this name: no view, no virtual table, none without row ids. */
bool sqlite_file_has_table(struct sqlite_file *f, const char *table);
/** Append "alias.column", or "NULL" where the table has no such column. */
void sqlite_file_add_column(struct sqlite_file *f, const char *table, const char *alias,
			    const char *column, struct buf *sql);
/** The number that a query of one row gives; `otherwise` where there is none. */
int64_t sqlite_file_number(struct sqlite_file *f, const char *sql, int64_t otherwise);
/** Why the last call failed, in SQLite's words. Lifetime: until the next call. */
const char *sqlite_file_error(struct sqlite_file *f);

/** A query under way. Zeroed: an empty one. */
struct sqlite_cursor {
	struct sqlite_file *file;
	struct sqlite3_stmt *stmt;
	struct sqlite3_stmt *skip; /* finds the key of a row that could not be read */
	int64_t key;		   /* of the row given last */
	uint64_t oversized_n;	   /* rows left out */
	bool ended;
};

/** Begin a query. With `skip`, the query's column 0 is an integer key by which it is in ascending
 * order, its ?1 is the key after which it begins, and `skip` gives the key that follows ?1: rows
 * with values that are too large are then counted and left out. Without, they end the query. */
NODISCARD enum err sqlite_cursor_open(struct sqlite_cursor *c, struct sqlite_file *f,
				      const char *sql, const char *skip);
void sqlite_cursor_close(struct sqlite_cursor *c);
/** The next row. Errors: ERR_NOTFOUND at the end; ERR_CORRUPT, ERR_LIMIT, ERR_BUSY, ERR_IO,
 * ERR_NOMEM, ERR_NOSPACE (for sorting). */
NODISCARD enum err sqlite_cursor_next(struct sqlite_cursor *c);

/** Text (or a number as text); empty for NULL and blobs. Lifetime: until the next row. */
struct span sqlite_cursor_text(struct sqlite_cursor *c, int column);
/** A whole number, also one written as text; `otherwise` where it is none, or outside. */
int64_t sqlite_cursor_number(struct sqlite_cursor *c, int column, int64_t min, int64_t max,
			     int64_t otherwise);
