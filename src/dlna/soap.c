/* SPDX-License-Identifier: MIT */
/* SOAP dispatch: request and SOAPACTION against the action table, answers and faults. */
#include "dlna/soap.h"

#include <stdlib.h>

#include "base/num.h"
#include "base/xml.h"
#include "dlna/dlna_priv.h"

#define CONTROL_NS "urn:schemas-upnp-org:control-1-0" /* of QueryStateVariable and UPnPError */

#define ENVELOPE_BEGIN                                                                             \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"                                             \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\""                        \
	" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>"
#define ENVELOPE_END "</s:Body></s:Envelope>\n"

/* ---- binding a request to the table ---------------------------------------------------------- */

static bool is_allowed(const struct state_variable *v, struct span text)
{
	if (!v->allowed)
		return true;
	for (const char *const *value = v->allowed; *value; value++)
		if (span_eq(span_str(*value), text))
			return true;
	return false;
}

static enum upnp_code value_check(const struct state_variable *v, struct soap_value *value)
{
	enum err e = ERR_OK;

	switch (v->type) {
	case STATE_UI4:
		e = num_parse_i64(span_trim(value->text), 0, UINT32_MAX, &value->number);
		break;
	case STATE_I4:
	case STATE_INT:
		e = num_parse_i64(span_trim(value->text), INT32_MIN, INT32_MAX, &value->number);
		break;
	case STATE_STRING:
	case STATE_BASE64: /* what RegisterDevice gets is not looked at */
		break;
	}
	return e == ERR_OK && is_allowed(v, value->text) ? UPNP_OK : UPNP_INVALID_ARGS;
}

/** The place of an in argument in the table; -1: there is none of that name. */
static int argument_place(const struct action *a, struct span name)
{
	for (int i = 0; a->arguments[i].direction == ARGUMENT_IN; i++) {
		const struct argument *arg = &a->arguments[i];

		if (span_eq(span_str(arg->name), name) ||
		    (arg->alias && span_eq(span_str(arg->alias), name)))
			return i;
	}
	return -1;
}

enum upnp_code soap_bind(const struct service *service, const struct soap_request *r,
			 struct soap_call *out)
{
	out->action = action_find(service, r->action);
	if (!out->action)
		return UPNP_INVALID_ACTION;
	if (r->surplus)
		return UPNP_INVALID_ARGS;

	for (size_t i = 0; i < r->arguments_n; i++) {
		int at = argument_place(out->action, r->arguments[i].name);

		if (at < 0 || out->in[at].given)
			return UPNP_INVALID_ARGS;
		out->in[at] = (struct soap_value){ r->arguments[i].value, 0, true };
	}

	const struct argument *arg = out->action->arguments;
	for (size_t i = 0; arg[i].direction == ARGUMENT_IN; i++) {
		const struct state_variable *v =
			state_variable_find(service, span_str(arg[i].variable));

		if (!out->in[i].given || value_check(v, &out->in[i]) != UPNP_OK)
			return UPNP_INVALID_ARGS;
	}
	return UPNP_OK;
}

/** Is `name_space` this service, of whatever version? Version 1 is what we are, a control point
 * that asks for more of the same service gets what there is. None at all is some devices' habit. */
static bool is_service(const struct service *service, struct span name_space)
{
	struct span type = span_str(service->type);
	uint64_t version;

	if (name_space.n == 0)
		return true;
	if (!span_starts(name_space, type) || name_space.n < type.n + 2 ||
	    name_space.p[type.n] != ':')
		return false;
	return num_parse_u64(span_skip(name_space, type.n + 1), 1, 99, &version) == ERR_OK;
}

/** Does the header name the same call as the body? No header, or none with a '#': the body alone
 * counts. */
static bool header_agrees(struct span header, const struct soap_request *r)
{
	header = span_trim(header);
	if (header.n >= 2 && header.p[0] == '"' && header.p[header.n - 1] == '"')
		header = span_of(header.p + 1, header.n - 2);
	size_t hash = span_rfind(header, '#');
	if (hash == header.n)
		return true;
	struct span name_space = span_first(header, hash);
	return span_eq(span_skip(header, hash + 1), r->action) &&
	       (r->name_space.n == 0 || span_eq(name_space, r->name_space));
}

/* ---- answers --------------------------------------------------------------------------------- */

void soap_out_begin(struct soap_call *call, const char *name)
{
	ASSERT(call->next_out->direction == ARGUMENT_OUT);
	ASSERT(strcmp(call->next_out->name, name) == 0);
	buf_add_char(call->reply, '<');
	buf_add_str(call->reply, name);
	buf_add_char(call->reply, '>');
}

void soap_out_end(struct soap_call *call)
{
	buf_add(call->reply, SPAN("</"));
	buf_add_str(call->reply, call->next_out->name);
	buf_add_char(call->reply, '>');
	call->next_out++;
}

void soap_out_text(struct soap_call *call, const char *name, struct span text)
{
	soap_out_begin(call, name);
	xml_add_text(call->reply, text, 1);
	soap_out_end(call);
}

void soap_out_u64(struct soap_call *call, const char *name, uint64_t value)
{
	soap_out_begin(call, name);
	buf_add_u64(call->reply, value);
	soap_out_end(call);
}

void soap_out_variable(struct soap_call *call, const char *name,
		       void (*get)(struct dlna *d, struct buf *out))
{
	soap_out_begin(call, name);
	get(call->dlna, call->reply);
	soap_out_end(call);
}

static unsigned fault(struct dlna *d, enum upnp_code code, struct buf *out)
{
	counter_add(&d->faults_n, 1);
	buf_clear(out);
	buf_addf(out,
		 ENVELOPE_BEGIN "<s:Fault><faultcode>s:Client</faultcode>"
				"<faultstring>UPnPError</faultstring><detail>"
				"<UPnPError xmlns=\"" CONTROL_NS "\"><errorCode>%d</errorCode>"
				"<errorDescription>%s</errorDescription></UPnPError></detail>"
				"</s:Fault>" ENVELOPE_END,
		 (int)code, upnp_code_text(code));
	return 500;
}

/** UDA 1.0 section 3.3: deprecated later, but part of what version 1.0 promises. */
static unsigned query_variable(struct dlna *d, const struct service *service,
			       const struct soap_request *r, struct buf *out)
{
	if (r->arguments_n != 1 || r->surplus || !span_eq(r->arguments[0].name, SPAN("varName")))
		return fault(d, UPNP_INVALID_ARGS, out);
	const struct state_variable *v =
		state_variable_find(service, span_trim(r->arguments[0].value));
	if (!v || !v->get)
		return fault(d, UPNP_INVALID_VAR, out);

	buf_add_str(out, ENVELOPE_BEGIN "<u:QueryStateVariableResponse xmlns:u=\"" CONTROL_NS
					"\"><return>");
	v->get(d, out);
	buf_add_str(out, "</return></u:QueryStateVariableResponse>" ENVELOPE_END);
	return buf_err(out) == ERR_OK ? 200 : fault(d, UPNP_ACTION_FAILED, out);
}

static unsigned run(struct soap_call *call, struct span name_space, struct buf *out)
{
	const struct action *a = call->action;
	enum upnp_code code;

	call->reply = out;
	call->next_out = a->arguments;
	while (call->next_out->direction == ARGUMENT_IN)
		call->next_out++;

	buf_add_str(out, ENVELOPE_BEGIN "<u:");
	buf_add_str(out, a->name);
	buf_add_str(out, "Response xmlns:u=\"");
	if (name_space.n > 0) { /* the request's version */
		buf_add(out, name_space);
	} else {
		buf_add_str(out, call->service->type);
		buf_add_str(out, ":" SERVICE_VERSION);
	}
	buf_add_str(out, "\">");
	code = a->run(call);
	if (code != UPNP_OK)
		return fault(call->dlna, code, out);
	ASSERT(call->next_out->direction == ARGUMENT_END);
	buf_add_str(out, "</u:");
	buf_add_str(out, a->name);
	buf_add_str(out, "Response>" ENVELOPE_END);
	return buf_err(out) == ERR_OK ? 200 : fault(call->dlna, UPNP_ACTION_FAILED, out);
}

void soap_change_free(struct soap_change *c)
{
	if (c)
		batch_free(c->batch);
	free(c);
}

unsigned soap_changed(struct dlna *d, const struct soap_change *c, enum err e, struct buf *out)
{
	if (e == ERR_OK)
		e = c->result.err;
	return e == ERR_OK ? 200 : fault(d, upnp_code_of(e), out);
}

unsigned soap_serve(struct dlna *d, const struct service *service, const struct soap_http *request,
		    struct buf *out, struct soap_change **out_change)
{
	CLEANUP(soap_request_fini) struct soap_request r;
	enum err e = soap_request_parse(request->body, &r);

	*out_change = NULL;
	if (e == ERR_NOMEM)
		return fault(d, UPNP_ACTION_FAILED, out);
	if (e != ERR_OK) {
		counter_add(&d->faults_n, 1);
		buf_add_str(out, "the body is not a SOAP envelope\n");
		return 400;
	}
	if (!header_agrees(request->soap_action, &r))
		return fault(d, UPNP_INVALID_ACTION, out);
	if (span_eq(r.name_space, SPAN(CONTROL_NS)) &&
	    span_eq(r.action, SPAN("QueryStateVariable")))
		return query_variable(d, service, &r, out);
	if (!is_service(service, r.name_space))
		return fault(d, UPNP_INVALID_ACTION, out);

	struct soap_call call = { .dlna = d,
				  .service = service,
				  .local = request->local,
				  .client = client_of(&request->client) };
	enum upnp_code code = soap_bind(service, &r, &call);
	if (code != UPNP_OK)
		return fault(d, code, out);
	unsigned status = run(&call, r.name_space, out);
	if (status == 200)
		*out_change = call.change;
	else
		soap_change_free(call.change);
	return status;
}
