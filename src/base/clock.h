/* SPDX-License-Identifier: MIT */
/* Time: monotonic for durations, wall clock for records. */
#pragma once

#include <stdint.h>
#include <time.h>

/** CLOCK_MONOTONIC. */
uint64_t clock_now_ns(void);
uint64_t clock_now_ms(void);
/** Seconds since 1970, UTC. */
int64_t clock_wall_s(void);
/** "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7). Returns `out`. */
#define CLOCK_HTTP_MAX 32
char *clock_http_date(int64_t wall_s, char out[CLOCK_HTTP_MAX]);
