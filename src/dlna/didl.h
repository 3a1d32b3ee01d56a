/* SPDX-License-Identifier: MIT */
/* The one DIDL-Lite writer: from the mapped record straight into the reply, where DIDL-Lite stands
 * escaped inside SOAP's <Result>. No allocation per object. */
#pragma once

#include "base/buf.h"

struct client;
struct library_snap;
struct object;

struct didl {
	struct buf *out;
	uint32_t filter;  /* enum filter_bit */
	struct span host; /* "10.0.0.2:8250" */
	const struct client *client;
	const struct library_snap *bookmarks; /* whose are shown; NULL: there are none */
};

void didl_begin(struct didl *w);
void didl_object(struct didl *w, const struct object *o);
void didl_end(struct didl *w);
