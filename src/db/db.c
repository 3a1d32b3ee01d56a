/* SPDX-License-Identifier: MIT */
/* Opening, closing, checkpoints, maintenance, statistics. */
#include "db/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "db/db_priv.h"
#include "db/lock.h"

#define BUDGET_DEFAULT_BYTES (6u << 20)
#define CHECK_AT_OPEN_BYTES (8u << 20) /* the indexes of some 60,000 records: under 1 ms */
#define SEGMENT_TABLE_BYTES (SEGMENTS_MAX * sizeof(struct segment *))

/* ---- opening ---- */

/* A new directory is on the disk when the one above it is; which of those are new too is not known,
 * so all are synced. A file system that cannot sync a directory has nothing to promise. */
static int parents_sync(const struct db *db)
{
	char path[sizeof db->dir];
	snprintf(path, sizeof path, "%s", db->dir);
	int r = 0;
	for (char *slash; r == 0 && (slash = strrchr(path, '/'));) {
		slash[slash == path] = '\0';
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd >= 0 ? fsync(fd) : 0; /* one that may not be read was there before */
		if (r != 0 && (errno == EINVAL || errno == EROFS))
			r = 0;
		fd_closep(&fd);
		if (slash == path)
			break;
	}
	return r;
}

static enum err dir_open(struct db *db, struct err_info *info)
{
	bool there = access(db->dir, F_OK) == 0;
	if (!db->read_only &&
	    (fd_make_dirs(db->dir) != ERR_OK || (!there && parents_sync(db) != 0)))
		return err_set(info, err_from_errno(errno), errno,
			       "cannot create database directory \"%s\": %s", db->dir,
			       strerror(errno));
	db->dir_fd = open(db->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (db->dir_fd < 0)
		return err_set(info, err_from_errno(errno), errno,
			       "cannot open database directory \"%s\": %s", db->dir,
			       strerror(errno));
	return ERR_OK;
}

/* "PREFIX<digits>SUFFIX" */
static bool name_number(const char *name, const char *prefix, const char *suffix, uint64_t max,
			uint64_t *out)
{
	struct span s = span_str(name), p = span_str(prefix), x = span_str(suffix);
	if (s.n <= p.n + x.n || !span_starts(s, p) || !span_ends(s, x))
		return false;
	return num_parse_u64(span_of(s.p + p.n, s.n - p.n - x.n), 0, max, out) == ERR_OK;
}

/* Which segments and runs are there. A name that is not exactly one of ours is somebody else's. */
static enum err dir_list(struct db *db, DIR *d, uint8_t segments[SEGMENTS_MAX / 8])
{
	enum err e = ERR_OK;
	const struct dirent *de;
	char name[32];
	while (e == ERR_OK && (de = readdir(d))) {
		uint64_t n;
		if (name_number(de->d_name, "media-", ".fb", SEGMENTS_MAX - 1, &n) && n > 0) {
			segment_name((uint32_t)n, name);
			if (strcmp(name, de->d_name) == 0)
				segments[n / 8] |= (uint8_t)(1u << n % 8);
		} else if (name_number(de->d_name, "index-", ".run", RUN_NUMBER_MAX, &n)) {
			run_name(n, name);
			if (strcmp(name, de->d_name) != 0)
				continue;
			db->next_run = MAX(db->next_run, n + 1);
			e = run_file_add(db, n);
		}
	}
	return e;
}

/* Beside a writer that compacts, one may go between listing and opening. */
static enum err segment_here(struct db *db, uint32_t n, struct err_info *info)
{
	struct err_info gone = { 0 };
	enum err e = segment_open(db, n, db->read_only ? &gone : info);
	if (e == ERR_NOTFOUND && db->read_only)
		return ERR_OK;
	if (e != ERR_OK && db->read_only && info)
		*info = gone;
	return e;
}

/* Opens all segments, the oldest first: it says which store this is. */
static enum err dir_scan(struct db *db, struct err_info *info)
{
	int fd = openat(db->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return err_set(info, err_from_errno(errno), errno,
			       "cannot list database directory \"%s\": %s", db->dir,
			       strerror(errno));
	}
	uint8_t segments[SEGMENTS_MAX / 8] = { 0 };
	enum err e = dir_list(db, d, segments);
	closedir(d);
	for (uint32_t n = 1; n < SEGMENTS_MAX && e == ERR_OK; n++)
		if (segments[n / 8] >> n % 8 & 1)
			e = segment_here(db, n, info);
	return e;
}

/* A store that was being created when the power failed: its only segment has no header yet. */
static bool creation_torn(const struct db *db)
{
	if (db->segment_first != 1 || db->segment_last != 1)
		return false;
	const struct segment *s = db_segment(db, 1);
	uint32_t n = atomic_load_explicit(&s->file_bytes, memory_order_relaxed);
	if (n > 65536)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		bool header = i < SEGMENT_HEADER_BYTES &&
			      i % SEGMENT_HEADER_COPY < sizeof(struct disk_segment);
		if (s->map[i] != 0 && !header) /* of either copy, what there is of it */
			return false;
	}
	return true;
}

static enum err store_create(struct db *db, struct err_info *info)
{
	while (db->store == 0) {
		if (getrandom(db->uuid, sizeof db->uuid, 0) != (ssize_t)sizeof db->uuid)
			return err_set(info, ERR_IO, errno, "cannot get random bytes");
		db->uuid[6] = (uint8_t)((db->uuid[6] & 0x0f) | 0x40); /* RFC 9562 version 4 */
		db->uuid[8] = (uint8_t)((db->uuid[8] & 0x3f) | 0x80);
		db->store = num_le64(db->uuid);
	}
	enum err e = segment_create(db, 1, 0);
	if (e == ERR_OK)
		e = db_sync(db, db_segment(db, 1)->fd);
	if (e != ERR_OK)
		return err_set(info, e, errno, "cannot create database \"%s\": %s", db->dir,
			       err_name(e));
	return ERR_OK;
}

static enum err manifest_open(struct db *db, struct err_info *info)
{
	db->manifest_fd = db_file_open(db, "manifest", db->read_only ? O_RDONLY : O_RDWR | O_CREAT);
	if (db->manifest_fd < 0 && !(db->read_only && errno == ENOENT))
		return err_set(info, err_from_errno(errno), errno,
			       "cannot open the manifest of database \"%s\": %s", db->dir,
			       strerror(errno));
	return ERR_OK;
}

static enum err store_load(struct db *db, enum open_mode mode, struct err_info *info)
{
	struct db_snap *sn = NULL;
	enum err e = dir_scan(db, info);
	if (e == ERR_OK)
		e = manifest_open(db, info);
	if (e == ERR_OK)
		e = manifest_load(db, &sn, info);
	if (e != ERR_OK)
		return e;
	if (mode == OPEN_LOG) {
		snap_free(db, TAKE(sn));
		recover_identity(db);
	}
	if (db->store == 0 && (db->segment_first == 0 || creation_torn(db))) {
		if (db->read_only)
			return err_set(info, ERR_NOTFOUND, 0, "there is no database in \"%s\"",
				       db->dir);
		e = store_create(db, info);
	} else if (db->store == 0) {
		e = err_set(info, ERR_CORRUPT, 0,
			    "database \"%s\" is damaged: neither its log nor its manifest says "
			    "what it is; run salver repair, restore a backup, or delete the "
			    "directory and scan again",
			    db->dir);
	} else if (db->segment_first == 0) {
		e = err_set(
			info, ERR_CORRUPT, 0,
			"the log of database \"%s\" (media-*.fb) is missing; restore a backup, or "
			"delete the directory and scan again",
			db->dir);
	}
	if (e == ERR_OK && !sn) {
		sn = snap_copy(db, NULL);
		if (!sn)
			return ERR_NOMEM;
		recover_from_log(db, sn);
	}
	if (e != ERR_OK) {
		snap_free(db, sn);
		return e;
	}
	snap_publish(db, sn);
	db->checkpointed = db->generation;
	return ERR_OK;
}

/* Every run file found that nothing living names is left over from a crash. */
static void files_forget(struct db *db)
{
	const struct db_snap *sn = snap_current(db);
	for (struct run_file *f = db->files; f; f = f->next) {
		f->live = false;
		for (unsigned t = 0; t < db->tables_n; t++)
			for (uint32_t i = 0; i < sn->tables[t].runs_n; i++)
				f->live |= sn->tables[t].runs[i]->number == f->number;
	}
	run_files_sweep(db);
}

void db_free(struct db *db)
{
	if (!db)
		return;
	merge_abandon(db);
	txn_buffers_free(db);
	struct db_snap *sn = (struct db_snap *)(uintptr_t)snap_current(db);
	snap_collect(db);
	snap_free(db, sn); /* NULL is fine */
	for (unsigned i = 0; i < 2; i++)
		mem_free(&db->mem, db->slots[i].runs, db->slots[i].runs_n * 8);
	while (db->files) {
		struct run_file *f = db->files;
		db->files = f->next;
		mem_free(&db->mem, f, sizeof *f);
	}
	for (uint32_t n = 1; db->segments && n <= db->segment_last; n++)
		segment_free(db, db_segment(db, n));
	segments_retired_free(db);
	if (db->segments)
		munmap((void *)db->segments, SEGMENT_TABLE_BYTES);
	index_thread_fini(&db->index_thread);
	db_file_close(db, db->manifest_fd);
	fd_closep(&db->lock_fd);
	fd_closep(&db->dir_fd);
	struct db_mem mem = db->mem;
	mem_free(&mem, db, sizeof *db);
}

static void db_freep(struct db **db)
{
	db_free(*db);
}

void db_budget_set(struct db *db, uint64_t bytes)
{
	bytes = bytes ? MAX(bytes, (uint64_t)BUDGET_MIN_BYTES) : BUDGET_DEFAULT_BYTES;
	atomic_store_explicit(&db->budget_bytes, bytes, memory_order_relaxed);
}

uint64_t db_memory(const struct db *db)
{
	return counter_get(&db->mem.now);
}

static struct db *db_new(const struct db_options *o)
{
	struct db_mem mem = { 0 };
	struct db *db = mem_alloc(&mem, sizeof *db);
	if (!db)
		return NULL;
	db->mem = mem;
	db->tables = o->tables;
	db->tables_n = o->tables_n;
	for (unsigned t = 0; t < o->tables_n; t++)
		block_init(&db->txn.tables[t].block, &o->tables[t]);
	db->io = o->io ? o->io : &io_files;
	db_budget_set(db, o->budget_bytes);
	db->segment_bytes_max =
		o->segment_bytes ? MIN(o->segment_bytes, SEGMENT_BYTES_MAX) : SEGMENT_BYTES_MAX;
	db->check_at_open_bytes =
		o->check_at_open_bytes ? o->check_at_open_bytes : CHECK_AT_OPEN_BYTES;
	db->heap_run_rows = o->heap_run_rows ? o->heap_run_rows : HEAP_RUN_ROWS;
	db->merge_step_units = o->merge_step_units;
	db->compact.from_bytes = o->compact_from_bytes ? o->compact_from_bytes : COMPACT_FROM_BYTES;
	db->read_only = o->read_only;
	snprintf(db->dir, sizeof db->dir, "%s", o->dir);
	db->dir_fd = db->lock_fd = db->manifest_fd = -1;
	db->next_run = 1;
	void *map = mmap(NULL, SEGMENT_TABLE_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED) {
		mem_free(&mem, db, sizeof *db);
		return NULL;
	}
	db->segments = map;
	index_thread_init(&db->index_thread, db, o->index_chunk_bytes);
	return db;
}

/* The directory open and, to write, locked. */
static enum err db_begin(const struct db_options *options, struct db **out, struct err_info *info)
{
	if (options->tables_n == 0 || options->tables_n > DB_TABLES_MAX ||
	    strlen(options->dir) >= sizeof((struct db *)0)->dir)
		return err_set(info, ERR_INVALID, 0, "the database directory's name is too long");
	CLEANUP(db_freep) struct db *db = db_new(options);
	if (!db)
		return err_set(info, ERR_NOMEM, 0, "no memory to open the database");
	enum err e = dir_open(db, info);
	if (e == ERR_OK && !db->read_only)
		e = lock_take(db->dir_fd, db->dir, &db->lock_fd, info);
	if (e != ERR_OK)
		return e;
	*out = TAKE(db);
	return ERR_OK;
}

enum err db_create(const struct db_options *options, const uint8_t uuid[16], struct db **out,
		   struct err_info *info)
{
	CLEANUP(db_freep) struct db *db = NULL;
	enum err e = db_begin(options, &db, info);
	if (e != ERR_OK)
		return e;
	memcpy(db->uuid, uuid, sizeof db->uuid);
	db->store = num_le64(db->uuid);
	e = store_create(db, info);
	if (e == ERR_OK)
		*out = TAKE(db);
	return e;
}

enum err db_open(const struct db_options *options, struct db **out, struct err_info *info)
{
	return db_open_mode(options, OPEN_ALL, out, info);
}

enum err db_open_mode(const struct db_options *options, enum open_mode mode, struct db **out,
		      struct err_info *info)
{
	CLEANUP(db_freep) struct db *db = NULL;
	ASSERT(mode == OPEN_ALL || options->read_only);
	enum err e = db_begin(options, &db, info);
	if (e != ERR_OK)
		return e;
	e = store_load(db, mode, info);
	if (e == ERR_OK && mode == OPEN_ALL)
		e = recover_replay(db, info);
	txn_buffers_free(db);
	if (e != ERR_OK) {
		if (info && info->text[0] == '\0')
			return err_set(info, e, errno, "cannot open database \"%s\": %s", db->dir,
				       err_name(e));
		return e;
	}
	db->log_first = snap_current(db)->log_first;
	files_forget(db);
	segments_sweep(db);
	*out = TAKE(db);
	return ERR_OK;
}

const uint8_t *db_uuid(const struct db *db)
{
	return db->uuid;
}

/* ---- checkpoints and maintenance ---- */

/* Neighbouring runs in memory become one file each. */
static enum err table_to_files(struct db *db, unsigned table, struct snap_table *t)
{
	for (uint32_t i = 0; i < t->runs_n; i++) {
		if (t->runs[i]->number != 0)
			continue;
		uint32_t n = 1;
		const struct merge_job *job = t->runs[i]->job; /* reads on in the run in memory */
		while (!job && i + n < t->runs_n && t->runs[i + n]->number == 0 &&
		       !t->runs[i + n]->job)
			n++;
		struct run *merged;
		enum err e = merge_runs(db, table, t->runs + i, n, i == 0, true, &merged);
		if (e != ERR_OK)
			return e;
		merged->job = job;
		for (uint32_t k = i; k < i + n; k++)
			run_unref(db, t->runs[k]);
		t->runs[i] = merged;
		memmove(t->runs + i + 1, t->runs + i + n, (t->runs_n - i - n) * sizeof *t->runs);
		t->runs_n -= n - 1;
	}
	return ERR_OK;
}

static enum err run_sync(struct db *db, struct run *r)
{
	if (r->synced)
		return ERR_OK;
	char name[32];
	run_name(r->number, name);
	int fd = db_file_open(db, name, O_RDWR);
	if (fd < 0)
		return err_from_errno(errno);
	enum err e = db_sync(db, fd);
	db_file_close(db, fd);
	r->synced = e == ERR_OK;
	return e;
}

static enum err runs_sync(struct db *db, const struct db_snap *sn)
{
	for (unsigned t = 0; t < db->tables_n; t++) {
		for (uint32_t i = 0; i < sn->tables[t].runs_n; i++) {
			enum err e = run_sync(db, sn->tables[t].runs[i]);
			if (e != ERR_OK)
				return e;
		}
	}
	return db_sync_dir(db);
}

/* Both slots name the same from now on: what only the older one named goes. */
static enum err files_release(struct db *db)
{
	const struct run_file *f = db->files;
	while (f && f->live)
		f = f->next;
	enum err e = f ? manifest_store(db, snap_current(db)) : ERR_OK;
	if (f && e == ERR_OK)
		segments_sweep(db);
	return e;
}

enum err db_checkpoint(struct db *db)
{
	if (db->read_only || atomic_load(&db->poisoned))
		return ERR_IO;
	if (db->txn.open)
		return ERR_BUSY;
	txn_buffers_free(db);
	if (db->checkpointed == db->generation)
		return files_release(db);
	struct db_snap *sn = snap_copy(db, snap_current(db));
	if (!sn)
		return ERR_NOMEM;
	enum err e = ERR_OK;
	for (unsigned t = 0; t < db->tables_n && e == ERR_OK; t++)
		e = table_to_files(db, t, &sn->tables[t]);
	if (e != ERR_OK) {
		snap_free(db, sn);
		return e;
	}
	snap_publish(db, sn);
	e = runs_sync(db, sn);
	if (e == ERR_OK)
		e = manifest_store(db, sn);
	if (e == ERR_OK) {
		db->checkpointed = db->generation;
		counter_add(&db->count.checkpoints_n, 1);
		segments_sweep(db);
	}
	return e;
}

/* Give back what was allotted in advance: a closed store is as long as its content, and the next
 * opening has nothing to search behind the end. */
static void log_trim(struct db *db)
{
	struct log_pos end = snap_current(db)->log_end;
	struct segment *s = db_segment(db, end.segment);
	if (s && end.offset < atomic_load_explicit(&s->file_bytes, memory_order_relaxed))
		(void)db_file_truncate(db, s->fd, end.offset);
}

void db_close(struct db *db)
{
	if (!db)
		return;
	ASSERT(!db->txn.open);
	merge_abandon(db);
	if (!db->read_only && db_checkpoint(db) == ERR_OK) {
		/* what was merged away goes; where that fails, with the next opening */
		(void)!db_checkpoint(db);
		log_trim(db);
	}
	db_free(db);
}

void db_stats_get(struct db *db, struct db_stats *out)
{
	struct db_snap *sn = db_snap_begin(db);
	*out = (struct db_stats){
		.commit = sn->commit,
		.log_bytes = (uint64_t)(sn->log_end.segment - 1) * db->segment_bytes_max +
			     sn->log_end.offset,
		.index_bytes = counter_get(&db->count.index_bytes),
		.log_used_bytes = log_used_bytes(db, sn),
		.log_live_bytes = sn->live_bytes,
		.commits_n = counter_get(&db->count.commits_n),
		.rows_put_n = counter_get(&db->count.rows_put_n),
		.rows_removed_n = counter_get(&db->count.rows_removed_n),
		.merges_n = counter_get(&db->count.merges_n),
		.checkpoints_n = counter_get(&db->count.checkpoints_n),
		.replayed_commits_n = counter_get(&db->count.replayed_commits_n),
		.damaged_chunks_n = counter_get(&db->count.damaged_chunks_n),
		.quarantined_rows_n = counter_get(&db->count.quarantined_rows_n),
		.runs_n = counter_get(&db->count.runs_n),
		.segments_n = counter_get(&db->count.segments_n),
		.memory_bytes = counter_get(&db->mem.now),
		.memory_peak_bytes = counter_get(&db->mem.peak),
		.poisoned = atomic_load(&db->poisoned),
		.retries_n = counter_get(&db->count.retries_n),
	};
	write_meter_get(&db->meter, &out->writes);
	for (unsigned t = 0; t < db->tables_n; t++)
		out->rows[t] = sn->tables[t].live;
	db_snap_end(sn);
}
