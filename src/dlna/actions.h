/* SPDX-License-Identifier: MIT */
/* The action table: every service with its state variables and actions. The SCPDs are written from
 * it, SOAP is dispatched by it, events are made from it: what is advertised is what is there. */
#pragma once

#include "base/buf.h"
#include "dlna/upnp_err.h"

struct dlna;
struct soap_call;

enum upnp_service { /* also the order in the description */
		    SERVICE_CONTENT_DIRECTORY,
		    SERVICE_CONNECTION_MANAGER,
		    SERVICE_REGISTRAR,
		    SERVICES_N
};

#define ACTION_ARGS_IN_MAX 8

enum state_type { STATE_STRING, STATE_UI4, STATE_I4, STATE_INT, STATE_BASE64 };

struct state_variable {
	const char *name;
	enum state_type type;
	bool evented;
	const char *const *allowed; /* ends with NULL; NULL: anything */
	/** Appends the value, escaped once. NULL: A_ARG_TYPE_*, which has none. */
	void (*get)(struct dlna *d, struct buf *out);
};

enum argument_direction { ARGUMENT_END, ARGUMENT_IN, ARGUMENT_OUT };

struct argument {
	enum argument_direction direction;
	const char *name;
	const char *variable; /* the related state variable */
	const char *alias;    /* another name that a device sends; not advertised */
};

struct action {
	const char *name;
	/** Reads call->in (in the order of the table, already checked against the variables' types
	 * and allowed values), writes every out argument by soap_out_*(). */
	enum upnp_code (*run)(struct soap_call *call);
	const struct argument *arguments; /* ins before outs; ends with ARGUMENT_END */
};

struct service {
	const char *name; /* in our URLs */
	const char *type; /* without the version and the ':' before it */
	const char *id;
	const struct state_variable *variables; /* ends with .name NULL */
	const struct action *actions;		/* ends with .name NULL */
};

#define SERVICE_VERSION "1"

/** All SERVICES_N, by enum upnp_service. */
extern const struct service services[SERVICES_N];

/** NULL where there is no such action / variable. */
const struct action *action_find(const struct service *service, struct span name);
const struct state_variable *state_variable_find(const struct service *service, struct span name);
/** The service description document. */
void scpd_add(const struct service *service, struct buf *out);
