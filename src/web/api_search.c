/* SPDX-License-Identifier: MIT */
/* /api/v1/search: what the page's search box asks, at every key. */
#include "base/json.h"
#include "base/url.h"
#include "library/search_words.h"
#include "web/web_priv.h"

#define SEARCH_LIMIT_DEFAULT 50
#define SEARCH_LIMIT_MAX 500

/** Leave out what `kind` of the query does not name. */
static enum err only_kind(const struct http_req *req, struct search_query *query)
{
	static const char *const names[] = { [OBJECT_CONTAINER] = "container",
					     [OBJECT_AUDIO] = "audio",
					     [OBJECT_VIDEO] = "video",
					     [OBJECT_IMAGE] = "image" };
	struct span raw;
	if (!url_query_get(http_req_query(req), SPAN("kind"), &raw))
		return ERR_OK;
	bool known = false;
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		if (span_eq(raw, span_str(names[k])))
			known = true;
		else if (k != OBJECT_CONTAINER)
			query->items[k] = SEARCH_NO;
		else
			memset(query->containers, SEARCH_NO, sizeof query->containers);
	}
	return known ? ERR_OK : ERR_INVALID;
}

static void add_page(struct json *j, struct search *s, uint64_t offset, uint64_t limit)
{
	struct object o;
	uint64_t total = search_skip(s, offset), n = 0;
	json_key(j, "children");
	json_array(j);
	for (; n < limit && search_next(s, &o); n++) {
		json_object(j);
		api_add_object(j, &o);
		json_object_end(j);
	}
	json_array_end(j);
	json_key(j, "total");
	json_u64(j, total + n + search_skip(s, UINT64_MAX));
}

static enum err answer(const struct web *w, const struct http_req *req,
		       const struct search_words *words, struct buf *out)
{
	uint64_t offset = 0, limit = SEARCH_LIMIT_DEFAULT;
	struct search_query query;
	struct search search;
	struct json j;
	enum err e = api_query_number(req, SPAN("offset"), UINT32_MAX, &offset);
	if (e == ERR_OK)
		e = api_query_number(req, SPAN("limit"), SEARCH_LIMIT_MAX, &limit);
	search_words_query(words, &query);
	if (e == ERR_OK)
		e = only_kind(req, &query);
	if (e != ERR_OK)
		return e;
	CLEANUP(library_snap_endp)
	struct library_snap *snap = library_snap_begin(w->options.library);
	e = library_search_begin(w->options.library, snap, SPAN("0"), &query, &search);
	if (e != ERR_OK)
		return e;
	json_init(&j, out);
	json_object(&j);
	json_key(&j, "commit");
	json_u64(&j, library_snap_commit(snap));
	json_key(&j, "offset");
	json_u64(&j, offset);
	add_page(&j, &search, offset, limit);
	json_object_end(&j);
	search_end(&search);
	return buf_err(out);
}

void api_search_serve(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	struct search_words words;
	struct buf text, body;
	struct span raw = { NULL, 0 };
	buf_init(&text, SEARCH_WORDS_BYTES_MAX);
	buf_init(&body, WEB_JSON_MAX_BYTES);
	url_query_get(http_req_query(req), SPAN("q"), &raw);
	enum err e = url_add_decoded(&text, raw);
	if (e == ERR_OK && buf_err(&text) != ERR_OK)
		e = ERR_INVALID;
	if (e == ERR_OK && search_words_parse(buf_span(&text), &words) != ERR_OK)
		e = ERR_INVALID;
	if (e == ERR_OK)
		e = answer(ctx, req, &words, &body);
	if (e == ERR_OK) {
		http_reply_status(reply, 200);
		http_reply_header(reply, "Cache-Control", SPAN("no-store"));
		http_reply_body(reply, "application/json", &body);
	} else {
		web_refuse(reply, e);
	}
	buf_fini(&body);
	buf_fini(&text);
}
