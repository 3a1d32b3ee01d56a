/* SPDX-License-Identifier: MIT */
/* The escaping XML writer: the only way that text enters an XML document.
 * `depth` is how many times the text is escaped: 1 in a document, 2 in DIDL-Lite inside SOAP. */
#pragma once

#include "base/buf.h"

/** Append text content or an attribute value, escaped `depth` (1 or 2) times: & < > " and '.
 * Invalid UTF-8 and characters that XML 1.0 forbids become U+FFFD. One pass, no allocation. */
void xml_add_text(struct buf *b, struct span s, int depth);
/** Append markup that we wrote ourselves, escaped depth - 1 times (0 at depth 1: as it is). */
void xml_add_markup(struct buf *b, struct span s, int depth);
