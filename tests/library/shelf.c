/* SPDX-License-Identifier: MIT */
/* A library to keep things in. */
#include "shelf.h"

static void note_change(void *ctx, const struct library_change *change)
{
	struct shelf *s = ctx;
	s->change = *change;
	s->commits_n++;
}

void shelf_open(struct shelf *s)
{
	struct library_options options = { .database_dir = s->dir,
					   .linger_ms = s->linger_ms,
					   .pause_ms = s->pause_ms,
					   .on_commit = note_change,
					   .ctx = s };
	EXPECT_OK(library_open(&options, &s->lib, NULL));
}

void shelf_init(struct shelf *s)
{
	shelf_init_lingering(s, "db", 0);
}

void shelf_init_lingering(struct shelf *s, const char *name, uint32_t linger_ms)
{
	memset(s, 0, sizeof *s);
	snprintf(s->dir, sizeof s->dir, "%s/%s", test_tmpdir(), name);
	s->linger_ms = linger_ms;
	shelf_open(s);
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_root(b, SPAN("/m"), SPAN("music")));
	shelf_submit(s, b);
}

static void print_finding(void *ctx, const char *line)
{
	(void)ctx;
	printf("check: %s\n", line);
}

void shelf_fini(struct shelf *s)
{
	EXPECT_OK(library_check(s->lib, print_finding, NULL));
	library_close(s->lib);
}

void shelf_reopen(struct shelf *s)
{
	shelf_fini(s);
	shelf_open(s);
}

struct batch *shelf_batch(void)
{
	struct batch *b = NULL;
	EXPECT_OK(batch_new(&b));
	return b;
}

struct batch_result shelf_submit(struct shelf *s, struct batch *b)
{
	struct batch_result r = { .err = ERR_IO };
	EXPECT_OK(library_submit_wait(s->lib, b, &r));
	EXPECT_OK(r.err);
	EXPECT_U64(0, r.failed_n);
	return r;
}

static struct media_file_in song(const char *path)
{
	return (struct media_file_in){ .path = span_str(path),
				       .title = span_str(strrchr(path, '/') + 1),
				       .kind = MEDIA_KIND_AUDIO,
				       .size = 1000,
				       .duration_ms = 60000 };
}

void shelf_put(struct batch *b, const char *path)
{
	struct media_file_in in = song(path);
	EXPECT_OK(batch_put(b, &in));
}

void shelf_move(struct batch *b, uint64_t media_id, const char *path)
{
	struct media_file_in in = song(path);
	EXPECT_OK(batch_move(b, media_id, &in));
}

uint64_t shelf_media(struct shelf *s, const char *path)
{
	struct library_snap *sn = library_snap_begin(s->lib);
	struct fb_table row;
	uint64_t id =
		library_media_by_path(sn, span_str(path), &row) == ERR_OK ? media_file_id(row) : 0;
	library_snap_end(sn);
	return id;
}

uint64_t shelf_audio_n(struct shelf *s)
{
	struct library_stats stats;
	library_stats_get(s->lib, &stats);
	return stats.audio_n;
}
