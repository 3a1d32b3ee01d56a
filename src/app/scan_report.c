/* SPDX-License-Identifier: MIT */
#include "app/scan_report.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "scanner/report.h"
#include "scanner/scanner.h"

struct writer {
	enum scan_report_form form;
	bool (*line)(void *ctx, const char *line);
	void *ctx;
	struct buf text;
	uint64_t counts[REASONS_N], total;
	bool gone; /* nobody listens */
};

static void say(struct writer *w)
{
	if (!w->gone && buf_err(&w->text) == ERR_OK)
		w->gone = !w->line(w->ctx, buf_cstr(&w->text));
	buf_clear(&w->text);
}

static void add_json_entry(struct writer *w, struct span path, const char *reason)
{
	struct json j;

	if (w->total > 1)
		buf_add_char(&w->text, ',');
	json_init(&j, &w->text);
	json_object(&j);
	json_key(&j, "path");
	json_text(&j, path);
	json_key(&j, "reason");
	json_text(&j, span_str(reason));
	json_object_end(&j);
}

static void add_text_entry(struct writer *w, struct span path, const char *reason)
{
	buf_addf(&w->text, "%s ", reason);
	span_quote_add(path, &w->text);
}

static void on_entry(void *ctx, struct span path, enum scan_reason reason)
{
	struct writer *w = ctx;
	const struct scan_reason_text *r = &scan_reasons[reason];

	w->counts[reason]++;
	w->total++;
	if (w->form == SCAN_REPORT_JSON)
		add_json_entry(w, path, r->name);
	else
		add_text_entry(w, path, r->name);
	say(w);
}

static bool go_on(void *ctx)
{
	struct writer *w = ctx;

	w->gone |= !w->line(w->ctx, NULL);
	return !w->gone;
}

static void say_counts(struct writer *w)
{
	struct json j;

	if (w->form == SCAN_REPORT_JSON) {
		buf_add_str(&w->text, "],\"counts\":");
		json_init(&j, &w->text);
		json_object(&j);
		for (unsigned i = 0; i < REASONS_N; i++) {
			json_key(&j, scan_reasons[i].name);
			json_u64(&j, w->counts[i]);
		}
		json_object_end(&j);
		buf_add_char(&w->text, '}');
		say(w);
		return;
	}
	for (unsigned i = 0; i < REASONS_N; i++) {
		if (w->counts[i] == 0)
			continue;
		buf_addf(&w->text, "%10llu %s: %s", (unsigned long long)w->counts[i],
			 scan_reasons[i].name, scan_reasons[i].text);
		say(w);
	}
	buf_addf(&w->text, "%10llu in all", (unsigned long long)w->total);
	say(w);
}

enum err scan_report_write(const struct scanner_options *options, enum scan_report_form form,
			   bool (*line)(void *ctx, const char *line), void *ctx,
			   struct err_info *info)
{
	struct writer w = { .form = form, .line = line, .ctx = ctx };
	struct report_sink sink = { .entry = on_entry, .go_on = go_on, .ctx = &w };

	buf_init(&w.text, SCAN_REPORT_LINE_MAX);
	if (form == SCAN_REPORT_JSON) {
		buf_add_str(&w.text, "{\"files\":[");
		say(&w);
	}
	enum err e = scanner_report(options, &sink, info);
	if (e == ERR_OK)
		say_counts(&w);
	buf_fini(&w.text);
	return e;
}
