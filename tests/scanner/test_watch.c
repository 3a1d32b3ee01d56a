/* SPDX-License-Identifier: MIT */
/* Which directories become dirty, with real events. */
#include "scanner/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "harness.h"
#include "scanner/watch_tree.h"

static struct watch *w;
static struct watch_node *root;

static struct watch_node *enter(struct watch_node *parent, const char *name, const char *path)
{
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct watch_node *n = NULL;

	EXPECT(fd >= 0);
	EXPECT_OK(watch_enter(w, parent, 0, span_str(name), fd, &n));
	return n;
}

static void begin(void)
{
	EXPECT_OK(watch_new(&w));
	EXPECT(chdir(test_tmpdir()) == 0);
	root = enter(NULL, test_tmpdir(), ".");
}

static void shell(const char *command)
{
	EXPECT(system(command) == 0);
	watch_read(w);
}

/* Names of the dirty directories, in the order of their events. */
static const char *dirty(void)
{
	static char text[256];
	struct watch_node *n;
	struct buf b;

	buf_init(&b, sizeof text);
	while ((n = watch_take_dirty(w, UINT64_MAX))) {
		if (b.n > 0)
			buf_add_char(&b, ' ');
		size_t before = b.n;
		struct buf path;
		buf_init(&path, 4096);
		watch_add_path(n, &path);
		buf_add(&b, buf_span(&path));
		buf_fini(&path);
		if (b.n == before)
			buf_add_char(&b, '.');
	}
	snprintf(text, sizeof text, "%s", buf_cstr(&b));
	buf_fini(&b);
	return text;
}

TEST(watch, file_is_taken_when_it_is_closed_not_while_it_is_written)
{
	begin();
	int fd = open("a.mp3", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	watch_read(w);
	EXPECT_STR("", dirty());
	EXPECT(watch_is_written(w, root, SPAN("a.mp3")));
	EXPECT(write(fd, "x", 1) == 1);
	close(fd);
	watch_read(w);
	EXPECT(!watch_is_written(w, root, SPAN("a.mp3")));
	EXPECT_STR(".", dirty());
	watch_free(w);
}

TEST(watch, many_events_make_one_dirty_directory)
{
	begin();
	shell("for i in $(seq 300); do echo x > $i.mp3; done; rm 1.mp3; mv 2.mp3 3.mp3");
	EXPECT(watch_due_ms(w) <= clock_now_ms() + WATCH_QUIET_MS);
	EXPECT_STR(".", dirty());
	EXPECT_U64(UINT64_MAX, watch_due_ms(w));
	watch_free(w);
}

TEST(watch, new_file_does_not_wait_but_one_of_many_and_a_removed_one_do)
{
	begin();
	shell("echo x > a.mp3");
	EXPECT(watch_due_ms(w) <= clock_now_ms() + WATCH_SOON_MS);
	EXPECT_STR(".", dirty());
	w->marked_ms = clock_now_ms() + 100000; /* as if it were just now */
	uint64_t before_ms = clock_now_ms();
	shell("echo x > b.mp3");
	EXPECT(watch_due_ms(w) >= before_ms + WATCH_QUIET_MS);
	EXPECT_STR(".", dirty());
	w->marked_ms = 0;
	before_ms = clock_now_ms();
	shell("echo x > c.mp3; rm a.mp3; echo x > a.mp3");
	EXPECT(watch_due_ms(w) >= before_ms + WATCH_QUIET_MS);
	EXPECT_STR(".", dirty());
	watch_free(w);
}

TEST(watch, names_that_are_no_media_are_ignored)
{
	begin();
	shell("echo x > notes.txt; echo x > .hidden.mp3; mkdir .trash; mv notes.txt song.part");
	EXPECT_STR("", dirty());
	shell("mv song.part song.mp3");
	EXPECT_STR(".", dirty());
	shell("touch .nomedia");
	EXPECT_STR(".", dirty());
	shell("echo x > song.srt");
	EXPECT_STR(".", dirty());
	watch_free(w);
}

TEST(watch, hard_and_symbolic_links_are_complete_at_once)
{
	begin();
	shell("mkdir d; echo x > d/a.mp3; ln d/a.mp3 b.mp3");
	EXPECT_STR(".", dirty());
	shell("ln -s d/a.mp3 c.mp3");
	EXPECT_STR(".", dirty());
	shell("ln -s d e");
	EXPECT_STR(".", dirty());
	watch_free(w);
}

TEST(watch, file_moved_between_directories_makes_both_dirty)
{
	begin();
	shell("mkdir a b; echo x > a/1.mp3");
	enter(root, "a", "a");
	enter(root, "b", "b");
	EXPECT_STR(".", dirty());
	shell("mv a/1.mp3 b/");
	EXPECT_STR("a b", dirty());
	shell("touch b/1.mp3; chmod 600 b/1.mp3");
	EXPECT_STR("b", dirty());
	watch_free(w);
}

TEST(watch, moved_directory_is_forgotten_and_its_parent_dirty)
{
	begin();
	shell("mkdir -p a/b");
	struct watch_node *a = enter(root, "a", "a");
	enter(a, "b", "a/b");
	EXPECT_U64(3, watch_len(w));
	EXPECT_STR(".", dirty());
	shell("mv a c; echo x > c/b/1.mp3");
	EXPECT_U64(1, watch_len(w));
	EXPECT(!watch_find(w, root, SPAN("a")));
	EXPECT_STR(".", dirty());
	watch_sweep(w);
	/* Entered under its new name, it speaks again. */
	struct watch_node *c = enter(root, "c", "c");
	enter(c, "b", "c/b");
	shell("rm c/b/1.mp3");
	EXPECT_STR("c/b", dirty());
	shell("rm -r c");
	EXPECT_U64(1, watch_len(w));
	watch_free(w);
}

TEST(watch, directory_reached_twice_tells_both_places)
{
	begin();
	shell("mkdir a; ln -s a b");
	enter(root, "a", "a");
	enter(root, "b", "b");
	EXPECT_STR(".", dirty());
	shell("echo x > a/1.mp3");
	const char *both = dirty();
	EXPECT(span_eq(span_str(both), SPAN("a b")) || span_eq(span_str(both), SPAN("b a")));
	/* One way gone, the other still watches. */
	shell("rm b");
	EXPECT_STR(".", dirty());
	watch_sweep(w);
	shell("rm a/1.mp3");
	EXPECT_STR("a", dirty());
	watch_free(w);
}

TEST(watch, link_that_now_leads_elsewhere_is_entered_again)
{
	begin();
	shell("mkdir a c; ln -s a b");
	enter(root, "b", "b");
	EXPECT_STR(".", dirty());
	shell("ln -sfn c b");
	EXPECT(!watch_find(w, root, SPAN("b")));
	EXPECT_STR(".", dirty());
	watch_free(w);
}

TEST(watch, lost_events_are_told)
{
	unsigned queue_max = 0;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

	EXPECT(f && fscanf(f, "%u", &queue_max) == 1);
	fclose(f);
	begin();
	shell("touch a b");
	for (unsigned i = 0; i <= queue_max; i++) /* alternating: equal ones in a row are merged */
		EXPECT(chmod(i % 2 ? "a" : "b", 0600) == 0);
	watch_read(w);
	EXPECT(watch_take_overflow(w));
	EXPECT(!watch_take_overflow(w));
	watch_free(w);
}

TEST(watch, subtitles_below_make_the_films_directory_dirty)
{
	begin();
	shell("mkdir Subs");
	enter(root, "Subs", "Subs");
	dirty();
	shell("echo x > Subs/film.en.srt");
	EXPECT_STR("Subs .", dirty());
	watch_free(w);
}

TEST(watch, deleted_root_is_told)
{
	EXPECT_OK(watch_new(&w));
	EXPECT(chdir(test_tmpdir()) == 0);
	EXPECT(mkdir("r", 0755) == 0);
	root = enter(NULL, "r", "r");
	shell("rmdir r");
	EXPECT(watch_take_roots_changed(w));
	EXPECT(!watch_take_roots_changed(w));
	EXPECT_U64(0, watch_len(w));
	watch_sweep(w);
	watch_free(w);
}

TEST(watch, unkept_children_are_dropped)
{
	begin();
	shell("mkdir a b c");
	enter(root, "a", "a");
	struct watch_node *b = enter(root, "b", "b");
	enter(root, "c", "c");
	watch_unstamp(w);
	watch_keep(w, b);
	watch_drop_unkept(w, root);
	EXPECT_U64(2, watch_len(w));
	EXPECT(!watch_find(w, root, SPAN("a")));
	EXPECT(watch_find(w, root, SPAN("b")) == b);
	watch_free(w);
}

/* A walk is deep inside a tree when an event says that the tree has left. */
TEST(watch, directory_entered_deep_below_a_dropped_one_goes_with_it)
{
	begin();
	shell("mkdir -p a/b/c/d");
	dirty();
	struct watch_node *a = enter(root, "a", "a");
	struct watch_node *b = enter(a, "b", "a/b");
	watch_drop(w, a);
	struct watch_node *c = enter(b, "c", "a/b/c");
	enter(c, "d", "a/b/c/d");
	shell("echo x > a/b/c/x.mp3"); /* it is dirty */
	watch_sweep(w);
	EXPECT_U64(1, watch_len(w));
	shell("echo x > a/b/c/d/y.mp3");
	EXPECT_STR("", dirty());
	watch_free(w);
}

TEST(watch, unstored_files_of_a_directory_concern_all_above_it_until_they_are_stored)
{
	begin();
	shell("mkdir -p a/b c");
	struct watch_node *a = enter(root, "a", "a");
	struct watch_node *b = enter(a, "b", "a/b");
	struct watch_node *c = enter(root, "c", "c");
	EXPECT(!watch_is_unstored(w, root) && !watch_is_unstored(w, a));
	watch_set_unstored(w, a);
	EXPECT(watch_is_unstored(w, root) && watch_is_unstored(w, a));
	EXPECT(!watch_is_unstored(w, b) && !watch_is_unstored(w, c));
	watch_all_stored(w);
	EXPECT(!watch_is_unstored(w, root) && !watch_is_unstored(w, a));
	watch_free(w);
}

TEST(watch, thousands_of_directories_are_found_by_name)
{
	char name[32];

	begin();
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof name, "d%d", i);
		EXPECT(mkdir(name, 0755) == 0);
		enter(root, name, name);
	}
	EXPECT_U64(3001, watch_len(w));
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof name, "d%d", i);
		EXPECT(watch_find(w, root, span_str(name)) != NULL);
	}
	watch_free(w);
}

TEST(watch, large_directory_has_to_wait)
{
	begin();
	shell("echo x > a.mp3");
	root->not_before_ms = clock_now_ms() + 1000;
	EXPECT(!watch_take_dirty(w, clock_now_ms()));
	EXPECT_U64(root->not_before_ms, watch_due_ms(w));
	EXPECT(watch_take_dirty(w, root->not_before_ms) == root);
	watch_free(w);
}

TEST(watch, what_is_looked_at_early_stays_dirty_and_is_given_once)
{
	begin();
	EXPECT(!watch_peek_dirty(w, UINT64_MAX));
	shell("echo x > a.mp3");
	root->not_before_ms = clock_now_ms() + 100000;
	EXPECT(!watch_peek_dirty(w, clock_now_ms()));
	root->not_before_ms = 0;
	EXPECT(watch_peek_dirty(w, clock_now_ms()) == root);
	EXPECT(!watch_peek_dirty(w, clock_now_ms()));
	shell("echo x > b.mp3");
	EXPECT(watch_peek_dirty(w, clock_now_ms()) == root);
	EXPECT_STR(".", dirty());
	watch_free(w);
}
