/* SPDX-License-Identifier: MIT */
/* salver cleanup: what a scan keeps, because a disk may only be away, until somebody says that it
 * has gone for good. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/commands_priv.h"
#include "conf/conf.h"
#include "library/records.h"
#include "schema/media_fb.h"

/* What cannot be looked at for any other reason may be there. */
static bool is_gone(void *ctx, struct fb_table media)
{
	char path[PATH_MAX];
	struct stat st;
	struct span p = media_file_path(media);

	(void)ctx;
	if (p.n == 0 || p.n >= sizeof path)
		return false;
	memcpy(path, p.p, p.n);
	path[p.n] = '\0';
	return stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

static enum err clean(struct library *library, const char *dir, struct err_info *info)
{
	struct cleanup_result result;
	char path[PATH_MAX];
	enum err e = ERR_OK;

	if (!realpath(dir, path)) /* which a disk that has gone does not have */
		e = command_absolute(dir, path, info);
	if (e != ERR_OK)
		return e;
	e = library_cleanup_missing(library, span_str(path), is_gone, NULL, &result);
	printf("%s: %llu files, %llu of them not there and forgotten\n", QUOTE(span_str(path)),
	       (unsigned long long)result.looked_at_n, (unsigned long long)result.removed_n);
	return e == ERR_OK ? ERR_OK
			   : err_set(info, e, 0, "cannot clean up below %s: %s",
				     QUOTE(span_str(path)), err_name(e));
}

int command_cleanup(const struct conf *conf, const struct args *args)
{
	struct library_options options = { .database_dir = conf->database_dir };
	const struct conf_list *dirs = &args->overrides.roots;
	struct err_info info = { 0 };
	struct library *library = NULL;
	enum err e = library_open(&options, &library, &info);

	for (size_t i = 0; i < dirs->n && e == ERR_OK; i++)
		e = clean(library, dirs->items[i], &info);
	library_close(library);
	return e == ERR_OK ? EXIT_SUCCESS : fail(&info, e);
}
