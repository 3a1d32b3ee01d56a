/* SPDX-License-Identifier: MIT */
/* Thumbnails on disk. DIR/xx/ID.tn, where xx is the last byte of the id: a header, the JPEG. */
#include "web/picture_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"

#define MAGIC "salverTN"
#define VERSION 1
#define PICTURE_MAX_BYTES (4u << 20)
#define DIRS_N 256
#define OLDEST_N 4096 /* removed after one look at all files */
#define BLOCK_BYTES 4096
#define NAME_MAX_BYTES 32

static const char *const endings[PICTURE_BOX_N] = { NULL, "tn", "sm" };

struct header {
	char magic[8];
	uint32_t version;
	uint32_t n; /* bytes that follow; 0: there is no picture */
	uint64_t media_id;
	uint64_t file_version;
	uint8_t box;
	uint8_t zero[7];
	uint64_t hash; /* of the bytes, seeded with that of all above */
};
_Static_assert(sizeof(struct header) == 48, "as on disk");

struct picture_store {
	int dir_fd;
	uint64_t last_warning_ms;
	struct picture_store_stats stats;
};

/* What a file takes on the disk, its directory entry and inode left out. */
static uint64_t cost_of(uint64_t size)
{
	return num_align_up(size > 0 ? size : 1, BLOCK_BYTES);
}

static void name_of(uint64_t media_id, uint8_t box, char out[NAME_MAX_BYTES])
{
	(void)snprintf(out, NAME_MAX_BYTES, "%02llx/%llx.%s", (unsigned long long)(media_id & 0xff),
		       (unsigned long long)media_id, endings[box]);
}

/* The parts of "1a2b.tn"; false where it is no name of ours. */
static bool parse_name(const char *name, uint64_t *out_id, uint8_t *out_box)
{
	uint64_t id = 0;
	size_t i = 0;

	for (; name[i] && name[i] != '.' && i < 16; i++) {
		int digit = name[i] >= '0' && name[i] <= '9'   ? name[i] - '0'
			    : name[i] >= 'a' && name[i] <= 'f' ? name[i] - 'a' + 10
							       : -1;
		if (digit < 0)
			return false;
		id = id << 4 | (uint64_t)digit;
	}
	for (uint8_t box = PICTURE_BOX_TN; i > 0 && name[i] == '.' && box < PICTURE_BOX_N; box++) {
		if (span_eq(span_str(name + i + 1), span_str(endings[box]))) {
			*out_id = id;
			*out_box = box;
			return true;
		}
	}
	return false;
}

static uint64_t hash_of(const struct header *h, struct span bytes)
{
	return XXH3_64bits_withSeed(bytes.p, bytes.n,
				    XXH3_64bits(h, offsetof(struct header, hash)));
}

static void forget(struct picture_store *s, const char *name, uint64_t size)
{
	if (unlinkat(s->dir_fd, name, 0) != 0)
		return;
	uint64_t cost = cost_of(size);
	s->stats.bytes -= MIN(cost, s->stats.bytes);
	s->stats.files_n -= s->stats.files_n > 0;
}

/* ---- all files ------------------------------------------------------------------------------- */

struct kept {
	uint64_t media_id;
	int64_t used_ns;
	uint64_t size;
	uint8_t box;
};

typedef void kept_fn(void *ctx, const struct kept *k);

static void walk_dir(struct picture_store *s, const char *name, kept_fn *fn, void *ctx)
{
	int fd = openat(s->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct kept k;

	for (const struct dirent *de; d && (de = readdir(d));) {
		struct stat st;

		if (!parse_name(de->d_name, &k.media_id, &k.box) ||
		    fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		k.used_ns = st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
		k.size = (uint64_t)st.st_size;
		fn(ctx, &k);
	}
	if (d)
		(void)closedir(d);
	else
		fd_closep(&fd);
}

static void walk(struct picture_store *s, kept_fn *fn, void *ctx)
{
	for (unsigned i = 0; i < DIRS_N; i++) {
		char name[8];

		(void)snprintf(name, sizeof name, "%02x", i);
		walk_dir(s, name, fn, ctx);
	}
}

static void count_one(void *ctx, const struct kept *k)
{
	struct picture_store *s = ctx;

	s->stats.bytes += cost_of(k->size);
	s->stats.files_n++;
}

static void forget_one(void *ctx, const struct kept *k)
{
	char name[NAME_MAX_BYTES];

	name_of(k->media_id, k->box, name);
	forget(ctx, name, k->size);
}

/* ---- eviction -------------------------------------------------------------------------------- */

struct oldest {
	size_t n;
	struct kept k[2 * OLDEST_N];
};

static int by_use(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return (x->used_ns > y->used_ns) - (x->used_ns < y->used_ns);
}

static void add_oldest(void *ctx, const struct kept *k)
{
	struct oldest *o = ctx;

	if (o->n == ARRAY_LEN(o->k)) {
		qsort(o->k, o->n, sizeof o->k[0], by_use);
		o->n = OLDEST_N;
	}
	o->k[o->n++] = *k;
}

/* The oldest, until an eighth is free: one look at all files for many removals. */
static void evict(struct picture_store *s)
{
	uint64_t goal = s->stats.bytes_max - s->stats.bytes_max / 8;
	struct oldest *o = s->stats.bytes > s->stats.bytes_max ? malloc(sizeof *o) : NULL;

	while (o && s->stats.bytes > goal) {
		uint64_t before = s->stats.evictions_n;

		o->n = 0;
		walk(s, add_oldest, o);
		qsort(o->k, o->n, sizeof o->k[0], by_use);
		for (size_t i = 0; i < o->n && i < OLDEST_N && s->stats.bytes > goal; i++) {
			uint64_t bytes = s->stats.bytes;

			forget_one(s, &o->k[i]);
			s->stats.evictions_n += s->stats.bytes < bytes;
		}
		if (s->stats.evictions_n == before) { /* nothing can be removed: count again */
			s->stats.bytes = s->stats.files_n = 0;
			walk(s, count_one, s);
			break;
		}
	}
	free(o);
}

/* ---- open and close -------------------------------------------------------------------------- */

enum err picture_store_open(const char *dir, uint64_t bytes_max, struct picture_store **out)
{
	if (bytes_max > 0 && mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_from_errno(errno);
	CLEANUP(fd_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_from_errno(errno);
	struct picture_store *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_NOMEM;
	s->dir_fd = fd_take(&fd);
	s->stats.bytes_max = bytes_max;
	walk(s, bytes_max > 0 ? count_one : forget_one, s);
	evict(s);
	*out = s;
	return ERR_OK;
}

void picture_store_close(struct picture_store *s)
{
	if (!s)
		return;
	fd_closep(&s->dir_fd);
	free(s);
}

void picture_store_stats(const struct picture_store *s, struct picture_store_stats *out)
{
	*out = s->stats;
}

/* ---- one picture ----------------------------------------------------------------------------- */

static bool header_fits(const struct header *h, uint64_t file_size)
{
	return memcmp(h->magic, MAGIC, sizeof h->magic) == 0 && h->version == VERSION &&
	       h->n <= PICTURE_MAX_BYTES && file_size == sizeof *h + h->n;
}

static void note_use(int fd, const struct stat *st)
{
	if (st->st_mtim.tv_sec + PICTURE_STORE_TOUCH_S < time(NULL))
		(void)futimens(fd, NULL); /* where it fails it goes a little earlier */
}

/* ERR_CORRUPT: it is not what was put. */
static enum err read_picture(int fd, const struct stat *st, const struct picture_key *key,
			     struct buf *out)
{
	struct header h;
	enum err e = fd_pread_all(fd, &h, sizeof h, 0);

	if (e != ERR_OK || !header_fits(&h, (uint64_t)st->st_size) || h.box != key->box ||
	    h.media_id != key->media_id)
		return ERR_CORRUPT;
	if (h.file_version != key->version)
		return ERR_NOTFOUND; /* of another version: the next put replaces it */
	char *room = malloc(h.n > 0 ? h.n : 1);
	if (!room)
		return ERR_NOMEM;
	e = fd_pread_all(fd, room, h.n, sizeof h);
	if (e == ERR_OK)
		e = hash_of(&h, span_of(room, h.n)) == h.hash ? ERR_OK : ERR_CORRUPT;
	if (e == ERR_OK)
		buf_add(out, span_of(room, h.n));
	free(room);
	return e == ERR_IO ? ERR_CORRUPT : e;
}

enum err picture_store_get(struct picture_store *s, const struct picture_key *key, struct buf *out)
{
	char name[NAME_MAX_BYTES];
	struct stat st;

	if (s->stats.bytes_max == 0 || !endings[key->box])
		return ERR_NOTFOUND;
	name_of(key->media_id, key->box, name);
	CLEANUP(fd_closep) int fd = openat(s->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ERR_NOTFOUND;
	enum err e = read_picture(fd, &st, key, out);
	if (e == ERR_OK) {
		note_use(fd, &st);
		return buf_err(out);
	}
	if (e == ERR_CORRUPT) {
		s->stats.damaged_n++;
		forget(s, name, (uint64_t)st.st_size);
	}
	return ERR_NOTFOUND;
}

static enum err write_new(struct picture_store *s, const struct header *h, struct span bytes)
{
	CLEANUP(fd_closep)
	int fd = openat(s->dir_fd, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			0600);

	if (fd < 0)
		return err_from_errno(errno);
	enum err e = fd_pwrite_all(fd, span_of(h, sizeof *h), 0);
	return e == ERR_OK ? fd_pwrite_all(fd, bytes, sizeof *h) : e;
}

/* Into its place; the directory is made with its first file. */
static enum err move_in(struct picture_store *s, const char *name)
{
	char dir[4] = { name[0], name[1], '\0' };

	if (renameat(s->dir_fd, "new", s->dir_fd, name) == 0)
		return ERR_OK;
	if (errno == ENOENT && mkdirat(s->dir_fd, dir, 0700) == 0 &&
	    renameat(s->dir_fd, "new", s->dir_fd, name) == 0)
		return ERR_OK;
	return err_from_errno(errno);
}

static void say_failure(struct picture_store *s, enum err e)
{
	uint64_t now_ms = clock_now_ms();

	s->stats.failures_n++;
	if (s->last_warning_ms != 0 && now_ms - s->last_warning_ms < 60000)
		return;
	s->last_warning_ms = now_ms;
	log_warn(LOG_WEB, "a thumbnail cannot be kept on disk (%s); it is made again when needed",
		 err_name(e));
}

void picture_store_put(struct picture_store *s, const struct picture_key *key, struct span bytes)
{
	struct header h = { .magic = MAGIC,
			    .version = VERSION,
			    .n = (uint32_t)bytes.n,
			    .media_id = key->media_id,
			    .file_version = key->version,
			    .box = key->box };
	char name[NAME_MAX_BYTES];
	struct stat old;

	if (s->stats.bytes_max == 0 || !endings[key->box] || bytes.n > PICTURE_MAX_BYTES ||
	    cost_of(sizeof h + bytes.n) > s->stats.bytes_max)
		return;
	h.hash = hash_of(&h, bytes);
	name_of(key->media_id, key->box, name);
	if (fstatat(s->dir_fd, name, &old, AT_SYMLINK_NOFOLLOW) == 0)
		forget(s, name, (uint64_t)old.st_size);
	enum err e = write_new(s, &h, bytes);
	if (e == ERR_OK)
		e = move_in(s, name);
	if (e != ERR_OK) {
		(void)unlinkat(s->dir_fd, "new", 0);
		say_failure(s, e);
		return;
	}
	s->stats.bytes += cost_of(sizeof h + bytes.n);
	s->stats.files_n++;
	evict(s);
}
