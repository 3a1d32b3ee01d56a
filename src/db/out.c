/* SPDX-License-Identifier: MIT */
/* Writing a run image: its sections get places from upper bounds, then fill in order, in memory or
 * through one small buffer each. Where entries cancel out a file keeps a hole, which costs nothing.
 */
#include <errno.h>
#include <fcntl.h>

#include "db/db_priv.h"
#include "db/guard.h"

#define OUT_PIECE_BYTES (32u << 10)
#define OUT_BUF_BYTES (OUT_PIECE_BYTES + OUT_ROOM_MAX)
/* A large run is written back as it grows, so that the checkpoint that syncs it does not wait for
 * all of it; small ones are often merged and gone before that. */
#define WRITE_BACK_FROM_BYTES (16u << 20)
#define WRITE_BACK_BYTES (2u << 20)

enum err out_begin(struct run_out *o, struct db *db, unsigned table, uint64_t bytes_max, bool file)
{
	memset(o, 0, sizeof *o);
	o->db = db;
	o->fd = -1;
	memcpy(o->head.magic, RUN_MAGIC, sizeof o->head.magic);
	o->head.version = FORMAT_VERSION;
	o->head.table = table;
	memcpy(o->head.uuid, db->uuid, sizeof o->head.uuid);
	o->head.indexes_n = db->tables[table].indexes_n;
	o->bytes = sizeof o->head;
	if (!file) {
		o->head.bytes = num_align_up(sizeof o->head + bytes_max, 8);
		o->image = mem_alloc(&db->mem, o->head.bytes);
		return o->image ? ERR_OK : ERR_NOMEM;
	}
	char name[32];
	o->write_back = bytes_max >= WRITE_BACK_FROM_BYTES && db->io->write_back;
	o->head.number = db->next_run++;
	run_name(o->head.number, name);
	o->fd = db_file_open(db, name, O_RDWR | O_CREAT | O_TRUNC);
	if (o->fd < 0)
		return err_from_errno(errno);
	enum err e = run_file_add(db, o->head.number);
	o->bufs = e == ERR_OK ? mem_buffer(&db->mem, OUT_SECTIONS * OUT_BUF_BYTES) : NULL;
	for (unsigned i = 0; o->bufs && i < OUT_SECTIONS; i++)
		o->section[i].buf = o->bufs + i * OUT_BUF_BYTES;
	if (e == ERR_OK && !o->bufs)
		e = ERR_NOMEM;
	if (e != ERR_OK)
		out_abort(o);
	return e;
}

static void section_window(struct out_section *sec, uint8_t *start, uint64_t room)
{
	sec->start = sec->at = start;
	sec->end = start + MIN(sec->cap - sec->done, room);
}

/* In the file a section is written up to multiples of a piece: the page cache takes whole aligned
 * pieces a third cheaper than the same bytes across its pages. */
static size_t piece_bytes(const struct out_section *sec)
{
	return OUT_PIECE_BYTES - (sec->off + sec->done) % OUT_PIECE_BYTES;
}

/* What is put in one go may reach behind the piece. */
static void section_window_file(struct out_section *sec, size_t kept)
{
	section_window(sec, sec->buf, piece_bytes(sec) + OUT_ROOM_MAX);
	sec->at += kept;
}

void out_section_begin(struct run_out *o, enum out_section_name s, uint64_t cap_bytes)
{
	struct out_section *sec = &o->section[s];
	sec->off = num_align_up(o->bytes, 8);
	sec->cap = cap_bytes;
	sec->done = 0;
	o->bytes = sec->off + cap_bytes;
	if (o->image) {
		ASSERT(o->bytes <= o->head.bytes);
		section_window(sec, o->image + sec->off, cap_bytes);
	} else {
		section_window_file(sec, 0);
		hash_begin(&sec->hash);
	}
}

static void section_write(struct run_out *o, struct out_section *sec, size_t n)
{
	size_t kept = (size_t)(sec->at - sec->start) - n;
	if (o->err == ERR_OK && n) {
		hash_add(&sec->hash, sec->start, n);
		o->err = db_write(o->db, o->fd, sec->start, n, sec->off + sec->done);
	}
	sec->done += n;
	o->dirty_bytes += n;
	if (o->write_back && o->dirty_bytes >= WRITE_BACK_BYTES) {
		o->db->io->write_back(o->db->io->ctx, o->fd, 0, 0);
		o->dirty_bytes = 0;
	}
	memmove(sec->buf, sec->buf + n, kept);
	section_window_file(sec, kept);
}

/* A piece is full, or nearly. */
static void section_make_room(struct run_out *o, struct out_section *sec)
{
	section_write(o, sec, MIN(piece_bytes(sec), (size_t)(sec->at - sec->start)));
}

uint8_t *out_room_make(struct run_out *o, struct out_section *sec, uint32_t n)
{
	ASSERT(n <= OUT_ROOM_MAX);
	if (!o->image)
		section_make_room(o, sec);
	if (n > (size_t)(sec->end - sec->at)) { /* a source does not hold what its header says */
		o->err = ERR_CORRUPT;
		return o->sink;
	}
	uint8_t *p = sec->at;
	sec->at += n;
	return p;
}

void out_put(struct run_out *o, enum out_section_name s, const void *p, size_t n)
{
	struct out_section *sec = &o->section[s];
	if (n > sec->cap - out_used(o, s)) { /* a source does not hold what its header says */
		o->err = ERR_CORRUPT;
		return;
	}
	while (n > 0) {
		size_t part = MIN(n, (size_t)(sec->end - sec->at));
		memcpy(sec->at, p, part);
		sec->at += part;
		p = (const uint8_t *)p + part;
		n -= part;
		if (sec->at == sec->end && !o->image)
			section_make_room(o, sec);
	}
}

void out_section_end(struct run_out *o, enum out_section_name s, struct disk_section *out,
		     uint64_t element_bytes)
{
	struct out_section *sec = &o->section[s];
	out->off = sec->off;
	out->n = out_used(o, s) / element_bytes;
	if (o->image)
		return; /* in memory nothing rots: the file that it becomes gets the hash */
	section_write(o, sec, (size_t)(sec->at - sec->start));
	out->hash = hash_end(&sec->hash);
}

static void buffers_free(struct run_out *o)
{
	mem_free(&o->db->mem, o->bufs, OUT_SECTIONS * OUT_BUF_BYTES);
	o->bufs = NULL;
}

void out_abort(struct run_out *o)
{
	struct db *db = o->db;
	mem_free(&db->mem, o->image, o->head.bytes);
	o->image = NULL;
	buffers_free(o);
	if (o->fd < 0)
		return;
	db_file_close(db, o->fd);
	o->fd = -1;
	for (struct run_file *f = db->files; f; f = f->next)
		if (f->number == o->head.number)
			f->live = false;
	run_files_sweep(db);
}

enum err out_finish(struct run_out *o, struct run **out)
{
	struct db *db = o->db;
	if (o->fd >= 0) {
		o->head.bytes = o->bytes;
		o->head.hash = XXH3_64bits(&o->head, offsetof(struct disk_run, hash));
		/* the last section may end before its upper bound: the file has the full length */
		if (o->err == ERR_OK && db_file_truncate(db, o->fd, o->bytes) != 0)
			o->err = err_from_errno(errno);
		if (o->err == ERR_OK)
			o->err = db_write(db, o->fd, &o->head, sizeof o->head, 0);
	} else {
		memcpy(o->image, &o->head, sizeof o->head);
	}
	if (o->err == ERR_OK && o->fd < 0)
		o->err = run_from_image(db, o->image, o->head.bytes, out);
	if (o->err == ERR_OK && o->fd >= 0)
		o->err = run_open(db, o->head.number, o->head.bytes, o->head.hash, out);
	if (o->err == ERR_OK && o->fd >= 0) {
		(*out)->trust = RUN_SOUND;
		(*out)->lost_n = guard_lost_n();
	}
	if (o->err != ERR_OK) {
		out_abort(o);
		return o->err;
	}
	if (o->fd >= 0)
		db_file_close(db, o->fd);
	buffers_free(o);
	return ERR_OK;
}
