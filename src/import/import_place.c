/* SPDX-License-Identifier: MIT */
/* Foreign paths on the disk. */
#include "import/import_place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/media_type.h"
#include "library/sidecar.h"

_Static_assert((int)MEDIA_CLASS_AUDIO == (int)MEDIA_KIND_AUDIO &&
		       (int)MEDIA_CLASS_VIDEO == (int)MEDIA_KIND_VIDEO &&
		       (int)MEDIA_CLASS_IMAGE == (int)MEDIA_KIND_IMAGE,
	       "media_type.h and media.fbs count alike");

/* ---- roots ----------------------------------------------------------------------------------- */

#define BUFFERS(X)                                                                                 \
	X(seen)                                                                                    \
	X(home)                                                                                    \
	X(canonical)                                                                               \
	X(path)                                                                                    \
	X(canonical_path)                                                                          \
	X(art_path)                                                                                \
	X(subtitle_path)

void import_places_init(struct import_places *p)
{
	*p = (struct import_places){ .fd = -1, .why = IMPORT_FAULTY };
#define X(name) buf_init(&p->name, PATH_MAX_BYTES + 1);
	BUFFERS(X)
#undef X
}

void import_places_fini(struct import_places *p)
{
#define X(name) buf_fini(&p->name);
	BUFFERS(X)
#undef X
	for (size_t i = 0; i < p->roots_n; i++)
		free((char *)p->roots[i].p);
	free(p->roots);
	fd_closep(&p->fd);
}

enum err import_places_add(struct import_places *p, struct span root)
{
	for (size_t i = 0; i < p->roots_n; i++) {
		if (path_is_within(root, p->roots[i]))
			return ERR_OK;
		if (!path_is_within(p->roots[i], root))
			continue;
		free((char *)p->roots[i].p); /* inside the new one */
		p->roots[i--] = p->roots[--p->roots_n];
	}
	struct span *grown = realloc(p->roots, (p->roots_n + 1) * sizeof *grown);
	if (!grown)
		return ERR_NOMEM;
	p->roots = grown;
	char *copy = strndup(root.p, root.n);
	if (!copy)
		return ERR_NOMEM;
	p->roots[p->roots_n++] = span_of(copy, root.n);
	return ERR_OK;
}

static bool in_root(const struct import_places *p, struct span path)
{
	for (size_t i = 0; i < p->roots_n; i++)
		if (path_is_within(path, p->roots[i]))
			return true;
	return false;
}

/* ---- directories ----------------------------------------------------------------------------- */

static void set(struct buf *b, struct span s)
{
	buf_clear(b);
	buf_add(b, s);
}

/* What an open file really is called. */
static bool resolve(int fd, struct buf *out)
{
	char link[64], target[PATH_MAX_BYTES + 1];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, target, sizeof target);
	if (n <= 0 || (size_t)n > PATH_MAX_BYTES || target[0] != '/')
		return false;
	set(out, span_of(target, (size_t)n));
	return buf_err(out) == ERR_OK;
}

/* Only named, never opened for reading: a path may be anything. */
static int open_place(int dir, const char *path, int flags)
{
	return openat(dir, path, O_PATH | O_CLOEXEC | flags);
}

static enum import_skip open_directory(struct import_places *p)
{
	struct span seen = buf_span(&p->seen);
	bool inside = in_root(p, seen);
	struct stat st;
	bool remote;

	p->fd = open_place(AT_FDCWD, buf_cstr(&p->seen), O_DIRECTORY);
	if (p->fd < 0 || fstat(p->fd, &st) != 0 || !resolve(p->fd, &p->canonical))
		return inside ? IMPORT_MISSING : IMPORT_OUTSIDE;
	/* By another name, it may still be in a root. */
	if (!inside && !in_root(p, buf_span(&p->canonical)))
		return IMPORT_OUTSIDE;
	set(&p->home, inside ? seen : buf_span(&p->canonical));
	p->device = st.st_dev;
	p->filesystem = filesystem_id(&p->filesystems, p->fd, st.st_dev, &remote);
	return buf_err(&p->home) == ERR_OK ? IMPORT_SKIPS_N : IMPORT_FAULTY;
}

/* Afterwards p->fd >= 0, or p->why says why not. */
static void enter(struct import_places *p, struct span directory)
{
	if (span_eq(buf_span(&p->seen), directory))
		return;
	fd_closep(&p->fd);
	set(&p->seen, directory);
	p->why = buf_err(&p->seen) == ERR_OK ? open_directory(p) : IMPORT_FAULTY;
	if (p->why != IMPORT_SKIPS_N)
		fd_closep(&p->fd);
}

static bool join(struct span directory, struct span name, struct buf *out)
{
	set(out, directory);
	if (directory.n > 1)
		buf_add_char(out, '/');
	buf_add(out, name);
	return buf_err(out) == ERR_OK && out->n <= PATH_MAX_BYTES;
}

struct span import_place_path(struct import_places *p, struct span path)
{
	if (!path_is_sound(path))
		return SPAN("");
	enter(p, path_directory(path));
	if (p->fd < 0)
		return path;
	return join(buf_span(&p->home), path_name(path), &p->path) ? buf_span(&p->path) : SPAN("");
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Where the link points to, and on which file system that is. */
static bool follow_link(struct import_places *p, const char *name, struct stat *st,
			struct media_file_in *file)
{
	CLEANUP(fd_closep) int fd = open_place(p->fd, name, 0);
	bool remote;

	if (fd < 0 || fstat(fd, st) != 0 || !resolve(fd, &p->canonical_path))
		return false;
	file->canonical_path = buf_span(&p->canonical_path);
	file->device = filesystem_id(&p->filesystems, fd, st->st_dev, &remote);
	return true;
}

static bool describe(struct import_places *p, struct media_file_in *file)
{
	const char *name = buf_cstr(&p->path) + p->path.n - file->filename.n;
	struct stat st;

	if (fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	file->device = p->filesystem;
	if (S_ISLNK(st.st_mode) || st.st_dev != p->device) {
		if (!follow_link(p, name, &st, file))
			return false;
	} else {
		if (!join(buf_span(&p->canonical), file->filename, &p->canonical_path))
			return false;
		file->canonical_path = buf_span(&p->canonical_path);
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return false;
	file->size = (uint64_t)st.st_size;
	file->modified = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	file->inode = st.st_ino;
	return true;
}

/* What is served as art or subtitles must lie beside the file, or the source could name anything.
 */
static struct span beside(struct import_places *p, struct span path, struct buf *out)
{
	struct stat st;

	if (!path_is_sound(path) || !span_eq(path_directory(path), buf_span(&p->seen)) ||
	    !join(buf_span(&p->home), path_name(path), out))
		return SPAN("");
	const char *name = buf_cstr(out) + out->n - path_name(path).n;
	if (fstatat(p->fd, name, &st, 0) != 0 || !S_ISREG(st.st_mode))
		return SPAN("");
	return buf_span(out);
}

static void keep_sides(struct import_places *p, struct media_file_in *file)
{
	struct span art = file->art_path;
	struct span subtitle = file->subtitles_n > 0 ? file->subtitles[0].path : SPAN("");

	file->art_path = SPAN("");
	file->subtitles_n = 0;
	if (file->kind != MEDIA_KIND_IMAGE && sidecar_is_image(path_name(art)))
		file->art_path = beside(p, art, &p->art_path);
	if (file->kind != MEDIA_KIND_VIDEO || !sidecar_is_subtitle(path_name(subtitle)))
		return;
	p->subtitle = (struct subtitle_in){ .path = beside(p, subtitle, &p->subtitle_path) };
	file->subtitles = &p->subtitle;
	file->subtitles_n = p->subtitle.path.n > 0;
}

/* The name says what it is; of containers that hold either, the source knows which. */
static void set_type(const struct media_type *type, struct media_file_in *file)
{
	const struct media_type *said = media_type_by_mime(file->mime_type);

	file->kind = type->media_class;
	if (said && said->media_class != type->media_class &&
	    said->media_class != MEDIA_KIND_IMAGE && type->media_class != MEDIA_KIND_IMAGE) {
		file->kind = said->media_class;
		type = said;
	}
	file->mime_type = span_str(type->mime);
}

bool import_place_file(struct import_places *p, struct media_file_in *file,
		       enum import_skip *out_why)
{
	struct span path = file->path;
	const struct media_type *type = media_type_by_name(path);

	*out_why = path_is_sound(path) ? IMPORT_OTHER : IMPORT_FAULTY;
	if (*out_why == IMPORT_FAULTY || !type || sidecar_is_folder_art(path_name(path)))
		return false;
	file->path = import_place_path(p, path);
	*out_why = p->fd < 0 ? p->why : file->path.n == 0 ? IMPORT_FAULTY : IMPORT_MISSING;
	if (p->fd < 0 || file->path.n == 0)
		return false;
	file->filename = path_name(file->path);
	set_type(type, file);
	if (!describe(p, file))
		return false;
	keep_sides(p, file);
	return true;
}
