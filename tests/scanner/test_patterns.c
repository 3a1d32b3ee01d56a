/* SPDX-License-Identifier: MIT */
/* Tests src/scanner/patterns.c. */
#include "scanner/patterns.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "harness.h"

/* Of a path below the root /r; a slash at its end says that it is a directory. */
static bool matches(const char *pattern, const char *below)
{
	char path[600];
	struct patterns p;
	struct err_info info = { 0 };
	int n = snprintf(path, sizeof path, "/r/%s", below);
	bool directory = path[n - 1] == '/';

	EXPECT_OK(patterns_init(&p, "key", &pattern, 1, &info));
	struct span s = span_of(path, (size_t)n - directory);
	bool match = patterns_match(&p, s, s.n - 3, directory);
	patterns_fini(&p);
	return match;
}

TEST(patterns, without_a_slash_they_are_of_names_anywhere)
{
	EXPECT(matches("*.tmp", "a.tmp"));
	EXPECT(matches("*.tmp", "x/y/a.tmp"));
	EXPECT(matches("*.tmp", "x.tmp/"));
	EXPECT(!matches("*.tmp", "a.tmpx"));
	EXPECT(!matches("*.tmp", "x.tmp/a"));
	EXPECT(matches("a?c", "abc"));
	EXPECT(!matches("a?c", "ac"));
	EXPECT(matches("*", "anything"));
	EXPECT(matches("a*b*c", "aXbXbc"));
	EXPECT(!matches("a*b*c", "aXbXb"));
}

TEST(patterns, with_a_slash_they_are_of_paths_below_a_root)
{
	EXPECT(matches("x/y", "x/y"));
	EXPECT(!matches("x/y", "z/x/y"));
	EXPECT(!matches("x/*", "x/y/z"));
	EXPECT(matches("x/*", "x/y"));
	EXPECT(!matches("x/*y", "x/a/y"));
}

TEST(patterns, two_stars_are_any_number_of_directories)
{
	EXPECT(matches("**/Trash/**", "Trash/a"));
	EXPECT(matches("**/Trash/**", "x/y/Trash/z/a"));
	EXPECT(!matches("**/Trash/**", "x/y/Trash"));
	EXPECT(!matches("**/Trash/**", "x/Trash2/a"));
	EXPECT(matches("a/**/b", "a/b"));
	EXPECT(matches("a/**/b", "a/x/y/b"));
	EXPECT(!matches("a/**/b", "a/x/y/bb"));
	EXPECT(matches("**/a/**/b/c", "a/b/x/a/y/b/c"));
	EXPECT(matches("**/x", "x"));
}

TEST(patterns, absolute_ones_are_of_whole_paths)
{
	EXPECT(matches("/r/dir", "dir/"));
	EXPECT(!matches("/r/dir", "x/dir/"));
	EXPECT(!matches("/dir", "dir/"));
	EXPECT(matches("/r/dir/*/", "dir/sub/"));
	EXPECT(matches("/**/sub", "dir/sub"));
}

TEST(patterns, a_slash_at_the_end_means_directories)
{
	EXPECT(matches("Trash/", "x/Trash/"));
	EXPECT(!matches("Trash/", "x/Trash"));
	EXPECT(matches("x/Trash/", "x/Trash/"));
}

TEST(patterns, sets_and_backslashes)
{
	EXPECT(matches("[a-c]x", "bx"));
	EXPECT(!matches("[a-c]x", "dx"));
	EXPECT(matches("[!a-c]x", "dx"));
	EXPECT(matches("[]]x", "]x"));
	EXPECT(matches("[a-]x", "-x"));
	EXPECT(matches("\\*.mp3", "*.mp3"));
	EXPECT(!matches("\\*.mp3", "a.mp3"));
	EXPECT(matches("\\!a", "!a"));
	EXPECT(matches("*\n\xff?", "a\n\xff\xfe")); /* names are bytes */
	EXPECT(matches("[\x80-\xff]", "\xc3"));
}

static void expect_fault(const char *pattern, const char *fault)
{
	struct patterns p;
	struct err_info info = { 0 };

	EXPECT_ERR(ERR_INVALID, patterns_init(&p, "scanner.exclude", &pattern, 1, &info));
	if (!strstr(info.text, fault))
		printf("message: %s\n", info.text);
	EXPECT(strstr(info.text, "scanner.exclude") && strstr(info.text, fault));
}

TEST(patterns, faults_are_named)
{
	char long_one[PATTERN_MAX_BYTES + 2];
	const char *many[PATTERNS_MAX + 1];
	struct patterns p;
	struct err_info info = { 0 };

	expect_fault("", "is empty");
	expect_fault("/", "is empty");
	expect_fault("!a", "begins with");
	expect_fault("a\\", "nothing behind it");
	expect_fault("a\\/b", "nothing behind it");
	expect_fault("[a", "without its");
	expect_fault("[a/b]", "without its");
	memset(long_one, 'a', sizeof long_one);
	long_one[PATTERN_MAX_BYTES + 1] = '\0';
	expect_fault(long_one, "is too long");
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "a";
	EXPECT_ERR(ERR_LIMIT, patterns_init(&p, "key", many, ARRAY_LEN(many), &info));
}

/* Many stars against a long name that does not match: no exponential search. */
TEST(patterns, hostile_ones_take_no_time)
{
	char pattern[PATTERN_MAX_BYTES + 1] = "", path[501];
	uint64_t begin_ms = clock_now_ms();

	for (unsigned i = 0; i < 500; i++)
		memcpy(pattern + 2 * (size_t)i, "*a", 3);
	memset(path, 'a', 499);
	memcpy(path + 499, "b", 2);
	EXPECT(!matches(pattern, path));
	for (unsigned i = 0; i < 200; i++)
		memcpy(pattern + 5 * (size_t)i, "**/a/", 6);
	memcpy(pattern + 1000, "c", 2);
	for (unsigned i = 0; i < 500; i++)
		path[i] = i % 2 ? '/' : 'a';
	path[499] = 'b';
	EXPECT(!matches(pattern, path));
	EXPECT(clock_now_ms() - begin_ms < 2000);
}

/* ---- against a plain recursive matcher ---- */

static bool naive_name(const char *p, const char *t)
{
	if (*p == '*')
		return naive_name(p + 1, t) || (*t && naive_name(p, t + 1));
	return *p ? *t && (*p == '?' || *p == *t) && naive_name(p + 1, t + 1) : !*t;
}

static bool naive_path(char *const *p, char *const *t)
{
	if (*p && strcmp(*p, "**") == 0)
		return p[1] ? naive_path(p + 1, t) || (*t && naive_path(p, t + 1)) : *t != NULL;
	return *p ? *t && naive_name(*p, *t) && naive_path(p + 1, t + 1) : !*t;
}

static void random_path(char out[64], char names[6][8], char **list, const char *alphabet,
			bool stars)
{
	unsigned n = 2 + (unsigned)(test_random() % 4);
	int at = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned len = 1 + (unsigned)(test_random() % 4);
		for (unsigned k = 0; k < len; k++)
			names[i][k] = alphabet[test_random() % strlen(alphabet)];
		names[i][len] = '\0';
		if (stars && test_random() % 3 == 0)
			memcpy(names[i], "**", 3);
		list[i] = names[i];
		at += snprintf(out + at, 64 - (size_t)at, "%s%s", i ? "/" : "", names[i]);
	}
	list[n] = NULL;
}

TEST(patterns, random_ones_agree_with_a_plain_matcher)
{
	unsigned matched = 0;

	for (unsigned i = 0; i < 50000; i++) {
		char pattern[64], path[64], names[2][6][8];
		char *p[7], *t[7];

		random_path(pattern, names[0], p, "ab*?", true);
		random_path(path, names[1], t, "ab", false);
		bool want = naive_path(p, t);
		if (want != matches(pattern, path))
			printf("%s %s\n", pattern, path);
		EXPECT(want == matches(pattern, path));
		matched += want;
	}
	EXPECT(matched > 1000);
}
