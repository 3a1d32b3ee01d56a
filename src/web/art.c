/* SPDX-License-Identifier: MIT */
/* /art/ID: the picture of a file: folder art beside it, else the one inside it, which the probe
 * helper takes out. */
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "probe/probe.h"
#include "schema/media_fb.h"
#include "schema/probe_fb.h"
#include "web/web_priv.h"

#define ART_MAX_AGE "private, max-age=3600"

/** By its first bytes; "" where it is no picture that everybody shows. */
static const char *picture_type(struct span s)
{
	if (span_starts(s, SPAN("\xff\xd8\xff")))
		return "image/jpeg";
	if (span_starts(s, SPAN("\x89PNG\r\n\x1a\n")))
		return "image/png";
	if (span_starts(s, SPAN("GIF8")))
		return "image/gif";
	if (span_starts(s, SPAN("RIFF")) && s.n >= 12 && memcmp(s.p + 8, "WEBP", 4) == 0)
		return "image/webp";
	return "";
}

static void send_picture(struct media_source *src, const struct http_req *req,
			 struct http_reply *reply)
{
	char first[16];
	ssize_t n = pread(src->fd, first, sizeof first, 0);
	const char *type = n > 0 ? picture_type(span_of(first, (size_t)n)) : "";
	if (type[0] == '\0') {
		fd_closep(&src->fd);
		web_refuse(reply, ERR_NOTFOUND);
		return;
	}
	http_reply_header(reply, "Content-Type", span_str(type));
	http_reply_header(reply, "Cache-Control", SPAN(ART_MAX_AGE));
	http_reply_header(reply, "transferMode.dlna.org", SPAN("Interactive"));
	media_source_send(src, req, reply);
}

/** A copy of the cached picture, if the file's answer is known. */
static bool copy_cached(struct web *w, uint64_t id, int64_t modified, struct buf *out,
			char type[ART_TYPE_MAX])
{
	mutex_lock(&w->cache_lock);
	const struct art_entry *e = art_cache_get(&w->cache, id, modified);
	if (e) {
		buf_add(out, span_of(e->bytes, e->n));
		memcpy(type, e->type, ART_TYPE_MAX);
	}
	mutex_unlock(&w->cache_lock);
	return e != NULL;
}

static void remember(struct web *w, uint64_t id, int64_t modified, struct fb_table facts)
{
	struct span bytes = probe_reply_art(facts);
	const char *type = picture_type(bytes);
	if (type[0] == '\0' || bytes.n > WEB_ART_MAX_BYTES)
		bytes = (struct span){ NULL, 0 };
	mutex_lock(&w->cache_lock);
	art_cache_put(&w->cache, id, modified, bytes, span_str(type));
	mutex_unlock(&w->cache_lock);
}

/** Ask the helper and remember what it says, a failure as well: a file that hangs it must not do so
 * for each request. */
static enum err extract(struct web *w, struct fb_table media, int fd) REQUIRES(w->art_lock)
{
	struct probe_options options = { .workers_n = 1, .program = w->options.probe_program };
	struct probe_result result = { 0 };
	void *tag = (void *)(uintptr_t)++w->art_serial;
	enum err e = ERR_OK;
	if (!w->probe)
		e = probe_new(&options, &w->probe, NULL);
	if (e == ERR_OK)
		e = probe_send(w->probe, PROBE_ART, fd, media_file_filename(media), tag);
	do { /* what comes late from an earlier request is passed over */
		if (e == ERR_OK)
			e = probe_recv(w->probe, PROBE_TIMEOUT_MS + 1000, &result);
	} while (e == ERR_OK && result.tag != tag);
	w->art_used_ms = clock_now_ms();
	cond_broadcast(&w->art_used);
	if (e != ERR_OK)
		return e == ERR_NOMEM ? e : ERR_BUSY;
	if (result.status == PROBE_STATUS_UNAVAILABLE)
		return ERR_BUSY; /* not the file's fault: nothing to remember */
	struct fb_table facts =
		result.status == PROBE_STATUS_OK ? result.facts : (struct fb_table){ 0 };
	remember(w, media_file_id(media), media_file_modified(media), facts);
	return ERR_OK;
}

void art_idle_run(void *web)
{
	struct web *w = web;
	mutex_lock(&w->art_lock);
	while (!w->stopping) {
		uint64_t end_ms = w->art_used_ms + PROBE_IDLE_EXIT_MS + 50;
		if (w->art_used_ms == 0) {
			cond_wait(&w->art_used, &w->art_lock);
		} else if (clock_now_ms() < end_ms) {
			cond_wait_until(&w->art_used, &w->art_lock, end_ms);
		} else {
			w->art_used_ms = 0;
			if (w->probe)
				probe_reap_idle(w->probe);
		}
	}
	mutex_unlock(&w->art_lock);
}

static enum err embedded_picture(struct web *w, struct fb_table media, struct buf *out,
				 char type[ART_TYPE_MAX])
{
	uint64_t id = media_file_id(media);
	int64_t modified = media_file_modified(media);
	struct media_source src;
	if (copy_cached(w, id, modified, out, type))
		return ERR_OK;
	if (w->art_waiters_n++ >= WEB_ART_WAITERS_MAX) {
		w->art_waiters_n--;
		return ERR_BUSY;
	}
	mutex_lock(&w->art_lock);
	enum err e = ERR_OK;
	if (!copy_cached(w, id, modified, out, type)) {
		e = media_source_open(media_file_path(media), id, &src);
		if (e == ERR_OK) {
			CLEANUP(fd_closep) int fd = src.fd;
			e = extract(w, media, fd);
		}
		if (e == ERR_OK)
			copy_cached(w, id, modified, out, type);
	}
	mutex_unlock(&w->art_lock);
	w->art_waiters_n--;
	return e;
}

static void send_embedded(struct web *w, struct fb_table media, const struct http_req *req,
			  struct http_reply *reply)
{
	char type[ART_TYPE_MAX] = "", etag[64];
	struct span known;
	int n = snprintf(etag, sizeof etag, "\"a%llx-%llx\"",
			 (unsigned long long)media_file_id(media),
			 (unsigned long long)media_file_modified(media));
	http_reply_header(reply, "ETag", span_of(etag, (size_t)n));
	bool has_it = http_req_header(req, "If-None-Match", &known) &&
		      span_eq(span_trim(known), span_of(etag, (size_t)n));
	struct buf bytes;
	buf_init(&bytes, WEB_ART_MAX_BYTES);
	enum err e = embedded_picture(w, media, &bytes, type);
	if (e == ERR_OK && bytes.n == 0)
		e = ERR_NOTFOUND;
	if (e != ERR_OK) {
		if (e == ERR_BUSY)
			http_reply_header(reply, "Retry-After", SPAN("1"));
		web_refuse(reply, e);
	} else {
		http_reply_status(reply, has_it ? 304 : 200);
		http_reply_header(reply, "Cache-Control", SPAN(ART_MAX_AGE));
		http_reply_header(reply, "transferMode.dlna.org", SPAN("Interactive"));
		http_reply_body(reply, picture_type(buf_span(&bytes)), &bytes);
	}
	buf_fini(&bytes);
}

static void serve(struct web *w, struct fb_table media, struct span ext, const struct http_req *req,
		  struct http_reply *reply)
{
	(void)ext; /* the picture says its own type */
	struct media_source src;
	struct span path = media_file_art_path(media);
	if (path.n == 0 && media_file_kind(media) == MEDIA_KIND_IMAGE)
		path = media_file_path(media);
	if (path.n > 0 && media_source_open(path, media_file_id(media), &src) == ERR_OK)
		send_picture(&src, req, reply);
	else if (media_file_art_embedded(media))
		send_embedded(w, media, req, reply);
	else
		web_refuse(reply, ERR_NOTFOUND);
}

void art_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	web_serve_media(ctx, SPAN("/art/"), serve, req, reply);
}
