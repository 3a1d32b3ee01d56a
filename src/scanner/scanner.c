/* SPDX-License-Identifier: MIT */
/* The scanner's thread: one walk at start, then rounds over what inotify names. A round stores what
 * is new first and removes what has gone last, so that a file that moved keeps its id. */
#include "scanner/scanner.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/blocks.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "scanner/scanner_priv.h"

#define NEVER UINT64_MAX

/* ---- progress -------------------------------------------------------------------------------- */

void scanner_progress_get(const struct scanner *s, struct scanner_progress *out)
{
	const struct counters *c = &s->counters;
	struct submit_totals t;

	submit_totals((struct submit *)&s->submit, &t); /* only locks */
	*out = (struct scanner_progress){
		.scanning = atomic_load(&s->scanning),
		.refused = atomic_load(&s->refused),
		.started_ms = counter_get(&c->started_ms),
		.ended_ms = counter_get(&c->ended_ms),
		.directories_n = counter_get(&c->directories_n),
		.found_n = counter_get(&c->found_n),
		.unchanged_n = counter_get(&c->unchanged_n),
		.probed_n = counter_get(&c->probed_n),
		.stored_n = t.stored_n - counter_get(&c->stored_before),
		.removed_n = t.removed_n - counter_get(&c->removed_before),
		.failed_n = counter_get(&c->failed_n) + t.failed_n - counter_get(&c->failed_before),
		.quarantined_n = counter_get(&c->quarantined_n),
		.done_n = counter_get(&c->done_n),
		.expected_n = counter_get(&c->expected_n),
		.watches_n = counter_get(&c->watches_n),
	};
}

static void progress_begin(struct scanner *s)
{
	struct counters *c = &s->counters;
	struct library_stats stats;
	struct submit_totals t;

	submit_totals(&s->submit, &t);
	counter_set(&c->stored_before, t.stored_n);
	counter_set(&c->removed_before, t.removed_n);
	counter_set(&c->failed_before, t.failed_n);
	counter_set(&c->directories_n, 0);
	counter_set(&c->found_n, 0);
	counter_set(&c->unchanged_n, 0);
	counter_set(&c->probed_n, 0);
	counter_set(&c->failed_n, 0);
	counter_set(&c->quarantined_n, 0);
	counter_set(&c->moved_n, 0);
	counter_set(&c->done_n, 0);
	library_stats_get(s->library, &stats);
	counter_set(&c->expected_n, stats.audio_n + stats.video_n + stats.images_n);
	counter_set(&c->ended_ms, 0);
	counter_set(&c->started_ms, clock_now_ms());
	atomic_store(&s->scanning, true);
	s->next_line_ms = clock_now_ms() + SCAN_PROGRESS_MS;
}

static void progress_line(struct scanner *s, uint64_t now_ms)
{
	struct scanner_progress p;
	char left[80] = "time left unknown";

	scanner_progress_get(s, &p);
	uint64_t ms = MAX(now_ms - p.started_ms, (uint64_t)1);
	uint64_t left_ms = scanner_left_ms(&p, now_ms);
	if (left_ms != UINT64_MAX)
		snprintf(left, sizeof left, "%.0f %% of about %llu, about %llu s left",
			 100.0 * (double)p.done_n / (double)p.expected_n,
			 (unsigned long long)p.expected_n, (unsigned long long)(left_ms / 1000));
	log_info(LOG_SCAN, "%llu files found, %llu probed, %llu stored: %llu/s, %.1f s, %s",
		 (unsigned long long)p.found_n, (unsigned long long)p.probed_n,
		 (unsigned long long)p.stored_n, (unsigned long long)(p.done_n * 1000 / ms),
		 (double)ms / 1000.0, left);
	s->next_line_ms = now_ms + SCAN_PROGRESS_MS;
}

static void progress_end(struct scanner *s)
{
	struct scanner_progress p;

	counter_set(&s->counters.ended_ms, clock_now_ms());
	atomic_store(&s->scanning, false);
	s->next_line_ms = NEVER;
	scanner_progress_get(s, &p);
	log_info(LOG_SCAN,
		 "scanned %llu files in %llu directories in %.2f s: %llu unchanged, %llu stored "
		 "(%llu moved), %llu removed, %llu failed",
		 (unsigned long long)p.found_n, (unsigned long long)p.directories_n,
		 (double)(p.ended_ms - p.started_ms) / 1000.0, (unsigned long long)p.unchanged_n,
		 (unsigned long long)p.stored_n,
		 (unsigned long long)counter_get(&s->counters.moved_n),
		 (unsigned long long)p.removed_n, (unsigned long long)p.failed_n);
}

/* ---- waiting --------------------------------------------------------------------------------- */

static int timeout_until(uint64_t deadline_ms)
{
	uint64_t now_ms = clock_now_ms();

	if (deadline_ms == NEVER)
		return -1;
	return deadline_ms <= now_ms ? 0 : (int)MIN(deadline_ms - now_ms, (uint64_t)INT_MAX);
}

enum err scan_turn(struct scanner *s, uint64_t deadline_ms)
{
	bool watched = s->watch && !s->given_up;
	struct pollfd fds[4] = { { .fd = s->stop_fd, .events = POLLIN },
				 { .fd = watched ? watch_fd(s->watch) : -1, .events = POLLIN },
				 { .fd = -1, .events = POLLIN },
				 { .fd = watched ? s->mounts.fd : -1, .events = POLLPRI } };

	if (probe_pending(s->probe) > 0)
		fds[2].fd = probe_poll_fd(s->probe);
	deadline_ms = MIN(deadline_ms, submit_due_ms(&s->submit));
	deadline_ms = MIN(deadline_ms, s->next_line_ms);
	if (poll(fds, ARRAY_LEN(fds), timeout_until(deadline_ms)) < 0 && errno != EINTR)
		return err_from_errno(errno);
	if (fds[0].revents)
		return ERR_CLOSED;
	if (fds[1].revents)
		watch_read(s->watch);
	s->mounts_event |= fds[3].revents != 0;
	enum err e = jobs_collect(s);
	uint64_t now_ms = clock_now_ms();
	if (now_ms >= s->next_line_ms)
		progress_line(s, now_ms);
	return e == ERR_OK ? submit_flush_due(&s->submit) : e;
}

enum err scan_breathe(struct scanner *s)
{
	uint64_t now_ms = clock_now_ms();

	if (now_ms == s->breath_ms)
		return ERR_OK;
	s->breath_ms = now_ms;
	return scan_turn(s, 0);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static enum err look_at(struct scanner *s, uint16_t root, struct span path, enum visit_mode mode)
{
	enum err e = visit_tree(s, root, path, mode);

	if (s->watch)
		watch_sweep(s->watch);
	return e;
}

static enum err look_at_node(struct scanner *s, const struct watch_node *node, enum visit_mode mode)
{
	struct buf path;

	buf_init(&path, SCAN_PATH_MAX_BYTES);
	watch_add_path(node, &path);
	enum err e = buf_err(&path);
	if (e == ERR_OK)
		e = visit_tree(s, node->root, buf_span(&path), mode);
	buf_fini(&path);
	return e;
}

/* The walk holds nodes that may have been dropped: nothing is swept here. */
enum err scan_look_early(struct scanner *s)
{
	uint64_t now_ms = clock_now_ms();
	struct watch_node *node;
	enum err e = ERR_OK;

	if (!s->watch || !atomic_load(&s->scanning) || s->early ||
	    now_ms < s->early_ms + WATCH_QUIET_MS)
		return ERR_OK;
	s->early = true;
	while (e == ERR_OK && (node = watch_peek_dirty(s->watch, now_ms)))
		e = look_at_node(s, node, VISIT_FILES);
	s->early = false;
	s->early_ms = clock_now_ms();
	return e;
}

static enum err look_at_dirty(struct scanner *s)
{
	uint64_t begin_ms = clock_now_ms(); /* what changes again after that has to wait */
	struct watch_node *node;
	enum err e = ERR_OK;

	if (!s->watch)
		return ERR_OK;
	watch_read(s->watch);
	while (e == ERR_OK && (node = watch_take_dirty(s->watch, begin_ms))) {
		e = look_at_node(s, node, VISIT_NEW);
		watch_sweep(s->watch);
	}
	return e;
}

/* What has gone is only removed once what has come is stored. */
static enum err remove_gone(struct scanner *s)
{
	struct removals gone = s->removals;
	enum err e = ERR_OK;

	s->removals = (struct removals){ 0 };
	for (size_t i = 0; i < gone.n && e == ERR_OK; i++)
		e = look_at(s, gone.items[i].root, gone.items[i].path, VISIT_REMOVALS);
	removals_clear(&gone);
	return e == ERR_OK ? submit_barrier(&s->submit) : e;
}

/* The end of a round: everything visited is stored, then what has gone is removed. Directories that
 * changed meanwhile come first: what left one may have arrived in another. */
static enum err round_finish(struct scanner *s)
{
	enum err e = jobs_finish(s);

	for (unsigned i = 0; i < SCAN_ROUND_REPEATS && e == ERR_OK && s->removals.n > 0; i++) {
		if (s->watch)
			watch_read(s->watch);
		if (!s->watch || watch_due_ms(s->watch) > clock_now_ms() + WATCH_PATIENCE_MS)
			break;
		e = look_at_dirty(s);
		if (e == ERR_OK)
			e = jobs_finish(s);
	}
	if (e == ERR_OK && s->removals.n > 0)
		e = remove_gone(s);
	return e == ERR_OK ? playlists_finish(s) : e;
}

static enum err scan_all(struct scanner *s)
{
	progress_begin(s);
	playlists_note_all(s);
	s->submit.urgency = BATCH_SCAN;
	enum err e = roots_prune(s, ROOTS_BEFORE_SCAN);
	if (e == ERR_OK)
		e = submit_barrier(&s->submit);
	for (uint16_t i = 0; i < s->roots_n && e == ERR_OK; i++)
		e = look_at(s, i, SPAN(""), VISIT_ALL);
	if (e == ERR_OK)
		e = round_finish(s);
	if (e == ERR_OK)
		e = roots_prune(s, ROOTS_AFTER_SCAN);
	if (e == ERR_OK)
		e = roots_check_grace(s);
	if (e == ERR_OK)
		e = submit_barrier(&s->submit);
	s->submit.urgency = BATCH_URGENT;
	if (e == ERR_OK)
		library_scan_ended(s->library);
	progress_end(s);
	if (s->rescan_ms > 0)
		s->rescan_due_ms = clock_now_ms() + s->rescan_ms;
	blocks_trim();
	return e;
}

static enum err follow_events(struct scanner *s)
{
	enum err e = look_at_dirty(s);

	return e == ERR_OK ? round_finish(s) : e;
}

/* Without events: roots that are away, file systems of other machines, directories without watch.
 */
struct poll_list {
	struct scanner *s;
	enum err err;
	struct removals places; /* root and path each */
};

static void add_polled(void *ctx, struct watch_node *node)
{
	struct poll_list *list = ctx;
	struct buf path;

	buf_init(&path, SCAN_PATH_MAX_BYTES);
	watch_add_path(node, &path);
	if (list->err == ERR_OK)
		list->err = buf_err(&path);
	if (list->err == ERR_OK)
		list->err = removals_add(&list->places, node->root, buf_span(&path));
	buf_fini(&path);
}

static enum err look_at_polled(struct scanner *s)
{
	struct poll_list list = { .s = s, .err = ERR_OK };

	if (s->watch)
		watch_each_polled(s->watch, add_polled, &list);
	for (size_t i = 0; i < list.places.n && list.err == ERR_OK; i++)
		list.err =
			look_at(s, list.places.items[i].root, list.places.items[i].path, VISIT_ALL);
	removals_clear(&list.places);
	return list.err;
}

static enum err follow_polls(struct scanner *s)
{
	uint64_t now_ms = clock_now_ms();
	enum err e = ERR_OK;

	for (uint16_t i = 0; i < s->roots_n && e == ERR_OK; i++)
		if (s->roots[i].away)
			e = look_at(s, i, SPAN(""), VISIT_ALL);
	s->root_poll_due_ms = clock_now_ms() + MIN(s->poll_ms, (uint64_t)SCAN_ROOT_POLL_MS);
	if (e == ERR_OK && now_ms >= s->poll_due_ms) {
		e = s->watch ? look_at_polled(s) : scan_all(s);
		uint64_t end_ms = clock_now_ms();
		s->poll_due_ms = end_ms + MAX(s->poll_ms, SCAN_POLL_SHARE * (end_ms - now_ms));
	}
	if (e == ERR_OK)
		e = round_finish(s);
	return e == ERR_OK ? roots_check_grace(s) : e;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static uint64_t poll_due(const struct scanner *s)
{
	uint64_t due = NEVER;

	if (!s->watching) /* by rescans only */
		return NEVER;
	if (roots_any_away(s))
		due = s->root_poll_due_ms;
	if (!s->watch || watch_has_polled(s->watch))
		due = MIN(due, s->poll_due_ms);
	return due;
}

static uint64_t next_due(const struct scanner *s)
{
	if (s->given_up)
		return s->reap_due_ms;
	uint64_t due = MIN(poll_due(s), MIN(s->retry_due_ms, s->reap_due_ms));
	due = MIN(due, s->rescan_due_ms);

	due = MIN(due, playlists_due_ms(s));

	return s->watch ? MIN(due, watch_due_ms(s->watch)) : due;
}

/* One thing that is due. */
static enum err work(struct scanner *s)
{
	uint64_t now_ms = clock_now_ms();

	if (now_ms >= s->reap_due_ms) {
		s->reap_due_ms = NEVER;
		probe_reap_idle(s->probe);
	}
	if (s->given_up)
		return ERR_OK;
	if (s->watch && watch_take_overflow(s->watch)) {
		log_warn(LOG_SCAN, "events were lost: looking at everything");
		s->retry_due_ms = now_ms;
	}
	if (s->watch && watch_take_roots_changed(s->watch))
		s->retry_due_ms = now_ms;
	if (s->mounts_event) {
		s->mounts_event = false;
		if (mounts_changed(&s->mounts, s->roots, s->roots_n)) {
			log_info(LOG_SCAN, "a file system came or went: looking at everything");
			s->retry_due_ms = now_ms;
		}
	}
	if (now_ms >= MIN(s->retry_due_ms, s->rescan_due_ms)) {
		s->retry_due_ms = s->rescan_due_ms = NEVER;
		return scan_all(s);
	}
	if (now_ms >= poll_due(s))
		return follow_polls(s);
	if (s->watch && now_ms >= watch_due_ms(s->watch))
		return follow_events(s);
	if (now_ms >= playlists_due_ms(s))
		return playlists_finish(s);
	return ERR_OK;
}

/* A fault made the library read-only: trying again would fail again until it is opened anew. */
static bool is_refused(struct scanner *s)
{
	struct library_stats stats;

	library_stats_get(s->library, &stats);
	return stats.poisoned;
}

static void give_up(struct scanner *s)
{
	log_error(LOG_SCAN, "the library is read-only after a fault: no change on the disk is "
			    "stored any more; mend the cause and start salver again");
	s->given_up = true;
	atomic_store(&s->refused, true);
	s->retry_due_ms = NEVER;
}

/* After each piece of work: say what went wrong, once, and look again later. */
static enum err settle(struct scanner *s, enum err e)
{
	enum err failure = submit_take_failure(&s->submit);
	uint64_t probed_n = counter_get(&s->counters.probed_n);

	if (e == ERR_CLOSED)
		return e;
	if (e == ERR_OK)
		e = failure;
	if (e != ERR_OK && is_refused(s)) {
		removals_clear(&s->removals);
		playlists_fini(s);
		give_up(s);
	} else if (e != ERR_OK) {
		log_error(LOG_SCAN, "scanning failed: %s; trying again in %d s", err_name(e),
			  SCAN_RETRY_MS / 1000);
		removals_clear(&s->removals);
		playlists_fini(s);
		s->retry_due_ms = clock_now_ms() + SCAN_RETRY_MS;
	}
	if (probed_n != s->probed_n)
		s->reap_due_ms = clock_now_ms() + PROBE_IDLE_EXIT_MS + 100;
	s->probed_n = probed_n;
	return ERR_OK;
}

static void set_done(struct scanner *s, bool *flag)
{
	mutex_lock(&s->lock);
	*flag = true;
	cond_broadcast(&s->first_scan);
	mutex_unlock(&s->lock);
}

static void run(void *arg)
{
	struct scanner *s = arg;

	(void)mounts_changed(&s->mounts, s->roots, s->roots_n);
	enum err e = settle(s, scan_all(s));
	if (e == ERR_OK)
		set_done(s, &s->first_scan_done);
	s->poll_due_ms = clock_now_ms() + s->poll_ms;
	s->root_poll_due_ms = clock_now_ms() + MIN(s->poll_ms, (uint64_t)SCAN_ROOT_POLL_MS);
	while (e == ERR_OK && (s->watching || s->rescan_ms > 0)) {
		e = scan_turn(s, next_due(s));
		if (e == ERR_OK)
			e = settle(s, work(s));
	}
	/* What is gathered is not lost, unless the writer is behind. */
	if (submit_flush(&s->submit) != ERR_OK)
		log_debug(LOG_SCAN, "the last batch was not stored");
	atomic_store(&s->scanning, false);
	set_done(s, &s->ended);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void scanner_free(struct scanner *s)
{
	if (!s)
		return;
	submit_fini(&s->submit);
	jobs_fini(s);
	probe_free(s->probe);
	watch_free(s->watch);
	roots_fini(s);
	removals_clear(&s->removals);
	playlists_fini(s);
	moved_clear(&s->moved);
	patterns_fini(&s->exclude);
	patterns_fini(&s->include);
	buf_fini(&s->path);
	walk_listing_fini(&s->listing);
	plan_fini(&s->files);
	plan_fini(&s->directories);
	mutex_fini(&s->lock);
	cond_fini(&s->first_scan);
	fd_closep(&s->stop_fd);
	mounts_close(&s->mounts);
	free(s);
}

void scanner_freep(struct scanner **s)
{
	scanner_free(*s);
}

enum err scanner_new(const struct scanner_options *options, struct scanner **out,
		     struct err_info *info)
{
	CLEANUP(scanner_freep) struct scanner *s = calloc(1, sizeof *s);
	struct probe_options probe = { .workers_n = options->probe_workers,
				       .program = options->probe_program,
				       .tag_encoding = options->tag_encoding };

	if (!s)
		return err_set(info, ERR_NOMEM, 0, "out of memory");
	s->library = options->library;
	s->watching = options->watch;
	s->poll_ms = options->poll_ms ? options->poll_ms : SCAN_POLL_MS;
	s->retry = options->retry;
	s->rescan_ms = options->rescan_ms;
	s->grace_s = options->grace_s;
	s->retry_due_ms = s->reap_due_ms = s->next_line_ms = s->rescan_due_ms = NEVER;
	s->submit.done_fd = -1;
	s->mounts.fd = -1;
	mutex_init(&s->lock);
	cond_init(&s->first_scan);
	walk_listing_init(&s->listing);
	buf_init(&s->path, SCAN_PATH_MAX_BYTES);
	s->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->stop_fd < 0)
		return err_set(info, err_from_errno(errno), errno, "cannot make an eventfd");
	enum err e = submit_init(&s->submit, s->library, s->stop_fd);
	if (e != ERR_OK)
		return err_set(info, e, errno, "cannot make an eventfd");
	e = roots_init(s, options, info);
	if (e == ERR_OK)
		e = patterns_init(&s->exclude, "scanner.exclude", options->exclude,
				  options->exclude_n, info);
	if (e == ERR_OK)
		e = patterns_init(&s->include, "scanner.include", options->include,
				  options->include_n, info);
	if (e == ERR_OK)
		e = probe_new(&probe, &s->probe, info);
	if (e == ERR_OK)
		*out = TAKE(s);
	return e;
}

enum err scanner_start(const struct scanner_options *options, struct scanner **out,
		       struct err_info *info)
{
	CLEANUP(scanner_freep) struct scanner *s = NULL;
	enum err e = scanner_new(options, &s, info);

	if (e != ERR_OK)
		return e;
	if (s->watching) {
		enum err w = watch_new(&s->watch);
		mounts_open(&s->mounts);
		if (w != ERR_OK)
			log_warn(LOG_SCAN,
				 "no inotify (%s): everything is looked at every %d s; "
				 "see sysctl fs.inotify.max_user_instances",
				 err_name(w), (int)(s->poll_ms / 1000));
	}
	e = thread_start(&s->thread, "scanner", run, s);
	if (e != ERR_OK)
		return err_set(info, e, 0, "cannot start the scanner's thread");
	*out = TAKE(s);
	return ERR_OK;
}

void scanner_stop(struct scanner *s)
{
	uint64_t one = 1;

	if (!s)
		return;
	if (write(s->stop_fd, &one, sizeof one) < 0)
		log_error(LOG_SCAN, "cannot stop: %s", strerror(errno));
	thread_join(&s->thread);
	scanner_free(s);
}

enum err scanner_wait(struct scanner *s, uint64_t timeout_ms)
{
	uint64_t deadline_ms = clock_now_ms() + timeout_ms;
	enum err e = ERR_OK;

	mutex_lock(&s->lock);
	while (!s->first_scan_done && !s->ended && e == ERR_OK) {
		if (timeout_ms == 0)
			cond_wait(&s->first_scan, &s->lock);
		else if (!cond_wait_until(&s->first_scan, &s->lock, deadline_ms))
			e = ERR_TIMEOUT;
	}
	if (e == ERR_OK && !s->first_scan_done)
		e = ERR_CLOSED;
	mutex_unlock(&s->lock);
	return e;
}
