/* SPDX-License-Identifier: MIT */
/* Percent encoding and query strings (RFC 3986). */
#pragma once

#include "base/buf.h"

/** Append `s` with all but unreserved characters percent-encoded. */
void url_add_encoded(struct buf *b, struct span s);
/** Append `s` decoded. ERR_INVALID for a broken %XX or an encoded NUL; b is then undefined. */
NODISCARD enum err url_add_decoded(struct buf *b, struct span s);
/** The raw value of `name` in a query string `a=1&b=2`; false where it is missing. */
bool url_query_get(struct span query, struct span name, struct span *out);
