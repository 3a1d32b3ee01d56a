/* SPDX-License-Identifier: MIT */
/* Search over a real library: what real clients ask, paging, faults, and a naive search through
 * everything that Browse shows. */
#include "base/clock.h"
#include "base/num.h"
#include "dlna/handlers.h"
#include "fixture.h"
#include "library/playlists.h"
#include "library/text.h"

static const struct span artists[] = { SPAN("Artist A"), SPAN("artist a"), SPAN("Guest") };

static const struct media_file_in files[] = {
	{ .path = SPAN("/m/a/1.mp3"),
	  .title = SPAN("Storm 07"),
	  .artist = SPAN("Artist A"),
	  .artists = artists,
	  .artists_n = ARRAY_LEN(artists),
	  .album = SPAN("Seven"),
	  .genre = SPAN("Rock"),
	  .track = 7,
	  .year = 1999,
	  .size = 100,
	  .inode = 1,
	  .kind = MEDIA_KIND_AUDIO },
	{ .path = SPAN("/m/a/2.mp3"),
	  .title = SPAN("Calm"),
	  .artist = SPAN("artist a"),
	  .album = SPAN("Seven"),
	  .album_artist = SPAN("Various"),
	  .genre = SPAN("rock"),
	  .track = 10,
	  .size = 2000,
	  .duration_ms = 61000,
	  .inode = 2,
	  .kind = MEDIA_KIND_AUDIO },
	{ .path = SPAN("/m/a/b/3.mp3"),
	  .title = SPAN("storm & \"rain\""),
	  .artist = SPAN("7"),
	  .album = SPAN("seven"),
	  .genre = SPAN("Jazz"),
	  .size = 30,
	  .inode = 3,
	  .kind = MEDIA_KIND_AUDIO },
	{ .path = SPAN("/m/a/b/4.mp3"),
	  .title = SPAN("Guest"),
	  .artist = SPAN("007"),
	  .size = 5,
	  .inode = 4,
	  .kind = MEDIA_KIND_AUDIO },
	{ .path = SPAN("/m/c/5.mp3"), .size = 5, .inode = 5, .kind = MEDIA_KIND_AUDIO },
	{ .path = SPAN("/m/v/Storm.mkv"),
	  .title = SPAN("Storm"),
	  .artist = SPAN("Artist A"),
	  .genre = SPAN("Rock"),
	  .size = 9000,
	  .duration_ms = 3600000,
	  .width = 1920,
	  .height = 1080,
	  .inode = 6,
	  .kind = MEDIA_KIND_VIDEO },
	{ .path = SPAN("/m/v/x.mkv"), .size = 9001, .inode = 7, .kind = MEDIA_KIND_VIDEO },
	{ .path = SPAN("/m/p/7.jpg"),
	  .title = SPAN("7"),
	  .size = 77,
	  .width = 10,
	  .height = 7,
	  .inode = 8,
	  .kind = MEDIA_KIND_IMAGE },
};

static void library_init(struct fixture *fx)
{
	fixture_init(fx);
	fixture_put(fx, files, ARRAY_LEN(files));
}

static uint64_t total(struct fixture *fx, const char *id, const char *criteria)
{
	struct doc a;
	EXPECT_U64(200, fixture_search(fx, &(struct search_args){ id, criteria, 0, 0, NULL }, &a));
	uint64_t n = fixture_number(&a, "TotalMatches");
	EXPECT_U64(n, fixture_number(&a, "NumberReturned"));
	doc_fini(&a);
	return n;
}

TEST(search, criteria_of_real_clients_find_what_they_mean)
{
	static const struct {
		const char *id, *criteria;
		uint64_t want;
	} rows[] = {
		/* WMP, Denon, Xbox */
		{ "0", "upnp:class derivedfrom \"object.item.audioItem\" and @refID exists false",
		  5 },
		{ "0", "upnp:class derivedfrom \"object.item.videoItem\" and @refID exists false",
		  2 },
		{ "0", "upnp:class derivedfrom \"object.item.imageItem\" and @refID exists false",
		  1 },
		{ "0", "(upnp:class = \"object.container.album.musicAlbum\")", 3 },
		/* BubbleUPnP */
		{ "0",
		  "(upnp:class derivedfrom \"object.item.videoItem\") and (dc:title contains "
		  "\"st\")",
		  1 },
		/* mpd */
		{ "0", "upnp:artist = \"Artist A\"", 4 },
		{ "0", "(upnp:class derivedfrom \"object.item\") and (upnp:artist = \"ARTIST A\")",
		  3 },
		/* HEOS */
		{ "0", "upnp:class derivedfrom \"object.container.person.musicArtist\"", 6 },
		{ "A", "upnp:class derivedfrom \"object.container.genre\"", 3 },
		/* GUPnP */
		{ "0", "upnp:class derivedfrom \"object.item\"", 8 },
		{ "AT", "*", 5 },
		{ "VT", "", 2 },
		{ "IT", "*", 1 },
		{ "V", "upnp:class derivedfrom \"object.item.audioItem\"", 0 },
		{ "F", "upnp:class derivedfrom \"object.item\"", 8 },
		{ "0", "dc:title contains \"storm\"", 3 },
		{ "0", "upnp:class derivedfrom \"object.item.playlistItem\"", 0 },
	};
	struct fixture fx;
	library_init(&fx);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		printf("%s\n", rows[i].criteria);
		EXPECT_U64(rows[i].want, total(&fx, rows[i].id, rows[i].criteria));
	}
	fixture_fini(&fx);
}

TEST(search, items_come_as_they_are_at_home)
{
	struct fixture fx;
	struct doc a, d, meta, meta_didl;
	library_init(&fx);
	struct search_args args = { "AR", "upnp:artist = \"guest\"", 0, 0, "+dc:title" };
	EXPECT_U64(200, fixture_search(&fx, &args, &a));
	fixture_didl(&a, &d);
	EXPECT_U64(1, doc_count(&d, "item"));
	const struct doc_node *n = doc_find(&d, "item", 0);
	EXPECT_STR("", doc_attribute(n, "refID"));
	struct browse_args browse = { .id = "i1", .metadata = true };
	EXPECT_U64(200, fixture_browse(&fx, &browse, &meta));
	fixture_didl(&meta, &meta_didl);
	EXPECT_STR(doc_find(&meta_didl, "item", 0)->attributes, n->attributes);
	browse = (struct browse_args){ .id = "AR" };
	doc_fini(&meta);
	EXPECT_U64(200, fixture_browse(&fx, &browse, &meta));
	EXPECT_SPAN(doc_text(&meta, "UpdateID", 0), doc_text(&a, "UpdateID", 0));
	doc_fini(&meta_didl);
	doc_fini(&meta);
	doc_fini(&d);
	doc_fini(&a);
	fixture_fini(&fx);
}

TEST(search, wrong_questions_have_their_codes)
{
	static const struct {
		struct search_args args;
		unsigned want;
	} rows[] = {
		{ { .id = "0", .criteria = "nonsense" }, 708 },
		{ { .id = "0", .criteria = "dc:title contains" }, 708 },
		{ { .id = "0", .criteria = "*", .sort = "-dc:title" }, 709 },
		{ { .id = "nope", .criteria = "*" }, 710 },
		{ { .id = "", .criteria = "*" }, 710 },
		{ { .id = "i1", .criteria = "*" }, 710 },
		{ { .id = "d999", .criteria = "*" }, 710 },
	};
	struct fixture fx;
	struct doc a;
	library_init(&fx);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EXPECT_U64(500, fixture_search(&fx, &rows[i].args, &a));
		EXPECT_U64(rows[i].want, fixture_fault(&a));
		doc_fini(&a);
	}
	fixture_fini(&fx);
}

TEST(search, capabilities_name_what_is_compared)
{
	struct fixture fx;
	struct buf caps;
	fixture_init(&fx);
	buf_init(&caps, 1 << 12);
	content_directory_search_caps(&fx.dlna, &caps);
	EXPECT(span_starts(buf_span(&caps), SPAN("@id,@parentID,@refID,dc:title,upnp:class,")));
	buf_fini(&caps);
	fixture_fini(&fx);
}

TEST(search, a_reply_has_whole_objects_only_and_the_right_total)
{
	struct fixture fx;
	struct doc a, d;
	fixture_init(&fx);
	fixture_put_songs(&fx, 200);
	buf_fini(&fx.reply);
	buf_init(&fx.reply, 64 << 10);
	struct search_args args = { "0", "dc:title contains \"song\"", 0, 0, NULL };
	EXPECT_U64(200, fixture_search(&fx, &args, &a));
	fixture_didl(&a, &d);
	uint64_t n = fixture_number(&a, "NumberReturned");
	EXPECT(n > 20 && n < 200);
	EXPECT_U64(n, doc_count(&d, "item"));
	EXPECT_U64(200, fixture_number(&a, "TotalMatches"));
	doc_fini(&d);
	doc_fini(&a);
	fixture_fini(&fx);
}

/* ---- the naive search ------------------------------------------------------------------------ */

#define THINGS_MAX 256
#define VALUES_MAX 40

/** An object at home, as Browse shows it. */
struct thing {
	char id[32];
	unsigned values_n;
	struct {
		char name[32], text[64];
	} values[VALUES_MAX];
};

static struct thing things[THINGS_MAX];
static unsigned things_n;

static void add_value(struct thing *t, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	EXPECT(t->values_n < VALUES_MAX);
	snprintf(t->values[t->values_n].name, sizeof t->values->name, "%s", name);
	snprintf(t->values[t->values_n++].text, sizeof t->values->text, "%s", text);
}

static void add_thing(const struct doc *d, size_t i)
{
	static const char *const attributes[] = { "size",	   "duration",
						  "bitrate",	   "sampleFrequency",
						  "bitsPerSample", "nrAudioChannels",
						  "resolution" };
	struct thing *t = &things[things_n++];
	EXPECT(things_n < THINGS_MAX);
	*t = (struct thing){ 0 };
	snprintf(t->id, sizeof t->id, "%s", doc_attribute(&d->nodes[i], "id"));
	add_value(t, "@id", t->id);
	add_value(t, "@parentID", doc_attribute(&d->nodes[i], "parentID"));
	for (size_t k = i + 1; k < d->nodes_n && d->nodes[k].depth > d->nodes[i].depth; k++) {
		char text[64], name[32];
		snprintf(text, sizeof text, "%.*s", SPAN_ARG(buf_span(&d->nodes[k].text)));
		add_value(t, d->nodes[k].name, text);
		add_value(t, "upnp:artist@role", doc_attribute(&d->nodes[k], "role"));
		for (size_t m = 0;
		     strcmp(d->nodes[k].name, "res") == 0 && m < ARRAY_LEN(attributes); m++) {
			snprintf(name, sizeof name, "res@%s", attributes[m]);
			add_value(t, name, doc_attribute(&d->nodes[k], attributes[m]));
		}
	}
}

static struct thing *find_thing(const char *id)
{
	for (unsigned i = 0; i < things_n; i++)
		if (strcmp(things[i].id, id) == 0)
			return &things[i];
	return NULL;
}

/** The home of what stands in a listing; "": it has none of its own. */
static void home_of(const struct doc_node *n, char out[32])
{
	const char *ref = doc_attribute(n, "refID");
	if (ref[0]) {
		snprintf(out, 32, "%s", ref);
		return;
	}
	const char *id = doc_attribute(n, "id");
	const char *slash = strchr(id, '/');
	if (strncmp(id, "py", 2) == 0 || strncmp(id, "pm", 2) == 0) {
		out[0] = '\0';
		return;
	}
	if (!slash && (strncmp(id, "aa", 2) == 0 || (id[0] == 'd' && id[1] >= 'a'))) {
		/* an artist, a directory once more */
		snprintf(out, 32, "%s%s", id[0] == 'a' ? "ar" : "d", id + 2);
		return;
	}
	snprintf(out, 32, "%s", !slash ? id : strcmp(slash, "/all") == 0 ? "" : slash + 1);
}

/** Everything below a container; with `below` NULL, learns things at home instead. */
static void walk(struct fixture *fx, const char *id, bool *below)
{
	struct doc a, d;
	EXPECT_U64(200, fixture_browse(fx, &(struct browse_args){ .id = id }, &a));
	fixture_didl(&a, &d);
	for (size_t i = 1; i < d.nodes_n; i++) {
		char home[32], child[32];
		if (d.nodes[i].depth != 1)
			continue;
		snprintf(child, sizeof child, "%s", doc_attribute(&d.nodes[i], "id"));
		home_of(&d.nodes[i], home);
		if (!below && strcmp(home, child) == 0 && !find_thing(child))
			add_thing(&d, i);
		if (below && home[0])
			below[find_thing(home) - things] = true;
		if (strcmp(d.nodes[i].name, "container") == 0)
			walk(fx, child, below);
	}
	doc_fini(&d);
	doc_fini(&a);
}

static const char *const ops[] = {
	"=", "!=", "<", "<=", ">", ">=", "contains", "doesNotContain", "derivedfrom", "exists"
};

static bool naive_value(const char *op, const char *have, const char *want)
{
	int64_t a, b;
	int order = strcasecmp(have, want);
	bool found = strcasestr(have, want) != NULL;
	if (strcmp(op, "contains") == 0 || strcmp(op, "doesNotContain") == 0)
		return found == (op[0] == 'c');
	if (strcmp(op, "derivedfrom") == 0) {
		size_t n = strlen(want);
		return strncasecmp(have, want, n) == 0 && (have[n] == '\0' || have[n] == '.');
	}
	if (num_parse_i64(span_str(have), INT64_MIN, INT64_MAX, &a) == ERR_OK &&
	    num_parse_i64(span_str(want), INT64_MIN, INT64_MAX, &b) == ERR_OK)
		order = (a > b) - (a < b);
	if (order == 0)
		return strcmp(op, "=") == 0 || strcmp(op, "<=") == 0 || strcmp(op, ">=") == 0;
	return op[0] == '!' || op[0] == (order < 0 ? '<' : '>');
}

static bool naive(const struct thing *t, const char *name, const char *op, const char *want)
{
	bool any = false, exists = strcmp(op, "exists") == 0;
	for (unsigned i = 0; i < t->values_n; i++)
		if (strcmp(t->values[i].name, name) == 0)
			any |= exists || naive_value(op, t->values[i].text, want);
	return exists ? any == (strcmp(want, "true") == 0) : any;
}

static size_t pick(size_t n)
{
	return (size_t)(test_random() % n);
}

/** Append a random criteria; clears the marks of what it does not match. */
static void random_criteria(struct buf *b, bool *marks, int depth)
{
	static const char *const names[] = {
		"dc:title",    "upnp:class",	 "upnp:artist",
		"upnp:artist", "upnp:genre",	 "upnp:album",
		"dc:creator",  "dc:date",	 "@id",
		"@parentID",   "@refID",	 "upnp:artist@role",
		"res@size",    "res@resolution", "upnp:originalTrackNumber",
		"upnp:actor",  "upnp:artist",	 "res@bitrate",
	};
	static const char *const texts[] = {
		"Storm", "storm 07", "artist a", "guest",	"7",	  "007", "seven",
		"rock",	 "Jazz",     "various",	 "AlbumArtist", "1999",	  "100", "1920x1080",
		"i1",	 "d2",	     "F",	 "A",		"albums", "e",	 "calm",
	};
	static const char *const classes[] = { "object.item.audioItem",
					       "object.item.videoItem",
					       "object.container",
					       "object.item",
					       "object.container.album.musicAlbum",
					       "object.item.imageItem.photo",
					       "object.container.playlistContainer",
					       "object.container.storageFolder" };
	if (depth > 0 && pick(3) > 0) {
		bool left[THINGS_MAX], right[THINGS_MAX], and = pick(2);
		buf_add_char(b, '(');
		random_criteria(b, left, depth - 1);
		buf_add_str(b, and? " and " : " or ");
		random_criteria(b, right, depth - 1);
		buf_add_char(b, ')');
		for (unsigned i = 0; i < things_n; i++)
			marks[i] = and? left[i] && right[i] : left[i] || right[i];
		return;
	}
	const char *name = names[pick(ARRAY_LEN(names))];
	bool is_class = strcmp(name, "upnp:class") == 0;
	const char *op = pick(2) ? "=" : ops[pick(ARRAY_LEN(ops))];
	if (strcmp(op, "derivedfrom") == 0 && !is_class)
		op = "contains";
	bool exists = strcmp(op, "exists") == 0;
	const char *text = exists     ? pick(2) ? "true" : "false"
			   : is_class ? classes[pick(ARRAY_LEN(classes))]
				      : texts[pick(ARRAY_LEN(texts))];
	buf_addf(b, exists ? "%s %s %s" : "%s %s \"%s\"", name, op, text);
	for (unsigned i = 0; i < things_n; i++)
		marks[i] = naive(&things[i], name, op, text);
}

static unsigned collect(const struct doc *answer, char ids[THINGS_MAX][32])
{
	struct doc d;
	unsigned n = 0;
	fixture_didl(answer, &d);
	for (size_t i = 1; i < d.nodes_n; i++)
		if (d.nodes[i].depth == 1)
			snprintf(ids[n++], 32, "%s", doc_attribute(&d.nodes[i], "id"));
	doc_fini(&d);
	return n;
}

/** Pages of every kind, one behind the other, are the whole. */
static void check_pages(struct fixture *fx, struct search_args args, char want[][32], unsigned n)
{
	static char got[THINGS_MAX][32];
	unsigned start = 0;
	args.count = 1 + (unsigned)pick(7);
	do {
		struct doc a;
		args.start = start;
		EXPECT_U64(200, fixture_search(fx, &args, &a));
		EXPECT_U64(n, fixture_number(&a, "TotalMatches"));
		unsigned page_n = collect(&a, got);
		EXPECT_U64(MIN(args.count, n - start), page_n);
		EXPECT_U64(page_n, fixture_number(&a, "NumberReturned"));
		for (unsigned i = 0; i < page_n; i++)
			EXPECT_STR(want[start + i], got[i]);
		start += page_n;
		doc_fini(&a);
	} while (start < n);
}

static void put_in_another_root(struct fixture *fx)
{
	struct batch *b;
	struct batch_result result;
	struct media_file_in song = files[0];
	struct media_file_in picture = { .path = SPAN("/n/deep/picture.jpg"),
					 .title = SPAN("Calm 1999"),
					 .date_taken = 1577836800,
					 .kind = MEDIA_KIND_IMAGE };
	struct playlist_ref refs[] = { { .uri = SPAN("/n/deep/er/1.mp3") },
				       { .uri = SPAN("/n/none.mp3"), .title = SPAN("Storm") },
				       { .uri = SPAN("/n/deep/picture.jpg") },
				       { .uri = SPAN("/m/a/2.mp3") } };
	struct playlist_new list = { .name = SPAN("Storm songs"), .entries = refs, .entries_n = 4 };
	song.path = refs[0].uri;
	song.inode = 99;
	song.composer = SPAN("Guest");
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_root(b, SPAN("/n"), SPAN("Other")));
	EXPECT_OK(batch_put(b, &song));
	EXPECT_OK(batch_put(b, &picture));
	EXPECT_OK(batch_playlist_create(b, &list, NULL));
	EXPECT_OK(library_submit_wait(fx->dlna.library, b, &result));
	EXPECT_OK(result.err);
}

static void compare_with_naive(struct fixture *fx)
{
	static const char *const ids[] = {
		"0",	   "0",	  "0",	     "A",   "AT",      "AR",	   "AL",  "AG",	 "AY",
		"V",	   "VT",  "I",	     "IT",  "F",       "d2",	   "d3",  "d4",	 "ar1",
		"ar2/all", "al1", "ar1/al1", "g4",  "y1999",   "d1",	   "d5",  "d6",	 "d7",
		"d8",	   "d9",  "AA",	     "AC",  "AN",      "AF",	   "VN",  "VF",	 "IN",
		"IF",	   "ID",  "P",	     "aa1", "aa1/al1", "c7",	   "da2", "da3", "dv4",
		"di4",	   "di5", "pl1",     "P",   "py2020",  "pm202001", "c12", "c13", "c14",
		"c15",	   "c16", "aa3",     "aa5", "pl1",     "P",	   "ID",  "AC",	 "AA"
	};
	static char got[THINGS_MAX][32];
	things_n = 0;
	walk(fx, "0", NULL);
	unsigned compared = 0, found = 0;
	for (int round = 0; round < 2500; round++) {
		struct doc a;
		struct buf criteria;
		bool marks[THINGS_MAX] = { 0 }, below[THINGS_MAX] = { 0 };
		const char *id = ids[pick(ARRAY_LEN(ids))];
		struct browse_args exists = { .id = id, .metadata = true };
		bool there = fixture_browse(fx, &exists, &a) == 200;
		doc_fini(&a);
		if (!there)
			continue;
		walk(fx, id, below);
		buf_init(&criteria, 4096);
		random_criteria(&criteria, marks, 3);
		struct search_args args = { id, buf_cstr(&criteria), 0, 0, NULL };
		EXPECT_U64(200, fixture_search(fx, &args, &a));
		unsigned n = collect(&a, got), want = 0;
		for (unsigned i = 0; i < things_n; i++)
			want += marks[i] && below[i];
		bool right = n == want;
		for (unsigned i = 0; i < n && right; i++) {
			struct thing *t = find_thing(got[i]);
			right = t && marks[t - things] && below[t - things];
			for (unsigned k = 0; k < i; k++)
				right &= strcmp(got[i], got[k]) != 0;
		}
		if (!right) {
			printf("in %s: %s\n", id, args.criteria);
			for (unsigned i = 0; i < n; i++)
				printf("  got %s\n", got[i]);
			for (unsigned i = 0; i < things_n; i++)
				if (marks[i] && below[i])
					printf("  want %s\n", things[i].id);
		}
		EXPECT(right);
		EXPECT_U64(n, fixture_number(&a, "TotalMatches"));
		check_pages(fx, args, got, n);
		compared++;
		found += n > 0;
		doc_fini(&a);
		buf_fini(&criteria);
	}
	printf("%u compared, %u not empty\n", compared, found);
	EXPECT(compared > 1000 && found > 200);
}

TEST_LIMIT(search, finds_what_a_naive_search_finds, 240)
{
	struct fixture fx;
	library_init(&fx);
	compare_with_naive(&fx);
	fixture_fini(&fx);
}

TEST_LIMIT(search, finds_what_a_naive_search_finds_in_several_roots, 240)
{
	struct fixture fx;
	library_init(&fx);
	put_in_another_root(&fx);
	compare_with_naive(&fx);
	fixture_fini(&fx);
}

/* With the text column: of all, and with some of it changed since. */
TEST_LIMIT(search, finds_what_a_naive_search_finds_with_a_text_column, 240)
{
	struct fixture fx;
	library_init(&fx);
	EXPECT_OK(text_settle(library_text(fx.dlna.library)));
	compare_with_naive(&fx);
	fixture_fini(&fx);
}

TEST_LIMIT(search, finds_what_a_naive_search_finds_with_an_old_text_column, 240)
{
	struct fixture fx;
	struct media_file_in renamed[] = { files[1], files[5], files[7] };
	renamed[0].title = SPAN("Storm 7");
	renamed[1].artist = SPAN("Guest");
	renamed[2].title = SPAN("Calm storm");
	library_init(&fx);
	EXPECT_OK(text_settle(library_text(fx.dlna.library)));
	fixture_put(&fx, renamed, ARRAY_LEN(renamed));
	put_in_another_root(&fx);
	compare_with_naive(&fx);
	struct library_stats stats;
	library_stats_get(fx.dlna.library, &stats);
	EXPECT_U64(0, stats.text_refused_n);
	fixture_fini(&fx);
}

TEST_LIMIT(search, speed_in_2000_songs_is_reported, 120)
{
	static const char *const rows[] = { "dc:title contains \"song 1\"",
					    "upnp:artist contains \"artist\"",
					    "upnp:artist = \"Artist A\"",
					    "upnp:class derivedfrom \"object.item.audioItem\"" };
	struct fixture fx;
	struct doc a;
	fixture_init(&fx);
	fixture_put_songs(&fx, 2000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct search_args args = { "0", rows[i], 0, 50, NULL };
		uint64_t began = clock_now_ns();
		for (int round = 0; round < 20; round++) {
			EXPECT_U64(200, fixture_search(&fx, &args, &a));
			doc_fini(&a);
		}
		printf("%s: %" PRIu64 " us\n", rows[i], (clock_now_ns() - began) / 20000);
	}
	fixture_fini(&fx);
}
