/* SPDX-License-Identifier: MIT */
/* What the patterns leave out, by scan and by watch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "rig.h"

static struct rig rig;

static void set_exclude(const char *const *patterns, size_t n)
{
	rig.options.exclude = patterns;
	rig.options.exclude_n = n;
}

static void set_include(const char *const *patterns, size_t n)
{
	rig.options.include = patterns;
	rig.options.include_n = n;
}

static void make_tree(void)
{
	rig_open(&rig);
	rig_sh("mkdir -p media/A/Trash/deep media/B/sub 'media/C' &&"
	       "for f in A/one.mp3 A/two.flac A/Trash/x.mp3 A/Trash/deep/y.mp3 B/b.mp3 B/sub/c.mp3 "
	       "C/cover.jpg C/song.mp3 C/part.tmp.mp3; do echo \"$f\" > media/$f; done");
}

TEST(choice, excluded_files_and_directories_are_not_there)
{
	char inbox[600];
	const char *exclude[] = { "*.tmp.*", "**/Trash/**", inbox };

	make_tree();
	snprintf(inbox, sizeof inbox, "%s/media/B/*/", test_tmpdir());
	set_exclude(exclude, ARRAY_LEN(exclude));
	rig_scan(&rig);
	EXPECT(rig_id(&rig, "media/A/one.mp3") != 0);
	EXPECT(rig_id(&rig, "media/B/b.mp3") != 0);
	EXPECT_U64(0, rig_id(&rig, "media/A/Trash/x.mp3"));
	EXPECT_U64(0, rig_id(&rig, "media/A/Trash/deep/y.mp3"));
	EXPECT_U64(0, rig_id(&rig, "media/B/sub/c.mp3"));
	EXPECT_U64(0, rig_id(&rig, "media/C/part.tmp.mp3"));
	EXPECT_U64(4, rig_files(&rig)); /* the cover is the album's */
	rig_close(&rig);
}

TEST(choice, only_what_is_included_is_served_with_its_cover)
{
	const char *include[] = { "*.flac", "C/" };

	make_tree();
	set_include(include, ARRAY_LEN(include));
	rig_scan(&rig);
	EXPECT(rig_id(&rig, "media/A/two.flac") != 0);
	EXPECT(rig_id(&rig, "media/C/song.mp3") != 0);
	EXPECT_U64(3, rig_files(&rig));
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "art_path") != NULL);
	free(dump);
	rig_close(&rig);
}

TEST(choice, a_cover_that_is_not_included_is_still_the_cover)
{
	const char *include[] = { "*.mp3" };

	make_tree();
	set_include(include, ARRAY_LEN(include));
	rig_scan(&rig);
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "C/cover.jpg canonical") == NULL);
	EXPECT(strstr(dump, "art_path") != NULL);
	free(dump);
	rig_close(&rig);
}

TEST(choice, what_a_new_pattern_excludes_goes_and_comes_back_without_it)
{
	const char *exclude[] = { "Trash", "*.flac" };

	make_tree();
	rig_scan(&rig);
	uint64_t all = rig_files(&rig);
	uint64_t kept = rig_id(&rig, "media/A/one.mp3");
	set_exclude(exclude, ARRAY_LEN(exclude));
	rig_scan(&rig);
	EXPECT_U64(all - 3, rig_files(&rig));
	EXPECT_U64(3, rig.progress.removed_n);
	EXPECT_U64(kept, rig_id(&rig, "media/A/one.mp3"));
	set_exclude(NULL, 0);
	rig_scan(&rig);
	EXPECT_U64(all, rig_files(&rig));
	rig_close(&rig);
}

/* The admin says so: no disk has gone. */
TEST(choice, an_excluded_disk_goes_although_it_is_another_file_system)
{
	const char *exclude[] = { "disk/" };

	rig_private_mounts();
	rig_open(&rig);
	rig_sh("mkdir media/disk && mount -t tmpfs none media/disk && echo x > media/disk/a.mp3 &&"
	       "echo x > media/b.mp3");
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	set_exclude(exclude, 1);
	rig_scan(&rig);
	EXPECT_U64(1, rig_files(&rig));
	rig_close(&rig);
}

TEST(choice, watching_takes_what_a_scan_takes)
{
	const char *exclude[] = { "*.part.mp3", "Trash/", "x?.mp3" };
	const char *include[] = { "*.mp3" };

	make_tree();
	set_exclude(exclude, ARRAY_LEN(exclude));
	set_include(include, ARRAY_LEN(include));
	rig_watch(&rig);
	rig_sh("echo 1 > media/A/new.mp3; echo 2 > media/A/new.part.mp3; echo 3 > media/A/new.flac;"
	       "echo 4 > media/A/Trash/new.mp3; mkdir -p media/D/Trash media/D/E;"
	       "echo 5 > media/D/Trash/t.mp3; echo 6 > media/D/E/e.mp3; mv media/B media/Trash;"
	       "mv media/A/one.mp3 media/A/x1.mp3; mv media/A/Trash media/A/Kept");
	EXPECT(rig_wait_for(&rig, "media/D/E/e.mp3", true));
	struct rig other;
	rig_open_other(&other, &rig, "other");
	rig_scan(&other);
	char *want = rig_dump(&other);
	EXPECT(rig_wait_equal(&rig, want));
	EXPECT(strstr(want, "Kept/deep/y.mp3") && !strstr(want, "x1.mp3") &&
	       !strstr(want, "Trash"));
	free(want);
	rig_close(&other);
	rig_close(&rig);
}

TEST(choice, a_wrong_pattern_is_said_at_the_start)
{
	struct scanner *s = NULL;
	struct err_info info = { 0 };

	rig_open(&rig);
	const char *exclude[] = { "[" };
	struct scanner_options options = { .library = rig.library,
					   .roots = rig.roots,
					   .roots_n = 1,
					   .exclude = exclude,
					   .exclude_n = 1,
					   .probe_program = SCANNER_PROBE };
	EXPECT_ERR(ERR_INVALID, scanner_start(&options, &s, &info));
	EXPECT(strstr(info.text, "scanner.exclude") != NULL);
	rig_close(&rig);
}

TEST(choice, files_without_an_extension_are_chosen_like_others)
{
	const char *exclude[] = { "Trash/", "*.part" };
	const char *include[] = { "*.mp3", "Takes/" };

	rig_open(&rig);
	rig_media("cbr.mp3", "media/song.mp3");
	rig_sh("cd media; mkdir Trash Takes; cp song.mp3 Trash/one; cp song.mp3 Takes/one;"
	       "cp song.mp3 one");
	set_exclude(exclude, ARRAY_LEN(exclude));
	set_include(include, ARRAY_LEN(include));
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	EXPECT(rig_id(&rig, "media/Takes/one") != 0);
	rig_close(&rig);
}
