/* SPDX-License-Identifier: MIT */
/* ContentDirectory:1. Browse pins one snapshot, so that the page, its totals and its UpdateID
 * belong together, and writes each object from the map into the reply. */
#include "dlna/didl.h"
#include "dlna/dlna_priv.h"
#include "dlna/filter.h"
#include "dlna/handlers.h"
#include "dlna/page.h"
#include "dlna/page_cache.h"
#include "dlna/property.h"
#include "dlna/soap.h"
#include "dlna/sort.h"
#include "http/http.h"
#include "library/bookmarks.h"
#include "library/library.h"
#include "library/listing.h"

void content_directory_search_caps(struct dlna *d, struct buf *out)
{
	const char *name;

	(void)d;
	for (size_t i = 0; (name = property_name(i)); i++) {
		buf_add_str(out, i > 0 ? "," : "");
		buf_add_str(out, name);
	}
}

void content_directory_sort_caps(struct dlna *d, struct buf *out)
{
	(void)d; /* see sort_is_default() */
	(void)out;
}

void content_directory_system_update_id(struct dlna *d, struct buf *out)
{
	CLEANUP(library_snap_endp) struct library_snap *sn = library_snap_begin(d->library);

	buf_add_u64(out, sn ? (uint32_t)library_snap_commit(sn) : 0);
}

void content_directory_container_update_ids(struct dlna *d, struct buf *out)
{
	(void)d; /* what changed since the last event: each subscription has its own answer */
	(void)out;
}

enum upnp_code content_directory_get_search_caps(struct soap_call *call)
{
	soap_out_variable(call, "SearchCaps", content_directory_search_caps);
	return UPNP_OK;
}

enum upnp_code content_directory_get_sort_caps(struct soap_call *call)
{
	soap_out_variable(call, "SortCaps", content_directory_sort_caps);
	return UPNP_OK;
}

enum upnp_code content_directory_get_system_update_id(struct soap_call *call)
{
	soap_out_variable(call, "Id", content_directory_system_update_id);
	return UPNP_OK;
}

/* Where Samsung TVs find music, films and pictures; "DCM10" in the description announces it. */
#define FEATURES                                                                                   \
	"<Features xmlns=\"urn:schemas-upnp-org:av:avs\""                                          \
	" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""                                 \
	" xsi:schemaLocation=\"urn:schemas-upnp-org:av:avs"                                        \
	" http://www.upnp.org/schemas/av/avs.xsd\">"                                               \
	"<Feature name=\"samsung.com_BASICVIEW\" version=\"1\">"                                   \
	"<container id=\"A\" type=\"object.item.audioItem\"/>"                                     \
	"<container id=\"V\" type=\"object.item.videoItem\"/>"                                     \
	"<container id=\"I\" type=\"object.item.imageItem\"/>"                                     \
	"</Feature></Features>"

enum upnp_code content_directory_get_feature_list(struct soap_call *call)
{
	soap_out_text(call, "FeatureList", SPAN(FEATURES));
	return UPNP_OK;
}

/* ---- Browse ---------------------------------------------------------------------------------- */

struct browse {
	struct span object_id;
	bool metadata;
	uint64_t start;
	uint64_t count; /* UINT64_MAX: all */
	uint32_t filter;
	struct library_snap *snap;
	struct cache *cache;
};

/* The order of the in arguments in the action table. */
enum { IN_OBJECT_ID, IN_FLAG, IN_FILTER, IN_START, IN_COUNT, IN_SORT };

static enum upnp_code browse_read(const struct soap_call *call, struct browse *out)
{
	const struct soap_value *in = call->in;

	out->object_id = in[IN_OBJECT_ID].text;
	out->metadata = span_eq(in[IN_FLAG].text, SPAN("BrowseMetadata"));
	out->start = (uint64_t)in[IN_START].number;
	out->count = in[IN_COUNT].number == 0 ? UINT64_MAX : (uint64_t)in[IN_COUNT].number;
	out->filter = filter_parse(in[IN_FILTER].text);
	if (out->object_id.n == 0)
		return UPNP_NO_SUCH_OBJECT;
	return sort_is_default(in[IN_SORT].text) ? UPNP_OK : UPNP_INVALID_SORT;
}

/** UpdateID of a container: its own; of the root, SystemUpdateID. */
static uint32_t update_id_of(const struct library_snap *sn, struct span container_id, uint32_t own)
{
	return span_eq(container_id, SPAN("0")) ? (uint32_t)library_snap_commit(sn) : own;
}

static void write_children(const struct browse *br, struct listing *li, struct didl *w,
			   struct page *page)
{
	struct object o;

	page_reserve(w->out, MIN(br->count, li->total));
	listing_seek(li, br->start);
	while (page->returned_n < br->count && listing_next(li, &o)) {
		if (!page_add_object(w, &o))
			break;
		page->returned_n++;
	}
}

static enum upnp_code add_children(const struct browse *br, struct didl *w, struct page *page)
{
	struct listing li;
	enum err e = library_list(br->snap, br->object_id, &li);

	/* ERR_INVALID is an item: Browse has no code of its own for it, and an empty answer would
	 * hide the client's mistake, so it is 402 as with rygel. */
	if (e != ERR_OK)
		return upnp_code_of(e);

	page->total_n = li.total;
	page->update_id = update_id_of(br->snap, br->object_id, li.update_id);
	struct page_key key = { .action = 'B',
				.filter = br->filter,
				.start = br->start,
				.count = br->count,
				.client = client_number(w->client),
				.host = w->host,
				.container = span_str(li.container_id) };
	uint64_t generation = listing_generation(&li, br->start, br->count);
	size_t from = w->out->n;
	if (page_cache_get(br->cache, &key, generation, w->out, page))
		return UPNP_OK;
	write_children(br, &li, w, page);
	page_cache_put(br->cache, &key, generation, w->out, from, page);
	return UPNP_OK;
}

/** The object as its parent's listing shows it. An item's UpdateID is its parent's. */
static enum upnp_code add_object(const struct browse *br, struct didl *w, struct page *page)
{
	struct object o, parent;
	enum err e = library_object_get(br->snap, br->object_id, &o);

	if (e == ERR_OK && o.kind != OBJECT_CONTAINER) {
		e = library_object_get(br->snap, span_str(o.parent_id), &parent);
		if (e == ERR_OK)
			page->update_id = parent.update_id;
	} else if (e == ERR_OK) {
		page->update_id = update_id_of(br->snap, span_str(o.id), o.update_id);
	}
	if (e != ERR_OK)
		return upnp_code_of(e);
	didl_object(w, &o);
	page->returned_n = page->total_n = 1;
	return UPNP_OK;
}

enum upnp_code content_directory_browse(struct soap_call *call)
{
	struct browse br;
	struct page page = { 0 };
	enum upnp_code code = browse_read(call, &br);

	if (code != UPNP_OK)
		return code;
	CLEANUP(library_snap_endp)
	struct library_snap *sn = library_snap_begin(call->dlna->library);
	if (!sn)
		return UPNP_CANNOT_PROCESS;
	br.snap = sn;
	br.cache = call->dlna->pages;

	struct didl w = { .out = call->reply,
			  .filter = br.filter,
			  .host = call->local,
			  .client = call->client,
			  .bookmarks = library_bookmarks_any(sn) ? sn : NULL };
	soap_out_begin(call, "Result");
	didl_begin(&w);
	code = br.metadata ? add_object(&br, &w, &page) : add_children(&br, &w, &page);
	if (code != UPNP_OK)
		return code;
	didl_end(&w);
	soap_out_end(call);
	page_out(call, &page);
	counter_add(&call->dlna->browses_n, 1);
	return UPNP_OK;
}
