/* SPDX-License-Identifier: MIT */
/* What the files of the web module share. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "http/http.h"
#include "library/library.h"
#include "web/pictures.h"
#include "web/web.h"

#define WEB_JSON_MAX_BYTES (4u << 20)

struct web {
	struct web_options options;
	uint64_t started_ms;
	struct pictures *pictures;
};

/* One handler for each kind of address; ctx is the struct web. */
http_handler media_serve, art_serve, thumb_serve, subtitle_serve, ui_serve;
http_handler api_browse_serve, api_object_serve, api_search_serve, api_status_serve;
http_handler api_playlists_serve, api_playlist_serve, playlist_serve;
http_handler health_serve, ready_serve, metrics_serve;

/** A picture's type by its first bytes; "" where it is none that everybody shows. */
const char *art_type(struct span first_bytes);
/** Is there something that /thumb/ shows for this file? */
bool art_has_thumb(struct fb_table media);

/** The members of a file, inside an object that is open. */
struct json;
void api_add_media(struct json *j, struct fb_table media);

/** "/media/5.mp3"; players go by the ending. */
#define API_URL_BYTES 64
struct span api_url(char out[API_URL_BYTES], const char *prefix, uint64_t id, struct span ext);
struct span api_extension(struct span name);

/** The members of an object, inside a JSON object that is open. */
struct json;
void api_add_object(struct json *j, const struct object *o);
/** A number of the query; *out stays where it is missing. Errors: ERR_INVALID, ERR_RANGE. */
NODISCARD enum err api_query_number(const struct http_req *req, struct span name, uint64_t max,
				    uint64_t *out);

/** An open regular file and what HTTP says about it. */
struct media_source {
	int fd;
	uint64_t size;
	char etag[64]; /* with its quotes */
	int64_t modified_s;
};

/** Open a stored path (symbolic links are legal) for sending; `id` goes into the ETag.
 * Errors: ERR_NOTFOUND (gone, or not a regular file), ERR_ACCESS, ERR_IO. */
NODISCARD enum err media_source_open(struct span path, uint64_t id, struct media_source *out);

/** A link that was put in place of the file, or of a directory on the way to it, since the scan
 * must not lead out of what is served. Links that the scan followed are known by where they led
 * (`canonical`). */
bool media_is_where_it_was(struct library *library, struct span path, struct span canonical,
			   int fd);
#define MEDIA_PATH_MAX 4096
/** The `canonical` of a file beside `media` (art, subtitles), of which no scan has kept one: it is
 * where the media's directory led. A link of its own must not lead out of what is served. */
struct span media_side_canonical(struct fb_table media, struct span path, char out[MEDIA_PATH_MAX]);

/** Answer with the file or a part of it: conditions, ranges, 200, 206, 304, 412, 416. Takes the
 * descriptor of `src`. Content-Type is the caller's to add before. */
void media_source_send(struct media_source *src, const struct http_req *req,
		       struct http_reply *reply);

/** The request's conditions, as it says them. */
struct conditions web_conditions(const struct http_req *req);
/** Check what the request says in DLNA's headers and answer its transfer mode; false where it was
 * refused. `is_image`: the reply is one; `interactive_av`: see struct dlna_request. */
bool web_check_dlna(const struct http_req *req, bool is_image, bool interactive_av,
		    struct http_reply *reply);

/** The number in "/prefix/123.ext" or "/prefix/123"; ext is what follows the dot.
 * ERR_NOTFOUND where it is something else. */
NODISCARD enum err web_path_id(struct span path, struct span prefix, uint64_t *out_id,
			       struct span *out_ext);

/** Answers for one media file; `ext` is what the address ends in. */
typedef void web_media_handler(struct web *w, struct fb_table media, struct span ext,
			       const struct http_req *req, struct http_reply *reply);
/** Find the file that "/prefix/123.ext" names and let `serve` answer for it; else refuse. */
void web_serve_media(struct web *w, struct span prefix, web_media_handler *serve,
		     const struct http_req *req, struct http_reply *reply);

/** A refusal for an error of the library or the disk. */
void web_refuse(struct http_reply *reply, enum err e);
