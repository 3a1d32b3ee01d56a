/* SPDX-License-Identifier: MIT */
/* What people and players fetch: /media/ID.ext, /art/ID, /thumb/ID.tn.jpg, /subtitle/ID.ext, the
 * JSON API under /api/v1/, /healthz, /readyz, /metrics, and the page itself (/). */
#pragma once

#include "base/err.h"
#include "base/flatbuffer.h"
#include "base/picture.h"
#include "base/text_encoding.h"

struct web;
struct http;
struct library;
struct buf;
struct cache;
struct scanner_progress;

struct web_options {
	struct library *library;
	struct http *http;
	const char *friendly_name;
	const char *probe_program; /* NULL: beside the binary; used for art and thumbnails */
	/** Where thumbnails are kept, and how many bytes of them; NULL: only the last, in memory.
	 */
	const char *thumbnails_dir;
	uint64_t thumbnails_max_bytes;
	enum text_encoding tag_encoding; /* of subtitles that are not UTF-8 */
	/** DLNA's contentFeatures of a file (dlna_content_features). */
	void (*content_features)(struct fb_table media_file, struct buf *out);
	/** The same of a thumbnail in this box (dlna_thumb_features). */
	void (*thumb_features)(struct picture_size box, struct buf *out);
	/** The type that a device is to hear for a file, and whether it asks for films in
	 * Interactive mode (dlna_client_type). NULL: the record's own. */
	struct span (*client_type)(struct span user_agent, struct span av_client_info,
				   struct fb_table media_file, bool *out_interactive_av);
	/** Writes one JSON object: the scanner's progress (app wires the scanner). */
	void (*progress_json)(void *ctx, struct buf *out);
	struct cache *pages; /* dlna's; only its figures are shown. May be NULL */
	void *ctx;
};

/** Adds routes; before http_start(). */
NODISCARD enum err web_new(const struct web_options *options, struct web **out,
			   struct err_info *info);
/** Before http_stop(): who waits for a picture is refused, so that nobody is waited for. NULL is
 * fine. */
void web_stop(struct web *w);
/** After http_stop(). NULL is fine. */
void web_free(struct web *w);
