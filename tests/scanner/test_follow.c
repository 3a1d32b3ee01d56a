/* SPDX-License-Identifier: MIT */
/* Watching: the library follows the disk, and ends equal to a fresh scan of it. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "harness.h"
#include "probe/probe.h"
#include "rig.h"

static struct rig rig;

/* What a scan into an empty library gives. */
static char *fresh_scan(const char *name)
{
	struct rig other;

	rig_open_other(&other, &rig, name);
	rig_scan(&other);
	char *dump = rig_dump(&other);
	rig_close(&other);
	return dump;
}

static void expect_equal(const char *name)
{
	char *want = fresh_scan(name);

	EXPECT(rig_wait_equal(&rig, want));
	free(want);
}

/* A second root, for files that tell how far the scanner has come. */
static void open_with_marks(void)
{
	static char marks[512];

	rig_open(&rig);
	rig_sh("mkdir marks");
	snprintf(marks, sizeof marks, "%s/marks", test_tmpdir());
	rig.roots[rig.roots_n++] = marks;
}

/* What has changed before this is now dealt with: removals are the end of a round. */
static void catch_up(void)
{
	rig_sh("echo x > marks/mark.mp3");
	EXPECT(rig_wait_for(&rig, "marks/mark.mp3", true));
	rig_sh("rm marks/mark.mp3");
	EXPECT(rig_wait_for(&rig, "marks/mark.mp3", false));
}

TEST(follow, new_file_is_there_at_once_and_like_a_scanned_one)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/A/one.mp3");
	rig_watch(&rig);
	rig_media("vbr.mp3", "media/A/two.mp3");
	uint64_t begin_ms = clock_now_ms();
	EXPECT(rig_wait_for(&rig, "media/A/two.mp3", true));
	printf("# %llu ms\n", (unsigned long long)(clock_now_ms() - begin_ms));
	rig_sh("echo x > media/A/cover.jpg");
	expect_equal("other");
	rig_close(&rig);
}

TEST(follow, media_without_an_extension_comes_and_goes_with_its_content)
{
	open_with_marks();
	rig_media("cbr.mp3", "media/A/one.mp3");
	rig_sh("echo words > media/A/README; mkdir outside");
	rig_media("film.mp4", "outside/film");
	rig_watch(&rig);
	rig_media("vbr.mp3", "media/A/two");
	uint64_t begin_ms = clock_now_ms();
	EXPECT(rig_wait_for(&rig, "media/A/two", true));
	printf("# %llu ms\n", (unsigned long long)(clock_now_ms() - begin_ms));
	rig_sh("mv outside/film media/A; cp media/A/README media/A/LICENSE");
	EXPECT(rig_wait_for(&rig, "media/A/film", true));
	expect_equal("other");
	rig_sh("exec 3>media/A/slow; head -c 3000 media/A/one.mp3 >&3; sleep 0.3;"
	       "tail -c +3001 media/A/one.mp3 >&3");
	EXPECT(rig_wait_for(&rig, "media/A/slow", true));
	rig_sh("echo words > media/A/two; cat media/A/one.mp3 > media/A/README; rm media/A/film;"
	       "mv media/A/slow media/A/fast");
	EXPECT(rig_wait_for(&rig, "media/A/README", true));
	EXPECT(rig_wait_for(&rig, "media/A/two", false));
	EXPECT(rig_wait_for(&rig, "media/A/film", false));
	EXPECT(rig_wait_for(&rig, "media/A/fast", true));
	expect_equal("another");
	EXPECT_U64(0, rig_id(&rig, "media/A/LICENSE"));
	rig_close(&rig);
}

/* As releases have them: Subs/Film/2_English.srt, and VobSub's pairs. */
TEST(follow, subtitles_below_are_followed)
{
	open_with_marks();
	rig_media("film.mp4", "media/A/one.mp4");
	rig_media("film.mp4", "media/A/two.mp4");
	rig_sh("mkdir -p media/A/Subs/two");
	rig_watch(&rig);
	catch_up();
	rig_sh("echo x > media/A/Subs/two/2_English.srt; mkdir media/A/Subs/one");
	catch_up();
	rig_sh("echo x > media/A/Subs/one/3_French.srt; echo x > media/A/one.de.idx;"
	       "echo x > media/A/one.de.sub");
	catch_up();
	char *dump = rig_dump(&rig);
	EXPECT(strstr(dump, "Subs/two/2_English.srt language=English") != NULL);
	EXPECT(strstr(dump, "Subs/one/3_French.srt language=French") != NULL);
	EXPECT(strstr(dump, "one.de.idx language=de") != NULL);
	EXPECT(strstr(dump, "one.de.sub") == NULL);
	free(dump);
	expect_equal("other");
	rig_sh("rm -r media/A/Subs/one media/A/one.de.idx");
	catch_up();
	expect_equal("another");
	rig_close(&rig);
}

/* Some programs move a file by a second name and the removal of the first. It is complete, and no
 * close will ever come. */
TEST(follow, files_moved_by_link_and_unlink_are_not_waited_for)
{
	char from[64], to[64];

	rig_open(&rig);
	rig_sh("mkdir outside");
	rig_media("cbr.mp3", "outside/0.mp3");
	rig_sh("for i in $(seq 1 50); do cp outside/0.mp3 outside/$i.mp3; done;"
	       "touch -d @1000000000 outside/*"); /* written before it got its name */
	rig_watch(&rig);
	for (int i = 1; i <= 50; i++) {
		snprintf(from, sizeof from, "outside/%d.mp3", i);
		snprintf(to, sizeof to, "media/%d.mp3", i);
		EXPECT(link(from, to) == 0 && unlink(from) == 0);
	}
	for (int i = 1; i <= 50; i++) {
		snprintf(to, sizeof to, "media/%d.mp3", i);
		EXPECT(rig_wait_for(&rig, to, true));
	}
	rig_close(&rig);
}

TEST(follow, file_is_not_taken_before_it_is_closed)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/A/one.mp3");
	rig_watch(&rig);
	rig_sh("mkfifo rest");
	rig_sh("(head -c 3000 media/A/one.mp3; cat rest) > media/A/slow.mp3 &");
	rig_sh("until [ -s media/A/slow.mp3 ]; do sleep 0.01; done");
	rig_media("vbr.mp3", "media/A/two.mp3");
	EXPECT(rig_wait_for(&rig, "media/A/two.mp3", true));
	EXPECT_U64(0, rig_id(&rig, "media/A/slow.mp3"));
	rig_sh("tail -c +3001 media/A/one.mp3 > rest");
	EXPECT(rig_wait_for(&rig, "media/A/slow.mp3", true));
	expect_equal("other");
	rig_close(&rig);
}

TEST(follow, moved_file_and_directory_keep_their_ids)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/A/B/one.mp3");
	rig_media("vbr.mp3", "media/A/B/C/two.mp3");
	rig_watch(&rig);
	uint64_t one = rig_id(&rig, "media/A/B/one.mp3");
	uint64_t two = rig_id(&rig, "media/A/B/C/two.mp3");
	rig_sh("mv media/A/B/one.mp3 media/uno.mp3");
	EXPECT(rig_wait_for(&rig, "media/uno.mp3", true));
	EXPECT_U64(one, rig_id(&rig, "media/uno.mp3"));
	rig_sh("mv media/A media/Z");
	EXPECT(rig_wait_for(&rig, "media/Z/B/C/two.mp3", true));
	EXPECT_U64(two, rig_id(&rig, "media/Z/B/C/two.mp3"));
	/* The moved directories are still watched. */
	rig_media("sound.flac", "media/Z/B/C/three.flac");
	EXPECT(rig_wait_for(&rig, "media/Z/B/C/three.flac", true));
	rig_sh("rm media/Z/B/C/two.mp3");
	EXPECT(rig_wait_for(&rig, "media/Z/B/C/two.mp3", false));
	expect_equal("other");
	rig_close(&rig);
}

TEST(follow, directories_filled_while_they_are_made_are_complete)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "one.mp3");
	rig_watch(&rig);
	rig_sh("cd media; for i in 1 2 3 4 5 6 7 8; do mkdir -p $i/a/b; cp ../one.mp3 $i/a/b/x.mp3;"
	       "cp ../one.mp3 $i/y.mp3; done");
	expect_equal("other");
	EXPECT_U64(16, rig_files(&rig));
	rig_close(&rig);
}

TEST(follow, removed_directory_and_emptied_root_are_believed)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/A/B/one.mp3");
	rig_media("cbr.mp3", "media/two.mp3");
	rig_watch(&rig);
	rig_sh("rm -r media/A");
	EXPECT(rig_wait_for(&rig, "media/A/B/one.mp3", false));
	rig_sh("rm media/two.mp3");
	EXPECT(rig_wait_for(&rig, "media/two.mp3", false));
	rig_close(&rig);
}

TEST(follow, root_moved_away_keeps_its_files_and_comes_back)
{
	open_with_marks();
	rig_media("cbr.mp3", "media/A/one.mp3");
	rig_watch(&rig);
	rig_sh("mv media gone");
	catch_up();
	EXPECT_U64(1, rig_files(&rig));
	rig_sh("mv gone media");
	rig_media("vbr.mp3", "media/A/two.mp3");
	EXPECT(rig_wait_for(&rig, "media/A/two.mp3", true));
	rig_close(&rig);
}

TEST(follow, nomedia_hides_and_shows_a_tree)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/A/B/one.mp3");
	rig_media("cbr.mp3", "media/A/two.mp3");
	rig_watch(&rig);
	rig_sh("touch media/A/.nomedia");
	EXPECT(rig_wait_for(&rig, "media/A/B/one.mp3", false));
	EXPECT(rig_wait_for(&rig, "media/A/two.mp3", false));
	rig_sh("rm media/A/.nomedia");
	EXPECT(rig_wait_for(&rig, "media/A/B/one.mp3", true));
	EXPECT(rig_wait_for(&rig, "media/A/two.mp3", true));
	rig_media("vbr.mp3", "media/A/B/three.mp3");
	EXPECT(rig_wait_for(&rig, "media/A/B/three.mp3", true));
	rig_close(&rig);
}

/* The removal of c/1.mp3 is carried out after `media` was found hidden. */
TEST(follow, removal_below_a_hidden_directory_does_not_watch_it_again)
{
	open_with_marks();
	rig_sh("mkdir media/c; echo x > media/c/1.mp3; echo x > media/c/2.mp3");
	rig_watch(&rig);
	rig_sh("rm media/c/1.mp3; touch media/.nomedia");
	EXPECT(rig_wait_for(&rig, "media/c/2.mp3", false));
	catch_up();
	rig_sh("echo x > media/c/3.mp3");
	catch_up();
	EXPECT_U64(0, rig_id(&rig, "media/c/3.mp3"));
	rig_sh("rm media/.nomedia");
	EXPECT(rig_wait_for(&rig, "media/c/3.mp3", true));
	expect_equal("other");
	rig_close(&rig);
}

/* The file is with the probe, and the store does not know its directory yet, when `media` is found
 * hidden. */
TEST(follow, file_that_is_hidden_before_it_is_stored_goes)
{
	open_with_marks();
	rig_sh("mkdir media/c");
	rig_watch(&rig);
	rig_sh("echo x > media/c/1.mp3; touch media/.nomedia");
	catch_up();
	EXPECT(rig_wait_for(&rig, "media/c/1.mp3", false));
	expect_equal("other");
	rig_close(&rig);
}

TEST(follow, temporary_names_and_rewritten_tags_are_followed)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/a.mp3");
	rig_watch(&rig);
	uint64_t a = rig_id(&rig, "media/a.mp3");
	rig_media("vbr.mp3", "media/a.mp3.tmp");
	rig_sh("mv media/a.mp3.tmp media/a.mp3"); /* how taggers and rsync save */
	rig_media("sound.flac", "media/b.flac.part");
	rig_sh("mv media/b.flac.part media/b.flac");
	EXPECT(rig_wait_for(&rig, "media/b.flac", true));
	expect_equal("other");
	EXPECT_U64(a, rig_id(&rig, "media/a.mp3"));
	rig_close(&rig);
}

/* The scanner's. */
static pid_t thread_id(void)
{
	DIR *d = opendir("/proc/self/task");
	char path[600], name[32];
	pid_t tid = 0;

	EXPECT(d != NULL);
	for (struct dirent *e; tid == 0 && (e = readdir(d));) {
		snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
		FILE *f = fopen(path, "re");
		if (f && fgets(name, sizeof name, f) && strcmp(name, "scanner\n") == 0)
			EXPECT(sscanf(e->d_name, "%d", &tid) == 1);
		if (f)
			fclose(f);
	}
	closedir(d);
	EXPECT(tid > 0);
	return tid;
}

/* What the kernel tells of the scanner's thread. */
static void read_thread(const char *file, char *out, size_t n)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/task/%d/%s", (int)thread_id(), file);
	FILE *f = fopen(path, "re");
	if (!f)
		test_skip("cannot see what a thread does");
	out[fread(out, 1, n - 1, f)] = '\0';
	fclose(f);
}

/* How often it has gone to sleep. */
static unsigned long long sleeps(void)
{
	unsigned long long n = 0;
	char text[4096];

	read_thread("status", text, sizeof text);
	const char *at = strstr(text, "\nvoluntary_ctxt_switches:");
	EXPECT(at && sscanf(at + 25, "%llu", &n) == 1);
	return n;
}

/* Is it waiting for its descriptors, and nothing else for a long time? */
static bool is_asleep(void)
{
	char text[256];
	unsigned long number, fds, fds_n, timeout;

	read_thread("syscall", text, sizeof text);
	if (sscanf(text, "%lu %lx %lx %lx", &number, &fds, &fds_n, &timeout) != 4)
		return false; /* "running" */
#ifdef SYS_poll
	return number == SYS_poll && ((int)timeout < 0 || (int)timeout > PROBE_IDLE_EXIT_MS / 2);
#else
	return number == SYS_ppoll; /* its time is behind a pointer */
#endif
}

TEST(follow, idle_scanner_sleeps)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/a.mp3");
	rig_watch(&rig);
	while (!is_asleep()) /* until the time limit of the case */
		usleep(20000);
	unsigned long long before = sleeps();
	uint64_t begin_ms = clock_now_ms();
	EXPECT(before > 0);
	usleep(2000000);
	unsigned long long after = sleeps();
	/* Once its idle workers are due, it may wake. */
	if (clock_now_ms() - begin_ms < PROBE_IDLE_EXIT_MS / 2)
		EXPECT_U64(before, after);
	rig_close(&rig);
}

TEST(follow, root_that_was_missing_is_found_when_it_comes)
{
	rig_open(&rig);
	rig.poll_ms = 200;
	rig_sh("rmdir media");
	rig_watch(&rig);
	rig_media("cbr.mp3", "later/A/one.mp3");
	rig_sh("mv later media");
	EXPECT(rig_wait_for(&rig, "media/A/one.mp3", true));
	rig_media("vbr.mp3", "media/A/two.mp3");
	EXPECT(rig_wait_for(&rig, "media/A/two.mp3", true));
	rig_close(&rig);
}

TEST(follow, disk_that_goes_and_comes_back_keeps_its_ids)
{
	open_with_marks();
	rig.poll_ms = 200;
	rig_private_mounts();
	rig_sh("mkdir media/usb disk && mount -t tmpfs none disk && mount --bind disk media/usb");
	rig_media("cbr.mp3", "media/usb/A/one.mp3");
	rig_media("cbr.mp3", "media/two.mp3");
	rig_watch(&rig);
	uint64_t one = rig_id(&rig, "media/usb/A/one.mp3");
	EXPECT(one != 0);
	rig_sh("umount -l media/usb");	    /* the tmpfs lives on in disk: no event says so */
	rig_sh("echo x > media/three.mp3"); /* look at what it was mounted in */
	EXPECT(rig_wait_for(&rig, "media/three.mp3", true));
	catch_up();
	EXPECT_U64(one, rig_id(&rig, "media/usb/A/one.mp3"));
	rig_sh("mount --bind disk media/usb");
	rig_media("vbr.mp3", "media/usb/A/three.mp3");
	rig_sh("touch media/two.mp3");
	EXPECT(rig_wait_for(&rig, "media/usb/A/three.mp3", true));
	EXPECT_U64(one, rig_id(&rig, "media/usb/A/one.mp3"));
	rig_close(&rig);
}

TEST(follow, without_watches_directories_are_polled)
{
	if (unshare(CLONE_NEWUSER) != 0)
		test_skip("no user namespaces");
	FILE *limit = fopen("/proc/sys/user/max_inotify_watches", "w");
	if (!limit || fprintf(limit, "2\n") < 0 || fclose(limit) != 0)
		test_skip("cannot set the limit of watches");
	rig_open(&rig);
	rig.poll_ms = 200;
	rig_media("cbr.mp3", "media/A/one.mp3");
	rig_media("cbr.mp3", "media/B/one.mp3");
	rig_sh("mkdir media/A/x media/B/x media/C");
	rig_watch(&rig);
	EXPECT_U64(2, rig.progress.watches_n);
	EXPECT_U64(2, rig_files(&rig));
	rig_sh("cp media/A/one.mp3 media/A/x/two.mp3; cp media/A/one.mp3 media/C/two.mp3;"
	       "rm media/B/one.mp3");
	EXPECT(rig_wait_for(&rig, "media/A/x/two.mp3", true));
	EXPECT(rig_wait_for(&rig, "media/C/two.mp3", true));
	EXPECT(rig_wait_for(&rig, "media/B/one.mp3", false));
	rig_close(&rig);
}

/* A process that holds the scanner's thread by ptrace until *out_release_fd is closed. */
static pid_t hold_scanner(int *out_release_fd)
{
	int held[2], release[2];
	pid_t tid = thread_id();
	char byte;

	EXPECT(pipe2(held, O_CLOEXEC) == 0 && pipe2(release, O_CLOEXEC) == 0);
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	pid_t holder = fork();
	if (holder == 0) {
		close(held[0]);
		close(release[1]);
		if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0 &&
		    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == 0 &&
		    waitpid(tid, NULL, __WALL) == tid && write(held[1], "x", 1) == 1 &&
		    read(release[0], &byte, 1) == 0)
			_exit(0); /* the thread goes on when this process ends */
		_exit(1);
	}
	close(held[1]);
	close(release[0]);
	if (holder < 0 || read(held[0], &byte, 1) != 1)
		test_skip("cannot hold a thread");
	close(held[0]);
	*out_release_fd = release[1];
	return holder;
}

/* More than the queue of events holds, so that whatever comes next is lost. */
static void fill_queue(void)
{
	unsigned queue_max = 0;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

	EXPECT(f && fscanf(f, "%u", &queue_max) == 1);
	fclose(f);
	for (unsigned i = 0; i <= queue_max; i++) /* alternating: equal ones in a row are merged */
		EXPECT(chmod(i % 2 ? "media/A/one.mp3" : "media/A/two.mp3", 0644) == 0);
}

TEST(follow, lost_events_cost_one_look_at_everything)
{
	int release_fd = -1;

	rig_open(&rig);
	rig_media("cbr.mp3", "media/A/one.mp3");
	rig_media("vbr.mp3", "media/A/two.mp3");
	rig_sh("mkdir media/B");
	rig_watch(&rig);
	pid_t holder = hold_scanner(&release_fd);
	fill_queue();
	rig_sh("cp media/A/one.mp3 media/B/x.mp3; mv media/A media/Z; rm media/Z/two.mp3");
	close(release_fd);
	EXPECT(waitpid(holder, NULL, 0) == holder);
	expect_equal("other");
	EXPECT_U64(2, rig_files(&rig));
	rig_close(&rig);
}

/* Mounting raises no event of inotify. */
TEST(follow, disk_mounted_below_a_root_is_there_at_once)
{
	rig_private_mounts();
	rig_open(&rig);
	rig_sh("mkdir store media/disk; mount -t tmpfs none store; echo x > store/a.mp3;"
	       "echo x > media/keep.mp3");
	rig_watch(&rig);
	rig_sh("mount --bind store media/disk");
	EXPECT(rig_wait_for(&rig, "media/disk/a.mp3", true));
	uint64_t id = rig_id(&rig, "media/disk/a.mp3");
	rig_sh("umount media/disk; echo x > media/b.mp3");
	EXPECT(rig_wait_for(&rig, "media/b.mp3", true));
	rig_sh("echo y > store/c.mp3; mount --bind store media/disk");
	EXPECT(rig_wait_for(&rig, "media/disk/c.mp3", true));
	EXPECT_U64(id, rig_id(&rig, "media/disk/a.mp3"));
	expect_equal("other");
	rig_close(&rig);
}

/* ---- random changes -------------------------------------------------------------------------- */

static const char *random_directory(void)
{
	static const char *const directories[] = { "media",	"media/a",   "media/a/b", "media/c",
						   "media/c/d", "media/c/D", "media/e" };
	return directories[test_random() % ARRAY_LEN(directories)];
}

static const char *random_file(void)
{
	static const char *const files[] = {
		"1.mp3",    "2.mp3",	 "10.flac",  "A.mp3", "a.mp3",
		"film.mkv", "cover.jpg", "film.srt", "x.txt", "pic.png"
	};
	return files[test_random() % ARRAY_LEN(files)];
}

/* One shell command that may fail, and may take its time. Writing through one of several names of a
 * file raises no event for the others: so that is not done, and where another shell might make
 * names meanwhile, there are none. */
static void add_random_change(struct buf *b, unsigned i, bool links)
{
	const char *d = random_directory();
	const char *d2 = random_directory();
	const char *f = random_file();
	const char *f2 = random_file();

	switch (test_random() % 12) {
	case 0:
	case 1:
	case 2:
	case 3:
		buf_addf(b, "mkdir -p %s; find %s/%s -links +1 -delete; echo %u > %s/%s\n", d, d, f,
			 i, d, f);
		break;
	case 4:
		buf_addf(b, "rm -f %s/%s\n", d, f);
		break;
	case 5:
	case 6:
		buf_addf(b, "mv -f %s/%s %s/%s\n", d, f, d2, f2);
		break;
	case 7:
		buf_addf(b, "[ %s = media ] || mv -T %s %s\n", d, d, d2);
		break;
	case 8:
		buf_addf(b, "[ %s = media ] || rm -rf %s\n", d, d);
		break;
	case 9:
		buf_addf(b, "%s -f %s/%s %s/%s\n", links ? "ln" : "mv", d, f, d2, f2);
		break;
	case 10:
		buf_addf(b, "find %s/%s -links +1 -delete; touch -d @%u %s/%s\n", d, f, 1000000 + i,
			 d, f);
		break;
	case 11:
		if (test_random() % 4 == 0)
			buf_addf(b, "rm -f %s/.nomedia%s%s%s\n", d, i % 2 ? "; touch " : "",
				 i % 2 ? d : "", i % 2 ? "/.nomedia" : "");
		else
			buf_addf(b, "cp -r %s %s/copy; rm -rf %s/copy/copy/copy\n", d, d2, d2);
		break;
	}
	if (test_random() % 8 == 0)
		buf_addf(b, "sleep 0.0%02u\n", (unsigned)(test_random() % 60));
}

/* Many of them, as a shell script. */
static void write_random_changes(const char *name, unsigned round, bool links)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (unsigned i = 0; i < 60; i++)
		add_random_change(&b, round * 100 + i, links);
	FILE *f = fopen(name, "we");
	EXPECT(f && fputs(buf_cstr(&b), f) >= 0 && fclose(f) == 0);
	buf_fini(&b);
}

/* A disk that is taken out and put back in the midst of it. */
static void change_with_remounts(unsigned round)
{
	char name[32];

	rig_sh("rm -f media/.nomedia; mountpoint -q media/disk || mount --bind store media/disk");
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "remount%u-%u", round, i);
		write_random_changes(name, round, true);
		rig_sh("sh %s 2>/dev/null; find store -name '*.mp3' | sort | head -n %u | xargs -r "
		       "rm;"
		       "mkdir -p store/n%u; echo %u > store/n%u/%u.mp3; sleep 0.%u",
		       name, (unsigned)(test_random() % 3), i, round, i, round,
		       (unsigned)(test_random() % 10));
		rig_sh(i % 2 ? "mount --bind store media/disk" : "umount -l media/disk");
	}
	rig_sh("mount --bind store media/disk");
}

TEST_LIMIT(follow, random_changes_with_remounts_end_equal_to_a_fresh_scan, 280)
{
	char name[32];

	rig_private_mounts();
	rig_open(&rig);
	rig_sh("mkdir store media/disk; mount -t tmpfs none store; echo x > media/keep.mp3;"
	       "echo x > media/disk/under.mp3; echo x > store/0.mp3; mount --bind store "
	       "media/disk");
	rig_watch(&rig);
	for (unsigned round = 0; round < 4; round++) {
		change_with_remounts(round);
		snprintf(name, sizeof name, "fresh%u", round);
		expect_equal(name);
	}
	rig_close(&rig);
}

TEST_LIMIT(follow, random_changes_whose_events_are_lost_end_equal_to_a_fresh_scan, 280)
{
	char name[32];

	rig_open(&rig);
	rig_sh("echo x > media/keep.mp3; mkdir media/A; echo 1 > media/A/one.mp3;"
	       "echo 2 > media/A/two.mp3");
	rig_watch(&rig);
	for (unsigned round = 0; round < 3; round++) {
		int release_fd = -1;

		snprintf(name, sizeof name, "before%u", round);
		write_random_changes(name, round, false);
		rig_sh("sh %s 2>/dev/null; true", name); /* some of it is still to be dealt with */
		pid_t holder = hold_scanner(&release_fd);
		fill_queue();
		snprintf(name, sizeof name, "lost%u", round);
		write_random_changes(name, 10 + round, false);
		rig_sh("sh %s 2>/dev/null; true", name);
		close(release_fd);
		EXPECT(waitpid(holder, NULL, 0) == holder);
		snprintf(name, sizeof name, "fresh%u", round);
		expect_equal(name);
	}
	rig_close(&rig);
}

/* By so many shells at once. */
static void expect_random_changes_followed(unsigned shells_n)
{
	char name[32];

	rig_open(&rig);
	rig_sh("echo x > media/keep.mp3");
	rig_watch(&rig);
	for (unsigned round = 0; round < 6; round++) {
		for (unsigned i = 0; i < shells_n; i++) {
			snprintf(name, sizeof name, "changes%u-%u", round, i);
			write_random_changes(name, round, shells_n == 1);
		}
		rig_sh("for s in changes%u-*; do sh $s 2>/dev/null & done; wait", round);
		snprintf(name, sizeof name, "fresh%u", round);
		expect_equal(name);
	}
	/* What watching has made of it is also what a scan finds unchanged. */
	rig_stop(&rig);
	rig_scan(&rig);
	EXPECT_U64(0, rig.progress.stored_n);
	EXPECT_U64(0, rig.progress.removed_n);
	rig_close(&rig);
}

TEST_LIMIT(follow, random_changes_end_equal_to_a_fresh_scan, 280)
{
	expect_random_changes_followed(1);
}

TEST_LIMIT(follow, random_changes_by_two_at_once_end_equal_to_a_fresh_scan, 280)
{
	expect_random_changes_followed(2);
}

/* What comes during the scan is stored early, and looked at again. */
TEST_LIMIT(follow, random_changes_in_the_midst_of_scans_end_equal_to_a_fresh_scan, 280)
{
	char name[32];

	rig_open(&rig);
	rig_sh("mkdir media/large; cd media/large; seq 800 | xargs mkdir");
	struct scanner_options options = { .library = rig.library,
					   .roots = rig.roots,
					   .roots_n = 1,
					   .probe_workers = 2,
					   .watch = true,
					   .probe_program = SCANNER_PROBE };
	for (unsigned round = 0; round < 4; round++) {
		snprintf(name, sizeof name, "changes%u", round);
		write_random_changes(name, round, true);
		rig_sh("cd media/large; for i in *; do echo %u > $i/a.mp3; done", round);
		rig_sh("sh changes%u 2>/dev/null & echo $! > shell", round);
		EXPECT_OK(scanner_start(&options, &rig.scanner, NULL));
		EXPECT_OK(scanner_wait(rig.scanner, 100000));
		rig_sh("while kill -0 $(cat shell) 2>/dev/null; do sleep 0.05; done");
		snprintf(name, sizeof name, "fresh%u", round);
		expect_equal(name);
		rig_stop(&rig);
	}
	rig_scan(&rig);
	EXPECT_U64(0, rig.progress.stored_n);
	EXPECT_U64(0, rig.progress.removed_n);
	rig_close(&rig);
}
