/* SPDX-License-Identifier: MIT */
/* The JSON API, the supervisor's addresses and the page. */
#include "harness.h"
#include "library/playlists.h"
#include "site.h"

static bool holds(const struct answer *a, const char *text)
{
	return span_contains(a->body, span_str(text));
}

static void expect_json(const struct site *s, const char *path, const char *const *parts)
{
	struct answer a;
	site_ask(s, "GET", path, "", &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("application/json", client_header(&a, "Content-Type"));
	EXPECT_STR("no-store", client_header(&a, "Cache-Control"));
	for (; *parts; parts++) {
		if (!holds(&a, *parts))
			printf("%s misses %s: %.*s\n", path, *parts, SPAN_ARG(a.body));
		EXPECT(holds(&a, *parts));
	}
	client_answer_fini(&a);
}

TEST(api, browse_lists_a_container_with_its_way_from_the_root)
{
	struct site s;
	site_start(&s);
	expect_json(&s, "/api/v1/browse",
		    (const char *[]){ "\"id\":\"0\"", "\"total\":4", "\"ancestors\":[]", NULL });
	expect_json(&s, "/api/v1/browse?id=AT&offset=0&limit=10",
		    (const char *[]){ "\"total\":2", "\"ancestors\":[{\"id\":\"0\"",
				      "\"title\":\"<b>\\\"Quoted\\\"</b> \\\\ & caf\xc3\xa9\"",
				      "\"durationMs\":61000", "\"track\":3",
				      "\"mime\":\"audio/mpeg\"", "\"artist\":\"Nina\"", ".mp3\"",
				      NULL });
	expect_json(&s, "/api/v1/browse?id=F",
		    (const char *[]){ "\"subtitles\":[{\"url\":\"/subtitle/", "\"kind\":\"image\"",
				      NULL });
	site_stop(&s);
}

TEST(api, playlists_are_there_for_players)
{
	struct site s;
	struct answer a;
	char path[512], m3u[1000], pls[1000];
	struct op_result r;
	struct batch_result br;
	struct batch *b;
	site_start(&s);
	snprintf(path, sizeof path, "%s/media/song.mp3", s.dir);
	struct playlist_ref refs[] = { { .uri = span_str(path) },
				       { .uri = SPAN("/gone/a.mp3"), .title = SPAN("Gone") },
				       { .uri = SPAN("http://r.example/x"), .title = SPAN("R\n1") },
				       { .uri = SPAN("file:///C:/a.mp3") },
				       { .uri = span_str(path) } };
	struct playlist_import import = { .name = SPAN("Mix"),
					  .source = { .path = SPAN("/m/mix.m3u"), .modified = 5 },
					  .entries = refs,
					  .entries_n = 5 };
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_playlist_import(b, &import, &r));
	EXPECT_OK(library_submit_wait(s.library, b, &br));
	expect_json(&s, "/api/v1/playlists",
		    (const char *[]){ "\"file\":\"/m/mix.m3u\"", "\"url\":\"/playlist/1.m3u8\"",
				      NULL });
	char song[100];
	snprintf(song, sizeof song, "http://127.0.0.1:%u/media/%llu.mp3", s.port,
		 (unsigned long long)s.song);
	static const char quoted[] = "<b>\"Quoted\"</b> \\ & caf\xc3\xa9";
	snprintf(m3u, sizeof m3u,
		 "#EXTM3U\n#PLAYLIST:Mix\n#EXTINF:61,%s\n%s\n#EXTINF:-1,R 1\n"
		 "http://r.example/x\n#EXTINF:61,%s\n%s\n",
		 quoted, song, quoted, song);
	snprintf(pls, sizeof pls,
		 "[playlist]\nX-GNOME-Title=Mix\nFile1=%s\nTitle1=%s\nLength1=61\n"
		 "File2=http://r.example/x\nTitle2=R 1\nLength2=-1\nFile3=%s\nTitle3=%s\n"
		 "Length3=61\nNumberOfEntries=3\nVersion=2\n",
		 song, quoted, song, quoted);
	site_ask(&s, "GET", "/playlist/1.m3u8", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("audio/x-mpegurl; charset=utf-8", client_header(&a, "Content-Type"));
	EXPECT_SPAN(span_str(m3u), a.body);
	client_answer_fini(&a);
	site_ask(&s, "GET", "/playlist/1.pls", "", &a);
	EXPECT_STR("audio/x-scpls", client_header(&a, "Content-Type"));
	EXPECT_SPAN(span_str(pls), a.body);
	client_answer_fini(&a);
	EXPECT_U64(404, site_status(&s, "/playlist/2.m3u8"));
	EXPECT_U64(404, site_status(&s, "/playlist/1.txt"));
	EXPECT_U64(404, site_status(&s, "/playlist/x.m3u8"));
	site_stop(&s);
}

TEST(api, playlists_show_also_what_is_not_there)
{
	struct site s;
	struct answer a;
	char path[512];
	struct op_result r;
	struct batch_result br;
	struct batch *b;
	site_start(&s);
	snprintf(path, sizeof path, "%s/media/song.mp3", s.dir);
	struct playlist_ref refs[] = { { .uri = SPAN("/gone/a.mp3"), .title = SPAN("Gone") },
				       { .uri = span_str(path) } };
	struct playlist_new new = { .name = SPAN("Mix \"1\""), .entries = refs, .entries_n = 2 };
	EXPECT_OK(batch_new(&b));
	EXPECT_OK(batch_playlist_create(b, &new, &r));
	EXPECT_OK(library_submit_wait(s.library, b, &br));
	EXPECT_U64(1, r.id);
	expect_json(&s, "/api/v1/playlists",
		    (const char *[]){ "\"total\":1", "\"name\":\"Mix \\\"1\\\"\"",
				      "\"entries\":2,\"present\":1", NULL });
	expect_json(&s, "/api/v1/playlist?id=1",
		    (const char *[]){ "\"durationMs\":61000",
				      "\"title\":\"Gone\",\"present\":false",
				      "\"uri\":\"/gone/a.mp3\"", "\"position\":1",
				      "\"url\":\"/media/", NULL });
	expect_json(&s, "/api/v1/playlist?id=1&offset=1&limit=0",
		    (const char *[]){ "\"items\":[]", NULL });
	expect_json(&s, "/api/v1/browse?id=P",
		    (const char *[]){ "\"id\":\"pl1\"", "\"class\":\"playlist\"",
				      "\"childCount\":1", NULL });
	expect_json(&s, "/api/v1/browse?id=pl1",
		    (const char *[]){ "\"id\":\"pl1/e2\"", "\"refId\":\"i", NULL });
	site_ask(&s, "GET", "/api/v1/playlist?id=2", "", &a);
	EXPECT_U64(404, a.status);
	client_answer_fini(&a);
	site_ask(&s, "GET", "/api/v1/playlists?limit=501", "", &a);
	EXPECT_U64(400, a.status);
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(api, pages_are_cut_where_they_were_asked_to)
{
	struct site s;
	struct answer a;
	site_start(&s);
	site_ask(&s, "GET", "/api/v1/browse?id=AT&offset=1&limit=1", "", &a);
	EXPECT(holds(&a, "\"offset\":1,\"total\":2"));
	EXPECT(holds(&a, "\"title\":\"page\"") != holds(&a, "Quoted"));
	client_answer_fini(&a);
	site_ask(&s, "GET", "/api/v1/browse?id=AT&offset=50", "", &a);
	EXPECT(holds(&a, "\"children\":[]"));
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(api, search_finds_what_has_every_word)
{
	struct site s;
	site_start(&s);
	expect_json(&s, "/api/v1/search?q=quot%20NIN",
		    (const char *[]){ "\"total\":1", "\"artist\":\"Nina\"", "\"kind\":\"audio\"",
				      NULL });
	expect_json(&s, "/api/v1/search?q=CAFE%CC%81&limit=0",
		    (const char *[]){ "\"children\":[],\"total\":1", NULL });
	expect_json(&s, "/api/v1/search?q=nina",
		    (const char *[]){ "\"class\":\"artist\"", "\"kind\":\"audio\"", NULL });
	expect_json(&s, "/api/v1/search?q=nina&kind=audio",
		    (const char *[]){ "\"total\":1}", NULL });
	expect_json(&s, "/api/v1/search?q=film&kind=audio",
		    (const char *[]){ "\"total\":0}", NULL });
	expect_json(&s, "/api/v1/search?q=%20", (const char *[]){ "\"total\":0}", NULL });
	expect_json(&s, "/api/v1/search", (const char *[]){ "\"total\":0}", NULL });
	EXPECT_U64(400, site_status(&s, "/api/v1/search?q=%zz"));
	EXPECT_U64(400, site_status(&s, "/api/v1/search?q=a&kind=song"));
	EXPECT_U64(400, site_status(&s, "/api/v1/search?q=a&limit=501"));
	EXPECT_U64(400, site_status(&s, "/api/v1/search?q=1+2"
					"%201%201%201%201%201%201%201%201%201%201%201%201%201%201"
					"%201%201"));
	site_stop(&s);
}

TEST(api, wrong_questions_are_refused)
{
	struct site s;
	site_start(&s);
	EXPECT_U64(404, site_status(&s, "/api/v1/browse?id=nothing"));
	EXPECT_U64(404, site_status(&s, "/api/v1/browse?id=d99999"));
	EXPECT_U64(404, site_status(&s, "/api/v1/object?id=i99999"));
	EXPECT_U64(400, site_status(&s, "/api/v1/browse?id=%00"));
	EXPECT_U64(400, site_status(&s, "/api/v1/browse?id=AT&limit=501"));
	EXPECT_U64(400, site_status(&s, "/api/v1/browse?id=AT&offset=-1"));
	EXPECT_U64(400, site_status(&s, "/api/v1/browse?id=AT&limit=ten"));
	EXPECT_U64(404, site_status(&s, "/api/v2/browse"));
	EXPECT_U64(404,
		   site_status(&s, "/api/v1/browse?id="
				   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	site_stop(&s);
}

TEST(api, status_health_and_metrics)
{
	struct site s;
	struct answer a;
	site_start(&s);
	expect_json(&s, "/api/v1/status",
		    (const char *[]){ "{\"scan\":{\"scanning\":true,\"found\":7},\"server\":{",
				      "\"name\":\"Test \\\"room\\\"\"", "\"audio\":2",
				      "\"images\":1", NULL });
	EXPECT_U64(200, site_status(&s, "/healthz"));
	EXPECT_U64(200, site_status(&s, "/readyz"));
	site_ask(&s, "GET", "/metrics", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT(holds(&a, "salver_media_files{kind=\"audio\"} 2\n"));
	EXPECT(holds(&a, "# TYPE salver_http_requests_total counter\n"));
	EXPECT(holds(&a, "# TYPE salver_store_commit_seconds histogram\n"));
	EXPECT(!holds(&a, "salver_store_commit_seconds_count 0\n")); /* the site's files */
	EXPECT(holds(&a, "salver_store_errors_total{kind=\"no space left\"} 0\n"));
	EXPECT(holds(&a, "salver_page_cache_max_bytes 5000\n"));
	EXPECT(holds(&a, "salver_search_index_builds_total 0\n"));
	EXPECT(holds(&a, "salver_search_index_bytes 0\n"));
	EXPECT(holds(&a, "salver_search_index_memory_bytes 0\n"));
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(ui, the_page_and_its_parts_are_served_once)
{
	static const char *const parts[] = { "/ui/app.js", "/ui/style.css", "/ui/icon.svg" };
	struct site s;
	struct answer a;
	char header[128];
	site_start(&s);
	site_ask(&s, "GET", "/", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("text/html; charset=utf-8", client_header(&a, "Content-Type"));
	EXPECT(holds(&a, "/ui/app.js"));
	snprintf(header, sizeof header, "If-None-Match: %s\r\n", client_header(&a, "ETag"));
	client_answer_fini(&a);
	site_ask(&s, "GET", "/", header, &a);
	EXPECT_U64(304, a.status);
	client_answer_fini(&a);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		EXPECT_U64(200, site_status(&s, parts[i]));
	EXPECT_U64(404, site_status(&s, "/ui/"));
	EXPECT_U64(404, site_status(&s, "/ui/web.c"));
	site_stop(&s);
}
