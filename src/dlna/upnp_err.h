/* SPDX-License-Identifier: MIT */
/* UPnP's error codes, and the one place where our errors become theirs. */
#pragma once

#include "base/err.h"

enum upnp_code {
	UPNP_OK = 0,
	UPNP_INVALID_ACTION = 401,
	UPNP_INVALID_ARGS = 402,
	UPNP_INVALID_VAR = 404,
	UPNP_ACTION_FAILED = 501,
	UPNP_NO_SUCH_OBJECT = 701,
	UPNP_INVALID_CURRENT_TAG = 702,
	UPNP_INVALID_NEW_TAG = 703,
	UPNP_READ_ONLY_TAG = 705,
	UPNP_PARAMETER_MISMATCH = 706,
	UPNP_INVALID_CONNECTION = 706, /* ConnectionManager */
	UPNP_INVALID_SEARCH = 708,
	UPNP_INVALID_SORT = 709,
	UPNP_NO_SUCH_CONTAINER = 710,
	UPNP_RESTRICTED_OBJECT = 711,
	UPNP_CANNOT_PROCESS = 720
};

/** What the library's error means to a control point. */
enum upnp_code upnp_code_of(enum err e);
/** The errorDescription that goes with a code. */
const char *upnp_code_text(enum upnp_code code);
