/* SPDX-License-Identifier: MIT */
/* SQLite with everything turned off that a hostile file could use. */
#include "import/sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/url.h"

#define HEADER_BYTES 100 /* of every SQLite database */
#define WAL_VERSION 2	 /* in its bytes 18 and 19 */

struct sqlite_file {
	sqlite3 *db;
};

/* ---- errors ---------------------------------------------------------------------------------- */

static enum err err_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
		return ERR_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_NOMEM:
	case SQLITE_TOOBIG:
		return ERR_LIMIT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_ERROR: /* our queries are sound: the schema is not */
		return ERR_CORRUPT;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return ERR_ACCESS;
	case SQLITE_FULL:
		return ERR_NOSPACE;
	default:
		return ERR_IO;
	}
}

const char *sqlite_file_error(struct sqlite_file *f)
{
	return sqlite3_errmsg(f->db);
}

static enum err say(const char *path, int rc, const char *words, struct err_info *info)
{
	struct span p = span_str(path);
	enum err e = err_of(rc);

	if (rc == SQLITE_READONLY_ROLLBACK || rc == SQLITE_BUSY_RECOVERY)
		return err_set(info, e, 0,
			       "a write to %s was interrupted: start its server once, so that it "
			       "mends the file, then import again",
			       QUOTE(p));
	if (e == ERR_BUSY)
		return err_set(info, e, 0, "%s is being written: stop its server, or try again",
			       QUOTE(p));
	return err_set(info, e, 0, "cannot read %s: %s", QUOTE(p), words);
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool file_is_empty(const char *path, const char *suffix)
{
	struct buf b;
	struct stat st;

	buf_init(&b, 1u << 16);
	buf_addf(&b, "%s%s", path, suffix);
	bool empty = stat(buf_cstr(&b), &st) != 0 || st.st_size == 0;
	buf_fini(&b);
	return empty;
}

/* Is it an SQLite database at all, and how does it keep its journal? */
static enum err look(const char *path, bool *out_wal, struct err_info *info)
{
	struct span p = span_str(path);
	char header[HEADER_BYTES];
	struct stat st;
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || fstat(fd, &st) != 0) {
		int why = errno;

		return err_set(info, err_from_errno(why), why, "cannot open %s: %s", QUOTE(p),
			       strerror(why));
	}
	if (!S_ISREG(st.st_mode))
		return err_set(info, ERR_INVALID, 0, "%s is no file", QUOTE(p));
	if (fd_pread_all(fd, header, sizeof header, 0) != ERR_OK ||
	    memcmp(header, "SQLite format 3", 16) != 0)
		return err_set(info, ERR_INVALID, 0,
			       "%s is no SQLite database, as MiniDLNA's files.db and the media.db "
			       "of VuIO's first versions are (later ones keep their library in "
			       "other formats)",
			       QUOTE(p));
	*out_wal = header[18] == WAL_VERSION || header[19] == WAL_VERSION;
	return ERR_OK;
}

/* Only our own SELECTs, and the PRAGMAs that they are made of. */
static int authorize(void *ctx, int action, const char *a, const char *b, const char *database,
		     const char *inner)
{
	static const char *const functions[] = { "printf", "format", "substr", "length", "min" };

	(void)ctx;
	(void)a;
	(void)database;
	(void)inner;
	if (action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_PRAGMA ||
	    action == SQLITE_TRANSACTION)
		return SQLITE_OK;
	for (size_t i = 0; action == SQLITE_FUNCTION && i < ARRAY_LEN(functions); i++)
		if (b && strcmp(b, functions[i]) == 0)
			return SQLITE_OK;
	return SQLITE_DENY;
}

static int harden(sqlite3 *db)
{
	static const struct {
		int what, value;
	} settings[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },	{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },	{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 }, { SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	};
	static const struct {
		int what, value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, SQLITE_FILE_VALUE_MAX_BYTES },
		{ SQLITE_LIMIT_SQL_LENGTH, 16384 },
		{ SQLITE_LIMIT_COLUMN, 200 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 20 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 3 },
		{ SQLITE_LIMIT_VDBE_OP, 25000 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		int rc = sqlite3_db_config(db, settings[i].what, settings[i].value, NULL);

		if (rc != SQLITE_OK)
			return rc;
	}
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		sqlite3_limit(db, limits[i].what, limits[i].value);
	return sqlite3_busy_timeout(db, SQLITE_FILE_BUSY_MS);
}

/* Settings of the connection, then the pin: the first SELECT takes the read lock. */
static int begin(sqlite3 *db)
{
	char sql[256];

	snprintf(sql, sizeof sql,
		 "PRAGMA query_only = 1; PRAGMA cell_size_check = 1; PRAGMA mmap_size = 0;"
		 "PRAGMA cache_size = -%d; BEGIN; SELECT count(*) FROM sqlite_master",
		 SQLITE_FILE_CACHE_KIB);
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? sqlite3_set_authorizer(db, authorize, NULL) : rc;
}

static int connect(const char *path, bool immutable, sqlite3 **out)
{
	struct buf uri;

	buf_init(&uri, 1u << 16);
	buf_add_str(&uri, "file:");
	url_add_encoded(&uri, span_str(path));
	buf_add_str(&uri, immutable ? "?mode=ro&immutable=1" : "?mode=ro");
	int rc = buf_err(&uri) == ERR_OK
			 ? sqlite3_open_v2(buf_cstr(&uri), out,
					   SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
						   SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
						   SQLITE_OPEN_EXRESCODE,
					   NULL)
			 : SQLITE_NOMEM;
	buf_fini(&uri);
	return rc;
}

enum err sqlite_file_open(const char *path, struct sqlite_file **out, struct err_info *info)
{
	bool wal;
	enum err e = look(path, &wal, info);

	if (e != ERR_OK)
		return e;
	CLEANUP(sqlite_file_closep) struct sqlite_file *f = calloc(1, sizeof *f);
	if (!f)
		return err_set(info, ERR_NOMEM, 0, "out of memory");
	sqlite3_hard_heap_limit64(SQLITE_FILE_HEAP_MAX_BYTES);
	/* Without a log that somebody could be writing to, the file holds all there is. */
	int rc = connect(path, wal && file_is_empty(path, "-wal"), &f->db);
	if (rc == SQLITE_OK)
		rc = harden(f->db);
	if (rc == SQLITE_OK)
		rc = begin(f->db);
	if (rc != SQLITE_OK)
		return say(path, rc, f->db ? sqlite3_errmsg(f->db) : sqlite3_errstr(rc), info);
	*out = TAKE(f);
	return ERR_OK;
}

void sqlite_file_close(struct sqlite_file *f)
{
	if (!f)
		return;
	sqlite3_close(f->db);
	free(f);
}

void sqlite_file_closep(struct sqlite_file **f)
{
	sqlite_file_close(*f);
}

/* ---- what it holds --------------------------------------------------------------------------- */

static void statement_closep(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
}

/* The rows of PRAGMA `pragma`(`table`); both are our own words. NULL: none. */
static sqlite3_stmt *describe(struct sqlite_file *f, const char *pragma, const char *table)
{
	sqlite3_stmt *s = NULL;
	char sql[128];

	snprintf(sql, sizeof sql, "PRAGMA main.%s(%s)", pragma, table);
	return sqlite3_prepare_v2(f->db, sql, -1, &s, NULL) == SQLITE_OK ? s : NULL;
}

static bool is_text(sqlite3_stmt *s, int column, const char *text)
{
	return sqlite3_stricmp((const char *)sqlite3_column_text(s, column), text) == 0;
}

bool sqlite_file_has_table(struct sqlite_file *f, const char *table)
{
	CLEANUP(statement_closep) sqlite3_stmt *s = describe(f, "table_list", table);

	/* schema, name, type, columns, without row ids, strict */
	return s && sqlite3_step(s) == SQLITE_ROW && is_text(s, 0, "main") &&
	       is_text(s, 2, "table") && sqlite3_column_int(s, 4) == 0;
}

void sqlite_file_add_column(struct sqlite_file *f, const char *table, const char *alias,
			    const char *column, struct buf *sql)
{
	/* number, name, ...; computed columns are not among them */
	CLEANUP(statement_closep) sqlite3_stmt *s = describe(f, "table_info", table);

	while (s && sqlite3_step(s) == SQLITE_ROW)
		if (is_text(s, 1, column)) {
			buf_addf(sql, "%s.%s", alias, column);
			return;
		}
	buf_add_str(sql, "NULL");
}

int64_t sqlite_file_number(struct sqlite_file *f, const char *sql, int64_t otherwise)
{
	CLEANUP(sqlite_cursor_close) struct sqlite_cursor c = { 0 };

	if (sqlite_cursor_open(&c, f, sql, NULL) != ERR_OK || sqlite_cursor_next(&c) != ERR_OK)
		return otherwise;
	return sqlite_cursor_number(&c, 0, INT64_MIN, INT64_MAX, otherwise);
}

/* ---- queries --------------------------------------------------------------------------------- */

enum err sqlite_cursor_open(struct sqlite_cursor *c, struct sqlite_file *f, const char *sql,
			    const char *skip)
{
	*c = (struct sqlite_cursor){ .file = f, .key = INT64_MIN };
	int rc = sqlite3_prepare_v2(f->db, sql, -1, &c->stmt, NULL);
	if (rc == SQLITE_OK && skip)
		rc = sqlite3_prepare_v2(f->db, skip, -1, &c->skip, NULL);
	if (rc == SQLITE_OK && skip)
		rc = sqlite3_bind_int64(c->stmt, 1, c->key);
	return err_of(rc);
}

void sqlite_cursor_close(struct sqlite_cursor *c)
{
	sqlite3_finalize(c->stmt);
	sqlite3_finalize(c->skip);
	*c = (struct sqlite_cursor){ 0 };
}

/* Go on behind the row that follows c->key. */
static enum err skip_row(struct sqlite_cursor *c)
{
	int64_t key = c->key;
	int rc = sqlite3_bind_int64(c->skip, 1, key);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(c->skip);
	bool found = rc == SQLITE_ROW && sqlite3_column_type(c->skip, 0) == SQLITE_INTEGER;
	if (found)
		c->key = sqlite3_column_int64(c->skip, 0);
	sqlite3_reset(c->skip);
	if (!found || c->key <= key) /* each turn gets further, or it would never end */
		return ERR_CORRUPT;
	c->oversized_n++;
	sqlite3_reset(c->stmt);
	return err_of(sqlite3_bind_int64(c->stmt, 1, c->key));
}

enum err sqlite_cursor_next(struct sqlite_cursor *c)
{
	/* another step would begin anew */
	while (c->stmt && !c->ended) {
		int rc = sqlite3_step(c->stmt);

		if (rc == SQLITE_ROW) {
			if (c->skip)
				c->key = sqlite3_column_int64(c->stmt, 0);
			return ERR_OK;
		}
		c->ended = rc == SQLITE_DONE;
		if (c->ended)
			return ERR_NOTFOUND;
		enum err e = rc == SQLITE_TOOBIG && c->skip ? skip_row(c) : err_of(rc);
		if (e != ERR_OK)
			return e;
	}
	return ERR_NOTFOUND;
}

struct span sqlite_cursor_text(struct sqlite_cursor *c, int column)
{
	int type = sqlite3_column_type(c->stmt, column);

	if (type != SQLITE_TEXT && type != SQLITE_INTEGER)
		return SPAN("");
	const void *p = sqlite3_column_text(c->stmt, column);
	int n = sqlite3_column_bytes(c->stmt, column);
	return p && n > 0 ? span_of(p, (size_t)n) : SPAN("");
}

int64_t sqlite_cursor_number(struct sqlite_cursor *c, int column, int64_t min, int64_t max,
			     int64_t otherwise)
{
	int64_t value;

	switch (sqlite3_column_type(c->stmt, column)) {
	case SQLITE_INTEGER:
		value = sqlite3_column_int64(c->stmt, column);
		return value >= min && value <= max ? value : otherwise;
	case SQLITE_TEXT:
		if (num_parse_i64(span_trim(sqlite_cursor_text(c, column)), min, max, &value) ==
		    ERR_OK)
			return value;
		return otherwise;
	default:
		return otherwise;
	}
}
