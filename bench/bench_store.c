/* SPDX-License-Identifier: MIT */
/* bench_store ENGINE DIR ROWS [scan|random] [all|insert|crash|read] [CPUS]
 * bench_store engines: which ones it was built with.
 * One run of one engine in DIR, which must be empty, but for `read`: that asks the questions again
 * of a store that `insert` left there. Lines of JSON. bench/compare runs them against each other.
 * With CPUS 1, the default, every thread of the engine shares one processor. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/num.h"
#include "driver.h"

static const struct engine *const engines[] = {
	&engine_salver, &engine_db,	      &engine_floor,
#ifdef BENCH_SQLITE
	&engine_sqlite, &engine_sqlite_after,
#endif
#ifdef BENCH_LMDB
	&engine_lmdb,	&engine_lmdb_packed,
#endif
};

_Noreturn void bench_fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static const struct engine *engine_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(engines); i++)
		if (span_eq(span_str(engines[i]->name), span_str(name)))
			return engines[i];
	bench_fail(name, "no such engine, or built without its library");
}

static int list_engines(void)
{
	for (size_t i = 0; i < ARRAY_LEN(engines); i++)
		puts(engines[i]->name);
	return 0;
}

static unsigned choice(const char *given, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (span_eq(span_str(given), span_str(names[i])))
			return i;
	bench_fail(given, "not understood");
}

/* The last processor: the first one has the most interrupts. */
static void use_one_cpu(void)
{
	cpu_set_t all, one;
	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof all, &all) != 0)
		bench_fail("bench_store", "which processors there are is unknown");
	for (int i = CPU_SETSIZE - 1; i >= 0 && CPU_COUNT(&one) == 0; i--)
		if (CPU_ISSET((size_t)i, &all))
			CPU_SET((size_t)i, &one);
	if (sched_setaffinity(0, sizeof one, &one) != 0)
		bench_fail("bench_store", "cannot stay on one processor");
}

int main(int argc, char **argv)
{
	static const char *const orders[] = { [ROWS_SCAN] = "scan", [ROWS_RANDOM] = "random" };
	static const char *const courses[] = { [COURSE_ALL] = "all",
					       [COURSE_INSERT] = "insert",
					       [COURSE_CRASH] = "crash",
					       [COURSE_READ] = "read" };
	uint64_t cpus = 1;
	struct driver_options o = { .order = ROWS_SCAN };
	if (argc == 2 && span_eq(span_str(argv[1]), SPAN("engines")))
		return list_engines();
	if (argc < 4 || argc > 7 ||
	    num_parse_u64(span_str(argv[3]), 1, 100000000, &o.rows_n) != ERR_OK ||
	    (argc > 6 && num_parse_u64(span_str(argv[6]), 1, 64, &cpus) != ERR_OK))
		bench_fail("usage", "bench_store ENGINE DIR ROWS [scan|random]"
				    " [all|insert|crash|read] [CPUS]");
	o.engine = engine_named(argv[1]);
	o.dir = argv[2];
	o.cpus_n = (unsigned)cpus;
	if (argc > 4)
		o.order = choice(argv[4], orders, ARRAY_LEN(orders));
	if (argc > 5)
		o.course = choice(argv[5], courses, ARRAY_LEN(courses));
	if (cpus == 1)
		use_one_cpu();
	driver_run(&o);
	return 0;
}
