/* SPDX-License-Identifier: MIT */
/* Whole scans of real trees: what is found, what is probed again, what keeps its id. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"
#include "probe/probe.h"
#include "rig.h"
#include "scanner/walk.h"
#include "schema/media_fb.h"
#include "schema/probe_fb.h"

static struct rig rig;

static void make_tree(void)
{
	rig_media("cbr.mp3", "media/Music/Artist/Album/01 one.mp3");
	rig_media("sound.flac", "media/Music/Artist/Album/02 two.flac");
	rig_media("sound.ogg", "media/Music/Artist/Album/03 three.ogg");
	rig_media("film.mp4", "media/Video/film.mp4");
	rig_sh("echo x > media/Video/film.en.srt; echo x > media/Music/Artist/Album/cover.jpg;"
	       "echo x > media/notes.txt; mkdir media/empty media/.hidden media/no;"
	       "cp media/Video/film.mp4 media/.hidden/; cp media/Video/film.mp4 media/no/;"
	       "touch media/no/.nomedia media/zero.mp3");
}

/* Folders that point at each other have as many paths as there are orders to walk them in. */
TEST(scan, links_below_links_below_links_are_enough)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/d0/one.mp3");
	rig_sh("cd media && for i in 1 2 3 4 5; do mkdir d$i; cp d0/one.mp3 d$i; done; "
	       "for i in 0 1 2 3 4 5; do for j in 0 1 2 3 4 5; do "
	       "[ $i = $j ] || ln -s ../d$j d$i/to$j; done; done");
	rig_scan(&rig);
	EXPECT_U64(6 + 6 * 5 + 6 * 5 * 4 + 6 * 5 * 4 * 3, rig_files(&rig));
	rig_close(&rig);
}

TEST(scan, finds_media_and_nothing_else)
{
	rig_open(&rig);
	make_tree();
	rig_scan(&rig);
	EXPECT_U64(4, rig_files(&rig));
	EXPECT_U64(4, rig.progress.found_n);
	EXPECT_U64(4, rig.progress.stored_n);
	EXPECT_U64(4, rig.progress.probed_n);
	EXPECT_U64(0, rig.progress.failed_n);
	EXPECT(rig_id(&rig, "media/Video/film.mp4") != 0);
	EXPECT(rig_id(&rig, "media/no/film.mp4") == 0);
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "film.en.srt language=en") != NULL);
	EXPECT(strstr(dump, "Album/cover.jpg") != NULL);
	EXPECT(strstr(dump, " probe_error=") == NULL);
	free(dump);
	rig_close(&rig);
}

TEST(scan, unchanged_library_is_not_probed_again)
{
	rig_open(&rig);
	make_tree();
	rig_scan(&rig);
	rig_reopen(&rig);
	rig_scan(&rig);
	EXPECT_U64(4, rig.progress.unchanged_n);
	EXPECT_U64(0, rig.progress.probed_n);
	EXPECT_U64(0, rig.progress.stored_n);
	EXPECT_U64(0, rig.progress.removed_n);
	rig_close(&rig);
}

/* A file that was written to has another time of change. (The lock names its owner.) */
TEST(scan, every_file_is_done_in_the_end_and_expected_the_next_time)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/A/one.mp3");
	rig_media("vbr.mp3", "media/two.mp3");
	rig_scan(&rig);
	EXPECT_U64(0, rig.progress.expected_n);
	EXPECT_U64(2, rig.progress.done_n);
	rig_media("vbr.mp3", "media/three.mp3");
	rig_sh("mv media/two.mp3 media/zwei.mp3; rm media/A/one.mp3");
	rig_scan(&rig);
	EXPECT_U64(2, rig.progress.expected_n);
	EXPECT_U64(2, rig.progress.found_n);
	EXPECT_U64(2, rig.progress.done_n);
	rig_close(&rig);
}

/* Of the same size and time: only the links tell. */
TEST(scan, links_that_lead_elsewhere_are_followed_anew)
{
	rig_open(&rig);
	rig_sh("mkdir x y; echo 1 > x/a.mp3; echo 2 > y/a.mp3; touch -d @1000000000 x/a.mp3 "
	       "y/a.mp3;"
	       "ln -s ../x/a.mp3 media/file.mp3; ln -s ../x media/dir");
	rig_scan(&rig);
	rig_scan(&rig);
	EXPECT_U64(2, rig.progress.unchanged_n);
	rig_sh("ln -snf ../y/a.mp3 media/file.mp3; ln -snf ../y media/dir");
	rig_scan(&rig);
	EXPECT_U64(2, rig.progress.stored_n);
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "/x/a.mp3") == NULL);
	free(dump);
	rig_scan(&rig);
	EXPECT_U64(0, rig.progress.stored_n);
	rig_close(&rig);
}

TEST(scan, unchanged_library_causes_no_write)
{
	rig_open(&rig);
	make_tree();
	rig_scan(&rig);
	rig_reopen(&rig);
	rig_sh("find db -type f ! -name lock -printf '%%p %%s %%C@\n' | sort > before");
	rig_scan(&rig);
	rig_reopen(&rig);
	rig_sh("find db -type f ! -name lock -printf '%%p %%s %%C@\n' | sort > after; cat before; "
	       "diff before after");
	rig_close(&rig);
}

TEST(scan, changed_new_and_removed_files_are_stored_and_the_rest_left_alone)
{
	rig_open(&rig);
	make_tree();
	rig_scan(&rig);
	uint64_t one = rig_id(&rig, "media/Music/Artist/Album/01 one.mp3");
	rig_media("vbr.mp3", "media/Music/Artist/Album/01 one.mp3");
	rig_media("sound.wav", "media/Music/new.wav");
	rig_sh("rm 'media/Music/Artist/Album/02 two.flac'; rm -r media/Video");
	rig_scan(&rig);
	EXPECT_U64(2, rig.progress.probed_n);
	EXPECT_U64(1, rig.progress.unchanged_n);
	EXPECT_U64(2, rig.progress.removed_n);
	EXPECT_U64(one, rig_id(&rig, "media/Music/Artist/Album/01 one.mp3"));
	EXPECT(rig_id(&rig, "media/Music/new.wav") != 0);
	EXPECT_U64(0, rig_id(&rig, "media/Video/film.mp4"));
	EXPECT_U64(3, rig_files(&rig));
	rig_close(&rig);
}

TEST(scan, moved_file_and_directory_keep_their_ids)
{
	rig_open(&rig);
	make_tree();
	rig_scan(&rig);
	uint64_t one = rig_id(&rig, "media/Music/Artist/Album/01 one.mp3");
	uint64_t two = rig_id(&rig, "media/Music/Artist/Album/02 two.flac");
	uint64_t film = rig_id(&rig, "media/Video/film.mp4");
	rig_sh("mv media/Video/film.mp4 media/Video/other.mp4; mv media/Music/Artist/Album "
	       "media/A");
	rig_scan(&rig);
	EXPECT_U64(one, rig_id(&rig, "media/A/01 one.mp3"));
	EXPECT_U64(two, rig_id(&rig, "media/A/02 two.flac"));
	EXPECT_U64(film, rig_id(&rig, "media/Video/other.mp4"));
	EXPECT_U64(0, rig_id(&rig, "media/Video/film.mp4"));
	EXPECT_U64(4, rig_files(&rig));
	EXPECT_U64(0, rig.progress.probed_n); /* the tags have titles */
	EXPECT_U64(0, rig.progress.removed_n);
	rig_close(&rig);
}

TEST(scan, number_of_a_deleted_file_makes_no_move)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/a.mp3");
	rig_scan(&rig);
	uint64_t a = rig_id(&rig, "media/a.mp3");
	rig_sh("rm media/a.mp3");
	rig_media("sound.flac", "media/b.flac"); /* ext4 gives it the same inode */
	rig_scan(&rig);
	EXPECT(rig_id(&rig, "media/b.flac") != 0);
	EXPECT(rig_id(&rig, "media/b.flac") != a);
	EXPECT_U64(1, rig_files(&rig));
	rig_close(&rig);
}

TEST(scan, one_file_moved_to_two_links_gives_two_records)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/a.mp3");
	rig_scan(&rig);
	uint64_t a = rig_id(&rig, "media/a.mp3");
	rig_sh("cd media; mv a.mp3 b.mp3; ln b.mp3 c.mp3");
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	EXPECT((rig_id(&rig, "media/b.mp3") == a) != (rig_id(&rig, "media/c.mp3") == a));
	rig_scan(&rig);
	EXPECT_U64(2, rig.progress.unchanged_n);
	rig_close(&rig);
}

TEST(scan, art_and_subtitles_that_come_and_go_change_the_record)
{
	rig_open(&rig);
	make_tree();
	rig_scan(&rig);
	rig_sh("rm media/Music/Artist/Album/cover.jpg; mkdir media/Video/Subs;"
	       "echo x > media/Video/Subs/film.fr.srt");
	rig_scan(&rig);
	EXPECT_U64(4, rig.progress.stored_n);
	EXPECT_U64(0, rig.progress.probed_n);
	EXPECT_U64(4, rig_files(&rig));
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "cover.jpg") == NULL);
	EXPECT(strstr(dump, "Subs/film.fr.srt language=fr") != NULL);
	free(dump);
	rig_scan(&rig);
	EXPECT_U64(4, rig.progress.unchanged_n);
	rig_close(&rig);
}

TEST(scan, pictures_are_photos_unless_they_are_the_albums)
{
	rig_open(&rig);
	rig_sh("mkdir -p media/Photos; cd media/Photos; for i in cover 1 2; do echo x > $i.jpg; "
	       "done");
	rig_scan(&rig);
	EXPECT_U64(3, rig_files(&rig));
	rig_media("cbr.mp3", "media/Photos/a.mp3");
	rig_scan(&rig);
	EXPECT_U64(3, rig_files(&rig)); /* cover.jpg is art now */
	EXPECT_U64(0, rig_id(&rig, "media/Photos/cover.jpg"));
	rig_close(&rig);
}

TEST(scan, names_are_bytes)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/x.mp3");
	rig_sh("cd media; mkdir \"$(printf 'D\\366ner')\";"
	       "cp x.mp3 \"$(printf 'D\\366ner/\\377\\376.mp3')\"; cp x.mp3 \"$(printf "
	       "'a\\nb.mp3')\";"
	       "cp x.mp3 \"$(printf '%%0240d' 7).mp3\"; cp x.mp3 ' '.mp3; cp x.mp3 'a\"b&<.mp3'");
	rig_scan(&rig);
	EXPECT_U64(6, rig_files(&rig));
	EXPECT(rig_id(&rig, "media/D\366ner/\377\376.mp3") != 0);
	rig_scan(&rig);
	EXPECT_U64(6, rig.progress.unchanged_n);
	rig_close(&rig);
}

TEST(scan, links_are_followed_and_loops_end)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/a/one.mp3");
	rig_media("cbr.mp3", "elsewhere/two.mp3");
	rig_sh("cd media; ln -s .. a/up; ln -s ../../media a/self; ln -s a b; ln -s ../elsewhere "
	       "out;"
	       "ln -s ../elsewhere/two.mp3 file.mp3; ln -s nothing dangling.mp3; ln -s loop.mp3 "
	       "loop.mp3");
	rig_scan(&rig);
	EXPECT(rig_id(&rig, "media/a/one.mp3") != 0);
	EXPECT(rig_id(&rig, "media/b/one.mp3") != 0);
	EXPECT(rig_id(&rig, "media/out/two.mp3") != 0);
	EXPECT(rig_id(&rig, "media/file.mp3") != 0);
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "elsewhere/two.mp3") != NULL);
	free(dump);
	uint64_t files = rig_files(&rig);
	rig_scan(&rig);
	EXPECT_U64(files, rig.progress.unchanged_n);
	EXPECT_U64(0, rig.progress.probed_n);
	rig_close(&rig);
}

TEST(scan, fifos_sockets_and_directories_named_like_media_are_no_files)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/a.mp3");
	rig_sh("cd media; mkfifo pipe.mp3; mkdir dir.mp3; ln -s pipe.mp3 link.mp3;"
	       "ln -s /dev/zero zero.mp3");
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	EXPECT_U64(0, rig.progress.failed_n);
	rig_close(&rig);
}

TEST(scan, broken_file_gets_a_record_of_its_name)
{
	rig_open(&rig);
	rig_sh("head -c 5000 /dev/urandom > media/noise.mp3; echo text > media/film.mkv");
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "title=film") != NULL);
	EXPECT(strstr(dump, "probe_error=") != NULL);
	free(dump);
	rig_scan(&rig);
	EXPECT_U64(0, rig.progress.probed_n);
	rig_close(&rig);
}

/* Scan with a helper that does not work, then with the good one: what is to show of the first is
 * one line in the log. */
static void scan_without_helper(const char *program)
{
	char path[512];

	make_tree();
	snprintf(path, sizeof path, "%s/%s", test_tmpdir(), program);
	rig.probe = path;
	EXPECT(freopen("log", "ae", stderr) != NULL);
	uint64_t begin_ms = clock_now_ms();
	rig_scan(&rig);
	EXPECT(clock_now_ms() - begin_ms < PROBE_TIMEOUT_MS); /* no file has waited for it */
	rig_sh("cat log; [ $(grep -c 'salver-probe cannot be started' log) = 1 ]");
	EXPECT_U64(4, rig_files(&rig));
	EXPECT_U64(4, rig.progress.stored_n);
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "title=02 two") != NULL);
	EXPECT(strstr(dump, " probe_error=7") != NULL);
	free(dump);
	/* Still out of order: looked at again, but nothing is new. */
	rig_scan(&rig);
	EXPECT_U64(4, rig.progress.probed_n);
	EXPECT_U64(0, rig.progress.stored_n);
	rig.probe = NULL;
	rig_scan(&rig);
	EXPECT_U64(4, rig.progress.stored_n);
	EXPECT_U64(4, rig_files(&rig));
	dump = rig_dump(&rig);
	EXPECT(strstr(dump, " probe_error=") == NULL);
	EXPECT(strstr(dump, " duration_ms=") != NULL);
	free(dump);
	rig_scan(&rig);
	EXPECT_U64(4, rig.progress.unchanged_n);
	EXPECT_U64(0, rig.progress.probed_n);
}

TEST(scan, missing_helper_is_not_the_fault_of_the_files)
{
	rig_open(&rig);
	scan_without_helper("no-such-helper");
	rig_close(&rig);
}

TEST(scan, helper_that_ends_at_once_is_not_the_fault_of_the_files)
{
	rig_open(&rig);
	rig_sh("ln -s /bin/false helper");
	scan_without_helper("helper");
	rig_close(&rig);
}

/* A record as an import leaves it: with facts, but not examined. */
static void put_imported(const char *path, const char *title)
{
	char full[512];
	struct stat st;
	struct batch *b;
	struct batch_result result;

	snprintf(full, sizeof full, "%s/%s", test_tmpdir(), path);
	EXPECT(stat(full, &st) == 0);
	struct media_file_in file = { .path = span_str(full),
				      .title = span_str(title),
				      .size = (uint64_t)st.st_size,
				      .modified = walk_time_ns(st.st_mtim),
				      .kind = MEDIA_KIND_AUDIO,
				      .probe_error = PROBE_STATUS_UNAVAILABLE };
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_root(b, span_str(rig.roots[0]), SPAN("")));
	EXPECT_OK(batch_put(b, &file));
	EXPECT_OK(library_submit_wait(rig.library, b, &result));
	EXPECT_OK(result.err);
}

TEST(scan, imported_facts_stay_until_the_file_can_be_read)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/one.mp3");
	rig_sh("echo x > media/folder.jpg");
	put_imported("media/one.mp3", "Imported");
	rig.probe = "/nowhere/salver-probe";
	rig_scan(&rig); /* its art is news, and nothing can read it */
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "title=Imported") != NULL);
	EXPECT(strstr(dump, "folder.jpg") != NULL);
	free(dump);
	rig.probe = NULL;
	rig_scan(&rig);
	EXPECT_U64(1, rig.progress.stored_n);
	dump = rig_dump(&rig);
	EXPECT(strstr(dump, "title=Imported") == NULL);
	EXPECT(strstr(dump, " probe_error=") == NULL);
	free(dump);
	rig_scan(&rig);
	EXPECT_U64(1, rig.progress.unchanged_n);
	rig_close(&rig);
}

TEST(scan, film_waits_for_the_module_that_reads_films)
{
	char path[512];

	rig_open(&rig);
	rig_media("cbr.mp3", "media/one.mp3");
	rig_media("film.mkv", "media/film.mkv");
	rig_sh("cp '%s' bare-helper", SCANNER_PROBE);
	snprintf(path, sizeof path, "%s/bare-helper", test_tmpdir());
	rig.probe = path;
	rig_scan(&rig);
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, " probe_error=7") != NULL);
	free(dump);
	rig.probe = NULL;
	rig_scan(&rig);
	EXPECT_U64(1, rig.progress.unchanged_n);
	EXPECT_U64(1, rig.progress.stored_n);
	dump = rig_dump(&rig);
	EXPECT(strstr(dump, " probe_error=") == NULL);
	free(dump);
	rig_close(&rig);
}

TEST(scan, file_that_was_not_examined_is_examined_where_it_has_moved_to)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/one.mp3");
	rig.probe = "/nowhere/salver-probe";
	rig_scan(&rig);
	uint64_t id = rig_id(&rig, "media/one.mp3");
	rig_sh("mkdir media/sub; mv media/one.mp3 media/sub/");
	rig.probe = NULL;
	rig_scan(&rig);
	EXPECT_U64(id, rig_id(&rig, "media/sub/one.mp3"));
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, " probe_error=") == NULL);
	free(dump);
	rig_close(&rig);
}

TEST(scan, root_that_is_gone_or_empty_keeps_its_files)
{
	rig_open(&rig);
	make_tree();
	rig_scan(&rig);
	uint64_t film = rig_id(&rig, "media/Video/film.mp4");
	rig_sh("mv media away");
	rig_scan(&rig);
	EXPECT_U64(4, rig_files(&rig));
	rig_sh("mkdir media");
	rig_scan(&rig);
	EXPECT_U64(4, rig_files(&rig));
	rig_sh("rmdir media; mv away media");
	rig_scan(&rig);
	EXPECT_U64(4, rig.progress.unchanged_n);
	EXPECT_U64(film, rig_id(&rig, "media/Video/film.mp4"));
	rig_close(&rig);
}

TEST(scan, root_that_is_gone_for_too_long_is_forgotten_also_over_a_restart)
{
	rig_open(&rig);
	rig_sh("mkdir media/A && echo x > media/A/a.mp3");
	rig_scan(&rig);
	rig_sh("mv media away");
	rig.options.grace_s = 3600;
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	rig_reopen(&rig);
	rig_sh("sleep 2.1");
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	rig.options.grace_s = 2;
	rig_scan(&rig);
	EXPECT_U64(0, rig_files(&rig));
	rig_sh("mv away media");
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	rig_close(&rig);
}

TEST(scan, grace_begins_anew_when_a_root_was_back)
{
	rig_open(&rig);
	rig_sh("echo x > media/a.mp3");
	rig.options.grace_s = 2;
	rig_scan(&rig);
	rig_sh("mv media away");
	rig_scan(&rig);
	rig_sh("sleep 2.1; mv away media");
	rig_scan(&rig);
	rig_sh("mv media away; mkdir media"); /* as a mount point without its disk is */
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	rig_sh("sleep 2.1");
	rig_scan(&rig);
	EXPECT_U64(0, rig_files(&rig));
	rig_close(&rig);
}

TEST(scan, root_that_may_not_be_read_is_kept_whatever_the_grace)
{
	rig_drop_root();
	rig_open(&rig);
	rig_sh("mkdir up && mv media up/media && ln -s up/media media && echo x > media/a.mp3");
	rig.options.grace_s = 1;
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	rig_sh("chmod 000 up/media");
	rig_scan(&rig);
	rig_sh("sleep 1.1");
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	rig_sh("chmod 700 up/media; chmod 000 up"); /* nor looked at */
	rig_scan(&rig);
	rig_sh("sleep 1.1");
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	rig_sh("chmod 700 up");
	rig_close(&rig);
}

/* A change that raises no event where we watch: by another name of the file, elsewhere. */
static void change_unseen(void)
{
	rig_sh("mkdir outside; echo x > outside/a; ln outside/a media/a.mp3; echo x > media/b.mp3");
}

static bool change_is_seen(void)
{
	char *before = rig_dump(&rig);
	bool seen = false;

	rig_sh("echo more >> outside/a");
	for (unsigned i = 0; i < 30 && !seen; i++) {
		char *now = rig_dump(&rig);
		seen = strcmp(before, now) != 0;
		free(now);
		rig_sh("sleep 0.1");
	}
	free(before);
	return seen;
}

TEST(scan, everything_is_looked_at_again_after_the_rescan_interval)
{
	rig_open(&rig);
	change_unseen();
	rig_watch(&rig);
	EXPECT(!change_is_seen());
	rig_stop(&rig);
	rig.options.rescan_ms = 200;
	rig_watch(&rig);
	EXPECT(change_is_seen());
	EXPECT(change_is_seen());
	rig_close(&rig);
}

TEST(scan, without_watching_the_rescan_interval_still_counts)
{
	rig_open(&rig);
	change_unseen();
	rig.options.rescan_ms = 200;
	rig_scan_on(&rig);
	EXPECT(change_is_seen());
	rig_close(&rig);
}

TEST(scan, disk_below_a_root_that_is_not_mounted_keeps_its_files)
{
	rig_open(&rig);
	rig_private_mounts();
	rig_media("cbr.mp3", "media/one.mp3");
	rig_sh("mkdir media/usb && mount -t tmpfs none media/usb");
	rig_media("cbr.mp3", "media/usb/A/two.mp3");
	rig_media("cbr.mp3", "media/usb/three.mp3");
	rig_scan(&rig);
	EXPECT_U64(3, rig_files(&rig));
	rig_sh("umount media/usb");
	rig_scan(&rig);
	EXPECT_U64(3, rig_files(&rig));
	rig_sh("rmdir media/usb"); /* as automounters do */
	rig_scan(&rig);
	EXPECT_U64(3, rig_files(&rig));
	/* Something else in its place is believed. */
	rig_media("cbr.mp3", "media/usb/four.mp3");
	rig_scan(&rig);
	EXPECT(rig_id(&rig, "media/usb/four.mp3") != 0);
	EXPECT_U64(0, rig_id(&rig, "media/usb/three.mp3"));
	rig_close(&rig);
}

TEST(scan, link_to_another_file_system_that_was_deleted_is_believed)
{
	rig_open(&rig);
	rig_private_mounts();
	rig_media("cbr.mp3", "media/one.mp3");
	rig_sh("mkdir disk && mount -t tmpfs none disk && ln -s ../disk media/link");
	rig_media("cbr.mp3", "disk/two.mp3");
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	rig_sh("rm media/link");
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	rig_close(&rig);
}

TEST(scan, root_that_is_configured_no_more_goes)
{
	static char other[512];

	rig_open(&rig);
	rig_media("cbr.mp3", "media/a.mp3");
	rig_media("cbr.mp3", "other/b.mp3");
	snprintf(other, sizeof other, "%s/other", test_tmpdir());
	rig.roots[rig.roots_n++] = other;
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	rig.roots_n = 1;
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	EXPECT(rig_id(&rig, "media/a.mp3") != 0);
	rig_close(&rig);
}

TEST(scan, root_inside_another_is_scanned_once)
{
	static char inner[512];

	rig_open(&rig);
	rig_media("cbr.mp3", "media/in/a.mp3");
	snprintf(inner, sizeof inner, "%s/media/in/", test_tmpdir());
	rig.roots[1] = rig.roots[0];
	rig.roots[0] = inner;
	rig.roots_n = 2;
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	EXPECT_U64(1, rig.progress.found_n);
	rig_close(&rig);
}

TEST(scan, directory_that_nobody_may_read_keeps_its_files)
{
	rig_drop_root();
	rig_open(&rig);
	rig_media("cbr.mp3", "media/a/one.mp3");
	rig_media("cbr.mp3", "media/two.mp3");
	rig_scan(&rig);
	rig_sh("chmod 0 media/a");
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	rig_sh("chmod 755 media/a; chmod 0 media/two.mp3; touch media/two.mp3");
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	EXPECT_U64(1, rig.progress.failed_n);
	rig_close(&rig);
}

TEST_LIMIT(scan, twenty_thousand_files_in_one_directory_and_a_thousand_directories, 300)
{
	rig_open(&rig);
	rig_sh("cd media; mkdir flat; cd flat; seq -f %%.0f.mp3 20000 | xargs -n 1000 sh -c "
	       "'for f; do echo x > $f; done' sh; cd ..; seq 1000 | xargs mkdir;"
	       "for i in $(seq 1000); do echo x > $i/a.mp3; done");
	uint64_t begin_ms = clock_now_ms();
	rig_scan(&rig);
	printf("# cold: %llu ms\n", (unsigned long long)(clock_now_ms() - begin_ms));
	EXPECT_U64(21000, rig_files(&rig));
	begin_ms = clock_now_ms();
	rig_scan(&rig);
	printf("# rescan: %llu ms\n",
	       (unsigned long long)(rig.progress.ended_ms - rig.progress.started_ms));
	EXPECT_U64(21000, rig.progress.unchanged_n);
	EXPECT_U64(0, rig.progress.probed_n);
	rig_sh("cd media; mv flat plat");
	uint64_t id = rig_id(&rig, "media/flat/7777.mp3");
	rig_scan(&rig);
	EXPECT_U64(id, rig_id(&rig, "media/plat/7777.mp3"));
	EXPECT_U64(21000, rig_files(&rig));
	EXPECT_U64(0, rig.progress.removed_n);
	rig_close(&rig);
}

/* Where a stop waited for the scan, all files would be stored. */
TEST(scan, stops_in_its_midst)
{
	rig_open(&rig);
	rig_sh("cd media; seq -f %%.0f.mp3 1000 | xargs -n 1000 sh -c "
	       "'for f; do echo x > $f; done' sh");
	struct scanner_options options = { .library = rig.library,
					   .roots = rig.roots,
					   .roots_n = 1,
					   .probe_workers = 1,
					   .watch = true,
					   .probe_program = SCANNER_PROBE };
	EXPECT_OK(scanner_start(&options, &rig.scanner, NULL));
	while (rig.progress.probed_n == 0) /* until the time limit of the case */
		scanner_progress_get(rig.scanner, &rig.progress);
	rig_stop(&rig);
	EXPECT(rig_files(&rig) < 700);
	rig_scan(&rig);
	EXPECT_U64(1000, rig_files(&rig));
	rig_close(&rig);
}

/* 40 files of 0.3 s each are 12 s of work. */
TEST(scan, new_file_is_stored_in_the_midst_of_a_long_scan)
{
	struct scanner_progress p;

	rig_open(&rig);
	rig_sh("cd media; for i in $(seq 10 49); do mkdir $i; echo x > $i/slow.mp3; done");
	struct scanner_options options = { .library = rig.library,
					   .roots = rig.roots,
					   .roots_n = 1,
					   .probe_workers = 1,
					   .watch = true,
					   .probe_program = BAD_PROBE };
	EXPECT_OK(scanner_start(&options, &rig.scanner, NULL));
	do
		scanner_progress_get(rig.scanner, &p);
	while (p.probed_n == 0);
	rig_sh("echo x > media/10/new.mp3; mkdir media/10/more; echo x > media/10/more/newer.mp3");
	EXPECT(rig_wait_for(&rig, "media/10/new.mp3", true));
	scanner_progress_get(rig.scanner, &p);
	EXPECT(p.scanning);
	EXPECT(rig_id(&rig, "media/49/slow.mp3") == 0);
	EXPECT_OK(scanner_wait(rig.scanner, 100000));
	EXPECT(rig_wait_for(&rig, "media/10/more/newer.mp3", true)); /* that waits */
	EXPECT_U64(42, rig_files(&rig));
	rig_close(&rig);
}

/* A library that became read-only stays so until it is opened again: nothing is tried meanwhile. */
TEST(scanner_follow, a_read_only_library_is_told_once_and_left_alone)
{
	struct rig r;
	rig_open(&r);
	rig_sh("printf x > media/a.mp3");
	rig_scan(&r);
	EXPECT_U64(1, rig_files(&r));
	rig_close(&r);
	rig_sh("for f in db/index-*.run; do printf xxxxxxxx | "
	       "dd of=$f bs=1 seek=1180 conv=notrunc status=none; done");
	struct library_options options = { .database_dir = "db", .check_at_open_bytes = 1 };
	EXPECT_OK(library_open(&options, &r.library, NULL));
	rig_sh("printf y > media/b.mp3");
	rig_watch(&r);
	struct scanner_progress p;
	scanner_progress_get(r.scanner, &p);
	EXPECT(p.refused);
	uint64_t found_n = p.found_n;
	rig_sh("printf z > media/c.mp3");
	for (unsigned i = 0; i < 100; i++, usleep(5000)) /* longer than an event takes */
		EXPECT_U64(0, rig_id(&r, "media/c.mp3"));
	scanner_progress_get(r.scanner, &p);
	EXPECT_U64(found_n, p.found_n);
	rig_close(&r);
	rig_reopen(&r); /* which makes the indexes anew */
	rig_scan(&r);
	EXPECT_U64(3, rig_files(&r));
	rig_close(&r);
}

/* Media without an extension, among what else has none. */
static void make_nameless(void)
{
	rig_media("cbr.mp3", "media/A/song");
	rig_media("film.mp4", "media/A/film");
	rig_media("picture.jpg", "media/B/photo");
	rig_sh("cd media; echo x > A/film.en.srt; echo 'a letter to somebody' > A/README;"
	       "echo 'The free encyclopedia, that anybody may change.' > A/NOTES; : > A/empty;"
	       "head -c 9000 /dev/zero > B/zeros; mkfifo B/fifo; cp A/song A/.hidden;"
	       "mkdir no; touch no/.nomedia; cp A/song no/; ln -s ../A/song B/link");
}

TEST(scan, media_without_an_extension_is_found_by_its_content)
{
	rig_open(&rig);
	make_nameless();
	rig_scan(&rig);
	EXPECT_U64(4, rig_files(&rig));
	EXPECT_U64(4, rig.progress.found_n);
	EXPECT_U64(4, rig.progress.done_n);
	EXPECT_U64(4, rig.progress.probed_n);
	EXPECT_U64(0, rig.progress.failed_n);
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "film.en.srt language=en") != NULL);
	EXPECT(strstr(dump, "mime_type=audio/mpeg") != NULL);
	EXPECT(strstr(dump, "mime_type=video/mp4") != NULL);
	EXPECT(strstr(dump, "mime_type=image/jpeg") != NULL);
	EXPECT(strstr(dump, " probe_error=") == NULL);
	free(dump);
	rig_reopen(&rig);
	rig_scan(&rig);
	EXPECT_U64(4, rig.progress.unchanged_n);
	EXPECT_U64(0, rig.progress.stored_n);
	EXPECT_U64(0, rig.progress.probed_n);
	char *report = rig_report(&rig);
	EXPECT(strstr(report, "otherType media/A/README\n") != NULL);
	EXPECT(strstr(report, "otherType media/B/zeros\n") != NULL);
	EXPECT(strstr(report, "empty media/A/empty\n") != NULL);
	EXPECT(strstr(report, "media/A/song") == NULL);
	free(report);
	rig_close(&rig);
}

TEST(scan, cover_beside_music_without_an_extension_is_no_photo)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/A/song");
	rig_media("picture.jpg", "media/A/cover.jpg");
	rig_media("picture.jpg", "media/B/cover.jpg");
	rig_sh("echo words > media/A/README; echo words > media/B/README");
	rig_scan(&rig);
	EXPECT_U64(0, rig_id(&rig, "media/A/cover.jpg"));
	EXPECT(rig_id(&rig, "media/B/cover.jpg") != 0);
	EXPECT_U64(2, rig_files(&rig));
	rig_close(&rig);
}

TEST(scan, media_without_an_extension_keeps_its_id_and_goes_when_it_is_text)
{
	rig_open(&rig);
	make_nameless();
	rig_scan(&rig);
	uint64_t song = rig_id(&rig, "media/A/song");
	uint64_t film = rig_id(&rig, "media/A/film");
	rig_sh("cd media; mv A/song B/tune; mv A/film A/film.mp4; echo 'only words' > B/photo;"
	       "rm B/link");
	rig_scan(&rig);
	EXPECT_U64(song, rig_id(&rig, "media/B/tune"));
	EXPECT_U64(film, rig_id(&rig, "media/A/film.mp4"));
	EXPECT_U64(0, rig_id(&rig, "media/B/photo"));
	EXPECT_U64(2, rig_files(&rig));
	rig_media("cbr.mp3", "media/A/README"); /* words that become music */
	rig_scan(&rig);
	EXPECT(rig_id(&rig, "media/A/README") != 0);
	EXPECT_U64(3, rig_files(&rig));
	EXPECT_U64(3, rig.progress.found_n);
	rig_close(&rig);
}

/* One that nobody may read is not known to be media: nothing is said, and nothing lost. */
TEST(scan, unreadable_files_without_an_extension_stay_as_they_are_known)
{
	rig_drop_root();
	rig_open(&rig);
	rig_media("cbr.mp3", "media/song");
	rig_sh("cd media; echo words > README; chmod 0 README");
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	EXPECT_U64(0, rig.progress.failed_n);
	rig_sh("cd media; touch song; chmod 0 song");
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	EXPECT_U64(1, rig.progress.failed_n);
	rig_close(&rig);
}
