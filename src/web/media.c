/* SPDX-License-Identifier: MIT */
/* /media/ID.ext: the files themselves, whole or in part, with what DLNA wants to hear. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "http/range.h"
#include "library/listing.h"
#include "schema/media_fb.h"
#include "web/conditions.h"
#include "web/web_priv.h"

#define CONTENT_FEATURES_MAX 256

enum err media_source_open(struct span path, uint64_t id, struct media_source *out)
{
	char name[4096];
	struct stat st;
	if (path.n == 0 || path.n >= sizeof name)
		return ERR_NOTFOUND;
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	/* O_NONBLOCK: what is a FIFO by now must not hang a thread of the pool */
	CLEANUP(fd_closep) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? ERR_NOTFOUND : err_from_errno(errno);
	if (fstat(fd, &st) != 0)
		return ERR_IO;
	if (!S_ISREG(st.st_mode))
		return ERR_NOTFOUND;
	out->size = (uint64_t)st.st_size;
	out->modified_s = st.st_mtim.tv_sec;
	snprintf(out->etag, sizeof out->etag, "\"%llx-%llx-%llx.%lx\"", (unsigned long long)id,
		 (unsigned long long)st.st_size, (unsigned long long)st.st_mtim.tv_sec,
		 (unsigned long)st.st_mtim.tv_nsec);
	out->fd = fd_take(&fd);
	return ERR_OK;
}

static bool is_below_a_root(const struct library_snap *sn, struct span path)
{
	struct directory_cursor c;
	struct fb_table row;
	library_directory_subdirs(sn, 0, &c);
	while (directory_cursor_subdir(&c, &row))
		if (path_is_within(path, directory_path(row)))
			return true;
	return false;
}

bool media_is_where_it_was(struct library *library, struct span path, struct span canonical, int fd)
{
	char name[32], text[4096];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(name, text, sizeof text);
	if (n <= 0 || (size_t)n >= sizeof text)
		return true; /* without /proc, or with such a path, nobody can tell */
	struct span real = span_of(text, (size_t)n), gone = SPAN(" (deleted)");
	if (span_eq(real, path) || span_eq(real, canonical))
		return true;
	if (span_ends(real, gone)) /* another has just taken its name */
		real.n -= gone.n;
	CLEANUP(library_snap_endp)
	struct library_snap *sn = library_snap_begin(library);
	return sn && is_below_a_root(sn, real);
}

struct span media_side_canonical(struct fb_table media, struct span path, char out[MEDIA_PATH_MAX])
{
	struct span here = path_directory(media_file_path(media));
	struct span there = path_directory(media_file_canonical_path(media));
	struct span rest = span_skip(path, here.n);
	if (there.n == 0 || !path_is_within(path, here) || there.n + rest.n > MEDIA_PATH_MAX)
		return path;
	memcpy(out, there.p, there.n);
	span_copy(out + there.n, rest);
	return span_of(out, there.n + rest.n);
}

static struct span header(const struct http_req *req, const char *name)
{
	struct span value = { NULL, 0 };
	http_req_header(req, name, &value);
	return value;
}

struct conditions web_conditions(const struct http_req *req)
{
	return (struct conditions){ .if_match = header(req, "If-Match"),
				    .if_none_match = header(req, "If-None-Match"),
				    .if_modified_since = header(req, "If-Modified-Since"),
				    .if_unmodified_since = header(req, "If-Unmodified-Since"),
				    .if_range = header(req, "If-Range") };
}

static void send_part(const struct media_source *src, int fd, struct range part,
		      struct http_reply *reply)
{
	char text[96];
	int n = snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)part.first,
			 (unsigned long long)part.last, (unsigned long long)src->size);
	http_reply_status(reply, 206);
	http_reply_header(reply, "Content-Range", span_of(text, (size_t)n));
	http_reply_file(reply, fd, part.first, part.last - part.first + 1);
}

static void send_unsatisfiable(const struct media_source *src, struct http_reply *reply)
{
	char text[48];
	int n = snprintf(text, sizeof text, "bytes */%llu", (unsigned long long)src->size);
	http_reply_header(reply, "Content-Range", span_of(text, (size_t)n));
	http_reply_error(reply, 416, "The file has no such part.");
}

/** Takes the descriptor. */
static void send_body(const struct media_source *src, int fd, const struct conditions *conditions,
		      const struct http_req *req, struct http_reply *reply)
{
	CLEANUP(fd_closep) int owned = fd;
	struct range part;
	struct span wanted = header(req, "Range");
	enum err e = ERR_INVALID;
	if (wanted.p && conditions_range_valid(conditions, span_str(src->etag), src->modified_s))
		e = range_parse(wanted, src->size, &part);
	if (e == ERR_OK) {
		send_part(src, fd_take(&owned), part, reply);
	} else if (e == ERR_RANGE) {
		send_unsatisfiable(src, reply);
	} else {
		http_reply_status(reply, 200);
		http_reply_file(reply, fd_take(&owned), 0, src->size);
	}
}

void media_source_send(struct media_source *src, const struct http_req *req,
		       struct http_reply *reply)
{
	CLEANUP(fd_closep) int fd = src->fd;
	char date[CLOCK_HTTP_MAX];
	struct conditions conditions = web_conditions(req);
	unsigned status = conditions_check(&conditions, span_str(src->etag), src->modified_s);
	http_reply_header(reply, "ETag", span_str(src->etag));
	http_reply_header(reply, "Last-Modified", span_str(clock_http_date(src->modified_s, date)));
	http_reply_header(reply, "Accept-Ranges", SPAN("bytes"));
	if (status == 412) {
		http_reply_error(reply, 412, "The file has changed.");
	} else if (status == 304) {
		http_reply_status(reply, 304);
		http_reply_file(reply, fd_take(&fd), 0, src->size);
	} else {
		send_body(src, fd_take(&fd), &conditions, req, reply);
	}
}

/** Types of media only: a file's own type must not make a page of it in a browser. */
static struct span served_type(struct span type)
{
	if (span_starts(type, SPAN("audio/")) || span_starts(type, SPAN("video/")) ||
	    span_starts(type, SPAN("image/")) || span_eq(type, SPAN("application/ogg")))
		return type;
	return SPAN("application/octet-stream");
}

static void add_samsung_headers(struct fb_table media, const struct http_req *req,
				struct http_reply *reply)
{
	char text[160];
	int n = 0;
	if (span_eq(header(req, "getMediaInfo.sec"), SPAN("1"))) {
		n = snprintf(text, sizeof text, "SEC_Duration=%u;", media_file_duration_ms(media));
		http_reply_header(reply, "MediaInfo.sec", span_of(text, (size_t)n));
	}
	if (span_eq(header(req, "getCaptionInfo.sec"), SPAN("1")) &&
	    media_file_subtitles(media).n > 0) {
		n = snprintf(text, sizeof text, "http://%.*s/subtitle/%llu.srt",
			     SPAN_ARG(http_req_local(req)),
			     (unsigned long long)media_file_id(media));
		http_reply_header(reply, "CaptionInfo.sec", span_of(text, (size_t)n));
	}
}

bool web_check_dlna(const struct http_req *req, bool is_image, bool interactive_av,
		    struct http_reply *reply)
{
	const char *mode = NULL;
	struct dlna_request asked = {
		.transfer_mode = header(req, "transferMode.dlna.org"),
		.content_features = header(req, "getcontentFeatures.dlna.org"),
		.time_seek = header(req, "TimeSeekRange.dlna.org"),
		.play_speed = header(req, "PlaySpeed.dlna.org"),
		.real_time_info = header(req, "realTimeInfo.dlna.org"),
		.interactive_av = interactive_av,
		.image = is_image,
	};
	if (!asked.real_time_info.p)
		asked.real_time_info = header(req, "getRealTimeInfo.dlna.org");
	unsigned status = dlna_request_check(&asked, &mode);
	if (status != 0) {
		http_reply_error(reply, status, "This DLNA request is not offered for this file.");
		return false;
	}
	http_reply_header(reply, "transferMode.dlna.org", span_str(mode));
	if (asked.real_time_info.p)
		http_reply_header(reply, "realTimeInfo.dlna.org", SPAN("DLNA.ORG_TLAG=*"));
	return true;
}

/** DLNA's part of the answer; false where the request was refused. */
static bool add_dlna_headers(const struct web *w, struct fb_table media, bool interactive_av,
			     const struct http_req *req, struct http_reply *reply)
{
	if (!web_check_dlna(req, media_file_kind(media) == MEDIA_KIND_IMAGE, interactive_av, reply))
		return false;
	/* Always, because LG televisions refuse to seek without it. */
	if (w->options.content_features) {
		struct buf features;
		buf_init(&features, CONTENT_FEATURES_MAX);
		w->options.content_features(media, &features);
		if (buf_err(&features) == ERR_OK && features.n > 0)
			http_reply_header(reply, "contentFeatures.dlna.org", buf_span(&features));
		buf_fini(&features);
	}
	add_samsung_headers(media, req, reply);
	return true;
}

static void serve(struct web *w, struct fb_table media, struct span ext, const struct http_req *req,
		  struct http_reply *reply)
{
	(void)ext; /* only for devices that judge by it */
	struct media_source src;
	bool interactive_av = false;
	struct span type = media_file_mime_type(media);
	if (w->options.client_type)
		type = w->options.client_type(header(req, "User-Agent"),
					      header(req, "X-AV-Client-Info"), media,
					      &interactive_av);
	if (!add_dlna_headers(w, media, interactive_av, req, reply))
		return;
	enum err e = media_source_open(media_file_path(media), media_file_id(media), &src);
	if (e == ERR_OK && !media_is_where_it_was(w->options.library, media_file_path(media),
						  media_file_canonical_path(media), src.fd)) {
		fd_closep(&src.fd);
		e = ERR_NOTFOUND;
	}
	if (e != ERR_OK) {
		web_refuse(reply, e);
		return;
	}
	type = served_type(type);
	http_reply_header(reply, "Content-Type", type);
	if (span_starts(type, SPAN("image/svg"))) /* SVG can hold scripts */
		http_reply_header(reply, "Content-Security-Policy",
				  SPAN("sandbox; default-src 'none'; style-src 'unsafe-inline'"));
	media_source_send(&src, req, reply);
}

void media_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	web_serve_media(ctx, SPAN("/media/"), serve, req, reply);
}
