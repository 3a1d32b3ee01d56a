/* SPDX-License-Identifier: MIT */
/* A database of the first version (tests/data/library-1: no kinds of directories, no album artists,
 * five indexes of files) opens, is brought up to date, and then says what a new one would. One of
 * the second (library-2, a log without index files: files of every kind are counted in the records
 * of their directories) opens and is changed as it is. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "library/listing.h"
#include "shelf.h"

static void copy_file(const char *from, const char *to)
{
	static char bytes[1 << 20];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT, 0600);
	EXPECT(in >= 0 && out >= 0);
	ssize_t n = read(in, bytes, sizeof bytes);
	EXPECT(n >= 0 && write(out, bytes, (size_t)n) == n);
	close(in);
	close(out);
}

static void copy_old_library(const char *from, const char *to)
{
	DIR *d = opendir(from);
	char from_path[512], to_path[512];
	EXPECT(d && mkdir(to, 0700) == 0);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(from_path, sizeof from_path, "%s/%s", from, e->d_name);
		snprintf(to_path, sizeof to_path, "%s/%s", to, e->d_name);
		copy_file(from_path, to_path);
	}
	closedir(d);
}

/* "title childCount|title|..." */
static const char *children(struct library_snap *sn, const char *id)
{
	static char text[2000];
	struct listing li;
	struct object o;
	size_t n = 0;
	text[0] = '\0';
	EXPECT_OK(library_list(sn, span_str(id), &li));
	uint64_t left = li.total;
	for (; listing_next(&li, &o); left--)
		n += (size_t)snprintf(text + n, sizeof text - n,
				      o.kind == OBJECT_CONTAINER ? "%s%.*s %u" : "%s%.*s",
				      n ? "|" : "", SPAN_ARG(o.title), o.child_count);
	EXPECT_U64(0, left);
	return text;
}

/* The writer brings it up to date before it takes a batch. */
static void wait_for_writer(struct shelf *s)
{
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_remove(b, SPAN("/m/nothing")));
	shelf_submit(s, b);
}

static void expect_all(struct shelf *s)
{
	struct library_snap *sn = library_snap_begin(s->lib);
	EXPECT_STR("Music 9|Video 3|Pictures 4|Browse Folders 4", children(sn, "0"));
	EXPECT_STR("All Music 21|Artists 3|Album Artists 2|Albums 5|Genres 1|Composers 1|Years 1|"
		   "Recently Added 21|Folders 2",
		   children(sn, "A"));
	EXPECT_STR("Artist 0 3|Various 2", children(sn, "AA"));
	EXPECT_STR("Composer 4", children(sn, "AC"));
	EXPECT_STR("mixed 1|music 2", children(sn, "AF"));
	EXPECT_STR("films 7|mixed 1", children(sn, "VF"));
	EXPECT_STR("mixed 1|photos 3", children(sn, "IF"));
	EXPECT_STR("All Videos 8|Recently Added 8|Folders 2", children(sn, "V"));
	EXPECT_STR("All Pictures 13|By Date 4|Recently Added 13|Folders 2", children(sn, "I"));
	library_snap_end(sn);
}

TEST(upgrade, an_old_database_opens_and_has_what_a_new_one_has)
{
	struct shelf s = { 0 };
	snprintf(s.dir, sizeof s.dir, "%s/db", test_tmpdir());
	copy_old_library(OLD_LIBRARIES "/library-1", s.dir);
	shelf_open(&s);
	EXPECT_U64(21, shelf_audio_n(&s));
	wait_for_writer(&s);
	expect_all(&s);
	unsigned commits_n = s.commits_n;
	EXPECT_U64(1, commits_n);
	shelf_reopen(&s);
	wait_for_writer(&s);
	EXPECT_U64(commits_n, s.commits_n); /* once is enough */
	expect_all(&s);
	shelf_fini(&s);
}

TEST(upgrade, a_change_before_or_while_it_runs_does_no_harm)
{
	struct shelf s = { 0 };
	snprintf(s.dir, sizeof s.dir, "%s/db", test_tmpdir());
	copy_old_library(OLD_LIBRARIES "/library-1", s.dir);
	shelf_open(&s);
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_remove_tree(b, SPAN("/m/films")));
	EXPECT_OK(batch_remove(b, SPAN("/m/mixed/a.mp3")));
	shelf_put(b, "/m/photos/0/new.mp3");
	shelf_submit(&s, b);
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_STR("music 2|photos 1", children(sn, "AF"));
	EXPECT_STR("mixed 1", children(sn, "VF"));
	library_snap_end(sn);
	shelf_fini(&s);
}

TEST(upgrade, counts_of_all_files_are_read_as_they_are)
{
	struct shelf s = { 0 };
	snprintf(s.dir, sizeof s.dir, "%s/db", test_tmpdir());
	copy_old_library(OLD_LIBRARIES "/library-2", s.dir);
	shelf_open(&s);
	wait_for_writer(&s);
	EXPECT_U64(0, s.commits_n);
	expect_all(&s);
	struct batch *b = shelf_batch();
	shelf_put(b, "/m/mixed/new.mp3");
	shelf_put(b, "/m/films/new.mp3");
	shelf_submit(&s, b);
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_STR("films 1|mixed 2|music 2", children(sn, "AF"));
	EXPECT_STR("films 7|mixed 1", children(sn, "VF"));
	EXPECT_STR("mixed 1|photos 3", children(sn, "IF"));
	library_snap_end(sn);
	b = shelf_batch();
	EXPECT_OK(batch_remove(b, SPAN("/m/mixed/new.mp3")));
	EXPECT_OK(batch_remove(b, SPAN("/m/films/new.mp3")));
	shelf_submit(&s, b);
	shelf_reopen(&s);
	expect_all(&s);
	shelf_fini(&s);
}
