/* SPDX-License-Identifier: MIT */
/* What is kept is what would be written now: whatever changed, for everybody who asks. */
#include "base/cache.h"
#include "dlna/handlers.h"
#include "fixture.h"
#include "library/playlists.h"

static struct media_file_in song(unsigned k, const char *title, const char *artist,
				 const char *album)
{
	static char paths[64][32];
	snprintf(paths[k], sizeof paths[k], "/m/%c/%u.mp3", 'a' + (int)(k % 4), k);
	return (struct media_file_in){ .path = span_str(paths[k]),
				       .title = span_str(title),
				       .artist = span_str(artist),
				       .album = span_str(album),
				       .genre = SPAN("Rock"),
				       .mime_type = SPAN("audio/mpeg"),
				       .size = 1000 + k,
				       .inode = k + 1,
				       .kind = MEDIA_KIND_AUDIO };
}

static struct cache_stats stats_of(struct fixture *fx)
{
	struct cache_stats s;
	cache_stats_get(fx->dlna.pages, &s);
	return s;
}

/** Hits that one Browse brings. */
static uint64_t hits(struct fixture *fx, const char *id)
{
	struct doc a;
	uint64_t before = stats_of(fx).hits_n;
	EXPECT_U64(200, fixture_browse(fx, &(struct browse_args){ .id = id, .count = 10 }, &a));
	doc_fini(&a);
	return stats_of(fx).hits_n - before;
}

TEST(page_cache, a_container_that_did_not_change_is_not_written_again)
{
	struct fixture fx;
	struct media_file_in files[] = { song(0, "One", "A", "X"), song(1, "Two", "B", "Y") };
	struct media_file_in again = song(1, "Three", "B", "Y");
	fixture_init(&fx);
	fixture_put(&fx, files, ARRAY_LEN(files));
	EXPECT_U64(0, hits(&fx, "AT"));
	EXPECT_U64(1, hits(&fx, "AT"));
	EXPECT_U64(0, hits(&fx, "al1"));
	EXPECT_U64(0, hits(&fx, "al2"));
	EXPECT_U64(0, hits(&fx, "AL"));
	fixture_put(&fx, &again, 1); /* in the second album only */
	EXPECT_U64(1, hits(&fx, "al1"));
	EXPECT_U64(0, hits(&fx, "al2"));
	EXPECT_U64(0, hits(&fx, "AT"));
	EXPECT_U64(0, hits(&fx, "AL")); /* shows counts of what is in it */
	EXPECT_U64(1, hits(&fx, "AL"));
	fixture_fini(&fx);
}

/* ---- with and without ------------------------------------------------------------------------ */

static const char *one_of(const char *const *names, size_t n)
{
	return names[test_random() % n];
}

static void change(struct fixture *fx)
{
	static const char *const words[] = { "One", "Two", "Three", "Four", "Storm" };
	static const uint8_t kinds[] = { MEDIA_KIND_AUDIO, MEDIA_KIND_AUDIO, MEDIA_KIND_VIDEO,
					 MEDIA_KIND_IMAGE };
	struct batch *b;
	struct batch_result result;
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_root(b, SPAN("/m"), SPAN("Test")));
	for (uint64_t n = 1 + test_random() % 3; n > 0; n--) {
		struct media_file_in in = song((unsigned)(test_random() % 24), one_of(words, 5),
					       one_of(words, 2), one_of(words, 3));
		in.art_embedded = test_random() % 2;
		in.kind = kinds[test_random() % ARRAY_LEN(kinds)];
		in.date_taken = in.kind == MEDIA_KIND_IMAGE ? 1700000000 : 0;
		if (test_random() % 2)
			in.album_artist = in.composer = span_str(one_of(words, 3));
		EXPECT_OK(test_random() % 3 ? batch_put(b, &in) : batch_remove(b, in.path));
	}
	EXPECT_OK(library_submit_wait(fx->dlna.library, b, &result));
	EXPECT_OK(result.err);
}

static void make_playlist(struct fixture *fx)
{
	const struct playlist_ref songs[] = { { .uri = SPAN("/m/a/0.mp3") },
					      { .uri = SPAN("/m/b/1.mp3") },
					      { .uri = SPAN("/m/c/2.mp3") } };
	struct playlist_new playlist = { .name = SPAN("Mine"),
					 .entries = songs,
					 .entries_n = ARRAY_LEN(songs) };
	struct op_result made;
	struct batch *b;
	struct batch_result result;
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_playlist_create(b, &playlist, &made));
	EXPECT_OK(library_submit_wait(fx->dlna.library, b, &result));
	EXPECT_OK(result.err);
	EXPECT_U64(1, made.id);
}

static unsigned ask(struct fixture *fx, const char *id, const char *criteria, unsigned start,
		    unsigned count, const char *filter)
{
	struct doc a;
	struct browse_args browse = { .id = id, .start = start, .count = count, .filter = filter };
	struct search_args search = { id, criteria, start, count, NULL };
	unsigned status =
		criteria ? fixture_search(fx, &search, &a) : fixture_browse(fx, &browse, &a);
	doc_fini(&a);
	return status;
}

TEST_LIMIT(page_cache, answers_are_the_same_with_and_without, 240)
{
	static const char *const ids[] = { "0",	  "A",	 "AT",	    "AR",     "AL",  "AG",
					   "V",	  "VT",	 "F",	    "d1",     "d2",  "d3",
					   "ar1", "ar2", "ar1/all", "al1",    "al2", "g1",
					   "g2",  "d4",	 "d5",	    "ar1/al1" };
	static const char *const filters[] = { "*", "dc:creator,res" };
	static const char *const criteria[] = {
		"dc:title contains \"o\"", "upnp:artist = \"One\"", "*",
		"upnp:class derivedfrom \"object.container\"",
		"upnp:class derivedfrom \"object.item\" and upnp:album contains \"t\""
	};
	struct fixture fx;
	fixture_init(&fx);
	struct cache *pages = fx.dlna.pages;
	make_playlist(&fx);
	for (int round = 0; round < 4000; round++) {
		struct buf with;
		if (round % 20 == 0)
			change(&fx);
		const char *id = one_of(ids, ARRAY_LEN(ids));
		const char *what = test_random() % 4 ? NULL : one_of(criteria, ARRAY_LEN(criteria));
		const char *filter = one_of(filters, ARRAY_LEN(filters));
		unsigned start = (unsigned)(test_random() % 2 * 4);
		unsigned count = (unsigned)(test_random() % 2 * 5);
		unsigned status = ask(&fx, id, what, start, count, filter);
		buf_init(&with, 1 << 20);
		buf_add(&with, buf_span(&fx.reply));
		fx.dlna.pages = NULL;
		EXPECT_U64(ask(&fx, id, what, start, count, filter), status);
		EXPECT_SPAN(buf_span(&fx.reply), buf_span(&with));
		fx.dlna.pages = pages;
		buf_fini(&with);
	}
	struct cache_stats s = stats_of(&fx);
	printf("%" PRIu64 " hits, %" PRIu64 " misses, %" PRIu64 " stale\n", s.hits_n, s.misses_n,
	       s.stale_n);
	EXPECT(s.hits_n > 50 && s.stale_n > 50);
	fixture_fini(&fx);
}
