/* SPDX-License-Identifier: MIT */
/* A disk that fails at its n-th operation, for every n: what was acknowledged is there afterwards,
 * the rest is there whole or not at all. And what other tools see in the files. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <xxhash.h>

#include "db/format.h"
#include "db/trace.h"
#include "salverdb/sdb_priv.h"
#include "sdb_fixture.h"

static enum sdb_err put_model(struct sdb_txn *txn, unsigned t, unsigned i, struct sx_value v,
			      struct sx_model *m)
{
	enum sdb_err e = sdb_put(txn, t, sx_key(t, i), sx_value_make(v));
	if (e == SDB_OK)
		m->at[t][i] = v;
	return e;
}

/* One transaction in steps, with keys that change again; the same for every run. */
static enum sdb_err step(struct sdb *db, unsigned number, struct sx_model *m)
{
	struct sdb_txn *txn;
	struct sdb_cursor *c;
	enum sdb_err e = sdb_begin_write(db, &txn);
	if (e != SDB_OK)
		return e;
	for (unsigned i = 0; i < 12 && e == SDB_OK; i++) {
		unsigned t = i % SX_TABLES, at = (i * 5 + number) % SX_KEYS;
		struct sx_value v = { 0, (i + number) % 64, 1 + number * 100 + i };
		e = put_model(txn, t, at, v, m);
		if (e == SDB_OK && i % 4 == 3) /* a view: the engine takes what there is */
			e = sdb_all(txn, t, &c);
		if (e == SDB_OK && i % 4 == 3) {
			sdb_cursor_close(c);
			v.v += 50;
			e = put_model(txn, t, at, v, m);
		}
	}
	if (e == SDB_OK)
		return sdb_commit(txn);
	sdb_end(txn);
	return e;
}

static bool model_same(struct sdb *db, const struct sx_model *m)
{
	struct sdb_txn *txn;
	bool same = true;
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	for (unsigned t = 0; t < SX_TABLES; t++) {
		for (unsigned i = 0; i < SX_KEYS; i++) {
			struct sdb_record r;
			struct sdb_bytes want = sx_value_make(m->at[t][i]);
			enum sdb_err e = sdb_get(txn, t, sx_key(t, i), &r);
			same &= m->at[t][i].v ? e == SDB_OK && want.n == r.value.n &&
							memcmp(want.p, r.value.p, want.n) == 0
					      : e == SDB_NOTFOUND;
		}
	}
	sdb_end(txn);
	return same;
}

/* Returns whether the fault came at all. */
static bool life_with_fault(enum fault_kind kind, uint64_t n, bool forever)
{
	char dir[300];
	struct faults f;
	snprintf(dir, sizeof dir, "%s/%d-%d-%" PRIu64, test_tmpdir(), (int)kind, forever, n);
	struct sdb *db = NULL;
	struct sdb_options o = sx_options(dir);
	static struct sx_model known, next;
	memset(&known, 0, sizeof known);
	faults_init(&f, kind, n, forever);
	enum err opened = sdb_open_io(&o, &f.io, &db, NULL);
	next = known;
	for (unsigned i = 0; i < 3 && opened == ERR_OK; i++) {
		struct sx_model before = known;
		next = known;
		enum sdb_err e = step(db, i, &next);
		if (e == SDB_OK)
			known = next;
		else
			EXPECT(f.hit);
		EXPECT(model_same(db, e == SDB_OK ? &known : &before));
		if (e != SDB_OK)
			break;
	}
	if (opened == ERR_OK)
		sdb_close(db);
	else
		EXPECT(f.hit);
	db = sx_open(dir); /* the disk is sound again */
	if (!model_same(db, &known) && !model_same(db, &next))
		printf("%s at %" PRIu64 "%s\n", fault_name(kind), n, forever ? ", forever" : "");
	EXPECT(model_same(db, &known) || model_same(db, &next));
	if (model_same(db, &known))
		sx_expect_now(db, &known);
	sx_expect_sound(db);
	EXPECT_I64(SDB_OK, step(db, 9, &next));
	sdb_close(db);
	return f.hit;
}

TEST_LIMIT(sdb_faults, the_nth_operation_fails_and_every_commit_is_whole, 280)
{
	uint64_t points = 0;
	for (int kind = 0; kind < FAULTS_N; kind++)
		for (int forever = 0; forever < (kind == FAULT_EINTR ? 1 : 2); forever++)
			for (uint64_t n = 0; life_with_fault((enum fault_kind)kind, n, forever);
			     n++)
				points++;
	printf("%" PRIu64 " points\n", points);
}

/* Where the n-th chunk of rows begins; the last one where there are fewer. */
static size_t chunk_of_rows(const char *log, unsigned n, uint32_t *out_bytes)
{
	FILE *f = fopen(log, "rb");
	size_t at = 4096, found = 0;
	uint8_t head[64];
	while (f && fseek(f, (long)at, SEEK_SET) == 0 && fread(head, 1, 64, f) == 64 &&
	       memcmp(head, "CHNK", 4) == 0) {
		uint32_t bytes;
		memcpy(&bytes, head + 32, 4);
		if (head[4] == 1) {
			found = at;
			if (out_bytes)
				*out_bytes = bytes;
			if (n-- == 0)
				break;
		}
		at += (64 + bytes + 255) / 256 * 256;
	}
	EXPECT(f && fclose(f) == 0);
	return found;
}

/* ---- a disk that is full for a while ----------------------------------------------------------
 */

static unsigned full_left; /* so many more writes find no room */

static ssize_t full_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	if (full_left == 0)
		return io_files.pwrite(ctx, fd, p, n, off);
	full_left--;
	errno = ENOSPC;
	return -1;
}

TEST(sdb_faults, a_single_operation_outlasts_a_disk_that_is_full_for_a_moment)
{
	struct db_io io = io_files;
	struct sdb_options o = sx_options(test_tmpdir());
	struct sdb *db = NULL;
	struct sdb_stats s;
	struct sx_model m = { 0 };
	const struct sx_value v = { 1, 2, 3 }, other = { 2, 2, 3 };
	io.pwrite = full_pwrite;
	EXPECT_OK(sdb_open_io(&o, &io, &db, NULL));
	full_left = 3;
	EXPECT_I64(SDB_OK, sdb_put_now(db, SX_BY_U64, sx_key(SX_BY_U64, 1), sx_value_make(v)));
	sdb_stats_get(db, &s);
	EXPECT(s.retries_n > 0);
	m.at[SX_BY_U64][1] = v;
	full_left = 1000000;
	EXPECT_I64(SDB_NOSPACE,
		   sdb_put_now(db, SX_BY_U64, sx_key(SX_BY_U64, 2), sx_value_make(other)));
	sx_expect_now(db, &m);
	full_left = 0;
	EXPECT_I64(SDB_EXISTS, sdb_put_now(db, SX_BY_U64, sx_key(SX_BY_U64, 2), sx_value_make(v)));
	EXPECT_I64(SDB_OK, sdb_remove_now(db, SX_BY_U64, sx_key(SX_BY_U64, 1)));
	EXPECT_I64(SDB_OK, sdb_put_now(db, SX_BY_U64, sx_key(SX_BY_U64, 2), sx_value_make(v)));
	memset(&m, 0, sizeof m);
	m.at[SX_BY_U64][2] = v;
	sx_expect_now(db, &m);
	sdb_close(db);
	db = sx_open(o.dir);
	sx_expect_now(db, &m);
	sx_expect_sound(db);
	sdb_close(db);
}

struct answers {
	_Atomic unsigned n[SDB_ERRS_N];
};

static void answered(void *ctx, enum sdb_err e)
{
	struct answers *a = ctx;
	atomic_fetch_add(&a->n[e], 1);
}

static void submit_ok(struct sdb *db, struct answers *a, unsigned key, const char *value)
{
	const struct sdb_op op = { .table = SX_BY_STRING,
				   .key = sx_key(SX_BY_STRING, key),
				   .value = sdb_str(value) };
	EXPECT_I64(SDB_OK, sdb_submit(db, &op, answered, a));
}

/* What is refused whatever is stored keeps its own answer; what was judged by a state that never
 * came to be does not. */
TEST(sdb_faults, a_commit_that_fails_answers_for_those_that_it_would_have_stored)
{
	struct db_io io = io_files;
	struct sdb_options o = sx_options(test_tmpdir());
	struct sdb *db = NULL;
	struct answers a = { 0 };
	io.pwrite = full_pwrite;
	o.group_ops_max = 3;
	o.group_delay_ms = 60000;
	EXPECT_OK(sdb_open_io(&o, &io, &db, NULL));
	full_left = 1000000;
	submit_ok(db, &a, 1, "{\"u\":1,\"w\":0,\"v\":1}");
	submit_ok(db, &a, 2, "no JSON");
	submit_ok(db, &a, 3, "{\"u\":1,\"w\":0,\"v\":1}"); /* would be a second u 1 */
	sdb_close(db);
	EXPECT_U64(2, atomic_load(&a.n[SDB_NOSPACE]));
	EXPECT_U64(1, atomic_load(&a.n[SDB_INVALID]));
	full_left = 0;
	struct sx_model nothing = { 0 };
	db = sx_open(o.dir);
	sx_expect_now(db, &nothing);
	sdb_close(db);
}

/* ---- damage -----------------------------------------------------------------------------------
 */

static void byte_flip(const char *path, long at)
{
	FILE *f = fopen(path, "r+b");
	int c = f && fseek(f, at, SEEK_SET) == 0 ? fgetc(f) : EOF;
	EXPECT(c != EOF && fseek(f, at, SEEK_SET) == 0 && fputc(c ^ 1, f) != EOF);
	EXPECT(fclose(f) == 0);
}

static unsigned findings_n;

static void finding_count(void *ctx, const char *line)
{
	(void)ctx, (void)line;
	findings_n++;
}

/* The first record of each table is in a chunk that the disk has changed; the others are whole. */
static void damage_expect(struct sdb *db)
{
	struct sdb_txn *txn;
	struct sdb_cursor *c;
	struct sdb_record r;
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	EXPECT_I64(SDB_CORRUPT, sdb_get(txn, SX_BY_STRING, sx_key(SX_BY_STRING, 1), &r));
	EXPECT_I64(SDB_OK, sdb_get(txn, SX_BY_STRING, sx_key(SX_BY_STRING, 2), &r));
	EXPECT_I64(SDB_OK, sdb_all(txn, SX_BY_STRING, &c));
	unsigned good_n = 0, bad_n = 0;
	for (enum sdb_err e; (e = sdb_cursor_next(c, &r)) != SDB_NOTFOUND;) {
		good_n += e == SDB_OK;
		bad_n += e == SDB_CORRUPT;
	}
	EXPECT_U64(1, good_n);
	EXPECT_U64(1, bad_n);
	sdb_cursor_close(c);
	sdb_end(txn);
}

TEST(sdb_damage, costs_its_own_records_only_and_they_can_be_replaced_or_cleared)
{
	char log[300];
	const char *dir = test_tmpdir();
	const struct sx_value v = { 0, 2, 3 };
	struct sx_model m = { 0 };
	struct sdb_txn *txn;
	struct sdb *db = sx_open(dir);
	for (unsigned i = 1; i < 3; i++)
		EXPECT_I64(SDB_OK, sdb_put_now(db, SX_BY_STRING, sx_key(SX_BY_STRING, i),
					       sx_value_make(v)));
	sdb_close(db);
	snprintf(log, sizeof log, "%s/media-00001.fb", dir);
	byte_flip(log, (long)chunk_of_rows(log, 1, NULL) + 64 + 40);
	db = sx_open(dir);
	damage_expect(db);
	EXPECT_I64(SDB_CORRUPT, sdb_check(db, finding_count, NULL));
	EXPECT(findings_n > 0);
	EXPECT_I64(SDB_OK, sdb_begin_write(db, &txn)); /* dropped: only to see that it can be */
	EXPECT_I64(SDB_OK, sdb_clear(txn, SX_BY_STRING));
	EXPECT_U64(0, sdb_len(txn, SX_BY_STRING));
	sdb_end(txn);
	EXPECT_I64(SDB_OK,
		   sdb_put_now(db, SX_BY_STRING, sx_key(SX_BY_STRING, 1), sx_value_make(v)));
	m.at[SX_BY_STRING][1] = m.at[SX_BY_STRING][2] = v;
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	struct sdb_record r;
	EXPECT_I64(SDB_OK, sdb_get(txn, SX_BY_STRING, sx_key(SX_BY_STRING, 1), &r));
	EXPECT_U64(2, sdb_len(txn, SX_BY_STRING));
	sdb_end(txn);
	sdb_close(db);
	/* made anew from the log, the index knows nothing of what was lost */
	struct err_info info = { 0 };
	EXPECT_OK(index_files_remove(dir, &info));
	db = sx_open(dir);
	sx_expect_now(db, &m);
	sdb_close(db);
}

/* The manifest says that table `t` has so many records more than there are. */
static void manifest_inflate(const char *dir, unsigned t, uint64_t more)
{
	static uint64_t bytes[2 * MANIFEST_SLOT_BYTES / 8];
	char path[300];
	snprintf(path, sizeof path, "%s/manifest", dir);
	FILE *f = fopen(path, "r+b");
	EXPECT(f != NULL);
	size_t n = fread(bytes, 1, sizeof bytes, f);
	for (size_t at = 0; at < n; at += MANIFEST_SLOT_BYTES) {
		struct disk_manifest *m = (void *)((uint8_t *)bytes + at);
		struct disk_manifest_table *tables = (void *)(m + 1);
		tables[t + 1].live += more; /* 0 is the catalog */
		m->hash = 0;
		m->hash = XXH3_64bits(m, m->bytes);
	}
	EXPECT(fseek(f, 0, SEEK_SET) == 0 && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

TEST(sdb_damage, a_cursor_behind_the_last_record_does_not_begin_again)
{
	const char *dir = test_tmpdir();
	const struct sx_value v = { 0, 2, 3 };
	struct sdb_txn *txn;
	struct sdb_cursor *c;
	struct sdb_record r;
	struct sdb *db = sx_open(dir);
	for (unsigned i = 1; i < 3; i++)
		EXPECT_I64(SDB_OK,
			   sdb_put_now(db, SX_BY_ID, sx_key(SX_BY_ID, i), sx_value_make(v)));
	sdb_close(db);
	manifest_inflate(dir, SX_BY_ID, 3);
	db = sx_open(dir);
	EXPECT_I64(SDB_OK, sdb_begin_read(db, &txn));
	EXPECT_I64(SDB_OK, sdb_all(txn, SX_BY_ID, &c));
	EXPECT_U64(5, sdb_cursor_count(c));
	for (uint64_t offset = 2; offset < 6; offset++) {
		sdb_cursor_seek(c, offset);
		EXPECT_I64(SDB_NOTFOUND, sdb_cursor_next(c, &r));
	}
	sdb_cursor_seek(c, 1);
	EXPECT_I64(SDB_OK, sdb_cursor_next(c, &r));
	EXPECT_I64(SDB_NOTFOUND, sdb_cursor_next(c, &r));
	sdb_cursor_close(c);
	sdb_end(txn);
	sdb_close(db);
}

/* ---- what other tools see -------------------------------------------------------------------- */

static void file_cut(const char *from, size_t off, size_t n, const char *to)
{
	char *bytes = malloc(n);
	FILE *f = fopen(from, "rb");
	EXPECT(bytes && f && fseek(f, (long)off, SEEK_SET) == 0 && fread(bytes, 1, n, f) == n);
	fclose(f);
	f = fopen(to, "wb");
	EXPECT(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
	free(bytes);
}

TEST(sdb_format, flatc_decodes_a_chunk_cut_out_of_the_log)
{
	if (system("flatc --version > /dev/null 2>&1") != 0)
		test_skip("no flatc");
	char log[300], bin[300], command[1200];
	const char *dir = test_tmpdir();
	struct sdb *db = sx_open(dir);
	struct sdb_txn *txn;
	EXPECT_I64(SDB_OK, sdb_begin_write(db, &txn));
	EXPECT_I64(SDB_OK, sdb_put(txn, SX_BY_U64, sdb_number(7000000000),
				   sdb_str("{\"u\":0,\"w\":0,\"v\":1}")));
	EXPECT_I64(SDB_OK, sdb_commit(txn));
	EXPECT_I64(SDB_OK, sdb_put_now(db, SX_BY_STRING, sdb_text("the key"),
				       sdb_str("{\"u\":0,\"w\":0,\"v\":1}")));
	sdb_close(db);
	snprintf(log, sizeof log, "%s/media-00001.fb", dir);
	snprintf(bin, sizeof bin, "%s/batch.bin", dir);
	uint32_t n = 0;
	size_t at = chunk_of_rows(log, UINT32_MAX, &n);
	EXPECT(at > 0 && n > 0);
	file_cut(log, at + 64, n, bin);
	snprintf(command, sizeof command,
		 "cd %s && flatc --json --raw-binary --strict-json %s -- batch.bin && tr -d ' \\n' "
		 "< batch.json | grep -q '\"key\":\"thekey\",\"value\":\\[123,34,117,34'",
		 dir, KV_FBS);
	EXPECT(system(command) == 0);
}
