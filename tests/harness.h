/* SPDX-License-Identifier: MIT */
/* The test harness: every case is a process of its own with a time limit; both values are printed
 * on a mismatch; the seed is printed and can be set (SALVER_SEED). A test program's exit status
 * says whether all passed; its last line is "N passed, N failed, N skipped". `PROGRAM NAME_PART...`
 * runs a part, `PROGRAM --list` names all. */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"

struct test_case {
	const char *suite, *name;
	void (*run)(void);
	unsigned limit_s;
	struct test_case *next;
};

void test_register(struct test_case *c);

/** A case, named as a sentence: TEST(range_parse, suffix_beyond_size_gives_whole_file) { ... } */
#define TEST(suite_, name_) TEST_LIMIT(suite_, name_, 60)
#define TEST_LIMIT(suite_, name_, seconds_)                                                        \
	static void test_##suite_##_##name_(void);                                                 \
	static struct test_case case_##suite_##_##name_ = { #suite_, #name_,                       \
							    test_##suite_##_##name_, seconds_,     \
							    NULL };                                \
	__attribute__((constructor)) static void register_##suite_##_##name_(void)                 \
	{                                                                                          \
		test_register(&case_##suite_##_##name_);                                           \
	}                                                                                          \
	static void test_##suite_##_##name_(void)

/* A failed expectation ends the case. */
#define EXPECT(cond) test_expect(__FILE__, __LINE__, (cond), #cond)
#define EXPECT_U64(want, got) test_expect_u64(__FILE__, __LINE__, (want), (got), #got)
#define EXPECT_I64(want, got) test_expect_i64(__FILE__, __LINE__, (want), (got), #got)
#define EXPECT_ERR(want, got) test_expect_err(__FILE__, __LINE__, (want), (got), #got)
#define EXPECT_OK(got) EXPECT_ERR(ERR_OK, got)
#define EXPECT_SPAN(want, got) test_expect_span(__FILE__, __LINE__, (want), (got), #got)
#define EXPECT_STR(want, got)                                                                      \
	test_expect_span(__FILE__, __LINE__, span_str(want), span_str(got), #got)

void test_expect(const char *file, int line, bool ok, const char *what);
void test_expect_u64(const char *file, int line, uint64_t want, uint64_t got, const char *what);
void test_expect_i64(const char *file, int line, int64_t want, int64_t got, const char *what);
void test_expect_err(const char *file, int line, enum err want, enum err got, const char *what);
void test_expect_span(const char *file, int line, struct span want, struct span got,
		      const char *what);

/** The case counts as skipped; says why. */
NORETURN void test_skip(const char *why);
/** Deterministic random numbers from the run's seed. */
uint64_t test_random(void);
/** A fresh directory, removed with all in it when the case ends. */
const char *test_tmpdir(void);
