/* SPDX-License-Identifier: MIT */
/* Lines of JSON. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "engine.h"

#define LINE_BYTES_MAX 4096

static void begin(struct json *j, struct buf *b, const struct report *r, const char *op)
{
	buf_init(b, LINE_BYTES_MAX);
	json_init(j, b);
	json_object(j);
	json_key(j, "engine");
	json_text(j, span_str(r->engine));
	json_key(j, "rows");
	json_u64(j, r->rows_n);
	json_key(j, "order");
	json_text(j, span_str(r->order));
	json_key(j, "cpus");
	json_u64(j, r->cpus_n);
	json_key(j, "canary_us");
	json_double(j, r->canary_us);
	json_key(j, "op");
	json_text(j, span_str(op));
}

static void end(struct json *j, struct buf *b)
{
	json_object_end(j);
	if (buf_err(b) != ERR_OK)
		bench_fail("report", "a line is too long");
	puts(buf_cstr(b));
	fflush(stdout);
	buf_fini(b);
}

static void value_unit(struct json *j, double value, const char *unit)
{
	json_key(j, "value");
	json_double(j, value);
	json_key(j, "unit");
	json_text(j, span_str(unit));
}

void report_value(const struct report *r, const char *op, double value, const char *unit)
{
	struct json j;
	struct buf b;
	begin(&j, &b, r, op);
	value_unit(&j, value, unit);
	end(&j, &b);
}

void report_read(const struct report *r, const char *op, double us, uint64_t asked_n,
		 const struct digest *d)
{
	struct json j;
	struct buf b;
	char hash[24];
	begin(&j, &b, r, op);
	value_unit(&j, us, "us");
	json_key(&j, "n");
	json_u64(&j, asked_n);
	json_key(&j, "found");
	json_u64(&j, d->rows_n);
	json_key(&j, "digest");
	snprintf(hash, sizeof hash, "%016" PRIx64, d->hash);
	json_text(&j, span_str(hash));
	end(&j, &b);
}
