/* SPDX-License-Identifier: MIT */
/* The FlatBuffers runtime under the code that tools/fbgen writes from schema/.fbs.
 *
 * Reading: a view names a table inside a buffer whose verifier has passed; accessors follow
 * offsets without allocation and without copying. Accessors of an unverified buffer are undefined.
 * Writing: straight into the caller's memory, no heap, and backward, because the format's offsets
 * only lead forward: first what a table refers to, at the memory's end, then the table before it.
 * So a text that many rows have is stored once, by the first of them. */
#pragma once

#include "base/err.h"
#include "base/num.h"
#include "base/span.h"

/** One table in a verified buffer. pos 0 is never a table: such a view is "absent", and every
 * accessor of it gives the field's default. Lifetime: the buffer's. */
struct fb_table {
	const uint8_t *buf;
	uint32_t size; /* of the whole buffer, bytes */
	uint32_t pos;  /* of the table in it */
};

/** A vector in a verified buffer. */
struct fb_vector {
	const uint8_t *buf;
	uint32_t size;
	uint32_t pos; /* of element 0 */
	uint32_t n;   /* elements */
};

/* ---- reading ------------------------------------------------------------------------------- */

/** Element i < n of a vector of tables, of strings, of scalars. */
static inline struct fb_table fb_vector_table(struct fb_vector v, uint32_t i)
{
	uint32_t slot = v.pos + 4 * i;
	return (struct fb_table){ v.buf, v.size, slot + num_le32(v.buf + slot) };
}

static inline struct span fb_vector_string(struct fb_vector v, uint32_t i)
{
	uint32_t slot = v.pos + 4 * i;
	const uint8_t *s = v.buf + slot + num_le32(v.buf + slot);
	return span_of(s + 4, num_le32(s));
}

static inline uint16_t fb_vector_u16(struct fb_vector v, uint32_t i)
{
	return num_le16(v.buf + v.pos + 2 * (size_t)i);
}

static inline uint32_t fb_vector_u32(struct fb_vector v, uint32_t i)
{
	return num_le32(v.buf + v.pos + 4 * (size_t)i);
}

static inline uint64_t fb_vector_u64(struct fb_vector v, uint32_t i)
{
	return num_le64(v.buf + v.pos + 8 * (size_t)i);
}

/* What the generated accessors are made of. `slot` is the field's place in the vtable, 4 + 2 id. */

/** Where the field's bytes are, or NULL where the field (or the table) is absent. */
static inline const uint8_t *fb_field(struct fb_table t, uint32_t slot)
{
	if (UNLIKELY(t.pos == 0))
		return NULL;
	const uint8_t *table = t.buf + t.pos;
	const uint8_t *vtable = table - (int32_t)num_le32(table);
	if (slot >= num_le16(vtable))
		return NULL;
	uint16_t off = num_le16(vtable + slot);
	return off ? table + off : NULL;
}

static inline uint8_t fb_get_u8(struct fb_table t, uint32_t slot, uint8_t absent)
{
	const uint8_t *p = fb_field(t, slot);
	return p ? *p : absent;
}

static inline uint16_t fb_get_u16(struct fb_table t, uint32_t slot, uint16_t absent)
{
	const uint8_t *p = fb_field(t, slot);
	return p ? num_le16(p) : absent;
}

static inline uint32_t fb_get_u32(struct fb_table t, uint32_t slot, uint32_t absent)
{
	const uint8_t *p = fb_field(t, slot);
	return p ? num_le32(p) : absent;
}

static inline uint64_t fb_get_u64(struct fb_table t, uint32_t slot, uint64_t absent)
{
	const uint8_t *p = fb_field(t, slot);
	return p ? num_le64(p) : absent;
}

/** A string, or a vector of bytes. {NULL, 0} where it is absent. */
static inline struct span fb_get_bytes(struct fb_table t, uint32_t slot)
{
	const uint8_t *p = fb_field(t, slot);
	if (!p)
		return (struct span){ NULL, 0 };
	p += num_le32(p);
	return span_of(p + 4, num_le32(p));
}

/** n is 0 where it is absent. */
static inline struct fb_vector fb_get_vector(struct fb_table t, uint32_t slot)
{
	const uint8_t *p = fb_field(t, slot);
	if (!p)
		return (struct fb_vector){ t.buf, t.size, 0, 0 };
	p += num_le32(p);
	return (struct fb_vector){ t.buf, t.size, (uint32_t)(p - t.buf) + 4, num_le32(p) };
}

static inline struct fb_table fb_get_table(struct fb_table t, uint32_t slot)
{
	const uint8_t *p = fb_field(t, slot);
	uint32_t pos = p ? (uint32_t)(p - t.buf) + num_le32(p) : 0;
	return (struct fb_table){ t.buf, t.size, pos };
}

/* ---- what a table looks like (constants in the generated code) ------------------------------- */

#define FB_FIELDS_MAX 64 /* ids 0..63, so that presence fits one 64-bit mask */

enum fb_kind {
	FB_SCALAR,
	FB_STRING,
	FB_SCALARS, /* vector of scalars */
	FB_STRINGS, /* vector of strings */
	FB_TABLES,  /* vector of tables */
	FB_TABLE
};

struct fb_field_type {
	uint8_t id;
	uint8_t kind; /* enum fb_kind */
	uint8_t size; /* inline bytes: 1, 2, 4 or 8 */
	uint8_t element_size;
	bool required;
	uint8_t shared; /* schema attribute "repeats": 1 + number of the field among those; 0: not
			 */
	uint8_t like;	/* schema attribute "like": 1 + id of the field named there; 0: none */
	const struct fb_table_type *table; /* FB_TABLE, FB_TABLES */
};

struct fb_table_type {
	const char *name;
	const struct fb_field_type
		*fields;   /* in the order in which rows have them, the last in memory
			    * first: by falling size; offsets before scalars */
	uint32_t fields_n; /* without deprecated ones, whose bytes nobody reads */
};

/* ---- verifying ------------------------------------------------------------------------------- */

#define FB_DEPTH_MAX 64 /* nested tables */

/** Checks everything that an accessor could ever follow: that every offset, vector, string (with
 * its NUL), field and vtable lies inside the buffer, aligned, fields inside their object, required
 * ones there, and `file_id` (4 bytes; NULL: none asked for). Any bytes may be handed in. Linear in
 * the buffer's size, also for buffers that share tables. Stricter than the C++ library's Verifier,
 * never laxer. What it does not promise: that text is UTF-8, that enum values are known.
 * Errors: ERR_CORRUPT; *out_root is left alone. */
NODISCARD enum err fb_verify(struct span buf, const struct fb_table_type *root, const char *file_id,
			     struct fb_table *out_root);

/* ---- writing --------------------------------------------------------------------------------- */

/** Distinct row layouts (sets of present fields) that share one vtable each within a buffer; rows
 * of further layouts bring their own. */
#define FB_LAYOUTS_MAX 64
/** Fields with the attribute "repeats", of a schema. */
#define FB_SHARED_MAX 32
/** Longer texts are written again: what one row has alone never needs much more than it took. */
#define FB_SHARED_BYTES_MAX 255u
/** Shared texts that are still known, whatever their field: a hash table of 1 << this many. */
#define FB_RECENT_BITS 8
/** Beside its rows, a root table of a batch may have this many fields. */
#define FB_BATCH_FIELDS_MAX 8

/** Builds one buffer, in most cases a batch: a root table whose field 0 is the vector of rows.
 * Something's *place* is the distance of its first byte from the memory's end; 0 is no place.
 * Errors stick: ERR_LIMIT once the memory is full; the rows written before stay whole. */
struct fb_writer {
	uint8_t *floor; /* places of what becomes a vector grow up to here, from the memory's begin
			 */
	uint8_t *p;	/* what is written begins here, and grows down */
	uint8_t *end;
	uint8_t *buf;
	uint8_t *row_p; /* p before the row at hand */
	uint32_t rows_n;
	enum err err;
	const char *file_id; /* or NULL */
	struct {
		const struct fb_table_type *type; /* NULL: no batch */
		uint64_t present;
		uint64_t fields[FB_BATCH_FIELDS_MAX];
	} root;
	uint32_t layouts_n;
	struct fb_layout {
		const void *table_type;	      /* which generated writer it belongs to */
		uint64_t present;	      /* bit per field id */
		uint32_t vtable;	      /* its place */
	} layouts[FB_LAYOUTS_MAX];	      /* a hash table */
	uint64_t alike;			      /* what the row before said in ..._in.alike */
	uint32_t last[FB_SHARED_MAX];	      /* place of each shared field's newest value */
	uint32_t recent[1 << FB_RECENT_BITS]; /* places of strings, by a hash of their bytes */
};

/** Start a buffer with one root table in the caller's memory; file_id (4 bytes) may be NULL. */
void fb_begin(struct fb_writer *w, void *buf, uint32_t cap, const char *file_id);
/** Make the table at `place` (0: it found no room) the root, and move the buffer to the memory's
 * begin. */
NODISCARD enum err fb_finish(struct fb_writer *w, uint32_t place, uint32_t *out_n);

/** Start a batch. `fields`, by id, of which those in `present` are written: of the root table. */
void fb_batch_begin(struct fb_writer *w, void *buf, uint32_t cap, const char *file_id,
		    const struct fb_table_type *root, const uint64_t *fields, uint64_t present);
/** The batch as a buffer, where it was built: it ends where the memory ends (rounded down to a
 * multiple of 8) and begins at a multiple of 8. Takes no more rows then. Empty where there was not
 * even room for a batch without rows. */
struct span fb_batch_finish(struct fb_writer *w);

/** Bytes that rows take so far; the vector of rows has 4 more for each. */
static inline uint32_t fb_used(const struct fb_writer *w)
{
	return (uint32_t)(w->end - w->p);
}

/** Whether one more row can be begun; else w->err. */
static inline bool fb_row_begin(struct fb_writer *w)
{
	if (w->err == ERR_OK && w->p - w->floor < 4)
		w->err = ERR_LIMIT;
	w->row_p = w->p;
	return w->err == ERR_OK;
}

/** The row at `place` enters the vector; 0, it found no room: what it left is taken back. */
void fb_row_end(struct fb_writer *w, uint32_t place);
/** Copy a table of a verified buffer; its place, or 0 and w->err where there is no room. Fields
 * that the type does not know are left out. */
uint32_t fb_table_copy(struct fb_writer *w, const struct fb_table_type *type, struct fb_table t);
/** The same as one more row, whole or, with w->err, not at all. */
void fb_row_copy(struct fb_writer *w, const struct fb_table_type *type, struct fb_table row);

/* The rest is for generated code. What returns a place gives 0, with w->err, where there is no
 * room; what is written then is good for nothing, and whoever began the row takes it back. */

/** A bound as ..._in_bytes_max() returns it: UINT32_MAX for whatever can never fit. */
static inline uint32_t fb_bytes_max(uint64_t bytes)
{
	return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static inline bool fb_room(struct fb_writer *w, size_t bytes)
{
	if (LIKELY(bytes <= (size_t)(w->p - w->floor)))
		return true;
	w->err = ERR_LIMIT;
	return false;
}

/** A string or a vector of bytes, with a NUL behind either. */
uint32_t fb_string_write(struct fb_writer *w, struct span s);
/** The same, its bytes at a multiple of 8. */
uint32_t fb_string_write_aligned(struct fb_writer *w, struct span s);
/** A string that is likely to be among the newest: written only where it is not. */
uint32_t fb_string_share(struct fb_writer *w, uint32_t shared, struct span s);
/** Whether a row's repeating fields are those of the row before: see ..._in.alike. */
static inline bool fb_alike(struct fb_writer *w, uint64_t alike)
{
	bool same = alike != 0 && alike == w->alike;
	w->alike = alike;
	return same;
}
/** fb_string_share() of what the row before has too, where they are alike. */
static inline uint32_t fb_string_repeat(struct fb_writer *w, bool alike, uint32_t shared,
					struct span s)
{
	uint32_t place = w->last[shared]; /* 0: too long to be known */
	return LIKELY(alike && place) ? place : fb_string_share(w, shared, s);
}
/** s, which is likely to be `other`, which stands at `place`. */
static inline uint32_t fb_string_like(struct fb_writer *w, struct span s, struct span other,
				      uint32_t place)
{
	if (s.n == other.n && (LIKELY(s.p == other.p) || memcmp(s.p, other.p, s.n) == 0))
		return place;
	return fb_string_write(w, s);
}
uint32_t fb_scalars_write(struct fb_writer *w, const void *v, uint32_t n, uint32_t size);
uint32_t fb_scalars_share(struct fb_writer *w, uint32_t shared, const void *v, uint32_t n,
			  uint32_t size);
static inline uint32_t fb_scalars_repeat(struct fb_writer *w, bool alike, uint32_t shared,
					 const void *v, uint32_t n, uint32_t size)
{
	uint32_t place = w->last[shared];
	return LIKELY(alike && place) ? place : fb_scalars_share(w, shared, v, n, size);
}
/** One more place for the vector that fb_slots_write() will write: of all places from `slots` on,
 * which is w->floor before the first. */
void fb_slot_add(struct fb_writer *w, uint32_t place);
void fb_slot_add_string(struct fb_writer *w, struct span s, bool shared);
uint32_t fb_slots_write(struct fb_writer *w, uint8_t *slots);

/** A table's inline fields go downward from what is returned (a multiple of 8), in the order of its
 * type and each at once before the one before it, so that all are aligned; NULL: no room.
 * `bytes_max`: all of them and the vtable. */
static inline uint8_t *fb_table_begin(struct fb_writer *w, uint32_t bytes_max)
{
	if (UNLIKELY(!fb_room(w, bytes_max)))
		return NULL;
	uint8_t *p = (uint8_t *)((uintptr_t)w->p & ~(uintptr_t)7);
	if (p != w->p)
		memset(p, 0, 4);
	return p;
}

static inline uint8_t *fb_put_u8(uint8_t *p, uint8_t v)
{
	*--p = v;
	return p;
}

static inline uint8_t *fb_put_u16(uint8_t *p, uint16_t v)
{
	return memcpy(p - sizeof v, &v, sizeof v);
}

static inline uint8_t *fb_put_u32(uint8_t *p, uint32_t v)
{
	return memcpy(p - sizeof v, &v, sizeof v);
}

static inline uint8_t *fb_put_u64(uint8_t *p, uint64_t v)
{
	return memcpy(p - sizeof v, &v, sizeof v);
}

/** The offset to what stands at `place`. */
static inline uint8_t *fb_put_ref(const struct fb_writer *w, uint8_t *p, uint32_t place)
{
	return fb_put_u32(p, (uint32_t)(w->end - p) + 4 - place);
}

/** The offsets to what stands at n places, one field after the other. */
static inline uint8_t *fb_put_refs(const struct fb_writer *w, uint8_t *p, const uint32_t *places,
				   uint32_t n)
{
	typedef uint32_t vec __attribute__((vector_size(16)));
	uint32_t at = (uint32_t)(w->end - p), i = 0;
	for (; i + 4 <= n; i += 4, at += 16) {
		vec v;
		memcpy(&v, places + i, sizeof v);
		v = at + (vec){ 4, 8, 12, 16 } - v;
		v = __builtin_shufflevector(v, v, 3, 2, 1, 0); /* downward, as all fields */
		p = memcpy(p - sizeof v, &v, sizeof v);
	}
	for (; i < n; i++)
		p = fb_put_u32(p, (at += 4) - places[i]);
	return p;
}

/** The table is complete, its fields begin at p: give it a vtable, shared where this set of fields
 * was seen before. The table's place. */
uint32_t fb_table_end(struct fb_writer *w, const struct fb_table_type *type, uint8_t *p,
		      uint64_t present);
