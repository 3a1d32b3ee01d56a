/* SPDX-License-Identifier: MIT */
/* /art/ID: the picture of a file as it is: folder art beside it, else the one inside it, which the
 * probe helper takes out. /thumb/ID.tn.jpg and /thumb/ID.sm.jpg: the same as a small JPEG, of
 * pictures and films as well. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/picture.h"
#include "schema/media_fb.h"
#include "web/conditions.h"
#include "web/web_priv.h"

#define ART_MAX_AGE "private, max-age=3600"

const char *art_type(struct span s)
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

bool art_has_thumb(struct fb_table media)
{
	return media_file_kind(media) == MEDIA_KIND_IMAGE || media_file_art_path(media).n > 0 ||
	       media_file_art_embedded(media) ||
	       (media_file_kind(media) == MEDIA_KIND_VIDEO && media_file_width(media) > 0);
}

/* ---- a picture that is a file ---------------------------------------------------------------- */

static void send_picture(struct media_source *src, const struct http_req *req,
			 struct http_reply *reply)
{
	char first[16];
	ssize_t n = pread(src->fd, first, sizeof first, 0);
	const char *type = n > 0 ? art_type(span_of(first, (size_t)n)) : "";
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

/* ---- a picture that is made ------------------------------------------------------------------ */

/** What a picture is made from, and which version of it that is. */
struct made_from {
	struct picture_source source;
	uint64_t size;
	int64_t modified_ns;
	char canonical[MEDIA_PATH_MAX]; /* of folder art: source.canonical may be in it */
};

/** The file itself; its record is asked, so that a disk may sleep. */
static void from_file(struct fb_table media, struct made_from *out)
{
	out->source = (struct picture_source){ media_file_path(media), media_file_filename(media),
					       media_file_canonical_path(media) };
	out->size = media_file_size(media);
	out->modified_ns = media_file_modified(media);
}

/** Folder art: nothing else tells when it changes. ERR_NOTFOUND: it is gone. */
static enum err from_folder_art(struct fb_table media, struct made_from *out)
{
	struct span path = media_file_art_path(media);
	char name[MEDIA_PATH_MAX];
	struct stat st;
	if (path.n >= sizeof name)
		return ERR_NOTFOUND;
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	if (stat(name, &st) != 0)
		return ERR_NOTFOUND;
	out->source = (struct picture_source){ .path = path, .name = path };
	out->source.canonical = media_side_canonical(media, path, out->canonical);
	out->size = (uint64_t)st.st_size;
	out->modified_ns = st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	return ERR_OK;
}

/** FNV-1a: it only has to tell versions of one file apart. */
static uint64_t version_of(const struct made_from *from)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < from->source.path.n; i++)
		h = (h ^ (uint8_t)from->source.path.p[i]) * 0x100000001b3u;
	h = (h ^ from->size) * 0x100000001b3u;
	return (h ^ (uint64_t)from->modified_ns) * 0x100000001b3u;
}

static void answer_made(struct web *w, struct fb_table media, const struct made_from *from,
			uint8_t box, const struct http_req *req, struct http_reply *reply)
{
	struct picture_key key = { .media_id = media_file_id(media),
				   .version = version_of(from),
				   .box = box };
	struct picture_reply answer = { .reply = reply, .box = box };
	int64_t modified_s = from->modified_ns / 1000000000;
	char etag[64], date[CLOCK_HTTP_MAX];
	int n = snprintf(etag, sizeof etag, "\"p%llx-%llx.%u\"", (unsigned long long)key.media_id,
			 (unsigned long long)key.version, (unsigned)box);
	struct conditions conditions = web_conditions(req);
	unsigned status = conditions_check(&conditions, span_of(etag, (size_t)n), modified_s);
	answer.status = status != 0 ? status : 200;
	http_reply_header(reply, "ETag", span_of(etag, (size_t)n));
	http_reply_header(reply, "Last-Modified", span_str(clock_http_date(modified_s, date)));
	http_reply_header(reply, "Cache-Control", SPAN(ART_MAX_AGE));
	pictures_answer(w->pictures, &key, &from->source, &answer);
}

/* ---- /art/ ----------------------------------------------------------------------------------- */

static enum err open_picture(struct web *w, struct fb_table media, struct span path,
			     struct span canonical, struct media_source *out)
{
	enum err e = media_source_open(path, media_file_id(media), out);
	if (e != ERR_OK || media_is_where_it_was(w->options.library, path, canonical, out->fd))
		return e;
	fd_closep(&out->fd);
	return ERR_NOTFOUND;
}

static void serve_art(struct web *w, struct fb_table media, struct span ext,
		      const struct http_req *req, struct http_reply *reply)
{
	(void)ext; /* the picture says its own type */
	struct media_source src;
	char room[MEDIA_PATH_MAX];
	struct span path = media_file_art_path(media);
	struct span canonical = media_side_canonical(media, path, room);
	if (path.n == 0 && media_file_kind(media) == MEDIA_KIND_IMAGE) {
		path = media_file_path(media);
		canonical = media_file_canonical_path(media);
	}
	if (path.n > 0 && open_picture(w, media, path, canonical, &src) == ERR_OK) {
		send_picture(&src, req, reply);
	} else if (media_file_art_embedded(media)) {
		struct made_from from;
		from_file(media, &from);
		http_reply_header(reply, "transferMode.dlna.org", SPAN("Interactive"));
		answer_made(w, media, &from, PICTURE_BOX_ORIGINAL, req, reply);
	} else {
		web_refuse(reply, ERR_NOTFOUND);
	}
}

void art_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	web_serve_media(ctx, SPAN("/art/"), serve_art, req, reply);
}

/* ---- /thumb/ --------------------------------------------------------------------------------- */

/** False where the request was refused. */
static bool add_thumb_headers(const struct web *w, uint8_t box, const struct http_req *req,
			      struct http_reply *reply)
{
	struct buf features;
	if (!web_check_dlna(req, true, false, reply))
		return false;
	if (!w->options.thumb_features)
		return true;
	buf_init(&features, 256);
	w->options.thumb_features(box == PICTURE_BOX_TN ? PICTURE_TN : PICTURE_SM, &features);
	if (buf_err(&features) == ERR_OK)
		http_reply_header(reply, "contentFeatures.dlna.org", buf_span(&features));
	buf_fini(&features);
	return true;
}

static void serve_thumb(struct web *w, struct fb_table media, struct span ext,
			const struct http_req *req, struct http_reply *reply)
{
	uint8_t box = span_eq(ext, SPAN("tn.jpg"))   ? PICTURE_BOX_TN
		      : span_eq(ext, SPAN("sm.jpg")) ? PICTURE_BOX_SM
						     : PICTURE_BOX_ORIGINAL;
	struct span art = media_file_art_path(media);
	struct made_from from;
	from_file(media, &from);
	bool is_image = media_file_kind(media) == MEDIA_KIND_IMAGE;
	if (box == PICTURE_BOX_ORIGINAL || !art_has_thumb(media))
		web_refuse(reply, ERR_NOTFOUND);
	else if (!is_image && art.n > 0 && from_folder_art(media, &from) != ERR_OK &&
		 media_file_kind(media) == MEDIA_KIND_AUDIO && !media_file_art_embedded(media))
		web_refuse(reply, ERR_NOTFOUND);
	else if (add_thumb_headers(w, box, req, reply))
		answer_made(w, media, &from, box, req, reply);
}

void thumb_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	web_serve_media(ctx, SPAN("/thumb/"), serve_thumb, req, reply);
}
