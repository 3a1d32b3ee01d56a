/* SPDX-License-Identifier: MIT */
/* The SortCriteria argument of Browse. */
#pragma once

#include <stdbool.h>

#include "base/span.h"

/** Whether the order in which the index serves a listing may stand for these criteria.
 *
 * "" is the server's default order. SortCapabilities is empty, so a control point that follows the
 * standard sends nothing else. Some TVs do all the same, and show an empty folder on error 709:
 * ascending criteria of the properties that the default order is made of (class, title, album,
 * disc, track) are taken for it. Anything else, a descending order or another property, would be
 * plainly wrong in that order: error 709. */
bool sort_is_default(struct span criteria);
