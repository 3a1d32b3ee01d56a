/* SPDX-License-Identifier: MIT */
/* salver scan, and its report. */
#include <limits.h>
#include <string.h>

#include "app/control.h"
#include "app/scan_options.h"
#include "app/scan_report.h"
#include "cli/args.h"
#include "cli/commands_priv.h"
#include "conf/conf.h"
#include "library/library.h"
#include "scanner/scanner.h"

/* ---- the report ---- */

struct told {
	bool whole; /* nothing says that it failed */
	bool any;
};

static void on_line(void *ctx, struct span line)
{
	struct told *told = ctx;

	told->any = true;
	if (span_starts(line, SPAN("failed: "))) {
		told->whole = false;
		fprintf(stderr, "salver: %.*s\n", (int)MIN(line.n - 8, (size_t)INT_MAX),
			line.p + 8);
		return;
	}
	fwrite(line.p, 1, line.n, stdout);
	putchar('\n');
}

static bool print_line(void *ctx, const char *line)
{
	(void)ctx;
	return !line || puts(line) >= 0;
}

/* ERR_NOTFOUND: no server runs. */
static enum err ask_report(const struct conf *conf, const struct args *args, bool *out_whole,
			   struct err_info *info)
{
	struct told told = { .whole = true };
	enum err e = control_follow(conf->database_dir, args->json ? "report json" : "report",
				    on_line, &told);

	if (e == ERR_NOTFOUND)
		return e;
	if (e == ERR_OK && !told.any)
		e = ERR_CLOSED;
	*out_whole = told.whole;
	return e == ERR_OK ? e
			   : err_set(info, e, 0, "cannot ask the server on %s: %s",
				     conf->database_dir, err_name(e));
}

/* ---- the scan ---- */

static enum err scan(struct scanner_options *options, const struct args *args,
		     struct err_info *info)
{
	struct scanner *scanner = NULL;
	struct scanner_progress p;
	FILE *out = args->json ? stderr : stdout;

	options->watch = false;
	options->rescan_ms = 0;
	options->retry = args->retry;
	enum err e = scanner_start(options, &scanner, info);
	if (e == ERR_OK)
		e = scanner_wait(scanner, 0);
	if (e == ERR_OK)
		e = command_stored_all(options->library, info);
	if (e == ERR_OK) {
		scanner_progress_get(scanner, &p);
		fprintf(out,
			"%llu files found, %llu unchanged, %llu stored, %llu removed, %llu "
			"failed\n",
			(unsigned long long)p.found_n, (unsigned long long)p.unchanged_n,
			(unsigned long long)p.stored_n, (unsigned long long)p.removed_n,
			(unsigned long long)p.failed_n);
	}
	scanner_stop(scanner);
	return e;
}

int command_scan_as(struct conf *conf, const struct args *args,
		    const struct library_options *library_options)
{
	struct err_info info = { 0 };
	struct library *library = NULL;
	enum err e = command_need_roots(conf, &info);

	if (e != ERR_OK)
		return fail(&info, e), EXIT_USAGE;
	e = library_open(library_options, &library, &info);
	if (e != ERR_OK)
		return fail(&info, e);

	struct scanner_options options = scan_options(conf, library);
	e = scan(&options, args, &info);
	if (e == ERR_OK && args->report)
		e = scan_report_write(&options, args->json ? SCAN_REPORT_JSON : SCAN_REPORT_TEXT,
				      print_line, NULL, &info);
	library_close(library);
	return e == ERR_OK ? EXIT_SUCCESS : fail(&info, e);
}

int command_scan(struct conf *conf, const struct args *args)
{
	struct library_options options = { .database_dir = conf->database_dir };
	struct err_info info = { 0 };
	bool whole = false;
	enum err e =
		args->report && !args->retry ? ask_report(conf, args, &whole, &info) : ERR_NOTFOUND;

	if (e == ERR_NOTFOUND)
		return command_scan_as(conf, args, &options);
	if (e != ERR_OK)
		return fail(&info, e);
	return whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
