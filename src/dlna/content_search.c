/* SPDX-License-Identifier: MIT */
/* ContentDirectory:1, Search: a page of what matches below a container, in one snapshot. */
#include "dlna/dlna_priv.h"
#include "dlna/filter.h"
#include "dlna/handlers.h"
#include "dlna/page.h"
#include "dlna/search_criteria.h"
#include "dlna/sort.h"

/* The order of the in arguments in the action table. */
enum { IN_CONTAINER_ID, IN_CRITERIA, IN_FILTER, IN_START, IN_COUNT, IN_SORT };

static enum upnp_code search_begin(const struct soap_call *call, const struct library_snap *sn,
				   const struct search_criteria *criteria, struct search *out)
{
	struct search_query query;
	enum err e;

	search_criteria_query(criteria, &query);
	e = library_search_begin(call->dlna->library, sn, call->in[IN_CONTAINER_ID].text, &query,
				 out);
	/* an item is no container either */
	return e == ERR_NOTFOUND || e == ERR_INVALID ? UPNP_NO_SUCH_CONTAINER : upnp_code_of(e);
}

/** Only what is on the page is described in full and written; the rest is counted. */
static void add_matches(struct search *s, uint64_t start, uint64_t count, struct didl *w,
			struct page *page)
{
	struct object o;

	page->update_id = s->update_id;
	page->total_n = search_skip(s, start);
	while (page->returned_n < count && search_next(s, &o)) {
		page->total_n++;
		if (!page_add_object(w, &o))
			break;
		page->returned_n++;
	}
	page->total_n += search_skip(s, UINT64_MAX);
}

enum upnp_code content_directory_search(struct soap_call *call)
{
	const struct soap_value *in = call->in;
	uint64_t count = in[IN_COUNT].number == 0 ? UINT64_MAX : (uint64_t)in[IN_COUNT].number;
	struct search_criteria criteria;
	struct search search;
	struct page page = { 0 };

	if (search_criteria_parse(in[IN_CRITERIA].text, &criteria) != ERR_OK)
		return UPNP_INVALID_SEARCH;
	if (!sort_is_default(in[IN_SORT].text))
		return UPNP_INVALID_SORT;
	CLEANUP(library_snap_endp)
	struct library_snap *sn = library_snap_begin(call->dlna->library);
	if (!sn)
		return UPNP_CANNOT_PROCESS;
	enum upnp_code code = search_begin(call, sn, &criteria, &search);
	if (code != UPNP_OK)
		return code;

	struct didl w = { .out = call->reply,
			  .filter = filter_parse(in[IN_FILTER].text),
			  .host = call->local };
	soap_out_begin(call, "Result");
	didl_begin(&w);
	add_matches(&search, (uint64_t)in[IN_START].number, count, &w, &page);
	search_end(&search);
	didl_end(&w);
	soap_out_end(call);
	page_out(call, &page);
	return UPNP_OK;
}
