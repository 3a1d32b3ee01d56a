/* SPDX-License-Identifier: MIT */
/* Random bytes changed in any file of a closed store, with checksums left wrong or made right
 * again: whatever opens is read, checked, written to and merged, copied and repaired. Nothing may
 * crash, hang, read out of bounds or take memory without end. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "db/backup.h"
#include "db/format.h"
#include "db/stage.h"
#include "fixture.h"

#define FILES_MAX 64
#define CHUNKS_MAX 1024

struct file {
	char name[32];
	uint8_t *bytes;
	size_t n;
};

struct store {
	struct file files[FILES_MAX];
	unsigned files_n;
};

static void store_load(struct store *s, const char *dir)
{
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	const struct dirent *de;
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		EXPECT(s->files_n < FILES_MAX);
		struct file *f = &s->files[s->files_n++];
		snprintf(f->name, sizeof f->name, "%.31s", de->d_name);
		int fd = openat(dirfd(d), de->d_name, O_RDONLY);
		struct stat st;
		EXPECT(fd >= 0 && fstat(fd, &st) == 0);
		f->n = (size_t)st.st_size;
		f->bytes = malloc(f->n + 1);
		EXPECT(f->bytes && read(fd, f->bytes, f->n) == (ssize_t)f->n);
		close(fd);
	}
	closedir(d);
}

static void store_free(struct store *s)
{
	for (unsigned i = 0; i < s->files_n; i++)
		free(s->files[i].bytes);
}

static void store_copy(const struct store *s, struct store *out)
{
	*out = *s;
	for (unsigned i = 0; i < s->files_n; i++) {
		out->files[i].bytes = malloc(s->files[i].n + 1);
		EXPECT(out->files[i].bytes != NULL);
		memcpy(out->files[i].bytes, s->files[i].bytes, s->files[i].n);
	}
}

static void store_save(const struct store *s, const char *dir)
{
	(void)mkdir(dir, 0700);
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	const struct dirent *de;
	while ((de = readdir(d)))
		if (de->d_name[0] != '.')
			unlinkat(dirfd(d), de->d_name, 0);
	for (unsigned i = 0; i < s->files_n; i++) {
		const struct file *f = &s->files[i];
		int fd = openat(dirfd(d), f->name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		EXPECT(fd >= 0 && write(fd, f->bytes, f->n) == (ssize_t)f->n);
		close(fd);
	}
	closedir(d);
}

static bool is_run(const struct file *f)
{
	return strncmp(f->name, "index-", 6) == 0 && f->n >= sizeof(struct disk_run);
}

/* ---- making the checksums right again ---- */

static void section_seal(const struct file *f, struct disk_section *s, uint64_t size)
{
	if (s->off <= f->n && s->n <= (f->n - s->off) / size)
		s->hash = XXH3_64bits(f->bytes + s->off, s->n * size);
}

static void run_seal(struct file *f)
{
	struct disk_run *h = (void *)f->bytes;
	section_seal(f, &h->ids, 4);
	section_seal(f, &h->addresses, 8);
	for (unsigned i = 0; i < DB_INDEXES_MAX; i++) {
		uint32_t kb = MIN(h->index[i].key_bytes, 64u);
		section_seal(f, &h->index[i].groups, sizeof(struct disk_group));
		for (unsigned sign = 0; sign < 2; sign++) {
			section_seal(f, &h->index[i].entries[sign], kb + (kb >= 12 ? 8 : 4));
			section_seal(f, &h->index[i].tails[sign], 1);
		}
	}
	h->hash = XXH3_64bits(h, offsetof(struct disk_run, hash));
}

/* The manifest names the hashes of the run headers. */
static void manifest_seal(const struct store *s, struct file *f)
{
	for (size_t at = 0; at + sizeof(struct disk_manifest) <= f->n; at += MANIFEST_SLOT_BYTES) {
		struct disk_manifest *m = (void *)(f->bytes + at);
		struct disk_manifest_run *runs =
			(void *)((uint8_t *)(m + 1) +
				 MIN(m->tables_n, 16u) * sizeof(struct disk_manifest_table));
		if (m->bytes > MANIFEST_SLOT_BYTES || m->bytes > f->n - at)
			continue;
		for (uint32_t i = 0; i < m->runs_n && (uint8_t *)(runs + i + 1) <= f->bytes + f->n;
		     i++) {
			char name[32];
			snprintf(name, sizeof name, "index-%08llu.run",
				 (unsigned long long)runs[i].number);
			for (unsigned k = 0; k < s->files_n; k++)
				if (strcmp(s->files[k].name, name) == 0)
					memcpy(&runs[i].hash,
					       s->files[k].bytes + offsetof(struct disk_run, hash),
					       8);
		}
		m->hash = 0;
		m->hash = XXH3_64bits(m, m->bytes);
	}
}

static bool is_log(const struct file *f)
{
	return strncmp(f->name, "media-", 6) == 0;
}

/* Where the chunks of a sound segment are; 0 behind the last. */
struct chunks {
	uint32_t at[CHUNKS_MAX];
};

static void chunks_find(const struct file *f, struct chunks *out)
{
	size_t n = 0, at = SEGMENT_HEADER_BYTES;
	memset(out, 0, sizeof *out);
	while (is_log(f) && at + sizeof(struct disk_chunk) <= f->n && n + 1 < CHUNKS_MAX) {
		const struct disk_chunk *c = (const void *)(f->bytes + at);
		if (c->magic != CHUNK_MAGIC)
			break;
		out->at[n++] = (uint32_t)at;
		at += num_align_up(sizeof *c + c->payload_bytes, CHUNK_ALIGN);
	}
}

struct running {
	uint64_t commit, hash, bytes;
};

static void chunk_seal(const struct file *f, uint32_t at, struct running *r)
{
	struct disk_chunk *c = (void *)(f->bytes + at);
	if (at + sizeof *c > f->n || c->payload_bytes > f->n - at - sizeof *c)
		return;
	if (c->commit != r->commit)
		*r = (struct running){ c->commit, c->commit, 0 };
	struct disk_commit *m = (void *)(c + 1);
	if (c->kind == CHUNK_COMMIT && c->payload_bytes >= sizeof *m) {
		m->running_hash = r->hash;
		m->bytes = r->bytes;
	}
	uint64_t seed = c->commit * 0x9e3779b97f4a7c15u ^ ((uint64_t)c->segment << 32 | c->offset);
	c->payload_hash = XXH3_64bits_withSeed(c + 1, c->payload_bytes, seed);
	c->header_hash = XXH3_64bits(c, offsetof(struct disk_chunk, header_hash));
	r->hash = XXH3_64bits_withSeed(&c->header_hash, sizeof c->header_hash, r->hash);
	r->bytes += num_align_up(sizeof *c + c->payload_bytes, CHUNK_ALIGN);
}

/* Files come in no order: those of the log are sealed by number, for commits span them. */
static void log_seal(struct store *s, const struct chunks *chunks)
{
	struct running running = { 0 };
	for (unsigned number = 1; number < FILES_MAX; number++) {
		char name[32];
		snprintf(name, sizeof name, "media-%05u.fb", number);
		for (unsigned i = 0; i < s->files_n; i++) {
			struct file *f = &s->files[i];
			if (strcmp(f->name, name) != 0 || f->n < SEGMENT_HEADER_BYTES)
				continue;
			struct disk_segment *h = (void *)f->bytes;
			h->hash = XXH3_64bits(h, offsetof(struct disk_segment, hash));
			for (unsigned k = 0; chunks[i].at[k]; k++)
				chunk_seal(f, chunks[i].at[k], &running);
		}
	}
}

static void store_seal(struct store *s, const struct chunks *chunks)
{
	log_seal(s, chunks);
	for (unsigned i = 0; i < s->files_n; i++)
		if (is_run(&s->files[i]))
			run_seal(&s->files[i]);
	for (unsigned i = 0; i < s->files_n; i++)
		if (strcmp(s->files[i].name, "manifest") == 0)
			manifest_seal(s, &s->files[i]);
}

/* ---- changing bytes ---- */

static const uint8_t hard[] = { 0, 1, 2, 0x7f, 0x80, 0xff };

static void file_mutate(struct file *f, size_t from, size_t to)
{
	for (uint64_t k = 1 + test_random() % 6; k > 0 && to > from; k--) {
		size_t at = from + test_random() % (to - from);
		if (test_random() % 2)
			f->bytes[at] ^= (uint8_t)(1u << test_random() % 8);
		else
			f->bytes[at] = hard[test_random() % sizeof hard];
	}
}

static void run_mutate(struct file *f)
{
	const struct disk_run *h = (const void *)f->bytes;
	const struct disk_run_index *x = &h->index[test_random() % MAX(h->indexes_n, 1u)];
	const struct disk_section *s;
	uint64_t size = 1;
	switch (test_random() % 8) {
	case 0: /* the header */
		file_mutate(f, 0, sizeof *h);
		return;
	case 1:
		s = &h->ids;
		size = 4;
		break;
	case 2:
		s = &h->addresses;
		size = 8;
		break;
	case 3:
	case 4:
		s = &x->groups;
		size = sizeof(struct disk_group);
		break;
	case 5:
		s = &x->tails[0];
		break;
	default:
		s = &x->entries[test_random() % 4 == 0];
		size = x->key_bytes + (x->key_bytes >= 12 ? 8 : 4);
		break;
	}
	size_t from = MIN(s->off, f->n);
	file_mutate(f, from, MIN(from + s->n * size, f->n));
}

/* The segment's header, or the header of a chunk, or the beginning of what is in it. */
static void log_mutate(struct file *f, const struct chunks *chunks)
{
	unsigned n = 0;
	while (chunks->at[n])
		n++;
	unsigned k = (unsigned)(test_random() % (n + 1));
	if (k == n) {
		file_mutate(f, 0, MIN(f->n, sizeof(struct disk_segment)));
		return;
	}
	size_t from = MIN(chunks->at[k], f->n), bytes = test_random() % 2 ? 48 : 400;
	file_mutate(f, from, MIN(from + bytes, f->n));
}

static void store_mutate(struct store *s, const struct chunks *chunks)
{
	unsigned at = (unsigned)(test_random() % s->files_n);
	struct file *f = &s->files[at];
	if (is_run(f))
		run_mutate(f);
	else if (is_log(f) && test_random() % 4)
		log_mutate(f, &chunks[at]);
	else if (strcmp(f->name, "manifest") == 0)
		file_mutate(f, test_random() % 2 ? 0 : MANIFEST_SLOT_BYTES,
			    MIN(f->n, MANIFEST_SLOT_BYTES + 512));
	else
		file_mutate(f, 0, f->n);
	if (test_random() % 16 == 0)
		f->n = test_random() % (f->n + 1);
}

/* ---- using what opens ---- */

static void group_read(const struct db_snap *sn, unsigned t, unsigned x, uint32_t g)
{
	struct db_cursor c;
	uint64_t id, n = db_count(sn, t, x, g), shown = 0;
	uint8_t scratch[DB_KEY_BYTES_MAX];
	struct span key;
	EXPECT(n < 1u << 20); /* never below zero */
	(void)db_group_commit(sn, t, x, g);
	for (db_seek(&c, sn, t, x, g, 0); db_next_key(&c, &id, &key, scratch);) {
		uint64_t sum = 0;
		for (size_t i = 0; i < key.n; i++)
			sum += (uint8_t)key.p[i];
		shown += sum < UINT64_MAX;
		EXPECT(shown < 1u << 20);
	}
	for (unsigned k = 0; k < 3; k++) {
		db_seek(&c, sn, t, x, g, test_random() % (n + 2));
		(void)db_next(&c, &id);
	}
	db_seek_key(&c, sn, t, x, g, span_str("abab"));
	(void)db_next(&c, &id);
	struct db_row rows[DB_ROWS_AT_ONCE];
	shown = 0;
	db_seek(&c, sn, t, x, g, 0);
	for (size_t got; (got = db_next_rows(&c, rows, DB_ROWS_AT_ONCE)) > 0; shown += got) {
		EXPECT(shown < 1u << 20);
		for (size_t i = 0; i < got; i++)
			if (rows[i].row.pos && t == FX_MEDIA)
				EXPECT_U64(rows[i].id, media_file_id(rows[i].row));
	}
	uint32_t groups[4] = { g + 1, 0, g, UINT32_MAX };
	uint64_t counts[4];
	db_counts(sn, t, x, groups, 4, counts);
	EXPECT_U64(n, counts[2]);
}

static void rows_read(const struct db_snap *sn, unsigned t)
{
	struct fb_table row;
	uint64_t from = 0, id = 0;
	for (id = 0; id < FX_IDS + 2; id++)
		if (db_get(sn, t, id, &row) == ERR_OK && t == FX_MEDIA)
			EXPECT_U64(id, media_file_id(row));
	for (unsigned k = 0; k < 2 * FX_IDS; k++) {
		if (db_row_from(sn, t, from, &id, &row) != ERR_OK)
			break;
		EXPECT(id >= from);
		from = id + 1;
	}
}

static void snap_read(struct db *db)
{
	struct db_snap *sn = db_snap_begin(db);
	for (unsigned t = 0; t < FX_TABLES; t++) {
		rows_read(sn, t);
		for (unsigned x = 0; x < fx_tables[t].indexes_n; x++)
			for (uint32_t g = 0; g < FX_GROUPS; g++)
				group_read(sn, t, x, g);
	}
	db_snap_end(sn);
}

/* Commits and merges over whatever the runs say now. An error is fine. */
static void store_write(struct db *db)
{
	for (unsigned k = 0; k < 12; k++) {
		struct db_txn *txn;
		if (db_txn_begin(db, &txn) != ERR_OK)
			return;
		enum err e = ERR_OK;
		uint64_t id = 1 + test_random() % 20;
		for (; id < FX_IDS && e == ERR_OK; id += 1 + test_random() % 60)
			e = test_random() % 4 ? fx_put(txn, test_random() % FX_TABLES, id, 1000 + k)
					      : db_txn_remove(txn, FX_MEDIA, id);
		if (e == ERR_OK || e == ERR_NOTFOUND)
			(void)!db_txn_commit(txn);
		else
			db_txn_abort(txn);
		for (unsigned i = 0; i < 8 && db_maintain(db); i++)
			continue;
	}
	(void)!db_checkpoint(db);
}

/* Whatever there is can be copied, and mended or refused. */
static void store_mend(const char *dir)
{
	char copy[300];
	struct db_options o = fx_options(dir);
	struct db_repair_result result;
	struct err_info info = { 0 };
	struct db *db = NULL;
	uint64_t commit = 0;
	snprintf(copy, sizeof copy, "%s.copy", dir);
	o.read_only = true;
	if (db_open(&o, &db, &info) == ERR_OK) {
		enum err e = db_backup(db, copy, NULL, &commit, &info);
		EXPECT(e == ERR_OK || e == ERR_CORRUPT);
		db_close(db);
		EXPECT(e != ERR_OK || stage_remove(copy) == ERR_OK);
	}
	(void)!stage_remove(copy);
	info = (struct err_info){ 0 };
	enum err e = db_repair(&o, NULL, &result, &info);
	EXPECT(e == ERR_OK || info.text[0]);
	if (e != ERR_OK)
		return;
	db = fx_open(dir);
	fx_expect_sound(db);
	db_close(db);
	if (result.aside[0])
		EXPECT_OK(stage_remove(result.aside));
}

static void round_run(const struct store *made, const struct chunks *chunks, const char *dir,
		      bool sealed, bool shown)
{
	struct store s;
	store_copy(made, &s);
	store_mutate(&s, chunks);
	if (sealed)
		store_seal(&s, chunks);
	store_save(&s, dir);
	store_free(&s);
	struct db_options o = fx_options(dir);
	o.read_only = test_random() % 4 == 0;
	struct db *db = NULL;
	struct err_info info = { 0 };
	enum err e = db_open(&o, &db, &info);
	EXPECT(e == ERR_OK || info.text[0]);
	if (shown)
		printf("%s\n", e == ERR_OK ? "opened" : info.text);
	if (e == ERR_OK) {
		struct db_stats stats;
		snap_read(db);
		(void)!db_check(db, NULL, NULL);
		store_write(db);
		snap_read(db);
		db_stats_get(db, &stats);
		EXPECT(stats.memory_peak_bytes < 64u << 20);
		db_close(db);
	}
	if (test_random() % 4 == 0)
		store_mend(dir);
}

static void store_make(struct store *s, struct fx_model *m, const char *dir, bool compacted)
{
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	o.segment_bytes = 24 << 10;
	EXPECT_OK(db_open(&o, &db, NULL));
	for (int i = 0; i < 30; i++) {
		EXPECT_OK(fx_random_txn(db, m, 40));
		if (i % 4 == 3)
			EXPECT_OK(db_checkpoint(db));
		if (i == 20 && compacted) {
			EXPECT_OK(db_compact(db)); /* rows that moved */
			struct db_snap *sn = db_snap_begin(db);
			m->commit = db_snap_commit(sn);
			db_snap_end(sn);
		}
	}
	db_close(db);
	store_load(s, dir);
}

static void rounds_run(bool sealed)
{
	const char *text = getenv("SALVER_MUTATE_ROUNDS");
	uint64_t rounds_n = 60;
	if (text)
		EXPECT_OK(num_parse_u64(span_str(text), 1, 1u << 30, &rounds_n));
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	CLEANUP(store_free) struct store made = { 0 };
	static struct fx_model m;
	store_make(&made, &m, dir, true);
	static struct chunks chunks[FILES_MAX];
	for (unsigned i = 0; i < made.files_n; i++)
		chunks_find(&made.files[i], &chunks[i]);
	for (uint64_t i = 0; i < rounds_n; i++)
		round_run(&made, chunks, copy, sealed, i < 20);
}

TEST_LIMIT(db_mutate, flipped_bytes_never_crash, 120)
{
	rounds_run(false);
}

TEST_LIMIT(db_mutate, flipped_bytes_under_right_checksums_never_crash, 120)
{
	rounds_run(true);
}

static void entries_spoil(struct store *s)
{
	for (unsigned i = 0; i < s->files_n; i++) {
		struct file *f = &s->files[i];
		if (!is_run(f))
			continue;
		const struct disk_run_index *x = &((const struct disk_run *)f->bytes)->index[0];
		for (uint64_t k = 0; k < x->groups.n; k++) /* all groups begin at the same entry */
			memset(f->bytes + x->groups.off + k * sizeof(struct disk_group) + 4, 0, 8);
	}
}

/* The damage that once ended the server at every start: a merge that reads a rotten run. */
TEST(db_mutate, a_rotten_run_is_made_anew_before_anything_is_merged)
{
	static struct fx_model m;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	CLEANUP(store_free) struct store made = { 0 };
	store_make(&made, &m, dir, false);
	entries_spoil(&made);
	store_save(&made, copy);
	struct db *db = fx_open(copy);
	for (unsigned i = 0; i < 100; i++) {
		EXPECT_OK(fx_random_txn(db, &m, 4));
		while (db_maintain(db))
			continue;
	}
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	fx_expect_sound(db);
	db_close(db);
}

/* A large store is not read whole at opening: merging must not write what is rotten anew. */
TEST(db_mutate, a_rotten_run_is_left_out_of_merges)
{
	static struct fx_model m;
	char dir[256], copy[256];
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	CLEANUP(store_free) struct store made = { 0 };
	store_make(&made, &m, dir, false);
	entries_spoil(&made);
	store_save(&made, copy);
	struct db_options o = fx_options(copy);
	struct db *db = NULL;
	o.check_at_open_bytes = 1;
	EXPECT_OK(db_open(&o, &db, NULL));
	while (db_maintain(db))
		continue;
	EXPECT_ERR(ERR_CORRUPT, db_check(db, NULL, NULL));
	db_close(db);
	db = fx_open(copy);
	struct db_snap *sn = db_snap_begin(db);
	fx_expect(sn, &m);
	db_snap_end(sn);
	fx_expect_sound(db);
	db_close(db);
}
