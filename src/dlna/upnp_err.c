/* SPDX-License-Identifier: MIT */
/* UPnP's error codes, and the one place where our errors become theirs. */
#include "dlna/upnp_err.h"

/* The rest is 501, Action Failed. */
static const struct {
	enum err err;
	enum upnp_code code;
} codes[] = {
	{ ERR_OK, UPNP_OK },
	{ ERR_INVALID, UPNP_INVALID_ARGS },
	{ ERR_RANGE, UPNP_INVALID_ARGS },
	{ ERR_NOTFOUND, UPNP_NO_SUCH_OBJECT },
	{ ERR_BUSY, UPNP_CANNOT_PROCESS },
	{ ERR_NOMEM, UPNP_CANNOT_PROCESS },
};

static const struct {
	enum upnp_code code;
	const char *text;
} texts[] = {
	{ UPNP_INVALID_ACTION, "Invalid Action" },
	{ UPNP_INVALID_ARGS, "Invalid Args" },
	{ UPNP_INVALID_VAR, "Invalid Var" },
	{ UPNP_ACTION_FAILED, "Action Failed" },
	{ UPNP_NO_SUCH_OBJECT, "No such object" },
	{ UPNP_INVALID_CURRENT_TAG, "Invalid currentTagValue" },
	{ UPNP_INVALID_NEW_TAG, "Invalid newTagValue" },
	{ UPNP_READ_ONLY_TAG, "Read only tag" },
	{ UPNP_PARAMETER_MISMATCH, "Parameter mismatch or invalid connection reference" },
	{ UPNP_INVALID_SEARCH, "Unsupported or invalid search criteria" },
	{ UPNP_INVALID_SORT, "Unsupported or invalid sort criteria" },
	{ UPNP_NO_SUCH_CONTAINER, "No such container" },
	{ UPNP_RESTRICTED_OBJECT, "Restricted object" },
	{ UPNP_CANNOT_PROCESS, "Cannot process the request" },
};

enum upnp_code upnp_code_of(enum err e)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].err == e)
			return codes[i].code;
	return UPNP_ACTION_FAILED;
}

const char *upnp_code_text(enum upnp_code code)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].code == code)
			return texts[i].text;
	return "Action Failed";
}
