/* SPDX-License-Identifier: MIT */
/* Recording, tearing and failing the store's I/O. */
#include "trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files ---- */

static int unsynced(void *ctx, int fd)
{
	(void)ctx, (void)fd;
	return 0;
}

static int plain_open(void *ctx, int dir_fd, const char *name, int flags)
{
	return io_files.open(ctx, dir_fd, name, flags);
}

static int plain_close(void *ctx, int fd)
{
	return io_files.close(ctx, fd);
}

static ssize_t plain_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	return io_files.pwrite(ctx, fd, p, n, off);
}

static int plain_grow(void *ctx, int fd, uint64_t bytes)
{
	return io_files.truncate(ctx, fd, bytes);
}

static int plain_unlink(void *ctx, int dir_fd, const char *name)
{
	return io_files.unlink(ctx, dir_fd, name);
}

const struct db_io io_unsynced = {
	.open = plain_open,
	.close = plain_close,
	.pwrite = plain_pwrite,
	.fdatasync = unsynced,
	.grow = plain_grow,
	.truncate = plain_grow,
	.unlink = plain_unlink,
	.sync_dir = unsynced,
};

struct db *open_unsynced(const char *dir)
{
	struct db_options o = fx_options(dir);
	struct err_info info = { 0 };
	struct db *db = NULL;
	o.io = &io_unsynced;
	enum err e = db_open(&o, &db, &info);
	if (e != ERR_OK)
		printf("db_open: %s\n", info.text);
	EXPECT_OK(e);
	return db;
}

static void dir_empty(const char *dir)
{
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	const struct dirent *de;
	while ((de = readdir(d)))
		if (de->d_name[0] != '.')
			unlinkat(dirfd(d), de->d_name, 0);
	closedir(d);
}

static void file_copy(int from_dir, int to_dir, const char *name)
{
	int from = openat(from_dir, name, O_RDONLY);
	int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	static char piece[64 << 10];
	ssize_t n;
	EXPECT(from >= 0 && to >= 0);
	while ((n = read(from, piece, sizeof piece)) > 0)
		EXPECT(write(to, piece, (size_t)n) == n);
	close(from);
	close(to);
}

void dir_copy(const char *from, const char *to)
{
	EXPECT(mkdir(to, 0700) == 0 || errno == EEXIST);
	dir_empty(to);
	DIR *d = from ? opendir(from) : NULL;
	if (!d)
		return;
	int to_fd = open(to, O_RDONLY | O_DIRECTORY);
	EXPECT(to_fd >= 0);
	const struct dirent *de;
	while ((de = readdir(d)))
		if (de->d_type == DT_REG)
			file_copy(dirfd(d), to_fd, de->d_name);
	close(to_fd);
	closedir(d);
}

/* ---- recording ---- */

static void unlockp(struct mutex **m)
{
	mutex_unlock(*m);
}

/* An operation and its place in the record are one. */
static struct mutex *lock_take(struct mutex *m)
{
	mutex_lock(m);
	return m;
}

static struct trace_op *op_add(struct trace *t, enum trace_kind kind, int file)
{
	if (t->ops_n == t->ops_cap) {
		t->ops_cap = t->ops_cap ? 2 * t->ops_cap : 256;
		t->ops = realloc(t->ops, t->ops_cap * sizeof *t->ops);
		EXPECT(t->ops != NULL);
	}
	struct trace_op *op = &t->ops[t->ops_n++];
	*op = (struct trace_op){ .kind = kind, .phase = t->phase, .file = file };
	return op;
}

static int file_find(struct trace *t, const char *name)
{
	for (int i = 0; i < t->files_n; i++)
		if (strcmp(t->names[i], name) == 0)
			return i;
	EXPECT(t->files_n < TRACE_FILES_MAX);
	snprintf(t->names[t->files_n], sizeof t->names[0], "%s", name);
	return t->files_n++;
}

static int trace_open(void *ctx, int dir_fd, const char *name, int flags)
{
	struct trace *t = ctx;
	CLEANUP(unlockp) struct mutex *held = lock_take(&t->lock);
	bool there = faccessat(dir_fd, name, F_OK, 0) == 0;
	int fd = io_files.open(NULL, dir_fd, name, flags);
	if (fd < 0)
		return fd;
	EXPECT(fd < 1024);
	t->file_of_fd[fd] = file_find(t, name);
	if (!there)
		op_add(t, TRACE_CREATE, t->file_of_fd[fd]);
	else if (flags & O_TRUNC)
		op_add(t, TRACE_SIZE, t->file_of_fd[fd])->off = 0;
	return fd;
}

static int trace_close(void *ctx, int fd)
{
	(void)ctx;
	return io_files.close(NULL, fd);
}

static ssize_t trace_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	struct trace *t = ctx;
	CLEANUP(unlockp) struct mutex *held = lock_take(&t->lock);
	struct trace_op *op = op_add(t, TRACE_WRITE, t->file_of_fd[fd]);
	op->off = off;
	op->n = n;
	op->data = malloc(n);
	EXPECT(op->data != NULL);
	memcpy(op->data, p, n);
	return io_files.pwrite(NULL, fd, p, n, off);
}

static int trace_fdatasync(void *ctx, int fd)
{
	struct trace *t = ctx;
	CLEANUP(unlockp) struct mutex *held = lock_take(&t->lock);
	bool lost = t->sync_n++ == t->sync_fail_at;
	op_add(t, lost ? TRACE_SYNC_LOST : TRACE_SYNC, t->file_of_fd[fd]);
	errno = EIO;
	return lost ? -1 : 0; /* what is on this machine's disk does not matter */
}

static int trace_grow(void *ctx, int fd, uint64_t bytes)
{
	struct trace *t = ctx;
	CLEANUP(unlockp) struct mutex *held = lock_take(&t->lock);
	op_add(t, TRACE_SIZE, t->file_of_fd[fd])->off = bytes;
	return io_files.truncate(NULL, fd, bytes);
}

static int trace_truncate(void *ctx, int fd, uint64_t bytes)
{
	return trace_grow(ctx, fd, bytes);
}

static int trace_unlink(void *ctx, int dir_fd, const char *name)
{
	struct trace *t = ctx;
	CLEANUP(unlockp) struct mutex *held = lock_take(&t->lock);
	op_add(t, TRACE_UNLINK, file_find(t, name));
	return io_files.unlink(NULL, dir_fd, name);
}

static int trace_sync_dir(void *ctx, int dir_fd)
{
	struct trace *t = ctx;
	CLEANUP(unlockp) struct mutex *held = lock_take(&t->lock);
	(void)dir_fd;
	errno = EIO;
	if (t->sync_n++ == t->sync_fail_at)
		return -1;
	op_add(t, TRACE_SYNC_DIR, -1);
	return 0;
}

void trace_init(struct trace *t)
{
	*t = (struct trace){ .io = {
				     .ctx = t,
				     .open = trace_open,
				     .close = trace_close,
				     .pwrite = trace_pwrite,
				     .fdatasync = trace_fdatasync,
				     .grow = trace_grow,
				     .truncate = trace_truncate,
				     .unlink = trace_unlink,
				     .sync_dir = trace_sync_dir,
			     },
			     .lock = MUTEX_INIT,
			     .sync_fail_at = UINT64_MAX };
}

void trace_adopt(struct trace *t, const char *dir)
{
	DIR *d = opendir(dir);
	EXPECT(d != NULL);
	const struct dirent *de;
	while ((de = readdir(d))) {
		struct stat st;
		if (fstatat(dirfd(d), de->d_name, &st, 0) != 0 || !S_ISREG(st.st_mode))
			continue;
		int file = file_find(t, de->d_name);
		op_add(t, TRACE_CREATE, file);
		struct trace_op *op = op_add(t, TRACE_WRITE, file);
		op->n = (size_t)st.st_size;
		op->data = malloc(op->n + 1);
		int fd = openat(dirfd(d), de->d_name, O_RDONLY);
		EXPECT(op->data && fd >= 0 && read(fd, op->data, op->n) == st.st_size);
		close(fd);
		op_add(t, TRACE_SYNC, file);
	}
	closedir(d);
	op_add(t, TRACE_SYNC_DIR, -1);
}

void trace_fini(struct trace *t)
{
	for (size_t i = 0; i < t->ops_n; i++)
		free(t->ops[i].data);
	free(t->ops);
}

/* ---- what the disk holds after a power loss ---- */

struct disk_file {
	uint8_t *bytes;
	size_t n, cap;
	bool linked, linked_durable; /* in the directory; and as of its last sync */
	size_t pending_from;	     /* first operation that may not be on the disk */
};

static void file_size(struct disk_file *f, size_t n)
{
	if (n > f->cap) {
		f->bytes = realloc(f->bytes, n);
		EXPECT(f->bytes != NULL);
		memset(f->bytes + f->cap, 0, n - f->cap);
		f->cap = n;
	}
	if (n < f->n)
		memset(f->bytes + n, 0, f->n - n);
	f->n = n;
}

static void file_write(struct disk_file *f, const struct trace_op *op, size_t from, size_t n)
{
	if (n == 0)
		return;
	if (op->off + from + n > f->n)
		file_size(f, op->off + from + n);
	memcpy(f->bytes + op->off + from, op->data + from, n);
}

static void op_apply(struct disk_file *f, const struct trace_op *op, bool torn)
{
	if (op->kind == TRACE_SIZE)
		file_size(f, op->off);
	if (op->kind != TRACE_WRITE)
		return;
	if (!torn) {
		file_write(f, op, 0, op->n);
		return;
	}
	for (size_t at = 0; at < op->n;) { /* sector by sector */
		size_t n = MIN(op->n - at, 512 - (op->off + at) % 512);
		if (test_random() % 3)
			file_write(f, op, at, n);
		at += n;
	}
}

static void shuffle(size_t *list, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = test_random() % i, kept = list[i - 1];
		list[i - 1] = list[k];
		list[k] = kept;
	}
}

/* What has become of the file's operations from its last sync up to `to`. */
static void pending_apply(const struct trace *t, struct disk_file *f, int file, size_t to,
			  enum trace_loss loss)
{
	size_t n = 0, *list = calloc(to - f->pending_from + 1, sizeof *list);
	EXPECT(list != NULL);
	for (size_t i = f->pending_from; i < to; i++)
		if (t->ops[i].file == file)
			list[n++] = i;
	if (loss >= LOSS_REORDERED)
		shuffle(list, n);
	for (size_t i = 0; i < n && loss != LOSS_ALL; i++)
		if (loss == LOSS_NONE || loss == LOSS_TORN || test_random() % 2)
			op_apply(f, &t->ops[list[i]], loss == LOSS_TORN || loss == LOSS_CHAOS);
	free(list);
	f->pending_from = to;
}

static void files_play(const struct trace *t, size_t ops_n, struct disk_file *files,
		       enum trace_loss loss)
{
	for (size_t i = 0; i < ops_n; i++) {
		const struct trace_op *op = &t->ops[i];
		if (op->kind == TRACE_SYNC)
			pending_apply(t, &files[op->file], op->file, i, LOSS_NONE);
		if (op->kind == TRACE_SYNC_LOST)
			pending_apply(t, &files[op->file], op->file, i, loss);
		if (op->kind == TRACE_CREATE)
			files[op->file].linked = true;
		if (op->kind == TRACE_UNLINK)
			files[op->file].linked = false;
		if (op->kind == TRACE_SYNC_DIR)
			for (int f = 0; f < t->files_n; f++)
				files[f].linked_durable = files[f].linked;
	}
}

static void file_put(const char *dir, const char *name, const struct disk_file *f)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	EXPECT(fd >= 0);
	EXPECT(f->n == 0 || pwrite(fd, f->bytes, f->n, 0) == (ssize_t)f->n);
	close(fd);
}

void trace_rebuild(const struct trace *t, size_t ops_n, enum trace_loss loss, const char *dir)
{
	struct disk_file *files = calloc((size_t)t->files_n, sizeof *files);
	EXPECT(files != NULL);
	files_play(t, ops_n, files, loss);
	dir_copy(NULL, dir);
	for (int i = 0; i < t->files_n; i++) {
		pending_apply(t, &files[i], i, ops_n, loss);
		bool linked = loss == LOSS_NONE	  ? files[i].linked
			      : loss == LOSS_ALL  ? files[i].linked_durable
			      : test_random() % 2 ? files[i].linked
						  : files[i].linked_durable;
		if (linked)
			file_put(dir, t->names[i], &files[i]);
		free(files[i].bytes);
	}
	free(files);
}

/* ---- failing ---- */

const char *fault_name(enum fault_kind kind)
{
	static const char *const names[FAULTS_N] = { "ENOSPC", "EIO", "short write", "EINTR",
						     "failing sync" };
	return names[kind];
}

static bool fault_at(struct faults *f)
{
	static const int errnos[FAULTS_N] = { ENOSPC, EIO, ENOSPC, EINTR, EIO };
	mutex_lock(&f->lock);
	uint64_t i = f->n++;
	bool now = i == f->at || (f->forever && i > f->at);
	f->hit |= now;
	mutex_unlock(&f->lock);
	if (now)
		errno = errnos[f->kind];
	return now;
}

static bool fault_now(struct faults *f)
{
	return f->kind != FAULT_SYNC && fault_at(f);
}

static int fault_open(void *ctx, int dir_fd, const char *name, int flags)
{
	return fault_now(ctx) ? -1 : io_files.open(NULL, dir_fd, name, flags);
}

static int fault_close(void *ctx, int fd)
{
	(void)ctx;
	return io_files.close(NULL, fd);
}

static ssize_t fault_pwrite(void *ctx, int fd, const void *p, size_t n, uint64_t off)
{
	struct faults *f = ctx;
	if (!fault_now(f))
		return io_files.pwrite(NULL, fd, p, n, off);
	if (f->kind == FAULT_SHORT && n > 1) /* the store must come back for the rest */
		return io_files.pwrite(NULL, fd, p, n / 2, off);
	return -1;
}

static int fault_fdatasync(void *ctx, int fd)
{
	(void)fd;
	return fault_at(ctx) ? -1 : 0;
}

static int fault_grow(void *ctx, int fd, uint64_t bytes)
{
	return fault_now(ctx) ? -1 : io_files.grow(NULL, fd, bytes);
}

static int fault_truncate(void *ctx, int fd, uint64_t bytes)
{
	return fault_now(ctx) ? -1 : io_files.truncate(NULL, fd, bytes);
}

static int fault_unlink(void *ctx, int dir_fd, const char *name)
{
	return fault_now(ctx) ? -1 : io_files.unlink(NULL, dir_fd, name);
}

static int fault_sync_dir(void *ctx, int dir_fd)
{
	(void)dir_fd;
	return fault_at(ctx) ? -1 : 0;
}

void faults_init(struct faults *f, enum fault_kind kind, uint64_t at, bool forever)
{
	*f = (struct faults){ .io = {
				      .ctx = f,
				      .open = fault_open,
				      .close = fault_close,
				      .pwrite = fault_pwrite,
				      .fdatasync = fault_fdatasync,
				      .grow = fault_grow,
				      .truncate = fault_truncate,
				      .unlink = fault_unlink,
				      .sync_dir = fault_sync_dir,
			      },
			      .lock = MUTEX_INIT,
			      .kind = kind,
			      .at = at,
			      .forever = forever };
}
