/* SPDX-License-Identifier: MIT */
/* The server's figures as JSON, for `salver stats` and the page. */
#pragma once

struct buf;
struct dlna;
struct http;
struct json;
struct library;
struct scanner_progress;

/** One object: the walk's state and counts. */
void status_add_progress(struct json *j, const struct scanner_progress *progress);
/** Everything; http and dlna may be NULL (the store alone). */
void status_json(struct library *library, struct http *http, struct dlna *dlna,
		 const struct scanner_progress *progress, struct buf *out);
