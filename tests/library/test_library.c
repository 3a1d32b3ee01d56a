/* SPDX-License-Identifier: MIT */
/* The library's promises, one by one. */
#include <stdlib.h>

#include "base/thread.h"
#include "harness.h"
#include "library/apply.h"
#include "library/listing.h"

struct fixture {
	struct library *lib;
	char dir[256];
	struct library_change change;
	unsigned commits_n;
};

static void note_change(void *ctx, const struct library_change *change)
{
	struct fixture *fx = ctx;
	fx->change = *change;
	fx->commits_n++;
}

static void open_fixture(struct fixture *fx)
{
	struct library_options options = { .database_dir = fx->dir,
					   .on_commit = note_change,
					   .ctx = fx };
	EXPECT_OK(library_open(&options, &fx->lib, NULL));
}

static void fixture_init(struct fixture *fx)
{
	memset(fx, 0, sizeof *fx);
	snprintf(fx->dir, sizeof fx->dir, "%s/db", test_tmpdir());
	open_fixture(fx);
}

static void print_finding(void *ctx, const char *line)
{
	(void)ctx;
	printf("check: %s\n", line);
}

static void fixture_fini(struct fixture *fx)
{
	EXPECT_OK(library_check(fx->lib, print_finding, NULL));
	library_close(fx->lib);
}

static struct batch *new_batch(void)
{
	struct batch *b = NULL;
	EXPECT_OK(batch_new(&b));
	return b;
}

static struct batch *root_batch(void)
{
	struct batch *b = new_batch();
	EXPECT_OK(batch_root(b, SPAN("/m"), SPAN("music")));
	return b;
}

static struct batch_result submit(struct fixture *fx, struct batch *b)
{
	struct batch_result r = { .err = ERR_IO };
	EXPECT_OK(library_submit_wait(fx->lib, b, &r));
	return r;
}

static struct media_file_in song(const char *path, const char *title)
{
	return (struct media_file_in){ .path = span_str(path),
				       .title = span_str(title),
				       .kind = MEDIA_KIND_AUDIO,
				       .size = 1000 };
}

static void put(struct batch *b, const char *path, const char *title)
{
	struct media_file_in in = song(path, title);
	EXPECT_OK(batch_put(b, &in));
}

/* "id=title,id=title" of the first children. */
static const char *children(struct fixture *fx, const char *id)
{
	static char text[2000];
	struct library_snap *sn = library_snap_begin(fx->lib);
	struct listing li;
	struct object o;
	size_t n = 0;
	text[0] = '\0';
	EXPECT_OK(library_list(sn, span_str(id), &li));
	while (listing_next(&li, &o) && n < sizeof text - 200)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s=%.*s", n ? "," : "", o.id,
				      SPAN_ARG(o.title));
	library_snap_end(sn);
	return text;
}

static enum err get(struct fixture *fx, const char *id, struct object *out)
{
	struct library_snap *sn = library_snap_begin(fx->lib);
	enum err e = library_object_get(sn, span_str(id), out);
	library_snap_end(sn);
	return e;
}

static uint64_t id_of(struct fixture *fx, const char *path)
{
	struct library_snap *sn = library_snap_begin(fx->lib);
	struct fb_table row;
	uint64_t id =
		library_media_by_path(sn, span_str(path), &row) == ERR_OK ? media_file_id(row) : 0;
	library_snap_end(sn);
	return id;
}

TEST(library, a_new_one_shows_the_fixed_containers_and_nothing_else)
{
	struct fixture fx;
	struct object o;
	fixture_init(&fx);
	EXPECT_STR("A=Music,V=Video,I=Pictures,F=Browse Folders", children(&fx, "0"));
	EXPECT_STR("AT=All Music,AR=Artists,AL=Albums,AG=Genres,AY=Years", children(&fx, "A"));
	EXPECT_STR("VT=All Videos", children(&fx, "2"));
	EXPECT_STR("IT=All Pictures", children(&fx, "3"));
	EXPECT_STR("", children(&fx, "F"));
	EXPECT_OK(get(&fx, "0", &o));
	EXPECT_STR("-1", o.parent_id);
	EXPECT_U64(4, o.child_count);
	EXPECT_OK(get(&fx, "1", &o));
	EXPECT_STR("A", o.id);
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "d1", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "i1", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "", &o));
	fixture_fini(&fx);
}

TEST(library, one_root_stands_directly_under_folders_and_several_as_folders)
{
	struct fixture fx;
	struct object o;
	fixture_init(&fx);
	struct batch *b = root_batch();
	put(b, "/m/a/1.mp3", "One");
	put(b, "/m/2.mp3", "Two");
	EXPECT_U64(2, submit(&fx, b).put_n);
	EXPECT_STR("d2=a,i2=Two", children(&fx, "F"));
	EXPECT_STR("d2=a,i2=Two", children(&fx, "d1")); /* its own id leads there too */
	EXPECT_OK(get(&fx, "i2", &o));
	EXPECT_STR("F", o.parent_id);
	EXPECT_OK(get(&fx, "d2", &o));
	EXPECT_STR("F", o.parent_id);

	b = new_batch();
	EXPECT_OK(batch_root(b, SPAN("/films"), SPAN("My films")));
	submit(&fx, b);
	EXPECT_STR("d2=a,i2=Two", children(&fx, "F")); /* nothing in it yet */
	b = new_batch();
	struct media_file_in film = song("/films/x.mkv", "X");
	film.kind = MEDIA_KIND_VIDEO;
	EXPECT_OK(batch_put(b, &film));
	submit(&fx, b);
	EXPECT_STR("d1=music,d3=My films", children(&fx, "F"));
	EXPECT_OK(get(&fx, "i2", &o));
	EXPECT_STR("d1", o.parent_id);
	EXPECT_OK(get(&fx, "d2", &o));
	EXPECT_STR("d1", o.parent_id);

	b = new_batch();
	EXPECT_OK(batch_root(b, SPAN("/m"), SPAN("Renamed")));
	submit(&fx, b);
	EXPECT_STR("d3=My films,d1=Renamed", children(&fx, "F"));
	uint64_t commits_n = fx.commits_n;
	submit(&fx, root_batch());
	submit(&fx, root_batch()); /* the same once more: nothing to write */
	EXPECT_U64(commits_n + 1, fx.commits_n);
	fixture_fini(&fx);
}

TEST(library, folders_are_in_natural_order_with_sub_folders_first)
{
	struct fixture fx;
	fixture_init(&fx);
	struct batch *b = root_batch();
	static const char *const names[] = { "track 10.mp3", "Track 2.mp3", "\xc3\x84rzte.mp3",
					     "arzt.mp3",     "zz.mp3",	    "\xff.mp3" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[64];
		snprintf(path, sizeof path, "/m/%s", names[i]);
		put(b, path, names[i]);
	}
	put(b, "/m/disc 10/x.mp3", "x");
	put(b, "/m/disc 9/x.mp3", "x");
	submit(&fx, b);
	EXPECT_STR("d3=disc 9,d2=disc 10,i4=arzt.mp3,i3=\xc3\x84rzte.mp3,i2=Track 2.mp3,"
		   "i1=track 10.mp3,i5=zz.mp3,i6=\xff.mp3",
		   children(&fx, "F"));
	fixture_fini(&fx);
}

TEST(library, putting_what_is_stored_writes_nothing)
{
	struct fixture fx;
	fixture_init(&fx);
	struct media_file_in in = song("/m/a.mp3", "A");
	const struct span artists[] = { SPAN("X"), SPAN("Y") };
	const struct subtitle_in subtitles[] = { { .path = SPAN("/m/a.srt"),
						   .language = SPAN("en") } };
	const struct stream_in tracks[] = { { .codec = SPAN("aac"), .channels = 2 } };
	in.artists = artists;
	in.artists_n = 2;
	in.subtitles = subtitles;
	in.subtitles_n = 1;
	in.audio_tracks = tracks;
	in.audio_tracks_n = 1;
	in.art_path = SPAN("/m/folder.jpg");
	in.year = 1999;
	struct batch *b = root_batch();
	EXPECT_OK(batch_put(b, &in));
	struct batch_result first = submit(&fx, b);
	EXPECT_U64(1, first.put_n);

	b = root_batch();
	EXPECT_OK(batch_put(b, &in));
	struct batch_result second = submit(&fx, b);
	EXPECT_U64(0, second.put_n);
	EXPECT_U64(first.commit, second.commit);
	EXPECT_U64(1, fx.commits_n);

	in.artists_n = 1;
	b = root_batch();
	EXPECT_OK(batch_put(b, &in));
	EXPECT_U64(1, submit(&fx, b).put_n);
	EXPECT_U64(1, id_of(&fx, "/m/a.mp3"));
	fixture_fini(&fx);
}

TEST(library, of_a_path_put_twice_the_last_wins)
{
	struct fixture fx;
	struct object o;
	fixture_init(&fx);
	struct batch *b = root_batch();
	put(b, "/m/a.mp3", "First");
	put(b, "/m/b.mp3", "Other");
	put(b, "/m/a.mp3", "Last");
	EXPECT_OK(batch_remove(b, SPAN("/m/b.mp3")));
	EXPECT_U64(1, submit(&fx, b).put_n);
	EXPECT_OK(get(&fx, "i1", &o));
	EXPECT_SPAN(SPAN("Last"), o.title);
	EXPECT_STR("i1=Last", children(&fx, "F"));
	fixture_fini(&fx);
}

TEST(library, a_move_keeps_the_id_and_replaces_what_was_there)
{
	struct fixture fx;
	fixture_init(&fx);
	struct batch *b = root_batch();
	put(b, "/m/a.mp3", "A");
	put(b, "/m/b.mp3", "B");
	submit(&fx, b);
	uint64_t a = id_of(&fx, "/m/a.mp3");
	b = new_batch();
	struct media_file_in in = song("/m/new/b.mp3", "A");
	EXPECT_OK(batch_move(b, a, &in));
	submit(&fx, b);
	EXPECT_U64(a, id_of(&fx, "/m/new/b.mp3"));
	EXPECT_U64(0, id_of(&fx, "/m/a.mp3"));
	in = song("/m/b.mp3", "A");
	b = new_batch();
	EXPECT_OK(batch_move(b, a, &in));
	EXPECT_U64(1, submit(&fx, b).removed_n);
	EXPECT_STR("i1=A", children(&fx, "F")); /* "new" is empty and hidden again */

	b = new_batch();
	in = song("/m/c.mp3", "C");
	EXPECT_OK(batch_move(b, 999, &in)); /* gone meanwhile: as good as new */
	submit(&fx, b);
	EXPECT_U64(3, id_of(&fx, "/m/c.mp3"));
	fixture_fini(&fx);
}

/* Whoever stands at a path now, no other may clear the place. */
TEST(library, two_files_that_swap_names_stay_two)
{
	struct fixture fx;
	fixture_init(&fx);
	struct batch *b = root_batch();
	put(b, "/m/a.mp3", "A");
	put(b, "/m/b.mp3", "B");
	submit(&fx, b);
	uint64_t id_a = id_of(&fx, "/m/a.mp3"), id_b = id_of(&fx, "/m/b.mp3");
	b = new_batch();
	struct media_file_in in = song("/m/b.mp3", "A");
	EXPECT_OK(batch_move(b, id_a, &in));
	in = song("/m/a.mp3", "B");
	EXPECT_OK(batch_move(b, id_b, &in));
	put(b, "/m/b.mp3", "A!"); /* the watcher tells of both */
	put(b, "/m/a.mp3", "B!");
	EXPECT_U64(2, submit(&fx, b).put_n);
	EXPECT_U64(id_a, id_of(&fx, "/m/b.mp3"));
	EXPECT_U64(id_b, id_of(&fx, "/m/a.mp3"));
	EXPECT_STR("i2=B!,i1=A!", children(&fx, "F"));
	fixture_fini(&fx);
}

static void put_tagged(struct batch *b, const char *path, const char *artist,
		       const char *album_artist, const char *album, uint16_t disc, uint16_t track,
		       bool compilation)
{
	struct media_file_in in = song(path, path + 3);
	in.artist = span_str(artist);
	in.album_artist = span_str(album_artist);
	in.album = span_str(album);
	in.disc = disc;
	in.track = track;
	in.compilation = compilation;
	EXPECT_OK(batch_put(b, &in));
}

TEST(library, albums_go_by_album_artist_else_artist_else_folder)
{
	struct fixture fx;
	struct object o;
	fixture_init(&fx);
	struct batch *b = root_batch();
	put_tagged(b, "/m/a/1", "Guest", "Main", "LP", 2, 1, false);
	put_tagged(b, "/m/a/2", "Main", "", "LP", 1, 10, false);
	put_tagged(b, "/m/a/3", "Main", "", "LP", 1, 2, false);
	put_tagged(b, "/m/b/4", "Other", "", "LP", 1, 1, false);
	put_tagged(b, "/m/c/5", "X", "", "Hits", 1, 1, true);
	put_tagged(b, "/m/c/6", "Y", "", "Hits", 1, 2, true);
	put_tagged(b, "/m/d/7", "X", "", "Hits", 1, 1, true);
	put_tagged(b, "/m/d/8", "", "", "Hits", 1, 2, false);
	put_tagged(b, "/m/d/9", "Main", "", "", 1, 2, false);
	submit(&fx, b);
	EXPECT_STR("al3=Hits,al4=Hits,al1=LP,al2=LP", children(&fx, "AL"));
	EXPECT_STR("al1/i3=a/3,al1/i2=a/2,al1/i1=a/1", children(&fx, "al1"));
	EXPECT_STR("al3/i5=c/5,al3/i6=c/6", children(&fx, "al3"));
	EXPECT_STR("al4/i7=d/7,al4/i8=d/8", children(&fx, "al4"));
	EXPECT_STR("ar1=Guest,ar2=Main,ar3=Other,ar4=X,ar5=Y", children(&fx, "AR"));
	EXPECT_STR("ar2/all=All Tracks,ar2/al1=LP", children(&fx, "ar2"));
	EXPECT_STR("ar1/all=All Tracks", children(&fx, "ar1"));
	EXPECT_STR("ar2/al1/i3=a/3,ar2/al1/i2=a/2,ar2/al1/i1=a/1", children(&fx, "ar2/al1"));
	EXPECT_OK(get(&fx, "al1", &o));
	EXPECT_SPAN(SPAN("Main"), o.artist);
	EXPECT_STR("AL", o.parent_id);
	EXPECT_OK(get(&fx, "ar2/al1/i3", &o));
	EXPECT_STR("i3", o.ref_id);
	EXPECT_STR("ar2/al1", o.parent_id);
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "ar1/al1", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "ar2/al2/i4", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "al1/i4", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "VT/i1", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "g1", &o)); /* a term, but no genre */
	fixture_fini(&fx);
}

TEST(library, the_art_of_an_album_is_that_of_its_first_track_with_art)
{
	struct fixture fx;
	struct object o;
	fixture_init(&fx);
	struct batch *b = root_batch();
	for (int i = 1; i <= 3; i++) {
		char path[32];
		snprintf(path, sizeof path, "/m/%d.mp3", i);
		struct media_file_in in = song(path, "x");
		in.artist = SPAN("A");
		in.album = SPAN("B");
		in.track = (uint16_t)(4 - i);
		in.art_embedded = i <= 2;
		EXPECT_OK(batch_put(b, &in));
	}
	submit(&fx, b);
	EXPECT_OK(get(&fx, "al1", &o));
	EXPECT_U64(id_of(&fx, "/m/2.mp3"), o.art_media_id);
	fixture_fini(&fx);
}

TEST(library, what_is_empty_is_hidden_and_comes_back_under_its_id)
{
	struct fixture fx;
	struct object o;
	fixture_init(&fx);
	struct batch *b = root_batch();
	put_tagged(b, "/m/a/b/1", "Artist", "", "Album", 1, 1, false);
	put_tagged(b, "/m/z/2", "Else", "", "Album", 1, 1, false);
	submit(&fx, b);
	EXPECT_STR("d2=a,d4=z", children(&fx, "F"));
	b = new_batch();
	EXPECT_OK(batch_remove_tree(b, SPAN("/m/a/")));
	EXPECT_U64(1, submit(&fx, b).removed_n);
	EXPECT_STR("d4=z", children(&fx, "F"));
	EXPECT_STR("ar2=Else", children(&fx, "AR"));
	EXPECT_STR("al2=Album", children(&fx, "AL"));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "ar1", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "ar1/all", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "al1", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "d3", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "i1", &o));

	library_close(fx.lib);
	open_fixture(&fx);
	b = new_batch();
	put_tagged(b, "/m/a/b/1", "Artist", "", "Album", 1, 1, false);
	submit(&fx, b);
	EXPECT_STR("d2=a,d4=z", children(&fx, "F"));
	EXPECT_STR("ar1=Artist,ar2=Else", children(&fx, "AR"));
	EXPECT_STR("al1=Album,al2=Album", children(&fx, "AL"));
	EXPECT_U64(3, id_of(&fx, "/m/a/b/1")); /* ids of removed files are not used again */
	fixture_fini(&fx);
}

TEST(library, the_whole_file_system_can_be_a_root)
{
	struct fixture fx;
	struct object o;
	fixture_init(&fx);
	struct batch *b = new_batch();
	EXPECT_OK(batch_root(b, SPAN("/"), SPAN("All")));
	put(b, "/1.mp3", "One");
	put(b, "/x/y/2.mp3", "Two");
	EXPECT_U64(2, submit(&fx, b).put_n);
	EXPECT_STR("d2=x,i1=One", children(&fx, "F"));
	EXPECT_STR("d3=y", children(&fx, "d2"));
	EXPECT_OK(get(&fx, "i2", &o));
	EXPECT_STR("d3", o.parent_id);
	b = new_batch();
	EXPECT_OK(batch_remove_tree(b, SPAN("/")));
	EXPECT_U64(2, submit(&fx, b).removed_n);
	EXPECT_STR("", children(&fx, "F"));
	fixture_fini(&fx);
}

TEST(library, the_deepest_path_there_is_can_come_and_go)
{
	struct fixture fx;
	char path[MEDIA_PATH_MAX + 1];
	size_t n = 0;
	fixture_init(&fx);
	while (n < MEDIA_PATH_MAX - 10)
		n += (size_t)snprintf(path + n, sizeof path - n, n ? "/d" : "/m");
	snprintf(path + n, sizeof path - n, "/1.mp3");
	struct batch *b = root_batch();
	put(b, path, "Deep");
	EXPECT_U64(1, submit(&fx, b).put_n);
	EXPECT_U64(1, id_of(&fx, path));
	EXPECT_STR("d2=d", children(&fx, "F"));
	EXPECT(fx.change.overflow);
	b = new_batch();
	EXPECT_OK(batch_remove_tree(b, SPAN("/m/d")));
	EXPECT_U64(1, submit(&fx, b).removed_n);
	EXPECT_STR("", children(&fx, "F"));
	fixture_fini(&fx);
}

TEST(library, reading_alone_takes_no_batches)
{
	struct fixture fx;
	struct library *reader = NULL;
	struct batch_result r;
	fixture_init(&fx);
	struct batch *b = root_batch();
	put(b, "/m/1.mp3", "One");
	submit(&fx, b);
	library_close(fx.lib);
	struct library_options options = { .database_dir = fx.dir, .read_only = true };
	EXPECT_OK(library_open(&options, &reader, NULL));
	fx.lib = reader;
	EXPECT_STR("i1=One", children(&fx, "F"));
	b = new_batch();
	EXPECT_ERR(ERR_CLOSED, library_submit_wait(reader, b, &r));
	fixture_fini(&fx);
}

TEST(library, a_file_outside_every_root_fails_alone)
{
	struct fixture fx;
	fixture_init(&fx);
	struct batch *b = root_batch();
	put(b, "/elsewhere/1.mp3", "No");
	put(b, "/m/1.mp3", "Yes");
	put(b, "/mm/1.mp3", "No");
	struct batch_result r = submit(&fx, b);
	EXPECT_U64(1, r.put_n);
	EXPECT_U64(2, r.failed_n);
	EXPECT_STR("i1=Yes", children(&fx, "F"));
	fixture_fini(&fx);
}

TEST(library, only_audio_has_categories)
{
	struct fixture fx;
	fixture_init(&fx);
	struct batch *b = root_batch();
	struct media_file_in film = song("/m/f.mkv", "Film");
	film.kind = MEDIA_KIND_VIDEO;
	film.artist = film.genre = film.album = SPAN("X");
	film.year = 1999;
	EXPECT_OK(batch_put(b, &film));
	submit(&fx, b);
	EXPECT_STR("", children(&fx, "AR"));
	EXPECT_STR("", children(&fx, "AG"));
	EXPECT_STR("", children(&fx, "AL"));
	EXPECT_STR("", children(&fx, "AY"));
	EXPECT_STR("VT/i1=Film", children(&fx, "VT"));
	fixture_fini(&fx);
}

TEST(library, years_and_genres_list_their_tracks)
{
	struct fixture fx;
	struct object o;
	fixture_init(&fx);
	struct batch *b = root_batch();
	struct media_file_in in = song("/m/1.mp3", "One");
	in.year = 2001;
	const struct span genres[] = { SPAN("Rock"), SPAN("rock"), SPAN("Jazz") };
	in.genres = genres;
	in.genres_n = 3;
	EXPECT_OK(batch_put(b, &in));
	in.path = SPAN("/m/2.mp3");
	in.year = 999;
	in.genres_n = 1;
	EXPECT_OK(batch_put(b, &in));
	submit(&fx, b);
	EXPECT_STR("y999=999,y2001=2001", children(&fx, "AY"));
	EXPECT_STR("y2001/i1=One", children(&fx, "y2001"));
	EXPECT_STR("g3=Jazz,g1=Rock,g2=rock", children(&fx, "AG"));
	EXPECT_STR("g1/i1=One,g1/i2=One", children(&fx, "g1"));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "y1998", &o));
	EXPECT_ERR(ERR_NOTFOUND, get(&fx, "y999/i1", &o));
	fixture_fini(&fx);
}

TEST(library, files_are_found_by_inode_on_their_file_system)
{
	struct fixture fx;
	struct fb_table row;
	fixture_init(&fx);
	struct batch *b = root_batch();
	for (uint64_t i = 0; i < 20; i++) {
		char path[32];
		snprintf(path, sizeof path, "/m/%d.mp3", (int)i);
		struct media_file_in in = song(path, path);
		in.device = 1 + i % 2;
		in.inode = i < 10 ? 4096 + i : (1ull << 32) + 4096 + i;
		EXPECT_OK(batch_put(b, &in));
	}
	submit(&fx, b);
	struct library_snap *sn = library_snap_begin(fx.lib);
	EXPECT_OK(library_media_by_inode(sn, 1, 4096 + 8, &row));
	EXPECT_SPAN(SPAN("/m/8.mp3"), media_file_path(row));
	EXPECT_OK(library_media_by_inode(sn, 2, (1ull << 32) + 4096 + 11, &row));
	EXPECT_SPAN(SPAN("/m/11.mp3"), media_file_path(row));
	EXPECT_ERR(ERR_NOTFOUND, library_media_by_inode(sn, 2, 4096 + 8, &row));
	EXPECT_ERR(ERR_NOTFOUND, library_media_by_inode(sn, 1, (1ull << 32) + 4096 + 8, &row));
	library_snap_end(sn);
	fixture_fini(&fx);
}

TEST(library, directory_cursors_walk_in_the_order_of_the_sort_key)
{
	struct fixture fx;
	struct fb_table row;
	uint64_t id;
	fixture_init(&fx);
	struct batch *b = root_batch();
	put(b, "/m/10.mp3", "x");
	put(b, "/m/9.mp3", "x");
	put(b, "/m/s10/1.mp3", "x");
	put(b, "/m/s9/1.mp3", "x");
	submit(&fx, b);
	struct library_snap *sn = library_snap_begin(fx.lib);
	struct directory_cursor c;
	EXPECT_OK(library_directory_find(sn, SPAN("/m"), &id));
	library_directory_files(sn, id, &c);
	EXPECT(directory_cursor_file(&c, &row));
	EXPECT_SPAN(SPAN("9.mp3"), media_file_filename(row));
	EXPECT(directory_cursor_file(&c, &row));
	EXPECT_SPAN(SPAN("10.mp3"), media_file_filename(row));
	EXPECT(!directory_cursor_file(&c, &row));
	library_directory_subdirs(sn, id, &c);
	EXPECT(directory_cursor_subdir(&c, &row));
	EXPECT_SPAN(SPAN("/m/s9"), directory_path(row));
	EXPECT(directory_cursor_subdir(&c, &row));
	EXPECT(!directory_cursor_subdir(&c, &row));
	EXPECT_ERR(ERR_NOTFOUND, library_directory_find(sn, SPAN("/m/none"), &id));
	library_snap_end(sn);
	fixture_fini(&fx);
}

TEST(library, more_than_64_changes_become_their_nearest_ancestors)
{
	struct fixture fx;
	fixture_init(&fx);
	submit(&fx, root_batch());
	struct batch *b = new_batch();
	char path[64];
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof path, "/m/deep/x/%d/1.mp3", i);
		put(b, path, "x");
	}
	put(b, "/m/other/1.mp3", "x");
	submit(&fx, b);
	b = new_batch();
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof path, "/m/deep/x/%d/1.mp3", i);
		put(b, path, "changed");
	}
	submit(&fx, b);
	EXPECT(fx.change.overflow);
	EXPECT_U64(5, fx.change.containers_n); /* A, AT, AN, AF and the directory above all */
	struct object o;
	EXPECT_OK(get(&fx, fx.change.containers[0], &o));
	EXPECT_SPAN(SPAN("x"), o.title);
	EXPECT_STR("A", fx.change.containers[1]);
	EXPECT_STR("AT", fx.change.containers[2]);
	EXPECT_STR("AN", fx.change.containers[3]);
	EXPECT_STR("AF", fx.change.containers[4]);
	fixture_fini(&fx);
}

/* ---- the queue ------------------------------------------------------------------------------- */

struct order {
	struct mutex m;
	struct cond go;
	bool may_go, holding;
	char order[16];
	unsigned n;
	uint64_t commits[8];
};

struct ticket {
	struct order *order;
	char name;
};

static void hold(void *ctx, const struct batch_result *r)
{
	struct order *o = ctx;
	(void)r;
	mutex_lock(&o->m);
	o->holding = true;
	cond_broadcast(&o->go);
	while (!o->may_go)
		cond_wait(&o->go, &o->m);
	mutex_unlock(&o->m);
}

static void note_order(void *ctx, const struct batch_result *r)
{
	struct ticket *t = ctx;
	mutex_lock(&t->order->m);
	t->order->commits[t->order->n] = r->commit;
	t->order->order[t->order->n++] = t->name;
	mutex_unlock(&t->order->m);
}

static void submit_named(struct fixture *fx, struct ticket *t, const char *path,
			 enum batch_urgency urgency)
{
	struct batch *b = new_batch();
	put(b, path, path);
	EXPECT_OK(library_submit(fx->lib, b, urgency, note_order, t));
}

TEST(library, urgent_batches_overtake_and_small_ones_share_a_commit)
{
	struct fixture fx;
	struct order o = { .n = 0 };
	struct ticket tickets[4];
	fixture_init(&fx);
	mutex_init(&o.m);
	cond_init(&o.go);
	EXPECT_OK(library_submit(fx.lib, root_batch(), BATCH_SCAN, hold, &o));
	mutex_lock(&o.m);
	while (!o.holding)
		cond_wait(&o.go, &o.m);
	mutex_unlock(&o.m);
	for (int i = 0; i < 4; i++)
		tickets[i] = (struct ticket){ &o, (char)('a' + i) };
	submit_named(&fx, &tickets[0], "/m/a.mp3", BATCH_SCAN);
	submit_named(&fx, &tickets[1], "/m/b.mp3", BATCH_SCAN);
	submit_named(&fx, &tickets[2], "/m/c.mp3", BATCH_SCAN);
	submit_named(&fx, &tickets[3], "/m/d.mp3", BATCH_URGENT);
	struct library_stats stats;
	library_stats_get(fx.lib, &stats);
	EXPECT_U64(4, stats.queue_n);
	mutex_lock(&o.m);
	o.may_go = true;
	cond_broadcast(&o.go);
	mutex_unlock(&o.m);
	fixture_fini(&fx); /* finishes what is queued */
	EXPECT_STR("dabc", o.order);
	EXPECT_U64(2, o.commits[0]);
	EXPECT_U64(3, o.commits[1]);
	EXPECT_U64(3, o.commits[2]);
	EXPECT_U64(3, o.commits[3]);
}

/* ---- size ------------------------------------------------------------------------------------ */

static void fill(struct fixture *fx, unsigned files_n, unsigned per_dir)
{
	struct batch *b = root_batch();
	for (unsigned i = 0; i < files_n; i++) {
		char path[64], title[32], artist[16];
		snprintf(path, sizeof path, "/m/%u/%u.mp3", i / per_dir, i % per_dir);
		snprintf(title, sizeof title, "Title %u", files_n - i);
		snprintf(artist, sizeof artist, "Artist %u", i / 100);
		struct media_file_in in = song(path, title);
		in.artist = span_str(artist);
		enum err e = batch_put(b, &in);
		if (e == ERR_LIMIT) {
			submit(fx, b);
			b = new_batch();
			e = batch_put(b, &in);
		}
		EXPECT_OK(e);
	}
	submit(fx, b);
}

TEST_LIMIT(library, a_large_tree_is_removed_over_several_commits, 200)
{
	struct fixture fx;
	struct library_stats stats;
	unsigned n = 2 * COMMIT_FILES_MAX + 1000;
	fixture_init(&fx);
	fill(&fx, n, 500);
	struct batch *b = new_batch();
	put(b, "/m/0/new.mp3", "new");
	EXPECT_OK(batch_remove_tree(b, SPAN("/m")));
	put(b, "/m/after.mp3", "after");
	unsigned commits_n = fx.commits_n;
	struct batch_result r = submit(&fx, b);
	EXPECT(fx.commits_n - commits_n >= 3);
	EXPECT_U64(1, r.put_n);
	library_stats_get(fx.lib, &stats);
	EXPECT_U64(1, stats.audio_n);
	EXPECT_U64(0, stats.artists_n);
	char want[32];
	snprintf(want, sizeof want, "i%u=after", n + 1);
	EXPECT_STR(want, children(&fx, "F"));
	fixture_fini(&fx);
}

TEST_LIMIT(library, closing_leaves_the_rest_of_a_large_removal_for_later, 200)
{
	CLEANUP(fixture_fini) struct fixture fx;
	struct library_stats stats;
	fixture_init(&fx);
	fill(&fx, 5 * COMMIT_FILES_MAX, 1000);
	struct batch *b = new_batch();
	EXPECT_OK(batch_remove_tree(b, SPAN("/m")));
	EXPECT_OK(library_submit(fx.lib, b, BATCH_SCAN, NULL, NULL));
	library_close(fx.lib); /* at most the commit under way is waited for */
	open_fixture(&fx);
	library_stats_get(fx.lib, &stats);
	EXPECT(stats.audio_n >= 3 * COMMIT_FILES_MAX);
	b = new_batch();
	EXPECT_OK(batch_remove_tree(b, SPAN("/m")));
	EXPECT_OK(submit(&fx, b).err);
	library_stats_get(fx.lib, &stats);
	EXPECT_U64(0, stats.audio_n);
}

TEST(library, near_its_end_it_takes_no_batch_and_checks_no_further)
{
	struct fixture fx;
	fixture_init(&fx);
	submit(&fx, root_batch());
	EXPECT_OK(library_check(fx.lib, print_finding, NULL));
	library_hurry(fx.lib);
	struct batch *b = root_batch();
	EXPECT_ERR(ERR_CLOSED, library_submit(fx.lib, b, BATCH_SCAN, NULL, NULL));
	EXPECT_ERR(ERR_CLOSED, library_check(fx.lib, print_finding, NULL));
	batch_free(b);
	library_close(fx.lib);
}

TEST_LIMIT(library, pages_of_100000_files_are_right_at_every_offset, 200)
{
	struct fixture fx;
	struct listing li;
	struct object o;
	unsigned n = 100000;
	fixture_init(&fx);
	fill(&fx, n, 1000);
	library_close(fx.lib);
	open_fixture(&fx);
	struct library_snap *sn = library_snap_begin(fx.lib);
	EXPECT_OK(library_list(sn, SPAN("AT"), &li));
	EXPECT_U64(n, li.total);
	for (unsigned i = 0; i < 2000; i++) {
		unsigned at = (unsigned)(test_random() % n);
		char title[32];
		listing_seek(&li, at);
		for (unsigned k = at; k < MIN(at + 20, n); k++) {
			snprintf(title, sizeof title, "Title %u", k + 1);
			EXPECT(listing_next(&li, &o));
			EXPECT_SPAN(span_str(title), o.title);
		}
	}
	listing_seek(&li, n);
	EXPECT(!listing_next(&li, &o));
	EXPECT_OK(library_list(sn, SPAN("AR"), &li));
	EXPECT_U64(n / 100, li.total);
	listing_seek(&li, 555);
	EXPECT(listing_next(&li, &o));
	EXPECT_SPAN(SPAN("Artist 555"), o.title);
	EXPECT_U64(1, o.child_count);
	EXPECT_OK(library_list(sn, SPAN("F"), &li));
	EXPECT_U64(n / 1000, li.total);
	library_snap_end(sn);
	fixture_fini(&fx);
}

/* ---- readers beside the writer --------------------------------------------------------------- */

struct reader {
	struct library *lib;
	struct thread thread;
	_Atomic bool stop;
	uint64_t listings_n;
};

/* In one snapshot everything fits together, whatever the writer does. */
static void read_on(void *arg)
{
	struct reader *r = arg;
	struct listing *li = calloc(2, sizeof *li);
	uint64_t last = 0;
	while (!r->stop) {
		struct library_snap *sn = library_snap_begin(r->lib);
		struct object o, got;
		EXPECT(library_snap_commit(sn) >= last);
		last = library_snap_commit(sn);
		EXPECT_OK(library_list(sn, SPAN("AR"), &li[0]));
		uint64_t n = 0;
		for (; listing_next(&li[0], &o); n++) {
			if (n % 16)
				continue;
			EXPECT_OK(library_object_get(sn, span_str(o.id), &got));
			EXPECT_U64(o.child_count, got.child_count);
			EXPECT_OK(library_list(sn, span_str(o.id), &li[1]));
			EXPECT_U64(o.child_count, li[1].total);
		}
		EXPECT_U64(li[0].total, n);
		EXPECT_OK(library_list(sn, SPAN("F"), &li[0]));
		for (n = 0; listing_next(&li[0], &o); n++)
			EXPECT(o.child_count > 0);
		EXPECT_U64(li[0].total, n);
		library_snap_end(sn);
		r->listings_n++;
	}
	free(li);
}

TEST_LIMIT(library, readers_see_whole_commits_while_the_writer_works, 200)
{
	struct fixture fx;
	struct reader readers[2] = { { .listings_n = 0 }, { .listings_n = 0 } };
	fixture_init(&fx);
	submit(&fx, root_batch());
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i].lib = fx.lib;
		EXPECT_OK(thread_start(&readers[i].thread, "reader", read_on, &readers[i]));
	}
	for (unsigned round = 0; round < 60; round++) {
		struct batch *b = new_batch();
		for (unsigned i = 0; i < 40; i++) {
			char path[64], artist[32];
			unsigned what = (unsigned)(test_random() % 2000);
			snprintf(path, sizeof path, "/m/%u/%u.mp3", what / 50, what % 50);
			snprintf(artist, sizeof artist, "Artist %u", what % 97);
			if (test_random() % 3 == 0)
				EXPECT_OK(batch_remove(b, span_str(path)));
			else
				put_tagged(b, path, artist, "", artist, 1, (uint16_t)round, false);
		}
		submit(&fx, b);
	}
	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		readers[i].stop = true;
		thread_join(&readers[i].thread);
		EXPECT(readers[i].listings_n > 0);
	}
	fixture_fini(&fx);
}
