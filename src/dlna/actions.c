/* SPDX-License-Identifier: MIT */
/* The action table and the service descriptions (SCPD, UDA 1.0 section 2.3) made from it. */
#include "dlna/actions.h"

#include "dlna/handlers.h"

#define IN(name, variable)                                                                         \
	{                                                                                          \
		ARGUMENT_IN, name, variable, NULL                                                  \
	}
#define IN_ALIAS(name, variable, alias)                                                            \
	{                                                                                          \
		ARGUMENT_IN, name, variable, alias                                                 \
	}
#define OUT(name, variable)                                                                        \
	{                                                                                          \
		ARGUMENT_OUT, name, variable, NULL                                                 \
	}
#define ARGUMENTS(...)                                                                             \
	(const struct argument[])                                                                  \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			ARGUMENT_END, NULL, NULL, NULL                                             \
		}                                                                                  \
	}
#define ALLOWED(...)                                                                               \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
/* Name, type, and how to get its value. */
#define PLAIN(name, type, get)                                                                     \
	{                                                                                          \
		name, STATE_##type, false, NULL, get                                               \
	}
#define EVENTED(name, type, get)                                                                   \
	{                                                                                          \
		name, STATE_##type, true, NULL, get                                                \
	}
#define CHOICE(name, ...)                                                                          \
	{                                                                                          \
		name, STATE_STRING, false, ALLOWED(__VA_ARGS__), NULL                              \
	}
#define END_VARIABLES                                                                              \
	{                                                                                          \
		NULL, STATE_STRING, false, NULL, NULL                                              \
	}
#define END_ACTIONS                                                                                \
	{                                                                                          \
		NULL, NULL, NULL                                                                   \
	}

/* clang-format off */
static const struct state_variable content_directory_variables[] = {
	PLAIN("A_ARG_TYPE_ObjectID", STRING, NULL),
	PLAIN("A_ARG_TYPE_Result", STRING, NULL),
	CHOICE("A_ARG_TYPE_BrowseFlag", "BrowseMetadata", "BrowseDirectChildren"),
	PLAIN("A_ARG_TYPE_Filter", STRING, NULL),
	PLAIN("A_ARG_TYPE_SearchCriteria", STRING, NULL),
	PLAIN("A_ARG_TYPE_SortCriteria", STRING, NULL),
	PLAIN("A_ARG_TYPE_Index", UI4, NULL),
	PLAIN("A_ARG_TYPE_Count", UI4, NULL),
	PLAIN("A_ARG_TYPE_UpdateID", UI4, NULL),
	PLAIN("A_ARG_TYPE_TagValueList", STRING, NULL),
	PLAIN("A_ARG_TYPE_Featurelist", STRING, NULL), /* sic: Samsung's spelling */
	PLAIN("A_ARG_TYPE_CategoryType", STRING, NULL),
	PLAIN("A_ARG_TYPE_RID", STRING, NULL),
	PLAIN("A_ARG_TYPE_PosSecond", UI4, NULL),
	PLAIN("SearchCapabilities", STRING, content_directory_search_caps),
	PLAIN("SortCapabilities", STRING, content_directory_sort_caps),
	EVENTED("SystemUpdateID", UI4, content_directory_system_update_id),
	EVENTED("ContainerUpdateIDs", STRING, content_directory_container_update_ids),
	END_VARIABLES
};

static const struct action content_directory_actions[] = {
	{ "GetSearchCapabilities", content_directory_get_search_caps,
	  ARGUMENTS(OUT("SearchCaps", "SearchCapabilities")) },
	{ "GetSortCapabilities", content_directory_get_sort_caps,
	  ARGUMENTS(OUT("SortCaps", "SortCapabilities")) },
	{ "GetSystemUpdateID", content_directory_get_system_update_id,
	  ARGUMENTS(OUT("Id", "SystemUpdateID")) },
	{ "Browse", content_directory_browse,
	  ARGUMENTS(IN_ALIAS("ObjectID", "A_ARG_TYPE_ObjectID", "ContainerID"), /* Xbox 360 */
		    IN("BrowseFlag", "A_ARG_TYPE_BrowseFlag"),
		    IN("Filter", "A_ARG_TYPE_Filter"),
		    IN("StartingIndex", "A_ARG_TYPE_Index"),
		    IN("RequestedCount", "A_ARG_TYPE_Count"),
		    IN("SortCriteria", "A_ARG_TYPE_SortCriteria"),
		    OUT("Result", "A_ARG_TYPE_Result"),
		    OUT("NumberReturned", "A_ARG_TYPE_Count"),
		    OUT("TotalMatches", "A_ARG_TYPE_Count"),
		    OUT("UpdateID", "A_ARG_TYPE_UpdateID")) },
	{ "Search", content_directory_search,
	  ARGUMENTS(IN("ContainerID", "A_ARG_TYPE_ObjectID"),
		    IN("SearchCriteria", "A_ARG_TYPE_SearchCriteria"),
		    IN("Filter", "A_ARG_TYPE_Filter"),
		    IN("StartingIndex", "A_ARG_TYPE_Index"),
		    IN("RequestedCount", "A_ARG_TYPE_Count"),
		    IN("SortCriteria", "A_ARG_TYPE_SortCriteria"),
		    OUT("Result", "A_ARG_TYPE_Result"),
		    OUT("NumberReturned", "A_ARG_TYPE_Count"),
		    OUT("TotalMatches", "A_ARG_TYPE_Count"),
		    OUT("UpdateID", "A_ARG_TYPE_UpdateID")) },
	{ "UpdateObject", content_directory_update_object,
	  ARGUMENTS(IN("ObjectID", "A_ARG_TYPE_ObjectID"),
		    IN("CurrentTagValue", "A_ARG_TYPE_TagValueList"),
		    IN("NewTagValue", "A_ARG_TYPE_TagValueList")) },
	{ "X_SetBookmark", content_directory_set_bookmark, /* Samsung */
	  ARGUMENTS(IN("CategoryType", "A_ARG_TYPE_CategoryType"),
		    IN("RID", "A_ARG_TYPE_RID"),
		    IN("ObjectID", "A_ARG_TYPE_ObjectID"),
		    IN("PosSecond", "A_ARG_TYPE_PosSecond")) },
	{ "X_GetFeatureList", content_directory_get_feature_list, /* Samsung, DCM10 */
	  ARGUMENTS(OUT("FeatureList", "A_ARG_TYPE_Featurelist")) },
	END_ACTIONS
};

static const struct state_variable connection_manager_variables[] = {
	EVENTED("SourceProtocolInfo", STRING, connection_manager_source),
	EVENTED("SinkProtocolInfo", STRING, connection_manager_sink),
	EVENTED("CurrentConnectionIDs", STRING, connection_manager_ids),
	CHOICE("A_ARG_TYPE_ConnectionStatus", "OK", "ContentFormatMismatch",
	       "InsufficientBandwidth", "UnreliableChannel", "Unknown"),
	PLAIN("A_ARG_TYPE_ConnectionManager", STRING, NULL),
	CHOICE("A_ARG_TYPE_Direction", "Input", "Output"),
	PLAIN("A_ARG_TYPE_ProtocolInfo", STRING, NULL),
	PLAIN("A_ARG_TYPE_ConnectionID", I4, NULL),
	PLAIN("A_ARG_TYPE_AVTransportID", I4, NULL),
	PLAIN("A_ARG_TYPE_RcsID", I4, NULL),
	END_VARIABLES
};

static const struct action connection_manager_actions[] = {
	{ "GetProtocolInfo", connection_manager_get_protocol_info,
	  ARGUMENTS(OUT("Source", "SourceProtocolInfo"), OUT("Sink", "SinkProtocolInfo")) },
	{ "GetCurrentConnectionIDs", connection_manager_get_ids,
	  ARGUMENTS(OUT("ConnectionIDs", "CurrentConnectionIDs")) },
	{ "GetCurrentConnectionInfo", connection_manager_get_info,
	  ARGUMENTS(IN("ConnectionID", "A_ARG_TYPE_ConnectionID"),
		    OUT("RcsID", "A_ARG_TYPE_RcsID"),
		    OUT("AVTransportID", "A_ARG_TYPE_AVTransportID"),
		    OUT("ProtocolInfo", "A_ARG_TYPE_ProtocolInfo"),
		    OUT("PeerConnectionManager", "A_ARG_TYPE_ConnectionManager"),
		    OUT("PeerConnectionID", "A_ARG_TYPE_ConnectionID"),
		    OUT("Direction", "A_ARG_TYPE_Direction"),
		    OUT("Status", "A_ARG_TYPE_ConnectionStatus")) },
	END_ACTIONS
};

static const struct state_variable registrar_variables[] = {
	PLAIN("A_ARG_TYPE_DeviceID", STRING, NULL),
	PLAIN("A_ARG_TYPE_Result", INT, NULL),
	PLAIN("A_ARG_TYPE_RegistrationReqMsg", BASE64, NULL),
	PLAIN("A_ARG_TYPE_RegistrationRespMsg", BASE64, NULL),
	EVENTED("AuthorizationGrantedUpdateID", UI4, registrar_update_id),
	EVENTED("AuthorizationDeniedUpdateID", UI4, registrar_update_id),
	EVENTED("ValidationSucceededUpdateID", UI4, registrar_update_id),
	EVENTED("ValidationRevokedUpdateID", UI4, registrar_update_id),
	END_VARIABLES
};

static const struct action registrar_actions[] = {
	{ "IsAuthorized", registrar_allow,
	  ARGUMENTS(IN("DeviceID", "A_ARG_TYPE_DeviceID"), OUT("Result", "A_ARG_TYPE_Result")) },
	{ "IsValidated", registrar_allow,
	  ARGUMENTS(IN("DeviceID", "A_ARG_TYPE_DeviceID"), OUT("Result", "A_ARG_TYPE_Result")) },
	{ "RegisterDevice", registrar_register,
	  ARGUMENTS(IN("RegistrationReqMsg", "A_ARG_TYPE_RegistrationReqMsg"),
		    OUT("RegistrationRespMsg", "A_ARG_TYPE_RegistrationRespMsg")) },
	END_ACTIONS
};

const struct service services[SERVICES_N] = {
	[SERVICE_CONTENT_DIRECTORY] = {
		"ContentDirectory",
		"urn:schemas-upnp-org:service:ContentDirectory",
		"urn:upnp-org:serviceId:ContentDirectory",
		content_directory_variables, content_directory_actions },
	[SERVICE_CONNECTION_MANAGER] = {
		"ConnectionManager",
		"urn:schemas-upnp-org:service:ConnectionManager",
		"urn:upnp-org:serviceId:ConnectionManager",
		connection_manager_variables, connection_manager_actions },
	[SERVICE_REGISTRAR] = {
		"X_MS_MediaReceiverRegistrar",
		"urn:microsoft.com:service:X_MS_MediaReceiverRegistrar",
		"urn:microsoft.com:serviceId:X_MS_MediaReceiverRegistrar",
		registrar_variables, registrar_actions },
};
/* clang-format on */

const struct action *action_find(const struct service *service, struct span name)
{
	for (const struct action *a = service->actions; a->name; a++)
		if (span_eq(span_str(a->name), name))
			return a;
	return NULL;
}

const struct state_variable *state_variable_find(const struct service *service, struct span name)
{
	for (const struct state_variable *v = service->variables; v->name; v++)
		if (span_eq(span_str(v->name), name))
			return v;
	return NULL;
}

static const char *type_name(enum state_type type)
{
	static const char *const names[] = {
		[STATE_STRING] = "string", [STATE_UI4] = "ui4",		  [STATE_I4] = "i4",
		[STATE_INT] = "int",	   [STATE_BASE64] = "bin.base64",
	};

	return names[type];
}

static void action_add(const struct action *a, struct buf *out)
{
	buf_addf(out, "<action><name>%s</name><argumentList>", a->name);
	for (const struct argument *arg = a->arguments; arg->direction != ARGUMENT_END; arg++)
		buf_addf(out,
			 "<argument><name>%s</name><direction>%s</direction>"
			 "<relatedStateVariable>%s</relatedStateVariable></argument>",
			 arg->name, arg->direction == ARGUMENT_IN ? "in" : "out", arg->variable);
	buf_add_str(out, "</argumentList></action>\n");
}

static void variable_add(const struct state_variable *v, struct buf *out)
{
	buf_addf(out, "<stateVariable sendEvents=\"%s\"><name>%s</name><dataType>%s</dataType>",
		 v->evented ? "yes" : "no", v->name, type_name(v->type));
	if (v->allowed) {
		buf_add_str(out, "<allowedValueList>");
		for (const char *const *value = v->allowed; *value; value++)
			buf_addf(out, "<allowedValue>%s</allowedValue>", *value);
		buf_add_str(out, "</allowedValueList>");
	}
	buf_add_str(out, "</stateVariable>\n");
}

void scpd_add(const struct service *service, struct buf *out)
{
	buf_add_str(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			 "<scpd xmlns=\"urn:schemas-upnp-org:service-1-0\">\n"
			 "<specVersion><major>1</major><minor>0</minor></specVersion>\n"
			 "<actionList>\n");
	for (const struct action *a = service->actions; a->name; a++)
		action_add(a, out);
	buf_add_str(out, "</actionList>\n<serviceStateTable>\n");
	for (const struct state_variable *v = service->variables; v->name; v++)
		variable_add(v, out);
	buf_add_str(out, "</serviceStateTable>\n</scpd>\n");
}
