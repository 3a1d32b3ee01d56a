/* SPDX-License-Identifier: MIT */
/* Playlists: promises one by one, then random operations beside a naive model: an array of paths
 * for each playlist. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "library/playlists.h"
#include "shelf.h"

static struct playlist_ref by_path(const char *uri)
{
	return (struct playlist_ref){ .uri = span_str(uri), .title = SPAN("remembered") };
}

static uint64_t create(struct shelf *s, const char *name, const struct playlist_ref *refs,
		       uint32_t n)
{
	struct op_result r;
	struct playlist_new new = { .name = span_str(name), .entries = refs, .entries_n = n };
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_create(b, &new, &r));
	shelf_submit(s, b);
	EXPECT_OK(r.err);
	EXPECT(r.id != 0);
	EXPECT_U64(n, r.done_n);
	return r.id;
}

static struct op_result add(struct shelf *s, uint64_t id, uint32_t at,
			    const struct playlist_ref *refs, uint32_t n)
{
	struct op_result r;
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_add(b, id, at, refs, n, &r));
	shelf_submit(s, b);
	return r;
}

static void put_files(struct shelf *s, const char *names)
{
	char path[32];
	struct batch *b = shelf_batch();
	for (const char *n = names; *n; n++) {
		snprintf(path, sizeof path, "/m/%c", *n);
		shelf_put(b, path);
	}
	shelf_submit(s, b);
}

/* "a b (c)": titles in order, those without a file in brackets. */
static const char *tracks(struct shelf *s, uint64_t id)
{
	static char text[1000];
	size_t n = 0;
	struct playlist_items items;
	struct playlist_item item;
	struct library_snap *sn = library_snap_begin(s->lib);
	text[0] = '\0';
	library_playlist_items(sn, id, 0, &items);
	for (uint32_t i = 0; playlist_items_next(&items, &item); i++) {
		EXPECT_U64(i, item.position);
		n += (size_t)snprintf(text + n, sizeof text - n,
				      item.media.pos ? "%s%.*s" : "%s(%.*s)", n ? " " : "",
				      SPAN_ARG(item.title));
	}
	EXPECT_U64(0, items.damaged_n);
	library_snap_end(sn);
	return text;
}

static uint64_t entry_at(struct shelf *s, uint64_t id, uint64_t position)
{
	struct playlist_items items;
	struct playlist_item item = { 0 };
	struct library_snap *sn = library_snap_begin(s->lib);
	library_playlist_items(sn, id, position, &items);
	EXPECT(playlist_items_next(&items, &item));
	library_snap_end(sn);
	return item.entry_id;
}

TEST(playlists, are_made_edited_listed_in_natural_order_and_deleted)
{
	struct shelf s;
	struct playlist_cursor c;
	struct fb_table row;
	struct op_result r;
	shelf_init(&s);
	uint64_t ten = create(&s, "List 10", NULL, 0);
	uint64_t two = create(&s, "  list 2 ", NULL, 0);
	struct span name = SPAN("Zebra"), description = SPAN("stripes");
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_edit(b, ten, NULL, &description, NULL));
	EXPECT_OK(batch_playlist_edit(b, ten, &name, NULL, &r));
	EXPECT_OK(batch_playlist_edit(b, 999, &name, NULL, NULL));
	shelf_submit(&s, b);
	EXPECT_OK(r.err);
	uint64_t three = create(&s, "list 3", NULL, 0);
	shelf_reopen(&s);
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_U64(3, library_playlists_n(sn));
	library_playlists(sn, 0, &c);
	uint64_t want[] = { two, three, ten };
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		EXPECT(playlist_cursor_next(&c, &row));
		EXPECT_U64(want[i], playlist_id(row));
	}
	EXPECT(!playlist_cursor_next(&c, &row));
	EXPECT_OK(library_playlist_get(sn, two, &row));
	EXPECT_SPAN(SPAN("list 2"), playlist_name(row));
	EXPECT_OK(library_playlist_get(sn, ten, &row));
	EXPECT_SPAN(name, playlist_name(row));
	EXPECT_SPAN(description, playlist_description(row));
	EXPECT(playlist_created_at(row) > 0);
	library_snap_end(sn);
	b = shelf_batch();
	EXPECT_OK(batch_playlist_delete(b, two, &r));
	shelf_submit(&s, b);
	EXPECT_OK(r.err);
	b = shelf_batch();
	EXPECT_OK(batch_playlist_delete(b, two, &r));
	shelf_submit(&s, b);
	EXPECT_ERR(ERR_NOTFOUND, r.err);
	EXPECT_U64(4, create(&s, "another", NULL, 0)); /* no id twice */
	shelf_fini(&s);
}

TEST(playlists, entries_go_in_at_a_place_move_and_are_taken_out)
{
	struct shelf s;
	struct op_result r;
	shelf_init(&s);
	put_files(&s, "abcdef");
	struct playlist_ref refs[] = { by_path("/m/a"), by_path("/m/b"), by_path("/m/c") };
	struct playlist_ref more[] = { { .media_id = shelf_media(&s, "/m/d") },
				       { .media_id = 4711 },
				       { .media_id = shelf_media(&s, "/m/e") } };
	uint64_t id = create(&s, "x", refs, 3);
	EXPECT_STR("a b c", tracks(&s, id));
	r = add(&s, id, 1, more, 3);
	EXPECT_OK(r.err);
	EXPECT_U64(2, r.done_n);
	EXPECT_U64(1, r.failed_n);
	EXPECT_U64(1, r.failed[0]);
	EXPECT_STR("a d e b c", tracks(&s, id));
	add(&s, id, PLAYLIST_END, refs, 1);
	EXPECT_STR("a d e b c a", tracks(&s, id));

	uint64_t move[] = { entry_at(&s, id, 4), entry_at(&s, id, 0), 4711, entry_at(&s, id, 4) };
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_move(b, id, 2, move, 4, &r));
	shelf_submit(&s, b);
	EXPECT_U64(2, r.done_n);
	EXPECT_U64(2, r.failed_n);
	EXPECT_U64(2, r.failed[0]);
	EXPECT_U64(3, r.failed[1]);
	EXPECT_STR("d c a e b a", tracks(&s, id));
	EXPECT_U64(move[0], entry_at(&s, id, 1));

	uint64_t remove[] = { entry_at(&s, id, 5), entry_at(&s, id, 0), move[0] };
	b = shelf_batch();
	EXPECT_OK(batch_playlist_remove(b, id, remove, 3, &r));
	shelf_submit(&s, b);
	EXPECT_U64(3, r.done_n);
	EXPECT_STR("a e b", tracks(&s, id));
	b = shelf_batch();
	EXPECT_OK(batch_playlist_remove(b, id, remove, 1, &r));
	shelf_submit(&s, b);
	EXPECT_U64(1, r.failed_n);
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_U64(3 * 60000, library_playlist_duration_ms(sn, id));
	library_snap_end(sn);
	shelf_fini(&s);
}

TEST(playlists, operations_of_one_batch_on_one_playlist_see_each_other)
{
	struct shelf s;
	struct op_result r[4];
	shelf_init(&s);
	put_files(&s, "abc");
	struct playlist_ref a = by_path("/m/a"), c = by_path("/m/c"), new = by_path("/m/new");
	uint64_t id = create(&s, "x", &a, 1);
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_add(b, id, 0, &c, 1, &r[0]));
	shelf_put(b, "/m/new");
	EXPECT_OK(batch_playlist_add(b, id, 0, &new, 1, &r[1]));
	EXPECT_OK(batch_remove(b, SPAN("/m/c")));
	EXPECT_OK(batch_playlist_add(b, id, 0, &a, 1, &r[2]));
	EXPECT_OK(batch_playlist_delete(b, 77, &r[3]));
	unsigned commits_n = s.commits_n;
	struct batch_result br = shelf_submit(&s, b);
	EXPECT_U64(5, s.commits_n - commits_n);
	EXPECT_U64(1, br.put_n);
	EXPECT_U64(1, br.removed_n);
	EXPECT_STR("a new (c) a", tracks(&s, id));
	for (unsigned i = 0; i < 3; i++)
		EXPECT_OK(r[i].err);
	EXPECT_ERR(ERR_NOTFOUND, r[3].err);
	shelf_fini(&s);
}

TEST(playlists, an_entry_outlives_its_file_and_finds_it_again)
{
	struct shelf s;
	shelf_init(&s);
	put_files(&s, "ab");
	struct playlist_ref refs[] = { by_path("/m/a"), by_path("/m/b"), by_path("/m/a"),
				       by_path("http://radio.example/live"), by_path("/m/later") };
	uint64_t id = create(&s, "x", refs, 5), entry = entry_at(&s, id, 0);
	EXPECT_STR("a b a (remembered) (remembered)", tracks(&s, id));
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_remove(b, SPAN("/m/a")));
	shelf_submit(&s, b);
	shelf_reopen(&s);
	EXPECT_STR("(a) b (a) (remembered) (remembered)", tracks(&s, id));
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_U64(5, library_playlist_entries_n(sn, id));
	EXPECT_U64(1, library_playlist_present_n(sn, id));
	EXPECT_U64(3 * 60000, library_playlist_duration_ms(sn, id));
	library_snap_end(sn);
	put_files(&s, "a");
	EXPECT_STR("a b a (remembered) (remembered)", tracks(&s, id));
	EXPECT_U64(entry, entry_at(&s, id, 0));
	b = shelf_batch();
	shelf_move(b, shelf_media(&s, "/m/b"), "/m/later");
	shelf_submit(&s, b);
	EXPECT_STR("a later a (remembered) later", tracks(&s, id));
	b = shelf_batch(); /* onto another file of the playlist */
	shelf_move(b, shelf_media(&s, "/m/later"), "/m/a");
	shelf_submit(&s, b);
	EXPECT_STR("a a a (remembered) a", tracks(&s, id));
	b = shelf_batch();
	EXPECT_OK(batch_remove_tree(b, SPAN("/m")));
	shelf_submit(&s, b);
	EXPECT_STR("(a) (a) (a) (remembered) (a)", tracks(&s, id));
	shelf_fini(&s);
}

TEST(playlists, an_entry_does_not_take_a_file_that_could_not_come)
{
	struct shelf s;
	struct batch_result r;
	shelf_init(&s);
	put_files(&s, "a");
	struct playlist_ref ref = by_path("/elsewhere/a");
	uint64_t id = create(&s, "x", &ref, 1);
	struct batch *b = shelf_batch();
	shelf_move(b, shelf_media(&s, "/m/a"), "/elsewhere/a"); /* below no media root */
	EXPECT_OK(library_submit_wait(s.lib, b, &r));
	EXPECT_U64(1, r.failed_n);
	EXPECT(shelf_media(&s, "/m/a") != 0);
	EXPECT_STR("(remembered)", tracks(&s, id));
	shelf_fini(&s);
}

TEST(playlists, replacing_leaves_nothing_of_what_was_there)
{
	struct shelf s;
	struct op_result r;
	struct fb_table row;
	shelf_init(&s);
	put_files(&s, "abc");
	struct playlist_ref refs[] = { by_path("/m/a"), by_path("/m/b") };
	struct playlist_new new = {
		.name = SPAN("n"), .path = SPAN("/m/n.m3u"), .entries = refs, .entries_n = 2
	};
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_create(b, &new, &r));
	EXPECT_OK(batch_playlist_replace(b, 1, refs + 1, 1, NULL));
	shelf_submit(&s, b);
	EXPECT_STR("b", tracks(&s, 1));
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_OK(library_playlist_by_path(sn, SPAN("/m/n.m3u"), &row));
	EXPECT_U64(1, playlist_id(row));
	EXPECT_ERR(ERR_NOTFOUND, library_playlist_by_path(sn, SPAN("/m/o.m3u"), &row));
	library_snap_end(sn);
	shelf_fini(&s);
}

TEST(playlists, what_is_no_entry_and_no_name_is_refused)
{
	struct shelf s;
	static const char *const bad[] = {
		"", "a", "m/a", "/m//a", "/m/../a", "c:", "1x:y", "x y"
	};
	shelf_init(&s);
	struct batch *b = shelf_batch();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct playlist_ref ref = by_path(bad[i]);
		printf("%s\n", bad[i]);
		EXPECT_ERR(ERR_INVALID, batch_playlist_add(b, 1, 0, &ref, 1, NULL));
	}
	struct playlist_new new = { .name = SPAN(" ") };
	EXPECT_ERR(ERR_INVALID, batch_playlist_create(b, &new, NULL));
	new.name = SPAN("\xff");
	EXPECT_ERR(ERR_INVALID, batch_playlist_create(b, &new, NULL));
	char name[PLAYLIST_NAME_MAX + 1];
	memset(name, 'x', sizeof name);
	new.name = span_of(name, sizeof name);
	EXPECT_ERR(ERR_INVALID, batch_playlist_create(b, &new, NULL));
	static uint64_t ids[PLAYLIST_OP_ENTRIES_MAX + 1];
	EXPECT_ERR(ERR_LIMIT, batch_playlist_remove(b, 1, ids, PLAYLIST_OP_ENTRIES_MAX + 1, NULL));
	EXPECT_U64(0, batch_len(b));
	batch_free(b);
	shelf_fini(&s);
}

TEST(playlists, insertions_at_one_place_never_run_out_of_room)
{
	struct shelf s;
	char path[32];
	shelf_init(&s);
	struct playlist_ref ends[] = { by_path("/m/first"), by_path("/m/last") };
	uint64_t id = create(&s, "x", ends, 2);
	for (unsigned i = 0; i < 150; i++) { /* each halves the gap: 32 would use it up */
		snprintf(path, sizeof path, "/m/%u", i);
		struct playlist_ref ref = { .uri = span_str(path) };
		EXPECT_OK(add(&s, id, 1, &ref, 1).err);
	}
	struct playlist_items items;
	struct playlist_item item;
	struct library_snap *sn = library_snap_begin(s.lib);
	library_playlist_items(sn, id, 1, &items);
	for (unsigned i = 150; i-- > 0;) {
		EXPECT(playlist_items_next(&items, &item));
		snprintf(path, sizeof path, "%u", i);
		EXPECT_SPAN(span_str(path), item.title);
	}
	library_snap_end(sn);
	shelf_fini(&s);
}

TEST_LIMIT(playlists, one_may_have_100000_entries_and_no_more, 250)
{
	struct shelf s;
	static struct playlist_ref refs[PLAYLIST_OP_ENTRIES_MAX];
	static char paths[PLAYLIST_OP_ENTRIES_MAX][24];
	shelf_init(&s);
	uint64_t id = create(&s, "x", NULL, 0);
	for (uint32_t n = 0; n < PLAYLIST_ENTRIES_MAX;) {
		uint32_t part = MIN(PLAYLIST_ENTRIES_MAX - n, (uint32_t)PLAYLIST_OP_ENTRIES_MAX);
		for (uint32_t i = 0; i < part; i++) {
			snprintf(paths[i], sizeof paths[i], "/m/%u", n + i);
			refs[i] = (struct playlist_ref){ .uri = span_str(paths[i]) };
		}
		EXPECT_OK(add(&s, id, PLAYLIST_END, refs, part).err);
		n += part;
	}
	EXPECT_ERR(ERR_LIMIT, add(&s, id, 0, refs, 1).err);
	struct playlist_items items;
	struct playlist_item item;
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_U64(PLAYLIST_ENTRIES_MAX, library_playlist_entries_n(sn, id));
	library_playlist_items(sn, id, 70000, &items);
	EXPECT(playlist_items_next(&items, &item));
	EXPECT_SPAN(SPAN("70000"), item.title);
	library_snap_end(sn);
	struct op_result r;
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_delete(b, id, &r));
	shelf_submit(&s, b);
	EXPECT_OK(r.err);
	sn = library_snap_begin(s.lib);
	EXPECT_U64(0, library_playlist_entries_n(sn, id));
	library_snap_end(sn);
	shelf_fini(&s);
}

/* ---- kill -9 --------------------------------------------------------------------------------- */

/* Entry k is put in at the front; two bytes are told of each, once it is acknowledged. */
static NORETURN void add_until_killed(const char *dir, uint64_t id, unsigned from, int out)
{
	struct shelf s = { 0 };
	char path[32];
	snprintf(s.dir, sizeof s.dir, "%s", dir);
	shelf_open(&s);
	for (uint16_t k = (uint16_t)from;; k++) {
		snprintf(path, sizeof path, "/m/%u", k);
		struct playlist_ref ref = { .uri = span_str(path) };
		EXPECT_OK(add(&s, id, 0, &ref, 1).err);
		EXPECT(write(out, &k, sizeof k) == sizeof k);
	}
}

static unsigned killed_round(struct shelf *s, uint64_t id, unsigned from)
{
	int pipe_fds[2];
	uint16_t acked = 0;
	unsigned rounds = 1 + (unsigned)(test_random() % 20);
	EXPECT(pipe(pipe_fds) == 0);
	pid_t child = fork();
	EXPECT(child >= 0);
	if (child == 0)
		add_until_killed(s->dir, id, from, pipe_fds[1]);
	close(pipe_fds[1]);
	for (unsigned i = 0; i < rounds; i++)
		EXPECT(read(pipe_fds[0], &acked, sizeof acked) == sizeof acked);
	kill(child, SIGKILL);
	EXPECT(waitpid(child, NULL, 0) == child);
	while (read(pipe_fds[0], &acked, sizeof acked) == sizeof acked)
		;
	close(pipe_fds[0]);
	return acked;
}

TEST_LIMIT(playlists, what_was_acknowledged_is_there_after_a_kill, 120)
{
	struct shelf s;
	char title[16];
	unsigned n = 0;
	shelf_init(&s);
	uint64_t id = create(&s, "x", NULL, 0);
	shelf_fini(&s);
	for (unsigned round = 0; round < 8; round++) {
		unsigned acked = killed_round(&s, id, n);
		struct playlist_items items;
		struct playlist_item item;
		shelf_open(&s);
		struct library_snap *sn = library_snap_begin(s.lib);
		uint64_t there = library_playlist_entries_n(sn, id);
		EXPECT(there == acked + 1u || there == acked + 2u); /* one may not have been told */
		library_playlist_items(sn, id, 0, &items);
		for (uint64_t k = there; k-- > 0;) {
			EXPECT(playlist_items_next(&items, &item));
			snprintf(title, sizeof title, "%u", (unsigned)k);
			EXPECT_SPAN(span_str(title), item.title);
		}
		library_snap_end(sn);
		shelf_fini(&s);
		n = (unsigned)there;
	}
}

/* ---- playlists that follow a file ------------------------------------------------------------ */

static struct op_result import(struct shelf *s, struct playlist_import in)
{
	struct op_result r;
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_import(b, &in, &r));
	shelf_submit(s, b);
	return r;
}

static struct playlist_import from_file(const struct playlist_ref *refs, uint32_t n)
{
	return (struct playlist_import){ .name = SPAN("mine"),
					 .source = { .path = SPAN("/m/mine.m3u"),
						     .size = 10,
						     .modified = 7,
						     .device = 3,
						     .inode = 4 },
					 .entries = refs,
					 .entries_n = n };
}

TEST(playlists, of_a_file_are_imported_and_keep_what_stays)
{
	struct shelf s;
	struct fb_table row;
	struct playlist_ref refs[] = { by_path("/m/a"), by_path("/m/b"), by_path("/m/a"),
				       by_path("http://r/x") };
	shelf_init(&s);
	struct playlist_import in = from_file(refs, 4);
	in.source.modified = PLAYLIST_UNFINISHED;
	in.id = import(&s, in).id;
	put_files(&s, "abc");
	EXPECT_STR("a b a (remembered)", tracks(&s, in.id));
	uint64_t first = entry_at(&s, in.id, 0), third = entry_at(&s, in.id, 2);
	struct playlist_ref less[] = { by_path("/m/a"), by_path("/m/c"), by_path("/m/a") };
	in.entries = less;
	in.entries_n = 3;
	in.source.modified = 8;
	EXPECT_U64(3, import(&s, in).done_n);
	EXPECT_STR("a c a", tracks(&s, in.id));
	EXPECT_U64(first, entry_at(&s, in.id, 0));
	EXPECT_U64(third, entry_at(&s, in.id, 2));
	in.how = PLAYLIST_IMPORT_MORE;
	in.entries_n = 1;
	EXPECT_U64(1, import(&s, in).done_n);
	EXPECT_STR("a c a a", tracks(&s, in.id));
	in.how = PLAYLIST_IMPORT_FILE;
	in.entries_n = 0;
	in.name = SPAN("other");
	in.source.path = SPAN("/m/other.m3u");
	EXPECT_OK(import(&s, in).err);
	EXPECT_STR("a c a a", tracks(&s, in.id));
	shelf_reopen(&s);
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_OK(library_playlist_by_path(sn, SPAN("/m/other.m3u"), &row));
	EXPECT_U64(in.id, playlist_id(row));
	EXPECT_SPAN(SPAN("other"), playlist_name(row));
	EXPECT_I64(8, playlist_modified(row));
	EXPECT_U64(10, playlist_size(row));
	EXPECT_U64(3, playlist_device(row));
	EXPECT_U64(4, playlist_inode(row));
	EXPECT_ERR(ERR_NOTFOUND, library_playlist_by_path(sn, SPAN("/m/mine.m3u"), &row));
	library_snap_end(sn);
	struct playlist_import none = { .how = PLAYLIST_IMPORT_GONE };
	struct batch *b;
	EXPECT_OK(batch_new(&b));
	EXPECT_ERR(ERR_INVALID, batch_playlist_import(b, &none, NULL));
	batch_free(b);
	in.how = PLAYLIST_IMPORT_GONE;
	EXPECT_OK(import(&s, in).err);
	EXPECT_ERR(ERR_NOTFOUND, import(&s, in).err);
	shelf_fini(&s);
}

TEST(playlists, of_a_file_are_changed_by_nobody_else)
{
	struct shelf s;
	struct op_result r[6];
	struct span name = SPAN("new");
	struct playlist_ref a = by_path("/m/a");
	struct fb_table row;
	shelf_init(&s);
	put_files(&s, "a");
	uint64_t id = import(&s, from_file(&a, 1)).id, entry = entry_at(&s, id, 0);
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_edit(b, id, &name, NULL, &r[0]));
	EXPECT_OK(batch_playlist_add(b, id, 0, &a, 1, &r[1]));
	EXPECT_OK(batch_playlist_replace(b, id, &a, 1, &r[2]));
	EXPECT_OK(batch_playlist_remove(b, id, &entry, 1, &r[3]));
	EXPECT_OK(batch_playlist_move(b, id, 0, &entry, 1, &r[4]));
	EXPECT_OK(batch_playlist_delete(b, id, &r[5]));
	shelf_submit(&s, b);
	for (size_t i = 0; i < ARRAY_LEN(r); i++)
		EXPECT_ERR(ERR_ACCESS, r[i].err);
	struct library_snap *sn = library_snap_begin(s.lib);
	EXPECT_OK(library_playlist_get(sn, id, &row));
	EXPECT(library_playlist_follows_file(row));
	EXPECT_SPAN(SPAN("mine"), playlist_name(row));
	library_snap_end(sn);
	EXPECT_U64(entry, entry_at(&s, id, 0));
	shelf_fini(&s);
}

/* ---- the model ------------------------------------------------------------------------------- */

#define LISTS_N 4
#define ENTRIES_MAX 300
#define FILES_N 9

struct model_entry {
	uint64_t id;
	char uri[24];
};

struct model_list {
	uint64_t id; /* 0: none */
	char name[16];
	struct model_entry entries[ENTRIES_MAX];
	unsigned n;
};

struct lists_model {
	struct shelf s;
	struct model_list lists[LISTS_N];
	bool files[FILES_N];
	uint64_t max_entry, max_list;
};

static unsigned pick(unsigned n)
{
	return (unsigned)(test_random() % n);
}

static void file_path(unsigned f, char out[24])
{
	snprintf(out, 24, "/m/%u", f);
}

static bool has_file(const struct lists_model *m, const char *uri)
{
	return uri[0] == '/' && m->files[uri[3] - '0'];
}

/* Entries that were just made are where the model has put them; their ids are new. */
static void learn(struct lists_model *m, struct model_list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		if (l->entries[i].id)
			continue;
		l->entries[i].id = entry_at(&m->s, l->id, i);
		EXPECT(l->entries[i].id > m->max_entry);
	}
	for (unsigned i = 0; i < l->n; i++)
		m->max_entry = MAX(m->max_entry, l->entries[i].id);
}

static void model_insert(struct model_list *l, unsigned at, const struct model_entry *e, unsigned n)
{
	memmove(&l->entries[at + n], &l->entries[at], (l->n - at) * sizeof *e);
	memcpy(&l->entries[at], e, n * sizeof *e);
	l->n += n;
}

static void model_cut(struct model_list *l, unsigned at)
{
	memmove(&l->entries[at], &l->entries[at + 1], (l->n - at - 1) * sizeof l->entries[0]);
	l->n--;
}

static unsigned random_refs(struct model_entry e[20], struct playlist_ref refs[20])
{
	unsigned n = pick(20);
	for (unsigned i = 0; i < n; i++) {
		memset(&e[i], 0, sizeof e[i]);
		if (pick(8))
			file_path(pick(FILES_N), e[i].uri);
		else
			snprintf(e[i].uri, sizeof e[i].uri, "http://%u", pick(9));
		refs[i] = (struct playlist_ref){ .uri = span_str(e[i].uri) };
	}
	return n;
}

static void op_create(struct lists_model *m, struct model_list *l)
{
	struct model_entry e[20];
	struct playlist_ref refs[20];
	unsigned n = random_refs(e, refs);
	snprintf(l->name, sizeof l->name, "List %u", pick(20));
	l->id = create(&m->s, l->name, refs, n);
	EXPECT(l->id > m->max_list);
	m->max_list = l->id;
	l->n = 0;
	model_insert(l, 0, e, n);
}

static void op_add(struct lists_model *m, struct model_list *l)
{
	struct model_entry e[20];
	struct playlist_ref refs[20];
	unsigned n = random_refs(e, refs), at = pick(4) ? pick(l->n + 1) : l->n + pick(3);
	if (l->n + n > ENTRIES_MAX)
		return;
	EXPECT_OK(add(&m->s, l->id, at > l->n && pick(2) ? PLAYLIST_END : at, refs, n).err);
	model_insert(l, MIN(at, l->n), e, n);
}

static unsigned choose(const struct model_list *l, uint64_t ids[20], bool chosen[ENTRIES_MAX])
{
	unsigned n = 0;
	for (unsigned i = pick(20); i > 0 && l->n; i--) {
		unsigned at = pick(l->n);
		if (!chosen[at])
			ids[n++] = l->entries[at].id;
		chosen[at] = true;
	}
	return n;
}

static unsigned position_of(const struct model_list *l, uint64_t id)
{
	unsigned i = 0;
	while (i < l->n && l->entries[i].id != id)
		i++;
	EXPECT(i < l->n);
	return i;
}

static void op_remove(struct lists_model *m, struct model_list *l)
{
	uint64_t ids[20];
	bool chosen[ENTRIES_MAX] = { false };
	struct op_result r;
	unsigned n = choose(l, ids, chosen);
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_remove(b, l->id, ids, n, &r));
	shelf_submit(&m->s, b);
	EXPECT_U64(n, r.done_n);
	for (unsigned i = 0; i < n; i++)
		model_cut(l, position_of(l, ids[i]));
}

static void op_move(struct lists_model *m, struct model_list *l)
{
	uint64_t ids[20];
	bool chosen[ENTRIES_MAX] = { false };
	struct op_result r;
	struct model_entry moved[20];
	unsigned n = choose(l, ids, chosen), at = pick(l->n + 1);
	struct batch *b = shelf_batch();
	EXPECT_OK(batch_playlist_move(b, l->id, at, ids, n, &r));
	shelf_submit(&m->s, b);
	EXPECT_U64(n, r.done_n);
	unsigned before = 0;
	for (unsigned i = 0; i < at; i++)
		before += chosen[i];
	for (unsigned i = 0; i < n; i++) {
		unsigned from = position_of(l, ids[i]);
		moved[i] = l->entries[from];
		model_cut(l, from);
	}
	model_insert(l, at - before, moved, n);
}

static void op_files(struct lists_model *m)
{
	struct batch *b = shelf_batch();
	char path[24], to[24];
	bool named[FILES_N] = { false };
	for (unsigned i = pick(4); i > 0; i--) {
		unsigned f = pick(FILES_N), t = pick(FILES_N);
		if (named[f] || named[t] || f == t)
			continue;
		named[f] = named[t] = true;
		file_path(f, path);
		file_path(t, to);
		if (!m->files[f]) {
			shelf_put(b, path);
			m->files[f] = true;
		} else if (pick(2)) {
			EXPECT_OK(batch_remove(b, span_str(path)));
			m->files[f] = false;
		} else {
			shelf_move(b, shelf_media(&m->s, path), to);
			m->files[f] = false;
			m->files[t] = true;
			for (unsigned k = 0; k < LISTS_N; k++)
				for (unsigned e = 0; e < m->lists[k].n; e++)
					if (strcmp(m->lists[k].entries[e].uri, path) == 0)
						memcpy(m->lists[k].entries[e].uri, to, 24);
		}
	}
	shelf_submit(&m->s, b);
}

static void op_edit(struct lists_model *m, struct model_list *l)
{
	struct op_result r;
	struct batch *b = shelf_batch();
	if (pick(3) == 0) {
		EXPECT_OK(batch_playlist_delete(b, l->id, &r));
		l->id = 0;
		l->n = 0;
	} else {
		snprintf(l->name, sizeof l->name, "List %u", pick(20));
		struct span name = span_str(l->name);
		EXPECT_OK(batch_playlist_edit(b, l->id, &name, NULL, &r));
	}
	shelf_submit(&m->s, b);
	EXPECT_OK(r.err);
}

static void check_list(struct lists_model *m, struct library_snap *sn, const struct model_list *l)
{
	struct fb_table row;
	struct playlist_items items;
	struct playlist_item item;
	unsigned present_n = 0, from = pick(l->n + 2);
	EXPECT_OK(library_playlist_get(sn, l->id, &row));
	EXPECT_SPAN(span_str(l->name), playlist_name(row));
	library_playlist_items(sn, l->id, from, &items);
	for (unsigned i = 0; i < l->n; i++) {
		const struct model_entry *e = &l->entries[i];
		bool present = has_file(m, e->uri);
		present_n += present;
		if (i < from)
			continue;
		EXPECT(playlist_items_next(&items, &item));
		EXPECT_U64(i, item.position);
		EXPECT_U64(e->id, item.entry_id);
		EXPECT(present == (item.media.pos != 0));
		if (present)
			EXPECT_SPAN(span_str(e->uri), media_file_path(item.media));
		else
			EXPECT_SPAN(span_str(e->uri), playlist_entry_uri(item.entry));
	}
	EXPECT(!playlist_items_next(&items, &item));
	EXPECT_U64(l->n, library_playlist_entries_n(sn, l->id));
	EXPECT_U64(present_n, library_playlist_present_n(sn, l->id));
}

static void check_all(struct lists_model *m)
{
	unsigned n = 0;
	for (unsigned i = 0; i < LISTS_N; i++)
		if (m->lists[i].id)
			learn(m, &m->lists[i]);
	struct library_snap *sn = library_snap_begin(m->s.lib);
	for (unsigned i = 0; i < LISTS_N; i++) {
		n += m->lists[i].id != 0;
		if (m->lists[i].id)
			check_list(m, sn, &m->lists[i]);
	}
	EXPECT_U64(n, library_playlists_n(sn));
	library_snap_end(sn);
}

TEST_LIMIT(playlists, random_operations_give_what_the_model_gives, 250)
{
	struct lists_model *m = calloc(1, sizeof *m);
	shelf_init(&m->s);
	for (unsigned round = 0; round < 400; round++) {
		struct model_list *l = &m->lists[pick(LISTS_N)];
		unsigned dice = pick(10);
		if (dice < 3)
			op_files(m);
		else if (l->id == 0)
			op_create(m, l);
		else if (dice < 6)
			op_add(m, l);
		else if (dice < 7)
			op_remove(m, l);
		else if (dice < 9)
			op_move(m, l);
		else
			op_edit(m, l);
		check_all(m);
		if (pick(40) == 0) {
			shelf_reopen(&m->s);
			check_all(m);
		}
	}
	shelf_fini(&m->s);
	free(m);
}
