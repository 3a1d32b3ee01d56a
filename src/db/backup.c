/* SPDX-License-Identifier: MIT */
/* Backup and restore: the files of one pinned commit, copied. */
#include "db/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "db/db_priv.h"
#include "db/lock.h"
#include "db/stage.h"

#define COPY_PIECE_BYTES                                                                           \
	(4u << 20) /* between two looks at progress and at the end of the program */

struct copy {
	struct db *db;
	const struct db_snap *sn;
	struct stage *stage;
	const struct db_follower *follower;
	struct err_info *info;
	struct run_naming *names; /* of all runs of the snapshot */
	size_t runs_n;
	uint64_t done, all;
};

static void advance(struct copy *c, uint64_t bytes)
{
	c->done += bytes;
	if (c->follower && c->follower->progress)
		c->follower->progress(c->follower->ctx, c->done, c->all);
}

static enum err copy_failed(struct copy *c, enum err e)
{
	return err_set(c->info, e, errno, "cannot write to %s: %s", QUOTE(span_str(c->stage->path)),
		       err_name(e));
}

/* [at, at + n) of a file of ours: shared where the file system can, else copied; `map` where its
 * descriptor is of no use. */
static enum err piece_copy(int from, const uint8_t *map, int to, uint64_t at, size_t n)
{
	while (n > 0 && from >= 0) {
		off_t in = (off_t)at, out = (off_t)at;
		ssize_t got = copy_file_range(from, &in, to, &out, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == ENOSPC || errno == EIO || errno == EDQUOT))
			return err_from_errno(errno);
		if (got <= 0)
			break; /* not between these file systems */
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return fd_pwrite_all(to, span_of((const char *)map + at, n), at);
}

static enum err bytes_copy(struct copy *c, int from, const uint8_t *map, int to, uint64_t bytes)
{
	enum err e = ERR_OK;
	for (uint64_t at = 0; at < bytes && e == ERR_OK;) {
		size_t n = (size_t)MIN(bytes - at, (uint64_t)COPY_PIECE_BYTES);
		if (db_hurried(c->db))
			return ERR_CLOSED;
		e = piece_copy(from, map, to, at, n);
		at += n;
		advance(c, n);
	}
	return e;
}

/* ---- the files ---- */

/* As far as it is there: one that was cut off is copied as it is. */
static uint32_t segment_bytes(const struct copy *c, const struct segment *s)
{
	struct log_pos end = c->sn->log_end;
	uint32_t bytes = s->number == end.segment ? end.offset : segment_end(c->db, s);
	struct stat st;
	return fstat(s->fd, &st) == 0 ? (uint32_t)MIN((uint64_t)st.st_size, bytes) : bytes;
}

static enum err segment_copy(struct copy *c, const struct segment *s)
{
	char name[32];
	CLEANUP(fd_closep) int to = -1;
	segment_name(s->number, name);
	enum err e = stage_create(c->stage, name, &to, c->info);
	if (e == ERR_OK)
		e = bytes_copy(c, s->fd, s->map, to, segment_bytes(c, s));
	return e;
}

static enum err run_copy(struct copy *c, const struct run *r, const struct run_naming *as)
{
	char name[32];
	struct disk_run head;
	CLEANUP(fd_closep) int to = -1;
	CLEANUP(fd_closep) int from = -1;
	run_name(as->number, name);
	if (r->number)
		from = openat(c->db->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum err e = stage_create(c->stage, name, &to, c->info);
	if (e == ERR_OK)
		e = bytes_copy(c, from, r->image, to, r->bytes);
	if (e != ERR_OK || r->number)
		return e;
	run_seal(r, as->number, &head);
	return fd_pwrite_all(to, span_of((const char *)&head, sizeof head), 0);
}

/* Runs in memory become files: they get numbers behind those that there are. */
static enum err runs_name(struct copy *c, uint64_t *out_next)
{
	uint64_t next = 1;
	size_t n = 0;
	for (unsigned t = 0; t < c->db->tables_n; t++)
		for (uint32_t i = 0; i < c->sn->tables[t].runs_n; i++)
			next = MAX(next, c->sn->tables[t].runs[i]->number + 1);
	for (unsigned t = 0; t < c->db->tables_n; t++) {
		for (uint32_t i = 0; i < c->sn->tables[t].runs_n; i++) {
			const struct run *r = c->sn->tables[t].runs[i];
			struct disk_run head;
			c->names[n] = (struct run_naming){ r->number, r->header_hash };
			if (r->number == 0) {
				run_seal(r, next, &head);
				c->names[n] = (struct run_naming){ next++, head.hash };
			}
			n++;
		}
	}
	*out_next = next;
	return ERR_OK;
}

static enum err manifest_copy(struct copy *c, uint64_t next_run)
{
	CLEANUP(fd_closep) int to = -1;
	struct disk_manifest *m = mem_alloc(&c->db->mem, MANIFEST_SLOT_BYTES);
	if (!m)
		return ERR_NOMEM;
	size_t bytes = manifest_build(c->sn, c->names, 1, next_run, m);
	enum err e = stage_create(c->stage, "manifest", &to, c->info);
	if (e == ERR_OK)
		e = fd_pwrite_all(to, span_of((const char *)m, bytes), 0);
	mem_free(&c->db->mem, m, MANIFEST_SLOT_BYTES);
	return e;
}

static void count(struct copy *c)
{
	for (unsigned t = 0; t < c->db->tables_n; t++) {
		c->runs_n += c->sn->tables[t].runs_n;
		for (uint32_t i = 0; i < c->sn->tables[t].runs_n; i++)
			c->all += c->sn->tables[t].runs[i]->bytes;
	}
	for (uint32_t n = MAX(c->sn->log_first, 1u); n <= c->sn->log_end.segment; n++)
		if (db_segment(c->db, n))
			c->all += segment_bytes(c, db_segment(c->db, n));
}

static enum err files_copy(struct copy *c)
{
	enum err e = ERR_OK;
	uint64_t next_run = 0;
	size_t k = 0;
	for (uint32_t n = MAX(c->sn->log_first, 1u); n <= c->sn->log_end.segment && e == ERR_OK;
	     n++)
		if (db_segment(c->db, n))
			e = segment_copy(c, db_segment(c->db, n));
	if (e == ERR_OK)
		e = runs_name(c, &next_run);
	for (unsigned t = 0; t < c->db->tables_n && e == ERR_OK; t++)
		for (uint32_t i = 0; i < c->sn->tables[t].runs_n && e == ERR_OK; i++)
			e = run_copy(c, c->sn->tables[t].runs[i], &c->names[k++]);
	return e == ERR_OK ? manifest_copy(c, next_run) : e;
}

/* Reads the copy back as any opener would. */
static enum err copy_check(struct copy *c)
{
	struct db_options o = {
		.dir = c->stage->path,
		.tables = c->db->tables,
		.tables_n = c->db->tables_n,
		.read_only = true,
	};
	struct db *db = NULL;
	enum err e = db_open(&o, &db, c->info);
	if (e != ERR_OK)
		return e;
	const struct db_follower *f = c->follower;
	struct db_snap *sn = db_snap_begin(db);
	bool same = sn->commit == c->sn->commit;
	db_snap_end(sn);
	e = same ? db_check(db, f ? f->report : NULL, f ? f->ctx : NULL) : ERR_CORRUPT;
	db_close(db);
	return e;
}

/* The snapshot's files into the stage, on the disk and read back. ERR_CORRUPT: a true copy of a
 * damaged store. */
static enum err snap_save(struct db *db, const struct db_snap *sn, struct stage *stage,
			  const struct db_follower *follower, struct err_info *info)
{
	struct copy c = { .db = db, .sn = sn, .stage = stage, .follower = follower, .info = info };
	count(&c);
	size_t names_bytes = (c.runs_n + 1) * sizeof *c.names;
	c.names = mem_alloc(&db->mem, names_bytes);
	if (!c.names)
		return err_set(info, ERR_NOMEM, 0, "no memory");
	enum err e = files_copy(&c);
	if (e != ERR_OK && info && info->text[0] == '\0')
		(void)copy_failed(&c, e);
	mem_free(&db->mem, c.names, names_bytes);
	if (e == ERR_OK)
		e = stage_sync(stage, info);
	return e == ERR_OK ? copy_check(&c) : e;
}

enum err db_backup(struct db *db, const char *dir, const struct db_follower *follower,
		   uint64_t *out_commit, struct err_info *info)
{
	struct stage stage;
	enum err e = stage_vacant(dir, info);
	if (e == ERR_OK)
		e = stage_begin(&stage, dir, info);
	if (e != ERR_OK)
		return e;
	struct db_snap *sn = db_snap_begin(db);
	e = snap_save(db, sn, &stage, follower, info);
	*out_commit = sn->commit;
	db_snap_end(sn);
	bool damaged = e == ERR_CORRUPT;
	if (e == ERR_OK || damaged)
		e = stage_put(&stage, info);
	stage_end(&stage);
	if (e == ERR_OK && damaged)
		return err_set(info, ERR_CORRUPT, 0,
			       "the backup in %s is complete, but it holds the damage that the "
			       "database has: mend either with salver repair",
			       QUOTE(span_str(dir)));
	return e;
}

/* ---- restore ---- */

/* The backup open and sound. */
static enum err backup_open(const struct db_options *options, const char *backup,
			    const struct db_follower *f, struct db **out, struct err_info *info)
{
	struct db_options o = *options;
	o.dir = backup;
	o.read_only = true;
	enum err e = db_open(&o, out, info);
	if (e == ERR_OK)
		e = db_check(*out, f ? f->report : NULL, f ? f->ctx : NULL);
	if (e == ERR_CORRUPT && *out)
		return err_set(info, e, 0,
			       "the backup in %s is damaged; nothing was changed (salver repair "
			       "--database %s makes what can be read of it whole)",
			       QUOTE(span_str(backup)), backup);
	return e;
}

/* Nobody may use what is replaced. */
static enum err place_lock(const char *dir, int *out_fd, struct err_info *info)
{
	CLEANUP(fd_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return ERR_OK;
	if (fd < 0)
		return err_set(info, err_from_errno(errno), errno, "cannot open %s: %s",
			       QUOTE(span_str(dir)), strerror(errno));
	return lock_take(fd, dir, out_fd, info);
}

/* The copy takes the place of what is there, which goes once it stands. */
static enum err replace_old(struct stage *stage, struct err_info *info)
{
	char aside[PATH_MAX];
	enum err e = stage_swap(stage, ".old", aside, info);
	if (e == ERR_OK && stage_remove(aside) != ERR_OK)
		log_warn(LOG_DB, "files that are not ours are left in %s", QUOTE(span_str(aside)));
	return e;
}

enum err db_restore(const struct db_options *options, const char *backup, enum db_replace replace,
		    const struct db_follower *follower, uint64_t *out_commit, struct err_info *info)
{
	struct stage stage = { .dir_fd = -1 };
	struct db *db = NULL;
	CLEANUP(fd_closep) int lock = -1;
	struct err_info unused = { 0 };
	bool vacant = stage_vacant(options->dir, &unused) == ERR_OK;
	if (!vacant && replace == DB_KEEP)
		return err_set(
			info, ERR_EXISTS, EEXIST,
			"there is something in %s already; --force replaces it by the backup",
			QUOTE(span_str(options->dir)));
	enum err e = vacant ? ERR_OK : place_lock(options->dir, &lock, info);
	if (e == ERR_OK)
		e = backup_open(options, backup, follower, &db, info);
	if (e == ERR_OK)
		e = stage_begin(&stage, options->dir, info);
	if (e == ERR_OK) {
		struct db_snap *sn = db_snap_begin(db);
		e = snap_save(db, sn, &stage, follower, info);
		*out_commit = sn->commit;
		db_snap_end(sn);
	}
	if (e == ERR_OK)
		e = vacant ? stage_put(&stage, info) : replace_old(&stage, info);
	stage_end(&stage);
	db_close(db);
	return e;
}
