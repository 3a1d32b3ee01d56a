/* SPDX-License-Identifier: MIT */
/* /api/v1/playlists and /api/v1/playlist: also the entries that cannot be played now.
 * /playlist/ID.m3u8 and .pls: for players. */
#include "base/json.h"
#include "base/num.h"
#include "base/url.h"
#include "library/playlist_export.h"
#include "library/playlists.h"
#include "schema/media_fb.h"
#include "web/web_priv.h"

#define PLAYLIST_LIMIT_DEFAULT 100
#define PLAYLIST_LIMIT_MAX 500

struct page {
	uint64_t id, offset, limit;
};

static void add_playlist(struct json *j, const struct library_snap *sn, struct fb_table playlist)
{
	uint64_t id = playlist_id(playlist);
	json_key(j, "playlistId");
	json_u64(j, id);
	json_key(j, "name");
	json_text(j, playlist_name(playlist));
	json_key(j, "description");
	json_text(j, playlist_description(playlist));
	if (library_playlist_follows_file(playlist)) {
		json_key(j, "file");
		json_text(j, playlist_path(playlist));
	}
	json_key(j, "url");
	char url[API_URL_BYTES];
	json_text(j, api_url(url, "/playlist/", id, SPAN("m3u8")));
	json_key(j, "createdAt");
	json_i64(j, playlist_created_at(playlist));
	json_key(j, "updatedAt");
	json_i64(j, playlist_updated_at(playlist));
	json_key(j, "entries");
	json_u64(j, library_playlist_entries_n(sn, id));
	json_key(j, "present");
	json_u64(j, library_playlist_present_n(sn, id));
}

static enum err list(const struct library_snap *sn, const struct page *page, struct json *j)
{
	struct playlist_cursor c;
	struct fb_table playlist;
	json_key(j, "total");
	json_u64(j, library_playlists_n(sn));
	json_key(j, "playlists");
	json_array(j);
	library_playlists(sn, page->offset, &c);
	for (uint64_t i = 0; i < page->limit && playlist_cursor_next(&c, &playlist); i++) {
		json_object(j);
		add_playlist(j, sn, playlist);
		json_object_end(j);
	}
	json_array_end(j);
	return ERR_OK;
}

static void add_item(struct json *j, const struct playlist_item *item)
{
	json_object(j);
	json_key(j, "entryId");
	json_u64(j, item->entry_id);
	json_key(j, "position");
	json_u64(j, item->position);
	json_key(j, "title");
	json_text(j, item->title);
	json_key(j, "present");
	json_bool(j, item->media.pos != 0);
	if (item->media.pos) {
		api_add_media(j, item->media);
	} else {
		json_key(j, "uri");
		json_text(j, playlist_entry_uri(item->entry));
		json_key(j, "durationMs");
		json_u64(j, item->duration_ms);
	}
	json_object_end(j);
}

static enum err one(const struct library_snap *sn, const struct page *page, struct json *j)
{
	struct fb_table playlist;
	struct playlist_items items;
	struct playlist_item item;
	enum err e = library_playlist_get(sn, page->id, &playlist);
	if (e != ERR_OK)
		return e;
	add_playlist(j, sn, playlist);
	json_key(j, "durationMs");
	json_u64(j, library_playlist_duration_ms(sn, page->id));
	json_key(j, "offset");
	json_u64(j, page->offset);
	json_key(j, "items");
	json_array(j);
	library_playlist_items(sn, page->id, page->offset, &items);
	for (uint64_t i = 0; i < page->limit && playlist_items_next(&items, &item); i++)
		add_item(j, &item);
	json_array_end(j);
	return ERR_OK;
}

static enum err number_of(const struct http_req *req, struct span name, uint64_t max, uint64_t *out)
{
	struct span raw;
	if (!url_query_get(http_req_query(req), name, &raw))
		return ERR_OK;
	return num_parse_u64(raw, 0, max, out);
}

static void serve(const struct web *w, const struct http_req *req, struct http_reply *reply,
		  enum err (*answer)(const struct library_snap *sn, const struct page *page,
				     struct json *j))
{
	struct page page = { .limit = PLAYLIST_LIMIT_DEFAULT };
	struct buf body;
	struct json j;
	buf_init(&body, WEB_JSON_MAX_BYTES);
	enum err e = number_of(req, SPAN("id"), UINT32_MAX, &page.id);
	if (e == ERR_OK)
		e = number_of(req, SPAN("offset"), UINT32_MAX, &page.offset);
	if (e == ERR_OK)
		e = number_of(req, SPAN("limit"), PLAYLIST_LIMIT_MAX, &page.limit);
	if (e == ERR_OK) {
		CLEANUP(library_snap_endp)
		struct library_snap *sn = library_snap_begin(w->options.library);
		json_init(&j, &body);
		json_object(&j);
		json_key(&j, "commit");
		json_u64(&j, library_snap_commit(sn));
		e = answer(sn, &page, &j);
		if (e == ERR_OK)
			json_object_end(&j);
	}
	if (e == ERR_OK)
		e = buf_err(&body);
	if (e == ERR_OK) {
		http_reply_status(reply, 200);
		http_reply_header(reply, "Cache-Control", SPAN("no-store"));
		http_reply_body(reply, "application/json", &body);
	} else {
		web_refuse(reply, e);
	}
	buf_fini(&body);
}

void api_playlists_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	serve(ctx, req, reply, list);
}

void api_playlist_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	serve(ctx, req, reply, one);
}

/* ---- for players ----------------------------------------------------------------------------- */

/* Our streams, and what plays elsewhere. */
static bool add_stream(void *ctx, const struct playlist_item *item, struct buf *out)
{
	const struct http_req *req = ctx;
	char url[API_URL_BYTES];
	if (!item->media.pos) {
		buf_add(out, playlist_entry_uri(item->entry));
		return playlist_export_is_url(playlist_entry_uri(item->entry));
	}
	buf_add_str(out, "http://");
	buf_add(out, http_req_local(req));
	buf_add(out, api_url(url, "/media/", media_file_id(item->media),
			     api_extension(media_file_filename(item->media))));
	return true;
}

void playlist_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	const struct web *w = ctx;
	uint64_t id;
	struct span ext;
	struct buf body;
	enum err e = web_path_id(http_req_path(req), SPAN("/playlist/"), &id, &ext);
	bool pls = span_eq_nocase(ext, SPAN("pls"));
	if (e == ERR_OK && !pls && !span_eq_nocase(ext, SPAN("m3u8")) &&
	    !span_eq_nocase(ext, SPAN("m3u")))
		e = ERR_NOTFOUND;
	buf_init(&body, HTTP_REPLY_MAX_BYTES);
	if (e == ERR_OK) {
		CLEANUP(library_snap_endp)
		struct library_snap *sn = library_snap_begin(w->options.library);
		e = playlist_export(sn, id, pls ? PLAYLIST_EXPORT_PLS : PLAYLIST_EXPORT_M3U8,
				    add_stream, (void *)req, &body);
	}
	if (e == ERR_OK) {
		http_reply_status(reply, 200);
		http_reply_header(reply, "Cache-Control", SPAN("no-store"));
		http_reply_body(reply, pls ? "audio/x-scpls" : "audio/x-mpegurl; charset=utf-8",
				&body);
	} else {
		web_refuse(reply, e);
	}
	buf_fini(&body);
}
