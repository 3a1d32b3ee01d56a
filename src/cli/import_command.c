/* SPDX-License-Identifier: MIT */
/* salver import: another server's library into ours. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/commands_priv.h"
#include "conf/conf.h"
#include "import/import.h"
#include "library/library.h"

typedef unsigned long long ull; /* what %llu takes */

static uint64_t skipped_n(const struct import_report *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < IMPORT_SKIPS_N; i++)
		n += r->skipped_n[i];
	return n;
}

static void print_progress(void *ctx, const struct import_report *r)
{
	const uint64_t *started_ms = ctx;
	uint64_t ms = MAX(clock_now_ms() - *started_ms, (uint64_t)1);

	log_info(LOG_MAIN, "%llu items read, %llu stored, %llu skipped: %llu/s, %.1f s",
		 (ull)r->items_n, (ull)r->stored_n, (ull)skipped_n(r),
		 (ull)(r->items_n * 1000 / ms), (double)ms / 1000.0);
}

static void print_skipped(const struct import_report *r)
{
	static const char *const why[IMPORT_SKIPS_N] = {
		[IMPORT_OUTSIDE] = "in no media root",
		[IMPORT_MISSING] = "not there any more, or not to be reached",
		[IMPORT_OTHER] = "of a kind that is not served, or pictures of folders",
		[IMPORT_FAULTY] = "with an impossible path or far too long values",
		[IMPORT_FAILED] = "not taken by the library",
	};

	for (size_t i = 0; i < IMPORT_SKIPS_N; i++)
		if (r->skipped_n[i] > 0)
			printf("  %llu %s%s%s\n", (ull)r->skipped_n[i], why[i],
			       r->example[i][0] ? ", such as " : "", r->example[i]);
}

static void print_report(const struct import_report *r, bool dry_run)
{
	const char *would = dry_run ? "would be " : "";

	if (r->source[0] == '\0')
		return; /* it never began */
	printf("%s, schema version %lld%s\n", r->source, (long long)r->version,
	       r->version_known ? "" : " (not a known one: read as far as it is understood)");
	printf("%llu items: %llu %sstored, %llu known already, %llu skipped\n", (ull)r->items_n,
	       (ull)r->stored_n, would, (ull)r->known_n, (ull)skipped_n(r));
	print_skipped(r);
	printf("%llu playlists with %llu entries %sstored, %llu known already, %llu skipped\n",
	       (ull)r->playlists_n, (ull)r->playlist_entries_n, would, (ull)r->playlists_known_n,
	       (ull)r->playlists_failed_n);
	printf("%llu bookmarks %sstored, %llu known already, %llu skipped\n", (ull)r->bookmarks_n,
	       would, (ull)r->bookmarks_known_n, (ull)r->bookmarks_skipped_n);
	if (r->stored_n > 0 && !dry_run)
		printf("Imported files are shown at once; the next scan reads each of them, for "
		       "what %s does not know.\n",
		       r->source);
}

/* A dry run takes no lock: it may look while a server runs, and where there is no library yet. */
static enum err open_library(const struct conf *conf, bool dry_run, struct library **out,
			     struct err_info *info)
{
	struct library_options options = {
		.database_dir = conf->database_dir,
		.read_only = dry_run,
	};
	enum err e = library_open(&options, out, info);

	return dry_run && e == ERR_NOTFOUND ? ERR_OK : e;
}

int command_import(struct conf *conf, const struct args *args)
{
	struct err_info info = { 0 };
	struct library *library = NULL;
	struct import_report report = { .source = "" };
	uint64_t started_ms = clock_now_ms();
	enum err e = conf_resolve_roots(conf, &info);

	if (e != ERR_OK)
		return fail(&info, e), EXIT_USAGE;
	e = open_library(conf, args->dry_run, &library, &info);
	if (e != ERR_OK)
		return fail(&info, e);

	struct import_options options = {
		.file = args->import_file,
		.format = args->import_format,
		.library = library,
		.dry_run = args->dry_run,
		.roots = conf->roots.items,
		.roots_n = conf->roots.n,
		.progress = print_progress,
		.ctx = &started_ms,
	};
	e = import_run(&options, &report, &info);
	if (e == ERR_OK && !args->dry_run)
		e = command_stored_all(library, &info);
	print_report(&report, args->dry_run);
	library_close(library);
	return e == ERR_OK ? EXIT_SUCCESS : fail(&info, e);
}
