/* SPDX-License-Identifier: MIT */
/* Chunks: sealing them, and never trusting one that was not checked. */
#include "db/db_priv.h"

static uint64_t chunk_seed(const struct disk_chunk *c)
{
	return c->commit * 0x9e3779b97f4a7c15u ^ ((uint64_t)c->segment << 32 | c->offset);
}

void chunk_seal(const struct db *db, struct disk_chunk *c, const uint8_t *payload)
{
	c->magic = CHUNK_MAGIC;
	c->zero = 0;
	c->zero2 = 0;
	c->store = db->store;
	c->payload_hash = hash_bytes(payload, c->payload_bytes, chunk_seed(c));
	c->header_hash = XXH3_64bits(c, offsetof(struct disk_chunk, header_hash));
}

const struct disk_chunk *chunk_at(const struct db *db, struct log_pos pos)
{
	const struct segment *s = pos.segment < SEGMENTS_MAX ? db_segment(db, pos.segment) : NULL;
	if (!s || pos.offset < SEGMENT_HEADER_BYTES || pos.offset % CHUNK_ALIGN != 0)
		return NULL;
	uint32_t bytes = atomic_load_explicit(&s->file_bytes, memory_order_relaxed);
	if (bytes < sizeof(struct disk_chunk) || pos.offset > bytes - sizeof(struct disk_chunk))
		return NULL;
	const struct disk_chunk *c = (const void *)(s->map + pos.offset);
	if (c->magic != CHUNK_MAGIC || c->store != db->store || c->segment != pos.segment ||
	    c->offset != pos.offset)
		return NULL;
	if (c->header_hash != XXH3_64bits(c, offsetof(struct disk_chunk, header_hash)))
		return NULL;
	if (c->payload_bytes > bytes - pos.offset - sizeof *c)
		return NULL;
	return c;
}

bool chunk_payload_sound(const struct disk_chunk *c)
{
	return c->payload_hash == hash_bytes(chunk_payload(c), c->payload_bytes, chunk_seed(c));
}

uint64_t chunk_row_bytes(const struct db *db, uint64_t address)
{
	const struct disk_chunk *c =
		chunk_at(db, (struct log_pos){ address_segment(address), address_offset(address) });
	return c && c->rows_n ? c->payload_bytes / c->rows_n : 0;
}

#define CHECKED_SOUND 1u
#define CHECKED_BAD 2u
#define MARK_PROBES 8u

/* Where the two bits of a chunk are. */
struct mark {
	_Atomic uint32_t *word;
	unsigned shift;
};

static uint32_t mark_home(uint32_t unit)
{
	return (uint32_t)(unit * 0x9e3779b97f4a7c15u >> 32) % SEGMENT_MARKS;
}

/* All of this is relaxed: it says something about bytes that never change. A place in the table
 * stays what it is, so that two who look for one chunk find the same. */
static struct mark mark_of(struct segment *s, uint32_t offset)
{
	uint32_t unit = offset / CHUNK_ALIGN, home = mark_home(unit);
	for (uint32_t i = 0; i < MARK_PROBES; i++) {
		_Atomic uint32_t *at = &s->marks[(home + i) % SEGMENT_MARKS];
		uint32_t is = atomic_load_explicit(at, memory_order_relaxed);
		if (is == 0 && atomic_compare_exchange_strong_explicit(at, &is, unit << 2,
								       memory_order_relaxed,
								       memory_order_relaxed))
			is = unit << 2;
		if (is >> 2 == unit)
			return (struct mark){ at, 0 };
	}
	return (struct mark){ &s->checked[unit / 16], unit % 16 * 2 };
}

/* First touch after opening: the header, the hash, then the table's own verifier, so that its
 * accessors can be trusted with whatever the disk gave back. */
/* As the rows of its own table: who came with an address of another one's says nothing of it. */
static bool chunk_check(struct db *db, struct log_pos pos)
{
	const struct disk_chunk *c = chunk_at(db, pos);
	struct fb_vector rows;
	return c && c->kind == CHUNK_ROWS && c->table < db->tables_n && chunk_payload_sound(c) &&
	       table_verify(&db->tables[c->table], span_of(chunk_payload(c), c->payload_bytes),
			    &rows) == ERR_OK;
}

void chunk_mark_sound(struct segment *s, uint32_t offset)
{
	struct mark m = mark_of(s, offset);
	/* an aborted transaction's chunk may have stood here: set, whatever was there */
	atomic_fetch_and_explicit(m.word, ~(3u << m.shift), memory_order_relaxed);
	atomic_fetch_or_explicit(m.word, CHECKED_SOUND << m.shift, memory_order_relaxed);
}

static void marks_clear(struct segment *s, uint32_t from, uint32_t to)
{
	for (uint32_t i = 0; i < SEGMENT_MARKS; i++) {
		uint32_t unit = atomic_load_explicit(&s->marks[i], memory_order_relaxed) >> 2;
		if (unit >= from && unit < to)
			atomic_fetch_and_explicit(&s->marks[i], ~3u, memory_order_relaxed);
	}
	for (uint32_t unit = from; unit < to; unit++)
		if (atomic_load_explicit(&s->checked[unit / 16], memory_order_relaxed))
			atomic_fetch_and_explicit(&s->checked[unit / 16], ~(3u << unit % 16 * 2),
						  memory_order_relaxed);
}

void chunk_marks_clear(struct db *db, struct log_pos from, struct log_pos to)
{
	for (; from.segment <= to.segment; from.segment++) {
		struct segment *s = db_segment(db, from.segment);
		uint32_t end = from.segment == to.segment ? to.offset : SEGMENT_BYTES_MAX;
		if (s && from.segment != to.segment)
			end = atomic_load_explicit(&s->file_bytes, memory_order_relaxed);
		if (s && from.offset < end)
			marks_clear(s, from.offset / CHUNK_ALIGN,
				    (uint32_t)(num_align_up(end, CHUNK_ALIGN) / CHUNK_ALIGN));
		from.offset = SEGMENT_HEADER_BYTES;
	}
}

static enum err chunk_first_touch(struct db *db, struct segment *s, uint32_t offset)
{
	struct mark m = mark_of(s, offset);
	unsigned state = atomic_load_explicit(m.word, memory_order_relaxed) >> m.shift & 3;
	if (LIKELY(state == CHECKED_SOUND))
		return ERR_OK;
	if (state == CHECKED_BAD)
		return ERR_CORRUPT;
	bool sound = chunk_check(db, (struct log_pos){ s->number, offset });
	unsigned mark = sound ? CHECKED_SOUND : CHECKED_BAD;
	unsigned before = atomic_fetch_or_explicit(m.word, mark << m.shift, memory_order_relaxed);
	if (!sound && (before >> m.shift & 3) == 0)
		counter_add(&db->count.damaged_chunks_n, 1);
	return sound ? ERR_OK : ERR_CORRUPT;
}

enum err chunk_rows(struct db *db, unsigned table, uint64_t address, struct fb_vector *out)
{
	struct segment *s = db_segment(db, address_segment(address));
	uint32_t offset = address_offset(address);
	if (!s || offset < SEGMENT_HEADER_BYTES || offset % CHUNK_ALIGN != 0 ||
	    offset > SEGMENT_BYTES_MAX - sizeof(struct disk_chunk))
		return ERR_CORRUPT;
	enum err e = chunk_first_touch(db, s, offset);
	if (e != ERR_OK)
		return e;
	const struct disk_chunk *c = (const void *)(s->map + offset);
	if (c->table != table)
		return ERR_CORRUPT;
	*out = db->tables[table].rows(span_of(chunk_payload(c), c->payload_bytes));
	if (UNLIKELY(atomic_load_explicit(&db->rows_pos[table], memory_order_relaxed) != out->pos))
		atomic_store_explicit(&db->rows_pos[table], out->pos, memory_order_relaxed);
	return ERR_OK;
}

void chunk_fetch(const struct db *db, unsigned table, uint64_t address)
{
	const struct segment *s = db_segment(db, address_segment(address));
	uint32_t offset = address_offset(address);
	if (!s)
		return;
	const uint8_t *head = s->map + offset, *payload = head + sizeof(struct disk_chunk);
	__builtin_prefetch((const void *)&s->marks[mark_home(offset / CHUNK_ALIGN)]);
	__builtin_prefetch(head);
	__builtin_prefetch(payload);
	/* the slot stands where it would in the chunk looked at last: they are made alike */
	uint32_t pos = atomic_load_explicit(&db->rows_pos[table], memory_order_relaxed);
	__builtin_prefetch(payload + pos + 4 * (size_t)address_row(address));
}

enum err chunk_row(struct db *db, unsigned table, uint64_t address, uint64_t id,
		   struct fb_table *out)
{
	struct fb_vector rows;
	chunk_fetch(db, table, address);
	enum err e = chunk_rows(db, table, address, &rows);
	if (e != ERR_OK)
		return e;
	uint32_t row = address_row(address);
	if (row >= rows.n)
		return ERR_CORRUPT;
	struct fb_table t = fb_vector_table(rows, row);
	row_fetch(t);
	if (db->tables[table].row_id(t) != id)
		return ERR_CORRUPT;
	*out = t;
	return ERR_OK;
}
