/* SPDX-License-Identifier: MIT */
/* Wires the modules and owns the main loop: signals and the control socket. */
#include "app/app.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/addresses.h"
#include "app/control.h"
#include "app/playlist_text.h"
#include "app/memory.h"
#include "app/scan_options.h"
#include "app/scan_report.h"
#include "app/status.h"
#include "base/blocks.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/cache.h"
#include "base/json.h"
#include "base/log.h"
#include "base/version.h"
#include "conf/conf.h"
#include "discovery/discovery.h"
#include "dlna/dlna.h"
#include "http/http.h"
#include "library/library.h"
#include "library/upkeep.h"
#include "scanner/scanner.h"
#include "web/web.h"

#define APP_THUMBNAILS_DIR "thumbnails" /* in the database directory; not of the store */
#define APP_STOP_GRACE_MS 2000		/* for streams under way at SIGTERM */

struct app {
	const struct conf *conf;
	struct library *library;
	struct memory memory;
	struct cache *pages;
	struct http *http;
	/* The release in open_http() pairs with the acquire in on_commit(): the writer commits from
	 * the opening of the library on. */
	_Atomic(struct dlna *) dlna;
	struct web *web;
	char thumbnails_dir[PATH_MAX];
	struct discovery *discovery;
	/* Starts last, when HTTP and the control socket answer already. The release in
	 * open_scanner() pairs with the acquire in scan_progress(). */
	_Atomic(struct scanner *) scanner;
	struct control *control;
	int signal_fd;
	int epoll_fd;
	sigset_t old_signals;
};

static void limit_process(void)
{
	blocks_limit_heap();
	signal(SIGPIPE, SIG_IGN);
}

/* Signals are blocked before the first thread starts, so that only signal_fd ever sees them. */
static enum err open_signals(struct app *app, struct err_info *info)
{
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, &app->old_signals);
	app->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	app->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	event.data.fd = app->signal_fd;
	if (app->signal_fd < 0 || app->epoll_fd < 0 ||
	    epoll_ctl(app->epoll_fd, EPOLL_CTL_ADD, app->signal_fd, &event) < 0)
		return err_set(info, err_from_errno(errno), errno, "cannot set up signals: %s",
			       strerror(errno));
	return ERR_OK;
}

static void on_commit(void *ctx, const struct library_change *change)
{
	struct app *app = ctx;

	struct dlna *dlna = atomic_load_explicit(&app->dlna, memory_order_acquire);

	if (dlna)
		dlna_notify(dlna, change);
}

/* On threads of HTTP and of the control socket, which end before the scanner does. */
static struct scanner_progress scan_progress(struct app *app)
{
	struct scanner *scanner = atomic_load_explicit(&app->scanner, memory_order_acquire);
	struct scanner_progress progress = { 0 };

	if (scanner)
		scanner_progress_get(scanner, &progress);
	return progress;
}

static void progress_json(void *ctx, struct buf *out)
{
	struct scanner_progress progress = scan_progress(ctx);
	struct json j;

	json_init(&j, out);
	status_add_progress(&j, &progress);
}

static void stats_json(void *ctx, struct buf *out)
{
	struct app *app = ctx;
	struct scanner_progress progress = scan_progress(app);

	status_json(app->library, app->http, atomic_load_explicit(&app->dlna, memory_order_acquire),
		    &progress, out);
}

static void playlists_text(void *ctx, struct span what, struct buf *out)
{
	struct app *app = ctx;

	playlist_text(app->library, what, out);
}

static enum err check_store(void *ctx, void (*report)(void *, const char *), void *report_ctx)
{
	struct app *app = ctx;

	return library_check(app->library, report, report_ctx);
}

struct upkeep_watch {
	void (*report)(void *, const char *);
	void *ctx;
	uint64_t last_ms;
};

static void upkeep_report(void *ctx, const char *line)
{
	const struct upkeep_watch *w = ctx;

	w->report(w->ctx, line);
}

#define PROGRESS_MS 200 /* between two lines */

static void upkeep_progress(void *ctx, uint64_t done, uint64_t all)
{
	struct upkeep_watch *w = ctx;
	uint64_t now_ms = clock_now_ms();
	char line[64];

	if (done < all && now_ms < w->last_ms + PROGRESS_MS)
		return;
	w->last_ms = now_ms;
	control_progress(done, all, line);
	w->report(w->ctx, line);
}

static void backup_store(void *ctx, const char *dir, void (*report)(void *, const char *),
			 void *report_ctx)
{
	struct app *app = ctx;
	struct upkeep_watch watch = { .report = report, .ctx = report_ctx };
	struct db_follower follower = { upkeep_report, upkeep_progress, &watch };
	struct err_info info = { 0 };
	uint64_t commit = 0;
	char line[sizeof info.text + 16];
	enum err e = library_backup(app->library, dir, &follower, &commit, &info);

	if (e == ERR_OK)
		snprintf(line, sizeof line, "commit %llu", (unsigned long long)commit);
	else
		snprintf(line, sizeof line, "failed: %s", info.text[0] ? info.text : err_name(e));
	report(report_ctx, line);
}

static void compact_store(void *ctx, void (*report)(void *, const char *), void *report_ctx)
{
	struct app *app = ctx;
	struct upkeep_watch watch = { .report = report, .ctx = report_ctx };
	struct db_follower follower = { upkeep_report, upkeep_progress, &watch };
	uint64_t before = 0, after = 0;
	char line[128];
	enum err e = library_compact(app->library, &follower, &before, &after);

	if (e == ERR_OK)
		snprintf(line, sizeof line, "bytes %llu %llu", (unsigned long long)before,
			 (unsigned long long)after);
	else
		snprintf(line, sizeof line, "failed: %s", err_name(e));
	report(report_ctx, line);
}

static void report_scan(void *ctx, bool json, bool (*line)(void *, const char *), void *line_ctx)
{
	struct app *app = ctx;
	struct scanner_options options = scan_options(app->conf, app->library);
	struct err_info info = { 0 };
	char text[sizeof info.text + 16];
	enum err e = scan_report_write(&options, json ? SCAN_REPORT_JSON : SCAN_REPORT_TEXT, line,
				       line_ctx, &info);

	if (e == ERR_OK)
		return;
	snprintf(text, sizeof text, "failed: %s", info.text[0] ? info.text : err_name(e));
	line(line_ctx, text);
}

static void on_memory(void *ctx, uint64_t bytes)
{
	struct app *app = ctx;

	memory_set_work(&app->memory, bytes);
}

static uint64_t memory_bytes(const struct conf *conf)
{
	return (uint64_t)conf->memory_mib << 20;
}

static enum err open_library(struct app *app, struct err_info *info)
{
	struct library_options options = {
		.database_dir = app->conf->database_dir,
		.budget_bytes = memory_bytes(app->conf),
		.on_commit = on_commit,
		.on_memory = on_memory,
		.ctx = app,
	};

	return library_open(&options, &app->library, info);
}

static enum err open_http(struct app *app, struct err_info *info)
{
	struct http_options http_options = {
		.port = app->conf->port,
		.interfaces = app->conf->interfaces.items,
		.interfaces_n = app->conf->interfaces.n,
		.host_names = app->conf->host_names.items,
		.host_names_n = app->conf->host_names.n,
	};
	struct dlna_options dlna_options = { .friendly_name = app->conf->name };
	struct web_options web_options = {
		.friendly_name = app->conf->name,
		.tag_encoding = app->conf->tag_encoding,
		.content_features = dlna_content_features,
		.thumb_features = dlna_thumb_features,
		.thumbnails_max_bytes = (uint64_t)app->conf->thumbnail_cache_mib << 20,
		.client_type = dlna_client_type,
		.progress_json = progress_json,
		.ctx = app,
	};
	struct dlna *dlna = NULL;
	int n = snprintf(app->thumbnails_dir, sizeof app->thumbnails_dir, "%s/" APP_THUMBNAILS_DIR,
			 app->conf->database_dir);
	if (n > 0 && (size_t)n < sizeof app->thumbnails_dir)
		web_options.thumbnails_dir = app->thumbnails_dir;
	enum err e = http_new(&http_options, &app->http, info);

	if (e == ERR_OK)
		e = cache_new(memory_pages_bytes(&app->memory), &app->pages);
	memory_set_pages(&app->memory, app->pages);
	dlna_options.pages = web_options.pages = app->pages;
	dlna_options.library = web_options.library = app->library;
	dlna_options.http = web_options.http = app->http;
	if (e == ERR_OK)
		e = dlna_new(&dlna_options, &dlna, info);
	atomic_store_explicit(&app->dlna, dlna, memory_order_release);
	if (e == ERR_OK)
		e = web_new(&web_options, &app->web, info);
	if (e == ERR_OK)
		e = http_start(app->http, info);
	return e;
}

static enum err open_discovery(struct app *app, struct err_info *info)
{
	struct discovery_options options = {
		.interfaces = app->conf->interfaces.items,
		.interfaces_n = (unsigned)app->conf->interfaces.n,
		.http_port = http_port(app->http),
	};

	return discovery_start(&options, &app->discovery, info);
}

static enum err open_scanner(struct app *app, struct err_info *info)
{
	struct scanner_options options = scan_options(app->conf, app->library);
	struct scanner *scanner = NULL;
	enum err e = scanner_start(&options, &scanner, info);

	atomic_store_explicit(&app->scanner, scanner, memory_order_release);
	return e;
}

static enum err open_control(struct app *app, struct err_info *info)
{
	struct control_handlers handlers = {
		.stats = stats_json,
		.check = check_store,
		.backup = backup_store,
		.compact = compact_store,
		.report = report_scan,
		.playlists = playlists_text,
		.ctx = app,
	};

	return control_start(app->conf->database_dir, &handlers, &app->control, info);
}

static void say_where(struct app *app)
{
	char urls[1024];

	addresses_web_urls(app->conf->interfaces.items, app->conf->interfaces.n,
			   http_port(app->http), urls, sizeof urls);
	printf("salver %s is serving.\n  Web page:  %s\n  TVs see:   %s\n", SALVER_VERSION, urls,
	       app->conf->name);
	fflush(stdout);
}

enum err app_start(const struct conf *conf, struct app **out, struct err_info *info)
{
	struct app *app = calloc(1, sizeof *app);

	if (!app)
		return ERR_NOMEM;
	app->conf = conf;
	app->signal_fd = app->epoll_fd = -1;
	memory_init(&app->memory, memory_bytes(conf));
	limit_process();

	enum err e = open_signals(app, info);
	if (e == ERR_OK)
		e = open_library(app, info);
	if (e == ERR_OK)
		e = open_http(app, info);
	if (e == ERR_OK)
		e = open_control(app, info);
	if (e == ERR_OK)
		e = open_discovery(app, info);
	if (e == ERR_OK)
		say_where(app);
	if (e == ERR_OK)
		e = open_scanner(app, info);
	if (e != ERR_OK) {
		app_stop(app);
		return e;
	}
	*out = app;
	return ERR_OK;
}

/* What can change while serving does. */
static void reload(struct app *app)
{
	struct err_info info = { 0 };
	struct conf *conf = NULL;

	if (conf_reload(app->conf, &conf, &info) != ERR_OK) {
		log_error(LOG_MAIN, "SIGHUP: nothing is changed: %s", info.text);
		return;
	}
	log_set_level(conf->log_level);
	memory_set_total(&app->memory, memory_bytes(conf));
	library_memory_set(app->library, memory_bytes(conf));
	log_info(LOG_MAIN,
		 "SIGHUP: logging.level and database.memory (%u MiB) are as configured now; other "
		 "changes need a restart",
		 conf->memory_mib);
	conf_free(conf);
}

enum err app_run(struct app *app)
{
	for (;;) {
		struct epoll_event event;
		struct signalfd_siginfo signal_info;
		int n = epoll_wait(app->epoll_fd, &event, 1, -1);

		if (n < 0 && errno != EINTR)
			return ERR_IO;
		if (n <= 0 || read(app->signal_fd, &signal_info, sizeof signal_info) <= 0)
			continue;
		if (signal_info.ssi_signo == SIGHUP) {
			reload(app);
			continue;
		}
		log_info(LOG_MAIN, "stopping (signal %u)", signal_info.ssi_signo);
		return ERR_OK;
	}
}

void app_stop(struct app *app)
{
	if (!app)
		return;
	library_hurry(app->library);
	discovery_stop(app->discovery); /* byebye first: nobody should come any more */
	control_stop(app->control);
	web_stop(app->web); /* nobody waits for a picture any more */
	if (app->http)
		http_stop(app->http, APP_STOP_GRACE_MS);
	/* Both of the above ask it for its progress. */
	scanner_stop(atomic_load_explicit(&app->scanner, memory_order_relaxed));
	/* Its writer notifies dlna and shares out memory until it has ended. */
	library_close(app->library);
	web_free(app->web);
	dlna_free(atomic_load_explicit(&app->dlna, memory_order_relaxed));
	http_free(app->http);
	cache_free(app->pages);
	memory_fini(&app->memory);
	fd_closep(&app->signal_fd);
	fd_closep(&app->epoll_fd);
	free(app);
}
