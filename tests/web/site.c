/* SPDX-License-Identifier: MIT */
/* A whole small site for the tests of src/web. */
#include "site.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/cache.h"
#include "harness.h"
#include "http/http.h"
#include "library/library.h"
#include "schema/media_fb.h"
#include "web/web.h"

const char *site_path(const struct site *s, const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/%s", s->dir, name);
	return path;
}

static void write_file(const struct site *s, const char *name, const char *bytes, size_t n)
{
	FILE *f = fopen(site_path(s, name), "we");
	EXPECT(f != NULL);
	EXPECT_U64(n, fwrite(bytes, 1, n, f));
	fclose(f);
}

static void write_files(const struct site *s)
{
	static const char jpeg[] = "\xff\xd8\xff\xe0 not really a picture";
	char song[SONG_BYTES];
	for (size_t i = 0; i < sizeof song; i++)
		song[i] = (char)('a' + i % 26);
	EXPECT(mkdir(site_path(s, "media"), 0755) == 0);
	write_file(s, "media/song.mp3", song, sizeof song);
	write_file(s, "media/page.ogg", "<script>alert(1)</script>", 25);
	write_file(s, "media/film.mp4", "film", 4);
	write_file(s, "media/film.en.srt", "english", 7);
	write_file(s, "media/film.de.srt", "german", 6);
	write_file(s, "media/clip.srt", "caf\xe9", 4);
	write_file(s, "media/clip.idx", "index", 5);
	write_file(s, "media/clip.sub", "\0\0\1\xba\xff", 5);
	write_file(s, "media/picture.jpg", jpeg, sizeof jpeg - 1);
	write_file(s, "media/hang", jpeg, sizeof jpeg - 1);
	write_file(s, "media/cover.jpg", jpeg, sizeof jpeg - 1);
	write_file(s, "media/not-a-cover.jpg", "text", 4);
}

static struct span path_span(const struct site *s, const char *name, char store[512])
{
	snprintf(store, 512, "%s/media/%s", s->dir, name);
	return span_str(store);
}

static void put(const struct site *s, struct batch *b, struct media_file_in in, const char *name)
{
	char path[512];
	in.path = in.canonical_path = path_span(s, name, path);
	in.filename = span_str(name);
	EXPECT_OK(batch_put(b, &in));
}

static uint64_t id_of(const struct site *s, const char *name)
{
	char path[512];
	struct fb_table media;
	struct library_snap *snap = library_snap_begin(s->library);
	EXPECT_OK(library_media_by_path(snap, path_span(s, name, path), &media));
	uint64_t id = media_file_id(media);
	library_snap_end(snap);
	return id;
}

static void fill_library(struct site *s, bool with_hang)
{
	char root[512], cover[512], other[512], english[512], german[512];
	struct batch *b;
	struct batch_result result;
	const struct subtitle_in subtitles[] = {
		{ .path = path_span(s, "film.en.srt", english), .language = SPAN("en") },
		{ .path = path_span(s, "film.de.srt", german), .language = SPAN("de") },
	};
	char clip_srt[512], clip_idx[512];
	const struct subtitle_in clip_subtitles[] = {
		{ .path = path_span(s, "clip.srt", clip_srt) },
		{ .path = path_span(s, "clip.idx", clip_idx) },
	};
	EXPECT_OK(batch_new(&b));
	snprintf(root, sizeof root, "%s/media", s->dir);
	EXPECT_OK(batch_root(b, span_str(root), SPAN("media")));
	put(s, b,
	    (struct media_file_in){ .kind = MEDIA_KIND_AUDIO,
				    .mime_type = SPAN("audio/mpeg"),
				    .title = SPAN("<b>\"Quoted\"</b> \\ & caf\xc3\xa9"),
				    .artist = SPAN("Nina"),
				    .album = SPAN("Rooms"),
				    .track = 3,
				    .duration_ms = 61000,
				    .art_path = path_span(s, "cover.jpg", cover) },
	    "song.mp3");
	put(s, b,
	    (struct media_file_in){ .kind = MEDIA_KIND_AUDIO,
				    .mime_type = SPAN("text/html"),
				    .title = SPAN("page"),
				    .art_path = path_span(s, "not-a-cover.jpg", other) },
	    "page.ogg");
	put(s, b,
	    (struct media_file_in){ .kind = MEDIA_KIND_VIDEO,
				    .mime_type = SPAN("video/mp4"),
				    .title = SPAN("film"),
				    .subtitles = subtitles,
				    .subtitles_n = ARRAY_LEN(subtitles) },
	    "film.mp4");
	put(s, b,
	    (struct media_file_in){ .kind = MEDIA_KIND_IMAGE,
				    .mime_type = SPAN("image/jpeg"),
				    .title = SPAN("picture") },
	    "picture.jpg");
	if (with_hang)
		put(s, b, (struct media_file_in){ .kind = MEDIA_KIND_IMAGE, .title = SPAN("hang") },
		    "hang");
	put(s, b,
	    (struct media_file_in){ .kind = MEDIA_KIND_VIDEO,
				    .title = SPAN("clip"),
				    .subtitles = clip_subtitles,
				    .subtitles_n = ARRAY_LEN(clip_subtitles) },
	    "clip.mp4");
	EXPECT_OK(library_submit_wait(s->library, b, &result));
	EXPECT_OK(result.err);
	s->song = id_of(s, "song.mp3");
	s->page = id_of(s, "page.ogg");
	s->film = id_of(s, "film.mp4");
	s->clip = id_of(s, "clip.mp4");
	s->picture = id_of(s, "picture.jpg");
	if (with_hang)
		s->hang = id_of(s, "hang");
}

static void features(struct fb_table media, struct buf *out)
{
	(void)media;
	buf_add_str(out, "DLNA.ORG_OP=01");
}

static void thumb_features(struct picture_size box, struct buf *out)
{
	buf_add_str(out, box.width == 160 ? "DLNA.ORG_PN=JPEG_TN" : "DLNA.ORG_PN=JPEG_SM");
}

static void progress(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_add_str(out, "{\"scanning\":true,\"found\":7}");
}

void site_start(struct site *s)
{
	site_start_with(s, NULL);
}

void site_start_with(struct site *s, const char *probe_program)
{
	static const char *const interfaces[] = { "lo" };
	char database[256];
	struct err_info info = { 0 };
	*s = (struct site){ 0 };
	snprintf(s->dir, sizeof s->dir, "%s", test_tmpdir());
	snprintf(database, sizeof database, "%s/db", s->dir);
	snprintf(s->thumbnails, sizeof s->thumbnails, "%s/db/thumbnails", s->dir);
	EXPECT(mkdir(database, 0700) == 0);
	write_files(s);
	EXPECT_OK(library_open(&(struct library_options){ .database_dir = database }, &s->library,
			       &info));
	fill_library(s, probe_program != NULL);
	EXPECT_OK(http_new(&(struct http_options){ .interfaces = interfaces, .interfaces_n = 1 },
			   &s->http, &info));
	EXPECT_OK(cache_new(5000, &s->pages));
	EXPECT_OK(web_new(&(struct web_options){ .library = s->library,
						 .pages = s->pages,
						 .http = s->http,
						 .friendly_name = "Test \"room\"",
						 .content_features = features,
						 .thumb_features = thumb_features,
						 .probe_program = probe_program,
						 .thumbnails_dir = s->thumbnails,
						 .thumbnails_max_bytes = 1u << 20,
						 .progress_json = progress },
			  &s->web, &info));
	EXPECT_OK(http_start(s->http, &info));
	s->port = http_port(s->http);
}

void site_stop(struct site *s)
{
	web_stop(s->web);
	http_stop(s->http, 1000);
	web_free(s->web);
	http_free(s->http);
	cache_free(s->pages);
	library_close(s->library);
}

void site_ask(const struct site *s, const char *method, const char *path, const char *headers,
	      struct answer *out)
{
	char request[2048];
	snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", method,
		 path, headers);
	client_ask(s->port, request, out);
}

void site_ask_file(const struct site *s, const char *method, const char *prefix, uint64_t id,
		   const char *ext, const char *headers, struct answer *out)
{
	char path[128];
	snprintf(path, sizeof path, "%s%" PRIu64 "%s", prefix, id, ext);
	site_ask(s, method, path, headers, out);
}

unsigned site_status(const struct site *s, const char *path)
{
	struct answer a;
	site_ask(s, "GET", path, "", &a);
	client_answer_fini(&a);
	return a.status;
}
