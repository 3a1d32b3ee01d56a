/* SPDX-License-Identifier: MIT */
/* /subtitle/ID.N.ext: the subtitle files beside a video, N from 0; /subtitle/ID.ext: the first of
 * this kind. Text is sent in UTF-8, whatever the file is in. */
#include "base/fd.h"
#include "base/num.h"
#include "schema/media_fb.h"
#include "web/subtitle_text.h"
#include "web/web_priv.h"

#define SUBTITLE_PATH_MAX_BYTES 4096

static const struct {
	struct span ext;
	struct span type;
} types[] = {
	{ { "srt", 3 }, { "text/srt; charset=utf-8", 23 } },
	{ { "vtt", 3 }, { "text/vtt; charset=utf-8", 23 } },
	{ { "ass", 3 }, { "text/x-ssa; charset=utf-8", 25 } },
	{ { "ssa", 3 }, { "text/x-ssa; charset=utf-8", 25 } },
	{ { "smi", 3 }, { "smi/caption", 11 } },
	{ { "idx", 3 }, { "text/plain; charset=utf-8", 25 } },
	{ { "sub", 3 }, { "text/plain; charset=utf-8", 25 } },
};

static struct span extension_of(struct span path)
{
	return span_skip(path, span_rfind(path, '.') + 1);
}

/* A subtitle file, and what is asked of it. */
struct wanted {
	char path[SUBTITLE_PATH_MAX_BYTES];
	size_t path_n; /* 0: there is none */
	bool as_webvtt;
};

static void take_path(struct wanted *out, struct span path)
{
	if (path.n >= sizeof out->path)
		return;
	span_copy(out->path, path);
	out->path_n = path.n;
}

/* "film.sub" of "film.idx", "FILM.SUB" of "FILM.IDX". */
static void take_other_half(struct wanted *out, struct span idx)
{
	take_path(out, idx);
	if (out->path_n > 3)
		memcpy(out->path + out->path_n - 3, span_ends(idx, SPAN("IDX")) ? "SUB" : "sub", 3);
}

/** The Nth subtitle ("1.srt"), or the first of this kind ("srt"). What is SubRip can be had as
 * "vtt", and the .sub of a pair by the number of its .idx. */
static void find_subtitle(struct fb_table media, struct span name, struct wanted *out)
{
	struct fb_vector all = media_file_subtitles(media);
	size_t dot = span_rfind(name, '.');
	struct span ext = dot < name.n ? span_skip(name, dot + 1) : name;
	uint64_t only = UINT64_MAX;
	bool webvtt = span_eq_nocase(ext, SPAN("vtt"));
	if (dot < name.n && num_parse_u64(span_first(name, dot), 0, UINT32_MAX, &only) != ERR_OK)
		return;
	for (uint32_t i = 0; i < all.n; i++) {
		struct span path = subtitle_path(fb_vector_table(all, i));
		struct span own = extension_of(path);
		if (only != UINT64_MAX && only != i)
			continue;
		if (span_eq_nocase(own, ext)) {
			out->as_webvtt = false;
			take_path(out, path);
			return;
		}
		if (webvtt && !out->as_webvtt && span_eq_nocase(own, SPAN("srt"))) {
			out->as_webvtt = true; /* unless a real one follows */
			take_path(out, path);
		} else if (span_eq_nocase(ext, SPAN("sub")) && span_eq_nocase(own, SPAN("idx"))) {
			take_other_half(out, path);
			return;
		}
	}
}

static struct span type_of(struct span ext)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (span_eq_nocase(types[i].ext, ext))
			return types[i].type;
	return SPAN("text/plain; charset=utf-8");
}

/* The text converted into *body; false: the file is to be sent as it is. */
static bool convert(const struct web *w, const struct media_source *src, bool as_webvtt,
		    struct buf *body)
{
	CLEANUP(buf_fini) struct buf raw;
	CLEANUP(buf_fini) struct buf text;
	enum text_encoding encoding = TEXT_UTF8;

	buf_init(&raw, SUBTITLE_TEXT_MAX_BYTES);
	buf_init(&text, 3 * SUBTITLE_TEXT_MAX_BYTES);
	char *to = src->size > 0 && src->size <= SUBTITLE_TEXT_MAX_BYTES
			   ? buf_room(&raw, (size_t)src->size)
			   : NULL;
	if (!to || fd_pread_all(src->fd, to, (size_t)src->size, 0) != ERR_OK)
		return false;
	struct span bytes = span_of(to, (size_t)src->size);
	if (subtitle_text_is_fine(bytes, w->options.tag_encoding, &encoding))
		encoding = TEXT_UTF8;
	if (encoding == TEXT_UTF8 && !as_webvtt)
		return false;
	if (encoding != TEXT_UTF8 && subtitle_text_add(encoding, bytes, &text) != ERR_OK)
		return false;
	if (encoding != TEXT_UTF8)
		bytes = buf_span(&text);
	if (as_webvtt)
		subtitle_text_add_webvtt(bytes, body);
	else
		buf_add(body, bytes);
	return buf_err(body) == ERR_OK;
}

static void serve(struct web *w, struct fb_table media, struct span name,
		  const struct http_req *req, struct http_reply *reply)
{
	struct media_source src;
	struct wanted wanted = { .path_n = 0 };
	CLEANUP(buf_fini) struct buf body;

	buf_init(&body, 4 * SUBTITLE_TEXT_MAX_BYTES);
	find_subtitle(media, name, &wanted);
	struct span path = span_of(wanted.path, wanted.path_n);
	char canonical[MEDIA_PATH_MAX];
	enum err e = media_source_open(path, media_file_id(media), &src);
	if (e == ERR_OK &&
	    !media_is_where_it_was(w->options.library, path,
				   media_side_canonical(media, path, canonical), src.fd)) {
		fd_closep(&src.fd);
		e = ERR_NOTFOUND;
	}
	if (e != ERR_OK) {
		web_refuse(reply, e);
		return;
	}
	struct span type =
		wanted.as_webvtt ? SPAN("text/vtt; charset=utf-8") : type_of(extension_of(path));
	http_reply_header(reply, "transferMode.dlna.org", SPAN("Interactive"));
	if (convert(w, &src, wanted.as_webvtt, &body)) {
		fd_closep(&src.fd);
		http_reply_status(reply, 200);
		http_reply_body(reply, type.p, &body);
		return;
	}
	http_reply_header(reply, "Content-Type", type);
	media_source_send(&src, req, reply);
}

void subtitle_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	web_serve_media(ctx, SPAN("/subtitle/"), serve, req, reply);
}
