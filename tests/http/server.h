/* SPDX-License-Identifier: MIT */
/* The server that the tests of src/http ask: a few plain routes on loopback, any free port. */
#pragma once

#include "client.h"
#include "http/http_priv.h"

#define HOST "Host: 127.0.0.1\r\n"
#define FILE_BYTES (8u << 20)
#define LARGE_BYTES (8u << 20) /* of /large, which is in memory */

/** Not started. */
struct http *server_new(const struct http_options *options);
/** Started; limits NULL: the real ones. */
struct http *server_start(const struct http_limits *limits);
/** The file behind /file, FILE_BYTES long: byte i is server_file_byte(i). /file sends all but the
 * first byte. */
void server_make_file(void);
/** Make it shorter. */
void server_cut_file(uint64_t size);
uint8_t server_file_byte(uint64_t i);
/** /later suspends its reply: wait until n are. */
void server_wait_suspended(unsigned n);
/** Let the one that has waited longest go, as "done". */
void server_resume(void);
/** Only the status of one request. */
unsigned server_status_of(struct http *h, const char *request);
