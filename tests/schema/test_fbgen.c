/* SPDX-License-Identifier: MIT */
/* What the schema compiler refuses: exit status 1 and a sentence. */
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

extern char **environ;

/* Exit status; stderr goes to `log`. */
static int run(char *const *argv, const char *log)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int status = -1;
	EXPECT(posix_spawn_file_actions_init(&fa) == 0);
	EXPECT(posix_spawn_file_actions_addopen(&fa, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0600) ==
	       0);
	EXPECT(posix_spawn(&pid, argv[0], &fa, NULL, argv, environ) == 0);
	EXPECT(waitpid(pid, &status, 0) == pid);
	posix_spawn_file_actions_destroy(&fa);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_refused(const char *schema, const char *why)
{
	char fbs[300], bfbs[300], h[300], c[300], log[300], said[512] = "";
	char *dir = (char *)(uintptr_t)test_tmpdir();
	snprintf(fbs, sizeof fbs, "%s/s.fbs", dir);
	snprintf(bfbs, sizeof bfbs, "%s/s.bfbs", dir);
	snprintf(h, sizeof h, "%s/s_fb.h", dir);
	snprintf(c, sizeof c, "%s/s_fb.c", dir);
	snprintf(log, sizeof log, "%s/log", dir);
	FILE *f = fopen(fbs, "w");
	EXPECT(f && fputs(schema, f) >= 0 && fclose(f) == 0);
	EXPECT_I64(0, run((char *[]){ FLATC, "-b", "--schema", "-o", dir, fbs, NULL }, log));
	EXPECT_I64(1, run((char *[]){ FBGEN, bfbs, h, c, NULL }, log));
	EXPECT(access(h, F_OK) != 0);
	f = fopen(log, "r");
	EXPECT(f && fread(said, 1, sizeof said - 1, f) > 0 && fclose(f) == 0);
	if (!strstr(said, why))
		EXPECT_STR(why, said);
}

TEST(fbgen, refuses_floats)
{
	expect_refused("table T { x: float; } root_type T;", "T.x: this type is not supported");
}

TEST(fbgen, refuses_structs)
{
	expect_refused("struct S { x: int; } table T { s: S; } root_type T;", "not supported");
}

TEST(fbgen, refuses_unions)
{
	expect_refused("table A { x: int; } union U { A } table T { u: U; } root_type T;",
		       "unions are not supported");
}

TEST(fbgen, refuses_optional_scalars)
{
	expect_refused("table T { x: int = null; } root_type T;", "optional scalars");
}

TEST(fbgen, refuses_vectors_of_floats)
{
	expect_refused("table T { x: [double]; } root_type T;", "vector of this element type");
}

TEST(fbgen, refuses_a_batch_it_could_not_write)
{
	expect_refused("table R { x: int; } table RBatch { rows: [R]; name: string; } root_type R;",
		       "a batch has its vector of rows as field 0");
}

TEST(fbgen, refuses_a_number_that_repeats)
{
	expect_refused("attribute \"repeats\"; table T { x: int (repeats); } root_type T;",
		       "T.x: only strings and vectors of scalars or of strings are shared");
}

TEST(fbgen, refuses_what_is_like_a_field_that_may_be_absent)
{
	expect_refused("attribute \"like\"; table T { x: string; y: string (like: \"x\"); } "
		       "root_type T;",
		       "T.y: like names a required string before it");
	expect_refused("attribute \"like\"; table T { x: string (like: \"z\"); } root_type T;",
		       "T.x: like names a required string before it");
}

TEST(fbgen, refuses_more_than_64_fields)
{
	char schema[2000] = "table T {";
	for (unsigned i = 0; i < 65; i++)
		snprintf(schema + strlen(schema), sizeof schema - strlen(schema), " f%u: int;", i);
	snprintf(schema + strlen(schema), sizeof schema - strlen(schema), " } root_type T;");
	expect_refused(schema, "at most 64");
}

TEST(fbgen, refuses_what_is_no_schema)
{
	char log[300], path[300];
	char *dir = (char *)(uintptr_t)test_tmpdir();
	snprintf(log, sizeof log, "%s/log", dir);
	snprintf(path, sizeof path, "%s/out", dir);
	EXPECT_I64(1, run((char *[]){ FBGEN, "/dev/null", path, path, NULL }, log));
	EXPECT_I64(1, run((char *[]){ FBGEN, NULL }, log));
}
