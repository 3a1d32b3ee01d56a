/* SPDX-License-Identifier: MIT */
/* Playlist files of real trees: the walk and the watch give the same playlists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/path.h"
#include "harness.h"
#include "library/playlists.h"
#include "rig.h"
#include "scanner/playlist_file.h"
#include "schema/media_fb.h"

static struct rig rig;

static struct span below_case(struct span path)
{
	struct span here = span_str(test_tmpdir());

	return span_starts(path, here) ? span_skip(path, here.n + 1) : path;
}

static void add_playlist(struct buf *b, struct library_snap *sn, struct fb_table row)
{
	struct playlist_items items;
	struct playlist_item item;
	unsigned items_n = 0;

	buf_add(b, playlist_name(row));
	buf_add_str(b, " <");
	buf_add(b, below_case(playlist_path(row)));
	buf_add_str(b, ">:");
	library_playlist_items(sn, playlist_id(row), 0, &items);
	while (items_n++ < 8 && playlist_items_next(&items, &item)) {
		struct span place = item.media.pos ? media_file_path(item.media)
						   : playlist_entry_uri(item.entry);
		buf_add_str(b, item.media.pos ? " " : " (");
		buf_add(b, below_case(place));
		buf_add_str(b, item.media.pos ? "" : ")");
	}
	buf_add_char(b, '\n');
}

/* A line for each playlist with its first entries, in the order of their names. */
static const char *playlists_of(struct rig *r)
{
	static char text[8192];
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(r->library);
	struct playlist_cursor c;
	struct fb_table row;
	struct buf b;

	buf_init(&b, sizeof text - 1);
	library_playlists(sn, 0, &c);
	while (playlist_cursor_next(&c, &row))
		add_playlist(&b, sn, row);
	snprintf(text, sizeof text, "%s", buf_cstr(&b));
	buf_fini(&b);
	return text;
}

static void wait_for(const char *want)
{
	for (unsigned i = 0; i < 2000 && strcmp(want, playlists_of(&rig)) != 0; i++)
		usleep(5000);
	EXPECT_STR(want, playlists_of(&rig));
}

/* What a scan into an empty library gives. */
static void expect_like_fresh(const char *name)
{
	char want[8192];
	struct rig other;

	rig_open_other(&other, &rig, name);
	rig_scan(&other);
	snprintf(want, sizeof want, "%s", playlists_of(&other));
	rig_close(&other);
	wait_for(want);
}

static uint64_t id_of(const char *path)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);
	char full[1024];
	struct fb_table row;

	snprintf(full, sizeof full, "%s/%s", test_tmpdir(), path);
	return library_playlist_by_path(sn, span_str(full), &row) == ERR_OK ? playlist_id(row) : 0;
}

static void make_songs(void)
{
	rig_media("cbr.mp3", "media/A/one.mp3");
	rig_sh("cp media/A/one.mp3 media/A/two.mp3; cp media/A/one.mp3 media/three.mp3");
}

TEST(playlists, of_a_tree_are_imported_with_all_kinds_of_entries)
{
	rig_open(&rig);
	make_songs();
	rig_sh("mkdir media/lists;"
	       "printf '#EXTM3U\\n#PLAYLIST:Mix\\n../A/one.mp3\\n../three.mp3\\n../A/one.mp3\\n"
	       "none.mp3\\nhttp://radio/x\\n' > media/lists/mix.m3u;"
	       "printf "
	       "'[playlist]\\nFile2=../A/two.mp3\\nFile1=C:\\\\\\\\M\\\\\\\\A\\\\\\\\one.mp3\\n' "
	       "> media/lists/b.pls;"
	       "printf 'TITLE \"Disc\"\\nFILE \"one.mp3\" MP3\\nTRACK 01 AUDIO\\nINDEX 01 "
	       "00:00:00\\n' "
	       "> media/A/disc.cue;"
	       "printf '%%s\\n' \"$PWD/media/A/two.mp3\" other.m3u > media/Z.M3U8;"
	       "printf '#EXT-X-VERSION:3\\na.ts\\n' > media/hls.m3u8; echo x > media/.hidden.m3u");
	rig_scan(&rig);
	EXPECT_STR("b <media/lists/b.pls>: media/A/one.mp3 media/A/two.mp3\n"
		   "Disc <media/A/disc.cue>: media/A/one.mp3\n"
		   "Mix <media/lists/mix.m3u>: media/A/one.mp3 media/three.mp3 media/A/one.mp3 "
		   "(media/lists/none.mp3) (http://radio/x)\n"
		   "Z <media/Z.M3U8>: media/A/two.mp3\n",
		   playlists_of(&rig));
	EXPECT_U64(0, rig.progress.failed_n);
	rig_close(&rig);
}

/* A file that was read again has another time of access. */
TEST(playlists, that_are_unchanged_are_not_read_again)
{
	struct stat before, after;

	rig_open(&rig);
	make_songs();
	rig_sh("echo A/one.mp3 > media/x.m3u; printf 'C:\\\\no\\\\such.mp3\\n' > media/y.m3u;"
	       "touch -a -d @1000000000 media/*.m3u");
	rig_scan(&rig);
	rig_sh("touch -a -d @1000000000 media/*.m3u");
	rig_reopen(&rig);
	rig_scan(&rig);
	EXPECT(stat("media/x.m3u", &before) == 0 && stat("media/y.m3u", &after) == 0);
	EXPECT_I64(1000000000, before.st_atime);
	EXPECT_I64(1000000000, after.st_atime);
	rig_sh("echo A/two.mp3 >> media/x.m3u");
	uint64_t id = id_of("media/x.m3u");
	rig_scan(&rig);
	EXPECT_STR("x <media/x.m3u>: media/A/one.mp3 media/A/two.mp3\n"
		   "y <media/y.m3u>: (file:///C:/no/such.mp3)\n",
		   playlists_of(&rig));
	EXPECT_U64(id, id_of("media/x.m3u"));
	rig_sh("rm media/x.m3u");
	rig_scan(&rig);
	EXPECT_STR("y <media/y.m3u>: (file:///C:/no/such.mp3)\n", playlists_of(&rig));
	rig_close(&rig);
}

TEST(playlists, are_followed_and_keep_their_ids)
{
	rig_open(&rig);
	make_songs();
	rig_watch(&rig);
	rig_sh("mkdir media/lists; echo ../A/one.mp3 > media/lists/x.m3u");
	wait_for("x <media/lists/x.m3u>: media/A/one.mp3\n");
	uint64_t id = id_of("media/lists/x.m3u");
	rig_sh("echo ../three.mp3 >> media/lists/x.m3u");
	wait_for("x <media/lists/x.m3u>: media/A/one.mp3 media/three.mp3\n");
	rig_sh("mv media/lists/x.m3u media/lists/y.m3u");
	wait_for("y <media/lists/y.m3u>: media/A/one.mp3 media/three.mp3\n");
	EXPECT_U64(id, id_of("media/lists/y.m3u"));
	/* Entries mean files, wherever these go; the file is read again where it goes itself. */
	rig_sh("mv media/A/one.mp3 media/A/uno.mp3");
	wait_for("y <media/lists/y.m3u>: media/A/uno.mp3 media/three.mp3\n");
	rig_sh("mv media/A/uno.mp3 media/A/one.mp3");
	wait_for("y <media/lists/y.m3u>: media/A/one.mp3 media/three.mp3\n");
	rig_sh("mv media/lists media/l2");
	wait_for("y <media/l2/y.m3u>: media/A/one.mp3 media/three.mp3\n");
	EXPECT_U64(id, id_of("media/l2/y.m3u"));
	rig_sh("printf '../A/two.mp3\\n' > media/l2/new; mv media/l2/new media/l2/y.m3u");
	wait_for("y <media/l2/y.m3u>: media/A/two.mp3\n");
	EXPECT_U64(id, id_of("media/l2/y.m3u"));
	expect_like_fresh("other");
	rig_sh("rm -r media/l2");
	wait_for("");
	rig_close(&rig);
}

/* The playlist comes first, and names its files in ways that only files can settle. */
TEST(playlists, find_files_that_come_later)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "one.mp3");
	rig_watch(&rig);
	rig_sh("printf 'n.mp3\\nJ\\363ga.mp3\\nC:\\\\M\\\\A\\\\b.mp3\\n' > media/x.m3u");
	wait_for("x <media/x.m3u>: (media/n.mp3) (media/Jóga.mp3) (file:///C:/M/A/b.mp3)\n");
	rig_sh("mkdir media/A; cp one.mp3 media/A/b.mp3; cp one.mp3 media/n.mp3;"
	       "cp one.mp3 media/$(printf 'J\\363ga.mp3')");
	wait_for("x <media/x.m3u>: media/n.mp3 media/J\363ga.mp3 media/A/b.mp3\n");
	expect_like_fresh("other");
	rig_close(&rig);
}

TEST(playlists, name_files_in_old_character_sets)
{
	rig_open(&rig);
	rig_media("cbr.mp3", "media/one.mp3");
	rig_sh("cd media; mkdir Кино ソング; mv one.mp3 Кино/Группа.mp3;"
	       "cp Кино/*.mp3 ソング/歌.mp3; cp Кино/*.mp3 Jóga.mp3; cp Jóga.mp3 $(printf "
	       "'raw\\366.mp3');"
	       "printf '\\312\\350\\355\\356/\\303\\360\\363\\357\\357\\340.mp3\\n' > 1.m3u;"
	       "printf '\\203\\134\\203\\223\\203\\117\\134\\211\\314.mp3\\n' > 2.m3u;"
	       "printf 'J\\363ga.mp3\\nraw\\366.mp3\\n' > 3.m3u;"
	       "printf '\\357\\273\\277J\\303\\263ga.mp3\\r\\nraw\\303\\266.mp3\\r\\n' > 4.m3u8;"
	       "printf '\\377\\376J\\000\\363\\000g\\000a\\000.\\000m\\000p\\0003\\000' > 5.m3u");
	rig_scan(&rig);
	EXPECT_STR("1 <media/1.m3u>: media/Кино/Группа.mp3\n"
		   "2 <media/2.m3u>: media/ソング/歌.mp3\n"
		   "3 <media/3.m3u>: media/Jóga.mp3 media/raw\xf6.mp3\n"
		   "4 <media/4.m3u8>: media/Jóga.mp3 media/raw\xf6.mp3\n"
		   "5 <media/5.m3u>: media/Jóga.mp3\n",
		   playlists_of(&rig));
	rig_close(&rig);
}

TEST(playlists, go_with_nomedia_patterns_and_roots_but_not_with_a_disk)
{
	static char more[512];

	rig_open(&rig);
	rig_private_mounts();
	make_songs();
	rig_sh("mkdir media/disk media/lists more");
	snprintf(more, sizeof more, "%s/more", test_tmpdir());
	EXPECT(mount("none", "media/disk", "tmpfs", 0, NULL) == 0);
	rig_sh("mkdir media/disk/l; cp media/three.mp3 media/disk/d.mp3;"
	       "echo ../d.mp3 > media/disk/l/d.m3u; echo ../three.mp3 > media/lists/n.m3u;"
	       "echo /none.mp3 > more/r.m3u; echo three.mp3 > media/x.m3u");
	rig.roots[rig.roots_n++] = more;
	rig_scan(&rig);
	const char *all = "d <media/disk/l/d.m3u>: media/disk/d.mp3\n"
			  "n <media/lists/n.m3u>: media/three.mp3\n"
			  "r <more/r.m3u>: (/none.mp3)\n"
			  "x <media/x.m3u>: media/three.mp3\n";
	EXPECT_STR(all, playlists_of(&rig));
	EXPECT(umount("media/disk") == 0);
	rig_sh("mv more gone");
	rig_scan(&rig);
	EXPECT_STR(all, playlists_of(&rig));
	rig_sh("mkdir more"); /* as a package might */
	rig_scan(&rig);
	rig_sh("rmdir more; mv gone more; touch media/lists/.nomedia");
	rig.roots_n--;
	rig_scan(&rig);
	EXPECT_STR("d <media/disk/l/d.m3u>: media/disk/d.mp3\n"
		   "x <media/x.m3u>: media/three.mp3\n",
		   playlists_of(&rig));
	const char *exclude[] = { "x.*" };
	rig.options.exclude = exclude;
	rig.options.exclude_n = 1;
	rig_scan(&rig);
	EXPECT_STR("d <media/disk/l/d.m3u>: media/disk/d.mp3\n", playlists_of(&rig));
	rig_close(&rig);
}

TEST(playlists, that_are_none_are_left_alone)
{
	rig_open(&rig);
	make_songs();
	rig_sh("cd media; mkdir dir.m3u; mkfifo fifo.m3u; ln -s /dev/zero zero.m3u;"
	       "truncate -s 1G huge.m3u; ln -s loop.m3u loop.m3u; ln -s nothing.m3u gone.pls;"
	       "printf 'a.m3u\\nb.m3u\\nA/one.mp3\\n' > a.m3u; printf 'a.m3u\\n' > b.m3u;"
	       "printf '\\0\\0\\0\\nA/two.mp3\\n\\0' > nul.m3u; : > empty.m3u;"
	       "cp A/one.mp3 binary.m3u; ln -s a.m3u link.m3u");
	rig_scan(&rig);
	EXPECT_U64(1, rig.progress.failed_n); /* huge.m3u */
	EXPECT(id_of("media/huge.m3u") == 0 && id_of("media/zero.m3u") == 0);
	EXPECT(id_of("media/binary.m3u") != 0);
	EXPECT(strstr(playlists_of(&rig), "a <media/a.m3u>: media/A/one.mp3\nb <media/b.m3u>:\n"));
	EXPECT(strstr(playlists_of(&rig),
		      "empty <media/empty.m3u>:\nlink <media/link.m3u>: "
		      "media/A/one.mp3\nnul <media/nul.m3u>: media/A/two.mp3\n"));
	rig_close(&rig);
}

static uint64_t entries_of(const char *path)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(rig.library);

	return library_playlist_entries_n(sn, id_of(path));
}

TEST_LIMIT(playlists, may_be_as_long_as_a_playlist_may_be, 200)
{
	rig_open(&rig);
	make_songs();
	rig_sh("cd media; yes A/one.mp3 | head -n 3500 > long.m3u; yes a | head -n 400000 > "
	       "max.m3u");
	rig_scan(&rig);
	EXPECT_U64(3500, entries_of("media/long.m3u"));
	EXPECT_U64(PLAYLIST_ENTRIES_MAX, entries_of("media/max.m3u"));
	rig_sh("cd media; yes A/two.mp3 | head -n 2500 > long.m3u; echo A/one.mp3 > max.m3u");
	rig_scan(&rig);
	EXPECT_U64(2500, entries_of("media/long.m3u"));
	EXPECT_U64(1, entries_of("media/max.m3u"));
	rig_close(&rig);
}
