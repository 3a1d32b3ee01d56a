/* SPDX-License-Identifier: MIT */
/* Backups beside a writer, restoring, repairing: what comes out is one commit, whole. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/thread.h"
#include "db/backup.h"
#include "db/format.h"
#include "trace.h"

static char *path_in(const char *dir, const char *name)
{
	static char path[64][512];
	static unsigned at;
	at = (at + 1) % 64;
	int n = snprintf(path[at], sizeof path[at], "%s/%s", dir, name);
	EXPECT(n > 0 && (size_t)n < sizeof path[at]);
	return path[at];
}

static struct db_options small_options(const char *dir)
{
	struct db_options o = fx_options(dir);
	o.segment_bytes = 16 << 10;
	o.heap_run_rows = 48;
	o.io = &io_unsynced;
	return o;
}

static struct db *small_open(const char *dir)
{
	struct db_options o = small_options(dir);
	struct db *db = NULL;
	EXPECT_OK(db_open(&o, &db, NULL));
	return db;
}

static void expect_store(const char *dir, const struct fx_model *m)
{
	CLEANUP(fx_closep) struct db *db = small_open(dir);
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, m);
	db_snap_end(sn);
	fx_expect_sound(db);
}

static void filled_make(const char *dir, struct fx_model *m, unsigned txns)
{
	CLEANUP(fx_closep) struct db *db = small_open(dir);
	for (unsigned i = 0; i < txns; i++) {
		EXPECT_OK(fx_random_txn(db, m, test_random() % 5 ? 10 : 100));
		if (i % 8 == 3)
			EXPECT_OK(db_checkpoint(db));
	}
}

/* ---- backup ---- */

#define LIVE_COMMITS 300

struct live {
	struct db *db;
	const char *dir;
	struct fx_model models[LIVE_COMMITS + 2]; /* by commit */
	_Atomic bool over;
};

static void copies_make(void *arg)
{
	struct live *l = arg;
	char name[32];
	for (unsigned i = 0; i < 12; i++) {
		uint64_t commit = 0;
		snprintf(name, sizeof name, "copy-%u", i);
		EXPECT_OK(db_backup(l->db, path_in(l->dir, name), NULL, &commit, NULL));
		printf("commit %" PRIu64 "\n", commit);
	}
	atomic_store(&l->over, true);
}

TEST_LIMIT(db_backup, beside_a_writer_each_is_one_commit_whole, 300)
{
	static struct live l;
	static struct fx_model m;
	struct thread thread = { 0 };
	l.dir = test_tmpdir();
	l.db = small_open(path_in(l.dir, "db"));
	EXPECT_OK(thread_start(&thread, "backup", copies_make, &l));
	while (m.commit < LIVE_COMMITS || !atomic_load(&l.over)) {
		if (m.commit < LIVE_COMMITS)
			EXPECT_OK(fx_random_txn(l.db, &m, 12));
		l.models[m.commit] = m;
		(void)db_maintain(l.db);
		if (m.commit % 16 == 15)
			EXPECT_OK(db_checkpoint(l.db));
	}
	thread_join(&thread);
	db_close(l.db);
	for (unsigned i = 0; i < 12; i++) {
		char name[32];
		snprintf(name, sizeof name, "copy-%u", i);
		struct db *db = small_open(path_in(l.dir, name));
		struct db_snap *sn = db_snap_begin(db);
		struct db_stats stats;
		db_stats_get(db, &stats);
		EXPECT_U64(0, stats.replayed_commits_n); /* its indexes came along */
		fx_expect(sn, &l.models[db_snap_commit(sn)]);
		db_snap_end(sn);
		fx_expect_sound(db);
		db_close(db);
	}
}

TEST(db_backup, what_is_there_already_is_refused_and_stays)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct err_info info = { 0 };
	uint64_t commit;
	filled_make(path_in(dir, "db"), &m, 10);
	struct db *db = small_open(path_in(dir, "db"));
	EXPECT(mkdir(path_in(dir, "full"), 0700) == 0);
	int fd = open(path_in(dir, "full/mine"), O_CREAT | O_WRONLY, 0600);
	EXPECT(fd >= 0);
	close(fd);
	EXPECT_ERR(ERR_EXISTS, db_backup(db, path_in(dir, "full"), NULL, &commit, &info));
	EXPECT(strstr(info.text, "full") != NULL);
	EXPECT_ERR(ERR_EXISTS, db_backup(db, path_in(dir, "full/mine"), NULL, &commit, &info));
	EXPECT_ERR(ERR_NOTFOUND, db_backup(db, path_in(dir, "no/such"), NULL, &commit, &info));
	EXPECT(access(path_in(dir, "full/mine"), F_OK) == 0);
	EXPECT(mkdir(path_in(dir, "empty"), 0700) == 0); /* and one cut short left something */
	EXPECT(mkdir(path_in(dir, "empty.partial"), 0700) == 0);
	close(open(path_in(dir, "empty.partial/media-00007.fb"), O_CREAT | O_WRONLY, 0600));
	EXPECT_OK(db_backup(db, path_in(dir, "empty/"), NULL, &commit, NULL));
	EXPECT(access(path_in(dir, "empty.partial"), F_OK) != 0);
	db_close(db);
	expect_store(path_in(dir, "empty"), &m);
}

static void progress_note(void *ctx, uint64_t done, uint64_t all)
{
	uint64_t *last = ctx;
	EXPECT(done <= all && done >= *last);
	*last = done;
}

static void byte_flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	uint8_t b = 0;
	EXPECT(fd >= 0 && pread(fd, &b, 1, at) == 1);
	b ^= 0x10;
	EXPECT(pwrite(fd, &b, 1, at) == 1);
	close(fd);
}

TEST(db_backup, of_a_damaged_store_says_so)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct err_info info = { 0 };
	uint64_t commit, last = 0;
	filled_make(path_in(dir, "db"), &m, 10);
	byte_flip(path_in(dir, "db/media-00001.fb"), 4096 + 100);
	struct db *db = small_open(path_in(dir, "db"));
	const struct db_follower f = { fx_print_finding, progress_note, &last };
	EXPECT_ERR(ERR_CORRUPT, db_backup(db, path_in(dir, "copy"), &f, &commit, &info));
	EXPECT(last > 0 && strstr(info.text, "salver repair") != NULL);
	EXPECT(access(path_in(dir, "copy/manifest"), F_OK) == 0);
	db_close(db);
}

/* ---- restore ---- */

/* The manifest names more of the log than there is. */
TEST(db_backup, of_a_store_whose_log_was_cut_off_is_what_is_left)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct err_info info = { 0 };
	uint64_t commit = 0;
	struct db *db = fx_open(path_in(dir, "db"));
	for (unsigned i = 0; i < 40; i++)
		EXPECT_OK(fx_random_txn(db, &m, 100));
	db_close(db);
	EXPECT(truncate(path_in(path_in(dir, "db"), "media-00001.fb"), 10000) == 0);
	db = fx_open(path_in(dir, "db"));
	EXPECT_ERR(ERR_CORRUPT, db_backup(db, path_in(dir, "copy"), NULL, &commit, &info));
	EXPECT(strstr(info.text, "complete") != NULL);
	EXPECT_U64(m.commit, commit);
	db_close(db);
	EXPECT(access(path_in(path_in(dir, "copy"), "manifest"), F_OK) == 0);
}

TEST(db_restore, a_backup_takes_the_place_of_what_is_there_only_when_told)
{
	static struct fx_model m, later;
	const char *dir = test_tmpdir();
	struct err_info info = { 0 };
	uint64_t commit = 0;
	filled_make(path_in(dir, "db"), &m, 12);
	struct db *db = small_open(path_in(dir, "db"));
	EXPECT_OK(db_backup(db, path_in(dir, "copy"), NULL, &commit, NULL));
	EXPECT_U64(m.commit, commit);
	later = m;
	while (later.commit == m.commit)
		EXPECT_OK(fx_random_txn(db, &later, 10));
	struct db_options o = small_options(path_in(dir, "db"));
	const char *copy = path_in(dir, "copy");
	EXPECT_ERR(ERR_EXISTS, db_restore(&o, copy, DB_KEEP, NULL, &commit, &info));
	EXPECT(strstr(info.text, "--force") != NULL);
	EXPECT_ERR(ERR_BUSY, db_restore(&o, copy, DB_REPLACE, NULL, &commit, &info));
	db_close(db);
	expect_store(path_in(dir, "db"), &later);
	EXPECT_OK(db_restore(&o, copy, DB_REPLACE, NULL, &commit, &info));
	EXPECT_U64(m.commit, commit);
	expect_store(path_in(dir, "db"), &m);
	EXPECT(access(path_in(dir, "db.old"), F_OK) != 0);
	EXPECT(access(path_in(dir, "db.partial"), F_OK) != 0);
	o.dir = path_in(dir, "new");
	EXPECT_OK(db_restore(&o, copy, DB_KEEP, NULL, &commit, &info));
	expect_store(o.dir, &m);
}

TEST(db_restore, a_damaged_backup_is_refused_and_nothing_changes)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct err_info info = { 0 };
	uint64_t commit = 0;
	filled_make(path_in(dir, "db"), &m, 12);
	dir_copy(path_in(dir, "db"), path_in(dir, "copy"));
	byte_flip(path_in(dir, "copy/media-00001.fb"), 4096 + 100);
	struct db_options o = small_options(path_in(dir, "db"));
	EXPECT_ERR(ERR_CORRUPT,
		   db_restore(&o, path_in(dir, "copy"), DB_REPLACE, NULL, &commit, &info));
	EXPECT(strstr(info.text, "nothing was changed") != NULL);
	EXPECT(db_restore(&o, path_in(dir, "none"), DB_REPLACE, NULL, &commit, &info) != ERR_OK);
	expect_store(path_in(dir, "db"), &m);
}

/* ---- repair ---- */

struct told {
	char text[64 << 10];
	size_t n;
};

static void told_add(void *ctx, const char *line)
{
	struct told *t = ctx;
	int n = snprintf(t->text + t->n, sizeof t->text - t->n, "%s\n", line);
	t->n = MIN(t->n + (size_t)n, sizeof t->text - 1);
}

static void row_put(struct db *db, struct fx_model *m, uint64_t id, uint32_t version)
{
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	m->commit = db_txn_commit_number(txn);
	if (version)
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, version));
	else
		EXPECT_OK(db_txn_remove(txn, FX_MEDIA, id));
	fx_model_put(m, FX_MEDIA, id, version, m->commit);
	EXPECT_OK(db_txn_commit(txn));
}

static off_t log_end(struct db *db)
{
	struct db_stats stats;
	db_stats_get(db, &stats);
	return (off_t)stats.log_bytes;
}

TEST(db_repair, what_was_lost_is_named_and_the_rest_is_sound)
{
	static struct fx_model m;
	static struct told told;
	const char *dir = test_tmpdir();
	struct db_options o = fx_options(path_in(dir, "db"));
	struct db_repair_result result;
	struct err_info info = { 0 };
	off_t at[6];
	struct db *db = fx_open(o.dir);
	row_put(db, &m, 1, 11);
	row_put(db, &m, 2, 12);
	at[0] = log_end(db);
	row_put(db, &m, 3, 13); /* lost */
	at[1] = log_end(db);
	row_put(db, &m, 1, 14); /* an older state comes back */
	at[2] = log_end(db);
	row_put(db, &m, 2, 0); /* comes back */
	at[3] = log_end(db);
	row_put(db, &m, 4, 15); /* lost, but stored again */
	row_put(db, &m, 4, 16);
	at[4] = log_end(db);
	row_put(db, &m, 5, 17); /* lost, and ended */
	row_put(db, &m, 5, 0);
	row_put(db, &m, 6, 18);
	db_close(db);
	for (unsigned i = 0; i < 5; i++) /* an offset, or a byte of the batch's timestamp */
		byte_flip(path_in(o.dir, "media-00001.fb"), at[i] + 64 + (i == 2 ? 2 : 34));

	const struct db_follower f = { told_add, NULL, &told };
	EXPECT_OK(db_repair(&o, &f, &result, &info));
	printf("%s%s\n", told.text, result.aside);
	EXPECT(strstr(told.text, "lost: record 3 of table media \"/m/") != NULL);
	EXPECT(strstr(told.text, "back in an older state: record 1 of table media") != NULL);
	EXPECT(strstr(told.text, "back, for its removal was lost: record 2") != NULL);
	EXPECT(strstr(told.text, "record 4 ") == NULL && strstr(told.text, "record 5 ") == NULL);
	EXPECT(strstr(told.text, "(commit 3, 1 records of table media)") != NULL);
	EXPECT_U64(3, result.lost_n);
	EXPECT_U64(5, result.damaged_n);
	EXPECT(!result.identity_lost);
	EXPECT(access(path_in(result.aside, "media-00001.fb"), F_OK) == 0);

	fx_model_put(&m, FX_MEDIA, 3, 0, 0);
	db = fx_open(o.dir);
	struct db_snap *sn = db_snap_begin(db);
	struct fb_table row;
	EXPECT_U64(m.commit, db_snap_commit(sn));
	EXPECT_U64(4, db_rows(sn, FX_MEDIA));
	EXPECT_OK(db_get(sn, FX_MEDIA, 1, &row));
	EXPECT_SPAN(SPAN("/m/1/11"), media_file_path(row));
	EXPECT_OK(db_get(sn, FX_MEDIA, 2, &row));
	EXPECT_OK(db_get(sn, FX_MEDIA, 4, &row));
	EXPECT_SPAN(SPAN("/m/4/16"), media_file_path(row));
	EXPECT_OK(db_get(sn, FX_MEDIA, 6, &row));
	EXPECT_U64(7, db_next_id(sn, FX_MEDIA));
	db_snap_end(sn);
	fx_expect_sound(db);
	db_close(db);
}

TEST(db_repair, a_sound_store_is_left_alone_and_a_used_one_refused)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct db_options o = small_options(path_in(dir, "db"));
	struct db_repair_result result;
	struct err_info info = { 0 };
	filled_make(o.dir, &m, 10);
	EXPECT_OK(db_repair(&o, NULL, &result, &info));
	EXPECT(result.aside[0] == '\0');
	expect_store(o.dir, &m);
	struct db *db = small_open(o.dir);
	EXPECT_ERR(ERR_BUSY, db_repair(&o, NULL, &result, &info));
	db_close(db);
	o.dir = path_in(dir, "none");
	EXPECT_ERR(ERR_NOTFOUND, db_repair(&o, NULL, &result, &info));
	EXPECT(access(o.dir, F_OK) != 0);
}

static void indexes_unlink(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *de;
	EXPECT(d != NULL);
	while ((de = readdir(d)))
		if (strncmp(de->d_name, "index-", 6) == 0)
			unlinkat(dirfd(d), de->d_name, 0);
	closedir(d);
}

/* The same rows under the same commit number. */
static void expect_alike(struct db *a, struct db *b)
{
	struct db_snap *sa = db_snap_begin(a), *sb = db_snap_begin(b);
	struct fb_table ra, rb;
	EXPECT_U64(db_snap_commit(sa), db_snap_commit(sb));
	for (uint64_t id = 1; id < FX_IDS; id++) {
		for (unsigned t = 0; t < FX_TABLES; t++) {
			enum err e = db_get(sa, t, id, &ra);
			EXPECT_ERR(e, db_get(sb, t, id, &rb));
			if (e == ERR_OK && t == FX_MEDIA)
				EXPECT_SPAN(media_file_path(ra), media_file_path(rb));
			if (e == ERR_OK && t == FX_SETTING)
				EXPECT_SPAN(setting_value(ra), setting_value(rb));
		}
	}
	db_snap_end(sa);
	db_snap_end(sb);
}

/* ---- cut short while directories change their places ---- */

/* The linker turns every renameat2() of the program into __wrap_renameat2(). */
int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);

static unsigned renames_left = UINT_MAX; /* the process ends before the next one */

int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	if (renames_left-- == 0)
		_exit(99);
	return __real_renameat2(from_fd, from, to_fd, to, flags);
}

/* Whether it ended by itself. */
static bool repair_in_child(const struct db_options *o, unsigned renames_n)
{
	struct db_repair_result result;
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		renames_left = renames_n;
		_exit(db_repair(o, NULL, &result, NULL) == ERR_OK ? 0 : 1);
	}
	EXPECT(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	EXPECT(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 99);
	return WEXITSTATUS(status) == 0;
}

#define LOG_HEAD_BYTES 8192

static void log_head_read(const char *dir, uint8_t out[LOG_HEAD_BYTES])
{
	int fd = open(path_in(dir, "media-00001.fb"), O_RDONLY);
	memset(out, 0, LOG_HEAD_BYTES);
	if (fd < 0)
		return;
	EXPECT(read(fd, out, LOG_HEAD_BYTES) > 0);
	close(fd);
}

/* Whether the old log is in any directory beside the database, or in it. */
static bool log_is_there(const char *parent, const uint8_t head[LOG_HEAD_BYTES])
{
	DIR *d = opendir(parent);
	const struct dirent *de;
	bool found = false;
	EXPECT(d != NULL);
	while ((de = readdir(d))) {
		uint8_t other[LOG_HEAD_BYTES];
		log_head_read(path_in(parent, de->d_name), other);
		found |= memcmp(other, head, LOG_HEAD_BYTES) == 0;
	}
	closedir(d);
	return found;
}

TEST(db_repair, cut_short_at_any_rename_and_done_again_it_keeps_the_old_files)
{
	static struct fx_model m;
	const off_t at = 4096 + 16; /* in the first chunk's header */
	unsigned cuts_n = 0;
	for (bool over = false; !over; cuts_n++) {
		char name[16];
		uint8_t head[LOG_HEAD_BYTES];
		snprintf(name, sizeof name, "%u", cuts_n);
		const char *parent = path_in(test_tmpdir(), name);
		const struct db_options o = small_options(path_in(parent, "db"));
		EXPECT(mkdir(parent, 0700) == 0);
		memset(&m, 0, sizeof m);
		filled_make(o.dir, &m, 5);
		byte_flip(path_in(o.dir, "media-00001.fb"), at);
		log_head_read(o.dir, head);
		over = repair_in_child(&o, cuts_n);
		EXPECT(log_is_there(parent, head));
		uint8_t now[LOG_HEAD_BYTES];
		log_head_read(o.dir, now);
		if (memcmp(now, head, LOG_HEAD_BYTES) != 0) /* there shall be something to repair */
			byte_flip(path_in(o.dir, "media-00001.fb"), at);
		EXPECT(repair_in_child(&o, UINT_MAX));
		EXPECT(log_is_there(parent, head));
		struct db *db = small_open(o.dir);
		fx_expect_sound(db);
		db_close(db);
	}
	printf("%u places\n", cuts_n);
	EXPECT(cuts_n > 1);
}

/* Chunks of rows fail their checksums, though their bytes are as they were. */
static unsigned rows_chunks_spoil(const char *log)
{
	struct disk_chunk c;
	unsigned n = 0;
	int fd = open(log, O_RDWR);
	EXPECT(fd >= 0);
	for (off_t at = SEGMENT_HEADER_BYTES;
	     pread(fd, &c, sizeof c, at) == sizeof c && c.magic == CHUNK_MAGIC;
	     at += (off_t)num_align_up(sizeof c + c.payload_bytes, CHUNK_ALIGN)) {
		if (c.kind != CHUNK_ROWS)
			continue;
		c.payload_hash ^= 1;
		c.header_hash = XXH3_64bits(&c, offsetof(struct disk_chunk, header_hash));
		EXPECT(pwrite(fd, &c, sizeof c, at) == sizeof c);
		n++;
	}
	close(fd);
	return n;
}

/* As many as are named, and each of them ends: which once took a look at all for each. */
TEST_LIMIT(db_repair, many_lost_records_that_ended_are_forgotten_at_once, 60)
{
	static struct told told;
	const uint64_t rows_n = 190000;
	struct db_options o = fx_options(path_in(test_tmpdir(), "db"));
	struct db_repair_result result;
	struct db_txn *txn;
	struct db *db = fx_open(o.dir);
	const struct setting_in in = { .name = span_str("s") };
	EXPECT_OK(db_txn_begin(db, &txn));
	for (uint64_t id = 1; id <= rows_n; id++)
		EXPECT_OK(db_txn_put(txn, FX_SETTING, id, &in));
	EXPECT_OK(db_txn_commit(txn));
	EXPECT_OK(db_txn_begin(db, &txn));
	for (uint64_t id = 2; id <= rows_n; id++)
		EXPECT_OK(db_txn_remove(txn, FX_SETTING, id));
	EXPECT_OK(db_txn_commit(txn));
	db_close(db);
	EXPECT(rows_chunks_spoil(path_in(o.dir, "media-00001.fb")) > 10);
	const struct db_follower f = { told_add, NULL, &told };
	EXPECT_OK(db_repair(&o, &f, &result, NULL));
	EXPECT_U64(1, result.lost_n); /* the one that did not end */
	EXPECT(strstr(told.text, "lost: record 1 of table setting") != NULL);
}

/* The manifest knows that it was acknowledged. */
TEST(db_repair, damage_to_the_newest_commit_is_no_torn_tail)
{
	static struct told told;
	struct db_options o = fx_options(path_in(test_tmpdir(), "db"));
	struct db_repair_result result;
	struct db *db = fx_open(o.dir);
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	EXPECT_OK(fx_put(txn, FX_MEDIA, 1, 1));
	EXPECT_OK(fx_put(txn, FX_SETTING, 1, 1));
	EXPECT_OK(db_txn_commit(txn));
	db_close(db);
	byte_flip(path_in(o.dir, "media-00001.fb"), 4096 + 64 + 140);
	indexes_unlink(o.dir);
	const struct db_follower f = { told_add, NULL, &told };
	db = fx_open(o.dir); /* opening alone contains it, too */
	struct db_snap *sn = db_snap_begin(db);
	EXPECT_U64(1, db_snap_commit(sn));
	EXPECT_U64(0, db_rows(sn, FX_MEDIA));
	EXPECT_U64(1, db_rows(sn, FX_SETTING));
	db_snap_end(sn);
	db_close(db);
	EXPECT_OK(db_repair(&o, &f, &result, NULL));
	printf("%s", told.text);
	EXPECT(strstr(told.text, "(commit 1, 1 records of table media)") != NULL);
	db = fx_open(o.dir);
	sn = db_snap_begin(db);
	EXPECT_U64(1, db_rows(sn, FX_SETTING));
	db_snap_end(sn);
	fx_expect_sound(db);
	db_close(db);
}

/* Every kind of spoilt file, alone and together: what the log alone shows before is shown after. */
TEST_LIMIT(db_repair, whatever_is_spoilt_the_repaired_store_is_sound_and_shows_the_same, 300)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	char place[300];
	uint64_t points = 0, mended = 0;
	snprintf(place, sizeof place, "%s/db", dir);
	filled_make(path_in(dir, "made"), &m, 30);
	for (; points < 60; points++) {
		struct db_options o = small_options(place);
		struct db_repair_result result;
		struct err_info info = { 0 };
		char name[32];
		dir_copy(path_in(dir, "made"), o.dir);
		for (uint64_t n = 1 + test_random() % 3; n > 0; n--) {
			struct stat st;
			snprintf(name, sizeof name, "media-%05u.fb",
				 1 + (unsigned)(test_random() % 3));
			if (stat(path_in(o.dir, name), &st) != 0)
				continue;
			bool header = test_random() % 6 == 0;
			off_t at = (off_t)(test_random() % (uint64_t)st.st_size);
			byte_flip(path_in(o.dir, name), header ? 5 : at);
			if (header)
				byte_flip(path_in(o.dir, name), 2048 + 5);
		}
		if (test_random() % 2)
			unlink(path_in(o.dir, "manifest"));
		dir_copy(o.dir, path_in(dir, "seen"));
		indexes_unlink(path_in(dir, "seen"));
		EXPECT_OK(db_repair(&o, NULL, &result, &info));
		mended += result.aside[0] != '\0';
		struct db *db = small_open(o.dir), *seen = small_open(path_in(dir, "seen"));
		fx_expect_sound(db);
		expect_alike(seen, db);
		db_close(seen);
		struct db_txn *txn;
		EXPECT_OK(db_txn_begin(db, &txn));
		EXPECT_OK(fx_put(txn, FX_MEDIA, 1, 999));
		EXPECT_OK(db_txn_commit(txn));
		db_close(db);
		if (result.aside[0]) {
			dir_copy(NULL, result.aside);
			EXPECT(rmdir(result.aside) == 0);
		}
	}
	printf("%" PRIu64 " points, 0 failures (%" PRIu64 " were mended)\n", points, mended);
	EXPECT(mended > points / 5);
}
