/* SPDX-License-Identifier: MIT */
/* One event, one line, one write(2) to stderr; a site that repeats itself is cut short. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/buf.h"
#include "base/utf8.h"

#define WINDOW_MS 10000
#define LINES_PER_WINDOW 20
#define LINE_MAX_BYTES 1024

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const char *const area_names[] = {
	[LOG_MAIN] = "main",	   [LOG_CONF] = "conf", [LOG_DB] = "db",
	[LOG_LIBRARY] = "library", [LOG_SCAN] = "scan", [LOG_PROBE] = "probe",
	[LOG_HTTP] = "http",	   [LOG_DLNA] = "dlna", [LOG_DISCOVERY] = "discovery",
	[LOG_WEB] = "web",
};

/* Relaxed: a line more or less around a change of level does no harm. */
static _Atomic int max_level_now = LOG_INFO;

void log_set_level(enum log_level max_level)
{
	atomic_store_explicit(&max_level_now, (int)max_level, memory_order_relaxed);
}

enum err log_level_parse(struct span name, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (span_eq(name, span_str(level_names[i]))) {
			*out = (enum log_level)i;
			return ERR_OK;
		}
	}
	return ERR_INVALID;
}

/* May this line go out? *out_lost: how many of the last window did not. Relaxed atomics: the
 * counters order no other data, and threads that race at a window's edge lose a count at worst. */
static bool admit(struct log_site *site, unsigned *out_lost)
{
	unsigned long long now = clock_now_ms();
	unsigned long long start =
		atomic_load_explicit(&site->window_start_ms, memory_order_relaxed);

	if ((start == 0 || now - start >= WINDOW_MS) &&
	    atomic_compare_exchange_strong_explicit(&site->window_start_ms, &start, now,
						    memory_order_relaxed, memory_order_relaxed)) {
		unsigned seen = atomic_exchange_explicit(&site->in_window, 0, memory_order_relaxed);
		*out_lost = seen > LINES_PER_WINDOW ? seen - LINES_PER_WINDOW : 0;
	}
	return atomic_fetch_add_explicit(&site->in_window, 1, memory_order_relaxed) <
	       LINES_PER_WINDOW;
}

/* Ends the line and writes it; a line break inside would forge a second event. */
static void write_line(char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20)
			line[i] = ' ';
	line[n] = '\n';
	/* Nobody is left to be told when stderr fails. */
	ssize_t ignored = write(STDERR_FILENO, line, n + 1);
	(void)ignored;
}

void log_write(struct log_site *site, enum log_level level, enum log_area area, const char *fmt,
	       ...)
{
	if ((int)level > atomic_load_explicit(&max_level_now, memory_order_relaxed))
		return;
	unsigned lost = 0;
	/* Who turns on debug lines wants them all. */
	if (level != LOG_DEBUG && !admit(site, &lost))
		return;

	char line[LINE_MAX_BYTES];
	int head = snprintf(line, sizeof line, "%s %s: ", level_names[level], area_names[area]);
	if (lost > 0) {
		int n = snprintf(line + head, sizeof line - (size_t)head,
				 "%u more lines like the next one were left out", lost);
		write_line(line, (size_t)(head + n));
	}
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(line + head, sizeof line - (size_t)head, fmt, args);
	va_end(args);
	if (n >= 0)
		write_line(line, MIN((size_t)(head + n), sizeof line - 1));
}

/* Text of one character for a log line, or its bytes as \xNN; returns bytes of s used. */
static size_t quote_char(struct span s, char piece[20], size_t *out_n)
{
	size_t n = utf8_char_bytes(s);
	unsigned char c = (unsigned char)s.p[0];
	bool control = c < 0x20 || c == 0x7F || n == 0 ||
		       (n == 2 && c == 0xC2 && (unsigned char)s.p[1] < 0xA0);

	*out_n = 0;
	if (!control) {
		if (c == '"' || c == '\\')
			piece[(*out_n)++] = '\\';
		memcpy(piece + *out_n, s.p, n);
		*out_n += n;
		return n;
	}
	n = n ? n : 1;
	for (size_t i = 0; i < n; i++)
		*out_n += (size_t)snprintf(piece + *out_n, 5, "\\x%02X", (unsigned char)s.p[i]);
	return n;
}

const char *span_quote(struct span s, struct quoted *out)
{
	const size_t room = sizeof out->text - sizeof "\"...";
	size_t at = 0;

	out->text[at++] = '"';
	while (s.n > 0) {
		char piece[20];
		size_t n;
		size_t used = quote_char(s, piece, &n);
		if (at + n > room)
			break;
		memcpy(out->text + at, piece, n);
		at += n;
		s = span_skip(s, used);
	}
	out->text[at++] = '"';
	if (s.n > 0) {
		memcpy(out->text + at, "...", 3);
		at += 3;
	}
	out->text[at] = '\0';
	return out->text;
}

void span_quote_add(struct span s, struct buf *out)
{
	buf_add_char(out, '"');
	while (s.n > 0) {
		char piece[20];
		size_t n;
		size_t used = quote_char(s, piece, &n);

		buf_add(out, span_of(piece, n));
		s = span_skip(s, used);
	}
	buf_add_char(out, '"');
}
