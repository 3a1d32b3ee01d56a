/* SPDX-License-Identifier: MIT */
/* The course of one run: the same rows, operations and questions for every engine. */
#pragma once

#include "engine.h"
#include "report.h"

enum driver_course {
	COURSE_ALL,    /* load, close, open, read, change, read again */
	COURSE_INSERT, /* load only */
	COURSE_CRASH,  /* load, be killed, recover */
	COURSE_READ    /* what a course before loaded */
};

struct driver_options {
	const struct engine *engine;
	const char *dir; /* empty, but for COURSE_READ */
	uint64_t rows_n;
	enum row_order order;
	enum driver_course course;
	unsigned cpus_n; /* 1: all threads of the engine share one */
};

void driver_run(const struct driver_options *o);
