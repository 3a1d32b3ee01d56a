/* SPDX-License-Identifier: MIT */
/* Tests of src/base/json.c. */
#include <signal.h>
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "harness.h"

TEST(json, nested_values_get_their_commas)
{
	CLEANUP(buf_fini) struct buf b;
	struct json j;
	buf_init(&b, 1000);
	json_init(&j, &b);

	json_object(&j);
	json_key(&j, "a");
	json_array(&j);
	json_u64(&j, 1);
	json_object(&j);
	json_object_end(&j);
	json_array(&j);
	json_array_end(&j);
	json_null(&j);
	json_array_end(&j);
	json_key(&j, "b");
	json_bool(&j, true);
	json_key(&j, "c");
	json_object(&j);
	json_key(&j, "d");
	json_bool(&j, false);
	json_object_end(&j);
	json_key(&j, "e");
	json_text(&j, SPAN("x"));
	json_object_end(&j);
	EXPECT_STR("{\"a\":[1,{},[],null],\"b\":true,\"c\":{\"d\":false},\"e\":\"x\"}",
		   buf_cstr(&b));
}

TEST(json, text_is_escaped_and_made_valid)
{
	CLEANUP(buf_fini) struct buf b;
	struct json j;
	buf_init(&b, 1000);
	json_init(&j, &b);

	json_text(&j, SPAN("\"\\/\n\r\t\x01\0\x1F\x7F\xC3\xA9\xFF"));
	EXPECT_STR("\"\\\"\\\\/\\n\\r\\t\\u0001\\u0000\\u001f\x7F\xC3\xA9\xEF\xBF\xBD\"",
		   buf_cstr(&b));
}

TEST(json, numbers_at_their_ends)
{
	CLEANUP(buf_fini) struct buf b;
	struct json j;
	buf_init(&b, 1000);
	json_init(&j, &b);

	json_array(&j);
	json_u64(&j, UINT64_MAX);
	json_i64(&j, INT64_MIN);
	json_i64(&j, INT64_MAX);
	json_double(&j, 0.1);
	json_double(&j, 1.0 / 3);
	json_double(&j, -1e300);
	json_double(&j, NAN);
	json_double(&j, INFINITY);
	json_array_end(&j);
	EXPECT_STR("[18446744073709551615,-9223372036854775808,9223372036854775807,0.1,"
		   "0.33333333333333331,-1e+300,null,null]",
		   buf_cstr(&b));
}

TEST(json, nesting_goes_down_to_the_limit)
{
	CLEANUP(buf_fini) struct buf b;
	struct json j;
	buf_init(&b, 1000);
	json_init(&j, &b);

	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_array(&j);
	json_u64(&j, 1);
	json_u64(&j, 2);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		json_array_end(&j);
	EXPECT_U64(2 * JSON_DEPTH_MAX + 3, b.n);
}

TEST(json, limit_sticks_in_the_buffer)
{
	CLEANUP(buf_fini) struct buf b;
	struct json j;
	buf_init(&b, 5);
	json_init(&j, &b);

	json_text(&j, SPAN("too long"));
	EXPECT_ERR(ERR_LIMIT, buf_err(&b));
}

static void value_without_key(struct json *j)
{
	json_object(j);
	json_u64(j, 1);
}

static void key_in_array(struct json *j)
{
	json_array(j);
	json_key(j, "a");
}

static void wrong_end(struct json *j)
{
	json_array(j);
	json_object_end(j);
}

static void too_deep(struct json *j)
{
	for (int i = 0; i <= JSON_DEPTH_MAX; i++)
		json_array(j);
}

static void key_without_value(struct json *j)
{
	json_object(j);
	json_key(j, "a");
	json_object_end(j);
}

TEST(json, wrong_use_is_caught)
{
	void (*const wrong[])(struct json *) = { value_without_key, key_in_array, wrong_end,
						 too_deep, key_without_value };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		int status;
		pid_t pid = fork();
		if (pid == 0) {
			struct buf b;
			struct json j;
			buf_init(&b, 1000);
			json_init(&j, &b);
			wrong[i](&j);
			_exit(0);
		}
		EXPECT(waitpid(pid, &status, 0) == pid);
		EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

TEST(json_is_valid, takes_every_kind_of_value)
{
	static const char *const texts[] = {
		"null",
		"true",
		" false ",
		"0",
		"-0.5e+10",
		"12",
		"1E9",
		"\"\"",
		"\"a\\u00e4\\n\"",
		"\"\xc3\xa4\"",
		"[]",
		"[ ]",
		"{}",
		"[1,[2,{\"a\":[]}],\"x\"]",
		"\n{ \"a\" : 1 , \"a\" : {} }\t",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		printf("%s\n", texts[i]);
		EXPECT(json_is_valid(span_str(texts[i])));
	}
}

TEST(json_is_valid, refuses_whatever_else)
{
	static const char *const texts[] = {
		"",	   " ",	       "nul",	     "nullx", "01",  "1.",	".5",
		"+1",	   "-",	       "1e",	     "'a'",   "\"a", "\"\\x\"", "\"\\u12g4\"",
		"\"\n\"",  "\"\xff\"", "[1,]",	     "[1 2]", "[",   "]",	"{1:2}",
		"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "1 2",   "[}",  "NaN",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		printf("%s\n", texts[i]);
		EXPECT(!json_is_valid(span_str(texts[i])));
	}
	EXPECT(!json_is_valid(span_of("1\0", 2)));
}

TEST(json_is_valid, nesting_has_a_limit)
{
	char text[2 * JSON_DEPTH_MAX + 2];
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	EXPECT(json_is_valid(span_of(text, 2 * JSON_DEPTH_MAX)));
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	EXPECT(!json_is_valid(span_of(text, sizeof text)));
}
