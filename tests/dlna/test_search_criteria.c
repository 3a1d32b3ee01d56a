/* SPDX-License-Identifier: MIT */
/* SearchCriteria: the grammar, its limits, what matches, and what an index may be asked. */
#include "base/buf.h"
#include "dlna/search_criteria.h"
#include "harness.h"

static enum err parse(const char *text, struct search_criteria *out)
{
	return search_criteria_parse(span_str(text), out);
}

/* Containers need no record, so the table can be told with them alone. */
static bool matches(const char *text, const struct object *o)
{
	struct search_criteria c;
	EXPECT_OK(parse(text, &c));
	return search_criteria_match(&c, o);
}

static const struct object album = { .kind = OBJECT_CONTAINER,
				     .container_class = CONTAINER_ALBUM,
				     .id = "al7",
				     .parent_id = "AL",
				     .title = { "Caf\xc3\xa9 del \"Mar\" 2", 17 },
				     .artist = { "Bj\xc3\xb6rk", 6 } };

TEST(search_criteria, relations_hold_as_the_standard_says)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "*", true },
		{ " * ", true },
		{ "", true },
		{ "dc:title = \"caf\xc3\x89 DEL \\\"mar\\\" 2\"", true },
		{ "dc:title = \"cafe del\"", false },
		{ "dc:title != \"cafe del\"", true },
		{ "dc:title contains \"CAFE\"", true },
		{ "dc:title contains \"\"", true },
		{ "dc:title contains \"\\\\\"", false },
		{ "dc:title doesNotContain \"tea\"", true },
		{ "dc:title doesNotContain \"cafe\"", false },
		{ "dc:title < \"d\"", true },
		{ "dc:title >= \"d\"", false },
		{ "dc:creator = \"bjork\"", true },
		{ "upnp:artist = \"BJ\xc3\x96RK\"", true },
		{ "upnp:artist exists true", true },
		{ "upnp:artist exists false", false },
		{ "@id = \"al7\"", true },
		{ "@parentID = \"AL\"", true },
		{ "@parentid exists true", true },
		/* missing: every relation is false */
		{ "upnp:genre = \"x\"", false },
		{ "upnp:genre != \"x\"", false },
		{ "upnp:genre doesNotContain \"x\"", false },
		{ "upnp:genre exists false", true },
		{ "upnp:actor != \"x\"", false },
		{ "upnp:actor exists false", true },
		{ "@refID exists false", true },
		{ "@refID exists true", false },
		/* classes */
		{ "upnp:class = \"object.container.album.musicAlbum\"", true },
		{ "upnp:class = \"object.container.album\"", false },
		{ "upnp:class derivedfrom \"object.container.album\"", true },
		{ "upnp:class derivedFrom \"object.container.\"", true },
		{ "upnp:class derivedfrom \"object.container.alb\"", false },
		{ "upnp:class derivedfrom \"object.item\"", false },
		{ "upnp:class derivedfrom \"OBJECT\"", true },
		{ "upnp:class contains \"musicAlbum\"", true },
		/* precedence: and before or; parentheses before both */
		{ "@id = \"al7\" or @id = \"x\" and @id = \"y\"", true },
		{ "(@id = \"al7\" or @id = \"x\") and @id = \"y\"", false },
		{ "@id = \"y\" and @id = \"x\" or @id = \"al7\"", true },
		{ "@id = \"y\" and (@id = \"x\" or @id = \"al7\")", false },
		{ "@id = \"al7\" and @id = \"al7\" and @id = \"al7\"", true },
		{ "@id = \"x\" or @id = \"y\" or @id = \"al7\"", true },
		{ "((@id = \"x\") or ((@id = \"al7\")))", true },
		/* spaces of every kind, and none */
		{ "\t@id\v=\f\"al7\"\r\nAND\n@parentID = \"AL\" ", true },
		{ "@id=\"al7\"and(@parentID!=\"x\")", true },
		{ "@id = &quot;al7&quot;", true },
		{ "upnp:artist[@role=\"AlbumArtist\"] = \"x\"", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (matches(rows[i].text, &album) != rows[i].want)
			printf("%s\n", rows[i].text);
		EXPECT(matches(rows[i].text, &album) == rows[i].want);
	}
}

TEST(search_criteria, integers_compare_by_value_and_other_texts_by_letters)
{
	struct object o = album;
	o.title = SPAN("9");
	EXPECT(matches("dc:title < \"10\"", &o));
	EXPECT(matches("dc:title = \"+09\"", &o));
	EXPECT(matches("dc:title > \"-5\"", &o));
	EXPECT(matches("dc:title > \"10a\"", &o));
	EXPECT(!matches("dc:title contains \"09\"", &o));
	o.title = SPAN("9 lives");
	EXPECT(matches("dc:title > \"10\"", &o));
}

TEST(search_criteria, what_is_no_criteria_is_refused)
{
	static const char *const rows[] = {
		"nonsense",
		"dc:title",
		"dc:title =",
		"dc:title = x",
		"dc:title = \"x",
		"dc:title = \"x\\\"",
		"dc:title == \"x\"",
		"dc:title is \"x\"",
		"= \"x\"",
		"\"x\" = \"x\"",
		"dc:title exists maybe",
		"dc:title exists \"",
		"dc:title derivedfrom \"x\"",
		"dc:title = \"x\" dc:title = \"y\"",
		"dc:title = \"x\" and",
		"dc:title = \"x\" xor dc:title = \"y\"",
		"and dc:title = \"x\"",
		"(dc:title = \"x\"",
		"dc:title = \"x\")",
		"()",
		"(*)",
		"* and dc:title = \"x\"",
		")",
		"dc:title = \"x\" ( dc:title = \"y\" )",
	};
	struct search_criteria c;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (parse(rows[i], &c) == ERR_OK)
			printf("%s\n", rows[i]);
		EXPECT_ERR(ERR_INVALID, parse(rows[i], &c));
	}
}

static void repeat(struct buf *b, const char *text, unsigned n)
{
	while (n-- > 0)
		buf_add_str(b, text);
}

TEST(search_criteria, limits_are_limits)
{
	struct search_criteria c;
	struct buf b;
	buf_init(&b, 1 << 16);

	repeat(&b, "@id=\"x\" or ", CRITERIA_RELATIONS_MAX - 1);
	buf_add_str(&b, "@id=\"al7\"");
	EXPECT_OK(search_criteria_parse(buf_span(&b), &c));
	EXPECT(search_criteria_match(&c, &album));
	buf_add_str(&b, " or @id=\"x\"");
	EXPECT_ERR(ERR_LIMIT, search_criteria_parse(buf_span(&b), &c));

	buf_clear(&b);
	repeat(&b, "(", CRITERIA_DEPTH_MAX);
	buf_add_str(&b, "@id=\"al7\"");
	repeat(&b, ")", CRITERIA_DEPTH_MAX);
	EXPECT_OK(search_criteria_parse(buf_span(&b), &c));
	EXPECT(search_criteria_match(&c, &album));
	buf_clear(&b);
	repeat(&b, "(", 60000);
	EXPECT_ERR(ERR_LIMIT, search_criteria_parse(buf_span(&b), &c));
	buf_clear(&b);
	repeat(&b, "(", CRITERIA_DEPTH_MAX + 1);
	EXPECT_ERR(ERR_LIMIT, search_criteria_parse(buf_span(&b), &c));

	/* as many parts waiting as there can be */
	buf_clear(&b);
	repeat(&b, "@id=\"a\" or @id=\"b\" and (", CRITERIA_DEPTH_MAX);
	buf_add_str(&b, "@id=\"al7\"");
	repeat(&b, ")", CRITERIA_DEPTH_MAX);
	EXPECT_OK(search_criteria_parse(buf_span(&b), &c));
	EXPECT(!search_criteria_match(&c, &album));

	/* the longest value, folded to more bytes than it had */
	buf_clear(&b);
	buf_add_str(&b, "@id!=\"");
	repeat(&b, "\xc5\x89", (CRITERIA_TEXT_MAX - 8) / 2);
	buf_add_str(&b, "\"");
	EXPECT(b.n <= CRITERIA_TEXT_MAX);
	EXPECT_OK(search_criteria_parse(buf_span(&b), &c));
	EXPECT(search_criteria_match(&c, &album));
	repeat(&b, " ", CRITERIA_TEXT_MAX);
	EXPECT_ERR(ERR_LIMIT, search_criteria_parse(buf_span(&b), &c));
	buf_fini(&b);
}

static struct search_query query_of(struct search_criteria *c, const char *text)
{
	struct search_query q;
	EXPECT_OK(parse(text, c));
	search_criteria_query(c, &q);
	return q;
}

TEST(search_criteria, a_class_alone_needs_no_record)
{
	struct search_criteria c;
	struct search_query q = query_of(
		&c, "upnp:class derivedfrom \"object.item.audioItem\" and @refID exists false");
	EXPECT_U64(SEARCH_YES, q.items[OBJECT_AUDIO]);
	EXPECT_U64(SEARCH_NO, q.items[OBJECT_VIDEO]);
	EXPECT_U64(SEARCH_NO, q.items[OBJECT_IMAGE]);
	for (int i = 0; i < CONTAINER_CLASSES_N; i++)
		EXPECT_U64(SEARCH_NO, q.containers[i]);

	q = query_of(&c, "(upnp:class derivedfrom \"object.item.videoItem\") and "
			 "(dc:title contains \"x\")");
	EXPECT_U64(SEARCH_NO, q.items[OBJECT_AUDIO]);
	EXPECT_U64(SEARCH_MAYBE, q.items[OBJECT_VIDEO]);

	q = query_of(&c, "upnp:class = \"object.container.album.musicAlbum\"");
	EXPECT_U64(SEARCH_NO, q.items[OBJECT_AUDIO]);
	EXPECT_U64(SEARCH_YES, q.containers[CONTAINER_ALBUM]);
	EXPECT_U64(SEARCH_NO, q.containers[CONTAINER_ARTIST]);

	q = query_of(&c, "*");
	EXPECT_U64(SEARCH_YES, q.items[OBJECT_IMAGE]);
	EXPECT_U64(SEARCH_YES, q.containers[CONTAINER_FOLDER]);
}

TEST(search_criteria, a_name_that_must_be_there_is_told_to_the_index)
{
	struct search_criteria c;
	struct search_query q = query_of(&c, "upnp:artist = \"Artist A\"");
	EXPECT_SPAN(SPAN("artist a"), q.artist);
	EXPECT_U64(SEARCH_NO, q.containers[CONTAINER_GENRE]);
	EXPECT_U64(SEARCH_MAYBE, q.containers[CONTAINER_ALBUM]);
	q = query_of(&c, "(upnp:genre = \"Rock\" or upnp:genre=\"Pop\") and upnp:album = \"X\"");
	EXPECT_U64(0, q.genre.n);
	EXPECT_SPAN(SPAN("x"), q.album);
	q = query_of(&c, "upnp:artist = \"a\" and dc:title = \"b\" or upnp:artist = \"a\"");
	EXPECT_U64(0, q.artist.n);
	/* numbers are equal to names that do not look the same */
	q = query_of(&c, "upnp:artist = \"007\"");
	EXPECT_U64(0, q.artist.n);
	q = query_of(&c, "upnp:artist != \"a\"");
	EXPECT_U64(0, q.artist.n);
	/* a video with that title has no artist, but audio must have one */
	q = query_of(&c, "upnp:class = \"object.item.videoItem\" or upnp:artist = \"a\"");
	EXPECT_SPAN(SPAN("a"), q.artist);
	EXPECT_U64(SEARCH_YES, q.items[OBJECT_VIDEO]);
}
