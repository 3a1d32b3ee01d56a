/* SPDX-License-Identifier: MIT */
/* Conditional requests (RFC 9110 13) and DLNA's transfer modes: pure decisions about headers. */
#pragma once

#include "base/err.h"
#include "base/span.h"

/** What a client said; a span with p NULL: not said. */
struct conditions {
	struct span if_match, if_none_match, if_modified_since, if_unmodified_since, if_range;
};

/** 0: go on; else 304 or 412. `etag` with its quotes. */
unsigned conditions_check(const struct conditions *c, struct span etag, int64_t modified_s);
/** Is a Range header to be obeyed? Not where If-Range names another version. */
bool conditions_range_valid(const struct conditions *c, struct span etag, int64_t modified_s);

/** "Sun, 06 Nov 1994 08:49:37 GMT", or one of the two old forms, to seconds since 1970.
 * ERR_INVALID. */
NODISCARD enum err http_date_parse(struct span text, int64_t *out);

/** What a media request says in DLNA's headers; p NULL: not said. */
struct dlna_request {
	struct span transfer_mode, content_features, time_seek, play_speed, real_time_info;
	bool interactive_av; /* a device that says Interactive where it means Streaming */
	bool image;
};

/** 0: fine, and *out_mode is the transferMode.dlna.org to answer; else 400 or 406. */
unsigned dlna_request_check(const struct dlna_request *r, const char **out_mode);
