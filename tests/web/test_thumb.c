/* SPDX-License-Identifier: MIT */
/* Thumbnails over HTTP: headers, conditions, one request for many clients, and hanging helpers. */
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "harness.h"
#include "site.h"

/* A BMP: red, `width` x `height`. */
static void write_picture(const char *path, uint32_t width, uint32_t height)
{
	uint8_t head[54] = { 'B', 'M', [10] = 54, [14] = 40, [26] = 1, [28] = 24 };
	uint32_t bytes = 54 + width * height * 3;
	FILE *f = fopen(path, "we");
	EXPECT(f != NULL);
	memcpy(head + 2, &bytes, 4);
	memcpy(head + 18, &width, 4);
	memcpy(head + 22, &height, 4);
	EXPECT_U64(sizeof head, fwrite(head, 1, sizeof head, f));
	for (size_t i = 0; i < (size_t)width * height; i++)
		EXPECT_U64(3, fwrite("\0\0\xff", 1, 3, f));
	fclose(f);
}

static void start_with_picture(struct site *s)
{
	site_start(s);
	write_picture(site_path(s, "media/picture.jpg"), 400, 300);
}

static uint64_t metric(const struct site *s, const char *name)
{
	struct answer a;
	char line[80];
	uint64_t v = UINT64_MAX;
	int n = snprintf(line, sizeof line, "\nsalver_%s ", name);
	site_ask(s, "GET", "/metrics", "", &a);
	size_t at = 0;
	while (at < a.body.n && !span_starts(span_skip(a.body, at), span_of(line, (size_t)n)))
		at++;
	struct span rest = span_skip(a.body, at + (size_t)n);
	EXPECT_OK(num_parse_u64(span_first(rest, span_find(rest, '\n')), 0, UINT64_MAX, &v));
	client_answer_fini(&a);
	return v;
}

TEST(thumb, comes_with_what_dlna_and_caches_want)
{
	struct site s;
	struct answer a;
	char etag[100], condition[200];
	start_with_picture(&s);
	site_ask_file(&s, "GET", "/thumb/", s.picture, ".tn.jpg", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT(span_starts(a.body, SPAN("\xff\xd8\xff")));
	EXPECT_STR("image/jpeg", client_header(&a, "Content-Type"));
	EXPECT_STR("DLNA.ORG_PN=JPEG_TN", client_header(&a, "contentFeatures.dlna.org"));
	EXPECT_STR("Interactive", client_header(&a, "transferMode.dlna.org"));
	EXPECT(client_header(&a, "Last-Modified")[0] != '\0');
	snprintf(etag, sizeof etag, "%s", client_header(&a, "ETag"));
	size_t tn_n = a.body.n;
	client_answer_fini(&a);
	site_ask_file(&s, "HEAD", "/thumb/", s.picture, ".sm.jpg", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT_STR("DLNA.ORG_PN=JPEG_SM", client_header(&a, "contentFeatures.dlna.org"));
	EXPECT(strcmp(etag, client_header(&a, "ETag")) != 0);
	client_answer_fini(&a);
	snprintf(condition, sizeof condition, "If-None-Match: %s\r\n", etag);
	site_ask_file(&s, "GET", "/thumb/", s.picture, ".tn.jpg", condition, &a);
	EXPECT_U64(304, a.status);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/thumb/", s.picture, ".tn.jpg", "If-Match: \"x\"\r\n", &a);
	EXPECT_U64(412, a.status);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/thumb/", s.picture, ".tn.jpg",
		      "transferMode.dlna.org: Streaming\r\n", &a);
	EXPECT_U64(406, a.status);
	client_answer_fini(&a);
	site_ask_file(&s, "GET", "/thumb/", s.picture, ".tn.jpg", "Range: bytes=0-3\r\n", &a);
	EXPECT_U64(200, a.status); /* OP=00: whole */
	EXPECT_U64(tn_n, a.body.n);
	client_answer_fini(&a);
	EXPECT_U64(2, metric(&s, "thumbnails_made_total"));
	EXPECT_U64(2, metric(&s, "thumbnail_cache_files"));
	site_stop(&s);
}

TEST(thumb, what_has_none_is_not_found_and_a_failure_is_not_tried_again)
{
	static const char *const endings[] = { "",	  ".jpg",      ".xx.jpg",
					       ".tn.png", ".tn.jpg.x", "/tn.jpg" };
	struct site s;
	struct answer a;
	site_start(&s);
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		site_ask_file(&s, "GET", "/thumb/", s.picture, endings[i], "", &a);
		EXPECT_U64(404, a.status);
		client_answer_fini(&a);
	}
	for (unsigned round = 0; round < 3; round++) {
		/* A picture that is none; folder art that is none; a film without pictures. */
		const uint64_t ids[] = { s.picture, s.song, s.film };
		for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
			site_ask_file(&s, "GET", "/thumb/", ids[i], ".tn.jpg", "", &a);
			EXPECT_U64(404, a.status);
			client_answer_fini(&a);
		}
	}
	EXPECT_U64(2, metric(&s, "thumbnails_failed_total"));
	EXPECT_U64(2, metric(&s, "thumbnail_cache_files"));
	site_stop(&s);
}

TEST(thumb, folder_art_that_changes_is_shown_anew)
{
	struct site s;
	struct answer a;
	char etag[100];
	site_start(&s);
	write_picture(site_path(&s, "media/cover.jpg"), 300, 300);
	site_ask_file(&s, "GET", "/thumb/", s.song, ".tn.jpg", "", &a);
	EXPECT_U64(200, a.status);
	snprintf(etag, sizeof etag, "%s", client_header(&a, "ETag"));
	client_answer_fini(&a);
	write_picture(site_path(&s, "media/cover.jpg"), 300, 200);
	site_ask_file(&s, "GET", "/thumb/", s.song, ".tn.jpg", "", &a);
	EXPECT_U64(200, a.status);
	EXPECT(strcmp(etag, client_header(&a, "ETag")) != 0);
	client_answer_fini(&a);
	EXPECT_U64(2, metric(&s, "thumbnails_made_total"));
	EXPECT_U64(1, metric(&s, "thumbnail_cache_files"));
	EXPECT(unlink(site_path(&s, "media/cover.jpg")) == 0);
	site_ask_file(&s, "GET", "/thumb/", s.song, ".tn.jpg", "", &a);
	EXPECT_U64(404, a.status);
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(thumb, a_link_put_in_a_files_place_shows_nothing_from_elsewhere)
{
	struct site s;
	struct answer a;
	site_start(&s);
	write_picture(site_path(&s, "secret.bmp"), 300, 300);
	EXPECT(unlink(site_path(&s, "media/picture.jpg")) == 0);
	EXPECT(symlink("../secret.bmp", site_path(&s, "media/picture.jpg")) == 0);
	site_ask_file(&s, "GET", "/thumb/", s.picture, ".tn.jpg", "", &a);
	EXPECT_U64(404, a.status);
	client_answer_fini(&a);
	/* Nothing is remembered of it. */
	EXPECT(unlink(site_path(&s, "media/picture.jpg")) == 0);
	write_picture(site_path(&s, "media/picture.jpg"), 300, 300);
	site_ask_file(&s, "GET", "/thumb/", s.picture, ".tn.jpg", "", &a);
	EXPECT_U64(200, a.status);
	client_answer_fini(&a);
	site_stop(&s);
}

static int send_get(const struct site *s, uint64_t id)
{
	char request[200];
	int fd = client_connect(s->port);
	snprintf(request, sizeof request,
		 "GET /thumb/%llu.tn.jpg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
		 (unsigned long long)id);
	client_say(fd, request);
	return fd;
}

TEST(thumb, many_who_ask_for_one_picture_cost_one_request)
{
	int fds[40];
	struct site s;
	start_with_picture(&s);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = send_get(&s, s.picture);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		struct answer a;
		EXPECT(client_receive(fds[i], false, &a));
		EXPECT_U64(200, a.status);
		EXPECT(span_starts(a.body, SPAN("\xff\xd8\xff")));
		client_answer_fini(&a);
		close(fds[i]);
	}
	EXPECT_U64(1, metric(&s, "thumbnails_made_total"));
	site_stop(&s);
}

TEST(thumb, clients_that_go_while_they_wait_hurt_nobody)
{
	struct site s;
	start_with_picture(&s);
	for (unsigned i = 0; i < 40; i++)
		close(send_get(&s, s.picture));
	struct answer a;
	site_ask_file(&s, "GET", "/thumb/", s.picture, ".tn.jpg", "", &a);
	EXPECT_U64(200, a.status);
	client_answer_fini(&a);
	site_stop(&s);
}

TEST(thumb, a_helper_that_hangs_holds_up_nothing_else_and_not_the_end)
{
	struct site s;
	struct answer a;
	int fds[60];
	unsigned refused = 0;
	site_start_with(&s, WEB_BAD_WORKER);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = send_get(&s, s.hang);
	/* No thread of the pool waits; more than may wait are told to come again. */
	uint64_t start = clock_now_ms();
	for (unsigned i = 0; i < 8; i++)
		EXPECT_U64(200, site_status(&s, "/healthz"));
	EXPECT(clock_now_ms() - start < 3000);
	site_ask_file(&s, "GET", "/thumb/", s.hang, ".tn.jpg", "", &a);
	EXPECT_U64(503, a.status);
	EXPECT_STR("1", client_header(&a, "Retry-After"));
	client_answer_fini(&a);
	start = clock_now_ms();
	site_stop(&s);
	EXPECT(clock_now_ms() - start < 6000); /* the helper's own time is 10 s */
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (client_receive(fds[i], false, &a))
			refused += a.status == 503;
		client_answer_fini(&a);
		close(fds[i]);
	}
	EXPECT(refused >= 12);
}
