/* SPDX-License-Identifier: MIT */
/* Random batches, put to the library and to the model; then everything is compared. */
#include <stdlib.h>

#include "harness.h"
#include "library/tables.h"
#include "model.h"

static const char *const dirs[] = { "/m",      "/m/a", "/m/a/b", "/m/a/b/c", "/m/d 10",	  "/m/d 2",
				    "/m/\xff", "/n",   "/n/x",	 "/n/x/y",   "/m/a/b/c/e" };
static const char *const names[] = { "1.mp3",	 "02 x.mp3",	"10.mp3",  "\xc3\x84.mp3",
				     "a.mp3",	 "z.flac",	"p 2.jpg", "p 10.jpg",
				     "film.mkv", "\xfe\xff.ogg" };
static const char *const words[] = { "",	 "Abba", "abba", "Bj\xc3\xb6rk", "AC/DC", "Track 2",
				     "Track 10", "X",	 "Y",	 "Zebra" };

static unsigned pick(unsigned n)
{
	return (unsigned)(test_random() % n);
}

static void set_word(char out[32], unsigned words_n)
{
	memset(out, 0, 32);
	snprintf(out, 32, "%s", words[pick(words_n)]);
}

/* Distinct, none empty: what the library stores is what it was given. */
static unsigned set_names(char out[MODEL_NAMES_MAX][32], unsigned max)
{
	unsigned n = 0;
	for (unsigned want = pick(max + 1); n < want;) {
		memset(out[n], 0, 32);
		snprintf(out[n], 32, "%s", words[1 + pick(ARRAY_LEN(words) - 1)]);
		bool again = false;
		for (unsigned i = 0; i < n; i++)
			again |= strcmp(out[i], out[n]) == 0;
		n += !again;
	}
	return n;
}

static uint8_t kind_of(const char *path)
{
	const char *dot = strrchr(path, '.');
	return strcmp(dot, ".jpg") == 0	  ? MEDIA_KIND_IMAGE
	       : strcmp(dot, ".mkv") == 0 ? MEDIA_KIND_VIDEO
					  : MEDIA_KIND_AUDIO;
}

static void random_path(const struct model *m, char out[96])
{
	do {
		memset(out, 0, 96);
		snprintf(out, 96, "%s/%s", dirs[pick(ARRAY_LEN(dirs))],
			 names[pick(ARRAY_LEN(names))]);
	} while (m->roots_n == 1 && out[1] == 'n');
}

static void path_beside(const struct model_file *other, char out[96])
{
	int directory_n = (int)(strrchr(other->path, '/') - other->path);
	memset(out, 0, 96);
	snprintf(out, 96, "%.*s/%s", directory_n, other->path, names[pick(ARRAY_LEN(names))]);
}

/* What the files of an album have in common, but for one thing. */
static void facts_like(struct model_file *f, const struct model_file *other)
{
	memcpy(f->album, other->album, sizeof f->album);
	memcpy(f->album_artist, other->album_artist, sizeof f->album_artist);
	memcpy(f->composer, other->composer, sizeof f->composer);
	memcpy(f->artists, other->artists, sizeof f->artists);
	memcpy(f->genres, other->genres, sizeof f->genres);
	f->artists_n = other->artists_n;
	f->genres_n = other->genres_n;
	f->year = other->year;
	f->compilation = other->compilation;
	f->art = other->art;
	switch (pick(8)) {
	case 0:
		f->compilation = !f->compilation;
		break;
	case 1:
		f->year = (uint16_t)(1998 + pick(4));
		break;
	case 2:
		set_word(f->album, 6);
		break;
	case 3:
		memset(f->artists, 0, sizeof f->artists);
		f->artists_n = set_names(f->artists, 3);
		break;
	case 4:
		set_word(f->composer, 3);
		break;
	default:
		break;
	}
}

static void random_facts(struct model_file *f)
{
	f->kind = kind_of(f->path);
	do
		set_word(f->title, ARRAY_LEN(words));
	while (!f->title[0]);
	set_word(f->album, 6);
	set_word(f->album_artist, 4);
	set_word(f->composer, 3);
	f->artists_n = pick(2) ? set_names(f->artists, 3) : 0;
	f->genres_n = pick(2) ? set_names(f->genres, 2) : 0;
	f->track = (uint16_t)pick(4);
	f->disc = (uint16_t)pick(2);
	f->year = (uint16_t)(pick(3) ? 1998 + pick(4) : 0);
	f->compilation = pick(5) == 0;
	f->art = pick(2);
	f->inode = pick(3) ? 1 + pick(100000) : 0;
	f->size = pick(1000);
	memset(f->taken, 0, sizeof f->taken);
	if (f->kind == MEDIA_KIND_IMAGE)
		snprintf(f->taken, sizeof f->taken, "202%u0%u %u", pick(2), 1 + pick(4),
			 1 + pick(5));
}

static void do_put(struct model *m, struct batch *b)
{
	struct model_file fresh;
	memset(&fresh, 0, sizeof fresh); /* files are compared bytewise */
	fresh.used = true;
	bool like = m->put_last.used && pick(3);
	if (like)
		path_beside(&m->put_last, fresh.path);
	else
		random_path(m, fresh.path);
	random_facts(&fresh);
	if (like)
		facts_like(&fresh, &m->put_last);
	m->put_last = fresh;
	struct model_file *f = model_find(m, fresh.path);
	if (!f)
		f = model_grave(m, fresh.path);
	if (f) {
		fresh.id = f->id;
		fresh.created_at = f->created_at;
		if (pick(3) == 0) { /* the same once more */
			fresh = *f;
			fresh.used = true;
			fresh.grave = 0;
		}
	} else {
		f = model_add(m);
	}
	*f = fresh;
	struct model_input in;
	model_fill(f, &in);
	EXPECT_OK(batch_put(b, &in.in));
}

static struct model_file *random_file(struct model *m)
{
	for (unsigned i = 0; i < 20; i++) {
		struct model_file *f = &m->files[pick(64)];
		if (f->used && f->id)
			return f;
	}
	return NULL;
}

static void do_move(struct model *m, struct batch *b)
{
	char path[96];
	struct model_file *f = random_file(m);
	if (!f)
		return;
	random_path(m, path);
	struct model_file *there = model_find(m, path);
	if (there && there != f)
		there->used = false; /* for good: its place has another file */
	for (struct model_file *g; (g = model_grave(m, path));)
		g->grave = 0;
	memcpy(f->path, path, sizeof f->path);
	if (f->kind != kind_of(path)) {
		memset(f->taken, 0, sizeof f->taken); /* files are compared with all bytes */
		snprintf(f->taken, sizeof f->taken, "%s",
			 kind_of(path) == MEDIA_KIND_IMAGE ? "202001 1" : "");
	}
	f->kind = kind_of(path);
	struct model_input in;
	model_fill(f, &in);
	EXPECT_OK(batch_move(b, f->id, &in.in));
}

static void do_remove(struct model *m, struct batch *b)
{
	struct model_file *f = random_file(m);
	if (!f)
		return;
	EXPECT_OK(batch_remove(b, span_str(f->path)));
	model_remove(m, f);
}

static void do_remove_tree(struct model *m, struct batch *b)
{
	const char *dir = dirs[pick(ARRAY_LEN(dirs))];
	size_t n = strlen(dir);
	EXPECT_OK(batch_remove_tree(b, span_str(dir)));
	for (size_t i = 0; i < MODEL_FILES_MAX; i++) {
		struct model_file *f = &m->files[i];
		if (f->used && strncmp(f->path, dir, n) == 0 && f->path[n] == '/')
			model_remove(m, f);
	}
}

static void add_root(struct model *m, struct batch *b, const char *path)
{
	char title[32];
	snprintf(title, sizeof title, "Root %s", path + 1);
	EXPECT_OK(batch_root(b, span_str(path), span_str(title)));
	bool known = false;
	for (unsigned r = 0; r < m->roots_n; r++)
		known |= strcmp(m->roots[r], path) == 0;
	if (!known)
		snprintf(m->roots[m->roots_n++], sizeof m->roots[0], "%s", path);
}

static void on_commit(void *ctx, const struct library_change *change)
{
	struct model *m = ctx;
	m->change = *change;
	m->changes_n++;
}

static void open_library(struct model *m, const char *dir)
{
	struct library_options options = { .database_dir = dir, .on_commit = on_commit, .ctx = m };
	struct err_info info = { 0 };
	enum err e = library_open(&options, &m->lib, &info);
	if (e != ERR_OK)
		printf("%s\n", info.text);
	EXPECT_OK(e);
}

static void print_finding(void *ctx, const char *line)
{
	(void)ctx;
	printf("check: %s\n", line);
}

static void random_batch(struct model *m, unsigned ops)
{
	struct batch *b;
	EXPECT_OK(batch_new(&b));
	m->batch++;
	if (m->roots_n == 0)
		add_root(m, b, "/m");
	if (m->roots_n == 1 && pick(8) == 0)
		add_root(m, b, "/n");
	for (unsigned i = 0; i < ops; i++) {
		unsigned dice = pick(20);
		if (dice < 11)
			do_put(m, b);
		else if (dice < 15)
			do_move(m, b);
		else if (dice < 19 || pick(3))
			do_remove(m, b);
		else
			do_remove_tree(m, b);
	}
	unsigned changes_n = m->changes_n;
	uint64_t commit = m->commit;
	struct batch_result r;
	EXPECT_OK(library_submit_wait(m->lib, b, &r));
	EXPECT_U64(0, r.failed_n);
	bool wrote = m->changes_n != changes_n;
	EXPECT(m->changes_n - changes_n <= 1);
	EXPECT_U64(wrote ? commit + 1 : commit, r.commit);
	model_check(m, wrote);
}

static void run(unsigned rounds, unsigned ops_max)
{
	struct model *m = model_new();
	char dir[256];
	snprintf(dir, sizeof dir, "%s/db", test_tmpdir());
	open_library(m, dir);
	for (unsigned i = 0; i < rounds; i++) {
		random_batch(m, 1 + pick(ops_max));
		if (pick(6) == 0) {
			EXPECT_OK(library_check(m->lib, print_finding, NULL));
			library_close(m->lib);
			open_library(m, dir);
			model_check(m, false);
		}
	}
	EXPECT_OK(library_check(m->lib, print_finding, NULL));
	library_close(m->lib);
	model_free(m);
}

TEST_LIMIT(model, small_batches_give_the_listings_that_the_model_gives, 250)
{
	run(120, 4);
}

TEST_LIMIT(model, large_batches_give_the_listings_that_the_model_gives, 250)
{
	run(25, 60);
}
