/* SPDX-License-Identifier: MIT */
/* UpdateObject and X_SetBookmark: what players tell of a file, and how listings say it again. */
#include "base/xml.h"
#include "dlna/tag_value.h"
#include "fixture.h"
#include "library/bookmarks.h"

#define COUNT(n) "<upnp:playCount>" n "</upnp:playCount>"
#define POSITION(s) "<upnp:lastPlaybackPosition>" s "</upnp:lastPlaybackPosition>"
#define STATE "<xbmc:lastPlayerState></xbmc:lastPlayerState>"
#define SAMSUNG_AGENT "DLNADOC/1.50 SEC_HHP_[TV] Samsung 7 Series (55)/1.0"
#define SAMSUNG_Q_AGENT "DLNADOC/1.50 SEC_HHP_[TV] Samsung Q7 Series (55)/1.0"

/* ---- tag values ------------------------------------------------------------------------------ */

TEST(tag_value, lists_are_cut_at_commas_that_are_not_escaped)
{
	struct span list = SPAN("<a>1\\,2</a>, ,<b/>,<upnp:c></upnp:c>");
	struct tag_value v;
	EXPECT_U64(4, tag_values_n(list));
	EXPECT_OK(tag_value_cut(&list, &v));
	EXPECT_SPAN(SPAN("a"), v.name);
	EXPECT_SPAN(SPAN("1\\,2"), v.value);
	EXPECT_OK(tag_value_cut(&list, &v));
	EXPECT_U64(0, v.name.n);
	EXPECT_OK(tag_value_cut(&list, &v));
	EXPECT_SPAN(SPAN("b"), v.name);
	EXPECT_U64(0, v.value.n);
	EXPECT_OK(tag_value_cut(&list, &v));
	EXPECT_SPAN(SPAN("upnp:c"), v.name);
	EXPECT_U64(0, list.n);
	EXPECT_U64(1, tag_values_n(SPAN("")));
	EXPECT_U64(2, tag_values_n(SPAN(",")));
}

TEST(tag_value, what_is_no_element_is_refused)
{
	static const char *const wrong[] = { "a",	  "<a>",      "<>",	 "</>",
					     "<a></b>",	  "<a>1",     "<a>1</a", "<a><b>1</b></a>",
					     "<a>1</a>x", "<a></a >", "<a",	 "1</a>",
					     "<></>",	  "\\",	      "<a>\\" };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct span list = span_str(wrong[i]);
		struct tag_value v;
		EXPECT_ERR(ERR_INVALID, tag_value_cut(&list, &v));
	}
}

TEST(tag_value, random_bytes_are_cut_to_their_end)
{
	static const char letters[] = "<>/,\\a: 1";
	char text[64];
	for (int round = 0; round < 20000; round++) {
		size_t n = test_random() % sizeof text;
		for (size_t i = 0; i < n; i++)
			text[i] = letters[test_random() % (sizeof letters - 1)];
		struct span list = span_of(text, n);
		struct tag_value v;
		unsigned parts = tag_values_n(list);
		for (unsigned i = 0; i < parts; i++)
			(void)!tag_value_cut(&list, &v);
		EXPECT_U64(0, list.n);
	}
}

TEST(tag_value, durations_are_clocks_or_seconds)
{
	static const struct {
		const char *text;
		enum err err;
		uint32_t ms;
	} cases[] = {
		{ "0", ERR_OK, 0 },
		{ "185", ERR_OK, 185000 },
		{ " 185.12 ", ERR_OK, 185120 },
		{ "0:03:05.120", ERR_OK, 185120 },
		{ "01:00:00", ERR_OK, 3600000 },
		{ "0:00:00.1239", ERR_OK, 123 },
		{ "", ERR_INVALID, 0 },
		{ "1:60:00", ERR_RANGE, 0 },
		{ "1:00:60", ERR_RANGE, 0 },
		{ "1:00", ERR_INVALID, 0 },
		{ "-1", ERR_INVALID, 0 },
		{ "1.x", ERR_INVALID, 0 },
		{ "99999:00:00", ERR_RANGE, 0 },
		{ "4294968", ERR_RANGE, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t ms = 0;
		enum err e = tag_duration_parse(span_str(cases[i].text), &ms);
		EXPECT_U64(cases[i].err == ERR_OK, e == ERR_OK);
		EXPECT_U64(cases[i].ms, ms);
	}
}

TEST(tag_value, dates_know_their_zone)
{
	static const struct {
		const char *text;
		int64_t s; /* -1: none */
	} cases[] = {
		{ "1970-01-02", 86400 },
		{ "1970-01-01T00:01:00", 60 },
		{ "1970-01-01T00:01:00Z", 60 },
		{ "1970-01-01T00:01:00.5Z", 60 },
		{ "1970-01-01T01:01:00+01:00", 60 },
		{ "1969-12-31T23:01:00-01:00", 60 },
		{ "", -1 },
		{ "yesterday", -1 },
		{ "1970-01-01T00:01:00 CET", -1 },
		{ "1970-01-01T00:01:00Z1970-01-01T00:01:00Z1970", -1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t s = -1;
		enum err e = tag_date_parse(span_str(cases[i].text), &s);
		EXPECT_U64(cases[i].s >= 0, e == ERR_OK);
		EXPECT(s == cases[i].s);
	}
}

/* ---- the actions ----------------------------------------------------------------------------- */

static void put_film(struct fixture *fx)
{
	struct media_file_in film = { .path = SPAN("/m/Film.mkv"),
				      .title = SPAN("Film, the"),
				      .mime_type = SPAN("video/x-matroska"),
				      .size = 1000,
				      .inode = 1,
				      .kind = MEDIA_KIND_VIDEO };
	fixture_put(fx, &film, 1);
}

static void films(struct fixture *fx, const char *filter, struct doc *out)
{
	struct doc answer;
	struct browse_args args = { .id = "VT", .filter = filter };
	EXPECT_U64(200, fixture_browse(fx, &args, &answer));
	fixture_didl(&answer, out);
	EXPECT_U64(1, doc_count(out, "item"));
	doc_fini(&answer);
}

static void film_id(struct fixture *fx, char *out, size_t out_n)
{
	struct doc d;
	films(fx, "", &d);
	snprintf(out, out_n, "%s", doc_attribute(doc_find(&d, "item", 0), "id"));
	doc_fini(&d);
}

/* The error code of the answer, 0 where there is none. */
static unsigned post(struct fixture *fx, const char *action, const char *arguments)
{
	struct doc a;
	struct buf text;
	buf_init(&text, 1 << 16);
	buf_addf(&text,
		 "<Envelope><Body><%s xmlns=\"urn:schemas-upnp-org:service:ContentDirectory:1\">"
		 "%s</%s></Body></Envelope>",
		 action, arguments, action);
	unsigned status = fixture_post(fx, SERVICE_CONTENT_DIRECTORY, NULL, buf_span(&text));
	buf_fini(&text);
	doc_parse(buf_span(&fx->reply), &a);
	EXPECT(a.well_formed);
	unsigned code = status == 200 ? 0 : (unsigned)fixture_fault(&a);
	if (status == 200) {
		char response[64];
		snprintf(response, sizeof response, "u:%sResponse", action);
		EXPECT_U64(1, doc_count(&a, response));
	}
	doc_fini(&a);
	return code;
}

static unsigned update(struct fixture *fx, const char *id, const char *current, const char *new_tag)
{
	struct buf b;
	buf_init(&b, 1 << 16);
	buf_addf(&b, "<ObjectID>%s</ObjectID><CurrentTagValue>", id);
	xml_add_text(&b, span_str(current), 1);
	buf_add_str(&b, "</CurrentTagValue><NewTagValue>");
	xml_add_text(&b, span_str(new_tag), 1);
	buf_add_str(&b, "</NewTagValue>");
	buf_add_char(&b, '\0');
	unsigned code = post(fx, "UpdateObject", b.p);
	buf_fini(&b);
	return code;
}

static unsigned set_bookmark(struct fixture *fx, const char *id, unsigned position)
{
	char arguments[256];
	snprintf(arguments, sizeof arguments,
		 "<CategoryType>0</CategoryType><RID>0</RID><ObjectID>%s</ObjectID>"
		 "<PosSecond>%u</PosSecond>",
		 id, position);
	return post(fx, "X_SetBookmark", arguments);
}

/* The text of an element; "" where there is none. */
static struct span text_of(const struct doc *d, const char *name)
{
	return doc_count(d, name) > 0 ? doc_text(d, name, 0) : SPAN("");
}

static void expect_played(struct fixture *fx, const char *count, const char *position)
{
	struct doc d;
	films(fx, "*", &d);
	EXPECT_SPAN(span_str(count), text_of(&d, "upnp:playbackCount"));
	EXPECT_SPAN(span_str(position), text_of(&d, "upnp:lastPlaybackPosition"));
	doc_fini(&d);
}

TEST(update, what_kodi_sends_after_a_film)
{
	struct fixture fx;
	struct doc d;
	char id[64], sent[128];
	fixture_init(&fx);
	put_film(&fx);
	film_id(&fx, id, sizeof id);
	/* as Kodi sends an id: encoded, with a slash behind */
	snprintf(sent, sizeof sent, "VT%%2f%s/", id + 3);
	EXPECT(strncmp(id, "VT/", 3) == 0);
	expect_played(&fx, "", "");
	EXPECT_U64(0, update(&fx, sent, POSITION("0") "," COUNT("0") "," STATE,
			     POSITION("0") "," COUNT("1") "," STATE));
	expect_played(&fx, "1", "");
	EXPECT_U64(0, update(&fx, sent, POSITION("0") "," COUNT("1") "," STATE,
			     POSITION("754") "," COUNT("1") "," STATE));
	expect_played(&fx, "1", "0:12:34.000");
	films(&fx, "upnp:lastPlaybackTime", &d);
	EXPECT(span_ends(doc_text(&d, "upnp:lastPlaybackTime", 0), SPAN("Z")));
	EXPECT_U64(0, doc_count(&d, "upnp:playbackCount"));
	doc_fini(&d);
	fixture_fini(&fx);
}

TEST(update, plays_are_added_and_taken_back)
{
	struct fixture fx;
	struct doc d;
	char id[64];
	fixture_init(&fx);
	put_film(&fx);
	film_id(&fx, id, sizeof id);
	EXPECT_U64(0, update(&fx, id, COUNT("0"), COUNT("1")));
	EXPECT_U64(0, update(&fx, id, COUNT("0"), COUNT("1"))); /* from an old listing */
	expect_played(&fx, "2", "");
	EXPECT_U64(0, update(&fx, id, "," COUNT("2"), POSITION("10") "," COUNT("1")));
	expect_played(&fx, "1", "0:00:10.000");
	EXPECT_U64(0, update(&fx, id, COUNT("1"), "")); /* not seen */
	expect_played(&fx, "", "0:00:10.000");
	films(&fx, "*", &d); /* when that was is still known */
	EXPECT_U64(1, doc_count(&d, "upnp:lastPlaybackTime"));
	doc_fini(&d);
	EXPECT_U64(0, update(&fx, id, POSITION("10"), ""));
	expect_played(&fx, "", "");
	fixture_fini(&fx);
}

TEST(update, what_cannot_be_done_has_the_standards_code)
{
	struct fixture fx;
	char id[64], many[2048] = "";
	fixture_init(&fx);
	put_film(&fx);
	film_id(&fx, id, sizeof id);
	EXPECT_U64(701, update(&fx, "VT/i999", COUNT("0"), COUNT("1")));
	EXPECT_U64(701, update(&fx, "%zz", COUNT("0"), COUNT("1")));
	EXPECT_U64(701, update(&fx, "", COUNT("0"), COUNT("1")));
	EXPECT_U64(711, update(&fx, "VT", COUNT("0"), COUNT("1")));
	EXPECT_U64(702, update(&fx, id, "rubbish", COUNT("1")));
	EXPECT_U64(702, update(&fx, id, COUNT("many"), COUNT("1")));
	EXPECT_U64(703, update(&fx, id, COUNT("0"), COUNT("-1")));
	EXPECT_U64(703, update(&fx, id, COUNT("0"), "<upnp:playCount>1"));
	EXPECT_U64(703, update(&fx, id, "", "<upnp:nonsense>1</upnp:nonsense>"));
	EXPECT_U64(703, update(&fx, id, POSITION("0"), POSITION("1:2")));
	EXPECT_U64(705, update(&fx, id, "<dc:title>Film\\, the</dc:title>",
			       "<dc:title>Mine</dc:title>"));
	EXPECT_U64(706, update(&fx, id, COUNT("0"), COUNT("1") ","));
	EXPECT_U64(706, update(&fx, id, COUNT("0"), POSITION("1")));
	memset(many, ',', 40);
	EXPECT_U64(706, update(&fx, id, many, many));
	expect_played(&fx, "", "");
	EXPECT_U64(701, set_bookmark(&fx, "i999", 5));
	EXPECT_U64(711, set_bookmark(&fx, "0", 5));
	fixture_fini(&fx);
}

static void expect_dcm_info(struct fixture *fx, const char *want)
{
	struct doc d;
	films(fx, "*", &d);
	EXPECT_SPAN(span_str(want), text_of(&d, "sec:dcmInfo"));
	doc_fini(&d);
}

TEST(update, samsungs_go_on_where_they_were)
{
	struct fixture fx;
	char id[64];
	fixture_init(&fx);
	put_film(&fx);
	film_id(&fx, id, sizeof id);
	fx.client.user_agent = SPAN(SAMSUNG_AGENT);
	expect_dcm_info(&fx, "CREATIONDATE=0,FOLDER=Film, the,BM=0");
	EXPECT_U64(0, set_bookmark(&fx, id, 754));
	expect_dcm_info(&fx, "CREATIONDATE=0,FOLDER=Film, the,BM=754");
	fx.client.user_agent = SPAN(SAMSUNG_Q_AGENT);
	expect_dcm_info(&fx, "CREATIONDATE=0,FOLDER=Film, the,BM=754000");
	EXPECT_U64(0, set_bookmark(&fx, id, 10500));
	expect_dcm_info(&fx, "CREATIONDATE=0,FOLDER=Film, the,BM=10500");
	fx.client.user_agent = (struct span){ NULL, 0 };
	expect_dcm_info(&fx, "");
	expect_played(&fx, "", "0:00:10.500");
	fixture_fini(&fx);
}
