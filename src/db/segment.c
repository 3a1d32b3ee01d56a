/* SPDX-License-Identifier: MIT */
/* Log segments: files of at most 256 MiB, mapped once at their full size, so that their bytes never
 * move under a reader while the file grows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/db_priv.h"
#include "db/guard.h"

#define GROW_MIN_BYTES (64u << 10)
#define GROW_MAX_BYTES (64u << 20)
#define CHECKED_BYTES (SEGMENT_BYTES_MAX / CHUNK_ALIGN / 4)

void segment_name(uint32_t number, char out[32])
{
	snprintf(out, 32, "media-%05u.fb", number);
}

static bool header_sound(const struct disk_segment *h, uint32_t number)
{
	return memcmp(h->magic, SEGMENT_MAGIC, sizeof h->magic) == 0 && h->segment == number &&
	       h->hash == XXH3_64bits(h, offsetof(struct disk_segment, hash));
}

static void segment_publish(struct db *db, struct segment *s)
{
	/* pairs with the acquire in db_segment() */
	atomic_store_explicit(&db->segments[s->number], s, memory_order_release);
	counter_add(&db->count.segments_n, 1);
	db->segment_last = MAX(db->segment_last, s->number);
	if (db->segment_first == 0 || s->number < db->segment_first)
		db->segment_first = s->number;
}

void segment_free(struct db *db, struct segment *s)
{
	if (!s)
		return;
	guard_unmap(s->map, SEGMENT_BYTES_MAX);
	if (s->checked)
		munmap((void *)s->checked, CHECKED_BYTES);
	db_file_close(db, s->fd);
	mem_free(&db->mem, s, sizeof *s);
}

/* Open the file and map it; the file may still be empty. */
static enum err segment_map(struct db *db, uint32_t number, int flags, struct segment **out)
{
	struct segment *s = mem_alloc(&db->mem, sizeof *s);
	if (!s)
		return ERR_NOMEM;
	char name[32];
	segment_name(number, name);
	s->number = number;
	s->fd = db_file_open(db, name, flags);
	struct stat st;
	enum err e = s->fd < 0 || fstat(s->fd, &st) != 0 ? err_from_errno(errno) : ERR_OK;
	if (e == ERR_OK && !S_ISREG(st.st_mode)) {
		errno = EISDIR;
		e = ERR_INVALID;
	}
	if (e == ERR_OK) {
		s->map = guard_map(s->fd, SEGMENT_BYTES_MAX);
		void *map = mmap(NULL, CHECKED_BYTES, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		s->checked = map == MAP_FAILED ? NULL : map;
		e = s->map && s->checked ? ERR_OK : ERR_NOMEM;
	}
	if (e != ERR_OK) {
		segment_free(db, s);
		return e;
	}
	uint64_t bytes = MIN((uint64_t)st.st_size, (uint64_t)SEGMENT_BYTES_MAX);
	atomic_store_explicit(&s->file_bytes, (uint32_t)bytes, memory_order_relaxed);
	*out = s;
	return ERR_OK;
}

uint32_t log_part_end(const struct db *db, uint32_t number, struct log_pos end)
{
	if (number == end.segment)
		return end.offset;
	const struct segment *next = db_segment(db, number + 1);
	return next && !next->header_bad ? next->prev_end : 0;
}

/* Segments before this one are needed by nothing: no reader, no manifest on the disk. */
static uint32_t needed_first(const struct db *db)
{
	uint32_t first = UINT32_MAX;
	for (const struct db_snap *sn = db->snap_oldest; sn; sn = sn->newer)
		first = MIN(first, sn->log_first);
	for (unsigned i = 0; i < 2; i++)
		if (db->slots[i].sequence)
			first = MIN(first, db->slots[i].log_first);
	return first;
}

void segments_retired_free(struct db *db)
{
	struct segment **at = &db->retired;
	while (*at) {
		struct segment *s = *at;
		/* whoever could find it holds a snapshot from before it was taken out */
		if (db->snap_oldest && db->snap_oldest->generation <= s->retired_at) {
			at = &s->next_retired;
			continue;
		}
		*at = s->next_retired;
		segment_free(db, s);
	}
}

void segments_sweep(struct db *db)
{
	if (db->read_only || atomic_load(&db->poisoned))
		return;
	uint32_t first = MIN(needed_first(db), db->segment_last);
	for (; db->segment_first && db->segment_first < first; db->segment_first++) {
		struct segment *s = db_segment(db, db->segment_first);
		char name[32];
		segment_name(db->segment_first, name);
		if (!s)
			continue;
		if (db_file_unlink(db, name) != 0 && errno != ENOENT)
			break;
		atomic_store_explicit(&db->segments[s->number], NULL, memory_order_release);
		counter_add(&db->count.segments_n, (uint64_t)-1);
		s->retired_at = db->generation;
		s->next_retired = db->retired;
		db->retired = s;
	}
	segments_retired_free(db);
}

enum err segment_open(struct db *db, uint32_t number, struct err_info *info)
{
	struct segment *s = NULL;
	enum err e = segment_map(db, number, db->read_only ? O_RDONLY : O_RDWR, &s);
	if (e != ERR_OK)
		return err_set(info, e, errno, "cannot open log segment %u of database \"%s\": %s",
			       number, db->dir, e == ERR_NOMEM ? err_name(e) : strerror(errno));
	const struct disk_segment *h = NULL;
	if (atomic_load_explicit(&s->file_bytes, memory_order_relaxed) >= SEGMENT_HEADER_BYTES) {
		const struct disk_segment *first = (const void *)s->map;
		const struct disk_segment *copy = (const void *)(s->map + SEGMENT_HEADER_COPY);
		h = header_sound(first, number) ? first : header_sound(copy, number) ? copy : NULL;
		s->header_half = h && memcmp(first, copy, sizeof *h) != 0;
	}
	if (h && h->version > FORMAT_VERSION) {
		uint32_t version = h->version;
		segment_free(db, s);
		return err_set(info, ERR_VERSION, 0,
			       "database \"%s\" has format %u; this salver reads up to %u: use a "
			       "newer salver",
			       db->dir, version, FORMAT_VERSION);
	}
	s->header_bad = !h;
	s->prev_end = h ? h->prev_end : 0;
	if (h && db->store == 0) {
		memcpy(db->uuid, h->uuid, sizeof db->uuid);
		db->store = num_le64(db->uuid);
	} else if (h && memcmp(h->uuid, db->uuid, sizeof db->uuid) != 0) {
		s->header_bad = true; /* of another store */
	}
	segment_publish(db, s);
	return ERR_OK;
}

void segments_refresh(struct db *db)
{
	for (uint32_t n = 1; n <= db->segment_last; n++) {
		struct segment *s = db_segment(db, n);
		struct stat st;
		if (!s || fstat(s->fd, &st) != 0)
			continue;
		uint64_t bytes = MIN((uint64_t)st.st_size, (uint64_t)SEGMENT_BYTES_MAX);
		atomic_store_explicit(&s->file_bytes, (uint32_t)bytes, memory_order_relaxed);
	}
}

/* Does the log go on in `next` at the place that its header names? Not where a transaction that was
 * given up had begun it: then the log went on behind that place, with commits that are no older. */
static bool log_rolled(const struct db *db, const struct segment *s, const struct segment *next)
{
	struct log_pos pos = { next->number, SEGMENT_HEADER_BYTES };
	const struct disk_chunk *first = chunk_at(db, pos);
	uint32_t bytes = atomic_load_explicit(&s->file_bytes, memory_order_relaxed);
	for (pos = (struct log_pos){ s->number, next->prev_end }; pos.offset < bytes;
	     pos.offset += CHUNK_ALIGN) {
		const struct disk_chunk *c = chunk_at(db, pos);
		/* a roll wipes what was left at that very place: see log.c */
		if (c && (pos.offset == next->prev_end || (first && c->commit > first->commit)))
			return false;
	}
	return true;
}

uint32_t segment_end(const struct db *db, const struct segment *s)
{
	const struct segment *next =
		s->number + 1 < SEGMENTS_MAX ? db_segment(db, s->number + 1) : NULL;
	uint32_t end = atomic_load_explicit(&s->file_bytes, memory_order_relaxed);
	if (next && !next->header_bad && next->prev_end < end && log_rolled(db, s, next))
		return next->prev_end;
	end -= end % 8; /* chunks begin and end at multiples of more */
	while (end > SEGMENT_HEADER_BYTES && num_le64(s->map + end - 8) == 0)
		end -= 8;
	return (uint32_t)num_align_up(end, CHUNK_ALIGN);
}

static enum err header_write(struct db *db, struct segment *s, uint32_t prev_end)
{
	union {
		uint8_t page[SEGMENT_HEADER_BYTES];
		struct disk_segment h;
	} u;
	memset(&u, 0, sizeof u);
	memcpy(u.h.magic, SEGMENT_MAGIC, sizeof u.h.magic);
	u.h.version = FORMAT_VERSION;
	u.h.segment = s->number;
	memcpy(u.h.uuid, db->uuid, sizeof u.h.uuid);
	u.h.created_s = clock_wall_s();
	u.h.prev_end = prev_end;
	u.h.hash = XXH3_64bits(&u.h, offsetof(struct disk_segment, hash));
	memcpy(u.page + SEGMENT_HEADER_COPY, &u.h, sizeof u.h);
	enum err e = segment_reserve(db, s, SEGMENT_HEADER_BYTES);
	if (e == ERR_OK)
		e = db_write(db, s->fd, u.page, sizeof u.page, 0);
	if (e == ERR_OK) {
		s->prev_end = prev_end;
		s->header_bad = false;
	}
	return e;
}

enum err segment_create(struct db *db, uint32_t number, uint32_t prev_end)
{
	if (number >= SEGMENTS_MAX)
		return ERR_LIMIT;
	struct segment *s = db_segment(db, number);
	bool fresh = !s;
	if (fresh) {
		enum err e = segment_map(db, number, O_RDWR | O_CREAT, &s);
		if (e != ERR_OK)
			return e;
	}
	enum err e = header_write(db, s, prev_end);
	if (e == ERR_OK)
		e = db_sync_dir(db);
	if (e == ERR_OK && fresh)
		segment_publish(db, s);
	else if (fresh)
		segment_free(db, s);
	return e;
}

/* The sound copy of a header over the other one: never a moment without one. */
static enum err header_copy(struct db *db, struct segment *s)
{
	struct disk_segment h;
	const uint8_t *copy = s->map + SEGMENT_HEADER_COPY;
	bool first = header_sound((const void *)s->map, s->number);
	memcpy(&h, first ? s->map : copy, sizeof h);
	if (!header_sound(&h, s->number))
		return ERR_CORRUPT; /* cut off meanwhile */
	return db_write(db, s->fd, &h, sizeof h, first ? SEGMENT_HEADER_COPY : 0);
}

enum err segment_header_mend(struct db *db, struct segment *s, uint32_t prev_end)
{
	enum err e = s->header_bad ? header_write(db, s, prev_end) : header_copy(db, s);
	s->header_half &= e != ERR_OK;
	return e == ERR_OK ? db_sync(db, s->fd) : e;
}

enum err segment_reserve(struct db *db, struct segment *s, uint32_t end)
{
	uint32_t have = atomic_load_explicit(&s->file_bytes, memory_order_relaxed);
	if (end <= have)
		return ERR_OK;
	uint64_t step = MIN(MAX(have / 4, GROW_MIN_BYTES), GROW_MAX_BYTES);
	uint64_t want = MIN(num_align_up(MAX(end, have + step), GROW_MIN_BYTES), SEGMENT_BYTES_MAX);
	int r = db_file_grow(db, s->fd, want);
	if (r != 0 && errno == ENOSPC && want > end) { /* the last bytes of a full disk */
		want = num_align_up(end, 4096);
		r = db_file_grow(db, s->fd, want);
	}
	if (r != 0)
		return err_from_errno(errno);
	/* relaxed: readers only follow addresses that a snapshot published after this */
	atomic_store_explicit(&s->file_bytes, (uint32_t)want, memory_order_relaxed);
	return ERR_OK;
}
