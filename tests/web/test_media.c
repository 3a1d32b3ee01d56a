/* SPDX-License-Identifier: MIT */
/* Files over HTTP: whole, in part, conditionally, with DLNA's headers, and when they are gone. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"
#include "site.h"

static void ask_song(const struct site *s, const char *method, const char *headers,
		     struct answer *out)
{
	site_ask_file(s, method, "/media/", s->song, ".mp3", headers, out);
}

static unsigned song_status(const struct site *s, const char *headers)
{
	struct answer a;
	ask_song(s, "GET", headers, &a);
	client_answer_fini(&a);
	return a.status;
}

TEST(media, the_whole_file_comes_with_all_headers)
{
	struct site s;
	struct answer a;
	site_start(&s);
	for (int head = 0; head < 2; head++) {
		ask_song(&s, head ? "HEAD" : "GET", "", &a);
		EXPECT_U64(200, a.status);
		EXPECT_STR("audio/mpeg", client_header(&a, "Content-Type"));
		EXPECT_STR("1000", client_header(&a, "Content-Length"));
		EXPECT_STR("bytes", client_header(&a, "Accept-Ranges"));
		EXPECT_STR("Streaming", client_header(&a, "transferMode.dlna.org"));
		EXPECT_STR("DLNA.ORG_OP=01", client_header(&a, "contentFeatures.dlna.org"));
		EXPECT_STR("", client_header(&a, "realTimeInfo.dlna.org"));
		EXPECT(client_header(&a, "ETag")[0] == '"');
		EXPECT(client_header(&a, "Last-Modified")[0] != '\0');
		EXPECT_U64(head ? 0 : SONG_BYTES, a.body.n);
		client_answer_fini(&a);
	}
	site_stop(&s);
}

TEST(media, parts_of_a_file)
{
	static const struct {
		const char *range, *content_range;
		unsigned status;
		size_t n;
		char first;
	} cases[] = {
		{ "bytes=0-", "bytes 0-999/1000", 206, 1000, 'a' },
		{ "bytes=1-3", "bytes 1-3/1000", 206, 3, 'b' },
		{ "bytes=-1", "bytes 999-999/1000", 206, 1, 'l' },
		{ "bytes=990-5000", "bytes 990-999/1000", 206, 10, 'c' },
		{ "bytes=1000-", "bytes */1000", 416, 0, 0 },
		{ "bytes=0-1,5-6", "", 200, 1000, 'a' },
		{ "bytes=5-2", "", 200, 1000, 'a' },
		{ "lines=5-6", "", 200, 1000, 'a' },
	};
	struct site s;
	site_start(&s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char header[64];
		struct answer a;
		snprintf(header, sizeof header, "Range: %s\r\n", cases[i].range);
		ask_song(&s, "GET", header, &a);
		EXPECT_U64(cases[i].status, a.status);
		EXPECT_STR(cases[i].content_range, client_header(&a, "Content-Range"));
		if (a.status != 416) {
			EXPECT_U64(cases[i].n, a.body.n);
			EXPECT(a.body.p[0] == cases[i].first);
		} else {
			EXPECT_STR("text/plain; charset=utf-8", client_header(&a, "Content-Type"));
		}
		client_answer_fini(&a);
	}
	site_stop(&s);
}

TEST(media, conditions_are_kept)
{
	struct site s;
	struct answer a;
	char etag[128], header[256];
	site_start(&s);
	ask_song(&s, "GET", "", &a);
	snprintf(etag, sizeof etag, "%s", client_header(&a, "ETag"));
	client_answer_fini(&a);
	snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
	ask_song(&s, "GET", header, &a);
	EXPECT_U64(304, a.status);
	EXPECT_STR("1000", client_header(&a, "Content-Length"));
	EXPECT_STR(etag, client_header(&a, "ETag"));
	client_answer_fini(&a);
	EXPECT_U64(412, song_status(&s, "If-Match: \"other\"\r\n"));
	EXPECT_U64(304, song_status(&s, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n"));
	EXPECT_U64(200, song_status(&s, "If-Modified-Since: Fri, 05 Jan 2001 00:00:00 GMT\r\n"));
	snprintf(header, sizeof header, "Range: bytes=0-1\r\nIf-Range: %s\r\n", etag);
	EXPECT_U64(206, song_status(&s, header));
	EXPECT_U64(200, song_status(&s, "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n"));

	FILE *f = fopen(site_path(&s, "media/song.mp3"), "ae");
	EXPECT(f != NULL);
	fputs("more", f);
	fclose(f);
	snprintf(header, sizeof header, "If-None-Match: %s\r\n", etag);
	ask_song(&s, "GET", header, &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("1004", client_header(&a, "Content-Length"));
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(media, dlna_requests_are_answered_or_refused)
{
	struct site s;
	struct answer a;
	site_start(&s);
	ask_song(&s, "GET",
		 "transferMode.dlna.org: Background\r\nrealTimeInfo.dlna.org: DLNA.ORG_TLAG=*\r\n"
		 "getcontentFeatures.dlna.org: 1\r\ngetMediaInfo.sec: 1\r\n",
		 &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("Background", client_header(&a, "transferMode.dlna.org"));
	EXPECT_STR("DLNA.ORG_TLAG=*", client_header(&a, "realTimeInfo.dlna.org"));
	EXPECT_STR("SEC_Duration=61000;", client_header(&a, "MediaInfo.sec"));
	client_answer_fini(&a);
	EXPECT_U64(406, song_status(&s, "transferMode.dlna.org: Sideways\r\n"));
	EXPECT_U64(400, song_status(&s, "getcontentFeatures.dlna.org: 2\r\n"));
	EXPECT_U64(406, song_status(&s, "TimeSeekRange.dlna.org: npt=10-\r\n"));
	site_ask_file(&s, "GET", "/media/", s.picture, ".jpg", "", &a);
	EXPECT_STR("Interactive", client_header(&a, "transferMode.dlna.org"));
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/media/", s.film, ".mp4", "getCaptionInfo.sec: 1\r\n", &a);
	EXPECT(span_contains(span_str(client_header(&a, "CaptionInfo.sec")), SPAN("/subtitle/")));
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(media, a_file_is_never_served_as_a_page)
{
	struct site s;
	struct answer a;
	site_start(&s);
	site_ask_file(&s, "GET", "/media/", s.page, ".ogg", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("application/octet-stream", client_header(&a, "Content-Type"));
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(media, addresses_that_name_no_file_are_404)
{
	static const char *const paths[] = { "/media/",	       "/media/0.mp3",	"/media/999999.mp3",
					     "/media/x.mp3",   "/media/-1.mp3", "/media/1/x.mp3",
					     "/media/1.mp3/x", "/art/",		"/art/999999",
					     "/subtitle/1.mp3" };
	struct site s;
	site_start(&s);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		EXPECT_U64(404, site_status(&s, paths[i]));
	site_stop(&s);
}

TEST(media, a_file_that_went_away_is_404)
{
	struct site s;
	struct answer a;
	site_start(&s);
	EXPECT(unlink(site_path(&s, "media/song.mp3")) == 0);
	ask_song(&s, "GET", "", &a);
	EXPECT_U64(404, a.status);
	EXPECT_STR("text/plain; charset=utf-8", client_header(&a, "Content-Type"));
	client_answer_fini(&a);
	/* what took its place must not hang a thread, nor be read */
	EXPECT(mkfifo(site_path(&s, "media/song.mp3"), 0600) == 0);
	uint64_t start = clock_now_ms();
	EXPECT_U64(404, song_status(&s, ""));
	EXPECT(clock_now_ms() - start < 10000); /* a client waits 15 s */
	EXPECT(unlink(site_path(&s, "media/song.mp3")) == 0);
	EXPECT(mkdir(site_path(&s, "media/song.mp3"), 0755) == 0);
	EXPECT_U64(404, song_status(&s, ""));
	EXPECT(rmdir(site_path(&s, "media/song.mp3")) == 0);
	EXPECT(symlink("film.mp4", site_path(&s, "media/song.mp3")) == 0);
	EXPECT_U64(200, song_status(&s, ""));
	site_stop(&s);
}

TEST(media, art_beside_the_file_and_subtitles)
{
	struct site s;
	struct answer a;
	site_start(&s);
	site_ask_file(&s, "GET", "/art/", s.song, "", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("image/jpeg", client_header(&a, "Content-Type"));
	client_answer_fini(&a);
	site_ask_file(&s, "HEAD", "/art/", s.song, ".jpg", "", &a);
	EXPECT_U64(200, a.status);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/art/", s.page, "", "", &a); /* text with a picture's name */
	EXPECT_U64(404, a.status);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/art/", s.film, "", "", &a);
	EXPECT_U64(404, a.status);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/subtitle/", s.film, ".srt", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("text/srt; charset=utf-8", client_header(&a, "Content-Type"));
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(media, subtitles_are_sent_in_utf8_and_pairs_by_their_number)
{
	struct site s;
	struct answer a;
	site_start(&s);
	site_ask_file(&s, "GET", "/subtitle/", s.clip, ".0.srt", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("text/srt; charset=utf-8", client_header(&a, "Content-Type"));
	EXPECT_SPAN(SPAN("caf\xc3\xa9"), a.body);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/subtitle/", s.clip, ".1.idx", "", &a);
	EXPECT_SPAN(SPAN("index"), a.body);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/subtitle/", s.clip, ".1.sub", "", &a);
	EXPECT_SPAN(span_of("\0\0\1\xba\xff", 5), a.body);
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(media, subtitles_of_one_kind_have_addresses_of_their_own)
{
	static const char *const none[] = { ".ass",	".2.srt", ".0.ass", ".x.srt",
					    ".0.0.srt", ".2.vtt", "" };
	struct site s;
	struct answer a;
	site_start(&s);
	site_ask_file(&s, "GET", "/subtitle/", s.film, ".0.srt", "", &a);
	EXPECT_STR("nosniff", client_header(&a, "X-Content-Type-Options"));
	EXPECT_SPAN(SPAN("english"), a.body);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/subtitle/", s.film, ".1.srt", "", &a);
	EXPECT_SPAN(SPAN("german"), a.body);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/subtitle/", s.film, ".1.vtt", "", &a);
	EXPECT_STR("text/vtt; charset=utf-8", client_header(&a, "Content-Type"));
	EXPECT_SPAN(SPAN("WEBVTT\n\ngerman\n"), a.body);
	client_answer_fini(&a);
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		site_ask_file(&s, "GET", "/subtitle/", s.film, none[i], "", &a);
		EXPECT_U64(404, a.status);
		client_answer_fini(&a);
	}
	site_stop(&s);
}

/* The scan follows links; whoever puts one in place of a file later does not choose what is sent.
 */
TEST(media, link_put_in_place_of_a_file_does_not_lead_out_of_the_roots)
{
	struct site s;
	site_start(&s);
	FILE *f = fopen(site_path(&s, "secret"), "we");
	EXPECT(f && fputs("secret", f) >= 0 && fclose(f) == 0);
	EXPECT_U64(200, song_status(&s, ""));
	EXPECT(unlink(site_path(&s, "media/song.mp3")) == 0);
	EXPECT(symlink("../secret", site_path(&s, "media/song.mp3")) == 0);
	EXPECT_U64(404, song_status(&s, ""));
	site_stop(&s);
}

/* Nor what lies beside it: neither a link put there before the scan nor one put there later, but
 * one that leads elsewhere in what is served. */
TEST(media, links_beside_a_file_do_not_lead_out_of_the_roots)
{
	struct site s;
	struct answer a;
	site_start(&s);
	FILE *f = fopen(site_path(&s, "secret"), "we");
	EXPECT(f && fputs("\xff\xd8\xff secret", f) >= 0 && fclose(f) == 0);
	EXPECT(unlink(site_path(&s, "media/film.en.srt")) == 0);
	EXPECT(symlink("../secret", site_path(&s, "media/film.en.srt")) == 0);
	site_ask_file(&s, "GET", "/subtitle/", s.film, ".0.srt", "", &a);
	EXPECT_U64(404, a.status);
	client_answer_fini(&a);
	EXPECT(unlink(site_path(&s, "media/film.en.srt")) == 0);
	EXPECT(symlink("film.de.srt", site_path(&s, "media/film.en.srt")) == 0);
	site_ask_file(&s, "GET", "/subtitle/", s.film, ".0.srt", "", &a);
	EXPECT_U64(200, a.status);
	client_answer_fini(&a);

	EXPECT(unlink(site_path(&s, "media/cover.jpg")) == 0);
	EXPECT(symlink("../secret", site_path(&s, "media/cover.jpg")) == 0);
	site_ask_file(&s, "GET", "/art/", s.song, "", "", &a);
	EXPECT_U64(404, a.status);
	client_answer_fini(&a);
	site_stop(&s);
}
