/* SPDX-License-Identifier: MIT */
/* salver backup, restore, repair, compact. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "app/control.h"
#include "base/num.h"
#include "cli/args.h"
#include "cli/commands_priv.h"
#include "conf/conf.h"
#include "library/library.h"
#include "library/upkeep.h"

/* ---- progress: one line that is written over, on a terminal only ---- */

static void print_progress(void *ctx, uint64_t done, uint64_t all)
{
	(void)ctx;
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%llu of %llu MB%s", (unsigned long long)(done >> 20),
		(unsigned long long)(all >> 20), done >= all ? "\r\033[K" : "");
}

static void print_finding(void *ctx, const char *line)
{
	(void)ctx;
	printf("%s\n", line);
}

static const struct db_follower on_terminal = { print_finding, print_progress, NULL };

/* ---- backup ---- */

struct told {
	char last[sizeof(struct err_info) + 64]; /* what came of it */
};

static void on_line(void *ctx, struct span line)
{
	struct told *told = ctx;
	uint64_t done, all;

	if (span_starts(line, SPAN(CONTROL_PROGRESS))) {
		struct span figures = span_skip(line, sizeof CONTROL_PROGRESS - 1);
		struct span first = span_cut(&figures, ' ');
		if (num_parse_u64(first, 0, UINT64_MAX, &done) == ERR_OK &&
		    num_parse_u64(figures, 0, UINT64_MAX, &all) == ERR_OK)
			print_progress(NULL, done, all);
		return;
	}
	if (told->last[0])
		printf("%s\n", told->last); /* a finding: the last line comes after it */
	snprintf(told->last, sizeof told->last, "%.*s", (int)MIN(line.n, (size_t)INT_MAX), line.p);
}

static int backed_up(uint64_t commit, const char *dir)
{
	printf("commit %llu of the library is in %s\n", (unsigned long long)commit, dir);
	return EXIT_SUCCESS;
}

enum err command_absolute(const char *dir, char out[PATH_MAX], struct err_info *info)
{
	char here[PATH_MAX] = "";
	if (dir[0] != '/' && !getcwd(here, sizeof here))
		return err_set(info, err_from_errno(errno), errno, "cannot tell where we are: %s",
			       strerror(errno));
	int n = snprintf(out, PATH_MAX, "%s%s%s", here, here[0] ? "/" : "", dir);
	if (n < 0 || n >= PATH_MAX || strchr(out, '\n'))
		return err_set(info, ERR_INVALID, 0,
			       "the directory's name is too long, or has "
			       "line breaks");
	return ERR_OK;
}

/* Its last line, where that begins with `good`: what stands behind that. ERR_NOTFOUND: no server
 * runs. */
static enum err ask_upkeep(const struct conf *conf, const char *command, struct span good,
			   struct told *told, struct span *out, struct err_info *info)
{
	enum err e = control_follow(conf->database_dir, command, on_line, told);
	if (e == ERR_NOTFOUND)
		return e;
	if (e == ERR_OK && told->last[0] == '\0')
		e = ERR_CLOSED;
	if (e != ERR_OK)
		return err_set(info, e, 0, "cannot ask the server on %s: %s", conf->database_dir,
			       err_name(e));
	struct span last = span_str(told->last);
	if (span_starts(last, good)) {
		*out = span_skip(last, good.n);
		return ERR_OK;
	}
	if (span_starts(last, SPAN("failed: ")))
		last = span_skip(last, 8);
	return err_set(info, ERR_IO, 0, "%.*s", (int)last.n, last.p);
}

/* ERR_NOTFOUND: no server runs. */
static enum err ask_backup(const struct conf *conf, const char *dir, uint64_t *out_commit,
			   struct err_info *info)
{
	struct told told = { "" };
	struct span number;
	char command[PATH_MAX + 16];

	snprintf(command, sizeof command, "backup %s", dir);
	enum err e = ask_upkeep(conf, command, SPAN("commit "), &told, &number, info);
	return e == ERR_OK ? num_parse_u64(number, 0, UINT64_MAX, out_commit) : e;
}

static enum err backup_alone(const struct conf *conf, const char *dir, uint64_t *out_commit,
			     struct err_info *info)
{
	struct library_options options = { .database_dir = conf->database_dir, .read_only = true };
	struct library *library = NULL;
	enum err e = library_open(&options, &library, info);

	if (e == ERR_OK)
		e = library_backup(library, dir, &on_terminal, out_commit, info);
	library_close(library);
	return e;
}

int command_backup(const struct conf *conf, const struct args *args)
{
	struct err_info info = { 0 };
	char dir[PATH_MAX];
	uint64_t commit = 0;
	enum err e = command_absolute(args->directory, dir, &info);

	if (e == ERR_OK)
		e = ask_backup(conf, dir, &commit, &info);
	if (e == ERR_NOTFOUND)
		e = backup_alone(conf, dir, &commit, &info);
	return e == ERR_OK ? backed_up(commit, args->directory) : fail(&info, e);
}

/* ---- restore, repair, compact: nobody else may use the library ---- */

static int fail_offline(const struct err_info *info, enum err e)
{
	if (e == ERR_BUSY && info->os_errno == 0) {
		fprintf(stderr, "salver: %s; stop it first\n", info->text);
		return EXIT_FAILURE;
	}
	return fail(info, e);
}

int command_restore(const struct conf *conf, const struct args *args)
{
	struct err_info info = { 0 };
	uint64_t commit = 0;
	enum err e =
		library_restore(conf->database_dir, args->directory,
				args->force ? DB_REPLACE : DB_KEEP, &on_terminal, &commit, &info);

	if (e != ERR_OK)
		return fail_offline(&info, e);
	printf("%s is as of commit %llu\n", conf->database_dir, (unsigned long long)commit);
	return EXIT_SUCCESS;
}

int command_repair(const struct conf *conf)
{
	struct err_info info = { 0 };
	struct db_repair_result result;
	enum err e = library_repair(conf->database_dir, &on_terminal, &result, &info);

	if (e != ERR_OK)
		return fail_offline(&info, e);
	if (result.aside[0] == '\0') {
		printf("sound: there is nothing to repair\n");
		return EXIT_SUCCESS;
	}
	printf("%llu places were damaged, %llu records are lost; everything else is there, as of "
	       "commit %llu\nThe old files are in %s; delete them when all is well.\n",
	       (unsigned long long)result.damaged_n, (unsigned long long)result.lost_n,
	       (unsigned long long)result.commit, result.aside);
	if (result.lost_n > 0)
		printf("The next scan finds again what is still on the disk.\n");
	if (result.identity_lost)
		printf("The library's identity was lost as well: players will see a new server.\n");
	return EXIT_SUCCESS;
}

/* ---- compact ---- */

static enum err compact_alone(const struct conf *conf, uint64_t *before, uint64_t *after,
			      struct err_info *info)
{
	struct library_options options = { .database_dir = conf->database_dir };
	struct library *library = NULL;
	enum err e = library_open(&options, &library, info);

	if (e == ERR_OK)
		e = library_compact(library, &on_terminal, before, after);
	library_close(library);
	return e;
}

/* A look must not create: opening to write would. */
static enum err is_there(const struct conf *conf, struct err_info *info)
{
	struct library_options options = { .database_dir = conf->database_dir, .read_only = true };
	struct library *library = NULL;
	enum err e = library_open(&options, &library, info);

	library_close(library);
	return e;
}

int command_compact(const struct conf *conf)
{
	struct err_info info = { 0 };
	struct told told = { "" };
	struct span figures;
	uint64_t before = 0, after = 0;
	enum err e = ask_upkeep(conf, "compact", SPAN("bytes "), &told, &figures, &info);

	if (e == ERR_OK) {
		struct span first = span_cut(&figures, ' ');
		e = num_parse_u64(first, 0, UINT64_MAX, &before);
		if (e == ERR_OK)
			e = num_parse_u64(figures, 0, UINT64_MAX, &after);
	} else if (e == ERR_NOTFOUND) {
		e = is_there(conf, &info);
		if (e == ERR_OK)
			e = compact_alone(conf, &before, &after, &info);
	}
	if (e != ERR_OK)
		return fail_offline(&info, e);
	printf("%llu kB of records before, %llu kB after\n", (unsigned long long)(before >> 10),
	       (unsigned long long)(after >> 10));
	return EXIT_SUCCESS;
}
