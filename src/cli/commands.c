/* SPDX-License-Identifier: MIT */
/* The sub-commands. Beside a running server they ask its control socket, else they open the store.
 */
#include "cli/commands_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/app.h"
#include "app/control.h"
#include "app/status.h"
#include "base/buf.h"
#include "conf/conf.h"
#include "library/library.h"

enum err command_need_roots(struct conf *conf, struct err_info *info)
{
	if (!conf->roots.n)
		return err_set(info, ERR_INVALID, 0,
			       "nothing to serve: give a directory (salver DIR) or set media.roots "
			       "in the configuration");
	return conf_resolve_roots(conf, info);
}

int command_serve(struct conf *conf)
{
	struct err_info info = { 0 };
	struct app *app = NULL;
	enum err e = command_need_roots(conf, &info);

	if (e != ERR_OK)
		return fail(&info, e), EXIT_USAGE;
	e = app_start(conf, &app, &info);
	if (e != ERR_OK)
		return fail(&info, e);
	e = app_run(app);
	app_stop(app);
	return e == ERR_OK ? EXIT_SUCCESS : fail(&info, e);
}

/* A scan that could not store says so: cron must notice. */
enum err command_stored_all(struct library *library, struct err_info *info)
{
	struct library_stats stats;

	library_stats_get(library, &stats);
	if (!stats.poisoned)
		return ERR_OK;
	return err_set(info, ERR_IO, 0,
		       "the library became read-only after a fault; once its cause is mended, run "
		       "the same again");
}

/* Prints what a running server answers. ERR_NOTFOUND: none runs. *out_good: it ends as a good and
 * whole answer does. */
static enum err ask_server(const struct conf *conf, const char *command, struct span good_end,
			   bool *out_good, struct err_info *info)
{
	struct buf reply;

	buf_init(&reply, CONTROL_REPLY_MAX_BYTES);
	enum err e = control_ask(conf->database_dir, command, &reply);
	/* It ended meanwhile, or was killed and a child that it had just forked still held its
	 * socket: is it there? */
	if (e == ERR_CLOSED && reply.n == 0)
		e = control_ask(conf->database_dir, command, &reply);
	if (e == ERR_OK && reply.n == 0)
		e = ERR_CLOSED; /* it ended in the middle: an answer is never empty */
	if (e == ERR_OK || e == ERR_LIMIT) {
		if (reply.n)
			fwrite(reply.p, 1, reply.n, stdout);
		*out_good = e == ERR_OK && span_ends(buf_span(&reply), good_end);
		e = ERR_OK;
	} else if (e != ERR_NOTFOUND) {
		(void)err_set(info, e, 0, "cannot ask the server on %s: %s", conf->database_dir,
			      err_name(e));
	}
	buf_fini(&reply);
	return e;
}

static enum err open_read_only(const struct conf *conf, struct library **out, struct err_info *info)
{
	struct library_options options = {
		.database_dir = conf->database_dir,
		.read_only = true,
	};

	return library_open(&options, out, info);
}

static void print_line(void *ctx, const char *line)
{
	(void)ctx;
	printf("%s\n", line);
}

int command_check(const struct conf *conf)
{
	struct err_info info = { 0 };
	struct library *library = NULL;
	bool good = false;
	enum err e = ask_server(conf, "check", SPAN("sound\n"), &good, &info);

	if (e == ERR_OK)
		return good ? EXIT_SUCCESS : EXIT_FAILURE;
	if (e == ERR_NOTFOUND)
		e = open_read_only(conf, &library, &info);
	if (e != ERR_OK)
		return fail(&info, e);
	e = library_check(library, print_line, NULL);
	library_close(library);
	printf("%s\n", e == ERR_OK ? "sound" : err_name(e));
	return e == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int command_stats(const struct conf *conf)
{
	struct err_info info = { 0 };
	struct library *library = NULL;
	struct buf text;
	bool good = false;
	enum err e = ask_server(conf, "stats", SPAN("}\n"), &good, &info);

	if (e == ERR_OK)
		return good ? EXIT_SUCCESS : EXIT_FAILURE;
	if (e == ERR_NOTFOUND)
		e = open_read_only(conf, &library, &info);
	if (e != ERR_OK)
		return fail(&info, e);
	buf_init(&text, CONTROL_REPLY_MAX_BYTES);
	status_json(library, NULL, NULL, NULL, &text);
	printf("%s\n", buf_cstr(&text));
	buf_fini(&text);
	library_close(library);
	return EXIT_SUCCESS;
}

int command_dump_config(const struct conf *conf)
{
	struct buf text;

	buf_init(&text, 1u << 20);
	conf_dump(conf, &text);
	fputs(buf_cstr(&text), stdout);
	buf_fini(&text);
	return EXIT_SUCCESS;
}
