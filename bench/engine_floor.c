/* SPDX-License-Identifier: MIT */
/* The lower bound: the same FlatBuffers records, built, hashed, written and synced, and nothing
 * else. No index, no reads, no recovery: what any store that keeps its rows durable has to do. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/attr.h"
#include "base/fd.h"
#include "engine.h"

#define CHUNK_BYTES (1u << 20)

struct floor_file {
	int fd;
	uint64_t end, hash;
	uint64_t next_id;
	struct fb_writer w;
	bool begun;
	_Alignas(8) uint8_t chunk[CHUNK_BYTES];
};

static void *floor_open(const struct engine_options *o)
{
	char path[512];
	struct floor_file *f = calloc(1, sizeof *f);
	if (!f)
		bench_fail("floor", "no memory");
	snprintf(path, sizeof path, "%s/rows", o->dir);
	f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (f->fd < 0)
		bench_fail("floor: open", strerror(errno));
	f->next_id = 1;
	return f;
}

static void floor_close(void *db)
{
	struct floor_file *f = db;
	fd_closep(&f->fd);
	free(f);
}

static void write_chunk(struct floor_file *f)
{
	if (!f->begun)
		return;
	struct span batch = fb_batch_finish(&f->w);
	f->hash = XXH3_64bits_withSeed(batch.p, batch.n, f->hash);
	if (pwrite(f->fd, batch.p, batch.n, (off_t)f->end) != (ssize_t)batch.n ||
	    pwrite(f->fd, &f->hash, sizeof f->hash, (off_t)(f->end + batch.n)) != sizeof f->hash)
		bench_fail("floor: write", strerror(errno));
	f->end += batch.n + sizeof f->hash;
	f->begun = false;
}

static void floor_put(void *db, const struct row *row)
{
	struct floor_file *f = db;
	struct media_file_in in = row->in;
	in.id = f->next_id++;
	if (f->begun) {
		media_file_batch_add(&f->w, &in);
		if (f->w.err == ERR_OK)
			return;
		write_chunk(f);
	}
	media_file_batch_begin(&f->w, f->chunk, CHUNK_BYTES, 1, 0, BATCH_OPERATION_PUT);
	media_file_batch_add(&f->w, &in);
	f->begun = true;
}

static void floor_commit(void *db)
{
	struct floor_file *f = db;
	write_chunk(f);
	if (fdatasync(f->fd) != 0)
		bench_fail("floor: sync", strerror(errno));
}

const struct engine engine_floor = {
	.name = "floor",
	.open = floor_open,
	.close = floor_close,
	.put = floor_put,
	.commit = floor_commit,
};
