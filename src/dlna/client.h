/* SPDX-License-Identifier: MIT */
/* Who asks: devices that need an answer of their own, in one table. Who is not in it gets what the
 * standards say. Pure. */
#pragma once

#include <stdint.h>

#include "base/span.h"

/** What a request says of its sender, as the headers have it; p NULL: not said. */
struct client_headers {
	struct span user_agent;
	struct span av_client_info; /* X-AV-Client-Info: Sony's devices */
};

enum client_quirk {
	/* The subtitles of a film are one more <res> of type text/srt. */
	CLIENT_CAPTION_RES = 1u << 0,
	/* ... are named by sec:CaptionInfoEx. */
	CLIENT_CAPTION_SEC = 1u << 1,
	/* ... are named by attributes of the film's <res> (pv:subtitleFileUri). */
	CLIENT_CAPTION_PV = 1u << 2,
	/* Items say by av:mediaClass whether they are heard, seen or looked at. */
	CLIENT_MEDIA_CLASS = 1u << 3,
	/* Asks for films in DLNA's transfer mode for pictures, and means streaming. */
	CLIENT_INTERACTIVE_AV = 1u << 4,
	/* Films say by sec:dcmInfo where to go on. */
	CLIENT_BOOKMARK_DCM = 1u << 5,
	/* ... and count milliseconds there, and in X_SetBookmark, where others count seconds. */
	CLIENT_BOOKMARK_MS = 1u << 6
};

#define CLIENT_TYPES_MAX 2

struct client {
	const char *name;
	/* The row is for a request whose header contains this, as the device writes it; NULL:
	 * any. */
	const char *user_agent;
	const char *av_client_info;
	uint32_t quirks; /* enum client_quirk */
	/* What it wants to hear where we say `ours`. */
	struct client_type {
		const char *ours, *its;
	} types[CLIENT_TYPES_MAX];
};

/** The first row that fits; one without any quirk where none does. Never NULL; it is there for
 * ever, and two requests of the same device get the same. */
const struct client *client_of(const struct client_headers *headers);
/** A number that tells rows apart, for keys of caches. */
uint32_t client_number(const struct client *c);
/** The type to give out for what is of type `mime`. */
struct span client_mime(const struct client *c, struct span mime);
