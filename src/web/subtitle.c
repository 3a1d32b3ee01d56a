/* SPDX-License-Identifier: MIT */
/* /subtitle/ID.N.ext: the subtitle files beside a video, N from 0; /subtitle/ID.ext: the first of
 * this kind. */
#include "base/num.h"
#include "schema/media_fb.h"
#include "web/web_priv.h"

static const struct {
	struct span ext;
	struct span type;
} types[] = {
	{ { "srt", 3 }, { "text/srt; charset=utf-8", 23 } },
	{ { "vtt", 3 }, { "text/vtt; charset=utf-8", 23 } },
	{ { "ass", 3 }, { "text/x-ssa; charset=utf-8", 25 } },
	{ { "ssa", 3 }, { "text/x-ssa; charset=utf-8", 25 } },
	{ { "smi", 3 }, { "smi/caption", 11 } },
	{ { "sub", 3 }, { "text/plain; charset=utf-8", 25 } },
};

static struct span extension_of(struct span path)
{
	return span_skip(path, span_rfind(path, '.') + 1);
}

/** The Nth subtitle ("1.srt"), or the first of this kind ("srt"); its path is empty where there is
 * none. */
static struct span find_subtitle(struct fb_table media, struct span name)
{
	struct fb_vector all = media_file_subtitles(media);
	size_t dot = span_rfind(name, '.');
	struct span ext = dot < name.n ? span_skip(name, dot + 1) : name;
	uint64_t only = UINT64_MAX;
	if (dot < name.n && num_parse_u64(span_first(name, dot), 0, UINT32_MAX, &only) != ERR_OK)
		return (struct span){ NULL, 0 };
	for (uint32_t i = 0; i < all.n; i++) {
		struct span path = subtitle_path(fb_vector_table(all, i));
		if ((only == UINT64_MAX || only == i) && span_eq_nocase(extension_of(path), ext))
			return path;
	}
	return (struct span){ NULL, 0 };
}

static struct span type_of(struct span ext)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (span_eq_nocase(types[i].ext, ext))
			return types[i].type;
	return SPAN("text/plain; charset=utf-8");
}

static void serve(struct web *w, struct fb_table media, struct span name,
		  const struct http_req *req, struct http_reply *reply)
{
	struct media_source src;
	struct span path = find_subtitle(media, name);
	enum err e = media_source_open(path, media_file_id(media), &src);
	(void)w;
	if (e != ERR_OK) {
		web_refuse(reply, e);
		return;
	}
	http_reply_header(reply, "Content-Type", type_of(extension_of(path)));
	http_reply_header(reply, "transferMode.dlna.org", SPAN("Interactive"));
	media_source_send(&src, req, reply);
}

void subtitle_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	web_serve_media(ctx, SPAN("/subtitle/"), serve, req, reply);
}
