/* SPDX-License-Identifier: MIT */
/* Directory reading: getdents, then one stat per media file and per symbolic link. */
#include "scanner/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/media_type.h"
#include "base/sniff.h"
#include "library/library.h"
#include "scanner/playlist_file.h"

#define READ_BYTES (32 * 1024)
#define KEEP_ENTRIES 4096 /* larger arrays are given back after use */

void walk_listing_init(struct walk_listing *l)
{
	*l = (struct walk_listing){ 0 };
	arena_init(&l->arena, WALK_NAMES_MAX_BYTES);
}

void walk_listing_fini(struct walk_listing *l)
{
	free(l->files.items);
	free(l->directories.items);
	free(l->playlists.items);
	sidecars_fini(&l->sides);
	arena_fini(&l->arena);
}

static void entries_reset(struct walk_entries *e)
{
	e->n = 0;
	if (e->cap > KEEP_ENTRIES) {
		free(TAKE(e->items));
		e->cap = 0;
	}
}

static void listing_reset(struct walk_listing *l)
{
	entries_reset(&l->files);
	entries_reset(&l->directories);
	entries_reset(&l->playlists);
	sidecars_reset(&l->sides);
	arena_reset(&l->arena);
	l->nomedia = l->partial = l->too_many = false;
	l->empty = true;
}

static enum err entries_add(struct walk_entries *e, struct walk_entry item)
{
	if (e->n == e->cap) {
		size_t cap = e->cap ? e->cap * 2 : 64;
		struct walk_entry *items = realloc(e->items, cap * sizeof *items);

		if (!items)
			return ERR_NOMEM;
		e->items = items;
		e->cap = cap;
	}
	e->items[e->n++] = item;
	return ERR_OK;
}

static void pass_over(const struct walk_source *source, struct span name, enum scan_reason reason)
{
	if (source->passed_over)
		source->passed_over(source->ctx, name, reason);
}

static bool takes(const struct walk_source *source, struct span name, enum walk_kind kind)
{
	if (!source->takes || source->takes(source->ctx, name, kind))
		return true;
	pass_over(source, name, kind == WALK_MEDIA ? REASON_NOT_INCLUDED : REASON_EXCLUDED);
	return false;
}

bool walk_is_nameless(struct span name)
{
	return span_find(name, '.') >= name.n;
}

bool walk_may_be_media(struct span name)
{
	return media_type_by_name(name) || walk_is_nameless(name);
}

/* A regular file by name; its stat comes later. */
static enum err add_file(const struct walk_source *source, struct walk_listing *l, struct span name,
			 bool link)
{
	const struct media_type *type = media_type_by_name(name);
	bool nameless = walk_is_nameless(name);
	enum err e = ERR_OK;

	if (!takes(source, name, WALK_FILE))
		return ERR_OK;
	if (sidecar_is_image(name))
		e = sidecars_add_image(&l->sides, name);
	else if (!type && sidecar_is_subtitle(name))
		e = sidecars_add_subtitle(&l->sides, name);
	else if (!type && playlist_format_of(name) != PLAYLIST_FORMAT_NONE)
		e = entries_add(&l->playlists, (struct walk_entry){ .name = name, .link = link });
	else if (!type && !nameless)
		pass_over(source, name, REASON_OTHER_TYPE);
	if (e != ERR_OK || (!type && !nameless) || !takes(source, name, WALK_MEDIA))
		return e;
	struct walk_entry entry = { .name = name, .nameless = nameless, .link = link };
	if (type)
		entry.media_class = type->media_class;
	if (entry.media_class == MEDIA_CLASS_VIDEO)
		l->sides.films_n++;
	return entries_add(&l->files, entry);
}

static enum err add_directory(const struct walk_source *source, struct walk_listing *l,
			      struct walk_entry e)
{
	return takes(source, e.name, WALK_DIRECTORY) ? entries_add(&l->directories, e) : ERR_OK;
}

static bool is_gone(int os_errno)
{
	return os_errno == ENOENT || os_errno == ENOTDIR || os_errno == ELOOP;
}

/* What a link points to, or an entry whose kind the file system does not tell. */
static enum err add_by_stat(const struct walk_source *source, struct walk_listing *l,
			    struct span name, unsigned char type)
{
	int fd = source->fd;
	struct stat st;
	bool link = type == DT_LNK;

	if (!link && fstatat(fd, name.p, &st, AT_SYMLINK_NOFOLLOW) == 0)
		link = S_ISLNK(st.st_mode);
	if (fstatat(fd, name.p, &st, 0) != 0) {
		if (is_gone(errno)) {
			pass_over(source, name, REASON_DEAD_LINK);
			return ERR_OK;
		}
		/* Nobody can say what it is: whatever the store knows under this name stays. */
		struct walk_entry e = { .name = name, .link = link, .leave = true };
		enum err err = add_directory(source, l, e);
		if (err == ERR_OK && walk_may_be_media(name) && takes(source, name, WALK_FILE) &&
		    takes(source, name, WALK_MEDIA))
			err = entries_add(&l->files, e);
		else
			pass_over(source, name, REASON_UNREADABLE);
		return err;
	}
	if (S_ISDIR(st.st_mode))
		return add_directory(source, l, (struct walk_entry){ .name = name, .link = link });
	if (S_ISREG(st.st_mode))
		return add_file(source, l, name, link);
	pass_over(source, name, REASON_SPECIAL);
	return ERR_OK;
}

static enum err add_entry(const struct walk_source *source, struct walk_listing *l,
			  const struct dirent64 *d)
{
	struct span name = span_str(d->d_name);

	if (name.p[0] == '.') {
		if (span_eq(name, SPAN(".nomedia")))
			l->nomedia = true;
		else if (!span_eq(name, SPAN(".")) && !span_eq(name, SPAN("..")))
			pass_over(source, name, REASON_HIDDEN);
		return ERR_OK;
	}
	l->empty = false;
	if (d->d_type != DT_DIR && d->d_type != DT_REG && d->d_type != DT_LNK &&
	    d->d_type != DT_UNKNOWN) {
		pass_over(source, name, REASON_SPECIAL);
		return ERR_OK;
	}
	name = arena_dup(&l->arena, name);
	if (!name.p)
		return ERR_NOMEM;
	if (d->d_type == DT_DIR)
		return add_directory(source, l, (struct walk_entry){ .name = name });
	if (d->d_type == DT_REG)
		return add_file(source, l, name, false);
	return add_by_stat(source, l, name, d->d_type);
}

/* All names of the directory. */
static enum err read_names(const struct walk_source *source, struct walk_listing *l)
{
	_Alignas(8) char bytes[READ_BYTES];
	int fd = source->fd;
	size_t total = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		l->partial = true;
	for (;;) {
		ssize_t n = getdents64(fd, bytes, sizeof bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			l->partial = true;
		if (n <= 0 || l->nomedia)
			return ERR_OK;
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *d = (const struct dirent64 *)(bytes + at);
			enum err e = add_entry(source, l, d);

			if (e != ERR_OK)
				return e;
			at += d->d_reclen;
			if (++total > WALK_ENTRIES_MAX) {
				l->partial = l->too_many = true;
				return ERR_OK;
			}
		}
	}
}

/* False: it is no regular file (any more). */
static bool stat_file(const struct walk_source *source, struct walk_entry *e)
{
	struct stat st;

	if (e->leave)
		return true;
	if (fstatat(source->fd, e->name.p, &st, e->link ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
		e->leave = !is_gone(errno);
		return e->leave;
	}
	if (!S_ISREG(st.st_mode))
		return false;
	e->size = (uint64_t)st.st_size;
	e->mtime_ns = walk_time_ns(st.st_mtim);
	e->device = st.st_dev;
	e->inode = st.st_ino;
	e->leave = source->busy && source->busy(source->ctx, e->name);
	return true;
}

/* False: it is no media file (any more), or empty. */
static bool examine(const struct walk_source *source, struct walk_entry *e)
{
	if (!stat_file(source, e))
		return false;
	if (e->size > 0 || e->leave)
		return true;
	pass_over(source, e->name, REASON_EMPTY);
	return false;
}

static bool is_film_or_music(uint8_t media_class)
{
	return media_class == MEDIA_CLASS_AUDIO || media_class == MEDIA_CLASS_VIDEO;
}

/* The film's and the album's own pictures are no photos. */
static bool holds_films_or_music(const struct walk_source *source, const struct walk_listing *l)
{
	for (size_t i = 0; i < l->files.n; i++)
		if (is_film_or_music(l->files.items[i].media_class))
			return true;
	for (size_t i = 0, looks = 0; i < l->files.n && looks < WALK_LOOKS_MAX; i++) {
		const struct media_type *type;

		if (!l->files.items[i].nameless)
			continue;
		looks++;
		if (walk_look(source->fd, &l->files.items[i], &type) == ERR_OK &&
		    is_film_or_music(type->media_class))
			return true;
	}
	return false;
}

static void examine_files(const struct walk_source *source, struct walk_listing *l)
{
	bool art_apart = l->sides.folder_art.n > 0 && holds_films_or_music(source, l);
	size_t n = 0;

	for (size_t i = 0; i < l->files.n; i++) {
		struct walk_entry e = l->files.items[i];

		if (e.media_class == MEDIA_CLASS_IMAGE && art_apart &&
		    sidecar_is_folder_art(e.name))
			continue;
		if (examine(source, &e))
			l->files.items[n++] = e;
	}
	l->files.n = n;
}

/* An empty one is a playlist without entries. */
static void examine_playlists(const struct walk_source *source, struct walk_listing *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->playlists.n; i++) {
		struct walk_entry e = l->playlists.items[i];

		if (stat_file(source, &e))
			l->playlists.items[n++] = e;
	}
	l->playlists.n = n;
}

static int compare_entries(const void *a, const void *b)
{
	const struct walk_entry *x = a;
	const struct walk_entry *y = b;
	int order = span_cmp(x->key, y->key);

	return order != 0 ? order : span_cmp(x->name, y->name);
}

static enum err sort_entries(struct walk_listing *l, struct walk_entries *e)
{
	uint8_t key[COLLATE_KEY_MAX];

	for (size_t i = 0; i < e->n; i++) {
		size_t n = library_collate_key(e->items[i].name, key);

		e->items[i].key = arena_dup(&l->arena, span_of(key, n));
		if (!e->items[i].key.p)
			return ERR_NOMEM;
	}
	if (e->n > 1)
		qsort(e->items, e->n, sizeof *e->items, compare_entries);
	return ERR_OK;
}

/* "Subs/film.en.srt", in memory of the listing. */
static struct span join_names(struct walk_listing *l, struct span directory, struct span name)
{
	char *p = arena_alloc(&l->arena, directory.n + 1 + name.n + 1);

	if (!p)
		return (struct span){ NULL, 0 };
	memcpy(p, directory.p, directory.n);
	p[directory.n] = '/';
	memcpy(p + directory.n + 1, name.p, name.n);
	p[directory.n + 1 + name.n] = '\0';
	return span_of(p, directory.n + 1 + name.n);
}

enum { SUBTITLE_LEVELS = 2 }; /* Subs/, and in it one directory for each film */

struct subtitle_reader {
	const struct walk_source *source;
	struct walk_listing *listing;
	size_t total;
};

static enum err read_subtitle_names(struct subtitle_reader *r, int fd, struct span path,
				    unsigned level);

static enum err read_subtitle_entry(struct subtitle_reader *r, int fd, struct span path,
				    unsigned level, const struct dirent64 *d)
{
	struct span name = span_str(d->d_name);
	bool directory = d->d_type == DT_DIR;

	if (name.p[0] == '.' ||
	    (directory ? level + 1 >= SUBTITLE_LEVELS : !sidecar_is_subtitle(name)))
		return ERR_OK;
	struct span below = join_names(r->listing, path, name);
	if (!below.p)
		return ERR_NOMEM;
	if (!takes(r->source, below, directory ? WALK_DIRECTORY : WALK_FILE))
		return ERR_OK;
	if (!directory)
		return sidecars_add_subtitle_below(&r->listing->sides, below);
	CLEANUP(fd_closep) int sub = -1;
	return walk_open_directory(fd, name, false, &sub) == ERR_OK
		       ? read_subtitle_names(r, sub, below, level + 1)
		       : ERR_OK;
}

static enum err read_subtitle_names(struct subtitle_reader *r, int fd, struct span path,
				    unsigned level)
{
	_Alignas(8) char bytes[READ_BYTES];

	while (r->total < WALK_ENTRIES_MAX) {
		ssize_t n = getdents64(fd, bytes, sizeof bytes);

		if (n <= 0)
			return ERR_OK;
		for (ssize_t at = 0; at < n; r->total++) {
			const struct dirent64 *d = (const struct dirent64 *)(bytes + at);
			enum err e = read_subtitle_entry(r, fd, path, level, d);

			if (e != ERR_OK)
				return e;
			at += d->d_reclen;
		}
	}
	return ERR_OK;
}

/* Subtitles in `Subs/`. */
static enum err read_subtitle_directory(const struct walk_source *source, struct walk_listing *l,
					const struct walk_entry *dir)
{
	CLEANUP(fd_closep) int sub = -1;
	struct subtitle_reader r = { .source = source, .listing = l };

	if (walk_open_directory(source->fd, dir->name, dir->link, &sub) != ERR_OK)
		return ERR_OK;
	return read_subtitle_names(&r, sub, dir->name, 0);
}

static enum err read_subtitles_below(const struct walk_source *source, struct walk_listing *l)
{
	for (size_t i = 0; i < l->directories.n && l->sides.films_n > 0; i++) {
		const struct walk_entry *dir = &l->directories.items[i];

		if (dir->leave || !sidecar_is_subtitle_directory(dir->name))
			continue;
		enum err e = read_subtitle_directory(source, l, dir);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err walk_read(const struct walk_source *source, struct walk_listing *out)
{
	listing_reset(out);
	enum err e = read_names(source, out);
	if (e != ERR_OK)
		return e;
	if (out->nomedia) {
		out->files.n = out->directories.n = out->playlists.n = 0;
		sidecars_reset(&out->sides);
		return ERR_OK;
	}
	examine_files(source, out);
	examine_playlists(source, out);
	e = read_subtitles_below(source, out);
	sidecars_sort(&out->sides);
	if (e == ERR_OK)
		e = sort_entries(out, &out->files);
	if (e == ERR_OK)
		e = sort_entries(out, &out->directories);
	return e;
}

enum err walk_open_directory(int fd, struct span name, bool link, int *out_fd)
{
	int opened =
		openat(fd, name.p,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | (link ? 0 : O_NOFOLLOW));

	if (opened < 0)
		return is_gone(errno) ? ERR_NOTFOUND : err_from_errno(errno);
	*out_fd = opened;
	return ERR_OK;
}

enum err walk_open_file(int fd, const struct walk_entry *entry, int *out_fd, struct stat *out_st)
{
	struct stat st;
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (entry->link ? 0 : O_NOFOLLOW);
	CLEANUP(fd_closep) int opened = openat(fd, entry->name.p, flags);

	if (opened < 0)
		return is_gone(errno) ? ERR_NOTFOUND : err_from_errno(errno);
	if (fstat(opened, &st) != 0)
		return err_from_errno(errno);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return ERR_NOTFOUND;
	*out_st = st;
	*out_fd = fd_take(&opened);
	return ERR_OK;
}

const struct media_type *walk_type_of(int fd)
{
	char head[SNIFF_HEAD_BYTES];

	/* Of most of them nothing else will ever be read. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	ssize_t n = pread(fd, head, sizeof head, 0);
	return n > 0 ? sniff_type(span_of(head, (size_t)n)) : NULL;
}

enum err walk_look(int fd, const struct walk_entry *entry, const struct media_type **out)
{
	CLEANUP(fd_closep) int file = -1;
	struct stat st;
	enum err e = walk_open_file(fd, entry, &file, &st);

	if (e != ERR_OK)
		return e;
	const struct media_type *type = walk_type_of(file);
	if (!type)
		return ERR_UNSUPPORTED;
	*out = type;
	return ERR_OK;
}
