/* SPDX-License-Identifier: MIT */
/* One damaged chunk of directories does not hide those behind it: from searches with and without
 * the text column, from counting anew, from a check. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "library/search_words.h"
#include "library/tables.h"
#include "library/text.h"
#include "library/upgrade.h"
#include "shelf.h"

/* Three directories, each in a chunk of its own; closed. */
static void make_three(struct shelf *s)
{
	static const char *const paths[] = { "/m/anna/1.mp3", "/m/berta/1.mp3", "/m/carla/1.mp3" };
	shelf_init(s);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct batch *b = shelf_batch();
		shelf_put(b, paths[i]);
		shelf_submit(s, b);
	}
}

/* The row whose text this is, and with it the chunk that has it. */
static void damage(const struct shelf *s, const char *text)
{
	char path[300];
	struct stat st;
	snprintf(path, sizeof path, "%s/media-00001.fb", s->dir);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	EXPECT(fd >= 0 && fstat(fd, &st) == 0);
	size_t n = (size_t)st.st_size;
	char *bytes = malloc(n);
	EXPECT(pread(fd, bytes, n, 0) == (ssize_t)n);
	char *at = memmem(bytes, n, text, strlen(text) + 1); /* all of a string */
	EXPECT(at != NULL);
	EXPECT(pwrite(fd, "?", 1, at - bytes) == 1);
	free(bytes);
	close(fd);
}

static unsigned found_n(struct library *lib, const struct library_snap *sn, const char *text)
{
	struct search_words words;
	struct search_query query;
	struct search s;
	struct object o;
	unsigned n = 0;
	EXPECT_OK(search_words_parse(span_str(text), &words));
	search_words_query(&words, &query);
	EXPECT_OK(library_search_begin(lib, sn, SPAN("0"), &query, &s));
	while (search_next(&s, &o))
		n += o.kind == OBJECT_CONTAINER;
	search_end(&s);
	return n;
}

TEST(unreadable, directories_do_not_hide_others_from_searches)
{
	struct shelf s;
	make_three(&s);
	shelf_fini(&s);
	damage(&s, "/m/berta");
	shelf_open(&s);
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_U64(1, found_n(NULL, sn, "anna"));
	EXPECT_U64(1, found_n(NULL, sn, "carla"));
	EXPECT_OK(text_settle(library_text(s.lib)));
	EXPECT_U64(1, found_n(s.lib, sn, "anna"));
	EXPECT_U64(1, found_n(s.lib, sn, "carla"));
	library_snap_end(sn);
	library_close(s.lib);
}

/* As a repair leaves it: the record is lost, what counts it is not. */
static void lose_file(const struct shelf *s, uint64_t id)
{
	struct db_options options = { .dir = s->dir,
				      .tables = library_tables,
				      .tables_n = TABLES_N };
	struct db *db = NULL;
	struct db_txn *txn = NULL;
	EXPECT_OK(db_open(&options, &db, NULL));
	EXPECT_OK(db_txn_begin(db, &txn));
	EXPECT_OK(db_txn_remove(txn, TABLE_MEDIA, id));
	EXPECT_OK(db_txn_commit(txn));
	EXPECT_OK(upgrade_request(db));
	db_close(db);
}

struct told {
	unsigned lines_n;
	bool carla, directory_table;
};

static void hear(void *ctx, const char *line)
{
	struct told *t = ctx;
	printf("check: %s\n", line);
	t->lines_n++;
	t->carla |= strstr(line, "carla") != NULL;
	t->directory_table |= strcmp(line, "table directory: 1 records cannot be read") == 0;
}

static void wait_for_writer(struct shelf *s)
{
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_remove(b, SPAN("/m/nothing")));
	shelf_submit(s, b);
}

TEST(unreadable, directories_do_not_keep_others_from_being_counted)
{
	struct shelf s;
	make_three(&s);
	uint64_t id = shelf_media(&s, "/m/carla/1.mp3");
	library_close(s.lib);
	lose_file(&s, id);
	struct library_options reading = { .database_dir = s.dir, .read_only = true };
	struct library *lib = NULL;
	struct told told = { 0 };
	EXPECT_OK(library_open(&reading, &lib, NULL));
	EXPECT_ERR(ERR_CORRUPT, library_check(lib, hear, &told));
	EXPECT(told.carla); /* its row counts a file that is not there */
	library_close(lib);

	damage(&s, "/m/berta");
	shelf_open(&s);
	wait_for_writer(&s);
	told = (struct told){ 0 };
	EXPECT_ERR(ERR_CORRUPT, library_check(s.lib, hear, &told));
	EXPECT(told.directory_table);
	EXPECT(!told.carla);
	library_close(s.lib);
}

static void put_song(struct shelf *s, const char *path, const char *artist, const char *album)
{
	struct batch *b = shelf_batch();
	struct media_file_in in = { .path = span_str(path),
				    .kind = MEDIA_KIND_AUDIO,
				    .size = 1,
				    .artist = span_str(artist),
				    .album = span_str(album) };
	EXPECT_OK(batch_put(b, &in));
	shelf_submit(s, b);
}

TEST(unreadable, albums_and_artists_whose_files_were_lost_are_counted_anew)
{
	struct shelf s;
	struct library_stats stats;
	shelf_init(&s);
	put_song(&s, "/m/a/1.mp3", "Ann", "First");
	put_song(&s, "/m/b/1.mp3", "Bob", "Second");
	uint64_t id = shelf_media(&s, "/m/b/1.mp3");
	shelf_fini(&s);
	lose_file(&s, id);
	shelf_open(&s);
	wait_for_writer(&s);
	library_stats_get(s.lib, &stats);
	EXPECT_U64(1, stats.albums_n);
	EXPECT_U64(1, stats.artists_n);
	shelf_fini(&s); /* checks flags and counts */
}
