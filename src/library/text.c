/* SPDX-License-Identifier: MIT */
/* The life of text columns. A reader pins a slot by counting itself in and looking again whether
 * the slot is still the current one; who replaces the column makes another slot current first and
 * closes the old column only where nobody is counted in. All of that is sequentially consistent:
 * whoever counted himself in too late for the closer sees that the slot is no longer current. */
#include "library/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/thread.h"
#include "library/tables.h"
#include "library/text_build.h"
#include "library/text_query.h"

#define SLOTS_N 4u
#define SLOT_NONE SLOTS_N

#define TEXT_FILES_MIN 512 /* with fewer files, judging them one by one takes no time */
#define CHANGES_MIN 256	   /* so many changed rows are judged within half a millisecond */
#define CHANGES_MANY 16384 /* with so many, a column that is found is not worth keeping */
#define IDLE_MS 2000	   /* after the last commit ... */
#define BUSY_MS 10000	   /* ... or, where commits never pause, after the first */
#define BUILD_SHARE 20	   /* a build at most every so many times what the last one took */
#define RETRY_MS 60000	   /* after a failure: a full disk, say */
#define STALE_CHANGES (CHANGES_MANY + 1) /* as good as so many: the column is of no use */
_Static_assert(TEXT_ODD_MAX + CHANGES_MANY < TEXT_TAIL_MAX, "what is kept can be searched");

struct text {
	struct db *db;
	int dir_fd;
	uint64_t pause_ms;
	uint64_t number; /* of the newest file; the thread's */

	struct slot {
		_Atomic uint32_t pins;
		struct text_column *col; /* written while the slot is not current, without pins */
	} slots[SLOTS_N];
	_Atomic unsigned current; /* SLOT_NONE */

	struct mutex m;
	struct cond work;	      /* something below has changed */
	struct cond settled;	      /* a settle has been answered */
	uint64_t changes_n;	      /* m; commits */
	uint64_t behind_ms;	      /* m; the first since a build began; 0: none */
	uint64_t changed_ms;	      /* m; the last of them */
	bool asleep;		      /* m; the thread waits for the next commit */
	bool refused;		      /* m; a search could not use the column */
	bool rest;		      /* m; text_rest() */
	uint64_t asked_n, answered_n; /* m */
	enum err answer;	      /* m; of the last build that was asked for */
	_Atomic bool stop;
	struct thread thread;

	struct counter builds_n, failures_n, refused_n, build_ms;
	struct counter build_bytes; /* of the build under way, at most */

	/* the thread's own */
	uint64_t rows_seen_n;	/* rows put and removed when the column was made */
	uint64_t extra_n;	/* rows that had changed when it was opened */
	uint64_t not_before_ms; /* the next build */
};

/* ---- readers --------------------------------------------------------------------------------- */

const struct text_column *text_pin(struct text *t, unsigned *out_slot)
{
	for (;;) {
		unsigned slot = atomic_load(&t->current);
		if (slot == SLOT_NONE)
			return NULL;
		atomic_fetch_add(&t->slots[slot].pins, 1);
		if (atomic_load(&t->current) == slot) {
			*out_slot = slot;
			return t->slots[slot].col;
		}
		atomic_fetch_sub(&t->slots[slot].pins, 1);
	}
}

void text_unpin(struct text *t, unsigned slot)
{
	atomic_fetch_sub(&t->slots[slot].pins, 1);
}

void text_refused(struct text *t)
{
	counter_add(&t->refused_n, 1);
	mutex_lock(&t->m);
	t->refused = true;
	cond_signal(&t->work);
	mutex_unlock(&t->m);
}

/* ---- slots: the thread's --------------------------------------------------------------------- */

/** Only the thread and its owner: nobody else changes slots. */
static const struct text_column *column(const struct text *t)
{
	unsigned slot = atomic_load(&t->current);
	return slot == SLOT_NONE ? NULL : t->slots[slot].col;
}

/** Close what nobody looks at any more. */
static void slots_sweep(struct text *t)
{
	for (unsigned i = 0; i < SLOTS_N; i++) {
		struct slot *s = &t->slots[i];
		if (s->col && i != atomic_load(&t->current) && atomic_load(&s->pins) == 0)
			text_column_close(TAKE(s->col));
	}
}

/** Closes it and returns false where all other slots are being read. */
static bool slot_publish(struct text *t, struct text_column *col)
{
	unsigned before = atomic_load(&t->current), i = 0;
	slots_sweep(t);
	while (i < SLOTS_N && (i == before || t->slots[i].col))
		i++;
	if (i == SLOTS_N) {
		text_column_close(col);
		return false;
	}
	t->slots[i].col = col;
	atomic_store(&t->current, i);
	slots_sweep(t);
	return true;
}

static void slot_withdraw(struct text *t)
{
	atomic_store(&t->current, SLOT_NONE);
	slots_sweep(t);
}

/* ---- files ----------------------------------------------------------------------------------- */

static bool file_number(const char *name, uint64_t *out)
{
	char mine[32];
	struct span s = span_str(name);
	if (!span_starts(s, SPAN("text-")) || !span_ends(s, SPAN(".col")) || s.n < 10 ||
	    num_parse_u64(span_of(s.p + 5, s.n - 9), 0, UINT64_MAX / 2, out) != ERR_OK)
		return false;
	text_column_name(*out, mine);
	return strcmp(mine, name) == 0;
}

/** The newest file's number, 0: none. Calls `each` (may be NULL) for every one. */
static uint64_t files_list(int dir_fd, void (*each)(void *ctx, int dir_fd, uint64_t number),
			   void *ctx)
{
	uint64_t newest = 0, n;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (const struct dirent *de; (de = readdir(d));) {
		if (!file_number(de->d_name, &n))
			continue;
		newest = MAX(newest, n);
		if (each)
			each(ctx, dir_fd, n);
	}
	closedir(d);
	return newest;
}

static void unlink_other(void *number, int dir_fd, uint64_t n)
{
	char name[32];
	if (n == *(uint64_t *)number)
		return;
	text_column_name(n, name);
	unlinkat(dir_fd, name, 0);
}

/** Keep one file (0: none). A map outlives its file's name. */
static void files_keep(struct text *t, uint64_t number)
{
	(void)files_list(t->dir_fd, unlink_other, &number);
}

/* ---- how far behind -------------------------------------------------------------------------- */

static uint64_t rows_changed_n(struct text *t)
{
	struct db_stats s;
	db_stats_get(t->db, &s);
	return s.rows_put_n + s.rows_removed_n;
}

static enum err count_change(void *ctx, unsigned table, uint64_t id)
{
	(void)table, (void)id;
	uint64_t *n = ctx;
	return ++*n > CHANGES_MANY ? ERR_LIMIT : ERR_OK;
}

/** Rows changed since the column, at most STALE_CHANGES. */
static uint64_t behind_n(struct text *t, const struct text_column *col)
{
	uint64_t n = 0;
	struct db_snap *sn = db_snap_begin(t->db);
	if (db_changes_since(sn, &col->mark, count_change, &n) != ERR_OK)
		n = STALE_CHANGES;
	db_snap_end(sn);
	return n;
}

/** Take over what the last process left. One that a commit of ours is not above is of another
 * history: the directory was put back. */
static void adopt(struct text *t)
{
	struct text_column *col = NULL;
	t->number = files_list(t->dir_fd, NULL, NULL);
	t->rows_seen_n = rows_changed_n(t);
	if (t->number == 0 ||
	    text_column_open(t->dir_fd, t->number, db_uuid(t->db), &col) != ERR_OK) {
		files_keep(t, 0);
		return;
	}
	t->extra_n = behind_n(t, col);
	if (t->extra_n == STALE_CHANGES) {
		files_keep(t, 0);
		text_column_close(col);
		return;
	}
	files_keep(t, t->number);
	(void)slot_publish(t, col); /* the first one: all slots are free */
}

/* ---- building -------------------------------------------------------------------------------- */

static enum err build(struct text *t)
{
	struct text_column *col = NULL;
	uint64_t start_ms = clock_now_ms(), rows_n = rows_changed_n(t);
	mutex_lock(&t->m);
	t->behind_ms = 0;
	mutex_unlock(&t->m);
	struct db_snap *sn = db_snap_begin(t->db);
	counter_set(&t->build_bytes, TEXT_BUILD_BYTES_MAX);
	enum err e = text_build(t->dir_fd, t->number + 1, sn, db_uuid(t->db), &t->stop);
	counter_set(&t->build_bytes, 0);
	db_snap_end(sn);
	if (e == ERR_OK)
		e = text_column_open(t->dir_fd, ++t->number, db_uuid(t->db), &col);
	uint64_t now_ms = clock_now_ms();
	t->not_before_ms = now_ms + (now_ms - start_ms) * BUILD_SHARE;
	if (e == ERR_OK && !slot_publish(t, col)) {
		files_keep(t,
			   column(t)->number); /* it stays; not_before_ms says when we try again */
		e = ERR_BUSY;
	} else if (e == ERR_OK) {
		files_keep(t, t->number);
		t->rows_seen_n = rows_n;
		t->extra_n = 0;
		counter_add(&t->builds_n, 1);
		counter_set(&t->build_ms, now_ms - start_ms);
	} else if (e != ERR_CLOSED) {
		counter_add(&t->failures_n, 1);
		t->not_before_ms = now_ms + RETRY_MS;
		log_warn(LOG_LIBRARY,
			 "cannot write the index for searches: %s; searches go on "
			 "without it, but slower",
			 err_name(e));
	}
	return e;
}

/* What the thread has heard of. */
struct news {
	uint64_t changes_n, changed_ms, behind_ms;
	bool refused, rest;
};

/** When to build: UINT64_MAX where there is no need to. */
static uint64_t due_ms(struct text *t, const struct news *news)
{
	const struct text_column *col = column(t);
	uint64_t n = rows_changed_n(t) - t->rows_seen_n + t->extra_n;
	struct db_snap *sn = db_snap_begin(t->db);
	bool worth = db_rows(sn, TABLE_MEDIA) >= TEXT_FILES_MIN;
	db_snap_end(sn);
	if (col &&
	    (!text_column_sound(col) || (news->refused && behind_n(t, col) == STALE_CHANGES)))
		n = STALE_CHANGES;
	if (!worth || (col && n < CHANGES_MIN))
		return UINT64_MAX;
	if (news->rest)
		return 0; /* scans are rare: their end takes no share of the time */
	uint64_t idle_ms = news->changed_ms + IDLE_MS + t->pause_ms;
	uint64_t busy_ms = news->behind_ms + BUSY_MS + t->pause_ms;
	return MAX(news->behind_ms ? MIN(idle_ms, busy_ms) : idle_ms, t->not_before_ms);
}

static bool is_stopping(const struct text *t)
{
	return atomic_load(&t->stop);
}

/** Sleep until something happens or `until_ms`. */
static void wait(struct text *t, uint64_t until_ms, struct news *news)
{
	mutex_lock(&t->m);
	if (!t->refused && !t->rest && t->asked_n == t->answered_n && !is_stopping(t) &&
	    t->changes_n == news->changes_n) {
		t->asleep = until_ms == UINT64_MAX; /* else commits need not wake it */
		if (t->asleep)
			cond_wait(&t->work, &t->m);
		else
			(void)cond_wait_until(&t->work, &t->m, until_ms);
		t->asleep = false;
	}
	*news = (struct news){ t->changes_n, t->changed_ms, t->behind_ms, t->refused, t->rest };
	t->refused = t->rest = false;
	mutex_unlock(&t->m);
}

/** Build for those who asked; what came while it ran is not in it, so those wait for the next. */
static bool answer_asked(struct text *t)
{
	mutex_lock(&t->m);
	uint64_t asked_n = t->asked_n;
	bool asked = asked_n != t->answered_n;
	mutex_unlock(&t->m);
	if (!asked)
		return false;
	enum err e = build(t);
	mutex_lock(&t->m);
	t->answered_n = asked_n;
	t->answer = e;
	cond_broadcast(&t->settled);
	mutex_unlock(&t->m);
	return true;
}

static void text_main(void *arg)
{
	struct text *t = arg;
	struct news news = { .changed_ms = clock_now_ms() };
	adopt(t);
	while (!is_stopping(t)) {
		slots_sweep(t);
		if (answer_asked(t))
			continue;
		uint64_t due = due_ms(t, &news);
		if (due > clock_now_ms()) {
			wait(t, due, &news);
			continue;
		}
		(void)build(t);
		news.rest = false;
	}
	mutex_lock(&t->m);
	t->answered_n = UINT64_MAX;
	t->answer = ERR_CLOSED;
	cond_broadcast(&t->settled);
	mutex_unlock(&t->m);
}

/* ---- from outside ---------------------------------------------------------------------------- */

enum err text_new(const char *database_dir, struct db *db, uint64_t pause_ms, struct text **out)
{
	struct text *t = calloc(1, sizeof *t);
	if (!t)
		return ERR_NOMEM;
	t->db = db;
	t->pause_ms = pause_ms;
	atomic_init(&t->current, SLOT_NONE);
	mutex_init(&t->m);
	cond_init(&t->work);
	cond_init(&t->settled);
	t->changed_ms = clock_now_ms();
	t->dir_fd = open(database_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = t->dir_fd < 0 ? err_from_errno(errno)
				   : thread_start(&t->thread, "text", text_main, t);
	if (e != ERR_OK) {
		text_free(t);
		return e;
	}
	*out = t;
	return ERR_OK;
}

void text_hurry(struct text *t)
{
	if (!t)
		return;
	mutex_lock(&t->m);
	atomic_store(&t->stop, true);
	cond_broadcast(&t->work);
	mutex_unlock(&t->m);
}

void text_free(struct text *t)
{
	if (!t)
		return;
	text_hurry(t);
	thread_join(&t->thread);
	slot_withdraw(t);
	cond_fini(&t->settled);
	cond_fini(&t->work);
	mutex_fini(&t->m);
	fd_closep(&t->dir_fd);
	free(t);
}

void text_changed(struct text *t)
{
	mutex_lock(&t->m);
	t->changes_n++;
	t->changed_ms = clock_now_ms();
	if (t->behind_ms == 0)
		t->behind_ms = t->changed_ms;
	if (t->asleep)
		cond_signal(&t->work);
	mutex_unlock(&t->m);
}

void text_rest(struct text *t)
{
	mutex_lock(&t->m);
	t->rest = true;
	cond_signal(&t->work);
	mutex_unlock(&t->m);
}

enum err text_settle(struct text *t)
{
	mutex_lock(&t->m);
	uint64_t mine = ++t->asked_n;
	cond_signal(&t->work);
	while (t->answered_n < mine)
		cond_wait(&t->settled, &t->m);
	enum err e = t->answer;
	mutex_unlock(&t->m);
	return e;
}

void text_stats_get(struct text *t, struct text_stats *out)
{
	*out = (struct text_stats){ .builds_n = counter_get(&t->builds_n),
				    .failures_n = counter_get(&t->failures_n),
				    .refused_n = counter_get(&t->refused_n),
				    .build_ms = counter_get(&t->build_ms),
				    .memory_bytes = counter_get(&t->build_bytes) };
	unsigned slot;
	const struct text_column *col = text_pin(t, &slot);
	if (!col)
		return;
	out->commit = col->mark.commit;
	out->bytes = col->bytes;
	out->memory_bytes += text_column_memory_bytes(col);
	text_unpin(t, slot);
}

/* ---- salver check ---------------------------------------------------------------------------- */

struct column_check {
	const uint8_t *uuid;
	void (*report)(void *ctx, const char *line);
	void *ctx;
};

static void check_file(void *check, int dir_fd, uint64_t number)
{
	const struct column_check *c = check;
	struct text_column *col = NULL;
	char name[32], line[160];
	enum err e = text_column_open(dir_fd, number, c->uuid, &col);
	text_column_close(col);
	if (e == ERR_OK || e == ERR_NOTFOUND || !c->report) /* it may just be replaced */
		return;
	text_column_name(number, name);
	snprintf(line, sizeof line,
		 "search index %s: %s; nothing is lost, the server makes it again", name,
		 err_name(e));
	c->report(c->ctx, line);
}

void text_check(const char *database_dir, const uint8_t uuid[16],
		void (*report)(void *ctx, const char *line), void *ctx)
{
	struct column_check c = { uuid, report, ctx };
	CLEANUP(fd_closep) int fd = open(database_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)files_list(fd, check_file, &c);
}
