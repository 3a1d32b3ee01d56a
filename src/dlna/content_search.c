/* SPDX-License-Identifier: MIT */
/* ContentDirectory:1, Search: a page of what matches below a container, in one snapshot. */
#include "dlna/dlna_priv.h"
#include "dlna/filter.h"
#include "dlna/handlers.h"
#include "dlna/page_cache.h"
#include "dlna/search_criteria.h"
#include "dlna/sort.h"
#include "library/bookmarks.h"
#include "library/listing.h"

/* The order of the in arguments in the action table. */
enum { IN_CONTAINER_ID, IN_CRITERIA, IN_FILTER, IN_START, IN_COUNT, IN_SORT };

/** The container, for its UpdateID. */
static enum upnp_code container_begin(const struct soap_call *call, const struct library_snap *sn,
				      struct listing *out)
{
	enum err e = library_list(sn, call->in[IN_CONTAINER_ID].text, out);

	/* an item is no container either */
	return e == ERR_NOTFOUND || e == ERR_INVALID ? UPNP_NO_SUCH_CONTAINER : upnp_code_of(e);
}

/** Only what is on the page is described in full and written; the rest is counted. */
static void write_matches(struct search *s, const struct page_key *key, struct didl *w,
			  struct page *page)
{
	struct object o;

	page->total_n = search_skip(s, key->start);
	while (page->returned_n < key->count && search_next(s, &o)) {
		page->total_n++;
		if (!page_add_object(w, &o))
			break;
		page->returned_n++;
	}
	page->total_n += search_skip(s, UINT64_MAX);
}

static enum upnp_code add_matches(const struct soap_call *call, const struct library_snap *sn,
				  const struct search_criteria *criteria, struct didl *w,
				  struct page *page)
{
	const struct soap_value *in = call->in;
	struct listing container;
	struct search_query query;
	struct search search;
	enum upnp_code code = container_begin(call, sn, &container);

	if (code != UPNP_OK)
		return code;
	page->update_id = container.update_id;
	struct page_key key = { .action = 'S',
				.filter = w->filter,
				.start = (uint64_t)in[IN_START].number,
				.count = in[IN_COUNT].number == 0 ? UINT64_MAX
								  : (uint64_t)in[IN_COUNT].number,
				.client = client_number(w->client),
				.host = w->host,
				.container = span_str(container.container_id),
				.criteria = in[IN_CRITERIA].text };
	uint64_t generation = library_generation(sn);
	size_t from = w->out->n;
	if (page_cache_get(call->dlna->pages, &key, generation, w->out, page))
		return UPNP_OK;
	search_criteria_query(criteria, &query);
	enum err e = library_search_begin(call->dlna->library, sn, key.container, &query, &search);
	if (e != ERR_OK)
		return upnp_code_of(e);
	write_matches(&search, &key, w, page);
	search_end(&search);
	page_cache_put(call->dlna->pages, &key, generation, w->out, from, page);
	return UPNP_OK;
}

enum upnp_code content_directory_search(struct soap_call *call)
{
	const struct soap_value *in = call->in;
	struct search_criteria criteria;
	struct page page = { 0 };

	if (search_criteria_parse(in[IN_CRITERIA].text, &criteria) != ERR_OK)
		return UPNP_INVALID_SEARCH;
	if (!sort_is_default(in[IN_SORT].text))
		return UPNP_INVALID_SORT;
	CLEANUP(library_snap_endp)
	struct library_snap *sn = library_snap_begin(call->dlna->library);
	if (!sn)
		return UPNP_CANNOT_PROCESS;

	struct didl w = { .out = call->reply,
			  .filter = filter_parse(in[IN_FILTER].text),
			  .host = call->local,
			  .client = call->client,
			  .bookmarks = library_bookmarks_any(sn) ? sn : NULL };
	soap_out_begin(call, "Result");
	didl_begin(&w);
	enum upnp_code code = add_matches(call, sn, &criteria, &w, &page);
	if (code != UPNP_OK)
		return code;
	didl_end(&w);
	soap_out_end(call);
	page_out(call, &page);
	return UPNP_OK;
}
