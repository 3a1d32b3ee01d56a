/* SPDX-License-Identifier: MIT */
/* The DLNA device: description, SCPDs, SOAP control, DIDL-Lite, GENA events. Adds its routes to an
 * HTTP server: /description.xml, /scpd/NAME.xml, /control/NAME, /event/NAME, /icons/NAME. */
#pragma once

#include <stdint.h>

#include "base/cache.h"
#include "base/err.h"
#include "base/picture.h"
#include "base/span.h"

struct dlna;
struct http;
struct library;
struct library_change;

struct dlna_options {
	struct library *library;
	struct http *http;
	const char *friendly_name;
	struct cache *pages; /* answers of Browse and Search are kept there; NULL: nowhere */
};

/** Adds routes (before http_start()) and starts the event sender thread. */
NODISCARD enum err dlna_new(const struct dlna_options *options, struct dlna **out,
			    struct err_info *info);
/** After http_stop(). NULL is fine. */
void dlna_free(struct dlna *d);
/** A commit was published: moderated events follow. Threads: any; returns at once. */
void dlna_notify(struct dlna *d, const struct library_change *change);

struct dlna_stats {
	uint64_t browses_n, faults_n, subscriptions_n, events_n;
	struct cache_stats pages;
};
void dlna_stats_get(struct dlna *d, struct dlna_stats *out);

struct fb_table;
struct buf;
/** The fourth field of protocolInfo for a file: "DLNA.ORG_PN=..;DLNA.ORG_OP=01;...". The web module
 * gets it as a callback from app, so that DIDL and contentFeatures.dlna.org never differ. */
void dlna_content_features(struct fb_table media_file, struct buf *out);
/** The same of a thumbnail in this box. */
void dlna_thumb_features(struct picture_size box, struct buf *out);
/** Likewise the type to give out for a file, to the device that sent these headers
 * (p NULL: not sent), and whether it asks for films in transfer mode Interactive. */
struct span dlna_client_type(struct span user_agent, struct span av_client_info,
			     struct fb_table media_file, bool *out_interactive_av);
