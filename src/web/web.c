/* SPDX-License-Identifier: MIT */
/* Routes and lifetime of the web module. */
#include <stdlib.h>

#include "base/num.h"
#include "web/web_priv.h"

static const struct {
	const char *path;
	http_handler *handler;
} routes[] = {
	{ "/media/", media_serve },
	{ "/art/", art_serve },
	{ "/thumb/", thumb_serve },
	{ "/subtitle/", subtitle_serve },
	{ "/playlist/", playlist_serve },
	{ "/api/v1/browse", api_browse_serve },
	{ "/api/v1/object", api_object_serve },
	{ "/api/v1/search", api_search_serve },
	{ "/api/v1/playlists", api_playlists_serve },
	{ "/api/v1/playlist", api_playlist_serve },
	{ "/api/v1/status", api_status_serve },
	{ "/healthz", health_serve },
	{ "/readyz", ready_serve },
	{ "/metrics", metrics_serve },
	{ "/", ui_serve },
	{ "/ui/", ui_serve },
	{ "/favicon.ico", ui_serve },
};

enum err web_new(const struct web_options *options, struct web **out, struct err_info *info)
{
	struct web *w = calloc(1, sizeof *w);
	if (!w)
		return err_set(info, ERR_NOMEM, 0, "no memory for the web pages");
	w->options = *options;
	w->started_ms = clock_now_ms();
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		enum err e =
			http_route(options->http, routes[i].path, HTTP_GET, routes[i].handler, w);
		if (e != ERR_OK) {
			web_free(w);
			return err_set(info, e, 0, "cannot add the address %s", routes[i].path);
		}
	}
	struct pictures_options pictures = { .library = options->library,
					     .probe_program = options->probe_program,
					     .cache_dir = options->thumbnails_dir,
					     .cache_max_bytes = options->thumbnails_max_bytes };
	enum err e = pictures_new(&pictures, &w->pictures);
	if (e != ERR_OK) {
		web_free(w);
		return err_set(info, e, 0, "cannot start a thread for pictures");
	}
	*out = w;
	return ERR_OK;
}

void web_stop(struct web *w)
{
	if (w)
		pictures_stop(w->pictures);
}

void web_free(struct web *w)
{
	if (!w)
		return;
	pictures_free(w->pictures);
	free(w);
}

enum err web_path_id(struct span path, struct span prefix, uint64_t *out_id, struct span *out_ext)
{
	uint64_t id = 0;
	if (!span_starts(path, prefix))
		return ERR_NOTFOUND;
	struct span ext = span_skip(path, prefix.n);
	struct span digits = span_cut(&ext, '.');
	if (num_parse_u64(digits, 1, UINT64_MAX, &id) != ERR_OK || span_find(ext, '/') < ext.n)
		return ERR_NOTFOUND;
	*out_id = id;
	*out_ext = ext;
	return ERR_OK;
}

void web_serve_media(struct web *w, struct span prefix, web_media_handler *serve,
		     const struct http_req *req, struct http_reply *reply)
{
	uint64_t id;
	struct span ext;
	struct fb_table media;
	enum err e = web_path_id(http_req_path(req), prefix, &id, &ext);
	if (e != ERR_OK) {
		web_refuse(reply, e);
		return;
	}
	CLEANUP(library_snap_endp)
	struct library_snap *snap = library_snap_begin(w->options.library);
	e = library_media_get(snap, id, &media);
	if (e != ERR_OK)
		web_refuse(reply, e);
	else
		serve(w, media, ext, req, reply);
}

void web_refuse(struct http_reply *reply, enum err e)
{
	unsigned status = http_status_of(e);
	const char *text = status == 404   ? "Nothing is here."
			   : status == 403 ? "The server may not read this file."
			   : status == 503 ? "The server is busy; try again."
					   : err_name(e);
	http_reply_error(reply, status, text);
}
