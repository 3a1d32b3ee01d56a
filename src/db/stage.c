/* SPDX-License-Identifier: MIT */
/* Making a database directory whole before anybody sees it. */
#include "db/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define ASIDE_TRIES_MAX 1000

static enum err fail(struct err_info *info, const char *what, const char *path)
{
	int os_errno = errno;
	return err_set(info, err_from_errno(os_errno), os_errno, "cannot %s %s: %s", what,
		       QUOTE(span_str(path)), strerror(os_errno));
}

/* "DIR/NAME" with DIR resolved, so that a link to a database stays one. */
static enum err place_resolve(const char *place, char out[PATH_MAX], struct err_info *info)
{
	char text[PATH_MAX], parent[PATH_MAX];
	size_t n = strlen(place);
	while (n > 1 && place[n - 1] == '/')
		n--;
	if (n == 0 || n >= sizeof text)
		return err_set(info, ERR_INVALID, 0, "the directory's name is too long or empty");
	memcpy(text, place, n);
	text[n] = '\0';
	if (realpath(text, out))
		return ERR_OK;
	char *slash = strrchr(text, '/');
	const char *name = slash ? slash + 1 : text;
	if (slash == text)
		snprintf(parent, sizeof parent, "/");
	else if (slash)
		snprintf(parent, sizeof parent, "%.*s", (int)(slash - text), text);
	else
		snprintf(parent, sizeof parent, ".");
	if (!realpath(parent, out))
		return fail(info, "find the directory", parent);
	size_t used = strlen(out);
	int more = snprintf(out + used, PATH_MAX - used, "%s%s", used > 1 ? "/" : "", name);
	if (more < 0 || (size_t)more >= PATH_MAX - used)
		return err_set(info, ERR_INVALID, 0, "the directory's name is too long");
	return ERR_OK;
}

/* With what is derived from the tables and kept beside them (db_changes_since()). */
static bool is_ours(const char *name)
{
	struct span s = span_str(name);
	if (span_starts(s, SPAN("text")) &&
	    (span_ends(s, SPAN(".col")) || span_ends(s, SPAN(".tmp"))))
		return true;
	return (span_starts(s, SPAN("media-")) && span_ends(s, SPAN(".fb"))) ||
	       (span_starts(s, SPAN("index-")) && span_ends(s, SPAN(".run"))) ||
	       span_eq(s, SPAN("manifest")) || span_eq(s, SPAN("lock")) ||
	       span_eq(s, SPAN("control"));
}

static void files_remove(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;
	if (!d) {
		fd_closep(&fd);
		return;
	}
	while ((de = readdir(d)))
		if (is_ours(de->d_name))
			(void)unlinkat(dir_fd, de->d_name, 0);
	closedir(d);
}

static bool dir_is_empty(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *de;
	bool empty = d != NULL;
	while (d && (de = readdir(d)))
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			empty = false;
	if (d)
		closedir(d);
	return empty;
}

enum err stage_vacant(const char *place, struct err_info *info)
{
	struct stat st;
	if (lstat(place, &st) != 0)
		return errno == ENOENT ? ERR_OK : fail(info, "look at", place);
	if (dir_is_empty(place))
		return ERR_OK;
	return err_set(info, ERR_EXISTS, EEXIST,
		       "%s is there already and is not an empty directory", QUOTE(span_str(place)));
}

enum err stage_begin(struct stage *st, const char *place, struct err_info *info)
{
	memset(st, 0, sizeof *st);
	st->dir_fd = -1;
	enum err e = place_resolve(place, st->place, info);
	if (e != ERR_OK)
		return e;
	int n = snprintf(st->path, sizeof st->path, "%s.partial", st->place);
	if (n < 0 || (size_t)n >= sizeof st->path || strcmp(st->place, "/") == 0)
		return err_set(info, ERR_INVALID, 0, "%s cannot be a database directory",
			       QUOTE(span_str(st->place)));
	if (mkdir(st->path, 0700) != 0 && errno != EEXIST)
		return fail(info, "create", st->path);
	st->dir_fd = open(st->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (st->dir_fd < 0)
		return fail(info, "open", st->path);
	files_remove(st->dir_fd);
	if (!dir_is_empty(st->path)) {
		fd_closep(&st->dir_fd);
		return err_set(info, ERR_EXISTS, EEXIST, "%s is in the way: move it elsewhere",
			       QUOTE(span_str(st->path)));
	}
	return ERR_OK;
}

void stage_end(struct stage *st)
{
	if (st->dir_fd < 0)
		return;
	if (!st->stands) {
		files_remove(st->dir_fd);
		(void)rmdir(st->path);
	}
	fd_closep(&st->dir_fd);
}

enum err stage_create(struct stage *st, const char *name, int *out_fd, struct err_info *info)
{
	int fd = openat(st->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(info, "create a file in", st->path);
	*out_fd = fd;
	return ERR_OK;
}

/* Syncs, or hands to the old directory's owner, each file. */
static enum err each_file(int dir_fd, const struct stat *owner)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *de;
	enum err e = ERR_OK;
	if (!d) {
		fd_closep(&fd);
		return ERR_IO;
	}
	while (e == ERR_OK && (de = readdir(d))) {
		if (!is_ours(de->d_name))
			continue;
		CLEANUP(fd_closep)
		int file = openat(dir_fd, de->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (file < 0 || (owner && fchown(file, owner->st_uid, owner->st_gid) != 0) ||
		    fsync(file) != 0)
			e = err_from_errno(errno);
	}
	closedir(d);
	return e;
}

enum err stage_sync(struct stage *st, struct err_info *info)
{
	enum err e = each_file(st->dir_fd, NULL);
	if (e == ERR_OK && fsync(st->dir_fd) != 0)
		e = err_from_errno(errno);
	return e == ERR_OK ? e : fail(info, "write to the disk", st->path);
}

static enum err parent_sync(const char *path)
{
	char parent[PATH_MAX];
	snprintf(parent, sizeof parent, "%s", path);
	char *slash = strrchr(parent, '/');
	slash[slash == parent] = '\0';
	CLEANUP(fd_closep) int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0 ? ERR_OK : err_from_errno(errno);
}

enum err stage_put(struct stage *st, struct err_info *info)
{
	/* onto an empty directory, too */
	if (rename(st->path, st->place) != 0)
		return fail(info, "make", st->place);
	st->stands = true;
	return parent_sync(st->place) == ERR_OK ? ERR_OK
						: fail(info, "write to the disk", st->place);
}

/* Root restores a database for the user whose it was. */
static enum err owner_take_over(struct stage *st)
{
	struct stat old;
	if (stat(st->place, &old) != 0)
		return err_from_errno(errno);
	if (geteuid() != 0 || old.st_uid == 0)
		return ERR_OK;
	if (fchown(st->dir_fd, old.st_uid, old.st_gid) != 0 ||
	    fchmod(st->dir_fd, old.st_mode & 07777) != 0)
		return err_from_errno(errno);
	return each_file(st->dir_fd, &old);
}

/* The first free name; renamed without replacing anything. */
static enum err rename_aside(struct stage *st, const char *suffix)
{
	char aside[PATH_MAX];
	for (unsigned i = 1; i < ASIDE_TRIES_MAX; i++) {
		int n = i == 1 ? snprintf(aside, PATH_MAX, "%s%s", st->place, suffix)
			       : snprintf(aside, PATH_MAX, "%s%s-%u", st->place, suffix, i);
		if (n < 0 || n >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return ERR_LIMIT;
		}
		if (renameat2(AT_FDCWD, st->path, AT_FDCWD, aside, RENAME_NOREPLACE) == 0) {
			memcpy(st->path, aside, sizeof aside);
			return ERR_OK;
		}
		if (errno != EEXIST)
			break;
	}
	return err_from_errno(errno);
}

/* The new directory gets the name of the old one's later place before they are exchanged: whenever
 * this is cut short, ".partial" is nothing that anybody could miss (stage_begin() removes it). */
enum err stage_swap(struct stage *st, const char *suffix, char *aside, struct err_info *info)
{
	if (owner_take_over(st) != ERR_OK)
		return fail(info, "give its owner the new", st->place);
	if (rename_aside(st, suffix) != ERR_OK || parent_sync(st->place) != ERR_OK)
		return fail(info, "rename", st->path);
	if (renameat2(AT_FDCWD, st->path, AT_FDCWD, st->place, RENAME_EXCHANGE) != 0) {
		if (errno == EBUSY)
			return err_set(info, ERR_BUSY, EBUSY,
				       "%s is a mount point and cannot be replaced: keep the "
				       "database in a directory below it (--database)",
				       QUOTE(span_str(st->place)));
		return fail(info, "replace", st->place);
	}
	st->stands = true;
	memcpy(aside, st->path, sizeof st->path);
	return parent_sync(st->place) == ERR_OK ? ERR_OK
						: fail(info, "write to the disk", st->place);
}

enum err stage_remove(const char *path)
{
	CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_from_errno(errno);
	files_remove(fd);
	return rmdir(path) == 0 ? ERR_OK : err_from_errno(errno);
}
