/* SPDX-License-Identifier: MIT */
/* Damaged, foreign and locked stores: named, contained, never a crash. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/num.h"
#include "base/thread.h"
#include "db/format.h"
#include "fixture.h"

#define LOG "media-00001.fb"

static char *path_in(const char *dir, const char *name)
{
	static char path[4][512];
	static unsigned at;
	at = (at + 1) % 4;
	snprintf(path[at], sizeof path[at], "%s/%s", dir, name);
	return path[at];
}

static size_t file_load(const char *path, uint8_t **out)
{
	int fd = open(path, O_RDONLY);
	EXPECT(fd >= 0);
	struct stat st;
	EXPECT(fstat(fd, &st) == 0);
	*out = malloc((size_t)st.st_size + 1);
	EXPECT(*out != NULL);
	EXPECT(read(fd, *out, (size_t)st.st_size) == st.st_size);
	close(fd);
	return (size_t)st.st_size;
}

static void file_save(const char *path, const uint8_t *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	EXPECT(fd >= 0);
	EXPECT(write(fd, bytes, n) == (ssize_t)n);
	close(fd);
}

static void byte_flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	EXPECT(fd >= 0);
	uint8_t b;
	EXPECT(pread(fd, &b, 1, at) == 1);
	b ^= 0x10;
	EXPECT(pwrite(fd, &b, 1, at) == 1);
	close(fd);
}

/* Closes without a checkpoint: as a crash leaves it. A copy of the directory does. */
static void dir_copy(const char *from, const char *to)
{
	char command[1100];
	snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", to, from, to);
	EXPECT(system(command) == 0);
}

struct small {
	struct fx_model models[8];
	off_t end[8]; /* of the log, by commit */
	char dir[256], copy[256];
};

/* Five commits, never checkpointed. */
static void small_make(struct small *s)
{
	char live[256];
	snprintf(live, sizeof live, "%s/live", test_tmpdir());
	snprintf(s->dir, sizeof s->dir, "%s/a", test_tmpdir());
	snprintf(s->copy, sizeof s->copy, "%s/b", test_tmpdir());
	struct db *db = fx_open(live);
	struct fx_model m = { 0 };
	for (uint64_t commit = 1; commit <= 5; commit++) {
		struct db_txn *txn;
		EXPECT_OK(db_txn_begin(db, &txn));
		m.commit = commit;
		for (uint64_t id = 1; id <= 3; id++) {
			EXPECT_OK(fx_put(txn, FX_MEDIA, commit + id, (uint32_t)commit));
			fx_model_put(&m, FX_MEDIA, commit + id, (uint32_t)commit, commit);
		}
		EXPECT_OK(fx_put(txn, FX_SETTING, commit, 1));
		fx_model_put(&m, FX_SETTING, commit, 1, commit);
		EXPECT_OK(db_txn_commit(txn));
		s->models[commit] = m;
		struct db_stats stats;
		db_stats_get(db, &stats);
		s->end[commit] = (off_t)stats.log_bytes;
	}
	s->models[0] = (struct fx_model){ 0 };
	dir_copy(live, s->dir);
	db_close(db);
}

TEST_LIMIT(db_damage, truncation_at_every_byte_leaves_a_whole_commit, 300)
{
	static struct small s;
	small_make(&s);
	uint8_t *log;
	size_t n = file_load(path_in(s.dir, LOG), &log);
	EXPECT((off_t)n >= s.end[5]);
	dir_copy(s.dir, s.copy);
	for (off_t cut = s.end[3]; cut <= s.end[5]; cut++) {
		unlink(path_in(s.copy, "manifest"));
		file_save(path_in(s.copy, LOG), log, (size_t)cut);
		struct db_options o = fx_options(s.copy);
		o.read_only = true;
		struct db *db;
		EXPECT_OK(db_open(&o, &db, NULL));
		struct db_snap *sn = db_snap_begin(db);
		uint64_t shown = db_snap_commit(sn);
		/* the padding behind a mark is not part of it */
		EXPECT(cut >= s.end[4] ? shown >= 4 : shown >= 3);
		EXPECT(shown <= 5 && cut > s.end[shown] - 256);
		EXPECT(fx_same(sn, &s.models[shown]));
		db_snap_end(sn);
		db_close(db);
	}
	free(log);
}

TEST_LIMIT(db_damage, a_flipped_bit_anywhere_is_never_shown_as_data, 300)
{
	static struct small s;
	small_make(&s);
	dir_copy(s.dir, s.copy);
	for (off_t at = s.end[3]; at < s.end[5]; at++) {
		byte_flip(path_in(s.copy, LOG), at);
		struct db_options o = fx_options(s.copy);
		o.read_only = true;
		struct db *db;
		EXPECT_OK(db_open(&o, &db, NULL));
		struct db_snap *sn = db_snap_begin(db);
		uint64_t shown = db_snap_commit(sn);
		struct db_stats stats;
		db_stats_get(db, &stats);
		if (at >= s.end[4]) { /* the newest commit: a torn tail, or padding */
			EXPECT(shown >= 4 && fx_same(sn, &s.models[shown]));
		} else { /* one behind it is whole: this is damage, and the rest is kept */
			EXPECT_U64(5, shown);
			EXPECT(stats.damaged_chunks_n > 0 || fx_same(sn, &s.models[5]));
			struct fb_table t;
			EXPECT_OK(db_get(sn, FX_MEDIA, 8, &t));
			EXPECT_OK(db_get(sn, FX_MEDIA, 2, &t));
		}
		db_snap_end(sn);
		db_close(db);
		byte_flip(path_in(s.copy, LOG), at);
	}
}

TEST(db_damage, a_damaged_commit_is_counted_and_the_store_works_on)
{
	static struct small s;
	small_make(&s);
	byte_flip(path_in(s.dir, LOG), s.end[2] + 100); /* rows of commit 3 */
	struct db *db = fx_open(s.dir);
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT_U64(5, stats.commit);
	EXPECT_U64(1, stats.damaged_chunks_n);
	EXPECT(stats.quarantined_rows_n > 0);
	EXPECT_ERR(ERR_CORRUPT, db_check(db, fx_print_finding, NULL));
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	EXPECT_OK(fx_put(txn, FX_MEDIA, 100, 1));
	EXPECT_OK(db_txn_commit(txn));
	db_close(db);
	db = fx_open(s.dir);
	struct db_snap *sn = db_snap_begin(db);
	struct fb_table t;
	EXPECT_OK(db_get(sn, FX_MEDIA, 100, &t));
	EXPECT_U64(6, db_snap_commit(sn));
	db_snap_end(sn);
	db_close(db);
}

TEST(db_damage, a_chunk_that_rots_under_a_checkpoint_is_refused_at_first_touch)
{
	const char *dir = test_tmpdir();
	struct db *db = fx_open(dir);
	struct db_txn *txn;
	EXPECT_OK(db_txn_begin(db, &txn));
	EXPECT_OK(fx_put(txn, FX_MEDIA, 1, 1));
	EXPECT_OK(db_txn_commit(txn));
	EXPECT_OK(db_txn_begin(db, &txn));
	EXPECT_OK(fx_put(txn, FX_MEDIA, 2, 1));
	EXPECT_OK(db_txn_commit(txn));
	db_close(db);
	byte_flip(path_in(dir, LOG), 4096 + 64 + 40);
	db = fx_open(dir);
	struct db_snap *sn = db_snap_begin(db);
	struct fb_table t = { 0 };
	EXPECT_ERR(ERR_CORRUPT, db_get(sn, FX_MEDIA, 1, &t));
	EXPECT_ERR(ERR_CORRUPT, db_get(sn, FX_MEDIA, 1, &t));
	EXPECT_U64(0, t.pos);
	EXPECT_OK(db_get(sn, FX_MEDIA, 2, &t));
	db_snap_end(sn);
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT_U64(1, stats.damaged_chunks_n);
	EXPECT_OK(db_txn_begin(db, &txn)); /* and it can be stored anew */
	EXPECT_OK(fx_put(txn, FX_MEDIA, 1, 2));
	EXPECT_OK(db_txn_commit(txn));
	sn = db_snap_begin(db);
	EXPECT_OK(db_get(sn, FX_MEDIA, 1, &t));
	db_snap_end(sn);
	db_close(db);
}

/* ---- every file, every kind of wrong ---- */

static void filled_make(const char *dir, struct fx_model *m)
{
	struct db *db = fx_open(dir);
	for (int i = 0; i < 20; i++) {
		EXPECT_OK(fx_random_txn(db, m, 30));
		if (i % 6 == 5)
			EXPECT_OK(db_checkpoint(db));
	}
	db_close(db);
}

static void expect_whole(const char *dir, const struct fx_model *m)
{
	CLEANUP(fx_closep) struct db *db = fx_open(dir);
	struct db_snap *sn = db_snap_begin(db);
	EXPECT(fx_same(sn, m));
	db_snap_end(sn);
	fx_expect_sound(db);
}

/* Indexes and the manifest can be rebuilt from the log: lose or spoil any of them. */
TEST(db_damage, lost_or_spoilt_indexes_are_rebuilt_from_the_log)
{
	static struct fx_model m;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	filled_make(dir, &m);
	DIR *d = opendir(dir);
	const struct dirent *de;
	unsigned runs_n = 0;
	while ((de = readdir(d))) {
		bool run = strncmp(de->d_name, "index-", 6) == 0;
		if (!run && strcmp(de->d_name, "manifest") != 0)
			continue;
		runs_n += run;
		dir_copy(dir, copy);
		unlink(path_in(copy, de->d_name));
		expect_whole(copy, &m);
		dir_copy(dir, copy);
		EXPECT(truncate(path_in(copy, de->d_name), run ? 100 : 0) == 0);
		expect_whole(copy, &m);
		for (off_t at = 0; at < 80; at += 9) {
			dir_copy(dir, copy);
			byte_flip(path_in(copy, de->d_name), at);
			expect_whole(copy, &m);
		}
	}
	closedir(d);
	EXPECT(runs_n > 0);
}

static enum err check_reading_alone(const char *dir, const struct fx_model *m, bool *out_same)
{
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	o.read_only = true;
	EXPECT_OK(db_open(&o, &db, NULL));
	struct db_snap *sn = db_snap_begin(db);
	*out_same = fx_same(sn, m);
	db_snap_end(sn);
	enum err e = db_check(db, NULL, NULL);
	db_close(db);
	return e;
}

/* What is larger than is read at opening is read before the first write. */
static void expect_no_write(const char *dir)
{
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	struct db_txn *txn = NULL;
	struct db_stats stats;
	o.check_at_open_bytes = 1;
	EXPECT_OK(db_open(&o, &db, NULL));
	EXPECT_ERR(ERR_CORRUPT, db_txn_begin(db, &txn));
	db_stats_get(db, &stats);
	EXPECT(stats.poisoned);
	db_close(db);
}

/* It is read soon, also where nothing is written. */
static void expect_found_idle(const char *dir)
{
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	struct db_stats stats;
	o.check_at_open_bytes = 1;
	EXPECT_OK(db_open(&o, &db, NULL));
	while (db_maintain(db))
		continue;
	db_stats_get(db, &stats);
	EXPECT(stats.poisoned);
	db_close(db);
}

/* Bytes of run files beyond their headers: never a crash, db_check() finds them, nothing is written
 * on what they say, and opening makes them anew. */
TEST(db_damage, a_rotten_index_entry_is_found_and_made_anew)
{
	static struct fx_model m;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	filled_make(dir, &m);
	DIR *d = opendir(dir);
	const struct dirent *de;
	unsigned found_n = 0, tried_n = 0;
	while ((de = readdir(d))) {
		if (strncmp(de->d_name, "index-", 6) != 0)
			continue;
		struct stat st;
		EXPECT(stat(path_in(dir, de->d_name), &st) == 0);
		for (unsigned i = 0; i < 40 && st.st_size > 1200; i++) {
			dir_copy(dir, copy);
			byte_flip(path_in(copy, de->d_name),
				  1176 + (off_t)(test_random() % (uint64_t)(st.st_size - 1176)));
			bool same;
			enum err e = check_reading_alone(copy, &m, &same);
			EXPECT(same || e == ERR_CORRUPT);
			found_n += e == ERR_CORRUPT;
			tried_n++;
			if (e == ERR_CORRUPT && i % 4 == 0)
				expect_no_write(copy);
			if (e == ERR_CORRUPT && i % 4 == 1)
				expect_found_idle(copy);
			expect_whole(copy, &m);
		}
	}
	closedir(d);
	printf("%u of %u found (the rest hit holes)\n", found_n, tried_n);
	EXPECT(found_n * 2 > tried_n);
}

/* Opens whatever the directory holds, in every way, without a crash; what it says does not matter.
 */
static void expect_survived(const char *dir)
{
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	if (db_open(&o, &db, NULL) != ERR_OK)
		return;
	static const struct fx_model nothing;
	struct db_snap *sn = db_snap_begin(db);
	(void)fx_same(sn, &nothing);
	db_snap_end(sn);
	(void)!db_check(db, NULL, NULL);
	db_close(db);
}

static void bytes_spoil(const char *path, off_t from, size_t n)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	for (unsigned i = 0; i < 1 + test_random() % 4; i++) {
		int fd = open(path, O_RDWR);
		EXPECT(fd >= 0);
		uint8_t b = values[test_random() % sizeof values];
		EXPECT(pwrite(fd, &b, 1, from + (off_t)(test_random() % n)) == 1);
		close(fd);
	}
}

/* Bytes that somebody made, with right hashes: they may lie, but not crash us. */
TEST_LIMIT(db_damage, lies_with_right_hashes_do_not_crash, 200)
{
	static struct fx_model m;
	static struct small s;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/m", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/n", test_tmpdir());
	filled_make(dir, &m);
	small_make(&s);
	for (unsigned i = 0; i < 150; i++) {
		uint8_t *b;
		dir_copy(dir, copy);
		char *path = path_in(copy, "manifest");
		bytes_spoil(path, 16, 200);
		size_t n = file_load(path, &b);
		for (size_t at = 0; at < n; at += 65536) {
			uint32_t bytes = num_le32(b + at + 12);
			memset(b + at + 72, 0, 8);
			uint64_t hash = bytes <= n - at ? XXH3_64bits(b + at, bytes) : 0;
			memcpy(b + at + 72, &hash, 8);
		}
		file_save(path, b, n);
		free(b);
		expect_survived(copy);

		dir_copy(s.dir, copy); /* a chunk of the log: header, payload, or commit mark */
		path = path_in(copy, LOG);
		uint64_t commit = test_random() % 5;
		off_t at = commit ? s.end[commit] : 4096;
		while (test_random() % 3) {
			n = file_load(path, &b);
			at += (off_t)num_align_up(64 + num_le32(b + at + 32), 256);
			free(b);
			if (at >= s.end[5])
				at = 4096;
		}
		bytes_spoil(path, at + 4, test_random() % 2 ? 44 : 300);
		n = file_load(path, &b);
		uint32_t bytes = num_le32(b + at + 32);
		uint64_t seed = num_le64(b + at + 16) * 0x9e3779b97f4a7c15u ^
				((uint64_t)num_le32(b + at + 24) << 32 | num_le32(b + at + 28));
		uint64_t hash = bytes < n - (size_t)at - 64
					? XXH3_64bits_withSeed(b + at + 64, bytes, seed)
					: 0;
		memcpy(b + at + 48, &hash, 8);
		hash = XXH3_64bits(b + at, 56);
		memcpy(b + at + 56, &hash, 8);
		file_save(path, b, n);
		free(b);
		expect_survived(copy);
	}
}

/* Both slots of the manifest say so of the next id of each table. */
static void manifest_next_ids_set(const char *path, uint64_t next_id)
{
	uint8_t *b;
	size_t n = file_load(path, &b);
	for (size_t at = 0; at < n; at += MANIFEST_SLOT_BYTES) {
		struct disk_manifest *m = (void *)(b + at);
		struct disk_manifest_table *tables = (void *)(m + 1);
		for (uint32_t t = 0; t < m->tables_n; t++)
			tables[t].next_id = next_id;
		m->hash = 0;
		m->hash = XXH3_64bits(m, m->bytes);
	}
	file_save(path, b, n);
	free(b);
}

TEST(db_damage, a_manifest_that_lies_about_ids_makes_no_record_twice)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct db_txn *txn;
	filled_make(dir, &m);
	manifest_next_ids_set(path_in(dir, "manifest"), 1); /* all that there are would be new */
	struct db *db = fx_open(dir);
	EXPECT_OK(db_txn_begin(db, &txn));
	for (unsigned t = 0; t < FX_TABLES; t++) {
		m.next_id[t] = db_txn_new_id(txn, t);
		for (uint32_t id = 1; id < FX_IDS; id++)
			EXPECT(m.version[t][id] == 0 || id < m.next_id[t]);
	}
	db_txn_abort(txn);
	for (int i = 0; i < 10; i++)
		EXPECT_OK(fx_random_txn(db, &m, 30));
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	fx_expect_sound(db);
	db_close(db);
	manifest_next_ids_set(path_in(dir, "manifest"), UINT64_MAX); /* none is left, not all */
	db = fx_open(dir);
	EXPECT_OK(db_txn_begin(db, &txn));
	for (int i = 0; i < 3; i++)
		EXPECT(db_txn_new_id(txn, FX_MEDIA) > DB_ID_MAX);
	db_txn_abort(txn);
	db_close(db);
}

/* One run, time after time: more than a table ever has. */
static void manifest_runs_repeat(struct disk_manifest *m, struct disk_manifest_run *runs)
{
	enum { TIMES = DB_RUNS_MAX - 5 };
	uint8_t *end = (uint8_t *)(runs + m->runs_n);
	memmove(end + TIMES * sizeof *runs, end, m->bytes - (size_t)(end - (uint8_t *)m));
	for (unsigned i = 0; i < TIMES; i++)
		runs[m->runs_n + i] = runs[0];
	m->runs_n += TIMES;
	m->bytes += TIMES * (uint32_t)sizeof *runs;
}

/* Numbers that name no file of ours (0 is what a run in memory has), or one too often. */
TEST(db_damage, a_manifest_that_lies_about_its_runs_is_not_followed)
{
	static struct fx_model m;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	filled_make(dir, &m);
	for (unsigned lie = 0; lie < 5; lie++) {
		uint8_t *b;
		dir_copy(dir, copy);
		size_t n = file_load(path_in(copy, "manifest"), &b);
		for (size_t at = 0; at < n; at += MANIFEST_SLOT_BYTES) {
			struct disk_manifest *man = (void *)(b + at);
			struct disk_manifest_run *runs =
				(void *)((struct disk_manifest_table *)(man + 1) + man->tables_n);
			char was[32], is[32];
			snprintf(was, sizeof was, "index-%08" PRIu64 ".run", runs[0].number);
			if (lie < 2)
				runs[0].number = lie ? UINT64_MAX : 0;
			else if (lie == 4)
				manifest_runs_repeat(man, runs);
			else
				man->next_run = lie == 2 ? UINT64_MAX : UINT64_MAX / 2;
			snprintf(is, sizeof is, "index-%08" PRIu64 ".run", runs[0].number);
			EXPECT(rename(path_in(copy, was), path_in(copy, is)) == 0 || at > 0);
			man->hash = 0;
			man->hash = XXH3_64bits(man, man->bytes);
		}
		file_save(path_in(copy, "manifest"), b, n);
		free(b);
		struct fx_model now = m;
		struct db *db = fx_open(copy);
		for (int i = 0; i < 10; i++) {
			EXPECT_OK(fx_random_txn(db, &now, 30));
			EXPECT_OK(db_checkpoint(db));
		}
		db_close(db);
		expect_whole(copy, &now);
	}
}

static void expect_refused(const char *dir, enum err want, const char *text)
{
	struct db_options o = fx_options(dir);
	struct err_info info = { 0 };
	struct db *db = NULL;
	EXPECT_ERR(want, db_open(&o, &db, &info));
	EXPECT(db == NULL);
	printf("%s\n", info.text);
	EXPECT(strstr(info.text, text) != NULL);
}

TEST(db_open, what_is_no_store_is_refused_with_a_reason)
{
	static struct fx_model m;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	filled_make(dir, &m);

	dir_copy(dir, copy); /* no log */
	unlink(path_in(copy, LOG));
	expect_refused(copy, ERR_CORRUPT, "is missing");

	dir_copy(dir, copy); /* something else in its place, and no manifest */
	unlink(path_in(copy, "manifest"));
	uint8_t junk[8192];
	memset(junk, 'x', sizeof junk);
	file_save(path_in(copy, LOG), junk, sizeof junk);
	expect_refused(copy, ERR_CORRUPT, "damaged");

	dir_copy(dir, copy); /* a directory where the log should be */
	unlink(path_in(copy, LOG));
	EXPECT(mkdir(path_in(copy, LOG), 0700) == 0);
	expect_refused(copy, ERR_INVALID, copy);

	file_save(path_in(test_tmpdir(), "c"), junk, 10); /* a file where the directory should be */
	expect_refused(path_in(test_tmpdir(), "c"), ERR_INVALID, "cannot open database directory");
	expect_refused("/proc/no/such", ERR_NOTFOUND, "cannot create");
}

TEST(db_open, one_header_copy_is_enough)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	filled_make(dir, &m);
	byte_flip(path_in(dir, LOG), 3);
	expect_whole(dir, &m);
	byte_flip(path_in(dir, LOG), 3);
	byte_flip(path_in(dir, LOG), 2048 + 20);
	expect_whole(dir, &m);
}

static bool header_is_sound(const char *path, size_t at)
{
	struct disk_segment h;
	int fd = open(path, O_RDONLY);
	EXPECT(fd >= 0 && pread(fd, &h, sizeof h, (off_t)at) == sizeof h && close(fd) == 0);
	return memcmp(h.magic, SEGMENT_MAGIC, 8) == 0 &&
	       h.hash == XXH3_64bits(&h, offsetof(struct disk_segment, hash));
}

/* Whatever the last checkpoint covers, and however much of a header is gone. */
TEST(db_open, damaged_headers_are_written_again_at_every_opening_for_writing)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	char name[8][32];
	o.segment_bytes = 12 << 10;
	EXPECT_OK(db_open(&o, &db, NULL));
	while (m.commit < 40)
		EXPECT_OK(fx_random_txn(db, &m, 30));
	db_close(db); /* with a checkpoint: nothing is replayed */
	for (unsigned n = 1; n < 8; n++)
		snprintf(name[n], sizeof name[n], "media-%05u.fb", n);
	for (unsigned n = 1; n < 8; n++) {
		if (n != 3)
			byte_flip(path_in(dir, name[n]), 20);
		if (n != 4)
			byte_flip(path_in(dir, name[n]), SEGMENT_HEADER_COPY + 30);
	}
	o.read_only = true;
	EXPECT_OK(db_open(&o, &db, NULL));
	db_close(db);
	EXPECT(!header_is_sound(path_in(dir, name[4]), 0)); /* reading alone changes nothing */
	o.read_only = false;
	EXPECT_OK(db_open(&o, &db, NULL));
	for (unsigned n = 1; n < 8; n++) {
		EXPECT(header_is_sound(path_in(dir, name[n]), 0));
		EXPECT(header_is_sound(path_in(dir, name[n]), SEGMENT_HEADER_COPY));
	}
	fx_expect_sound(db);
	db_close(db);
	expect_whole(dir, &m);
	/* where segments end is right: the log alone leads from each to the next */
	unlink(path_in(dir, "manifest"));
	expect_whole(dir, &m);
}

TEST(db_open, foreign_files_in_the_directory_are_left_alone)
{
	static struct fx_model m, other;
	char dir[256], foreign[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(foreign, sizeof foreign, "%s/b", test_tmpdir());
	filled_make(dir, &m);
	filled_make(foreign, &other);
	static const char *const names[] = { "media-1.fb",	  "media-000001.fb",
					     "media-2.fb.bak",	  "media-00000.fb",
					     "index-1.run",	  "index-000000001.run",
					     "media-99999999.fb", "notes.txt" };
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		file_save(path_in(dir, names[i]), (const uint8_t *)"mine", 4);
	/* of another store, under a name that may be ours: read by nobody */
	uint8_t *log;
	size_t n = file_load(path_in(foreign, LOG), &log);
	file_save(path_in(dir, "media-00007.fb"), log, n);
	free(log);
	for (unsigned i = 0; i < 2; i++) {
		struct db *db = fx_open(dir);
		struct db_snap *sn = db_snap_begin(db);
		fx_expect(sn, &m);
		db_snap_end(sn);
		EXPECT_OK(fx_random_txn(db, &m, 10));
		db_close(db);
	}
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		EXPECT(access(path_in(dir, names[i]), F_OK) == 0);
}

/* A file that shrinks, or a disk that fails, under a running server: SIGBUS, contained. */
TEST(db_damage, files_cut_under_an_open_store_end_nobody)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	filled_make(dir, &m);
	struct db *db = fx_open(dir);
	struct db_snap *sn = db_snap_begin(db);
	EXPECT(fx_same(sn, &m));
	DIR *d = opendir(dir);
	const struct dirent *de;
	while ((de = readdir(d)))
		if (strncmp(de->d_name, "index-", 6) == 0 || strcmp(de->d_name, LOG) == 0)
			EXPECT(truncate(path_in(dir, de->d_name), 0) == 0);
	closedir(d);
	EXPECT(!fx_same(sn, &m));
	db_snap_end(sn);
	EXPECT_ERR(ERR_CORRUPT, db_check(db, NULL, NULL));
	for (unsigned i = 0; i < 20; i++) {
		(void)!fx_random_txn(db, &m, 4);
		(void)db_maintain(db);
	}
	db_close(db);
}

struct cut {
	const char *dir;
	const struct fx_model *m;
	_Atomic bool over;
	_Atomic uint64_t rounds_n;
	struct db *db;
};

static void keep_reading(void *arg)
{
	struct cut *c = arg;
	while (!atomic_load(&c->over)) {
		struct db_snap *sn = db_snap_begin(c->db);
		(void)fx_same(sn, c->m); /* true or not: it must come back */
		db_snap_end(sn);
		atomic_fetch_add(&c->rounds_n, 1);
	}
}

struct named {
	const char *what;
	bool is;
};

static void is_named(void *ctx, const char *line)
{
	struct named *n = ctx;
	n->is |= strstr(line, n->what) != NULL;
}

/* Each file cut at many places while somebody reads from it: nobody ends, and the check names it.
 */
TEST_LIMIT(db_damage, a_file_cut_under_a_reader_is_named_and_ends_nobody, 120)
{
	static struct fx_model m;
	static struct cut cut;
	char dir[256], copy[256];
	uint64_t points = 0;
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	filled_make(dir, &m);
	DIR *d = opendir(dir);
	const struct dirent *de;
	while ((de = readdir(d))) {
		bool run = strncmp(de->d_name, "index-", 6) == 0;
		struct stat st;
		if (!run && strcmp(de->d_name, LOG) != 0)
			continue;
		EXPECT(stat(path_in(dir, de->d_name), &st) == 0);
		for (off_t at = 0; at < st.st_size; at += 4096, points++) {
			struct thread thread = { 0 };
			dir_copy(dir, copy);
			cut = (struct cut){ .dir = copy, .m = &m, .db = fx_open(copy) };
			EXPECT_OK(thread_start(&thread, "reader", keep_reading, &cut));
			while (atomic_load(&cut.rounds_n) < 2)
				sched_yield();
			EXPECT(truncate(path_in(copy, de->d_name), at) == 0);
			uint64_t before = atomic_load(&cut.rounds_n);
			while (atomic_load(&cut.rounds_n) < before + 2)
				sched_yield();
			atomic_store(&cut.over, true);
			thread_join(&thread);
			struct named n = { .what = run ? "index file" : "log segment 1" };
			EXPECT_ERR(ERR_CORRUPT, db_check(cut.db, is_named, &n));
			EXPECT(n.is);
			db_close(cut.db);
		}
	}
	closedir(d);
	EXPECT(points > 10);
	printf("%" PRIu64 " points, 0 failures\n", points);
}

/* ---- sharing ---- */

TEST(db_open, a_second_opener_is_told_who_has_it)
{
	const char *dir = test_tmpdir();
	struct db *db = fx_open(dir);
	char text[64];
	snprintf(text, sizeof text, "is used by another salver (pid %ld)", (long)getpid());
	expect_refused(dir, ERR_BUSY, text);
	db_close(db);
	db = fx_open(dir);
	db_close(db);
}

static unsigned files_count(const char *dir)
{
	DIR *d = opendir(dir);
	unsigned n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

TEST(db_open, read_only_reads_beside_the_writer_and_writes_nothing)
{
	const char *dir = test_tmpdir();
	static struct fx_model m;
	struct db_options o = fx_options(dir);
	o.read_only = true;
	struct db *reader = NULL;
	struct err_info info = { 0 };
	EXPECT_ERR(ERR_NOTFOUND, db_open(&o, &reader, &info));
	struct db *writer = fx_open(dir);
	for (int i = 0; i < 10; i++)
		EXPECT_OK(fx_random_txn(writer, &m, 20));
	unsigned files_n = files_count(dir);
	EXPECT_OK(db_open(&o, &reader, &info));
	struct db_snap *sn = db_snap_begin(reader);
	fx_expect(sn, &m);
	struct fx_model before = m;
	for (int i = 0; i < 10; i++)
		EXPECT_OK(fx_random_txn(writer, &m, 20));
	fx_expect(sn, &before);
	db_snap_end(sn);
	fx_expect_sound(reader);
	struct db_txn *txn;
	EXPECT_ERR(ERR_IO, db_txn_begin(reader, &txn));
	EXPECT_ERR(ERR_IO, db_checkpoint(reader));
	EXPECT(!db_maintain(reader));
	db_close(reader);
	EXPECT_U64(files_n, files_count(dir));
	db_close(writer);
}

/* ---- the outside world ---- */

/* Any FlatBuffers tool reads what is in the log: cut a payload out, hand it to flatc. */
TEST(db_format, flatc_decodes_a_batch_cut_out_of_the_log)
{
	if (system("flatc --version > /dev/null 2>&1") != 0)
		test_skip("no flatc");
	static struct small s;
	small_make(&s);
	uint8_t *log;
	file_load(path_in(s.dir, LOG), &log);
	uint32_t n;
	memcpy(&n, log + 4096 + 32, 4); /* payload_bytes of the first chunk */
	file_save(path_in(test_tmpdir(), "batch.bin"), log + 4096 + 64, n);
	free(log);
	char command[1200];
	snprintf(
		command, sizeof command,
		"cd %s && flatc --json --raw-binary --strict-json --allow-non-utf8 %s -- batch.bin "
		"&& grep -q '\"path\": \"/m/2/1\"' batch.json && grep -q '\"batch_id\": 1' "
		"batch.json",
		test_tmpdir(), MEDIA_FBS);
	EXPECT(system(command) == 0);
}

TEST(db_format, ten_rows_take_less_than_a_mebibyte)
{
	const char *dir = test_tmpdir();
	struct db *db = fx_open(dir);
	for (uint64_t id = 1; id <= 10; id++) {
		struct db_txn *txn;
		EXPECT_OK(db_txn_begin(db, &txn));
		EXPECT_OK(fx_put(txn, FX_MEDIA, id, 1));
		EXPECT_OK(db_txn_commit(txn));
	}
	for (int closed = 0; closed < 2; closed++) {
		uint64_t bytes = 0, blocks = 0;
		DIR *d = opendir(dir);
		const struct dirent *de;
		struct stat st;
		while ((de = readdir(d))) {
			if (fstatat(dirfd(d), de->d_name, &st, 0) == 0 && S_ISREG(st.st_mode)) {
				bytes += (uint64_t)st.st_size;
				blocks += (uint64_t)st.st_blocks * 512;
			}
		}
		closedir(d);
		printf("%" PRIu64 " bytes, %" PRIu64 " on disk\n", bytes, blocks);
		EXPECT(bytes < 256 << 10 && blocks < 256 << 10);
		if (!closed)
			db_close(db);
	}
}

/* Rows that rotted under a checkpoint: replaced, removed or kept, their old entries do not stay. */
TEST(db_damage, rows_that_cannot_be_read_lose_their_entries_when_they_are_replaced)
{
	static struct fx_model m;
	const char *dir = test_tmpdir();
	struct db *db = fx_open(dir);
	struct db_txn *txn;
	for (uint32_t version = 1; version < 3; version++) { /* in two runs, with removals */
		EXPECT_OK(db_txn_begin(db, &txn));
		m.commit = db_txn_commit_number(txn);
		for (uint64_t id = 1; id <= 30; id++) {
			EXPECT_OK(fx_put(txn, FX_MEDIA, id, version));
			fx_model_put(&m, FX_MEDIA, id, version, m.commit);
		}
		EXPECT_OK(db_txn_commit(txn));
		EXPECT_OK(db_checkpoint(db));
	}
	struct db_stats stats;
	db_stats_get(db, &stats);
	db_close(db);
	/* the last commit's rows stand before its mark, which takes 256 bytes */
	byte_flip(path_in(dir, LOG), (off_t)stats.log_bytes - 256 - 600);
	db = fx_open(dir);
	EXPECT_OK(db_txn_begin(db, &txn));
	m.commit = db_txn_commit_number(txn);
	for (uint64_t id = 1; id <= 30; id++) {
		if (id % 3 == 0)
			EXPECT_OK(db_txn_remove(txn, FX_MEDIA, id));
		else
			EXPECT_OK(fx_put(txn, FX_MEDIA, id, 9));
		fx_model_put(&m, FX_MEDIA, id, id % 3 ? 9 : 0, m.commit);
	}
	EXPECT_OK(db_txn_commit(txn));
	db_stats_get(db, &stats);
	EXPECT_U64(1, stats.damaged_chunks_n);
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	db_close(db);
}

/* A large store, whose indexes are not read at opening, with commits behind its checkpoint. */
TEST(db_damage, replay_does_not_rest_on_a_rotten_index)
{
	static struct fx_model m;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	struct db *db = fx_open(dir);
	for (int i = 0; i < 20; i++)
		EXPECT_OK(fx_random_txn(db, &m, 30));
	EXPECT_OK(db_checkpoint(db));
	for (int i = 0; i < 20; i++)
		EXPECT_OK(fx_random_txn(db, &m, 30));
	dir_copy(dir, copy);
	db_close(db);
	DIR *d = opendir(copy);
	const struct dirent *de;
	while ((de = readdir(d)))
		for (off_t at = 1200; strncmp(de->d_name, "index-", 6) == 0 && at < 2000; at += 16)
			byte_flip(path_in(copy, de->d_name), at);
	closedir(d);
	struct db_options o = fx_options(copy);
	o.check_at_open_bytes = 1;
	EXPECT_OK(db_open(&o, &db, NULL));
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	fx_expect_sound(db);
	EXPECT_OK(fx_random_txn(db, &m, 30));
	db_close(db);
	expect_whole(copy, &m);
}
