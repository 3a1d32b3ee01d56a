/* SPDX-License-Identifier: MIT */
/* Logging to stderr, one event a line: "warn scan: text". journald adds time and process.
 * Repeated lines of one call site are rate-limited and counted. Threads: any. */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum log_area {
	LOG_MAIN,
	LOG_CONF,
	LOG_DB,
	LOG_LIBRARY,
	LOG_SCAN,
	LOG_PROBE,
	LOG_HTTP,
	LOG_DLNA,
	LOG_DISCOVERY,
	LOG_WEB
};

/** Lines above this level are dropped. Default LOG_INFO. */
void log_set_level(enum log_level max_level);
/** "error", "warn", "info", "debug"; ERR_INVALID otherwise. */
NODISCARD enum err log_level_parse(struct span name, enum log_level *out);

struct log_site { /* one static per call: its rate limit */
	_Atomic unsigned long long window_start_ms;
	_Atomic unsigned in_window;
};

PRINTF_LIKE(4, 5)
void log_write(struct log_site *site, enum log_level level, enum log_area area, const char *fmt,
	       ...);

#define LOG_AT(level, area, ...)                                                                   \
	do {                                                                                       \
		static struct log_site log_site_;                                                  \
		log_write(&log_site_, level, area, __VA_ARGS__);                                   \
	} while (0)
#define log_error(area, ...) LOG_AT(LOG_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...) LOG_AT(LOG_WARN, area, __VA_ARGS__)
#define log_info(area, ...) LOG_AT(LOG_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) LOG_AT(LOG_DEBUG, area, __VA_ARGS__)

/** Outside text for a log line or a message: quoted, control and non-UTF-8 bytes as \xNN, cut
 * with "..." where it is too long. Returns `out.text`, so: log_info(LOG_SCAN, "%s", QUOTE(name)).
 */
struct quoted {
	char text[256];
};
const char *span_quote(struct span s, struct quoted *out);
#define QUOTE(s) span_quote((s), &(struct quoted){ { 0 } })
/** The same, never cut, at the end of `out`. */
struct buf;
void span_quote_add(struct span s, struct buf *out);
