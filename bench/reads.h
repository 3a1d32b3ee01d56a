/* SPDX-License-Identifier: MIT */
/* The questions that every engine is asked, each timed, each with a digest of its answers. */
#pragma once

#include "engine.h"
#include "report.h"

struct reads {
	const struct engine *engine;
	void *db;
	const struct row_source *rows;
	const struct report *report;
	const char *phase; /* first part of the figures' names */
};

void reads_run(const struct reads *r);
