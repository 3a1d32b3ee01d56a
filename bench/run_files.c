/* SPDX-License-Identifier: MIT */
/* Finding index runs by their names. */
#include "run_files.h"

#include <dirent.h>
#include <unistd.h>

#include "base/span.h"
#include "engine.h"

void run_files_remove(const char *dir)
{
	DIR *d = opendir(dir);
	if (!d)
		bench_fail(dir, "cannot be read");
	for (struct dirent *f = readdir(d); f; f = readdir(d))
		if (span_ends(span_str(f->d_name), SPAN(".run")) &&
		    unlinkat(dirfd(d), f->d_name, 0) != 0)
			bench_fail(f->d_name, "cannot be removed");
	closedir(d);
}
