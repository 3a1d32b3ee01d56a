/* SPDX-License-Identifier: MIT */
/* /api/v1: the library as JSON, for the page and for scripts. */
#include <ctype.h>
#include <stdio.h>

#include "base/json.h"
#include "base/num.h"
#include "base/url.h"
#include "library/listing.h"
#include "schema/media_fb.h"
#include "web/web_priv.h"

#define BROWSE_LIMIT_DEFAULT 100
#define BROWSE_LIMIT_MAX 500
#define ANCESTORS_MAX 32
#define EXTENSION_MAX 8

static void add_text(struct json *j, const char *name, struct span s)
{
	if (s.n == 0)
		return;
	json_key(j, name);
	json_text(j, s);
}

static void add_number(struct json *j, const char *name, uint64_t v)
{
	if (v == 0)
		return;
	json_key(j, name);
	json_u64(j, v);
}

static bool is_plain(struct span ext)
{
	bool plain = ext.n > 0 && ext.n <= EXTENSION_MAX;
	for (size_t i = 0; i < ext.n && plain; i++)
		plain = isalnum((unsigned char)ext.p[i]);
	return plain;
}

struct span api_url(char out[API_URL_BYTES], const char *prefix, uint64_t id, struct span ext)
{
	int n = is_plain(ext)
			? snprintf(out, API_URL_BYTES, "%s%llu.%.*s", prefix,
				   (unsigned long long)id, SPAN_ARG(ext))
			: snprintf(out, API_URL_BYTES, "%s%llu", prefix, (unsigned long long)id);
	return span_of(out, (size_t)n);
}

static void add_url(struct json *j, const char *name, const char *prefix, uint64_t id,
		    struct span ext)
{
	char url[API_URL_BYTES];
	json_key(j, name);
	json_text(j, api_url(url, prefix, id, ext));
}

struct span api_extension(struct span name)
{
	size_t dot = span_rfind(name, '.');
	return dot < name.n ? span_skip(name, dot + 1) : (struct span){ NULL, 0 };
}

static void add_subtitles(struct json *j, struct fb_table media)
{
	struct fb_vector all = media_file_subtitles(media);
	if (all.n == 0)
		return;
	json_key(j, "subtitles");
	json_array(j);
	for (uint32_t i = 0; i < all.n; i++) {
		struct fb_table subtitle = fb_vector_table(all, i);
		char prefix[48]; /* with the number: languages share the ending */
		snprintf(prefix, sizeof prefix, "/subtitle/%llu.",
			 (unsigned long long)media_file_id(media));
		json_object(j);
		add_url(j, "url", prefix, i, api_extension(subtitle_path(subtitle)));
		add_text(j, "language", subtitle_language(subtitle));
		json_object_end(j);
	}
	json_array_end(j);
}

static void add_thumbs(struct json *j, uint64_t media_id)
{
	char url[64];
	int n = snprintf(url, sizeof url, "/thumb/%llu.tn.jpg", (unsigned long long)media_id);
	json_key(j, "thumb");
	json_text(j, span_of(url, (size_t)n));
	n = snprintf(url, sizeof url, "/thumb/%llu.sm.jpg", (unsigned long long)media_id);
	json_key(j, "thumbLarge");
	json_text(j, span_of(url, (size_t)n));
}

void api_add_media(struct json *j, struct fb_table media)
{
	uint64_t id = media_file_id(media);
	json_key(j, "mediaId");
	json_u64(j, id);
	add_url(j, "url", "/media/", id, api_extension(media_file_filename(media)));
	if (media_file_art_path(media).n > 0 || media_file_art_embedded(media))
		add_url(j, "art", "/art/", id, (struct span){ NULL, 0 });
	if (art_has_thumb(media))
		add_thumbs(j, id);
	add_text(j, "mime", media_file_mime_type(media));
	add_text(j, "filename", media_file_filename(media));
	add_text(j, "artist", media_file_artist(media));
	add_text(j, "albumArtist", media_file_album_artist(media));
	add_text(j, "album", media_file_album(media));
	add_text(j, "genre", media_file_genre(media));
	add_text(j, "composer", media_file_composer(media));
	add_text(j, "camera", media_file_camera(media));
	add_text(j, "audioCodec", media_file_audio_codec(media));
	add_text(j, "videoCodec", media_file_video_codec(media));
	add_number(j, "size", media_file_size(media));
	add_number(j, "durationMs", media_file_duration_ms(media));
	add_number(j, "track", media_file_track(media));
	add_number(j, "disc", media_file_disc(media));
	add_number(j, "year", media_file_year(media));
	add_number(j, "width", media_file_width(media));
	add_number(j, "height", media_file_height(media));
	add_number(j, "bitrate", media_file_bitrate(media));
	add_number(j, "sampleRate", media_file_sample_rate(media));
	add_number(j, "channels", media_file_channels(media));
	if (media_file_date_taken(media) != 0) {
		json_key(j, "dateTaken");
		json_i64(j, media_file_date_taken(media));
	}
	add_subtitles(j, media);
}

static void add_container(struct json *j, const struct object *o)
{
	static const char *const classes[] = {
		[CONTAINER_FOLDER] = "folder", [CONTAINER_PLAIN] = "plain",
		[CONTAINER_ARTIST] = "artist", [CONTAINER_ALBUM] = "album",
		[CONTAINER_GENRE] = "genre",   [CONTAINER_PLAYLIST] = "playlist"
	};
	json_key(j, "class");
	json_text(j, span_str(classes[o->container_class]));
	json_key(j, "childCount");
	json_u64(j, o->child_count);
	json_key(j, "updateId");
	json_u64(j, o->update_id);
	add_text(j, "artist", o->artist);
	if (o->art_media_id != 0) {
		add_url(j, "art", "/art/", o->art_media_id, (struct span){ NULL, 0 });
		add_thumbs(j, o->art_media_id);
	}
}

void api_add_object(struct json *j, const struct object *o)
{
	static const char *const kinds[] = { [OBJECT_CONTAINER] = "container",
					     [OBJECT_AUDIO] = "audio",
					     [OBJECT_VIDEO] = "video",
					     [OBJECT_IMAGE] = "image" };
	json_key(j, "id");
	json_text(j, span_str(o->id));
	json_key(j, "parentId");
	json_text(j, span_str(o->parent_id));
	add_text(j, "refId", span_str(o->ref_id));
	json_key(j, "kind");
	json_text(j, span_str(kinds[o->kind]));
	json_key(j, "title");
	json_text(j, o->title);
	if (o->kind == OBJECT_CONTAINER)
		add_container(j, o);
	else
		api_add_media(j, o->media);
}

/** The way from the root, without the object itself. */
static void add_ancestors(struct json *j, const struct library_snap *snap, const struct object *o)
{
	struct object chain[ANCESTORS_MAX];
	size_t n = 0;
	struct span id = span_str(o->parent_id);
	while (n < ANCESTORS_MAX && !span_eq(id, SPAN("-1")) &&
	       library_object_get(snap, id, &chain[n]) == ERR_OK)
		id = span_str(chain[n++].parent_id);
	json_key(j, "ancestors");
	json_array(j);
	while (n-- > 0) {
		json_object(j);
		json_key(j, "id");
		json_text(j, span_str(chain[n].id));
		json_key(j, "title");
		json_text(j, chain[n].title);
		json_object_end(j);
	}
	json_array_end(j);
}

/** `id` of the query, decoded into `out`. */
static enum err query_id(const struct http_req *req, struct buf *out)
{
	struct span raw = SPAN("0");
	url_query_get(http_req_query(req), SPAN("id"), &raw);
	enum err e = url_add_decoded(out, raw);
	return e != ERR_OK ? e : buf_err(out) == ERR_OK ? ERR_OK : ERR_NOTFOUND;
}

enum err api_query_number(const struct http_req *req, struct span name, uint64_t max, uint64_t *out)
{
	struct span raw;
	if (!url_query_get(http_req_query(req), name, &raw))
		return ERR_OK;
	return num_parse_u64(raw, 0, max, out);
}

static void add_children(struct json *j, struct listing *listing, uint64_t offset, uint64_t limit)
{
	struct object child;
	json_key(j, "children");
	json_array(j);
	listing_seek(listing, offset);
	for (uint64_t i = 0; i < limit && listing_next(listing, &child); i++) {
		json_object(j);
		api_add_object(j, &child);
		json_object_end(j);
	}
	json_array_end(j);
}

static enum err browse(const struct library_snap *snap, const struct http_req *req, struct span id,
		       struct buf *out)
{
	uint64_t offset = 0, limit = BROWSE_LIMIT_DEFAULT;
	struct object container;
	struct listing listing;
	struct json j;
	enum err e = api_query_number(req, SPAN("offset"), UINT32_MAX, &offset);
	if (e == ERR_OK)
		e = api_query_number(req, SPAN("limit"), BROWSE_LIMIT_MAX, &limit);
	if (e == ERR_OK)
		e = library_object_get(snap, id, &container);
	if (e == ERR_OK)
		e = library_list(snap, id, &listing);
	if (e != ERR_OK)
		return e;
	json_init(&j, out);
	json_object(&j);
	api_add_object(&j, &container);
	add_ancestors(&j, snap, &container);
	json_key(&j, "commit");
	json_u64(&j, library_snap_commit(snap));
	json_key(&j, "offset");
	json_u64(&j, offset);
	json_key(&j, "total");
	json_u64(&j, container.child_count);
	add_children(&j, &listing, offset, limit);
	json_object_end(&j);
	return buf_err(out);
}

static enum err one_object(const struct library_snap *snap, const struct http_req *req,
			   struct span id, struct buf *out)
{
	struct object object;
	struct json j;
	(void)req;
	enum err e = library_object_get(snap, id, &object);
	if (e != ERR_OK)
		return e;
	json_init(&j, out);
	json_object(&j);
	api_add_object(&j, &object);
	add_ancestors(&j, snap, &object);
	json_object_end(&j);
	return buf_err(out);
}

typedef enum err answer_fn(const struct library_snap *snap, const struct http_req *req,
			   struct span id, struct buf *out);

static void serve(const struct web *w, const struct http_req *req, struct http_reply *reply,
		  answer_fn *answer)
{
	struct buf id, body;
	buf_init(&id, LIBRARY_ID_MAX);
	buf_init(&body, WEB_JSON_MAX_BYTES);
	enum err e = query_id(req, &id);
	if (e == ERR_OK) {
		CLEANUP(library_snap_endp)
		struct library_snap *snap = library_snap_begin(w->options.library);
		e = answer(snap, req, buf_span(&id), &body);
	}
	if (e == ERR_OK) {
		http_reply_status(reply, 200);
		http_reply_header(reply, "Cache-Control", SPAN("no-store"));
		http_reply_body(reply, "application/json", &body);
	} else {
		web_refuse(reply, e);
	}
	buf_fini(&body);
	buf_fini(&id);
}

void api_browse_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	serve(ctx, req, reply, browse);
}

void api_object_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	serve(ctx, req, reply, one_object);
}
