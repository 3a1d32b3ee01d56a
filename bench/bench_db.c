/* SPDX-License-Identifier: MIT */
/* The store alone: insert rows like a scan's in large commits, merge, checkpoint, open again, read.
 * bench_db DIR [ROWS [ROWS_PER_COMMIT]]: one line of JSON. DIR must not hold a store. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "library/tables.h"
#include "schema/media_fb.h"

static void fail(const char *what, const char *text)
{
	fprintf(stderr, "bench_db: %s: %s\n", what, text);
	exit(1);
}

static void must(const char *what, enum err e)
{
	if (e != ERR_OK)
		fail(what, err_name(e));
}

/* A line of /proc/self/status, in KiB. */
static uint64_t status_kib(const char *name)
{
	char text[4096];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *p = strstr(text, name);
	uint64_t kib = 0;
	while (p && *p && (*p < '0' || *p > '9'))
		p++;
	for (; p && *p >= '0' && *p <= '9'; p++)
		kib = kib * 10 + (uint64_t)(*p - '0');
	return kib;
}

struct row_text {
	char path[160], title[64], artist[32], album[48];
	size_t name_at;
};

/* 50 files a directory, 1000 artists of 10 albums of 2 discs at a million, as in the measurements
 * that the store was designed with. */
static void row_make(uint64_t i, struct row_text *t, struct media_file_in *in, uint32_t terms[2])
{
	uint64_t dir = i / 50, artist = dir / 20 % 1000, album = dir / 2 % 10;
	snprintf(t->artist, sizeof t->artist, "Artist %04u of the World", (unsigned)artist);
	snprintf(t->album, sizeof t->album, "Album %u by Artist %04u", (unsigned)album,
		 (unsigned)artist);
	snprintf(t->title, sizeof t->title, "Song %08llx in a Minor Key",
		 (unsigned long long)(i * 0x9e3779b1u & 0xffffffff));
	int n = snprintf(t->path, sizeof t->path, "/srv/media/music/%s/%s/Disc %u-%06u/", t->artist,
			 t->album, (unsigned)(dir & 1), (unsigned)dir);
	t->name_at = (size_t)n;
	snprintf(t->path + n, sizeof t->path - (size_t)n, "%02u %s.flac", (unsigned)(i % 50 + 1),
		 t->title);
	terms[0] = (uint32_t)artist + 1;
	terms[1] = (uint32_t)(i / 5000 % 20) + 2000;
	struct span path = span_str(t->path);
	*in = (struct media_file_in){
		.path = path,
		.canonical_path = path,
		.filename = span_skip(path, t->name_at),
		.size = 30000000 + i,
		.modified = 1600000000000000000 + (int64_t)i,
		.mime_type = SPAN("audio/flac"),
		.duration_ms = 200000,
		.title = span_str(t->title),
		.artist = span_str(t->artist),
		.album = span_str(t->album),
		.genre = SPAN("Alternative"),
		.track = (uint16_t)(i % 50 + 1),
		.year = (uint16_t)(1960 + artist % 60),
		.album_artist = span_str(t->artist),
		.created_at = 1700000000,
		.updated_at = 1700000000,
		.disc = (uint16_t)((dir & 1) + 1),
		.bitrate = 900000,
		.sample_rate = 44100,
		.channels = 2,
		.device = 77,
		.inode = 1000000 + i,
		.kind = MEDIA_KIND_AUDIO,
		.directory_id = dir + 1,
		.artist_ids = terms,
		.artist_ids_n = 1,
		.album_artist_id = terms[0],
		.genre_ids = terms + 1,
		.genre_ids_n = 1,
		.year_id = 3000 + (uint32_t)(artist % 60),
		.album_id = (uint32_t)(artist * 10 + album + 1),
	};
}

struct figures {
	uint64_t insert_ns, worst_ns, rss_anon_kib;
};

static void insert(struct db *db, uint64_t rows, uint64_t per_commit, struct figures *f)
{
	struct row_text text;
	struct media_file_in in;
	uint32_t terms[2];
	for (uint64_t i = 0; i < rows;) {
		uint64_t begin = clock_now_ns();
		struct db_txn *txn;
		must("begin", db_txn_begin(db, &txn));
		for (uint64_t n = 0; n < per_commit && i < rows; n++, i++) {
			row_make(i, &text, &in, terms);
			must("put",
			     db_txn_put(txn, TABLE_MEDIA, db_txn_new_id(txn, TABLE_MEDIA), &in));
			if (n % 16000 == 15999)
				f->rss_anon_kib = MAX(f->rss_anon_kib, status_kib("RssAnon"));
		}
		must("commit", db_txn_commit(txn));
		while (db_maintain(db))
			;
		uint64_t took = clock_now_ns() - begin;
		f->insert_ns += took;
		f->worst_ns = MAX(f->worst_ns, took);
	}
}

/* What generating the rows costs, to be taken off. */
static uint64_t generate_ns(uint64_t rows)
{
	struct row_text text;
	struct media_file_in in;
	uint32_t terms[2];
	uint64_t begin = clock_now_ns();
	for (uint64_t i = 0; i < rows; i++)
		row_make(i, &text, &in, terms);
	return clock_now_ns() - begin;
}

#define READS 20000u

static uint64_t get_ns(const struct db_snap *sn, uint64_t rows)
{
	uint64_t begin = clock_now_ns(), sum = 0, x = 1;
	for (unsigned i = 0; i < READS; i++) {
		struct fb_table t;
		x = x * 6364136223846793005u + 1442695040888963407u;
		must("get", db_get(sn, TABLE_MEDIA, 1 + (x >> 33) % rows, &t));
		sum += media_file_size(t);
	}
	return sum ? (clock_now_ns() - begin) / READS : 0;
}

/* Fifty titles from the middle. */
static uint64_t page_ns(const struct db_snap *sn)
{
	uint64_t n = db_count(sn, TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_AUDIO), id;
	uint64_t begin = clock_now_ns();
	for (unsigned i = 0; i < 200; i++) {
		struct db_cursor c;
		db_seek(&c, sn, TABLE_MEDIA, MEDIA_TITLE, MEDIA_KIND_AUDIO, n / 2 + i);
		for (unsigned k = 0; k < 50 && db_next(&c, &id); k++)
			;
	}
	return (clock_now_ns() - begin) / 200;
}

static struct db *open_store(const char *dir)
{
	struct db_options o = { .dir = dir, .tables = library_tables, .tables_n = TABLES_N };
	struct err_info info = { 0 };
	struct db *db = NULL;
	if (db_open(&o, &db, &info) != ERR_OK)
		fail("open", info.text);
	return db;
}

int main(int argc, char **argv)
{
	uint64_t rows = 1000000, per_commit = 100000;
	if (argc < 2 || argc > 4 ||
	    (argc > 2 && num_parse_u64(span_str(argv[2]), 1, DB_ID_MAX, &rows) != ERR_OK) ||
	    (argc > 3 && num_parse_u64(span_str(argv[3]), 1, DB_ID_MAX, &per_commit) != ERR_OK))
		fail("usage", "bench_db DIR [ROWS [ROWS_PER_COMMIT]]");
	uint64_t base_kib = status_kib("RssAnon");
	uint64_t own_ns = generate_ns(rows);
	struct figures f = { 0 };
	struct db *db = open_store(argv[1]);
	insert(db, rows, per_commit, &f);
	struct db_stats stats;
	db_stats_get(db, &stats);
	uint64_t begin = clock_now_ns();
	must("checkpoint", db_checkpoint(db));
	uint64_t checkpoint_ns = clock_now_ns() - begin;
	db_close(db);

	begin = clock_now_ns();
	db = open_store(argv[1]);
	uint64_t open_ns = clock_now_ns() - begin;
	struct db_snap *sn = db_snap_begin(db);
	uint64_t first_get = get_ns(sn, rows), get = get_ns(sn, rows), page = page_ns(sn);
	db_snap_end(sn);
	printf("{\"bench\":\"db\",\"rows\":%llu,\"rows_per_commit\":%llu,\"rows_per_s\":%llu,"
	       "\"ns_per_row\":%llu,\"generate_ns_per_row\":%llu,\"worst_commit_ms\":%llu,"
	       "\"rss_anon_peak_kib\":%llu,\"rss_anon_base_kib\":%llu,\"memory_peak_kib\":%llu,"
	       "\"checkpoint_ms\":%llu,\"open_us\":%llu,\"get_cold_ns\":%llu,\"get_ns\":%llu,"
	       "\"page_us\":%llu,\"log_bytes\":%llu,\"index_bytes\":%llu,\"rss_anon_open_kib\":%"
	       "llu}\n",
	       (unsigned long long)rows, (unsigned long long)per_commit,
	       (unsigned long long)(rows * 1000000000 / (f.insert_ns - own_ns)),
	       (unsigned long long)((f.insert_ns - own_ns) / rows),
	       (unsigned long long)(own_ns / rows), (unsigned long long)(f.worst_ns / 1000000),
	       (unsigned long long)f.rss_anon_kib, (unsigned long long)base_kib,
	       (unsigned long long)(stats.memory_peak_bytes >> 10),
	       (unsigned long long)(checkpoint_ns / 1000000), (unsigned long long)(open_ns / 1000),
	       (unsigned long long)first_get, (unsigned long long)get,
	       (unsigned long long)(page / 1000), (unsigned long long)stats.log_bytes,
	       (unsigned long long)stats.index_bytes, (unsigned long long)status_kib("RssAnon"));
	db_close(db);
	return 0;
}
