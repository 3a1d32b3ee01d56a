/* SPDX-License-Identifier: MIT */
/* Batches on their way to the library. */
#include "library/submit.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "library/bookmarks.h"
#include "library/playlists.h"
#include "library/settings.h"
#include "schema/media_fb.h"

enum err submit_init(struct submit *a, struct library *library, int stop_fd)
{
	*a = (struct submit){ .library = library, .stop_fd = stop_fd };
	mutex_init(&a->lock);
	a->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return a->done_fd < 0 ? err_from_errno(errno) : ERR_OK;
}

static unsigned read_locked(struct submit *a, const unsigned *n)
{
	mutex_lock(&a->lock);
	unsigned value = *n;
	mutex_unlock(&a->lock);
	return value;
}

static void tell(struct submit *a)
{
	uint64_t one = 1;

	if (write(a->done_fd, &one, sizeof one) < 0)
		a->failure = ERR_IO;
}

/* On the writer thread, like batch_done(), which comes later. */
static void batch_taken(void *ctx)
{
	struct submit *a = ctx;

	mutex_lock(&a->lock);
	a->queued_n--;
	tell(a);
	mutex_unlock(&a->lock);
}

/* On the writer thread. The event is sent under the lock: after it submit_fini() may free all. */
static void batch_done(void *ctx, const struct batch_result *r)
{
	struct submit *a = ctx;

	mutex_lock(&a->lock);
	a->pending_n--;
	a->stored_n += r->put_n;
	a->removed_n += r->removed_n;
	a->failed_n += r->failed_n;
	if (r->err != ERR_OK && a->failure == ERR_OK)
		a->failure = r->err;
	tell(a);
	mutex_unlock(&a->lock);
}

static void wait_for_done(struct submit *a, bool heed_stop, bool *out_stopped)
{
	struct pollfd fds[2] = { { .fd = a->done_fd, .events = POLLIN },
				 { .fd = a->stop_fd, .events = POLLIN } };
	uint64_t n;

	if (poll(fds, heed_stop ? 2 : 1, -1) < 0)
		return;
	if (fds[0].revents && read(a->done_fd, &n, sizeof n) < 0)
		return;
	*out_stopped = fds[1].revents != 0;
}

/* Until at most `most` batches are so far; n: queued_n or pending_n. */
static enum err wait_until_few(struct submit *a, const unsigned *n, unsigned most)
{
	bool stopped = false;

	while (read_locked(a, n) > most) {
		wait_for_done(a, true, &stopped);
		if (stopped)
			return ERR_CLOSED;
	}
	return ERR_OK;
}

void submit_fini(struct submit *a)
{
	bool stopped;

	if (a->done_fd < 0)
		return;
	if (read_locked(a, &a->pending_n) > 0)
		library_flush(a->library);
	while (read_locked(a, &a->pending_n) > 0)
		wait_for_done(a, false, &stopped);
	batch_free(a->batch);
	fd_closep(&a->done_fd);
	mutex_fini(&a->lock);
}

static void count_given(struct submit *a, int change)
{
	mutex_lock(&a->lock);
	a->queued_n += (unsigned)change;
	a->pending_n += (unsigned)change;
	mutex_unlock(&a->lock);
}

static enum err give(struct submit *a, enum batch_urgency urgency)
{
	if (!a->batch || batch_len(a->batch) == 0)
		return ERR_OK;
	enum err e = wait_until_few(a, &a->queued_n, SUBMIT_QUEUED_MAX - 1);
	if (e != ERR_OK)
		return e;
	count_given(a, 1);
	batch_on_taken(a->batch, batch_taken);
	e = library_submit(a->library, a->batch, urgency, batch_done, a);
	if (e == ERR_OK)
		a->batch = NULL;
	else
		count_given(a, -1);
	return e;
}

enum err submit_flush(struct submit *a)
{
	return give(a, a->urgency);
}

uint64_t submit_due_ms(const struct submit *a)
{
	return a->batch && batch_len(a->batch) > 0 ? a->first_ms + SUBMIT_BATCH_AGE_MS : UINT64_MAX;
}

enum err submit_flush_due(struct submit *a)
{
	if (!a->batch)
		return ERR_OK;
	if (batch_len(a->batch) < SUBMIT_BATCH_FILES && clock_now_ms() < submit_due_ms(a))
		return ERR_OK;
	return submit_flush(a);
}

enum err submit_barrier(struct submit *a)
{
	enum batch_urgency urgency = a->urgency == BATCH_SCAN ? BATCH_SCAN_END : a->urgency;
	bool given = a->batch && batch_len(a->batch) > 0;
	enum err e = give(a, urgency);

	if (e == ERR_OK && !given && read_locked(a, &a->pending_n) > 0)
		library_flush(a->library);
	return e == ERR_OK ? wait_until_few(a, &a->pending_n, 0) : e;
}

enum err submit_take_failure(struct submit *a)
{
	mutex_lock(&a->lock);
	enum err e = a->failure;
	a->failure = ERR_OK;
	mutex_unlock(&a->lock);
	return e;
}

void submit_totals(struct submit *a, struct submit_totals *out)
{
	mutex_lock(&a->lock);
	*out = (struct submit_totals){ a->stored_n, a->removed_n, a->failed_n };
	mutex_unlock(&a->lock);
}

/* One change, of whatever kind. */
struct change {
	enum {
		CHANGE_ROOT,
		CHANGE_PUT,
		CHANGE_REMOVE,
		CHANGE_REMOVE_TREE,
		CHANGE_BOOKMARK,
		CHANGE_SETTING,
		CHANGE_PLAYLIST
	} kind;
	struct span path, name, value;
	const struct media_file_in *file;
	uint64_t moved_id;
	const struct bookmark_change *bookmark;
	const struct playlist_import *playlist;
};

static enum err add(struct batch *b, const struct change *c)
{
	switch (c->kind) {
	case CHANGE_ROOT:
		return batch_root(b, c->path, c->name);
	case CHANGE_PUT:
		return c->moved_id != 0 ? batch_move(b, c->moved_id, c->file)
					: batch_put(b, c->file);
	case CHANGE_REMOVE:
		return batch_remove(b, c->path);
	case CHANGE_REMOVE_TREE:
		return batch_remove_tree(b, c->path);
	case CHANGE_BOOKMARK:
		return batch_bookmark_set(b, c->bookmark, NULL);
	case CHANGE_SETTING:
		return batch_setting_set(b, c->name, c->value, NULL);
	case CHANGE_PLAYLIST:
		return batch_playlist_import(b, c->playlist, NULL);
	}
	return ERR_INVALID;
}

/* Into the batch; where it is full, into the next. */
static enum err submit_change(struct submit *a, const struct change *c)
{
	for (unsigned tries = 0; tries < 2; tries++) {
		enum err e = a->batch ? ERR_OK : batch_new(&a->batch);

		if (e != ERR_OK)
			return e;
		if (batch_len(a->batch) == 0)
			a->first_ms = clock_now_ms();
		e = add(a->batch, c);
		if (e == ERR_OK) /* how old it is, who submits asks when he waits */
			return batch_len(a->batch) < SUBMIT_BATCH_FILES ? ERR_OK : submit_flush(a);
		if (e != ERR_LIMIT)
			return e;
		e = submit_flush(a);
		if (e != ERR_OK)
			return e;
	}
	return ERR_LIMIT; /* larger than a whole batch may be */
}

enum err submit_root(struct submit *a, struct span path, struct span name)
{
	return submit_change(a,
			     &(struct change){ .kind = CHANGE_ROOT, .path = path, .name = name });
}

enum err submit_put(struct submit *a, const struct media_file_in *file, uint64_t moved_id)
{
	return submit_change(
		a, &(struct change){ .kind = CHANGE_PUT, .file = file, .moved_id = moved_id });
}

enum err submit_remove(struct submit *a, struct span path)
{
	return submit_change(a, &(struct change){ .kind = CHANGE_REMOVE, .path = path });
}

enum err submit_remove_tree(struct submit *a, struct span path)
{
	return submit_change(a, &(struct change){ .kind = CHANGE_REMOVE_TREE, .path = path });
}

enum err submit_bookmark(struct submit *a, const struct bookmark_change *bookmark)
{
	return submit_change(a, &(struct change){ .kind = CHANGE_BOOKMARK, .bookmark = bookmark });
}

enum err submit_setting(struct submit *a, struct span name, struct span value)
{
	return submit_change(
		a, &(struct change){ .kind = CHANGE_SETTING, .name = name, .value = value });
}

enum err submit_playlist(struct submit *a, const struct playlist_import *playlist)
{
	return submit_change(a, &(struct change){ .kind = CHANGE_PLAYLIST, .playlist = playlist });
}
