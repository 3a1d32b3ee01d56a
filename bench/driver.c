/* SPDX-License-Identifier: MIT */
/* Phases, each timed and with its peak of memory.
 *
 * What an engine does in bulk is timed as wall clock less the processor time that the generator of
 * rows took; with two processors nothing is taken off, because the generator may run beside the
 * engine. The driver's own memory, 64 rows, is touched before the base of the process is taken. */
#include "driver.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "instructions.h"
#include "memory.h"
#include "proc.h"
#include "reads.h"

#define COMMIT_ROWS 100000u
#define BLOCK_ROWS 64u
#define SINGLE_INSERTS 1000u
#define OPENINGS 9u
#define CHANGED_EVERY 10u /* one row in ten is updated, another one removed */
#define WARM_BYTES_PER_ROW 3000u
#define WARM_BYTES_MIN (64u << 20)

struct run {
	const struct driver_options *o;
	const struct engine *e;
	struct row_source rows;
	struct report report;
	void *db;
	uint64_t more_n; /* rows that single inserts added */
};

static struct row block[BLOCK_ROWS];

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* ---- phases ---------------------------------------------------------------------------------- */

static void phase_end(const struct run *r, const char *phase)
{
	char op[64];
	struct memory_peak peak = memory_phase_end();
	snprintf(op, sizeof op, "rss_anon.%s", phase);
	report_value(&r->report, op, (double)peak.anon_bytes, "bytes");
	snprintf(op, sizeof op, "rss_file.%s", phase);
	report_value(&r->report, op, (double)peak.file_bytes, "bytes");
	memory_phase_begin();
}

static void report_suffixed(const struct run *r, const char *op, const char *suffix, double value,
			    const char *unit)
{
	char name[64];
	snprintf(name, sizeof name, "%s%s", op, suffix);
	report_value(&r->report, name, value, unit);
}

static void open_store(struct run *r)
{
	struct engine_options o = { .dir = r->o->dir, .rows_n = r->o->rows_n };
	r->db = r->e->open(&o);
}

static void close_store(struct run *r)
{
	r->e->close(TAKE(r->db));
}

/* ---- bulk ------------------------------------------------------------------------------------ */

struct bulk {
	const char *op;
	uint64_t first, step;
	void (*make)(const struct row_source *s, uint64_t k, struct row *out);
	void (*apply)(const struct run *r, const struct row *row);
};

struct bulk_time {
	uint64_t total_ns, worst_ns, generate_ns, rows_n;
};

static void apply_put(const struct run *r, const struct row *row)
{
	r->e->put(r->db, row);
}

static void apply_update(const struct run *r, const struct row *row)
{
	r->e->update(r->db, row);
}

static void apply_remove(const struct run *r, const struct row *row)
{
	r->e->remove(r->db, row->in.path);
}

static void make_retagged(const struct row_source *s, uint64_t k, struct row *out)
{
	row_make(s, k, out);
	row_retag(out);
}

static const struct bulk bulk_insert = { "insert", 0, 1, row_make, apply_put };
static const struct bulk bulk_update = { "update", 7, CHANGED_EVERY, make_retagged, apply_update };
static const struct bulk bulk_remove = { "remove", 3, CHANGED_EVERY, row_make, apply_remove };

/* One durable commit from row *k on; returns how many rows it had. */
static uint64_t bulk_commit(struct run *r, const struct bulk *b, uint64_t *k, uint64_t *generate_ns)
{
	uint64_t done = 0;
	while (done < COMMIT_ROWS && *k < r->rows.n) {
		unsigned n = 0;
		INSTRUCTIONS_TOGGLE;
		uint64_t start = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
		for (; n < BLOCK_ROWS && done + n < COMMIT_ROWS && *k < r->rows.n; n++) {
			b->make(&r->rows, *k, &block[n]);
			*k += b->step;
		}
		*generate_ns += cpu_ns(CLOCK_THREAD_CPUTIME_ID) - start;
		INSTRUCTIONS_TOGGLE;
		for (unsigned i = 0; i < n; i++)
			b->apply(r, &block[i]);
		done += n;
	}
	r->e->commit(r->db);
	return done;
}

static struct bulk_time bulk_commits(struct run *r, const struct bulk *b)
{
	struct bulk_time t = { 0 };
	for (uint64_t k = b->first; k < r->rows.n;) {
		uint64_t generate_ns = 0, start = clock_now_ns();
		t.rows_n += bulk_commit(r, b, &k, &generate_ns);
		uint64_t took = clock_now_ns() - start;
		if (r->o->cpus_n == 1)
			took -= MIN(took, generate_ns);
		t.total_ns += took;
		t.generate_ns += generate_ns;
		t.worst_ns = MAX(t.worst_ns, took);
	}
	return t;
}

static void bulk_run(struct run *r, const struct bulk *b)
{
	uint64_t cpu = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
	INSTRUCTIONS_BEGIN;
	struct bulk_time t = bulk_commits(r, b);
	if (r->e->load_end && b == &bulk_insert) {
		uint64_t start = clock_now_ns();
		r->e->load_end(r->db);
		t.total_ns += clock_now_ns() - start;
	}
	INSTRUCTIONS_END(b->op);
	cpu = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu - t.generate_ns;
	double rows = (double)MAX(t.rows_n, (uint64_t)1);
	report_value(&r->report, b->op, rows * 1e9 / (double)t.total_ns, "rows/s");
	report_suffixed(r, b->op, ".n", (double)t.rows_n, "rows");
	report_suffixed(r, b->op, ".worst_commit", (double)t.worst_ns / 1e6, "ms");
	report_suffixed(r, b->op, ".cpu", (double)cpu / rows, "ns/row");
	report_suffixed(r, b->op, ".generator", (double)t.generate_ns / rows, "ns/row");
	phase_end(r, b->op);
}

/* ---- single inserts -------------------------------------------------------------------------- */

static void single_inserts(struct run *r)
{
	static uint64_t took[SINGLE_INSERTS];
	INSTRUCTIONS_BEGIN;
	for (unsigned i = 0; i < SINGLE_INSERTS; i++) {
		row_make(&r->rows, r->rows.n + r->more_n++, &block[0]);
		uint64_t start = clock_now_ns();
		r->e->put(r->db, &block[0]);
		r->e->commit(r->db);
		took[i] = clock_now_ns() - start;
	}
	INSTRUCTIONS_END("insert_one");
	report_value(&r->report, "insert_one.n", SINGLE_INSERTS, "rows");
	qsort(took, SINGLE_INSERTS, sizeof *took, compare_u64);
	report_value(&r->report, "insert_one.p50", (double)took[SINGLE_INSERTS / 2] / 1e3, "us");
	report_value(&r->report, "insert_one.p99", (double)took[SINGLE_INSERTS * 99 / 100] / 1e3,
		     "us");
	phase_end(r, "insert_one");
}

/* ---- courses --------------------------------------------------------------------------------- */

/* The blocks of the store's files, of those whose names begin with `extra` apart. */
static void disk_bytes(const char *dir, const char *extra, uint64_t *out, uint64_t *out_extra)
{
	DIR *d = opendir(dir);
	struct stat st;
	*out = *out_extra = 0;
	for (struct dirent *f = d ? readdir(d) : NULL; f; f = readdir(d)) {
		if (fstatat(dirfd(d), f->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode))
			continue;
		bool is_extra = extra && span_starts(span_str(f->d_name), span_str(extra));
		*(is_extra ? out_extra : out) += (uint64_t)st.st_blocks * 512;
	}
	if (d)
		closedir(d);
}

static void settle(struct run *r)
{
	if (!r->e->settle)
		return;
	uint64_t start = clock_now_ns();
	r->e->settle(r->db);
	report_value(&r->report, "settle", (double)(clock_now_ns() - start) / 1e6, "ms");
	phase_end(r, "settle");
}

static void load(struct run *r)
{
	struct proc_io before = proc_io(), after;
	uint64_t disk, extra;
	open_store(r);
	bulk_run(r, &bulk_insert);
	uint64_t start = clock_now_ns();
	close_store(r);
	report_value(&r->report, "close", (double)(clock_now_ns() - start) / 1e6, "ms");
	phase_end(r, "close");
	after = proc_io();
	double rows = (double)r->rows.n;
	disk_bytes(r->o->dir, r->e->extra_files, &disk, &extra);
	report_value(&r->report, "disk", (double)disk, "bytes");
	report_value(&r->report, "disk_extra", (double)extra, "bytes");
	report_value(&r->report, "written", (double)(after.written - before.written) / rows,
		     "bytes/row");
	report_value(&r->report, "write_calls", (double)(after.asked - before.asked) / rows,
		     "bytes/row");
}

/* Opens the store several times, because once is soon disturbed; the last time it stays open. */
static void reopen(struct run *r)
{
	uint64_t open_ns[OPENINGS], got_ns[OPENINGS];
	struct digest d = { 0 };
	for (unsigned i = 0; i < OPENINGS; i++) {
		if (i)
			close_store(r);
		uint64_t start = clock_now_ns();
		open_store(r);
		open_ns[i] = clock_now_ns() - start;
		r->e->get_id(r->db, r->rows.n / 2 + 1, &d);
		got_ns[i] = clock_now_ns() - start;
	}
	qsort(open_ns, OPENINGS, sizeof *open_ns, compare_u64);
	qsort(got_ns, OPENINGS, sizeof *got_ns, compare_u64);
	report_value(&r->report, "open", (double)open_ns[OPENINGS / 2] / 1e3, "us");
	report_read(&r->report, "open_first_get", (double)got_ns[OPENINGS / 2] / 1e3, OPENINGS, &d);
	phase_end(r, "open");
}

static void read_phase(struct run *r, const char *phase)
{
	struct reads reads = {
		.engine = r->e, .db = r->db, .rows = &r->rows, .report = &r->report, .phase = phase
	};
	reads_run(&reads);
	phase_end(r, phase);
}

static void course_all(struct run *r)
{
	load(r);
	if (!r->e->get_id)
		return;
	reopen(r);
	settle(r);
	read_phase(r, "read");
	single_inserts(r);
	bulk_run(r, &bulk_update);
	bulk_run(r, &bulk_remove);
	settle(r);
	read_phase(r, "changed");
	close_store(r);
}

static void course_read(struct run *r)
{
	reopen(r);
	settle(r);
	read_phase(r, "read");
	close_store(r);
}

/* A process of its own loads the store and is killed where a power cut would hit it. */
static void load_and_die(struct run *r)
{
	pid_t child = fork();
	if (child == 0) {
		open_store(r);
		(void)bulk_commits(r, &bulk_insert);
		raise(SIGKILL);
	}
	int status;
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGKILL)
		bench_fail("crash", "the process that loads did not get that far");
}

static void recover(struct run *r, const char *op)
{
	uint64_t start = clock_now_ns();
	open_store(r);
	double ns = (double)(clock_now_ns() - start);
	report_suffixed(r, op, ".open", ns / 1e6, "ms");
	report_value(&r->report, op, (double)r->rows.n * 1e9 / ns, "rows/s");
	phase_end(r, op);
	close_store(r);
}

static void course_crash(struct run *r)
{
	if (!r->e->lose_indexes)
		bench_fail(r->e->name, "has no log to replay");
	load_and_die(r);
	memory_watch_begin();
	memory_phase_begin();
	recover(r, "recover_killed");
	r->e->lose_indexes(r->o->dir);
	recover(r, "recover_no_indexes");
}

void driver_run(const struct driver_options *o)
{
	static const char *const orders[] = { [ROWS_SCAN] = "scan", [ROWS_RANDOM] = "random" };
	struct run r = { .o = o, .e = o->engine };
	row_source_init(&r.rows, o->rows_n, o->order);
	for (unsigned i = 0; i < BLOCK_ROWS; i++)
		row_make(&r.rows, 0, &block[i]);
	memory_warm(MAX(o->rows_n * WARM_BYTES_PER_ROW, (uint64_t)WARM_BYTES_MIN));
	r.report = (struct report){ .engine = o->engine->name,
				    .order = orders[o->order],
				    .rows_n = o->rows_n,
				    .cpus_n = o->cpus_n,
				    .canary_us = memory_canary_us() };
	if (o->course == COURSE_CRASH) {
		course_crash(&r);
	} else {
		memory_watch_begin();
		memory_phase_begin();
		if (o->course == COURSE_ALL)
			course_all(&r);
		else if (o->course == COURSE_READ)
			course_read(&r);
		else
			load(&r);
	}
	memory_watch_end();
}
