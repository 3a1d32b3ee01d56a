/* SPDX-License-Identifier: MIT */
/* SOAP 1.1 as UPnP uses it (UDA 1.0 section 3): reading a call, running it, writing the answer. */
#pragma once

#include "dlna/actions.h"
#include "dlna/client.h"
#include "library/library.h"

#define SOAP_BODY_MAX_BYTES (64u << 10)
#define SOAP_DEPTH_MAX 16     /* nested elements */
#define SOAP_ARGUMENTS_MAX 16 /* in a request, known or not */

/** A call as the XML says it, not yet compared with any table. */
struct soap_request {
	struct buf text; /* where all the spans point */
	struct span name_space;
	struct span action;
	struct soap_argument {
		struct span name; /* without prefix */
		struct span value;
	} arguments[SOAP_ARGUMENTS_MAX];
	size_t arguments_n;
	bool surplus; /* more arguments than fit, or elements inside one */
};

/** Parse an envelope. No DTD, so no entities; bounded depth. Pure. Release with
 * soap_request_fini() in either case. Errors: ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
NODISCARD enum err soap_request_parse(struct span body, struct soap_request *out);
void soap_request_fini(struct soap_request *r);

struct soap_value {
	struct span text;
	int64_t number; /* of ui4, i4 and int */
	bool given;
};

/** What a call changes. The answer is true once it is committed. */
struct soap_change {
	struct batch *batch;
	struct op_result forgotten, result; /* of its operations */
};
/** NULL is fine. */
void soap_change_free(struct soap_change *c);

/** One call being run. */
struct soap_call {
	struct dlna *dlna;
	const struct service *service;
	const struct action *action;
	struct span local; /* "10.0.0.2:8250", for URLs */
	const struct client *client;
	struct soap_value in[ACTION_ARGS_IN_MAX];
	struct soap_change *change; /* set by an action that changes something */
	struct buf *reply;
	const struct argument *next_out;
};

/** Match a request with the table: fills action and in[]. 401 unknown action; 402 an argument is
 * missing, unknown, twice there or not of its variable's type. Pure. */
enum upnp_code soap_bind(const struct service *service, const struct soap_request *r,
			 struct soap_call *out);

struct soap_http {
	struct span soap_action; /* the header; {NULL, 0}: none */
	struct span body;
	struct span local;
	struct client_headers client;
};

/** Answer one POST to a control URL. Returns the HTTP status: 200, 500 with a fault, or 400 where
 * the body is no envelope (`out` is then a line of plain text).
 * *out_change: NULL, or with status 200 what is to be committed before the answer goes, the
 * caller's: then soap_changed(). */
unsigned soap_serve(struct dlna *d, const struct service *service, const struct soap_http *request,
		    struct buf *out, struct soap_change **out_change);
/** The batch of a change was committed, or not (`e`): the status; where it failed, `out` is a fault
 * instead of the answer. */
unsigned soap_changed(struct dlna *d, const struct soap_change *c, enum err e, struct buf *out);

/* For action functions: the out arguments, in the order of the table. */

/** Start / end the element of one; what is appended to call->reply in between is its value. */
void soap_out_begin(struct soap_call *call, const char *name);
void soap_out_end(struct soap_call *call);
/** A whole one; text is escaped here. */
void soap_out_text(struct soap_call *call, const char *name, struct span text);
void soap_out_u64(struct soap_call *call, const char *name, uint64_t value);
void soap_out_variable(struct soap_call *call, const char *name,
		       void (*get)(struct dlna *d, struct buf *out));
