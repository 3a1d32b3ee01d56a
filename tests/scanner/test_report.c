/* SPDX-License-Identifier: MIT */
/* What a scan passes over is reported with its reason, and what broke its examination is left
 * alone. */
#include "scanner/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "rig.h"

static struct rig rig;

static bool has(const char *report, const char *line)
{
	char text[600];

	int n = snprintf(text, sizeof text, "%s\n", line);
	for (const char *p = report; *p; p += strcspn(p, "\n") + 1)
		if (strncmp(p, text, (size_t)n) == 0)
			return true;
	printf("not in the report: %s\n%s", line, report);
	return false;
}

static unsigned lines(const char *report)
{
	unsigned n = 0;

	for (; *report; report++)
		n += *report == '\n';
	return n;
}

TEST(report, each_file_that_is_not_served_has_its_reason)
{
	const char *exclude[] = { "*.part", "Trash/" };

	rig_open(&rig);
	rig_media("cbr.mp3", "media/good.mp3");
	rig_sh("cd media; echo x > a.txt; mkfifo f.mp3; : > empty.mp3; ln -s nowhere l.mp3;"
	       "echo x > .hidden.mp3; echo x > b.part; mkdir Trash no sub; echo x > Trash/c.mp3;"
	       "touch no/.nomedia; echo x > sub/bad.mp3; ln -s .. sub/up; echo x > 'new\nline.txt';"
	       "cp good.mp3 subtitled.mkv; echo x > subtitled.srt; echo x > cover.jpg");
	rig.options.exclude = exclude;
	rig.options.exclude_n = ARRAY_LEN(exclude);
	rig_scan(&rig);
	rig_sh("cp media/good.mp3 media/late.mp3");
	char *report = rig_report(&rig);
	EXPECT(has(report, "otherType media/a.txt"));
	EXPECT(has(report, "special media/f.mp3"));
	EXPECT(has(report, "empty media/empty.mp3"));
	EXPECT(has(report, "deadLink media/l.mp3"));
	EXPECT(has(report, "hidden media/.hidden.mp3"));
	EXPECT(has(report, "excluded media/b.part"));
	EXPECT(has(report, "excluded media/Trash"));
	EXPECT(has(report, "nomedia media/no"));
	EXPECT(has(report, "linkLoop media/sub/up"));
	EXPECT(has(report, "otherType media/new#line.txt"));
	EXPECT(has(report, "pending media/late.mp3"));
	EXPECT(has(report, "notMedia media/sub/bad.mp3") ||
	       has(report, "broken media/sub/bad.mp3"));
	EXPECT_U64(12,
		   lines(report)); /* and nothing else: not the good, the subtitles, the cover */
	free(report);
	rig_close(&rig);
}

TEST(report, what_may_not_be_read_is_told)
{
	rig_drop_root();
	rig_open(&rig);
	rig_sh("cd media; mkdir d; echo x > d/a.mp3; echo x > b.mp3; chmod 0 d b.mp3");
	rig_scan(&rig);
	char *report = rig_report(&rig);
	EXPECT(has(report, "unreadable media/d"));
	EXPECT(has(report, "unreadable media/b.mp3"));
	EXPECT_U64(2, lines(report));
	free(report);
	rig_sh("chmod 700 media/d; rm -r media");
	report = rig_report(&rig);
	EXPECT(has(report, "rootAway media"));
	EXPECT_U64(1, lines(report));
	free(report);
	rig_close(&rig);
}

TEST(report, deep_trees_and_long_names_end_somewhere)
{
	rig_open(&rig);
	rig_sh("d=media; for i in $(seq 1 200); do mkdir d; cd d || exit 1; done; echo x > "
	       "deep.mp3;"
	       "cd %s; mv d media/d; echo x > media/d/d/ok.mp3;"
	       "echo x > media/$(printf 'n%%.0s' $(seq 1 251)).mp3",
	       test_tmpdir());
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	char *report = rig_report(&rig);
	EXPECT(strstr(report, "tooDeep media/d/d/") != NULL);
	free(report);
	rig_sh("rm -r media/d");
	rig_close(&rig);
}

TEST(report, asking_changes_nothing)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/good.mp3");
	rig_scan(&rig);
	rig_sh("rm media/good.mp3; echo x > media/new.mp3");
	struct library_stats before, after;
	library_stats_get(rig.library, &before);
	free(rig_report(&rig));
	library_stats_get(rig.library, &after);
	EXPECT_U64(before.commit, after.commit);
	EXPECT_U64(1, rig_files(&rig));
	rig_close(&rig);
}

static bool stop_at_once(void *ctx)
{
	(void)ctx;
	return false;
}

static void count_entry(void *ctx, struct span path, enum scan_reason reason)
{
	(void)path, (void)reason;
	++*(unsigned *)ctx;
}

TEST(report, ends_where_nobody_listens)
{
	unsigned n = 0;
	struct err_info info = { 0 };
	struct report_sink sink = { count_entry, stop_at_once, &n };

	rig_open(&rig);
	rig_sh("mkdir media/d; echo x > media/d/a.txt");
	struct scanner_options options = { .library = rig.library,
					   .roots = rig.roots,
					   .roots_n = 1 };
	EXPECT_ERR(ERR_CLOSED, scanner_report(&options, &sink, &info));
	EXPECT_U64(0, n);
	rig_close(&rig);
}

/* ---- quarantine ---- */

TEST(quarantine, a_file_that_crashes_its_examination_is_left_alone_until_it_changes)
{
	rig_open(&rig);
	rig_sh("echo x > media/crash.mp3; echo x > media/fine.mp3");
	rig.probe = BAD_PROBE;
	rig_scan(&rig);
	EXPECT_U64(2, rig_files(&rig));
	EXPECT_U64(1, rig.progress.quarantined_n);
	rig_reopen(&rig);
	rig_scan(&rig);
	EXPECT_U64(0, rig.progress.probed_n);
	EXPECT_U64(1, rig.progress.quarantined_n);
	char *report = rig_report(&rig);
	EXPECT(has(report, "crashed media/crash.mp3"));
	EXPECT_U64(1, lines(report));
	free(report);
	rig_sh("mv media/crash.mp3 media/renamed.mp3"); /* the same file still */
	rig_scan(&rig);
	EXPECT_U64(1, rig.progress.stored_n);
	rig_scan(&rig);
	EXPECT_U64(1, rig.progress.quarantined_n);
	rig_sh("echo more >> media/renamed.mp3");
	rig_scan(&rig);
	EXPECT_U64(1, rig.progress.probed_n);
	EXPECT_U64(0, rig.progress.quarantined_n);
	rig_close(&rig);
}

TEST(quarantine, retry_examines_it_again)
{
	rig_open(&rig);
	rig_sh("echo x > media/crash.mp3; echo x > media/fine.mp3");
	rig.probe = BAD_PROBE;
	rig_scan(&rig);
	rig.options.retry = true;
	rig_scan(&rig);
	EXPECT_U64(1, rig.progress.probed_n);
	EXPECT_U64(1, rig.progress.quarantined_n);
	rig.probe = NULL; /* mended */
	rig_scan(&rig);
	EXPECT_U64(1, rig.progress.probed_n);
	EXPECT_U64(0, rig.progress.quarantined_n);
	rig_close(&rig);
}
