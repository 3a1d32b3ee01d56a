/* SPDX-License-Identifier: MIT */
/* A whole small site for the tests of src/web: a library with a few files, an HTTP server, the web
 * routes; on loopback, any free port. */
#pragma once

#include "../http/client.h"

#define SONG_BYTES 1000 /* byte i of the song is 'a' + i % 26 */

struct site {
	struct library *library;
	struct http *http;
	struct web *web;
	struct cache *pages;
	uint16_t port;
	char dir[200], thumbnails[256];
	uint64_t song, page, film, clip, picture, hang; /* media ids */
};

void site_start(struct site *s);
/** With another program in the place of salver-probe. The picture "hang" is what a bad worker hangs
 * at. */
void site_start_with(struct site *s, const char *probe_program);
void site_stop(struct site *s);
/** One request; `path` may hold %s-free text only. `headers` are whole lines, each with CRLF. */
void site_ask(const struct site *s, const char *method, const char *path, const char *headers,
	      struct answer *out);
/** The same for "/media/ID.ext" and the like. */
void site_ask_file(const struct site *s, const char *method, const char *prefix, uint64_t id,
		   const char *ext, const char *headers, struct answer *out);
unsigned site_status(const struct site *s, const char *path);
/** A file below the site's directory. */
const char *site_path(const struct site *s, const char *name);
