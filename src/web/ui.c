/* SPDX-License-Identifier: MIT */
/* The page itself. */
#include "web/ui.h"

#include "web/web_priv.h"

static const struct ui_asset *find_asset(struct span path)
{
	if (span_eq(path, SPAN("/")))
		path = SPAN("/ui/index.html");
	if (span_eq(path, SPAN("/favicon.ico")))
		path = SPAN("/ui/icon.svg");
	for (size_t i = 0; i < ui_assets_n; i++)
		if (span_eq(path, span_str(ui_assets[i].path)))
			return &ui_assets[i];
	return NULL;
}

void ui_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	const struct ui_asset *asset = find_asset(http_req_path(req));
	struct span known;
	(void)ctx;
	if (!asset) {
		web_refuse(reply, ERR_NOTFOUND);
		return;
	}
	/* Asked again each time, because the next version has the same addresses. */
	http_reply_header(reply, "Cache-Control", SPAN("no-cache"));
	http_reply_header(reply, "ETag", span_str(asset->etag));
	bool has_it = http_req_header(req, "If-None-Match", &known) &&
		      span_eq(span_trim(known), span_str(asset->etag));
	http_reply_status(reply, has_it ? 304 : 200);
	http_reply_static(reply, asset->type, span_of(asset->bytes, asset->n));
}
