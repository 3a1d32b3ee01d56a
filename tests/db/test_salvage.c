/* SPDX-License-Identifier: MIT */
/* Damage to the log, anywhere and of any kind: an independent reader of the bytes says what must be
 * left, and the store must show exactly that, name what is not, and work on. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/num.h"
#include "db/format.h"
#include "trace.h"

#define COMMITS_N 24
#define SEGMENTS_N 64
#define CHUNKS_MAX 2048
#define ROWS_MAX 8192

/* ---- what the log holds, read without the engine ---- */

struct row {
	unsigned table;
	uint64_t id;
	uint32_t version; /* 0: removed */
};

struct chunk {
	uint32_t segment, offset, bytes; /* without padding */
	uint64_t commit;
	bool mark;
	unsigned first_row, rows_n;
};

struct image {
	uint8_t *bytes[SEGMENTS_N]; /* by segment number */
	size_t n[SEGMENTS_N];
	unsigned segments_n; /* the last one's number */
	struct chunk chunks[CHUNKS_MAX];
	unsigned chunks_n;
	struct row rows[ROWS_MAX];
	unsigned rows_n;
};

static void segment_path(const char *dir, unsigned number, char out[512])
{
	snprintf(out, 512, "%s/media-%05u.fb", dir, number);
}

static void image_load(struct image *im, const char *dir)
{
	for (unsigned k = 1; k < SEGMENTS_N; k++) {
		char path[512];
		struct stat st;
		segment_path(dir, k, path);
		int fd = open(path, O_RDONLY);
		if (fd < 0)
			return;
		EXPECT(fstat(fd, &st) == 0);
		im->n[k] = (size_t)st.st_size;
		im->bytes[k] = malloc(im->n[k] + 1);
		EXPECT(read(fd, im->bytes[k], im->n[k]) == st.st_size);
		close(fd);
		im->segments_n = k;
	}
}

static void image_free(struct image *im)
{
	for (unsigned k = 0; k < SEGMENTS_N; k++)
		free(im->bytes[k]);
	memset(im, 0, sizeof *im);
}

static void row_add(struct image *im, unsigned table, uint64_t id, uint32_t version)
{
	EXPECT(im->rows_n < ROWS_MAX);
	im->rows[im->rows_n++] = (struct row){ table, id, version };
}

/* "/m/ID/VERSION" */
static uint32_t path_version(struct span path)
{
	uint64_t version;
	span_cut(&path, '/');
	span_cut(&path, '/');
	span_cut(&path, '/');
	EXPECT_OK(num_parse_u64(path, 1, UINT32_MAX, &version));
	return (uint32_t)version;
}

static void rows_read(struct image *im, const struct disk_chunk *c)
{
	const uint8_t *payload = (const uint8_t *)(c + 1);
	if (c->kind == CHUNK_REMOVE)
		for (uint32_t i = 0; i < c->payload_bytes / 8; i++)
			row_add(im, c->table, num_le64(payload + (size_t)i * 8), 0);
	if (c->kind != CHUNK_ROWS)
		return;
	struct fb_vector rows =
		fx_tables[c->table].rows(span_of((const char *)payload, c->payload_bytes));
	for (uint32_t i = 0; i < rows.n; i++) {
		struct fb_table t = fb_vector_table(rows, i);
		bool media = c->table == FX_MEDIA;
		row_add(im, c->table, media ? media_file_id(t) : setting_id(t),
			path_version(media ? media_file_path(t) : setting_value(t)));
	}
}

static const struct disk_chunk *header_at(const struct image *im, unsigned k, uint32_t offset)
{
	if (k > im->segments_n || offset + sizeof(struct disk_chunk) > im->n[k])
		return NULL;
	const struct disk_chunk *c = (const void *)(im->bytes[k] + offset);
	return c->magic == CHUNK_MAGIC ? c : NULL;
}

/* Of an undamaged log: each chunk follows the one before it, or begins the next segment. */
static void image_read(struct image *im)
{
	unsigned k = 1;
	uint32_t offset = SEGMENT_HEADER_BYTES;
	uint64_t commit = 1;
	while (commit <= COMMITS_N) {
		const struct disk_chunk *c = header_at(im, k, offset);
		if (!c || c->commit != commit) {
			offset = SEGMENT_HEADER_BYTES;
			c = header_at(im, ++k, offset);
		}
		EXPECT(c && c->commit == commit && im->chunks_n < CHUNKS_MAX);
		struct chunk *out = &im->chunks[im->chunks_n++];
		*out = (struct chunk){ .segment = k,
				       .offset = offset,
				       .bytes = (uint32_t)sizeof *c + c->payload_bytes,
				       .commit = commit,
				       .mark = c->kind == CHUNK_COMMIT,
				       .first_row = im->rows_n };
		rows_read(im, c);
		out->rows_n = im->rows_n - out->first_row;
		commit += out->mark;
		offset += (uint32_t)num_align_up(out->bytes, CHUNK_ALIGN);
	}
}

/* ---- what must be left of it ---- */

static bool bytes_same(const struct image *im, const struct image *now, const struct chunk *c,
		       uint32_t n)
{
	return c->offset + n <= now->n[c->segment] &&
	       memcmp(im->bytes[c->segment] + c->offset, now->bytes[c->segment] + c->offset, n) ==
		       0;
}

static bool chunk_whole(const struct image *im, const struct image *now, const struct chunk *c)
{
	return bytes_same(im, now, c, c->bytes);
}

/* The greatest commit number that any sound chunk header in the log still names. */
static uint64_t commit_named(const struct image *now)
{
	uint64_t commit = 0;
	for (unsigned k = 1; k <= now->segments_n; k++) {
		for (uint32_t at = SEGMENT_HEADER_BYTES; at < now->n[k]; at += CHUNK_ALIGN) {
			const struct disk_chunk *c = header_at(now, k, at);
			if (c && c->segment == k && c->offset == at &&
			    c->payload_bytes <= now->n[k] - at - sizeof *c &&
			    c->header_hash ==
				    XXH3_64bits(c, offsetof(struct disk_chunk, header_hash)))
				commit = MAX(commit, c->commit);
		}
	}
	return commit;
}

static bool commit_whole(const struct image *im, const struct image *now, uint64_t commit)
{
	bool whole = commit <= COMMITS_N;
	for (unsigned i = 0; i < im->chunks_n; i++)
		if (im->chunks[i].commit == commit)
			whole &= chunk_whole(im, now, &im->chunks[i]);
	return whole;
}

/* A commit counts as acknowledged where the header of a later one's chunk can be read (of an
 * aborted one, too); the last one of which there is anything must be whole, or is a torn tail. */
static void model_left(const struct image *im, const struct image *now, struct fx_model *m)
{
	uint64_t last = commit_named(now);
	memset(m, 0, sizeof *m);
	if (last && !commit_whole(im, now, last))
		last--;
	m->commit = last;
	for (unsigned i = 0; i < im->chunks_n && im->chunks[i].commit <= last; i++) {
		const struct chunk *c = &im->chunks[i];
		if (!chunk_whole(im, now, c))
			continue;
		for (unsigned r = c->first_row; r < c->first_row + c->rows_n; r++) {
			const struct row *row = &im->rows[r];
			if (row->version || m->version[row->table][row->id])
				fx_model_put(m, row->table, row->id, row->version, c->commit);
		}
	}
}

/* ---- damage ---- */

static void spoil(struct image *now, unsigned k, size_t at, size_t n)
{
	unsigned how = (unsigned)(test_random() % 4);
	size_t from = test_random() % now->n[k];
	for (size_t i = at; i < at + n && i < now->n[k]; i++) {
		uint8_t *b = &now->bytes[k][i];
		if (how == 0)
			*b ^= (uint8_t)(1u << test_random() % 8);
		else if (how == 1)
			*b = 0;
		else if (how == 2)
			*b = (uint8_t)test_random();
		else /* a write that went astray */
			*b = now->bytes[k][(from + i) % now->n[k]];
	}
}

static void damage(const struct image *im, struct image *now)
{
	static const size_t lengths[] = { 1, 1, 64, 600, 5000 };
	for (uint64_t n = 1 + test_random() % 4; n > 0; n--) {
		const struct chunk *c = &im->chunks[test_random() % im->chunks_n];
		size_t length = lengths[test_random() % ARRAY_LEN(lengths)];
		uint64_t where = test_random() % 8;
		if (where == 0 && c->segment > 1) /* both copies of a segment's header */
			spoil(now, c->segment, 0, SEGMENT_HEADER_BYTES);
		else if (where < 3) /* a chunk's header */
			spoil(now, c->segment, c->offset + test_random() % 64, length);
		else
			spoil(now, c->segment, c->offset + test_random() % c->bytes, length);
	}
	if (test_random() % 8 == 0) /* a file system that lost the end of the last file */
		now->n[now->segments_n] = test_random() % now->n[now->segments_n];
}

static void image_save(const struct image *im, const char *dir)
{
	dir_copy(NULL, dir);
	for (unsigned k = 1; k <= im->segments_n; k++) {
		char path[512];
		segment_path(dir, k, path);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		EXPECT(fd >= 0 && write(fd, im->bytes[k], im->n[k]) == (ssize_t)im->n[k]);
		close(fd);
	}
}

static void image_copy(const struct image *from, struct image *to)
{
	to->segments_n = from->segments_n;
	for (unsigned k = 1; k <= from->segments_n; k++) {
		to->n[k] = from->n[k];
		to->bytes[k] = malloc(from->n[k] + 1);
		EXPECT(to->bytes[k] != NULL);
		memcpy(to->bytes[k], from->bytes[k], from->n[k]);
	}
}

static void image_print(const struct image *im, const struct image *now)
{
	for (unsigned k = 1; k <= im->segments_n; k++)
		printf("segment %u: %zu of %zu bytes, header %s\n", k, now->n[k], im->n[k],
		       memcmp(im->bytes[k], now->bytes[k], SEGMENT_HEADER_BYTES) ? "damaged"
										 : "whole");
	for (unsigned i = 0; i < im->chunks_n; i++) {
		const struct chunk *c = &im->chunks[i];
		printf("segment %u, byte %u: commit %" PRIu64 "%s%s%s\n", c->segment, c->offset,
		       c->commit, c->mark ? ", mark" : "",
		       chunk_whole(im, now, c) ? "" : ", damaged",
		       bytes_same(im, now, c, sizeof(struct disk_chunk)) ? "" : " in its header");
	}
}

/* ---- what is named ---- */

struct named {
	struct {
		uint32_t segment, from, to;
	} at[512];
	unsigned n;
};

static void on_finding(void *ctx, const char *line)
{
	struct named *named = ctx;
	uint32_t segment, from, to;
	if (named->n == ARRAY_LEN(named->at))
		return;
	if (sscanf(line, "log segment %u: the chunk at byte %u is damaged", &segment, &from) == 2)
		to = from + 1;
	else if (sscanf(line, "log segment %u: bytes %u to %u are no chunk", &segment, &from,
			&to) != 3)
		return;
	named->at[named->n].segment = segment;
	named->at[named->n].from = from;
	named->at[named->n++].to = to;
}

/* Nothing but zeros up to the end of the file, and nothing that says where the log went on. */
static bool untraceable(const struct image *im, const struct image *now, const struct chunk *c)
{
	unsigned next = c->segment + 1;
	for (size_t i = c->offset; i < now->n[c->segment]; i++)
		if (now->bytes[c->segment][i] != 0)
			return false;
	return next <= im->segments_n &&
	       memcmp(im->bytes[next], now->bytes[next], SEGMENT_HEADER_BYTES) != 0;
}

static void expect_named(struct db *db, const struct image *im, const struct image *now,
			 uint64_t last)
{
	static struct named named;
	uint64_t damaged_n = 0;
	memset(&named, 0, sizeof named);
	enum err e = db_check(db, on_finding, &named);
	for (unsigned i = 0; i < im->chunks_n && im->chunks[i].commit <= last; i++) {
		const struct chunk *c = &im->chunks[i];
		bool is_named = false;
		if (chunk_whole(im, now, c) || untraceable(im, now, c))
			continue;
		damaged_n++;
		for (unsigned k = 0; k < named.n; k++)
			is_named |= named.at[k].segment == c->segment &&
				    named.at[k].from <= c->offset && c->offset < named.at[k].to;
		if (!is_named)
			printf("not named: segment %u, byte %u, commit %" PRIu64 "\n", c->segment,
			       c->offset, c->commit);
		EXPECT(is_named);
	}
	struct db_stats stats;
	db_stats_get(db, &stats);
	EXPECT(damaged_n == 0 || stats.damaged_chunks_n > 0);
	EXPECT(damaged_n == 0 || e == ERR_CORRUPT);
}

/* ---- the case ---- */

static void log_make(const char *dir, const char *copy)
{
	static struct fx_model m;
	struct db_options o = fx_options(dir);
	struct db *db = NULL;
	m = (struct fx_model){ 0 };
	o.io = &io_unsynced;
	o.segment_bytes = 16 << 10;
	EXPECT_OK(db_open(&o, &db, NULL));
	while (m.commit < COMMITS_N)
		EXPECT_OK(fx_random_txn(db, &m, test_random() % 5 ? 10 : 100));
	dir_copy(dir, copy);
	db_close(db);
}

static void round_run(const struct image *im, const char *dir)
{
	static struct image now;
	static struct fx_model m;
	image_copy(im, &now);
	damage(im, &now);
	image_save(&now, dir);
	model_left(im, &now, &m);

	struct db *db = open_unsynced(dir);
	struct db_snap *sn = db_snap_begin(db);
	if (!fx_same(sn, &m)) {
		image_print(im, &now);
		fx_expect(sn, &m); /* says what differs */
	}
	expect_named(db, im, &now, m.commit);
	for (unsigned t = 0; t < FX_TABLES; t++)
		m.next_id[t] = db_next_id(sn, t);
	db_snap_end(sn);

	for (unsigned i = 0; i < 3; i++)
		EXPECT_OK(fx_random_txn(db, &m, 20));
	db_close(db);
	db = open_unsynced(dir);
	sn = db_snap_begin(db);
	EXPECT(fx_same(sn, &m));
	db_snap_end(sn);
	db_close(db);
	image_free(&now);
}

TEST_LIMIT(db_salvage, what_is_not_damaged_is_shown_and_what_is_gets_named, 3000)
{
	static struct image im;
	const char *text = getenv("SALVER_SALVAGE_ROUNDS");
	char dir[256], copy[256];
	uint64_t rounds = 200;
	if (text)
		EXPECT_OK(num_parse_u64(span_str(text), 1, 1u << 30, &rounds));
	snprintf(dir, sizeof dir, "%s/a", test_tmpdir());
	snprintf(copy, sizeof copy, "%s/b", test_tmpdir());
	for (uint64_t i = 0; i < rounds; i++) {
		if (i % 50 == 0) {
			image_free(&im);
			dir_copy(NULL, dir);
			log_make(dir, copy);
			image_load(&im, copy);
			image_read(&im);
		}
		round_run(&im, copy);
	}
	image_free(&im);
	printf("%" PRIu64 " points, 0 failures (more: SALVER_SALVAGE_ROUNDS)\n", rounds);
}
