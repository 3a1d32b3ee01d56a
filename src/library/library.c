/* SPDX-License-Identifier: MIT */
/* Opening and closing the library, its snapshots and figures. */
#include <stdlib.h>
#include <string.h>

#include "base/blocks.h"
#include "library/check.h"
#include "library/lookup.h"
#include "library/tables.h"
#include "library/upkeep.h"
#include "library/text.h"
#include "library/writer.h"

/* What a scan's batches and what is known of them take beside the store. */
#define WORK_BYTES (3u << 19)
#define BUDGET_BYTES (6u << 20) /* unless told otherwise */
#define STORE_BYTES_MIN (2u << 20)

struct library {
	struct db *db;
	struct text *text; /* NULL where nothing is written */
	char *dir;
	struct writer writer;
};

static void close_store(struct library *lib)
{
	text_free(lib->text);
	db_close(lib->db);
	free(lib->dir);
	free(lib);
}

static uint64_t store_bytes(uint64_t budget_bytes)
{
	uint64_t bytes = budget_bytes ? budget_bytes : BUDGET_BYTES;
	return MAX(bytes, (uint64_t)STORE_BYTES_MIN + WORK_BYTES) - WORK_BYTES;
}

enum err library_open(const struct library_options *options, struct library **out,
		      struct err_info *info)
{
	struct library *lib = calloc(1, sizeof *lib);
	if (!lib)
		return err_set(info, ERR_NOMEM, 0, "no memory for the library");
	struct db_options db_options = {
		.dir = options->database_dir,
		.tables = library_tables,
		.tables_n = TABLES_N,
		.budget_bytes = store_bytes(options->budget_bytes),
		.read_only = options->read_only,
		.check_at_open_bytes = options->check_at_open_bytes,
	};
	enum err e = db_open(&db_options, &lib->db, info);
	if (e != ERR_OK) {
		free(lib);
		return e;
	}
	lib->dir = strdup(options->database_dir);
	e = lib->dir ? ERR_OK : ERR_NOMEM;
	if (e == ERR_OK && !options->read_only)
		e = text_new(lib->dir, lib->db, options->pause_ms, &lib->text);
	if (e != ERR_OK) {
		close_store(lib);
		return err_set(info, e, 0, "cannot start the library's search index");
	}
	lib->writer.text = lib->text;
	e = writer_start(&lib->writer, lib->db, options);
	if (e != ERR_OK) {
		library_close(lib);
		return err_set(info, e, 0, "cannot start the library's writer thread");
	}
	*out = lib;
	return ERR_OK;
}

void library_hurry(struct library *lib)
{
	if (!lib)
		return;
	writer_hurry(&lib->writer);
	text_hurry(lib->text);
	db_hurry(lib->db);
}

void library_close(struct library *lib)
{
	if (!lib)
		return;
	writer_stop(&lib->writer);
	close_store(lib);
	blocks_trim();
}

struct text *library_text(struct library *lib)
{
	return lib->text;
}

void library_memory_set(struct library *lib, uint64_t bytes)
{
	db_budget_set(lib->db, store_bytes(bytes));
}

const uint8_t *library_uuid(const struct library *lib)
{
	return db_uuid(lib->db);
}

enum err library_check(struct library *lib, void (*report)(void *ctx, const char *line), void *ctx)
{
	enum err store = db_check(lib->db, report, ctx);
	if (store != ERR_OK && store != ERR_CORRUPT)
		return store;
	struct db_snap *sn = db_snap_begin(lib->db);
	enum err e = check_records(lib->db, sn, report, ctx);
	db_snap_end(sn);
	text_check(lib->dir, db_uuid(lib->db), report, ctx);
	return e == ERR_OK ? store : e;
}

enum err library_backup(struct library *lib, const char *dir, const struct db_follower *follower,
			uint64_t *out_commit, struct err_info *info)
{
	return db_backup(lib->db, dir, follower, out_commit, info);
}

struct compaction {
	const struct db_follower *follower;
	uint64_t before, after, done;
	bool begun;
};

static uint64_t log_used(struct db *db)
{
	struct db_stats stats;
	db_stats_get(db, &stats);
	return stats.log_used_bytes;
}

static void compact_tell(const struct compaction *c, uint64_t done)
{
	if (c->follower && c->follower->progress)
		c->follower->progress(c->follower->ctx, MIN(done, c->before), c->before);
}

/* A step; changes that wait come before the next one. */
static enum err compact_run(void *ctx, struct db *db, bool *out_again)
{
	struct compaction *c = ctx;
	uint64_t bytes = 0;
	enum err e = ERR_OK;
	if (!c->begun) {
		c->before = log_used(db);
		e = db_compact_begin(db);
		c->begun = true;
	}
	if (e == ERR_OK)
		e = db_compact_step(db, &bytes, out_again);
	if (e == ERR_OK && !*out_again)
		e = db_checkpoint(db);
	if (e == ERR_OK)
		compact_tell(c, *out_again ? c->done += bytes : c->before);
	c->after = log_used(db);
	return e;
}

enum err library_compact(struct library *lib, const struct db_follower *follower,
			 uint64_t *out_before, uint64_t *out_after)
{
	struct compaction c = { .follower = follower };
	struct errand errand = { .run = compact_run, .ctx = &c };
	enum err e = writer_run(&lib->writer, &errand);
	*out_before = c.before;
	*out_after = c.after;
	return e;
}

void library_stats_get(struct library *lib, struct library_stats *out)
{
	struct db_stats db;
	struct text_stats text = { 0 };
	db_stats_get(lib->db, &db);
	if (lib->text)
		text_stats_get(lib->text, &text);
	struct db_snap *sn = db_snap_begin(lib->db);
	*out = (struct library_stats){
		.commit = db_snap_commit(sn),
		.audio_n = db_count(sn, TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_AUDIO),
		.video_n = db_count(sn, TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_VIDEO),
		.images_n = db_count(sn, TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_IMAGE),
		.directories_n = db_rows(sn, TABLE_DIRECTORY),
		.artists_n = db_count(sn, TABLE_TERM, TERM_NAME, TERM_KIND_ARTIST),
		.albums_n = db_count(sn, TABLE_ALBUM, ALBUM_ALL, 0),
		.genres_n = db_count(sn, TABLE_TERM, TERM_NAME, TERM_KIND_GENRE),
		.log_bytes = db.log_bytes,
		.index_bytes = db.index_bytes,
		.memory_bytes = db.memory_bytes,
		.memory_peak_bytes = db.memory_peak_bytes,
		.commits_n = db.commits_n,
		.rows_put_n = db.rows_put_n,
		.rows_removed_n = db.rows_removed_n,
		.damaged_n = db.damaged_chunks_n + db.quarantined_rows_n,
		.batches_n = counter_get(&lib->writer.batches_n),
		.batch_files_n = counter_get(&lib->writer.batch_files_n),
		.queue_n = writer_queue_n(&lib->writer),
		.upkeep_due = writer_upkeep_due(&lib->writer),
		.text_commit = text.commit,
		.text_bytes = text.bytes,
		.text_memory_bytes = text.memory_bytes,
		.text_builds_n = text.builds_n,
		.text_failures_n = text.failures_n,
		.text_refused_n = text.refused_n,
		.text_build_ms = text.build_ms,
		.poisoned = db.poisoned,
		.retries_n = db.retries_n,
		.writes = db.writes,
	};
	db_snap_end(sn);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

struct library_snap *library_snap_begin(struct library *lib)
{
	return (struct library_snap *)db_snap_begin(lib->db);
}

void library_snap_end(struct library_snap *sn)
{
	db_snap_end((struct db_snap *)sn);
}

void library_snap_endp(struct library_snap **sn)
{
	library_snap_end(*sn);
	*sn = NULL;
}

uint64_t library_snap_commit(const struct library_snap *sn)
{
	return db_snap_commit(snap_db(sn));
}

/* ---- batches --------------------------------------------------------------------------------- */

enum err library_submit(struct library *lib, struct batch *b, enum batch_urgency urgency,
			void (*done)(void *ctx, const struct batch_result *r), void *ctx)
{
	b->done = done;
	b->done_ctx = ctx;
	b->result = (struct batch_result){ 0 };
	return writer_submit(&lib->writer, b, urgency);
}

void library_flush(struct library *lib)
{
	writer_flush(&lib->writer);
}

void library_scan_ended(struct library *lib)
{
	writer_rest(&lib->writer);
	if (lib->text)
		text_rest(lib->text);
}

struct waiting {
	struct mutex m;
	struct cond over;
	bool is_over; /* under m, like result */
	struct batch_result result;
};

static void wake(void *ctx, const struct batch_result *r)
{
	struct waiting *wait = ctx;
	mutex_lock(&wait->m);
	wait->result = *r;
	wait->is_over = true;
	cond_signal(&wait->over);
	mutex_unlock(&wait->m);
}

enum err library_submit_wait(struct library *lib, struct batch *b, struct batch_result *out)
{
	struct waiting wait = { .result = { .err = ERR_OK } };
	mutex_init(&wait.m);
	cond_init(&wait.over);
	enum err e = library_submit(lib, b, BATCH_URGENT, wake, &wait);
	if (e == ERR_OK) {
		mutex_lock(&wait.m);
		while (!wait.is_over)
			cond_wait(&wait.over, &wait.m);
		mutex_unlock(&wait.m);
		*out = wait.result;
		e = wait.result.err;
	} else {
		batch_free(b);
	}
	cond_fini(&wait.over);
	mutex_fini(&wait.m);
	return e;
}
