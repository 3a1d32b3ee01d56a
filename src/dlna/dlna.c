/* SPDX-License-Identifier: MIT */
/* The DLNA device: its lifetime, its routes, and the edge to the HTTP server. */
#include "dlna/dlna.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/num.h"
#include "dlna/client.h"
#include "dlna/description.h"
#include "dlna/dlna_priv.h"
#include "dlna/gena.h"
#include "dlna/profile.h"
#include "dlna/soap.h"
#include "http/http.h"
#include "library/library.h"

#define PATH_MAX_BYTES 64

/* ---- edges: their types into ours, one call, the result back ----------------------------------
 */

static void on_description(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	const struct dlna *d = ctx;

	(void)req;
	http_reply_status(reply, 200);
	http_reply_static(reply, DLNA_XML_TYPE, buf_span(&d->description));
}

static void on_scpd(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	const struct dlna_endpoint *ep = ctx;

	(void)req;
	http_reply_status(reply, 200);
	http_reply_static(reply, DLNA_XML_TYPE, buf_span(&ep->dlna->scpds[ep->service]));
}

static void on_icon(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	struct span name = span_skip(http_req_path(req), sizeof "/icons/" - 1);

	(void)ctx;
	for (size_t i = 0; i < ICONS_N; i++) {
		struct icon icon = icon_at(i);

		if (!span_eq(span_str(icon.name), name))
			continue;
		http_reply_status(reply, 200);
		http_reply_static(reply, icon.mime, icon.bytes);
		return;
	}
	http_reply_error(reply, 404, "no such icon");
}

static struct span header_of(const struct http_req *req, const char *name)
{
	struct span value;

	return http_req_header(req, name, &value) ? value : (struct span){ NULL, 0 };
}

static void send_envelope(struct http_reply *reply, unsigned status, struct buf *out)
{
	http_reply_status(reply, status);
	/* UDA 1.0 wants it, without a value; libmicrohttpd sends none that is wholly empty. */
	http_reply_header(reply, "EXT", SPAN(" "));
	http_reply_body(reply, DLNA_XML_TYPE, out);
}

/* A call that waits for its commit. */
struct waiting {
	struct dlna *dlna;
	struct soap_change *change;
	struct http_reply *reply;
	struct buf out;
};

static void on_committed(void *ctx, const struct batch_result *result)
{
	struct waiting *w = ctx;
	unsigned status = soap_changed(w->dlna, w->change, result->err, &w->out);

	send_envelope(w->reply, status, &w->out);
	http_reply_resume(w->reply);
	soap_change_free(w->change);
	buf_fini(&w->out);
	free(w);
}

/** Commit what the call changes, then answer with `out`. Takes the change. */
static void commit(struct dlna *d, struct soap_change *change, struct http_reply *reply,
		   struct buf *out)
{
	struct waiting *w = calloc(1, sizeof *w);

	if (!w || !http_reply_suspend(reply)) {
		free(w);
		soap_change_free(change);
		http_reply_error(reply, 503, "Too much waits to be written.");
		return;
	}
	*w = (struct waiting){ .dlna = d, .change = change, .reply = reply, .out = *out };
	buf_init(out, out->max);
	struct batch *batch = change->batch;
	change->batch = NULL;
	enum err e = library_submit(d->library, batch, BATCH_URGENT, on_committed, w);
	if (e != ERR_OK) {
		batch_free(batch);
		on_committed(w, &(struct batch_result){ .err = e });
	}
}

static void on_control(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	const struct dlna_endpoint *ep = ctx;
	struct soap_change *change;
	struct soap_http request = { .soap_action = header_of(req, "SOAPACTION"),
				     .body = http_req_body(req),
				     .local = http_req_local(req),
				     .client = { header_of(req, "User-Agent"),
						 header_of(req, "X-AV-Client-Info") } };
	CLEANUP(buf_fini) struct buf out;

	buf_init(&out, HTTP_REPLY_MAX_BYTES);
	unsigned status = soap_serve(ep->dlna, &services[ep->service], &request, &out, &change);
	if (change) {
		commit(ep->dlna, change, reply, &out);
		return;
	}
	if (status == 400 || buf_err(&out) != ERR_OK) {
		http_reply_error(reply, status == 400 ? 400 : 500, "not a SOAP envelope");
		return;
	}
	send_envelope(reply, status, &out);
}

static const char *event_refusal(unsigned status)
{
	switch (status) {
	case 400:
		return "SID together with NT or CALLBACK";
	case 412:
		return "no such subscription, or nothing to deliver to";
	default:
		return "no room for another subscription";
	}
}

static void on_event(void *ctx, const struct http_req *req, struct http_reply *reply)
{
	const struct dlna_endpoint *ep = ctx;
	struct gena_request request = { .sid = header_of(req, "SID"),
					.nt = header_of(req, "NT"),
					.callback = header_of(req, "CALLBACK") };
	char sid[GENA_SID_MAX] = "";
	bool subscribe = http_req_method(req) == HTTP_SUBSCRIBE;

	http_req_addresses(req, &request.local, &request.peer);
	unsigned status = subscribe ? gena_subscribe(ep->dlna->gena, ep->service, &request, sid)
				    : gena_unsubscribe(ep->dlna->gena, ep->service, &request);
	if (status != 200) {
		http_reply_error(reply, status, event_refusal(status));
		return;
	}
	http_reply_status(reply, 200);
	if (!subscribe)
		return;
	char timeout[32];
	snprintf(timeout, sizeof timeout, "Second-%u", (unsigned)GENA_TIMEOUT_S);
	http_reply_header(reply, "SID", span_str(sid));
	http_reply_header(reply, "TIMEOUT", span_str(timeout));
}

/* ---- lifetime -------------------------------------------------------------------------------- */

static enum err service_routes(struct http *http, struct dlna_endpoint *ep)
{
	const char *name = services[ep->service].name;
	char path[PATH_MAX_BYTES];

	snprintf(path, sizeof path, "/scpd/%s.xml", name);
	enum err e = http_route(http, path, HTTP_GET, on_scpd, ep);
	if (e != ERR_OK)
		return e;
	snprintf(path, sizeof path, "/control/%s", name);
	e = http_route(http, path, HTTP_POST, on_control, ep);
	if (e != ERR_OK)
		return e;
	snprintf(path, sizeof path, "/event/%s", name);
	return http_route(http, path, HTTP_SUBSCRIBE | HTTP_UNSUBSCRIBE, on_event, ep);
}

static enum err add_routes(struct dlna *d, struct http *http)
{
	enum err e = http_route(http, "/description.xml", HTTP_GET, on_description, d);

	if (e == ERR_OK)
		e = http_route(http, "/icons/", HTTP_GET, on_icon, d);
	for (unsigned i = 0; i < SERVICES_N && e == ERR_OK; i++) {
		d->endpoints[i] = (struct dlna_endpoint){ d, (enum upnp_service)i };
		e = service_routes(http, &d->endpoints[i]);
	}
	return e;
}

static enum err write_documents(struct dlna *d, const char *friendly_name)
{
	struct description_options options = { .friendly_name = friendly_name,
					       .uuid = library_uuid(d->library) };
	enum err e;

	buf_init(&d->description, DLNA_DOCUMENT_MAX_BYTES);
	description_add(&options, &d->description);
	e = buf_err(&d->description);
	for (size_t i = 0; i < SERVICES_N && e == ERR_OK; i++) {
		buf_init(&d->scpds[i], DLNA_DOCUMENT_MAX_BYTES);
		scpd_add(&services[i], &d->scpds[i]);
		e = buf_err(&d->scpds[i]);
	}
	return e;
}

static void dlna_freep(struct dlna **d)
{
	dlna_free(*d);
}

enum err dlna_new(const struct dlna_options *options, struct dlna **out, struct err_info *info)
{
	CLEANUP(dlna_freep) struct dlna *d = calloc(1, sizeof *d);

	if (!d)
		return ERR_NOMEM;
	d->library = options->library;
	d->pages = options->pages;
	enum err e = write_documents(d, options->friendly_name);
	if (e == ERR_OK)
		e = gena_new(d, &d->gena);
	if (e == ERR_OK)
		e = add_routes(d, options->http);
	if (e != ERR_OK)
		return err_set(info, e, 0, "the DLNA device cannot start: %s", err_name(e));
	*out = TAKE(d);
	return ERR_OK;
}

void dlna_free(struct dlna *d)
{
	if (!d)
		return;
	gena_free(d->gena);
	buf_fini(&d->description);
	for (size_t i = 0; i < SERVICES_N; i++)
		buf_fini(&d->scpds[i]);
	free(d);
}

void dlna_notify(struct dlna *d, const struct library_change *change)
{
	gena_notify(d->gena, change);
}

void dlna_stats_get(struct dlna *d, struct dlna_stats *out)
{
	struct gena_stats gs;

	gena_stats_get(d->gena, &gs);
	*out = (struct dlna_stats){ .browses_n = counter_get(&d->browses_n),
				    .faults_n = counter_get(&d->faults_n),
				    .subscriptions_n = gs.subscriptions_n,
				    .events_n = gs.events_n };
	if (d->pages)
		cache_stats_get(d->pages, &out->pages);
}

void dlna_content_features(struct fb_table media_file, struct buf *out)
{
	profile_features_add(media_file, out);
}

void dlna_thumb_features(struct picture_size box, struct buf *out)
{
	profile_thumb_features_add(box, out);
}

struct span dlna_client_type(struct span user_agent, struct span av_client_info,
			     struct fb_table media_file, bool *out_interactive_av)
{
	const struct client *c = client_of(&(struct client_headers){ user_agent, av_client_info });

	*out_interactive_av = c->quirks & CLIENT_INTERACTIVE_AV;
	return client_mime(c, profile_mime(media_file));
}
