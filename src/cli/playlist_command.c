/* SPDX-License-Identifier: MIT */
/* salver playlists, salver export. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/control.h"
#include "app/playlist_text.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/args.h"
#include "cli/commands_priv.h"
#include "conf/conf.h"
#include "library/library.h"

static enum err text_alone(const struct conf *conf, struct span what, struct buf *out,
			   struct err_info *info)
{
	struct library_options options = { .database_dir = conf->database_dir, .read_only = true };
	struct library *library = NULL;
	enum err e = library_open(&options, &library, info);

	if (e == ERR_OK)
		playlist_text(library, what, out);
	library_close(library);
	return e;
}

/* By the running server, where there is one; without its last line. */
static enum err get_text(const struct conf *conf, struct span what, struct buf *out,
			 struct err_info *info)
{
	char command[PATH_MAX + 64];

	snprintf(command, sizeof command, "playlists %.*s", SPAN_ARG(what));
	enum err e = control_ask(conf->database_dir, command, out);
	if (e == ERR_NOTFOUND)
		e = text_alone(conf, what, out, info);
	else if (e != ERR_OK)
		e = err_set(info, e, 0, "cannot ask the server on %s: %s", conf->database_dir,
			    err_name(e));
	if (e != ERR_OK)
		return e;
	struct span text = span_trim(buf_span(out));
	struct span last =
		span_skip(text, span_rfind(text, '\n') == text.n ? 0 : span_rfind(text, '\n') + 1);
	if (span_eq(last, SPAN("done"))) {
		out->n = (size_t)(last.p - out->p);
		return ERR_OK;
	}
	bool said = span_starts(last, SPAN("failed: "));
	return err_set(info, ERR_IO, 0, "%.*s",
		       SPAN_ARG(said ? span_skip(last, 8) : SPAN("the server has ended")));
}

int command_playlists(const struct conf *conf)
{
	struct err_info info = { 0 };
	struct buf text;

	buf_init(&text, PLAYLIST_TEXT_MAX_BYTES);
	enum err e = get_text(conf, SPAN(""), &text, &info);
	if (e == ERR_OK)
		fwrite(text.p, 1, text.n, stdout);
	buf_fini(&text);
	return e == ERR_OK ? EXIT_SUCCESS : fail(&info, e);
}

/* The directory that the file is in, or will be; without a file, that where we are. */
static enum err directory_of(const char *file, char out[PATH_MAX], struct err_info *info)
{
	char path[PATH_MAX];
	enum err e = command_absolute(file ? file : "./-", path, info);

	if (e != ERR_OK)
		return e;
	struct span directory = path_directory(span_str(path));
	path[directory.n] = '\0';
	if (!realpath(path, out))
		return err_set(info, err_from_errno(errno), errno, "cannot write %s: %s",
			       QUOTE(span_str(file ? file : path)), strerror(errno));
	return ERR_OK;
}

/* Whole or not at all: it is another file until it is whole. */
static enum err write_file(const char *file, struct span text, struct err_info *info)
{
	char part[PATH_MAX];
	int n = snprintf(part, sizeof part, "%s.part", file);
	CLEANUP(fd_closep)
	int fd = n < PATH_MAX ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
	enum err e = fd < 0 ? err_from_errno(n < PATH_MAX ? errno : ENAMETOOLONG)
			    : fd_pwrite_all(fd, text, 0);

	if (e == ERR_OK && rename(part, file) != 0)
		e = err_from_errno(errno);
	if (e == ERR_OK)
		return ERR_OK;
	if (fd >= 0)
		(void)unlink(part);
	return err_set(info, e, 0, "cannot write %s: %s", QUOTE(span_str(file)), err_name(e));
}

int command_export(const struct conf *conf, const struct args *args)
{
	struct err_info info = { 0 };
	char directory[PATH_MAX], what[PATH_MAX + 32];
	struct buf text;

	buf_init(&text, PLAYLIST_TEXT_MAX_BYTES);
	enum err e = directory_of(args->export_file, directory, &info);
	if (e == ERR_OK) {
		int n = snprintf(what, sizeof what, "%s %s", args->playlist, directory);
		e = get_text(conf, span_of(what, MIN((size_t)n, sizeof what - 1)), &text, &info);
	}
	if (e == ERR_OK && args->export_file)
		e = write_file(args->export_file, buf_span(&text), &info);
	else if (e == ERR_OK)
		fwrite(text.p, 1, text.n, stdout);
	buf_fini(&text);
	return e == ERR_OK ? EXIT_SUCCESS : fail(&info, e);
}
