/* SPDX-License-Identifier: MIT */
/* Opening, closing, the right to write, figures. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "db/backup.h"
#include "salverdb/sdb_priv.h"

#define RETRY_FIRST_MS 10

const char *sdb_err_text(enum sdb_err e)
{
	return err_name(err_in(e));
}

/* ---- the right to write ---------------------------------------------------------------------- */

bool writer_is_me(struct sdb *db)
{
	mutex_lock(&db->m);
	bool me = db->writing && pthread_equal(db->writer, pthread_self());
	mutex_unlock(&db->m);
	return me;
}

enum err writer_take(struct sdb *db)
{
	enum err e = ERR_OK;
	mutex_lock(&db->m);
	if (db->writing && pthread_equal(db->writer, pthread_self()))
		e = ERR_BUSY;
	while (e == ERR_OK && db->writing)
		cond_wait(&db->writer_free, &db->m);
	if (e == ERR_OK) {
		db->writing = true;
		db->writer = pthread_self();
	}
	mutex_unlock(&db->m);
	return e;
}

void writer_give(struct sdb *db)
{
	mutex_lock(&db->m);
	db->writing = false;
	cond_signal(&db->writer_free);
	mutex_unlock(&db->m);
}

/* What may pass by itself: the disk is full, something holds a file for a moment. */
bool retry_pause(struct sdb *db, enum err e, unsigned n)
{
	if ((e != ERR_NOSPACE && e != ERR_BUSY) || n >= RETRIES_MAX)
		return false;
	const struct timespec pause = { .tv_nsec = (RETRY_FIRST_MS << n) * 1000000L };
	nanosleep(&pause, NULL);
	counter_add(&db->retries_n, 1);
	return true;
}

/* ---- opening --------------------------------------------------------------------------------- */

static enum err engine_open(struct sdb *db, const struct sdb_options *o, struct err_info *info)
{
	const struct db_options options = {
		.dir = o->dir,
		.tables = db->defs,
		.tables_n = db->tables_n,
		.budget_bytes = o->memory_bytes,
		.read_only = o->read_only,
		.io = db->io,
	};
	return db_open(&options, &db->db, info);
}

/* Indexes are declared otherwise than they were made: the log has all that new ones need. The files
 * go before the catalog changes, and no checkpoint names new ones before that, so that whatever
 * interrupts this, the next opening does it again. */
static enum err indexes_remake(struct sdb *db, const struct sdb_options *o, struct err_info *info)
{
	if (db->read_only)
		return err_set(info, ERR_INVALID, 0,
			       "the indexes of database %s are declared otherwise than they are "
			       "stored: open it for writing once",
			       QUOTE(span_str(o->dir)));
	db_free(TAKE(db->db));
	enum err e = index_files_remove(o->dir, info);
	if (e == ERR_OK)
		e = engine_open(db, o, info);
	return e == ERR_OK ? unique_check(db, info) : e;
}

static enum err store_open(struct sdb *db, const struct sdb_options *o, struct err_info *info)
{
	enum catalog_state state = CATALOG_SAME;
	enum err e = engine_open(db, o, info);
	if (e == ERR_OK)
		e = catalog_compare(db, &state, info);
	if (e == ERR_OK && state == CATALOG_INDEXES_DIFFER)
		e = indexes_remake(db, o, info);
	if (e == ERR_OK && state != CATALOG_SAME && !db->read_only)
		e = catalog_store(db);
	if (e != ERR_OK)
		db_free(TAKE(db->db));
	return e;
}

static void sdb_freep(struct sdb **db)
{
	if (!*db)
		return;
	db_close((*db)->db);
	cond_fini(&(*db)->writer_free);
	mutex_fini(&(*db)->m);
	free(*db);
}

enum err sdb_open_io(const struct sdb_options *options, const struct db_io *io, struct sdb **out,
		     struct err_info *info)
{
	enum err e = catalog_check(options, info);
	if (e != ERR_OK)
		return e;
	CLEANUP(sdb_freep) struct sdb *db = calloc(1, sizeof *db);
	if (!db)
		return err_set(info, ERR_NOMEM, 0, "no memory to open the database");
	mutex_init(&db->m);
	cond_init(&db->writer_free);
	db->io = io;
	db->read_only = options->read_only;
	db->tables_n = options->tables_n + 1;
	table_init(&db->tables[0], &catalog_table, &db->defs[0]);
	for (unsigned t = 1; t < db->tables_n; t++)
		table_init(&db->tables[t], &options->tables[t - 1], &db->defs[t]);
	e = store_open(db, options, info);
	if (e == ERR_OK)
		e = group_start(db, options);
	if (e != ERR_OK)
		return e;
	*out = TAKE(db);
	return ERR_OK;
}

static enum sdb_err why_out(enum err e, struct err_info *info, const char *what,
			    struct sdb_why *why)
{
	if (e == ERR_OK || !why)
		return err_out(e);
	if (info->text[0] == '\0')
		(void)err_set(info, e, 0, "cannot %s the database: %s", what, err_name(e));
	_Static_assert(sizeof why->text == sizeof info->text, "one text");
	why->os_errno = info->os_errno;
	memcpy(why->text, info->text, sizeof why->text);
	return err_out(e);
}

enum sdb_err sdb_open(const struct sdb_options *options, struct sdb **out, struct sdb_why *why)
{
	struct err_info info = { 0 };
	return why_out(sdb_open_io(options, NULL, out, &info), &info, "open", why);
}

enum sdb_err sdb_backup(struct sdb *db, const char *dir, struct sdb_why *why)
{
	struct err_info info = { 0 };
	const struct db_follower nobody = { 0 };
	uint64_t commit;
	enum err e = writer_is_me(db) ? ERR_BUSY : db_backup(db->db, dir, &nobody, &commit, &info);
	(void)report(db, e);
	return why_out(e, &info, "copy", why);
}

void sdb_close(struct sdb *db)
{
	if (!db)
		return;
	group_stop(db);
	sdb_freep(&db);
}

enum sdb_err sdb_check(struct sdb *db, void (*report_line)(void *ctx, const char *line), void *ctx)
{
	struct err_info info = { 0 };
	enum err e = db_check(db->db, report_line, ctx);
	if ((e == ERR_OK || e == ERR_CORRUPT) && unique_check(db, &info) != ERR_OK) {
		if (report_line)
			report_line(ctx, info.text);
		e = ERR_CORRUPT;
	}
	return report(db, e);
}

/* ---- figures --------------------------------------------------------------------------------- */

void sdb_stats_get(struct sdb *db, struct sdb_stats *out)
{
	struct db_stats s;
	db_stats_get(db->db, &s);
	*out = (struct sdb_stats){
		.commit = s.commit,
		.log_bytes = s.log_bytes,
		.index_bytes = s.index_bytes,
		.memory_bytes = s.memory_bytes,
		.memory_peak_bytes = s.memory_peak_bytes,
		.commits_n = s.writes.commits_n,
		.commits_failed_n = s.writes.failed_n,
		.aborts_n = s.writes.aborts_n,
		.bulk_n = s.writes.bulk_n,
		.batch_max = s.writes.batch_max,
		.commit_us_sum = s.writes.commit_us_sum,
		.commit_us_max = s.writes.commit_us_max,
		.changes_per_s = s.writes.per_s,
		.changes_per_s_peak = s.writes.per_s_peak,
		.changes_per_s_average = s.writes.per_s_average,
		.put_n = s.rows_put_n,
		.removed_n = s.rows_removed_n,
		.groups_n = counter_get(&db->group.groups_n),
		.group_ops_n = counter_get(&db->group.ops_done_n),
		.group_ops_max = counter_get(&db->group.ops_most),
		.retries_n = counter_get(&db->retries_n) + s.retries_n,
		.checkpoints_n = s.checkpoints_n,
		.merges_n = s.merges_n,
		.replayed_commits_n = s.replayed_commits_n,
		.damaged_n = s.damaged_chunks_n,
		.read_only_fault = s.poisoned,
	};
	for (unsigned t = 1; t < db->tables_n; t++)
		out->records[t - 1] = s.rows[t];
	_Static_assert(SDB_LATENCY_BUCKETS == WRITE_LATENCY_BUCKETS, "one histogram");
	memcpy(out->commit_us, s.writes.commit_us, sizeof out->commit_us);
	for (unsigned e = 0; e < SDB_ERRS_N; e++)
		out->errors_n[e] = counter_get(&db->errors_n[e]);
}
