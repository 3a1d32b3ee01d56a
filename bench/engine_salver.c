/* SPDX-License-Identifier: MIT */
/* salver as it ships: rows go in through the scanner's batches and the library's writer thread,
 * with every index the product has; reads are those of its own look-ups. */
#include <stdlib.h>
#include <unistd.h>

#include "base/blocks.h"
#include "base/fd.h"
#include "engine.h"
#include "library/listing.h"
#include "library/lookup.h"
#include "library/tables.h"
#include "library/text.h"
#include "media_view.h"
#include "run_files.h"
#include "library/submit.h"

struct salver {
	struct library *library;
	struct submit submit;
	int stop_fd[2]; /* never readable: nothing stops a bench */
};

static void must(const char *what, enum err e)
{
	if (e != ERR_OK)
		bench_fail(what, err_name(e));
}

static void *salver_open(const struct engine_options *o)
{
	struct library_options options = { .database_dir = o->dir };
	struct err_info info = { 0 };
	struct salver *s = calloc(1, sizeof *s);
	blocks_limit_heap(); /* as the server does */
	if (!s || pipe(s->stop_fd) != 0)
		bench_fail("salver", "no memory");
	if (library_open(&options, &s->library, &info) != ERR_OK)
		bench_fail("salver: open", info.text);
	must("salver: submit", submit_init(&s->submit, s->library, s->stop_fd[0]));
	must("salver: root", submit_root(&s->submit, SPAN("/srv/media/music"), SPAN("Music")));
	return s;
}

static void salver_close(void *db)
{
	struct salver *s = db;
	submit_fini(&s->submit);
	library_close(s->library);
	fd_closep(&s->stop_fd[0]);
	fd_closep(&s->stop_fd[1]);
	free(s);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* A new file and a changed one are the same to a scan. */
static void salver_put(void *db, const struct row *row)
{
	struct salver *s = db;
	must("salver: put", submit_put(&s->submit, &row->in, 0));
}

static void salver_remove(void *db, struct span path)
{
	struct salver *s = db;
	must("salver: remove", submit_remove(&s->submit, path));
}

static void salver_commit(void *db)
{
	struct salver *s = db;
	must("salver: commit", submit_barrier(&s->submit));
	must("salver: commit", submit_take_failure(&s->submit));
}

/* Searching by text is no part of the comparison: its column is made before anything is read. Nor
 * is what the writer does when it has nothing to do: it shares the reader's processor here. */
static void salver_settle(void *db)
{
	struct salver *s = db;
	struct library_stats stats;
	must("salver: text", text_settle(library_text(s->library)));
	do {
		usleep(5000);
		library_stats_get(s->library, &stats);
	} while (stats.upkeep_due);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void record(struct digest *d, struct fb_table m)
{
	struct row_view v = media_view_record(m);
	digest_record(d, &v);
}

static void entry(struct digest *d, struct fb_table m)
{
	struct row_view v = media_view_entry(m);
	digest_entry(d, &v);
}

static void track(struct digest *d, struct fb_table m)
{
	struct row_view v = media_view_track(m);
	digest_track(d, &v);
}

static void salver_get_path(void *db, struct span path, struct digest *d)
{
	struct salver *s = db;
	struct library_snap *sn = library_snap_begin(s->library);
	struct fb_table m;
	if (library_media_by_path(sn, path, &m) == ERR_OK)
		record(d, m);
	library_snap_end(sn);
}

static void salver_get_id(void *db, uint64_t id, struct digest *d)
{
	struct salver *s = db;
	struct library_snap *sn = library_snap_begin(s->library);
	struct fb_table m;
	if (library_media_get(sn, id, &m) == ERR_OK)
		record(d, m);
	library_snap_end(sn);
}

static void salver_directory(void *db, struct span path, struct digest *d)
{
	struct salver *s = db;
	struct library_snap *sn = library_snap_begin(s->library);
	struct directory_cursor c;
	struct fb_table m;
	uint64_t id;
	if (library_directory_find(sn, path, &id) == ERR_OK) {
		library_directory_files(sn, id, &c);
		while (directory_cursor_file(&c, &m))
			entry(d, m);
	}
	library_snap_end(sn);
}

static void salver_titles(void *db, uint64_t offset, uint64_t n, struct digest *d)
{
	struct salver *s = db;
	struct library_snap *sn = library_snap_begin(s->library);
	struct listing li;
	struct object o;
	must("salver: list", library_list(sn, SPAN("AT"), &li));
	listing_seek(&li, offset);
	while (n-- > 0 && listing_next(&li, &o))
		entry(d, o.media);
	library_snap_end(sn);
}

static void salver_artists(void *db, struct digest *d)
{
	struct salver *s = db;
	struct library_snap *sn = library_snap_begin(s->library);
	struct db_cursor c;
	struct db_row terms[DB_ROWS_AT_ONCE];
	uint32_t ids[DB_ROWS_AT_ONCE];
	uint64_t counts[DB_ROWS_AT_ONCE];
	db_seek(&c, snap_db(sn), TABLE_TERM, TERM_NAME, TERM_KIND_ARTIST, 0);
	for (size_t n; (n = db_next_rows(&c, terms, DB_ROWS_AT_ONCE)) > 0;) {
		for (size_t i = 0; i < n; i++)
			ids[i] = (uint32_t)terms[i].id;
		db_counts(snap_db(sn), TABLE_MEDIA, MEDIA_TERM, ids, n, counts);
		for (size_t i = 0; i < n; i++)
			digest_count(d, term_name(terms[i].row), counts[i]);
	}
	library_snap_end(sn);
}

static void salver_artist_tracks(void *db, struct span artist, struct digest *d)
{
	struct salver *s = db;
	struct library_snap *sn = library_snap_begin(s->library);
	struct db_cursor c;
	struct db_row rows[DB_ROWS_AT_ONCE];
	struct fb_table term;
	if (term_find(snap_db(sn), TERM_KIND_ARTIST, artist, &term) == ERR_OK) {
		db_seek(&c, snap_db(sn), TABLE_MEDIA, MEDIA_TERM, (uint32_t)term_id(term), 0);
		for (size_t n; (n = db_next_rows(&c, rows, DB_ROWS_AT_ONCE)) > 0;)
			for (size_t i = 0; i < n; i++)
				track(d, rows[i].row);
	}
	library_snap_end(sn);
}

const struct engine engine_salver = {
	.name = "salver",
	.open = salver_open,
	.close = salver_close,
	.put = salver_put,
	.commit = salver_commit,
	.settle = salver_settle,
	.extra_files = "text",
	.update = salver_put,
	.remove = salver_remove,
	.get_path = salver_get_path,
	.get_id = salver_get_id,
	.directory = salver_directory,
	.titles = salver_titles,
	.artists = salver_artists,
	.artist_tracks = salver_artist_tracks,
	.lose_indexes = run_files_remove,
};
